//! Lists in pages: the `Range` header, sorting, `Next-Range`.

use std::cmp::Ordering;

use serde_json::Value;

use super::http::{Answer, Refusal};

/// How many members a page has unless asked otherwise.
const PAGE: usize = 200;
/// How many it may have at most.
const LARGEST_PAGE: usize = 1000;

/// What a `Range` header asks for.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    field: String,
    from: Option<String>,
    exclusive: bool,
    max: usize,
    descending: bool,
}

/// One page of `members`, which are in the order they were made. `fields` are the ones that the list can be sorted by; the
/// first is used unless asked otherwise. `forced` is the largest page that the world allows now.
pub(super) fn page(members: Vec<Value>, range: &str, fields: &[&str], forced: Option<usize>) -> Result<Answer, Refusal> {
    let wanted = wanted(range, fields).ok_or_else(|| {
        Refusal::new(416, "requested_range_not_satisfiable", "The requested range is not satisfiable. Please check the Range header.")
    })?;
    let size = forced.map_or(wanted.max, |forced| forced.min(wanted.max));
    let key = if wanted.field == "started_at" { "created_at" } else { wanted.field.as_str() };
    let mut members = members;
    members.sort_by(|one, other| compare(one.get(key), other.get(key)));
    if wanted.descending {
        members.reverse();
    }
    if let Some(from) = &wanted.from {
        members.retain(|member| {
            let order = compare_text(member.get(key), from);
            let order = if wanted.descending { order.reverse() } else { order };
            order == Ordering::Greater || (order == Ordering::Equal && !wanted.exclusive)
        });
    }
    // The next page begins behind a value, so members with the same value stay together.
    let mut rest = members.iter().skip(size);
    let last = size.checked_sub(1).and_then(|index| members.get(index)).and_then(|member| member.get(key)).cloned();
    let same = rest.by_ref().take_while(|member| member.get(key) == last.as_ref()).count();
    let more = members.len() > size + same;
    members.truncate(size + same);
    let order = if wanted.descending { "; order=desc,max=" } else { "; max=" };
    let mut answer = Answer::json(if more { 206 } else { 200 }, &Value::Array(members.clone())).with("accept-ranges", fields.join(", "));
    let edge = |member: Option<&Value>| member.and_then(|member| member.get(key)).map(text);
    if let (Some(first), Some(last)) = (edge(members.first()), edge(members.last())) {
        answer = answer.with("content-range", format!("{} {first}..{last}{order}{}", wanted.field, wanted.max));
        if more {
            answer = answer.with("next-range", format!("{} ]{last}..{order}{}", wanted.field, wanted.max));
        }
    }
    Ok(answer)
}

fn wanted(range: &str, fields: &[&str]) -> Option<Wanted> {
    let first = (*fields.first()?).to_owned();
    let mut wanted = Wanted { field: first, from: None, exclusive: false, max: PAGE, descending: false };
    let mut parts = range.split([';', ',']).map(str::trim).filter(|part| !part.is_empty());
    let Some(span) = parts.next() else { return Some(wanted) };
    let (span, outer) = without_bracket(span);
    let (field, bounds) = span.split_once(' ').unwrap_or((span, ".."));
    if !fields.contains(&field) {
        return None;
    }
    let (from, _to) = bounds.trim().split_once("..")?;
    let (from, inner) = without_bracket(from.trim());
    wanted.field = field.to_owned();
    wanted.exclusive = outer || inner;
    wanted.from = (!from.is_empty()).then(|| from.to_owned());
    for option in parts {
        match option.split_once('=').map(|(name, value)| (name.trim(), value.trim()))? {
            ("max", value) => wanted.max = value.parse().ok().filter(|max| (1..=LARGEST_PAGE).contains(max))?,
            ("order", "desc") => wanted.descending = true,
            ("order", "asc") => wanted.descending = false,
            _ => return None,
        }
    }
    Some(wanted)
}

fn without_bracket(text: &str) -> (&str, bool) {
    text.strip_prefix(']').map_or((text, false), |rest| (rest.trim_start(), true))
}

fn compare(one: Option<&Value>, other: Option<&Value>) -> Ordering {
    match (one.and_then(Value::as_u64), other.and_then(Value::as_u64)) {
        (Some(one), Some(other)) => one.cmp(&other),
        (None, None) => one.and_then(Value::as_str).cmp(&other.and_then(Value::as_str)),
        (one, other) => one.cmp(&other),
    }
}

fn compare_text(value: Option<&Value>, text: &str) -> Ordering {
    match (value.and_then(Value::as_u64), text.parse::<u64>()) {
        (Some(number), Ok(wanted)) => number.cmp(&wanted),
        (_, _) => value.and_then(Value::as_str).unwrap_or("").cmp(text),
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_the_forms_that_clients_send_are_understood() {
        let fields = ["id", "version", "created_at"];
        for (range, field, from, exclusive, max, descending) in [
            ("", "id", None, false, 200, false),
            ("version ..; order=desc", "version", None, false, 200, true),
            ("version ..; max=10, order=desc", "version", None, false, 10, true),
            ("created_at ..; max=10, order=desc", "created_at", None, false, 10, true),
            ("id ..; max=1000;", "id", None, false, 1000, false),
            ("]id 0123..; max=2", "id", Some("0123"), true, 2, false),
            ("id ]0123..;order=desc,max=2", "id", Some("0123"), true, 2, true),
        ] {
            let from = from.map(str::to_owned);
            assert_eq!(wanted(range, &fields), Some(Wanted { field: field.to_owned(), from, exclusive, max, descending }), "{range}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for range in ["colour ..", "id 12", "id ..; max=0", "id ..; max=1001", "id ..; order=up", "id ..; page=2"] {
            assert_eq!(wanted(range, &["id"]), None, "{range}");
        }
    }
}
