//! Going back to a release that served before: what there is, what that would change, and what has to follow.

use secrecy::SecretString;

use crate::domain::account::Provider;
use crate::domain::actor::Person;
use crate::domain::command::{Because, Command, Terms, Where, Wish};
use crate::domain::deployment::{Back, Deployment, Phase, Target, Way};
use crate::domain::doubt::{Prospects, doubts};
use crate::domain::lock::{Lock, Locks, Scope};
use crate::domain::message::Message;
use crate::domain::names::{CommitSha, OfferId, RefName};
use crate::domain::pipeline::{App, Pipeline, PipelineKey, Place};
use crate::domain::release::{Release, ReleaseState, Running};
use crate::domain::request::Request;
use crate::domain::source::{AskedRef, CommitLine, CommitRef, Provenance, Repository, Resolved};
use crate::domain::speech::{self, Doing, ReturnRow};
use crate::ports::{Addressee, Credentials, PortError, StoreError, WakeKey};

use super::deploy::{self, Code, noting, spend};
use super::facts::{Prospect, Rights, find_place, judge_return};
use super::offers::{offer, offer_until};
use super::rights::judged_deploy;
use super::whereabouts::readable_repository;
use super::{Ports, Trouble, WhileDoing, confirm};

/// How many of the newest releases are looked at.
const RELEASES: usize = 100;
/// How many are offered.
const OFFERED: usize = 3;
/// How many of an app's deployments are looked at for whose work is taken back.
const OURS: usize = 60;
const TRIES: u32 = 50;

/// A way back as it was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ask<'a> {
    pub place: &'a Where,
    pub to: Option<u64>,
    pub because: Option<&'a Because>,
    pub terms: &'a Terms,
}

pub(super) async fn rollback(
    ports: &Ports,
    request: &Request,
    who: &Credentials,
    ask: Ask<'_>,
    code: Option<SecretString>,
) -> Result<Option<Message>, Trouble> {
    let asker = &request.origin.person;
    let again = |place| Command::Rollback { place, to: ask.to, because: ask.because.cloned(), terms: ask.terms.clone() };
    let found = find_place(ports, asker, &who.platform, ask.place, again).await;
    let (pipeline, app) = found.map_err(|trouble| noting(trouble, request.came_with_code.then(speech::code_unused)))?;
    let target = Target::of(&pipeline, &app);
    // A code lives for seconds: it is spent before anything else is looked at.
    let code = spend(ports, who, &target, request, code).await;
    let went = go_back(ports, request, who, ask, (&pipeline, &app, target), code).await;
    went.map_err(|trouble| noting(trouble, code.note()))
}

async fn go_back(
    ports: &Ports,
    request: &Request,
    who: &Credentials,
    ask: Ask<'_>,
    (pipeline, app, target): (&Pipeline, &App, Target),
    code: Code,
) -> Result<Option<Message>, Trouble> {
    let releases = ports.platform.releases(&who.platform, &app.id, RELEASES).await.while_doing(Doing::ReadingReleases)?;
    let Some(current) = releases.iter().find(|release| release.current) else { return Ok(Some(speech::nothing_to_go_back_from(app))) };
    let repository = readable_repository(ports, who, pipeline).await?;
    let candidates = candidates(&releases, current);
    let Some(version) = ask.to else {
        return choose(ports, request, who, ask, (pipeline, app, &repository), current, &releases, &candidates).await.map(Some);
    };
    let named = releases.iter().find(|release| release.version == version);
    let to = match named.filter(|release| may_return(release, current)) {
        Some(to) => to,
        None => {
            let choices = candidates.iter().take(OFFERED).map(|release| (release.version, Terms::default()));
            let buttons = buttons(ports, request, ask, pipeline, app, choices).await?;
            return Ok(Some(speech::no_way_back(app, version, named, &buttons)));
        }
    };
    let Some(code_id) = &to.code else { return Ok(Some(speech::no_way_back(app, version, named, &[]))) };
    let Some(commit) = commit_of(ports, who, app, to).await? else { return Ok(Some(speech::no_known_commit_of(app, to))) };
    let now_there = commit_of(ports, who, app, current).await?;
    let change = match &now_there {
        Some(now_there) => ports.source.compare(&who.source, &repository.name, now_there, &commit).await.unwrap_or(None),
        None => None,
    };
    let access = ports.platform.access(&who.platform, &app.id).await;
    let asker = &request.origin.person;
    let judged = judged_deploy(ports, &asker.workspace, asker, target.environment, false).await?;
    let verdict = judge_return(ports, &repository, &target, asker, &commit, (access, &judged)).await?;
    let what = AskedRef::Named(RefName::parse(commit.as_str()).map_err(|_| speech::no_known_commit_of(app, to))?);
    let place = Place { environment: app.environment, app: Some(app.name.clone()) };
    let wish = Wish { pipeline: PipelineKey::Id(pipeline.id.clone()), what, to: Some(place) };
    let newest = releases.iter().map(|release| release.version).max().unwrap_or(current.version);
    let way =
        Way::Back(Back { to: to.id.clone(), version, code: code_id.clone(), newest, configs: configs_between(&releases, to, current) });
    let prospect = Prospect {
        target,
        rights: Rights::OfNow,
        overrides_link_to: None,
        resolved: Resolved { commit, named_by: CommitRef::Commit, provenance: Provenance::Repository },
        access,
        running: Some(Running { version: current.version, commit: now_there, code: true }),
        unread: false,
        change,
        verdict,
        own_locks: Vec::new(),
        rules: judged.rules,
        repository,
    };
    let one = deploy::Ask { wish, passing_checks: false, because: ask.because.cloned(), terms: ask.terms.clone() };
    if let Some(answer) = deploy::without_beginning(ports, request, who, &one, &prospect, (code, &way)).await? {
        return Ok(Some(answer));
    }
    let place = Where { pipeline: PipelineKey::Id(pipeline.id.clone()), place: Some(deploy::place_of(&prospect.target)) };
    let sure = |terms| Command::Rollback { place: place.clone(), to: Some(version), because: ask.because.cloned(), terms };
    if let Some(question) = confirm::first(ports, request, who, (&one, code), (&prospect, &way), sure).await? {
        return Ok(Some(question));
    }
    deploy::go(ports, request, who, &one, prospect, (code, way)).await
}

/// Whether one can go back to a release: it succeeded, so that it served, and what it ran is still there.
fn may_return(release: &Release, current: &Release) -> bool {
    release.version < current.version
        && release.state == ReleaseState::Succeeded
        && release.can_return != Some(false)
        && release.code.is_some()
}

/// The releases that are offered: of each code that served before the present one, the last release; the newest first.
fn candidates<'a>(releases: &'a [Release], current: &Release) -> Vec<&'a Release> {
    let mut found: Vec<&Release> = Vec::new();
    for release in releases.iter().filter(|release| may_return(release, current) && release.code != current.code) {
        if found.last().is_none_or(|last| last.code != release.code) {
            found.push(release);
        }
    }
    found
}

/// How many releases after one and up to another changed the config and not the code.
fn configs_between(releases: &[Release], to: &Release, current: &Release) -> u64 {
    let mut between: Vec<&Release> = releases
        .iter()
        .filter(|one| (to.version..=current.version).contains(&one.version) && one.state == ReleaseState::Succeeded)
        .collect();
    between.sort_by_key(|release| release.version);
    let pairs = between.windows(2).filter(|pair| matches!(pair, [one, next] if one.code == next.code));
    u64::try_from(pairs.count()).unwrap_or(u64::MAX)
}

async fn commit_of(ports: &Ports, who: &Credentials, app: &App, release: &Release) -> Result<Option<CommitSha>, Trouble> {
    let Some(code) = &release.code else { return Ok(None) };
    ports.platform.commit_of(&who.platform, &app.id, code).await.while_doing(Doing::ReadingReleases)
}

/// A button for each, with what its asker has been shown of it. Who is shown all of it has been asked, and answers in time or not.
async fn buttons(
    ports: &Ports,
    request: &Request,
    ask: Ask<'_>,
    pipeline: &Pipeline,
    app: &App,
    to: impl Iterator<Item = (u64, Terms)>,
) -> Result<Vec<(String, OfferId)>, StoreError> {
    let place = Place { environment: app.environment, app: Some(app.name.clone()) };
    let place = Where { pipeline: PipelineKey::Id(pipeline.id.clone()), place: Some(place) };
    let (plain, shown): (Vec<_>, Vec<_>) = to
        .map(|(version, terms)| {
            let because = ask.because.cloned();
            (speech::roll_back_to(version), Command::Rollback { place: place.clone(), to: Some(version), because, terms })
        })
        .partition(|(_, command)| matches!(command, Command::Rollback { terms, .. } if terms.is_plain()));
    let mut buttons = offer_until(ports, &request.origin.person, shown, confirm::good_until(ports.clock.now())).await?;
    buttons.extend(offer(ports, &request.origin.person, plain).await?);
    Ok(buttons)
}

/// What somebody is sure of who goes back to one that they were shown in production.
fn shown(row: &ReturnRow, app: &App, current: &Release) -> Terms {
    let change = row.change.as_ref();
    let (to, by) = (app.environment, &CommitRef::Commit);
    let sure_of = doubts(&Prospects { to, by, passing: false, change, runs: true, name: None, own_locks: &[] });
    if sure_of.is_empty() {
        return Terms::default();
    }
    Terms { shown: row.commit.clone(), live: Some(current.version), sure_of, ..Terms::default() }
}

/// Shows what there is to go back to, and what each would change. Touches nothing.
#[expect(clippy::too_many_arguments, reason = "each is one fact of the message")]
async fn choose(
    ports: &Ports,
    request: &Request,
    who: &Credentials,
    ask: Ask<'_>,
    (pipeline, app, repository): (&Pipeline, &App, &Repository),
    current: &Release,
    releases: &[Release],
    candidates: &[&Release],
) -> Result<Message, Trouble> {
    let now_there = commit_of(ports, who, app, current).await?;
    let mut rows = Vec::new();
    for release in candidates.iter().take(OFFERED) {
        let commit = commit_of(ports, who, app, release).await?;
        let change = match (&now_there, &commit) {
            (Some(now_there), Some(commit)) => ports.source.compare(&who.source, &repository.name, now_there, commit).await.unwrap_or(None),
            (None, _) | (_, None) => None,
        };
        rows.push(ReturnRow { release: (*release).clone(), commit, change, configs: configs_between(releases, release, current) });
    }
    let expired = releases.iter().filter(|release| release.state == ReleaseState::Expired).count();
    let choices = rows.iter().map(|row| (row.release.version, shown(row, app, current)));
    let buttons = buttons(ports, request, ask, pipeline, app, choices).await?;
    Ok(speech::ways_back(app, current, &rows, expired, &buttons, ports.clock.now()))
}

/// What follows once a way back has ended well: its asker holds the environment, and those whose work was taken back are told. Safe to
/// repeat, but for that they may be told twice.
pub(super) async fn afterwards(ports: &Ports, deployment: &Deployment) -> Result<(), StoreError> {
    let (Some(back), Phase::Succeeded { version, .. }) = (deployment.back(), &deployment.phase) else { return Ok(()) };
    if deployment.is_orphaned() {
        return Ok(());
    }
    hold(ports, deployment, back).await?;
    let mut told = vec![deployment.origin.person.clone()];
    for other in ports.store.deployments_of_app(&deployment.target.app, OURS).await? {
        let Phase::Succeeded { version: theirs, .. } = other.phase else { continue };
        let person = &other.origin.person;
        let taken_back = (back.version.saturating_add(1)..*version).contains(&theirs) && other.back().is_none();
        if taken_back && !told.contains(person) {
            told.push(person.clone());
            tell(ports, deployment, person, &speech::taken_back(deployment, &other)).await;
        }
    }
    tell_authors(ports, deployment, &told).await
}

async fn tell(ports: &Ports, deployment: &Deployment, person: &Person, message: &Message) {
    if let Err(error) = ports.chat.say(&Addressee::Direct(person.clone()), message).await {
        tracing::warn!(deployment = %deployment.id, %error, "somebody could not be told that their work was taken back");
    }
}

/// Tells those whose commits were taken back, where people link their logins. Not finding out whose they are is no fault.
async fn tell_authors(ports: &Ports, deployment: &Deployment, told: &[Person]) -> Result<(), StoreError> {
    let Some(sign_ins) = &ports.sign_ins else { return Ok(()) };
    let Ok(who) = ports.accounts.credentials(&deployment.origin.person).await else { return Ok(()) };
    let commits = taken_back(ports, &who, deployment).await.unwrap_or_else(|error| {
        tracing::info!(deployment = %deployment.id, %error, "whose commits were taken back cannot be read");
        Vec::new()
    });
    if commits.is_empty() {
        return Ok(());
    }
    for account in sign_ins.linked.accounts.accounts().await? {
        let person = &account.person;
        let Some(login) = account.logins.get(&Provider::SourceControl) else { continue };
        if person.workspace != deployment.origin.person.workspace || told.contains(person) {
            continue;
        }
        let theirs: Vec<CommitLine> = commits.iter().filter(|commit| commit.author_id.as_ref() == Some(&login.id)).cloned().collect();
        if !theirs.is_empty() {
            tell(ports, deployment, person, &speech::commits_taken_back(deployment, &theirs)).await;
        }
    }
    Ok(())
}

/// The commits between what ran before and what was gone back to.
async fn taken_back(ports: &Ports, who: &Credentials, deployment: &Deployment) -> Result<Vec<CommitLine>, PortError> {
    let Phase::Succeeded { version, .. } = deployment.phase else { return Ok(Vec::new()) };
    let (app, cargo) = (&deployment.target.app, &deployment.cargo);
    let releases = ports.platform.releases(&who.platform, app, RELEASES).await?;
    let before = releases.iter().filter(|release| release.version < version && release.state == ReleaseState::Succeeded);
    let Some(code) = before.max_by_key(|release| release.version).and_then(|release| release.code.as_ref()) else { return Ok(Vec::new()) };
    let Some(live) = ports.platform.commit_of(&who.platform, app, code).await? else { return Ok(Vec::new()) };
    let difference = ports.source.difference(&who.source, &cargo.repository, &cargo.commit, &live).await?;
    Ok(difference.map(|difference| difference.commits).unwrap_or_default())
}

/// Holds the environment for whoever went back, unless somebody holds it.
async fn hold(ports: &Ports, deployment: &Deployment, back: &Back) -> Result<(), StoreError> {
    let target = &deployment.target;
    for _ in 0..TRIES {
        let now = ports.clock.now();
        let locks: Locks = ports.locks.locks(&target.pipeline, &target.pipeline_name).await?;
        if locks.at(now).any(|lock| lock.on.covers(target.environment)) {
            return Ok(());
        }
        let lock = Lock {
            on: Scope::Environment(target.environment),
            branch: None,
            holder: deployment.origin.person.clone(),
            because: Because::parse(&speech::held_after_return(target, back, deployment.because.as_deref())).ok(),
            since: now,
            set_at: now,
            until: None,
            taken_in: deployment.origin.channel.clone(),
            request: deployment.delivery.clone(),
            reminders: 0,
        };
        let Ok(taken) = locks.taken(lock, false, now) else { return Ok(()) };
        match ports.locks.save_locks(&taken.locks, Vec::new()).await {
            Ok(()) => {
                ports.clock.wake(WakeKey::Locks);
                return Ok(());
            }
            Err(StoreError::Conflict(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::names::{CodeId, ReleaseId};

    fn release(version: u64, code: &str, state: ReleaseState) -> Release {
        Release {
            id: ReleaseId::parse(&format!("r{version}")).unwrap(),
            version,
            state,
            current: false,
            description: String::new(),
            by: None,
            created_at: None,
            can_return: Some(state == ReleaseState::Succeeded),
            code: CodeId::parse(code).ok(),
        }
    }

    #[test]
    fn only_what_served_is_offered_and_config_is_counted() {
        use ReleaseState::{Expired, Failed, Succeeded};
        let releases = [
            release(9, "d", Succeeded),
            release(8, "d", Succeeded),
            release(7, "x", Failed),
            release(6, "c", Succeeded),
            release(5, "c", Succeeded),
            release(4, "b", Expired),
            release(3, "a", Succeeded),
            release(1, "", Succeeded),
        ];
        let [current, ..] = &releases;
        let versions: Vec<u64> = candidates(&releases, current).iter().map(|release| release.version).collect();
        assert_eq!(versions, [6, 3]);
        let to = |version| releases.iter().find(|release| release.version == version).unwrap();
        assert_eq!([6, 5, 3].map(|version| configs_between(&releases, to(version), current)), [1, 2, 2]);
        assert!(!may_return(to(7), current) && !may_return(to(4), current) && !may_return(to(1), current) && !may_return(current, current));
    }
}
