//! Deployment records and their statuses.

use serde_json::{Value, json};

use super::{REPO, Stage};
use reqwest::Method;

const PATH: &str = "/repos/acme/hubot/deployments";

fn plain(git_ref: &str) -> Value {
    json!({ "ref": git_ref, "auto_merge": false, "required_contexts": [], "environment": "staging", "production_environment": false })
}

async fn deploy(stage: &Stage, body: Value) -> u64 {
    let (status, made) = stage.post(PATH, body).await;
    assert_eq!(status, 201, "{made}");
    made["id"].as_u64().unwrap()
}

#[tokio::test]
async fn a_deployment_is_recorded_as_sent() {
    let stage = Stage::new().await;
    let head = stage.github.head(REPO, "main").unwrap();
    let mut order = plain("main");
    order["payload"] = json!({ "id": "abc" });
    order["description"] = json!("Shipped");
    let (status, made) = stage.post(PATH, order).await;
    assert_eq!((status, &made["sha"], &made["ref"]), (201, &json!(head), &json!("main")));
    assert_eq!((&made["payload"], &made["production_environment"]), (&json!({ "id": "abc" }), &json!(false)));
    assert_eq!(made["creator"]["login"], "ana");
    assert!(stage.github.violations().is_empty());
    let (_, read) = stage.get(&format!("{PATH}/{}", made["id"])).await;
    assert_eq!(read, made);
    let seen = stage.github.deployments(REPO);
    assert_eq!((seen.len(), seen[0].environment.as_str(), seen[0].description.as_str()), (1, "staging", "Shipped"));
    assert_eq!((&seen[0].payload, seen[0].statuses.len()), (&json!({ "id": "abc" }), 0));
}

#[tokio::test]
async fn what_is_left_out_has_a_meaning() {
    let stage = Stage::new().await;
    let (_, made) = stage.post(PATH, json!({ "ref": "main" })).await;
    assert_eq!((&made["environment"], &made["task"]), (&json!("production"), &json!("deploy")));
    assert_eq!((&made["production_environment"], &made["transient_environment"]), (&json!(true), &json!(false)));
    assert_eq!(stage.github.violations().len(), 2);
}

#[tokio::test]
async fn lists_filter_exactly_and_newest_comes_first() {
    let stage = Stage::new().await;
    let head = stage.github.head(REPO, "main").unwrap();
    let first = deploy(&stage, plain("main")).await;
    let second = deploy(&stage, plain(&head)).await;
    let mut other = plain("main");
    other["environment"] = json!("qa");
    let third = deploy(&stage, other).await;
    let ids = |list: Value| list.as_array().unwrap().iter().map(|one| one["id"].as_u64().unwrap()).collect::<Vec<_>>();
    assert_eq!(ids(stage.get(PATH).await.1), [third, second, first]);
    assert_eq!(ids(stage.get(&format!("{PATH}?ref=main")).await.1), [third, first]);
    assert_eq!(ids(stage.get(&format!("{PATH}?sha={head}&environment=staging")).await.1), [second, first]);
    assert_eq!(ids(stage.get(&format!("{PATH}?sha=none&task=deploy&environment=qa")).await.1), [third]);
    assert_eq!(stage.get(&format!("{PATH}/1")).await.0, 404);
}

#[tokio::test]
async fn contexts_can_stand_in_the_way() {
    let stage = Stage::new().await;
    stage.github.set_status(REPO, "main", "ci/one", "success").unwrap();
    stage.github.add_check_run(REPO, "main", "build", "in_progress", None, 1).unwrap();
    let mut order = plain("main");
    order["required_contexts"] = json!(["ci/one", "never"]);
    let (status, body) = stage.post(PATH, order.clone()).await;
    assert_eq!((status, &body["message"]), (409, &json!("Conflict: Commit status checks failed for main.")));
    assert_eq!(
        body["errors"],
        json!([{
            "contexts": [{ "context": "ci/one", "state": "success" }], "resource": "Deployment", "field": "required_contexts",
            "code": "invalid",
        }])
    );
    order.as_object_mut().unwrap().remove("required_contexts");
    let (status, body) = stage.post(PATH, order.clone()).await;
    assert_eq!((status, &body["errors"][0]["contexts"][1]), (409, &json!({ "context": "build", "state": "pending" })));
    stage.github.add_check_run(REPO, "main", "build", "completed", Some("success"), 1).unwrap();
    assert_eq!(stage.post(PATH, order).await.0, 201);
    assert_eq!(stage.github.deployments(REPO).len(), 1);
}

#[tokio::test]
async fn auto_merge_moves_the_branch_instead_of_deploying() {
    let stage = Stage::new().await;
    stage.github.push(REPO, "topic", "A thing", "ana").unwrap();
    let main = stage.github.push(REPO, "main", "Meanwhile", "bob").unwrap();
    stage.github.conflict(REPO, "topic").unwrap();
    let order = json!({ "ref": "topic", "production_environment": false });
    let (status, body) = stage.post(PATH, order.clone()).await;
    assert_eq!((status, &body["message"]), (409, &json!("Conflict merging main into topic.")));
    stage.github.push(REPO, "topic2", "Forked late", "ana").unwrap();
    stage.github.point(REPO, "topic2", "topic").unwrap();
    let (status, body) = stage.post(PATH, json!({ "ref": "topic2", "production_environment": false })).await;
    assert_eq!((status, &body["message"]), (202, &json!("Auto-merged main into topic2 on deployment.")));
    assert!(stage.github.deployments(REPO).is_empty());
    let (_, compared) = stage.get(&format!("/repos/acme/hubot/compare/{main}...topic2")).await;
    assert_eq!(compared["status"], "ahead");
    assert_eq!(stage.post(PATH, json!({ "ref": "topic2", "production_environment": false })).await.0, 201);
    assert!(stage.github.violations().iter().all(|one| one.contains("auto_merge")));
}

#[tokio::test]
async fn wrong_orders() {
    let stage = Stage::new().await;
    let (status, body) = stage.post(PATH, plain("nowhere")).await;
    assert_eq!((status, &body["message"]), (422, &json!("No ref found for: nowhere")));
    assert_eq!(stage.post(PATH, json!({ "auto_merge": false, "production_environment": false })).await.0, 422);
    assert_eq!(stage.post(PATH, json!([1])).await.1["message"], "Body should be a JSON object");
    let broken = stage.ask(Method::POST, PATH).header("content-type", "application/json").body("{").send().await.unwrap();
    assert_eq!((broken.status().as_u16(), super::read(broken).await.1["message"].clone()), (400, json!("Problems parsing JSON")));
    let nothing = stage.ask(Method::POST, PATH).send().await.unwrap();
    assert_eq!(nothing.status(), 422);
    let url = format!("{}{PATH}", stage.github.api_url());
    let reader = stage.client.post(&url).bearer_auth("gho_reader").json(&plain("main")).send().await.unwrap();
    assert_eq!(reader.status(), 403);
    let stranger = stage.client.post(&url).bearer_auth("gho_stranger").json(&plain("main")).send().await.unwrap();
    assert_eq!(stranger.status(), 404);
    assert!(stage.github.violations().is_empty());
}

#[tokio::test]
async fn statuses_of_a_deployment() {
    let stage = Stage::new().await;
    let id = deploy(&stage, plain("main")).await;
    let path = format!("{PATH}/{id}/statuses");
    let log = "https://dashboard.example/builds/1";
    let (status, made) = stage.post(&path, json!({ "state": "in_progress", "log_url": log, "description": "é".repeat(140) })).await;
    assert_eq!((status, &made["target_url"], &made["log_url"]), (201, &json!(log), &json!(log)));
    assert_eq!((&made["environment"], &made["environment_url"]), (&json!("staging"), &json!("")));
    let (_, only) = stage.get(&format!("{path}/{}", made["id"])).await;
    assert_eq!(only, made);
    let (status, body) = stage.post(&path, json!({ "state": "success", "description": "é".repeat(141) })).await;
    assert_eq!(status, 422);
    assert_eq!(
        body["errors"],
        json!([{
            "resource": "DeploymentStatus", "code": "custom", "field": "description",
            "message": "description is too long (maximum is 140 characters)",
        }])
    );
    assert_eq!(stage.post(&path, json!({ "state": "success", "log_url": "ftp://x" })).await.0, 422);
    assert_eq!(stage.post(&path, json!({ "state": "great" })).await.0, 422);
    assert_eq!(stage.post(&path, json!({ "state": "failure", "environment": "qa" })).await.0, 201);
    let (_, list) = stage.get(&path).await;
    assert_eq!((&list[0]["state"], &list[1]["state"]), (&json!("failure"), &json!("in_progress")));
    let (_, deployment) = stage.get(&format!("{PATH}/{id}")).await;
    assert_eq!((&deployment["environment"], &deployment["original_environment"]), (&json!("qa"), &json!("staging")));
    assert_eq!(stage.post(&format!("{PATH}/1/statuses"), json!({ "state": "success" })).await.0, 404);
    let seen = &stage.github.deployments(REPO)[0].statuses;
    assert_eq!((seen.len(), seen[0].log_url.as_str()), (2, log));
}

#[tokio::test]
async fn success_retires_earlier_deployments_outside_production() {
    let stage = Stage::new().await;
    let mut last_states = Vec::new();
    for (environment, production) in [("staging", false), ("production", true)] {
        let mut order = plain("main");
        order["environment"] = json!(environment);
        order["production_environment"] = json!(production);
        let first = deploy(&stage, order.clone()).await;
        let second = deploy(&stage, order).await;
        for id in [first, second] {
            assert_eq!(stage.post(&format!("{PATH}/{id}/statuses"), json!({ "state": "success" })).await.0, 201);
        }
        let (_, list) = stage.get(&format!("{PATH}/{first}/statuses")).await;
        last_states.push(list[0]["state"].as_str().unwrap().to_owned());
    }
    assert_eq!(last_states, ["inactive", "success"]);
    let id = deploy(&stage, plain("main")).await;
    stage.post(&format!("{PATH}/{id}/statuses"), json!({ "state": "success", "auto_inactive": false })).await;
    let staging: Vec<String> = stage
        .github
        .deployments(REPO)
        .iter()
        .filter(|seen| seen.environment == "staging")
        .map(|seen| seen.statuses.last().unwrap().state.clone())
        .collect();
    assert_eq!(staging, ["inactive", "success", "success"]);
}

#[tokio::test]
async fn a_secret_link_handed_on_is_noticed() {
    let stage = Stage::new().await;
    let mut order = plain("main");
    order["payload"] = json!({ "source": "http://x/acme/hubot/legacy.tar.gz/abc?token=S" });
    deploy(&stage, order).await;
    assert_eq!(stage.github.violations().len(), 1);
}
