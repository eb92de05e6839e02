//! Headers, tokens, limits, paging, caching, renaming.

use reqwest::Method;
use serde_json::json;

use super::{REPO, Stage, header, read};
use crate::sandbox::github::RepoSeed;

#[tokio::test]
async fn a_client_has_to_name_itself() {
    let stage = Stage::new().await;
    let nameless = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = nameless.get(format!("{}/user", stage.github.api_url())).bearer_auth("gho_ana").send().await.unwrap();
    assert_eq!(answer.status(), 403);
    assert!(answer.text().await.unwrap().contains("User-Agent"));
    assert_eq!(stage.github.violations(), ["GET /user: no User-Agent"]);
}

#[tokio::test]
async fn tokens_decide_what_is_there() {
    let stage = Stage::new().await;
    let path = "/repos/acme/hubot";
    let (status, body) = stage.get_as("gho_nobody", path).await;
    assert_eq!(
        (status, body),
        (401, json!({ "message": "Bad credentials", "documentation_url": "https://docs.github.com/rest", "status": "401" }))
    );
    let (status, body) = stage.get_as("gho_stranger", path).await;
    assert_eq!((status, &body["message"]), (404, &json!("Not Found")));
    let (status, body) = stage.get("/repos/ACME/Hubot").await;
    assert_eq!((status, &body["permissions"]["push"], &body["permissions"]["admin"]), (200, &json!(true), &json!(false)));
    assert_eq!(stage.get_as("gho_reader", path).await.1["permissions"]["push"], false);
    assert_eq!(stage.get("/repos/acme/hubot/").await.0, 404);
    assert_eq!(stage.get("/user").await.1["login"], "ana");

    stage.github.revoke_token("gho_ana").unwrap();
    assert_eq!(stage.get(path).await.0, 401);
    assert!(stage.github.revoke_token("gho_nobody").is_err());

    stage.github.add_repository(RepoSeed { name: "acme/open", private: false, default_branch: "main" }).unwrap();
    assert_eq!(stage.get_as("gho_stranger", "/repos/acme/open").await.0, 200);
    let unnamed = stage.client.get(format!("{}/repos/acme/open", stage.github.api_url())).send().await.unwrap();
    assert_eq!(header(&unnamed, "x-ratelimit-limit"), "60");
    assert!(read(unnamed).await.1.get("permissions").is_none());
}

#[tokio::test]
async fn unknown_versions_and_unknown_paths() {
    let stage = Stage::new().await;
    let ask = |version: &str| stage.ask(Method::GET, "/rate_limit").header("x-github-api-version", version).send();
    assert_eq!(ask("2020-01-01").await.unwrap().status(), 400);
    let newest = ask("2026-03-10").await.unwrap();
    assert_eq!(header(&newest, "x-github-api-version-selected"), "2026-03-10");
    assert!(read(newest).await.1.get("rate").is_none());
    assert!(read(ask("2022-11-28").await.unwrap()).await.1.get("rate").is_some());
    let unknown = stage.ask(Method::GET, "/repos/acme/hubot/stargazers").send().await.unwrap();
    assert_eq!(unknown.status(), 501);
    assert!(unknown.text().await.unwrap().ends_with("/repos/acme/hubot/stargazers"));
    assert_eq!(stage.ask(Method::DELETE, "/repos/acme/hubot").send().await.unwrap().status(), 501);
}

#[tokio::test]
async fn an_unchanged_answer_costs_nothing_and_belongs_to_one_token() {
    let stage = Stage::new().await;
    let first = stage.ask(Method::GET, "/repos/acme/hubot").send().await.unwrap();
    let (tag, remaining) = (header(&first, "etag"), header(&first, "x-ratelimit-remaining"));
    assert_eq!((remaining.as_str(), header(&first, "x-oauth-scopes").as_str()), ("4999", "repo"));
    assert!(!header(&first, "x-github-request-id").is_empty());

    let again = stage.ask(Method::GET, "/repos/acme/hubot").header("if-none-match", &tag).send().await.unwrap();
    assert_eq!((again.status().as_u16(), header(&again, "x-ratelimit-remaining")), (304, remaining));
    assert_eq!(header(&again, "etag"), tag);
    let as_raw = stage.ask(Method::GET, "/repos/acme/hubot").header("accept", "application/json").header("if-none-match", &tag);
    assert_eq!(as_raw.send().await.unwrap().status(), 200);
    let url = format!("{}/repos/acme/hubot", stage.github.api_url());
    let other = stage.client.get(url).bearer_auth("gho_reader").header("if-none-match", &tag).send().await.unwrap();
    assert_eq!(other.status(), 200);
    let charged: Vec<(u16, bool)> = stage.github.requests().iter().map(|seen| (seen.status, seen.charged)).collect();
    assert_eq!(charged, [(200, true), (304, false), (200, true), (200, true)]);

    stage.github.push(REPO, "main", "More", "ana").unwrap();
    stage.pass(1);
    stage.github.push(REPO, "main", "Later", "ana").unwrap();
    let changed = stage.ask(Method::GET, "/repos/acme/hubot").header("if-none-match", &tag).send().await.unwrap();
    assert_eq!(changed.status(), 200);
}

#[tokio::test]
async fn a_hash_is_its_own_tag() {
    let stage = Stage::new().await;
    let head = stage.github.head(REPO, "main").unwrap();
    let ask = || stage.ask(Method::GET, "/repos/acme/hubot/commits/heads%2Fmain").header("accept", "application/vnd.github.sha");
    let first = ask().send().await.unwrap();
    let tag = header(&first, "etag");
    assert_eq!(tag, format!("\"{head}\""));
    assert_eq!(first.text().await.unwrap(), head);
    assert_eq!(ask().header("if-none-match", &tag).send().await.unwrap().status(), 304);
    stage.github.push(REPO, "main", "More", "ana").unwrap();
    assert_eq!(ask().header("if-none-match", &tag).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn the_hourly_limit_ends_and_begins_again() {
    let stage = Stage::new().await;
    stage.github.set_remaining("gho_ana", 1).unwrap();
    assert_eq!(stage.get("/user").await.0, 200);
    let spent = stage.ask(Method::GET, "/user").send().await.unwrap();
    assert_eq!((spent.status().as_u16(), header(&spent, "x-ratelimit-remaining").as_str()), (403, "0"));
    let reset: i64 = header(&spent, "x-ratelimit-reset").parse().unwrap();
    assert_eq!(reset, "2026-11-23T11:00:00Z".parse::<jiff::Timestamp>().unwrap().as_second());
    assert!(read(spent).await.1["message"].as_str().unwrap().starts_with("API rate limit exceeded for "));
    let (status, body) = stage.get("/rate_limit").await;
    assert_eq!((status, &body["resources"]["core"]["remaining"]), (200, &json!(0)));
    assert_eq!(stage.get_as("gho_reader", "/user").await.0, 200);
    stage.pass(60);
    assert_eq!(stage.get("/user").await.0, 200);
}

#[tokio::test]
async fn lists_come_in_pages_under_the_numeric_address() {
    let stage = Stage::new().await;
    for number in 0..5 {
        stage.github.push(REPO, &format!("b{number}"), "Branch off", "ana").unwrap();
    }
    let first = stage.ask(Method::GET, "/repos/acme/hubot/branches?per_page=2").send().await.unwrap();
    let link = header(&first, "link");
    assert!(link.contains("/repositories/1001/branches?per_page=2&page=2>; rel=\"next\""), "{link}");
    assert!(link.contains("page=3>; rel=\"last\"") && !link.contains("rel=\"prev\""), "{link}");
    assert_eq!(read(first).await.1.as_array().unwrap().len(), 2);
    let last = stage.ask(Method::GET, "/repositories/1001/branches?per_page=2&page=3").send().await.unwrap();
    let link = header(&last, "link");
    assert!(link.contains("rel=\"prev\"") && link.contains("rel=\"first\"") && !link.contains("rel=\"next\""), "{link}");
    let whole = stage.ask(Method::GET, "/repos/acme/hubot/branches").send().await.unwrap();
    assert_eq!(header(&whole, "link"), "");
}

#[tokio::test]
async fn a_renamed_repository_redirects() {
    let stage = Stage::new().await;
    stage.github.rename_repository(REPO, "acme/bot").unwrap();
    let read_it = stage.ask(Method::GET, "/repos/acme/hubot/branches/main?x=1").send().await.unwrap();
    let expected = format!("{}/repositories/1001/branches/main?x=1", stage.github.api_url());
    assert_eq!((read_it.status().as_u16(), header(&read_it, "location")), (301, expected.clone()));
    let body = read(read_it).await.1;
    assert_eq!((&body["message"], &body["url"]), (&json!("Moved Permanently"), &json!(expected)));
    let write = stage.ask(Method::POST, "/repos/acme/hubot/deployments").json(&json!({ "ref": "main" })).send().await.unwrap();
    assert_eq!(write.status(), 307);
    assert_eq!(stage.get_as("gho_stranger", "/repos/acme/hubot").await.0, 404);
    assert_eq!(stage.get("/repositories/1001").await.1["full_name"], "acme/bot");
    assert_eq!(stage.get("/repos/acme/bot").await.1["id"], 1001);
    assert!(stage.github.push("acme/bot", "main", "Go on", "ana").is_ok());
}

#[tokio::test]
async fn single_sign_on_and_read_only() {
    let stage = Stage::new().await;
    stage.github.archive_repository(REPO).unwrap();
    let (status, body) = stage.post("/repos/acme/hubot/deployments", json!({ "ref": "main" })).await;
    assert_eq!((status, &body["message"]), (403, &json!("Repository was archived so is read-only.")));
    assert_eq!(stage.get("/repos/acme/hubot").await.1["archived"], true);
    stage.github.require_saml(REPO, true).unwrap();
    let walled = stage.ask(Method::GET, "/repos/acme/hubot").send().await.unwrap();
    assert!(header(&walled, "x-github-sso").starts_with("required; url="));
    let (status, body) = read(walled).await;
    assert!(status == 403 && body["message"].as_str().unwrap().contains("SAML enforcement"));
}

#[tokio::test]
async fn only_so_much_is_created_where_that_is_watched() {
    let stage = Stage::new().await;
    stage.github.limit_creating();
    let create = || stage.ask(Method::POST, &format!("/repos/{REPO}/deployments")).json(&json!({"ref": "nothing"})).send();
    for _ in 0..80 {
        assert_eq!(create().await.unwrap().status(), 422, "what is refused counts too");
    }
    let refused = create().await.unwrap();
    assert_eq!((refused.status().as_u16(), header(&refused, "retry-after")), (403, "60".to_owned()));
    assert!(read(refused).await.1["message"].as_str().unwrap().contains("secondary rate limit"));
    assert_eq!(stage.get("/user").await.0, 200, "what reads is not counted");
    stage.pass(1);
    assert_eq!(create().await.unwrap().status(), 422);
}
