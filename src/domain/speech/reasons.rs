//! Why a deploy may not go out, and why one did not work: the words, the evidence and the way out.

use jiff::Timestamp;

use crate::domain::checks::Obstacle;
use crate::domain::deployment::{Failure, GREEN_WAIT, Said};
use crate::domain::gate::Reason;
use crate::domain::message::{Line, Span, code, link, text};
use crate::domain::rights::Rules;

use super::rights::{denied_by, evidence};
use super::services::{GITHUB, HEROKU};
use super::words::{cut, list, sentence};

/// How many checks are named.
const NAMED: usize = 10;
/// How much of the name of a check is shown, in characters: so that what became of the checks stands behind them in any case.
const CHECK: usize = 80;
/// The longest address of a check that is linked to, for the same reason.
const PAGE: usize = 200;
/// How much of what somebody outside said is repeated, in characters.
const SAID: usize = 300;

/// A line with the stable code of a reason or a failure behind it.
pub fn code_line(mut words: Line, code: &str) -> Line {
    words.push(text(format!(" ({code})")));
    words
}

/// One reason of the gate: what stands in the way, with its code, and the way out.
pub fn reason(reason: &Reason) -> Vec<Line> {
    let (evidence, way_out) = match reason {
        Reason::ChecksFailed(checks) => (checks_line(checks, " failed"), sentence("Mend the code.")),
        Reason::ChecksPending(checks) => (not_done(checks, " yet"), sentence("Wait, then ask again.")),
        Reason::ChecksMissing(checks) => {
            let verb = if checks.len() == 1 { " is required and has not reported" } else { " are required and have not reported" };
            let them = if checks.len() == 1 { "See that it runs on this commit." } else { "See that they run on this commit." };
            (checks_line(checks, verb), sentence(them))
        }
        Reason::ChecksUnreadable { said } => (
            with_said("The checks cannot be read, so nobody knows how they stand", said),
            sentence("Ask again in a moment. `deploy!` does not pass this: it passes checks that are known."),
        ),
        Reason::RefMoved { by, asked, now } => (
            vec![
                code(by),
                text(" has moved: it was "),
                code(asked.short()),
                text(" when you asked and is "),
                code(now.short()),
                text(" now"),
            ],
            sentence("Choose which of the two ships."),
        ),
        Reason::RefGone { by } => (vec![code(by), text(" is gone")], sentence("Name a branch, a tag or a commit that is there.")),
        Reason::NotOnRef { by, commit } => (
            vec![code(commit.short()), text(" is no longer part of "), code(by)],
            sentence("Deploy what is there now, or bring the commit back."),
        ),
        Reason::FromFork => {
            (sentence("The commit comes from a fork"), sentence("Bring it into a branch of the repository itself and deploy that."))
        }
        Reason::Unreachable => (
            sentence("No branch, tag or pull request of the repository is known to contain the commit"),
            sentence("Push a branch or a tag that contains it and deploy that."),
        ),
        Reason::RepositoryArchived => (
            sentence("The repository is archived: nothing can be recorded in it"),
            sentence("Ask somebody who looks after it to make it writable."),
        ),
        Reason::MayNotRecord => (
            sentence("You may not record deployments in the repository"),
            sentence("Ask somebody who looks after it for the right to write."),
        ),
        Reason::MayNotDeploy => {
            (sentence("You may not deploy to the app"), sentence("Ask somebody who looks after the app for the right to deploy."))
        }
        Reason::Locked { pipeline, on, branch, by, because, since, until } => {
            super::locks::in_the_way(pipeline, (*on, branch.as_ref()), by, because.as_ref(), (*since, *until))
        }
        Reason::ByRule(denial) => denied_by(*denial),
    };
    vec![code_line(evidence, reason.code()), way_out]
}

/// The same, with the rule of the workspace that says so.
pub fn reason_by(reason: &Reason, rules: &Rules, now: Timestamp) -> Vec<Line> {
    let mut lines = self::reason(reason);
    if let Reason::ByRule(denial) = reason
        && let Some(evidence) = evidence(*denial, rules, now)
    {
        lines.insert(1.min(lines.len()), evidence);
    }
    lines
}

/// Which checks are not done.
pub(super) fn not_done(checks: &[Obstacle], so_far: &str) -> Line {
    let verb = if checks.len() == 1 { "is" } else { "are" };
    checks_line(checks, &format!(" {verb} not done{so_far}"))
}

fn checks_line(checks: &[Obstacle], verb: &str) -> Line {
    let mut line = Line::new();
    for (at, check) in checks.iter().take(NAMED).enumerate() {
        if at > 0 {
            line.push(text(", "));
        }
        line.push(check_span(check));
    }
    let more = checks.len().saturating_sub(NAMED);
    if more > 0 {
        line.push(text(format!(" and {more} more")));
    }
    line.push(text(verb));
    line
}

fn check_span(check: &Obstacle) -> Span {
    let name = cut(check.name.as_str(), CHECK);
    match &check.url {
        Some(url) if url.len() <= PAGE && (url.starts_with("https://") || url.starts_with("http://")) => link(name, url),
        Some(_) | None => code(name),
    }
}

fn with_said(words: &str, said: &Said) -> Line {
    let mut line = vec![text(words)];
    if let Some(said) = said {
        line.push(text(": "));
        line.push(code(cut(said, SAID)));
    }
    line
}

/// Why it did not work, as a part of a sentence.
pub fn in_short(failure: &Failure) -> &'static str {
    match failure {
        Failure::Gate(_) => "it may not go out any more",
        Failure::NotGreen(_) => "its checks were not done in time",
        Failure::NoCode => "no one-time code came in time",
        Failure::NoAnswer => "no answer came in time",
        Failure::SignInLost => "the sign-in was withdrawn",
        Failure::AnnouncementRefused(_) => "the deployment could not be recorded in the repository",
        Failure::AnnouncementUnclear => "nobody knows whether the deployment was recorded in the repository",
        Failure::SourceUnavailable(_) => "the source could not be handed over",
        Failure::SourceTooLarge { .. } => "the source is too large",
        Failure::DiskFull => "the disk of this service is full",
        Failure::BuildRefused(_) => "the build was refused",
        Failure::ReleaseRefused(_) => "the release was refused",
        Failure::NoBuildSlot => "there was no room for another build",
        Failure::Build => "the build failed",
        Failure::Release => "the release phase failed",
        Failure::ReleaseExpired => "the release was removed before it served",
        Failure::DynosCrashed { .. } => "dynos of the release crashed",
    }
}

/// Why a deployment did not work: what happened, with its code, and the way out. For a closed gate, all its reasons.
pub fn failure(failure: &Failure) -> Vec<Line> {
    let (evidence, way_out) = match failure {
        Failure::Gate(reasons) => return reasons.iter().flat_map(reason).collect(),
        Failure::NotGreen(open) => {
            let hours = GREEN_WAIT.as_hours();
            (
                not_done(open, &format!(" in the {hours} hours that a deploy waits for checks")),
                "See that they run on this commit, then deploy again.",
            )
        }
        Failure::NoAnswer => (
            sentence("Nobody said that it ships when its turn came. Its place went to the next"),
            "Deploy again: it waits at the end of the line.",
        ),
        Failure::NoCode => (sentence("No one-time code came in time"), "Deploy again, and hand the code over when it is asked for."),
        Failure::SignInLost => (
            sentence("The sign-in of the person who asked was withdrawn"),
            "Log in again (`login`), or have whoever runs this installation renew the token. Then deploy again.",
        ),
        Failure::AnnouncementRefused(said) => {
            (with_said(&format!("{GITHUB} refused to record the deployment"), said), "See that you may write there, then deploy again.")
        }
        Failure::AnnouncementUnclear => (
            vec![text(format!("{GITHUB} never said clearly whether it recorded the deployment. Nothing was built"))],
            "Deploy again once it answers.",
        ),
        Failure::SourceUnavailable(said) => {
            (with_said("The source could not be fetched or handed over", said), "Nothing was built. Deploy again.")
        }
        Failure::SourceTooLarge { limit } => (
            vec![text(format!("The source is larger than {}", size(*limit)))],
            "Make the repository's archive smaller, or have the limit raised in the settings.",
        ),
        Failure::DiskFull => {
            (sentence("The disk of this service is full"), "Nothing was built. Whoever runs it has to make room; then deploy again.")
        }
        Failure::ReleaseRefused(said) => (
            with_said(&format!("{HEROKU} refused the release"), said),
            "See which releases there are (`releases`), or deploy the commit anew.",
        ),
        Failure::BuildRefused(said) => (with_said(&format!("{HEROKU} refused the build"), said), "Mend what it names, then deploy again."),
        Failure::NoBuildSlot => {
            (vec![text(format!("{HEROKU} had no room for another build for an hour"))], "Wait for other builds to end, then deploy again.")
        }
        Failure::Build => {
            (sentence("The build failed. What ran before goes on serving"), "Look at its output, mend the code, then deploy again.")
        }
        Failure::Release => (
            sentence("The release phase failed. The release before goes on serving"),
            "Look at its output, mend the command it runs, then deploy again.",
        ),
        Failure::ReleaseExpired => (sentence("The release was removed before it served"), "Deploy again."),
        Failure::DynosCrashed { names } => {
            let mut line = sentence("The release serves, and of its dynos these crashed: ");
            line.push(code(list(names)));
            (line, "Look at the app's log, mend the code, then deploy again, or go back to the release before.")
        }
    };
    vec![code_line(evidence, failure.code()), sentence(way_out)]
}

fn size(bytes: u64) -> String {
    const MIB: u64 = 1 << 20;
    if bytes >= MIB && bytes.is_multiple_of(MIB) { format!("{} MiB", bytes / MIB) } else { format!("{bytes} bytes") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::deployment::samples;
    use crate::domain::names::{CheckName, CommitSha, RefName};
    use crate::domain::pipeline::Environment;
    use crate::domain::rights::Denial;
    use crate::domain::source::CommitRef;
    use crate::domain::speech::testing::plain_line;

    fn obstacle(name: &str, url: Option<&str>) -> Obstacle {
        Obstacle { name: CheckName::parse(name).unwrap(), url: url.map(str::to_owned) }
    }

    fn said(given: &Reason) -> String {
        reason(given).iter().map(plain_line).collect::<Vec<_>>().join(" | ")
    }

    #[test]
    fn every_reason_has_evidence_code_and_way_out() {
        let by = || CommitRef::Branch(RefName::parse("main").unwrap());
        let commit = |digit: &str| CommitSha::parse(&digit.repeat(40)).unwrap();
        let checks = || vec![obstacle("ci", Some("https://ci.example.com/1")), obstacle("lint", Some("javascript:x"))];
        for given in [
            Reason::ChecksFailed(checks()),
            Reason::ChecksPending(checks()),
            Reason::ChecksMissing(checks()),
            Reason::ChecksUnreadable { said: Some("502".to_owned()) },
            Reason::RefMoved { by: by(), asked: commit("a"), now: commit("b") },
            Reason::RefGone { by: by() },
            Reason::NotOnRef { by: by(), commit: commit("a") },
            Reason::FromFork,
            Reason::Unreachable,
            Reason::RepositoryArchived,
            Reason::MayNotRecord,
            Reason::MayNotDeploy,
            Reason::ByRule(Denial::Guest),
            Reason::ByRule(Denial::Outsider),
            Reason::ByRule(Denial::Gone),
            Reason::ByRule(Denial::NotAUser),
            Reason::ByRule(Denial::WrongChannel),
            Reason::ByRule(Denial::NotForEnvironment(Environment::Production)),
            Reason::ByRule(Denial::MayNotOverride),
            Reason::ByRule(Denial::Unreadable),
        ] {
            let lines = reason(&given);
            assert!(plain_line(&lines[0]).ends_with(&format!(" ({})", given.code())), "{given:?}");
            assert!(lines[1..].iter().all(|line| plain_line(line).ends_with('.')) && lines.len() > 1, "{given:?}");
        }
        assert_eq!(said(&Reason::ChecksFailed(checks())), "ci, lint failed (checks-failed) | Mend the code.");
        let line = &reason(&Reason::ChecksFailed(checks()))[0];
        assert!(matches!((&line[0], &line[2]), (Span::Link { .. }, Span::Code(_))), "only addresses of the web are links");
        assert_eq!(
            said(&Reason::RefMoved { by: by(), asked: commit("a"), now: commit("b") }),
            "main has moved: it was aaaaaaa when you asked and is bbbbbbb now (ref-moved) | Choose which of the two ships."
        );
    }

    #[test]
    fn many_checks_are_counted() {
        let many: Vec<_> = (0..12).map(|n| obstacle(&format!("c{n}"), None)).collect();
        assert!(said(&Reason::ChecksPending(many)).contains("c9 and 2 more are not done yet"));
    }

    #[test]
    fn every_failure_has_evidence_code_and_way_out() {
        for why in samples::failures() {
            let lines = failure(&why);
            assert!(lines.len() > 1, "{why:?}");
            assert!(!in_short(&why).is_empty());
            if !matches!(why, Failure::Gate(_)) {
                assert!(plain_line(&lines[0]).ends_with(&format!(" ({})", why.code())), "{why:?}");
            }
        }
    }
}
