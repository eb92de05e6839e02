//! Pages as HTML.

use askama::Template;

use crate::domain::account::Provider;
use crate::domain::message::{Line, Span};
use crate::domain::speech::pages::{Go, Page, Section, Step};

/// A piece of a line as the template wants it.
struct Piece<'a> {
    kind: &'static str,
    words: &'a str,
    url: &'a str,
}

/// A button or a link as the template wants it.
struct Button<'a> {
    label: &'a str,
    to: String,
    posts: bool,
    expected: bool,
    /// What is sent along.
    fields: &'a [(&'static str, &'a str)],
}

struct Part<'a> {
    title: &'a str,
    state: &'a str,
    done: bool,
    asks: Vec<Vec<Piece<'a>>>,
    button: Button<'a>,
}

#[derive(Template)]
#[template(path = "page.html")]
struct Html<'a> {
    title: &'a str,
    lines: Vec<Vec<Piece<'a>>>,
    passcode: Option<&'a str>,
    parts: Vec<Part<'a>>,
    buttons: Vec<Button<'a>>,
}

#[derive(Template)]
#[template(path = "page.css", escape = "none")]
struct Style {}

/// What a page shows or sends along that may stand in nothing else.
#[derive(Clone, Copy, Default)]
pub(super) struct Given<'a> {
    /// The link that the page stands under.
    pub link: &'a str,
    /// The passcode.
    pub passcode: Option<&'a str>,
    /// What a service gave along.
    pub fields: &'a [(&'static str, &'a str)],
}

/// The way to a service, as a part of an address.
pub(super) fn path_of(service: Provider) -> &'static str {
    match service {
        Provider::SourceControl => "github",
        Provider::Platform => "heroku",
    }
}

pub(super) fn html(page: &Page, given: Given<'_>) -> Result<String, askama::Error> {
    let html = Html {
        title: &page.title,
        lines: page.lines.iter().map(pieces).collect(),
        passcode: given.passcode,
        parts: page.sections.iter().map(|section| part(section, given)).collect(),
        buttons: page.steps.iter().map(|step| button(step, given)).collect(),
    };
    html.render()
}

pub(super) fn css() -> Result<String, askama::Error> {
    Style {}.render()
}

fn part<'a>(section: &'a Section, given: Given<'a>) -> Part<'a> {
    Part {
        title: section.title,
        state: section.state,
        done: section.done,
        asks: section.asks.iter().map(pieces).collect(),
        button: button(&section.step, given),
    }
}

fn button<'a>(step: &'a Step, given: Given<'a>) -> Button<'a> {
    let (to, posts, fields): (String, bool, &[(&'static str, &str)]) = match step.go {
        Go::Open => (format!("/login/{}", given.link), true, &[]),
        Go::To(service) => (format!("/login/to/{}", path_of(service)), true, &[]),
        Go::TakeBack => ("/login/back".to_owned(), true, given.fields),
        Go::Done => ("/login/done".to_owned(), true, &[]),
        Go::Visit => ("/login".to_owned(), false, &[]),
        Go::Install => ("/slack/install".to_owned(), true, &[]),
        Go::TakeInstalled => ("/slack/installed".to_owned(), true, given.fields),
        Go::Installation => ("/slack/install".to_owned(), false, &[]),
    };
    Button { label: &step.label, to, posts, expected: step.expected, fields }
}

fn piece(span: &Span) -> Piece<'_> {
    match span {
        Span::Text(words) | Span::Moment { words, .. } => Piece { kind: "text", words, url: "" },
        Span::Strong(words) => Piece { kind: "strong", words, url: "" },
        Span::Code(words) => Piece { kind: "code", words, url: "" },
        Span::Person(person) => Piece { kind: "code", words: person.user.as_str(), url: "" },
        Span::Channel(channel) => Piece { kind: "code", words: channel.as_str(), url: "" },
        Span::Link { label, url } => Piece { kind: "link", words: label, url },
    }
}

fn pieces(line: &Line) -> Vec<Piece<'_>> {
    line.iter().map(piece).collect()
}
