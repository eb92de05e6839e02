//! What Slack sends: verified on the raw bytes, understood, put on disk, acknowledged inside three seconds.

mod forms;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::events;
use super::payload::Interaction;
use super::seal::Sealer;
use super::{markup, render, reply_url, signature, words};
use crate::adapters::http::scrub;
use crate::domain::actor::{Origin, Person, ReplyAddress};
use crate::domain::form::Draft;
use crate::domain::installation::Happening;
use crate::domain::message::Message;
use crate::domain::names::{ChannelId, DeliveryId, UserId, WorkspaceId};
use crate::domain::parse;
use crate::domain::request::Ask;
use crate::domain::speech;
use crate::ports::{Clock, Hears, Inbox, Incoming, Submitted};

/// How long putting on disk may take: Slack waits three seconds, network included.
const PATIENCE: Duration = Duration::from_millis(2500);

/// Room for the fields of a form. More find theirs.
const FIELDS: usize = 20;

/// What the way in from Slack needs.
#[derive(Clone)]
pub struct SlackInbound {
    /// The signing secrets that are valid at the moment: one, or two while they are changed.
    pub secrets: Vec<SecretString>,
    /// The way into the core.
    pub inbox: Arc<dyn Inbox>,
    /// For the age of requests.
    pub clock: Arc<dyn Clock>,
    /// Who hears what becomes of installations.
    pub hears: Arc<dyn Hears>,
    /// Seals answer addresses.
    pub sealer: Arc<Sealer>,
    /// The command as people type it here, with its slash; used where a request does not say it.
    pub command_word: String,
    /// Take answer addresses on this machine, plain `http`. For simulators; off by default.
    pub allow_loopback_response_url: bool,
}

impl std::fmt::Debug for SlackInbound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SlackInbound")
            .field("secrets", &self.secrets.len())
            .field("command_word", &self.command_word)
            .finish_non_exhaustive()
    }
}

/// The addresses that Slack calls: `/slack/commands`, `/slack/actions`, `/slack/events`.
///
/// Bodies are read whole; the listener bounds them.
pub fn router(inbound: SlackInbound) -> Router {
    patient(inbound, PATIENCE)
}

fn patient(inbound: SlackInbound, patience: Duration) -> Router {
    Router::new()
        .route("/slack/commands", post(command))
        .route("/slack/actions", post(action))
        .route("/slack/events", post(event))
        .with_state(Arc::new(Door { inbound, patience }))
}

/// The way in, and how long putting on disk may take.
struct Door {
    inbound: SlackInbound,
    patience: Duration,
}

type Shared = State<Arc<Door>>;

/// A request as it came. Its headers are taken out of it, not copied.
struct Delivered {
    headers: HeaderMap,
    body: Bytes,
}

impl<S: Send + Sync> FromRequest<S> for Delivered {
    type Rejection = BytesRejection;

    async fn from_request(mut request: Request, state: &S) -> Result<Self, BytesRejection> {
        let headers = std::mem::take(request.headers_mut());
        Ok(Self { headers, body: Bytes::from_request(request, state).await? })
    }
}

/// The fields of a form, as they came.
struct Form<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl Form<'_> {
    /// A field; of one that comes more than once, the last.
    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rfind(|(field, _)| field == name).map(|(_, value)| value.as_ref())
    }
}

/// A typed command.
async fn command(State(door): Shared, Delivered { headers, body }: Delivered) -> Response {
    let inbound = &door.inbound;
    let form = match inbound.verified_form(&headers, &body) {
        Ok(form) => form,
        Err(status) => return nothing(status),
    };
    let Some(asked) = asked_by(&form) else { return nothing(StatusCode::BAD_REQUEST) };
    let origin = inbound.origin(asked.person, asked.channel, form.get("response_url"));
    let command_word = form.get("command").filter(|word| is_command_word(word)).unwrap_or(&inbound.command_word);

    let written = form.get("text").unwrap_or_default();
    let (typed, mentions) = markup::plain(written);
    // Before anything is made of it: whatever may repeat or keep what was typed does not see it.
    let as_typed = || if typed == written { None } else { scrub::secret_in(&typed) };
    if let Some(kind) = scrub::secret_in(written).or_else(as_typed) {
        return privately(&speech::secret_typed(kind));
    }
    let (text, code) = parse::split_code(&typed);
    if code.is_none() && parse::says_nothing(text) {
        let incoming = Incoming { id: asked.id, origin, ask: Ask::Ship(Draft::default()), code: None };
        return taken(&door, incoming, command_word).await;
    }
    let command = match parse::parse_mentioning(text, &mentions) {
        Ok(command) => command,
        Err(what) => {
            let message = speech::misunderstood(&what, command_word);
            return privately(&if code.is_some() { message.line(speech::code_unused()) } else { message });
        }
    };
    let code = code.map(|code| SecretString::from(code.into_owned()));
    let incoming = Incoming { id: asked.id, origin, ask: Ask::Command(command), code };
    taken(&door, incoming, command_word).await
}

/// What was typed, put on disk.
async fn taken(door: &Door, incoming: Incoming, command_word: &str) -> Response {
    match tokio::time::timeout(door.patience, door.inbound.inbox.submit(incoming)).await {
        // Always silent: with any other answer Slack could show what was typed, and a code with it. The card is the
        // public thing.
        Ok(Submitted::Accepted | Submitted::Repeated) => nothing(StatusCode::OK),
        Ok(Submitted::Unavailable) => privately(&words::not_kept()),
        Err(_) => {
            tracing::error!("putting a request on disk took too long");
            privately(&words::perhaps_kept(command_word))
        }
    }
}

/// A pressed button, a form that was sent, or another interaction, which is acknowledged and nothing else.
async fn action(State(door): Shared, Delivered { headers, body }: Delivered) -> Response {
    let inbound = &door.inbound;
    let form = match inbound.verified_form(&headers, &body) {
        Ok(form) => form,
        Err(status) => return nothing(status),
    };
    let Some(payload) = form.get("payload") else { return nothing(StatusCode::BAD_REQUEST) };
    let Ok(value) = serde_json::from_str::<Value>(payload) else { return nothing(StatusCode::BAD_REQUEST) };
    match value.get("type").and_then(Value::as_str) {
        Some("block_actions") => pressed(&door, value).await,
        Some("view_submission") => forms::sent(&door, value).await,
        Some("message_action") => forms::picked(&door, value).await,
        Some("block_suggestion") => forms::sought(&door, value).await,
        Some(_) | None => nothing(StatusCode::OK),
    }
}

async fn pressed(door: &Door, value: Value) -> Response {
    let inbound = &door.inbound;
    let Ok(interaction) = serde_json::from_value::<Interaction>(value) else { return nothing(StatusCode::BAD_REQUEST) };
    let on_page = interaction.on_page();
    let ask = match (&on_page, interaction.act()) {
        (Some((act, _)), _) => Ask::OnPage(act.clone()),
        (None, Some(act)) => Ask::Press { act, on: interaction.on() },
        // A button of somebody else, or of an older version of ours: nothing to do, and nothing that the presser could mend.
        (None, None) => return nothing(StatusCode::OK),
    };
    let channel = on_page.map(|(_, conversation)| conversation).or_else(|| interaction.channel());
    let (Some(user), Some(workspace), Some(channel)) = (interaction.user(), interaction.workspace(), channel) else {
        return nothing(StatusCode::BAD_REQUEST);
    };
    let Some(id) = interaction.trigger_id.as_deref().and_then(|id| DeliveryId::parse(id).ok()) else {
        return nothing(StatusCode::BAD_REQUEST);
    };
    let origin = inbound.origin(Person { workspace, user }, channel, interaction.response_url.as_deref());
    let incoming = Incoming { id, origin, ask, code: None };
    match tokio::time::timeout(door.patience, inbound.inbox.submit(incoming)).await {
        Ok(Submitted::Accepted | Submitted::Repeated) => nothing(StatusCode::OK),
        // The body of this answer is never shown; an error is, as a mark at the button.
        Ok(Submitted::Unavailable) => nothing(StatusCode::SERVICE_UNAVAILABLE),
        Err(_) => {
            tracing::error!("putting a press on disk took too long");
            nothing(StatusCode::SERVICE_UNAVAILABLE)
        }
    }
}

/// Something that happened in the workspace. What becomes of the installation is put on disk, and what we have no use for is
/// acknowledged, so that Slack does not send it again. Whatever could not be put on disk, Slack sends again.
async fn event(State(door): Shared, Delivered { headers, body }: Delivered) -> Response {
    if let Err(status) = door.inbound.verified(&headers, &body) {
        return nothing(status);
    }
    if !has_media_type(&headers, "application/json") {
        return nothing(StatusCode::BAD_REQUEST);
    }
    let Ok(event) = serde_json::from_slice::<Value>(&body) else { return nothing(StatusCode::BAD_REQUEST) };
    let text = |name: &str| event.get(name).and_then(Value::as_str);
    match (text("type"), text("challenge")) {
        (Some("url_verification"), Some(challenge)) => as_json(&json!({ "challenge": challenge })),
        (Some("url_verification"), None) | (None, _) => nothing(StatusCode::BAD_REQUEST),
        (Some("event_callback"), _) => match events::happening(&event, door.inbound.clock.now()) {
            events::Event::Happening(happening) => heard(&door, *happening).await,
            events::Event::LookedAt(page_of) => {
                let taken = door.inbound.inbox.looked_at(&page_of).await;
                nothing(if taken { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE })
            }
            events::Event::Another => nothing(StatusCode::OK),
            events::Event::Malformed => nothing(StatusCode::BAD_REQUEST),
        },
        (Some(_), _) => nothing(StatusCode::OK),
    }
}

async fn heard(door: &Door, happening: Happening) -> Response {
    match tokio::time::timeout(door.patience, door.inbound.hears.heard(happening)).await {
        Ok(Ok(())) => nothing(StatusCode::OK),
        Ok(Err(error)) => {
            tracing::error!(%error, "an event could not be put on disk");
            nothing(StatusCode::SERVICE_UNAVAILABLE)
        }
        Err(_) => {
            tracing::error!("putting an event on disk took too long");
            nothing(StatusCode::SERVICE_UNAVAILABLE)
        }
    }
}

impl SlackInbound {
    /// Whether the request comes from Slack; else the status to answer with.
    fn verified(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), StatusCode> {
        signature::verify(&self.secrets, headers, body, self.clock.now()).map_err(|refusal| {
            tracing::warn!(reason = %refusal, "a request that claims to come from Slack was refused");
            StatusCode::UNAUTHORIZED
        })
    }

    /// The form of a request that comes from Slack; else the status to answer with.
    fn verified_form<'a>(&self, headers: &HeaderMap, body: &'a [u8]) -> Result<Form<'a>, StatusCode> {
        let is_form = has_media_type(headers, "application/x-www-form-urlencoded");
        if let Err(refused) = self.verified(headers, body) {
            // Slack checks our certificate with a request of its own now and then, not always signed. Its answer is empty and
            // it has no effect, so that anybody may send it.
            let is_check = is_form && form_urlencoded::parse(body).any(|(name, value)| name == "ssl_check" && value == "1");
            return Err(if is_check { StatusCode::OK } else { refused });
        }
        if !is_form {
            return Err(StatusCode::BAD_REQUEST);
        }
        let mut fields = Vec::with_capacity(FIELDS);
        fields.extend(form_urlencoded::parse(body));
        let form = Form(fields);
        if form.get("ssl_check").is_some_and(|value| value == "1") { Err(StatusCode::OK) } else { Ok(form) }
    }

    fn origin(&self, person: Person, channel: ChannelId, response_url: Option<&str>) -> Origin {
        let reply = response_url.and_then(|url| self.sealed(url, &person, &channel));
        Origin { person, channel, reply }
    }

    fn sealed(&self, url: &str, person: &Person, channel: &ChannelId) -> Option<ReplyAddress> {
        let Some(url) = reply_url::accepted(url, self.allow_loopback_response_url) else {
            tracing::warn!("an answer address that is not Slack's was left out");
            return None;
        };
        self.sealer.seal(url.as_str(), person, channel, self.clock.now())
    }
}

/// Who typed a command, where, and as what it was delivered.
struct Asked {
    person: Person,
    channel: ChannelId,
    id: DeliveryId,
}

/// `None`: a field that always comes is missing or malformed.
fn asked_by(form: &Form<'_>) -> Option<Asked> {
    let field = |name: &str| form.get(name);
    form.get("command")?;
    Some(Asked {
        person: Person { workspace: WorkspaceId::parse(field("team_id")?).ok()?, user: UserId::parse(field("user_id")?).ok()? },
        channel: ChannelId::parse(field("channel_id")?).ok()?,
        id: DeliveryId::parse(field("trigger_id")?).ok()?,
    })
}

/// Slack's rule: a slash and up to 31 characters without spaces.
fn is_command_word(word: &str) -> bool {
    (2..=32).contains(&word.chars().count()) && word.starts_with('/') && word.chars().all(|c| !c.is_whitespace() && !c.is_control())
}

fn has_media_type(headers: &HeaderMap, media_type: &str) -> bool {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    given.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(media_type)
}

/// A truly empty answer: anything else would be shown.
fn nothing(status: StatusCode) -> Response {
    status.into_response()
}

/// An answer that only the person who typed sees.
fn privately(message: &Message) -> Response {
    let rendered = render::message(message);
    as_json(&json!({ "response_type": "ephemeral", "text": rendered.text, "blocks": rendered.blocks }))
}

/// JSON under its own name: under any other, Slack would show it raw.
fn as_json(body: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json; charset=utf-8")], body.to_string()).into_response()
}

#[cfg(test)]
mod tests;
