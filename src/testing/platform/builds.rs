//! What a platform promises of sources and builds.

use futures_util::poll;
use jiff::SignedDuration;

use super::super::{Arranged, or_leave_out, value_of};
use super::{MANY, Stage, archive, commit, deployment, looked_at, no_build, started};
use crate::domain::names::BuildId;
use crate::domain::release::{BuildState, DynoKind, DynosVerdict, ReleaseState, judge_dynos};
use crate::ports::{Heard, Printed};

pub(super) async fn a_build_becomes_a_release_and_dynos(mut stage: impl Stage) -> Arranged {
    or_leave_out!(stage.builds_go());
    let (platform, token, app) = (stage.platform(), stage.token(), stage.app().0);
    let before = value_of(platform.running(&token, &app).await, "what runs is told");
    assert_eq!(before.and_then(|running| running.commit), None, "broken: before the first build nothing of ours runs");
    let build = started(&stage, 1).await;
    assert_eq!(build.state, BuildState::Pending, "broken: a build that was just ordered goes on");
    assert_eq!(looked_at(&stage, &build.id).await.id, build.id, "broken: a build has the id that was told");
    stage.finish().await;
    let BuildState::Succeeded { release: Some(release) } = looked_at(&stage, &build.id).await.state else {
        panic!("broken: a build that went well names its release")
    };
    let seen = value_of(platform.release(&token, &app, &release).await, "a release is read");
    assert_eq!((&seen.id, seen.state, seen.current), (&release, ReleaseState::Succeeded, true), "broken: a release that went well serves");
    let running = value_of(platform.running(&token, &app).await, "what runs is told").expect("broken: after a release something runs");
    assert_eq!((running.version, running.commit), (seen.version, Some(commit())), "broken: what runs is what was shipped");
    let dynos = value_of(platform.dynos(&token, &app).await, "dynos are listed");
    assert!(dynos.iter().any(|dyno| dyno.kind == DynoKind::Lasting), "broken: the dynos of the app are among them: {dynos:?}");
    let verdict = judge_dynos(&dynos, seen.version);
    assert!(matches!(verdict, DynosVerdict::Up { .. }), "broken: in the end the dynos of that release are up: {verdict:?}");
    for of in [Printed::Build(build.id), Printed::Release(release)] {
        let output = value_of(platform.output(&token, &app, &of, 2).await, "an output is read");
        let output = output.unwrap_or_else(|| panic!("broken: what is over has an output ({of:?})"));
        assert!((1..=2).contains(&output.lines().count()), "broken: at most so many lines, and the last ones: {output:?}");
        assert!(!output.chars().any(|c| c.is_control() && c != '\n'), "broken: an output is cleaned of control characters: {output:?}");
    }
    Arranged::Done
}

pub(super) async fn a_running_build_can_be_followed(mut stage: impl Stage) -> Arranged {
    let (platform, app) = (stage.platform(), stage.app().0);
    let mut nobody = platform.follow(&app, &no_build(), None);
    for _ in 0..3 {
        assert!(poll!(nobody.heard()).is_pending(), "broken: where nothing has told where to listen, nothing is heard");
    }
    or_leave_out!(stage.builds_go());
    let build = started(&stage, 1).await;
    let mut follower = platform.follow(&app, &build.id, None);
    assert_eq!(follower.heard().await, Heard::Begun, "broken: a build that goes on is listened to");
    stage.finish().await;
    assert_eq!(follower.heard().await, Heard::Reason, "broken: when what was listened to is over there is a reason to look");
    assert!(matches!(looked_at(&stage, &build.id).await.state, BuildState::Succeeded { .. }), "broken: only a look tells how it ended");
    Arranged::Done
}

pub(super) async fn only_our_own_build_is_found(stage: impl Stage) -> Arranged {
    or_leave_out!(stage.builds_go());
    let (platform, token, app) = (stage.platform(), stage.token(), stage.app().0);
    let since = stage.clock().now() - SignedDuration::from_hours(1);
    let none = value_of(platform.find_build(&token, &app, deployment(1), since).await, "builds are looked through");
    assert_eq!(none, None, "broken: what was not ordered is not found");
    let build = started(&stage, 1).await;
    let found = value_of(platform.find_build(&token, &app, deployment(1), since).await, "builds are looked through");
    assert_eq!(found.map(|build| build.id), Some(build.id), "broken: the build that carries our id is found");
    let other = value_of(platform.find_build(&token, &app, deployment(2), since).await, "builds are looked through");
    assert_eq!(other, None, "broken: only our own id counts");
    Arranged::Done
}

pub(super) async fn a_build_is_found_among_those_of_others(mut stage: impl Stage) -> Arranged {
    or_leave_out!(stage.builds_go());
    let since = stage.clock().now();
    let build = started(&stage, 1).await;
    or_leave_out!(stage.builds_of_others(MANY).await);
    let (platform, token, app) = (stage.platform(), stage.token(), stage.app().0);
    let found = value_of(platform.find_build(&token, &app, deployment(1), since).await, "builds are looked through");
    assert_eq!(found.map(|build| build.id), Some(build.id), "broken: ours is found among those of others");
    let none = value_of(platform.find_build(&token, &app, deployment(2), since).await, "builds are looked through");
    assert_eq!(none, None, "broken: only our own id counts");
    Arranged::Done
}

async fn stopped(stage: &impl Stage, build: &BuildId) {
    let outcome = stage.platform().stop_build(&stage.token(), &stage.app().0, build).await;
    value_of(outcome, "asking to stop is well also if it was over already, and safe to repeat");
}

pub(super) async fn a_build_that_is_over_can_be_stopped_again(mut stage: impl Stage) -> Arranged {
    or_leave_out!(stage.builds_go());
    let build = started(&stage, 1).await;
    stage.finish().await;
    let before = looked_at(&stage, &build.id).await;
    stopped(&stage, &build.id).await;
    stopped(&stage, &build.id).await;
    assert_eq!(looked_at(&stage, &build.id).await, before, "broken: only a look tells how a build ended");
    Arranged::Done
}

pub(super) async fn a_running_build_is_stopped(mut stage: impl Stage) -> Arranged {
    or_leave_out!(stage.hold_builds().await);
    let build = started(&stage, 1).await;
    stopped(&stage, &build.id).await;
    assert_eq!(looked_at(&stage, &build.id).await.state, BuildState::Failed, "broken: a build that was stopped did not work");
    stopped(&stage, &build.id).await;
    Arranged::Done
}

pub(super) async fn an_upload_may_be_repeated(stage: impl Stage) {
    let first = value_of(stage.platform().upload(&stage.token(), archive()).await, "a source is uploaded");
    let second = value_of(stage.platform().upload(&stage.token(), archive()).await, "an upload is safe to repeat");
    assert_eq!((&first.sha256, &second.sha256), (&archive().sha256, &archive().sha256), "broken: the SHA-256 travels with the source");
    assert!(first.at <= stage.clock().now(), "broken: when it was uploaded is told");
    let shown = format!("{first:?}");
    assert!(!shown.contains("://"), "broken: the address of a source is a secret: {shown}");
}

pub(super) async fn a_failed_build_shows_its_output_cleaned(mut stage: impl Stage) -> Arranged {
    let planted = match stage.fail_next_build().await {
        Ok(planted) => planted,
        Err(why) => return Arranged::Cannot(why),
    };
    let build = started(&stage, 1).await;
    stage.finish().await;
    assert_eq!(looked_at(&stage, &build.id).await.state, BuildState::Failed, "broken: a build that failed is told as such");
    let output = stage.platform().output(&stage.token(), &stage.app().0, &Printed::Build(build.id), 50).await;
    let output = value_of(output, "an output is read").expect("broken: a failed build has an output");
    for secret in planted {
        assert!(!output.contains(&secret), "broken: an output is cleaned of secrets: {}", output.replace(&secret, "***"));
    }
    assert!(!output.chars().any(|c| c.is_control() && c != '\n'), "broken: an output is cleaned of control characters: {output:?}");
    Arranged::Done
}
