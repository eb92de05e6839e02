//! Everything that can happen outside in a script: one table, from which the reader and its suggestions come.

use jiff::SignedDuration;

use super::directives::{Directive, Right, Row, Stage, Streaming, Vendor};
use super::failing::failing;
use super::shapes::Places;
use crate::sandbox::company::{ENDING_APP, GITHUB_APP, OAUTH_APP};
use crate::sandbox::fault::{Fault, FaultRule};
use crate::sandbox::slack::{MemberKind, Order};

/// Everything that can happen outside. The first row that fits counts.
pub const TABLE: &[Row<Directive>] = &[
    Row { shape: "crash", means: "the service is killed and started again", build: |_| Ok(Directive::Crash) },
    Row { shape: "stop", means: "the service is stopped and stays down", build: |_| Ok(Directive::Stop) },
    Row { shape: "start", means: "the service is started after a stop", build: |_| Ok(Directive::Start) },
    Row {
        shape: "setting {name} {value}",
        means: "a setting of the service has this value from its next start on",
        build: |p| Ok(Directive::Setting { name: p.own("name"), value: p.own("value") }),
    },
    Row {
        shape: "people sign in",
        means: "from now on people sign in by themselves, with a GitHub App; the service is started anew",
        build: |_| Ok(Directive::SignIn { app: GITHUB_APP }),
    },
    Row {
        shape: "people sign in with an OAuth app",
        means: "the same, with an OAuth app at GitHub, whose tokens do not end by themselves",
        build: |_| Ok(Directive::SignIn { app: OAUTH_APP }),
    },
    Row {
        shape: "people sign in with an OAuth app whose tokens end",
        means: "the same, with tokens that end by themselves and are renewed",
        build: |_| Ok(Directive::SignIn { app: ENDING_APP }),
    },
    Row {
        shape: "the store was begun under version {n} of the privacy page",
        means: "everybody of whom no word is kept knows that version; the service is started anew",
        build: |p| Ok(Directive::BegunUnder { version: number(p.get("n"))? }),
    },
    Row {
        shape: "workspaces install the app",
        means: "from now on workspaces install the app by themselves and people sign in; the service is started anew",
        build: |_| Ok(Directive::Installable { rotates: false }),
    },
    Row {
        shape: "workspaces install the app with tokens that end",
        means: "the same, and the tokens that Slack gives end by themselves after twelve hours",
        build: |_| Ok(Directive::Installable { rotates: true }),
    },
    Row {
        shape: "the app is removed from {person}'s workspace",
        means: "an admin removes it; Slack tells first that its tokens were revoked",
        build: |p| Ok(Directive::Removed { person: p.own("person"), order: Order::TokensFirst }),
    },
    Row {
        shape: "the app is removed from {person}'s workspace, told first",
        means: "the same; Slack tells first that it was removed",
        build: |p| Ok(Directive::Removed { person: p.own("person"), order: Order::RemovalFirst }),
    },
    Row {
        shape: "the app is removed from {person}'s workspace without a word",
        means: "the same; Slack tells nothing",
        build: |p| Ok(Directive::Removed { person: p.own("person"), order: Order::Nothing }),
    },
    Row { shape: "the last event comes again", means: "Slack tells once more what it told last", build: |_| Ok(Directive::EventAgain) },
    Row {
        shape: "{person} withdraws our app at {vendor}",
        means: "somebody ends, on the service's own page, what they have allowed us",
        build: |p| Ok(Directive::Withdraws { person: p.own("person"), vendor: vendor(p.get("vendor"))? }),
    },
    Row {
        shape: "the access of {person} at {vendor} ends early",
        means: "what we act with for somebody is worth nothing any more, and can be renewed",
        build: |p| Ok(Directive::AccessEnds { person: p.own("person"), vendor: vendor(p.get("vendor"))? }),
    },
    Row {
        shape: "heroku rotates refresh tokens",
        means: "a refresh ends the token that it was made with",
        build: |_| Ok(Directive::Rotates),
    },
    Row {
        shape: "heroku lets apps end authorizations",
        means: "an app may end what its own token hangs on",
        build: |_| Ok(Directive::Endable),
    },
    Row { shape: "redeliver", means: "the last command is delivered once more under the same id", build: |_| Ok(Directive::Redeliver) },
    Row {
        shape: "hold {app} {stage}",
        means: "the build, release or dynos of an app stay pending",
        build: |p| Ok(Directive::Hold { app: p.own("app"), stage: stage(p.get("stage"))? }),
    },
    Row { shape: "let {app} go", means: "what is held of an app goes on", build: |p| Ok(Directive::LetGo { app: p.own("app") }) },
    Row {
        shape: "the next {stage} of {app} fails",
        means: "the next build or release of an app fails",
        build: |p| Ok(Directive::NextFails { app: p.own("app"), stage: stage(p.get("stage"))? }),
    },
    Row {
        shape: "the next dynos of {app} crash",
        means: "the dynos of the next release crash at boot and stay down",
        build: |p| Ok(Directive::NextFails { app: p.own("app"), stage: Stage::Dynos }),
    },
    Row {
        shape: "the next dynos of {app} flap",
        means: "the dynos of the next release come up, crash, come up, and so on",
        build: |p| Ok(Directive::DynosFlap { app: p.own("app") }),
    },
    Row {
        shape: "the {stage} of {app} says {word}",
        means: "the platform gives a state that nobody has heard of",
        build: |p| Ok(Directive::State { app: p.own("app"), stage: stage(p.get("stage"))?, word: p.own("word") }),
    },
    Row {
        shape: "the streams of {app} {how...}",
        means: "output streams: are live, never begin, end early, are cut once, are cut, drip, fall silent, end 5 s ahead",
        build: |p| Ok(Directive::Streams { app: p.own("app"), how: streaming(p.get("how"))? }),
    },
    Row { shape: "build slots are used up", means: "no build can start", build: |_| Ok(Directive::Slots { free: false }) },
    Row { shape: "build slots are free", means: "builds can start again", build: |_| Ok(Directive::Slots { free: true }) },
    Row {
        shape: "{app} has no dynos",
        means: "an app is scaled to nothing",
        build: |p| Ok(Directive::Dynos { app: p.own("app"), quantity: 0 }),
    },
    Row {
        shape: "{app} has {n} dynos",
        means: "an app is scaled",
        build: |p| Ok(Directive::Dynos { app: p.own("app"), quantity: number(p.get("n"))? }),
    },
    Row {
        shape: "{app} is of the Fir generation",
        means: "whatever was and will be built for an app is an OCI image",
        build: |p| Ok(Directive::Fir { app: p.own("app") }),
    },
    Row {
        shape: "config of {app} changes: {key}",
        means: "somebody sets a config var, which makes a release",
        build: |p| Ok(Directive::Config { app: p.own("app"), key: p.own("key") }),
    },
    Row {
        shape: "push {repo} {branch}",
        means: "bob pushes a commit; a new branch starts at the default branch",
        build: |p| {
            Ok(Directive::Push { repo: p.own("repo"), branch: p.own("branch"), by: "bob".to_owned(), message: "A change".to_owned() })
        },
    },
    Row {
        shape: "{person} pushes {repo} {branch}: {message...}",
        means: "somebody pushes a commit with a message",
        build: |p| Ok(Directive::Push { repo: p.own("repo"), branch: p.own("branch"), by: p.own("person"), message: p.own("message") }),
    },
    Row {
        shape: "delete {repo} {branch}",
        means: "a branch is deleted",
        build: |p| Ok(Directive::DeleteBranch { repo: p.own("repo"), branch: p.own("branch") }),
    },
    Row {
        shape: "tag {repo} {tag} at {at}",
        means: "a tag is made at a branch or commit",
        build: |p| Ok(Directive::Tag { repo: p.own("repo"), tag: p.own("tag"), at: p.own("at") }),
    },
    Row {
        shape: "force {repo} {branch} to {at}",
        means: "a branch is pushed by force to another branch's head or to a commit",
        build: |p| Ok(Directive::Point { repo: p.own("repo"), branch: p.own("branch"), at: p.own("at") }),
    },
    Row {
        shape: "a new repository {repo}",
        means: "a repository is made, without a commit; ana may do everything in it",
        build: |p| Ok(Directive::NewRepository { repo: p.own("repo") }),
    },
    Row {
        shape: "the source of {repo} is {n} MiB",
        means: "a repository's archives are as large as this, at least",
        build: |p| Ok(Directive::Size { repo: p.own("repo"), mib: number(p.get("n"))? }),
    },
    Row {
        shape: "open {repo} #{n} from {branch}",
        means: "a pull request is opened",
        build: |p| {
            Ok(Directive::OpenPull { repo: p.own("repo"), number: number(p.get("n"))?.into(), branch: p.own("branch"), fork: false })
        },
    },
    Row {
        shape: "open {repo} #{n} from a fork's {branch}",
        means: "a pull request is opened from somebody's fork",
        build: |p| Ok(Directive::OpenPull { repo: p.own("repo"), number: number(p.get("n"))?.into(), branch: p.own("branch"), fork: true }),
    },
    Row { shape: "archive {repo}", means: "a repository is archived", build: |p| Ok(Directive::ArchiveRepository { repo: p.own("repo") }) },
    Row {
        shape: "{repo} demands single sign-on",
        means: "the repository's organisation takes no token that has not been let in there",
        build: |p| Ok(Directive::SingleSignOn { repo: p.own("repo"), is: true }),
    },
    Row {
        shape: "{repo} lets no OAuth app in",
        means: "the repository's organisation has shut out apps that it has not agreed to",
        build: |p| Ok(Directive::ShutsOutApps { repo: p.own("repo"), is: true }),
    },
    Row {
        shape: "{repo} lets our app in",
        means: "it has agreed to ours",
        build: |p| Ok(Directive::ShutsOutApps { repo: p.own("repo"), is: false }),
    },
    Row {
        shape: "{repo} takes the token",
        means: "its organisation has let the token in",
        build: |p| Ok(Directive::SingleSignOn { repo: p.own("repo"), is: false }),
    },
    Row {
        shape: "rename {repo} to {to}",
        means: "a repository is renamed",
        build: |p| Ok(Directive::RenameRepository { repo: p.own("repo"), to: p.own("to") }),
    },
    Row {
        shape: "{repo} {branch} is the default branch",
        means: "another branch of the repository is the default one",
        build: |p| Ok(Directive::DefaultBranch { repo: p.own("repo"), branch: p.own("branch") }),
    },
    Row {
        shape: "{repo} {branch} requires {checks...} by a ruleset",
        means: "a ruleset asks for checks (comma between)",
        build: |p| requires(p, true),
    },
    Row {
        shape: "{repo} {branch} requires {checks...}",
        means: "branch protection asks for checks (comma between)",
        build: |p| requires(p, false),
    },
    Row {
        shape: "{person} may {right} app {app}",
        means: "rights on an app: see, deploy, or nothing as `may not see`",
        build: |p| Ok(Directive::AppRight { person: p.own("person"), app: p.own("app"), right: right(p.get("right"))? }),
    },
    Row {
        shape: "{person} may not see app {app}",
        means: "somebody loses all rights on an app",
        build: |p| Ok(Directive::AppRight { person: p.own("person"), app: p.own("app"), right: Right::Nothing }),
    },
    Row {
        shape: "{person} may {right} {repo}",
        means: "rights on a repository: read, write, admin",
        build: |p| Ok(Directive::RepoRight { person: p.own("person"), repo: p.own("repo"), right: right(p.get("right"))? }),
    },
    Row {
        shape: "{person} may not see {repo}",
        means: "somebody loses all rights on a repository",
        build: |p| Ok(Directive::RepoRight { person: p.own("person"), repo: p.own("repo"), right: Right::Nothing }),
    },
    Row {
        shape: "{vendor} has no token",
        means: "ana's token at github or heroku is worthless from now on",
        build: |p| Ok(Directive::NoToken(vendor(p.get("vendor"))?)),
    },
    Row {
        shape: "{vendor} takes the token again",
        means: "ana's token at github or heroku is good again",
        build: |p| Ok(Directive::Token(vendor(p.get("vendor"))?)),
    },
    Row {
        shape: "{vendor} fails {method} {path} {times}: {how...}",
        means: "calls fail: once, twice, 3x, always, and one at least. A path is contained; with $ at its end it ends so, and * is any one part. How: \
                502, 502 page, rate limited, rate limited 30, rate limited as 429, allowance used up, token refused, cut before, cut after, cut within, timed out before, \
                timed out after, done late 40, slow drip, truncated json, other json, not json, hang",
        build: |p| fails(p, 0),
    },
    Row {
        shape: "{vendor} fails {method} {path} {times} from the {nth} call: {how...}",
        means: "the same, and the calls before that one are left alone: `once from the 2nd call`",
        build: |p| fails(p, nth(p.get("nth"))?),
    },
    Row {
        shape: "slack fails {path} {times}: {how...}",
        means: "calls of a method (or response_url) fail: as above, or an error name of Slack",
        build: |p| slack_fails(p, 0),
    },
    Row {
        shape: "slack fails {path} {times} from the {nth} call: {how...}",
        means: "the same, and the calls before that one are left alone",
        build: |p| slack_fails(p, nth(p.get("nth"))?),
    },
    Row {
        shape: "the clock of {vendor} is {n} minutes ahead",
        means: "what github, heroku or slack says of times is off, and so is its Date",
        build: |p| clock(p, 1),
    },
    Row { shape: "the clock of {vendor} is {n} minutes behind", means: "the same to the other side", build: |p| clock(p, -1) },
    Row {
        shape: "{vendor} works again",
        means: "no call fails on purpose any more",
        build: |p| Ok(Directive::Mended(vendor(p.get("vendor"))?)),
    },
    Row {
        shape: "{person} is {kind...} of the workspace",
        means: "in the chat somebody is a member, an admin, an owner, a guest, a single-channel guest",
        build: |p| Ok(Directive::Standing { person: p.own("person"), kind: kind(p.get("kind"))? }),
    },
    Row {
        shape: "the account of {person} is closed",
        means: "somebody is nobody any more in the chat",
        build: |p| Ok(Directive::Standing { person: p.own("person"), kind: MemberKind::Deactivated }),
    },
    Row {
        shape: "the group @{handle} is gone",
        means: "a group of people in the chat is no more",
        build: |p| Ok(Directive::UserGroup { handle: p.own("handle"), people: Vec::new() }),
    },
    Row {
        shape: "the group @{handle} is {people...}",
        means: "a group of people in the chat (comma between their names)",
        build: |p| {
            let people = p.get("people").split(',').map(|name| name.trim().to_owned()).collect();
            Ok(Directive::UserGroup { handle: p.own("handle"), people })
        },
    },
    Row {
        shape: "the app lacks {scope}",
        means: "slack does not count a scope among the app's any more",
        build: |p| Ok(Directive::Lacks { scope: p.own("scope") }),
    },
    Row {
        shape: "the bot is not in #{channel}",
        means: "the bot is removed from a channel",
        build: |p| Ok(Directive::BotIn { channel: p.own("channel"), is: false }),
    },
    Row {
        shape: "the bot is in #{channel}",
        means: "the bot is invited to a channel",
        build: |p| Ok(Directive::BotIn { channel: p.own("channel"), is: true }),
    },
    Row {
        shape: "#{channel} is shared with another company",
        means: "people of another company come into a channel",
        build: |p| Ok(Directive::ShareChannel { channel: p.own("channel") }),
    },
    Row {
        shape: "#{channel} is private",
        means: "a channel is for those who were invited",
        build: |p| Ok(Directive::CloseChannel { channel: p.own("channel") }),
    },
    Row {
        shape: "#{channel} is archived",
        means: "a channel is archived",
        build: |p| Ok(Directive::ArchiveChannel { channel: p.own("channel") }),
    },
    Row {
        shape: "{repo} {branch}: run {name...} {state}",
        means: "a check run is passed, failed, pending, cancelled or skipped",
        build: |p| {
            let conclusion = match p.get("state") {
                "passed" => Some("success"),
                "failed" => Some("failure"),
                "cancelled" => Some("cancelled"),
                "skipped" => Some("skipped"),
                "pending" => None,
                other => return Err(format!("a run is passed, failed, pending, cancelled or skipped, not `{other}`")),
            };
            Ok(Directive::CheckRun { repo: p.own("repo"), branch: p.own("branch"), name: p.own("name"), conclusion })
        },
    },
    Row {
        shape: "{repo} {branch}: {check...} {state}",
        means: "a status is passed, failed, pending or broken",
        build: |p| {
            let state = match p.get("state") {
                "passed" => "success",
                "failed" => "failure",
                "pending" => "pending",
                "broken" => "error",
                other => return Err(format!("a status is passed, failed, pending or broken, not `{other}`")),
            };
            Ok(Directive::Status { repo: p.own("repo"), branch: p.own("branch"), check: p.own("check"), state })
        },
    },
];

fn kind(words: &str) -> Result<MemberKind, String> {
    match words {
        "a member" => Ok(MemberKind::Plain),
        "an admin" => Ok(MemberKind::Admin),
        "an owner" => Ok(MemberKind::Owner),
        "a guest" => Ok(MemberKind::Guest),
        "a single-channel guest" => Ok(MemberKind::SingleChannelGuest),
        _ => Err(format!("`{words}` is none of a member, an admin, an owner, a guest, a single-channel guest")),
    }
}

fn stage(word: &str) -> Result<Stage, String> {
    match word {
        "build" => Ok(Stage::Build),
        "release" => Ok(Stage::Release),
        "dynos" => Ok(Stage::Dynos),
        _ => Err(format!("`{word}` is none of build, release, dynos")),
    }
}

pub(super) fn vendor(word: &str) -> Result<Vendor, String> {
    match word {
        "github" => Ok(Vendor::Github),
        "heroku" => Ok(Vendor::Heroku),
        "slack" => Ok(Vendor::Slack),
        _ => Err(format!("`{word}` is none of github, heroku, slack")),
    }
}

fn clock(p: &Places, way: i64) -> Result<Directive, String> {
    let ahead = SignedDuration::from_mins(i64::from(number(p.get("n"))?).saturating_mul(way));
    Ok(Directive::Clock { vendor: vendor(p.get("vendor"))?, ahead })
}

fn right(word: &str) -> Result<Right, String> {
    match word {
        "see" | "read" | "view" => Ok(Right::See),
        "write" | "deploy" => Ok(Right::Change),
        "admin" => Ok(Right::Rule),
        _ => Err(format!("`{word}` is none of see, read, deploy, write, admin")),
    }
}

pub(super) fn number(word: &str) -> Result<u32, String> {
    word.parse().map_err(|_| format!("`{word}` is not a number"))
}

fn times(word: &str) -> Result<u32, String> {
    match word {
        "once" => Ok(1),
        "twice" => Ok(2),
        "always" => Ok(u32::MAX),
        _ => number(word.trim_end_matches('x')).map_err(|_| format!("`{word}` is none of once, twice, 3x, always")),
    }
}

fn streaming(words: &str) -> Result<Streaming, String> {
    Ok(match words {
        "are live" => Streaming::Live,
        "never begin" => Streaming::Never,
        "end early" => Streaming::Early,
        "are cut once" => Streaming::Cut { once: true },
        "are cut" => Streaming::Cut { once: false },
        "drip" => Streaming::Drip,
        "fall silent" => Streaming::Silent,
        _ => match words.strip_prefix("end ").and_then(|rest| rest.strip_suffix(" s ahead")) {
            Some(seconds) => Streaming::Ahead(number(seconds)?),
            None => return Err(format!("`{words}` is no way for streams to go")),
        },
    })
}

/// How many calls come before the `2nd`.
fn nth(word: &str) -> Result<u32, String> {
    let digits = word.trim_end_matches(|letter: char| letter.is_ascii_lowercase());
    let before = digits.parse::<u32>().ok().and_then(|place| place.checked_sub(1));
    before.ok_or_else(|| format!("`{word}` is no place in a row, such as `2nd`"))
}

fn fails(p: &Places, spared: u32) -> Result<Directive, String> {
    let (vendor, times, fault) = (vendor(p.get("vendor"))?, times(p.get("times"))?, failing(p.get("how"))?);
    match (&fault, vendor) {
        (_, Vendor::Slack) => Err("slack is made to fail by its methods' names: `slack fails chat.update once: …`".to_owned()),
        (Fault::Named(name), Vendor::Github | Vendor::Heroku) => Err(format!("only slack fails with a name such as `{name}`")),
        _ => {
            let method = Some(p.own("method")).filter(|method| method != "*");
            Ok(Directive::Fails { vendor, rule: FaultRule { method, path_contains: p.own("path"), spared, times, fault } })
        }
    }
}

fn slack_fails(p: &Places, spared: u32) -> Result<Directive, String> {
    let (times, fault) = (times(p.get("times"))?, failing(p.get("how"))?);
    let rule = FaultRule { method: None, path_contains: p.own("path"), spared, times, fault };
    Ok(Directive::Fails { vendor: Vendor::Slack, rule })
}

fn requires(p: &Places, ruleset: bool) -> Result<Directive, String> {
    let checks = p.get("checks").split(',').map(|check| check.trim().to_owned()).collect();
    Ok(Directive::Requires { repo: p.own("repo"), branch: p.own("branch"), checks, ruleset })
}

#[cfg(test)]
mod tests {
    use super::super::directives::read;
    use super::*;
    use crate::sandbox::fault::Limit;

    fn directive(line: &str) -> Directive {
        read(TABLE, line).unwrap()
    }

    #[test]
    fn directives_are_read() {
        assert_eq!(
            directive("acme/hubot red: ci/circleci failed"),
            Directive::Status { repo: "acme/hubot".into(), branch: "red".into(), check: "ci/circleci".into(), state: "failure" }
        );
        assert_eq!(directive("hold hubot-staging build"), Directive::Hold { app: "hubot-staging".into(), stage: Stage::Build });
        assert_eq!(directive("let hubot-staging go"), Directive::LetGo { app: "hubot-staging".into() });
        assert_eq!(directive("the next dynos of web-eu crash"), Directive::NextFails { app: "web-eu".into(), stage: Stage::Dynos });
        let post =
            FaultRule { method: Some("POST".into()), path_contains: "deployments".into(), spared: 0, times: 1, fault: Fault::CutAfter };
        assert_eq!(
            directive("github fails POST deployments once: cut after"),
            Directive::Fails { vendor: Vendor::Github, rule: post.clone() }
        );
        assert_eq!(
            directive("github fails POST deployments once from the 3rd call: cut after"),
            Directive::Fails { vendor: Vendor::Github, rule: FaultRule { spared: 2, ..post } }
        );
        let update = FaultRule {
            method: None,
            path_contains: "chat.update".into(),
            spared: 0,
            times: 2,
            fault: Fault::RateLimited { retry_after: Some(30), limit: Limit::Secondary },
        };
        assert_eq!(
            directive("slack fails chat.update twice: rate limited 30"),
            Directive::Fails { vendor: Vendor::Slack, rule: update.clone() }
        );
        assert_eq!(
            directive("slack fails chat.update twice from the 2nd call: rate limited 30"),
            Directive::Fails { vendor: Vendor::Slack, rule: FaultRule { spared: 1, ..update } }
        );
        assert!(read(TABLE, "slack fails chat.update twice from the 0th call: 500").is_err());
        assert_eq!(
            directive("the clock of heroku is 7 minutes behind"),
            Directive::Clock { vendor: Vendor::Heroku, ahead: SignedDuration::from_mins(-7) }
        );
        assert_eq!(directive("the next dynos of web-eu flap"), Directive::DynosFlap { app: "web-eu".into() });
        assert_eq!(directive("the bot is not in #general"), Directive::BotIn { channel: "general".into(), is: false });
        assert_eq!(directive("acme/web main requires lint, test by a ruleset"), {
            Directive::Requires {
                repo: "acme/web".into(),
                branch: "main".into(),
                checks: vec!["lint".into(), "test".into()],
                ruleset: true,
            }
        });
        assert_eq!(directive("github has no token"), Directive::NoToken(Vendor::Github));
        assert_eq!(directive("cron is of the Fir generation"), Directive::Fir { app: "cron".into() });
        assert_eq!(directive("cron has no dynos"), Directive::Dynos { app: "cron".into(), quantity: 0 });
        assert_eq!(
            directive("the streams of hubot-staging end 5 s ahead"),
            Directive::Streams { app: "hubot-staging".into(), how: Streaming::Ahead(5) }
        );
        assert_eq!(directive("ana may not see app web-eu"), {
            Directive::AppRight { person: "ana".into(), app: "web-eu".into(), right: Right::Nothing }
        });
        assert_eq!(directive("ana may read acme/web"), {
            Directive::RepoRight { person: "ana".into(), repo: "acme/web".into(), right: Right::See }
        });
    }

    #[test]
    fn what_is_not_understood_is_answered_with_what_is() {
        let said = read(TABLE, "holds hubot-staging build").unwrap_err();
        assert!(said.contains("hold {app} {stage}"), "{said}");
        assert!(read(TABLE, "hold hubot-staging breath").unwrap_err().contains("none of build, release, dynos"));
    }
}
