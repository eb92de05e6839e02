//! Builds: ordered once, found again, followed, stopped.

use super::*;
use crate::domain::names::BuildId;
use crate::domain::release::BuildState;
use crate::ports::{BuildStart, Fault, Platform, PortError};

fn build(id: &str, status: &str, at: &str, description: Value) -> Value {
    json!({
        "id": id, "status": status, "created_at": at, "release": null, "slug": null,
        "source_blob": {"url": "https://s.example.com/x?X-Amz-Signature=1", "version": SHA, "version_description": description, "checksum": null},
        "output_stream_url": "https://build-output.heroku.com/streams/x?X-Amz-Signature=1",
    })
}

fn ours() -> Value {
    json!(format!("acme/web:{SHA} slash-heroku:{}", deployment()))
}

async fn start(answer: ResponseTemplate) -> (Stage, Result<BuildStart, PortError>) {
    let stage = Stage::new().await;
    stage.on("POST", &below("builds"), answer).await;
    let started = stage.heroku.start_build(&token(), &app(), &order()).await;
    (stage, started)
}

#[tokio::test]
async fn an_order_carries_our_id_and_the_checksum() {
    for status in [200, 201] {
        let answer = ResponseTemplate::new(status).set_body_json(build("b1", "pending", "2026-11-20T10:00:00Z", ours()));
        let (stage, started) = start(answer).await;
        let Ok(BuildStart::Started(build)) = started else { panic!("{started:?}") };
        assert_eq!((build.id.as_str(), &build.state), ("b1", &BuildState::Pending));
        let blob = json!({
            "url": "https://storage.example.com/get?X-Amz-Signature=verysecret", "version": SHA, "version_description": ours(),
            "checksum": format!("SHA256:{}", "ab".repeat(32)),
        });
        assert_eq!(stage.seen().await[0].body_json::<Value>().unwrap(), json!({"source_blob": blob}));
    }
}

#[tokio::test]
async fn a_code_is_asked_for_by_the_id_and_not_by_the_status() {
    for answer in [
        refusal(403, "two_factor", "A second authentication factor or pre-authorization is required for this request."),
        refusal(412, "two_factor", "A second authentication factor is required."),
        ResponseTemplate::new(412),
    ] {
        assert_eq!(start(answer).await.1, Ok(BuildStart::NeedsCode));
    }
}

#[tokio::test]
async fn used_up_builds_are_told_apart_from_used_up_calls() {
    let message = "Your account has reached its concurrent builds limit";
    assert_eq!(start(refusal(422, "unprocessable_entity", message)).await.1, Ok(BuildStart::NoSlot));
    assert_eq!(start(refusal(429, "rate_limit", message)).await.1, Ok(BuildStart::NoSlot));
    let (stage, started) =
        start(refusal(429, "rate_limit", "Your account reached the API rate limit").insert_header("retry-after", "7")).await;
    let until = "2026-11-20T10:00:07Z".parse().unwrap();
    assert_eq!(started.unwrap_err().fault, Fault::RateLimited { until: Some(until) });
    assert_eq!(stage.seen().await.len(), 1);
}

#[tokio::test]
async fn an_order_is_never_repeated_and_doubt_is_told() {
    for answer in [
        page_of_html(502),
        page_of_html(503).insert_header("retry-after", "1"),
        refusal(500, "server_error", "Internal server error."),
        page_of_html(201),
        ResponseTemplate::new(408),
    ] {
        let (stage, started) = start(answer).await;
        assert_eq!(started.unwrap_err().fault, Fault::Unclear);
        assert_eq!(stage.seen().await.len(), 1);
        assert!(stage.clock.waits().is_empty());
    }
    // Nobody listens: it never left.
    let heroku = heroku("http://127.0.0.1:1", "http://127.0.0.1:1", ProbeClock::new());
    assert_eq!(heroku.start_build(&token(), &app(), &order()).await.unwrap_err().fault, Fault::Unreachable);
}

#[tokio::test]
async fn refusals_of_an_order() {
    for (answer, fault, said) in [
        (refusal(403, "forbidden", "You need to have the deploy or operate permission on this app."), Fault::Forbidden, true),
        (refusal(403, "forbidden", "You do not have access to the app secret-plans."), Fault::Forbidden, false),
        (refusal(403, "suspended", "Your account has been suspended."), Fault::Refused, true),
        (refusal(402, "delinquent", "Unpaid invoices."), Fault::Refused, true),
        (refusal(404, "not_found", "Couldn't find that app."), Fault::NotFound, true),
        (refusal(422, "invalid_params", "source_blob.url is not a valid URL"), Fault::Refused, true),
        (refusal(401, "unauthorized", "Invalid credentials provided."), Fault::SignInLost, true),
        (ResponseTemplate::new(403).set_body_json(json!({"error": "Old words."})), Fault::Forbidden, true),
        (page_of_html(404), Fault::Nonsense, false),
        (ResponseTemplate::new(302).insert_header("location", "https://example.com/"), Fault::Nonsense, false),
    ] {
        let error = start(answer).await.1.unwrap_err();
        assert_eq!((error.fault, error.said.is_some()), (fault, said), "{error}");
    }
}

#[tokio::test]
async fn a_build_in_our_words() {
    let mut done = build("b1", "succeeded", "2026-11-20T10:00:00Z", ours());
    assert_eq!(seen(&done).await, BuildState::Succeeded { release: None });
    done["release"] = json!({"id": "r1"});
    let Ok(release) = crate::domain::names::ReleaseId::parse("r1") else { panic!() };
    assert_eq!(seen(&done).await, BuildState::Succeeded { release: Some(release) });
    for (status, state) in [("failed", BuildState::Failed), ("pending", BuildState::Pending), ("contemplating", BuildState::Pending)] {
        assert_eq!(seen(&build("b1", status, "not a time", Value::Null)).await, state);
    }
}

async fn seen(answer: &Value) -> BuildState {
    let stage = Stage::new().await;
    stage.on("GET", &below("builds/b1"), ok(answer.clone())).await;
    stage.heroku.build(&token(), &app(), &BuildId::parse("b1").unwrap()).await.unwrap().state
}

async fn find(stage: &Stage) -> Option<String> {
    let since = "2026-11-20T10:00:00Z".parse().unwrap();
    let found = stage.heroku.find_build(&token(), &app(), deployment(), since).await.unwrap();
    found.map(|build| build.id.to_string())
}

#[tokio::test]
async fn only_our_own_id_finds_a_build_and_the_search_ends_with_time() {
    let stage = Stage::new().await;
    let newest = json!([
        build("b4", "pending", "2026-11-20T10:04:00Z", json!(format!("acme/web:{SHA} slash-heroku:0190b3a8-0000-7000-8000-000000000002"))),
        build("b3", "pending", "2026-11-20T10:03:00Z", Value::Null),
    ]);
    let more = |body: Value| ResponseTemplate::new(206).set_body_json(body).insert_header("next-range", "created_at ]x..; order=desc");
    stage.next("GET", &below("builds"), more(newest.clone())).await;
    stage.on("GET", &below("builds"), more(json!([build("b2", "failed", "2026-11-20T10:02:00Z", ours())]))).await;
    assert_eq!(find(&stage).await.as_deref(), Some("b2"));
    let asked = stage.seen().await;
    assert_eq!(header(&asked[0], "range"), "created_at ..; max=50, order=desc");
    assert_eq!(asked.len(), 2);

    let stage = Stage::new().await;
    let old = json!([build("b1", "pending", "2026-11-20T09:59:00Z", Value::Null)]);
    stage.next("GET", &below("builds"), more(newest)).await;
    stage.on("GET", &below("builds"), more(old)).await;
    assert_eq!(find(&stage).await, None);
    assert_eq!(stage.seen().await.len(), 2);
}

#[tokio::test]
async fn where_builds_cannot_be_sorted_by_time_all_are_read() {
    let stage = Stage::new().await;
    let by_time = Mock::given(method("GET")).and(|request: &Request| header(request, "range") == "created_at ..; max=50, order=desc");
    by_time.respond_with(refusal(416, "requested_range_not_satisfiable", "Bad range.")).mount(&stage.api).await;
    let builds = json!([build("a", "failed", "2020-01-01T00:00:00Z", Value::Null), build("b", "pending", "2026-11-20T10:02:00Z", ours())]);
    Mock::given(method("GET"))
        .and(|request: &Request| header(request, "range") == "id ..; max=200")
        .respond_with(ok(builds))
        .mount(&stage.api)
        .await;
    assert_eq!(find(&stage).await.as_deref(), Some("b"));

    // Sorted otherwise than asked for: an old one at the end of a page means nothing.
    let stage = Stage::new().await;
    let other = ResponseTemplate::new(206)
        .set_body_json(json!([build("a", "failed", "2020-01-01T00:00:00Z", Value::Null)]))
        .insert_header("content-range", "id a..a; max=1")
        .insert_header("next-range", "]id a..; max=1");
    stage.next("GET", &below("builds"), other).await;
    stage.on("GET", &below("builds"), ok(json!([build("b", "pending", "2026-11-20T10:02:00Z", ours())]))).await;
    assert_eq!(find(&stage).await.as_deref(), Some("b"));
}

#[tokio::test]
async fn stopping_what_is_over_is_fine() {
    let id = BuildId::parse("b1").unwrap();
    let over = || refusal(422, "unprocessable_entity", "This build is not running and cannot be cancelled.");
    for (answer, status, fault) in [
        (ok(build("b1", "failed", "2026-11-20T10:00:00Z", Value::Null)), "failed", None),
        (over(), "succeeded", None),
        (refusal(409, "conflict", "Not now."), "failed", None),
        (over(), "pending", Some(Fault::Refused)),
        (refusal(403, "forbidden", "No."), "failed", Some(Fault::Forbidden)),
        (page_of_html(503), "failed", Some(Fault::Unclear)),
    ] {
        let stage = Stage::new().await;
        stage.on("DELETE", &below("builds/b1"), answer).await;
        stage.on("GET", &below("builds/b1"), ok(build("b1", status, "2026-11-20T10:00:00Z", Value::Null))).await;
        assert_eq!(stage.heroku.stop_build(&token(), &app(), &id).await.map_err(|error| error.fault).err(), fault);
        let seen = stage.seen().await;
        assert_eq!(header(&seen[0], "accept"), "application/vnd.heroku+json; version=3.cancel-build");
        assert_eq!(seen.iter().filter(|request| request.method == "DELETE").count(), 1);
    }
}
