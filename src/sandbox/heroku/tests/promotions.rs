//! Promotions and rollbacks, as the command line and other clients ask for them.

use super::*;

/// A stage whose app runs a release with code, and in the same pipeline two apps of production; ana may deploy to the first only.
async fn stage() -> (Stage, [Uuid; 3]) {
    let stage = Stage::new(AppSeed { dynos: 1, ..AppSeed::default() }).await;
    let app = |name: &str, release_phase: bool| AppSeed {
        name: name.to_owned(),
        pipeline_id: Some(stage.pipeline),
        stage: "production".to_owned(),
        dynos: 1,
        release_phase,
        release_seconds: 30,
        ..AppSeed::default()
    };
    let one = stage.heroku.add_app(app("hubot-eu", true)).unwrap();
    let two = stage.heroku.add_app(app("hubot-us", false)).unwrap();
    stage.heroku.grant("ana@example.com", "hubot-eu", AppRight::Deploy).unwrap();
    stage.heroku.grant("ana@example.com", "hubot-us", AppRight::View).unwrap();
    stage.build().await;
    stage.finish();
    let source: Uuid = text(&stage.get("/apps/hubot-staging").await["id"]).parse().unwrap();
    (stage, [source, one, two])
}

fn body(stage: &Stage, source: Uuid, targets: &[Uuid]) -> Value {
    let targets: Vec<Value> = targets.iter().map(|id| json!({"app": {"id": id}})).collect();
    json!({"pipeline": {"id": stage.pipeline}, "source": {"app": {"id": source}}, "targets": targets})
}

async fn promoted(stage: &Stage, body: &Value) -> Value {
    let answer = stage.ask(Method::POST, "/pipeline-promotions").json(body).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    answer.json().await.unwrap()
}

async fn refused(stage: &Stage, body: &Value) -> (u16, String) {
    let (status, body) = refusal(stage.ask(Method::POST, "/pipeline-promotions").json(body)).await;
    (status, text(&body["id"]).to_owned())
}

#[tokio::test]
async fn each_target_comes_to_an_end_of_its_own() {
    let (stage, [source, one, two]) = stage().await;
    let promotion = promoted(&stage, &body(&stage, source, &[one, two])).await;
    let path = format!("/pipeline-promotions/{}", text(&promotion["id"]));
    assert_eq!((&promotion["status"], &promotion["pipeline"]["id"]), (&json!("pending"), &json!(stage.pipeline)));
    let targets = stage.get(&format!("{path}/promotion-targets")).await;
    let of =
        |targets: &Value, app: Uuid| targets.as_array().unwrap().iter().find(|target| target["app"]["id"] == json!(app)).unwrap().clone();
    assert_eq!((&of(&targets, one)["status"], &of(&targets, one)["release"]), (&json!("pending"), &Value::Null));
    assert_eq!(of(&targets, two)["error_message"], "User does not have access to that app");

    stage.clock.go_on(1);
    let target = of(&stage.get(&format!("{path}/promotion-targets")).await, one);
    assert_eq!(target["status"], "pending", "its release command runs");
    let release = stage.get(&format!("/apps/hubot-eu/releases/{}", text(&target["release"]["id"]))).await;
    assert_eq!((text(&release["description"]), text(&release["status"])), ("Promote hubot-staging v2 27bd10a5", "pending"));
    assert!(release["output_stream_url"].is_string());
    let slug = stage.get(&format!("/apps/hubot-eu/slugs/{}", text(&release["slug"]["id"]))).await;
    assert_eq!(slug["commit"], "27bd10a5ab");

    stage.clock.go_on(30);
    assert_eq!(of(&stage.get(&format!("{path}/promotion-targets")).await, one)["status"], "succeeded");
    assert_eq!(stage.get(&path).await["status"], "completed", "which says nothing of the target that failed");
    assert_eq!(stage.heroku.releases("hubot-us").len(), 1);
}

#[tokio::test]
async fn a_release_command_may_fail_it() {
    let (stage, [source, one, _]) = stage().await;
    stage.heroku.next_release_fails("hubot-eu").unwrap();
    let promotion = promoted(&stage, &body(&stage, source, &[one])).await;
    stage.finish();
    let targets = stage.get(&format!("/pipeline-promotions/{}/promotion-targets", text(&promotion["id"]))).await;
    assert_eq!((&targets[0]["status"], &targets[0]["error_message"]), (&json!("failed"), &json!("release command failed")));
}

#[tokio::test]
async fn what_cannot_be_promoted_is_refused() {
    let (stage, [source, one, _]) = stage().await;
    let good = body(&stage, source, &[one]);
    let with = |pointer: &str, value: Value| {
        let mut body = good.clone();
        *body.pointer_mut(pointer).unwrap() = value;
        body
    };
    let nowhere = json!("00000000-0000-4000-8000-000000000000");
    assert_eq!(refused(&stage, &with("/pipeline/id", nowhere.clone())).await, (404, "not_found".to_owned()));
    assert_eq!(refused(&stage, &with("/targets/0/app/id", nowhere)).await, (404, "not_found".to_owned()));
    assert_eq!(refused(&stage, &with("/targets/0/app/id", json!(source))).await, (422, "invalid_params".to_owned()));
    assert_eq!(refused(&stage, &with("/targets", json!([]))).await, (422, "invalid_params".to_owned()));
    assert_eq!(refused(&stage, &body(&stage, one, &[source])).await, (422, "invalid_params".to_owned()), "it has no code");
    let first = text(&stage.get("/apps/hubot-staging/releases/1").await["id"]).to_owned();
    let of_first = with("/source", json!({"app": {"id": source}, "release": {"id": first}}));
    assert_eq!(refused(&stage, &of_first).await, (422, "invalid_params".to_owned()));
    let old = text(&stage.get("/apps/hubot-staging/releases/2").await["id"]).to_owned();
    stage.build().await;
    stage.finish();
    let of_old = with("/source", json!({"app": {"id": source}, "release": {"id": old}}));
    promoted(&stage, &of_old).await;
    stage.heroku.expire_old_releases("hubot-staging").unwrap();
    assert_eq!(refused(&stage, &of_old).await, (422, "invalid_params".to_owned()), "it has expired");
    assert_eq!(stage.get("/apps/hubot-staging/releases/2").await["eligible_for_rollback"], false);
}

#[tokio::test]
async fn a_second_factor_is_wanted_once_for_all_targets() {
    let (stage, [source, one, _]) = stage().await;
    stage.heroku.second_factor("hubot-eu", true).unwrap();
    let good = body(&stage, source, &[one]);
    assert_eq!(refused(&stage, &good).await, (403, "two_factor".to_owned()));
    let with_code = stage.ask(Method::POST, "/pipeline-promotions").header("heroku-two-factor-code", "123456").json(&good);
    assert_eq!(with_code.send().await.unwrap().status(), StatusCode::CREATED);
}

#[tokio::test]
async fn one_goes_back_by_version_or_by_id() {
    let (stage, _) = stage().await;
    stage.build().await;
    stage.finish();
    let second = stage.get("/apps/hubot-staging/releases/2").await;
    for release in [json!("2"), second["id"].clone()] {
        let answer = stage.ask(Method::POST, "/apps/hubot-staging/releases").json(&json!({"release": release})).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::CREATED);
        let made: Value = answer.json().await.unwrap();
        assert_eq!((text(&made["description"]), &made["slug"]), ("Rollback to v2", &second["slug"]));
    }
    assert_eq!(stage.heroku.releases("hubot-staging").len(), 5);
}

#[tokio::test]
async fn who_owns_and_who_works_with_an_app_is_told() {
    let (stage, _) = stage().await;
    let owner = stage.get(&format!("/pipelines/{}", stage.pipeline)).await["owner"]["id"].clone();
    let team = stage.get(&format!("/teams/{}", text(&owner))).await;
    assert_eq!((&team["id"], &team["name"]), (&owner, &json!("acme")));
    assert_eq!(stage.get("/teams").await, json!([team]));
    assert_eq!(stage.get("/apps/hubot-us").await["owner"]["id"], owner, "an app of a team's pipeline is the team's");
    let collaborators = stage.get("/apps/hubot-us/collaborators").await;
    assert_eq!(
        (&collaborators[0]["user"]["email"], &collaborators[0]["permissions"][0]["name"]),
        (&json!("ana@example.com"), &json!("view"))
    );
    assert_eq!(stage.get("/apps/hubot-us/addons").await, json!([]));
}
