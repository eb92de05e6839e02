//! Who may do what: what we say when rules do not let somebody, when they are shown and when they change.

use jiff::Timestamp;

use crate::domain::actor::Person;
use crate::domain::lock::Scope;
use crate::domain::message::{Act, Audience, ButtonStyle, Line, Message, Span, Tone, code, text};
use crate::domain::names::{OfferId, UserId};
use crate::domain::rights::{Change, Denial, Did, Entry, Kept, Matter, Party, Places, Rule, Rules, Who};

use super::help::typed;
use super::reasons::code_line;
use super::routes::what;
use super::words::{moment, sentence};

/// The words on the button that takes a change of the rules back.
pub const TAKE_BACK: &str = "Take it back";

/// The reason of a change that takes another one back.
pub const TAKEN_BACK: &str = "the change before was taken back";

/// What the rules have against something, and the way out. Nobody is named: this may stand in a record and on a card.
pub(super) fn denied_by(denial: Denial) -> (Line, Line) {
    let (evidence, way_out) = match denial {
        Denial::Gone => ("The account in the chat is closed", "Whoever looks after the workspace can open it again."),
        Denial::Guest => {
            ("Guests of this workspace may not see or do anything here", "Its admins can let guests in: `rules guests yes because …`.")
        }
        Denial::Outsider => (
            "People of other companies may not see or do anything here",
            "Admins of the workspace can let them in: `rules outsiders yes because …`.",
        ),
        Denial::NotAUser => ("By the rules of this workspace you are not among those who may use this", "Its admins can change the rule."),
        Denial::WrongChannel => ("By the rules of this workspace commands are not answered in this conversation", ELSEWHERE),
        Denial::NotForEnvironment(environment) => {
            let evidence = format!("By the rules of this workspace you may not deploy to {environment}");
            return (vec![text(evidence)], sentence(ASK));
        }
        Denial::MayNotOverride => ("By the rules of this workspace you may not pass checks with `!`", MEND),
        Denial::Unreadable => ("The chat does not say who you are, so nobody knows what you may do", UNCLEAR),
    };
    (sentence(evidence), sentence(way_out))
}

const ASK: &str = "`rules` shows who may. Admins of the workspace can change it.";
const UNCLEAR: &str = "Ask again in a moment. Where it stays so, the app has to be installed anew, so that it may see who people are.";
const ELSEWHERE: &str = "Ask again where they are. `rules` shows the conversations.";
const MEND: &str = "Mend the checks, or ask somebody who may. `rules` shows who.";

/// The rule behind a denial: whom it lets, who has set it, when and why.
pub(super) fn evidence(denial: Denial, rules: &Rules, now: Timestamp) -> Option<Line> {
    let kept = rules.kept(denial.matter()?)?;
    let mut line = vec![text("The rule: ")];
    line.extend(rule_words(&kept.rule, rules));
    line.extend(set_by(kept, rules, now));
    Some(line)
}

/// Refused by the rules: every reason, the rule behind each, the ways out.
pub fn denied(denials: &[Denial], rules: &Rules, now: Timestamp) -> Message {
    let mut message = Message::new(Tone::Bad, Audience::Asker, vec![text("You may not do that here. Nothing was done.")]);
    for denial in denials {
        let (words, way_out) = denied_by(*denial);
        message.lines.push(code_line(words, denial.code()));
        message.lines.extend(evidence(*denial, rules, now));
        message.lines.push(way_out);
    }
    message
}

fn person(rules: &Rules, user: &UserId) -> Span {
    Span::Person(Person { workspace: rules.workspace.clone(), user: user.clone() })
}

fn set_by(kept: &Kept, rules: &Rules, now: Timestamp) -> Line {
    let mut line = vec![text(" (set by "), person(rules, &kept.by), text(", "), moment(kept.at, now)];
    if let Some(because) = &kept.because {
        line.push(text(format!(": {because}")));
    }
    line.push(text(")"));
    line
}

/// `everybody`, `nobody`, `only @ana and @crew`.
fn who_words(who: &Who, rules: &Rules) -> Line {
    match who {
        Who::Everyone => vec![text("everybody")],
        Who::Only(party) if party.is_empty() => vec![text("nobody")],
        Who::Only(Party { people, groups }) => {
            let people = people.iter().map(|user| person(rules, user));
            let all: Vec<Span> = people.chain(groups.iter().map(|group| code(format!("@{}", group.name)))).collect();
            with_commas("only ", all)
        }
    }
}

fn with_commas(before: &str, all: Vec<Span>) -> Line {
    let mut line = vec![text(before)];
    for (place, span) in all.into_iter().enumerate() {
        if place > 0 {
            line.push(text(", "));
        }
        line.push(span);
    }
    line
}

/// A rule as a sentence without its end.
fn rule_words(rule: &Rule, rules: &Rules) -> Line {
    let may = |who: &Who, what: Line| [who_words(who, rules), what].concat();
    match rule {
        Rule::Use(who) => may(who, vec![text(" may use this")]),
        Rule::Deploy { to, who } => may(who, vec![text(format!(" may deploy to {to}"))]),
        Rule::Override(who) => may(who, vec![text(" may pass checks with "), code("!")]),
        Rule::Channels(Places::Everywhere) => vec![text("commands are answered in every conversation")],
        Rule::Channels(Places::Only(channels)) => {
            with_commas("commands are answered only in ", channels.iter().cloned().map(Span::Channel).collect())
        }
        Rule::Guests { welcome: true } => vec![text("guests may do what everybody may")],
        Rule::Guests { welcome: false } => vec![text("guests may not see or do anything")],
        Rule::Outsiders { welcome: true } => vec![text("people of other companies may do what everybody may")],
        Rule::Outsiders { welcome: false } => vec![text("people of other companies may not see or do anything")],
    }
}

/// All that holds in a workspace. `may_change`: whether whoever asks may change it; `None`: that cannot be told now.
pub fn rules(rules: &Rules, may_change: Option<bool>, command_word: &str, now: Timestamp) -> Message {
    let headline = vec![text("What people may do here, beside what their own logins let them do:")];
    let mut message = Message::new(Tone::Info, Audience::Asker, headline);
    for about in Matter::ALL {
        let mut line = vec![code(about.to_string()), text(": ")];
        line.extend(rule_words(&rules.rule(about), rules));
        line.extend(rules.kept(about).map(|kept| set_by(kept, rules, now)).unwrap_or_default());
        message.lines.push(line);
    }
    message.line(match may_change {
        Some(true) => {
            vec![text("You may change it, whatever the rules are: "), code(typed(command_word, "help rules")), text(" says how.")]
        }
        Some(false) => vec![text("Admins and owners of the workspace can change it, and whoever this service's settings name.")],
        None => vec![text("Who may change it cannot be told now: the chat does not say who you are.")],
    })
}

/// To somebody who may not change rules. `known`: whether the chat says what they are.
pub fn no_admin(known: bool) -> Message {
    let refusal = |words: &str| Message::new(Tone::Bad, Audience::Asker, sentence(words));
    if known {
        return refusal("Only admins and owners of this workspace change its rules. Nothing was changed. (not-an-admin)")
            .line(sentence("`rules` shows what holds. Whoever runs this service can name more people in its settings."));
    }
    refusal("The chat does not say who you are, so nobody knows whether you may change the rules. Nothing was changed. (people-unreadable)")
        .line(sentence("Ask again in a moment. Whoever this service's settings name can change them in any case."))
}

/// A rule names somebody who is not there.
pub fn nobody_there(unknown: &[String]) -> Message {
    let mut headline = vec![text("Nothing was changed: nobody and nothing here is ")];
    for (place, name) in unknown.iter().enumerate() {
        headline.extend((place > 0).then(|| text(", ")));
        headline.push(code(name));
    }
    headline.push(text(". (unknown-name)"));
    Message::new(Tone::Bad, Audience::Asker, headline)
        .line(sentence("Type `@` or `#` and pick the name from the list that the chat offers: then I know whom you mean."))
}

/// The people or groups of a rule cannot be looked up now.
pub fn names_unreadable() -> Message {
    let words = "The chat does not say now whether those people and groups exist. Nothing was changed. (people-unreadable)";
    Message::new(Tone::Bad, Audience::Asker, sentence(words)).line(sentence("Ask again in a moment."))
}

/// The rules were changed. `take_back`: the button that undoes it.
pub fn rules_changed(rules: &Rules, change: &Change, take_back: Option<OfferId>, command_word: &str) -> Message {
    let mut headline = vec![text("From now on ")];
    headline.extend(rule_words(&rules.rule(change.matter()), rules));
    headline.push(text("."));
    let message = Message::new(Tone::Good, Audience::Asker, headline)
        .line(sentence("It holds for what is asked and pressed from now on, and for deploys that wait. What has begun goes on."))
        .line(vec![text("It is on record: "), code(typed(command_word, "history")), text(" lists it.")]);
    match take_back {
        Some(id) => message.button(TAKE_BACK, Act::Take(id), ButtonStyle::Plain),
        None => message,
    }
}

/// The rules are that already.
pub fn rules_the_same(rules: &Rules, about: Matter) -> Message {
    let mut headline = vec![text("Nothing was changed. It is so already: ")];
    headline.extend(rule_words(&rules.rule(about), rules));
    headline.push(text("."));
    Message::new(Tone::Info, Audience::Asker, headline)
}

/// One line about something that is on record.
pub(super) fn entry_line(entry: &Entry, now: Timestamp) -> Line {
    let rules = Rules::none(entry.workspace.clone());
    let (change, before, because) = match &entry.did {
        Did::Rules { change, before, because } => (change, before, because),
        Did::Routed { name, to, only, before, pipeline: _ } => {
            let mut line = vec![moment(entry.at, now), text(": "), person(&rules, &entry.by)];
            let did = match (only, before) {
                (Some(_), Some(_)) => " changed what is told of ",
                (Some(_), None) => " had notices sent of ",
                (None, _) => " had no more notices sent of ",
            };
            line.extend([text(did), code(name), text(" to "), Span::Channel(to.clone())]);
            line.extend(only.as_ref().map(|only| text(format!(": {}", what(only)))));
            line.extend(before.as_ref().map(|before| text(format!("; before, {}", what(before)))));
            return line;
        }
        Did::EndedLock { name, on, holder, taken_over, because, pipeline: _ } => {
            let did = if *taken_over { " took over the lock of " } else { " freed the lock of " };
            let on = match on {
                Scope::Pipeline => "the pipeline".to_owned(),
                Scope::Environment(environment) => environment.to_string(),
            };
            let mut line = vec![moment(entry.at, now), text(": "), person(&rules, &entry.by), text(did), Span::Person(holder.clone())];
            line.extend([text(format!(" on {on} in ")), code(name)]);
            line.extend(because.as_ref().map(|because| text(format!(" (because {because})"))));
            return line;
        }
    };
    let mut line = vec![moment(entry.at, now), text(": "), person(&rules, &entry.by), text(" changed the rule ")];
    line.extend([code(change.matter().to_string()), text(": ")]);
    let holds = match change {
        Change::Set(rule) => rule.clone(),
        Change::Reset(matter) => Rule::without_one(*matter),
    };
    line.extend(rule_words(&holds, &rules));
    line.push(text("; before, "));
    line.extend(rule_words(&before.clone().unwrap_or_else(|| Rule::without_one(change.matter())), &rules));
    if let Some(because) = because {
        line.push(text(format!(" (because {because})")));
    }
    line
}
