//! Matching a line of words against the shape of a directive.

use std::collections::BTreeMap;

/// The words that stand in the places of a shape.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places(BTreeMap<String, String>);

impl Places {
    /// What stands in a place; empty if the shape has no such place.
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// The same, owned.
    pub fn own(&self, name: &str) -> String {
        self.get(name).to_owned()
    }
}

/// Matches `line` against `shape`: words as they are, `{name}` for one word (with signs before or after it, as in `#{n}` or
/// `{branch}:`), `{name...}` for one word or more.
pub fn fit(shape: &str, line: &str) -> Option<Places> {
    let (shape, words): (Vec<&str>, Vec<&str>) = (shape.split_whitespace().collect(), line.split_whitespace().collect());
    fit_words(&shape, &words).map(|places| Places(places.into_iter().collect()))
}

fn fit_words(shape: &[&str], words: &[&str]) -> Option<Vec<(String, String)>> {
    let Some((first, shape)) = shape.split_first() else { return words.is_empty().then(Vec::new) };
    let longest = if first.contains("...}") { words.len() } else { 1 };
    (1..=longest).find_map(|taken| {
        let (these, left) = words.split_at_checked(taken)?;
        let here = fit_one(first, &these.join(" "))?;
        let mut places = fit_words(shape, left)?;
        places.extend(here);
        Some(places)
    })
}

fn fit_one(shape: &str, text: &str) -> Option<Option<(String, String)>> {
    let Some((before, rest)) = shape.split_once('{') else { return (shape == text).then_some(None) };
    let (name, after) = rest.split_once('}')?;
    let inside = text.strip_prefix(before)?.strip_suffix(after)?;
    (!inside.is_empty()).then(|| Some((name.trim_end_matches("...").to_owned(), inside.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_take_words_places_and_rests() {
        let places = fit("{repo} {branch}: {check...} {state}", "acme/hubot red: build and test failed").unwrap();
        assert_eq!((places.get("branch"), places.get("check"), places.get("state")), ("red", "build and test", "failed"));
        assert_eq!(fit("hold {app} {stage}", "hold hubot build").unwrap().get("stage"), "build");
        assert_eq!(fit("open {repo} #{n} from {branch}", "open acme/hubot #7 from topic").unwrap().get("n"), "7");
        assert!(fit("hold {app} {stage}", "hold hubot").is_none());
        assert!(fit("{repo} {branch}: {check...} {state}", "acme/hubot red: failed").is_none());
    }
}
