//! What a deploy would do and what would stop it; nothing is touched.

use crate::domain::command::{Command, Wish};
use crate::domain::message::Message;
use crate::domain::request::Request;
use crate::domain::speech::{self, Plan};
use crate::ports::Credentials;

use super::facts::{Rights, find_target, look_ahead};
use super::{Ports, Trouble, confirm};

/// Plans a deploy.
pub(super) async fn plan(ports: &Ports, request: &Request, who: &Credentials, wish: &Wish) -> Result<Message, Trouble> {
    let asker = &request.origin.person;
    let (pipeline, target) = find_target(ports, asker, &who.platform, wish, Command::Plan).await?;
    let prospect = look_ahead(ports, asker, who, (&pipeline, target), (wish, false), Rights::OfNow, Command::Plan).await?;
    let line = ports.store.line(&prospect.target.app).await?;
    let holder = match line.holder {
        Some(id) => ports.store.deployment(id).await?,
        None => None,
    };
    let commits = confirm::commits(ports, who, &prospect).await;
    let doubts = confirm::doubts_about(ports, asker, &prospect).await;
    Ok(speech::plan(&Plan {
        target: &prospect.target,
        repository: &prospect.repository,
        overrides_link_to: prospect.overrides_link_to.as_ref(),
        resolved: &prospect.resolved,
        access: prospect.access,
        running: prospect.running.as_ref(),
        change: commits.of(&prospect),
        doubts: &doubts,
        verdict: &prospect.verdict,
        holder: holder.as_ref(),
        waiting: line.next().count(),
        own_locks: &prospect.own_locks,
        wish,
        rules: &prospect.rules,
        now: ports.clock.now(),
    }))
}
