//! What is sent, in which order of ways, and what the answers lead to.

use wiremock::matchers::{body_partial_json, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::super::testing::{Jumping, NOW, person};
use super::*;
use crate::adapters::settings_bot::OneBot;
use crate::domain::message::{Tone, code, text};
use crate::testing::forgets::{self, By, Reader};

struct Desk {
    server: MockServer,
    clock: Arc<Jumping>,
    sealer: Arc<Sealer>,
    chat: Arc<SlackChat>,
}

fn ok(more: Value) -> ResponseTemplate {
    let mut answer = json!({ "ok": true });
    add(&mut answer, [("channel", more["channel"].clone()), ("ts", more["ts"].clone())]);
    ResponseTemplate::new(200).set_body_json(answer)
}

fn no(error: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({ "ok": false, "error": error }))
}

impl Desk {
    async fn new() -> Self {
        let server = MockServer::start().await;
        let clock = Arc::new(Jumping::new());
        let sealer = Arc::new(Sealer::new(&[SecretString::from("one")]).unwrap());
        let settings = SlackSettings {
            api: BaseUrl::parse(&format!("{}/api", server.uri())).unwrap(),
            tokens: Arc::new(OneBot::new(SecretString::from("xoxb-secret"))),
            sealer: Arc::clone(&sealer),
            allow_loopback_response_url: true,
        };
        let chat = Arc::new(SlackChat::new(settings, clock.clone()).unwrap());
        Self { server, clock, sealer, chat }
    }

    async fn on(&self, at: &str, answer: ResponseTemplate) {
        Mock::given(method("POST")).and(path(at)).respond_with(answer).mount(&self.server).await;
    }

    async fn once(&self, at: &str, answer: ResponseTemplate) {
        Mock::given(method("POST")).and(path(at)).respond_with(answer).up_to_n_times(1).mount(&self.server).await;
    }

    /// The origin of a command that came with an answer address.
    fn origin(&self) -> Origin {
        let (person, channel) = (person("T1", "U1"), ChannelId::parse("C1").unwrap());
        let url = format!("{}/hook", self.server.uri());
        let reply = self.sealer.seal(&url, &person, &channel, self.clock.now());
        Origin { person, channel, reply }
    }

    fn mute(&self) -> Origin {
        Origin { reply: None, ..self.origin() }
    }

    /// What was asked, in order: where and with what.
    async fn asked(&self) -> Vec<(String, Value)> {
        let all = self.server.received_requests().await.unwrap();
        all.iter().map(|one| (one.url.path().to_owned(), serde_json::from_slice(&one.body).unwrap())).collect()
    }

    async fn paths(&self) -> Vec<String> {
        self.asked().await.into_iter().map(|(path, _)| path).collect()
    }
}

fn words(audience: Audience) -> Message {
    Message::new(Tone::Info, audience, vec![text("hello "), code("a<b")])
}

fn at(channel: &str, ts: &str) -> MessageRef {
    MessageRef { workspace: WorkspaceId::parse("T1").unwrap(), channel: ChannelId::parse(channel).unwrap(), message: ts.to_owned() }
}

fn posted(channel: &str) -> ResponseTemplate {
    ok(json!({ "channel": channel, "ts": "1.2" }))
}

const POST: &str = "/api/chat.postMessage";
const UPDATE: &str = "/api/chat.update";
const EPHEMERAL: &str = "/api/chat.postEphemeral";
const OPEN: &str = "/api/conversations.open";
const HOOK: &str = "/hook";

#[tokio::test]
async fn a_card_is_posted_with_everything_switched_off_that_slack_would_add() {
    let desk = Desk::new().await;
    Mock::given(method("POST"))
        .and(path(POST))
        .and(header("authorization", "Bearer xoxb-secret"))
        .and(header("content-type", "application/json; charset=utf-8"))
        .and(body_partial_json(json!({
            "channel": "C1", "parse": "none", "link_names": false, "unfurl_links": false, "unfurl_media": false,
            "text": ":information_source: hello `a&lt;b`",
        })))
        .respond_with(posted("C1"))
        .mount(&desk.server)
        .await;
    let said = desk.chat.say(&Addressee::Card(desk.origin()), &words(Audience::Channel)).await;
    assert_eq!(said, Ok(Delivered::Editable(at("C1", "1.2"))));
}

#[tokio::test]
async fn an_answer_goes_by_its_own_address_first() {
    let desk = Desk::new().await;
    desk.on(HOOK, ResponseTemplate::new(200).set_body_string("ok")).await;
    for (audience, kind) in [(Audience::Asker, "ephemeral"), (Audience::Channel, "in_channel")] {
        assert_eq!(desk.chat.say(&Addressee::Answer(desk.origin()), &words(audience)).await, Ok(Delivered::Final));
        let (at, body) = desk.asked().await.pop().unwrap();
        assert_eq!((at.as_str(), &body["response_type"], &body["replace_original"]), (HOOK, &json!(kind), &json!(false)));
    }
    let sent = desk.server.received_requests().await.unwrap();
    assert!(sent.iter().all(|one| !one.headers.contains_key("authorization")), "the token is for the API only");
}

#[tokio::test]
async fn an_address_that_is_used_up_or_old_gives_way_to_the_api() {
    let desk = Desk::new().await;
    desk.on(HOOK, ResponseTemplate::new(404).set_body_string("used_url")).await;
    desk.on(EPHEMERAL, ok(json!({}))).await;
    desk.on(POST, posted("C1")).await;
    assert_eq!(desk.chat.say(&Addressee::Answer(desk.origin()), &words(Audience::Asker)).await, Ok(Delivered::Final));
    assert_eq!(desk.paths().await, [HOOK, EPHEMERAL]);
    let said = desk.chat.say(&Addressee::Answer(desk.mute()), &words(Audience::Channel)).await;
    assert_eq!(said, Ok(Delivered::Editable(at("C1", "1.2"))));
    let old = desk.origin();
    desk.clock.set(NOW + 30 * 60);
    desk.chat.say(&Addressee::Answer(old), &words(Audience::Asker)).await.unwrap();
    assert_eq!(desk.paths().await, [HOOK, EPHEMERAL, POST, EPHEMERAL]);
    let (_, body) = desk.asked().await.pop().unwrap();
    assert_eq!((&body["channel"], &body["user"]), (&json!("C1"), &json!("U1")));
}

#[tokio::test]
async fn an_unclear_answer_is_not_said_again_another_way() {
    let desk = Desk::new().await;
    desk.on(HOOK, ResponseTemplate::new(500)).await;
    let error = desk.chat.say(&Addressee::Answer(desk.origin()), &words(Audience::Asker)).await.unwrap_err();
    assert_eq!(error.fault, Fault::Unclear);
    assert_eq!(desk.paths().await, [HOOK]);

    let desk = Desk::new().await;
    desk.on(POST, no("internal_error")).await;
    let error = desk.chat.say(&Addressee::Card(desk.origin()), &words(Audience::Channel)).await.unwrap_err();
    assert_eq!(error.fault, Fault::Unclear);
    assert_eq!(desk.paths().await, [POST]);
}

#[tokio::test]
async fn where_the_bot_may_not_post_a_card_goes_by_the_address_and_says_so() {
    for error in ["not_in_channel", "channel_not_found", "is_archived", "restricted_action_read_only_channel"] {
        let desk = Desk::new().await;
        desk.on(POST, no(error)).await;
        desk.on(HOOK, ResponseTemplate::new(200)).await;
        assert_eq!(desk.chat.say(&Addressee::Card(desk.origin()), &words(Audience::Channel)).await, Ok(Delivered::Final));
        let (at, body) = desk.asked().await.pop().unwrap();
        assert_eq!((at.as_str(), &body["response_type"]), (HOOK, &json!("in_channel")));
        assert!(body.to_string().contains("/invite") && body.to_string().contains("direct message"), "{body}");
    }
}

#[tokio::test]
async fn without_an_address_a_card_comes_directly_and_says_so() {
    let desk = Desk::new().await;
    desk.once(POST, no("not_in_channel")).await;
    desk.on(OPEN, ResponseTemplate::new(200).set_body_json(json!({ "ok": true, "channel": { "id": "D1" } }))).await;
    desk.on(POST, posted("D1")).await;
    let said = desk.chat.say(&Addressee::Card(desk.mute()), &words(Audience::Channel)).await;
    assert_eq!(said, Ok(Delivered::Editable(at("D1", "1.2"))));
    let asked = desk.asked().await;
    assert_eq!(asked[1], (OPEN.to_owned(), json!({ "users": "U1" })));
    assert_eq!(asked[2].1["channel"], "D1");
    assert!(asked[2].1.to_string().contains("/invite"));
}

#[tokio::test]
async fn what_is_for_one_person_never_becomes_a_card_for_all() {
    let desk = Desk::new().await;
    desk.on(EPHEMERAL, no("user_not_in_channel")).await;
    desk.on(OPEN, no("missing_scope")).await;
    desk.on(POST, posted("D1")).await;
    let said = desk.chat.say(&Addressee::Card(desk.mute()), &words(Audience::Asker)).await;
    assert_eq!(said, Ok(Delivered::Editable(at("D1", "1.2"))));
    assert_eq!(desk.asked().await.pop().unwrap().1["channel"], "U1", "posting to the person opens the conversation");
}

#[tokio::test]
async fn too_fast_is_waited_out_within_a_bound() {
    let desk = Desk::new().await;
    desk.once(POST, ResponseTemplate::new(429).insert_header("retry-after", "7")).await;
    desk.once(POST, no("ratelimited")).await;
    desk.on(POST, posted("C1")).await;
    assert!(desk.chat.say(&Addressee::Answer(desk.mute()), &words(Audience::Channel)).await.is_ok());
    assert_eq!(desk.clock.since_start(), 8);

    let desk = Desk::new().await;
    desk.on(POST, ResponseTemplate::new(429).insert_header("retry-after", "31")).await;
    let error = desk.chat.say(&Addressee::Answer(desk.mute()), &words(Audience::Channel)).await.unwrap_err();
    let until = jiff::Timestamp::from_second(NOW + 31).unwrap();
    assert_eq!(error.fault, Fault::RateLimited { until: Some(until) });
    assert_eq!((desk.clock.since_start(), desk.paths().await.len()), (0, 1));

    let desk = Desk::new().await;
    desk.on(POST, ResponseTemplate::new(429).insert_header("retry-after", "0")).await;
    desk.chat.say(&Addressee::Answer(desk.mute()), &words(Audience::Channel)).await.unwrap_err();
    assert_eq!((desk.clock.since_start(), desk.paths().await.len()), (5, 6));
}

#[tokio::test]
async fn a_card_waits_for_nothing_since_a_deploy_goes_on_meanwhile() {
    for answer in [ResponseTemplate::new(429).insert_header("retry-after", "2"), ResponseTemplate::new(503)] {
        let desk = Desk::new().await;
        desk.on(POST, answer.clone()).await;
        desk.on(UPDATE, answer).await;
        let said = desk.chat.say(&Addressee::Card(desk.mute()), &words(Audience::Channel)).await;
        assert!(said.is_err_and(|error| error.is_temporary()));
        let changed = desk.chat.amend(&at("C1", "1.2"), &words(Audience::Channel), Urgency::Now).await;
        assert!(changed.is_err_and(|error| error.is_temporary()));
        assert_eq!((desk.clock.since_start(), desk.paths().await.len()), (0, 2));
    }
}

#[tokio::test]
async fn a_card_goes_by_the_address_also_where_the_bot_has_lost_its_rights() {
    for error in ["missing_scope", "token_revoked", "account_inactive", "ekm_access_denied"] {
        let desk = Desk::new().await;
        desk.on(POST, no(error)).await;
        desk.on(HOOK, ResponseTemplate::new(200)).await;
        assert_eq!(desk.chat.say(&Addressee::Card(desk.origin()), &words(Audience::Channel)).await, Ok(Delivered::Final), "{error}");
        assert_eq!(desk.paths().await, [POST, HOOK]);
        assert!(desk.chat.say(&Addressee::Card(desk.mute()), &words(Audience::Channel)).await.is_err(), "{error}");
    }
}

#[tokio::test]
async fn an_edit_restates_everything() {
    let desk = Desk::new().await;
    desk.on(UPDATE, ok(json!({}))).await;
    desk.chat.amend(&at("C1", "1.2"), &words(Audience::Channel), Urgency::Now).await.unwrap();
    let asked = desk.asked().await;
    let body = &asked[0].1;
    assert_eq!((&body["channel"], &body["ts"], &body["parse"]), (&json!("C1"), &json!("1.2"), &json!("none")));
    assert!(body["text"].is_string() && body["blocks"].is_array());
}

#[tokio::test]
async fn errors_mean_what_they_mean() {
    for (name, fault) in [
        ("message_not_found", Fault::NotFound),
        ("cant_update_message", Fault::NotFound),
        ("edit_window_closed", Fault::NotFound),
        ("channel_not_found", Fault::NotFound),
        ("is_archived", Fault::NotFound),
        ("restricted_action", Fault::NotFound),
        ("token_revoked", Fault::SignInLost),
        ("account_inactive", Fault::SignInLost),
        ("missing_scope", Fault::Forbidden),
        ("from_the_future", Fault::Refused),
        ("evil<!channel>\n", Fault::Refused),
    ] {
        let desk = Desk::new().await;
        desk.on(UPDATE, no(name)).await;
        let error = desk.chat.amend(&at("C1", "1.2"), &words(Audience::Channel), Urgency::Now).await.unwrap_err();
        assert_eq!(error.fault, fault, "{name}");
        assert!(!error.to_string().contains('<'), "{error}");
    }
}

#[tokio::test]
async fn a_form_that_slack_does_not_take_is_said_plainly() {
    let desk = Desk::new().await;
    desk.once(POST, no("invalid_blocks")).await;
    desk.on(POST, posted("C1")).await;
    assert!(desk.chat.say(&Addressee::Card(desk.mute()), &words(Audience::Channel)).await.is_ok());
    let (_, body) = desk.asked().await.pop().unwrap();
    assert_eq!((body["blocks"].clone(), body["text"].is_string()), (json!([]), true));
}

#[tokio::test]
async fn nobody_there_is_unreachable_and_nothing_names_a_secret() {
    // A port that was bound and never listened on refuses every connection while it is held.
    let held = tokio::net::TcpSocket::new_v4().unwrap();
    held.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let sealer = Arc::new(Sealer::new(&[SecretString::from("one")]).unwrap());
    let settings = SlackSettings {
        api: BaseUrl::parse(&format!("http://{}/api", held.local_addr().unwrap())).unwrap(),
        tokens: Arc::new(OneBot::new(SecretString::from("xoxb-secret"))),
        sealer,
        allow_loopback_response_url: true,
    };
    let told = format!("{settings:?}");
    let chat = SlackChat::new(settings, Arc::new(Jumping::new())).unwrap();
    let origin = Origin { person: person("T1", "U1"), channel: ChannelId::parse("C1").unwrap(), reply: None };
    let error = chat.say(&Addressee::Card(origin), &words(Audience::Channel)).await.unwrap_err();
    assert_eq!(error.fault, Fault::Unreachable);
    let told = format!("{told} {error} {error:?} {chat:?}");
    assert!(!told.contains("xoxb"), "{told}");
}

/// Conversations with one person that are open.
#[async_trait]
impl forgets::Stage for Desk {
    fn memory(&self) -> Arc<dyn Forgets> {
        self.chat.clone()
    }

    fn by(&self) -> &'static [By] {
        &[By::Person, By::Workspace]
    }

    async fn read(&mut self, reader: &Reader) {
        self.chat.say(&Addressee::Direct(reader.person.clone()), &words(Audience::Asker)).await.unwrap();
    }

    async fn known(&mut self, reader: &Reader) -> usize {
        let opened = async || self.paths().await.iter().filter(|path| *path == OPEN).count();
        let before = opened().await;
        self.chat.say(&Addressee::Direct(reader.person.clone()), &words(Audience::Asker)).await.unwrap();
        usize::from(opened().await == before)
    }
}

#[tokio::test]
async fn conversations_with_people_are_forgotten_as_promised() {
    forgets::all(async || {
        let desk = Desk::new().await;
        desk.on(OPEN, ok(json!({ "channel": { "id": "D1" } }))).await;
        desk.on(POST, posted("D1")).await;
        desk
    })
    .await;
}
