//! `kill -9` in each phase of a deploy, and a true end after the next start.

use slash_heroku::sandbox::github;
use slash_heroku::sandbox::heroku::{self, Held};
use slash_heroku::sandbox::slack;

use super::Scene;

const APP: &str = "hubot-staging";
const REPOSITORY: &str = "acme/hubot";
const DEPLOY: &str = "deploy hubot to staging";
const NEXT: &str = "deploy hubot/topic to staging";

pub async fn every_phase_ends_truly_after_a_kill() {
    tokio::join!(
        just_accepted(),
        waiting_in_line(),
        announcing(),
        uploading(),
        ordering(),
        building(),
        releasing(),
        restarting(),
        ended_while_the_chat_is_down(),
    );
}

impl Scene {
    async fn killed_and_started(&mut self) {
        self.kill().await;
        self.start().await;
    }

    async fn ends_once(&self) {
        self.all_end_well(APP, REPOSITORY, 1).await;
        self.line_is_free(APP, NEXT).await;
    }
}

async fn just_accepted() {
    let mut scene = Scene::set("just accepted").await;
    scene.asks(DEPLOY).await;
    scene.killed_and_started().await;
    scene.ends_once().await;
}

async fn waiting_in_line() {
    let mut scene = Scene::set("waiting in line").await;
    scene.world.heroku.hold(APP, Held::Build).unwrap();
    scene.asks(DEPLOY).await;
    scene.until("the first builds", |scene| scene.said("build output") == 1).await;
    scene.asks(NEXT).await;
    scene.until("the second waits", |scene| scene.said("waits to deploy") == 1).await;
    scene.killed_and_started().await;
    scene.world.heroku.let_go(APP).unwrap();
    scene.all_end_well(APP, REPOSITORY, 2).await;
    scene.line_is_free(APP, DEPLOY).await;
}

async fn announcing() {
    let mut scene = Scene::set("announcing").await;
    let fault = github::Fault::CutAfter;
    let (method, path_contains) = (Some("POST".to_owned()), "/deployments".to_owned());
    scene.world.github.fail(github::FaultRule { method, path_contains, spared: 0, times: 1, fault });
    scene.asks(DEPLOY).await;
    scene.until("GitHub has the deployment", |scene| scene.world.github.deployments(REPOSITORY).len() == 1).await;
    scene.killed_and_started().await;
    scene.ends_once().await;
}

fn on_heroku(method: &str, path_contains: &str, fault: heroku::Fault) -> heroku::FaultRule {
    heroku::FaultRule { method: Some(method.to_owned()), path_contains: path_contains.to_owned(), spared: 0, times: 1, fault }
}

async fn uploading() {
    let mut scene = Scene::set("uploading").await;
    scene.world.heroku.fail(on_heroku("PUT", "/uploads/", heroku::Fault::Hang));
    scene.asks(DEPLOY).await;
    let is_upload = |request: &heroku::SeenRequest| request.path.starts_with("/uploads/");
    scene.until("the source is on its way", |scene| scene.world.heroku.requests().iter().any(is_upload)).await;
    scene.kill().await;
    scene.world.heroku.let_go_hanging();
    scene.start().await;
    scene.ends_once().await;
}

async fn ordering() {
    let mut scene = Scene::set("ordering the build").await;
    scene.world.heroku.fail(on_heroku("POST", "/builds", heroku::Fault::CutAfter));
    scene.asks(DEPLOY).await;
    scene.until("the build is ordered", |scene| scene.builds(APP) == 1).await;
    scene.killed_and_started().await;
    scene.ends_once().await;
}

async fn building() {
    let mut scene = Scene::set("building").await;
    scene.world.heroku.hold(APP, Held::Build).unwrap();
    scene.asks(DEPLOY).await;
    scene.until("it builds", |scene| scene.said("build output") == 1).await;
    scene.killed_and_started().await;
    scene.world.heroku.let_go(APP).unwrap();
    scene.ends_once().await;
}

async fn releasing() {
    let mut scene = Scene::set("releasing").await;
    scene.world.heroku.hold("shop-staging", Held::Release).unwrap();
    scene.asks("deploy shop to staging").await;
    scene.until("it releases", |scene| scene.said("release phase since") == 1).await;
    scene.killed_and_started().await;
    scene.world.heroku.let_go("shop-staging").unwrap();
    scene.all_end_well("shop-staging", "acme/shop", 1).await;
    scene.line_is_free("shop-staging", "deploy shop/topic to staging").await;
}

async fn restarting() {
    let mut scene = Scene::set("restarting").await;
    scene.world.heroku.hold(APP, Held::Dynos).unwrap();
    scene.asks(DEPLOY).await;
    scene.until("the dynos restart", |scene| scene.said("dynos since") == 1).await;
    scene.killed_and_started().await;
    scene.world.heroku.let_go(APP).unwrap();
    scene.ends_once().await;
}

async fn ended_while_the_chat_is_down() {
    let mut scene = Scene::set("ended while the chat is down").await;
    scene.world.heroku.hold(APP, Held::Build).unwrap();
    scene.asks(DEPLOY).await;
    scene.until("it builds", |scene| scene.said("build output") == 1).await;
    for method in ["chat.update", "chat.postMessage", "chat.postEphemeral", "conversations.open", "response_url"] {
        scene.world.slack.fail(method, u32::MAX, slack::Fault::status(503));
    }
    scene.world.heroku.let_go(APP).unwrap();
    scene.until("GitHub knows the end", |scene| scene.succeeded(REPOSITORY) == 1).await;
    scene.killed_and_started().await;
    assert_eq!(scene.ends_told("#general"), 0, "{}", scene.story());
    scene.world.slack.mend();
    scene.ends_once().await;
}
