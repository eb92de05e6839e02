//! The table of settings as people see it: `.env.example`, the README's table, `check-config`.

use std::fmt::{self, Write};

use super::reader::Variables;
use super::table::{Absent, Section, Setting, TABLE};

fn of(section: Section) -> impl Iterator<Item = &'static Setting> {
    TABLE.iter().copied().filter(move |setting| setting.section == section)
}

/// What holds when it is not set, in words.
fn absent(setting: &Setting) -> String {
    match setting.absent {
        Absent::Default(value) => format!("`{value}`"),
        Absent::NeededForSlack => "needed for Slack".to_owned(),
        Absent::NeededForOne => "needed for one person".to_owned(),
        Absent::NeededForSignIn => "needed to sign in".to_owned(),
        Absent::Otherwise(words) => words.to_owned(),
    }
}

/// The whole text of `.env.example`.
pub fn env_example() -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    match write_env_example(&mut text) {
        Ok(()) | Err(fmt::Error) => text,
    }
}

fn write_env_example(out: &mut String) -> fmt::Result {
    writeln!(out, "# Settings of slash-heroku, one variable each. An empty one counts as not set. Made from src/config/table.rs:")?;
    writeln!(out, "# a test keeps both equal. `slash-heroku check-config` says what is still missing.")?;
    for section in Section::ALL {
        writeln!(out, "\n# {}", section.title())?;
        for setting in of(section) {
            writeln!(out)?;
            for line in wrapped(setting.meaning, 110) {
                writeln!(out, "# {line}")?;
            }
            match setting.absent {
                Absent::Default(value) => writeln!(out, "#{}={value}", setting.name)?,
                Absent::NeededForSlack | Absent::NeededForOne | Absent::NeededForSignIn => {
                    writeln!(out, "# ({}: {})", if setting.secret { "secret" } else { "example" }, setting.example)?;
                    writeln!(out, "{}=", setting.name)?;
                }
                Absent::Otherwise(words) => {
                    writeln!(out, "# (otherwise: {words})")?;
                    writeln!(out, "#{}={}", setting.name, setting.example)?;
                }
            }
        }
    }
    Ok(())
}

/// The README's table of settings, in Markdown.
pub fn readme_table() -> String {
    let mut text = String::new();
    match write_readme_table(&mut text) {
        Ok(()) | Err(fmt::Error) => text,
    }
}

fn write_readme_table(out: &mut String) -> fmt::Result {
    for (number, section) in Section::ALL.into_iter().enumerate() {
        let gap = if number == 0 { "" } else { "\n" };
        writeln!(out, "{gap}**{}**\n\n| Variable | When not set | Meaning |\n|---|---|---|", section.title())?;
        for setting in of(section) {
            let secret = if setting.secret { " Secret." } else { "" };
            writeln!(out, "| `{}` | {} | {}{secret} |", setting.name, absent(setting), setting.meaning)?;
        }
    }
    Ok(())
}

/// What each setting is now, one line each. A secret is `set` or `not set`.
pub fn current(variables: &Variables) -> String {
    let width = TABLE.iter().map(|setting| setting.name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for setting in TABLE {
        let value = match (variables.get(setting.name), setting.secret) {
            (Some(_), true) => "set".to_owned(),
            (Some(value), false) => printable(value),
            (None, _) => match setting.absent {
                Absent::Default(value) => format!("{value} (default)"),
                Absent::NeededForSlack | Absent::NeededForOne | Absent::NeededForSignIn => "not set".to_owned(),
                Absent::Otherwise(words) => format!("not set ({words})"),
            },
        };
        text.push_str(&format!("{:width$}  {value}\n", setting.name));
    }
    text
}

/// A value without control characters, for a terminal, and without what a mistaken address may carry: a user and a password.
fn printable(value: &str) -> String {
    let value: String = value.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    match (value.split_once("://"), value.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://…@{host}"),
        (Some(_), None) | (None, Some(_) | None) => value,
    }
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) | None => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_set_or_not() {
        let variables =
            Variables::from_iter([("SLASH_HEROKU_GITHUB_TOKEN", "ghp_hush"), ("SLASH_HEROKU_SLACK_API", "https://me:hush@slack.com/api")]);
        let shown = current(&variables);
        assert!(!shown.contains("hush"), "{shown}");
        let line = |name: &str| shown.lines().find(|line| line.starts_with(name)).unwrap().split_once("  ").unwrap().1.trim().to_owned();
        assert_eq!(line("SLASH_HEROKU_GITHUB_TOKEN "), "set");
        assert_eq!(line("SLASH_HEROKU_HEROKU_TOKEN "), "not set");
        assert_eq!(line("SLASH_HEROKU_LISTEN "), "127.0.0.1:8080 (default)");
        assert_eq!(line("SLASH_HEROKU_SLACK_API "), "https://…@slack.com/api");
    }
}
