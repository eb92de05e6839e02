//! What Slack tells of an app in a workspace, as far as we look at it. Everything may be absent; the unknown is ignored.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::domain::actor::{Origin, Person};
use crate::domain::installation::{Happened, Happening, Tenant};
use crate::domain::names::{ChannelId, DeliveryId, NameError, OrganisationId, UserId, WorkspaceId};

/// What an event is to us.
#[derive(Debug)]
pub(super) enum Event {
    /// Something happened to an installation.
    Happening(Box<Happening>),
    /// Somebody looks at their page.
    LookedAt(Box<Origin>),
    /// We have no use for it.
    Another,
    /// It should be of use, and is not what it should be.
    Malformed,
}

#[derive(Deserialize)]
struct Envelope {
    event: Inner,
    event_id: String,
    event_time: i64,
    #[serde(default)]
    team_id: Option<String>,
    #[serde(default)]
    enterprise_id: Option<String>,
    #[serde(default)]
    authorizations: Vec<Authorization>,
}

#[derive(Deserialize)]
struct Authorization {
    #[serde(default)]
    is_enterprise_install: bool,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Inner {
    AppUninstalled,
    TokensRevoked {
        tokens: Tokens,
    },
    TeamAccessGranted {
        team_ids: Vec<String>,
    },
    TeamAccessRevoked {
        team_ids: Vec<String>,
    },
    #[serde(other)]
    Another,
}

/// Users, not tokens.
#[derive(Deserialize)]
struct Tokens {
    #[serde(default)]
    oauth: Vec<String>,
    #[serde(default)]
    bot: Vec<String>,
}

/// Reads an event that was verified.
pub(super) fn happening(event: &Value, now: Timestamp) -> Event {
    let text = |at: &str| event.pointer(at).and_then(Value::as_str);
    // The other tab of the app is the conversation with it.
    if (text("/event/type"), text("/event/tab")) == (Some("app_home_opened"), Some("home")) {
        return page_of(event).map_or(Event::Malformed, |page_of| Event::LookedAt(Box::new(page_of)));
    }
    // What is of no use may look different in every part.
    let Some("app_uninstalled" | "tokens_revoked" | "team_access_granted" | "team_access_revoked") =
        event.pointer("/event/type").and_then(Value::as_str)
    else {
        return Event::Another;
    };
    match Envelope::deserialize(event).ok().map(|envelope| read(envelope, now)) {
        Some(Ok(Some(happening))) => Event::Happening(Box::new(happening)),
        Some(Ok(None)) => Event::Another,
        Some(Err(_)) | None => Event::Malformed,
    }
}

fn read(envelope: Envelope, now: Timestamp) -> Result<Option<Happening>, NameError> {
    let Envelope { event, event_id, event_time, team_id, enterprise_id, authorizations } = envelope;
    let what = match event {
        Inner::AppUninstalled => Happened::Uninstalled,
        Inner::TokensRevoked { tokens } => Happened::Revoked { bots: users(&tokens.bot)?, people: users(&tokens.oauth)? },
        Inner::TeamAccessGranted { team_ids } => Happened::LetIn { workspaces: workspaces(&team_ids)? },
        Inner::TeamAccessRevoked { team_ids } => Happened::ShutOut { workspaces: workspaces(&team_ids)? },
        Inner::Another => return Ok(None),
    };
    // An organisation's installation has no workspace of its own.
    let whole = team_id.is_none() || authorizations.iter().any(|one| one.is_enterprise_install);
    let tenant = match (whole, enterprise_id, team_id) {
        (true, Some(organisation), _) => Tenant::Organisation(OrganisationId::parse(&organisation)?),
        (_, _, workspace) => Tenant::Workspace(WorkspaceId::parse(&workspace.unwrap_or_default())?),
    };
    let at = Timestamp::from_second(event_time).unwrap_or(now);
    Ok(Some(Happening { id: DeliveryId::parse(&event_id)?, version: 0, tenant, at, heard_at: now, what, done: false }))
}

/// Whose page was looked at, and the conversation with them.
fn page_of(event: &Value) -> Option<Origin> {
    let text = |at: &str| event.pointer(at).and_then(Value::as_str);
    let workspace = WorkspaceId::parse(text("/team_id").or_else(|| text("/enterprise_id"))?).ok()?;
    let person = Person { workspace, user: UserId::parse(text("/event/user")?).ok()? };
    Some(Origin { person, channel: ChannelId::parse(text("/event/channel")?).ok()?, reply: None })
}

fn users(ids: &[String]) -> Result<BTreeSet<UserId>, NameError> {
    ids.iter().map(|id| UserId::parse(id)).collect()
}

fn workspaces(ids: &[String]) -> Result<BTreeSet<WorkspaceId>, NameError> {
    ids.iter().map(|id| WorkspaceId::parse(id)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(event: Value) -> Event {
        happening(&event, Timestamp::from_second(2_000).unwrap())
    }

    fn happened(event: Value) -> Happening {
        match of(event) {
            Event::Happening(happening) => *happening,
            other @ (Event::LookedAt(_) | Event::Another | Event::Malformed) => panic!("{other:?}"),
        }
    }

    fn envelope(event: Value, more: Value) -> Value {
        let mut whole = json!({"type": "event_callback", "event_id": "Ev1", "event_time": 1_000, "event": event, "surprise": [1]});
        whole.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        whole
    }

    #[test]
    fn an_event_belongs_to_a_workspace_or_to_an_organisation() {
        let removed = json!({"type": "app_uninstalled"});
        let workspace = Tenant::Workspace(WorkspaceId::parse("T1").unwrap());
        let organisation = Tenant::Organisation(OrganisationId::parse("E1").unwrap());
        for (more, tenant) in [
            (json!({"team_id": "T1"}), &workspace),
            (json!({"team_id": "T1", "enterprise_id": "E1", "authorizations": [{"is_enterprise_install": false}]}), &workspace),
            (json!({"team_id": "T1", "enterprise_id": "E1", "authorizations": [{"is_enterprise_install": true}]}), &organisation),
            (json!({"enterprise_id": "E1"}), &organisation),
        ] {
            let happening = happened(envelope(removed.clone(), more));
            assert_eq!((&happening.tenant, &happening.what), (tenant, &Happened::Uninstalled));
            assert_eq!((happening.at.as_second(), happening.heard_at.as_second(), happening.id.as_str()), (1_000, 2_000, "Ev1"));
        }
    }

    #[test]
    fn whose_tokens_were_revoked_is_told_by_ids() {
        let revoked = json!({"type": "tokens_revoked", "tokens": {"oauth": ["U7", "W8"], "bot": ["UBOT"]}});
        let Happened::Revoked { bots, people } = happened(envelope(revoked, json!({"team_id": "T1"}))).what else { panic!() };
        assert_eq!((bots.len(), people.len()), (1, 2));
        let only_people = json!({"type": "tokens_revoked", "tokens": {"oauth": ["U7"]}});
        assert!(
            matches!(happened(envelope(only_people, json!({"team_id": "T1"}))).what, Happened::Revoked { bots, .. } if bots.is_empty())
        );
    }

    #[test]
    fn what_is_of_no_use_is_left_alone_and_what_should_be_is_looked_at() {
        assert!(matches!(of(envelope(json!({"type": "app_home_opened", "tokens": 7}), json!({}))), Event::Another));
        let opened = |tab: &str, user: Value| {
            envelope(json!({"type": "app_home_opened", "tab": tab, "user": user, "channel": "D1"}), json!({"team_id": "T1"}))
        };
        assert!(matches!(of(opened("messages", json!("U1"))), Event::Another));
        assert!(matches!(of(opened("home", json!(7))), Event::Malformed));
        let Event::LookedAt(page_of) = of(opened("home", json!("U1"))) else { panic!() };
        assert_eq!((page_of.person.workspace.as_str(), page_of.person.user.as_str(), page_of.channel.as_str()), ("T1", "U1", "D1"));
        assert!(matches!(of(json!({"event": {"type": ["app_uninstalled"]}})), Event::Another));
        for wrong in [
            envelope(json!({"type": "app_uninstalled"}), json!({})),
            envelope(json!({"type": "app_uninstalled"}), json!({"team_id": "T 1"})),
            envelope(json!({"type": "tokens_revoked", "tokens": {"bot": [""]}}), json!({"team_id": "T1"})),
            json!({"event": {"type": "app_uninstalled"}, "team_id": "T1"}),
        ] {
            assert!(matches!(of(wrong.clone()), Event::Malformed), "{wrong}");
        }
    }
}
