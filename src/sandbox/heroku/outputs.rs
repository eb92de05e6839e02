//! What builds and release commands print, and how much of it is there at a moment.

use jiff::Timestamp;
use uuid::Uuid;

use super::json::stream_end;
use super::records::{Build, BuildFate, BuildStatus, Release, ReleaseStatus};
use super::state::{World, later};
use crate::sandbox::secrets::marked;

/// What is there of an output.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) text: Vec<u8>,
    pub(super) finished: bool,
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
        self.release(of).and_then(|release| release_output(release, now))
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
        let end = match (build.status, &build.fate) {
            (BuildStatus::Pending, _) => None,
            (BuildStatus::Succeeded, _) => {
                let version = build.release.and_then(|id| self.release(id)).map_or(0, |release| release.version);
                Some(vec!["-----> Compressing...".to_owned(), "       Done: 42.1M".to_owned(), format!("       Released v{version}")])
            }
            (BuildStatus::Failed, BuildFate::Fails(lines)) => Some(lines.clone()),
            (BuildStatus::Failed, BuildFate::Succeeds) => Some(Vec::new()),
        };
        so_far(lines, end, build.created_at, build.due, build.updated_at, now)
    }
}

fn release_output(release: &Release, now: Timestamp) -> Option<Output> {
    let phase = release.phase.as_ref()?;
    let lines = ["Running release command...", "== 20260101 AddColour: migrating", "== 20260101 AddColour: migrated"];
    let lines = lines.iter().map(|line| (*line).to_owned()).collect();
    let end = match release.status {
        ReleaseStatus::Pending => None,
        ReleaseStatus::Failed => Some(vec![" !     release command failed".to_owned()]),
        ReleaseStatus::Succeeded | ReleaseStatus::Expired => Some(vec!["Done.".to_owned()]),
    };
    so_far(lines, end, release.created_at, phase.due, release.updated_at, now)
}

/// The lines appear one after the other on the way from `began` to `due`; the first after a second.
fn so_far(
    lines: Vec<String>,
    end: Option<Vec<String>>,
    began: Timestamp,
    due: Timestamp,
    ended: Timestamp,
    now: Timestamp,
) -> Option<Output> {
    let finished = end.is_some();
    if finished && now >= stream_end(ended) || !finished && now < later(began, 1) {
        return None;
    }
    let there = if finished {
        lines.len()
    } else {
        let (passed, whole) = (now.duration_since(began).as_millis(), due.duration_since(began).as_millis().max(1));
        let count = i128::try_from(lines.len()).unwrap_or(0);
        usize::try_from(passed.saturating_mul(count) / whole).unwrap_or(0).saturating_add(1)
    };
    let mut text = String::new();
    for line in lines.into_iter().take(there).chain(end.unwrap_or_default()) {
        text.push_str(&line);
        text.push('\n');
    }
    Some(Output { text: text.into_bytes(), finished })
}
