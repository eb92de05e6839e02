//! What a person may do, and one-time codes.

use super::*;
use crate::domain::release::Access;
use crate::ports::{Clock, Fault, Platform, PortError};

const CAPABILITIES: &str = "/users/~/capabilities";

async fn access(answer: ResponseTemplate) -> (Stage, Access) {
    let stage = Stage::new().await;
    stage.on("PUT", CAPABILITIES, answer).await;
    let access = stage.heroku.access(&token(), &app()).await;
    (stage, access)
}

#[tokio::test]
async fn access_says_what_is_sure_and_nothing_else() {
    let told = |capable: Value, second: Value| {
        let capability =
            json!({"capability": "manage_dynos", "resource_type": "app", "capable": capable, "requires_second_factor": second});
        ok(json!({"capabilities": [{"capability": "view", "capable": false, "requires_second_factor": false}, capability]}))
    };
    let (stage, open) = access(told(json!(true), json!(true))).await;
    assert_eq!(open, Access { may_deploy: Some(true), needs_code: Some(true) });
    let asked = &stage.seen().await[0];
    assert_eq!(header(asked, "accept"), "application/vnd.heroku+json; version=3.sdk");
    let capability = json!({"capability": "manage_dynos", "resource_id": app(), "resource_type": "app"});
    assert_eq!(asked.body_json::<Value>().unwrap(), json!({"capabilities": [capability]}));
    assert_eq!(access(told(json!(false), json!(false))).await.1, Access { may_deploy: None, needs_code: Some(false) });
    assert_eq!(access(told(json!(true), Value::Null)).await.1, Access { may_deploy: Some(true), needs_code: None });
    for answer in [refusal(404, "not_found", "Not found."), page_of_html(503), ok(json!([])), ok(json!({"capabilities": []}))] {
        assert_eq!(access(answer).await.1, Access::default());
    }
}

#[tokio::test]
async fn a_yes_holds_for_a_moment_and_for_whom_it_was_said() {
    let stage = Stage::new().await;
    let told = |capable: bool| {
        ok(
            json!({"capabilities": [{"capability": "manage_dynos", "resource_type": "app", "capable": capable, "requires_second_factor": false}]}),
        )
    };
    let asked = async || stage.seen().await.len();
    let ask = async |token: &str| stage.heroku.access(&SecretString::from(token), &app()).await.may_deploy;
    stage.next("PUT", CAPABILITIES, told(false)).await;
    stage.on("PUT", CAPABILITIES, told(true)).await;
    assert_eq!((ask("ana").await, asked().await), (None, 1));
    assert_eq!((ask("ana").await, asked().await), (Some(true), 2), "a no is not held against anybody");
    assert_eq!((ask("ana").await, asked().await), (Some(true), 2));
    assert_eq!((ask("bob").await, asked().await), (Some(true), 3));
    stage.clock.pause_until(stage.clock.now() + jiff::SignedDuration::from_secs(30)).await;
    assert_eq!((ask("ana").await, asked().await), (Some(true), 4));
}

async fn spend(code: &str, answer: ResponseTemplate) -> (Stage, Result<bool, PortError>) {
    let stage = Stage::new().await;
    stage.on("PUT", &below("pre-authorizations"), answer).await;
    let spent = stage.heroku.spend_code(&token(), &app(), SecretString::from(code)).await;
    (stage, spent)
}

#[tokio::test]
async fn a_code_is_given_once_in_a_header() {
    let (stage, spent) = spend("123456", ok(json!({}))).await;
    assert_eq!(spent, Ok(true));
    let seen = stage.seen().await;
    assert_eq!((header(&seen[0], "heroku-two-factor-code"), header(&seen[0], "content-length")), ("123456", "0"));
    assert!(seen[0].body.is_empty());
}

#[tokio::test]
async fn a_wrong_code_is_no_fault() {
    for answer in [
        refusal(403, "invalid_two_factor_code", "Supplied two-factor auth code is invalid."),
        refusal(401, "invalid_two_factor_code", "Supplied two-factor auth code is invalid."),
        refusal(403, "two_factor", "A second authentication factor or pre-authorization is required for this request."),
        refusal(422, "invalid_params", "Supplied two-factor auth code is invalid."),
    ] {
        let (stage, spent) = spend("123456", answer).await;
        assert_eq!(spent, Ok(false));
        assert_eq!(stage.seen().await.len(), 1);
    }
    assert_eq!(spend("12\n34", ok(json!({}))).await.1, Ok(false), "what cannot be sent is no code");
}

#[tokio::test]
async fn a_code_is_never_sent_twice_and_never_told() {
    for (answer, fault) in [
        (page_of_html(503), Fault::Unclear),
        (refusal(429, "rate_limit", "slow down"), Fault::RateLimited { until: None }),
        (refusal(403, "forbidden", "The code 123456 cannot be used by you."), Fault::Forbidden),
    ] {
        let (stage, spent) = spend("123456", answer).await;
        let error = spent.unwrap_err();
        assert_eq!(error.fault, fault);
        assert!(!format!("{error:?}").contains("123456"), "{error:?}");
        assert_eq!(stage.seen().await.len(), 1);
    }
}
