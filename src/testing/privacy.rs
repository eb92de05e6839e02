//! What a record holds, looked at as it lies on disk: every field has to be declared in [`crate::domain::privacy`].

use std::collections::BTreeSet;

use serde_json::Value;

use crate::domain::privacy::{Field, fields_of};

/// The paths of everything that is written in a record: names of fields with dots between, `[]` for what is in a list. What is
/// not there (`null`, an empty list) has no path.
pub fn paths(record: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    walk(record, String::new(), &mut found);
    found
}

fn walk(value: &Value, path: String, found: &mut BTreeSet<String>) {
    match value {
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            found.insert(path);
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, format!("{path}[]"), found)),
        Value::Object(fields) => {
            for (name, inner) in fields {
                let dot = if path.is_empty() { "" } else { "." };
                walk(inner, format!("{path}{dot}{name}"), found);
            }
        }
    }
}

/// Whether a path is one that is declared; `*` stands for one name, and `*[]` for one list.
pub fn fits(declared: &str, path: &str) -> bool {
    let (declared, path): (Vec<&str>, Vec<&str>) = (declared.split('.').collect(), path.split('.').collect());
    let list = |part: &str| part.ends_with("[]");
    let same = |declared: &str, part: &str| declared == part || declared.starts_with('*') && list(declared) == list(part);
    declared.len() == path.len() && declared.iter().zip(&path).all(|(declared, part)| same(declared, part))
}

/// Everything in a record of a tree that is not declared.
pub fn undeclared(tree: &str, record: &Value) -> BTreeSet<String> {
    let declares = |path: &String| fields_of(tree).flat_map(Field::all_paths).any(|declared| fits(&declared, path));
    paths(record).into_iter().filter(|path| !declares(path)).collect()
}

/// Everything that is declared of a tree and no record of these has.
pub fn never_seen<'r>(tree: &str, records: impl IntoIterator<Item = &'r Value>) -> BTreeSet<String> {
    let seen: BTreeSet<String> = records.into_iter().flat_map(paths).collect();
    let declared = fields_of(tree).flat_map(Field::all_paths);
    declared.filter(|declared| !seen.iter().any(|path| fits(declared, path))).collect()
}
