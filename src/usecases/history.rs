//! What was done: the last deploys of a pipeline, locks that others have ended, and changes of the rules.

use crate::domain::command::Command;
use crate::domain::lock::End;
use crate::domain::message::Message;
use crate::domain::names::WorkspaceId;
use crate::domain::pipeline::PipelineKey;
use crate::domain::privacy::{Note, NoteKind};
use crate::domain::request::Request;
use crate::domain::rights::Entry;
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
        return Ok(speech::history_of_rules(&entries(ports, &person.workspace, ALONE).await?, &ports.command_word, now));
    };
    let again = |pipeline| Command::History { pipeline: Some(pipeline) };
    let pipeline = find_pipeline(ports, person, &who.platform, key, again).await?;
    let deployments = ports.store.deployments_of_pipeline(&pipeline.id, DEPLOYS).await?;
    let entries = entries(ports, &person.workspace, BESIDE).await?;
    let mut over = ports.locks.locks(&pipeline.id, &pipeline.name).await?.ended;
    over.retain(|ended| match &ended.how {
        End::TakenOver { .. } | End::FreedBy { .. } => true,
        End::RanOut | End::Freed => false,
    });
    over.reverse();
    over.truncate(BESIDE);
    Ok(speech::history(&pipeline, &deployments, &over, &entries, now))
}

/// What is on record of a workspace, newest first.
async fn entries(ports: &Ports, workspace: &WorkspaceId, limit: usize) -> Result<Vec<Entry>, StoreError> {
    let notes = ports.privacy.keeping.notes(NoteKind::Entry).await?;
    let mut entries: Vec<Entry> = notes
        .into_iter()
        .filter_map(|noted| if let Note::Entry(entry) = noted.note { Some(entry) } else { None })
        .filter(|entry| entry.workspace == *workspace)
        .collect();
    entries.sort_by_key(|entry| std::cmp::Reverse((entry.at, entry.id)));
    entries.truncate(limit);
    Ok(entries)
}
