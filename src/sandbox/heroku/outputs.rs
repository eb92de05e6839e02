//! What builds and release commands print, and how much of it is there at a moment.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::json::stream_end;
use super::records::{Build, BuildFate, BuildStatus, Release, ReleaseStatus};
use super::state::{World, later};
use super::{Held, StreamStyle};
use crate::sandbox::secrets::marked;

/// What is there of an output.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) text: Vec<u8>,
    pub(super) finished: bool,
    /// When there will be more of it, or its end; `None`: nobody knows.
    pub(super) next: Option<Timestamp>,
}

/// Secrets that the output of a failed build shows, for tests of what is passed on: a token, and a password inside a
/// database address. They open nothing.
pub fn planted_secrets() -> [String; 2] {
    [format!("HRKU-{}", marked("AAfake0000".repeat(5))), marked("-password-in-output")]
}

/// What a failed build prints at its end.
pub(super) fn failure_lines() -> Vec<String> {
    let [token, password] = planted_secrets();
    vec![
        "       \u{1b}[31mError: could not fetch private packages\u{1b}[0m".to_owned(),
        format!("       GET https://packages.example.com/index with token {token} gave 401"),
        format!("       DATABASE_URL=postgres://deploy:{password}@db.example.com:5432/app"),
        " !     Push rejected, failed to compile Ruby app.".to_owned(),
    ]
}

impl World {
    /// The output of a build or a release; `None`: it has not begun, is forgotten, or never was.
    pub(super) fn output(&self, of: Uuid, now: Timestamp) -> Option<Output> {
        if let Some(build) = self.builds.iter().find(|build| build.id == of) {
            return self.build_output(build, now);
        }
        self.release(of).and_then(|release| self.release_output(release, now))
    }

    /// How the stream of a build or a release goes.
    pub(super) fn stream_style(&self, of: Uuid) -> StreamStyle {
        self.app_with(of).and_then(|app| self.app_of(app)?.streams).unwrap_or(self.streams)
    }

    /// From now on the streams of the app with this build or release are live.
    pub(super) fn streams_are_live(&mut self, of: Uuid) {
        if let Some(app) = self.app_with(of).and_then(|app| self.app_of_mut(app)) {
            app.streams = Some(StreamStyle::Live);
        }
    }

    fn app_with(&self, of: Uuid) -> Option<Uuid> {
        let build = self.builds.iter().find(|build| build.id == of).map(|build| build.app);
        build.or_else(|| self.release(of).map(|release| release.app))
    }

    /// Whether a stream is over before the API says so.
    fn is_over_ahead(&self, of: Uuid, held: bool, due: Timestamp, now: Timestamp) -> bool {
        matches!(self.stream_style(of), StreamStyle::Ahead(seconds) if !held && later(now, seconds) >= due)
    }

    fn build_output(&self, build: &Build, now: Timestamp) -> Option<Output> {
        let lines = [
            "\u{1b}[1m-----> Building on the Heroku-24 stack\u{1b}[0m",
            "-----> Using buildpack: heroku/ruby",
            "-----> Ruby app detected",
            "-----> Installing dependencies",
            "       Fetching 1 of 2\r       Fetching 2 of 2",
            "-----> Preparing app",
        ];
        let lines = lines.iter().map(|line| (*line).to_owned()).collect();
        let released =
            |version: u64| vec!["-----> Compressing...".to_owned(), "       Done: 42.1M".to_owned(), format!("       Released v{version}")];
        let held = self.is_held(build.app, Held::Build);
        let ahead = self.is_over_ahead(build.id, held, build.due, now);
        let end = match (build.status, &build.fate) {
            (BuildStatus::Pending, _) if !ahead => None,
            (BuildStatus::Pending, BuildFate::Succeeds) => Some(released(self.app_of(build.app).map_or(0, |app| app.last_version + 1))),
            (BuildStatus::Succeeded, _) => {
                Some(released(build.release.and_then(|id| self.release(id)).map_or(0, |release| release.version)))
            }
            (BuildStatus::Failed | BuildStatus::Pending, BuildFate::Fails(lines)) => Some(lines.clone()),
            (BuildStatus::Failed, BuildFate::Succeeds) => Some(Vec::new()),
        };
        let run = Run { began: build.created_at, due: self.said_over_at(build.id, build.due), held, ended: build.updated_at };
        so_far(lines, end, &run, now)
    }

    fn release_output(&self, release: &Release, now: Timestamp) -> Option<Output> {
        let phase = release.phase.as_ref()?;
        let lines = ["Running release command...", "== 20260101 AddColour: migrating", "== 20260101 AddColour: migrated"];
        let lines = lines.iter().map(|line| (*line).to_owned()).collect();
        let failed = || Some(vec![" !     release command failed".to_owned()]);
        let done = || Some(vec!["Done.".to_owned()]);
        let held = self.is_held(release.app, Held::Release);
        let end = match release.status {
            ReleaseStatus::Pending if !self.is_over_ahead(release.id, held, phase.due, now) => None,
            ReleaseStatus::Pending if phase.fails => failed(),
            ReleaseStatus::Failed => failed(),
            ReleaseStatus::Pending | ReleaseStatus::Succeeded | ReleaseStatus::Expired => done(),
        };
        let run = Run { began: release.created_at, due: self.said_over_at(release.id, phase.due), held, ended: release.updated_at };
        so_far(lines, end, &run, now)
    }

    /// When a stream says that it is over.
    fn said_over_at(&self, of: Uuid, due: Timestamp) -> Timestamp {
        match self.stream_style(of) {
            StreamStyle::Ahead(seconds) => due.checked_sub(SignedDuration::from_secs(i64::from(seconds))).unwrap_or(due),
            StreamStyle::Live
            | StreamStyle::NeverBegin
            | StreamStyle::EndEarly
            | StreamStyle::Cut { .. }
            | StreamStyle::Drip
            | StreamStyle::Silent => due,
        }
    }
}

/// When something runs.
struct Run {
    began: Timestamp,
    due: Timestamp,
    held: bool,
    /// When it changed last.
    ended: Timestamp,
}

/// The lines appear one after the other on the way to the end; the first after a second.
fn so_far(lines: Vec<String>, end: Option<Vec<String>>, run: &Run, now: Timestamp) -> Option<Output> {
    let finished = end.is_some();
    if finished && now >= stream_end(run.ended) || !finished && now < later(run.began, 1) {
        return None;
    }
    let (passed, whole) = (now.duration_since(run.began).as_millis(), run.due.duration_since(run.began).as_millis().max(1));
    let count = i128::try_from(lines.len()).unwrap_or(0).max(1);
    let there = if finished { lines.len() } else { usize::try_from(passed.saturating_mul(count) / whole).unwrap_or(0).saturating_add(1) };
    let next = if there < lines.len() {
        // Rounded up, so that the line is there by then.
        let passes = (i128::try_from(there).unwrap_or(0).saturating_mul(whole) + count - 1) / count;
        i64::try_from(passes).ok().and_then(|passes| run.began.checked_add(SignedDuration::from_millis(passes)).ok())
    } else {
        Some(run.due).filter(|due| !run.held && *due > now)
    };
    let mut text = String::new();
    for line in lines.into_iter().take(there).chain(end.unwrap_or_default()) {
        text.push_str(&line);
        text.push('\n');
    }
    Some(Output { text: text.into_bytes(), finished, next })
}
