//! Requests as Slack sends them, and as somebody else would.

use axum::body::Body;
use hmac::{Hmac, KeyInit, Mac};
use http::Request;
use http_body_util::BodyExt;
use secrecy::ExposeSecret;
use sha2::Sha256;
use tower::ServiceExt;

use super::super::hex;
use super::super::testing::{Jumping, Kept, NOW, person};
use super::*;
use crate::domain::deployment::MessageRef;
use crate::domain::message::Act;
use crate::domain::names::DeploymentId;

const SECRET: &str = "one";
const FORM: &str = "application/x-www-form-urlencoded";
const URL: &str = "https://hooks.slack.com/commands/T1/2/x";

struct Way {
    router: Router,
    inbox: Arc<Kept>,
    sealer: Arc<Sealer>,
}

impl Way {
    fn saying(says: Option<Submitted>) -> Self {
        Self::saying_within(says, PATIENCE)
    }

    fn saying_within(says: Option<Submitted>, patience: Duration) -> Self {
        let secrets = vec![SecretString::from(SECRET)];
        let inbox = Arc::new(Kept { got: Default::default(), heard: Default::default(), says });
        let sealer = Arc::new(Sealer::new(&secrets).unwrap());
        let inbound = SlackInbound {
            secrets,
            inbox: inbox.clone(),
            hears: inbox.clone(),
            clock: Arc::new(Jumping::new()),
            sealer: Arc::clone(&sealer),
            command_word: "/h".to_owned(),
            allow_loopback_response_url: false,
        };
        Self { router: patient(inbound, patience), inbox, sealer }
    }

    fn new() -> Self {
        Self::saying(Some(Submitted::Accepted))
    }

    async fn send(&self, request: Request<Body>) -> (StatusCode, String, String) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let media = response.headers().get(header::CONTENT_TYPE).map_or("", |value| value.to_str().unwrap()).to_owned();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, media, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn signed(&self, path: &str, media: &str, body: &str) -> (StatusCode, String, String) {
        self.send(signed(path, media, body)).await
    }

    fn got(&self) -> Vec<Incoming> {
        std::mem::take(&mut self.inbox.got.lock().unwrap())
    }
}

fn signed(path: &str, media: &str, body: &str) -> Request<Body> {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(format!("v0:{NOW}:{body}").as_bytes());
    Request::post(path)
        .header(header::CONTENT_TYPE, media)
        .header(signature::TIMESTAMP, NOW.to_string())
        .header(signature::SIGNATURE, format!("v0={}", hex::encode(&mac.finalize().into_bytes())))
        .body(Body::from(body.to_owned()))
        .unwrap()
}

fn form(changes: &[(&str, Option<&str>)]) -> String {
    let mut fields: Vec<(&str, &str)> = vec![
        ("team_id", "T1"),
        ("channel_id", "C1"),
        ("user_id", "U1"),
        ("command", "/h"),
        ("text", "help"),
        ("response_url", URL),
        ("trigger_id", "1.2.x"),
    ];
    for (name, value) in changes {
        fields.retain(|(known, _)| known != name);
        fields.extend(value.map(|value| (*name, value)));
    }
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

const EMPTY: (StatusCode, &str, &str) = (StatusCode::OK, "", "");

fn is(answer: &(StatusCode, String, String), wanted: (StatusCode, &str, &str)) {
    assert_eq!((answer.0, answer.1.as_str(), answer.2.as_str()), wanted);
}

#[tokio::test]
async fn a_command_goes_in_and_is_acknowledged_in_silence() {
    let way = Way::new();
    is(&way.signed("/slack/commands", "application/x-www-form-urlencoded; charset=utf-8", &form(&[])).await, EMPTY);
    let got = way.got();
    let [incoming] = got.as_slice() else { panic!("{got:?}") };
    assert_eq!(incoming.id.as_str(), "1.2.x");
    assert_eq!(incoming.origin.person, person("T1", "U1"));
    assert_eq!(incoming.origin.channel.as_str(), "C1");
    let reply = incoming.origin.reply.as_ref().unwrap();
    let opened = way.sealer.open(reply, &incoming.origin.person, &incoming.origin.channel).unwrap();
    assert_eq!(opened.url.expose_secret(), URL);
}

#[tokio::test]
async fn a_code_is_split_off_before_anything_else() {
    let way = Way::new();
    for text in ["deploy hubot to production 123456", "deploy hubot to production <tel:123456|123456>"] {
        is(&way.signed("/slack/commands", FORM, &form(&[("text", Some(text))])).await, EMPTY);
        let got = way.got();
        assert_eq!(got[0].code.as_ref().map(ExposeSecret::expose_secret), Some("123456"));
        assert!(!format!("{:?}", got[0]).contains("123456"));
    }
}

#[tokio::test]
async fn what_was_not_understood_is_answered_privately_without_the_code_and_not_kept() {
    let way = Way::new();
    let (status, media, body) = way.signed("/slack/commands", FORM, &form(&[("text", Some("deploi <!channel> 123456"))])).await;
    assert_eq!((status, media.as_str()), (StatusCode::OK, "application/json; charset=utf-8"));
    assert!(body.contains("deploi") && body.contains("deploy"), "{body}");
    assert!(body.contains("ephemeral") && !body.contains("123456") && !body.contains("<!channel>"), "{body}");
    assert!(way.got().is_empty());
}

#[tokio::test]
async fn names_come_back_out_of_slacks_markup() {
    let way = Way::new();
    is(&way.signed("/slack/commands", FORM, &form(&[("text", Some("info <http://hubot.io|hubot.io>"))])).await, EMPTY);
    let Ok(command) = parse::parse("info hubot.io") else { panic!("a name with a dot") };
    assert_eq!(way.got()[0].ask, Ask::Command(command));
}

#[tokio::test]
async fn a_repeated_command_is_acknowledged_and_an_unkept_one_is_not_taken_for_kept() {
    is(&Way::saying(Some(Submitted::Repeated)).signed("/slack/commands", FORM, &form(&[])).await, EMPTY);
    let (status, media, body) = Way::saying(Some(Submitted::Unavailable)).signed("/slack/commands", FORM, &form(&[])).await;
    assert_eq!((status, media.as_str()), (StatusCode::OK, "application/json; charset=utf-8"));
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["response_type"], "ephemeral");
    assert!(body["text"].as_str().unwrap().contains("ask again"), "{body}");
    let press = form_urlencoded::Serializer::new(String::new()).append_pair("payload", &pressed(|_| {}).to_string()).finish();
    let answer = Way::saying(Some(Submitted::Unavailable)).signed("/slack/actions", FORM, &press).await;
    is(&answer, (StatusCode::SERVICE_UNAVAILABLE, "", ""));
}

#[tokio::test]
async fn the_answer_comes_in_time_when_the_disk_hangs() {
    const { assert!(PATIENCE.as_millis() <= 2500) };
    let way = Way::saying_within(None, Duration::from_millis(1));
    let (status, _, body) = way.signed("/slack/commands", FORM, &form(&[])).await;
    assert_eq!(status, StatusCode::OK);
    assert!(body.contains("/h status"), "{body}");
    is(&press(&way, &pressed(|_| {})).await, (StatusCode::SERVICE_UNAVAILABLE, "", ""));
}

#[tokio::test]
async fn what_is_not_signed_has_no_effect() {
    let way = Way::new();
    for (path, media, body) in
        [("/slack/commands", FORM, form(&[])), ("/slack/actions", FORM, form(&[])), ("/slack/events", "application/json", "{".to_owned())]
    {
        let mut request = signed(path, media, &body);
        *request.body_mut() = Body::from(format!("{body}&x=1"));
        is(&way.send(request).await, (StatusCode::UNAUTHORIZED, "", ""));
        let mut request = signed(path, media, &body);
        request.headers_mut().remove(signature::SIGNATURE);
        is(&way.send(request).await, (StatusCode::UNAUTHORIZED, "", ""));
    }
    assert!(way.got().is_empty());
}

#[tokio::test]
async fn the_certificate_check_is_answered_without_effect() {
    let way = Way::new();
    let unsigned =
        |body: &str| Request::post("/slack/commands").header(header::CONTENT_TYPE, FORM).body(Body::from(body.to_owned())).unwrap();
    is(&way.send(unsigned("token=x&ssl_check=1")).await, EMPTY);
    is(&way.send(unsigned(&form(&[("ssl_check", Some("1"))]))).await, EMPTY);
    is(&way.signed("/slack/commands", FORM, &form(&[("ssl_check", Some("1"))])).await, EMPTY);
    is(&way.send(unsigned("ssl_check=0")).await, (StatusCode::UNAUTHORIZED, "", ""));
    is(&way.send(unsigned(&form(&[("text", Some("ssl_check=1"))]))).await, (StatusCode::UNAUTHORIZED, "", ""));
    assert!(way.got().is_empty());
}

#[tokio::test]
async fn malformed_requests_are_told_apart() {
    let way = Way::new();
    let bad = (StatusCode::BAD_REQUEST, "", "");
    for missing in ["team_id", "channel_id", "user_id", "command", "trigger_id"] {
        is(&way.signed("/slack/commands", FORM, &form(&[(missing, None)])).await, bad);
    }
    is(&way.signed("/slack/commands", "application/json", &form(&[])).await, bad);
    is(&way.signed("/slack/commands", FORM, &form(&[("user_id", Some("U 1"))])).await, bad);
    is(&way.signed("/slack/actions", FORM, "payload=%7B").await, bad);
    is(&way.signed("/slack/actions", FORM, "").await, bad);
    is(&way.signed("/slack/events", "application/json", "[]").await, bad);
    is(&way.signed("/slack/events", FORM, "{\"type\":\"event_callback\"}").await, bad);
    assert!(way.got().is_empty());
}

#[tokio::test]
async fn foreign_answer_addresses_are_left_out() {
    let way = Way::new();
    for url in [Some("https://example.com/x"), Some("http://127.0.0.1:9/x"), None] {
        is(&way.signed("/slack/commands", FORM, &form(&[("response_url", url)])).await, EMPTY);
    }
    assert!(way.got().iter().all(|incoming| incoming.origin.reply.is_none()));
}

fn pressed(change: impl FnOnce(&mut Value)) -> Value {
    let mut payload = json!({
        "type": "block_actions",
        "user": { "id": "U1", "team_id": "T1", "unknown": [1] },
        "team": { "id": "T1" },
        "enterprise": null,
        "channel": { "id": "C1" },
        "container": { "type": "message", "message_ts": "111.222", "channel_id": "C1", "is_ephemeral": false },
        "message": { "blocks": [{ "type": "from_the_future", "x": {} }] },
        "trigger_id": "9.9.y",
        "response_url": URL,
        "state": { "values": {} },
        "actions": [{ "type": "button", "action_id": "cancel-0", "value": act().to_string() }],
    });
    change(&mut payload);
    payload
}

fn act() -> Act {
    Act::Cancel(DeploymentId(uuid::Uuid::from_u128(7)))
}

async fn press(way: &Way, payload: &Value) -> (StatusCode, String, String) {
    let body = form_urlencoded::Serializer::new(String::new()).append_pair("payload", &payload.to_string()).finish();
    way.signed("/slack/actions", FORM, &body).await
}

fn place() -> MessageRef {
    let Person { workspace, .. } = person("T1", "U1");
    MessageRef { workspace, channel: ChannelId::parse("C1").unwrap(), message: "111.222".to_owned() }
}

#[tokio::test]
async fn a_press_goes_in_with_its_place() {
    let way = Way::new();
    is(&press(&way, &pressed(|_| {})).await, EMPTY);
    let got = way.got();
    assert_eq!(got[0].id.as_str(), "9.9.y");
    assert_eq!(got[0].ask, Ask::Press { act: act(), on: Some(place()) });
    assert!(got[0].origin.reply.is_some());

    is(&press(&way, &pressed(|payload| payload["container"]["is_ephemeral"] = json!(true))).await, EMPTY);
    assert_eq!(way.got()[0].ask, Ask::Press { act: act(), on: None }, "what only one person sees cannot be edited");
}

#[tokio::test]
async fn a_presser_belongs_to_their_own_workspace() {
    let way = Way::new();
    is(&press(&way, &pressed(|payload| payload["user"]["team_id"] = json!("T2"))).await, EMPTY);
    let got = way.got();
    assert_eq!(got[0].origin.person, person("T2", "U1"));
    assert_eq!(got[0].ask, Ask::Press { act: act(), on: Some(place()) });

    is(&press(&way, &pressed(|payload| payload["user"]["team_id"] = Value::Null)).await, EMPTY);
    assert_eq!(way.got()[0].origin.person, person("T1", "U1"));

    let organisation = pressed(|payload| {
        payload["team"] = Value::Null;
        payload["enterprise"] = json!({ "id": "E1" });
        payload["user"]["team_id"] = Value::Null;
    });
    is(&press(&way, &organisation).await, EMPTY);
    assert_eq!(way.got()[0].origin.person, person("E1", "U1"));
}

#[tokio::test]
async fn what_is_not_ours_is_acknowledged_and_ignored() {
    let way = Way::new();
    for kind in ["view_closed", "shortcut", "message_action", "interactive_message", "from_the_future"] {
        is(&press(&way, &json!({ "type": kind, "user": 7 })).await, EMPTY);
    }
    is(&press(&way, &pressed(|payload| payload["actions"][0]["value"] = json!("click_me_123"))).await, EMPTY);
    is(&press(&way, &pressed(|payload| payload["actions"] = json!([{ "selected_option": {} }, 3]))).await, EMPTY);
    let theirs = json!({ "type": "view_submission", "trigger_id": "1.2.x", "user": { "id": "U1", "team_id": "T1" } });
    for view in [json!(null), json!({ "callback_id": "form" }), json!({ "callback_id": "form", "private_metadata": "{}" })] {
        let mut sent = theirs.clone();
        sent["view"] = view;
        is(&press(&way, &sent).await, EMPTY);
    }
    assert!(way.got().is_empty());
    is(&press(&way, &json!({ "type": "view_submission", "user": 7 })).await, (StatusCode::BAD_REQUEST, "", ""));
    is(&press(&way, &pressed(|payload| payload["trigger_id"] = Value::Null)).await, (StatusCode::BAD_REQUEST, "", ""));
    is(&press(&way, &pressed(|payload| payload["user"] = Value::Null)).await, (StatusCode::BAD_REQUEST, "", ""));
}

#[tokio::test]
async fn the_handshake_is_answered_and_events_are_acknowledged() {
    let way = Way::new();
    let json = "application/json";
    let hello = "{\"type\":\"url_verification\",\"challenge\":\"a<b\"}";
    let answer = way.signed("/slack/events", json, hello).await;
    is(&answer, (StatusCode::OK, "application/json; charset=utf-8", "{\"challenge\":\"a<b\"}"));
    for event in ["{\"type\":\"event_callback\",\"event_id\":\"Ev1\",\"event\":{}}", "{\"type\":\"app_rate_limited\"}"] {
        is(&way.signed("/slack/events", json, event).await, EMPTY);
    }
    let mut unsigned = signed("/slack/events", json, hello);
    unsigned.headers_mut().remove(signature::TIMESTAMP);
    is(&way.send(unsigned).await, (StatusCode::UNAUTHORIZED, "", ""));
}

const REMOVED: &str = concat!(
    "{\"type\":\"event_callback\",\"event_id\":\"Ev1\",\"event_time\":1767225600,\"team_id\":\"T1\",",
    "\"event\":{\"type\":\"app_uninstalled\"}}"
);

#[tokio::test]
async fn what_becomes_of_an_installation_is_heard_after_it_was_verified() {
    let (way, json) = (Way::new(), "application/json");
    let mut forged = signed("/slack/events", json, REMOVED);
    *forged.body_mut() = Body::from(REMOVED.replace("T1", "T2"));
    assert_eq!(way.send(forged).await.0, StatusCode::UNAUTHORIZED);
    assert!(way.inbox.heard.lock().unwrap().is_empty());
    is(&way.signed("/slack/events", json, REMOVED).await, EMPTY);
    let heard = way.inbox.heard.lock().unwrap().pop().unwrap();
    assert_eq!((heard.id.as_str(), heard.tenant.to_string().as_str()), ("Ev1", "workspace T1"));
    is(&way.signed("/slack/events", json, &REMOVED.replace("T1", "")).await, (StatusCode::BAD_REQUEST, "", ""));
}

#[tokio::test]
async fn what_could_not_be_put_on_disk_is_asked_for_again() {
    let unavailable = (StatusCode::SERVICE_UNAVAILABLE, "", "");
    let way = Way::saying(Some(Submitted::Unavailable));
    is(&way.signed("/slack/events", "application/json", REMOVED).await, unavailable);
    let way = Way::saying_within(None, Duration::from_millis(1));
    is(&way.signed("/slack/events", "application/json", REMOVED).await, unavailable);
}
