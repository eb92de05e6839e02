//! What we say of an installation that was looked over: what wants mending and how, and what is sound.

use jiff::SignedDuration;

use crate::domain::checkup::{Checkup, Door, EmptyName, Logins, Named, PipelineFound, SettingsFound, Shipped};
use crate::domain::fault::{Fault, PortError};
use crate::domain::installation::BotRight;
use crate::domain::message::{Audience, Line, Message, Span, Tone, code, strong, text};

use super::help::typed;
use super::refusals::who_does_what;
use super::services::{GITHUB, HEROKU};
use super::words::{count, duration};

/// What the asker sees while it is looked: said by the app itself, which tells whether it may.
pub fn looking() -> Message {
    Message::new(
        Tone::Working,
        Audience::Asker,
        vec![text("Looking over this installation: the chat, your logins, your pipelines, the clock, the settings.")],
    )
}

/// What was found.
#[derive(Default)]
struct Findings {
    mend: Vec<Line>,
    sound: Vec<String>,
}

impl Findings {
    fn mend(&mut self, what: impl Into<String>, way_out: Line) {
        let mut line = vec![strong("To mend:"), text(" "), text(what), text(" ")];
        line.extend(way_out);
        self.mend.push(line);
    }

    /// Something outside did not answer as it should.
    fn failed(&mut self, what: &str, error: &PortError, way_out: Line) {
        let said = error.said.as_ref().map(|said| format!(" (it said: {said})")).unwrap_or_default();
        let way_out = if Checkup::may_pass(error) { vec![text("That may pass by itself: ask again in a few minutes.")] } else { way_out };
        self.mend(format!("{what}: {}{said}.", who_does_what(error)), way_out);
    }

    fn sound(&mut self, what: impl Into<String>) {
        self.sound.push(what.into());
    }
}

/// The whole of it, for whoever asked.
pub fn checkup(found: &Checkup, command_word: &str) -> Message {
    let mut findings = Findings::default();
    chat(found, &mut findings);
    clock(found, &mut findings);
    logins(&found.logins, command_word, &mut findings);
    pipelines(found, command_word, &mut findings);
    settings(found.settings, &mut findings);
    door(found.door, &mut findings);
    names(found, command_word, &mut findings);
    let (tone, headline) = match u64::try_from(findings.mend.len()).unwrap_or(u64::MAX) {
        0 => (Tone::Good, "All that I can look at from where you stand is sound.".to_owned()),
        1 => (Tone::Attention, "One thing wants mending.".to_owned()),
        many => (Tone::Attention, format!("{} want mending.", count(many, "thing"))),
    };
    let mut message = Message::new(tone, Audience::Asker, vec![text(headline)]);
    message.lines.extend(findings.mend);
    message.lines.extend(findings.sound.into_iter().map(|what| vec![text(format!("Sound: {what}."))]));
    message
}

fn why(right: BotRight) -> &'static str {
    match right {
        BotRight::BeAsked => "be asked by its command",
        BotRight::Speak => "answer, and keep cards up to date",
        BotRight::SeePeople => "tell members from guests and admins from others",
        BotRight::SeeGroups => "see who is in a group that a rule names",
        BotRight::SeeConversations => {
            "see whether a public conversation is shared with another company (cards stand in direct messages then, and no notices are routed there)"
        }
        BotRight::SeePrivateConversations => "see the same of a private conversation",
        BotRight::SpeakDirectly => "tell people how their deploys ended",
        BotRight::SpeakUninvited => "show deploys in public conversations without being invited",
    }
}

fn chat(found: &Checkup, findings: &mut Findings) {
    let invite =
        || vec![text("Type "), code("/invite"), text(" with the app's name here. Until then cards go by your command and stop moving.")];
    match &found.chat {
        Ok(chat) => {
            findings.sound("the chat takes what the app speaks with");
            for right in &chat.lacks {
                let again = vec![text("An admin installs the app again and agrees to that.")];
                let what = format!("the app lacks the right to {}. (right-missing)", why(*right));
                // What may be refused is told, and no fault.
                if right.is_needed() {
                    findings.mend(what, again)
                } else {
                    findings.sound(format!("it works without the right to {}", why(*right)))
                }
            }
            if chat.speaks_here {
                findings.sound("the app may speak in this conversation");
            } else {
                findings.mend("the app is not in this conversation. (not-in-conversation)", invite());
            }
        }
        Err(error) => {
            let anew = match error.fault {
                Fault::SignInLost => {
                    "An admin installs the app again, or whoever runs this installation puts a new bot token into its settings."
                }
                Fault::Forbidden
                | Fault::NotFound
                | Fault::Refused
                | Fault::RateLimited { .. }
                | Fault::Unreachable
                | Fault::Unclear
                | Fault::Nonsense => "Whoever runs this installation finds more in its log.",
            };
            findings.failed("the chat does not take the app", error, vec![text(anew)]);
        }
    }
    if found.came_with_address {
        findings.sound("commands reach me signed, with an address for answers");
    } else {
        let way_out = "Whoever runs this installation looks whether the signing secrets of its settings are those of the app.";
        findings.mend("your command came without an address for answers that I take. (no-reply-address)", vec![text(way_out)]);
    }
}

fn clock(found: &Checkup, findings: &mut Findings) {
    match (found.clock_is_off(), &found.chat) {
        (Some(off), _) => {
            let side = if off > SignedDuration::ZERO { "ahead of" } else { "behind" };
            let what = format!("my clock is {} {side} the chat's. (clock-off)", duration(off.abs().as_secs()));
            findings.mend(
                what,
                vec![text("Whoever runs this installation sets the clock of its machine; five minutes off, nothing is taken any more.")],
            );
        }
        (None, Ok(chat)) if chat.clock.is_some() => findings.sound("my clock goes with the chat's"),
        (None, Ok(_) | Err(_)) => {}
    }
}

fn logins(logins: &Logins, command_word: &str, findings: &mut Findings) {
    let login = || vec![text("Type "), code(typed(command_word, "login"))];
    match logins {
        Logins::Linked => findings.sound(format!("your logins at {GITHUB} and {HEROKU} are linked")),
        Logins::Missing(missing) => {
            let names: Vec<&str> = missing.iter().map(|missing| super::accounts::name(missing.provider)).collect();
            findings.mend(format!("no login of yours that is good is linked at {}. (login-missing)", super::words::list(&names)), login());
        }
        Logins::Stranger => findings.mend(
            "this installation works for one person so far, and that is not you. (unknown-person)",
            vec![text("Whoever runs it can name you in its settings, or let everybody sign in.")],
        ),
        Logins::Away(error) => findings.failed("your login could not be renewed", error, login()),
        Logins::Locked => findings.mend("your logins are kept sealed and cannot be opened. (login-locked)", login()),
    }
}

fn pipelines(found: &Checkup, command_word: &str, findings: &mut Findings) {
    let login = || vec![text("Type "), code(typed(command_word, "login")), text(" to link it anew.")];
    match &found.pipelines {
        None => {}
        Some(Err(error)) => findings.failed("your pipelines cannot be read", error, login()),
        Some(Ok(pipelines)) if pipelines.looked_at.is_empty() => {
            let way_out = vec![text(format!("Ask an owner at {HEROKU} to let you into a pipeline."))];
            findings.mend("you see no pipeline. (no-pipelines)", way_out);
        }
        Some(Ok(pipelines)) => {
            for pipeline in &pipelines.looked_at {
                one_pipeline(pipeline, &login, findings);
            }
            if pipelines.left_out > 0 {
                let many = u64::try_from(pipelines.left_out).unwrap_or(u64::MAX);
                findings.sound(format!("whatever was looked at; {} more were not, and info tells of each", count(many, "pipeline")));
            }
        }
    }
}

fn one_pipeline(pipeline: &PipelineFound, login: &impl Fn() -> Line, findings: &mut Findings) {
    let name = &pipeline.name;
    let before = findings.mend.len();
    match &pipeline.ships {
        Shipped::NotLinked => {
            let way_out = vec![text(format!("An owner links it at {HEROKU}, or whoever runs this installation maps it."))];
            findings.mend(format!("{name} is linked to no {GITHUB} repository. (no-repository)"), way_out);
        }
        Shipped::Unreadable { name: repository, error } => {
            let which = repository.as_ref().map(|repository| format!(" ({repository})")).unwrap_or_default();
            let way_out =
                if error.fault == Fault::SignInLost { login() } else { vec![text("Ask an owner of the repository to let you in.")] };
            findings.failed(&format!("the repository of {name}{which} cannot be read"), error, way_out);
        }
        Shipped::Known { name: repository, may_record, archived } => {
            if *archived {
                findings.mend(
                    format!("{repository}, which {name} ships, is archived. (repository-archived)"),
                    vec![text("An owner can open it again.")],
                );
            }
            if *may_record == Some(false) {
                let way_out = vec![text("Ask an owner for the right to write there.")];
                findings.mend(format!("you may not record deployments of {name} in {repository}. (may-not-record)"), way_out);
            }
        }
    }
    match &pipeline.apps {
        Err(error) => findings.failed(&format!("the apps of {name} cannot be read"), error, login()),
        Ok(apps) => {
            let closed: Vec<&str> =
                apps.iter().filter(|(_, access)| access.may_deploy == Some(false)).map(|(app, _)| app.as_str()).collect();
            if !closed.is_empty() {
                let way_out = vec![text(format!("Ask an owner at {HEROKU} for the right to deploy there."))];
                findings.mend(format!("you may not deploy to {}. (may-not-deploy)", super::words::list(&closed)), way_out);
            }
        }
    }
    if findings.mend.len() == before {
        findings.sound(format!("you may ship {name}"));
    }
}

fn settings(found: SettingsFound, findings: &mut Findings) {
    let operator = |what: &str| vec![text(format!("Whoever runs this installation says {what} in its settings."))];
    if !found.public {
        findings.mend(
            "no public address is set, so that nobody can take what is kept about them by a link. (no-public-address)",
            operator("where browsers reach it"),
        );
    }
    if !found.contact {
        findings.mend("nobody says whom to ask about what is kept. (no-contact)", operator("whom to ask"));
    }
    if !found.place {
        findings.mend("nobody says where what is kept is processed. (no-place)", operator("where that is"));
    }
    if found.public && found.contact && found.place {
        findings.sound("the settings are whole");
    }
}

fn door(found: Option<Door>, findings: &mut Findings) {
    let way_out = |words: &str| vec![text(format!("Whoever runs this installation {words}"))];
    match found {
        None => {}
        Some(Door::Ours) => findings.sound("the public address leads here"),
        Some(Door::Others(status)) => findings.mend(
            format!("at the public address somebody else answers, with the status {status}. (address-of-others)"),
            way_out("looks whether whatever stands before it passes /login and /privacy, and what is below them, on to this service."),
        ),
        Some(Door::Shut) => findings.mend(
            "nobody answers at the public address. (address-shut)",
            way_out(
                "looks whether its name is known, its certificate is good and its port is open, also from the machine that this runs on.",
            ),
        ),
    }
}

fn names(found: &Checkup, command_word: &str, findings: &mut Findings) {
    let names = match &found.empty_names {
        Ok(names) => names,
        Err(error) => {
            return findings.failed("whom the rules name cannot be looked up", error, vec![text("An admin installs the app again.")]);
        }
    };
    for EmptyName { about, names } in names {
        let (what, span) = match names {
            Named::Person(person) => (" names somebody who is not here any more: ", Span::Person(person.clone())),
            Named::Group(group) => (" names a group that is not here any more: ", code(format!("@{group}"))),
            Named::Channel(channel) => (" names a conversation that is archived: ", Span::Channel(channel.clone())),
        };
        let mut line =
            vec![strong("To mend:"), text(" the rule "), code(about), text(what), span, text(". (empty-name) An admin sets it anew: ")];
        line.push(code(typed(command_word, &format!("rules {about} … because …"))));
        findings.mend.push(line);
    }
}
