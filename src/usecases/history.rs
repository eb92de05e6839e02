//! What was done: the deploys of a pipeline; overrides, and stops, freed apps and locks by others; changes of rules and of where notices go.
//! All of it page by page, as far back as it is kept.

use jiff::Timestamp;

use crate::domain::command::Command;
use crate::domain::deployment::Deployment;
use crate::domain::message::Message;
use crate::domain::names::{OfferId, PipelineId, WorkspaceId};
use crate::domain::pipeline::{Pipeline, PipelineKey};
use crate::domain::privacy::{Note, NoteKind};
use crate::domain::request::Request;
use crate::domain::rights::{Did, Entry};
use crate::domain::speech::{self, Deed, Doing, Older};
use crate::ports::{Credentials, StoreError};

use super::facts::find_pipeline;
use super::offers::offer;
use super::{Ports, Trouble, WhileDoing};

/// How many deploys stand on a page of a pipeline.
const DEPLOYS: usize = 10;
/// How much else stands on a page.
const DEEDS: usize = 20;
/// How many deploys are read at once.
const TOGETHER: usize = 500;
/// How many deploys are looked through for one page, of all pipelines together.
const LOOKED_THROUGH: usize = 50_000;

/// A look through deploys, newest first, which ends somewhere.
struct Look<'a> {
    ports: &'a Ports,
    /// How many more may be read.
    left: usize,
    /// How far back it came where it had to end before the end.
    back_to: Option<Timestamp>,
}

impl<'a> Look<'a> {
    fn new(ports: &'a Ports) -> Self {
        Self { ports, left: LOOKED_THROUGH, back_to: None }
    }

    /// The newest deploys of a pipeline that were asked for before a moment and are wanted, at most `most`: none of installations that have
    /// ended.
    async fn newest(
        &mut self,
        pipeline: &PipelineId,
        before: Option<Timestamp>,
        most: usize,
        wanted: impl Fn(&Deployment) -> bool,
    ) -> Result<Vec<Deployment>, StoreError> {
        let mut found: Vec<Deployment> = Vec::new();
        let mut last = None;
        while found.len() < most {
            let page = if let Some((behind, _)) = last {
                self.ports.store.older_in_pipeline(pipeline, behind, TOGETHER).await?
            } else {
                let first = if before.is_none() { most.min(TOGETHER) } else { TOGETHER };
                self.ports.store.deployments_of_pipeline(pipeline, first).await?
            };
            let Some(oldest) = page.last() else { return Ok(found) };
            last = Some((oldest.id, oldest.asked_at));
            self.left = self.left.saturating_sub(page.len());
            found
                .extend(page.into_iter().filter(|one| !one.has_left() && before.is_none_or(|before| one.asked_at < before) && wanted(one)));
            if self.left == 0 {
                let came = last.map(|(_, asked_at)| asked_at);
                self.back_to = self.back_to.max(came);
                break;
            }
        }
        found.truncate(most);
        Ok(found)
    }
}

/// `history`.
pub(super) async fn history(
    ports: &Ports,
    request: &Request,
    who: &Credentials,
    key: Option<&PipelineKey>,
    before: Option<Timestamp>,
) -> Result<Message, Trouble> {
    let person = &request.origin.person;
    let Some(key) = key else { return everywhere(ports, request, who, before).await };
    let again = |pipeline| Command::History { pipeline: Some(pipeline), before };
    let pipeline = find_pipeline(ports, person, &who.platform, key, again).await?;
    let mut look = Look::new(ports);
    // One more tells whether there are more.
    let mut deployments = look.newest(&pipeline.id, before, DEPLOYS.saturating_add(1), |_| true).await?;
    let more = deployments.len() > DEPLOYS;
    deployments.truncate(DEPLOYS);
    let page_ends = deployments.last().map(|last| last.asked_at).filter(|_| more);
    let mut entries = entries(ports, &person.workspace, before, |did| match did {
        Did::Rules { .. } => true,
        Did::Routed { pipeline: of, .. } | Did::EndedLock { pipeline: of, .. } => *of == pipeline.id,
    })
    .await?;
    // What was done before the last of these deploys stands on the next page.
    entries.retain(|entry| page_ends.is_none_or(|end| entry.at >= end));
    let mut goes_on = page_ends;
    if let Some(cut) = cut(&entries, |entry| entry.at) {
        entries.retain(|entry| entry.at >= cut);
        deployments.retain(|one| one.asked_at >= cut);
        goes_on = Some(cut);
    }
    let older = older(ports, request, Some(&pipeline), goes_on, look.back_to).await?;
    Ok(speech::history(&pipeline, &deployments, &entries, before, &older, &ports.command_word, ports.clock.now()))
}

/// `history` alone: what was done past checks, or to what is somebody else's, in all pipelines that the asker can see, and what admins changed.
async fn everywhere(ports: &Ports, request: &Request, who: &Credentials, before: Option<Timestamp>) -> Result<Message, Trouble> {
    let workspace = &request.origin.person.workspace;
    let seen = ports.platform.pipelines(&who.platform).await.while_doing(Doing::ReadingPipelines)?;
    let mut look = Look::new(ports);
    let mut deeds = Vec::new();
    for pipeline in &seen {
        let some = look.newest(&pipeline.id, before, DEEDS.saturating_add(1), Deployment::is_remarkable).await?;
        deeds.extend(some.into_iter().map(|one| Deed::Deploy(Box::new(one))));
    }
    let entries = entries(ports, workspace, before, |did| match did {
        Did::Rules { .. } => true,
        Did::Routed { pipeline, .. } | Did::EndedLock { pipeline, .. } => seen.iter().any(|known| known.id == *pipeline),
    });
    deeds.extend(entries.await?.into_iter().map(|entry| Deed::Entry(Box::new(entry))));
    // What stands behind where a look had to end is not known to be all: it is on no page.
    deeds.retain(|deed| look.back_to.is_none_or(|back_to| deed.at() >= back_to));
    deeds.sort_by_key(|deed| std::cmp::Reverse(deed.at()));
    let cut = cut(&deeds, Deed::at);
    deeds.retain(|deed| cut.is_none_or(|cut| deed.at() >= cut));
    let older = older(ports, request, None, cut, look.back_to).await?;
    Ok(speech::history_of_all(&deeds, before, &older, &ports.command_word, ports.clock.now()))
}

/// When the last was done that stands on a page, newest first, if more was done before it. What was done in the same moment stands on the
/// same page.
fn cut<T>(all: &[T], at: impl Fn(&T) -> Timestamp) -> Option<Timestamp> {
    let last = all.get(DEEDS.saturating_sub(1)).map(&at)?;
    all.last().map(&at).filter(|oldest| *oldest < last).map(|_| last)
}

/// How a page goes on, with a button for the asker.
async fn older(
    ports: &Ports,
    request: &Request,
    pipeline: Option<&Pipeline>,
    goes_on: Option<Timestamp>,
    back_to: Option<Timestamp>,
) -> Result<Older, StoreError> {
    let key = pipeline.map(|pipeline| PipelineKey::Id(pipeline.id.clone()));
    // Where a look had to end, the next one begins there.
    let before = goes_on.or(back_to);
    let next = before.map(|before| (speech::OLDER.to_owned(), Command::History { pipeline: key, before: Some(before) }));
    let button: Option<OfferId> = offer(ports, &request.origin.person, next).await?.first().map(|(_, id)| *id);
    Ok(Older { before, button, looked_back_to: back_to.filter(|_| goes_on.is_none()) })
}

/// What is on record of a workspace from before a moment and is wanted, newest first.
async fn entries(
    ports: &Ports,
    workspace: &WorkspaceId,
    before: Option<Timestamp>,
    wanted: impl Fn(&Did) -> bool,
) -> Result<Vec<Entry>, StoreError> {
    let notes = ports.privacy.keeping.notes(NoteKind::Entry).await?;
    let mut entries: Vec<Entry> = notes
        .into_iter()
        .filter_map(|noted| if let Note::Entry(entry) = noted.note { Some(entry) } else { None })
        .filter(|entry| entry.workspace == *workspace && before.is_none_or(|before| entry.at < before) && wanted(&entry.did))
        .collect();
    entries.sort_by_key(|entry| std::cmp::Reverse((entry.at, entry.id)));
    Ok(entries)
}
