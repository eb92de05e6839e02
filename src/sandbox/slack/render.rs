//! A message as a person sees it, in plain text.

use serde_json::Value;

use super::seen::{Below, SeenMessage};
use super::state::State;

/// A message as text.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Rendered {
    /// What it says at a glance, such as `[ok]`; empty if it begins with no emoji we use for that.
    pub glyph: String,
    /// The message that it stands below, if it does.
    pub below: Option<Below>,
    /// The only person who sees it, by name.
    pub only: Option<String>,
    /// The conversation: `#general`, or `@ana` for a direct message.
    pub place: String,
    /// The first line, without the glyph.
    pub headline: String,
    /// The other lines. Code blocks are marked with `| `.
    pub lines: Vec<String>,
    /// The labels of the buttons.
    pub buttons: Vec<String>,
}

impl Rendered {
    /// The buttons as one line, or nothing.
    pub fn button_line(&self) -> Option<String> {
        let labels: Vec<String> = self.buttons.iter().map(|label| format!("[{label}]")).collect();
        (!labels.is_empty()).then(|| labels.join(" "))
    }

    /// All that is to be read, for searching.
    pub fn all(&self) -> String {
        let lines = std::iter::once(self.headline.as_str()).chain(self.lines.iter().map(String::as_str));
        lines.chain(self.buttons.iter().map(String::as_str)).collect::<Vec<_>>().join("\n")
    }
}

/// What stands in a transcript for an emoji, if it has a sign of its own there.
pub fn glyph(emoji: &str) -> Option<&'static str> {
    match emoji {
        "information_source" => Some("[--]"),
        "hourglass_flowing_sand" => Some("[..]"),
        "double_vertical_bar" => Some("[||]"),
        "white_check_mark" => Some("[ok]"),
        "no_entry" => Some("[no]"),
        "warning" => Some("[!!]"),
        "grey_question" => Some("[??]"),
        _ => None,
    }
}

pub(super) fn render(message: &SeenMessage, state: &State) -> Rendered {
    let mut lines: Vec<String> = if message.blocks.is_empty() {
        mrkdwn(&message.text, state)
    } else {
        message.blocks.iter().flat_map(|block| block_lines(block, state)).collect()
    };
    lines.retain(|line| !line.trim().is_empty());
    let first = if lines.is_empty() { String::new() } else { lines.remove(0) };
    let (sign, headline) = match first.split_once(' ') {
        Some((sign, rest)) if is_sign(sign) => (sign.to_owned(), rest.trim_start().to_owned()),
        _ if is_sign(&first) => (first, String::new()),
        _ => (String::new(), first),
    };
    Rendered {
        glyph: sign,
        only: message.to.clone(),
        place: state.channel_label(&message.channel),
        below: message.below.clone(),
        headline,
        lines,
        buttons: buttons(&message.blocks).into_iter().filter_map(label).collect(),
    }
}

fn is_sign(word: &str) -> bool {
    matches!(word, "[--]" | "[..]" | "[||]" | "[ok]" | "[no]" | "[!!]" | "[??]")
}

/// All buttons of a message, in order.
pub(super) fn buttons(blocks: &[Value]) -> Vec<&Value> {
    blocks
        .iter()
        .flat_map(|block| {
            let accessory = block.get("accessory").into_iter();
            let elements = block.get("elements").and_then(Value::as_array).into_iter().flatten();
            accessory.chain(elements)
        })
        .filter(|element| element.get("type").and_then(Value::as_str) == Some("button"))
        .collect()
}

/// The label of a button.
pub(super) fn label(button: &Value) -> Option<String> {
    button.get("text")?.get("text")?.as_str().map(str::to_owned)
}

/// What would alarm people: mentions of everybody, as markup or made from plain text.
pub(super) fn alarms(text: &str, blocks: &[Value]) -> Vec<String> {
    let mut alarms = Vec::new();
    alarm(text, true, &mut alarms);
    blocks.iter().for_each(|block| alarms_in(block, &mut alarms));
    alarms
}

fn alarms_in(value: &Value, alarms: &mut Vec<String>) {
    if let (Some("mrkdwn"), Some(text)) = (value.get("type").and_then(Value::as_str), value.get("text").and_then(Value::as_str)) {
        alarm(text, value.get("verbatim").and_then(Value::as_bool) == Some(true), alarms);
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| alarms_in(item, alarms)),
        Value::Object(fields) => fields.values().for_each(|field| alarms_in(field, alarms)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn alarm(text: &str, verbatim: bool, alarms: &mut Vec<String>) {
    for whom in ["channel", "here", "everyone", "subteam"] {
        if text.contains(&format!("<!{whom}")) || (!verbatim && text.contains(&format!("@{whom}"))) {
            alarms.push(format!("mentions {whom}"));
        }
    }
    if text.split("<!date^").skip(1).any(|rest| !is_date(rest)) {
        alarms.push("a date that Slack cannot show".to_owned());
    }
}

/// Whether this follows the beginning of a date: seconds, a format with a known place in it, and words for clients that cannot.
fn is_date(rest: &str) -> bool {
    let known =
        ["{date_num}", "{date}", "{date_short}", "{date_long}", "{date_pretty}", "{date_short_pretty}", "{date_long_pretty}", "{time}"];
    rest.split_once('>').and_then(|(date, _)| date.split_once('|')).is_some_and(|(date, otherwise)| {
        let (seconds, format) = date.split_once('^').unwrap_or_default();
        seconds.parse::<u64>().is_ok_and(|seconds| seconds > 0) && known.iter().any(|place| format.contains(place)) && !otherwise.is_empty()
    })
}

pub(super) fn block_lines(block: &Value, state: &State) -> Vec<String> {
    let list = |name: &str| block.get(name).and_then(Value::as_array).into_iter().flatten();
    let object = |text: &Value| text_lines(text, state);
    match block.get("type").and_then(Value::as_str).unwrap_or_default() {
        "section" | "header" => {
            let mut lines: Vec<String> = block.get("text").map(object).unwrap_or_default();
            lines.extend(list("fields").flat_map(object));
            lines
        }
        "context" => {
            let parts: Vec<Vec<String>> = list("elements").map(object).collect();
            if parts.iter().all(|part| part.len() <= 1) { vec![parts.concat().join(" ")] } else { parts.concat() }
        }
        "markdown" => block.get("text").and_then(Value::as_str).unwrap_or_default().lines().map(str::to_owned).collect(),
        "rich_text" => list("elements").flat_map(|part| rich_lines(part, state)).collect(),
        "image" => vec![format!("(image: {})", block.get("alt_text").and_then(Value::as_str).unwrap_or_default())],
        "actions" | "divider" => Vec::new(),
        other => vec![format!("(a block of type {other})")],
    }
}

fn text_lines(text: &Value, state: &State) -> Vec<String> {
    let words = text.get("text").and_then(Value::as_str).unwrap_or_default();
    match text.get("type").and_then(Value::as_str) {
        Some("plain_text") => words.lines().map(|line| visible(&plain(line))).collect(),
        Some("image") => vec![text.get("alt_text").and_then(Value::as_str).unwrap_or_default().to_owned()],
        _ => mrkdwn(words, state),
    }
}

fn rich_lines(part: &Value, state: &State) -> Vec<String> {
    let elements = || part.get("elements").and_then(Value::as_array).into_iter().flatten();
    let words: String = elements().map(|element| rich_words(element, state)).collect();
    match part.get("type").and_then(Value::as_str).unwrap_or_default() {
        "rich_text_preformatted" => words.lines().map(|line| format!("| {line}")).collect(),
        "rich_text_list" => elements().flat_map(|item| rich_lines(item, state)).map(|line| format!("- {line}")).collect(),
        "rich_text_quote" => words.lines().map(|line| format!("> {line}")).collect(),
        _ => words.lines().map(visible).collect(),
    }
}

fn rich_words(element: &Value, state: &State) -> String {
    let field = |name: &str| element.get(name).and_then(Value::as_str).unwrap_or_default();
    match field("type") {
        "text" if element.get("style").and_then(|style| style.get("code")).and_then(Value::as_bool) == Some(true) => {
            format!("`{}`", field("text"))
        }
        "link" if field("text").is_empty() => field("url").to_owned(),
        "user" => mention(field("user_id"), state),
        "channel" => state.channel_label(field("channel_id")),
        "emoji" => glyph(field("name")).map_or_else(|| format!(":{}:", field("name")), str::to_owned),
        "broadcast" => format!("@{}", field("range")),
        _ => field("text").to_owned(),
    }
}

fn mention(user: &str, state: &State) -> String {
    let member = state.people.iter().find(|member| member.id == user);
    format!("@{}", member.map_or(user, |member| member.name.as_str()))
}

/// Slack's own markup as people see it.
fn mrkdwn(text: &str, state: &State) -> Vec<String> {
    let mut lines = Vec::new();
    for (place, piece) in text.split("```").enumerate() {
        if place % 2 == 1 {
            lines.extend(piece.trim_matches('\n').lines().map(|line| format!("| {}", unescape(line))));
        } else {
            lines.extend(piece.lines().map(|line| visible(&inline(line, state))));
        }
    }
    lines
}

/// A character, and whether it stands for itself or may be markup.
type Marked = (char, bool);

fn inline(line: &str, state: &State) -> String {
    let mut out: Vec<Marked> = Vec::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let after = rest.get(first.len_utf8()..).unwrap_or_default();
        let (shown, left) = match first {
            '`' => match after.split_once('`') {
                Some((code, left)) => (Some(format!("`{}`", unescape(code))), left),
                None => (None, after),
            },
            '<' => match after.split_once('>') {
                Some((entity, left)) => (Some(shown_entity(entity, state)), left),
                None => (None, after),
            },
            ':' => match after.split_once(':') {
                Some((name, left)) if glyph(name).is_some() => (glyph(name).map(str::to_owned), left),
                _ => (None, after),
            },
            '&' => match [("amp;", "&"), ("lt;", "<"), ("gt;", ">")].into_iter().find(|(name, _)| after.starts_with(name)) {
                Some((name, sign)) => (Some(sign.to_owned()), after.strip_prefix(name).unwrap_or_default()),
                None => (None, after),
            },
            _ => (None, after),
        };
        match shown {
            Some(words) => out.extend(words.chars().map(|c| (c, true))),
            None => out.push((first, false)),
        }
        rest = left;
    }
    for marker in ['*', '_', '~'] {
        out = without_pairs(&out, marker);
    }
    out.into_iter().map(|(c, _)| c).collect()
}

fn plain(line: &str) -> String {
    let mut line = line.to_owned();
    for emoji in
        ["information_source", "hourglass_flowing_sand", "double_vertical_bar", "white_check_mark", "no_entry", "warning", "grey_question"]
    {
        if let Some(sign) = glyph(emoji) {
            line = line.replace(&format!(":{emoji}:"), sign);
        }
    }
    line
}

fn shown_entity(entity: &str, state: &State) -> String {
    let (what, words) = entity.split_once('|').map_or((entity, None), |(what, words)| (what, Some(unescape(words))));
    if let Some(user) = what.strip_prefix('@') {
        return mention(user, state);
    }
    if let Some(channel) = what.strip_prefix('#') {
        return words.filter(|words| !words.is_empty()).map_or_else(|| state.channel_label(channel), |words| format!("#{words}"));
    }
    if let Some(special) = what.strip_prefix('!') {
        return words.unwrap_or_else(|| format!("@{special}"));
    }
    words.unwrap_or_else(|| unescape(what))
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// What takes no room on the screen is not seen.
fn visible(line: &str) -> String {
    line.chars().filter(|c| !matches!(c, '\u{200B}'..='\u{200D}' | '\u{2060}' | '\u{FEFF}')).collect::<String>().trim_end().to_owned()
}

/// Takes away the pairs of a marker around words.
fn without_pairs(line: &[Marked], marker: char) -> Vec<Marked> {
    let word = |place: Option<usize>| place.and_then(|place| line.get(place)).is_some_and(|(c, _)| c.is_alphanumeric());
    let space = |place: Option<usize>| place.and_then(|place| line.get(place)).is_none_or(|(c, _)| c.is_whitespace());
    let mut gone = Vec::new();
    let mut open: Option<usize> = None;
    for (place, _) in line.iter().enumerate().filter(|(_, marked)| **marked == (marker, false)) {
        match open {
            Some(start) if start + 1 < place && !space(place.checked_sub(1)) && !word(Some(place + 1)) => {
                gone.extend([start, place]);
                open = None;
            }
            _ if !word(place.checked_sub(1)) && !space(Some(place + 1)) => open = Some(place),
            _ => {}
        }
    }
    line.iter().enumerate().filter(|(place, _)| !gone.contains(place)).map(|(_, marked)| *marked).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::state::{Channel, Member, MemberKind};
    use super::super::{How, Via};
    use super::*;

    fn state() -> State {
        State {
            people: vec![Member { id: "U1".into(), name: "ana".into(), team: "T1".into(), kind: MemberKind::Plain }],
            channels: vec![Channel {
                team: "T1".into(),
                id: "C1".into(),
                name: "general".into(),
                bot_in: true,
                archived: false,
                shared: false,
                private: false,
                with: None,
            }],
            ..State::default()
        }
    }

    fn message(text: &str, blocks: Vec<Value>) -> SeenMessage {
        SeenMessage {
            seq: 1,
            how: How::Posted,
            via: Via::Api,
            channel: "C1".into(),
            ts: "1.1".into(),
            below: None,
            to: None,
            text: text.into(),
            blocks,
            edited: false,
        }
    }

    #[test]
    fn markup_is_shown_as_people_see_it() {
        let see = |text: &str| mrkdwn(text, &state()).join("/");
        assert_eq!(see("*bold* and _it_ and snake_case_name"), "bold and it and snake_case_name");
        assert_eq!(see("<@U1> shipped <https://example.com/a|the build>"), "@ana shipped the build");
        assert_eq!(see("`a*b*&lt;c&gt;` 2 * 3 * 4"), "`a*b*<c>` 2 * 3 * 4");
        assert_eq!(see("&amp;lt; &lt;!here&gt;"), "&lt; <!here>");
        assert_eq!(see("<#C1> <#C9|ops> <https://example.com>"), "#general #ops https://example.com");
        assert_eq!(see(":white_check_mark: done at 10:20:30"), "[ok] done at 10:20:30");
        assert_eq!(see("log:\n```\none *two*\nthree\n```\nend"), "log:/| one *two*/| three//end");
    }

    #[test]
    fn a_card_has_a_glyph_a_headline_lines_and_buttons() {
        let blocks = vec![
            json!({"type": "section", "text": {"type": "mrkdwn", "text": ":hourglass_flowing_sand: *Working* on it"}}),
            json!({"type": "context", "elements": [{"type": "mrkdwn", "text": "a"}, {"type": "mrkdwn", "text": "b"}]}),
            json!({"type": "rich_text", "elements": [{"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "x\ny"}]}]}),
            json!({"type": "actions", "elements": [
                {"type": "button", "text": {"type": "plain_text", "text": "Cancel"}},
                {"type": "button", "text": {"type": "plain_text", "text": "Show output"}}]}),
        ];
        let seen = render(&message("fallback", blocks), &state());
        assert_eq!((seen.glyph.as_str(), seen.headline.as_str(), seen.place.as_str()), ("[..]", "Working on it", "#general"));
        assert_eq!(seen.lines, ["a b", "| x", "| y"]);
        assert_eq!(seen.button_line().as_deref(), Some("[Cancel] [Show output]"));
    }

    #[test]
    fn mentions_of_everybody_alarm() {
        let text = |verbatim: bool| json!({"type": "section", "text": {"type": "mrkdwn", "text": "@here we go", "verbatim": verbatim}});
        assert_eq!(alarms("x", &[text(true)]), Vec::<String>::new());
        assert_eq!(alarms("x", &[text(false)]), ["mentions here"]);
        assert_eq!(alarms("<!channel>", &[]), ["mentions channel"]);
        assert_eq!(alarms("&lt;!channel&gt;", &[]), Vec::<String>::new());
        assert_eq!(alarms("<!date^1767603600^{date_short_pretty} {time}|09:00 UTC>", &[]), Vec::<String>::new());
        for wrong in ["<!date^soon^{time}|x>", "<!date^1^now|x>", "<!date^1^{time}>", "<!date^1^{time}|>", "<!date^1"] {
            assert_eq!(alarms(wrong, &[]), ["a date that Slack cannot show"], "{wrong}");
        }
    }
}
