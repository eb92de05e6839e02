//! Where each outcome leads in each phase, in words.

use std::collections::BTreeMap;

use super::outcomes::outcomes;
use crate::domain::deployment::samples::{at, deployment, running};
use crate::domain::deployment::*;
use crate::domain::release::{BuildState, DynosVerdict, ReleaseState};

/// Half a minute after the phase began. What is not listed leads nowhere.
const SOON: &str = "
    waiting-turn:    turn>starting sign-in-lost>failed
    waiting-answer:  sign-in-lost>failed
    waiting-green:   checks-done>waiting-turn checks-closed>failed sign-in-lost>failed
    waiting-slot:    slot>starting sign-in-lost>failed
    waiting-more:    allowance>starting sign-in-lost>failed
    needs-code:      sign-in-lost>failed
    starting:        gate-open>announcing gate-closed>failed code-needed>needs-code no-allowance>waiting-more
                     sign-in-lost>failed
    announcing:      announced>uploading announcement-refused>failed no-allowance>waiting-more interrupted>announcing?
                     unclear>announcing? sign-in-lost>failed
    announcing?:     announced>uploading announcement-refused>failed sign-in-lost>failed
    uploading:       uploaded>ordering no-source>failed too-large>failed disk-full>failed sign-in-lost>failed
    ordering:        build-there>building release-there>releasing release-refused>failed build-refused>failed code-needed>needs-code no-slot>waiting-slot
                     no-allowance>waiting-more interrupted>ordering? unclear>ordering? sign-in-lost>failed
    ordering?:       build-there>building release-there>releasing sign-in-lost>unknown-order
    building:        build-released>releasing build-failed>failed release-refused>failed vanished>unknown-build sign-in-lost>unknown-build
    releasing:       release-pending>releasing release-succeeded>restarting release-failed>failed release-expired>failed
                     vanished>unknown-release sign-in-lost>unknown-release
    restarting:      dynos-up>succeeded dynos-none>succeeded dynos-starting>restarting dynos-crashed>restarting
                     vanished>unknown-dynos sign-in-lost>unknown-dynos
    unknown-order:   build-there>building release-there>releasing
    unknown-build:   build-released>releasing build-failed>failed release-refused>failed
    unknown-release: release-succeeded>restarting release-failed>failed release-expired>failed
    unknown-dynos:   dynos-up>succeeded dynos-none>succeeded dynos-crashed>restarting
";

/// Three hours after the phase began: `else` is what comes of everything that is not listed, no news included.
const LATE: &str = "
    waiting-turn:    turn>starting sign-in-lost>failed
    waiting-answer:  else>failed
    waiting-green:   checks-done>waiting-turn sign-in-lost>failed else>failed
    waiting-slot:    slot>starting sign-in-lost>failed
    waiting-more:    allowance>starting sign-in-lost>failed
    needs-code:      else>failed
    starting:        gate-open>announcing code-needed>needs-code no-allowance>waiting-more else>failed
    announcing:      announced>uploading announcement-refused>failed no-allowance>waiting-more sign-in-lost>failed
                     else>announcing?
    announcing?:     announced>uploading no-trace>announcing else>failed
    uploading:       uploaded>ordering else>failed
    ordering:        build-there>building release-there>releasing release-refused>failed build-refused>failed code-needed>needs-code no-slot>waiting-slot no-allowance>waiting-more
                     sign-in-lost>failed else>ordering?
    ordering?:       build-there>building release-there>releasing no-trace>uploading else>unknown-order
    building:        build-released>releasing build-failed>failed release-refused>failed else>unknown-build
    releasing:       release-pending>releasing release-succeeded>restarting release-failed>failed release-expired>failed
                     else>unknown-release
    restarting:      dynos-up>succeeded dynos-none>succeeded dynos-crashed>restarting else>unknown-dynos
    unknown-order:   build-there>building release-there>releasing
    unknown-build:   build-released>releasing build-failed>failed release-refused>failed
    unknown-release: release-succeeded>restarting release-failed>failed release-expired>failed
    unknown-dynos:   dynos-up>succeeded dynos-none>succeeded dynos-crashed>restarting
";

fn phase_word(phase: &Phase) -> &'static str {
    match phase {
        Phase::Waiting(WaitingFor::Turn) => "waiting-turn",
        Phase::Waiting(WaitingFor::Answer { .. }) => "waiting-answer",
        Phase::Waiting(WaitingFor::Checks { .. }) => "waiting-green",
        Phase::Waiting(WaitingFor::BuildSlot { .. }) => "waiting-slot",
        Phase::Waiting(WaitingFor::Allowance { .. }) => "waiting-more",
        Phase::NeedsCode { .. } => "needs-code",
        Phase::Starting => "starting",
        Phase::Announcing(Standing::Fresh) => "announcing",
        Phase::Announcing(Standing::Unclear { .. }) => "announcing?",
        Phase::Uploading => "uploading",
        Phase::AboutToBuild(Standing::Fresh) => "ordering",
        Phase::AboutToBuild(Standing::Unclear { .. }) => "ordering?",
        Phase::Building { .. } => "building",
        Phase::Releasing { .. } => "releasing",
        Phase::Restarting { .. } => "restarting",
        Phase::Unknown(Watched::Order) => "unknown-order",
        Phase::Unknown(Watched::Build { .. }) => "unknown-build",
        Phase::Unknown(Watched::Release { .. }) => "unknown-release",
        Phase::Unknown(Watched::Dynos { .. }) => "unknown-dynos",
        Phase::Succeeded { .. } => "succeeded",
        Phase::Failed { .. } => "failed",
        Phase::Cancelled { .. } => "cancelled",
        Phase::Freed { .. } => "freed",
    }
}

fn outcome_word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::TurnCame => "turn",
        Outcome::ChecksSeen(verdict) if verdict.is_open() => "checks-done",
        Outcome::ChecksSeen(verdict) if verdict.not_done().is_some() => "checks-not-done",
        Outcome::ChecksSeen(_) => "checks-closed",
        Outcome::SlotMayBeFree => "slot",
        Outcome::Judged { verdict, .. } if verdict.is_open() => "gate-open",
        Outcome::Judged { .. } => "gate-closed",
        Outcome::CodeNeeded => "code-needed",
        Outcome::SignInLost => "sign-in-lost",
        Outcome::Interrupted => "interrupted",
        Outcome::Announced(_) => "announced",
        Outcome::AnnouncementRefused(_) => "announcement-refused",
        Outcome::Unclear => "unclear",
        Outcome::NoTrace => "no-trace",
        Outcome::Uploaded => "uploaded",
        Outcome::SourceUnavailable(_) => "no-source",
        Outcome::SourceTooLarge { .. } => "too-large",
        Outcome::DiskFull => "disk-full",
        Outcome::BuildThere(_) => "build-there",
        Outcome::BuildRefused(_) => "build-refused",
        Outcome::ReleaseThere(_) => "release-there",
        Outcome::ReleaseRefused(_) => "release-refused",
        Outcome::NoBuildSlot => "no-slot",
        Outcome::NoAllowance(_) => "no-allowance",
        Outcome::AllowanceThere => "allowance",
        Outcome::StopSent(_) => "stop-sent",
        Outcome::BuildSeen(BuildState::Pending) => "build-pending",
        Outcome::BuildSeen(BuildState::Succeeded { release: None }) => "build-not-released",
        Outcome::BuildSeen(BuildState::Succeeded { release: Some(_) }) => "build-released",
        Outcome::BuildSeen(BuildState::Failed) => "build-failed",
        Outcome::ReleaseSeen(release) => match release.state {
            ReleaseState::Pending => "release-pending",
            ReleaseState::Succeeded => "release-succeeded",
            ReleaseState::Failed => "release-failed",
            ReleaseState::Expired => "release-expired",
        },
        Outcome::DynosSeen(DynosVerdict::Up { .. }) => "dynos-up",
        Outcome::DynosSeen(DynosVerdict::None) => "dynos-none",
        Outcome::DynosSeen(DynosVerdict::Starting { .. }) => "dynos-starting",
        Outcome::DynosSeen(DynosVerdict::Crashed { .. }) => "dynos-crashed",
        Outcome::Vanished => "vanished",
        Outcome::NoNews => "no-news",
    }
}

/// Phase → outcome → phase.
fn read(table: &str) -> BTreeMap<&str, BTreeMap<&str, &str>> {
    let mut rows: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
    let mut phase = "";
    for word in table.split_whitespace() {
        if let Some(name) = word.strip_suffix(':') {
            phase = name;
        } else {
            let (outcome, next) = word.split_once('>').unwrap();
            assert_eq!(rows.entry(phase).or_default().insert(outcome, next), None, "twice in the table: {phase} {outcome}");
        }
    }
    rows
}

fn check(table: &str, now: Timestamp) {
    let rows = read(table);
    let mut seen: Vec<&str> = Vec::new();
    for phase in running() {
        let from = phase_word(&phase);
        if seen.contains(&from) {
            continue;
        }
        seen.push(from);
        let mut one = deployment(phase);
        one.announcements_ordered = u8::from(one.phase.stage() >= Some(Stage::Announcement));
        one.builds_ordered = u8::from(one.phase.stage() >= Some(Stage::Build));
        for outcome in outcomes() {
            let word = outcome_word(&outcome);
            let expected = rows[from].get(word).or_else(|| rows[from].get("else")).copied();
            let moved = one.after(outcome, now).filter(|next| next.phase != one.phase);
            assert_eq!(moved.as_ref().map(|next| phase_word(&next.phase)), expected, "{from} + {word}");
        }
    }
    assert_eq!(seen.len(), rows.len(), "the table names a phase that is not tried");
    let words: Vec<&str> = outcomes().iter().map(outcome_word).chain(["else"]).collect();
    assert!(rows.values().flat_map(BTreeMap::keys).all(|word| words.contains(word)), "the table names an outcome that is not tried");
}

#[test]
fn soon_each_outcome_leads_where_the_table_says() {
    check(SOON, at(30));
}

#[test]
fn late_each_outcome_leads_where_the_table_says() {
    check(LATE, at(3 * 3_600));
}
