//! Words made safe and made to fit, piece by piece, so that nothing is ever cut in the middle.

use jiff::Timestamp;
use url::Url;

use crate::domain::message::Span;

/// The latest second that is written as a moment: of the year 9999.
const LATEST: i64 = 253_402_300_799;
/// Shown where something was cut.
const CUT: char = '…';

/// Writes mark-up up to a number of characters. What does not fit ends in an ellipsis.
pub(super) struct Fit {
    text: String,
    /// How many characters may still come; one is kept back for the ellipsis.
    left: usize,
    cut: bool,
    /// Whether it is shown in Slack, and not read out by something that knows no mark-up.
    marked: bool,
}

impl Fit {
    /// At most `most` characters, of which one is for the ellipsis.
    pub(super) fn new(most: usize) -> Self {
        Self { text: String::new(), left: most.saturating_sub(1), cut: false, marked: true }
    }

    /// The same for notifications, where moments stand in words.
    pub(super) fn for_notices(most: usize) -> Self {
        Self { marked: false, ..Self::new(most) }
    }

    /// What was written.
    pub(super) fn done(self) -> String {
        self.text
    }

    /// Adds a piece that may not be divided; `false`, with an ellipsis, if it does not fit.
    fn whole(&mut self, piece: &str) -> bool {
        let length = piece.chars().count();
        if self.cut || length > self.left {
            self.end();
            return false;
        }
        self.text.push_str(piece);
        self.left = self.left.saturating_sub(length);
        true
    }

    /// Nothing more goes in.
    fn end(&mut self) {
        if !self.cut {
            self.text.push(CUT);
            self.cut = true;
        }
    }

    /// Adds mark-up of our own.
    pub(super) fn ours(&mut self, piece: &str) {
        self.whole(piece);
    }

    /// Adds a span.
    pub(super) fn span(&mut self, span: &Span) {
        match span {
            Span::Text(words) => self.words(words.chars().map(tame)),
            Span::Strong(words) => self.between('*', words, |c| if c == '*' { '∗' } else { tame(c) }),
            Span::Code(words) => self.between('`', words, tame),
            Span::Person(person) => {
                let id = person.user.as_str();
                if id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                    self.whole(&format!("<@{id}>"));
                } else {
                    self.words(id.chars().map(tame));
                }
            }
            Span::Channel(channel) => {
                let id = channel.as_str();
                // Only channels have a name that can be shown.
                if id.starts_with(['C', 'G']) && id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                    self.whole(&format!("<#{id}>"));
                } else {
                    self.words("a direct message".chars());
                }
            }
            Span::Moment { at, words } => self.moment(*at, words),
            Span::Link { label, url } => self.link(label, url),
        }
    }

    /// A moment, which Slack shows in the zone of whoever reads. The words are for clients that cannot.
    fn moment(&mut self, at: Timestamp, words: &str) {
        // Slack takes seconds of our age only.
        let second = at.as_second();
        if !self.marked || !(1..=LATEST).contains(&second) {
            self.words(words.chars().map(tame));
            return;
        }
        let mut otherwise = Fit::new(100);
        otherwise.words(words.chars().map(tame).filter(|c| !matches!(c, '|' | '^')));
        let token = format!("<!date^{second}^{{date_short_pretty}} {{time}}|{}>", otherwise.done());
        if token.chars().count() <= self.left && !self.cut {
            self.whole(&token);
        } else {
            self.words(words.chars().map(tame));
        }
    }

    fn words(&mut self, words: impl Iterator<Item = char>) {
        for c in words.filter(|c| is_shown(*c)) {
            if !self.character(c) {
                return;
            }
        }
    }

    fn character(&mut self, c: char) -> bool {
        let mut buffer = [0u8; 4];
        match escaped(c) {
            Some(entity) => self.whole(entity),
            None => self.whole(c.encode_utf8(&mut buffer)),
        }
    }

    /// Words between two signs: spaces at the ends stay outside, where the sign would not work, and the closing sign always
    /// has its place.
    fn between(&mut self, sign: char, words: &str, tamed: impl Fn(char) -> char) {
        let words: String = words.chars().map(tamed).filter(|c| is_shown(*c)).collect();
        let inside = words.trim();
        if inside.is_empty() {
            return;
        }
        // Two signs and at least one entity.
        if self.cut || self.left < 7 {
            self.end();
            return;
        }
        self.text.push(sign);
        self.left = self.left.saturating_sub(2);
        self.words(inside.chars());
        self.text.push(sign);
    }

    fn link(&mut self, label: &str, url: &str) {
        let label: String = label.chars().map(tame).map(|c| if c == '|' { '¦' } else { c }).filter(|c| is_shown(*c)).collect();
        let label = label.trim();
        let Some(url) = linkable(url) else {
            self.words(label.chars());
            return;
        };
        let mut shown = Fit::new(300);
        shown.words(if label.is_empty() { "link" } else { label }.chars());
        let shown = shown.done();
        let link = format!("<{url}|{shown}>");
        if link.chars().count() <= self.left && !self.cut {
            self.whole(&link);
        } else {
            self.whole(&shown);
        }
    }
}

/// An address as it stands in a link; `None`: it cannot be one.
fn linkable(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return None;
    }
    let safe = url.as_str().replace('|', "%7C").replace('`', "%60").replace('>', "%3E").replace('<', "%3C").replace('&', "&amp;");
    (safe.chars().count() <= 2000).then_some(safe)
}

/// A character of foreign text with the one sign replaced that could open a code span and swallow what follows. White space of
/// all kinds becomes a space: a line stays a line.
fn tame(c: char) -> char {
    match c {
        '`' => 'ˋ',
        c if c.is_whitespace() => ' ',
        c => c,
    }
}

/// Control characters, and those that turn the direction of text around, are left out.
pub(super) fn is_shown(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The only three signs that have to be written as entities.
pub(super) fn escaped(c: char) -> Option<&'static str> {
    match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        _ => None,
    }
}
