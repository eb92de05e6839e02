//! What was done: the last deploys of a pipeline, locks that others have ended, and changes of the rules.

use crate::domain::command::Command;
use crate::domain::lock::End;
use crate::domain::message::Message;
use crate::domain::names::{PipelineId, WorkspaceId};
use crate::domain::pipeline::PipelineKey;
use crate::domain::privacy::{Note, NoteKind};
use crate::domain::request::Request;
use crate::domain::rights::{Did, Entry};
use crate::domain::speech;
use crate::ports::{Credentials, StoreError};

use super::facts::find_pipeline;
use super::{Ports, Trouble};

/// How many deploys are shown.
const DEPLOYS: usize = 10;
/// How many changes of rules, and how many locks that others have ended, beside deploys.
const BESIDE: usize = 5;
/// How many by themselves.
const ALONE: usize = 20;

/// `history`.
pub(super) async fn history(ports: &Ports, request: &Request, who: &Credentials, key: Option<&PipelineKey>) -> Result<Message, Trouble> {
    let person = &request.origin.person;
    let now = ports.clock.now();
    let Some(key) = key else {
        return Ok(speech::history_of_rules(&entries(ports, &person.workspace, None, ALONE).await?, &ports.command_word, now));
    };
    let again = |pipeline| Command::History { pipeline: Some(pipeline) };
    let pipeline = find_pipeline(ports, person, &who.platform, key, again).await?;
    let deployments = ports.store.deployments_of_pipeline(&pipeline.id, DEPLOYS).await?;
    let entries = entries(ports, &person.workspace, Some(&pipeline.id), BESIDE).await?;
    let mut over = ports.locks.locks(&pipeline.id, &pipeline.name).await?.ended;
    over.retain(|ended| match &ended.how {
        End::TakenOver { .. } | End::FreedBy { .. } => true,
        End::RanOut | End::Freed => false,
    });
    over.reverse();
    over.truncate(BESIDE);
    Ok(speech::history(&pipeline, &deployments, &over, &entries, now))
}

/// What is on record of a workspace, and of one of its pipelines, newest first: so many of each.
async fn entries(ports: &Ports, workspace: &WorkspaceId, of: Option<&PipelineId>, limit: usize) -> Result<Vec<Entry>, StoreError> {
    let notes = ports.privacy.keeping.notes(NoteKind::Entry).await?;
    let mut entries: Vec<Entry> = notes
        .into_iter()
        .filter_map(|noted| if let Note::Entry(entry) = noted.note { Some(entry) } else { None })
        .filter(|entry| entry.workspace == *workspace)
        .collect();
    entries.sort_by_key(|entry| std::cmp::Reverse((entry.at, entry.id)));
    let (mut rules, mut routes) = (0_usize, 0_usize);
    entries.retain(|entry| {
        let (counted, wanted) = match &entry.did {
            Did::Rules { .. } => (&mut rules, true),
            Did::Routed { pipeline, .. } => (&mut routes, of == Some(pipeline)),
        };
        *counted = counted.saturating_add(usize::from(wanted));
        wanted && *counted <= limit
    });
    Ok(entries)
}
