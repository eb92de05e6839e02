//! Each port has a mock and a suite, and somebody of ours is held to it.

use super::{files_below, text_of};

/// A file and its text.
type Text = (String, String);

fn texts_below(folder: &str) -> Vec<Text> {
    files_below(folder).into_iter().filter(|file| file.ends_with(".rs")).map(|file| (file.clone(), text_of(&file))).collect()
}

/// The words of a text.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
}

/// The ports that a text declares.
fn ports(text: &str) -> Vec<String> {
    let declared = text.lines().filter_map(|line| line.strip_prefix("pub trait "));
    declared.map(|rest| words(rest).next().unwrap_or_default().to_owned()).collect()
}

/// Whether a text says of itself, in its first lines, that it is about a port.
fn is_about(text: &str, port: &str) -> bool {
    text.lines().take_while(|line| line.starts_with("//!")).any(|line| line.contains(&format!("[`{port}`]")))
}

/// Whether somebody uses the suite of a file.
fn is_used(file: &str, users: &[Text]) -> bool {
    let suite = file.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs");
    let names = |line: &str| line.contains("testing::") && words(line).any(|word| word == suite);
    users.iter().any(|(_, text)| text.lines().any(names))
}

/// What the ports of `declared` lack, one sentence each: mocks in `exports`, suites in `suites`, and users of these.
fn lacking(declared: &[Text], exports: &str, suites: &[Text], users: &[Text]) -> Vec<String> {
    let mut lacking = Vec::new();
    for port in declared.iter().flat_map(|(_, text)| ports(text)) {
        if !words(exports).any(|word| word == format!("Mock{port}")) {
            lacking.push(format!("Mock{port} is not exported in src/ports/mod.rs"));
        }
        let own: Vec<&str> = suites.iter().filter(|(_, text)| is_about(text, &port)).map(|(file, _)| file.as_str()).collect();
        if own.is_empty() {
            lacking.push(format!("no file of src/testing says in its first lines that it is the suite of [`{port}`]"));
        }
        lacking.extend(own.into_iter().filter(|file| !is_used(file, users)).map(|file| format!("nobody is held to {file}")));
    }
    lacking
}

#[test]
fn each_port_has_a_mock_and_a_suite_that_is_used() {
    let declared = texts_below("src/ports");
    assert!(declared.iter().flat_map(|(_, text)| ports(text)).count() > 25, "the ports were not found");
    let (suites, others): (Vec<Text>, Vec<Text>) = texts_below("src").into_iter().partition(|(file, _)| file.starts_with("src/testing/"));
    let users: Vec<Text> = others.into_iter().chain(texts_below("tests")).collect();
    let lacking = lacking(&declared, &text_of("src/ports/mod.rs"), &suites, &users);
    assert!(lacking.is_empty(), "\n{}\n", lacking.join("\n"));
}

#[test]
fn what_a_port_lacks_is_told() {
    let text = |file: &str, text: &str| (file.to_owned(), text.to_owned());
    let declared = [text("src/ports/bell.rs", "#[async_trait]\npub trait Bell: Send {\n    fn ring(&self);\n}\n")];
    let suites = [text("src/testing/bell.rs", "//! What a bell promises: [`Bell`].\n")];
    let users = [text("tests/bells.rs", "use slash_heroku::testing::{Arranged, bell};\n")];
    let told = |exports: &str, suites: &[Text], users: &[Text]| lacking(&declared, exports, suites, users);
    assert_eq!(told("bell::{MockBell, MockRope}", &suites, &users), [""; 0]);
    assert_eq!(told("bell::{MockBellows}", &suites, &users), ["MockBell is not exported in src/ports/mod.rs"]);
    let other = [text("src/testing/bell.rs", "//! What bells promise.\n\n/// As [`Bell`].\n")];
    let without = ["no file of src/testing says in its first lines that it is the suite of [`Bell`]"];
    assert_eq!(told("bell::MockBell", &other, &users), without);
    let unused = [text("tests/bells.rs", "use slash_heroku::testing::bellows;\n")];
    assert_eq!(told("bell::MockBell", &suites, &unused), ["nobody is held to src/testing/bell.rs"]);
}
