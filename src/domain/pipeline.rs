//! Pipelines, environments and apps, and picking the one that was meant, or the reason why not.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::names::{AppId, AppName, PipelineId, PipelineName, RepoName};

/// A place in a pipeline, in the order in which code moves. Heroku calls it a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// Short-lived apps, one per pull request.
    Review,
    /// Where developers try things.
    Development,
    /// The rehearsal.
    Staging,
    /// The real thing.
    Production,
}

impl Environment {
    /// All of them, in order.
    pub const ALL: [Self; 4] = [Self::Review, Self::Development, Self::Staging, Self::Production];

    /// The full word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Review => "review",
            Self::Development => "development",
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }

    /// The environment that a word stands for, aliases included.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "review" => Some(Self::Review),
            "development" | "dev" => Some(Self::Development),
            "staging" | "stg" => Some(Self::Staging),
            "production" | "prod" | "prd" => Some(Self::Production),
            _ => None,
        }
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What a person calls a pipeline: by its name, or by its id where several share the name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PipelineKey {
    /// By name.
    Name(PipelineName),
    /// By the platform's id.
    Id(PipelineId),
}

impl fmt::Display for PipelineKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.fmt(f),
            Self::Id(id) => id.fmt(f),
        }
    }
}

/// A pipeline as the platform lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pipeline {
    /// Its id.
    pub id: PipelineId,
    /// Its name, which others may share.
    pub name: PipelineName,
    /// Whose it is, in the platform's words (a team's or person's id or name), if it says.
    pub owner: Option<String>,
    /// When it was made; tells pipelines of one name apart.
    pub created_at: Option<Timestamp>,
}

/// An app coupled to a pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    /// Its id.
    pub id: AppId,
    /// Its name.
    pub name: AppName,
    /// Where in the pipeline it stands.
    pub environment: Environment,
    /// Where people reach it, if the platform says.
    pub web_url: Option<String>,
}

/// The place that a command names: an environment, and an app in it if one was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The environment.
    pub environment: Environment,
    /// The app, where the person named one.
    pub app: Option<AppName>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.app {
            Some(app) => write!(f, "{}/{app}", self.environment),
            None => self.environment.fmt(f),
        }
    }
}

/// Where something is promoted to: a place, or every app of an environment, written `production/*`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Destination {
    /// A place.
    One(Place),
    /// Every app there.
    Every {
        /// The environment.
        every_app_of: Environment,
    },
}

impl Destination {
    /// The environment that is meant.
    pub fn environment(&self) -> Environment {
        match self {
            Self::One(place) => place.environment,
            Self::Every { every_app_of } => *every_app_of,
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(place) => place.fmt(f),
            Self::Every { every_app_of } => write!(f, "{every_app_of}/*"),
        }
    }
}

/// Which repository a pipeline ships, and who said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipelineRepository {
    /// The repository to ship.
    pub name: RepoName,
    /// What the platform links instead, where our own mapping overrides it.
    pub overrides: Option<RepoName>,
}

/// Why no single pipeline was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoPipeline {
    /// None of that name; the nearest that exists, if one is near.
    Unknown {
        /// A name that is spelled alike.
        nearest: Option<PipelineName>,
    },
    /// Several share the name: the person has to say which.
    Several(Vec<Pipeline>),
}

/// Finds the pipeline that was meant.
pub fn pick_pipeline<'a>(pipelines: &'a [Pipeline], key: &PipelineKey) -> Result<&'a Pipeline, NoPipeline> {
    match key {
        PipelineKey::Id(id) => pipelines.iter().find(|p| p.id == *id).ok_or(NoPipeline::Unknown { nearest: None }),
        PipelineKey::Name(name) => {
            let mut found = pipelines.iter().filter(|p| p.name == *name);
            match (found.next(), found.next()) {
                (Some(only), None) => Ok(only),
                (Some(_), Some(_)) => Err(NoPipeline::Several(pipelines.iter().filter(|p| p.name == *name).cloned().collect())),
                (None, _) => {
                    let names = pipelines.iter().map(|p| p.name.as_str());
                    let nearest = nearest(name.as_str(), names).and_then(|near| PipelineName::parse(near).ok());
                    Err(NoPipeline::Unknown { nearest })
                }
            }
        }
    }
}

/// Why no single app was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoApp {
    /// The pipeline has no app in that environment.
    EmptyEnvironment {
        /// The environment that was meant.
        environment: Environment,
        /// The environments that have apps.
        instead: Vec<Environment>,
    },
    /// The environment has no app of that name.
    Unknown {
        /// The environment that was meant.
        environment: Environment,
        /// The name that was given.
        asked: AppName,
        /// A name that is spelled alike.
        nearest: Option<AppName>,
        /// All the names there.
        there: Vec<AppName>,
    },
    /// Several apps, and none was named.
    Several {
        /// The environment that was meant.
        environment: Environment,
        /// The apps to choose from.
        apps: Vec<AppName>,
    },
    /// No environment was named, and the pipeline has none that may be meant silently.
    NoDefault {
        /// The environments that have apps.
        instead: Vec<Environment>,
    },
}

/// The environment that is meant where none is named: staging if it has an app, else the only environment
/// below production that has apps; never production.
pub fn default_environment(apps: &[App]) -> Option<Environment> {
    let inhabited = inhabited(apps);
    if inhabited.contains(&Environment::Staging) {
        return Some(Environment::Staging);
    }
    let mut below = inhabited.into_iter().filter(|e| !matches!(e, Environment::Production | Environment::Review));
    match (below.next(), below.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

/// The environments that have apps, in order.
pub fn inhabited(apps: &[App]) -> Vec<Environment> {
    Environment::ALL.into_iter().filter(|environment| apps.iter().any(|app| app.environment == *environment)).collect()
}

/// Finds the app that was meant, never another one.
pub fn pick_app<'a>(apps: &'a [App], place: Option<&Place>) -> Result<&'a App, NoApp> {
    let environment = match place {
        Some(place) => place.environment,
        None => default_environment(apps).ok_or_else(|| NoApp::NoDefault { instead: inhabited(apps) })?,
    };
    let there: Vec<&App> = apps.iter().filter(|app| app.environment == environment).collect();
    let names = || there.iter().map(|app| app.name.clone()).collect::<Vec<_>>();
    match (there.as_slice(), place.and_then(|place| place.app.as_ref())) {
        ([], _) => Err(NoApp::EmptyEnvironment { environment, instead: inhabited(apps) }),
        (there_now, Some(asked)) => there_now.iter().copied().find(|app| app.name == *asked).ok_or_else(|| NoApp::Unknown {
            environment,
            asked: asked.clone(),
            nearest: nearest(asked.as_str(), there_now.iter().map(|app| app.name.as_str())).and_then(|near| AppName::parse(near).ok()),
            there: names(),
        }),
        ([only], None) => Ok(only),
        ([_, ..], None) => Err(NoApp::Several { environment, apps: names() }),
    }
}

/// The candidate that is spelled most like `word`, if any is near enough to be a slip of the finger.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= 0.8)
        .max_by(|(a, x), (b, y)| a.total_cmp(b).then_with(|| y.cmp(x)))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(name: &str, environment: Environment) -> App {
        App { id: AppId::parse(name).unwrap(), name: AppName::parse(name).unwrap(), environment, web_url: None }
    }

    fn place(environment: Environment, app: Option<&str>) -> Place {
        Place { environment, app: app.map(|name| AppName::parse(name).unwrap()) }
    }

    #[test]
    fn staging_is_the_default_and_production_never() {
        use Environment::{Development, Production, Review, Staging};
        assert_eq!(default_environment(&[app("a", Production), app("b", Staging)]), Some(Staging));
        assert_eq!(default_environment(&[app("a", Production), app("b", Development)]), Some(Development));
        assert_eq!(default_environment(&[app("a", Production)]), None);
        assert_eq!(default_environment(&[app("a", Review), app("b", Production)]), None);
    }

    #[test]
    fn the_named_app_or_none() {
        let apps = [app("web-eu", Environment::Production), app("web-us", Environment::Production)];
        assert_eq!(pick_app(&apps, Some(&place(Environment::Production, Some("web-us")))).unwrap().name.as_str(), "web-us");
        assert!(matches!(pick_app(&apps, Some(&place(Environment::Production, None))), Err(NoApp::Several { .. })));
        let Err(NoApp::Unknown { nearest, .. }) = pick_app(&apps, Some(&place(Environment::Production, Some("web-ue")))) else {
            panic!("a slip is not an app");
        };
        assert!(nearest.is_some());
        let one = [app("web-eu", Environment::Production)];
        assert!(pick_app(&one, Some(&place(Environment::Production, Some("other")))).is_err(), "never another app than the named one");
    }
}
