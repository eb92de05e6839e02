//! Messages to Slack: answers by the command's own address, cards that are edited in place, and the ways round where the bot may
//! not speak.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::api::{Again, Api, CALL, CallFault, is_about_form, is_about_place, is_about_trigger, port_error};
use super::lanes::AllLanes;
use super::render::{self, Rendered};
use super::seal::Sealer;
use super::{reply_url, scopes, view, words};
use crate::adapters::http::base_url::BaseUrl;
use crate::adapters::http::client::client;
use crate::domain::actor::{Origin, Person};
use crate::domain::checkup::ChatStanding;
use crate::domain::deployment::MessageRef;
use crate::domain::form::Form;
use crate::domain::installation::BotRight;
use crate::domain::message::{Audience, Message};
use crate::domain::names::{ChannelId, DeliveryId, ScopeName, WorkspaceId};
use crate::domain::page::Page;
use crate::ports::{Addressee, Asked, BotTokens, Chat, Clock, Delivered, Fault, Forgets, PortError, Service, Urgency};

/// Slack's own Web API.
pub const API: &str = "https://slack.com/api";

/// An answer address works for thirty minutes; half a minute less, for the way.
const REPLY_LIFE: SignedDuration = SignedDuration::from_secs(30 * 60 - 30);

/// What speaking in Slack needs.
#[derive(Clone, Debug)]
pub struct SlackSettings {
    /// Where the Web API lives: [`API`], unless it is a simulator.
    pub api: BaseUrl,
    /// What the bot speaks with, in each workspace.
    pub tokens: Arc<dyn BotTokens>,
    /// Opens the answer addresses that the way in sealed.
    pub sealer: Arc<Sealer>,
    /// Post to answer addresses on this machine, plain `http`. For simulators; off by default.
    pub allow_loopback_response_url: bool,
}

/// Slack, as a chat.
pub struct SlackChat {
    api: Api,
    lanes: AllLanes,
    sealer: Arc<Sealer>,
    allow_loopback: bool,
}

impl std::fmt::Debug for SlackChat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SlackChat").field("api", &self.api.base).finish_non_exhaustive()
    }
}

impl SlackChat {
    /// Speaks as the bot. Fails only where no HTTP client can be built.
    pub fn new(settings: SlackSettings, clock: Arc<dyn Clock>) -> Result<Self, reqwest::Error> {
        let SlackSettings { api, tokens, sealer, allow_loopback_response_url } = settings;
        let api = Api { http: client(Some(CALL))?, base: api, tokens, clock };
        Ok(Self { api, lanes: AllLanes::default(), sealer, allow_loopback: allow_loopback_response_url })
    }

    async fn answer(&self, origin: &Origin, message: &Message) -> Result<Delivered, PortError> {
        if self.by_reply(origin, message).await? {
            return Ok(Delivered::Final);
        }
        let spoken = match message.audience {
            Audience::Asker => self.ephemeral(origin, message).await.map(|()| Delivered::Final),
            Audience::Channel => self.post(&origin.person.workspace, origin.channel.as_str(), message, Haste::Answer).await,
        };
        match spoken {
            Err(Failed(_, CallFault::Said(error))) if is_about_place(&error) => match message.audience {
                Audience::Asker => self.direct(&origin.person, message, Haste::Answer).await,
                Audience::Channel => self.direct(&origin.person, &message.clone().line(words::directly_instead()), Haste::Answer).await,
            },
            other => other.map_err(PortError::from),
        }
    }

    async fn card(&self, origin: &Origin, message: &Message) -> Result<Delivered, PortError> {
        let refused = match self.post(&origin.person.workspace, origin.channel.as_str(), message, Haste::News).await {
            Err(refused @ Failed(_, CallFault::Said(_))) => refused,
            Err(refused @ Failed(_, CallFault::NoToken(_))) if !refused.is_temporary() => refused,
            other => return other.map_err(PortError::from),
        };
        // Whatever the bot may not do: the command's own address asks for no right of the bot's.
        if self.by_reply(origin, &message.clone().line(words::card_by_reply())).await? {
            return Ok(Delivered::Final);
        }
        match &refused {
            Failed(_, CallFault::Said(error)) if is_about_place(error) => {
                self.direct(&origin.person, &message.clone().line(words::directly_instead()), Haste::News).await
            }
            Failed(..) => Err(refused.into()),
        }
    }

    /// A message to one person. The conversation is opened first, since its own id is needed to edit the message later.
    async fn direct(&self, person: &Person, message: &Message, haste: Haste) -> Result<Delivered, PortError> {
        let lanes = self.lanes.of(&person.workspace);
        if let Some(channel) = lanes.opened(person) {
            match self.post(&person.workspace, &channel, message, haste).await {
                Err(Failed(_, CallFault::Said(error))) if is_about_place(&error) => lanes.keep(person, None),
                other => return other.map_err(PortError::from),
            }
        }
        let opened = self.api.call(&person.workspace, "conversations.open", &json!({ "users": person.user }), Again::Harmless).await;
        let channel = match &opened {
            Ok(answer) => answer.pointer("/channel/id").and_then(Value::as_str).map(str::to_owned),
            // Without the right to open one, posting to the person opens it.
            Err(CallFault::Said(error)) if error == "missing_scope" => None,
            Err(fault) => return Err(port_error("conversations.open", fault.clone())),
        };
        lanes.keep(person, channel.as_deref());
        let channel = channel.unwrap_or_else(|| person.user.to_string());
        self.post(&person.workspace, &channel, message, haste).await.map_err(PortError::from)
    }

    /// Says it by the command's own address; `false`: there is none, or it certainly said nothing.
    async fn by_reply(&self, origin: &Origin, message: &Message) -> Result<bool, PortError> {
        let Some(url) = self.reply_url(origin) else { return Ok(false) };
        let response_type = match message.audience {
            Audience::Asker => "ephemeral",
            Audience::Channel => "in_channel",
        };
        let said = in_blocks_or_plain(message, |rendered| {
            let url = &url;
            let body = json!({
                "response_type": response_type,
                "replace_original": false,
                "text": rendered.text,
                "blocks": rendered.blocks,
            });
            async move { self.api.answer(url, &body).await }
        })
        .await;
        match said {
            Ok(()) => Ok(true),
            Err(fault @ CallFault::Unclear(_)) => Err(port_error("response_url", fault)),
            // Used up, too old, gone, too fast: nothing was said.
            Err(CallFault::Said(_) | CallFault::Limited(_) | CallFault::Unreachable(_) | CallFault::NoToken(_)) => Ok(false),
        }
    }

    fn reply_url(&self, origin: &Origin) -> Option<SecretString> {
        use secrecy::ExposeSecret as _;
        let opened = self.sealer.open(origin.reply.as_ref()?, &origin.person, &origin.channel)?;
        let age = self.api.clock.now().duration_since(opened.sealed_at);
        let good = age < REPLY_LIFE && reply_url::accepted(opened.url.expose_secret(), self.allow_loopback).is_some();
        good.then_some(opened.url)
    }

    /// A call that failed. One that came too soon shuts its lane for as long as Slack says.
    fn failed(&self, workspace: &WorkspaceId, method: &'static str, fault: CallFault) -> Failed {
        if let CallFault::Limited(until) = &fault {
            self.lanes.of(workspace).shut(method, *until);
        }
        Failed(method, fault)
    }

    async fn ephemeral(&self, origin: &Origin, message: &Message) -> Result<(), Failed> {
        const METHOD: &str = "chat.postEphemeral";
        let (channel, user) = (&origin.channel, &origin.person.user);
        let said = in_blocks_or_plain(message, |rendered| {
            let mut body = content(&rendered);
            add(&mut body, [("channel", json!(channel)), ("user", json!(user))]);
            async move { self.api.call(&origin.person.workspace, METHOD, &body, Again::Never).await }
        });
        said.await.map(|_| ()).map_err(|fault| Failed(METHOD, fault))
    }

    async fn below(&self, card: &MessageRef, for_all: bool, message: &Message) -> Result<Delivered, Failed> {
        let mut below = vec![("thread_ts", json!(card.message))];
        below.extend(for_all.then_some(("reply_broadcast", json!(true))));
        self.posted(&card.workspace, card.channel.as_str(), message, Haste::News, &below).await
    }

    async fn post(&self, workspace: &WorkspaceId, channel: &str, message: &Message, haste: Haste) -> Result<Delivered, Failed> {
        self.posted(workspace, channel, message, haste, &[]).await
    }

    async fn posted(
        &self,
        workspace: &WorkspaceId,
        channel: &str,
        message: &Message,
        haste: Haste,
        more: &[(&str, Value)],
    ) -> Result<Delivered, Failed> {
        const METHOD: &str = "chat.postMessage";
        let now = self.api.clock.now();
        let lanes = self.lanes.of(workspace);
        let again = match haste {
            Haste::Answer => {
                lanes.answer(channel, now);
                Again::Never
            }
            Haste::News => {
                lanes.post(METHOD, channel, now).map_err(|until| Failed(METHOD, CallFault::Limited(until)))?;
                Again::NotHere
            }
        };
        let said = in_blocks_or_plain(message, |rendered| {
            let mut body = content(&rendered);
            add(&mut body, [("channel", json!(channel)), ("unfurl_links", json!(false)), ("unfurl_media", json!(false))]);
            add(&mut body, more.iter().cloned());
            async move { self.api.call(workspace, METHOD, &body, again).await }
        });
        let answer = said.await.map_err(|fault| self.failed(workspace, METHOD, fault))?;
        let text = |name: &str| answer.get(name).and_then(Value::as_str);
        match (text("channel").map(ChannelId::parse), text("ts")) {
            (Some(Ok(channel)), Some(ts)) => {
                Ok(Delivered::Editable(MessageRef { workspace: workspace.clone(), channel, message: ts.to_owned() }))
            }
            // It was said; only its name is missing.
            _ => Ok(Delivered::Final),
        }
    }
}

impl Forgets for SlackChat {
    fn forget_person(&self, person: &Person) {
        self.lanes.forget_person(person);
    }

    fn forget_workspace(&self, workspace: &WorkspaceId) {
        self.lanes.forget_workspace(workspace);
    }
}

#[async_trait]
impl Chat for SlackChat {
    async fn say(&self, to: &Addressee, message: &Message) -> Result<Delivered, PortError> {
        match to {
            Addressee::Answer(origin) => self.answer(origin, message).await,
            Addressee::Card(origin) => match message.audience {
                Audience::Channel => self.card(origin, message).await,
                // What is for one person never becomes a card for all.
                Audience::Asker => self.answer(origin, message).await,
            },
            Addressee::Direct(person) => self.direct(person, message, Haste::News).await,
            Addressee::Place(workspace, channel) => {
                self.post(workspace, channel.as_str(), message, Haste::News).await.map_err(PortError::from)
            }
            Addressee::Below { card, for_all } => self.below(card, *for_all, message).await.map_err(PortError::from),
        }
    }

    async fn amend(&self, what: &MessageRef, message: &Message, urgency: Urgency) -> Result<(), PortError> {
        const METHOD: &str = "chat.update";
        if let Err(until) = self.lanes.of(&what.workspace).change(METHOD, urgency, self.api.clock.now()) {
            return Err(port_error(METHOD, CallFault::Limited(until)));
        }
        let said = in_blocks_or_plain(message, |rendered| {
            let mut body = content(&rendered);
            add(&mut body, [("channel", json!(what.channel)), ("ts", json!(what.message))]);
            async move { self.api.call(&what.workspace, METHOD, &body, Again::NotHere).await }
        });
        match said.await {
            Ok(_) => Ok(()),
            Err(CallFault::Said(error)) if is_about_place(&error) => {
                Err(PortError::new(Service::Chat, Fault::NotFound, format!("{METHOD}: {error}")).saying(error))
            }
            Err(fault) => Err(self.failed(&what.workspace, METHOD, fault).into()),
        }
    }

    fn has_forms(&self) -> bool {
        true
    }

    async fn ask(&self, to: &Origin, by: &DeliveryId, form: &Form) -> Result<Asked, PortError> {
        const METHOD: &str = "views.open";
        // What something was delivered as is what opens a form: once, and for three seconds, so that nothing is waited for.
        match self.api.call(&to.person.workspace, METHOD, &view::opening(to, by, form), Again::NotHere).await {
            Ok(_) => Ok(Asked::Shown),
            Err(CallFault::Said(error)) if is_about_trigger(&error) => Ok(Asked::TooLate),
            Err(fault) => Err(port_error(METHOD, fault)),
        }
    }

    async fn show_page(&self, person: &Person, page: &Page) -> Result<(), PortError> {
        const METHOD: &str = "views.publish";
        let body = json!({ "user_id": person.user, "view": view::page(page) });
        let published = self.api.call(&person.workspace, METHOD, &body, Again::Harmless).await;
        published.map(|_| ()).map_err(|fault| port_error(METHOD, fault))
    }

    async fn standing(&self, at: &Origin, note: &Message) -> Result<ChatStanding, PortError> {
        let told = self.api.told(&at.person.workspace).await.map_err(|fault| port_error("auth.test", fault))?;
        let speaks_here = match self.ephemeral(at, note).await {
            Ok(()) => true,
            Err(Failed(_, CallFault::Said(error))) if is_about_place(&error) => false,
            Err(failed) => return Err(failed.into()),
        };
        let granted =
            told.scopes.as_deref().map(|scopes| scopes.split(',').filter_map(|scope| ScopeName::parse(scope.trim()).ok()).collect());
        let lacks = granted
            .map(|granted| scopes::rights(&granted))
            .map_or_else(Vec::new, |rights| BotRight::ALL.into_iter().filter(|right| !rights.contains(right)).collect());
        Ok(ChatStanding { lacks, speaks_here, gives_addresses: true, clock: told.at })
    }
}

/// Whether somebody waits for a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Haste {
    /// They do: it goes first, and a limit is waited out.
    Answer,
    /// A deploy goes on meanwhile: it is said when there is room.
    News,
}

/// A call that failed, and which.
struct Failed(&'static str, CallFault);

impl Failed {
    /// Whether the same may work later.
    fn is_temporary(&self) -> bool {
        match &self.1 {
            CallFault::Said(_) => false,
            CallFault::Limited(_) | CallFault::Unreachable(_) | CallFault::Unclear(_) => true,
            CallFault::NoToken(error) => error.is_temporary(),
        }
    }
}

impl From<Failed> for PortError {
    fn from(Failed(call, fault): Failed) -> Self {
        port_error(call, fault)
    }
}

/// Sends a message; if Slack does not take how it is built, its one line of plain text.
async fn in_blocks_or_plain<T, F>(message: &Message, send: impl Fn(Rendered) -> F) -> Result<T, CallFault>
where
    F: Future<Output = Result<T, CallFault>>,
{
    let rendered = render::message(message);
    let plain = Rendered { text: rendered.text.clone(), blocks: Vec::new() };
    match send(rendered).await {
        Err(CallFault::Said(error)) if is_about_form(&error) => send(plain).await,
        other => other,
    }
}

/// What is said. `parse` is restated in every call, since an edit would set it back.
fn content(rendered: &Rendered) -> Value {
    json!({ "text": rendered.text, "blocks": rendered.blocks, "parse": "none", "link_names": false })
}

fn add<'a>(body: &mut Value, fields: impl IntoIterator<Item = (&'a str, Value)>) {
    if let Some(body) = body.as_object_mut() {
        body.extend(fields.into_iter().map(|(name, value)| (name.to_owned(), value)));
    }
}

#[cfg(test)]
mod tests;
