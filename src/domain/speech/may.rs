//! What whoever asks may do with a pipeline, and why not.

use jiff::Timestamp;

use crate::domain::gate::Reason;
use crate::domain::message::{Line, code, text};
use crate::domain::pipeline::Environment;
use crate::domain::rights::{Denial, Rules};

use super::lists::{AppRow, RepositoryInfo};
use super::reasons::reason_by;
use super::words::list;

/// What the rules of the workspace say to whoever asks.
#[derive(Debug)]
pub struct May<'a> {
    /// Of each environment that has apps: every reason against a deploy to it.
    pub deploy: Vec<(Environment, Vec<Denial>)>,
    /// Whether the rules keep them from passing checks.
    pub override_barred: bool,
    /// The rules.
    pub rules: &'a Rules,
    /// Now.
    pub now: Timestamp,
}

/// Where they may deploy to, and of everything else why not: by the rules, by the source control, by the platform.
pub(super) fn what_you_may(repository: &RepositoryInfo, apps: &[AppRow], may: &May<'_>) -> Vec<Line> {
    let (read, records) = match repository {
        RepositoryInfo::Known { repository, .. } => (true, repository.may_deploy != Some(false)),
        RepositoryInfo::Unreadable { .. } => (false, true),
        // Nothing can be shipped, whoever asks.
        RepositoryInfo::NotLinked => return Vec::new(),
    };
    let able = |row: &AppRow| row.access.may_deploy != Some(false);
    let open = |environment: Environment| apps.iter().any(|row| row.app.environment == environment && able(row));
    let places: Vec<Environment> = may
        .deploy
        .iter()
        .filter(|(environment, denials)| records && denials.is_empty() && open(*environment))
        .map(|(environment, _)| *environment)
        .collect();
    let mut lines = vec![match places.as_slice() {
        [_, ..] if !read => vec![text("Whether you may deploy cannot be told while its repository cannot be read.")],
        [] => vec![text("You may deploy to none of them.")],
        [_, ..] => vec![text(format!("You may deploy to {}.", list(&places)))],
    }];
    if !records {
        lines.extend(reason_by(&Reason::MayNotRecord, may.rules, may.now));
    }
    for row in apps.iter().filter(|row| !able(row)) {
        lines.push(vec![code(&row.app.name), text(": ")]);
        let reason = reason_by(&Reason::MayNotDeploy, may.rules, may.now).into_iter().next().unwrap_or_default();
        lines.last_mut().into_iter().for_each(|line| line.extend(reason.iter().cloned()));
    }
    let mut told: Vec<Denial> = Vec::new();
    for denial in may.deploy.iter().flat_map(|(_, denials)| denials) {
        if !told.contains(denial) {
            told.push(*denial);
            lines.extend(reason_by(&Reason::ByRule(*denial), may.rules, may.now));
        }
    }
    if may.override_barred && !told.contains(&Denial::Unreadable) {
        lines.extend(reason_by(&Reason::ByRule(Denial::MayNotOverride), may.rules, may.now));
    }
    lines
}
