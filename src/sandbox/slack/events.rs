//! What happens to an app in a workspace, told to the service as Slack tells it: signed, and again where it was not taken.

use serde_json::{Value, json};

use super::SlackWorkspace;
use super::installs::Place;
use super::people::{Ack, Forged, ServiceAddress};
use crate::sandbox::secrets::marked;

/// In which order the two events of a removal are told: Slack promises none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// First that the tokens were revoked.
    TokensFirst,
    /// First that the app was removed.
    RemovalFirst,
    /// Only that the tokens were revoked: the other word is lost.
    TokensOnly,
    /// Only that the app was removed.
    RemovalOnly,
    /// Nothing is told at all.
    Nothing,
}

impl SlackWorkspace {
    /// An admin of a workspace (or of its organisation, where that has installed it) removes the app. Gives how each event was taken.
    pub async fn uninstall(&self, to: &ServiceAddress, team: &str, order: Order) -> Vec<Ack> {
        let place = self.place_of(team);
        let bot = self.remove(&place);
        let revoked = json!({"type": "tokens_revoked", "tokens": {"oauth": [], "bot": bot.into_iter().collect::<Vec<_>>()}});
        let removed = json!({"type": "app_uninstalled"});
        let events = match order {
            Order::TokensFirst => vec![revoked, removed],
            Order::RemovalFirst => vec![removed, revoked],
            Order::TokensOnly => vec![revoked],
            Order::RemovalOnly => vec![removed],
            Order::Nothing => Vec::new(),
        };
        let mut taken = Vec::new();
        for event in events {
            taken.push(self.happens(to, &place, event).await);
        }
        taken
    }

    /// People (by name) withdraw what they have given to the app.
    pub async fn people_withdraw(&self, to: &ServiceAddress, team: &str, people: &[&str]) -> Ack {
        let ids: Vec<String> = self.look(|state| people.iter().filter_map(|name| Some(state.member(name)?.id.clone())).collect());
        let event = json!({"type": "tokens_revoked", "tokens": {"oauth": ids, "bot": []}});
        self.happens(to, &self.place_of(team), event).await
    }

    /// An organisation lets a workspace in that has the app, or shuts it out.
    pub async fn access(&self, to: &ServiceAddress, team: &str, granted: bool) -> Ack {
        let place = self.place_of(team);
        self.let_in(team, granted);
        let name = if granted { "team_access_granted" } else { "team_access_revoked" };
        self.happens(to, &place, json!({"type": name, "team_ids": [team]})).await
    }

    /// Tells the last event once more, as where the first time was not heard.
    pub async fn event_again(&self, to: &ServiceAddress) -> Option<Ack> {
        let (id, body) = self.look(|state| state.last_event.clone())?;
        Some(self.tell(to, &id, &body, Some(1)).await)
    }

    pub(super) async fn happens(&self, to: &ServiceAddress, place: &Place, event: Value) -> Ack {
        let now = self.now().as_second();
        let seed = self.seed();
        let id = self.change(|state| format!("Ev{:08X}", state.next()));
        let enterprise = self.look(|state| state.installs.enterprise.as_ref().map(|(id, _)| id.clone()));
        let (team, whole) = match place {
            Place::Team(team) => (Some(team.clone()), false),
            Place::Enterprise(_) => (None, true),
        };
        let mut body = json!({
            "token": marked("verification"), "api_app_id": seed.app_id, "type": "event_callback", "event": event, "event_id": id,
            "event_time": now,
            "authorizations": [{
                "enterprise_id": enterprise, "team_id": team, "user_id": seed.bot_user_id, "is_bot": true, "is_enterprise_install": whole,
            }],
            "is_ext_shared_channel": false,
        });
        if let Some(fields) = body.as_object_mut() {
            fields.extend(team.map(|team| ("team_id".to_owned(), json!(team))));
            fields.extend(enterprise.map(|enterprise| ("enterprise_id".to_owned(), json!(enterprise))));
        }
        let body = body.to_string();
        self.change(|state| state.last_event = Some((id.clone(), body.clone())));
        self.tell(to, &id, &body, None).await
    }

    async fn tell(&self, to: &ServiceAddress, id: &str, body: &str, again: Option<u32>) -> Ack {
        self.send_event(&to.at("/slack/events"), id, body.to_owned(), again, &Forged::default()).await
    }
}
