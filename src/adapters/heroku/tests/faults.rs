//! How reads are repeated, and what is never told.

use std::time::Duration;

use super::*;
use crate::ports::{Fault, Platform};

#[tokio::test]
async fn a_read_waits_as_long_as_it_is_told_to() {
    let stage = Stage::new().await;
    stage.next("GET", "/pipelines", refusal(429, "rate_limit", "slow down").insert_header("retry-after", "7")).await;
    stage.next("GET", "/pipelines", page_of_html(503).insert_header("retry-after", "5")).await;
    stage.on("GET", "/pipelines", ok(json!([]))).await;
    assert_eq!(stage.heroku.pipelines(&token()).await, Ok(Vec::new()));
    assert_eq!(stage.clock.waits(), [Duration::from_secs(7), Duration::from_secs(5)]);
}

#[tokio::test]
async fn a_read_is_given_up_when_the_wait_is_long_and_after_three_tries() {
    let stage = Stage::new().await;
    stage.on("GET", "/pipelines", refusal(429, "rate_limit", "slow down").insert_header("retry-after", "600")).await;
    let until = "2026-11-20T10:10:00Z".parse().unwrap();
    assert_eq!(stage.heroku.pipelines(&token()).await.unwrap_err().fault, Fault::RateLimited { until: Some(until) });
    assert!(stage.clock.waits().is_empty());

    let stage = Stage::new().await;
    stage.on("GET", "/pipelines", page_of_html(502)).await;
    assert_eq!(stage.heroku.pipelines(&token()).await.unwrap_err().fault, Fault::Unclear);
    assert_eq!((stage.seen().await.len(), stage.clock.waits().len()), (3, 2));
}

#[tokio::test]
async fn what_will_not_change_is_asked_once() {
    for (answer, fault) in [
        (refusal(401, "unauthorized", "Invalid credentials provided."), Fault::SignInLost),
        (refusal(403, "suspended", "Your account has been suspended."), Fault::Refused),
        (refusal(404, "not_found", "Not found."), Fault::NotFound),
        (ResponseTemplate::new(404), Fault::NotFound),
        (ResponseTemplate::new(404).set_body_string("Not Found"), Fault::NotFound),
    ] {
        let stage = Stage::new().await;
        stage.on("GET", "/pipelines", answer).await;
        assert_eq!(stage.heroku.pipelines(&token()).await.unwrap_err().fault, fault);
        assert_eq!(stage.seen().await.len(), 1);
    }
}

#[tokio::test]
async fn a_token_is_never_told() {
    let stage = Stage::new().await;
    let plain = "0123-a-token-of-no-known-form";
    let message = format!("No such token: {plain} nor {TOKEN} there. Ask \u{1b}[1mus.");
    stage.on("GET", "/pipelines", refusal(401, "unauthorized", &message).insert_header("request-id", "req-1")).await;
    let error = stage.heroku.pipelines(&SecretString::from(plain)).await.unwrap_err();
    assert_eq!(error.said.as_deref(), Some("No such token: [hidden] nor [hidden] there. Ask us."));
    assert_eq!(error.detail, "GET /pipelines: 401 unauthorized, request req-1");
    assert!(!format!("{error:?} {:?}", stage.heroku).contains("0123-a"));
    let error = stage.heroku.pipelines(&SecretString::from("not\na token")).await.unwrap_err();
    assert_eq!(error.fault, Fault::SignInLost);
    assert!(!format!("{error:?}").contains("a token\""));
}
