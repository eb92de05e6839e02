//! The search itself.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use slash_heroku::sandbox::company::CODES;
use slash_heroku::sandbox::secrets::{MARK, Secret};
use slash_heroku::sandbox::slack::SlackSeed;
use slash_heroku::sandbox::world::World;

const CODE: &str = "a one-time code";

/// What is searched for, in every form in which it may stand somewhere.
#[derive(Debug)]
pub struct Needles {
    /// What each form is, and all forms at once.
    what: Vec<String>,
    forms: AhoCorasick,
    codes: AhoCorasick,
    /// All secrets, to say which one it is.
    known: Vec<Secret>,
}

impl Needles {
    /// Whatever any simulated world makes up, and codes that people type.
    pub fn common(typed: &[String]) -> Self {
        Self::made(common(typed))
    }

    /// What this world has handed out so far. A new secret of the world is searched for without a change here: it has to
    /// carry the mark, or stand in the world's list.
    pub fn of(world: &World, typed: &[String]) -> Self {
        Self::made([world.secrets(), common(typed)].concat())
    }

    fn made(known: Vec<Secret>) -> Self {
        let (codes, others): (Vec<&Secret>, Vec<&Secret>) = known.iter().partition(|secret| secret.what == CODE);
        // One search for the mark finds all that carry it.
        let others = others.iter().filter(|secret| secret.text == MARK || !secret.text.to_lowercase().contains(MARK));
        let forms: Vec<(String, String)> =
            others.flat_map(|secret| forms(&secret.text).into_iter().map(|form| (secret.what.to_owned(), form))).collect();
        let machine = |texts: Vec<&str>| AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(texts).unwrap();
        Self {
            what: forms.iter().map(|(what, _)| what.clone()).collect(),
            forms: machine(forms.iter().map(|(_, form)| form.as_str()).collect()),
            codes: machine(codes.iter().map(|code| code.text.as_str()).collect()),
            known,
        }
    }

    /// The first secret in a text, with what stands around it.
    pub fn find(&self, place: &str, text: &str) -> Option<String> {
        self.find_among(place, text, true)
    }

    /// The same in a text full of numbers that nobody has typed: any of them may look like a code.
    pub fn find_among_numbers(&self, place: &str, text: &str) -> Option<String> {
        self.find_among(place, text, false)
    }

    fn find_among(&self, place: &str, text: &str, codes: bool) -> Option<String> {
        let form = self.forms.find(text).map(|found| (self.what[found.pattern().as_usize()].as_str(), found.start()));
        let found = || self.codes.find_iter(text).find(|found| is_word(text, found.range())).map(|found| (CODE, found.start()));
        let (what, at) = form.or_else(|| if codes { found() } else { None })?;
        let what = self.known.iter().find(|secret| secret.text != MARK && text.contains(&secret.text)).map_or(what, |secret| secret.what);
        let before: String = text[..at].chars().rev().take(200).collect::<Vec<_>>().into_iter().rev().collect();
        let behind: String = text[at..].chars().take(200).collect();
        Some(format!("{what} is in {place}: …{before}{behind}…"))
    }

    /// The first secret in a file of any kind.
    pub fn find_in_file(&self, file: &Path) -> Option<String> {
        // The store's files are mostly empty.
        const EMPTY: [u8; 512] = [0; 512];
        let bytes = fs::read(file).unwrap();
        let filled: Vec<&[u8]> = bytes.chunks(EMPTY.len()).filter(|chunk| **chunk != EMPTY[..chunk.len()]).collect();
        self.find(&file.display().to_string(), &String::from_utf8_lossy(&filled.concat()))
    }
}

/// Whatever any simulated world makes up, and codes that people type.
fn common(typed: &[String]) -> Vec<Secret> {
    let seed = SlackSeed::default();
    let mut known = vec![
        Secret { what: "a marked secret", text: MARK.to_owned() },
        Secret { what: "the signing secret", text: seed.signing_secret },
        Secret { what: "the bot's token", text: seed.bot_token },
    ];
    let codes = CODES.into_iter().map(str::to_owned).chain(typed.iter().cloned());
    known.extend(codes.map(|text| Secret { what: CODE, text }));
    known
}

/// The forms that a secret takes on its way: plain, shouted, in an address, in JSON, in base64 at any offset, and as the
/// numbers of its bytes.
fn forms(secret: &str) -> Vec<String> {
    let percent: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let json = serde_json::to_string(secret).unwrap().trim_matches('"').to_owned();
    let numbers = secret.bytes().map(|byte| byte.to_string()).collect::<Vec<_>>();
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut all = vec![secret.to_owned(), secret.to_uppercase(), percent, json, numbers.join(", "), numbers.join(","), hex];
    for offset in 0..3_usize {
        let whole = STANDARD_NO_PAD.encode([vec![b' '; offset], secret.as_bytes().to_vec()].concat());
        // What depends on the neighbours of the secret is left out at both ends.
        let inner = &whole[if offset == 0 { 0 } else { offset + 1 }..whole.len() - 2];
        all.extend([inner.to_owned(), inner.replace('+', "-").replace('/', "_")]);
    }
    all.sort();
    all.dedup();
    all
}

/// Whether a code stands there as a word of its own: six digits may stand within a longer number.
fn is_word(text: &str, at: Range<usize>) -> bool {
    let part = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let alone = !part(text[..at.start].chars().next_back()) && !part(text[at.end..].chars().next());
    alone || !text[at].bytes().all(|byte| byte.is_ascii_digit())
}

/// All files below a folder.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let kind = fs::symlink_metadata(&path).unwrap().file_type();
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() {
                files.push(path);
            }
        }
    }
    files
}

#[tokio::test]
async fn every_secret_of_the_world_carries_the_mark_or_is_known() {
    let clock = slash_heroku::sandbox::clock::SteppedClock::new();
    let world = World::start(clock.for_the_world(), 0).await.unwrap();
    let secrets = world.secrets();
    for what in ["the signing secret", "the bot's token", "a token of GitHub", "a token of Heroku", "a one-time code", "a link to a stream"]
    {
        assert!(secrets.iter().any(|secret| secret.what == what), "the world has {what}");
    }
    let needles = Needles::of(&world, &[]);
    for secret in secrets {
        assert!(needles.find("here", &format!("x {} y", secret.text)).is_some(), "{secret:?} is not searched for");
    }
}

#[test]
fn what_has_leaked_is_found_in_every_form() {
    let needles = Needles::common(&["777123".to_owned()]);
    let token = slash_heroku::sandbox::company::HEROKU_TOKEN;
    let in_base64 = |before: &str| STANDARD_NO_PAD.encode(format!("{before}{token}:password"));
    let leaked = [
        format!("Bearer {token}"),
        format!("https://x.example.com/?a={}", token.replace('-', "%2D")),
        token.to_uppercase(),
        serde_json::to_string(&format!("\"{token}\"")).unwrap(),
        in_base64(""),
        in_base64("a"),
        in_base64("ab"),
        format!("{:?}", token.as_bytes()),
        "v0 sandbox-signing-secret".to_owned(),
        "code 777123.".to_owned(),
        format!("deploy vault {}", CODES[1]),
    ];
    for text in &leaked {
        assert!(needles.find("here", text).is_some(), "{text}");
        let folder = crate::support::folders::in_memory();
        let file = folder.path().join("db");
        fs::write(&file, [vec![0; 8192], text.as_bytes().to_vec(), vec![0; 8192]].concat()).unwrap();
        assert!(files_below(folder.path()).iter().any(|file| needles.find_in_file(file).is_some()), "{text} in a file");
    }
    for text in ["1777123", "27bd10a127bd10a1234567", "a token of Heroku", ""] {
        assert_eq!(needles.find("here", text), None);
    }
}
