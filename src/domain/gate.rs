//! Everything that can say no to a deploy, in one pure function: judged when asked and again right before the start.

use serde::{Deserialize, Serialize};

use jiff::Timestamp;

use super::actor::Person;
use super::checks::{Checks, ChecksVerdict, Obstacle};
use super::command::Because;
use super::lock::{Lock, Scope};
use super::names::{CheckName, CommitSha, PipelineName, RefName};
use super::release::Access;
use super::rights::Denial;
use super::source::{CommitRef, Provenance, Repository};

/// Why a deploy may not go out. Each reason has a stable code; the words are in [`super::speech`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Checks ended badly.
    ChecksFailed(Vec<Obstacle>),
    /// Checks are still going on.
    ChecksPending(Vec<Obstacle>),
    /// Required checks have not reported.
    ChecksMissing(Vec<Obstacle>),
    /// The checks could not be read, so nobody knows.
    ChecksUnreadable {
        /// What the source control said.
        said: Option<String>,
    },
    /// The ref stands for another commit than when it was asked for.
    RefMoved {
        /// The ref.
        by: CommitRef,
        /// What it stood for.
        asked: CommitSha,
        /// What it stands for.
        now: CommitSha,
    },
    /// The ref is gone.
    RefGone {
        /// The ref.
        by: CommitRef,
    },
    /// The chosen commit is no longer part of the ref it was chosen from.
    NotOnRef {
        /// The ref.
        by: CommitRef,
        /// The commit.
        commit: CommitSha,
    },
    /// The commit belongs to a fork.
    FromFork,
    /// No branch, tag or pull request is known to contain the commit.
    Unreachable,
    /// The repository is read-only.
    RepositoryArchived,
    /// The person may not record deployments in the repository.
    MayNotRecord,
    /// The person may not deploy to the app.
    MayNotDeploy,
    /// Somebody else holds the environment.
    Locked {
        /// The pipeline.
        pipeline: PipelineName,
        /// What they hold.
        on: Scope,
        /// For which branch alone, if it is for one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        branch: Option<RefName>,
        /// Who.
        by: Person,
        /// Why.
        because: Option<Because>,
        /// Since when.
        since: Timestamp,
        /// Until when; `None`: until it is freed.
        until: Option<Timestamp>,
    },
    /// The rules of the workspace do not let them.
    ByRule(Denial),
}

impl Reason {
    /// The code that scripts, tests and the documentation know it by. Never changes.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ChecksFailed(_) => "checks-failed",
            Self::ChecksPending(_) => "checks-pending",
            Self::ChecksMissing(_) => "checks-missing",
            Self::ChecksUnreadable { .. } => "checks-unreadable",
            Self::RefMoved { .. } => "ref-moved",
            Self::RefGone { .. } => "ref-gone",
            Self::NotOnRef { .. } => "not-on-ref",
            Self::FromFork => "from-fork",
            Self::Unreachable => "unreachable-commit",
            Self::RepositoryArchived => "repository-archived",
            Self::MayNotRecord => "may-not-record",
            Self::MayNotDeploy => "may-not-deploy",
            Self::Locked { .. } => "locked",
            Self::ByRule(denial) => denial.code(),
        }
    }

    /// What a lock says.
    pub fn locked(pipeline: &PipelineName, lock: &Lock) -> Self {
        Self::Locked {
            pipeline: pipeline.clone(),
            on: lock.on,
            branch: lock.branch.clone(),
            by: lock.holder.clone(),
            because: lock.because.clone(),
            since: lock.since,
            until: lock.until,
        }
    }

    /// Whose lock it is, if it is one.
    pub fn holder(&self) -> Option<&Person> {
        if let Self::Locked { by, .. } = self { Some(by) } else { None }
    }

    /// Puts somebody else in the place of a holder, without their words.
    pub fn replace_holder(&mut self, holder: &Person, other: &Person) {
        if let Self::Locked { by, because, .. } = self
            && by == holder
        {
            *by = other.clone();
            *because = None;
        }
    }

    /// Whether `deploy!` passes it.
    pub fn may_be_overridden(&self) -> bool {
        match self {
            Self::ChecksFailed(_) | Self::ChecksPending(_) | Self::ChecksMissing(_) => true,
            Self::ChecksUnreadable { .. }
            | Self::RefMoved { .. }
            | Self::RefGone { .. }
            | Self::NotOnRef { .. }
            | Self::FromFork
            | Self::Unreachable
            | Self::RepositoryArchived
            | Self::MayNotRecord
            | Self::MayNotDeploy
            | Self::Locked { .. }
            | Self::ByRule(_) => false,
        }
    }
}

/// What became of the ref since the commit was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefNow {
    /// It stands where it stood, or cannot move, or has just been read for the first time.
    Unmoved,
    /// It stands for another commit, and the asked one was not chosen on purpose.
    Moved(CommitSha),
    /// It is gone.
    Gone,
    /// The commit was chosen on purpose and is no longer part of it.
    LeftBehind,
}

/// What the gate needs to know.
#[derive(Clone, Debug)]
pub struct GateFacts<'a> {
    /// The repository as the person sees it.
    pub repository: &'a Repository,
    /// The commit.
    pub commit: &'a CommitSha,
    /// What it was named by.
    pub named_by: &'a CommitRef,
    /// Where it comes from.
    pub provenance: Provenance,
    /// What became of the ref.
    pub ref_now: RefNow,
    /// Its checks, or what was said instead of them.
    pub checks: Result<&'a Checks, Option<String>>,
    /// What the person may do with the app.
    pub access: Access,
    /// The lock of somebody else on its environment, and what the pipeline is called.
    pub lock: Option<(&'a PipelineName, &'a Lock)>,
    /// Whether the person passes checks on purpose.
    pub overriding: bool,
    /// What the workspace's rules have against it.
    pub denials: &'a [Denial],
    /// Whether the rules keep the person from passing checks.
    pub override_barred: bool,
}

/// What the gate says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Every reason against it; empty: go.
    pub reasons: Vec<Reason>,
    /// The checks that are passed over on purpose.
    pub skipped: Vec<CheckName>,
    /// Nothing is required anywhere, and nothing has ever reported.
    pub no_checks: bool,
    /// The rules of the workspace keep the person from passing checks.
    pub override_barred: bool,
}

impl Verdict {
    /// Whether the deploy may go out.
    pub fn is_open(&self) -> bool {
        self.reasons.is_empty()
    }

    /// The checks that are not done, where nothing else stands in the way: they may become green.
    pub fn not_done(&self) -> Option<Vec<Obstacle>> {
        let mut open = Vec::new();
        for reason in &self.reasons {
            match reason {
                Reason::ChecksPending(checks) | Reason::ChecksMissing(checks) => open.extend(checks.iter().cloned()),
                Reason::ChecksFailed(_)
                | Reason::ChecksUnreadable { .. }
                | Reason::RefMoved { .. }
                | Reason::RefGone { .. }
                | Reason::NotOnRef { .. }
                | Reason::FromFork
                | Reason::Unreachable
                | Reason::RepositoryArchived
                | Reason::MayNotRecord
                | Reason::MayNotDeploy
                | Reason::Locked { .. }
                | Reason::ByRule(_) => return None,
            }
        }
        (!open.is_empty()).then_some(open)
    }

    /// Whether some of them are going on: waiting for them is worth being offered.
    pub fn may_become_green(&self) -> bool {
        self.not_done().is_some() && self.reasons.iter().any(|reason| matches!(reason, Reason::ChecksPending(_)))
    }

    /// Whether `deploy!` would pass everything that stands in the way.
    pub fn may_be_overridden(&self) -> bool {
        !self.override_barred && !self.reasons.is_empty() && self.reasons.iter().all(Reason::may_be_overridden)
    }
}

/// Judges. Every reason at once, the gravest last to mend first.
pub fn judge(facts: &GateFacts<'_>) -> Verdict {
    let reasons = facts.denials.iter().copied().map(Reason::ByRule).collect();
    let mut verdict = Verdict { reasons, override_barred: facts.override_barred, ..Verdict::default() };
    if facts.access.may_deploy == Some(false) {
        verdict.reasons.push(Reason::MayNotDeploy);
    }
    verdict.reasons.extend(facts.lock.map(|(pipeline, lock)| Reason::locked(pipeline, lock)));
    if facts.repository.archived {
        verdict.reasons.push(Reason::RepositoryArchived);
    } else if facts.repository.may_deploy == Some(false) {
        verdict.reasons.push(Reason::MayNotRecord);
    }
    match facts.provenance {
        Provenance::Repository => {}
        Provenance::Fork => verdict.reasons.push(Reason::FromFork),
        Provenance::Unreachable => verdict.reasons.push(Reason::Unreachable),
    }
    let by = || facts.named_by.clone();
    match &facts.ref_now {
        RefNow::Unmoved => {}
        RefNow::Moved(now) => verdict.reasons.push(Reason::RefMoved { by: by(), asked: facts.commit.clone(), now: now.clone() }),
        RefNow::Gone => verdict.reasons.push(Reason::RefGone { by: by() }),
        RefNow::LeftBehind => verdict.reasons.push(Reason::NotOnRef { by: by(), commit: facts.commit.clone() }),
    }
    match &facts.checks {
        Err(said) => verdict.reasons.push(Reason::ChecksUnreadable { said: said.clone() }),
        Ok(checks) => judge_checks(checks.judge(), facts.overriding && !facts.override_barred, &mut verdict),
    }
    verdict
}

fn judge_checks(checks: ChecksVerdict, overriding: bool, verdict: &mut Verdict) {
    verdict.no_checks = checks.nothing_reported;
    if overriding {
        verdict.skipped = checks.in_the_way().cloned().collect();
        return;
    }
    let ChecksVerdict { failed, pending, missing, nothing_reported: _ } = checks;
    let mut push = |obstacles: Vec<Obstacle>, reason: fn(Vec<Obstacle>) -> Reason| {
        if !obstacles.is_empty() {
            verdict.reasons.push(reason(obstacles));
        }
    };
    push(failed, Reason::ChecksFailed);
    push(pending, Reason::ChecksPending);
    push(missing, Reason::ChecksMissing);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::checks::{Check, CheckState};
    use crate::domain::names::{RefName, RepoName};
    use crate::domain::pipeline::Environment;

    fn repository() -> Repository {
        Repository {
            name: RepoName::parse("acme/web").unwrap(),
            default_branch: RefName::parse("main").unwrap(),
            may_deploy: Some(true),
            archived: false,
            web_url: "https://example.com/acme/web".to_owned(),
        }
    }

    fn codes(change: impl FnOnce(&mut GateFacts<'_>)) -> Vec<&'static str> {
        let (repository, commit) = (repository(), CommitSha::parse(&"a".repeat(40)).unwrap());
        let named_by = CommitRef::Branch(RefName::parse("main").unwrap());
        let red = Checks {
            required: vec![],
            reported: vec![Check { name: CheckName::parse("ci").unwrap(), state: CheckState::Failed, reporter: None, url: None }],
        };
        let mut facts = GateFacts {
            repository: &repository,
            commit: &commit,
            named_by: &named_by,
            provenance: Provenance::Repository,
            ref_now: RefNow::Unmoved,
            checks: Ok(&red),
            access: Access::default(),
            lock: None,
            overriding: false,
            denials: &[],
            override_barred: false,
        };
        change(&mut facts);
        judge(&facts).reasons.iter().map(Reason::code).collect()
    }

    #[test]
    fn every_reason_at_once() {
        let found = codes(|facts| {
            facts.access.may_deploy = Some(false);
            facts.provenance = Provenance::Fork;
            facts.ref_now = RefNow::Gone;
        });
        assert_eq!(found, ["may-not-deploy", "from-fork", "ref-gone", "checks-failed"]);
    }

    #[test]
    fn a_lock_is_never_passed() {
        let lock: Lock = serde_json::from_value(serde_json::json!({
            "on": "pipeline", "holder": { "workspace": "T", "user": "U" }, "because": null, "since": "2026-11-24T10:00:00Z",
            "set_at": "2026-11-24T10:00:00Z", "until": null, "taken_in": "C", "request": "d", "reminders": 0,
        }))
        .unwrap();
        let (pipeline, lock): (&'static PipelineName, &'static Lock) =
            (Box::leak(Box::new(PipelineName::parse("web").unwrap())), Box::leak(Box::new(lock)));
        let locked = codes(|facts| {
            facts.overriding = true;
            facts.lock = Some((pipeline, lock));
        });
        assert_eq!(locked, ["locked"]);
    }

    #[test]
    fn rules_stand_beside_everything_else() {
        let found = codes(|facts| {
            facts.overriding = true;
            facts.override_barred = true;
            facts.denials = &[Denial::NotForEnvironment(Environment::Production), Denial::MayNotOverride];
        });
        assert_eq!(found, ["not-for-environment", "may-not-override", "checks-failed"]);
        let reasons = vec![Reason::ChecksFailed(Vec::new())];
        assert!(Verdict { reasons: reasons.clone(), ..Verdict::default() }.may_be_overridden());
        assert!(!Verdict { reasons, override_barred: true, ..Verdict::default() }.may_be_overridden());
    }

    #[test]
    fn overriding_passes_checks_and_nothing_else() {
        assert!(codes(|facts| facts.overriding = true).is_empty());
        assert_eq!(
            codes(|facts| {
                facts.overriding = true;
                facts.checks = Err(None);
            }),
            ["checks-unreadable"]
        );
        assert_eq!(
            codes(|facts| {
                facts.overriding = true;
                facts.ref_now = RefNow::LeftBehind;
            }),
            ["not-on-ref"]
        );
    }
}
