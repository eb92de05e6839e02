//! Versions, tokens, rights, codes, pages, links.

use super::*;

#[tokio::test]
async fn version_and_token_are_demanded() {
    let stage = Stage::usual().await;
    let url = format!("{}/account", stage.heroku.api_url());
    let (status, body) = refusal(stage.http.get(&url).bearer_auth(TOKEN)).await;
    assert_eq!((status, text(&body["id"])), (406, "not_acceptable"));
    let (status, body) = refusal(stage.http.get(&url).header("accept", "application/vnd.heroku+json; version=3")).await;
    assert_eq!((status, text(&body["id"])), (401, "unauthorized"));
    assert!(text(&body["message"]).starts_with("There were no credentials in your `Authorization` header."));
    let (status, body) = refusal(stage.ask_as("wrong", "3", Method::GET, "/account")).await;
    assert_eq!((status, text(&body["message"])), (401, "Invalid credentials provided."));
    let answer = stage.ask(Method::GET, "/account").send().await.unwrap();
    assert!(answer.headers().contains_key("request-id"));
    assert_eq!(answer.json::<Value>().await.unwrap()["email"], "ana@example.com");
    // As clients send it that take a key for a password.
    let by_password = stage.http.get(&url).header("accept", "application/vnd.heroku+json; version=3").basic_auth("", Some(TOKEN));
    assert_eq!(by_password.send().await.unwrap().json::<Value>().await.unwrap()["email"], "ana@example.com");
    assert!(stage.heroku.revoke_token(TOKEN));
    assert_eq!(refusal(stage.ask(Method::GET, "/account")).await.0, 401);
    let seen = stage.heroku.requests();
    assert_eq!(seen.iter().map(|seen| seen.status).collect::<Vec<_>>(), [406, 401, 401, 200, 200, 401]);
    assert_eq!(seen[3].token_email.as_deref(), Some("ana@example.com"));
}

#[tokio::test]
async fn calls_are_counted_and_come_back() {
    let stage = Stage::usual().await;
    stage.heroku.calls_left("ana@example.com", 1).unwrap();
    let answer = stage.ask(Method::GET, "/account").send().await.unwrap();
    assert_eq!(answer.headers()["ratelimit-remaining"], "0");
    let (status, body) = refusal(stage.ask(Method::GET, "/account")).await;
    assert_eq!((status, text(&body["id"])), (429, "rate_limit"));
    stage.clock.go_on(60);
    assert_eq!(stage.get("/account/rate-limits").await, json!({"remaining": 75}));
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again() {
    let stage = Stage::usual().await;
    let tag = stage.ask(Method::GET, "/apps").send().await.unwrap().headers()["etag"].clone();
    let answer = stage.ask(Method::GET, "/apps").header("if-none-match", &tag).send().await.unwrap();
    assert_eq!((answer.status(), answer.text().await.unwrap().as_str()), (StatusCode::NOT_MODIFIED, ""));
}

#[tokio::test]
async fn rights_decide_what_is_seen_and_done() {
    let stage = Stage::usual().await;
    stage.heroku.add_user("bob", "bob@example.com", &[], false);
    let hidden = AppSeed {
        name: "hubot-production".to_owned(),
        pipeline_id: Some(stage.pipeline),
        stage: "production".to_owned(),
        ..AppSeed::default()
    };
    let hidden = stage.heroku.add_app(hidden).unwrap();
    stage.heroku.grant("bob@example.com", "hubot-staging", AppRight::View).unwrap();

    let (status, body) = refusal(stage.ask(Method::GET, "/apps/nowhere")).await;
    assert_eq!((status, text(&body["resource"]), text(&body["message"])), (404, "app", "Couldn't find that app."));
    let (status, body) = refusal(stage.ask(Method::GET, &format!("/apps/{hidden}"))).await;
    assert_eq!((status, text(&body["message"])), (403, "You do not have access to the app hubot-production."));
    let (status, body) = refusal(stage.ask_as("bob", "3", Method::POST, "/apps/hubot-staging/builds").json(&json!({}))).await;
    assert_eq!((status, text(&body["message"])), (403, "You need to have the deploy or operate permission on this app."));

    let couplings = stage.get(&format!("/pipelines/{}/pipeline-couplings", stage.pipeline)).await;
    let ids: Vec<&Value> = couplings.as_array().unwrap().iter().map(|coupling| &coupling["app"]["id"]).collect();
    assert_eq!(ids.len(), 2);
    let filter = stage.ask_as(TOKEN, "3.filters", Method::POST, "/filters/apps").json(&json!({"in": {"id": ids}}));
    let apps: Value = filter.send().await.unwrap().json().await.unwrap();
    assert_eq!((apps.as_array().unwrap().len(), text(&apps[0]["name"])), (1, "hubot-staging"));
    let coupling = stage.get("/apps/hubot-staging/pipeline-couplings").await;
    assert_eq!((text(&coupling["stage"]), text(&coupling["pipeline"]["name"])), ("staging", "hubot"));
    assert_eq!(stage.get(&format!("/pipelines/{}/latest-releases", stage.pipeline)).await.as_array().unwrap().len(), 1);

    stage.heroku.add_user("eve", "eve@example.com", &[], false);
    let pipelines: Value = stage.ask_as("eve", "3", Method::GET, "/pipelines").send().await.unwrap().json().await.unwrap();
    assert_eq!(pipelines, json!([]));
    assert_eq!(refusal(stage.ask_as("eve", "3", Method::GET, &format!("/pipelines/{}", stage.pipeline))).await.0, 404);
}

#[tokio::test]
async fn pipelines_of_one_name_are_all_found() {
    let stage = Stage::usual().await;
    let seed = PipelineSeed { name: "hubot".to_owned(), owner_type: "user".to_owned(), owner: "ana@example.com".to_owned() };
    stage.heroku.add_pipeline(seed);
    let found: Value =
        stage.ask_as(TOKEN, "3.pipelines", Method::GET, "/pipelines?eq[name]=hubot").send().await.unwrap().json().await.unwrap();
    assert_eq!(found.as_array().unwrap().len(), 2);
    assert_eq!(stage.get("/pipelines?eq[name]=other").await, json!([]));
}

#[tokio::test]
async fn a_second_factor_is_asked_for_and_each_code_works_once() {
    let stage = Stage::new(AppSeed { second_factor: true, ..AppSeed::default() }).await;
    let url = stage.upload(b"source").await;
    let ask = json!({"capabilities": [{"capability": "manage_dynos", "resource_id": "hubot-staging", "resource_type": "app"}]});
    let request = stage.ask_as(TOKEN, "3.sdk", Method::PUT, "/users/~/capabilities").json(&ask);
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!((&answer["capabilities"][0]["capable"], &answer["capabilities"][0]["requires_second_factor"]), (&json!(true), &json!(true)));

    let (status, body) = refusal(stage.order(&url)).await;
    assert_eq!((status, text(&body["id"]), text(&body["app"]["name"])), (403, "two_factor", "hubot-staging"));
    let give =
        |code: &'static str| stage.ask(Method::PUT, "/apps/hubot-staging/pre-authorizations").header("heroku-two-factor-code", code).send();
    assert_eq!(give("123456").await.unwrap().status(), StatusCode::OK);
    assert_eq!(stage.order(&url).send().await.unwrap().status(), StatusCode::CREATED);
    stage.clock.go_on(20 * 60);
    assert_eq!(refusal(stage.order(&url)).await.1["id"], "two_factor");
    assert_eq!(stage.order(&url).header("heroku-two-factor-code", "234567").send().await.unwrap().status(), StatusCode::CREATED);
    assert_eq!(refusal(stage.order(&url)).await.1["id"], "two_factor");
    assert_eq!(stage.heroku.violations(), Vec::<String>::new());

    let wrong: Value = give("999999").await.unwrap().json().await.unwrap();
    assert_eq!(wrong["id"], "invalid_two_factor_code");
    assert_eq!(stage.heroku.violations(), Vec::<String>::new());
    assert_eq!(give("123456").await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(give("999999").await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(stage.heroku.violations().len(), 2);
}

#[tokio::test]
async fn lists_come_in_pages_that_lead_to_the_end() {
    let stage = Stage::usual().await;
    for key in ["A", "B", "C", "D"] {
        stage.heroku.config_change("hubot-staging", key).unwrap();
    }
    stage.heroku.page_size(2);
    let mut range = "version ..; order=desc, max=10".to_owned();
    let (mut versions, mut statuses) = (Vec::new(), Vec::new());
    loop {
        let answer = stage.ask(Method::GET, "/apps/hubot-staging/releases").header("range", &range).send().await.unwrap();
        statuses.push(answer.status().as_u16());
        let next = answer.headers().get("next-range").map(|next| next.to_str().unwrap().to_owned());
        versions.extend(answer.json::<Vec<Value>>().await.unwrap().iter().map(|release| release["version"].as_u64().unwrap()));
        match next {
            Some(next) => range = next,
            None => break,
        }
    }
    assert_eq!((versions, statuses), (vec![5, 4, 3, 2, 1], vec![206, 206, 200]));
    let (status, body) = refusal(stage.ask(Method::GET, "/apps/hubot-staging/releases").header("range", "colour ..")).await;
    assert_eq!((status, text(&body["id"])), (416, "requested_range_not_satisfiable"));
}

#[tokio::test]
async fn members_made_in_the_same_second_are_not_lost_between_pages() {
    let stage = Stage::usual().await;
    let url = stage.upload(b"source").await;
    for _ in 0..3 {
        stage.order(&url).send().await.unwrap();
    }
    stage.clock.go_on(1);
    stage.order(&url).send().await.unwrap();
    stage.heroku.page_size(1);
    let list = |range: String| stage.ask(Method::GET, "/apps/hubot-staging/builds").header("range", range).send();
    let first = list("created_at ..; order=desc".to_owned()).await.unwrap();
    let next = first.headers()["next-range"].to_str().unwrap().to_owned();
    assert_eq!(first.json::<Vec<Value>>().await.unwrap().len(), 1);
    let second = list(next).await.unwrap();
    assert_eq!((second.status(), second.json::<Vec<Value>>().await.unwrap().len()), (StatusCode::OK, 3));
}

#[tokio::test]
async fn each_link_service_knows_its_own_links() {
    let stage = Stage::usual().await;
    stage.heroku.add_user("bob", "bob@example.com", &[], false);
    stage.heroku.grant("bob@example.com", "hubot-staging", AppRight::View).unwrap();
    let newer =
        |token: &'static str| stage.ask_as(token, "3.repositories-api", Method::GET, &format!("/pipelines/{}/repo", stage.pipeline));
    let older = |id: String| stage.http.get(format!("{}/pipelines/{id}/repository", stage.heroku.link_url())).bearer_auth("bob");
    assert_eq!(refusal(newer(TOKEN)).await.0, 404);
    assert_eq!(refusal(older(stage.pipeline.to_string())).await.0, 404);
    stage.heroku.link(stage.pipeline, "acme/hubot", LinkService::Newer).unwrap();
    stage.heroku.link(stage.pipeline, "acme/hubot-old", LinkService::Older).unwrap();
    assert_eq!(newer(TOKEN).send().await.unwrap().json::<Value>().await.unwrap()["full_name"], "acme/hubot");
    assert_eq!(refusal(newer("bob")).await.0, 404);
    let link: Value = older(stage.pipeline.to_string()).send().await.unwrap().json().await.unwrap();
    assert_eq!(link["repository"]["name"], "acme/hubot-old");
    assert_eq!(refusal(older("hubot".to_owned())).await.0, 404);
    let feature = "/account/features/dashboard-repositories-api";
    assert_eq!(stage.get(feature).await["enabled"], true);
    stage.heroku.feature_known(false);
    assert_eq!(refusal(stage.ask_as("bob", "3", Method::GET, feature)).await.0, 404);
}

#[tokio::test]
async fn what_nobody_may_do_is_noted() {
    let stage = Stage::usual().await;
    assert_eq!(refusal(stage.ask(Method::GET, "/apps/hubot-staging/config-vars")).await.0, 403);
    let link = format!("{}/account/github/token", stage.heroku.link_url());
    assert_eq!(refusal(stage.http.get(link).bearer_auth(TOKEN)).await.0, 403);
    let source: Value = stage.ask(Method::POST, "/sources").send().await.unwrap().json().await.unwrap();
    let put = || stage.http.put(text(&source["source_blob"]["put_url"]));
    let typed = put().header("content-type", "application/octet-stream").body("source").send().await.unwrap();
    assert_eq!(typed.status(), StatusCode::FORBIDDEN);
    let pieces = futures_util::stream::iter([Ok::<_, std::io::Error>("source")]);
    let chunked = put().body(reqwest::Body::wrap_stream(pieces)).send().await.unwrap();
    assert_eq!(chunked.status(), StatusCode::NOT_IMPLEMENTED);
    assert_eq!(put().bearer_auth(TOKEN).body("source").send().await.unwrap().status(), StatusCode::BAD_REQUEST);
    let slug = format!("{}/slugs/1", stage.heroku.storage_url());
    assert_eq!(stage.http.get(slug).send().await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(stage.order("https://codeload.example.com/x.tar.gz").send().await.unwrap().status(), StatusCode::CREATED);
    assert_eq!(stage.heroku.violations().len(), 7, "{:?}", stage.heroku.violations());

    let unknown = stage.ask(Method::GET, "/addons").send().await.unwrap();
    assert_eq!(unknown.status(), StatusCode::NOT_IMPLEMENTED);
    assert!(unknown.text().await.unwrap().contains("/addons"));
}

#[tokio::test]
async fn shapes_follow_the_version_and_can_surprise() {
    let stage = Stage::usual().await;
    assert_eq!(stage.get("/apps/hubot-staging").await["generation"]["name"], "cedar");
    let sdk: Value = stage.ask_as(TOKEN, "3.sdk", Method::GET, "/apps/hubot-staging").send().await.unwrap().json().await.unwrap();
    assert_eq!(sdk["generation"], "cedar");
    assert!(text(&stage.get("/apps/hubot-staging").await["created_at"]).ends_with('Z'));
    assert!(text(&stage.get("/pipelines").await[0]["created_at"]).ends_with("+00:00"));
    stage.heroku.extra_fields(true);
    assert!(stage.get("/apps").await[0].get("something_new").is_some());
}
