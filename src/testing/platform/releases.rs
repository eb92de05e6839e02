//! What a platform promises of releases, promotions and ways back.

use jiff::SignedDuration;

use super::super::{Arranged, fault_of, or_leave_out, value_of};
use super::{Stage, commit, shipped};
use crate::domain::fault::Fault;
use crate::domain::names::{AppId, ReleaseId};
use crate::domain::release::ReleaseState;
use crate::ports::{PromotionOrder, PromotionSeen, PromotionStart, ReturnOrder, ReturnStart};

/// What the app has released, newest first; that is at least so much.
async fn newest_first(stage: &impl Stage, least: usize) {
    let (platform, token, app) = (stage.platform(), stage.token(), stage.app().0);
    assert!(value_of(platform.releases(&token, &app, 0).await, "none are none").is_empty(), "broken: at most so many");
    let all = value_of(platform.releases(&token, &app, 1000).await, "releases are listed");
    assert!(all.len() >= least && all.is_sorted_by(|one, next| one.version > next.version), "broken: newest first: {all:?}");
    let one = value_of(platform.releases(&token, &app, 1).await, "releases are listed");
    assert_eq!(one.as_slice(), &all[..all.len().min(1)], "broken: at most so many, and the newest");
    let serving = all.iter().filter(|release| release.current).count();
    assert!(serving <= 1, "broken: one release serves: {all:?}");
    let running = value_of(platform.running(&token, &app).await, "what runs is told");
    let current = all.iter().find(|release| release.current).map(|release| release.version);
    assert_eq!(running.map(|running| running.version), current, "broken: what runs is the release that serves");
}

pub(super) async fn releases_come_newest_first(mut stage: impl Stage) -> Arranged {
    newest_first(&stage, 0).await;
    or_leave_out!(stage.builds_go());
    let first = shipped(&mut stage, 1).await;
    let second = shipped(&mut stage, 2).await;
    newest_first(&stage, 2).await;
    let (platform, token, app) = (stage.platform(), stage.token(), stage.app().0);
    let releases = value_of(platform.releases(&token, &app, 2).await, "releases are listed");
    let ids: Vec<&ReleaseId> = releases.iter().map(|release| &release.id).collect();
    assert_eq!(ids, [&second, &first], "broken: newest first, at most so many");
    let current: Vec<&ReleaseId> = releases.iter().filter(|release| release.current).map(|release| &release.id).collect();
    assert_eq!(current, [&second], "broken: one release serves");
    Arranged::Done
}

pub(super) async fn one_goes_back_to_what_served(mut stage: impl Stage) -> Arranged {
    or_leave_out!(stage.builds_go());
    let since = stage.clock().now() - SignedDuration::from_mins(1);
    let (first, second) = (shipped(&mut stage, 1).await, shipped(&mut stage, 2).await);
    let (platform, token, app) = (stage.platform(), stage.token(), stage.app().0);
    let seen = value_of(platform.release(&token, &app, &first).await, "a release is read");
    let newest = value_of(platform.release(&token, &app, &second).await, "a release is read").version;
    let code = seen.code.clone().expect("broken: a release that was built tells what it runs");
    let of = value_of(platform.commit_of(&token, &app, &code).await, "what it was built from is told");
    assert_eq!(of, Some(commit()), "broken: code is of the commit that it was built from");
    let order = ReturnOrder { to: first, code: code.clone(), newest, since };
    let none = value_of(platform.find_return(&token, &app, &order).await, "what went back is looked for");
    assert_eq!(none, None, "broken: before one goes back there is no trace of it");
    let ReturnStart::Started(made) = value_of(platform.roll_back(&token, &app, &order).await, "one goes back") else {
        panic!("broken: where nothing stands in the way, one goes back")
    };
    assert!(made.version > newest && made.code == Some(code), "broken: a new release, with what served before: {made:?}");
    let found = value_of(platform.find_return(&token, &app, &order).await, "what went back is looked for");
    assert_eq!(found.map(|found| found.id), Some(made.id.clone()), "broken: what went back is found");
    stage.finish().await;
    let now = value_of(platform.release(&token, &app, &made.id).await, "a release is read");
    assert_eq!((now.state, now.current), (ReleaseState::Succeeded, true), "broken: what went back serves in the end");
    value_of(platform.roll_back(&token, &app, &order).await, "one goes back again");
    let several = platform.find_return(&token, &app, &order).await;
    assert_eq!(fault_of(several, "of several that fit, none is taken"), Fault::Nonsense, "broken: nobody can tell which it was");
    Arranged::Done
}

/// Ships something; the order to have it taken over by another app.
async fn to_promote(stage: &mut impl Stage, target: &AppId) -> PromotionOrder {
    let since = stage.clock().now() - SignedDuration::from_mins(1);
    let release = shipped(stage, 1).await;
    let before = value_of(stage.platform().releases(&stage.token(), target, 1).await, "releases are listed");
    let newest = before.first().map_or(0, |release| release.version);
    PromotionOrder { pipeline: stage.pipeline(), from: stage.app().0, release, commit: commit(), newest, since }
}

pub(super) async fn a_release_is_taken_over_by_another_app(mut stage: impl Stage) -> Arranged {
    let target = match stage.next_app().await {
        Ok(target) => target,
        Err(why) => return Arranged::Cannot(why),
    };
    let order = to_promote(&mut stage, &target).await;
    let (platform, token, newest) = (stage.platform(), stage.token(), order.newest);
    let none = value_of(platform.find_promoted(&token, &target, &order).await, "what was promoted is looked for");
    assert_eq!(none, None, "broken: before anything is promoted there is no trace of it");
    let PromotionStart::Started(id) = value_of(platform.promote(&token, &target, &order).await, "a release is taken over") else {
        panic!("broken: where nothing stands in the way, a release is taken over")
    };
    let seen = value_of(platform.promotion(&token, &target, &id).await, "how a promotion stands is told");
    assert!(!matches!(seen, PromotionSeen::Refused(_)), "broken: what was just ordered was not refused: {seen:?}");
    stage.finish().await;
    let PromotionSeen::Released(made) = value_of(platform.promotion(&token, &target, &id).await, "how a promotion stands is told") else {
        panic!("broken: a promotion that is over names its release")
    };
    let serves = value_of(platform.release(&token, &target, &made).await, "a release is read");
    assert!(serves.version > newest && serves.current, "broken: what was taken over is a new release, and serves: {serves:?}");
    let running = value_of(platform.running(&token, &target).await, "what runs is told").expect("broken: what was taken over runs");
    assert_eq!((running.version, running.commit), (serves.version, Some(commit())), "broken: what runs is of the commit that was promoted");
    let found = value_of(platform.find_promoted(&token, &target, &order).await, "what was promoted is looked for");
    assert_eq!(found.map(|found| found.id), Some(made), "broken: what was promoted is found");
    value_of(platform.promote(&token, &target, &order).await, "a release is taken over again");
    stage.finish().await;
    let several = platform.find_promoted(&token, &target, &order).await;
    assert_eq!(fault_of(several, "of several that fit, none is taken"), Fault::Nonsense, "broken: nobody can tell which it was");
    Arranged::Done
}

pub(super) async fn a_failed_release_serves_nobody(mut stage: impl Stage) -> Arranged {
    or_leave_out!(stage.builds_go());
    let good = shipped(&mut stage, 1).await;
    or_leave_out!(stage.fail_next_release().await);
    let bad = shipped(&mut stage, 2).await;
    let (platform, token, app) = (stage.platform(), stage.token(), stage.app().0);
    let seen = value_of(platform.release(&token, &app, &bad).await, "a release is read");
    assert_eq!((seen.state, seen.current), (ReleaseState::Failed, false), "broken: a release whose release phase failed serves nobody");
    let before = value_of(platform.release(&token, &app, &good).await, "a release is read");
    assert!(before.current, "broken: the release before goes on serving");
    let running = value_of(platform.running(&token, &app).await, "what runs is told").expect("broken: something runs");
    assert_eq!(running.version, before.version, "broken: what runs is the release that serves");
    Arranged::Done
}

pub(super) async fn a_code_opens_the_next_app_to_a_promotion(mut stage: impl Stage) -> Arranged {
    let target = match stage.next_app().await {
        Ok(target) => target,
        Err(why) => return Arranged::Cannot(why),
    };
    let order = to_promote(&mut stage, &target).await;
    let code = match stage.demand_code_of_next().await {
        Ok(code) => code,
        Err(why) => return Arranged::Cannot(why),
    };
    let (platform, token) = (stage.platform(), stage.token());
    let start = value_of(platform.promote(&token, &target, &order).await, "a code that is wanted is no fault");
    assert_eq!(start, PromotionStart::NeedsCode, "broken: that a code is wanted is told");
    let none = value_of(platform.find_promoted(&token, &target, &order).await, "what was promoted is looked for");
    assert_eq!(none, None, "broken: without its code nothing is promoted");
    assert!(value_of(platform.spend_code(&token, &target, code).await, "a code is given"), "broken: a right code is told as right");
    let PromotionStart::Started(id) = value_of(platform.promote(&token, &target, &order).await, "a release is taken over") else {
        panic!("broken: with its code a release is taken over")
    };
    stage.finish().await;
    let seen = value_of(platform.promotion(&token, &target, &id).await, "how a promotion stands is told");
    assert!(matches!(seen, PromotionSeen::Released(_)), "broken: a promotion that is over names its release: {seen:?}");
    Arranged::Done
}
