//! Records of others without somebody whom they name: in a rule that was asked for, and in words.

use serde_json::Value;

use crate::domain::names::UserId;
use crate::domain::privacy::without_name;
use crate::ports::StoreError;

use super::desk::Stop;
use super::records::Record;

/// The same without a person; `None`: they are not named in it.
pub fn without<T: Record>(record: &T, user: &UserId) -> Result<Option<T>, Stop> {
    let damaged = |error: serde_json::Error| Stop::Refused(StoreError::Damaged(error.to_string()));
    // Of most, a look at the text is enough.
    let text = serde_json::to_string(record).map_err(damaged)?;
    if !text.contains(user.as_str()) {
        return Ok(None);
    }
    let mut value = serde_json::from_str(&text).map_err(damaged)?;
    if !is_changed(&mut value, user) {
        return Ok(None);
    }
    serde_json::from_value(value).map(Some).map_err(damaged)
}

fn is_changed(value: &mut Value, user: &UserId) -> bool {
    match value {
        Value::Object(fields) => {
            let mut changed = false;
            for (name, value) in fields {
                changed |= match (name.as_str(), value) {
                    ("people", Value::Array(people)) => {
                        let many = people.len();
                        people.retain(|person| person.as_str() != Some(user.as_str()));
                        people.len() != many
                    }
                    ("because", Value::String(words)) => {
                        let next = without_name(words, user);
                        next.map(|next| *words = next).is_some()
                    }
                    (_, value) => is_changed(value, user),
                };
            }
            changed
        }
        Value::Array(items) => {
            let mut changed = false;
            for item in items {
                changed |= is_changed(item, user);
            }
            changed
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}
