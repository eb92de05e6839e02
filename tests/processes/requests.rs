//! Requests at the real listener.

use std::time::Duration;

use slash_heroku::sandbox::script::Service as _;
use slash_heroku::sandbox::slack::Forged;
use slash_heroku::sandbox::{github, heroku};

use super::Scene;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_a_request_of_the_chat_is_refused() {
    let scene = Scene::set("refused requests").await;
    let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap();
    let at = |path: &str| scene.child.address().at(path);
    let form =
        |path: &str, body: String| client.post(at(path)).header("content-type", "application/x-www-form-urlencoded").body(body).send();

    let huge = form("/slack/commands", format!("text={}", "x".repeat(256 * 1024))).await.unwrap();
    assert_eq!(huge.status(), 413);
    let check = form("/slack/commands", "ssl_check=1&token=none".to_owned()).await.unwrap();
    assert_eq!((check.status().as_u16(), check.text().await.unwrap()), (200, String::new()));
    let unsigned = form("/slack/commands", "text=help".to_owned()).await.unwrap();
    assert_eq!((unsigned.status().as_u16(), unsigned.text().await.unwrap()), (401, String::new()));
    assert_eq!(client.get(at("/nowhere")).send().await.unwrap().status(), 404);
    assert_eq!(client.get(at("/health")).send().await.unwrap().status(), 200);

    let address = scene.child.address();
    for forged in [
        Forged { signature: Some(format!("v0={}", "0".repeat(64))), ..Forged::default() },
        Forged { off_by: -302, ..Forged::default() },
        Forged { off_by: 302, ..Forged::default() },
        Forged { appended: "&text=deploy+hubot".to_owned(), ..Forged::default() },
    ] {
        let ack = scene.world.slack.command_forged(&address, "ana", "general", "deploy hubot to staging", None, &forged).await;
        assert_eq!((ack.status, ack.body.as_str()), (Some(401), ""), "{forged:?}");
    }
    assert_eq!(scene.world.heroku.requests().len(), 0, "nothing outside was called");
}

pub async fn a_command_is_acknowledged_in_time_and_done_once() {
    let scene = Scene::set("in time and once").await;
    let all = |fault| heroku::FaultRule { method: None, path_contains: "/".to_owned(), spared: 0, times: u32::MAX, fault };
    scene.world.heroku.fail(all(heroku::Fault::Hang));
    let (method, path_contains) = (None, "/".to_owned());
    scene.world.github.fail(github::FaultRule { method, path_contains, spared: 0, times: u32::MAX, fault: github::Fault::Hang });
    let address = scene.child.address();
    let types = |trigger: Option<String>| {
        let (slack, address) = (&scene.world.slack, &address);
        async move { slack.command(address, "ana", "general", "deploy hubot to staging", trigger.as_deref()).await }
    };
    let in_time = Duration::from_secs(3);
    let first = tokio::time::timeout(in_time, types(None)).await.expect("acknowledged within three seconds");
    assert_eq!(first.status, Some(200));
    scene.until("somebody hangs", |scene| !scene.world.heroku.requests().is_empty()).await;
    let again = tokio::time::timeout(in_time, types(Some(first.trigger_id.clone()))).await.expect("acknowledged again");
    assert_eq!((again.status, again.trigger_id), (Some(200), first.trigger_id));
    scene.world.heroku.clear_faults();
    scene.world.github.mend();
    scene.world.heroku.let_go_hanging();
    scene.world.github.let_go_hanging();
    scene.all_end_well("hubot-staging", "acme/hubot", 1).await;
    assert_eq!(scene.said("already on its way"), 0, "the same delivery is not even a second wish");
}
