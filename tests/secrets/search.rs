//! The search itself.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use slash_heroku::sandbox::company::CODES;
use slash_heroku::sandbox::secrets::{MARK, Secret};
use slash_heroku::sandbox::slack::SlackSeed;
use slash_heroku::sandbox::world::World;

/// What is searched for, in every form in which it may stand somewhere.
#[derive(Debug)]
pub struct Needles {
    forms: Vec<(String, String)>,
    codes: Vec<String>,
    /// All secrets, to say which one it is.
    known: Vec<Secret>,
}

impl Needles {
    /// Whatever any simulated world makes up, and codes that people type.
    pub fn common(typed: &[String]) -> Self {
        let seed = SlackSeed::default();
        let mut needles = Self { forms: Vec::new(), codes: CODES.map(str::to_owned).to_vec(), known: Vec::new() };
        needles.codes.extend(typed.iter().filter(|code| !CODES.contains(&code.as_str())).cloned());
        for (what, text) in [("a marked secret", MARK), ("the signing secret", &seed.signing_secret), ("the bot's token", &seed.bot_token)] {
            needles.forms.extend(forms(text).into_iter().map(|form| (what.to_owned(), form)));
        }
        needles
    }

    /// What this world has handed out so far. A new secret of the world is searched for without a change here: it has to
    /// carry the mark, or stand in the world's list.
    pub fn of(world: &World, typed: &[String]) -> Self {
        let mut needles = Self::common(typed);
        needles.known = world.secrets();
        for secret in &needles.known {
            if secret.what == "a one-time code" {
                needles.codes.push(secret.text.clone());
            } else if !secret.text.to_lowercase().contains(MARK) {
                needles.forms.extend(forms(&secret.text).into_iter().map(|form| (secret.what.to_owned(), form)));
            }
        }
        needles.codes.sort();
        needles.codes.dedup();
        needles.forms.sort();
        needles.forms.dedup();
        needles
    }

    /// The first secret in a text, with what stands around it.
    pub fn find(&self, place: &str, text: &str) -> Option<String> {
        let form = self.forms.iter().find_map(|(what, form)| Some((what.as_str(), text.find(form)?)));
        let code = || self.codes.iter().find_map(|code| Some(("a one-time code", word(text, code)?)));
        let (what, at) = form.or_else(code)?;
        let what = self.known.iter().find(|secret| text.contains(&secret.text)).map_or(what, |secret| secret.what);
        let before: String = text[..at].chars().rev().take(200).collect::<Vec<_>>().into_iter().rev().collect();
        let behind: String = text[at..].chars().take(200).collect();
        Some(format!("{what} is in {place}: …{before}{behind}…"))
    }

    /// The first secret in a file of any kind.
    pub fn find_in_file(&self, file: &Path) -> Option<String> {
        // The store's files are mostly empty.
        let bytes = fs::read(file).unwrap();
        let filled: Vec<&[u8]> = bytes.chunks(512).filter(|chunk| chunk.iter().any(|byte| *byte != 0)).collect();
        self.find(&file.display().to_string(), &String::from_utf8_lossy(&filled.concat()))
    }
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

/// Where a code stands as a word of its own: six digits may stand within a longer number.
fn word(text: &str, code: &str) -> Option<usize> {
    let part = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.match_indices(code).map(|(at, _)| at).find(|at| {
        let alone = !part(text[..*at].chars().next_back()) && !part(text[at + code.len()..].chars().next());
        alone || !code.bytes().all(|byte| byte.is_ascii_digit())
    })
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
    for what in ["the signing secret", "the bot's token", "a token of GitHub", "a token of Heroku", "a one-time code", "a link to a stream"] {
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
