//! Reading a script.

use std::ops::Range;

use jiff::SignedDuration;

use super::ScriptError;
use super::checks::{CHECKS, Check};
use super::directives::{Directive, read};
use super::table::TABLE;

/// A script, with the text it was read from.
#[derive(Clone, Debug)]
pub struct Script {
    /// Its name, for errors.
    pub file: String,
    /// The lines of the text.
    pub(super) lines: Vec<String>,
    /// What happens, in order.
    pub steps: Vec<Step>,
}

/// Something happens, and something is seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The line it stands on, from 1.
    pub line: usize,
    /// What happens.
    pub act: Act,
    /// It happens before what came of the step before it can be seen.
    pub meanwhile: bool,
    /// What is to be seen then, without the two spaces before it.
    pub expected: Vec<String>,
    /// Where the expectation stands, as places in the list of lines.
    pub(super) place: Range<usize>,
}

/// What happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// A person types a command.
    Type {
        /// Who.
        person: String,
        /// Where, without `#`.
        channel: String,
        /// What, without the command's name.
        text: String,
    },
    /// A person presses a button.
    Press {
        /// Who.
        person: String,
        /// The words on it.
        label: String,
        /// The same press once more.
        again: bool,
    },
    /// A person opens the page that the chat has for them and the app.
    OpenHome {
        /// Who.
        person: String,
    },
    /// A person presses a button on that page, as it stands.
    PressHome {
        /// Who.
        person: String,
        /// The words on it.
        label: String,
    },
    /// Picks the app's shortcut at somebody's message in a channel.
    Pick {
        /// Who.
        person: String,
        /// The channel, without `#`.
        channel: String,
        /// What the message says.
        said: String,
    },
    /// Types something into a field to choose in, and looks what is offered.
    LookFor {
        /// Who.
        person: String,
        /// The label of the field.
        label: String,
        /// What is typed.
        typed: String,
    },
    /// A person puts something into a field of the form that came up for them.
    FillIn {
        /// Who.
        person: String,
        /// The words at the field.
        label: String,
        /// What.
        value: String,
    },
    /// A person sends the form that came up for them.
    Send {
        /// Who.
        person: String,
        /// The words on the button that sends it.
        label: String,
    },
    /// A person opens a link that somebody was given, in a browser.
    Open {
        /// Who opens it.
        person: String,
        /// Whom it was given to.
        whose: String,
        /// The words of the link.
        label: String,
        /// The first link of these words, and not the newest.
        first: bool,
        /// Another browser than usual.
        another: bool,
    },
    /// A person looks at a page of the service in their browser.
    Look {
        /// Who.
        person: String,
        /// The page's path.
        path: String,
    },
    /// A person clicks on something in their browser.
    Click {
        /// Who.
        person: String,
        /// The words on it.
        label: String,
        /// In the other browser.
        another: bool,
    },
    /// A person signs in at both services, from the command to the passcode.
    SignIn {
        /// Who.
        person: String,
    },
    /// Time passes.
    Pass(SignedDuration),
    /// Something happens outside.
    Outside(Directive),
    /// Something must be so.
    Check(Check),
}

impl Script {
    /// Reads a script. `file` is its name, for errors.
    pub fn parse(file: &str, text: &str) -> Result<Self, ScriptError> {
        let lines: Vec<String> = text.lines().map(|line| line.trim_end().to_owned()).collect();
        let mut steps: Vec<Step> = Vec::new();
        // Expected lines follow their step without anything between.
        let mut open = false;
        for (place, line) in lines.iter().enumerate() {
            let error = |what: String| ScriptError { file: file.to_owned(), line: place + 1, what };
            if let Some(seen) = line.strip_prefix("  ") {
                match steps.last_mut().filter(|_| open) {
                    Some(step) => {
                        step.expected.push(seen.to_owned());
                        step.place.end = place + 1;
                    }
                    None => return Err(error("an expected line has to follow what somebody does".to_owned())),
                }
                continue;
            }
            open = !line.is_empty() && !line.starts_with('#');
            if open {
                let (line, meanwhile) = line.strip_prefix("meanwhile ").map_or((line.as_str(), false), |line| (line, true));
                let act = act(line).map_err(&error)?;
                let acts = |act: &Act| matches!(act, Act::Type { .. } | Act::Press { .. });
                if meanwhile && !(acts(&act) && steps.last().is_some_and(|before| acts(&before.act))) {
                    return Err(error("only what is typed or pressed happens in the same moment as something that is".to_owned()));
                }
                open = !matches!(act, Act::Check(_));
                steps.push(Step { line: place + 1, act, meanwhile, expected: Vec::new(), place: place + 1..place + 1 });
            }
        }
        Ok(Self { file: file.to_owned(), lines, steps })
    }

    /// The line of a step as it was written.
    pub fn written(&self, step: &Step) -> &str {
        step.line.checked_sub(1).and_then(|place| self.lines.get(place)).map_or("", String::as_str)
    }
}

fn act(line: &str) -> Result<Act, String> {
    if let Some(directive) = line.strip_prefix("* ") {
        return read(TABLE, directive.trim()).map(Act::Outside);
    }
    if let Some(check) = line.strip_prefix("= ") {
        return read(CHECKS, check.trim()).map(Act::Check);
    }
    if let Some(time) = line.strip_prefix("~ ") {
        let passes = time.trim().parse::<SignedDuration>().ok().filter(|time| time.is_positive());
        return passes.map(Act::Pass).ok_or_else(|| format!("`{time}` is no time like 90s, 10m or 1h 30m"));
    }
    let (head, text) = line.split_once('>').map_or((line, None), |(head, text)| (head, Some(text)));
    let words: Vec<&str> = head.split_whitespace().collect();
    match (words.as_slice(), text) {
        ([person], Some(text)) => {
            Ok(Act::Type { person: (*person).to_owned(), channel: "general".to_owned(), text: text.trim().to_owned() })
        }
        ([person, "in", place], Some(text)) => {
            let channel = place.strip_prefix('#').ok_or_else(|| format!("`{place}` is no channel like #quiet"))?;
            Ok(Act::Type { person: (*person).to_owned(), channel: channel.to_owned(), text: text.trim().to_owned() })
        }
        _ => press(line).or_else(|| form(line)).or_else(|| browse(line)).ok_or_else(|| {
            "not understood: a line is `ana> command`, `ana in #quiet> command`, `ana presses [Label]`, `ana opens their page`, `ana presses [Label] on their page`, `ana fills in [Field] with \
             words`, `ana looks in [Field] for words`, `ana picks the shortcut in #general at: words`, `ana sends [Label]`, `ana opens [Link]`, `bob opens ana's \
             [Link]`, `ana clicks [Label]`, `* directive`, `= check`, `~ 10m` or a comment"
                .to_owned()
        }),
    }
}

fn browse(line: &str) -> Option<Act> {
    if let Some(person) = line.strip_suffix(" signs in").filter(|person| !person.contains(' ')) {
        return Some(Act::SignIn { person: person.to_owned() });
    }
    if let Some((person, path)) = line.split_once(" looks at ").filter(|(person, path)| !person.contains(' ') && path.starts_with('/')) {
        return Some(Act::Look { person: person.to_owned(), path: path.to_owned() });
    }
    let (line, another) = match line.strip_suffix(" in another browser") {
        Some(line) => (line, true),
        None => (line, false),
    };
    let (before, label) = line.strip_suffix(']')?.split_once(" [")?;
    let label = label.to_owned();
    match before.split_whitespace().collect::<Vec<_>>().as_slice() {
        [person, "clicks"] => Some(Act::Click { person: (*person).to_owned(), label, another }),
        [person, "opens", rest @ ..] => {
            let (whose, rest) = match rest {
                [whose, rest @ ..] if whose.ends_with("'s") => (whose.strip_suffix("'s")?, rest),
                rest => (*person, rest),
            };
            let first = match rest {
                [] => false,
                ["first"] => true,
                _ => return None,
            };
            Some(Act::Open { person: (*person).to_owned(), whose: whose.to_owned(), label, first, another })
        }
        _ => None,
    }
}

fn press(line: &str) -> Option<Act> {
    if let Some(person) = line.strip_suffix(" opens their page").filter(|person| !person.contains(' ')) {
        return Some(Act::OpenHome { person: person.to_owned() });
    }
    let (person, rest) = line.split_once(" presses [")?;
    let (label, after) = rest.rsplit_once(']')?;
    if after == " on their page" {
        return Some(Act::PressHome { person: person.to_owned(), label: label.to_owned() });
    }
    let again = match after.trim() {
        "" => false,
        "again" => true,
        _ => return None,
    };
    Some(Act::Press { person: person.to_owned(), label: label.to_owned(), again })
}

fn form(line: &str) -> Option<Act> {
    if let Some((person, rest)) = line.split_once(" fills in [") {
        let (label, value) = rest.split_once("] with ")?;
        return Some(Act::FillIn { person: person.to_owned(), label: label.to_owned(), value: value.to_owned() });
    }
    if let Some((person, rest)) = line.split_once(" looks in [") {
        let (label, typed) = rest.split_once(']')?;
        let typed = typed.strip_prefix(" for ").or_else(|| typed.is_empty().then_some(""))?;
        return Some(Act::LookFor { person: person.to_owned(), label: label.to_owned(), typed: typed.to_owned() });
    }
    if let Some((person, rest)) = line.split_once(" picks the shortcut in #") {
        let (channel, said) = rest.split_once(" at: ")?;
        return Some(Act::Pick { person: person.to_owned(), channel: channel.to_owned(), said: said.to_owned() });
    }
    let (person, label) = line.strip_suffix(']')?.split_once(" sends [")?;
    Some(Act::Send { person: person.to_owned(), label: label.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_read_line_by_line() {
        let text = "# Title\n\n* hold hubot-staging build\nana> deploy hubot to staging\n  [..] working\n    a line\n\nbob in #quiet> status\nana presses [Show output] again\n~ 1h 30m\n= no violations\n";
        let script = Script::parse("a.chat", text).unwrap();
        let acts: Vec<&Act> = script.steps.iter().map(|step| &step.act).collect();
        assert_eq!(acts.len(), 6);
        assert_eq!(script.steps[1].expected, ["[..] working", "  a line"]);
        assert_eq!(script.steps[1].line, 4);
        assert_eq!(acts[2], &Act::Type { person: "bob".into(), channel: "quiet".into(), text: "status".into() });
        assert_eq!(acts[3], &Act::Press { person: "ana".into(), label: "Show output".into(), again: true });
        assert_eq!(acts[4], &Act::Pass(SignedDuration::from_mins(90)));
        assert_eq!(script.written(&script.steps[1]), "ana> deploy hubot to staging");
    }

    #[test]
    fn forms_are_filled_in_and_sent() {
        let own = |text: &str| text.to_owned();
        let fills = Act::FillIn { person: own("ana"), label: own("Code"), value: own("12 [34] 56") };
        assert_eq!(act("ana fills in [Code] with 12 [34] 56"), Ok(fills));
        assert_eq!(act("ana sends [Hand over]"), Ok(Act::Send { person: own("ana"), label: own("Hand over") }));
        assert!(act("ana fills in [Code]").is_err() && act("ana sends it").is_err());
    }

    #[test]
    fn pages_are_opened_and_pressed_on() {
        assert_eq!(act("ana opens their page"), Ok(Act::OpenHome { person: "ana".into() }));
        assert_eq!(act("ana presses [Free it] on their page"), Ok(Act::PressHome { person: "ana".into(), label: "Free it".into() }));
        assert!(act("ana presses [Free it] on the page").is_err());
    }

    #[test]
    fn browsers_open_links_and_click() {
        let open = |person: &str, whose: &str, first, another| Act::Open {
            person: person.into(),
            whose: whose.into(),
            label: "Go there".into(),
            first,
            another,
        };
        assert_eq!(act("ana opens [Go there]"), Ok(open("ana", "ana", false, false)));
        assert_eq!(act("bob opens ana's first [Go there] in another browser"), Ok(open("bob", "ana", true, true)));
        assert_eq!(act("ana clicks [On]"), Ok(Act::Click { person: "ana".into(), label: "On".into(), another: false }));
        assert!(act("ana opens it").is_err() && act("ana opens last [Go]").is_err());
    }

    #[test]
    fn faults_name_their_line() {
        let fault = |text: &str| Script::parse("a.chat", text).unwrap_err().to_string();
        assert!(fault("# ok\nana: deploy").starts_with("a.chat:2: not understood"));
        assert!(fault("  [ok] seen by nobody").starts_with("a.chat:1: an expected line"));
        assert!(fault("ana> x\n= no violations\n  seen").starts_with("a.chat:3: an expected line"));
        assert!(fault("~ soon").contains("is no time"));
        assert!(fault("* hole hubot build").contains("hold {app} {stage}"));
    }

    #[test]
    fn every_scenario_can_be_read() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/scenarios");
        let mut read = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            Script::parse(name, &std::fs::read_to_string(&path).unwrap()).unwrap();
            read += 1;
        }
        assert!(read > 0);
    }
}
