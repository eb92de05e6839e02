//! Builds, releases and dynos from beginning to end.

use super::*;

#[tokio::test]
async fn a_deploy_goes_through_build_release_command_and_dynos() {
    let stage = Stage::usual().await;
    let began = stage.clock.now();
    let build = stage.build().await;
    stage.clock.go_on(59);
    assert_eq!(stage.get(&build).await["status"], "pending");
    assert_eq!(stage.heroku.next_event_at(), Some(began + SignedDuration::from_secs(60)));

    stage.clock.go_on(1);
    let built = stage.get(&build).await;
    assert_eq!(built["status"], "succeeded");
    let release = format!("/apps/hubot-staging/releases/{}", text(&built["release"]["id"]));
    let pending = stage.get(&release).await;
    assert_eq!((text(&pending["status"]), &pending["version"], &pending["current"]), ("pending", &json!(2), &json!(false)));
    assert_eq!(pending["description"], "Deploy 27bd10a5");
    assert_eq!(stage.dynos().await, ["release v2 up"]);

    stage.clock.go_on(30);
    assert_eq!(stage.get(&release).await["current"], true);
    assert_eq!(stage.dynos().await, ["web v2 starting"]);
    stage.clock.go_on(10);
    assert_eq!(stage.dynos().await, ["web v2 up"]);
    assert_eq!(stage.heroku.next_event_at(), None);
    let slug = stage.get(&format!("/apps/hubot-staging/slugs/{}", text(&built["slug"]["id"]))).await;
    assert_eq!((text(&slug["commit"]), text(&slug["commit_description"])), ("27bd10a5ab", "deployment 1"));
    let seen = stage.heroku.builds("hubot-staging");
    assert_eq!((seen.len(), seen[0].status, seen[0].source_received), (1, "succeeded", true));
    assert_eq!(stage.heroku.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn all_of_it_happens_at_its_own_time_when_nobody_looks_for_long() {
    let stage = Stage::usual().await;
    let began = stage.clock.now();
    stage.build().await;
    stage.clock.go_on(86_400);
    let release = stage.get("/apps/hubot-staging/releases/2").await;
    assert_eq!(text(&release["created_at"]), json::time(began + SignedDuration::from_secs(60)));
    assert_eq!(text(&release["updated_at"]), json::time(began + SignedDuration::from_secs(90)));
}

#[tokio::test]
async fn failures_strike_the_stage_they_are_meant_for() {
    let stage = Stage::usual().await;
    stage.heroku.next_build_fails("hubot-staging").unwrap();
    let build = stage.build().await;
    stage.finish();
    assert_eq!(stage.get(&build).await["status"], "failed");
    assert_eq!(stage.heroku.releases("hubot-staging").len(), 1);

    stage.build().await;
    stage.finish();
    stage.heroku.next_release_fails("hubot-staging").unwrap();
    stage.build().await;
    stage.finish();
    let statuses: Vec<_> =
        stage.heroku.releases("hubot-staging").into_iter().map(|seen| (seen.version, seen.status, seen.current)).collect();
    assert_eq!(statuses, [(1, "succeeded", false), (2, "succeeded", true), (3, "failed", false)]);
    assert_eq!(stage.dynos().await, ["web v2 up"]);

    stage.heroku.next_dynos_crash("hubot-staging").unwrap();
    stage.build().await;
    stage.finish();
    assert_eq!(stage.dynos().await, ["web v4 crashed"]);
    stage.clock.go_on(10);
    assert_eq!(stage.dynos().await, ["web v4 starting"]);
    stage.clock.go_on(10);
    assert_eq!(stage.dynos().await, ["web v4 crashed"]);
    assert_eq!(stage.heroku.next_event_at(), None);
    stage.clock.go_on(86_400);
    assert_eq!(stage.dynos().await.len(), 1);
}

#[tokio::test]
async fn what_is_held_stays_pending_until_it_is_let_go() {
    let stage = Stage::usual().await;
    for held in [Held::Build, Held::Release, Held::Dynos] {
        stage.heroku.hold("hubot-staging", held).unwrap();
        let build = stage.build().await;
        stage.finish();
        stage.clock.go_on(7200);
        let now = stage.clock.now();
        assert_eq!(stage.heroku.next_event_at(), None, "{held:?}");
        let (built, dynos) = (stage.get(&build).await, stage.dynos().await);
        match held {
            Held::Build => assert_eq!((text(&built["status"]), dynos.len()), ("pending", 0)),
            Held::Release => assert_eq!(dynos, ["release v3 up", "web v2 up"]),
            Held::Dynos => assert_eq!(dynos, ["web v4 starting"]),
        }
        stage.heroku.let_go("hubot-staging").unwrap();
        stage.finish();
        assert!(stage.clock.now() >= now);
        assert!(stage.dynos().await.iter().all(|dyno| dyno.ends_with("up")));
    }
}

#[tokio::test]
async fn a_build_is_cancelled_while_it_runs_only() {
    let stage = Stage::usual().await;
    let build = stage.build().await;
    assert_eq!(stage.ask(Method::DELETE, &build).send().await.unwrap().status(), StatusCode::OK);
    assert_eq!(stage.get(&build).await["status"], "failed");
    assert_eq!(stage.ask(Method::DELETE, &build).send().await.unwrap().status(), StatusCode::UNPROCESSABLE_ENTITY);
    stage.finish();
    assert_eq!(stage.heroku.releases("hubot-staging").len(), 1);
}

#[tokio::test]
async fn a_source_that_cannot_be_fetched_or_checked_fails_the_build() {
    let stage = Stage::usual().await;
    let source: Value = stage.ask(Method::POST, "/sources").send().await.unwrap().json().await.unwrap();
    let missing = text(&source["source_blob"]["get_url"]).to_owned();
    assert_eq!(stage.order(&missing).send().await.unwrap().status(), StatusCode::CREATED);

    let url = stage.upload(b"source").await;
    let order = |checksum: String| {
        let body = json!({"source_blob": {"url": url, "checksum": checksum}});
        stage.ask(Method::POST, "/apps/hubot-staging/builds").json(&body).send()
    };
    assert_eq!(order(format!("SHA256:{}", sha256(b"other"))).await.unwrap().status(), StatusCode::CREATED);
    assert_eq!(order(format!("SHA256:{}", sha256(b"source"))).await.unwrap().status(), StatusCode::CREATED);
    assert_eq!(order("MD5:1".to_owned()).await.unwrap().status(), StatusCode::UNPROCESSABLE_ENTITY);
    stage.clock.go_on(3601);
    assert_eq!(stage.order(&url).send().await.unwrap().status(), StatusCode::CREATED);
    stage.finish();
    let seen: Vec<_> = stage.heroku.builds("hubot-staging").iter().map(|seen| (seen.status, seen.source_received)).collect();
    assert_eq!(seen, [("failed", false), ("failed", false), ("succeeded", true), ("failed", false)]);
    let uploads = stage.heroku.uploads();
    assert_eq!((uploads[0].length, uploads[1].length), (None, Some(6)));
    assert_eq!(uploads[1].sha256.as_deref(), Some(sha256(b"source").as_str()));
}

#[tokio::test]
async fn slots_are_limited() {
    let stage = Stage::usual().await;
    stage.heroku.build_slots(1);
    let url = stage.upload(b"source").await;
    stage.build().await;
    let (status, body) = refusal(stage.order(&url)).await;
    assert_eq!((status, text(&body["message"])), (422, "Your account has reached its concurrent builds limit"));
    stage.finish();
    stage.heroku.use_up_slots(1);
    assert_eq!(refusal(stage.order(&url)).await.0, 422);
    stage.heroku.free_slots();
    assert_eq!(stage.order(&url).send().await.unwrap().status(), StatusCode::CREATED);
}

#[tokio::test]
async fn a_rollback_makes_a_new_release_and_expired_ones_cannot_be_had_back() {
    let stage = Stage::usual().await;
    let at = stage.clock.now() - SignedDuration::from_hours(48);
    for commit in ["aaaaaaaa", "bbbbbbbb"] {
        let seed = ReleaseSeed {
            description: format!("Deploy {commit}"),
            commit: Some(commit.to_owned()),
            by: "ana@example.com".to_owned(),
            at,
            failed: false,
        };
        stage.heroku.add_release("hubot-staging", seed).unwrap();
    }
    assert_eq!(stage.dynos().await, ["web v3 up"]);
    let back = |to: &str| stage.ask(Method::POST, "/apps/hubot-staging/releases").json(&json!({"release": to})).send();
    let answer = back("2").await.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    let release: Value = answer.json().await.unwrap();
    assert_eq!((text(&release["description"]), text(&release["status"])), ("Rollback to v2", "pending"));
    stage.finish();
    assert_eq!(stage.dynos().await, ["web v4 up"]);

    stage.heroku.config_change("hubot-staging", "COLOUR").unwrap();
    stage.finish();
    assert_eq!(stage.dynos().await, ["web v5 up"]);
    let latest = stage.get(&format!("/pipelines/{}/latest-deployments", stage.pipeline)).await;
    assert_eq!((latest.as_array().unwrap().len(), &latest[0]["version"]), (1, &json!(4)));

    stage.heroku.expire_old_releases("hubot-staging").unwrap();
    assert_eq!(back("2").await.unwrap().status(), StatusCode::UNPROCESSABLE_ENTITY);
    let statuses: Vec<_> = stage.heroku.releases("hubot-staging").iter().map(|seen| seen.status).collect();
    assert_eq!(statuses, ["expired", "expired", "expired", "expired", "succeeded"]);
}

#[tokio::test]
async fn old_dynos_one_offs_and_odd_states_are_shown() {
    let stage = Stage::usual().await;
    stage.build().await;
    stage.finish();
    stage.heroku.add_oneoff("hubot-staging").unwrap();
    stage.heroku.preboot("hubot-staging", true).unwrap();
    stage.heroku.hold("hubot-staging", Held::Dynos).unwrap();
    let build = stage.build().await;
    stage.finish();
    assert_eq!(stage.dynos().await, ["run v2 up", "scheduler v2 up", "web v2 up", "web v3 starting"]);
    stage.heroku.let_go("hubot-staging").unwrap();
    stage.finish();
    assert_eq!(stage.dynos().await, ["run v2 up", "scheduler v2 up", "web v3 up"]);
    stage.heroku.say_state("hubot-staging", Held::Build, Some("queued")).unwrap();
    stage.heroku.say_state("hubot-staging", Held::Dynos, Some("idle")).unwrap();
    assert_eq!(stage.get(&build).await["status"], "queued");
    assert!(stage.dynos().await.contains(&"web v3 idle".to_owned()));
    stage.heroku.set_dynos("hubot-staging", 2).unwrap();
    assert_eq!(stage.get("/apps/hubot-staging/dynos").await.as_array().unwrap().len(), 4);
    stage.heroku.set_dynos("hubot-staging", 0).unwrap();
    assert_eq!(stage.dynos().await, ["run v2 up", "scheduler v2 up"]);
    assert_eq!(stage.get("/apps/hubot-staging/formation").await[0]["quantity"], 0);
}
