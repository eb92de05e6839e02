//! What somebody may put into a form, found out while they fill it in: by their own rights, and kept nowhere.

use futures_util::future::join3;

use crate::domain::actor::Origin;
use crate::domain::command::Command;
use crate::domain::form::{Draft, FieldName, Form, Objection, Suggestion, Topic};
use crate::domain::pipeline::{Pipeline, PipelineKey, pick_pipeline};
use crate::domain::source::AskedRef;
use crate::domain::speech::{self, Doing, KnownOfPipeline};
use crate::ports::{Credentials, PortError};

use super::facts::{apps_of, repository_of};
use super::{Ports, Trouble, WhileDoing, rights};

/// All that may be put into a field, as far as it can be told; none is no fault.
pub async fn suggest(ports: &Ports, by: &Origin, topic: &Topic, field: FieldName) -> Vec<Suggestion> {
    match all(ports, by, topic, field).await {
        Ok(all) => all,
        Err(trouble) => {
            tracing::debug!(?trouble, ?field, "there is nothing to suggest");
            Vec::new()
        }
    }
}

async fn all(ports: &Ports, by: &Origin, topic: &Topic, field: FieldName) -> Result<Vec<Suggestion>, Trouble> {
    let (pipeline, draft) = match (topic, field) {
        (Topic::Ship(_), FieldName::Pipeline) => {
            let who = asker(ports, by).await?;
            let pipelines = ports.platform.pipelines(&who.platform).await.while_doing(Doing::ReadingPipelines)?;
            return Ok(pipelines.iter().map(|pipeline| named(pipeline, &pipelines)).collect());
        }
        (Topic::ShipFrom { pipeline, draft }, FieldName::Ref) => (pipeline, draft),
        (Topic::Code(_) | Topic::Ship(_) | Topic::ShipFrom { .. } | Topic::Why(_), _) => return Ok(Vec::new()),
    };
    let who = asker(ports, by).await?;
    let pipelines = ports.platform.pipelines(&who.platform).await.while_doing(Doing::ReadingPipelines)?;
    let Ok(pipeline) = pick_pipeline(&pipelines, pipeline) else { return Ok(Vec::new()) };
    let Some(repository) = repository_of(ports, &who.platform, pipeline).await.while_doing(Doing::ReadingRepository)? else {
        return Ok(Vec::new());
    };
    let (source, name) = (&ports.source, &repository.name);
    // At once: whoever types has a chat that waits for three seconds.
    let (branches, pulls, tags) =
        join3(source.branches(&who.source, name), source.pulls(&who.source, name), source.tags(&who.source, name)).await;
    let branches = branches.while_doing(Doing::ReadingRepository)?;
    let (pulls, tags) = (or_none(pulls), or_none(tags));
    let named = draft.what.iter().map(ToString::to_string).chain(branches.iter().map(ToString::to_string)).map(Suggestion::plain);
    let pulls = pulls.iter().map(|pull| Suggestion { label: speech::pull_to_choose(pull), value: AskedRef::Pull(pull.number).to_string() });
    Ok(named.chain(pulls).chain(tags.iter().map(|tag| Suggestion::plain(tag.as_str()))).collect())
}

/// What can be found out is offered, whatever else cannot.
fn or_none<T>(found: Result<Vec<T>, PortError>) -> Vec<T> {
    found.unwrap_or_else(|error| {
        tracing::info!(%error, "a form offers fewer names");
        Vec::new()
    })
}

/// A pipeline as it is chosen: by its name, or where several share that, by its id.
fn named(pipeline: &Pipeline, all: &[Pipeline]) -> Suggestion {
    let shared = all.iter().filter(|other| other.name == pipeline.name).count() > 1;
    if shared {
        Suggestion { label: speech::pipeline_apart(pipeline), value: pipeline.id.to_string() }
    } else {
        Suggestion::plain(pipeline.name.as_str())
    }
}

/// Somebody who may ask what there is.
async fn asker(ports: &Ports, by: &Origin) -> Result<Credentials, Trouble> {
    rights::may_type(ports, by, &Command::Pipelines).await?;
    ports.accounts.credentials(&by.person).await.map_err(|_| speech::went_wrong().into())
}

/// The form by which somebody ships from a pipeline that they have chosen, or why they cannot.
pub async fn next_form(ports: &Ports, by: &Origin, pipeline: &PipelineKey, draft: &Draft) -> Result<Form, Vec<Objection>> {
    let object = |words: String| vec![Objection::new(FieldName::Pipeline, words)];
    match after(ports, by, pipeline, draft).await {
        Ok(Ok(form)) => Ok(form),
        Ok(Err(words)) => Err(object(words)),
        Err(trouble) => {
            tracing::info!(?trouble, "the next form could not be made");
            Err(object(speech::not_found_out().to_owned()))
        }
    }
}

async fn after(ports: &Ports, by: &Origin, key: &PipelineKey, draft: &Draft) -> Result<Result<Form, String>, Trouble> {
    let who = asker(ports, by).await?;
    let pipelines = ports.platform.pipelines(&who.platform).await.while_doing(Doing::ReadingPipelines)?;
    let pipeline = match pick_pipeline(&pipelines, key) {
        Ok(pipeline) => pipeline,
        Err(no) => return Ok(Err(speech::no_such_pipeline(key, &no))),
    };
    let apps = apps_of(ports, &who.platform, pipeline).await?;
    let repository = match repository_of(ports, &who.platform, pipeline).await {
        Ok(repository) => repository.map(|repository| repository.name),
        // Where nothing depends on it, what ships it says so.
        Err(error) if draft.of.is_none() => {
            tracing::debug!(%error, "a form does without the repository");
            None
        }
        Err(error) => return Err(error).while_doing(Doing::ReadingRepository),
    };
    // A commit is the same wherever it is; anything else means something else in another repository.
    let elsewhere = draft.of.as_ref().filter(|of| repository.as_ref().is_none_or(|ships| !ships.same_as(of)));
    if let Some(of) = elsewhere.filter(|_| !is_whole_commit(draft.what.as_ref())) {
        return Ok(Err(speech::of_another_repository(&pipeline.name, repository.as_ref(), of)));
    }
    let default_branch = match &repository {
        Some(name) => ports.source.repository(&who.source, name).await.ok().map(|found| found.default_branch),
        None => None,
    };
    let draft = Draft { of: None, ..draft.clone() };
    Ok(Ok(speech::ship_from_form(key, &draft, &KnownOfPipeline { default_branch, apps })))
}

fn is_whole_commit(what: Option<&AskedRef>) -> bool {
    what.is_some_and(|what| crate::domain::names::CommitSha::parse(&what.to_string()).is_ok())
}
