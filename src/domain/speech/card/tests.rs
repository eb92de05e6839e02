//! Tests of the card.

use super::*;
use crate::domain::account::{Obstacle, Provider};
use crate::domain::deployment::{Cancel, Override, Stage, samples};
use crate::domain::names::{CheckName, RefName};
use crate::domain::source::AskedRef;
use crate::domain::speech::testing::{plain, plain_line};

fn pages() -> Pages {
    let page = |path: &str| format!("https://platform.example.com/{path}");
    Pages { app: page("app"), build: Some(page("build")), release: Some(page("release")) }
}

fn show<T>(deployment: &Deployment, of: impl FnOnce(&CardView<'_>) -> T) -> T {
    of(&CardView { deployment, now: samples::at(120), ahead: Some(2), pages: &pages(), slowed: false, missing: &[] })
}

fn headline_of(phase: Phase) -> String {
    plain_line(&show(&samples::deployment(phase), card).headline)
}

fn acts(message: &Message) -> Vec<&str> {
    message.buttons.iter().map(|button| button.label.as_str()).collect()
}

#[test]
fn every_phase_has_a_card() {
    for phase in samples::all() {
        let deployment = samples::deployment(phase.clone());
        let message = show(&deployment, card);
        let words = plain(&message);
        let headline = plain_line(&message.headline);
        assert!(!headline.is_empty() && !headline.contains('\n'), "{phase:?}");
        assert!(message.lines.iter().all(|line| !line.is_empty()), "{phase:?}");
        assert!(words.contains("27bd10a") && words.contains("staging (hubot-staging)"), "{phase:?}: {words}");
        assert_eq!(message.audience, Audience::Channel);
        let cancel = acts(&message).contains(&"Cancel");
        let building = phase.milestone() < Milestone::Releasing && !matches!(phase, Phase::Unknown(_));
        assert_eq!(cancel, building, "{phase:?}");
        assert_eq!(acts(&message).contains(&"Free the app"), matches!(phase, Phase::Unknown(_)), "{phase:?}");
    }
}

#[test]
fn the_end_is_told_to_the_asker_alone_and_offers_no_cancel() {
    for phase in samples::all() {
        let message = show(&samples::deployment(phase.clone()), ended);
        assert_eq!(message.audience, Audience::Asker);
        assert!(message.buttons.iter().all(|button| !matches!(button.act, Act::Cancel(_))));
        // Not an end: whoever asked can free the app from where they are told.
        let frees = message.buttons.iter().any(|button| matches!(button.act, Act::Free(_)));
        assert_eq!(frees, matches!(phase, Phase::Unknown(_)), "{phase:?}");
    }
}

#[test]
fn the_main_headlines() {
    let (build, release) = (samples::build_id(), samples::release_id());
    let by = |user| Phase::Cancelled { by: samples::person(user), during: Stage::Build };
    for (phase, said) in [
        (Phase::Waiting(WaitingFor::Turn), "@ana waits to deploy 27bd10a (main) to staging (hubot-staging): 2 ahead"),
        (
            Phase::NeedsCode { until: samples::at(600) },
            "@ana is deploying 27bd10a (main) to staging (hubot-staging): waiting for a one-time code",
        ),
        (Phase::Building { build: build.clone() }, "@ana is deploying 27bd10a (main) to staging (hubot-staging)"),
        (
            Phase::Unknown(Watched::Build { build }),
            "@ana is deploying 27bd10a (main) to staging (hubot-staging): how it stands is unknown since 00:00 UTC",
        ),
        (Phase::Succeeded { version: 12, dynos: DynosUp::Up(3) }, "@ana deployed 27bd10a (main) to staging (hubot-staging) as v12"),
        (
            Phase::Failed { during: Stage::Build, why: Failure::Build },
            "@ana could not deploy 27bd10a (main) to staging (hubot-staging): the build failed",
        ),
        (by("ana"), "@ana stopped the deploy of 27bd10a (main) to staging (hubot-staging)"),
        (by("bo"), "@bo stopped the deploy of 27bd10a (main) to staging (hubot-staging) by @ana"),
        (
            Phase::Freed { by: samples::person("bo"), was: Watched::Dynos { release, version: 12 }, because: None },
            "@bo freed the app of the deploy of 27bd10a (main) to staging (hubot-staging) by @ana: nobody knows how it ended",
        ),
    ] {
        assert_eq!(headline_of(phase), said);
    }
}

#[test]
fn skipped_checks_are_announced_with_the_reason() {
    let mut deployment = samples::deployment(Phase::Succeeded { version: 2, dynos: DynosUp::Up(1) });
    deployment.cargo.named_by = CommitRef::Commit;
    deployment.overriding =
        Some(Override { because: "the flaky test is known".to_owned(), skipped: vec![CheckName::parse("ci/circleci").unwrap()] });
    assert_eq!(
        plain_line(&show(&deployment, card).headline),
        "@ana deployed 27bd10a to staging (hubot-staging) as v2, skipping ci/circleci: the flaky test is known"
    );
}

#[test]
fn a_failure_tells_the_way_out() {
    let deployment = samples::deployment(Phase::Failed { during: Stage::Build, why: Failure::Build });
    let message = show(&deployment, card);
    assert_eq!(acts(&message), ["Show output", "Retry"]);
    assert_eq!(
        plain(&message),
        "@ana could not deploy 27bd10a (main) to staging (hubot-staging): the build failed\n\
         The build failed. What ran before goes on serving (build-failed)\n\
         Look at its output, mend the code, then deploy again.\n\
         acme/hubot: 2 commits by Ana and Bo.\n\
         build output · release · hubot-staging"
    );
    let gate = samples::deployment(Phase::Failed { during: Stage::Checks, why: samples::failures().remove(0) });
    let words = plain(&show(&gate, card));
    assert!(words.contains("(gate-closed)") && words.contains("(from-fork)"), "{words}");
}

#[test]
fn an_unknown_end_is_neither_good_nor_bad() {
    for was in samples::watched() {
        let message = show(&samples::deployment(Phase::Unknown(was)), card);
        assert_eq!(message.tone, Tone::Unknown);
        assert!(plain(&message).contains("We look again every ten minutes."));
        assert_eq!(message.buttons[0].style, ButtonStyle::Danger);
    }
}

#[test]
fn whoever_has_lost_a_login_is_told_that_nobody_can_look_without_it() {
    let unknown = samples::deployment(Phase::Unknown(Watched::Build { build: samples::build_id() }));
    let gone = |provider| Missing { provider, why: Obstacle::Withdrawn { since: samples::at(60) } };
    let both = [gone(Provider::SourceControl), gone(Provider::Platform)];
    for way in [card, ended] {
        let said = |missing: &[Missing]| plain(&show(&unknown, |view| way(&CardView { missing, ..*view })));
        let one = said(&both[1..]);
        assert!(one.contains("Nobody can look, since the login of the person who asked is gone at Heroku."), "{one}");
        assert!(one.contains("Once they log in again (login) we look at once. The app stays taken"), "{one}");
        assert!(!one.contains("We look again every ten minutes"), "{one}");
        assert!(said(&both).contains("is gone at GitHub and Heroku."), "{}", said(&both));
    }
    // What is over, and what goes on, says nothing of it: the next command does.
    let building = samples::deployment(Phase::Building { build: samples::build_id() });
    assert!(!plain(&show(&building, |view| card(&CardView { missing: &both, ..*view }))).contains("gone"));
}

#[test]
fn a_stop_is_asked_for_once() {
    let mut deployment = samples::deployment(Phase::Building { build: samples::build_id() });
    deployment.cancel = Some(Cancel { by: samples::person("bo"), at: samples::at(1), told: true, because: None });
    let message = show(&deployment, card);
    assert!(acts(&message).is_empty());
    assert!(plain(&message).contains("@bo asked to stop it, and the build is being stopped."));
    deployment.phase = Phase::Releasing { build: Some(samples::build_id()), release: samples::release_id(), version: None };
    assert!(plain(&show(&deployment, card)).contains("too late"));
}

#[test]
fn the_channel_is_not_told_how_to_give_a_code_and_the_asker_is() {
    let mut deployment = samples::deployment(Phase::NeedsCode { until: samples::at(600) });
    deployment.overriding = Some(Override { because: "ticket 123456".to_owned(), skipped: vec![] });
    deployment.cargo.asked = AskedRef::Named(RefName::parse("main").unwrap());
    assert!(!plain(&show(&deployment, card)).contains("CODE"));
    let message = show(&deployment, |view| needs_code(view, "/h", false));
    assert_eq!(message.audience, Audience::Asker);
    assert_eq!(
        plain(&message),
        "hubot-staging wants a one-time code before 27bd10a can go out\n\
         Type the same again, with the code as the last word: \
         /h deploy! hubot/main to staging/hubot-staging because \"ticket 123456\" CODE\n\
         The code is spent at once, never stored and never shown to anybody.\n\
         Without one the deploy gives up at 00:10 UTC."
    );
    let by_form = show(&deployment, |view| needs_code(view, "/h", true));
    assert!(plain(&by_form).contains("Enter it in a form, or type the same again"));
    assert_eq!(by_form.buttons.iter().map(|button| button.act).collect::<Vec<_>>(), [Act::EnterCode(deployment.id)]);
}

#[test]
fn a_turn_is_told() {
    let words = plain(&show(&samples::deployment(Phase::Starting), turn));
    assert_eq!(words, "Your turn came: 27bd10a (main) to staging (hubot-staging) starts now");
}
