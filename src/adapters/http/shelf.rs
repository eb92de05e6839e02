//! Answers that are kept so that they need not be sent again: bounded, in memory, each for one credential only.

use std::fmt;

use bytes::Bytes;
use http::HeaderValue;
use http::header::{AUTHORIZATION, IF_NONE_MATCH};
use lru::LruCache;
use secrecy::SecretString;
use sha2::{Digest, Sha256};

use super::call::{Answer, Call, bearer};

/// How many answers are kept.
const ANSWERS: usize = 1024;

/// How much all of them may take, in bytes.
const ROOM: usize = 8 * 1024 * 1024;

/// How much one may take, in bytes: it must not drive out many others.
const LARGEST: usize = 512 * 1024;

/// What an answer takes beside its body and headers, about, in bytes.
const OVERHEAD: usize = 512;

/// By what an answer is found again: a digest of the credential, and one of all else that the answer depends on. Neither leads
/// back to what it was made of.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    credential: [u8; 32],
    asked: [u8; 32],
}

impl Key {
    /// Of a request: its credential, method, address, headers and body.
    pub fn of(call: &Call) -> Self {
        let credential = call.headers.get(AUTHORIZATION).map(HeaderValue::as_bytes).unwrap_or_default();
        let mut headers: Vec<(&str, &[u8])> = call
            .headers
            .iter()
            .filter(|(name, _)| **name != AUTHORIZATION && **name != IF_NONE_MATCH)
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect();
        headers.sort_unstable();
        let mut asked = Parts::default();
        asked.add(call.method.as_str().as_bytes());
        asked.add(call.url.as_str().as_bytes());
        for (name, value) in headers {
            asked.add(name.as_bytes());
            asked.add(value);
        }
        asked.add(call.body.as_ref().and_then(reqwest::Body::as_bytes).unwrap_or_default());
        Self { credential: Sha256::digest(credential).into(), asked: asked.0.finalize().into() }
    }

    /// Whether both are of one credential.
    pub fn same_credential(&self, other: &Self) -> bool {
        self.credential == other.credential
    }

    /// Whether it is of a request that was made with a token.
    pub fn is_of(&self, token: &SecretString) -> bool {
        bearer(token).is_some_and(|header| <[u8; 32]>::from(Sha256::digest(header.as_bytes())) == self.credential)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

/// A digest of parts, each with its length, so that they do not run into one another.
#[derive(Default)]
struct Parts(Sha256);

impl Parts {
    fn add(&mut self, part: &[u8]) {
        self.0.update(part.len().to_le_bytes());
        self.0.update(part);
    }
}

/// An answer that is kept.
#[derive(Clone)]
pub struct Kept {
    /// By what the service knows it.
    pub tag: HeaderValue,
    /// The answer.
    pub answer: Answer,
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").finish_non_exhaustive()
    }
}

impl Kept {
    fn size(&self) -> usize {
        let headers = self.answer.headers.iter().map(|(name, value)| name.as_str().len().saturating_add(value.len()));
        headers.fold(OVERHEAD.saturating_add(self.answer.body.len()), usize::saturating_add)
    }
}

/// The answers. Where there is no room, those go that were not asked for the longest.
pub struct Shelf {
    kept: LruCache<Key, (usize, Kept)>,
    taken: usize,
    room: usize,
}

impl fmt::Debug for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shelf").field("taken", &self.taken).finish_non_exhaustive()
    }
}

impl Default for Shelf {
    fn default() -> Self {
        Self { kept: LruCache::unbounded(), taken: 0, room: ROOM }
    }
}

impl Shelf {
    /// What is kept.
    pub fn get(&mut self, key: &Key) -> Option<Kept> {
        self.kept.get(key).map(|(_, kept)| kept.clone())
    }

    /// Keeps an answer in place of what was kept for the same request. One that is too large is not kept.
    pub fn keep(&mut self, key: Key, mut kept: Kept) {
        self.forget(&key);
        let size = kept.size();
        if size > LARGEST.min(self.room) {
            return;
        }
        // What was read may lie in a larger piece of memory than it fills.
        kept.answer.body = Bytes::copy_from_slice(&kept.answer.body);
        self.kept.put(key, (size, kept));
        self.taken = self.taken.saturating_add(size);
        while self.taken > self.room || self.kept.len() > ANSWERS {
            let Some((_, (size, _))) = self.kept.pop_lru() else { return };
            self.taken = self.taken.saturating_sub(size);
        }
    }

    /// Keeps nothing any more that was read with a token.
    pub fn forget_all_of(&mut self, token: &SecretString) {
        let theirs: Vec<Key> = self.kept.iter().map(|(key, _)| *key).filter(|key| key.is_of(token)).collect();
        theirs.iter().for_each(|key| self.forget(key));
    }

    /// Keeps nothing for this request any more.
    pub fn forget(&mut self, key: &Key) {
        if let Some((size, _)) = self.kept.pop(key) {
            self.taken = self.taken.saturating_sub(size);
        }
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, Method, StatusCode};

    use super::*;
    use crate::adapters::http::call::authorized;
    use crate::ports::Service;

    fn call(token: &str, path: &str) -> Call {
        let url = format!("https://api.example.com{path}").parse().unwrap();
        authorized(Call::new(Service::Platform, Method::GET, url, "/x"), &token.into()).unwrap()
    }

    fn kept(length: usize) -> Kept {
        let answer = Answer { status: StatusCode::OK, headers: HeaderMap::new(), body: vec![0; length].into(), kept_as: None };
        Kept { tag: HeaderValue::from_static("\"1\""), answer }
    }

    #[test]
    fn a_key_is_of_all_that_an_answer_depends_on() {
        let key = |token, path| Key::of(&call(token, path));
        assert!(key("a", "/x") == key("a", "/x"));
        assert!(key("a", "/x") != key("b", "/x"));
        assert!(key("a", "/x").same_credential(&key("a", "/y")));
        assert!(!key("a", "/x").same_credential(&key("b", "/x")));
        assert!(key("a", "/x?page=1") != key("a", "/x?page=2"));
        let with = |name: &'static str, value: &'static str| {
            Key::of(&call("a", "/x").header(http::HeaderName::from_static(name), HeaderValue::from_static(value)))
        };
        assert!(with("accept", "one") != with("accept", "two"));
        assert!(with("range", "id ..; max=200") != key("a", "/x"));
        assert!(with("if-none-match", "\"1\"") == key("a", "/x"), "what is known already changes nothing");
        let body = |text: &str| Key::of(&call("a", "/x").json(&serde_json::json!({ "id": text })));
        assert!(body("1") != body("2"));
    }

    #[test]
    fn there_is_room_for_so_much_and_the_longest_unasked_goes_first() {
        let mut shelf = Shelf { room: 4 * (OVERHEAD + 100), ..Shelf::default() };
        let keys: Vec<Key> = (0..6).map(|number| Key::of(&call("a", &format!("/{number}")))).collect();
        for key in &keys[..4] {
            shelf.keep(*key, kept(100));
        }
        assert!(shelf.get(&keys[0]).is_some());
        shelf.keep(keys[4], kept(100));
        assert!(shelf.get(&keys[1]).is_none() && shelf.get(&keys[0]).is_some());
        shelf.keep(keys[4], kept(10_000));
        assert!(shelf.get(&keys[4]).is_none(), "too large, and what was known before is not true any more");
        shelf.keep(keys[5], kept(150));
        assert_eq!(shelf.kept.len(), 3, "a longer one takes the place of two");
        for key in &keys {
            shelf.forget(key);
        }
        assert_eq!((shelf.taken, shelf.kept.len()), (0, 0));
    }

    #[test]
    fn there_are_at_most_so_many() {
        let mut shelf = Shelf::default();
        for number in 0..ANSWERS + 10 {
            shelf.keep(Key::of(&call("a", &format!("/{number}"))), kept(1));
        }
        assert_eq!(shelf.kept.len(), ANSWERS);
        shelf.keep(Key::of(&call("a", "/large")), kept(LARGEST));
        assert_eq!(shelf.kept.len(), ANSWERS, "one large answer does not drive out the small ones");
    }

    #[test]
    fn nothing_is_printed() {
        assert_eq!(format!("{:?}", Key::of(&call("a", "/x"))), "Key");
    }
}
