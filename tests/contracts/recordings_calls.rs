//! That every call of the outside has a recording: a method that a trait gets is missed here until there is one.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::recordings;
use super::shapes::Shapes;

/// The ports whose adapters ask a service, where they are written, and the hosts whose recordings are of them.
const PORTS: [(&str, &str, &str); 6] = [
    ("Chat", "chat", "slack"),
    ("Directory", "directory", "slack"),
    ("InstallAt", "install", "slack"),
    ("Platform", "platform", "heroku"),
    ("SignInAt", "sign_in", "heroku"),
    ("SourceControl", "source", "github"),
];

/// Methods that ask nobody: they tell what the adapter knows by itself.
const ASK_NOBODY: [&str; 11] = [
    "Chat::has_forms",
    "InstallAt::agree_at",
    "InstallAt::asks_for",
    "Platform::app_page",
    "Platform::build_page",
    "Platform::pipeline_page",
    "Platform::release_page",
    "SignInAt::agree_at",
    "SignInAt::asks_for",
    "SignInAt::ended_by_hand_at",
    "SignInAt::provider",
];

/// What ordinary answers tell of what is left to a token, in headers that the adapters read: of which host, and of paths that begin how.
const LEFT: [(&str, &str, &[&str]); 2] = [
    ("github", "/repo", &["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "x-ratelimit-resource"]),
    ("heroku", "/", &["ratelimit-remaining"]),
];

/// What is asked without a token, and tells nothing of one.
const TELLS_NOTHING: &str = "POST /oauth/tokens";

#[test]
fn ordinary_answers_tell_what_is_left() {
    for (host, begins, headers) in LEFT {
        let shapes = Shapes::of(host);
        let (mut asked, mut told) = (BTreeSet::new(), BTreeSet::new());
        for recording in recordings::of(host).into_values() {
            let (request, response) = (recording.request, recording.response);
            if request.host == "api" && request.path.starts_with(begins) && (200..300).contains(&response.status) {
                let call = shapes.call(&request.method, &request.path);
                if headers.iter().all(|header| response.headers.contains_key(*header)) {
                    told.insert(call.clone());
                }
                asked.insert(call);
            }
        }
        let silent: Vec<&String> = asked.difference(&told).filter(|call| **call != TELLS_NOTHING).collect();
        assert!(told.len() > 8 && silent.is_empty(), "no recording in fixtures/{host} of {silent:?} has all of {headers:?}");
    }
}

/// The methods of a trait, as its source has them.
fn methods(of: &str, source: &str) -> BTreeSet<String> {
    let begins = format!("pub trait {of}:");
    let body = source.lines().skip_while(|line| !line.starts_with(&begins)).take_while(|line| *line != "}");
    let named = body.filter_map(|line| line.strip_prefix("    async fn ").or_else(|| line.strip_prefix("    fn ")));
    named.filter_map(|rest| rest.split(['(', '<']).next()).map(|name| format!("{of}::{name}")).collect()
}

#[test]
fn every_call_of_the_outside_has_a_recording() {
    let mut known = BTreeSet::new();
    for (port, file, host) in PORTS {
        let source = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/ports/{file}.rs"))).unwrap();
        let methods = methods(port, &source);
        assert!(methods.len() > 2, "the methods of {port} were not found");
        let recorded: BTreeSet<String> = recordings::of(host).into_values().filter_map(|recording| recording.call).collect();
        let missing: Vec<&String> =
            methods.iter().filter(|method| !recorded.contains(*method) && !ASK_NOBODY.contains(&method.as_str())).collect();
        assert!(missing.is_empty(), "no recording in fixtures/{host} begins {missing:?}: add one, or say that it asks nobody");
        let gone: Vec<&String> =
            recorded.iter().filter(|call| call.starts_with(&format!("{port}::")) && !methods.contains(*call)).collect();
        assert!(gone.is_empty(), "recordings in fixtures/{host} are of {gone:?}, which {port} does not have");
        known.extend(methods);
    }
    let gone: Vec<&&str> = ASK_NOBODY.iter().filter(|method| !known.contains(**method)).collect();
    assert!(gone.is_empty(), "there is no {gone:?} any more");
}

#[test]
fn the_methods_of_a_trait_are_found() {
    let source = "pub trait Other: Send {\n    fn not_ours(&self);\n}\n/// Says `fn no`.\npub trait Ours: Send {\n    /// fn neither()\n    async fn \
                  asks<'a>(&self);\n    fn tells(\n        &self,\n    ) {\n        fn inner() {}\n    }\n}\nfn after() {}\n";
    let found: Vec<String> = methods("Ours", source).into_iter().collect();
    assert_eq!(found, ["Ours::asks", "Ours::tells"]);
}
