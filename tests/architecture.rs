//! Who names what: the rings, the vendors' words, the places where secrets are opened, that every fixture is known, and that each port has its
//! mock and its suite.

mod lex;
mod planted;
mod ports;
mod rules;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Every file below a folder, as paths from the top of the project with `/` between; none where there is no such folder.
fn files_below(folder: &str) -> Vec<String> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders: Vec<PathBuf> = vec![top.join(folder)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let parts: Vec<_> = path.strip_prefix(top).unwrap().iter().map(|part| part.to_string_lossy().into_owned()).collect();
                files.push(parts.join("/"));
            }
        }
    }
    files.sort();
    files
}

fn text_of(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap()
}

#[test]
fn every_file_keeps_to_its_ring() {
    let crates = rules::crates(&text_of("Cargo.toml"));
    let sources: Vec<_> = files_below("src")
        .into_iter()
        .filter(|file| file.ends_with(".rs"))
        .map(|file| {
            let source = lex::read(&text_of(&file)).unwrap_or_else(|error| panic!("{file} {error}"));
            (file, source)
        })
        .collect();
    assert!(sources.len() > 40, "the sources were not found");
    let for_tests: BTreeSet<Vec<String>> = sources
        .iter()
        .flat_map(|(file, source)| {
            let module = rules::module_of(file);
            source.modules.iter().filter(|inner| inner.test).map(move |inner| module.iter().chain(&inner.path).cloned().collect())
        })
        .collect();
    let wrong: Vec<String> = sources
        .iter()
        .flat_map(|(file, source)| {
            let module = rules::module_of(file);
            let test = (1..=module.len()).any(|length| for_tests.contains(&module[..length]));
            rules::judge(file, source, &crates, test)
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn every_file_that_may_open_secrets_does() {
    for file in rules::SECRETS_OPENED_IN {
        let opens = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).is_ok_and(|text| text.contains("expose_secret"));
        assert!(opens, "{file} opens no secret any more: take it off the list");
    }
}

/// Where fixtures lie: how their paths begin and end, and the test that reads all of them.
const FIXTURES: &[(&str, &str, &str)] = &[
    ("fixtures/scenarios/", ".chat", "scenarios"),
    ("fixtures/slack/signing.json", "", "signature"),
    ("fixtures/slack/", ".json", "contracts::recordings"),
    ("fixtures/github/", ".json", "contracts::recordings"),
    ("fixtures/heroku/", ".json", "contracts::recordings"),
    ("fixtures/store/", ".json", "store"),
    ("fixtures/cards/", ".json", "slack::cards, browser"),
    ("fixtures/fuzz/", "", "fuzzing"),
];

#[test]
fn every_fixture_is_of_a_kind_that_a_test_reads() {
    let stray: Vec<String> = files_below("fixtures")
        .into_iter()
        .filter(|file| !FIXTURES.iter().any(|(begins, ends, _)| file.starts_with(begins) && file.ends_with(ends)))
        .collect();
    assert!(stray.is_empty(), "nothing reads {stray:?}: remove them, or name their kind in tests/architecture.rs");
}
