//! The player with a toy service that counts to three in the chat.

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::*;
use crate::sandbox::script::{compare, update};
use crate::sandbox::serve::Servers;
use crate::sandbox::slack::SlackSeed;

struct Nothing;

impl Outside for Nothing {
    fn perform(&mut self, directive: &Directive) -> Result<(), String> {
        Err(format!("{directive:?} is not for this world"))
    }

    fn fail(&mut self, _: Vendor, rule: FaultRule) -> Result<Strikes, String> {
        Err(format!("{rule:?} is not for this world"))
    }

    fn next_event_at(&self) -> Option<Timestamp> {
        None
    }

    fn count(&self, _: &Tally) -> Result<Vec<String>, String> {
        Ok(vec!["succeeded".to_owned()])
    }

    fn violations(&self) -> Vec<String> {
        Vec::new()
    }
}

#[derive(Clone)]
struct Inside {
    clock: Arc<SteppedClock>,
    api: String,
    tracker: TaskTracker,
    gone: CancellationToken,
}

impl Inside {
    async fn call(&self, method: &str, arguments: serde_json::Value) -> serde_json::Value {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = client.post(format!("{}{method}", self.api)).bearer_auth("sandbox-bot-token").json(&arguments);
        request.send().await.unwrap().json().await.unwrap()
    }

    /// Says `0 done` and counts up, ten seconds each.
    async fn count(&self) {
        let card = |n: u32| {
            let sign = if n == 3 { "white_check_mark" } else { "hourglass_flowing_sand" };
            json!([
                {"type": "section", "text": {"type": "mrkdwn", "verbatim": true, "text": format!(":{sign}: *{n}* done")}},
                {"type": "context", "elements": [{"type": "mrkdwn", "verbatim": true, "text": format!("of {} <@U1>", 3)}]},
                {"type": "actions", "elements": [{"type": "button", "value": "x", "text": {"type": "plain_text", "text": "Cancel"}}]}
            ])
        };
        let said = self.call("chat.postMessage", json!({"channel": "C1", "text": "0", "blocks": card(0)})).await;
        for n in 1..=3 {
            let until = after(self.clock.now(), SignedDuration::from_secs(10));
            tokio::select! {
                () = self.clock.pause_until(until) => {}
                () = self.gone.cancelled() => return,
            }
            self.call("chat.update", json!({"channel": "C1", "ts": said["ts"], "text": "n", "blocks": card(n)})).await;
        }
    }
}

struct Toy {
    servers: Option<Servers>,
    clock: Arc<SteppedClock>,
    api: String,
    address: ServiceAddress,
    gone: CancellationToken,
}

#[async_trait]
impl Service for Toy {
    async fn start(&mut self) -> std::io::Result<()> {
        async fn command(State(inside): State<Inside>, body: String) -> &'static str {
            if !body.contains("text=count") {
                return "only counting";
            }
            inside.clock.task_began();
            let task = inside.clone();
            inside.tracker.spawn(async move {
                task.count().await;
                task.clock.task_ended();
            });
            ""
        }
        let servers = Servers::default();
        let (listener, address) = Servers::listen(0).await?;
        self.address = ServiceAddress::new(&format!("http://{address}"));
        self.gone = CancellationToken::new();
        let inside =
            Inside { clock: self.clock.another_life(), api: self.api.clone(), tracker: TaskTracker::new(), gone: self.gone.clone() };
        let press = || async { "" };
        servers
            .serve(listener, Router::new().route("/slack/commands", post(command)).route("/slack/actions", post(press)).with_state(inside));
        self.servers = Some(servers);
        Ok(())
    }

    fn address(&self) -> ServiceAddress {
        self.address.clone()
    }

    async fn stop(&mut self) -> std::io::Result<()> {
        self.crash().await
    }

    async fn crash(&mut self) -> std::io::Result<()> {
        self.gone.cancel();
        self.servers = None;
        drop(self.clock.another_life());
        Ok(())
    }
}

async fn play(text: &str) -> (Script, Played) {
    let (servers, clock) = (Servers::default(), SteppedClock::new());
    let slack = SlackWorkspace::start(&servers, clock.for_the_world(), 0, SlackSeed::default()).await.unwrap();
    slack.add_user("U1", "ana", "T1");
    slack.add_channel("C1", "general", true);
    let mut toy = Toy {
        servers: None,
        clock: Arc::clone(&clock),
        api: slack.api_address(),
        address: ServiceAddress::new(""),
        gone: CancellationToken::new(),
    };
    let script = Script::parse("toy.chat", text).unwrap();
    let played = Player::new(clock, slack, &mut Nothing, &mut toy).play(&script).await.unwrap();
    (script, played)
}

const AS_IT_GOES: &str = "\
# Counting
ana> dance
  (only you) only counting
ana> count
  [..] 0 done
  [..] 1 done
  [..] 2 done
  [ok] 3 done
    of 3 @ana
    [Cancel]
* redeliver
  [..] 0 done
  [..] 1 done
  [..] 2 done
  [ok] 3 done
    of 3 @ana
    [Cancel]
ana presses [Cancel]
* stop
ana> count
  (only you) /h failed with the error \"dispatch_failed\"
* start
~ 10m
= no violations
= never said: four
= builds of x: 1, succeeded
= requests to slack chat.postMessage: 2, ok, ok
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_script_is_its_own_expectation() {
    let (script, played) = play(AS_IT_GOES).await;
    assert_eq!(compare(&script, &played), None);
    let bare: Vec<&str> = AS_IT_GOES.lines().filter(|line| !line.starts_with("  ")).collect();
    let (script, played) = play(&bare.join("\n")).await;
    assert!(compare(&script, &played).is_some());
    assert_eq!(update(&script, &played), AS_IT_GOES);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_must_be_so_and_is_not_is_told_with_its_place() {
    let (script, played) = play("ana> count\n= builds of x: 2\n= never said: done\n* crash\n").await;
    let said = compare(&script, &played).unwrap();
    assert!(said.contains("toy.chat:2: there are 1, succeeded"), "{said}");
    assert!(said.contains("toy.chat:3: `done` was said"), "{said}");
}

#[tokio::test]
async fn a_fault_that_no_call_meets_is_a_failure_of_its_line() {
    let text =
        "* slack fails chat.update once: 500\n* slack fails chat.update once from the 9th call: 500\n* slack works again\nana> dance\n";
    let failures = |played: &Played| played.failures.iter().map(ToString::to_string).collect::<Vec<_>>();
    let unmet = |line: usize, what: &str| format!("toy.chat:{line}: no call met this fault: * slack fails chat.update {what}: 500");
    assert_eq!(failures(&play(text).await.1), [unmet(1, "once"), unmet(2, "once from the 9th call")]);
    let met = "* slack fails chat.update always: 500\n* slack fails chat.update once from the 9th call: 500\nana> count\n";
    assert_eq!(failures(&play(met).await.1), [unmet(2, "once from the 9th call")]);
}
