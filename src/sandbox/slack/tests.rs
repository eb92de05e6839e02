//! The workspace over real HTTP.

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::State as Shared;
use axum::http::{HeaderMap, header};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::*;
use crate::sandbox::clock::{START, SteppedClock};

async fn workspace() -> (Servers, Arc<SteppedClock>, Arc<SlackWorkspace>) {
    let (servers, clock) = (Servers::default(), SteppedClock::new());
    let slack = SlackWorkspace::start(&servers, clock.for_the_world(), 0, SlackSeed::default()).await.unwrap();
    slack.add_user("U1", "ana", "T1");
    slack.add_user("U1", "mallory", "T2");
    slack.add_channel("C1", "general", true);
    slack.add_channel("C2", "quiet", false);
    (servers, clock, slack)
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

async fn call(slack: &SlackWorkspace, method: &str, arguments: Value) -> Value {
    let request = client().post(format!("{}{method}", slack.api_address())).bearer_auth("sandbox-bot-token");
    request.json(&arguments).send().await.unwrap().json().await.unwrap()
}

fn error(answer: &Value) -> &str {
    assert_eq!(answer["ok"], false, "{answer}");
    answer["error"].as_str().unwrap()
}

#[tokio::test]
async fn a_message_is_posted_changed_and_seen() {
    let (_servers, _clock, slack) = workspace().await;
    let posted = call(&slack, "chat.postMessage", json!({"channel": "C1", "text": "one", "unfurl_links": false})).await;
    assert_eq!(posted["ok"], true);
    let (channel, ts) = (posted["channel"].clone(), posted["ts"].clone());
    let updated = call(&slack, "chat.update", json!({"channel": channel, "ts": ts, "text": "two"})).await;
    assert_eq!((updated["ok"].clone(), updated["ts"].clone()), (json!(true), ts));
    let seen: Vec<_> = slack.events().into_iter().map(|event| (event.how, event.text, event.edited)).collect();
    assert_eq!(seen, [(How::Posted, "one".to_owned(), false), (How::Updated, "two".to_owned(), true)]);
    let button = json!([{"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "Go"}, "value": "x"}]}]);
    for (what, events) in [("said anew", 3), ("said once more", 3)] {
        let same = json!({"channel": channel, "ts": updated["ts"], "text": "two", "blocks": button});
        assert_eq!(call(&slack, "chat.update", same).await["ok"], true);
        assert_eq!(slack.seen(), events, "{what}: what nobody sees is no event");
    }
    let direct = call(&slack, "chat.postMessage", json!({"channel": "U1", "text": "psst"})).await;
    assert_eq!(direct["channel"], "DU1");
    assert_eq!(slack.channel_name("DU1"), "@ana");
    // A form has its view as text.
    let form = client().post(format!("{}views.publish", slack.api_address())).bearer_auth("sandbox-bot-token");
    let view = json!({ "type": "home", "blocks": [{"type": "section", "text": {"type": "plain_text", "text": "yours"}}] }).to_string();
    let published = form.form(&[("user_id", "U1"), ("view", view.as_str())]).send().await.unwrap();
    let published: Value = published.json().await.unwrap();
    assert_eq!(published["ok"], true, "{published}");
}

#[tokio::test]
async fn what_slack_refuses_is_refused_by_its_names() {
    let (_servers, _clock, slack) = workspace().await;
    let block = json!({"type": "section", "text": {"type": "mrkdwn", "text": ""}});
    for (method, arguments, expected) in [
        ("chat.postMessage", json!({"channel": "C2", "text": "x"}), "not_in_channel"),
        ("chat.postMessage", json!({"channel": "C9", "text": "x"}), "channel_not_found"),
        ("chat.postMessage", json!({"channel": "C1"}), "no_text"),
        ("chat.postMessage", json!({"channel": "C1", "text": "x", "blocks": [block]}), "invalid_blocks"),
        ("chat.update", json!({"channel": "C1", "ts": "1.1", "text": "x"}), "message_not_found"),
        ("chat.update", json!({"channel": "C1", "ts": "1.1", "text": "x".repeat(4001)}), "msg_too_long"),
        ("chat.postEphemeral", json!({"channel": "C1", "user": "U9", "text": "x"}), "user_not_in_channel"),
        ("conversations.open", json!({"users": "U9"}), "user_not_found"),
        ("users.info", json!({"user": "U1"}), "user_not_found"),
    ] {
        assert_eq!(error(&call(&slack, method, arguments).await), expected, "{method}");
    }
    slack.archive_channel("general");
    assert_eq!(error(&call(&slack, "chat.postMessage", json!({"channel": "C1", "text": "x"})).await), "is_archived");
    let address = format!("{}auth.test", slack.api_address());
    let answer = |request: reqwest::RequestBuilder| async { request.send().await.unwrap().json::<Value>().await.unwrap() };
    assert_eq!(error(&answer(client().post(&address)).await), "not_authed");
    assert_eq!(error(&answer(client().post(&address).bearer_auth("other")).await), "invalid_auth");
    let plain = client().post(&address).bearer_auth("sandbox-bot-token").header(header::CONTENT_TYPE, "text/plain").body("x");
    assert_eq!(error(&answer(plain).await), "invalid_post_type");
    assert_eq!(answer(client().get(&address).bearer_auth("sandbox-bot-token")).await["team_id"], "T1");
    assert_eq!(client().post(format!("{}views.push", slack.api_address())).send().await.unwrap().status(), 501);
}

#[tokio::test]
async fn faults_come_as_often_as_asked() {
    let (_servers, _clock, slack) = workspace().await;
    let post = || client().post(format!("{}chat.postMessage", slack.api_address())).bearer_auth("sandbox-bot-token");
    let say = |text: &str| post().json(&json!({"channel": "C1", "text": text})).send();
    slack.fail("chat.postMessage", 1, Fault::RateLimited { retry_after: Some(7), limit: Limit::Primary });
    let limited = say("a").await.unwrap();
    assert_eq!((limited.status().as_u16(), limited.headers()[header::RETRY_AFTER].to_str().unwrap()), (429, "7"));
    slack.fail("chat.postMessage", 1, Fault::CutBefore);
    assert!(say("b").await.is_err(), "no byte of an answer");
    assert_eq!(slack.messages().len(), 0);
    slack.fail("chat.postMessage", 1, Fault::CutAfter);
    assert!(say("c").await.is_err());
    assert_eq!(slack.messages().len(), 1);
    slack.fail("chat.postMessage", 1, Fault::Named("fatal_error".to_owned()));
    assert_eq!(say("d").await.unwrap().json::<Value>().await.unwrap()["error"], "fatal_error");
    assert_eq!(say("e").await.unwrap().status(), 200);
}

#[tokio::test]
async fn work_is_done_late_and_times_are_off() {
    let (_servers, clock, slack) = workspace().await;
    slack.fail("chat.postMessage", 1, Fault::DoneLate(30));
    let post = client().post(format!("{}chat.postMessage", slack.api_address())).bearer_auth("sandbox-bot-token");
    assert!(post.json(&json!({"channel": "C1", "text": "late"})).send().await.is_err());
    assert_eq!(slack.messages().len(), 0);
    clock.advance_to(START + SignedDuration::from_secs(30));
    assert_eq!(slack.messages().len(), 1);
    slack.set_clock(SignedDuration::from_mins(2));
    let said = call(&slack, "chat.postMessage", json!({"channel": "C1", "text": "now"})).await;
    assert!(said["ts"].as_str().unwrap().starts_with(&(START.as_second() + 150).to_string()), "{said}");
}

#[derive(Clone, Default)]
struct Service {
    calls: Arc<Mutex<Vec<(HeaderMap, String)>>>,
    count: Arc<AtomicUsize>,
}

async fn service(servers: &Servers, answer: &'static str) -> (Service, ServiceAddress) {
    async fn take(
        Shared((service, answer)): Shared<(Service, &'static str)>,
        headers: HeaderMap,
        body: String,
    ) -> axum::response::Response {
        service.count.fetch_add(1, Ordering::SeqCst);
        service.calls.lock().unwrap().push((headers, body));
        axum::response::IntoResponse::into_response(([(header::CONTENT_TYPE, "application/json")], answer))
    }
    let service = Service::default();
    let (listener, address) = Servers::listen(0).await.unwrap();
    let router = Router::new().route("/slack/commands", post(take)).route("/slack/actions", post(take));
    servers.serve(listener, router.with_state((service.clone(), answer)));
    (service, ServiceAddress::new(&format!("http://{address}/")))
}

fn field(body: &str, name: &str) -> String {
    form_urlencoded::parse(body.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap()
}

#[tokio::test]
async fn a_command_is_signed_and_its_answers_are_counted() {
    let (servers, clock, slack) = workspace().await;
    let (service, to) = service(&servers, r#"{"text":":no_entry: no"}"#).await;
    let ack = slack.command(&to, "ana", "general", "deploy x", None).await;
    assert_eq!(ack.status, Some(200));
    let (headers, body) = service.calls.lock().unwrap()[0].clone();
    assert_eq!(headers["x-slack-request-timestamp"], START.as_second().to_string());
    let seen = slack.render(&slack.messages()[0]);
    assert_eq!((seen.glyph.as_str(), seen.only.as_deref(), seen.headline.as_str()), ("[no]", Some("ana"), "no"));
    assert_eq!((field(&body, "text"), field(&body, "trigger_id")), ("deploy x".to_owned(), ack.trigger_id));

    let reply = field(&body, "response_url");
    let answer = |words: Value| client().post(&reply).json(&words).send();
    for n in 0..5 {
        let sent = answer(json!({"response_type": "in_channel", "text": format!("{n}"), "replace_original": false})).await.unwrap();
        assert_eq!(sent.status(), 200);
    }
    let sixth = answer(json!({"text": "6"})).await.unwrap();
    assert_eq!((sixth.status().as_u16(), sixth.text().await.unwrap().as_str()), (404, "used_url"));
    assert_eq!(slack.messages().len(), 6);

    let ack = slack.command(&to, "mallory", "quiet", "status", Some("again")).await;
    assert_eq!(ack.trigger_id, "again");
    let body = service.calls.lock().unwrap()[1].1.clone();
    assert_eq!((field(&body, "user_id"), field(&body, "team_id")), ("U1".to_owned(), "T2".to_owned()));
    clock.advance_to(START.checked_add(SignedDuration::from_mins(31)).unwrap());
    let late = client().post(field(&body, "response_url")).json(&json!({"text": "late"})).send().await.unwrap();
    assert_eq!((late.status().as_u16(), late.text().await.unwrap().as_str()), (410, "expired_url"));
}

#[tokio::test]
async fn a_press_carries_the_button_and_can_replace_its_message() {
    let (servers, _clock, slack) = workspace().await;
    let (service, to) = service(&servers, "").await;
    let blocks = json!([
        {"type": "section", "text": {"type": "mrkdwn", "text": "Sure?"}},
        {"type": "actions", "elements": [{"type": "button", "action_id": "act", "value": "cancel:7", "text": {"type": "plain_text", "text": "Cancel"}}]}
    ]);
    call(&slack, "chat.postMessage", json!({"channel": "C1", "text": "Sure?", "blocks": blocks})).await;
    let pressed = slack.find_button("ana", "Cancel").unwrap();
    assert_eq!(slack.find_button("ana", "1"), Some(pressed.clone()));
    assert_eq!(slack.press(&to, "ana", &pressed).await.status, Some(200));
    let body = service.calls.lock().unwrap()[0].1.clone();
    let payload: Value = serde_json::from_str(&field(&body, "payload")).unwrap();
    assert_eq!(payload["actions"][0]["value"], "cancel:7");
    assert_eq!(payload["message"]["ts"], payload["container"]["message_ts"]);
    let reply = payload["response_url"].as_str().unwrap();
    client().post(reply).json(&json!({"text": "gone", "replace_original": true})).send().await.unwrap();
    assert_eq!(slack.messages()[0].text, "gone");
    assert_eq!(slack.find_button("ana", "Cancel"), None);
    assert_eq!(slack.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_dead_service_is_noticed_by_the_person() {
    let (_servers, _clock, slack) = workspace().await;
    let (listener, address) = Servers::listen(0).await.unwrap();
    drop(listener);
    let ack = slack.command(&ServiceAddress::new(&format!("http://{address}")), "ana", "general", "status", None).await;
    assert_eq!(ack.status, None);
    let message = &slack.messages()[0];
    assert_eq!((message.via, message.text.as_str()), (Via::Slack, "/h failed with the error \"dispatch_failed\""));
}

#[test]
fn a_signature_is_what_another_implementation_computes() {
    assert_eq!(
        people::sign("sandbox-signing-secret", "1767603600", "text=hello&user_id=U1"),
        "v0=34a6b697491e2750671483768fd496d53501af0c0f6baa55c6e9825d1c3c1607"
    );
}

async fn read(slack: &SlackWorkspace, method: &str, arguments: &[(&str, &str)]) -> Value {
    let request = client().get(format!("{}{method}", slack.api_address())).bearer_auth("sandbox-bot-token");
    request.query(arguments).send().await.unwrap().json().await.unwrap()
}

fn texts(answer: &Value) -> Vec<&str> {
    assert_eq!(answer["ok"], true, "{answer}");
    answer["messages"].as_array().unwrap().iter().map(|message| message["text"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn what_stands_in_a_conversation_is_read_back_in_pages() {
    let (_servers, _clock, slack) = workspace().await;
    let mut names = Vec::new();
    for text in ["one", "two", "three"] {
        let posted = call(&slack, "chat.postMessage", json!({"channel": "C1", "text": text})).await;
        names.push(posted["ts"].as_str().unwrap().to_owned());
    }
    call(&slack, "chat.postEphemeral", json!({"channel": "C1", "user": "U1", "text": "for ana only"})).await;
    call(&slack, "chat.postMessage", json!({"channel": "C1", "text": "below one", "thread_ts": names[0]})).await;
    call(&slack, "chat.postMessage", json!({"channel": "C1", "text": "for all", "thread_ts": names[0], "reply_broadcast": true})).await;
    call(&slack, "chat.update", json!({"channel": "C1", "ts": names[1], "text": "second"})).await;
    call(&slack, "chat.postMessage", json!({"channel": "U1", "text": "psst"})).await;

    let whole = read(&slack, "conversations.history", &[("channel", "C1")]).await;
    assert_eq!(texts(&whole), ["for all", "three", "second", "one"], "newest first, and nothing that one person sees or that stands below");
    assert_eq!((&whole["has_more"], &whole["pin_count"], whole.get("response_metadata")), (&json!(false), &json!(0), None));
    let (broadcast, second, first) = (&whole["messages"][0], &whole["messages"][2], &whole["messages"][3]);
    assert_eq!((&broadcast["subtype"], &broadcast["thread_ts"]), (&json!("thread_broadcast"), &json!(names[0])));
    assert_eq!((&second["edited"]["user"], second.get("thread_ts")), (&second["user"], None));
    assert_eq!((&first["reply_count"], &first["thread_ts"], first.get("edited")), (&json!(2), &json!(names[0]), None));
    assert_eq!(texts(&read(&slack, "conversations.history", &[("channel", "DU1")]).await), ["psst"]);

    let page = read(&slack, "conversations.history", &[("channel", "C1"), ("limit", "3")]).await;
    assert_eq!((texts(&page), &page["has_more"]), (vec!["for all", "three", "second"], &json!(true)));
    let cursor = page["response_metadata"]["next_cursor"].as_str().unwrap();
    let last = read(&slack, "conversations.history", &[("channel", "C1"), ("limit", "3"), ("cursor", cursor)]).await;
    assert_eq!((texts(&last), &last["has_more"]), (vec!["one"], &json!(false)));
    let between = [("channel", "C1"), ("oldest", names[0].as_str()), ("latest", names[2].as_str())];
    assert_eq!(texts(&read(&slack, "conversations.history", &between).await), ["second"]);
    let inclusive = [&between[..], &[("inclusive", "true")]].concat();
    assert_eq!(texts(&read(&slack, "conversations.history", &inclusive).await), ["three", "second", "one"]);

    let thread = read(&slack, "conversations.replies", &[("channel", "C1"), ("ts", &names[0])]).await;
    assert_eq!(texts(&thread), ["one", "below one", "for all"]);
    let reply = &thread["messages"][1];
    assert_eq!((&reply["thread_ts"], &reply["parent_user_id"]), (&json!(names[0]), &reply["user"]));
    let of_reply = [("channel", "C1"), ("ts", reply["ts"].as_str().unwrap()), ("limit", "1")];
    let page = read(&slack, "conversations.replies", &of_reply).await;
    assert_eq!((texts(&page), &page["has_more"]), (vec!["one"], &json!(true)));
    assert_eq!(texts(&read(&slack, "conversations.replies", &[("channel", "C1"), ("ts", &names[1])]).await), ["second"]);
}

#[tokio::test]
async fn reading_back_is_refused_by_slacks_names() {
    let (_servers, _clock, slack) = workspace().await;
    slack.add_channel("C3", "closed", false);
    slack.close_channel("C3");
    for (arguments, expected) in [
        (vec![("channel", "C2")], "not_in_channel"),
        (vec![("channel", "C9")], "channel_not_found"),
        (vec![("channel", "C3")], "missing_scope"),
        (vec![("channel", "C1"), ("limit", "0")], "invalid_limit"),
        (vec![("channel", "C1"), ("limit", "1000")], "invalid_limit"),
        (vec![("channel", "C1"), ("cursor", "bm9uc2Vuc2U=")], "invalid_cursor"),
        (vec![("channel", "C1"), ("oldest", "yesterday")], "invalid_ts_oldest"),
        (vec![("channel", "C1"), ("latest", "x.1")], "invalid_ts_latest"),
    ] {
        assert_eq!(error(&read(&slack, "conversations.history", &arguments).await), expected, "{arguments:?}");
    }
    let nothing = [("channel", "C1"), ("ts", "1.000001")];
    assert_eq!(error(&read(&slack, "conversations.replies", &nothing).await), "thread_not_found");
    slack.take_scope("channels:history");
    let refused = read(&slack, "conversations.history", &[("channel", "C1")]).await;
    assert_eq!((error(&refused), &refused["needed"]), ("missing_scope", &json!("channels:history")));
    assert!(refused["provided"].as_str().unwrap().ends_with("groups:read,im:history"), "{refused}");
}
