//! What we say about what is kept.

use jiff::Timestamp;

use crate::domain::actor::Person;
use crate::domain::message::{Act, Audience, ButtonStyle, Line, Message, Tone, code, link, text};
use crate::domain::names::OfferId;
use crate::domain::privacy::{FILES_WITHIN_DAYS, PrivacyPage, RECORD_KINDS, Upkeep};

use super::help::typed;
use super::words::{count, moment};

/// The words on the button that removes somebody.
pub const REMOVE_ME: &str = "Remove me";

fn private(tone: Tone, words: impl Into<String>) -> Message {
    Message::new(tone, Audience::Asker, vec![text(words)])
}

/// Where the whole page is, and whom to ask.
pub(super) fn page_line(page: &PrivacyPage) -> Line {
    let mut line = match page.address() {
        Some(address) => vec![text("All about it: "), link("the privacy page", address), text(".")],
        None => vec![text("All about it is in the file PRIVACY.md of this program.")],
    };
    if let Some(contact) = &page.contact {
        line.extend([text(" To ask whoever runs this: "), code(contact), text(".")]);
    }
    if let Some(place) = &page.place {
        line.extend([text(" What is kept is processed here: "), code(place), text(".")]);
    }
    line
}

/// How much is kept about whoever asks.
pub fn how_much(much: &[(&'static str, u64)], page: &PrivacyPage, command_word: &str) -> Message {
    let mut message =
        if much.is_empty() { private(Tone::Info, "Nothing is kept about you.") } else { private(Tone::Info, "This is kept about you:") };
    for (name, many) in much {
        if let Some(kind) = RECORD_KINDS.iter().find(|kind| kind.name == *name) {
            let words = format!(": {} ({}; kept {})", count(*many, "record"), kind.holds, kind.kept);
            message.lines.push(vec![code(name), text(words)]);
        }
    }
    message
        .line(vec![
            code(typed(command_word, "privacy export")),
            text(" gives you all of it. "),
            code(typed(command_word, "privacy delete")),
            text(" removes it, after asking once more."),
        ])
        .line(page_line(page))
}

/// A link to everything.
pub fn export_link(address: &str) -> Message {
    Message::new(
        Tone::Good,
        Audience::Asker,
        vec![link("Everything that is kept about you", address), text(" is behind this link, as JSON.")],
    )
    .line(vec![text("It works once, for 15 minutes, and for whoever has it: do not pass it on.")])
}

/// No link can be made for somebody.
pub fn no_link_possible(person: &Person, page: &PrivacyPage) -> Message {
    let way_out =
        format!("slash-heroku privacy export --workspace {} --user {} --by NAME --because 'they asked'", person.workspace, person.user);
    private(
        Tone::Bad,
        "This installation has no public address, so it can give you no link. Whoever runs it can export it for you. (no-public-address)",
    )
    .line(vec![text("They type, on its machine: "), code(way_out), text(". It is on record that they did.")])
    .line(page_line(page))
}

/// For whoever looks after a workspace: how far the removal of what is too old is, where anything was or is to be removed. `waiting`: how
/// many people wait for it.
pub fn retention_line(upkeep: &Upkeep, waiting: usize, now: Timestamp) -> Option<Line> {
    let Upkeep { known_version: _, dropping, settled_at: _, dropped, removed, rewrite_since, rewritten_at } = upkeep;
    if (*dropped, *removed, waiting) == (0, 0, 0) && dropping.is_none() && rewrite_since.is_none() && rewritten_at.is_none() {
        return None;
    }
    let settled = upkeep.settled_at.map_or_else(|| text("not yet"), |at| moment(at, now));
    let mut line = vec![text("What is too old or to be removed: last all done "), settled];
    let mut words = format!("; {} gone in all, {} removed", count(*dropped, "deploy"), people(*removed));
    if waiting > 0 {
        words.push_str(&format!(", {} to be removed", people(u64::try_from(waiting).unwrap_or(u64::MAX))));
    }
    match (*rewrite_since, *rewritten_at) {
        (Some(since), _) => line.extend([text(words), text("; in the files something of it is left since "), moment(since, now)]),
        (None, Some(at)) => line.extend([text(words), text("; the files were written anew "), moment(at, now)]),
        (None, None) => line.push(text(words)),
    }
    line.push(text("."));
    Some(line)
}

fn people(many: u64) -> String {
    if many == 1 { "1 person".to_owned() } else { format!("{many} people") }
}

/// Whether they are sure.
pub fn sure_to_be_removed(buttons: Vec<(String, OfferId)>, command_word: &str) -> Message {
    let mut message = private(Tone::Attention, "This removes everything that is kept about you here. It cannot be taken back.")
        .line(vec![text("What you have waiting is stopped; what runs goes on to its end first, for two days at most. Your logins are unlinked. In the record of past deploys a name stands in your place that leads back to nobody.")])
        .line(vec![text("What was said in the chat, and what the source control and the platform recorded, stays there.")])
        .line(vec![text("Sure? Press the button, or type "), code(typed(command_word, "privacy delete yes")), text(".")]);
    for (label, id) in buttons {
        message = message.button(&label, Act::Take(id), ButtonStyle::Danger);
    }
    message
}

/// It has begun.
pub fn removal_begun(running: u64) -> Message {
    let words = if running == 0 {
        "You are being removed. I tell you when it is done.".to_owned()
    } else {
        let what = count(running, "deploy");
        format!(
            "You are removed as soon as what you have running has ended ({what}), and in two days at the latest. I tell you when it is done."
        )
    };
    private(Tone::Working, words)
}

/// It is done.
pub fn removed() -> Message {
    private(Tone::Good, "You were removed: nothing that is kept here leads to you any more.").line(vec![text(format!(
        "Within {FILES_WITHIN_DAYS} days the files are written anew, and nothing of it is left in them either. Backups live for 30 days, and a restore leaves you out."
    ))])
}

/// The page has changed since they were told of it last.
pub fn page_changed(changes: &[&'static str], page: &PrivacyPage) -> Message {
    let mut message = private(Tone::Info, "The privacy page of this installation has changed. You are told once.");
    for change in changes {
        message.lines.push(vec![text(format!("What changed: {change}."))]);
    }
    message.line(page_line(page))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_that_is_kept_is_said_in_words() {
        let much: Vec<(&'static str, u64)> = RECORD_KINDS.iter().map(|kind| (kind.name, 2)).collect();
        let page =
            PrivacyPage { public: Some("https://h.example.com".to_owned()), contact: Some("ask@example.com".to_owned()), place: None };
        let said = format!("{:?}", how_much(&much, &page, "/h"));
        for kind in RECORD_KINDS {
            assert!(said.contains(kind.holds), "{}", kind.name);
        }
        assert!(said.contains("https://h.example.com/privacy") && said.contains("ask@example.com"), "{said}");
        assert!(format!("{:?}", how_much(&[], &PrivacyPage::default(), "/h")).contains("Nothing is kept"));
    }
}
