//! Statuses, check runs, required checks.

use serde_json::{Value, json};

use super::{REPO, Stage};
use crate::sandbox::github::Protection;

fn names(list: &Value, key: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|one| one[key].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn statuses_combine() {
    let stage = Stage::new().await;
    let path = "/repos/acme/hubot/commits/main/status";
    let (_, none) = stage.get(path).await;
    assert_eq!((&none["state"], &none["total_count"]), (&json!("pending"), &json!(0)));
    stage.github.set_status(REPO, "main", "ci/one", "failure").unwrap();
    stage.github.set_status(REPO, "main", "ci/two", "success").unwrap();
    assert_eq!(stage.get(path).await.1["state"], "failure");
    stage.github.set_status(REPO, "main", "CI/one", "success").unwrap();
    let (_, green) = stage.get(path).await;
    assert_eq!((&green["state"], &green["total_count"]), (&json!("success"), &json!(2)));
    let (_, first) = stage.get(&format!("{path}?per_page=1")).await;
    assert_eq!((first["statuses"].as_array().unwrap().len(), &first["total_count"]), (1, &json!(2)));
    assert_eq!(stage.get("/repos/acme/hubot/commits/main/statuses").await.1.as_array().unwrap().len(), 3);
    assert!(stage.github.set_status(REPO, "main", "ci/one", "green").is_err());
    assert_eq!(stage.get("/repos/acme/hubot/commits/nowhere/status").await.0, 404);
}

#[tokio::test]
async fn reporting_a_status() {
    let stage = Stage::new().await;
    let head = stage.github.head(REPO, "main").unwrap();
    let path = format!("/repos/acme/hubot/statuses/{head}");
    let (status, body) = stage.post(&path, json!({ "state": "success", "context": "deploys/lock" })).await;
    assert_eq!((status, &body["creator"]["login"], &body["context"]), (201, &json!("ana"), &json!("deploys/lock")));
    let (status, body) = stage.post(&path, json!({ "state": "success", "description": "x".repeat(141) })).await;
    assert_eq!((status, &body["errors"][0]["message"]), (422, &json!("description is too long (maximum is 140 characters)")));
    assert_eq!(stage.post(&path, json!({ "state": "fine" })).await.0, 422);
    assert_eq!(stage.post("/repos/acme/hubot/statuses/abc", json!({ "state": "success" })).await.0, 422);
}

#[tokio::test]
async fn check_runs_and_reruns() {
    let stage = Stage::new().await;
    let path = "/repos/acme/hubot/commits/main/check-runs";
    assert_eq!(stage.get(path).await.1, json!({ "total_count": 0, "check_runs": [] }));
    stage.github.add_check_run(REPO, "main", "build", "completed", Some("failure"), 1).unwrap();
    stage.github.add_check_run(REPO, "main", "build", "in_progress", None, 2).unwrap();
    stage.github.add_check_run(REPO, "main", "build", "completed", Some("success"), 1).unwrap();
    let (_, latest) = stage.get(path).await;
    assert_eq!(latest["total_count"], 2);
    assert_eq!((&latest["check_runs"][0]["conclusion"], &latest["check_runs"][0]["app"]["id"]), (&json!("success"), &json!(1)));
    assert_eq!(latest["check_runs"][1]["conclusion"], json!(null));
    assert_eq!(stage.get(&format!("{path}?filter=all")).await.1["total_count"], 3);
    assert_eq!(stage.get(&format!("{path}?app_id=2")).await.1["total_count"], 1);
    assert_eq!(stage.get(&format!("{path}?check_name=test")).await.1["total_count"], 0);
    stage.github.add_check_suite(REPO, "main", 3).unwrap();
    let (_, suites) = stage.get("/repos/acme/hubot/commits/main/check-suites").await;
    let seen: Vec<(&str, u64)> = suites["check_suites"]
        .as_array()
        .unwrap()
        .iter()
        .map(|suite| (suite["status"].as_str().unwrap(), suite["latest_check_runs_count"].as_u64().unwrap()))
        .collect();
    assert_eq!(seen, [("completed", 1), ("in_progress", 1), ("queued", 0)]);
    assert_eq!(stage.get("/repos/acme/hubot/commits/nowhere/check-runs").await.0, 422);
}

#[tokio::test]
async fn protection_shows_itself_to_administrators_and_a_part_to_all() {
    let stage = Stage::new().await;
    let path = "/repos/acme/hubot/branches/main/protection";
    let (status, body) = stage.get_as("gho_root", path).await;
    assert_eq!((status, &body["message"]), (404, &json!("Branch not protected")));
    stage.github.require(REPO, "main", &["ci/one"], Protection::Classic).unwrap();
    stage.github.require_from_app(REPO, "main", "build", 15368, Protection::Classic).unwrap();
    let (status, body) = stage.get(path).await;
    assert_eq!((status, &body["message"]), (404, &json!("Not Found")));
    let (_, body) = stage.get_as("gho_root", path).await;
    assert_eq!(body["required_status_checks"]["contexts"], json!(["ci/one", "build"]));
    let (_, branch) = stage.get("/repos/acme/hubot/branches/main").await;
    assert_eq!((&branch["protected"], &branch["protection"]["enabled"]), (&json!(true), &json!(true)));
    let checks = &branch["protection"]["required_status_checks"]["checks"];
    assert_eq!(*checks, json!([{ "context": "ci/one", "app_id": null }, { "context": "build", "app_id": 15368 }]));
    assert_eq!(stage.get("/repos/acme/hubot/rules/branches/main").await.1, json!([]));
    stage.github.require(REPO, "main", &[], Protection::Classic).unwrap();
    let (_, body) = stage.get_as("gho_root", &format!("{path}/required_status_checks")).await;
    assert_eq!(body["message"], "Required status checks not enabled");
}

#[tokio::test]
async fn rulesets_are_for_every_reader() {
    let stage = Stage::new().await;
    stage.github.require(REPO, "release/1", &["ci/one"], Protection::Ruleset).unwrap();
    let path = "/repos/acme/hubot/rules/branches/release%2F1";
    let (_, rules) = stage.get_as("gho_reader", path).await;
    assert_eq!(names(&rules, "type"), ["deletion", "required_status_checks"]);
    assert_eq!(rules[1]["parameters"]["required_status_checks"], json!([{ "context": "ci/one" }]));
    let id = rules[1]["ruleset_id"].as_u64().unwrap();
    stage.github.push(REPO, "release/1", "Branch off", "ana").unwrap();
    let (_, branch) = stage.get("/repos/acme/hubot/branches/release/1").await;
    assert_eq!((&branch["protected"], &branch["protection"]["enabled"]), (&json!(true), &json!(false)));
    let (_, whole) = stage.get(&format!("/repos/acme/hubot/rulesets/{id}")).await;
    assert_eq!((&whole["enforcement"], names(&whole["rules"], "type").len()), (&json!("active"), 2));
    stage.github.evaluate_only(REPO, "release/1").unwrap();
    assert_eq!(stage.get(path).await.1, json!([]));
    assert_eq!(stage.get("/repos/acme/hubot/rulesets").await.1[0]["enforcement"], "evaluate");
}
