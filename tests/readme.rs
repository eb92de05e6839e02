//! What people read is what the code says: `.env.example`, and the README's tables. `UPDATE=1` rewrites them.

use std::fs;
use std::path::{Path, PathBuf};

use slash_heroku::config::show;
use slash_heroku::domain::command::COMMANDS;

fn at(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}

pub(crate) fn updating() -> bool {
    std::env::vars_os().any(|(name, value)| name == "UPDATE" && value == "1")
}

/// The text with what stands between the marks replaced; `None` if the marks are not there once each, in order.
fn replaced(text: &str, mark: &str, inside: &str) -> Option<String> {
    let (opening, closing) = (format!("<!-- {mark} -->\n"), format!("<!-- /{mark} -->"));
    let (before, rest) = text.split_once(&opening)?;
    let (_, after) = rest.split_once(&closing)?;
    let once = !after.contains(&opening) && !after.contains(&closing) && !before.contains(&closing);
    once.then(|| format!("{before}{opening}\n{}\n\n{closing}{after}", inside.trim_end()))
}

/// Holds a file to what it should be, or makes it so.
#[track_caller]
fn held(file: &str, found: &str, wanted: &str) {
    if found == wanted {
        return;
    }
    assert!(updating(), "{file} is not what the code says: run the tests with UPDATE=1 and look at the change");
    fs::write(at(file), wanted).unwrap();
}

#[track_caller]
pub(crate) fn block_is(file: &str, mark: &str, inside: &str) {
    let found = fs::read_to_string(at(file)).unwrap();
    let wanted = replaced(&found, mark, inside).unwrap_or_else(|| panic!("{file} has no block `<!-- {mark} -->` … `<!-- /{mark} -->`"));
    held(file, &found, &wanted);
}

#[test]
fn the_example_of_the_environment_has_every_setting() {
    let found = fs::read_to_string(at(".env.example")).unwrap_or_default();
    held(".env.example", &found, &show::env_example());
}

#[test]
fn the_readme_has_every_setting() {
    block_is("README.md", "settings", &show::readme_table());
}

/// The remarks of a conversation as paragraphs, and what is said behind each. What comes before the second remark sets the scene.
fn told(conversation: &str) -> String {
    let Some((_, acts)) = conversation.split_once("\n# ") else { return String::new() };
    let acts = acts.split("\n# ").map(|act| {
        let (remark, said) = act.split_once('\n').unwrap_or((act, ""));
        let said: Vec<&str> = said.lines().filter(|line| !line.starts_with("= ")).collect();
        format!("{remark}\n\n```text\n{}\n```\n", said.join("\n"))
    });
    acts.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_day_in_the_readme_is_one_of_the_conversations() {
    let day = fs::read_to_string(at("fixtures/scenarios/190-a-working-day.chat")).unwrap();
    block_is("README.md", "day", &told(&day));
}

#[test]
fn the_readme_has_every_command() {
    let rows: String = COMMANDS.iter().map(|row| format!("| `{}` | {} | `{}` |\n", row.usage, row.summary, row.example)).collect();
    block_is("README.md", "commands", &format!("| Command | Does | For example |\n|---|---|---|\n{rows}"));
}

#[test]
fn only_the_block_is_replaced() {
    let text = "a\n<!-- x -->\nold\n<!-- /x -->\nb\n";
    assert_eq!(replaced(text, "x", "new\n").unwrap(), "a\n<!-- x -->\n\nnew\n\n<!-- /x -->\nb\n");
    assert_eq!(replaced(text, "y", "new"), None);
    assert_eq!(replaced(&format!("{text}{text}"), "x", "new"), None);
}

/// The targets of the links to files of this repository in a text.
fn links_to_files(text: &str) -> Vec<&str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(target, _)| target));
    targets.filter(|target| !target.contains("://") && !target.starts_with('#')).collect()
}

#[test]
fn every_link_to_a_file_leads_somewhere() {
    for page in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "PRIVACY.md", "CHANGELOG.md"] {
        let text = fs::read_to_string(at(page)).unwrap();
        let dead: Vec<&str> = links_to_files(&text).into_iter().filter(|target| !at(target).exists()).collect();
        assert!(dead.is_empty(), "{page} links to what is not there: {dead:?}");
    }
    assert_eq!(links_to_files("[a](b.md) [c](https://d) [e](#f)"), ["b.md"]);
}
