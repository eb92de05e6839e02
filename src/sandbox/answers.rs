//! What simulators answered, for tests to look at: of answers that are alike one is kept, and no more than there is room for.

use std::collections::BTreeSet;

use axum::body::Bytes;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// How many answers are kept, and how long one may be, in bytes.
const MOST: usize = 4096;
const LONGEST: usize = 1 << 20;

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenAnswer {
    /// The method that was asked with.
    pub method: String,
    /// The path that was asked for, without the query.
    pub path: String,
    /// The status.
    pub status: u16,
    /// The body, which is JSON.
    pub body: Bytes,
}

/// The answers so far.
#[derive(Debug, Default)]
pub(super) struct Answers {
    kept: Vec<SeenAnswer>,
    known: BTreeSet<[u8; 32]>,
    left_out: usize,
}

impl Answers {
    /// Keeps an answer if it is JSON and unlike all before.
    pub(super) fn note(&mut self, method: &str, path: &str, status: u16, body: &Bytes) {
        let Ok(value) = serde_json::from_slice::<Value>(body) else { return };
        let mut digest = Sha256::new();
        digest.update(format!("{method} {status}"));
        for part in path.split('/') {
            // What has a digit in it is an id, of which there are many.
            digest.update([b'/']);
            digest.update(if part.contains(|c: char| c.is_ascii_digit()) { "*" } else { part });
        }
        form(&value, &mut digest);
        if self.known.contains(&<[u8; 32]>::from(digest.clone().finalize())) {
            return;
        }
        if self.kept.len() >= MOST || body.len() > LONGEST {
            self.left_out = self.left_out.saturating_add(1);
            return;
        }
        self.known.insert(digest.finalize().into());
        self.kept.push(SeenAnswer { method: method.to_owned(), path: path.to_owned(), status, body: body.clone() });
    }

    /// The answers, and how many there was no room for.
    pub(super) fn seen(&self) -> (Vec<SeenAnswer>, usize) {
        (self.kept.clone(), self.left_out)
    }
}

/// What makes a body another one: its keys, the kinds of what stands there, and words, of which there are few.
fn form(value: &Value, digest: &mut Sha256) {
    match value {
        Value::Null => digest.update("n"),
        Value::Bool(is) => digest.update(if *is { "t" } else { "f" }),
        Value::Number(number) => digest.update(if number.is_f64() { "d" } else { "i" }),
        Value::String(text) => {
            let is_word = text.len() < 40 && text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
            digest.update(if is_word { format!("w{text} ") } else { "s".to_owned() });
        }
        Value::Array(members) => {
            // Members of a list are mostly alike, however many there are.
            let forms: BTreeSet<[u8; 32]> = members
                .iter()
                .map(|member| {
                    let mut digest = Sha256::new();
                    form(member, &mut digest);
                    digest.finalize().into()
                })
                .collect();
            digest.update("[");
            forms.iter().for_each(|form| digest.update(form));
            digest.update("]");
        }
        Value::Object(members) => {
            digest.update("{");
            for (key, member) in members {
                digest.update(key);
                digest.update(":");
                form(member, digest);
            }
            digest.update("}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_answers_that_are_alike_one_is_kept() {
        let mut answers = Answers::default();
        let mut note = |path: &str, body: &str| {
            answers.note("GET", path, 200, &Bytes::copy_from_slice(body.as_bytes()));
            answers.kept.len()
        };
        let builds = |status: &str, at: &str| format!(r#"[{{"status":"{status}","at":"{at}"}}]"#);
        assert_eq!(note("/apps/1/builds", &builds("pending", "10:00")), 1);
        assert_eq!(note("/apps/2/builds", &builds("pending", "10:01")), 1);
        assert_eq!(note("/apps/1/builds", &builds("failed", "10:02")), 2);
        assert_eq!(note("/apps/1/dynos", &builds("failed", "10:02")), 3);
        assert_eq!(note("/apps/1/builds", r#"[{"status":null,"at":"10:02"}]"#), 4);
        assert_eq!(note("/apps/1/builds", "<html>"), 4);
    }

    #[test]
    fn what_there_is_no_room_for_is_counted() {
        let mut answers = Answers::default();
        let long = format!(r#"{{"text":"{}"}}"#, "x ".repeat(LONGEST));
        answers.note("GET", "/", 200, &Bytes::from(long));
        assert_eq!(answers.seen(), (Vec::new(), 1));
    }
}
