//! Faults on demand.

use super::*;

fn rule(method: &str, path_contains: &str, fault: Fault) -> FaultRule {
    FaultRule { method: Some(method.to_owned()), path_contains: path_contains.to_owned(), spared: 0, times: 1, fault }
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
    stage.heroku.fail(rule("GET", "/account", Fault::RateLimited { retry_after: Some(3), limit: Limit::Primary }));
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
    stage.heroku.fail(rule("GET", "/apps", Fault::CutWithin));
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

#[tokio::test]
async fn work_is_done_late_and_once() {
    let stage = Stage::usual().await;
    let url = stage.upload(b"source").await;
    stage.heroku.fail(rule("POST", "/builds$", Fault::DoneLate(40)));
    assert!(stage.order(&url).send().await.is_err());
    let due = stage.clock.now() + SignedDuration::from_secs(40);
    stage.clock.go_on(39);
    assert_eq!(stage.heroku.builds("hubot-staging"), []);
    stage.clock.go_on(60);
    let builds = stage.heroku.builds("hubot-staging");
    assert_eq!(builds.iter().map(|build| build.created_at).collect::<Vec<_>>(), [due], "at its own time, whenever anybody looks");
    assert_eq!(stage.heroku.builds("hubot-staging").len(), 1);
}

#[tokio::test]
async fn a_time_out_lasts_in_the_time_of_the_world() {
    let stage = Stage::usual().await;
    let url = stage.upload(b"source").await;
    for (done, builds) in [(false, 0), (true, 1)] {
        stage.heroku.fail(rule("POST", "/builds", Fault::TimedOut { done }));
        let mut waiting = std::pin::pin!(stage.order(&url).send());
        let orders = |stage: &Stage| stage.heroku.requests().iter().filter(|seen| seen.path.ends_with("/builds")).count();
        let before = orders(&stage);
        while orders(&stage) == before || stage.heroku.builds("hubot-staging").len() < builds {
            tokio::select! {
                biased;
                _ = &mut waiting => panic!("it was answered at once"),
                () = tokio::task::yield_now() => {}
            }
        }
        let waited = async {
            loop {
                stage.clock.go_on(1);
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            answer = &mut waiting => assert!(answer.is_err()),
            () = waited => {}
        }
        assert_eq!(stage.heroku.builds("hubot-staging").len(), builds);
    }
}

#[tokio::test]
async fn answers_that_are_no_answers() {
    let stage = Stage::usual().await;
    let app = || stage.ask(Method::GET, "/apps/hubot-staging").send();
    stage.heroku.fail(rule("GET", "/apps/*$", Fault::TruncatedJson));
    let answer = app().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let text = answer.text().await.unwrap();
    assert!(text.starts_with('{') && serde_json::from_str::<Value>(&text).is_err(), "{text}");
    stage.heroku.fail(rule("GET", "/apps/*$", Fault::OtherJson));
    assert!(app().await.unwrap().json::<Value>().await.unwrap().get("name").is_none());
    stage.heroku.fail(rule("GET", "/apps/*$", Fault::NotJson));
    let page = app().await.unwrap();
    assert_eq!((page.status(), page.headers()["content-type"].to_str().unwrap()), (StatusCode::OK, "text/html"));
    stage.heroku.fail(rule("GET", "/apps/*$", Fault::TokenRefused));
    assert_eq!(refusal(stage.ask(Method::GET, "/apps/hubot-staging")).await.1["id"], "unauthorized");
    stage.heroku.fail(rule("GET", "/apps/*$", Fault::page(502)));
    assert!(app().await.unwrap().text().await.unwrap().starts_with("<html>"));
    assert_eq!(app().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn an_answer_drips() {
    let stage = Stage::usual().await;
    stage.heroku.fail(rule("GET", "/apps/*$", Fault::Drips));
    let mut body = stage.ask(Method::GET, "/apps/hubot-staging").send().await.unwrap();
    let began = stage.clock.now();
    let dripped = async {
        let mut drops = Vec::new();
        while let Ok(drop) = body.chunk().await {
            drops.push(drop.unwrap().len());
        }
        drops
    };
    let ticking = async {
        loop {
            stage.clock.go_on(1);
            tokio::task::yield_now().await;
        }
    };
    let drops = tokio::select! {
        drops = dripped => drops,
        () = ticking => Vec::new(),
    };
    assert!(!drops.is_empty() && drops.iter().sum::<usize>() <= 20, "{drops:?}");
    assert!(stage.clock.now().duration_since(began) >= SignedDuration::from_secs(20));
}

#[tokio::test]
async fn a_clock_that_is_off_is_off_everywhere() {
    let stage = Stage::usual().await;
    stage.heroku.set_clock(SignedDuration::from_mins(-7));
    let path = stage.build().await;
    let answer = stage.ask(Method::GET, &path).send().await.unwrap();
    assert_eq!(answer.headers()["date"].to_str().unwrap(), "Mon, 02 Nov 2026 09:53:00 GMT");
    assert_eq!(answer.json::<Value>().await.unwrap()["created_at"], "2026-11-02T09:53:00Z");
    assert_eq!(stage.heroku.next_event_at(), Some(stage.clock.now() + SignedDuration::from_mins(1)), "in everybody's time");
}

#[tokio::test]
async fn dynos_flap() {
    let stage = Stage::usual().await;
    stage.heroku.next_dynos_flap("hubot-staging").unwrap();
    stage.build().await;
    stage.clock.go_on(60 + 30 + 10);
    let mut states = Vec::new();
    for seconds in [0, 15, 10, 15, 15, 10] {
        stage.clock.go_on(seconds);
        states.extend(stage.dynos().await);
    }
    let states: Vec<&str> = states.iter().map(|state| state.trim_start_matches("web v2 ")).collect();
    assert_eq!(states, ["crashed", "starting", "up", "crashed", "starting", "up"]);
}
