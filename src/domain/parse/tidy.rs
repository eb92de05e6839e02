//! A text as it was meant: without what chats and keyboards have made of it.

use super::code::{is_gap, is_invisible, unfenced, unquoted_word};

/// What a link into a repository's pages leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PageOf {
    /// A pull request.
    Pull(u64),
    /// A commit: the same wherever it is found.
    Commit(String),
    /// A branch or a tag.
    Ref(String),
}

/// The text on one line, with mark-up of links and names replaced by what a person would have typed.
pub(super) fn tidy(text: &str) -> String {
    let mut tidy = String::with_capacity(text.len());
    let mut rest = unfenced(text.trim_matches(|c| is_gap(c) || is_invisible(c)));
    while let Some((before, from)) = rest.find('<').and_then(|at| rest.split_at_checked(at)) {
        tidy.push_str(before);
        let bracketed = from.strip_prefix('<').and_then(|inner| inner.split_once('>'));
        if let Some((words, after)) = bracketed.and_then(|(inner, after)| Some((typed(inner)?, after))) {
            tidy.push_str(&words);
            rest = after;
        } else {
            tidy.push('<');
            rest = from.strip_prefix('<').unwrap_or_default();
        }
    }
    tidy.push_str(rest);
    tidy.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// What a person typed for `<inner>`; `None`: just that.
fn typed(inner: &str) -> Option<String> {
    let (target, label) = inner.split_once('|').unwrap_or((inner, ""));
    let is_id = |id: &str| id.len() > 1 && id.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if let Some(channel) = target.strip_prefix('#') {
        let number = !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_digit());
        let words = if number { format!("#{label}") } else { label.to_owned() };
        return (is_id(channel) && !label.is_empty()).then_some(words);
    }
    if let Some(person) = target.strip_prefix('@') {
        return (is_id(person) && !label.is_empty()).then(|| label.to_owned());
    }
    if let Some(other) = target.strip_prefix("mailto:").or_else(|| target.strip_prefix("tel:")) {
        return Some(if label.is_empty() { other } else { label }.to_owned());
    }
    let address = without_scheme(target)?;
    if page_of(target).is_some() {
        return Some(target.to_owned());
    }
    if !label.is_empty() {
        return Some(label.to_owned());
    }
    let host = address.trim_end_matches('/');
    Some(if host.contains('/') { target } else { host }.to_owned())
}

fn without_scheme(url: &str) -> Option<&str> {
    url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))
}

/// What a link into a repository's pages leads to, by the shape of its path.
pub(super) fn page_of(url: &str) -> Option<PageOf> {
    let path = without_scheme(url)?.split(['?', '#']).next()?;
    let mut parts = path.trim_end_matches('/').splitn(5, '/');
    let (_host, _owner, _repository, kind, what) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    match kind {
        "pull" => what.split('/').next()?.parse().ok().filter(|number| *number > 0).map(PageOf::Pull),
        "commit" | "commits" => {
            let hash = what.to_ascii_lowercase();
            let is_hash = (7..=64).contains(&hash.len()) && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
            is_hash.then_some(PageOf::Commit(hash))
        }
        "tree" => Some(PageOf::Ref(what.to_owned())),
        "releases" => what.strip_prefix("tag/").map(|tag| PageOf::Ref(tag.to_owned())),
        _ => None,
    }
}

/// A word as it was meant: no quotes around it, nothing invisible in it, typographic dashes as they were typed.
pub(super) fn tidy_word(word: &str) -> String {
    let visible: String = word.chars().filter(|c| !is_invisible(*c)).collect();
    let mut tidy = String::with_capacity(visible.len());
    for c in unquoted_word(&visible).chars() {
        match c {
            '\u{2010}'..='\u{2013}' | '\u{2212}' => tidy.push('-'),
            // What keyboards make of two.
            '\u{2014}' | '\u{2015}' => tidy.push_str("--"),
            other => tidy.push(other),
        }
    }
    tidy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mark_up_becomes_what_was_typed() {
        for (given, meant) in [
            ("deploy <http://web.app|web.app> to staging", "deploy web.app to staging"),
            ("deploy <http://web.app>", "deploy web.app"),
            ("deploy web/<http://v1.2.io|v1.2.io>", "deploy web/v1.2.io"),
            ("info <#C123|hubot>", "info hubot"),
            ("deploy web/<#C123|42>", "deploy web/#42"),
            ("info <@U123|ana>", "info ana"),
            ("info <@U123>", "info <@U123>"),
            ("info <#C123|>", "info <#C123|>"),
            ("a <b> c", "a <b> c"),
            ("a < b", "a < b"),
            ("a\tb\nc", "a b c"),
            ("because <https://ci.example.com/1/2>", "because https://ci.example.com/1/2"),
            ("`help`", "help"),
        ] {
            assert_eq!(tidy(given), meant, "{given}");
        }
    }

    #[test]
    fn pages_of_a_repository_are_known_by_their_path() {
        let page = |path: &str| page_of(&format!("https://example.com/acme/web/{path}"));
        assert_eq!(page("pull/123"), Some(PageOf::Pull(123)));
        assert_eq!(page("pull/123/files#diff-1"), Some(PageOf::Pull(123)));
        assert_eq!(page("commit/27BD10A"), Some(PageOf::Commit("27bd10a".to_owned())));
        assert_eq!(page("tree/feature/x"), Some(PageOf::Ref("feature/x".to_owned())));
        assert_eq!(page("releases/tag/v1"), Some(PageOf::Ref("v1".to_owned())));
        assert_eq!(page("issues/1"), None);
        assert_eq!(page("pull/x"), None);
    }

    #[test]
    fn dashes_and_quotes_of_keyboards() {
        assert_eq!(tidy_word("“web\u{2013}eu”"), "web-eu");
        assert_eq!(tidy_word("a\u{2014}b"), "a--b");
        assert_eq!(tidy_word("ma\u{200b}in"), "main");
    }
}
