//! The log of everything in this process, at the finest level: each line is searched as it is written, and none is kept.

use std::collections::BTreeMap;
use std::fmt::{Debug, Write as _};
use std::sync::{LazyLock, Mutex, OnceLock};

use slash_heroku::domain::parse::split_code;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

use super::Needles;

/// What was seen of the log so far.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// How many lines of each crate.
    pub lines: BTreeMap<String, u64>,
    /// The lines with a secret in them.
    pub leaks: Vec<String>,
}

#[derive(Debug)]
struct Watcher {
    needles: Needles,
    seen: Mutex<Seen>,
}

impl Watcher {
    fn look(&self, target: &str, line: &str) {
        let of = target.split("::").next().unwrap_or_default();
        // sled tells where in its file it writes, by number, and nothing of what it writes but its bytes.
        let found = if of == "sled" { self.needles.find_among_numbers("the log", line) } else { self.needles.find("the log", line) };
        let found = found.or_else(|| own_secret(line).then(|| format!("a secret of ours is in the log: {line}")));
        let mut seen = self.seen.lock().unwrap();
        *seen.lines.entry(of.to_owned()).or_default() += 1;
        seen.leaks.extend(found.map(|found| format!("{target}: {found}")));
    }
}

/// How many letters for addresses links, cookies and ways to services have.
const LETTERS: usize = 43;

/// Whether a line holds a word of so many letters, with nothing beside them. Of each word only the last letter is looked at where it
/// is too short: every line of the finest log comes by here.
fn own_secret(line: &str) -> bool {
    let line = line.as_bytes();
    let of_a_secret = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let mut last = LETTERS - 1;
    while let Some(letter) = line.get(last) {
        let mut end = last;
        if of_a_secret(letter) {
            let begin = line[..last].iter().rposition(|byte| !of_a_secret(byte)).map_or(0, |beside| beside + 1);
            end = line[last..].iter().position(|byte| !of_a_secret(byte)).map_or(line.len(), |length| last + length);
            let word = &line[begin..end];
            let has = |what: fn(&u8) -> bool| word.iter().any(what);
            if word.len() == LETTERS && has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit) {
                return true;
            }
        }
        last = end + LETTERS;
    }
    false
}

static WATCHER: LazyLock<Watcher> = LazyLock::new(|| Watcher { needles: Needles::common(&typed_codes()), seen: Mutex::default() });

/// The codes that anybody types in a scenario or a play.
pub fn typed_codes() -> Vec<String> {
    let typed = crate::scenarios::scripts().into_iter().map(|file| std::fs::read_to_string(file).unwrap());
    let code = |line: &str| split_code(line.split_once("> ")?.1).1.map(std::borrow::Cow::into_owned);
    let mut codes: Vec<String> = typed.flat_map(|text| text.lines().filter_map(code).collect::<Vec<_>>()).collect();
    codes.push(crate::crash::plays::CODE_OF_THE_LAST.to_owned());
    codes.sort();
    codes.dedup();
    codes
}

/// Watches the log of this process from now on, whoever writes to it. Returns what was seen until now.
pub fn watch() -> Seen {
    static STARTED: OnceLock<()> = OnceLock::new();
    STARTED.get_or_init(|| {
        tracing::subscriber::set_global_default(tracing_subscriber::registry().with(Watching(&WATCHER))).unwrap();
        // Some libraries speak another dialect.
        log::set_logger(&OtherDialect).unwrap();
        log::set_max_level(log::LevelFilter::Trace);
    });
    WATCHER.seen.lock().unwrap().clone()
}

struct OtherDialect;

impl log::Log for OtherDialect {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        WATCHER.look(record.target(), &record.args().to_string());
    }

    fn flush(&self) {}
}

struct Watching(&'static Watcher);

#[derive(Default)]
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        write!(self.0, " {}={value}", field.name()).unwrap();
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut error = Some(value);
        while let Some(cause) = error {
            write!(self.0, " {}={cause} ({cause:?})", field.name()).unwrap();
            error = cause.source();
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Watching {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let mut line = Line::default();
        attributes.record(&mut line);
        self.0.look(attributes.metadata().target(), &line.0);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let mut line = Line::default();
        values.record(&mut line);
        self.0.look(context.span(id).map_or("", |span| span.metadata().target()), &line.0);
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = Line::default();
        event.record(&mut line);
        self.0.look(event.metadata().target(), &line.0);
    }
}

#[test]
fn a_secret_of_ours_is_found_wherever_it_stands() {
    let secret = "h6PAYpsM_Ktc924gnQExvaMF5jdo7uLW1nGM-jRnZXw";
    for before in 0..100 {
        for text in [format!("{}{secret}", " ".repeat(before)), format!("{} {secret}/x", "a".repeat(before))] {
            assert!(own_secret(&text), "{text}");
        }
        // A longer word is none, and neither is a part of one.
        assert!(!own_secret(&format!("{} a{secret} {secret}a {}", "b".repeat(before), &secret[1..])));
    }
}

#[test]
fn a_leak_into_the_log_is_found() {
    static PLANTED: LazyLock<Watcher> = LazyLock::new(|| Watcher { needles: Needles::common(&[]), seen: Mutex::default() });
    let token = slash_heroku::sandbox::company::GITHUB_TOKEN;
    let error = std::io::Error::other(std::io::Error::other(token));
    tracing::subscriber::with_default(tracing_subscriber::registry().with(Watching(&PLANTED)), || {
        tracing::info!("nothing");
        tracing::trace!(header = %format!("Bearer {token}"), "sent");
        tracing::trace!("wrote {:?}", token.as_bytes());
        let span = tracing::trace_span!("call", url = tracing::field::Empty);
        span.record("url", format!("https://x.example.com/?token={token}"));
        tracing::error!(error = &error as &dyn std::error::Error, "it failed");
        tracing::debug!(typed = "deploy vault 654321", "understood");
        tracing::debug!(path = "/login/h6PAYpsM_Ktc924gnQExvaMF5jdo7uLW1nGM-jRnZXw", "looked at");
    });
    let seen = PLANTED.seen.lock().unwrap().clone();
    assert_eq!(seen.leaks.len(), 6, "{:#?}", seen.leaks);
}
