//! Commits and pull requests that are mentioned in somebody's words.

use crate::domain::form::Change;
use crate::domain::names::{RefName, RepoName};
use crate::domain::source::AskedRef;

use super::code::{is_code, is_gap};
use super::reader::{is_hash, repository_of};
use super::tidy::{PageOf, page_of};

/// More than these are not looked for: nobody means so many at once.
const MOST: usize = 20;

/// The commits and pull requests that a text names: by a link to one, by a hash, as `#12` or as `owner/name#12`. Each once, in order; a
/// short form of what is named in full as well is left out. Nothing in it is a command.
pub fn changes_in(text: &str) -> Vec<Change> {
    let mut found: Vec<Change> = Vec::new();
    let ends = |c: char| is_gap(c) || matches!(c, '(' | ')' | '[' | ']' | '<' | '>' | '"' | '\'' | '`' | ',' | ';' | '|' | '*');
    for word in text.split(ends) {
        let word = word.trim_end_matches(['.', ':', '!', '?', '…', '_', '~']);
        if let Some(change) = change(word)
            && !found.contains(&change)
            && found.len() < MOST
        {
            found.push(change);
        }
    }
    let all = found.clone();
    found.retain(|one| !all.iter().any(|other| other != one && says_more(other, one)));
    found
}

fn change(word: &str) -> Option<Change> {
    if let Some(page) = page_of(word) {
        let what = match page {
            PageOf::Pull(number) => AskedRef::Pull(number),
            PageOf::Commit(name) => AskedRef::Named(RefName::parse(&name).ok()?),
            // A branch is no change: it may stand for another one by now.
            PageOf::Ref(_) => return None,
        };
        return Some(Change { what, of: repository_of(word) });
    }
    if let Some((of, number)) = word.split_once('#') {
        let number = number.parse::<u64>().ok().filter(|number| *number > 0 && number.to_string().len() == word.len() - of.len() - 1)?;
        let of = if of.is_empty() { None } else { Some(RepoName::parse(of).ok()?) };
        return Some(Change { what: AskedRef::Pull(number), of });
    }
    let lower = word.to_ascii_lowercase();
    // Digits alone are a number of something.
    let hash = is_hash(&lower) && lower.bytes().any(|byte| byte.is_ascii_alphabetic()) && !is_code(&lower);
    hash.then(|| RefName::parse(&lower).ok().map(|name| Change { what: AskedRef::Named(name), of: None }))?
}

/// Whether the first is the second, told more fully.
fn says_more(first: &Change, second: &Change) -> bool {
    let same = match (&first.what, &second.what) {
        (AskedRef::Named(long), AskedRef::Named(short)) => long.as_str().starts_with(short.as_str()),
        (long, short) => long == short,
    };
    same && (second.of.is_none() || second.of == first.of)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Vec<String> {
        let one = |change: &Change| format!("{} of {}", change.what, change.of.as_ref().map_or("?", RepoName::as_str));
        changes_in(text).iter().map(one).collect()
    }

    #[test]
    fn what_is_mentioned_is_found_once_and_in_order() {
        let long = "27bd10a4e6c85f3971d2b0a8c4f6e5d3921b7a33";
        for (text, found) in [
            ("please ship https://github.com/acme/hubot/pull/7, it is green.", vec!["7 of acme/hubot"]),
            ("#7 and acme/hubot#7 and (#8).", vec!["7 of acme/hubot", "8 of ?"]),
            ("merged as 27BD10A!", vec!["27bd10a of ?"]),
            ("`27bd10a` is https://github.com/acme/hubot/commit/27bd10a4e6c85f3971d2b0a8c4f6e5d3921b7a33", vec!["long of acme/hubot"]),
            ("acme/web#7 or acme/hubot#7", vec!["7 of acme/web", "7 of acme/hubot"]),
            ("call 1234567 or 0123456789, #0 #x #07 # defaced https://github.com/acme/hubot/tree/main", vec![]),
            ("", vec![]),
        ] {
            let found: Vec<String> = found.iter().map(|one| one.replace("long", long)).collect();
            let said: Vec<String> = said(text).iter().map(|one| one.trim_start_matches('#').to_owned()).collect();
            assert_eq!(said, found, "{text}");
        }
        let many: String = (1..100).map(|n| format!("#{n} ")).collect();
        assert_eq!(changes_in(&many).len(), MOST);
    }
}
