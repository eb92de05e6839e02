//! What can be made to go wrong.

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::json;

use super::{REPO, Stage, header, read};
use crate::sandbox::github::{Fault, FaultRule, Limit};

const PATH: &str = "/repos/acme/hubot/deployments";

fn rule(method: &str, path: &str, fault: Fault) -> FaultRule {
    FaultRule { method: Some(method.to_owned()), path_contains: path.to_owned(), spared: 0, times: 1, fault }
}

fn order() -> serde_json::Value {
    json!({ "ref": "main", "auto_merge": false, "production_environment": false })
}

#[tokio::test]
async fn any_answer_can_be_put_in_the_place_of_the_real_one() {
    let stage = Stage::new().await;
    let fault = Fault::Status {
        code: 502,
        body: "<html>".to_owned(),
        content_type: "text/html".to_owned(),
        headers: vec![("retry-after".to_owned(), "3".to_owned())],
    };
    stage.github.fail(FaultRule { times: 2, ..rule("get", "/branches", fault) });
    for _ in 0..2 {
        let answer = stage.ask(Method::GET, "/repos/acme/hubot/branches").send().await.unwrap();
        assert_eq!((answer.status().as_u16(), header(&answer, "retry-after").as_str()), (502, "3"));
        assert_eq!(answer.text().await.unwrap(), "<html>");
    }
    assert_eq!(stage.get("/repos/acme/hubot/branches").await.0, 200);
    assert_eq!(stage.get("/repos/acme/hubot").await.0, 200);
}

#[tokio::test]
async fn all_kinds_of_limits() {
    let stage = Stage::new().await;
    stage.github.fail(rule("GET", "/user", Fault::RateLimited { retry_after: Some(7), limit: Limit::Secondary }));
    let bursts = stage.ask(Method::GET, "/user").send().await.unwrap();
    assert_eq!((bursts.status().as_u16(), header(&bursts, "retry-after").as_str()), (403, "7"));
    assert_eq!(header(&bursts, "x-ratelimit-remaining"), "5000");
    assert!(read(bursts).await.1["message"].as_str().unwrap().contains("secondary rate limit"));
    stage.github.fail(rule("GET", "/user", Fault::RateLimited { retry_after: Some(7), limit: Limit::SecondaryAs429 }));
    let bursts = stage.ask(Method::GET, "/user").send().await.unwrap();
    assert_eq!((bursts.status().as_u16(), header(&bursts, "x-ratelimit-remaining").as_str()), (429, "5000"));
    stage.github.fail(rule("GET", "/user", Fault::RateLimited { retry_after: None, limit: Limit::Primary }));
    let hourly = stage.ask(Method::GET, "/user").send().await.unwrap();
    assert_eq!((header(&hourly, "x-ratelimit-remaining").as_str(), header(&hourly, "retry-after").as_str()), ("0", ""));
    assert_eq!(stage.get("/user").await.0, 200);
}

#[tokio::test]
async fn a_connection_cut_before_or_after_the_work_looks_the_same() {
    let stage = Stage::new().await;
    // The connection has been used before, as in practice: nobody may take the cut for a stale one and ask again.
    assert_eq!(stage.get(PATH).await.0, 200);
    stage.github.fail(rule("POST", PATH, Fault::CutBefore));
    let before = stage.ask(Method::POST, PATH).json(&order()).send().await.unwrap_err();
    assert!(before.is_request(), "{before:?}");
    assert!(stage.github.deployments(REPO).is_empty());
    stage.github.fail(rule("POST", PATH, Fault::CutAfter));
    let after = stage.ask(Method::POST, PATH).json(&order()).send().await.unwrap_err();
    assert!(after.is_request(), "{after:?}");
    assert_eq!(stage.github.deployments(REPO).len(), 1);
    let seen: Vec<(u16, bool)> = stage.github.requests().iter().map(|seen| (seen.status, seen.charged)).collect();
    assert_eq!(seen, [(200, true), (0, false), (0, true)]);
}

#[tokio::test]
async fn half_an_answer() {
    let stage = Stage::new().await;
    stage.github.fail(rule("POST", PATH, Fault::CutWithin));
    let answer = stage.ask(Method::POST, PATH).json(&order()).send().await.unwrap();
    assert_eq!(answer.status(), 201);
    assert!(answer.bytes().await.is_err());
    assert_eq!(stage.github.deployments(REPO).len(), 1);

    stage.github.fail(rule("GET", "legacy.tar.gz", Fault::CutWithin));
    let redirect = stage.ask(Method::GET, "/repos/acme/hubot/tarball/main").send().await.unwrap();
    let archive = stage.client.get(header(&redirect, "location")).send().await.unwrap();
    assert_eq!(archive.status(), 200);
    assert!(archive.bytes().await.is_err());
}

#[tokio::test]
async fn hanging_until_let_go() {
    let stage = Stage::new().await;
    stage.github.fail(rule("POST", PATH, Fault::Hang));
    let request = stage.ask(Method::POST, PATH).json(&order()).send();
    let release = async {
        while stage.github.hanging() == 0 {
            tokio::task::yield_now().await;
        }
        assert!(stage.github.deployments(REPO).is_empty());
        assert_eq!(stage.github.requests()[0].status, 0);
        stage.github.let_go_hanging();
    };
    let (answer, ()) = tokio::join!(request, release);
    assert_eq!(answer.unwrap().status(), 201);
    assert_eq!(stage.github.requests()[0].status, 201);
    stage.github.fail(rule("POST", PATH, Fault::CutBefore));
    stage.github.mend();
    assert_eq!(stage.post(PATH, order()).await.0, 201);
}

#[tokio::test]
async fn work_is_done_late_and_answers_are_none() {
    let stage = Stage::new().await;
    stage.github.fail(rule("POST", "/deployments$", Fault::DoneLate(30)));
    assert!(stage.ask(Method::POST, PATH).json(&order()).send().await.is_err());
    assert_eq!(stage.github.deployments(REPO), []);
    stage.clock.go(SignedDuration::from_secs(31));
    assert_eq!(stage.github.deployments(REPO).len(), 1);
    stage.github.fail(rule("POST", "/deployments$", Fault::OtherJson));
    assert!(stage.post(PATH, order()).await.1.get("sha").is_none());
    assert_eq!(stage.github.deployments(REPO).len(), 2, "it was done");
    stage.github.fail(rule("POST", "/deployments$", Fault::NotJson));
    assert_eq!(stage.ask(Method::POST, PATH).json(&order()).send().await.unwrap().text().await.unwrap().get(..6), Some("<html>"));
    stage.github.fail(rule("POST", "/deployments$", Fault::TokenRefused));
    assert_eq!(stage.post(PATH, order()).await.0, 401);
    assert_eq!(stage.github.deployments(REPO).len(), 2, "nothing was done");
}

#[tokio::test]
async fn a_clock_that_is_off_is_off_everywhere() {
    let stage = Stage::new().await;
    stage.github.set_clock(SignedDuration::from_mins(12));
    let answer = stage.ask(Method::POST, PATH).json(&order()).send().await.unwrap();
    assert_eq!(header(&answer, "date"), "Mon, 23 Nov 2026 10:12:00 GMT");
    let reset: i64 = header(&answer, "x-ratelimit-reset").parse().unwrap();
    assert_eq!(stage.github.deployments(REPO)[0].created_at.as_second() + 3600, reset);
}
