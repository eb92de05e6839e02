//! A message as Block Kit: one headline, the lines, the output, the buttons; always within Slack's limits.
//!
//! All text objects are `verbatim`: Slack makes no links and mentions of its own out of them.

use serde_json::{Value, json};

use super::fit::{Fit, escaped, is_shown};
use crate::domain::message::{Act, Button, ButtonStyle, Line, Message, Tone};
use crate::domain::page::{Page, PageAct, PageButton};

/// Characters of a headline: a text object takes 3,000, and the text of a message that is changed 4,000.
const HEADLINE: usize = 2000;
/// Characters of a text object; Slack takes 3,000.
const SECTION: usize = 3000;
/// Sections of lines: with the headline and an output it stays far below what a message may hold in all.
const SECTIONS: usize = 3;
/// Characters of a button's words; Slack takes 75.
const LABEL: usize = 75;
/// Buttons of one block; Slack takes 25.
const BUTTONS: usize = 25;
/// Characters of a title on a page; Slack takes 150.
const TITLE: usize = 150;
/// Blocks of a page; Slack takes 100.
const BLOCKS: usize = 100;
/// Around an output.
const FENCE: &str = "```";

/// A message as Slack takes it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rendered {
    /// What notifications and screen readers say.
    pub(super) text: String,
    /// What is shown.
    pub(super) blocks: Vec<Value>,
}

/// Renders a message.
pub(super) fn message(message: &Message) -> Rendered {
    let text = headline(message, Fit::for_notices(HEADLINE));
    let mut blocks = vec![section(&headline(message, Fit::new(HEADLINE)))];
    blocks.extend(sections(&message.lines).iter().map(|text| section(text)));
    if let Some(output) = message.output.as_deref().and_then(preformatted) {
        blocks.push(section(&output));
    }
    if !message.buttons.is_empty() {
        let elements: Vec<Value> = message.buttons.iter().take(BUTTONS).enumerate().map(|(place, one)| button(place, one)).collect();
        blocks.push(json!({ "type": "actions", "elements": elements }));
    }
    Rendered { text, blocks }
}

/// The blocks of a page. Rows that find no room are left out.
pub(super) fn page(page: &Page) -> Vec<Value> {
    let mut blocks = page.note.as_ref().map(|note| message(note).blocks).unwrap_or_default();
    if !blocks.is_empty() {
        blocks.push(json!({ "type": "divider" }));
    }
    for part in &page.parts {
        blocks.push(json!({ "type": "header", "text": plain(&part.title, TITLE) }));
        for row in &part.rows {
            blocks.extend(sections(&row.lines).iter().map(|text| section(text)));
            if !row.buttons.is_empty() {
                let button = |button: &PageButton| {
                    // The same act stands at several rows.
                    let name = format!("{}-{}", page_kind(&button.act), blocks.len());
                    element(&name, &button.act.to_string(), &button.label, button.style)
                };
                let elements: Vec<Value> = row.buttons.iter().take(BUTTONS).map(button).collect();
                blocks.push(json!({ "type": "actions", "elements": elements }));
            }
        }
    }
    blocks.truncate(BLOCKS);
    blocks
}

fn page_kind(act: &PageAct) -> &'static str {
    match act {
        PageAct::Press(act) => kind(act),
        PageAct::Unlock { .. } => "unlock",
        PageAct::UnlockAll => "unlock-all",
        PageAct::Unmute => "unmute",
    }
}

/// The glyph of a tone: read aloud it is a word.
fn glyph(tone: Tone) -> &'static str {
    match tone {
        Tone::Info => ":information_source:",
        Tone::Working => ":hourglass_flowing_sand:",
        Tone::Waiting => ":double_vertical_bar:",
        Tone::Good => ":white_check_mark:",
        Tone::Bad => ":no_entry:",
        Tone::Attention => ":warning:",
        Tone::Unknown => ":grey_question:",
    }
}

fn headline(message: &Message, mut fit: Fit) -> String {
    fit.ours(glyph(message.tone));
    fit.ours(" ");
    message.headline.iter().for_each(|span| fit.span(span));
    fit.done()
}

fn section(text: &str) -> Value {
    json!({ "type": "section", "text": { "type": "mrkdwn", "text": text, "verbatim": true } })
}

/// The lines, as few sections as they need; lines beyond all room are counted.
pub(super) fn sections(lines: &[Line]) -> Vec<String> {
    // Room for the line that counts the rest.
    const ROOM: usize = SECTION - 40;
    let mut sections: Vec<String> = Vec::new();
    let mut left = 0usize;
    for (place, line) in lines.iter().enumerate() {
        let mut fit = Fit::new(ROOM);
        line.iter().for_each(|span| fit.span(span));
        let text = fit.done();
        let length = text.chars().count().saturating_add(1);
        if length <= left
            && let Some(last) = sections.last_mut()
        {
            last.push('\n');
            last.push_str(&text);
            left = left.saturating_sub(length);
            continue;
        }
        if sections.len() == SECTIONS {
            let rest = lines.len().saturating_sub(place);
            if let Some(last) = sections.last_mut() {
                last.push_str(&format!("\n… {rest} more"));
            }
            break;
        }
        left = (ROOM + 1).saturating_sub(length);
        sections.push(text);
    }
    // A text object may not be empty.
    sections.retain(|text| !text.trim().is_empty());
    sections
}

/// An output between fences, its end if it is too long; `None` if there is nothing to show.
fn preformatted(output: &str) -> Option<String> {
    // Beside the fences: their two line ends, and the mark of a cut with its own.
    const ROOM: usize = SECTION - 2 * FENCE.len() - 4;
    let tidy = |c: char| if c == '\t' { ' ' } else { c };
    let shown: Vec<char> = output.trim_end().chars().map(tidy).filter(|c| *c == '\n' || is_shown(*c)).collect();
    let mut length = 0usize;
    let fits = |c: &&char| {
        length = length.saturating_add(escaped(**c).map_or(1, str::len));
        length <= ROOM
    };
    let first = shown.len().saturating_sub(shown.iter().rev().take_while(fits).count());
    let mut tail = shown.get(first..).unwrap_or_default();
    let mut kept = String::new();
    if first > 0 {
        kept.push_str("…\n");
        // Begin with a whole line where there is one.
        if let Some(end) = tail.iter().position(|c| *c == '\n') {
            tail = tail.get(end.saturating_add(1)..).unwrap_or_default();
        }
    }
    for c in tail {
        match escaped(*c) {
            Some(entity) => kept.push_str(entity),
            None => kept.push(*c),
        }
    }
    if kept.trim().is_empty() {
        return None;
    }
    let kept = kept.replace(FENCE, "'''");
    Some(format!("{FENCE}\n{kept}\n{FENCE}"))
}

fn button(place: usize, button: &Button) -> Value {
    let name = format!("{}-{place}", kind(&button.act));
    element(&name, &button.act.to_string(), &button.label, button.style)
}

fn element(name: &str, value: &str, label: &str, style: ButtonStyle) -> Value {
    let mut element = json!({ "type": "button", "action_id": name, "value": value, "text": plain(label, LABEL) });
    let style = match style {
        ButtonStyle::Plain => None,
        ButtonStyle::Primary => Some("primary"),
        ButtonStyle::Danger => Some("danger"),
    };
    if let (Some(fields), Some(style)) = (element.as_object_mut(), style) {
        fields.insert("style".to_owned(), json!(style));
    }
    element
}

fn kind(act: &Act) -> &'static str {
    match act {
        Act::Cancel(_) => "cancel",
        Act::Free(_) => "free",
        Act::ShowOutput(_) => "output",
        Act::Retry(_) => "retry",
        Act::RollBack(_) => "back",
        Act::Take(_) => "take",
        Act::Decline(_) => "decline",
        Act::ShipNow(_) => "ship",
        Act::StepOut(_) => "leave",
        Act::EnterCode(_) => "code",
    }
}

/// Words that are never parsed, cut to fit and never empty.
pub(super) fn plain(words: &str, most: usize) -> Value {
    let words: String = words.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| is_shown(*c)).collect();
    let words = words.trim();
    let shown: String = if words.is_empty() {
        "…".to_owned()
    } else if words.chars().count() > most {
        words.chars().take(most.saturating_sub(1)).chain(['…']).collect()
    } else {
        words.to_owned()
    };
    json!({ "type": "plain_text", "text": shown, "emoji": false })
}

#[cfg(test)]
mod tests;
