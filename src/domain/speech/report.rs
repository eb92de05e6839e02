//! What a deployment's record in the repository says: no person, no channel, nothing that was typed but the ref.

use crate::domain::deployment::{Deployment, DynosUp, Phase};
use crate::domain::source::CommitRef;

use super::reasons::in_short;
use super::words::{count, cut};

/// The longest description that is accepted, in characters.
const LONGEST: usize = 140;
/// How much of a ref's name is shown, so that the end of the sentence is never cut.
const LONGEST_REF: usize = 40;

/// How it stands, in at most 140 characters.
pub fn report_description(deployment: &Deployment) -> String {
    let (what, place) = (what(deployment), place(deployment));
    cut(
        &match &deployment.phase {
            Phase::Waiting(_) => format!("{what} waits to go to {place}"),
            Phase::NeedsCode { .. } | Phase::Starting | Phase::Announcing(_) | Phase::Uploading => format!("Preparing {what} for {place}"),
            Phase::AboutToBuild(_) | Phase::Building { .. } if deployment.promotes().is_some() => format!("Promoting {what} to {place}"),
            Phase::AboutToBuild(_) if deployment.back().is_some() => format!("Going back to {what} in {place}"),
            Phase::AboutToBuild(_) | Phase::Building { .. } => format!("Building {what} for {place}"),
            Phase::Releasing { .. } => format!("Releasing {what} to {place}"),
            Phase::Restarting { version, .. } => format!("Starting v{version} in {place}"),
            Phase::Unknown(_) => format!("Nobody knows yet how {what} ended in {place}"),
            Phase::Freed { .. } => format!("Nobody knows how {what} ended in {place}"),
            Phase::Succeeded { version, dynos } => match dynos {
                DynosUp::Up(many) => format!("v{version} runs in {place}: {} up", count(*many, "dyno")),
                DynosUp::None => format!("v{version} serves in {place}, which is scaled to no dynos"),
                DynosUp::Overtaken(later) => format!("v{version} was released to {place} and overtaken by v{later}"),
            },
            Phase::Failed { why, .. } => format!("{place}: {} ({})", in_short(why), why.code()),
            Phase::Cancelled { .. } => format!("{place}: stopped by hand"),
        },
        LONGEST,
    )
}

/// What the record is for, in at most 140 characters.
pub fn announcement_description(deployment: &Deployment) -> String {
    let skipped = deployment.overriding.as_ref().map_or(0, |overriding| overriding.skipped.len());
    let passing =
        if skipped == 0 { String::new() } else { format!(", past {}", count(u64::try_from(skipped).unwrap_or(u64::MAX), "check")) };
    if let Some(back) = deployment.back() {
        return cut(&format!("Rollback of {} to v{}, {}", place(deployment), back.version, what(deployment)), LONGEST);
    }
    if let Some(from) = deployment.promotes() {
        return cut(
            &format!(
                "Promotion of {}, v{} of {}, to {}{passing}",
                what(deployment),
                from.version,
                from.from_environment,
                place(deployment)
            ),
            LONGEST,
        );
    }
    cut(&format!("Deploy of {} to {}{passing}", what(deployment), place(deployment)), LONGEST)
}

fn what(deployment: &Deployment) -> String {
    let short = deployment.cargo.commit.short();
    match &deployment.cargo.named_by {
        CommitRef::Commit => short.to_owned(),
        CommitRef::Branch(_) | CommitRef::Tag(_) | CommitRef::Pull { .. } => {
            format!("{short} ({})", cut(&deployment.cargo.named_by.to_string(), LONGEST_REF))
        }
    }
}

fn place(deployment: &Deployment) -> String {
    format!("{} ({})", deployment.target.environment, cut(deployment.target.app_name.as_str(), LONGEST_REF))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::deployment::{Override, samples};
    use crate::domain::names::RefName;

    #[test]
    fn short_and_without_people() {
        for phase in samples::all() {
            let mut deployment = samples::deployment(phase);
            deployment.overriding = Some(Override { because: "ana said so".to_owned(), skipped: vec![] });
            deployment.cargo.named_by = CommitRef::Branch(RefName::parse(&"x".repeat(250)).unwrap());
            for said in [report_description(&deployment), announcement_description(&deployment)] {
                assert!((1..=140).contains(&said.chars().count()), "{said}");
                assert!(!said.contains("ana") && !said.contains("bo)") && !said.contains("C1"), "{said}");
            }
        }
    }

    #[test]
    fn the_main_sentences() {
        let said = |phase| report_description(&samples::deployment(phase));
        let succeeded = |dynos| Phase::Succeeded { version: 12, dynos };
        assert_eq!(said(succeeded(DynosUp::Up(3))), "v12 runs in staging (hubot-staging): 3 dynos up");
        assert_eq!(said(Phase::Building { build: samples::build_id() }), "Building 27bd10a (main) for staging (hubot-staging)");
        assert_eq!(announcement_description(&samples::deployment(Phase::Starting)), "Deploy of 27bd10a (main) to staging (hubot-staging)");
    }
}
