//! The traps of GitHub's interface, over real HTTP.

mod for_deploy;

use std::sync::Arc;

use http::StatusCode;
use serde_json::{Value, json};
use wiremock::matchers::{body_partial_json, header, header_exists, method, path, query_param};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::*;
use crate::adapters::http::testing::ProbeClock;
use crate::domain::checks::{CheckState, RequiredCheck};
use crate::domain::names::{DeploymentId, RefName};
use crate::domain::pipeline::Environment;
use crate::domain::source::{Direction, Provenance, ReportState, Resolved};
use crate::ports::Fault;

const SHA: &str = "27bd10a000000000000000000000000000000001";
const OTHER: &str = "27bd10a000000000000000000000000000000002";
const TOKEN: &str = "gho_verysecretverysecretverysecret";

struct World {
    server: MockServer,
    github: GitHub,
    clock: Arc<ProbeClock>,
}

async fn world() -> World {
    let server = MockServer::start().await;
    let clock = ProbeClock::new();
    let settings = GitHubSettings {
        api: BaseUrl::parse(&server.uri()).unwrap(),
        web: BaseUrl::parse("https://github.com").unwrap(),
        git: Some(BaseUrl::parse(&server.uri()).unwrap()),
        archive_limit: 1000,
        spool_dir: None,
    };
    World { github: GitHub::new(settings, clock.clone()).unwrap(), server, clock }
}

impl World {
    async fn on(&self, verb: &str, at: &str, answer: ResponseTemplate) {
        Mock::given(method(verb)).and(path(at)).respond_with(answer).mount(&self.server).await;
    }

    async fn gets(&self, at: &str, body: Value) {
        self.on("GET", at, ok(body)).await;
    }

    async fn branch(&self, name: &str, sha: &str) {
        let whole = name.replace("%2F", "/");
        self.gets(&format!("/repos/acme/web/branches/{name}"), json!({"name": whole, "commit": {"sha": sha}})).await;
    }

    async fn no_branch(&self, name: &str) {
        self.on("GET", &format!("/repos/acme/web/branches/{name}"), error(404, "Branch not found")).await;
    }

    /// The tags whose names begin so.
    async fn tags(&self, beginning: &str, tags: Value) {
        self.gets(&format!("/repos/acme/web/git/matching-refs/tags/{beginning}"), tags).await;
    }

    async fn compares(&self, base: &str, head: &str, status: &str) {
        self.gets(
            &format!("/repos/acme/web/compare/{base}...{head}"),
            json!({"status": status, "ahead_by": 1, "behind_by": 2, "commits": []}),
        )
        .await;
    }

    async fn resolve(&self, asked: AskedRef) -> Resolution {
        self.github.resolve(&token(), &repository(), &asked).await.unwrap()
    }

    async fn rules(&self, branch: &str, protection: Value, rules: Value) {
        self.gets(&format!("/repos/acme/web/branches/{branch}"), json!({"name": branch, "protection": protection})).await;
        self.gets(&format!("/repos/acme/web/rules/branches/{branch}"), rules).await;
    }

    async fn required(&self, named_by: CommitRef) -> Result<Vec<(String, Option<u64>)>, PortError> {
        self.gets(&format!("/repos/acme/web/commits/{SHA}/status"), json!({"state": "pending", "statuses": []})).await;
        self.gets(&format!("/repos/acme/web/commits/{SHA}/check-runs"), json!({"check_runs": []})).await;
        let checks = self.github.checks(&token(), &repository(), &named_by, &sha(SHA)).await?;
        Ok(checks.required.into_iter().map(|RequiredCheck { name, reporter }| (name.to_string(), reporter)).collect())
    }

    async fn requests(&self) -> Vec<Request> {
        self.server.received_requests().await.unwrap()
    }
}

fn ok(body: Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

fn error(status: u16, message: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(json!({"message": message}))
}

fn token() -> SecretString {
    TOKEN.into()
}

fn sha(text: &str) -> CommitSha {
    CommitSha::parse(text).unwrap()
}

fn named(text: &str) -> AskedRef {
    AskedRef::Named(RefName::parse(text).unwrap())
}

fn branch_ref(text: &str) -> CommitRef {
    CommitRef::Branch(RefName::parse(text).unwrap())
}

fn web() -> RepoName {
    RepoName::parse("acme/web").unwrap()
}

fn repository() -> Repository {
    Repository {
        name: web(),
        default_branch: RefName::parse("main").unwrap(),
        may_deploy: Some(true),
        archived: false,
        web_url: "https://github.com/acme/web".to_owned(),
    }
}

fn found(commit: &str, named_by: CommitRef, provenance: Provenance) -> Resolution {
    Resolution::Found(Resolved { commit: sha(commit), named_by, provenance })
}

fn order() -> AnnouncementOrder {
    AnnouncementOrder {
        deployment: "01890000-0000-7000-8000-000000000001".parse::<DeploymentId>().unwrap(),
        commit: sha(SHA),
        environment: Environment::Staging,
        app: "web-staging".to_owned(),
        description: "é".repeat(200),
    }
}

#[tokio::test]
async fn a_moved_repository_is_followed_on_this_host_only() {
    let world = world().await;
    let to = format!("{}/repositories/7", world.server.uri());
    world.on("GET", "/repos/acme/old", ResponseTemplate::new(301).insert_header("location", to)).await;
    Mock::given(path("/repositories/7"))
        .and(header("authorization", format!("Bearer {TOKEN}")))
        .and(header("x-github-api-version", "2022-11-28"))
        .and(header_exists("user-agent"))
        .respond_with(ok(json!({"full_name": "acme/web", "default_branch": "main", "html_url": "https://github.com/acme/web",
            "archived": true, "permissions": {"push": false}})))
        .mount(&world.server)
        .await;
    let repository = world.github.repository(&token(), &RepoName::parse("acme/old").unwrap()).await.unwrap();
    assert_eq!((repository.name, repository.archived, repository.may_deploy), (web(), true, Some(false)));

    world.on("GET", "/repos/acme/away", ResponseTemplate::new(301).insert_header("location", "https://example.com/x")).await;
    let away = world.github.repository(&token(), &RepoName::parse("acme/away").unwrap()).await.unwrap_err();
    assert_eq!(away.fault, Fault::Nonsense);
}

#[tokio::test]
async fn a_branch_with_slashes_goes_as_one_segment() {
    let world = world().await;
    world.branch("feature%2Fx", SHA).await;
    world.tags("feature%2Fx", json!([])).await;
    assert_eq!(world.resolve(named("feature/x")).await, found(SHA, branch_ref("feature/x"), Provenance::Repository));
}

#[tokio::test]
async fn tags_are_peeled_and_told_apart_from_branches() {
    let world = world().await;
    let tag = |name: &str, kind: &str, sha: &str| json!({"ref": format!("refs/tags/{name}"), "object": {"type": kind, "sha": sha}});
    world.tags("v1", json!([tag("v1.1", "commit", OTHER), tag("v1", "tag", OTHER)])).await;
    world.gets(&format!("/repos/acme/web/git/tags/{OTHER}"), json!({"object": {"type": "commit", "sha": SHA}})).await;
    world.no_branch("v1").await;
    let v1 = CommitRef::Tag(RefName::parse("v1").unwrap());
    assert_eq!(world.resolve(named("v1")).await, found(SHA, v1, Provenance::Repository));

    world.branch("v2", OTHER).await;
    world.tags("v2", json!([tag("v2", "commit", SHA)])).await;
    assert_eq!(world.resolve(named("v2")).await, Resolution::BranchAndTag { branch: sha(OTHER), tag: sha(SHA) });
}

#[tokio::test]
async fn a_tag_is_found_among_more_that_begin_so_than_one_answer_holds() {
    for (sha_of_it, resolved) in [(Some(SHA), true), (None, false)] {
        let world = world().await;
        world.no_branch("v1").await;
        let link = format!("<{}/repos/acme/web/git/matching-refs/tags/v1?page=2>; rel=\"next\"", world.server.uri());
        let others = ok(json!([{"ref": "refs/tags/v1.1", "object": {"type": "commit", "sha": OTHER}}])).insert_header("link", link);
        world.on("GET", "/repos/acme/web/git/matching-refs/tags/v1", others).await;
        let exactly = match sha_of_it {
            Some(sha) => ok(json!({"object": {"type": "commit", "sha": sha}})),
            None => error(404, "Not Found"),
        };
        world.on("GET", "/repos/acme/web/git/ref/tags/v1", exactly).await;
        world.gets("/repos/acme/web/branches", json!([])).await;
        assert_eq!(matches!(world.resolve(named("v1")).await, Resolution::Found(_)), resolved);
    }
}

#[tokio::test]
async fn a_branch_that_was_renamed_is_not_there_under_its_old_name() {
    let world = world().await;
    let there = format!("{}/repos/acme/web/branches/trunk", world.server.uri());
    world.on("GET", "/repos/acme/web/branches/master", ResponseTemplate::new(301).insert_header("location", there)).await;
    world.branch("trunk", SHA).await;
    let points_at = async |name: &str| world.github.points_at(&token(), &repository().name, &branch_ref(name)).await.unwrap();
    assert_eq!(points_at("master").await, None);
    assert_eq!(points_at("trunk").await, Some(sha(SHA)));
}

#[tokio::test]
async fn a_head_whose_only_parent_is_what_runs_needs_no_comparison() {
    let (third, fourth) = ("27bd10a000000000000000000000000000000003", "27bd10a000000000000000000000000000000004");
    let world = world().await;
    let tip = |name: &str, sha: &str, parents: &[&str]| {
        let parents: Vec<Value> = parents.iter().map(|sha| json!({"sha": sha})).collect();
        json!({"name": name, "commit": {"sha": sha, "parents": parents, "author": null, "commit": {"author": {"name": "Bob"}}}})
    };
    world.gets("/repos/acme/web/branches/next", tip("next", SHA, &[OTHER])).await;
    world.gets("/repos/acme/web/branches/merge", tip("merge", third, &[OTHER, fourth])).await;
    world.compares(OTHER, third, "ahead").await;
    world.compares(fourth, SHA, "diverged").await;
    world.compares(OTHER, SHA, "diverged").await;
    for branch in ["next", "merge"] {
        assert!(world.github.points_at(&token(), &repository().name, &branch_ref(branch)).await.unwrap().is_some());
    }
    let compare = async |token: &str, base: &str, head: &str| {
        world.github.compare(&SecretString::from(token), &repository().name, &sha(base), &sha(head)).await.unwrap().unwrap()
    };
    let next = compare(TOKEN, OTHER, SHA).await;
    assert_eq!((next.direction, next.added, next.dropped, next.authors), (Direction::Ahead, 1, 0, vec!["Bob".to_owned()]));
    assert_eq!(next.url, format!("https://github.com/acme/web/compare/{OTHER}...{SHA}"));
    assert_eq!(world.requests().await.len(), 2);
    // Of a merge and of any other commit it is not known what lies in between; nor what another person has read.
    assert_eq!(compare(TOKEN, OTHER, third).await.added, 1);
    assert_eq!(compare(TOKEN, fourth, SHA).await.direction, Direction::Diverged);
    assert_eq!(compare("another", OTHER, SHA).await.direction, Direction::Diverged);
    assert_eq!(world.requests().await.len(), 5);
}

#[tokio::test]
async fn an_unknown_ref_brings_the_nearest_and_an_empty_repository_is_told() {
    let world = world().await;
    world.no_branch("mian").await;
    world.tags("mian", json!([])).await;
    world.gets("/repos/acme/web/branches", json!([{"name": "main"}, {"name": "release"}])).await;
    assert_eq!(world.resolve(named("mian")).await, Resolution::Unknown { nearest: Some(RefName::parse("main").unwrap()) });

    world.no_branch("main").await;
    world.on("GET", "/repos/acme/web/git/ref/heads/main", error(409, "Git Repository is empty.")).await;
    assert_eq!(world.resolve(AskedRef::Default).await, Resolution::EmptyRepository);
}

async fn hash_world() -> World {
    let world = world().await;
    world.no_branch("27bd10a").await;
    world.tags("27bd10a", json!([])).await;
    world.branch("main", OTHER).await;
    world
}

#[tokio::test]
async fn a_short_hash_is_completed_and_its_origin_looked_for() {
    let at = "/repos/acme/web/commits/27bd10a";
    let commit = || ResponseTemplate::new(200).set_body_string(SHA);
    let heads = format!("/repos/acme/web/commits/{SHA}/branches-where-head");
    let pulls = format!("/repos/acme/web/commits/{SHA}/pulls");
    let pull =
        |head: Value| json!([{"head": {"ref": "x", "sha": SHA, "repo": head}, "base": {"ref": "main", "sha": OTHER, "repo": {"id": 1}}}]);

    let world = hash_world().await;
    world.on("GET", at, commit()).await;
    world.compares(SHA, OTHER, "ahead").await;
    assert_eq!(world.resolve(named("27bd10a")).await, found(SHA, CommitRef::Commit, Provenance::Repository));

    for (heads_answer, pulls_answer, provenance) in [
        (json!([{"name": "x"}]), json!([]), Provenance::Repository),
        (json!([]), pull(json!({"id": 1})), Provenance::Repository),
        (json!([]), pull(json!({"id": 2})), Provenance::Fork),
        (json!([]), pull(json!(null)), Provenance::Fork),
        (json!([]), json!([]), Provenance::Unreachable),
    ] {
        let world = hash_world().await;
        world.on("GET", at, commit()).await;
        world.compares(SHA, OTHER, "diverged").await;
        world.gets(&heads, heads_answer).await;
        world.gets(&pulls, pulls_answer).await;
        assert_eq!(world.resolve(named("27bd10a")).await, found(SHA, CommitRef::Commit, provenance));
    }
}

#[tokio::test]
async fn a_hash_that_comes_broken_is_asked_for_again() {
    let at = "/repos/acme/web/commits/27bd10a";
    for broken in ["27bd10a0000000000000", "<html>away</html>", "{\"sha\":", ""] {
        let world = hash_world().await;
        let once = Mock::given(method("GET")).and(path(at)).respond_with(ResponseTemplate::new(200).set_body_string(broken));
        once.up_to_n_times(1).mount(&world.server).await;
        world.on("GET", at, ResponseTemplate::new(200).set_body_string(SHA)).await;
        world.compares(SHA, OTHER, "ahead").await;
        assert_eq!(world.resolve(named("27bd10a")).await, found(SHA, CommitRef::Commit, Provenance::Repository), "{broken}");
    }
}

#[tokio::test]
async fn an_ambiguous_hash_is_not_an_unknown_one() {
    for (message, resolution) in [
        ("No commit found for SHA: 27bd10a", Resolution::Unknown { nearest: None }),
        ("The SHA 27bd10a is ambiguous", Resolution::AmbiguousHash),
    ] {
        let world = hash_world().await;
        world.on("GET", "/repos/acme/web/commits/27bd10a", error(422, message)).await;
        world.gets("/repos/acme/web/branches", json!([])).await;
        assert_eq!(world.resolve(named("27bd10a")).await, resolution);
    }
}

#[tokio::test]
async fn a_pull_request_of_a_deleted_fork_is_a_fork() {
    let world = world().await;
    let pull =
        |repo: Value| json!({"head": {"ref": "fix", "sha": SHA, "repo": repo}, "base": {"ref": "main", "sha": OTHER, "repo": {"id": 1}}});
    world.gets("/repos/acme/web/pulls/5", pull(json!(null))).await;
    world.gets("/repos/acme/web/pulls/6", pull(json!({"id": 1, "full_name": "acme/web"}))).await;
    let named_by = |number| CommitRef::Pull { number, branch: RefName::parse("fix").unwrap() };
    assert_eq!(world.resolve(AskedRef::Pull(5)).await, found(SHA, named_by(5), Provenance::Fork));
    assert_eq!(world.resolve(AskedRef::Pull(6)).await, found(SHA, named_by(6), Provenance::Repository));
}

#[tokio::test]
async fn a_pinned_commit_holds_while_the_ref_contains_it() {
    for (status, resolution) in [
        ("ahead", found(SHA, branch_ref("x"), Provenance::Repository)),
        ("diverged", Resolution::Unknown { nearest: None }),
        ("behind", Resolution::Unknown { nearest: None }),
    ] {
        let world = world().await;
        world.branch("x", OTHER).await;
        world.compares(SHA, OTHER, status).await;
        assert_eq!(world.resolve(AskedRef::Pinned { of: branch_ref("x"), commit: sha(SHA) }).await, resolution);
    }
}

#[tokio::test]
async fn all_pages_of_statuses_and_runs_are_read_and_reruns_replace() {
    let world = world().await;
    world.rules("main", json!({}), json!([])).await;
    let status = |context: &str, state: &str| json!({"context": context, "state": state, "target_url": "javascript:x"});
    let at = format!("/repos/acme/web/commits/{SHA}/status");
    let next = format!("<{}/more>; rel=\"next\", <{0}/x>; rel=\"last\"", world.server.uri());
    world.on("GET", &at, ok(json!({"state": "pending", "statuses": [status("a", "success")]})).insert_header("link", next)).await;
    world.gets("/more", json!({"state": "pending", "statuses": [status("b", "error"), status("c", "new-word")]})).await;
    let run = |id: u64, name: &str, suite: u64, status: &str, conclusion: Option<&str>| {
        json!({"id": id, "name": name, "status": status, "conclusion": conclusion, "check_suite": {"id": suite}, "app": {"id": 9},
            "html_url": "https://github.com/run"})
    };
    let runs = json!({"check_runs": [
        run(3, "build", 1, "queued", None), run(2, "build", 1, "completed", Some("failure")), run(4, "build", 2, "completed", Some("skipped")),
        run(5, "odd", 1, "completed", Some("startup_failure")), run(6, "a", 1, "completed", Some("success"))
    ]});
    Mock::given(path(format!("/repos/acme/web/commits/{SHA}/check-runs")))
        .and(query_param("filter", "latest"))
        .respond_with(ok(runs))
        .mount(&world.server)
        .await;
    let checks = world.github.checks(&token(), &repository(), &branch_ref("main"), &sha(SHA)).await.unwrap();
    let reported: Vec<_> = checks.reported.iter().map(|check| (check.name.as_str(), check.state, check.reporter)).collect();
    use CheckState::{Failed, Passed, Pending};
    assert_eq!(
        reported,
        [
            ("a", Passed, None),
            ("b", Failed, None),
            ("c", Pending, None),
            ("a", Passed, Some(9)),
            ("build", Pending, Some(9)),
            ("build", Passed, Some(9)),
            ("odd", Failed, Some(9)),
        ]
    );
    assert_eq!(checks.reported[0].url, None);
}

#[tokio::test]
async fn a_list_without_end_and_a_page_elsewhere_are_faults() {
    for next in ["/endless", "https://example.com/more"] {
        let world = world().await;
        world.rules("main", json!({}), json!([])).await;
        let next = if next.starts_with('/') { format!("{}{next}", world.server.uri()) } else { next.to_owned() };
        let page = || ok(json!({"statuses": []})).insert_header("link", format!("<{next}>; rel=\"next\""));
        world.on("GET", &format!("/repos/acme/web/commits/{SHA}/status"), page()).await;
        world.on("GET", "/endless", page()).await;
        let error = world.github.checks(&token(), &repository(), &branch_ref("main"), &sha(SHA)).await.unwrap_err();
        assert_eq!(error.fault, Fault::Nonsense);
    }
}

#[tokio::test]
async fn pages_that_are_too_long_are_read_in_smaller_ones() {
    let world = world().await;
    world.rules("main", json!({}), json!([])).await;
    world.gets(&format!("/repos/acme/web/commits/{SHA}/status"), json!({"statuses": []})).await;
    let runs = format!("/repos/acme/web/commits/{SHA}/check-runs");
    let long = json!({"check_runs": [], "text": "x".repeat(3 * 1024 * 1024)});
    Mock::given(path(&runs)).and(query_param("per_page", "100")).respond_with(ok(long)).mount(&world.server).await;
    let short = json!({"check_runs": [{"id": 1, "name": "build", "status": "completed", "conclusion": "success"}]});
    Mock::given(path(&runs)).and(query_param("per_page", "20")).respond_with(ok(short)).mount(&world.server).await;
    let checks = world.github.checks(&token(), &repository(), &branch_ref("main"), &sha(SHA)).await.unwrap();
    assert_eq!(checks.reported.len(), 1);
}

#[tokio::test]
async fn classic_rules_and_rulesets_add_up() {
    let world = world().await;
    let classic = json!({"enabled": true, "required_status_checks": {"enforcement_level": "everyone", "contexts": ["a", "b"],
        "checks": [{"context": "a", "app_id": 7}, {"context": "b", "app_id": null}]}});
    let rules = json!([{"type": "pull_request"}, {"type": "required_status_checks", "parameters": {"required_status_checks":
        [{"context": "b"}, {"context": "c", "integration_id": 8}, {"context": "d", "integration_id": -1}]}}]);
    world.rules("main", classic, rules).await;
    let owned = |name: &str, reporter| (name.to_owned(), reporter);
    assert_eq!(
        world.required(branch_ref("main")).await.unwrap(),
        [owned("a", Some(7)), owned("b", None), owned("c", Some(8)), owned("d", None)]
    );
}

#[tokio::test]
async fn a_ref_without_rules_falls_back_to_the_default_branch() {
    let world = world().await;
    world.rules("main", json!({"required_status_checks": {"contexts": ["ci"]}}), json!([])).await;
    world.rules("free", json!({"required_status_checks": {"enforcement_level": "off", "contexts": ["old"]}}), json!([])).await;
    world.on("GET", "/repos/acme/web/branches/gone", error(404, "Branch not found")).await;
    world.gets("/repos/acme/web/rules/branches/gone", json!([])).await;
    let tag = CommitRef::Tag(RefName::parse("v1").unwrap());
    let pull = CommitRef::Pull { number: 1, branch: RefName::parse("gone").unwrap() };
    for named_by in [branch_ref("free"), branch_ref("gone"), tag, pull, CommitRef::Commit] {
        assert_eq!(world.required(named_by).await.unwrap(), [("ci".to_owned(), None)]);
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_never_nothing_required() {
    for (branch_answer, rules_answer, fault) in [
        (error(404, "Not Found"), ok(json!([])), Fault::NotFound),
        (error(403, "Resource not accessible by integration"), ok(json!([])), Fault::Forbidden),
        (ok(json!({"protection": {}})), error(404, "Not Found"), Fault::NotFound),
        (ok(json!({"protection": {}})), error(500, "oops"), Fault::Unclear),
        (ok(json!({"protection": {}})), ok(json!([{"type": "required_status_checks"}])), Fault::Nonsense),
    ] {
        let world = world().await;
        world.on("GET", "/repos/acme/web/branches/main", branch_answer).await;
        world.on("GET", "/repos/acme/web/rules/branches/main", rules_answer).await;
        assert_eq!(world.required(branch_ref("main")).await.unwrap_err().fault, fault);
    }
    let world = world().await;
    world.gets("/repos/acme/web/branches/main", json!({})).await;
    let free = error(403, "Upgrade to GitHub Pro or make this repository public to enable this feature.");
    world.on("GET", "/repos/acme/web/rules/branches/main", free).await;
    assert_eq!(world.required(branch_ref("main")).await.unwrap(), []);
}

#[tokio::test]
async fn reads_are_repeated_and_the_asked_for_wait_is_kept() {
    let world = world().await;
    let at = "/repos/acme/web/branches/main";
    for (answer, times) in [
        (ResponseTemplate::new(502).set_body_string("<html>bad gateway</html>"), 1),
        (error(429, "slow down").insert_header("retry-after", "7"), 1),
    ] {
        Mock::given(path(at)).respond_with(answer).up_to_n_times(times).mount(&world.server).await;
    }
    world.branch("main", SHA).await;
    assert_eq!(world.resolve(AskedRef::Default).await, found(SHA, branch_ref("main"), Provenance::Repository));
    assert_eq!(world.clock.waits().len(), 2);
    assert_eq!(world.clock.waits()[1].as_secs(), 7);
}

#[tokio::test]
async fn broken_answers_are_repeated_and_long_waits_are_handed_on() {
    let world = world().await;
    world.on("GET", "/repos/acme/web/branches/main", ResponseTemplate::new(200).set_body_string("{\"object\":")).await;
    let error = world.github.resolve(&token(), &repository(), &AskedRef::Default).await.unwrap_err();
    assert_eq!((error.fault, world.requests().await.len()), (Fault::Nonsense, 3));

    let world = self::world().await;
    let limited = error_429();
    world.on("GET", "/repos/acme/web/branches/main", limited).await;
    let error = world.github.resolve(&token(), &repository(), &AskedRef::Default).await.unwrap_err();
    assert_eq!(error.fault, Fault::RateLimited { until: Some("2026-11-20T10:02:00Z".parse().unwrap()) });
    assert_eq!((world.requests().await.len(), world.clock.waits().len()), (1, 0));
}

fn error_429() -> ResponseTemplate {
    error(429, "slow down").insert_header("retry-after", "120")
}

#[tokio::test]
async fn an_announcement_says_what_it_must_and_only_201_counts() {
    let world = world().await;
    let sent = json!({"ref": SHA, "auto_merge": false, "required_contexts": [], "environment": "staging", "production_environment": false,
        "payload": {"slash_heroku": {"deployment": order().deployment.to_string(), "app": "web-staging"}}});
    Mock::given(method("POST"))
        .and(path("/repos/acme/web/deployments"))
        .and(body_partial_json(sent))
        .respond_with(ResponseTemplate::new(201).set_body_json(json!({"id": 42})))
        .mount(&world.server)
        .await;
    let id = world.github.announce(&token(), &web(), &order()).await.unwrap();
    assert_eq!(id.as_str(), "42");
    let body: Value = world.requests().await[0].body_json().unwrap();
    assert_eq!(body["description"].as_str().unwrap().chars().count(), 140);

    let contexts = json!({"message": "Conflict: Commit status checks failed for x.",
        "errors": [{"contexts": [], "resource": "Deployment", "field": "required_contexts", "code": "invalid"}]});
    for (answer, fault) in [
        (ResponseTemplate::new(202).set_body_json(json!({"message": "Auto-merged main into x on deployment."})), Fault::Refused),
        (ResponseTemplate::new(409).set_body_json(contexts), Fault::Refused),
        (error(422, "No ref found for: x"), Fault::Refused),
        (error(403, "Must have push access"), Fault::Forbidden),
        (error(404, "Not Found"), Fault::NotFound),
        (error(401, "Bad credentials"), Fault::SignInLost),
        (ResponseTemplate::new(502), Fault::Unclear),
        (ResponseTemplate::new(201).set_body_string("{"), Fault::Unclear),
        (ResponseTemplate::new(307).insert_header("location", "https://example.com/"), Fault::Refused),
    ] {
        let world = self::world().await;
        world.on("POST", "/repos/acme/web/deployments", answer).await;
        assert_eq!(world.github.announce(&token(), &web(), &order()).await.unwrap_err().fault, fault);
        assert_eq!(world.requests().await.len(), 1, "a write is never repeated");
    }
}

#[tokio::test]
async fn a_write_that_never_left_is_told_apart_and_a_moved_one_follows() {
    let settings = GitHubSettings {
        api: BaseUrl::parse("http://127.0.0.1:1").unwrap(),
        web: BaseUrl::parse("https://github.com").unwrap(),
        git: None,
        archive_limit: 1,
        spool_dir: None,
    };
    let github = GitHub::new(settings, ProbeClock::new()).unwrap();
    assert_eq!(github.announce(&token(), &web(), &order()).await.unwrap_err().fault, Fault::Unreachable);

    let world = world().await;
    let to = format!("{}/repositories/7/deployments", world.server.uri());
    world.on("POST", "/repos/acme/web/deployments", ResponseTemplate::new(307).insert_header("location", to)).await;
    world.on("POST", "/repositories/7/deployments", ResponseTemplate::new(201).set_body_json(json!({"id": 1}))).await;
    assert!(world.github.announce(&token(), &web(), &order()).await.is_ok());
}

#[tokio::test]
async fn our_announcement_is_found_by_our_id_in_either_form() {
    let ours = json!({"slash_heroku": {"deployment": order().deployment.to_string()}});
    for payload in [ours.clone(), Value::String(ours.to_string())] {
        let world = world().await;
        Mock::given(path("/repos/acme/web/deployments"))
            .and(query_param("sha", SHA))
            .and(query_param("environment", "staging"))
            .respond_with(ok(json!([{"id": 1, "payload": ""}, {"id": 2, "payload": {}}, {"id": 3}, {"id": 4, "payload": payload}])))
            .mount(&world.server)
            .await;
        let id = world.github.find_announcement(&token(), &web(), &order()).await.unwrap();
        assert_eq!(id.unwrap().as_str(), "4");
    }
}

#[tokio::test]
async fn a_report_leaves_out_what_would_be_refused() {
    let world = world().await;
    world.on("POST", "/repos/acme/web/deployments/42/statuses", ResponseTemplate::new(201).set_body_json(json!({}))).await;
    let report = Report {
        state: ReportState::InProgress,
        description: "x".repeat(141),
        log_url: Some("https://dashboard.heroku.com/apps/x".to_owned()),
        environment_url: Some("/relative".to_owned()),
    };
    world.github.report(&token(), &web(), &AnnouncementId::parse("42").unwrap(), &report).await.unwrap();
    let body: Value = world.requests().await[0].body_json().unwrap();
    assert_eq!(body["state"], "in_progress");
    assert_eq!(body["log_url"], "https://dashboard.heroku.com/apps/x");
    assert!(body.get("environment_url").is_none());
    assert_eq!(body["description"].as_str().unwrap().chars().count(), 140);
}

#[tokio::test]
async fn a_comparison_tells_direction_and_authors() {
    let world = world().await;
    let commit = |login: Option<&str>, name: &str| json!({"author": login.map(|login| json!({"login": login})), "commit": {"author": {"name": name}}});
    let at = format!("/repos/acme/web/compare/{SHA}...{OTHER}");
    let body = json!({"status": "diverged", "ahead_by": 3, "behind_by": 2, "html_url": "https://github.com/c",
        "commits": [commit(Some("ana"), "Ana"), commit(None, "Bo"), commit(Some("ana"), "Ana")]});
    world.gets(&at, body).await;
    let comparison = world.github.compare(&token(), &web(), &sha(SHA), &sha(OTHER)).await.unwrap().unwrap();
    assert_eq!((comparison.direction, comparison.added, comparison.dropped), (Direction::Diverged, 3, 2));
    assert_eq!((comparison.authors, comparison.url.as_str()), (vec!["ana".to_owned(), "Bo".to_owned()], "https://github.com/c"));
    world.on("GET", &format!("/repos/acme/web/compare/{OTHER}...{SHA}"), error(404, "Not Found")).await;
    assert_eq!(world.github.compare(&token(), &web(), &sha(OTHER), &sha(SHA)).await.unwrap(), None);
}

fn gzip(length: usize) -> Vec<u8> {
    let mut bytes = vec![0x1f, 0x8b];
    bytes.resize(length, 7);
    bytes
}

#[tokio::test]
async fn an_archive_is_fetched_without_our_token_and_with_a_fresh_link_per_try() {
    let world = world().await;
    let files = MockServer::start().await;
    let old = format!("{}/repos/acme/web/tarball/{SHA}", world.server.uri()).replace("/repos/acme/web/", "/repositories/7/");
    world.on("GET", &format!("/repos/acme/web/tarball/{SHA}"), ResponseTemplate::new(301).insert_header("location", old)).await;
    for key in ["first", "second"] {
        let to = format!("{}/legacy.tar.gz?token={key}", files.uri());
        Mock::given(path(format!("/repositories/7/tarball/{SHA}")))
            .respond_with(ResponseTemplate::new(302).insert_header("location", to))
            .up_to_n_times(1)
            .mount(&world.server)
            .await;
    }
    Mock::given(query_param("token", "first")).respond_with(ResponseTemplate::new(404)).mount(&files).await;
    Mock::given(query_param("token", "second")).respond_with(ResponseTemplate::new(200).set_body_bytes(gzip(100))).mount(&files).await;
    let mut archive = world.github.archive(&token(), &web(), &sha(SHA)).await.unwrap();
    assert_eq!((archive.length, archive.sha256.len()), (100, 64));
    assert_eq!(archive.body.next().await.unwrap().unwrap(), gzip(100));
    let seen = files.received_requests().await.unwrap();
    assert_eq!(seen.len(), 2);
    assert!(seen.iter().all(|request| !request.headers.contains_key("authorization")));
}

#[tokio::test]
async fn an_archive_that_is_too_large_or_none_is_told() {
    let world = world().await;
    let to = format!("{}/file?token=topsecret", world.server.uri());
    world.on("GET", &format!("/repos/acme/web/tarball/{SHA}"), ResponseTemplate::new(302).insert_header("location", to)).await;
    world.on("GET", "/file", ResponseTemplate::new(200).set_body_bytes(gzip(1001))).await;
    let fault = world.github.archive(&token(), &web(), &sha(SHA)).await.unwrap_err();
    assert_eq!(fault, ArchiveFault::TooLarge { limit: 1000 });

    world.on("GET", &format!("/repos/acme/web/tarball/{OTHER}"), error(404, "Not Found")).await;
    let ArchiveFault::Port(missing) = world.github.archive(&token(), &web(), &sha(OTHER)).await.unwrap_err() else { panic!("a fault") };
    assert_eq!(missing.fault, Fault::NotFound);

    let world = self::world().await;
    let to = format!("{}/file?token=topsecret", world.server.uri());
    world.on("GET", &format!("/repos/acme/web/tarball/{SHA}"), ResponseTemplate::new(302).insert_header("location", to)).await;
    world.on("GET", "/file", ResponseTemplate::new(200).set_body_string("<html>sorry</html>")).await;
    let ArchiveFault::Port(error) = world.github.archive(&token(), &web(), &sha(SHA)).await.unwrap_err() else { panic!("a fault") };
    assert_eq!(error.fault, Fault::Nonsense);
    assert!(!format!("{error:?} {error}").contains("topsecret"));
}

#[tokio::test]
async fn the_token_is_in_no_error_and_no_debug_text() {
    let world = world().await;
    let echo = error(StatusCode::FORBIDDEN.as_u16(), &format!("no access with {TOKEN}"));
    world.on("GET", "/repos/acme/web", echo).await;
    let error = world.github.repository(&token(), &web()).await.unwrap_err();
    assert_eq!(error.said.as_deref(), Some("no access with [hidden]"));
    assert!(!format!("{error:?} {error} {:?}", world.github).contains("verysecret"));

    let broken = world.github.repository(&"two\nlines".into(), &web()).await.unwrap_err();
    assert_eq!(broken.fault, Fault::SignInLost);
}
