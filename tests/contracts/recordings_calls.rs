//! That every call of the outside has a recording: a method that a trait gets is missed here until there is one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::recordings::{self, Answered, HOSTS};
use super::shapes::Shapes;

/// The ports whose adapters ask a service, where they are written, and the hosts whose recordings are of them.
const PORTS: [(&str, &str, &str); 7] = [
    ("Chat", "chat", "slack"),
    ("Directory", "directory", "slack"),
    ("InstallAt", "install", "slack"),
    ("Platform", "platform", "heroku"),
    ("SignInAt", "sign_in", "github"),
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

/// What a call may be answered beside what it is made for, each with consequences of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// The token is not taken.
    Withdrawn,
    /// The person, the app or the account may not.
    Forbidden,
    /// There were too many calls.
    Limited,
    /// It is not there, or not any more.
    Gone,
    /// There is more on another page.
    NextPage,
    /// All is as it was, and no body comes.
    Unchanged,
}

use Kind::{Forbidden, Gone, Limited, NextPage, Unchanged, Withdrawn};

const KINDS: [Kind; 6] = [Withdrawn, Forbidden, Limited, Gone, NextPage, Unchanged];

/// The names by which Slack refuses, of those kinds that have several.
const NAMED: [(Kind, &[&str]); 4] = [
    (Withdrawn, &["token_revoked", "invalid_auth", "account_inactive", "token_expired"]),
    (Forbidden, &["missing_scope", "restricted_action", "not_in_channel", "team_access_not_granted", "bad_client_secret"]),
    (Limited, &["ratelimited"]),
    (
        Gone,
        &[
            "channel_not_found",
            "user_not_found",
            "message_not_found",
            "is_archived",
            "invalid_code",
            "expired_trigger_id",
            "no_such_subteam",
        ],
    ),
];

/// Of which kind an answer is, if it is of any.
fn kind_of(answer: &Answered) -> Option<Kind> {
    let header = |name: &str| answer.headers.get(name).map(String::as_str);
    let says = |words: &str| answer.body["message"].as_str().is_some_and(|message| message.contains(words));
    match answer.status {
        304 => Some(Unchanged),
        401 => Some(Withdrawn),
        402 | 403 => {
            let limited = header("retry-after").is_some() || header("x-ratelimit-remaining") == Some("0") || says("login attempts");
            Some(if limited { Limited } else { Forbidden })
        }
        404 | 410 => Some(Gone),
        429 => Some(Limited),
        200..300 if answer.body["response_metadata"]["next_cursor"].as_str().is_some_and(|cursor| !cursor.is_empty()) => Some(NextPage),
        200..300 if header("next-range").is_some() || header("link").is_some_and(|link| link.contains("rel=\"next\"")) => Some(NextPage),
        200..300 => {
            let error = answer.body.get("error").and_then(serde_json::Value::as_str)?;
            NAMED.iter().find(|(_, names)| names.contains(&error)).map(|(kind, _)| *kind)
        }
        _ => None,
    }
}

/// A kind of answer that calls which begin so have no recording of, and why that is no gap.
type Blank = (&'static str, &'static [Kind], &'static [&'static str], &'static str);

const BLANKS: &[Blank] = &[
    (
        "github",
        &[Withdrawn, Forbidden, Limited, Gone, NextPage, Unchanged],
        &["GET /repositories/…", "POST /repositories/…"],
        "the same call as by name, whose refusals are recorded: the number is only what a redirect or a link to a page leads to",
    ),
    (
        "github",
        &[NextPage],
        &[
            "GET /repos/{owner}/{repo}",
            "GET /repos/{owner}/{repo}/branches/{branch}",
            "GET /repos/{owner}/{repo}/commits/{ref}",
            "GET /repos/{owner}/{repo}/git/ref/{ref...}",
            "GET /repos/{owner}/{repo}/git/tags/{tag_sha}",
            "GET /repos/{owner}/{repo}/pulls/{pull_number}",
            "GET /repos/{owner}/{repo}/tarball/{ref}",
            "GET /user",
        ],
        "it answers one thing and no list",
    ),
    (
        "github",
        &[NextPage],
        &["GET /repos/{owner}/{repo}/branches", "GET /repos/{owner}/{repo}/tags", "GET /repos/{owner}/{repo}/pulls"],
        "what is offered and what is spelled alike comes from the first hundred: further pages are never asked for",
    ),
    (
        "github",
        &[NextPage],
        &["GET /repos/{owner}/{repo}/commits/{commit_sha}/branches-where-head", "GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls"],
        "one is enough, and the first page tells whether there is one",
    ),
    ("github", &[NextPage, Unchanged], &["POST …", "DELETE …"], "a write answers what it did: no list, and nothing that is kept"),
    ("github", &[Unchanged], &["GET /repos/{owner}/{repo}/tarball/{ref}"], "each answer is a link that is good once: none is kept"),
    ("github", &[Unchanged], &["GET /user"], "it is asked when somebody signs in, and where ending a login finds none: nothing is kept"),
    (
        "github",
        &[Forbidden, Gone],
        &["GET /user"],
        "whoever has a token is there, and every token may ask whose it is: an account that is shut out is told so by the calls of a deploy",
    ),
    (
        "github",
        &[Withdrawn, Forbidden, Limited],
        &["DELETE /applications/…"],
        "it is asked with the app's own id and secret: where they are wrong it answers that there is no such token, as recorded, and which limit it \
         has is not documented",
    ),
    (
        "github",
        &[Withdrawn, Forbidden, Gone],
        &["POST /login/oauth/access_token"],
        "it refuses with 200 and the name of an error, which sign-in-code-used and its like record",
    ),
    (
        "github",
        &[Limited],
        &["POST /login/oauth/access_token"],
        "its limit of two thousand an hour is documented, and how it is told is not",
    ),
    (
        "heroku",
        &[NextPage],
        &[
            "GET /account",
            "GET /account/features/{feature}",
            "GET /apps/{app}/builds/{build}",
            "GET /apps/{app}/releases/{release}",
            "GET /apps/{app}/slugs/{slug}",
            "GET /pipelines/{pipeline}/repo",
            "GET /pipelines/{pipeline}/repository",
        ],
        "it answers one thing and no list",
    ),
    (
        "heroku",
        &[NextPage],
        &["GET /apps/{app}/oci-images/{image}", "GET /pipeline-promotions/{promotion}/promotion-targets"],
        "the list has one member: one image is asked for, and one target is promoted to",
    ),
    (
        "heroku",
        &[NextPage, Unchanged],
        &["DELETE …", "PUT …", "POST /apps/…", "POST /oauth/tokens", "POST /pipeline-promotions", "POST /sources"],
        "a write answers what it did: no list, and nothing that is kept",
    ),
    ("heroku", &[Unchanged], &["POST /filters/apps"], "a read that is a POST: Heroku gives tags with GET only"),
    (
        "heroku",
        &[Unchanged],
        &["GET /apps/{app}/slugs/{slug}", "GET /apps/{app}/oci-images/{image}"],
        "what was built never changes: it is remembered and not asked for again",
    ),
    (
        "heroku",
        &[Forbidden, Limited, Unchanged],
        &["GET /pipelines/{pipeline}/repository"],
        "the older link service has no published description: that it limits, shuts out or gives tags is not known",
    ),
    ("heroku", &[Gone], &["GET /account", "GET /pipelines", "POST /sources"], "it is of the account itself: whoever has a token has it"),
    (
        "heroku",
        &[Gone],
        &["POST /filters/apps", "PUT /users/~/capabilities"],
        "apps that are not there are left out of the answer, or are told as those that one may do nothing with",
    ),
    ("heroku", &[Limited], &["POST /oauth/tokens"], "no account's allowance is taken from, and no other limit is published"),
    ("heroku", &[Gone], &["POST /oauth/tokens"], "a code or a token that is gone is refused as one that is not taken"),
    (
        "slack",
        &[NextPage],
        &[
            "POST /api/chat…",
            "POST /api/conversations…",
            "POST /api/views…",
            "POST /api/oauth…",
            "POST /api/auth.revoke",
            "POST /api/auth.test",
            "POST /api/users.info",
            "POST /api/usergroups…",
        ],
        "it answers one thing, or a list that comes whole",
    ),
    ("slack", &[Unchanged], &["POST …"], "Slack answers each call anew: it knows no tags"),
    ("slack", &[Forbidden, Gone], &["POST /api/auth…"], "it is about the token itself, which needs no right and is there or is not taken"),
    (
        "slack",
        &[Withdrawn, Forbidden, NextPage],
        &["POST /commands/{team}/{number}/{key}"],
        "the address itself is the right, and no token is shown; it takes a message and answers a word",
    ),
    (
        "slack",
        &[Forbidden, Limited, Gone, NextPage],
        &["POST /slack/…"],
        "it is what Slack asks of us: our own door answers, and what it answers is recorded by itself",
    ),
    (
        "slack",
        &[Withdrawn],
        &["POST /slack/actions", "POST /slack/events"],
        "a signature that is wrong is turned away before anything is read: recorded of commands",
    ),
];

/// What is wrong with a host's table: a cell that is neither recorded nor given a reason, or both, and a reason for nothing.
fn faults_of_table(host: &str, calls: &BTreeMap<String, BTreeSet<Kind>>, blanks: &[Blank]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut used = BTreeSet::new();
    for (call, recorded) in calls {
        for kind in KINDS {
            let covers =
                |(of, kinds, begins, _): &Blank| *of == host && kinds.contains(&kind) && begins.iter().any(|begin| is_of(call, begin));
            let reasons: Vec<usize> = (0..blanks.len()).filter(|place| covers(&blanks[*place])).collect();
            used.extend(
                reasons
                    .iter()
                    .flat_map(|place| blanks[*place].2.iter().filter(|begin| is_of(call, begin)).map(|begin| (*place, kind, *begin))),
            );
            match (recorded.contains(&kind), reasons.is_empty()) {
                (false, true) => faults.push(format!("{host}: {call} has no recording of {kind:?}: add one, or say why there is none")),
                (true, false) => faults.push(format!("{host}: {call} has a recording of {kind:?}, and a reason why it has none")),
                (true, true) | (false, false) => {}
            }
        }
    }
    for (place, (of, kinds, begins, why)) in blanks.iter().enumerate().filter(|(_, (of, ..))| *of == host) {
        assert!(why.len() > 20, "{of}: {why} is no reason");
        for (kind, begin) in kinds.iter().flat_map(|kind| begins.iter().map(move |begin| (*kind, *begin))) {
            if !used.contains(&(place, kind, begin)) {
                faults.push(format!("{host}: there is no call {begin}"));
            }
        }
    }
    faults
}

/// Whether a call is the one that is named, or begins as a name that ends in `…` does.
fn is_of(call: &str, named: &str) -> bool {
    named.strip_suffix('…').map_or(call == named, |begin| call.starts_with(begin))
}

#[test]
fn every_call_has_the_answers_that_matter() {
    for host in HOSTS {
        let shapes = Shapes::of(host);
        let mut calls: BTreeMap<String, BTreeSet<Kind>> = shapes.described().map(|(call, _)| (call.to_owned(), BTreeSet::new())).collect();
        for recording in recordings::of(host).into_values().filter(|recording| recording.request.is_described()) {
            let call = shapes.call(&recording.request.method, &recording.request.path);
            calls.entry(call).or_default().extend(kind_of(&recording.response));
        }
        let faults = faults_of_table(host, &calls, BLANKS);
        assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
    }
}

#[test]
fn a_missing_answer_is_found() {
    let calls = |kinds: &[Kind]| BTreeMap::from([("GET /a/{b}".to_owned(), kinds.iter().copied().collect())]);
    let blank: Blank = ("heroku", &[NextPage, Unchanged], &["GET /a…"], "one thing, which is not kept");
    let most = [Withdrawn, Forbidden, Limited, Gone];
    assert_eq!(faults_of_table("heroku", &calls(&most), &[blank]), [""; 0]);
    for (kinds, host, said) in [
        (&most[1..], "heroku", "has no recording of Withdrawn"),
        (&[Withdrawn, Forbidden, Limited, Gone, Unchanged], "heroku", "has a recording of Unchanged, and a reason why it has none"),
        (&most, "github", "has no recording of NextPage"),
    ] {
        let faults = faults_of_table(host, &calls(kinds), &[blank]);
        assert!(faults.iter().any(|fault| fault.contains(said)), "{said}: {faults:?}");
    }
    let gone: Blank = ("heroku", &[NextPage, Unchanged], &["GET /a/{b}", "GET /c"], "one thing, which is not kept");
    assert_eq!(faults_of_table("heroku", &calls(&most), &[gone]), ["heroku: there is no call GET /c"; 2]);
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
