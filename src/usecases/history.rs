//! What was done: the last deploys of a pipeline; overrides, and stops, freed apps and locks by others; changes of rules and of where notices go.

use crate::domain::command::Command;
use crate::domain::deployment::Deployment;
use crate::domain::lock::{End, Ended};
use crate::domain::message::Message;
use crate::domain::names::{PipelineId, WorkspaceId};
use crate::domain::pipeline::{Pipeline, PipelineKey};
use crate::domain::privacy::{Note, NoteKind};
use crate::domain::request::Request;
use crate::domain::rights::{Did, Entry};
use crate::domain::speech::{self, Deed, Doing};
use crate::ports::{Credentials, StoreError};

use super::facts::find_pipeline;
use super::{Ports, Trouble, WhileDoing};

/// How many deploys are shown.
const DEPLOYS: usize = 10;
/// How many changes of rules, and how many locks that others have ended, beside deploys.
const BESIDE: usize = 5;
/// How many by themselves.
const ALONE: usize = 20;
/// How many deploys of each pipeline are looked through for them.
const LOOKED_THROUGH: usize = 50;

/// `history`.
pub(super) async fn history(ports: &Ports, request: &Request, who: &Credentials, key: Option<&PipelineKey>) -> Result<Message, Trouble> {
    let person = &request.origin.person;
    let now = ports.clock.now();
    let Some(key) = key else { return everywhere(ports, request, who).await };
    let again = |pipeline| Command::History { pipeline: Some(pipeline) };
    let pipeline = find_pipeline(ports, person, &who.platform, key, again).await?;
    let deployments = deployments_of(ports, &pipeline.id, DEPLOYS).await?;
    let entries = entries(ports, &person.workspace, &pipeline.id, BESIDE).await?;
    let mut over = ended_by_others(ports, &pipeline).await?;
    over.truncate(BESIDE);
    Ok(speech::history(&pipeline, &deployments, &over, &entries, now))
}

/// The newest deployments of a pipeline, but for those of installations that have ended.
async fn deployments_of(ports: &Ports, pipeline: &PipelineId, limit: usize) -> Result<Vec<Deployment>, StoreError> {
    let mut found = ports.store.deployments_of_pipeline(pipeline, limit).await?;
    found.retain(|one| !one.has_left());
    Ok(found)
}

/// Locks of a pipeline that others have ended, newest first.
async fn ended_by_others(ports: &Ports, pipeline: &Pipeline) -> Result<Vec<Ended>, StoreError> {
    let mut over = ports.locks.locks(&pipeline.id, &pipeline.name).await?.ended;
    over.retain(|ended| match &ended.how {
        End::TakenOver { .. } | End::FreedBy { .. } => true,
        End::RanOut | End::Freed => false,
    });
    over.reverse();
    Ok(over)
}

/// `history` alone: what was done past checks, or to what is somebody else's, in all pipelines that the asker can see, and what admins changed.
async fn everywhere(ports: &Ports, request: &Request, who: &Credentials) -> Result<Message, Trouble> {
    let workspace = &request.origin.person.workspace;
    let seen = ports.platform.pipelines(&who.platform).await.while_doing(Doing::ReadingPipelines)?;
    let mut deeds = Vec::new();
    for pipeline in &seen {
        let deployments = deployments_of(ports, &pipeline.id, LOOKED_THROUGH).await?;
        deeds.extend(deployments.into_iter().filter(Deployment::is_remarkable).map(|one| Deed::Deploy(Box::new(one))));
        deeds.extend(ended_by_others(ports, pipeline).await?.into_iter().map(|ended| Deed::Lock(pipeline.name.clone(), Box::new(ended))));
    }
    let entries = all_entries(ports, workspace).await?.into_iter().filter(|entry| match &entry.did {
        Did::Rules { .. } => true,
        Did::Routed { pipeline, .. } => seen.iter().any(|known| known.id == *pipeline),
    });
    deeds.extend(entries.map(|entry| Deed::Entry(Box::new(entry))));
    deeds.sort_by_key(|deed| std::cmp::Reverse(deed.at()));
    deeds.truncate(ALONE);
    Ok(speech::history_of_all(&deeds, &ports.command_word, ports.clock.now()))
}

/// What is on record of a workspace, newest first.
async fn all_entries(ports: &Ports, workspace: &WorkspaceId) -> Result<Vec<Entry>, StoreError> {
    let notes = ports.privacy.keeping.notes(NoteKind::Entry).await?;
    let mut entries: Vec<Entry> = notes
        .into_iter()
        .filter_map(|noted| if let Note::Entry(entry) = noted.note { Some(entry) } else { None })
        .filter(|entry| entry.workspace == *workspace)
        .collect();
    entries.sort_by_key(|entry| std::cmp::Reverse((entry.at, entry.id)));
    Ok(entries)
}

/// The same beside one of its pipelines: so many of each.
async fn entries(ports: &Ports, workspace: &WorkspaceId, of: &PipelineId, limit: usize) -> Result<Vec<Entry>, StoreError> {
    let mut entries = all_entries(ports, workspace).await?;
    let (mut rules, mut routes) = (0_usize, 0_usize);
    entries.retain(|entry| {
        let (counted, wanted) = match &entry.did {
            Did::Rules { .. } => (&mut rules, true),
            Did::Routed { pipeline, .. } => (&mut routes, of == pipeline),
        };
        *counted = counted.saturating_add(usize::from(wanted));
        wanted && *counted <= limit
    });
    Ok(entries)
}
