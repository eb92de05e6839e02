//! Who may name what, and the judgement of one file.

use std::collections::{BTreeMap, BTreeSet};

use super::lex::{self, Named, Source};

/// What a ring may name. Files at the top of `src` wire everything together and may name everything.
struct Ring {
    name: &'static str,
    /// Rings of ours.
    rings: &'static [&'static str],
    /// Crates beside the standard library; `None`: any.
    crates: Option<&'static [&'static str]>,
    /// Paths that stay forbidden.
    never: &'static [&'static [&'static str]],
    /// Whether it may name the kinds of errors of `std::io`, which open nothing.
    io_kinds: bool,
    /// Words that stay forbidden wherever they stand.
    never_words: &'static [&'static str],
    /// Rings and crates that its tests may name as well.
    in_tests: &'static [&'static str],
    /// Whether vendors may be named.
    vendors: bool,
}

/// What of the standard library touches the world.
const WORLD: &[&[&str]] = &[
    &["std", "fs"],
    &["std", "net"],
    &["std", "env"],
    &["std", "thread"],
    &["std", "process"],
    &["std", "os"],
    &["std", "time", "SystemTime"],
    &["std", "time", "Instant"],
    &["jiff", "Timestamp", "now"],
    &["jiff", "ZonedDateTime", "now"],
    &["jiff", "Zoned", "now"],
    &["jiff", "tz", "TimeZone", "system"],
    &["uuid", "Uuid", "new_v4"],
    &["uuid", "Uuid", "now_v1"],
    &["uuid", "Uuid", "now_v6"],
    &["uuid", "Uuid", "now_v7"],
];

const TEST_CRATES: &[&str] = &["testing", "proptest", "mockall", "serde_json"];

const RINGS: &[Ring] = &[
    Ring {
        name: "domain",
        rings: &["domain"],
        crates: Some(&["serde", "jiff", "uuid", "strsim", "thiserror"]),
        never: WORLD,
        io_kinds: false,
        never_words: &["async", "await", "now_v1", "now_v6", "now_v7", "new_v4"],
        in_tests: TEST_CRATES,
        vendors: false,
    },
    Ring {
        name: "ports",
        rings: &["domain", "ports"],
        crates: Some(&["async_trait", "secrecy", "bytes", "jiff", "uuid", "thiserror"]),
        never: WORLD,
        io_kinds: true,
        never_words: &[],
        in_tests: TEST_CRATES,
        vendors: false,
    },
    Ring {
        name: "usecases",
        rings: &["domain", "ports", "usecases"],
        crates: Some(&["tracing", "secrecy", "jiff", "uuid", "async_trait", "thiserror", "futures_util"]),
        never: WORLD,
        io_kinds: false,
        never_words: &[],
        in_tests: &["proptest", "mockall", "serde_json", "tokio", "bytes", "sandbox", "adapters", "testing", "tempfile"],
        vendors: false,
    },
    Ring {
        name: "testing",
        rings: &["domain", "ports", "testing"],
        crates: Some(&["async_trait", "secrecy", "bytes", "jiff", "uuid", "futures_util", "serde_json", "sha2", "form_urlencoded"]),
        never: WORLD,
        io_kinds: true,
        never_words: &[],
        in_tests: &[],
        vendors: false,
    },
    Ring {
        name: "adapters",
        rings: &["domain", "ports", "adapters"],
        crates: None,
        never: &[],
        io_kinds: true,
        never_words: &[],
        in_tests: &["sandbox", "testing"],
        vendors: true,
    },
    Ring {
        name: "sandbox",
        rings: &["domain", "ports", "sandbox"],
        crates: None,
        never: &[],
        io_kinds: true,
        never_words: &[],
        in_tests: &[],
        vendors: true,
    },
];

/// Adapters that know nothing of each other.
const STRANGERS: &[&str] = &["slack", "console", "github", "heroku", "sled"];

/// Words that belong to one vendor.
const VENDOR_WORDS: &[&str] = &["slack", "mrkdwn", "heroku", "github", "kolkrabbi"];

/// The one place in which sentences get the vendors' names, as two constants.
const VENDOR_NAMES: (&str, &[&str]) = ("src/domain/speech/", &["GITHUB", "HEROKU"]);

/// The files that open a secret: into a header, a signature, a key or the body of a sign-in, to keep it out of a text, or to see that it
/// is the one that was sealed.
pub const SECRETS_OPENED_IN: &[&str] = &[
    "src/adapters/allowances.rs",
    "src/adapters/github/refusal.rs",
    "src/adapters/github/sign_in.rs",
    "src/adapters/heroku/access.rs",
    "src/adapters/heroku/builds.rs",
    "src/adapters/heroku/follow.rs",
    "src/adapters/heroku/refusal.rs",
    "src/adapters/heroku/sign_in.rs",
    "src/adapters/heroku/streams.rs",
    "src/adapters/http/call.rs",
    "src/adapters/pages/door.rs",
    "src/adapters/pages/installing.rs",
    "src/adapters/secrets.rs",
    "src/adapters/slack/api.rs",
    "src/adapters/slack/install.rs",
    "src/adapters/slack/outbound.rs",
    "src/adapters/slack/seal.rs",
    "src/adapters/slack/signature.rs",
    "src/adapters/vault.rs",
    "src/testing/vault.rs",
    "src/usecases/privacy.rs",
];

/// The crates that a source may name: the name in code, and the package behind it.
pub fn crates(manifest: &str) -> BTreeMap<String, String> {
    let manifest: toml::Table = manifest.parse().expect("Cargo.toml is TOML");
    let mut crates = BTreeMap::new();
    for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
        let Some(section) = manifest.get(section).and_then(toml::Value::as_table) else { continue };
        for (name, value) in section {
            let package = value.get("package").and_then(toml::Value::as_str).unwrap_or(name);
            crates.insert(name.replace('-', "_"), package.replace('-', "_"));
        }
    }
    for name in ["std", "proc_macro", "test"] {
        crates.insert(name.to_owned(), name.to_owned());
    }
    // What they hold is a part of the standard library.
    crates.insert("core".to_owned(), "std".to_owned());
    crates.insert("alloc".to_owned(), "std".to_owned());
    crates
}

/// A file's place in the crate: `src/domain/gate.rs` is `domain::gate`.
pub fn module_of(file: &str) -> Vec<String> {
    let path = file.strip_prefix("src/").unwrap_or(file);
    let path = path.strip_suffix(".rs").unwrap_or(path);
    let mut parts: Vec<String> = path.split('/').map(str::to_owned).collect();
    if matches!(parts.last().map(String::as_str), Some("mod")) || parts == ["lib"] || parts == ["main"] {
        parts.pop();
    }
    parts
}

/// Everything that is wrong with a file, one sentence each.
pub fn judge(file: &str, source: &Source, crates: &BTreeMap<String, String>, for_tests: bool) -> Vec<String> {
    let mut wrong: BTreeSet<(usize, String)> = BTreeSet::new();
    for (line, how) in &source.hidden {
        wrong.insert((*line, format!("code may not be brought in by {how}: the tests of the architecture would not see it")));
    }
    for word in source.words.iter().filter(|word| !word.test && !for_tests) {
        let opens = matches!(word.text.as_str(), "expose_secret" | "ExposeSecret" | "expose_secret_mut" | "ExposeSecretMut");
        if opens && !SECRETS_OPENED_IN.contains(&file) {
            wrong.insert((word.line, "secrets are opened in the files of SECRETS_OPENED_IN only, not here".to_owned()));
        }
    }
    let module = module_of(file);
    if let Some(ring) = RINGS.iter().find(|ring| module.first().is_some_and(|first| first == ring.name)) {
        let place = Place { file, ring, module: &module, source, crates, for_tests };
        for named in &source.named {
            for path in place.forbidden(named) {
                wrong.insert((named.line, format!("{} may not name {path}", ring.name)));
            }
        }
        for word in source.words.iter().filter(|word| !word.test && !for_tests) {
            if !word.literal && ring.never_words.contains(&word.text.as_str()) {
                wrong.insert((word.line, format!("{} may not say {}", ring.name, word.text)));
            }
            if ring.name == "usecases" && word.literal && !word.aside && word.text.contains(' ') {
                wrong.insert((word.line, format!("usecases may not say {}: every sentence comes from domain::speech", word.text)));
            }
            if !ring.vendors
                && let Some(vendor) = vendor_in(file, word)
            {
                wrong.insert((word.line, format!("{} may not say {vendor}: a vendor's word stays in its adapter", ring.name)));
            }
        }
    }
    wrong.into_iter().map(|(line, what)| format!("{file}:{line}: {what}")).collect()
}

/// The vendor that a word names, unless it may.
fn vendor_in(file: &str, word: &lex::Word) -> Option<&'static str> {
    let mut text = word.text.replace("slash-heroku", "");
    let (folder, names) = VENDOR_NAMES;
    if file.starts_with(folder) {
        for name in names {
            if word.literal {
                text = text.replace(&format!("{{{name}}}"), "");
                // The constant itself.
                if text.to_uppercase() == format!("\"{name}\"") {
                    return None;
                }
            } else if text == *name {
                return None;
            }
        }
    }
    let text = text.to_lowercase();
    VENDOR_WORDS.iter().copied().find(|vendor| text.contains(vendor))
}

struct Place<'a> {
    file: &'a str,
    ring: &'a Ring,
    module: &'a [String],
    source: &'a Source,
    crates: &'a BTreeMap<String, String>,
    for_tests: bool,
}

/// What a path stands for.
enum Target {
    /// A path in this crate.
    Here(Vec<String>),
    /// A path in another crate; the first segment is the package.
    There(Vec<String>),
}

impl Place<'_> {
    /// What of a path is forbidden here, as it would be written in full.
    fn forbidden(&self, named: &Named) -> Vec<String> {
        let mut found = Vec::new();
        for target in self.targets(named, 0) {
            let test = named.test || self.for_tests;
            match target {
                Target::Here(path) => {
                    let Some(first) = path.first() else { continue };
                    let known = self.ring.rings.contains(&first.as_str()) || (test && self.ring.in_tests.contains(&first.as_str()));
                    if !known || self.is_stranger(&path) {
                        found.push(format!("crate::{}", path.join("::")));
                    }
                }
                Target::There(path) => {
                    let Some(first) = path.first() else { continue };
                    let open = first == "std"
                        || self.ring.crates.is_none_or(|crates| crates.contains(&first.as_str()))
                        || (test && self.ring.in_tests.contains(&first.as_str()));
                    let world = self.ring.never.iter().any(|never| reaches(&path, never, named.bound.is_some()))
                        || (self.ring.never == WORLD && self.is_io(&path, named.bound.is_some()));
                    if !open || (world && !test) {
                        found.push(path.join("::"));
                    }
                }
            }
        }
        found
    }

    /// Whether a path leads into `std::io`, beside the kinds that this ring may name.
    fn is_io(&self, path: &[String], brings_in: bool) -> bool {
        const KINDS: [&str; 3] = ["Error", "ErrorKind", "Result"];
        let kind = path.get(2).is_some_and(|name| KINDS.contains(&name.as_str()));
        reaches(path, &["std", "io"], brings_in) && !(self.ring.io_kinds && kind)
    }

    /// Whether one vendor's adapter reaches into another's.
    fn is_stranger(&self, path: &[String]) -> bool {
        let [ring, theirs, ..] = path else { return false };
        let Some(ours) = self.module.get(1) else { return false };
        self.ring.name == "adapters"
            && ring == "adapters"
            && theirs != ours
            && STRANGERS.contains(&theirs.as_str())
            && STRANGERS.contains(&ours.as_str())
    }

    /// Everything that a path may stand for: where a name is both a crate and something brought in, both.
    fn targets(&self, named: &Named, depth: usize) -> Vec<Target> {
        let here: Vec<String> = self.module.iter().chain(&named.inside).cloned().collect();
        let Some((first, rest)) = named.segments.split_first() else { return Vec::new() };
        let there = |package: &String| Target::There([package.clone()].into_iter().chain(rest.iter().cloned()).collect());
        if named.absolute {
            return vec![self.crates.get(first).map_or_else(|| there(first), there)];
        }
        match first.as_str() {
            "crate" | "slash_heroku" => return vec![Target::Here(rest.to_vec())],
            "self" | "super" => {
                let mut path = here;
                for segment in &named.segments {
                    match segment.as_str() {
                        "self" => {}
                        "super" => drop(path.pop()),
                        _ => path.push(segment.clone()),
                    }
                }
                return vec![Target::Here(path)];
            }
            _ => {}
        }
        if lex::modules_at(self.source, &named.inside).contains(first.as_str()) {
            return vec![Target::Here(here.into_iter().chain(named.segments.iter().cloned()).collect())];
        }
        let mut targets: Vec<Target> = self.crates.get(first).map(there).into_iter().collect();
        // A name that a `use` of this file has bound, wherever it stands in the file.
        for import in self.source.named.iter().filter(|import| import.bound.as_ref() == Some(first)) {
            let is_itself = import.line == named.line && import.segments == named.segments;
            if depth < 4 && !is_itself && import.segments != [first.clone()] {
                let segments = import.segments.iter().chain(rest).cloned().collect();
                let longer = Named { segments, inside: import.inside.clone(), absolute: import.absolute, ..named.clone() };
                targets.extend(self.targets(&longer, depth + 1));
            }
        }
        targets
    }
}

/// Whether a path leads to something forbidden: it is it, or lies in it, or brings it in with everything around it.
fn reaches(path: &[String], never: &[&str], brings_in: bool) -> bool {
    let same = |path: &[String]| path.iter().zip(never).all(|(ours, theirs)| ours == theirs);
    match path.split_last() {
        Some((last, before)) if last == "*" => same(before),
        _ if path.len() >= never.len() => same(path),
        // `use std::time` hands on what it holds under a name that others may use.
        _ => brings_in && path.first().is_some_and(|first| first == "std") && same(path),
    }
}

impl std::fmt::Debug for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} in {}", self.file, self.ring.name)
    }
}
