//! Reasons and failures in words: what, the evidence, the way out. Each shows its stable code.

use crate::domain::checks::Obstacle;
use crate::domain::deployment::Failure;
use crate::domain::gate::Reason;
use crate::domain::message::{Line, Span, code, link, text};

use super::card::record_refused;
use super::words::{PLATFORM, SOURCE};

fn checks(before: &str, obstacles: &[Obstacle], after: &str) -> Line {
    let mut line = vec![text(before)];
    for (place, obstacle) in obstacles.iter().enumerate() {
        if place > 0 {
            line.push(text(", "));
        }
        line.push(match &obstacle.url {
            Some(url) => link(obstacle.name.as_str(), url),
            None => code(&obstacle.name),
        });
    }
    line.push(text(after));
    line
}

fn said(said: Option<&String>) -> Option<Line> {
    said.map(|said| vec![text("It said: "), code(said)])
}

/// A reason of the gate.
pub(super) fn reason(reason: &Reason) -> Vec<Line> {
    let mut lines: Vec<Line> = match reason {
        Reason::ChecksFailed(obstacles) => vec![checks("Failed: ", obstacles, ".")],
        Reason::ChecksPending(obstacles) => vec![checks("Not done yet: ", obstacles, ". Ask again when they are.")],
        Reason::ChecksMissing(obstacles) => {
            vec![checks("Required, and never reported: ", obstacles, ". A workflow that is left out for these files never will.")]
        }
        Reason::ChecksUnreadable { said: words } => {
            let mut lines = vec![vec![text(format!(
                "The checks cannot be read at {SOURCE}, so nobody knows whether they passed. Try again in a moment."
            ))]];
            lines.extend(said(words.as_ref()));
            lines
        }
        Reason::RefMoved { by, asked, now } => vec![vec![
            code(by),
            text(" moved from "),
            code(asked.short()),
            text(" to "),
            code(now.short()),
            text(" since it was asked for. Ask again for the one you mean."),
        ]],
        Reason::RefGone { by } => vec![vec![code(by), text(" is gone. Ask for the commit itself if you still mean it.")]],
        Reason::NotOnRef { by, commit } => {
            vec![vec![
                code(by),
                text(" no longer contains "),
                code(commit.short()),
                text(". Ask for the new head, or for the commit itself."),
            ]]
        }
        Reason::FromFork => vec![vec![text("The commit comes from a fork. Push it to a branch of the repository to ship it.")]],
        Reason::Unreachable => {
            vec![vec![text("No branch, tag or pull request of the repository is known to contain the commit. Push a branch with it.")]]
        }
        Reason::RepositoryArchived => vec![vec![text("The repository is archived, so no deployment can be recorded. Unarchive it first.")]],
        Reason::MayNotRecord => vec![vec![text("You may read the repository but not record deployments in it: that takes write access.")]],
        Reason::MayNotDeploy => vec![vec![text(format!("You may not deploy to that app at {PLATFORM}. Ask its owner for the right to."))]],
    };
    if let Some(last) = lines.last_mut() {
        last.push(text(format!(" ({})", reason.code())));
    }
    lines
}

/// Why a deployment failed, as the end of a sentence.
pub(super) fn failure_in_brief(why: &Failure) -> &'static str {
    match why {
        Failure::Gate(_) => "it may not go out",
        Failure::NoCode => "no one-time code was given in time",
        Failure::SignInLost => "the sign-in was withdrawn",
        Failure::AnnouncementRefused(_) => "the deployment could not be recorded",
        Failure::AnnouncementUnclear => "recording the deployment never got a clear answer",
        Failure::SourceUnavailable(_) => "the source could not be fetched and handed over",
        Failure::SourceTooLarge { .. } => "the source is too large",
        Failure::DiskFull => "there is no room to hold the source",
        Failure::BuildRefused(_) => "the build was refused",
        Failure::NoBuildSlot => "no build slot came free within an hour",
        Failure::Build => "the build did not work",
        Failure::Release => "the release phase did not work",
        Failure::ReleaseExpired => "the release was destroyed before it served",
        Failure::DynosCrashed { .. } => "its dynos crashed",
    }
}

/// Why a deployment failed, with the evidence and the way out.
pub(super) fn failure(why: &Failure) -> Vec<Line> {
    let way_out = |words: String| vec![text(words)];
    match why {
        Failure::Gate(reasons) => reasons.iter().flat_map(reason).collect(),
        Failure::NoCode => {
            vec![way_out("No code came in time, so nothing was built. Type the command with a code at its end. (no-code)".to_owned())]
        }
        Failure::SignInLost => {
            vec![way_out(format!("{SOURCE} or {PLATFORM} does not accept the sign-in any more. Renew it, then ask again. (sign-in-lost)"))]
        }
        Failure::AnnouncementRefused(words) => {
            vec![record_refused(words.as_deref()), way_out("Nothing was built. (record-refused)".to_owned())]
        }
        Failure::AnnouncementUnclear => {
            vec![way_out(format!("{SOURCE} never gave a clear answer, so nothing was built. Ask again in a few minutes. (record-unclear)"))]
        }
        Failure::SourceUnavailable(words) => {
            let mut lines: Vec<Line> = said(words.as_ref()).into_iter().collect();
            lines.push(way_out("Nothing was built. Ask again in a few minutes. (source-unavailable)".to_owned()));
            lines
        }
        Failure::SourceTooLarge { limit } => vec![way_out(format!(
            "The archive of the source is larger than {} MB, the limit set here. Keep large files out of the repository, or have the limit raised. (source-too-large)",
            limit / 1_000_000
        ))],
        Failure::DiskFull => vec![way_out("This installation's disk is full. Whoever runs it has to make room. (disk-full)".to_owned())],
        Failure::BuildRefused(words) => {
            let mut lines: Vec<Line> =
                words.as_ref().map(|words| vec![text(format!("{PLATFORM} said: ")), code(words)]).into_iter().collect();
            lines.push(way_out("Nothing was built. (build-refused)".to_owned()));
            lines
        }
        Failure::NoBuildSlot => vec![way_out(format!("All concurrent builds of the account at {PLATFORM} stayed in use. (no-build-slot)"))],
        Failure::Build => vec![way_out("The app runs as before. The output shows where it stopped. (build-failed)".to_owned())],
        Failure::Release => {
            vec![way_out(
                "The app runs the release before. The output of the release phase shows where it stopped. (release-failed)".to_owned(),
            )]
        }
        Failure::ReleaseExpired => vec![way_out("Ask again for a new build. (release-expired)".to_owned())],
        Failure::DynosCrashed { names } => {
            let mut line: Vec<Span> = vec![text("Crashed: ")];
            for (place, name) in names.iter().enumerate() {
                if place > 0 {
                    line.push(text(", "));
                }
                line.push(code(name));
            }
            line.push(text(format!(". The release is out and does not run. Look at the app's logs; to go back, deploy the earlier commit or roll back at {PLATFORM}. (dynos-crashed)")));
            vec![line]
        }
    }
}
