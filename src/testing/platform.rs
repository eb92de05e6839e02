//! What a platform promises.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::poll;
use jiff::SignedDuration;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Arranged, LeftOut, fault_of, or_leave_out, tells_no_secret, value_of};
use crate::domain::fault::Fault;
use crate::domain::names::{AppId, AppName, BuildId, CodeId, CommitSha, DeploymentId, PipelineId, ReleaseId, RepoName};
use crate::domain::release::{Access, Build, BuildState, DynoKind, DynosVerdict, ReleaseState, judge_dynos};
use crate::ports::{
    ArchiveBody, BuildOrder, BuildStart, Clock, Heard, Platform, Printed, PromotionOrder, PromotionSeen, PromotionStart, ReturnOrder,
    ReturnStart, SourceArchive,
};

/// How many builds of others a part makes: more than a page is asked for.
pub const MANY: usize = 60;

/// A platform with one pipeline of one person's, and in it one app with a release phase, which runs nothing yet.
#[async_trait]
pub trait Stage: Send {
    /// The adapter.
    fn platform(&self) -> Arc<dyn Platform>;

    /// The time that everything was given.
    fn clock(&self) -> Arc<dyn Clock>;

    /// The person's token.
    fn token(&self) -> SecretString;

    /// What no error may tell: the token, for one.
    fn secrets(&self) -> Vec<String>;

    /// The pipeline.
    fn pipeline(&self) -> PipelineId;

    /// The app in it.
    fn app(&self) -> (AppId, AppName);

    /// Another app of the pipeline, without anything in it, that may take over what the app runs.
    async fn next_app(&mut self) -> Result<AppId, &'static str>;

    /// All names of pipelines and apps that the person sees, each as `pipeline` or `pipeline/app`.
    async fn names(&mut self) -> Vec<String>;

    /// Lists come in pages of one from now on.
    async fn small_pages(&mut self) -> Arranged;

    /// Links a repository to the pipeline.
    async fn link(&mut self, repository: &RepoName) -> Arranged;

    /// Lets everything that goes on come to its end.
    async fn finish(&mut self);

    /// Keeps builds going from now on.
    async fn hold_builds(&mut self) -> Arranged;

    /// The next build fails, and prints a secret in its output, which is given back.
    async fn fail_next_build(&mut self) -> Result<Vec<String>, &'static str>;

    /// The release phase of the next release fails.
    async fn fail_next_release(&mut self) -> Arranged;

    /// How many builds of the app there are.
    async fn builds(&mut self) -> usize;

    /// Others order builds of the app, without an id of ours.
    async fn builds_of_others(&mut self, many: usize) -> Arranged;

    /// From now on the app wants a one-time code; this one works once.
    async fn demand_code(&mut self) -> Result<SecretString, &'static str>;

    /// From now on there is no room for another build.
    async fn fill_slots(&mut self) -> Arranged;

    /// The next read fails in passing, and works when it is repeated.
    async fn stumble(&mut self) -> Arranged;

    /// The next build that is ordered is made, and the adapter does not hear that it was.
    async fn lose_answer(&mut self) -> Arranged;

    /// The next build that is ordered is not made: it comes too soon.
    async fn limit(&mut self) -> Arranged;

    /// From now on the token is not accepted.
    async fn withdraw_token(&mut self) -> Arranged;
}

/// The whole suite; `make` sets a new stage for each part of it.
pub async fn all<S: Stage>(make: impl AsyncFn() -> S) -> LeftOut {
    let mut left_out = LeftOut::default();
    pipelines_and_apps_are_listed(make().await).await;
    a_build_becomes_a_release_and_dynos(make().await).await;
    a_running_build_can_be_followed(make().await).await;
    only_our_own_build_is_found(make().await).await;
    a_build_that_is_over_can_be_stopped_again(make().await).await;
    releases_come_newest_first(make().await).await;
    one_goes_back_to_what_served(make().await).await;
    pages_are_for_people(make().await).await;
    an_upload_may_be_repeated(make().await).await;
    left_out.note("a promotion", a_release_is_taken_over_by_another_app(make().await).await);
    left_out.note("small pages", every_page_is_read(make().await).await);
    left_out.note("builds of others", a_build_is_found_among_those_of_others(make().await).await);
    left_out.note("a linked repository", a_linked_repository_is_told(make().await).await);
    left_out.note("a running build", a_running_build_is_stopped(make().await).await);
    left_out.note("a failed build", a_failed_build_shows_its_output_cleaned(make().await).await);
    left_out.note("a failed release", a_failed_release_serves_nobody(make().await).await);
    left_out.note("a code", a_code_opens_the_app_once(make().await).await);
    left_out.note("no slot", without_a_slot_nothing_is_built(make().await).await);
    left_out.note("a read that stumbles", reads_are_repeated(make().await).await);
    left_out.note("a lost answer", a_build_is_never_ordered_twice(make().await).await);
    left_out.note("a limit", what_comes_too_soon_is_not_done(make().await).await);
    left_out.note("token withdrawn", a_lost_token_is_told(make().await).await);
    left_out
}

/// What is uploaded: three pieces.
const PIECES: [&str; 3] = ["in place ", "of ", "an archive"];

/// A source in memory.
#[derive(Debug, Default)]
struct Pieces(usize);

#[async_trait]
impl ArchiveBody for Pieces {
    async fn next(&mut self) -> std::io::Result<Option<Bytes>> {
        let piece = PIECES.get(self.0).map(|piece| Bytes::from_static(piece.as_bytes()));
        self.0 += 1;
        Ok(piece)
    }

    async fn rewind(&mut self) -> std::io::Result<()> {
        self.0 = 0;
        Ok(())
    }
}

fn archive() -> SourceArchive {
    let whole = PIECES.concat();
    let sha256 = Sha256::digest(whole.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    SourceArchive { length: u64::try_from(whole.len()).unwrap(), sha256, body: Box::<Pieces>::default() }
}

fn commit() -> CommitSha {
    CommitSha::parse(&"c".repeat(40)).unwrap()
}

fn deployment(number: u128) -> DeploymentId {
    DeploymentId(Uuid::from_u128(0x0189_0000_0000_7000_8000_0000_0000_0000 + number))
}

async fn ordered(stage: &impl Stage, number: u128) -> Result<BuildStart, crate::domain::fault::PortError> {
    let source = value_of(stage.platform().upload(&stage.token(), archive()).await, "a source is uploaded");
    let order =
        BuildOrder { source, commit: commit(), repository: RepoName::parse("acme/contract").unwrap(), deployment: deployment(number) };
    stage.platform().start_build(&stage.token(), &stage.app().0, &order).await
}

async fn started(stage: &impl Stage, number: u128) -> Build {
    match value_of(ordered(stage, number).await, "a build is ordered") {
        BuildStart::Started(build) => build,
        other => panic!("broken: a build starts where nothing stands in its way; it was answered with {other:?}"),
    }
}

async fn looked_at(stage: &impl Stage, build: &BuildId) -> Build {
    value_of(stage.platform().build(&stage.token(), &stage.app().0, build).await, "a build is read")
}

/// Builds and lets it come to its end; gives the release.
async fn shipped(stage: &mut impl Stage, number: u128) -> ReleaseId {
    let build = started(stage, number).await;
    stage.finish().await;
    match looked_at(stage, &build.id).await.state {
        BuildState::Succeeded { release: Some(release) } => release,
        other => panic!("broken: a build that went well names its release: {other:?}"),
    }
}

async fn listed(stage: &impl Stage) -> Vec<String> {
    let (platform, token) = (stage.platform(), stage.token());
    let pipelines = value_of(platform.pipelines(&token).await, "pipelines are listed");
    assert!(
        pipelines.is_sorted_by_key(|pipeline| (pipeline.name.clone(), pipeline.id.clone())),
        "broken: by name, then by id: {pipelines:?}"
    );
    let mut names = Vec::new();
    for pipeline in pipelines {
        let apps = value_of(platform.apps(&token, &pipeline.id).await, "the apps of a pipeline are listed");
        assert!(apps.is_sorted_by_key(|app| (app.environment, app.name.clone())), "broken: by environment, then by name: {apps:?}");
        names.push(pipeline.name.to_string());
        names.extend(apps.iter().map(|app| format!("{}/{}", pipeline.name, app.name)));
    }
    names.sort();
    names
}

async fn pipelines_and_apps_are_listed(mut stage: impl Stage) {
    let mut names = stage.names().await;
    names.sort();
    assert_eq!(listed(&stage).await, names, "broken: all that the person sees, and nothing else");
    let apps = value_of(stage.platform().apps(&stage.token(), &stage.pipeline()).await, "the apps of a pipeline are listed");
    let (id, name) = stage.app();
    assert!(apps.iter().any(|app| app.id == id && app.name == name), "broken: an app has its id and name: {apps:?}");
}

async fn every_page_is_read(mut stage: impl Stage) -> Arranged {
    let mut names = stage.names().await;
    names.sort();
    let ours = started(&stage, 1).await;
    shipped(&mut stage, 2).await;
    or_leave_out!(stage.small_pages().await);
    assert_eq!(listed(&stage).await, names, "broken: every page of a list is read");
    let (platform, token, app) = (stage.platform(), stage.token(), stage.app().0);
    let releases = value_of(platform.releases(&token, &app, 2).await, "releases are listed");
    assert_eq!(releases.len(), 2, "broken: as many as there are, over all pages: {releases:?}");
    let since = stage.clock().now() - SignedDuration::from_hours(1);
    let found = value_of(platform.find_build(&token, &app, deployment(1), since).await, "builds are looked through");
    assert_eq!(found.map(|build| build.id), Some(ours.id), "broken: a build is found on whatever page");
    assert!(value_of(platform.running(&token, &app).await, "what runs is told").is_some());
    Arranged::Done
}

async fn a_linked_repository_is_told(mut stage: impl Stage) -> Arranged {
    let none =
        value_of(stage.platform().linked_repository(&stage.token(), &stage.pipeline()).await, "a pipeline without a link is no fault");
    assert_eq!(none, None, "broken: where nothing is linked, nothing is told");
    let repository = RepoName::parse("acme/contract").unwrap();
    or_leave_out!(stage.link(&repository).await);
    let linked = value_of(stage.platform().linked_repository(&stage.token(), &stage.pipeline()).await, "a link is read");
    assert_eq!(linked, Some(repository), "broken: the linked repository is told");
    Arranged::Done
}

async fn a_build_becomes_a_release_and_dynos(mut stage: impl Stage) {
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
}

async fn one_goes_back_to_what_served(mut stage: impl Stage) {
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
}

async fn a_release_is_taken_over_by_another_app(mut stage: impl Stage) -> Arranged {
    let target = match stage.next_app().await {
        Ok(target) => target,
        Err(why) => return Arranged::Cannot(why),
    };
    let since = stage.clock().now() - SignedDuration::from_mins(1);
    let release = shipped(&mut stage, 1).await;
    let (platform, token, from) = (stage.platform(), stage.token(), stage.app().0);
    let before = value_of(platform.releases(&token, &target, 1).await, "releases are listed");
    let newest = before.first().map_or(0, |release| release.version);
    let order = PromotionOrder { pipeline: stage.pipeline(), from, release, commit: commit(), newest, since };
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

async fn a_running_build_can_be_followed(mut stage: impl Stage) {
    let (platform, app) = (stage.platform(), stage.app().0);
    let mut nobody = platform.follow(&app, &BuildId::parse("33333333-0000-4000-8000-000000000000").unwrap(), None);
    for _ in 0..3 {
        assert!(poll!(nobody.heard()).is_pending(), "broken: where nothing has told where to listen, nothing is heard");
    }
    let build = started(&stage, 1).await;
    let mut follower = platform.follow(&app, &build.id, None);
    assert_eq!(follower.heard().await, Heard::Begun, "broken: a build that goes on is listened to");
    stage.finish().await;
    assert_eq!(follower.heard().await, Heard::Reason, "broken: when what was listened to is over there is a reason to look");
    assert!(matches!(looked_at(&stage, &build.id).await.state, BuildState::Succeeded { .. }), "broken: only a look tells how it ended");
}

async fn only_our_own_build_is_found(stage: impl Stage) {
    let (platform, token, app) = (stage.platform(), stage.token(), stage.app().0);
    let since = stage.clock().now() - SignedDuration::from_hours(1);
    let none = value_of(platform.find_build(&token, &app, deployment(1), since).await, "builds are looked through");
    assert_eq!(none, None, "broken: what was not ordered is not found");
    let build = started(&stage, 1).await;
    let found = value_of(platform.find_build(&token, &app, deployment(1), since).await, "builds are looked through");
    assert_eq!(found.map(|build| build.id), Some(build.id), "broken: the build that carries our id is found");
    let other = value_of(platform.find_build(&token, &app, deployment(2), since).await, "builds are looked through");
    assert_eq!(other, None, "broken: only our own id counts");
}

async fn a_build_is_found_among_those_of_others(mut stage: impl Stage) -> Arranged {
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

async fn a_build_that_is_over_can_be_stopped_again(mut stage: impl Stage) {
    let build = started(&stage, 1).await;
    stage.finish().await;
    let before = looked_at(&stage, &build.id).await;
    stopped(&stage, &build.id).await;
    stopped(&stage, &build.id).await;
    assert_eq!(looked_at(&stage, &build.id).await, before, "broken: only a look tells how a build ended");
}

async fn a_running_build_is_stopped(mut stage: impl Stage) -> Arranged {
    or_leave_out!(stage.hold_builds().await);
    let build = started(&stage, 1).await;
    stopped(&stage, &build.id).await;
    assert_eq!(looked_at(&stage, &build.id).await.state, BuildState::Failed, "broken: a build that was stopped did not work");
    stopped(&stage, &build.id).await;
    Arranged::Done
}

async fn releases_come_newest_first(mut stage: impl Stage) {
    let first = shipped(&mut stage, 1).await;
    let second = shipped(&mut stage, 2).await;
    let (platform, token, app) = (stage.platform(), stage.token(), stage.app().0);
    let releases = value_of(platform.releases(&token, &app, 2).await, "releases are listed");
    let ids: Vec<&ReleaseId> = releases.iter().map(|release| &release.id).collect();
    assert_eq!(ids, [&second, &first], "broken: newest first, at most so many");
    let current: Vec<&ReleaseId> = releases.iter().filter(|release| release.current).map(|release| &release.id).collect();
    assert_eq!(current, [&second], "broken: one release serves");
    let one = value_of(platform.releases(&token, &app, 1).await, "releases are listed");
    assert_eq!(one.len(), 1, "broken: at most so many");
    assert!(value_of(platform.releases(&token, &app, 0).await, "none are none").is_empty());
    let all = value_of(platform.releases(&token, &app, 1000).await, "releases are listed");
    assert!(all.len() >= 2 && all.is_sorted_by(|one, next| one.version > next.version), "broken: newest first: {all:?}");
}

async fn pages_are_for_people(mut stage: impl Stage) {
    let build = started(&stage, 1).await;
    stage.finish().await;
    let release = value_of(stage.platform().releases(&stage.token(), &stage.app().0, 1).await, "releases are listed").remove(0).id;
    let (platform, name) = (stage.platform(), stage.app().1);
    let pages = [
        platform.pipeline_page(&stage.pipeline()),
        platform.app_page(&name),
        platform.build_page(&name, &build.id),
        platform.release_page(&name, &release),
    ];
    for page in &pages {
        assert!(page.starts_with("https://") || page.starts_with("http://"), "broken: a page is an absolute address: {page}");
        for secret in stage.secrets() {
            assert!(!page.contains(&secret), "broken: a page is for everybody");
        }
    }
}

async fn an_upload_may_be_repeated(stage: impl Stage) {
    let first = value_of(stage.platform().upload(&stage.token(), archive()).await, "a source is uploaded");
    let second = value_of(stage.platform().upload(&stage.token(), archive()).await, "an upload is safe to repeat");
    assert_eq!((&first.sha256, &second.sha256), (&archive().sha256, &archive().sha256), "broken: the SHA-256 travels with the source");
    assert!(first.at <= stage.clock().now(), "broken: when it was uploaded is told");
    let shown = format!("{first:?}");
    assert!(!shown.contains("://"), "broken: the address of a source is a secret: {shown}");
}

async fn a_failed_build_shows_its_output_cleaned(mut stage: impl Stage) -> Arranged {
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

async fn a_failed_release_serves_nobody(mut stage: impl Stage) -> Arranged {
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

async fn a_code_opens_the_app_once(mut stage: impl Stage) -> Arranged {
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

async fn without_a_slot_nothing_is_built(mut stage: impl Stage) -> Arranged {
    or_leave_out!(stage.fill_slots().await);
    assert_eq!(value_of(ordered(&stage, 1).await, "a slot that is wanted is no fault"), BuildStart::NoSlot);
    assert_eq!(stage.builds().await, 0, "broken: without a slot nothing is built");
    Arranged::Done
}

async fn reads_are_repeated(mut stage: impl Stage) -> Arranged {
    let names = listed(&stage).await;
    or_leave_out!(stage.stumble().await);
    assert_eq!(listed(&stage).await, names, "broken: a read that stumbled is repeated");
    let build = started(&stage, 1).await;
    or_leave_out!(stage.stumble().await);
    looked_at(&stage, &build.id).await;
    Arranged::Done
}

async fn a_build_is_never_ordered_twice(mut stage: impl Stage) -> Arranged {
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

async fn what_comes_too_soon_is_not_done(mut stage: impl Stage) -> Arranged {
    or_leave_out!(stage.limit().await);
    let fault = fault_of(ordered(&stage, 1).await, "what comes too soon is refused");
    assert!(matches!(fault, Fault::RateLimited { .. }), "broken: too many requests are told as such, and not as {fault:?}");
    assert_eq!(stage.builds().await, 0, "broken: what was limited was not done");
    Arranged::Done
}

async fn a_lost_token_is_told(mut stage: impl Stage) -> Arranged {
    let build = started(&stage, 1).await;
    or_leave_out!(stage.withdraw_token().await);
    let (platform, token, app, secrets) = (stage.platform(), stage.token(), stage.app().0, stage.secrets());
    assert_eq!(
        platform.access(&token, &app).await,
        Access::default(),
        "broken: what cannot be told in advance is not told, and never fails"
    );
    let since = stage.clock().now() - SignedDuration::from_hours(1);
    let (release, code) = (ReleaseId::parse(build.id.as_str()).unwrap(), CodeId::parse(build.id.as_str()).unwrap());
    let back = ReturnOrder { to: release.clone(), code: code.clone(), newest: 1, since };
    let order = PromotionOrder { pipeline: stage.pipeline(), from: app.clone(), release, commit: commit(), newest: 1, since };
    let errors = [
        platform.roll_back(&token, &app, &back).await.map(drop),
        platform.find_return(&token, &app, &back).await.map(drop),
        platform.promote(&token, &app, &order).await.map(drop),
        platform.promotion(&token, &app, &build.id).await.map(drop),
        platform.find_promoted(&token, &app, &order).await.map(drop),
        platform.commit_of(&token, &app, &code).await.map(drop),
        platform.pipelines(&token).await.map(drop),
        platform.apps(&token, &stage.pipeline()).await.map(drop),
        platform.build(&token, &app, &build.id).await.map(drop),
        platform.stop_build(&token, &app, &build.id).await.map(drop),
        platform.releases(&token, &app, 5).await.map(drop),
        platform.running(&token, &app).await.map(drop),
        platform.dynos(&token, &app).await.map(drop),
        platform.output(&token, &app, &Printed::Build(build.id.clone()), 5).await.map(drop),
        platform.upload(&token, archive()).await.map(drop),
    ];
    for outcome in errors {
        let error = outcome.expect_err("broken: without a token nothing is done");
        assert_eq!(error.fault, Fault::SignInLost, "broken: a lost token is told as such: {error}");
        tells_no_secret(&error, &secrets);
    }
    Arranged::Done
}
