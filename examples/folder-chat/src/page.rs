//! A message as a page of plain text, and its buttons read back from it.

use slash_heroku::domain::message::{Message, Span, Tone};

/// The longest page, in characters; of an output its end is kept.
const LONGEST: usize = 20_000;
/// The longest line, in characters.
const LINE: usize = 500;

/// The page of a message.
pub(crate) fn of(message: &Message) -> String {
    let mut page = cut(format!("{} {}", glyph(message.tone), line(&message.headline)));
    page.push('\n');
    let buttons: String = message.buttons.iter().map(|button| format!("[{}] {}\n", tidy(&button.label), button.act)).collect();
    for words in &message.lines {
        add(&mut page, &format!("  {}", line(words)));
    }
    if let Some(output) = &message.output {
        let lines: Vec<String> = output.lines().map(|line| format!("  | {}", tidy(line))).collect();
        let room = 40;
        lines.iter().skip(lines.len().saturating_sub(room)).for_each(|line| add(&mut page, line));
    }
    page + &buttons
}

/// What stands behind a button's label.
pub(crate) fn value_of_button<'a>(page: &'a str, label: &str) -> Option<&'a str> {
    // Lines of others' words are indented, so that nobody can put a button among ours.
    page.lines().find_map(|line| line.strip_prefix(&format!("[{label}] ")))
}

/// A name that leads into no other folder.
pub(crate) fn as_file_name(id: &str) -> String {
    id.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '@' | '-' | '_') { c } else { '+' }).collect()
}

fn add(page: &mut String, line: &str) {
    if page.chars().count() < LONGEST {
        page.push_str(&cut(line.to_owned()));
        page.push('\n');
    }
}

fn cut(line: String) -> String {
    if line.chars().count() <= LINE { line } else { line.chars().take(LINE - 1).chain(['…']).collect() }
}

fn glyph(tone: Tone) -> &'static str {
    match tone {
        Tone::Info => "--",
        Tone::Working => "..",
        Tone::Waiting => "||",
        Tone::Good => "ok",
        Tone::Bad => "no",
        Tone::Attention => "!!",
        Tone::Unknown => "??",
    }
}

fn line(spans: &[Span]) -> String {
    spans
        .iter()
        .map(|span| match span {
            Span::Text(words) | Span::Strong(words) | Span::Code(words) | Span::Moment { words, .. } => tidy(words),
            Span::Person(person) => format!("@{}", person.user),
            Span::Channel(channel) => format!("#{channel}"),
            Span::Link { label, url } => format!("{} ({})", tidy(label), tidy(url)),
        })
        .collect()
}

/// Text from outside on one line, and without what an editor or a terminal would obey.
fn tidy(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| !c.is_control() && !turns(*c)).collect()
}
