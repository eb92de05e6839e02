//! What a source control promises: [`SourceControl`].

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use uuid::Uuid;

use super::{Arranged, LeftOut, fault_of, or_leave_out, tells_no_secret, value_of};
use crate::domain::checks::CheckState;
use crate::domain::fault::Fault;
use crate::domain::names::{CommitSha, DeploymentId, RefName, RepoName};
use crate::domain::pipeline::Environment;
use crate::domain::source::{AskedRef, CommitRef, Direction, OpenPull, Report, ReportState, Repository, Resolution};
use crate::ports::{AnnouncementOrder, ArchiveFault, SourceControl};

/// A record of a deployment as it lies outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The source control's id of it.
    pub id: String,
    /// The commit.
    pub commit: CommitSha,
    /// What it says at last, in the source control's own word; nothing, before the first report.
    pub state: Option<String>,
}

/// What others have made in the repository before the stage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Others {
    /// Branches beside the default branch.
    pub branches: Vec<String>,
    /// Tags.
    pub tags: Vec<String>,
    /// Open pull requests: number and branch.
    pub pulls: Vec<(u64, String)>,
}

/// How many checks and records a part makes: more than any page holds.
pub const MANY: usize = 130;

/// A source control with one repository, in which one person may do everything. Its default branch has a commit or more. Several stages
/// may share the repository, if no two work in it at once.
#[async_trait]
pub trait Stage: Send {
    /// The adapter.
    fn source(&self) -> Arc<dyn SourceControl>;

    /// The person's token.
    fn token(&self) -> SecretString;

    /// What no error may tell: the token, for one.
    fn secrets(&self) -> Vec<String>;

    /// The repository's name as it is now.
    fn repository(&self) -> RepoName;

    /// The stage's own name for a branch or a tag, which nothing in the repository has yet. The same again for the same word.
    fn own(&self, word: &str) -> String {
        format!("contract/{word}")
    }

    /// What others have made in the repository: nothing, unless the stage says so.
    async fn others(&mut self) -> Others {
        Others::default()
    }

    /// Adds a commit to a branch; a new branch begins at the head of the default branch.
    async fn push(&mut self, branch: &str) -> CommitSha;

    /// Puts a tag at a commit.
    async fn tag(&mut self, name: &str, at: &CommitSha) -> Arranged;

    /// Proposes a branch to be merged; the number of the pull request.
    async fn propose(&mut self, branch: &str) -> Result<u64, &'static str>;

    /// Reports this many checks for a commit, each by a name of its own; the last one fails, all others pass.
    async fn checks(&mut self, commit: &CommitSha, many: usize) -> Arranged;

    /// Requires a check on a branch.
    async fn require(&mut self, branch: &str, check: &str) -> Arranged;

    /// Others record this many deployments of a commit to an environment, without an id of ours.
    async fn records_of_others(&mut self, commit: &CommitSha, environment: Environment, many: usize) -> Arranged;

    /// All records of deployments of the stage's own commits, oldest first.
    async fn records(&mut self) -> Vec<Record>;

    /// Gives the repository another name; the old one leads there for a while.
    async fn rename(&mut self) -> Arranged;

    /// The next read fails in passing, and works when it is repeated.
    async fn stumble(&mut self) -> Arranged;

    /// The next write is done, and the adapter does not hear that it was.
    async fn lose_answer(&mut self) -> Arranged;

    /// The next write is not done: it comes too soon.
    async fn limit(&mut self) -> Arranged;

    /// From now on the token is not accepted.
    async fn withdraw_token(&mut self) -> Arranged;
}

/// The whole suite; `make` sets a new stage for each part of it.
pub async fn all<S: Stage>(make: impl AsyncFn() -> S) -> LeftOut {
    let mut left_out = LeftOut::default();
    a_repository_is_seen(make().await).await;
    a_ref_stands_for_a_commit(make().await).await;
    commits_are_compared(make().await).await;
    an_archive_can_be_read_twice(make().await).await;
    a_record_is_made_and_found(make().await).await;
    a_report_may_be_repeated(make().await).await;
    left_out.note("tags", a_branch_comes_before_a_tag_and_a_tag_before_a_hash(make().await).await);
    left_out.note("names to choose from", names_are_there_to_choose_from(make().await).await);
    left_out.note("many checks", checks_of_every_page_are_read(make().await).await);
    left_out.note("required checks", what_is_required_is_told(make().await).await);
    left_out.note("records of others", only_our_own_id_is_found(make().await).await);
    left_out.note("renamed", a_moved_repository_is_followed(make().await).await);
    left_out.note("a read that stumbles", reads_are_repeated(make().await).await);
    left_out.note("a lost answer", a_record_is_never_made_twice(make().await).await);
    left_out.note("a limit", what_comes_too_soon_is_not_done(make().await).await);
    left_out.note("token withdrawn", a_lost_token_is_told(make().await).await);
    left_out
}

fn name(text: &str) -> RefName {
    RefName::parse(text).unwrap()
}

async fn whole(stage: &impl Stage) -> Repository {
    value_of(stage.source().repository(&stage.token(), &stage.repository()).await, "a repository is seen by who may")
}

async fn resolved(stage: &impl Stage, asked: &AskedRef) -> Resolution {
    let repository = whole(stage).await;
    value_of(stage.source().resolve(&stage.token(), &repository, asked).await, "a ref is looked up")
}

#[track_caller]
fn found(resolution: Resolution, asked: &str) -> (CommitSha, CommitRef) {
    match resolution {
        Resolution::Found(found) => (found.commit, found.named_by),
        other => panic!("broken: {asked} stands for a commit; it was answered with {other:?}"),
    }
}

fn order(number: u128, commit: &CommitSha) -> AnnouncementOrder {
    AnnouncementOrder {
        deployment: DeploymentId(Uuid::from_u128(0x0189_0000_0000_7000_8000_0000_0000_0000 + number)),
        commit: commit.clone(),
        environment: Environment::Staging,
        app: "app-staging".to_owned(),
        description: format!("a contract's description {}", "that is far too long ".repeat(60)),
    }
}

fn report(state: ReportState) -> Report {
    Report { state, description: "as it goes ".repeat(60), log_url: None, environment_url: None }
}

async fn a_repository_is_seen(stage: impl Stage) {
    let seen = whole(&stage).await;
    assert!(seen.name.same_as(&stage.repository()), "broken: a repository has its present name: {seen:?}");
    assert_ne!(seen.may_deploy, Some(false), "broken: who may deploy is not told otherwise");
    assert!(!seen.archived && seen.web_url.starts_with("http"), "broken: a repository that can be written to has a page: {seen:?}");
    for time in ["first", "again"] {
        let for_deploy = stage.source().repository_for_deploy(&stage.token(), &stage.repository()).await;
        assert_eq!(value_of(for_deploy, "a repository is seen for a deploy"), seen, "broken: {time}, it is seen as it is");
    }
    let nowhere = RepoName::parse(&format!("{}/there-is-no-such-thing", stage.repository().owner())).unwrap();
    for outcome in
        [stage.source().repository(&stage.token(), &nowhere).await, stage.source().repository_for_deploy(&stage.token(), &nowhere).await]
    {
        assert_eq!(fault_of(outcome, "what is not there is not seen"), Fault::NotFound, "broken: what is not there is not found");
    }
}

async fn a_ref_stands_for_a_commit(mut stage: impl Stage) {
    let topic = stage.push(&stage.own("topic")).await;
    let default = whole(&stage).await.default_branch;
    let head = stage.push(default.as_str()).await;
    assert_ne!(topic, head);
    let (commit, by) = found(resolved(&stage, &AskedRef::Default).await, "the default branch");
    assert_eq!((commit, by), (head.clone(), CommitRef::Branch(default)), "broken: without a name the default branch is meant");
    let asked = AskedRef::Named(name(&stage.own("topic")));
    let (commit, by) = found(resolved(&stage, &asked).await, "a branch");
    assert_eq!((commit, by), (topic.clone(), CommitRef::Branch(name(&stage.own("topic")))), "broken: a branch stands for its head");
    for asked in [topic.as_str(), &topic.as_str()[..9]] {
        let (commit, by) = found(resolved(&stage, &AskedRef::Named(name(asked))).await, "a hash, full or short,");
        assert_eq!((commit, by), (topic.clone(), CommitRef::Commit), "broken: a hash stands for its commit");
    }
    let newer = stage.push(&stage.own("topic")).await;
    let (commit, _) = found(resolved(&stage, &AskedRef::Named(name(&stage.own("topic")))).await, "a branch");
    assert_eq!(commit, newer.clone(), "broken: what a ref stands for is what it stands for now");
    let pinned = AskedRef::Pinned { of: CommitRef::Branch(name(&stage.own("topic"))), commit: topic.clone() };
    assert_eq!(found(resolved(&stage, &pinned).await, "a pinned commit").0, topic, "broken: a pinned commit is the one that was asked for");
    let (source, token) = (stage.source(), stage.token());
    let branch = CommitRef::Branch(name(&stage.own("topic")));
    for (by, wanted) in [(branch, Some(newer)), (CommitRef::Branch(name(&stage.own("gone"))), None), (CommitRef::Commit, None)] {
        let now = value_of(source.points_at(&token, &stage.repository(), &by).await, "what a name points at is looked up");
        assert_eq!(now, wanted, "broken: a name points at what it points at now, and what is gone at nothing ({by:?})");
    }
    for unknown in [stage.own("topik"), "f".repeat(40)] {
        let resolution = resolved(&stage, &AskedRef::Named(name(&unknown))).await;
        assert!(matches!(resolution, Resolution::Unknown { .. }), "broken: what is not there is unknown: {resolution:?}");
    }
}

async fn a_branch_comes_before_a_tag_and_a_tag_before_a_hash(mut stage: impl Stage) -> Arranged {
    let one = stage.push(&stage.own("one")).await;
    let two = stage.push(&stage.own("two")).await;
    let tag = stage.own("tag");
    or_leave_out!(stage.tag(&tag, &one).await);
    let (commit, by) = found(resolved(&stage, &AskedRef::Named(name(&tag))).await, "a tag");
    assert_eq!((commit, by), (one.clone(), CommitRef::Tag(name(&tag))), "broken: a tag stands for its commit");
    let short = &two.as_str()[..9];
    or_leave_out!(stage.tag(short, &one).await);
    let (commit, by) = found(resolved(&stage, &AskedRef::Named(name(short))).await, "a tag that looks like a hash");
    assert_eq!((commit, by), (one.clone(), CommitRef::Tag(name(short))), "broken: a tag is tried before a hash");
    or_leave_out!(stage.tag(&stage.own("two"), &one).await);
    let both = resolved(&stage, &AskedRef::Named(name(&stage.own("two")))).await;
    assert_eq!(both, Resolution::BranchAndTag { branch: two, tag: one }, "broken: where branch and tag differ, nothing is guessed");
    Arranged::Done
}

async fn names_are_there_to_choose_from(mut stage: impl Stage) -> Arranged {
    let (source, token, repository) = (stage.source(), stage.token(), stage.repository());
    let default = whole(&stage).await.default_branch;
    let others = stage.others().await;
    let tags = |mine: &[String]| sorted(others.tags.iter().chain(mine).map(|tag| name(tag)));
    let pulls = |mine: &[(u64, String)]| sorted(others.pulls.iter().chain(mine).cloned());
    let listed = value_of(source.tags(&token, &repository).await, "where there are no tags, that is no fault");
    assert_eq!(sorted(listed), tags(&[]), "broken: no tag is told of that is not there");
    let listed = value_of(source.pulls(&token, &repository).await, "where nothing is proposed, that is no fault");
    assert_eq!(numbered(listed), pulls(&[]), "broken: nothing is told of that is not proposed");
    let (branch, tag) = (stage.own("proposed"), stage.own("v1"));
    let head = stage.push(&branch).await;
    or_leave_out!(stage.tag(&tag, &head).await);
    let number = match stage.propose(&branch).await {
        Ok(number) => number,
        Err(why) => return Arranged::Cannot(why),
    };
    let listed = value_of(source.branches(&token, &repository).await, "branches are listed");
    let wanted = others.branches.iter().chain([&branch]).map(|branch| name(branch)).chain([default]);
    assert_eq!(sorted(listed), sorted(wanted), "broken: all branches are there to choose from, and nothing else");
    let listed = value_of(source.tags(&token, &repository).await, "tags are listed");
    assert_eq!(sorted(listed), tags(&[tag]), "broken: all tags are there to choose from, and nothing else");
    let listed = value_of(source.pulls(&token, &repository).await, "pull requests are listed");
    assert_eq!(numbered(listed), pulls(&[(number, branch)]), "broken: what is proposed is there to choose from, by its number");
    Arranged::Done
}

fn sorted<T: Ord>(all: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut all: Vec<T> = all.into_iter().collect();
    all.sort();
    all
}

fn numbered(pulls: Vec<OpenPull>) -> Vec<(u64, String)> {
    sorted(pulls.into_iter().map(|pull| (pull.number, pull.branch)))
}

async fn checks_of_every_page_are_read(mut stage: impl Stage) -> Arranged {
    let commit = stage.push(&stage.own("checked")).await;
    or_leave_out!(stage.checks(&commit, MANY).await);
    let by = CommitRef::Branch(name(&stage.own("checked")));
    let checks = stage.source().checks(&stage.token(), &whole(&stage).await, &by, &commit).await;
    let checks = value_of(checks, "checks are read");
    let of = |state: CheckState| checks.reported.iter().filter(|check| check.state == state).count();
    assert_eq!((of(CheckState::Passed), of(CheckState::Failed)), (MANY - 1, 1), "broken: every page of a list is read");
    Arranged::Done
}

async fn what_is_required_is_told(mut stage: impl Stage) -> Arranged {
    let default = whole(&stage).await.default_branch;
    let topic = stage.push(&stage.own("free")).await;
    let own = stage.push(&stage.own("ruled")).await;
    or_leave_out!(stage.require(default.as_str(), "contract-default").await);
    or_leave_out!(stage.require(&stage.own("ruled"), "contract-own").await);
    let repository = whole(&stage).await;
    for (branch, commit, wanted) in [(stage.own("free"), &topic, "contract-default"), (stage.own("ruled"), &own, "contract-own")] {
        let by = CommitRef::Branch(name(&branch));
        let checks = value_of(stage.source().checks(&stage.token(), &repository, &by, commit).await, "rules are read");
        let required: Vec<&str> = checks.required.iter().map(|check| check.name.as_str()).collect();
        assert_eq!(required, [wanted], "broken: the rules of the ref count or, where it has none, those of the default branch ({branch})");
        assert!(checks.reported.is_empty(), "broken: nothing was reported for {branch}: {checks:?}");
    }
    Arranged::Done
}

async fn commits_are_compared(mut stage: impl Stage) {
    let default = whole(&stage).await.default_branch;
    let base = stage.push(default.as_str()).await;
    let left = stage.push(&stage.own("left")).await;
    let right = stage.push(&stage.own("right")).await;
    let repository = stage.repository();
    let token = stage.token();
    for (from, to, direction, added, dropped) in [
        (&base, &base, Direction::Same, 0, 0),
        (&base, &left, Direction::Ahead, 1, 0),
        (&left, &base, Direction::Behind, 0, 1),
        (&left, &right, Direction::Diverged, 1, 1),
    ] {
        let compared = value_of(stage.source().compare(&token, &repository, from, to).await, "commits are compared");
        let compared = compared.unwrap_or_else(|| panic!("broken: commits that are there can be compared ({direction:?})"));
        assert_eq!(
            (compared.direction, compared.added, compared.dropped),
            (direction, added, dropped),
            "broken: how one commit stands to another"
        );
    }
    let gone = CommitSha::parse(&"f".repeat(40)).unwrap();
    for (from, to) in [(&left, &right), (&right, &left)] {
        let compared = value_of(stage.source().compare(&token, &repository, from, to).await, "commits are compared");
        let difference = value_of(stage.source().difference(&token, &repository, from, to).await, "differences are read");
        let listed = difference.as_ref().map(|difference| difference.commits.len() as u64);
        assert_eq!(listed, compared.as_ref().map(|compared| compared.added.min(100)), "broken: every commit that is added is listed");
        assert_eq!(difference.map(|difference| difference.comparison), compared, "broken: a difference says what a comparison says");
    }
    let compared = value_of(stage.source().compare(&token, &repository, &gone, &left).await, "what is gone is no fault of comparing");
    assert_eq!(compared, None, "broken: with a commit that is gone there is nothing to compare");
}

async fn an_archive_can_be_read_twice(mut stage: impl Stage) {
    let commit = stage.push(&stage.own("shipped")).await;
    let mut archive = match stage.source().archive(&stage.token(), &stage.repository(), &commit).await {
        Ok(archive) => archive,
        Err(fault) => panic!("broken: a commit's source can be fetched: {fault:?}"),
    };
    let bytes = super::archive::all(&mut archive).await;
    assert!(bytes.starts_with(&[0x1f, 0x8b]), "broken: an archive is gzipped");
    let gone = CommitSha::parse(&"f".repeat(40)).unwrap();
    match stage.source().archive(&stage.token(), &stage.repository(), &gone).await {
        Err(ArchiveFault::Port(error)) => assert_eq!(error.fault, Fault::NotFound, "broken: what is not there is not found"),
        other => panic!("broken: of a commit that is not there is no archive: {other:?}"),
    }
}

async fn a_record_is_made_and_found(mut stage: impl Stage) {
    let commit = stage.push(&stage.own("recorded")).await;
    let (token, repository) = (stage.token(), stage.repository());
    let ours = order(1, &commit);
    let none = value_of(stage.source().find_announcement(&token, &repository, &ours).await, "records are looked through");
    assert_eq!(none, None, "broken: what was not made is not found");
    let id = value_of(stage.source().announce(&token, &repository, &ours).await, "a record is made, however long its description");
    let records = stage.records().await;
    assert_eq!(records.len(), 1, "broken: one order makes one record");
    assert_eq!(
        (records[0].id.as_str(), &records[0].commit),
        (id.as_str(), &commit),
        "broken: a record is of the commit, and its id is told"
    );
    let found = value_of(stage.source().find_announcement(&token, &repository, &ours).await, "records are looked through");
    assert_eq!(found, Some(id), "broken: the record that carries our id is found");
    let another = value_of(stage.source().find_announcement(&token, &repository, &order(2, &commit)).await, "records are looked through");
    assert_eq!(another, None, "broken: a record with another id is not ours");
}

async fn only_our_own_id_is_found(mut stage: impl Stage) -> Arranged {
    let commit = stage.push(&stage.own("busy")).await;
    let (token, repository) = (stage.token(), stage.repository());
    let id = value_of(stage.source().announce(&token, &repository, &order(1, &commit)).await, "a record is made");
    or_leave_out!(stage.records_of_others(&commit, Environment::Staging, MANY).await);
    let found = value_of(stage.source().find_announcement(&token, &repository, &order(1, &commit)).await, "records are looked through");
    assert_eq!(found, Some(id), "broken: ours is found among the records of others, whatever the page");
    let none = value_of(stage.source().find_announcement(&token, &repository, &order(2, &commit)).await, "records are looked through");
    assert_eq!(none, None, "broken: only our own id counts");
    Arranged::Done
}

async fn a_report_may_be_repeated(mut stage: impl Stage) {
    let commit = stage.push(&stage.own("told")).await;
    let (token, repository) = (stage.token(), stage.repository());
    let id = value_of(stage.source().announce(&token, &repository, &order(1, &commit)).await, "a record is made");
    let mut words = Vec::new();
    for state in [ReportState::Queued, ReportState::InProgress, ReportState::Failure, ReportState::Error, ReportState::Success] {
        for _ in 0..2 {
            value_of(stage.source().report(&token, &repository, &id, &report(state)).await, "a report is added, and safe to repeat");
        }
        words.extend(stage.records().await.into_iter().map(|record| record.state));
    }
    let different: std::collections::BTreeSet<&Option<String>> = words.iter().collect();
    assert_eq!(
        (words.len(), different.len()),
        (5, 5),
        "broken: a record says what was reported last, each state by a word of its own: {words:?}"
    );
    assert!(words.iter().all(Option::is_some), "broken: a report is seen: {words:?}");
}

async fn a_moved_repository_is_followed(mut stage: impl Stage) -> Arranged {
    let old = stage.repository();
    let default = whole(&stage).await.default_branch;
    let base = stage.push(default.as_str()).await;
    let head = stage.push(&stage.own("moved")).await;
    value_of(stage.source().repository_for_deploy(&stage.token(), &old).await, "a repository is seen for a deploy");
    or_leave_out!(stage.rename().await);
    let (source, token, new) = (stage.source(), stage.token(), stage.repository());
    assert!(!new.same_as(&old), "the stage gave it the same name");
    let moved = value_of(source.branches(&token, &old).await, "branches of a moved repository are followed");
    assert!(moved.contains(&name(&stage.own("moved"))), "broken: branches of a moved repository are followed: {moved:?}");
    let for_deploy = value_of(source.repository_for_deploy(&token, &old).await, "a moved repository is followed for a deploy");
    let seen = value_of(source.repository(&token, &old).await, "a moved repository is followed");
    assert_eq!(for_deploy, seen, "broken: for a deploy a repository has its present name");
    assert!(seen.name.same_as(&new), "broken: a repository has its present name: {seen:?}");
    let before = Repository { name: old.clone(), ..seen };
    let asked = AskedRef::Named(name(&stage.own("moved")));
    let resolution = value_of(source.resolve(&token, &before, &asked).await, "refs of a moved repository are followed");
    assert_eq!(found(resolution, "a branch").0, head);
    let compared = value_of(source.compare(&token, &old, &base, &head).await, "comparing in a moved repository is followed");
    assert_eq!(compared.map(|compared| compared.direction), Some(Direction::Ahead));
    let by = CommitRef::Branch(name(&stage.own("moved")));
    value_of(source.checks(&token, &before, &by, &head).await, "checks of a moved repository are followed");
    let id = value_of(source.announce(&token, &old, &order(1, &head)).await, "a record in a moved repository is made");
    let records = stage.records().await;
    assert_eq!(records.len(), 1, "broken: following makes one record");
    let found = value_of(source.find_announcement(&token, &old, &order(1, &head)).await, "records of a moved repository are followed");
    assert_eq!(found.as_ref(), Some(&id), "broken: the record is found by the old name too");
    value_of(source.report(&token, &old, &id, &report(ReportState::Success)).await, "reports in a moved repository are followed");
    assert!(source.archive(&token, &old, &head).await.is_ok(), "broken: the archive of a moved repository is followed");
    Arranged::Done
}

async fn reads_are_repeated(mut stage: impl Stage) -> Arranged {
    or_leave_out!(stage.stumble().await);
    whole(&stage).await;
    let commit = stage.push(&stage.own("stumbled")).await;
    or_leave_out!(stage.stumble().await);
    let compared = stage.source().compare(&stage.token(), &stage.repository(), &commit, &commit).await;
    assert!(value_of(compared, "reads are repeated").is_some());
    Arranged::Done
}

async fn a_record_is_never_made_twice(mut stage: impl Stage) -> Arranged {
    let commit = stage.push(&stage.own("once")).await;
    or_leave_out!(stage.lose_answer().await);
    let (token, repository) = (stage.token(), stage.repository());
    let made = stage.source().announce(&token, &repository, &order(1, &commit)).await;
    assert_eq!(fault_of(made, "without an answer nobody knows"), Fault::Unclear, "broken: a write without an answer is unclear");
    let records = stage.records().await;
    assert_eq!(records.len(), 1, "broken: a write is never repeated by the adapter: {records:?}");
    let found = value_of(stage.source().find_announcement(&token, &repository, &order(1, &commit)).await, "records are looked through");
    assert_eq!(found.map(|id| id.to_string()), Some(records[0].id.clone()), "broken: what was made without an answer is found by our id");
    Arranged::Done
}

async fn what_comes_too_soon_is_not_done(mut stage: impl Stage) -> Arranged {
    let commit = stage.push(&stage.own("soon")).await;
    or_leave_out!(stage.limit().await);
    let made = stage.source().announce(&stage.token(), &stage.repository(), &order(1, &commit)).await;
    let fault = fault_of(made, "what comes too soon is refused");
    assert!(matches!(fault, Fault::RateLimited { .. }), "broken: too many requests are told as such, and not as {fault:?}");
    assert!(stage.records().await.is_empty(), "broken: what was limited was not done");
    Arranged::Done
}

async fn a_lost_token_is_told(mut stage: impl Stage) -> Arranged {
    let commit = stage.push(&stage.own("lost")).await;
    let repository = whole(&stage).await;
    or_leave_out!(stage.withdraw_token().await);
    let (source, token, secrets) = (stage.source(), stage.token(), stage.secrets());
    let asked = AskedRef::Default;
    let errors = [
        source.repository(&token, &repository.name).await.map(drop),
        source.resolve(&token, &repository, &asked).await.map(drop),
        source.compare(&token, &repository.name, &commit, &commit).await.map(drop),
        source.difference(&token, &repository.name, &commit, &commit).await.map(drop),
        source.branches(&token, &repository.name).await.map(drop),
        source.tags(&token, &repository.name).await.map(drop),
        source.pulls(&token, &repository.name).await.map(drop),
        source.points_at(&token, &repository.name, &CommitRef::Branch(repository.default_branch.clone())).await.map(drop),
        source.announce(&token, &repository.name, &order(1, &commit)).await.map(drop),
        source.find_announcement(&token, &repository.name, &order(1, &commit)).await.map(drop),
    ];
    for outcome in errors {
        let error = outcome.expect_err("broken: without a token nothing is done");
        assert_eq!(error.fault, Fault::SignInLost, "broken: a lost token is told as such: {error}");
        tells_no_secret(&error, &secrets);
    }
    assert!(stage.records().await.is_empty(), "broken: without a token nothing is done");
    Arranged::Done
}
