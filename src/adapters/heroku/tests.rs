//! The traps of Heroku's interface, over real HTTP.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Value, json};
use wiremock::matchers::{body_partial_json, header, method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::*;
use crate::adapters::http::testing::ProbeClock;
use crate::domain::names::CommitSha;
use crate::domain::pipeline::Environment;
use crate::domain::release::{BuildState, DynoKind, DynoState, ReleaseState};
use crate::ports::{ArchiveBody, Fault};

const SHA: &str = "27bd10a000000000000000000000000000000001";
const TOKEN: &str = "01234567-89ab-cdef-0123-456789abcdef";
const DEPLOYMENT: &str = "01890000-0000-7000-8000-000000000001";

struct World {
    server: MockServer,
    links: MockServer,
    heroku: Heroku,
    clock: Arc<ProbeClock>,
}

async fn world() -> World {
    let (server, links) = (MockServer::start().await, MockServer::start().await);
    let clock = ProbeClock::new();
    let heroku = Heroku::new(settings(&server.uri(), &links.uri()), clock.clone()).unwrap();
    World { server, links, heroku, clock }
}

fn settings(api: &str, links: &str) -> HerokuSettings {
    let base = |text: &str| BaseUrl::parse(text).unwrap();
    HerokuSettings { api: base(api), link_service: base(links), dashboard: base("https://dashboard.heroku.com") }
}

impl World {
    async fn on(&self, verb: &str, at: &str, answer: ResponseTemplate) {
        Mock::given(method(verb)).and(path(at)).respond_with(answer).mount(&self.server).await;
    }

    async fn gets(&self, at: &str, body: Value) {
        self.on("GET", at, ok(body)).await;
    }

    async fn requests(&self) -> Vec<Request> {
        self.server.received_requests().await.unwrap()
    }

    async fn order(&self, answer: ResponseTemplate) -> Result<BuildStart, PortError> {
        self.on("POST", "/apps/a1/builds", answer).await;
        self.heroku.start_build(&token(), &app(), &order()).await
    }
}

fn ok(body: Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

fn error(status: u16, id: &str, message: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(json!({"id": id, "message": message}))
}

/// `wiremock`'s own matcher takes a comma as the end of a value.
fn ranged(range: &'static str) -> impl Fn(&Request) -> bool {
    move |request| request.headers.get("range").is_some_and(|value| value == range)
}

fn token() -> SecretString {
    TOKEN.into()
}

fn app() -> AppId {
    AppId::parse("a1").unwrap()
}

fn pipeline() -> PipelineId {
    PipelineId::parse("p1").unwrap()
}

fn build_id(text: &str) -> BuildId {
    BuildId::parse(text).unwrap()
}

fn order() -> BuildOrder {
    BuildOrder {
        source: UploadedSource {
            address: "https://storage.example.com/get?Signature=topsecret".into(),
            sha256: "ab".repeat(32),
            at: "2026-11-20T10:00:00Z".parse().unwrap(),
        },
        commit: CommitSha::parse(SHA).unwrap(),
        repository: RepoName::parse("acme/web").unwrap(),
        deployment: DEPLOYMENT.parse().unwrap(),
    }
}

#[tokio::test]
async fn all_pages_of_pipelines_are_read() {
    let world = world().await;
    let first = json!([{"id": "p2", "name": "web", "owner": {"id": "t1", "type": "team"}, "created_at": "2016-01-02T03:04:05+00:00"}]);
    Mock::given(path("/pipelines"))
        .and(ranged("]id p2..; max=1"))
        .respond_with(ok(json!([{"id": "p1", "name": "web"}, {"id": "p3", "name": "api", "owner": null}])))
        .with_priority(1)
        .mount(&world.server)
        .await;
    Mock::given(path("/pipelines"))
        .and(header("accept", "application/vnd.heroku+json; version=3"))
        .and(header("authorization", format!("Bearer {TOKEN}")))
        .respond_with(ResponseTemplate::new(206).set_body_json(first).insert_header("next-range", "]id p2..; max=1"))
        .mount(&world.server)
        .await;
    let pipelines = world.heroku.pipelines(&token()).await.unwrap();
    let told: Vec<_> = pipelines.iter().map(|pipeline| (pipeline.name.as_str(), pipeline.id.as_str())).collect();
    assert_eq!(told, [("api", "p3"), ("web", "p1"), ("web", "p2")]);
    assert_eq!(pipelines[2].owner.as_deref(), Some("team t1"));
    assert_eq!(pipelines[2].created_at, Some("2016-01-02T03:04:05Z".parse().unwrap()));
}

#[tokio::test]
async fn a_list_that_stands_still_is_a_fault() {
    let world = world().await;
    world.on("GET", "/pipelines", ResponseTemplate::new(206).set_body_json(json!([])).insert_header("next-range", "id ..")).await;
    assert_eq!(world.heroku.pipelines(&token()).await.unwrap_err().fault, Fault::Nonsense);
}

#[tokio::test]
async fn apps_come_with_their_names_and_without_tests_and_hidden_ones() {
    let world = world().await;
    let coupling = |app: &str, stage: &str| json!({"app": {"id": app}, "stage": stage, "pipeline": {"id": "p1"}});
    world
        .gets(
            "/pipelines/p1/pipeline-couplings",
            json!([
                coupling("a3", "production"),
                coupling("a1", "staging"),
                coupling("a2", "test"),
                coupling("a4", "review"),
                coupling("a5", "new")
            ]),
        )
        .await;
    Mock::given(method("POST"))
        .and(path("/filters/apps"))
        .and(header("accept", "application/vnd.heroku+json; version=3.filters"))
        .and(body_partial_json(json!({"in": {"id": ["a1", "a3", "a4"]}})))
        .respond_with(ok(
            json!([{"id": "a3", "name": "web", "web_url": "https://web-0123.herokuapp.com/"}, {"id": "a1", "name": "web-staging"}]),
        ))
        .mount(&world.server)
        .await;
    let apps = world.heroku.apps(&token(), &pipeline()).await.unwrap();
    let told: Vec<_> = apps.iter().map(|app| (app.name.as_str(), app.environment, app.web_url.is_some())).collect();
    assert_eq!(told, [("web-staging", Environment::Staging, false), ("web", Environment::Production, true)]);
}

#[tokio::test]
async fn the_link_is_looked_for_in_both_services() {
    let feature = "/account/features/dashboard-repositories-api";
    let older = |name: &str| ok(json!({"repository": {"id": 1, "name": name}}));
    let name = |text: &str| Ok(Some(RepoName::parse(text).unwrap()));
    for (enabled, newer, older, expected) in [
        (ok(json!({"enabled": true})), ok(json!({"full_name": "acme/new"})), error(500, "x", ""), name("acme/new")),
        (ok(json!({"enabled": true})), error(500, "server_error", "x"), older("acme/old"), name("acme/old")),
        (ok(json!({"enabled": true})), error(404, "not_found", "x"), error(404, "not_found", "x"), Ok(None)),
        (ok(json!({"enabled": false})), ok(json!({"full_name": "acme/new"})), older("acme/old"), name("acme/old")),
        (error(404, "not_found", "x"), error(404, "not_found", "x"), error(404, "not_found", "x"), Ok(None)),
        (ok(json!({"enabled": true})), error(500, "server_error", "x"), error(404, "not_found", "x"), Err(Fault::Unclear)),
        (
            ok(json!({"enabled": false})),
            error(404, "not_found", "x"),
            ResponseTemplate::new(503).set_body_string("<html>"),
            Err(Fault::Unclear),
        ),
    ] {
        let world = world().await;
        world.on("GET", feature, enabled).await;
        world.on("GET", "/pipelines/p1/repo", newer).await;
        Mock::given(path("/pipelines/p1/repository")).respond_with(older).mount(&world.links).await;
        assert_eq!(world.heroku.linked_repository(&token(), &pipeline()).await.map_err(|error| error.fault), expected);
    }
}

#[tokio::test]
async fn access_never_fails_and_never_guesses() {
    let world = world().await;
    assert_eq!(world.heroku.access(&token(), &app()).await, Access::default());
    world.server.reset().await;
    let told = json!({"capabilities": [{"capability": "manage_dynos", "capable": false, "requires_second_factor": true}]});
    world.on("PUT", "/users/~/capabilities", ok(told)).await;
    assert_eq!(world.heroku.access(&token(), &app()).await, Access { may_deploy: None, needs_code: Some(true) });
}

#[tokio::test]
async fn a_code_is_spent_once() {
    for (answer, expected) in [
        (ok(json!({})), Ok(true)),
        (error(403, "invalid_two_factor_code", "wrong"), Ok(false)),
        (error(403, "two_factor", "again"), Ok(false)),
        (error(403, "forbidden", "no"), Err(Fault::Forbidden)),
        (error(429, "rate_limit", "no"), Err(Fault::RateLimited { until: None })),
        (ResponseTemplate::new(502).set_body_string("<html>"), Err(Fault::Unclear)),
    ] {
        let world = world().await;
        world.on("PUT", "/apps/a1/pre-authorizations", answer).await;
        let spent = world.heroku.spend_code(&token(), &app(), "123456".into()).await;
        assert_eq!(spent.map_err(|error| error.fault), expected);
        let seen = world.requests().await;
        assert_eq!(seen.len(), 1);
        assert_eq!(seen[0].headers.get("heroku-two-factor-code").unwrap(), "123456");
        assert!(seen[0].body.is_empty());
    }
}

#[tokio::test]
async fn an_order_for_a_build_has_many_answers() {
    let started = json!({"id": "b1", "status": "pending", "created_at": "2026-11-20T10:00:00Z"});
    let limit = "Your account has reached its concurrent builds limit";
    for (answer, expected) in [
        (ResponseTemplate::new(201).set_body_json(&started), Ok("Started")),
        (ok(started.clone()), Ok("Started")),
        (error(403, "two_factor", "code"), Ok("NeedsCode")),
        (ResponseTemplate::new(412), Ok("NeedsCode")),
        (error(422, "invalid_params", limit), Ok("NoSlot")),
        (error(429, "rate_limit", limit), Ok("NoSlot")),
        (error(429, "rate_limit", "Your account reached the API rate limit"), Err(Fault::RateLimited { until: None })),
        (error(403, "forbidden", "You do not have access to the app x."), Err(Fault::Forbidden)),
        (error(403, "suspended", "suspended"), Err(Fault::Refused)),
        (error(402, "delinquent", "unpaid"), Err(Fault::Refused)),
        (error(401, "unauthorized", "Invalid credentials provided."), Err(Fault::SignInLost)),
        (error(404, "not_found", "Couldn't find that app."), Err(Fault::NotFound)),
        (ResponseTemplate::new(503).set_body_string("<html>"), Err(Fault::Unclear)),
        (ResponseTemplate::new(201).set_body_string("{"), Err(Fault::Unclear)),
        (ResponseTemplate::new(302), Err(Fault::Unclear)),
    ] {
        let world = world().await;
        let outcome = world.order(answer).await.map(|start| match start {
            BuildStart::Started(_) => "Started",
            BuildStart::NeedsCode => "NeedsCode",
            BuildStart::NoSlot => "NoSlot",
        });
        assert_eq!(outcome.map_err(|error| error.fault), expected);
        let seen = world.requests().await;
        assert_eq!(seen.len(), 1, "an order is never repeated");
        let body: Value = seen[0].body_json().unwrap();
        let blob = &body["source_blob"];
        assert_eq!(blob["version"], SHA);
        assert_eq!(blob["version_description"], format!("acme/web:{SHA} slash-heroku:{DEPLOYMENT}"));
        assert_eq!(blob["checksum"], format!("SHA256:{}", "ab".repeat(32)));
    }
    let nobody = Heroku::new(settings("http://127.0.0.1:1", "http://127.0.0.1:1"), ProbeClock::new()).unwrap();
    assert_eq!(nobody.start_build(&token(), &app(), &order()).await.unwrap_err().fault, Fault::Unreachable);
}

#[tokio::test]
async fn what_is_said_holds_no_secret() {
    let world = world().await;
    let echo = format!("cannot fetch https://storage.example.com/get?Signature=topsecret for {TOKEN}");
    let error = world.order(error(422, "invalid_params", &echo)).await.unwrap_err();
    assert_eq!(error.said.as_deref(), Some("cannot fetch [hidden] for [hidden]"));
    assert!(!format!("{error:?} {error} {:?} {:?}", world.heroku, order()).contains("topsecret"));
}

fn marked(id: &str, minute: u8, description: &str) -> Value {
    let at = format!("2026-11-20T09:{minute:02}:00Z");
    json!({"id": id, "status": "succeeded", "created_at": at, "release": {"id": "r1"}, "source_blob": {"url": "x", "version_description": description}})
}

async fn find(world: &World) -> Result<Option<BuildId>, Fault> {
    let since = "2026-11-20T09:30:00Z".parse().unwrap();
    let found = world.heroku.find_build(&token(), &app(), DEPLOYMENT.parse().unwrap(), since).await;
    found.map(|build| build.map(|build| build.id)).map_err(|error| error.fault)
}

#[tokio::test]
async fn our_build_is_found_by_our_id_only() {
    let world = world().await;
    let ours = format!("acme/web:{SHA} slash-heroku:{DEPLOYMENT}");
    let builds = json!([marked("b3", 50, &format!("{ours}0")), marked("b2", 45, &format!("acme/web:{SHA}")), marked("b1", 40, &ours)]);
    Mock::given(path("/apps/a1/builds"))
        .and(ranged("created_at ..; max=50, order=desc"))
        .respond_with(ok(builds))
        .mount(&world.server)
        .await;
    assert_eq!(find(&world).await, Ok(Some(build_id("b1"))));
}

#[tokio::test]
async fn the_search_stops_at_older_builds_and_goes_on_where_there_is_no_order() {
    let world = world().await;
    let next = |body: Value| ResponseTemplate::new(206).set_body_json(body).insert_header("next-range", "more");
    world.on("GET", "/apps/a1/builds", next(json!([marked("b2", 40, "x"), marked("b1", 10, "x")]))).await;
    assert_eq!(find(&world).await, Ok(None));
    assert_eq!(world.requests().await.len(), 1);

    let world = self::world().await;
    let more = json!([marked("b3", 40, &format!("slash-heroku:{DEPLOYMENT}"))]);
    Mock::given(ranged("more")).respond_with(ok(more)).with_priority(1).mount(&world.server).await;
    world.on("GET", "/apps/a1/builds", next(json!([marked("b1", 10, "x"), marked("b2", 40, "x")]))).await;
    assert_eq!(find(&world).await, Ok(Some(build_id("b3"))));
}

#[tokio::test]
async fn an_order_that_is_not_taken_is_replaced() {
    let world = world().await;
    let ours = json!([marked("b1", 40, &format!("slash-heroku:{DEPLOYMENT}"))]);
    Mock::given(ranged("started_at ..; max=50, order=desc")).respond_with(ok(ours)).with_priority(1).mount(&world.server).await;
    world.on("GET", "/apps/a1/builds", error(416, "requested_range_not_satisfiable", "no")).await;
    assert_eq!(find(&world).await, Ok(Some(build_id("b1"))));
}

#[tokio::test]
async fn builds_of_unknown_status_go_on() {
    let world = world().await;
    for (id, status, release, state) in [
        ("b1", "pending", json!(null), BuildState::Pending),
        ("b2", "quantum", json!(null), BuildState::Pending),
        ("b3", "failed", json!(null), BuildState::Failed),
        ("b4", "succeeded", json!({"id": "r1"}), BuildState::Succeeded { release: Some(ReleaseId::parse("r1").unwrap()) }),
        ("b5", "succeeded", json!(null), BuildState::Succeeded { release: None }),
    ] {
        world
            .gets(
                &format!("/apps/a1/builds/{id}"),
                json!({"id": id, "status": status, "release": release, "generation": {"name": "cedar"}}),
            )
            .await;
        assert_eq!(world.heroku.build(&token(), &app(), &build_id(id)).await.unwrap().state, state);
    }
}

#[tokio::test]
async fn a_build_that_is_over_needs_no_stopping() {
    for (answer, expected) in [
        (ok(json!({})), Ok(())),
        (error(409, "conflict", "over"), Ok(())),
        (error(422, "invalid_params", "over"), Ok(())),
        (error(403, "forbidden", "no"), Err(Fault::Forbidden)),
        (error(404, "not_found", "no"), Err(Fault::NotFound)),
        (ResponseTemplate::new(502), Err(Fault::Unclear)),
    ] {
        let world = world().await;
        world.on("DELETE", "/apps/a1/builds/b1", answer).await;
        let stopped = world.heroku.stop_build(&token(), &app(), &build_id("b1")).await;
        assert_eq!(stopped.map_err(|error| error.fault), expected);
        assert_eq!(world.requests().await.len(), 1);
    }
}

fn release(version: u64, status: &str, current: bool) -> Value {
    json!({"id": format!("r{version}"), "version": version, "status": status, "current": current, "description": "Deploy 27bd10a",
        "user": {"email": "ana@example.com"}, "created_at": "2026-11-20T09:00:00Z", "updated_at": null, "slug": {"id": format!("s{version}")},
        "eligible_for_rollback": true})
}

#[tokio::test]
async fn releases_come_newest_first_and_what_runs_is_the_current_one() {
    let world = world().await;
    Mock::given(path("/apps/a1/releases"))
        .and(ranged("version ..; order=desc, max=2"))
        .respond_with(ok(json!([release(4, "pending", false), release(3, "failed", false), release(2, "succeeded", true)])))
        .mount(&world.server)
        .await;
    let releases = world.heroku.releases(&token(), &app(), 2).await.unwrap();
    let told: Vec<_> = releases.iter().map(|release| (release.version, release.state)).collect();
    assert_eq!(told, [(4, ReleaseState::Pending), (3, ReleaseState::Failed)]);
    assert_eq!((releases[0].by.as_deref(), releases[0].can_return), (Some("ana@example.com"), Some(true)));

    Mock::given(path("/apps/a1/releases"))
        .and(ranged("version ..; order=desc, max=20"))
        .respond_with(
            ResponseTemplate::new(206).set_body_json(json!([release(4, "pending", false)])).insert_header("next-range", "version ..3"),
        )
        .mount(&world.server)
        .await;
    Mock::given(path("/apps/a1/releases"))
        .and(ranged("version ..3"))
        .respond_with(ok(json!([release(3, "failed", false), release(2, "succeeded", true)])))
        .mount(&world.server)
        .await;
    world.gets("/apps/a1/slugs/s2", json!({"id": "s2", "commit": SHA, "blob": {"method": "get", "url": "https://secret"}})).await;
    let running = world.heroku.running(&token(), &app()).await.unwrap();
    assert_eq!(running, Some(Running { version: 2, commit: Some(CommitSha::parse(SHA).unwrap()) }));
}

#[tokio::test]
async fn before_the_first_release_nothing_runs_and_a_lost_slug_is_no_fault() {
    let world = world().await;
    world.gets("/apps/a1/releases", json!([])).await;
    assert_eq!(world.heroku.running(&token(), &app()).await.unwrap(), None);

    let world = self::world().await;
    world.gets("/apps/a1/releases", json!([release(2, "expired", true)])).await;
    world.on("GET", "/apps/a1/slugs/s2", error(404, "not_found", "gone")).await;
    assert_eq!(world.heroku.running(&token(), &app()).await.unwrap(), Some(Running { version: 2, commit: None }));
}

#[tokio::test]
async fn dynos_are_told_apart() {
    use DynoKind::{Lasting, OneOff};
    use DynoState::{Crashed, Unknown, Up};
    let world = world().await;
    let dyno = |name: &str, kind: Option<&str>, state: &str| json!({"name": name, "type": kind, "state": state, "release": {"version": 5}});
    world
        .gets(
            "/apps/a1/dynos",
            json!([
                dyno("web.1", Some("web"), "up"),
                dyno("worker.1", Some("worker"), "idle"),
                dyno("web-1234abcde-123ab", None, "crashed"),
                dyno("release.7", Some("release"), "up"),
                dyno("scheduler.2", None, "up"),
                dyno("run.9", Some("run"), "sleeping")
            ]),
        )
        .await;
    let dynos = world.heroku.dynos(&token(), &app()).await.unwrap();
    let told: Vec<_> = dynos.iter().map(|dyno| (dyno.kind, dyno.state, dyno.release)).collect();
    assert_eq!(told, [(Lasting, Up, 5), (Lasting, Up, 5), (Lasting, Crashed, 5), (OneOff, Up, 5), (OneOff, Up, 5), (OneOff, Unknown, 5)]);
}

#[tokio::test]
async fn reads_wait_as_long_as_they_are_asked_to() {
    let world = world().await;
    for answer in [error(429, "rate_limit", "slow").insert_header("retry-after", "9"), ResponseTemplate::new(503).set_body_string("<html>")]
    {
        Mock::given(path("/apps/a1/dynos")).respond_with(answer).up_to_n_times(1).mount(&world.server).await;
    }
    world.gets("/apps/a1/dynos", json!([])).await;
    assert_eq!(world.heroku.dynos(&token(), &app()).await.unwrap(), []);
    assert_eq!(world.clock.waits()[0].as_secs(), 9);
    assert_eq!(world.clock.waits().len(), 2);
}

#[tokio::test]
async fn the_end_of_an_output_is_cleaned_and_read_without_our_token() {
    let world = world().await;
    let files = MockServer::start().await;
    let stream = format!("{}/streams/1?X-Amz-Signature=topsecret", files.uri());
    world.gets("/apps/a1/builds/b1", json!({"id": "b1", "status": "failed", "output_stream_url": stream})).await;
    let text = "-----> one\n\0\u{1b}[1mtwo HRKU-AAaaaaaaaaaaaaaa\u{1b}[0m\r\nthree\n";
    Mock::given(path("/streams/1")).respond_with(ResponseTemplate::new(302).insert_header("location", "/done/1")).mount(&files).await;
    Mock::given(path("/done/1")).respond_with(ResponseTemplate::new(200).set_body_string(text)).mount(&files).await;
    let output = world.heroku.output(&token(), &app(), &build_id("b1"), None, 2).await.unwrap();
    assert_eq!(output.as_deref(), Some("two [hidden]\nthree"));
    assert!(files.received_requests().await.unwrap().iter().all(|request| !request.headers.contains_key("authorization")));

    world.gets("/apps/a1/releases/r1", json!({"id": "r1", "version": 1, "output_stream_url": format!("{}/none", files.uri())})).await;
    world.gets("/apps/a1/releases/r2", json!({"id": "r2", "version": 2, "output_stream_url": null})).await;
    for id in ["r1", "r2"] {
        let release = Some(ReleaseId::parse(id).unwrap());
        assert_eq!(world.heroku.output(&token(), &app(), &build_id("b1"), release, 2).await.unwrap(), None);
    }
}

#[derive(Debug)]
struct Pieces {
    at: usize,
}

#[async_trait]
impl ArchiveBody for Pieces {
    async fn next(&mut self) -> std::io::Result<Option<Bytes>> {
        self.at += 1;
        Ok((self.at <= 2).then(|| Bytes::from_static(b"hello")))
    }

    async fn rewind(&mut self) -> std::io::Result<()> {
        self.at = 0;
        Ok(())
    }
}

fn archive() -> SourceArchive {
    SourceArchive { length: 10, sha256: "cd".repeat(32), body: Box::new(Pieces { at: 0 }) }
}

/// A storage that shows what comes over the wire, byte for byte: one connection per status in `statuses`.
fn storage(statuses: &'static [&'static str]) -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = format!("http://{}/put?Signature=topsecret", listener.local_addr().unwrap());
    let seen = std::thread::spawn(move || {
        let mut all = Vec::new();
        for status in statuses {
            let (mut connection, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            let mut piece = [0; 1024];
            while !request.ends_with(b"hellohello") {
                let read = connection.read(&mut piece).unwrap();
                assert!(read > 0, "the upload broke off");
                request.extend_from_slice(&piece[..read]);
            }
            write!(connection, "HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
            all.push(String::from_utf8(request).unwrap());
        }
        all
    });
    (place, seen)
}

#[tokio::test]
async fn a_source_is_handed_over_with_its_length_and_nothing_of_ours() {
    let world = world().await;
    let (put, seen) = storage(&["503 Slow Down", "200 OK"]);
    let sources = json!({"source_blob": {"get_url": "https://storage.example.com/get?Signature=topsecret", "put_url": put}});
    world.on("POST", "/sources", ResponseTemplate::new(201).set_body_json(sources)).await;
    let source = world.heroku.upload(&token(), archive()).await.unwrap();
    assert_eq!(secrecy::ExposeSecret::expose_secret(&source.address), "https://storage.example.com/get?Signature=topsecret");
    assert_eq!(source.sha256, "cd".repeat(32));
    assert!(!format!("{source:?}").contains("topsecret"));
    for request in seen.join().unwrap() {
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        let head = head.to_ascii_lowercase();
        assert!(head.starts_with("put /put?signature=topsecret http/1.1"), "{head}");
        assert!(head.contains("\r\ncontent-length: 10"), "{head}");
        for absent in ["transfer-encoding", "content-type", "authorization", "heroku"] {
            let head = head.replace("user-agent: slash-heroku", "");
            assert!(!head.contains(absent), "{absent} in {head}");
        }
        assert_eq!(body, "hellohello");
    }
    assert_eq!(world.requests().await.len(), 2, "a fresh address for each try");
}

#[tokio::test]
async fn a_storage_that_refuses_is_told_without_its_address() {
    let world = world().await;
    let (put, seen) = storage(&["403 Forbidden", "403 Forbidden", "403 Forbidden"]);
    let sources = json!({"source_blob": {"get_url": put, "put_url": put}});
    world.on("POST", "/sources", ResponseTemplate::new(201).set_body_json(sources)).await;
    let error = world.heroku.upload(&token(), archive()).await.unwrap_err();
    assert_eq!(error.fault, Fault::Refused);
    assert!(!format!("{error:?} {error}").contains("topsecret"));
    assert_eq!(seen.join().unwrap().len(), 3);

    let world = self::world().await;
    let sources = json!({"source_blob": {"get_url": "http://storage.example.com/g", "put_url": "http://storage.example.com/p"}});
    world.on("POST", "/sources", ResponseTemplate::new(201).set_body_json(sources)).await;
    assert_eq!(world.heroku.upload(&token(), archive()).await.unwrap_err().fault, Fault::Nonsense);
}

#[test]
fn pages_for_people() {
    let heroku = Heroku::new(settings("http://127.0.0.1:1", "http://127.0.0.1:1"), ProbeClock::new()).unwrap();
    let web = AppName::parse("web").unwrap();
    assert_eq!(heroku.pipeline_page(&pipeline()), "https://dashboard.heroku.com/pipelines/p1");
    assert_eq!(heroku.app_page(&web), "https://dashboard.heroku.com/apps/web");
    assert_eq!(heroku.build_page(&web, &build_id("b1")), "https://dashboard.heroku.com/apps/web/activity/builds/b1");
    let release = ReleaseId::parse("r1").unwrap();
    assert_eq!(heroku.release_page(&web, &release), "https://dashboard.heroku.com/apps/web/activity/releases/r1");
}
