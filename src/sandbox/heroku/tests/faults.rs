//! Faults on demand.

use super::*;

fn rule(method: &str, path_contains: &str, fault: Fault) -> FaultRule {
    FaultRule { method: Some(method.to_owned()), path_contains: path_contains.to_owned(), times: 1, fault }
}

#[tokio::test]
async fn an_answer_on_demand_comes_as_often_as_asked() {
    let stage = Stage::usual().await;
    let fault = Fault::Status {
        code: 503,
        body: "<html>maintenance</html>".to_owned(),
        content_type: "text/html".to_owned(),
        headers: vec![("retry-after".to_owned(), "7".to_owned())],
    };
    stage.heroku.fail(rule("GET", "/account", fault));
    stage.heroku.fail(rule("GET", "/account", Fault::RateLimited { retry_after: Some(3) }));
    let first = stage.ask(Method::GET, "/account").send().await.unwrap();
    assert_eq!((first.status().as_u16(), first.headers()["retry-after"].to_str().unwrap()), (503, "7"));
    assert_eq!(first.text().await.unwrap(), "<html>maintenance</html>");
    let second = stage.ask(Method::GET, "/account").send().await.unwrap();
    assert_eq!((second.status().as_u16(), second.headers()["retry-after"].to_str().unwrap()), (429, "3"));
    assert_eq!(second.json::<Value>().await.unwrap()["id"], "rate_limit");
    assert_eq!(stage.ask(Method::GET, "/account").send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn a_connection_closes_before_or_after_the_work() {
    let stage = Stage::usual().await;
    let url = stage.upload(b"source").await;
    stage.heroku.fail(rule("POST", "/builds", Fault::CutBefore));
    let error = stage.order(&url).send().await.unwrap_err();
    assert!(!error.is_connect() && !error.is_timeout(), "{error:?}");
    assert_eq!(stage.heroku.builds("hubot-staging").len(), 0);
    stage.heroku.fail(rule("POST", "/builds", Fault::CutAfter));
    assert!(stage.order(&url).send().await.is_err());
    assert_eq!(stage.heroku.builds("hubot-staging").len(), 1);
    let seen = stage.heroku.requests();
    let orders: Vec<u16> = seen.iter().filter(|seen| seen.path.ends_with("/builds")).map(|seen| seen.status).collect();
    assert_eq!(orders, [0, 0]);
}

#[tokio::test]
async fn an_answer_breaks_off_in_the_middle() {
    let stage = Stage::usual().await;
    stage.heroku.fail(rule("GET", "/apps", Fault::TruncatedBody));
    let answer = stage.ask(Method::GET, "/apps/hubot-staging").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(answer.text().await.is_err());
}

#[tokio::test]
async fn what_hangs_is_let_go() {
    let stage = Stage::usual().await;
    let url = stage.upload(b"source").await;
    stage.heroku.fail(rule("POST", "/builds", Fault::Hang));
    let mut hanging = std::pin::pin!(stage.order(&url).send());
    let arrived = |stage: &Stage| stage.heroku.requests().iter().any(|seen| seen.path.ends_with("/builds"));
    while !arrived(&stage) {
        tokio::select! {
            biased;
            _ = &mut hanging => panic!("it was answered"),
            () = tokio::task::yield_now() => {}
        }
    }
    stage.heroku.let_go_hanging();
    assert!(hanging.await.is_err());
    assert_eq!(stage.heroku.builds("hubot-staging").len(), 0);
}

#[tokio::test]
async fn faults_strike_the_other_hosts_too() {
    let stage = Stage::usual().await;
    stage.heroku.fail(rule("PUT", "/uploads/", Fault::CutAfter));
    let source: Value = stage.ask(Method::POST, "/sources").send().await.unwrap().json().await.unwrap();
    assert!(stage.http.put(text(&source["source_blob"]["put_url"])).body("source").send().await.is_err());
    assert_eq!(stage.heroku.uploads()[0].length, Some(6));
    stage.heroku.fail(rule("GET", "/repository", Fault::CutBefore));
    stage.heroku.clear_faults();
    let url = format!("{}/pipelines/{}/repository", stage.heroku.link_url(), stage.pipeline);
    assert_eq!(stage.http.get(url).bearer_auth(TOKEN).send().await.unwrap().status(), StatusCode::NOT_FOUND);
}
