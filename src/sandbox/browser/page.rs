//! A page as a person sees it: title, lines, buttons, links. Reads the HTML that our pages and the simulated services write.

use std::collections::BTreeMap;

use url::Url;

/// What a passcode is shown as in transcripts.
const HIDDEN: &str = "********";

/// A button of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Button {
    pub(super) label: String,
    /// What is sent along if it is pressed.
    pub(super) field: Option<(String, String)>,
}

/// A form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) action: String,
    pub(super) posts: bool,
    pub(super) fields: Vec<(String, String)>,
    pub(super) buttons: Vec<Button>,
}

/// A page.
#[derive(Clone, Debug)]
pub struct Page {
    /// Where it is.
    pub url: Url,
    /// The status that it came with.
    pub status: u16,
    /// Its first heading.
    pub title: String,
    /// What it says below.
    pub lines: Vec<String>,
    /// The passcode that it shows.
    pub passcode: Option<String>,
    /// Where its forms may lead to, if it says so.
    pub(super) forms_lead_to: Option<Vec<String>>,
    forms: Vec<Form>,
    links: Vec<(String, String)>,
}

impl Page {
    /// Reads a page.
    pub(super) fn read(url: Url, status: u16, text: &str, forms_lead_to: Option<Vec<String>>) -> Self {
        let page = Self {
            url,
            status,
            title: String::new(),
            lines: Vec::new(),
            passcode: None,
            forms_lead_to,
            forms: Vec::new(),
            links: Vec::new(),
        };
        let mut reading = Reading { page, buffers: Vec::new() };
        for piece in pieces(text) {
            reading.take(piece);
        }
        reading.page
    }

    /// As it stands in a transcript.
    pub fn told(&self) -> Vec<String> {
        let status = if self.status == 200 { String::new() } else { format!(" {}", self.status) };
        let buttons: Vec<String> = self.forms.iter().flat_map(|form| &form.buttons).map(|button| format!("[{}]", button.label)).collect();
        let mut told = vec![format!("(page{status}) {}", self.title)];
        told.extend(self.lines.iter().map(|line| format!("  {line}")));
        if !buttons.is_empty() {
            told.push(format!("  {}", buttons.join(" ")));
        }
        told
    }

    /// Whether there is a button of this label.
    pub fn shows(&self, label: &str) -> bool {
        self.button(label).is_some()
    }

    pub(super) fn button(&self, label: &str) -> Option<(&Form, &Button)> {
        self.forms.iter().find_map(|form| Some((form, form.buttons.iter().find(|button| button.label == label)?)))
    }

    pub(super) fn link(&self, label: &str) -> Option<&str> {
        self.links.iter().find(|(known, _)| known == label).map(|(_, to)| to.as_str())
    }

    pub(super) fn labels(&self) -> Vec<String> {
        let buttons = self.forms.iter().flat_map(|form| &form.buttons).map(|button| &button.label);
        buttons.chain(self.links.iter().map(|(label, _)| label)).map(|label| format!("[{label}]")).collect()
    }
}

/// A piece of a text of HTML.
enum Piece<'t> {
    Open(&'t str, BTreeMap<String, String>),
    Close(&'t str),
    Words(String),
}

/// What is being read: the words of the elements that are open.
struct Reading {
    page: Page,
    buffers: Vec<(String, BTreeMap<String, String>, String)>,
}

impl Reading {
    fn take(&mut self, piece: Piece<'_>) {
        match piece {
            Piece::Open("input", given) => {
                if let (Some(form), Some(name)) = (self.page.forms.last_mut(), given.get("name")) {
                    form.fields.push((name.clone(), given.get("value").cloned().unwrap_or_default()));
                }
            }
            Piece::Open("form", given) => {
                let attribute = |name: &str| given.get(name).cloned().unwrap_or_default();
                let posts = attribute("method").eq_ignore_ascii_case("post");
                self.page.forms.push(Form { action: attribute("action"), posts, ..Form::default() });
            }
            Piece::Open(name @ ("h1" | "h2" | "p" | "li" | "button" | "a" | "output" | "code" | "title"), given) => {
                self.buffers.push((name.to_owned(), given, String::new()));
            }
            Piece::Open(..) => {}
            Piece::Words(words) => {
                if let Some((.., buffer)) = self.buffers.last_mut() {
                    buffer.push_str(&words);
                }
            }
            Piece::Close(name) => {
                if let Some((.., words)) = self.buffers.last()
                    && self.buffers.last().is_some_and(|(open, ..)| open == name)
                {
                    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
                    let spaced = self.buffers.pop();
                    self.closed(name, &words, spaced.map(|(_, given, raw)| (given, raw)).unwrap_or_default());
                }
            }
        }
    }

    fn closed(&mut self, name: &str, words: &str, (given, raw): (BTreeMap<String, String>, String)) {
        let mut inside = |text: &str| {
            if let Some((.., buffer)) = self.buffers.last_mut() {
                buffer.push_str(text);
            }
        };
        match name {
            "code" => inside(&format!("`{raw}`")),
            "a" => {
                inside(&raw);
                self.page.links.push((words.to_owned(), given.get("href").cloned().unwrap_or_default()));
            }
            "output" => {
                inside(HIDDEN);
                self.page.passcode = Some(words.to_owned());
            }
            "h1" => self.page.title = words.to_owned(),
            "button" => {
                let field = given.get("name").map(|name| (name.clone(), given.get("value").cloned().unwrap_or_default()));
                if let Some(form) = self.page.forms.last_mut() {
                    form.buttons.push(Button { label: words.to_owned(), field });
                }
            }
            "li" => self.page.lines.push(format!("- {words}")),
            "h2" | "p" if !words.is_empty() => self.page.lines.push(words.to_owned()),
            _ => {}
        }
    }
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((words, after)) = rest.split_once('<') {
        pieces.push(Piece::Words(plain(words)));
        let Some((tag, after)) = after.split_once('>') else { break };
        match tag.strip_prefix('/') {
            Some(name) => pieces.push(Piece::Close(name.trim())),
            None => {
                let (name, attributes) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
                pieces.push(Piece::Open(name, attributes_of(attributes)));
            }
        }
        rest = after;
    }
    pieces
}

fn attributes_of(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once("=\"") {
        let Some((value, after)) = after.split_once('"') else { break };
        found.insert(name.trim().to_owned(), plain(value));
        rest = after;
    }
    found
}

/// Words without the escapes that keep them from being markup.
fn plain(words: &str) -> String {
    let escapes = [("&#34;", "\""), ("&quot;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&lt;", "<"), ("&#62;", ">"), ("&gt;", ">")];
    let words = escapes.into_iter().fold(words.to_owned(), |words, (escape, plain)| words.replace(escape, plain));
    words.replace("&#38;", "&").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_as_a_person_sees_it() {
        let text = "<!doctype html><html lang=\"en\"><title>T</title><h1>A &#60;b&#62;</h1><p>Say <code>/h x</code> to <a href=\"/y?a=1&amp;b\">it</a></p>\
                    <p>Code <output>123</output></p><section><h2>One <span>done</span></h2><ul><li>why</li></ul>\
                    <form method=\"post\" action=\"/go\"><input type=\"hidden\" name=\"s\" value=\"a&#34;b\"><button name=\"as\" value=\"ana\">Go</button></form>\
                    </section></html>";
        let page = Page::read(Url::parse("https://a.example/").unwrap(), 410, text, None);
        assert_eq!(page.told(), ["(page 410) A <b>", "  Say `/h x` to it", "  Code ********", "  One done", "  - why", "  [Go]"]);
        assert_eq!(page.link("it"), Some("/y?a=1&b"));
        assert_eq!(page.passcode.as_deref(), Some("123"));
        let (form, button) = page.button("Go").unwrap();
        assert_eq!(
            (form.action.as_str(), form.posts, form.fields.as_slice()),
            ("/go", true, [("s".to_owned(), "a\"b".to_owned())].as_slice())
        );
        assert_eq!(button.field, Some(("as".to_owned(), "ana".to_owned())));
    }
}
