//! A polite stop: nothing new, what runs is recorded, the end comes in time, the next start goes on.

use std::time::Duration;

use slash_heroku::sandbox::github;
use slash_heroku::sandbox::heroku::Held;
use slash_heroku::sandbox::script::Service as _;

use super::{PATIENCE, Scene};

const APP: &str = "hubot-staging";
const REPOSITORY: &str = "acme/hubot";

impl Scene {
    async fn ends_with_0(&mut self) {
        let ended = self.child.ended().await.unwrap_or_else(|error| panic!("{}: {error}\n{}", self.name, self.story()));
        assert_eq!(ended.unwrap().code(), Some(0), "{}: {}", self.name, self.story());
    }

    /// Waits until nobody who watches would send anything here.
    async fn drains(&self) {
        let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap();
        let health = self.child.address().at("/health");
        let mut glances = tokio::time::interval(Duration::from_millis(10));
        let watched = async {
            loop {
                glances.tick().await;
                let Ok(answer) = client.get(&health).send().await else { return };
                if answer.text().await.unwrap_or_default().contains("\"draining\":true") {
                    return;
                }
            }
        };
        tokio::time::timeout(PATIENCE, watched).await.expect("it drains");
    }

    fn github_hangs(&self) {
        let fault = github::Fault::Hang;
        self.world.github.fail(github::FaultRule { method: None, path_contains: "/acme/".to_owned(), spared: 0, times: u32::MAX, fault });
    }
}

pub async fn a_stop_is_tidy_and_in_time() {
    tokio::join!(in_the_middle_of_a_build(), while_a_command_is_answered(), told_twice());
}

async fn in_the_middle_of_a_build() {
    let mut scene = Scene::set("stopped in a build").await;
    scene.world.heroku.hold(APP, Held::Build).unwrap();
    scene.asks("deploy hubot to staging").await;
    scene.until("it builds", |scene| scene.said("build output") == 1).await;
    scene.child.tell_to_stop().await.unwrap();
    // Nothing holds it up: it ends long before the 25 seconds that it may take.
    tokio::time::timeout(Duration::from_secs(15), scene.ends_with_0()).await.expect("it drains at once");
    assert_eq!(scene.types("deploy web to staging").await.status, None);
    scene.start().await;
    scene.world.heroku.let_go(APP).unwrap();
    scene.all_end_well(APP, REPOSITORY, 1).await;
    assert_eq!(scene.world.github.deployments("acme/web").len(), 0);
}

async fn while_a_command_is_answered() {
    let mut scene = Scene::set("stopped while a command is answered").await;
    scene.github_hangs();
    scene.asks("deploy hubot to staging").await;
    scene.until("the answer hangs", |scene| scene.world.github.hanging() > 0).await;
    scene.child.tell_to_stop().await.unwrap();
    scene.drains().await;
    let ack = scene.types("deploy web to staging").await;
    assert!(ack.status.is_none() || ack.body.contains("nothing was started"), "{ack:?}");
    scene.world.github.mend();
    scene.world.github.let_go_hanging();
    scene.ends_with_0().await;
    scene.start().await;
    scene.all_end_well(APP, REPOSITORY, 1).await;
    assert_eq!(scene.world.github.deployments("acme/web").len(), 0, "what was refused is not done");
}

async fn told_twice() {
    let mut scene = Scene::set_with("told twice to stop", &[("SLASH_HEROKU_DRAIN_SECONDS", "600")]).await;
    scene.github_hangs();
    scene.asks("deploy hubot to staging").await;
    scene.until("the answer hangs", |scene| scene.world.github.hanging() > 0).await;
    scene.child.tell_to_stop().await.unwrap();
    scene.drains().await;
    scene.child.tell_to_stop().await.unwrap();
    scene.ends_with_0().await;
    scene.until("it says so", |scene| scene.child.logged().iter().any(|line| line.contains("ending before everything"))).await;
    scene.world.github.mend();
    scene.start().await;
    scene.all_end_well(APP, REPOSITORY, 1).await;
}
