//! Records of every kind, with everything in them that can be in them. A variant without a sample does not compile.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::domain::account::{Account, Life, Login, Provider, Right, SealedTokens, Standing as LoginStanding};
use crate::domain::actor::{Origin, ReplyAddress};
use crate::domain::checks::Obstacle;
use crate::domain::command::{
    Because, Command, Hold, Limit, LockWish, MoveWish, PrivacyWish, Ride, RouteWish, RulesWish, Seek, Spot, Stretch, Terms, Verb, Where,
    Wish,
};
use crate::domain::deployment::samples::{all, at, deployment, every, person};
use crate::domain::deployment::{
    Announcement, Back, Cancel, Card, Failure, Mark, MessageRef, MovedBy, Override, Phase, Promote, Rider, Stage, StageTime, Together,
    Took, Untold, Usual, Way,
};
use crate::domain::doubt::Doubt;
use crate::domain::form::{self, Draft, Reasoned, Topic};
use crate::domain::gate::Reason;
use crate::domain::installation::{BotRight, Happened, Happening, Installation, Tenant};
use crate::domain::line::Line;
use crate::domain::lock::{ClockTime, Day, End as LockEnd, Ended, Ending, Lock, Locks, Scope, ZoneName};
use crate::domain::message::Act;
use crate::domain::names::*;
use crate::domain::notice::Mute;
use crate::domain::offer::Offer;
use crate::domain::page::PageAct;
use crate::domain::pipeline::{Destination, Environment, PipelineKey, Place};
use crate::domain::privacy::{
    Counts, Deed, Did, Ended as DeployEnded, Export, Group, Month, Note, Noted, Removal, RemovalStage, Told, Upkeep,
};
use crate::domain::request::{Ask, Request};
use crate::domain::rights::{self, Change, Denial, Entry, Kept, Matter, Party, Places, Rule, Rules, Who};
use crate::domain::route::{News, Only, Route, Routes, Sent};
use crate::domain::sign_in::{Digest, End, SignIn, Stage as VisitStage, Visit};
use crate::domain::source::{AskedRef, CommitRef, ReportState};

fn id() -> uuid::Uuid {
    uuid::Uuid::from_u128(7)
}

fn branch() -> RefName {
    RefName::parse("main").unwrap()
}

fn commit() -> CommitSha {
    CommitSha::parse(&"a".repeat(40)).unwrap()
}

fn obstacles() -> Vec<Obstacle> {
    vec![Obstacle { name: CheckName::parse("ci").unwrap(), url: Some("https://ci.example.com/1".to_owned()) }]
}

fn because() -> Because {
    Because::parse("it is known").unwrap()
}

fn place() -> Place {
    Place { environment: Environment::Staging, app: Some(AppName::parse("hubot-staging").unwrap()) }
}

/// What somebody has said yes to.
fn assent() -> Terms {
    Terms {
        shown: Some(CommitSha::parse(&"a".repeat(40)).unwrap()),
        release: ReleaseId::parse("r").ok(),
        live: Some(11),
        sure_of: BTreeSet::from([Doubt::PassesChecks]),
        code_spent_at: Some(at(0)),
        ..Terms::default()
    }
}

fn promotion(to: Destination) -> Command {
    let pipeline = pipeline_keys().remove(0);
    Command::Promote { pipeline, from: Some(place()), to: Some(to), passing_checks: true, because: Some(because()), terms: assent() }
}

fn message() -> MessageRef {
    MessageRef { workspace: WorkspaceId::parse("T1").unwrap(), channel: ChannelId::parse("C1").unwrap(), message: "1.2".to_owned() }
}

fn origin() -> Origin {
    let reply = Some(ReplyAddress::sealed("sealed".to_owned()));
    Origin { person: person("ana"), channel: ChannelId::parse("C1").unwrap(), reply }
}

every! {
    fn commit_refs() -> CommitRef {
        CommitRef::Branch(_) => [CommitRef::Branch(branch())],
        CommitRef::Tag(_) => [CommitRef::Tag(branch())],
        CommitRef::Commit => [CommitRef::Commit],
        CommitRef::Pull { .. } => [CommitRef::Pull { number: 7, branch: branch() }],
    }
}

every! {
    fn asked_refs_but_pinned() -> AskedRef {
        AskedRef::Default => [AskedRef::Default],
        AskedRef::Named(_) => [AskedRef::Named(branch())],
        AskedRef::Pull(_) => [AskedRef::Pull(7)],
        AskedRef::Pinned { .. } => [AskedRef::Pinned { of: CommitRef::Commit, commit: commit() }],
    }
}

fn asked_refs() -> Vec<AskedRef> {
    let pinned = commit_refs().into_iter().map(|of| AskedRef::Pinned { of, commit: commit() });
    asked_refs_but_pinned().into_iter().chain(pinned).collect()
}

every! {
    fn pipeline_keys() -> PipelineKey {
        PipelineKey::Name(_) => [PipelineKey::Name(PipelineName::parse("hubot").unwrap())],
        PipelineKey::Id(_) => [PipelineKey::Id(PipelineId::parse("pipeline-1").unwrap())],
    }
}

fn wish(pipeline: PipelineKey, what: AskedRef) -> Wish {
    Wish { pipeline, what, to: Some(place()) }
}

fn anywhere(pipeline: PipelineKey) -> Where {
    Where { pipeline, place: Some(place()) }
}

fn hold(pipeline: PipelineKey) -> Hold {
    Hold { pipeline, environment: Some(Environment::Staging) }
}

fn lock_wish(end: Ending) -> LockWish {
    LockWish {
        on: hold(pipeline_keys().remove(0)),
        branch: RefName::parse("topic").ok(),
        end: Some(end),
        because: Some(because()),
        anyway: true,
    }
}

fn channel() -> ChannelId {
    ChannelId::parse("C1").unwrap()
}

fn only() -> Only {
    Only { failures: true, environments: BTreeSet::from([Environment::Staging]) }
}

fn routes() -> Routes {
    let pipeline = PipelineId::parse("pipeline-1").unwrap();
    let none = Routes::none(person("ana").workspace, pipeline, PipelineName::parse("hubot").unwrap());
    none.with(Route { to: channel(), only: only(), by: person("ana").user, at: at(0), closed: Some(at(9)) })
}

fn commands_about(pipeline: &PipelineKey, what: &AskedRef) -> Vec<Command> {
    every! {
        fn kinds() -> Command {
            Command::Help { .. } => [Command::Help { about: Some(Verb::Deploy) }],
            Command::Login => [Command::Login],
            Command::Logout => [Command::Logout],
            Command::WhoAmI => [Command::WhoAmI],
            Command::Doctor => [Command::Doctor],
            Command::Pipelines => [Command::Pipelines],
            Command::Info { .. } => [Command::Info { pipeline: pipeline_keys().remove(0) }],
            Command::Plan(_) => [Command::Plan(wish(pipeline_keys().remove(0), AskedRef::Default))],
            Command::Deploy { .. } => [Command::Deploy {
                wish: wish(pipeline_keys().remove(0), AskedRef::Default), passing_checks: true, because: Some(because()),
                terms: Terms {
                    when_green: true,
                    ask_first: true,
                    ride: Ride::With(DeploymentId(id())),
                    ..assent()
                },
            }, Command::Deploy {
                wish: wish(pipeline_keys().remove(0), AskedRef::Default), passing_checks: false, because: None,
                terms: Terms { ride: Ride::Alone, ..Terms::default() },
            }],
            Command::Status { .. } => [Command::Status { pipeline: Some(pipeline_keys().remove(0)) }],
            Command::Queue(_) => [Command::Queue(anywhere(pipeline_keys().remove(0)))],
            Command::QueueMove(_) => [Command::QueueMove(MoveWish {
                pipeline: pipeline_keys().remove(0), what: AskedRef::Default, place: Some(place()), to: Spot::Nth(2),
            }), Command::QueueMove(MoveWish {
                pipeline: pipeline_keys().remove(0), what: AskedRef::Default, place: None, to: Spot::First,
            })],
            Command::Leave { .. } => [Command::Leave { line: Some(anywhere(pipeline_keys().remove(0))) }],
            Command::Cancel { .. } => [Command::Cancel { place: anywhere(pipeline_keys().remove(0)), because: Some(because()) }],
            Command::Free { .. } => [Command::Free { place: anywhere(pipeline_keys().remove(0)), because: because() }],
            Command::Releases(_) => [Command::Releases(anywhere(pipeline_keys().remove(0)))],
            Command::Where(Seek::Pipeline(_)) => [Command::Where(Seek::Pipeline(pipeline_keys().remove(0)))],
            Command::Where(Seek::InPipeline { .. }) => [
                Command::Where(Seek::InPipeline { pipeline: pipeline_keys().remove(0), what: AskedRef::Pull(7) }),
            ],
            Command::Where(Seek::Change { .. }) => [
                Command::Where(Seek::Change { what: AskedRef::Pull(7), repository: RepoName::parse("acme/hubot").ok() }),
            ],
            Command::Diff(Stretch { to: Some(Limit::Place(_)), .. }) => [
                Command::Diff(Stretch { pipeline: pipeline_keys().remove(0), from: Some(place()), to: Some(Limit::Place(place())) }),
            ],
            Command::Diff(Stretch { to: Some(Limit::Ref(_)) | None, .. }) => [
                Command::Diff(Stretch { pipeline: pipeline_keys().remove(0), from: Some(place()), to: Some(Limit::Ref(AskedRef::Pull(7))) }),
            ],
            Command::Promote { to: Some(Destination::Every { .. }), .. } => [promotion(Destination::Every { every_app_of: Environment::Production })],
            Command::Promote { to: Some(Destination::One(_)) | None, .. } => [promotion(Destination::One(place()))],
            Command::Rollback { .. } => [
                Command::Rollback { place: anywhere(pipeline_keys().remove(0)), to: Some(12), because: Some(because()), terms: assent() },
            ],
            Command::Lock(LockWish { end: Some(Ending::After(_)), .. }) => [Command::Lock(lock_wish(Ending::After(90)))],
            Command::Lock(LockWish { end: Some(Ending::At { .. }) | None, .. }) => [Command::Lock(lock_wish(Ending::At {
                day: Day::parse("2026-12-01").ok(), time: ClockTime::parse("17:00").unwrap(), zone: ZoneName::parse("Europe/Berlin").ok(),
            }))],
            Command::Unlock { .. } => [Command::Unlock {
                on: Some(hold(pipeline_keys().remove(0))), anyway: true, because: Some(because()),
            }],
            Command::Locks => [Command::Locks],
            Command::Mute { end: Some(Ending::After(_)) | None } => [Command::Mute { end: Some(Ending::After(90)) }],
            Command::Mute { end: Some(Ending::At { .. }) } => [Command::Mute { end: Some(Ending::At {
                day: Day::parse("2026-12-01").ok(), time: ClockTime::parse("17:00").unwrap(), zone: ZoneName::parse("Europe/Berlin").ok(),
            }) }],
            Command::Unmute => [Command::Unmute],
            Command::Route(_) => [Command::Route(RouteWish { pipeline: pipeline_keys().remove(0), to: channel(), only: only() })],
            Command::Routes => [Command::Routes],
            Command::Unroute { .. } => [Command::Unroute { pipeline: pipeline_keys().remove(0), from: Some(channel()) }],
            Command::History { .. } => [Command::History { pipeline: Some(pipeline_keys().remove(0)), before: Some(at(9)) }],
            Command::Rules { .. } => [Command::Rules { wish: RulesWish::Show }],
            Command::Privacy { wish: PrivacyWish::Show } => [Command::Privacy { wish: PrivacyWish::Show }],
            Command::Privacy { wish: PrivacyWish::Export } => [Command::Privacy { wish: PrivacyWish::Export }],
            Command::Privacy { wish: PrivacyWish::Delete { .. } } => [Command::Privacy { wish: PrivacyWish::Delete { sure: true } }],
        }
    }
    let about = |command: Command| match command {
        Command::Help { .. }
        | Command::Login
        | Command::Logout
        | Command::WhoAmI
        | Command::Pipelines
        | Command::Locks
        | Command::Mute { .. }
        | Command::Unmute
        | Command::Routes
        | Command::Doctor
        | Command::Privacy { .. }
        | Command::Rules { .. } => command,
        Command::Where(Seek::Pipeline(_)) => Command::Where(Seek::Pipeline(pipeline.clone())),
        Command::Where(Seek::InPipeline { .. }) => Command::Where(Seek::InPipeline { pipeline: pipeline.clone(), what: what.clone() }),
        Command::Where(Seek::Change { .. }) => command,
        Command::Diff(stretch) => Command::Diff(Stretch { pipeline: pipeline.clone(), ..stretch }),
        Command::Promote { from, to, passing_checks, because, terms, pipeline: _ } => {
            Command::Promote { pipeline: pipeline.clone(), from, to, passing_checks, because, terms }
        }
        Command::Rollback { to, because, terms, place: _ } => Command::Rollback { place: anywhere(pipeline.clone()), to, because, terms },
        Command::Lock(wish) => Command::Lock(LockWish { on: hold(pipeline.clone()), ..wish }),
        Command::Route(wish) => Command::Route(RouteWish { pipeline: pipeline.clone(), ..wish }),
        Command::Unroute { from, pipeline: _ } => Command::Unroute { pipeline: pipeline.clone(), from },
        Command::Unlock { anyway, because, on: _ } => Command::Unlock { on: Some(hold(pipeline.clone())), anyway, because },
        Command::Info { .. } => Command::Info { pipeline: pipeline.clone() },
        Command::Plan(_) => Command::Plan(wish(pipeline.clone(), what.clone())),
        Command::Deploy { passing_checks, because, terms, wish: _ } => {
            Command::Deploy { wish: wish(pipeline.clone(), what.clone()), passing_checks, because, terms }
        }
        Command::Status { .. } => Command::Status { pipeline: Some(pipeline.clone()) },
        Command::Queue(_) => Command::Queue(anywhere(pipeline.clone())),
        Command::QueueMove(wish) => Command::QueueMove(MoveWish { pipeline: pipeline.clone(), what: what.clone(), ..wish }),
        Command::Leave { .. } => Command::Leave { line: Some(anywhere(pipeline.clone())) },
        Command::Cancel { because, place: _ } => Command::Cancel { place: anywhere(pipeline.clone()), because },
        Command::Free { because, place: _ } => Command::Free { place: anywhere(pipeline.clone()), because },
        Command::Releases(_) => Command::Releases(anywhere(pipeline.clone())),
        Command::History { before, pipeline: _ } => Command::History { pipeline: Some(pipeline.clone()), before },
    };
    kinds().into_iter().map(about).collect()
}

/// Every command, about everything that it can be about.
fn commands() -> Vec<Command> {
    let keys = pipeline_keys();
    let rules = changes().into_iter().map(|change| Command::Rules { wish: RulesWish::Change { change, because: Some(because()) } });
    keys.iter().flat_map(|key| asked_refs().into_iter().flat_map(|what| commands_about(key, &what))).chain(rules).collect()
}

every! {
    fn whos() -> Who {
        Who::Everyone => [Who::Everyone],
        Who::Only(_) => [Who::Only(Party {
            people: users(),
            groups: BTreeSet::from([rights::Group { id: GroupId::parse("S1").unwrap(), name: GroupName::parse("crew").unwrap() }]),
        })],
    }
}

every! {
    fn open_places() -> Places {
        Places::Everywhere => [Places::Everywhere],
        Places::Only(_) => [Places::Only(BTreeSet::from([ChannelId::parse("C1").unwrap()]))],
    }
}

every! {
    fn rules_but_many() -> Rule {
        Rule::Use(_) => [Rule::Use(Who::Everyone)],
        Rule::Deploy { .. } => [Rule::Deploy { to: Environment::Production, who: Who::Everyone }],
        Rule::Override(_) => [Rule::Override(Who::Everyone)],
        Rule::Channels(_) => [Rule::Channels(Places::Everywhere)],
        Rule::Guests { .. } => [Rule::Guests { welcome: true }],
        Rule::Outsiders { .. } => [Rule::Outsiders { welcome: true }],
    }
}

fn all_rules() -> Vec<Rule> {
    let of_people = whos()
        .into_iter()
        .flat_map(|who| [Rule::Use(who.clone()), Rule::Deploy { to: Environment::Production, who: who.clone() }, Rule::Override(who)]);
    rules_but_many().into_iter().chain(of_people).chain(open_places().into_iter().map(Rule::Channels)).collect()
}

fn changes() -> Vec<Change> {
    all_rules().into_iter().map(Change::Set).chain(Matter::ALL.into_iter().map(Change::Reset)).collect()
}

every! {
    fn denials() -> Denial {
        Denial::Gone => [Denial::Gone],
        Denial::Guest => [Denial::Guest],
        Denial::Outsider => [Denial::Outsider],
        Denial::NotAUser => [Denial::NotAUser],
        Denial::WrongChannel => [Denial::WrongChannel],
        Denial::NotForEnvironment(_) => [Denial::NotForEnvironment(Environment::Production)],
        Denial::MayNotOverride => [Denial::MayNotOverride],
        Denial::Unreadable => [Denial::Unreadable],
    }
}

fn kept_rules() -> Rules {
    let kept = |rule| Kept { rule, by: person("ana").user, at: at(0), because: Some(because()) };
    Rules { workspace: person("ana").workspace, kept: all_rules().into_iter().map(kept).collect() }
}

fn entries() -> Vec<Entry> {
    let changed = |change, before| rights::Did::Rules { change, before, because: Some(because()) };
    let before = all_rules().into_iter().map(|rule| changed(Change::Reset(rule.matter()), Some(rule)));
    let pipeline = PipelineId::parse("pipeline-1").unwrap();
    let name = PipelineName::parse("hubot").unwrap();
    let routed = rights::Did::Routed { pipeline, name, to: channel(), only: Some(only()), before: Some(only()) };
    let ended = |on, taken_over| rights::Did::EndedLock {
        pipeline: PipelineId::parse("pipeline-1").unwrap(),
        name: PipelineName::parse("hubot").unwrap(),
        on,
        holder: person("bo"),
        taken_over,
        because: Some(because()),
    };
    let ended = [ended(Scope::Pipeline, true), ended(Scope::Environment(Environment::Staging), false)];
    let all = changes().into_iter().map(|change| changed(change, None)).chain(before).chain([routed]).chain(ended);
    let entry =
        |(id, did)| Entry { id: uuid::Uuid::from_u128(id), workspace: person("ana").workspace, at: at(0), by: person("ana").user, did };
    (100..).zip(all).map(entry).collect()
}

every! {
    fn acts() -> Act {
        Act::Cancel(_) => [Act::Cancel(DeploymentId(id()))],
        Act::Free(_) => [Act::Free(DeploymentId(id()))],
        Act::ShowOutput(_) => [Act::ShowOutput(DeploymentId(id()))],
        Act::Retry(_) => [Act::Retry(DeploymentId(id()))],
        Act::RollBack(_) => [Act::RollBack(DeploymentId(id()))],
        Act::Take(_) => [Act::Take(OfferId(id()))],
        Act::Decline(_) => [Act::Decline(OfferId(id()))],
        Act::ShipNow(_) => [Act::ShipNow(DeploymentId(id()))],
        Act::StepOut(_) => [Act::StepOut(DeploymentId(id()))],
        Act::EnterCode(_) => [Act::EnterCode(DeploymentId(id()))],
    }
}

every! {
    fn asks_but_many() -> Ask {
        Ask::Command(_) => [Ask::Command(Command::Pipelines)],
        Ask::Press { .. } => [Ask::Press { act: Act::Cancel(DeploymentId(id())), on: Some(message()) }],
        Ask::OnPage(_) => [
            Ask::OnPage(PageAct::Press(Act::Cancel(DeploymentId(id())))),
            Ask::OnPage(PageAct::Unlock { pipeline: PipelineId::parse("pipeline-1").unwrap(), on: Scope::Environment(Environment::Production) }),
            Ask::OnPage(PageAct::Unlock { pipeline: PipelineId::parse("pipeline-1").unwrap(), on: Scope::Pipeline }),
            Ask::OnPage(PageAct::UnlockAll),
            Ask::OnPage(PageAct::Unmute),
        ],
        Ask::Form(_) => [Ask::Form(Topic::Code(DeploymentId(id())))],
        Ask::Filled(_) => [Ask::Filled(Command::Pipelines)],
        Ask::Reasoned { .. } => [Ask::Reasoned { what: Reasoned::Free(DeploymentId(id())), because: because() }],
        Ask::Ship(_) => [
            Ask::Ship(Draft::default()),
            Ask::Ship(Draft::of_found(vec![form::Change { what: AskedRef::Pull(12), of: Some(RepoName::parse("acme/hubot").unwrap()) }])),
        ],
    }
}

fn requests() -> Vec<Request> {
    let presses = acts().into_iter().map(|act| Ask::Press { act, on: Some(message()) });
    let asks = asks_but_many()
        .into_iter()
        .chain(commands().into_iter().flat_map(|one| [Ask::Command(one.clone()), Ask::Filled(one)]))
        .chain(presses);
    let delivery = DeliveryId::parse("d1").unwrap();
    asks.map(|ask| Request {
        id: delivery.clone(),
        version: 1,
        origin: origin(),
        ask,
        came_with_code: true,
        received_at: at(0),
        answered: false,
    })
    .collect()
}

every! {
    fn reasons() -> Reason {
        Reason::ChecksFailed(_) => [Reason::ChecksFailed(obstacles())],
        Reason::ChecksPending(_) => [Reason::ChecksPending(obstacles())],
        Reason::ChecksMissing(_) => [Reason::ChecksMissing(obstacles())],
        Reason::ChecksUnreadable { .. } => [Reason::ChecksUnreadable { said: Some("no".to_owned()) }],
        Reason::RefMoved { .. } => [Reason::RefMoved { by: CommitRef::Branch(branch()), asked: commit(), now: commit() }],
        Reason::RefGone { .. } => [Reason::RefGone { by: CommitRef::Branch(branch()) }],
        Reason::NotOnRef { .. } => [Reason::NotOnRef { by: CommitRef::Branch(branch()), commit: commit() }],
        Reason::FromFork => [Reason::FromFork],
        Reason::Unreachable => [Reason::Unreachable],
        Reason::RepositoryArchived => [Reason::RepositoryArchived],
        Reason::MayNotRecord => [Reason::MayNotRecord],
        Reason::MayNotDeploy => [Reason::MayNotDeploy],
        Reason::Locked { .. } => [
            Reason::locked(&PipelineName::parse("hubot").unwrap(), &lock(Scope::Pipeline)),
            Reason::locked(&PipelineName::parse("hubot").unwrap(), &Lock { holder: person("bo"), ..lock(Scope::Environment(Environment::Staging)) }),
        ],
        Reason::ByRule(_) => [Reason::ByRule(Denial::Guest)],
    }
}

fn all_reasons() -> Vec<Reason> {
    let by = commit_refs().into_iter().flat_map(|by| {
        let moved = Reason::RefMoved { by: by.clone(), asked: commit(), now: commit() };
        [moved, Reason::RefGone { by: by.clone() }, Reason::NotOnRef { by, commit: commit() }]
    });
    reasons().into_iter().chain(by).chain(denials().into_iter().map(Reason::ByRule)).collect()
}

every! {
    fn cards() -> Card {
        Card::NotShown => [Card::NotShown],
        Card::At(_) => [Card::At(message())],
        Card::SaidOnce => [Card::SaidOnce],
    }
}

pub(crate) fn deployments() -> Vec<crate::domain::deployment::Deployment> {
    let refused = Phase::Failed { during: Stage::Checks, why: Failure::Gate(all_reasons()) };
    let mut found: Vec<_> = all().into_iter().chain([refused]).map(deployment).collect();
    found.extend(asked_refs().into_iter().zip(commit_refs().into_iter().cycle()).map(|(asked, named_by)| {
        let mut one = deployment(Phase::Starting);
        (one.cargo.asked, one.cargo.named_by) = (asked, named_by);
        one
    }));
    found.extend(cards().into_iter().map(|card| {
        let mut one = deployment(Phase::Starting);
        one.card = card;
        one
    }));
    let mut full = deployment(Phase::Succeeded { version: 12, dynos: crate::domain::deployment::DynosUp::Up(1) });
    full.origin = origin();
    full.way =
        Way::Back(Back { to: ReleaseId::parse("r").unwrap(), version: 11, code: CodeId::parse("slug-1").unwrap(), newest: 14, configs: 1 });
    full.target.web_url = Some("https://hubot.example.com".to_owned());
    full.cargo.overrides_link_to = Some(RepoName::parse("acme/hubot").unwrap());
    full.because = Some("why not".to_owned());
    full.overriding = Some(Override { because: "known".to_owned(), skipped: vec![CheckName::parse("ci").unwrap()] });
    full.times = vec![StageTime { stage: Stage::Build, began: at(0), ended: Some(at(1)) }];
    full.usual = Usual {
        build: Some(Took { least: 1, most: 2 }),
        release: Some(Took { least: 1, most: 1 }),
        dynos: Some(Took { least: 1, most: 1 }),
        whole: Some(Took { least: 3, most: 4 }),
    };
    full.story = vec![Mark::Built, Mark::End];
    (full.slot_wanted_since, full.code_spent_at) = (Some(at(0)), Some(at(0)));
    full.announcement = Some(Announcement { id: AnnouncementId::parse("1").unwrap(), reported: Some(ReportState::Success) });
    (full.build, full.release) = (Some(BuildId::parse("b").unwrap()), Some(ReleaseId::parse("r").unwrap()));
    full.moved = Some(MovedBy { by: person("bo"), at: at(0) });
    full.cancel = Some(Cancel { by: person("bo"), at: at(0), told: true, because: Some(because()) });
    full.riders = vec![Rider { person: person("bo"), since: at(0), wants: full.cargo.commit.clone(), told: true }];
    full.followed_up = true;
    (full.card_again_at, full.card_may_come_until) = (Some(at(1)), Some(at(1)));
    full.untold = vec![Untold::Card, Untold::Asker, Untold::Record];
    full.notices = vec![Sent { to: channel(), news: News::Out }];
    found.push(full);
    let mut promoted = deployment(Phase::Starting);
    promoted.way = Way::Promote(Promote {
        from: AppId::parse("app-0").unwrap(),
        from_name: AppName::parse("hubot-dev").unwrap(),
        from_environment: Environment::Development,
        release: ReleaseId::parse("r").unwrap(),
        version: 11,
        newest: 14,
        together: Some(Together { all: vec![DeploymentId(id()), DeploymentId(id())], told: true }),
    });
    found.push(promoted);
    found
}

fn login(life: Life, standing: LoginStanding) -> Login {
    Login {
        id: LoginId::parse("1").unwrap(),
        scopes: BTreeSet::from([ScopeName::parse("repo").unwrap()]),
        rights: Right::ALL.into_iter().collect(),
        grant: Some(GrantId::parse("g").unwrap()),
        linked_at: at(0),
        life,
        standing,
        tokens: SealedTokens::sealed("sealed".to_owned()),
    }
}

every! {
    fn lives() -> Life {
        Life::Open => [Life::Open],
        Life::Fixed { .. } => [Life::Fixed { until: at(9) }],
        Life::Renewable { .. } => [Life::Renewable { until: at(9), renewable_until: Some(at(99)) }],
    }
}

every! {
    fn standings() -> LoginStanding {
        LoginStanding::Good => [LoginStanding::Good],
        LoginStanding::Withdrawn { .. } => [LoginStanding::Withdrawn { since: at(1) }],
    }
}

fn linked() -> Vec<BTreeMap<Provider, Login>> {
    let each = lives().into_iter().flat_map(|life| standings().into_iter().map(move |standing| login(life, standing)));
    each.map(|login| Provider::ALL.into_iter().map(|provider| (provider, login.clone())).collect()).collect()
}

fn accounts() -> Vec<Account> {
    linked().into_iter().map(|logins| Account { person: person("ana"), version: 1, logins }).collect()
}

fn visit(linked: BTreeMap<Provider, Login>) -> Visit {
    let digest = Digest::new([7; 32]);
    let ways = Provider::ALL.into_iter().map(|provider| (provider, digest)).collect();
    Visit { browser: digest, ways, linked, passcode: Some(digest), tries_left: 3 }
}

every! {
    fn visit_stages() -> VisitStage {
        VisitStage::Offered => [VisitStage::Offered],
        VisitStage::Open(_) => [VisitStage::Open(visit(BTreeMap::new()))],
        VisitStage::Over { .. } => [VisitStage::Over { end: End::Confirmed, at: at(0) }],
    }
}

fn sign_ins() -> Vec<SignIn> {
    let stages = visit_stages().into_iter().chain(linked().into_iter().map(|linked| VisitStage::Open(visit(linked))));
    let sign_in = |stage, kept: Option<Command>| SignIn {
        id: SignInId(id()),
        version: 1,
        person: person("ana"),
        link: Digest::new([7; 32]),
        kept_until: kept.is_some().then_some(at(9)),
        kept,
        until: at(9),
        stage,
        leaving: Vec::new(),
    };
    let kept = commands().into_iter().map(|command| sign_in(VisitStage::Offered, Some(command)));
    let over = || sign_in(VisitStage::Over { end: End::Confirmed, at: at(0) }, None);
    let leaving = linked().into_iter().map(|logins| over().leaving(logins));
    stages.map(|stage| sign_in(stage, None)).chain(kept).chain(leaving).collect()
}

every! {
    fn tenants() -> Tenant {
        Tenant::Workspace(_) => [Tenant::Workspace(WorkspaceId::parse("T1").unwrap())],
        Tenant::Organisation(_) => [Tenant::Organisation(OrganisationId::parse("E1").unwrap())],
    }
}

fn workspaces() -> BTreeSet<WorkspaceId> {
    BTreeSet::from([WorkspaceId::parse("T1").unwrap()])
}

every! {
    fn happened() -> Happened {
        Happened::Uninstalled => [Happened::Uninstalled],
        Happened::Revoked { .. } => [Happened::Revoked { bots: users(), people: users() }],
        Happened::LetIn { .. } => [Happened::LetIn { workspaces: workspaces() }],
        Happened::ShutOut { .. } => [Happened::ShutOut { workspaces: workspaces() }],
    }
}

fn users() -> BTreeSet<UserId> {
    BTreeSet::from([person("ana").user])
}

fn installations() -> Vec<Installation> {
    let each = lives().into_iter().flat_map(|life| standings().into_iter().map(move |standing| (life, standing)));
    let both = each.flat_map(|(life, standing)| tenants().into_iter().map(move |tenant| (life, standing, tenant)));
    both.map(|(life, standing, tenant)| Installation {
        tenant,
        version: 1,
        within: OrganisationId::parse("E1").ok(),
        workspaces: workspaces(),
        app: ChatAppId::parse("A1").unwrap(),
        bot: UserId::parse("UBOT").unwrap(),
        by: person("ana").user,
        installed_at: at(0),
        granted_at: at(0),
        scopes: BTreeSet::from([ScopeName::parse("commands").unwrap()]),
        rights: BotRight::ALL.into_iter().collect(),
        life,
        standing,
        tokens: SealedTokens::sealed("sealed".to_owned()),
    })
    .collect()
}

fn happenings() -> Vec<Happening> {
    let each = happened().into_iter().flat_map(|what| tenants().into_iter().map(move |tenant| (what.clone(), tenant)));
    each.map(|(what, tenant)| Happening {
        id: DeliveryId::parse("Ev1").unwrap(),
        version: 1,
        tenant,
        at: at(0),
        heard_at: at(1),
        what,
        done: false,
    })
    .collect()
}

fn lock(on: Scope) -> Lock {
    Lock {
        on,
        branch: RefName::parse("topic").ok(),
        holder: person("ana"),
        because: Some(because()),
        since: at(0),
        set_at: at(0),
        until: Some(at(9)),
        taken_in: ChannelId::parse("C1").unwrap(),
        request: DeliveryId::parse("d1").unwrap(),
        reminders: 1,
    }
}

every! {
    fn lock_ends() -> LockEnd {
        LockEnd::RanOut => [LockEnd::RanOut],
        LockEnd::Freed => [LockEnd::Freed],
        LockEnd::TakenOver { .. } => [LockEnd::TakenOver { by: person("bo"), because: Some(because()) }],
        LockEnd::FreedBy { .. } => [LockEnd::FreedBy { by: person("bo"), because: Some(because()) }],
    }
}

pub(crate) fn locks() -> Vec<Locks> {
    let scopes = [Scope::Pipeline, Scope::Environment(Environment::Staging)];
    let ended = lock_ends().into_iter().zip(scopes.into_iter().cycle()).map(|(how, on)| Ended {
        lock: lock(on),
        at: at(5),
        how,
        request: DeliveryId::parse("d2").ok(),
        told: true,
    });
    let none = Locks::none(PipelineId::parse("pipeline-1").unwrap(), PipelineName::parse("hubot").unwrap());
    vec![Locks { version: 1, held: scopes.map(lock).to_vec(), ended: ended.collect(), ..none }]
}

fn lines() -> Vec<Line> {
    let (one, two) = (DeploymentId(id()), DeploymentId(uuid::Uuid::from_u128(8)));
    vec![Line::empty(AppId::parse("app-1").unwrap()).joined_unready_by(one).joined_by(two)]
}

fn offers() -> Vec<Offer> {
    let taken_by = Some(DeliveryId::parse("d2").unwrap());
    let offer = |command| Offer { id: OfferId(id()), version: 1, command, to: person("ana"), until: at(9), taken_by: taken_by.clone() };
    commands().into_iter().map(offer).collect()
}

fn removal(stage: RemovalStage) -> Note {
    Note::Removal(Removal { person: person("ana"), asked_at: at(0), seed: id(), stage })
}

every! {
    fn all_notes() -> Note {
        Note::Upkeep(_) => [Note::Upkeep(Upkeep {
            known_version: 1,
            dropping: Some(Month::of(at(0))),
            settled_at: Some(at(0)),
            dropped: 1,
            removed: 1,
            rewrite_since: Some(at(0)),
            rewritten_at: Some(at(0)),
        })],
        Note::Counts(_) => [Note::Counts(Counts {
            month: Month::of(at(0)),
            groups: vec![Group { of: Some((Environment::Staging, DeployEnded::Well)), deploys: 9 }, Group { of: None, deploys: 5 }],
        })],
        Note::Told(_) => [Note::Told(Told { person: person("ana"), version: 1, seen: Month::of(at(0)), since: Some(at(0)) })],
        Note::Removal(Removal { stage: RemovalStage::Asked, .. }) => [removal(RemovalStage::Asked)],
        Note::Removal(Removal { stage: RemovalStage::Done { .. }, .. }) => [removal(RemovalStage::Done { at: at(0) })],
        Note::Export(_) => [Note::Export(Export { link: Digest::new([7; 32]), person: person("ana"), until: at(9) })],
        Note::Deed(_) => [Note::Deed(Deed {
            id: id(),
            at: at(0),
            by: "uid 1000 (otto)".to_owned(),
            did: Did::Looked,
            about: Some(person("ana")),
            because: "a letter".to_owned(),
        })],
        Note::Rules(_) => [Note::Rules(kept_rules())],
        Note::Entry(_) => [Note::Entry(entries().remove(0))],
        Note::Routes(_) => [Note::Routes(routes())],
        Note::Mute(_) => [Note::Mute(Mute { person: person("ana"), since: at(0), until: Some(at(9)) })],
    }
}

pub(crate) fn notes() -> Vec<Noted> {
    all_notes().into_iter().chain(entries().into_iter().skip(1).map(Note::Entry)).map(Noted::new).collect()
}

fn told<T: serde::Serialize>(records: Vec<T>) -> Vec<Value> {
    records.into_iter().map(|record| serde_json::to_value(record).unwrap()).collect()
}

/// Records of a kind, as they lie on disk; `None`: the kind is the store's own, which has samples of it.
pub(crate) fn records_of(tree: &str) -> Option<Vec<Value>> {
    Some(match tree {
        "requests" => told(requests()),
        "deployments" => told(deployments()),
        "history" => told(deployments().iter().map(|one| one.closed_now()).collect()),
        "lines" => told(lines()),
        "locks" => told(locks()),
        "offers" => told(offers()),
        "accounts" => told(accounts()),
        "sign-ins" => told(sign_ins()),
        "installations" => told(installations()),
        "happenings" => told(happenings()),
        "privacy" => told(notes()),
        _ => return None,
    })
}
