//! Builds, releases and dynos as the platform reports them, in our own words.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::names::{BuildId, CodeId, CommitSha, ReleaseId};

/// How a build stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildState {
    /// Still going on.
    Pending,
    /// Done; the release it made, once the platform names it.
    Succeeded {
        /// The release.
        release: Option<ReleaseId>,
    },
    /// It did not work, or was stopped: the platform does not say which.
    Failed,
}

/// A build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// Its id.
    pub id: BuildId,
    /// How it stands.
    pub state: BuildState,
    /// When the platform took it.
    pub created_at: Option<Timestamp>,
}

/// How a release stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseState {
    /// Its release phase goes on.
    Pending,
    /// Released.
    Succeeded,
    /// Its release phase failed; the release before goes on serving.
    Failed,
    /// What it was made of has been destroyed.
    Expired,
}

/// A release of an app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Its id.
    pub id: ReleaseId,
    /// Its number, as people say it: `v12`.
    pub version: u64,
    /// How it stands.
    pub state: ReleaseState,
    /// Whether it is the one that serves.
    pub current: bool,
    /// What the platform says it is. Free text: shown, never read.
    pub description: String,
    /// Who made it, in the platform's words.
    pub by: Option<String>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// Whether one can go back to it, where the platform says.
    pub can_return: Option<bool>,
    /// What it runs; `None`: nothing, or that is not told. Releases of the same code have the same.
    pub code: Option<CodeId>,
}

/// What kind of work a dyno does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DynoKind {
    /// Serves or works all the time: what a deploy waits for.
    Lasting,
    /// Runs once: the release phase, a console, a scheduled job. Never waited for.
    OneOff,
}

/// How a dyno stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DynoState {
    /// Runs, or sleeps although healthy.
    Up,
    /// On its way.
    Starting,
    /// It fell over.
    Crashed,
    /// Stopped.
    Down,
    /// A state that this version does not know.
    Unknown,
}

/// A dyno.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dyno {
    /// Its name, for people.
    pub name: String,
    /// What it does.
    pub kind: DynoKind,
    /// How it stands.
    pub state: DynoState,
    /// The number of the release it runs.
    pub release: u64,
}

/// What runs in an app now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// The release that serves.
    pub version: u64,
    /// The commit it was built from, where it was built from one.
    pub commit: Option<CommitSha>,
    /// Whether it runs anything: the first release of an app does not.
    pub code: bool,
}

/// What a person may do with an app, as far as the platform tells in advance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// Whether they may deploy; `None`: the platform will say when asked to.
    pub may_deploy: Option<bool>,
    /// Whether it will ask for a one-time code; `None`: not told.
    pub needs_code: Option<bool>,
}

/// How the dynos of one release stand together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DynosVerdict {
    /// All that last are up on it.
    Up {
        /// How many.
        count: u64,
        /// The oldest release among them: larger than the one asked about where a later one took over.
        release: u64,
    },
    /// There is none to wait for: the app is scaled to nothing.
    None,
    /// Some are on their way.
    Starting {
        /// How many are up.
        up: u64,
        /// How many there are.
        of: u64,
    },
    /// Some of it fell over.
    Crashed {
        /// Their names.
        names: Vec<String>,
    },
}

/// Judges dynos against a release: one-off dynos and dynos of earlier releases that are still being replaced are not
/// waited for as such, but as long as an old one stands the new one is not complete.
pub fn judge_dynos(dynos: &[Dyno], version: u64) -> DynosVerdict {
    let lasting: Vec<&Dyno> = dynos.iter().filter(|dyno| dyno.kind == DynoKind::Lasting).collect();
    let of_it: Vec<&Dyno> = lasting.iter().copied().filter(|dyno| dyno.release >= version).collect();
    if lasting.is_empty() {
        return DynosVerdict::None;
    }
    let crashed: Vec<String> = of_it.iter().filter(|dyno| dyno.state == DynoState::Crashed).map(|dyno| dyno.name.clone()).collect();
    if !crashed.is_empty() {
        return DynosVerdict::Crashed { names: crashed };
    }
    let count = |many: usize| u64::try_from(many).unwrap_or(u64::MAX);
    let up = count(of_it.iter().filter(|dyno| dyno.state == DynoState::Up).count());
    let of = count(lasting.len());
    match of_it.iter().map(|dyno| dyno.release).min() {
        Some(release) if up == of => DynosVerdict::Up { count: up, release },
        Some(_) | None => DynosVerdict::Starting { up, of },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dyno(name: &str, kind: DynoKind, state: DynoState, release: u64) -> Dyno {
        Dyno { name: name.to_owned(), kind, state, release }
    }

    #[test]
    fn dynos_of_that_release_must_be_up() {
        use DynoKind::{Lasting, OneOff};
        use DynoState::{Crashed, Starting, Up};
        assert_eq!(judge_dynos(&[], 5), DynosVerdict::None);
        assert_eq!(judge_dynos(&[dyno("run.1", OneOff, Up, 5)], 5), DynosVerdict::None);
        assert_eq!(judge_dynos(&[dyno("web.1", Lasting, Up, 4)], 5), DynosVerdict::Starting { up: 0, of: 1 });
        assert_eq!(
            judge_dynos(&[dyno("web.1", Lasting, Up, 5), dyno("web.1", Lasting, Up, 4)], 5),
            DynosVerdict::Starting { up: 1, of: 2 }
        );
        assert_eq!(
            judge_dynos(&[dyno("web.1", Lasting, Up, 6), dyno("w.1", Lasting, Up, 5)], 5),
            DynosVerdict::Up { count: 2, release: 5 }
        );
        assert_eq!(judge_dynos(&[dyno("web.1", Lasting, Starting, 5)], 5), DynosVerdict::Starting { up: 0, of: 1 });
        assert_eq!(
            judge_dynos(&[dyno("web.1", Lasting, Crashed, 5), dyno("web.2", Lasting, Up, 5)], 5),
            DynosVerdict::Crashed { names: vec!["web.1".to_owned()] }
        );
        assert_eq!(judge_dynos(&[dyno("web.1", Lasting, Crashed, 4)], 5), DynosVerdict::Starting { up: 0, of: 1 });
    }
}
