//! Pipelines and the apps in them.

use std::collections::HashMap;

use http::Method;
use secrecy::SecretString;
use serde_json::json;

use crate::adapters::http::scrub;
use crate::domain::names::{AppId, AppName, PipelineId, PipelineName};
use crate::domain::pipeline::{App, Environment, Pipeline};

use super::Heroku;
use super::refusal::Refusal;
use super::shapes::{AppShape, Coupling, PipelineShape};
use super::wire::{Ask, V3_FILTERS};

/// How many apps are asked for at once.
const APPS: usize = 500;

impl Heroku {
    pub(super) async fn all_pipelines(&self, token: &SecretString) -> Result<Vec<Pipeline>, Refusal> {
        let shapes: Vec<PipelineShape> = self.list(token, Ask::get(self.at(["pipelines"]), "/pipelines")).await?;
        let mut pipelines: Vec<Pipeline> = shapes.into_iter().filter_map(pipeline).collect();
        pipelines.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        Ok(pipelines)
    }

    /// Couplings name apps by id only; the names come with a second call, which leaves out what the person cannot see.
    pub(super) async fn apps_of(&self, token: &SecretString, pipeline: &PipelineId) -> Result<Vec<App>, Refusal> {
        let url = self.at(["pipelines", pipeline.as_str(), "pipeline-couplings"]);
        let couplings: Vec<Coupling> = self.list(token, Ask::get(url, "/pipelines/{id}/pipeline-couplings")).await?;
        let places: HashMap<String, Environment> =
            couplings.into_iter().filter_map(|coupling| Some((coupling.app.id, environment(&coupling.stage)?))).collect();
        let mut ids: Vec<&str> = places.keys().map(String::as_str).collect();
        ids.sort_unstable();
        let mut apps = Vec::new();
        for ids in ids.chunks(APPS) {
            let ask = Ask::new(Method::POST, self.at(["filters", "apps"]), "/filters/apps")
                .accept(V3_FILTERS)
                .range("id ..; max=1000;")
                .body(json!({ "in": { "id": ids } }));
            let shapes: Vec<AppShape> = self.list(token, ask).await?;
            apps.extend(shapes.into_iter().filter_map(|shape| app(shape, &places)));
        }
        apps.sort_by(|a: &App, b: &App| (a.environment, &a.name).cmp(&(b.environment, &b.name)));
        apps.dedup_by(|a, b| a.id == b.id);
        Ok(apps)
    }
}

/// The environment of a stage; none for apps of tests, and for stages that this version does not know.
fn environment(stage: &str) -> Option<Environment> {
    match stage {
        "review" => Some(Environment::Review),
        "development" => Some(Environment::Development),
        "staging" => Some(Environment::Staging),
        "production" => Some(Environment::Production),
        _ => None,
    }
}

fn pipeline(shape: PipelineShape) -> Option<Pipeline> {
    let (Ok(id), Ok(name)) = (PipelineId::parse(&shape.id), PipelineName::parse(&shape.name)) else {
        tracing::warn!("a pipeline has a name or an id that none can have; it is left out");
        return None;
    };
    let owner = shape.owner.and_then(|owner| match (owner.kind, owner.id) {
        (Some(kind), Some(id)) => Some(scrub::clean(&format!("{kind} {id}"), 100)),
        (Some(only), None) | (None, Some(only)) => Some(scrub::clean(&only, 100)),
        (None, None) => None,
    });
    Some(Pipeline { id, name, owner, created_at: shape.created_at.and_then(|at| at.parse().ok()) })
}

fn app(shape: AppShape, places: &HashMap<String, Environment>) -> Option<App> {
    let environment = *places.get(&shape.id)?;
    let (Ok(id), Ok(name)) = (AppId::parse(&shape.id), AppName::parse(&shape.name)) else {
        tracing::warn!("an app has a name or an id that none can have; it is left out");
        return None;
    };
    Some(App { id, name, environment, web_url: shape.web_url.as_deref().and_then(scrub::link) })
}
