//! A Rust source as tokens: every path it names, every word it holds, also inside macros and `use` trees.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// A path as it is written.
#[derive(Clone, Debug)]
pub struct Named {
    /// Where.
    pub line: usize,
    /// Its segments, without `r#`; a glob ends with `*`.
    pub segments: Vec<String>,
    /// It begins with `::`.
    pub absolute: bool,
    /// It is the leaf of a `use` or an `extern crate`, and this is the name it gets; `None`: it is only used.
    pub bound: Option<String>,
    /// The modules inside the file around it.
    pub inside: Vec<String>,
    /// It stands in code for tests.
    pub test: bool,
}

/// An identifier or a text in quotes. Documentation is left out.
#[derive(Clone, Debug)]
pub struct Word {
    /// Where.
    pub line: usize,
    /// The identifier without `r#`, or the literal as it is written.
    pub text: String,
    /// Whether it is a literal.
    pub literal: bool,
    /// It stands where people who ask do not read: in an attribute or in the log.
    pub aside: bool,
    /// It stands in code for tests.
    pub test: bool,
}

/// A module that the file declares.
#[derive(Clone, Debug)]
pub struct Module {
    /// Its path below the file's own module.
    pub path: Vec<String>,
    /// It is for tests.
    pub test: bool,
}

/// What was found in one file.
#[derive(Debug, Default)]
pub struct Source {
    /// All paths.
    pub named: Vec<Named>,
    /// All words.
    pub words: Vec<Word>,
    /// All modules.
    pub modules: Vec<Module>,
    /// Lines where code is brought in that these tests would not see, and how.
    pub hidden: Vec<(usize, &'static str)>,
}

/// Reads a source.
pub fn read(text: &str) -> Result<Source, String> {
    let tokens: TokenStream = text.parse().map_err(|error| format!("is no Rust: {error}"))?;
    let mut walker = Walker::default();
    walker.walk(tokens);
    Ok(walker.source)
}

const KEYWORDS: [&str; 38] = [
    "as", "async", "await", "break", "const", "continue", "dyn", "else", "enum", "extern", "false", "fn", "for", "if", "impl", "in", "let",
    "loop", "match", "mod", "move", "mut", "pub", "ref", "return", "static", "struct", "trait", "true", "type", "unsafe", "use", "where",
    "while", "box", "yield", "do", "try",
];

fn ident(token: Option<&TokenTree>) -> Option<String> {
    match token {
        Some(TokenTree::Ident(ident)) => {
            let text = ident.to_string();
            Some(text.strip_prefix("r#").unwrap_or(&text).to_owned())
        }
        _ => None,
    }
}

fn is_punct(token: Option<&TokenTree>, wanted: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
}

fn is_colons(tokens: &[TokenTree], at: usize) -> bool {
    matches!(tokens.get(at), Some(TokenTree::Punct(first)) if first.as_char() == ':' && first.spacing() == Spacing::Joint)
        && is_punct(tokens.get(at + 1), ':')
}

fn group(token: Option<&TokenTree>, delimiter: Delimiter) -> Option<TokenStream> {
    match token {
        Some(TokenTree::Group(group)) if group.delimiter() == delimiter => Some(group.stream()),
        _ => None,
    }
}

fn line(token: Option<&TokenTree>) -> usize {
    token.map_or(0, |token| token.span().start().line)
}

/// Whether the inside of `cfg(…)` holds for tests only: `test`, or `all(…)` with `test` and without `not`.
fn is_for_tests(condition: &TokenStream) -> bool {
    let tokens: Vec<TokenTree> = condition.clone().into_iter().collect();
    match ident(tokens.first()).as_deref() {
        Some("test") => tokens.len() == 1,
        // The feature is only ever on in tests, ours and those of adapters elsewhere.
        Some("feature") => condition.to_string() == r#"feature = "testing""#,
        Some("all") => {
            let parts: Vec<_> = group(tokens.get(1), Delimiter::Parenthesis).into_iter().flatten().collect();
            parts.iter().any(|part| ident(Some(part)).as_deref() == Some("test"))
                && parts.iter().all(|part| ident(Some(part)).as_deref() != Some("not"))
        }
        _ => false,
    }
}

#[derive(Default)]
struct Walker {
    source: Source,
    inside: Vec<String>,
    test: bool,
    aside: bool,
}

/// What an item looks like so far, to see where it ends.
#[derive(Default)]
struct Item {
    /// It is for tests only.
    test: bool,
    /// A word was seen that only items begin with: a comma is inside it.
    is_item: bool,
    /// It is a `use`: braces are inside it.
    is_use: bool,
}

impl Walker {
    fn walk(&mut self, stream: TokenStream) {
        let tokens: Vec<TokenTree> = stream.into_iter().collect();
        let (outer, mut item, mut at) = (self.test, Item::default(), 0);
        let mut inner = false;
        while at < tokens.len() {
            self.test = outer || inner || item.test;
            match &tokens[at] {
                TokenTree::Punct(punct) if punct.as_char() == '#' => {
                    let is_inner = is_punct(tokens.get(at + 1), '!');
                    let place = if is_inner { at + 2 } else { at + 1 };
                    let Some(attribute) = group(tokens.get(place), Delimiter::Bracket) else {
                        at += 1;
                        continue;
                    };
                    if self.attribute(attribute, line(tokens.get(place))) {
                        if is_inner { inner = true } else { item.test = true }
                    }
                    at = place + 1;
                }
                TokenTree::Punct(punct) if punct.as_char() == ';' || (punct.as_char() == ',' && !item.is_item) => {
                    item = Item::default();
                    at += 1;
                }
                TokenTree::Punct(_) if is_colons(&tokens, at) => at = self.path(&tokens, at),
                TokenTree::Punct(_) => at += 1,
                TokenTree::Group(group) => {
                    self.walk(group.stream());
                    if group.delimiter() == Delimiter::Brace && !item.is_use {
                        item = Item::default();
                    }
                    at += 1;
                }
                TokenTree::Literal(literal) => {
                    let text = literal.to_string();
                    if text.contains('"') {
                        self.word(line(tokens.get(at)), text, true);
                    }
                    at += 1;
                }
                TokenTree::Ident(_) => at = self.word_or_path(&tokens, at, &mut item),
            }
        }
        self.test = outer;
    }

    /// Whether what follows is for tests only.
    fn attribute(&mut self, attribute: TokenStream, line: usize) -> bool {
        let tokens: Vec<TokenTree> = attribute.clone().into_iter().collect();
        match ident(tokens.first()).as_deref() {
            Some("doc") if is_punct(tokens.get(1), '=') => return false,
            Some("path") if is_punct(tokens.get(1), '=') => self.source.hidden.push((line, "#[path]")),
            Some("cfg") => return group(tokens.get(1), Delimiter::Parenthesis).is_some_and(|condition| is_for_tests(&condition)),
            Some("cfg_attr") => {
                let inside: Vec<_> = group(tokens.get(1), Delimiter::Parenthesis).into_iter().flatten().collect();
                let condition = inside.iter().take_while(|token| !is_punct(Some(token), ',')).cloned().collect();
                let before = self.test;
                self.test |= is_for_tests(&condition);
                self.walk(inside.into_iter().collect());
                self.test = before;
                return false;
            }
            _ => {}
        }
        self.walk_aside(attribute);
        false
    }

    fn walk_aside(&mut self, tokens: TokenStream) {
        let before = std::mem::replace(&mut self.aside, true);
        self.walk(tokens);
        self.aside = before;
    }

    fn word(&mut self, line: usize, text: String, literal: bool) {
        self.source.words.push(Word { line, text, literal, aside: self.aside, test: self.test });
    }

    fn word_or_path(&mut self, tokens: &[TokenTree], at: usize, item: &mut Item) -> usize {
        let word = ident(tokens.get(at)).unwrap_or_default();
        match word.as_str() {
            "use" if !is_punct(tokens.get(at + 1), '<') => {
                (item.is_item, item.is_use) = (true, true);
                let end = (at..tokens.len()).find(|&end| is_punct(tokens.get(end), ';')).unwrap_or(tokens.len());
                self.tree(&tokens[at + 1..end], &[], false);
                return end;
            }
            "extern" if ident(tokens.get(at + 1)).as_deref() == Some("crate") => {
                item.is_item = true;
                let name = ident(tokens.get(at + 2)).unwrap_or_default();
                let renamed = if ident(tokens.get(at + 3)).as_deref() == Some("as") { ident(tokens.get(at + 4)) } else { None };
                let bound = Some(renamed.unwrap_or_else(|| name.clone()));
                self.named(line(tokens.get(at + 2)), vec![name], true, bound);
                return at + 3;
            }
            "mod" => {
                item.is_item = true;
                let Some(name) = ident(tokens.get(at + 1)) else { return at + 1 };
                let path = self.inside.iter().cloned().chain([name.clone()]).collect();
                self.source.modules.push(Module { path, test: self.test });
                self.word(line(tokens.get(at + 1)), name.clone(), false);
                if let Some(body) = group(tokens.get(at + 2), Delimiter::Brace) {
                    self.inside.push(name);
                    self.walk(body);
                    self.inside.pop();
                    *item = Item::default();
                    return at + 3;
                }
                return at + 2;
            }
            "include" if is_punct(tokens.get(at + 1), '!') => self.source.hidden.push((line(tokens.get(at)), "include!")),
            "fn" | "struct" | "enum" | "impl" | "trait" | "type" | "const" | "static" | "macro_rules" | "pub" => item.is_item = true,
            _ => {}
        }
        if KEYWORDS.contains(&word.as_str()) {
            self.word(line(tokens.get(at)), word, false);
            return at + 1;
        }
        self.path(tokens, at)
    }

    /// Reads the path that begins at `at`; returns where it ends.
    fn path(&mut self, tokens: &[TokenTree], mut at: usize) -> usize {
        let start = at;
        let absolute = is_colons(tokens, at);
        // After `>` or a metavariable's end, `::` goes on with something whose beginning is no path.
        let goes_on = absolute && at > 0 && is_punct(tokens.get(at - 1), '>');
        if absolute {
            at += 2;
        }
        let mut segments = Vec::new();
        while let Some(segment) = ident(tokens.get(at)).filter(|word| !KEYWORDS.contains(&word.as_str())) {
            self.word(line(tokens.get(at)), segment.clone(), false);
            segments.push(segment);
            at += 1;
            if !is_colons(tokens, at) {
                break;
            }
            if ident(tokens.get(at + 2)).is_some() {
                at += 2;
            } else if is_punct(tokens.get(at + 2), '*') || group(tokens.get(at + 2), Delimiter::Brace).is_some() {
                self.tree(&tokens[at + 2..=at + 2], &segments, absolute);
                return at + 3;
            } else {
                at += 2;
                break;
            }
        }
        let is_log = segments.first().is_some_and(|first| first == "tracing") && is_punct(tokens.get(at), '!');
        if let Some(TokenTree::Group(logged)) = tokens.get(at + 1).filter(|_| is_log) {
            self.walk_aside(logged.stream());
            at += 2;
        }
        if !goes_on && (segments.len() > 1 || (absolute && !segments.is_empty())) {
            self.named(line(tokens.get(start)), segments, absolute, None);
        }
        at.max(start + 1)
    }

    /// Reads a `use` tree below `prefix`: all its leaves.
    fn tree(&mut self, tokens: &[TokenTree], prefix: &[String], absolute: bool) {
        for branch in tokens.split(|token| is_punct(Some(token), ',')) {
            let (mut at, mut segments, mut absolute) = (0, prefix.to_vec(), absolute);
            let mut renamed = None;
            while at < branch.len() {
                if is_colons(branch, at) {
                    absolute |= segments.is_empty();
                    at += 2;
                } else if let Some(inner) = group(branch.get(at), Delimiter::Brace) {
                    self.tree(&inner.into_iter().collect::<Vec<_>>(), &segments, absolute);
                    segments.clear();
                    break;
                } else if ident(branch.get(at)).as_deref() == Some("as") {
                    renamed = ident(branch.get(at + 1));
                    at += 2;
                } else if let Some(segment) = ident(branch.get(at)) {
                    self.word(line(branch.get(at)), segment.clone(), false);
                    // `use a::{self}` is `use a`.
                    if segment != "self" || segments.is_empty() {
                        segments.push(segment);
                    }
                    at += 1;
                } else {
                    if is_punct(branch.get(at), '*') {
                        segments.push("*".to_owned());
                    }
                    at += 1;
                }
            }
            if let Some(last) = segments.last().cloned() {
                self.named(line(branch.last()), segments, absolute, Some(renamed.unwrap_or(last)));
            }
        }
    }

    fn named(&mut self, line: usize, segments: Vec<String>, absolute: bool, bound: Option<String>) {
        let (inside, test) = (self.inside.clone(), self.test);
        self.source.named.push(Named { line, segments, absolute, bound, inside, test });
    }
}

/// The names of everything that the file declares as a module, at the given place inside it.
pub fn modules_at<'a>(source: &'a Source, inside: &[String]) -> BTreeSet<&'a str> {
    source
        .modules
        .iter()
        .filter_map(|module| module.path.split_last())
        .filter(|(_, parents)| *parents == inside)
        .map(|(name, _)| name.as_str())
        .collect()
}
