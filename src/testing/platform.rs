//! What a platform promises: [`Platform`].

mod builds;
pub mod following;
mod refusals;
mod releases;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::SignedDuration;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Arranged, LeftOut, or_leave_out, value_of};
use crate::domain::names::{AppId, AppName, BuildId, CommitSha, DeploymentId, PipelineId, ReleaseId, RepoName};
use crate::domain::release::{Build, BuildState};
use crate::ports::{ArchiveBody, BuildOrder, BuildStart, Clock, Platform, SourceArchive};

/// How many builds of others a part makes: more than a page is asked for.
pub const MANY: usize = 60;

/// A platform with one pipeline of one person's, and in it one app. Where builds go, the app has a release phase and runs nothing yet.
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

    /// Whether builds of the app may be ordered, and come to their end: what is uploaded is no app.
    fn builds_go(&self) -> Arranged {
        Arranged::Done
    }

    /// The repository that is linked to the pipeline at first.
    fn linked(&self) -> Option<RepoName> {
        None
    }

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

    /// From now on the next app wants a one-time code; this one works once.
    async fn demand_code_of_next(&mut self) -> Result<SecretString, &'static str>;

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
    left_out.note("a build", builds::a_build_becomes_a_release_and_dynos(make().await).await);
    left_out.note("what a build prints", builds::a_running_build_can_be_followed(make().await).await);
    left_out.note("an id of ours", builds::only_our_own_build_is_found(make().await).await);
    left_out.note("a build that is over", builds::a_build_that_is_over_can_be_stopped_again(make().await).await);
    left_out.note("new releases", releases::releases_come_newest_first(make().await).await);
    left_out.note("a way back", releases::one_goes_back_to_what_served(make().await).await);
    pages_are_for_people(make().await).await;
    builds::an_upload_may_be_repeated(make().await).await;
    left_out.note("a promotion", releases::a_release_is_taken_over_by_another_app(make().await).await);
    left_out.note("a promotion with a code", releases::a_code_opens_the_next_app_to_a_promotion(make().await).await);
    left_out.note("small pages", every_page_is_read(make().await).await);
    left_out.note("builds of others", builds::a_build_is_found_among_those_of_others(make().await).await);
    left_out.note("a linked repository", a_linked_repository_is_told(make().await).await);
    left_out.note("a running build", builds::a_running_build_is_stopped(make().await).await);
    left_out.note("a failed build", builds::a_failed_build_shows_its_output_cleaned(make().await).await);
    left_out.note("a failed release", releases::a_failed_release_serves_nobody(make().await).await);
    left_out.note("a code", refusals::a_code_opens_the_app_once(make().await).await);
    left_out.note("no slot", refusals::without_a_slot_nothing_is_built(make().await).await);
    left_out.note("a read that stumbles", refusals::reads_are_repeated(make().await).await);
    left_out.note("a lost answer", refusals::a_build_is_never_ordered_twice(make().await).await);
    left_out.note("a limit", refusals::what_comes_too_soon_is_not_done(make().await).await);
    left_out.note("token withdrawn", refusals::a_lost_token_is_told(make().await).await);
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
    or_leave_out!(stage.builds_go());
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
    assert_eq!(none, stage.linked(), "broken: what is linked is told, and nothing where nothing is");
    let repository = RepoName::parse("acme/contract").unwrap();
    or_leave_out!(stage.link(&repository).await);
    let linked = value_of(stage.platform().linked_repository(&stage.token(), &stage.pipeline()).await, "a link is read");
    assert_eq!(linked, Some(repository), "broken: the linked repository is told");
    Arranged::Done
}

/// A build that nobody has ordered.
fn no_build() -> BuildId {
    BuildId::parse("33333333-0000-4000-8000-000000000000").unwrap()
}

async fn pages_are_for_people(stage: impl Stage) {
    let release = ReleaseId::parse("44444444-0000-4000-8000-000000000000").unwrap();
    let (platform, name) = (stage.platform(), stage.app().1);
    let pages = [
        platform.pipeline_page(&stage.pipeline()),
        platform.app_page(&name),
        platform.build_page(&name, &no_build()),
        platform.release_page(&name, &release),
    ];
    for page in &pages {
        assert!(page.starts_with("https://") || page.starts_with("http://"), "broken: a page is an absolute address: {page}");
        for secret in stage.secrets() {
            assert!(!page.contains(&secret), "broken: a page is for everybody");
        }
    }
}
