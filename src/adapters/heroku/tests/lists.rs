//! Lists: pages, what is left out, links of repositories, what runs.

use super::*;
use crate::domain::names::ReleaseId;
use crate::domain::pipeline::Environment;
use crate::domain::release::{DynoKind, DynoState, ReleaseState};
use crate::ports::{Fault, Platform};
use wiremock::matchers::header as with;

fn page(status: u16, body: Value, next: Option<&str>) -> ResponseTemplate {
    let answer = ResponseTemplate::new(status).set_body_json(body);
    match next {
        Some(next) => answer.insert_header("next-range", next),
        None => answer,
    }
}

#[tokio::test]
async fn all_pages_are_read_and_sorted_by_name() {
    let stage = Stage::new().await;
    let one =
        |id: &str, name: &str, owner: Value| json!({"id": id, "name": name, "owner": owner, "created_at": "2016-01-02T03:04:05+00:00"});
    let first = json!([one("b", "web", json!({"id": "0123456789", "type": "team"})), one("c", "No Slug", Value::Null)]);
    stage.next("GET", "/pipelines", page(206, first, Some("]id c..; max=200"))).await;
    Mock::given(with("range", "]id c..; max=200"))
        .respond_with(page(200, json!([one("a", "web", json!("odd")), one("d", "api", Value::Null)]), None))
        .mount(&stage.api)
        .await;
    let pipelines = stage.heroku.pipelines(&token()).await.unwrap();
    let told: Vec<_> = pipelines.iter().map(|p| (p.name.as_str(), p.id.as_str(), p.owner.as_deref())).collect();
    assert_eq!(told, [("api", "d", None), ("web", "a", None), ("web", "b", Some("team 01234567"))]);
    assert_eq!(pipelines[0].created_at, Some("2016-01-02T03:04:05Z".parse().unwrap()));
    let seen = stage.seen().await;
    assert_eq!(header(&seen[0], "accept"), "application/vnd.heroku+json; version=3");
    assert_eq!(header(&seen[0], "authorization"), format!("Bearer {TOKEN}"));
}

#[tokio::test]
async fn a_list_that_cannot_be_read_whole_fails() {
    for (next, requests) in [(None, 3), (Some("]id x..; max=1"), 2)] {
        let stage = Stage::new().await;
        stage.on("GET", &below("dynos"), page(206, json!([]), next)).await;
        let error = stage.heroku.dynos(&token(), &app()).await.unwrap_err();
        assert_eq!(error.fault, Fault::Nonsense, "{error}");
        assert_eq!(stage.seen().await.len(), requests);
    }
}

#[tokio::test]
async fn a_list_without_an_end_is_given_up() {
    let stage = Stage::new().await;
    let count = std::sync::atomic::AtomicUsize::new(0);
    let endless = move |_: &Request| {
        let at = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        page(206, json!([]), Some(&format!("]id {at}..; max=1")))
    };
    Mock::given(method("GET")).respond_with(endless).mount(&stage.api).await;
    assert_eq!(stage.heroku.dynos(&token(), &app()).await.unwrap_err().fault, Fault::Nonsense);
    assert_eq!(stage.seen().await.len(), 60);
}

#[tokio::test]
async fn apps_get_their_names_and_those_of_tests_are_left_out() {
    let stage = Stage::new().await;
    let coupling = |app: &str, stage: &str| json!({"app": {"id": app}, "stage": stage, "pipeline": {"id": "p"}});
    let couplings = json!([
        coupling("a1", "production"),
        coupling("a2", "test"),
        coupling("a3", "staging"),
        coupling("a4", "production"),
        coupling("a5", "moonbase"),
        coupling("hidden", "staging")
    ]);
    stage.on("GET", &format!("/pipelines/{}/pipeline-couplings", pipeline()), ok(couplings)).await;
    let named =
        |id: &str, name: &str| json!({"id": id, "name": name, "web_url": format!("https://{name}-0123.herokuapp.com/"), "locked": false});
    stage.next("POST", "/filters/apps", page_of_html(503)).await;
    stage
        .next("POST", "/filters/apps", page(206, json!([named("a1", "web"), named("a3", "web-staging")]), Some("]id a3..; max=200")))
        .await;
    stage.on("POST", "/filters/apps", ok(json!([named("a4", "api")]))).await;
    let apps = stage.heroku.apps(&token(), &pipeline()).await.unwrap();
    let told: Vec<_> = apps.iter().map(|app| (app.environment, app.name.as_str())).collect();
    assert_eq!(told, [(Environment::Staging, "web-staging"), (Environment::Production, "api"), (Environment::Production, "web")]);
    assert_eq!(apps[0].web_url.as_deref(), Some("https://web-staging-0123.herokuapp.com/"));
    let seen = stage.seen().await;
    assert_eq!(seen.len(), 4, "a read although a POST: repeated after the 503");
    assert_eq!(header(&seen[2], "accept"), "application/vnd.heroku+json; version=3.filters");
    assert_eq!(seen[2].body_json::<Value>().unwrap(), json!({"in": {"id": ["a1", "a3", "a4", "hidden"]}}));
    assert_eq!(header(&seen[3], "range"), "]id a3..; max=200");
}

#[tokio::test]
async fn a_pipeline_without_apps_asks_for_no_names() {
    let stage = Stage::new().await;
    stage.on("GET", &format!("/pipelines/{}/pipeline-couplings", pipeline()), ok(json!([]))).await;
    assert!(stage.heroku.apps(&token(), &pipeline()).await.unwrap().is_empty());
    assert_eq!(stage.seen().await.len(), 1);
}

const FEATURE: &str = "/account/features/dashboard-repositories-api";

async fn linked(feature: ResponseTemplate, newer: ResponseTemplate, older: ResponseTemplate) -> (Stage, Result<Option<String>, Fault>) {
    let stage = Stage::new().await;
    stage.on("GET", FEATURE, feature).await;
    stage.on("GET", &format!("/pipelines/{}/repo", pipeline()), newer).await;
    let at = format!("/pipelines/{}/repository", pipeline());
    Mock::given(method("GET")).and(path(at)).respond_with(older).mount(&stage.links).await;
    let told = stage.heroku.linked_repository(&token(), &pipeline()).await;
    (stage, told.map(|name| name.map(|name| name.to_string())).map_err(|error| error.fault))
}

#[tokio::test]
async fn the_newer_link_service_is_asked_first_and_the_older_one_where_it_has_nothing() {
    let on = || ok(json!({"enabled": true}));
    let newer = || ok(json!({"id": 1, "name": "new", "full_name": "acme/new"}));
    let older = || ok(json!({"id": "x", "creator": {"id": "y"}, "repository": {"id": 1, "name": "acme/old", "type": "github"}}));
    let none = || refusal(404, "not_found", "Not found.");
    let is = |name: &str| Ok(Some(name.to_owned()));
    let (stage, told) = linked(on(), newer(), older()).await;
    assert_eq!(told, is("acme/new"));
    assert!(stage.links.received_requests().await.unwrap().is_empty());
    assert_eq!(header(&stage.seen().await[1], "accept"), "application/vnd.heroku+json; version=3.repositories-api");

    let (stage, told) = linked(ok(json!({"enabled": false})), newer(), older()).await;
    assert_eq!(told, is("acme/old"));
    assert_eq!(stage.seen().await.len(), 1);
    assert_eq!(header(&stage.links.received_requests().await.unwrap()[0], "authorization"), format!("Bearer {TOKEN}"));

    assert_eq!(linked(none(), newer(), older()).await.1, is("acme/old"), "the feature is unknown to the account");
    assert_eq!(linked(on(), none(), older()).await.1, is("acme/old"));
    assert_eq!(linked(on(), page_of_html(503), older()).await.1, is("acme/old"));
    assert_eq!(linked(none(), newer(), none()).await.1, Ok(None), "not linked");
    assert_eq!(linked(on(), none(), none()).await.1, Ok(None));
    assert_eq!(linked(none(), newer(), page_of_html(502)).await.1, Err(Fault::Unclear));
    assert_eq!(linked(on(), page_of_html(503), page_of_html(503)).await.1, Err(Fault::Unclear));
    assert_eq!(linked(on(), page_of_html(503), none()).await.1, Err(Fault::Unclear), "it may be linked in the newer service");
    assert_eq!(linked(refusal(401, "unauthorized", "Invalid credentials provided."), newer(), older()).await.1, Err(Fault::SignInLost));
}

#[tokio::test]
async fn a_link_without_a_name_is_not_kept() {
    let nameless = ok(json!({"something": ["else"]})).insert_header("etag", "\"a\"");
    let (stage, told) = linked(ok(json!({"enabled": true})), nameless, refusal(404, "not_found", "Not found.")).await;
    assert_eq!(told, Err(Fault::Nonsense));
    assert!(stage.heroku.linked_repository(&token(), &pipeline()).await.is_err());
    let seen = stage.seen().await;
    let asked: Vec<_> = seen.iter().filter(|request| request.url.path().ends_with("/repo")).collect();
    assert!(asked.len() > 1, "it is asked for again");
    // Had it been kept, the service would only say that nothing has changed.
    assert!(asked.iter().all(|request| !request.headers.contains_key("if-none-match")));
}

fn release(version: u64, status: &str, current: bool, slug: Value) -> Value {
    json!({
        "id": format!("r{version}"), "version": version, "status": status, "current": current, "slug": slug, "updated_at": null,
        "description": "Set \u{1b}[31mHRKU-0123456789abcdef config vars", "user": {"id": "u", "email": "ana@example.com"},
        "created_at": "2026-11-20T10:00:00Z", "something_new": [1],
    })
}

#[tokio::test]
async fn releases_are_asked_for_from_the_newest_on() {
    let stage = Stage::new().await;
    let all = json!([
        release(12, "pending", false, Value::Null),
        release(11, "galloping", false, Value::Null),
        release(10, "expired", true, Value::Null)
    ]);
    stage.on("GET", &below("releases"), page(206, all, Some("version ]10..; order=desc, max=3"))).await;
    let releases = stage.heroku.releases(&token(), &app(), 2).await.unwrap();
    let told: Vec<_> = releases.iter().map(|release| (release.version, release.state)).collect();
    assert_eq!(told, [(12, ReleaseState::Pending), (11, ReleaseState::Pending)]);
    assert_eq!(releases[0].description, "Set [hidden] config vars");
    assert_eq!(releases[0].by.as_deref(), Some("ana@example.com"));
    assert_eq!(releases[0].can_return, None);
    let seen = stage.seen().await;
    assert_eq!(seen.len(), 1, "the rest is not wanted");
    assert_eq!(header(&seen[0], "range"), "version ..; order=desc, max=2");
}

#[tokio::test]
async fn what_runs_is_the_current_release_and_not_the_newest() {
    for (slug, commit) in [
        (ok(json!({"commit": SHA, "blob": {"method": "get", "url": "https://s.example.com/slug?sig=1"}})), Some(SHA)),
        (ok(json!({"commit": "a label"})), None),
        (ok(json!({"commit": null})), None),
        (refusal(404, "not_found", "Couldn't find that slug."), None),
    ] {
        let stage = Stage::new().await;
        let newest = json!([release(12, "failed", false, json!({"id": "s12"})), release(11, "pending", false, Value::Null)]);
        stage.next("GET", &below("releases"), page(206, newest, Some("version ]11..; order=desc,max=20"))).await;
        stage.on("GET", &below("releases"), ok(json!([release(10, "succeeded", true, json!({"id": "s10"}))]))).await;
        stage.on("GET", &below("slugs/s10"), slug).await;
        let running = stage.heroku.running(&token(), &app()).await.unwrap().unwrap();
        assert_eq!((running.version, running.commit.as_ref().map(CommitSha::as_str)), (10, commit));
        assert_eq!(stage.seen().await.len(), 3, "the link to the code is not followed");
    }
    let stage = Stage::new().await;
    stage.on("GET", &below("releases"), ok(json!([]))).await;
    assert_eq!(stage.heroku.running(&token(), &app()).await, Ok(None));
}

#[tokio::test]
async fn one_release_is_read_by_its_id() {
    let stage = Stage::new().await;
    stage.on("GET", &below("releases/r7"), ok(release(7, "succeeded", true, Value::Null))).await;
    let release = stage.heroku.release(&token(), &app(), &ReleaseId::parse("r7").unwrap()).await.unwrap();
    assert_eq!((release.version, release.state, release.current), (7, ReleaseState::Succeeded, true));
}

#[tokio::test]
async fn dynos_in_our_words() {
    let stage = Stage::new().await;
    let dyno =
        |name: &str, kind: &str, state: &str| json!({"name": name, "type": kind, "state": state, "release": {"id": "r", "version": 5}});
    let mut odd = dyno("web-1234abcde-123ab", "web", "levitating");
    odd["release"] = Value::Null;
    let dynos = json!([
        dyno("web.1", "web", "up"),
        dyno("web.2", "web", "idle"),
        dyno("web.3", "web", "starting"),
        dyno("web.4", "web", "crashed"),
        dyno("web.5", "web", "down"),
        dyno("run.9359", "run", "up"),
        dyno("release.1", "release", "up"),
        dyno("scheduler.1", "", "up"),
        odd
    ]);
    stage.on("GET", &below("dynos"), ok(dynos)).await;
    let told: Vec<_> =
        stage.heroku.dynos(&token(), &app()).await.unwrap().iter().map(|dyno| (dyno.kind, dyno.state, dyno.release)).collect();
    use DynoKind::{Lasting, OneOff};
    use DynoState::{Crashed, Down, Starting, Unknown, Up};
    assert_eq!(
        told,
        [
            (Lasting, Up, 5),
            (Lasting, Up, 5),
            (Lasting, Starting, 5),
            (Lasting, Crashed, 5),
            (Lasting, Down, 5),
            (OneOff, Up, 5),
            (OneOff, Up, 5),
            (OneOff, Up, 5),
            (Lasting, Unknown, 0)
        ]
    );
}

#[test]
fn pages_for_people() {
    use crate::domain::names::{AppName, BuildId};
    let heroku = heroku("http://127.0.0.1:1", "http://127.0.0.1:1", ProbeClock::new());
    let web = AppName::parse("web").unwrap();
    assert_eq!(heroku.pipeline_page(&pipeline()), format!("https://dashboard.heroku.com/pipelines/{}", pipeline()));
    assert_eq!(heroku.app_page(&web), "https://dashboard.heroku.com/apps/web");
    let build = BuildId::parse("b1").unwrap();
    assert_eq!(heroku.build_page(&web, &build), "https://dashboard.heroku.com/apps/web/activity/builds/b1");
    let release = ReleaseId::parse("r1").unwrap();
    assert_eq!(heroku.release_page(&web, &release), "https://dashboard.heroku.com/apps/web/activity/releases/r1");
}
