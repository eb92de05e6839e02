//! The table against real records.

use std::collections::BTreeSet;

use super::samples::records_of;
use super::*;
use crate::testing::privacy::{fits, never_seen, paths, undeclared};

#[test]
fn every_field_of_every_record_is_declared_and_nothing_else_is() {
    let trees: BTreeSet<&str> = RECORD_KINDS.iter().map(|kind| kind.tree).collect();
    let mut not_here = Vec::new();
    for tree in trees {
        let Some(records) = records_of(tree) else {
            not_here.push(tree);
            continue;
        };
        let missing: BTreeSet<String> = records.iter().flat_map(|record| undeclared(tree, record)).collect();
        assert!(missing.is_empty(), "`{tree}` holds what the page does not tell: {missing:#?}");
        let gone = never_seen(tree, &records);
        assert!(gone.is_empty(), "the page tells of what `{tree}` never holds: {gone:#?}");
    }
    assert_eq!(not_here, ["leases", "removals"], "of which the store has samples");
}

#[test]
fn a_new_field_is_found() {
    let record = serde_json::json!({ "app": "a", "waiting": ["x", { "since": 1 }], "holder": null, "note": { "by": "ana" } });
    assert_eq!(undeclared("lines", &record), BTreeSet::from(["note.by".to_owned(), "waiting[].since".to_owned()]));
    assert_eq!(paths(&serde_json::json!({ "a": [[1], []], "b": {} })), BTreeSet::from(["a[][]".to_owned()]));
    assert!(fits("a.*.b", "a.x.b") && !fits("a.*.b", "a.b") && !fits("a.*", "a.b.c") && fits("a.*[]", "a.x[]") && !fits("a.*", "a.x[]"));
}

#[test]
fn every_kind_is_told_once_with_everything() {
    let names: BTreeSet<&str> = RECORD_KINDS.iter().map(|kind| kind.name).collect();
    assert_eq!(names.len(), RECORD_KINDS.len());
    for kind in RECORD_KINDS {
        let words = [kind.holds, kind.why, kind.kept, kind.goes].into_iter().chain(kind.fields.iter().map(|field| field.what));
        assert!(words.into_iter().all(|words| !words.is_empty() && !words.contains(['|', '\n'])), "{}", kind.name);
        let mut paths: Vec<String> = kind.fields.iter().flat_map(Field::all_paths).collect();
        let many = paths.len();
        paths.sort_unstable();
        paths.dedup();
        assert_eq!(paths.len(), many, "a field of `{}` is told twice", kind.name);
    }
}
