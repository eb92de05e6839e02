//! The words around the privacy page, and on the page of a link to everything about somebody.

use crate::domain::privacy::{CURRENT_TEXT, PrivacyPage, TEXTS, Text};

/// What stands above a text: what holds of this installation, and which text it is. Markdown.
pub fn above_the_text(text: &Text, page: &PrivacyPage) -> String {
    let said = |what: &Option<String>| what.as_deref().map_or_else(|| "not said by whoever runs it".to_owned(), escaped);
    let mut words =
        format!("**This installation.** Contact: {}. What is kept is processed here: {}.\n\n", said(&page.contact), said(&page.place));
    if text.version != CURRENT_TEXT {
        words.push_str("**This is an old text.** [The present one](/privacy) holds.\n\n");
    }
    let all: Vec<String> =
        TEXTS.iter().map(|text| format!("[version {} of {}](/privacy/{})", text.version, text.since, text.version)).collect();
    words.push_str(&format!("All texts: {}.\n\n", all.join(", ")));
    words
}

/// Text of the settings, so that it means nothing in Markdown.
fn escaped(text: &str) -> String {
    text.chars().flat_map(|c| c.is_ascii_punctuation().then_some('\\').into_iter().chain([c])).collect()
}

/// A page that is neither: its title and its words.
pub type Words = (&'static str, &'static str);

/// There is no such text.
pub const NO_SUCH_TEXT: Words = ("No such text", "There is no privacy text of this version.");
/// What the page of a link says before it is used.
pub const TAKE_IT: Words =
    ("Everything that is kept about you", "It is one file, as JSON. The link works once: keep the file where nobody else reads it.");
/// The button there.
pub const TAKE_IT_BUTTON: &str = "Download";
/// A link that does not work.
pub const DEAD_LINK: Words = (
    "This link does not work",
    "It was used, its 15 minutes are over, or it is none of ours. Ask for a new one in the chat with `privacy export`.",
);
/// Something went wrong here.
pub const NOT_NOW: Words = ("Not now", "Something went wrong here. Try again in a moment.");
