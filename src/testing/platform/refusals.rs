//! What a platform promises where it refuses, stumbles or does not answer.

use jiff::SignedDuration;
use secrecy::SecretString;

use super::super::{Arranged, fault_of, or_leave_out, tells_no_secret, value_of};
use super::{Stage, archive, commit, deployment, listed, looked_at, no_build, ordered, started};
use crate::domain::fault::Fault;
use crate::domain::names::{CodeId, ReleaseId};
use crate::domain::release::Access;
use crate::ports::{BuildStart, Printed, PromotionOrder, ReturnOrder};

pub(super) async fn a_code_opens_the_app_once(mut stage: impl Stage) -> Arranged {
    let code = match stage.demand_code().await {
        Ok(code) => code,
        Err(why) => return Arranged::Cannot(why),
    };
    let (platform, token, app) = (stage.platform(), stage.token(), stage.app().0);
    assert_ne!(platform.access(&token, &app).await.needs_code, Some(false), "broken: that a code is needed is not told otherwise");
    assert_eq!(value_of(ordered(&stage, 1).await, "a code that is wanted is no fault"), BuildStart::NeedsCode);
    assert_eq!(stage.builds().await, 0, "broken: without its code nothing is built");
    let wrong = platform.spend_code(&token, &app, SecretString::from("000000")).await;
    assert!(!value_of(wrong, "a wrong code is no fault"), "broken: a wrong code is told as wrong");
    assert!(value_of(platform.spend_code(&token, &app, code).await, "a code is given"), "broken: a right code is told as right");
    started(&stage, 1).await;
    Arranged::Done
}

pub(super) async fn without_a_slot_nothing_is_built(mut stage: impl Stage) -> Arranged {
    or_leave_out!(stage.fill_slots().await);
    assert_eq!(value_of(ordered(&stage, 1).await, "a slot that is wanted is no fault"), BuildStart::NoSlot);
    assert_eq!(stage.builds().await, 0, "broken: without a slot nothing is built");
    Arranged::Done
}

pub(super) async fn reads_are_repeated(mut stage: impl Stage) -> Arranged {
    let names = listed(&stage).await;
    or_leave_out!(stage.stumble().await);
    assert_eq!(listed(&stage).await, names, "broken: a read that stumbled is repeated");
    let build = started(&stage, 1).await;
    or_leave_out!(stage.stumble().await);
    looked_at(&stage, &build.id).await;
    Arranged::Done
}

pub(super) async fn a_build_is_never_ordered_twice(mut stage: impl Stage) -> Arranged {
    or_leave_out!(stage.lose_answer().await);
    let since = stage.clock().now() - SignedDuration::from_hours(1);
    assert_eq!(
        fault_of(ordered(&stage, 1).await, "without an answer nobody knows"),
        Fault::Unclear,
        "broken: without an answer it is unclear"
    );
    assert_eq!(stage.builds().await, 1, "broken: a write is never repeated by the adapter");
    let (platform, token, app) = (stage.platform(), stage.token(), stage.app().0);
    let found = value_of(platform.find_build(&token, &app, deployment(1), since).await, "builds are looked through");
    assert!(found.is_some(), "broken: what was ordered without an answer is found by our id");
    Arranged::Done
}

pub(super) async fn what_comes_too_soon_is_not_done(mut stage: impl Stage) -> Arranged {
    or_leave_out!(stage.limit().await);
    let fault = fault_of(ordered(&stage, 1).await, "what comes too soon is refused");
    assert!(matches!(fault, Fault::RateLimited { .. }), "broken: too many requests are told as such, and not as {fault:?}");
    assert_eq!(stage.builds().await, 0, "broken: what was limited was not done");
    Arranged::Done
}

pub(super) async fn a_lost_token_is_told(mut stage: impl Stage) -> Arranged {
    let build = no_build();
    or_leave_out!(stage.withdraw_token().await);
    let (platform, token, app, secrets) = (stage.platform(), stage.token(), stage.app().0, stage.secrets());
    assert_eq!(
        platform.access(&token, &app).await,
        Access::default(),
        "broken: what cannot be told in advance is not told, and never fails"
    );
    let since = stage.clock().now() - SignedDuration::from_hours(1);
    let (release, code) = (ReleaseId::parse(build.as_str()).unwrap(), CodeId::parse(build.as_str()).unwrap());
    let back = ReturnOrder { to: release.clone(), code: code.clone(), newest: 1, since };
    let order = PromotionOrder { pipeline: stage.pipeline(), from: app.clone(), release, commit: commit(), newest: 1, since };
    let errors = [
        platform.roll_back(&token, &app, &back).await.map(drop),
        platform.find_return(&token, &app, &back).await.map(drop),
        platform.promote(&token, &app, &order).await.map(drop),
        platform.promotion(&token, &app, &build).await.map(drop),
        platform.find_promoted(&token, &app, &order).await.map(drop),
        platform.commit_of(&token, &app, &code).await.map(drop),
        platform.pipelines(&token).await.map(drop),
        platform.apps(&token, &stage.pipeline()).await.map(drop),
        platform.build(&token, &app, &build).await.map(drop),
        platform.stop_build(&token, &app, &build).await.map(drop),
        platform.releases(&token, &app, 5).await.map(drop),
        platform.running(&token, &app).await.map(drop),
        platform.dynos(&token, &app).await.map(drop),
        platform.output(&token, &app, &Printed::Build(build.clone()), 5).await.map(drop),
        platform.upload(&token, archive()).await.map(drop),
    ];
    for outcome in errors {
        let error = outcome.expect_err("broken: without a token nothing is done");
        assert_eq!(error.fault, Fault::SignInLost, "broken: a lost token is told as such: {error}");
        tells_no_secret(&error, &secrets);
    }
    Arranged::Done
}
