//! A simulated Slack workspace: the Web API, the answer addresses, and the people who type and press.
//!
//! What it does is written after Slack's public documentation; error names are Slack's. It is strict where Slack is strict,
//! and notes as a violation what Slack would let pass but we never want to do.

mod api;
mod blocks;
mod choosing;
mod events;
mod faults;
mod histories;
mod homes;
mod hooks;
mod installs;
mod limits;
mod methods;
mod people;
mod render;
mod secrets;
mod seen;
mod state;
mod views;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::routing::{any, get, post};
use tokio::sync::watch;

pub use crate::sandbox::fault::{Fault, Limit};
pub use events::Order;
pub use installs::AppSeed;
pub use people::{Ack, Forged, Pressed, ServiceAddress, link_in};
pub use render::{Rendered, glyph};
pub use seen::{Below, How, SeenMessage, SeenRequest, Via};
pub use state::MemberKind;

use super::answers::SeenAnswer;
use super::serve::Servers;
use crate::ports::Clock;
use state::State;

/// Everything that Slack would not take of a message, or that we never want in one; empty means fine.
pub fn objections(text: &str, blocks: &[serde_json::Value]) -> Vec<String> {
    let mut all = blocks::faults(blocks);
    all.extend(render::alarms(text, blocks));
    // What is posted may be longer; what is changed may not, and a card is.
    if !(1..=4000).contains(&text.chars().count()) {
        all.push("the text is empty, or longer than a change of it may be".to_owned());
    }
    all
}

/// What a workspace starts with. All values are make-believe.
#[derive(Clone, Debug)]
pub struct SlackSeed {
    /// What requests to the service are signed with.
    pub signing_secret: String,
    /// What the service has to send with each call.
    pub bot_token: String,
    /// The workspace.
    pub team_id: String,
    /// Its name in addresses.
    pub team_domain: String,
    /// The service's app.
    pub app_id: String,
    /// The app's user.
    pub bot_user_id: String,
    /// The slash command, with the slash.
    pub command: String,
    /// How long a request to the service may take before the person is told that it failed. Slack gives 3 seconds; a busy
    /// test machine gets more.
    pub patience: Duration,
}

impl Default for SlackSeed {
    fn default() -> Self {
        Self {
            signing_secret: "sandbox-signing-secret".to_owned(),
            bot_token: "sandbox-bot-token".to_owned(),
            team_id: "T1".to_owned(),
            team_domain: "acme".to_owned(),
            app_id: "A1".to_owned(),
            bot_user_id: "UBOT".to_owned(),
            command: "/h".to_owned(),
            patience: Duration::from_secs(60),
        }
    }
}

/// A workspace that is served on loopback: the Web API on one port, the answer addresses on another.
#[derive(Debug)]
pub struct SlackWorkspace {
    seed: SlackSeed,
    clock: Arc<dyn Clock>,
    api: SocketAddr,
    hooks: SocketAddr,
    client: reqwest::Client,
    state: Mutex<State>,
    news: watch::Sender<u64>,
}

impl SlackWorkspace {
    /// Starts a workspace without people or channels. `port` 0 means any; otherwise the answer addresses get the next port.
    pub async fn start(servers: &Servers, clock: Arc<dyn Clock>, port: u16, seed: SlackSeed) -> std::io::Result<Arc<Self>> {
        let (api_listener, api) = Servers::listen(port).await?;
        let (hooks_listener, hooks) = Servers::listen(if port == 0 { 0 } else { port.saturating_add(1) }).await?;
        let client = reqwest::Client::builder()
            .no_proxy()
            .user_agent("Slackbot 1.0 (simulated)")
            .redirect(reqwest::redirect::Policy::none())
            .timeout(seed.patience)
            // A person's request after a crash of the service must not meet a connection that died with it.
            .pool_max_idle_per_host(0)
            .build()
            .map_err(std::io::Error::other)?;
        let (news, _) = watch::channel(0);
        let workspace = Arc::new(Self { seed, clock, api, hooks, client, state: Mutex::default(), news });
        let own =
            Router::new().route("/api/{method}", any(api::call)).route("/oauth/v2/authorize", get(installs::page).post(installs::decided));
        servers.serve(api_listener, own.with_state(Arc::clone(&workspace)));
        let answers = Router::new()
            .route("/commands/{team}/{number}/{key}", post(hooks::answer))
            .route("/actions/{team}/{number}/{key}", post(hooks::answer));
        servers.serve(hooks_listener, answers.with_state(Arc::clone(&workspace)));
        Ok(workspace)
    }

    /// The base address of the Web API; a method's name is joined to it.
    pub fn api_address(&self) -> String {
        format!("http://{}/api/", self.api)
    }

    /// The base address of the answer addresses.
    pub fn hooks_address(&self) -> String {
        format!("http://{}/", self.hooks)
    }

    /// What it was started with.
    pub fn seed(&self) -> &SlackSeed {
        &self.seed
    }

    /// Adds a person. Ids are unique within a workspace only; names are how scripts call people and must differ.
    pub fn add_user(&self, id: &str, name: &str, team: &str) {
        let (id, name, team) = (id.to_owned(), name.to_owned(), team.to_owned());
        self.change(|state| state.people.push(state::Member { id, name, team, kind: MemberKind::Plain }));
    }

    /// Makes of a person, by name, what they are in their workspace from now on. Says whether there is one.
    pub fn is_now(&self, person: &str, kind: MemberKind) -> bool {
        let found = |state: &mut State| state.people.iter_mut().find(|member| member.name == person).map(|member| member.kind = kind);
        self.change(|state| found(state).is_some())
    }

    /// Makes a user group of people, by their names, in place of one of the same handle; of nobody: there is none any more. Says whether
    /// there are such people, all in one workspace.
    pub fn group(&self, handle: &str, people: &[&str]) -> bool {
        self.change(|state| {
            let members: Option<Vec<&state::Member>> = people.iter().map(|name| state.member(name)).collect();
            let Some(members) = members else { return false };
            let team = members.first().map_or_else(|| self.seed.team_id.clone(), |member| member.team.clone());
            let users = members.iter().filter(|member| member.team == team).map(|member| member.id.clone()).collect::<Vec<_>>();
            let all = users.len() == people.len();
            let known = state.groups.iter().find(|group| group.handle == handle).map(|group| group.id.clone());
            let id = known.unwrap_or_else(|| format!("S{}", state.groups.len() + 1));
            state.groups.retain(|group| group.handle != handle);
            if !users.is_empty() {
                state.groups.push(state::UserGroup { id, handle: handle.to_owned(), team, users });
            }
            all
        })
    }

    /// Adds a public channel with everybody in it. `bot_in`: whether the app's user is in it too.
    pub fn add_channel(&self, id: &str, name: &str, bot_in: bool) {
        let team = self.seed.team_id.clone();
        self.add_channel_in(&team, id, name, bot_in);
    }

    /// [`SlackWorkspace::add_channel`], in another workspace. Names are how scripts call channels and must differ.
    pub fn add_channel_in(&self, team: &str, id: &str, name: &str, bot_in: bool) {
        let (team, id, name) = (team.to_owned(), id.to_owned(), name.to_owned());
        self.change(|state| {
            state.channels.push(state::Channel { team, id, name, bot_in, archived: false, shared: false, private: false, with: None })
        });
    }

    /// Invites the app's user to a channel, or removes it. `channel` is a name without `#`, or an id. Says whether there is one.
    pub fn invite_bot(&self, channel: &str, bot_in: bool) -> bool {
        self.change(|state| state.channel_mut(channel).map(|channel| channel.bot_in = bot_in).is_some())
    }

    /// Takes a scope from the app.
    pub fn take_scope(&self, scope: &str) {
        self.change(|state| state.lacking.push(scope.to_owned()));
    }

    /// Shares a channel with another company, by name or id. Says whether there is one.
    pub fn share_channel(&self, channel: &str) -> bool {
        self.change(|state| state.channel_mut(channel).map(|channel| channel.shared = true).is_some())
    }

    /// Makes a channel private, by name or id. Says whether there is one.
    pub fn close_channel(&self, channel: &str) -> bool {
        self.change(|state| state.channel_mut(channel).map(|channel| channel.private = true).is_some())
    }

    /// Archives a channel, by name or id. Says whether there is one.
    pub fn archive_channel(&self, channel: &str) -> bool {
        self.change(|state| state.channel_mut(channel).map(|channel| channel.archived = true).is_some())
    }

    /// Answers calls that come too fast as Slack does, from now on; without it they are all taken.
    pub fn limit_rates(&self) {
        self.change(|state| state.limits = Some(limits::Limits::default()));
    }

    /// Everything that happened, in order.
    pub fn events(&self) -> Vec<SeenMessage> {
        self.events_since(0)
    }

    /// What happened after the first `seen` events.
    pub fn events_since(&self, seen: u64) -> Vec<SeenMessage> {
        self.look(|state| state.log.iter().filter(|event| event.seq > seen).cloned().collect())
    }

    /// How many events there were: the number of the newest.
    pub fn seen(&self) -> u64 {
        self.carry_out();
        *self.news.borrow()
    }

    /// Tells of the number of the newest event whenever there are new ones.
    pub fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// The messages as they stand, in the order in which they were first said; deleted ones are not among them.
    pub fn messages(&self) -> Vec<SeenMessage> {
        self.look(|state| state.messages.clone())
    }

    /// The calls the service made, in order: Web API methods and `response_url`.
    pub fn requests(&self) -> Vec<SeenRequest> {
        self.look(|state| state.requests.clone())
    }

    /// What the Web API answered, and how much there was no room for.
    pub fn answers(&self) -> (Vec<SeenAnswer>, usize) {
        self.look(|state| state.answers.seen())
    }

    /// The addresses of all calls of the Web API, with their queries.
    pub fn addresses(&self) -> Vec<String> {
        self.look(|state| state.addresses.clone())
    }

    /// What Slack would have let pass but should never be sent.
    pub fn violations(&self) -> Vec<String> {
        self.look(|state| state.violations.clone())
    }

    /// A message as a person sees it.
    pub fn render(&self, message: &SeenMessage) -> Rendered {
        self.look(|state| render::render(message, state))
    }

    /// The name of a channel, with `#`; of a direct message, the person's with `@`.
    pub fn channel_name(&self, id: &str) -> String {
        self.look(|state| state.channel_label(id))
    }

    /// The id of a channel by its name without `#`.
    pub fn channel_id(&self, name: &str) -> Option<String> {
        self.look(|state| state.channel(name).map(|channel| channel.id.clone()))
    }

    /// The workspace of a person.
    pub fn team_of(&self, name: &str) -> Option<String> {
        self.look(|state| state.member(name).map(|member| member.team.clone()))
    }

    /// Whether there is a person of that name.
    pub fn knows(&self, name: &str) -> bool {
        self.look(|state| state.member(name).is_some())
    }

    fn look<R>(&self, look: impl FnOnce(&State) -> R) -> R {
        self.carry_out();
        look(&self.state())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        self.carry_out();
        let mut state = self.state();
        let result = change(&mut state);
        let newest = state.log.last().map_or(0, |event| event.seq);
        self.news.send_if_modified(|seen| std::mem::replace(seen, newest) != newest);
        result
    }
}

#[cfg(test)]
mod tests;
