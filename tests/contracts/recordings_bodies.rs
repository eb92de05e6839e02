//! Bodies: how those of recordings are sent, and how those that are sent would be recorded.

use serde_json::{Map, Value};

/// The content type of a form. In a recording it is an object of its fields; a field that is JSON is an object within it.
const FORM: &str = "application/x-www-form-urlencoded";

/// Whether a content type is that of a form.
fn is_form(content_type: Option<&str>) -> bool {
    content_type.is_some_and(|kind| kind.split(';').next().unwrap_or_default().trim() == FORM)
}

/// A recorded body, as it is sent.
pub fn sent(body: &Value, content_type: Option<&str>) -> String {
    match body {
        Value::Object(fields) if is_form(content_type) => {
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let pairs = fields.iter().map(|(name, value)| (name, text(value)));
            form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
        }
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Object(_) | Value::Array(_) | Value::Number(_) | Value::Bool(_) => body.to_string(),
    }
}

/// A body that was sent, as it would be recorded.
pub fn recorded(body: &[u8], content_type: Option<&str>) -> Value {
    if is_form(content_type) {
        let field = |(name, value): (std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)| {
            let json = serde_json::from_str::<Value>(&value).ok().filter(Value::is_object);
            (name.into_owned(), json.unwrap_or_else(|| Value::from(value.into_owned())))
        };
        return Value::Object(form_urlencoded::parse(body).map(field).collect::<Map<String, Value>>());
    }
    match serde_json::from_slice(body) {
        Ok(json) => json,
        Err(_) if body.is_empty() => Value::Null,
        Err(_) => Value::String(String::from_utf8_lossy(body).into_owned()),
    }
}

#[test]
fn what_is_sent_is_recorded_as_it_was() {
    use serde_json::json;
    for (kind, body) in [
        (Some(FORM), json!({ "text": "a & b", "payload": { "on": true, "count": 1 }, "number": "1" })),
        (Some("application/json; charset=utf-8"), json!({ "a": [1, "x"] })),
        (None, json!("some bytes")),
        (None, Value::Null),
    ] {
        assert_eq!(recorded(sent(&body, kind).as_bytes(), kind), body);
    }
}
