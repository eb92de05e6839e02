//! Routes: in which conversations a team wants to be told how deploys of a pipeline end.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::actor::Person;
use super::deployment::Phase;
use super::names::{ChannelId, PipelineId, PipelineName, UserId, WorkspaceId};
use super::pipeline::Environment;

/// How many routes a pipeline may have in a workspace: each end of a deploy is said in each of them.
pub const MOST_ROUTES: usize = 10;

/// What a conversation is told of a deployment, once each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum News {
    /// It is out.
    Out,
    /// It did not work.
    Failed,
    /// Somebody stopped it.
    Stopped,
    /// Nobody knows how it stands.
    Unknown,
    /// Nobody knows how it ended, and somebody freed the app.
    Freed,
}

impl News {
    /// What there is to tell of a deployment that stands there; `None`: nothing yet.
    pub fn of(phase: &Phase) -> Option<Self> {
        match phase {
            Phase::Succeeded { .. } => Some(Self::Out),
            Phase::Failed { .. } => Some(Self::Failed),
            Phase::Cancelled { .. } => Some(Self::Stopped),
            Phase::Unknown(_) => Some(Self::Unknown),
            Phase::Freed { .. } => Some(Self::Freed),
            Phase::Waiting(_)
            | Phase::NeedsCode { .. }
            | Phase::Starting
            | Phase::Announcing(_)
            | Phase::Uploading
            | Phase::AboutToBuild(_)
            | Phase::Building { .. }
            | Phase::Releasing { .. }
            | Phase::Restarting { .. } => None,
        }
    }

    /// Whether somebody should look after it.
    pub fn is_failure(self) -> bool {
        match self {
            Self::Failed | Self::Unknown | Self::Freed => true,
            Self::Out | Self::Stopped => false,
        }
    }
}

/// What was said where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// Where.
    pub to: ChannelId,
    /// What.
    pub news: News,
}

/// What a conversation wants to be told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Only {
    /// Only what somebody should look after.
    pub failures: bool,
    /// Only of these environments; empty: of all.
    pub environments: BTreeSet<Environment>,
}

impl Only {
    /// Whether it wants to be told.
    pub fn wants(&self, news: News, environment: Environment) -> bool {
        (!self.failures || news.is_failure()) && (self.environments.is_empty() || self.environments.contains(&environment))
    }

    /// The environments that it is about.
    pub fn about(&self) -> Vec<Environment> {
        if self.environments.is_empty() { Environment::ALL.to_vec() } else { self.environments.iter().copied().collect() }
    }
}

/// That a conversation is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Where to.
    pub to: ChannelId,
    /// What.
    pub only: Only,
    /// Who has set it.
    pub by: UserId,
    /// When.
    pub at: Timestamp,
    /// Since when the chat takes nothing there any more.
    pub closed: Option<Timestamp>,
}

/// The routes of a pipeline in a workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routes {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The pipeline.
    pub pipeline: PipelineId,
    /// What it was called when somebody set a route last.
    pub name: PipelineName,
    /// At most one for each conversation, in the order in which they were set first.
    pub kept: Vec<Route>,
}

impl Routes {
    /// A pipeline without routes.
    pub fn none(workspace: WorkspaceId, pipeline: PipelineId, name: PipelineName) -> Self {
        Self { workspace, pipeline, name, kept: Vec::new() }
    }

    /// The route to a conversation.
    pub fn to(&self, channel: &ChannelId) -> Option<&Route> {
        self.kept.iter().find(|route| route.to == *channel)
    }

    /// Whether there is room for one to a conversation.
    pub fn has_room(&self, channel: &ChannelId) -> bool {
        self.to(channel).is_some() || self.kept.len() < MOST_ROUTES
    }

    /// With a route, in place of another one to the same conversation.
    #[must_use]
    pub fn with(&self, route: Route) -> Self {
        let mut routes = self.clone();
        match routes.kept.iter_mut().find(|kept| kept.to == route.to) {
            Some(kept) => *kept = route,
            None => routes.kept.push(route),
        }
        routes
    }

    /// Without the one to a conversation.
    #[must_use]
    pub fn without_route(&self, channel: &ChannelId) -> Self {
        let mut routes = self.clone();
        routes.kept.retain(|route| route.to != *channel);
        routes
    }

    /// Those who have set them.
    pub fn mentioned(&self) -> Vec<Person> {
        self.kept.iter().map(|route| self.setter(route)).collect()
    }

    /// Who has set one.
    pub fn setter(&self, route: &Route) -> Person {
        Person { workspace: self.workspace.clone(), user: route.by.clone() }
    }

    /// The same without a person: what they have set for a team stays, under the name that stands for them.
    #[must_use]
    pub fn without(&self, person: &Person, pseudonym: &UserId) -> Self {
        let mut routes = self.clone();
        let theirs = self.workspace == person.workspace;
        for route in routes.kept.iter_mut().filter(|route| theirs && route.by == person.user) {
            route.by = pseudonym.clone();
        }
        routes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::deployment::samples::{all, at, person};

    fn channel(id: &str) -> ChannelId {
        ChannelId::parse(id).unwrap()
    }

    fn route(to: &str, by: &str) -> Route {
        Route { to: channel(to), only: Only::default(), by: person(by).user, at: at(0), closed: None }
    }

    fn none() -> Routes {
        let pipeline = PipelineId::parse("pipeline-1").unwrap();
        Routes::none(person("ana").workspace, pipeline, PipelineName::parse("hubot").unwrap())
    }

    #[test]
    fn every_end_is_news_and_nothing_before_it_is() {
        for phase in all() {
            let deployment = crate::domain::deployment::samples::deployment(phase.clone());
            assert_eq!(News::of(&phase).is_some(), deployment.has_ended() || matches!(phase, Phase::Unknown(_)), "{phase:?}");
        }
    }

    #[test]
    fn a_route_wants_what_it_says() {
        use Environment::{Production, Staging};
        let everything = Only::default();
        let failures = Only { failures: true, ..Only::default() };
        let production = Only { failures: false, environments: BTreeSet::from([Production]) };
        for news in [News::Out, News::Failed, News::Stopped, News::Unknown, News::Freed] {
            assert!(everything.wants(news, Staging) && production.wants(news, Production) && !production.wants(news, Staging));
            assert_eq!(failures.wants(news, Staging), matches!(news, News::Failed | News::Unknown | News::Freed), "{news:?}");
        }
        assert_eq!(production.about(), [Production]);
        assert_eq!(everything.about(), Environment::ALL);
    }

    #[test]
    fn there_is_one_for_each_conversation_and_not_more_than_some() {
        let mut routes = none();
        for number in 0..MOST_ROUTES {
            assert!(routes.has_room(&channel("C99")));
            routes = routes.with(route(&format!("C{number}"), "ana"));
        }
        assert!(!routes.has_room(&channel("C99")) && routes.has_room(&channel("C3")));
        let changed = routes.with(Route { only: Only { failures: true, ..Only::default() }, ..route("C3", "bo") });
        assert_eq!(changed.kept.len(), MOST_ROUTES);
        assert!(changed.to(&channel("C3")).unwrap().only.failures);
        assert_eq!(changed.without_route(&channel("C3")).to(&channel("C3")), None);
    }

    #[test]
    fn what_somebody_has_set_stays_without_them() {
        let nobody = UserId::parse("removed-1").unwrap();
        let routes = none().with(route("C1", "ana")).with(route("C2", "bo"));
        let without = routes.without(&person("ana"), &nobody);
        assert_eq!(without.mentioned().into_iter().map(|person| person.user).collect::<Vec<_>>(), [nobody.clone(), person("bo").user]);
        let namesake = Person { workspace: WorkspaceId::parse("T9").unwrap(), user: person("ana").user };
        assert_eq!(routes.without(&namesake, &nobody), routes);
    }
}
