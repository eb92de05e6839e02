//! Every state of a card as it is sent to Slack: kept below `fixtures/cards`, where the pictures are drawn from, and within Slack's limits
//! also with the longest names. `UPDATE=1` keeps what is made now.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::render;
use crate::domain::account::{self, Missing, Provider};
use crate::domain::checks::Obstacle;
use crate::domain::command::Because;
use crate::domain::deployment::{
    Back, Cancel, Deployment, DynosUp, Failure, Mark, Override, Phase, Promote, Stage, StageTime, Standing, Took, Untold, Usual,
    WaitingFor, Watched, Way, samples,
};
use crate::domain::fault::Service;
use crate::domain::gate::Reason;
use crate::domain::lock::{Lock, Scope};
use crate::domain::message::{Audience, Message, Tone, text};
use crate::domain::names::{
    AppId, AppName, ChannelId, CheckName, CodeId, DeliveryId, PipelineId, PipelineName, RefName, ReleaseId, RepoName,
};
use crate::domain::notice::Mute;
use crate::domain::page::Page;
use crate::domain::pipeline::Environment;
use crate::domain::privacy::PrivacyPage;
use crate::domain::source::{CommitRef, Comparison, Direction};
use crate::domain::speech::{self, CardView, HomeView, Known, LockRow, Pages, StatusRow};
use crate::sandbox::slack::objections;

/// What a phase is called in the files. Its kinds of data are told apart where the card tells them apart.
fn name(phase: &Phase) -> String {
    let what = match phase {
        Phase::Waiting(WaitingFor::Turn) => "waits for its turn",
        Phase::Waiting(WaitingFor::Answer { .. }) => "has its turn",
        Phase::Waiting(WaitingFor::Checks { .. }) => "waits for its checks",
        Phase::Waiting(WaitingFor::BuildSlot { .. }) => "waits for room for a build",
        Phase::Waiting(WaitingFor::Allowance { of: Service::SourceControl | Service::Chat, .. }) => "waits for GitHub",
        Phase::Waiting(WaitingFor::Allowance { of: Service::Platform, .. }) => "waits for Heroku",
        Phase::NeedsCode { .. } => "wants a code",
        Phase::Starting => "starts",
        Phase::Announcing(Standing::Fresh) => "is being recorded",
        Phase::Announcing(Standing::Unclear { .. }) => "is perhaps recorded",
        Phase::Uploading => "hands the source over",
        Phase::AboutToBuild(Standing::Fresh) => "orders the build",
        Phase::AboutToBuild(Standing::Unclear { .. }) => "has perhaps ordered the build",
        Phase::Building { .. } => "builds",
        Phase::Releasing { version: Some(_), .. } => "releases a version",
        Phase::Releasing { version: None, .. } => "releases",
        Phase::Restarting { crashed_since: Some(_), .. } => "restarts, and dynos are down",
        Phase::Restarting { up: Some(_), .. } => "restarts, and some dynos are up",
        Phase::Restarting { .. } => "restarts",
        Phase::Unknown(watched) => return format!("unknown since {}", watched_name(watched)),
        Phase::Succeeded { dynos: DynosUp::Up(_), .. } => "is out",
        Phase::Succeeded { dynos: DynosUp::None, .. } => "is out, without dynos",
        Phase::Succeeded { dynos: DynosUp::Overtaken(_), .. } => "is out, and was overtaken",
        Phase::Failed { why, .. } => return format!("failed: {}", why.code()),
        Phase::Cancelled { by, during } => return format!("stopped by {} during {during:?}", by.user),
        Phase::Freed { by, was, because: _ } => return format!("freed by {} after {}", by.user, watched_name(was)),
    };
    what.to_owned()
}

fn watched_name(watched: &Watched) -> &'static str {
    match watched {
        Watched::Order => "the order",
        Watched::Build { .. } => "the build",
        Watched::Release { version: Some(_), .. } => "the release of a version",
        Watched::Release { version: None, .. } => "the release",
        Watched::Dynos { .. } => "the restart",
    }
}

/// The file that a phase is kept in.
fn group(phase: &Phase) -> &'static str {
    match phase {
        Phase::Waiting(_) | Phase::NeedsCode { .. } => "waiting",
        Phase::Starting | Phase::Announcing(_) | Phase::Uploading | Phase::AboutToBuild(_) => "starting",
        Phase::Building { .. } | Phase::Releasing { .. } | Phase::Restarting { .. } => "working",
        Phase::Unknown(_) => "unknown",
        Phase::Succeeded { .. } => "succeeded",
        Phase::Failed { .. } => "failed",
        Phase::Cancelled { .. } | Phase::Freed { .. } => "stopped",
    }
}

/// The stage in which a failure comes about.
fn fails_in(why: &Failure) -> Stage {
    match why {
        Failure::Gate(_) | Failure::NotGreen(_) => Stage::Checks,
        Failure::NoAnswer => Stage::Line,
        Failure::NoCode => Stage::Code,
        Failure::SignInLost | Failure::AnnouncementRefused(_) | Failure::AnnouncementUnclear => Stage::Announcement,
        Failure::SourceUnavailable(_) | Failure::SourceTooLarge { .. } | Failure::DiskFull => Stage::Source,
        Failure::BuildRefused(_) | Failure::NoBuildSlot | Failure::Build => Stage::Build,
        Failure::ReleaseRefused(_) | Failure::Release | Failure::ReleaseExpired => Stage::Release,
        Failure::DynosCrashed { .. } => Stage::Dynos,
    }
}

/// A deployment that stands in a phase and came there by those before it.
fn lived(mut phase: Phase) -> Deployment {
    if let Phase::Failed { during, why } = &mut phase {
        *during = fails_in(why);
    }
    let mut deployment = samples::deployment(phase);
    let took = [
        (Stage::Line, 0, 250),
        (Stage::Checks, 250, 251),
        (Stage::Announcement, 251, 252),
        (Stage::Source, 252, 254),
        (Stage::Build, 254, 384),
        (Stage::Release, 384, 396),
        (Stage::Dynos, 396, 420),
    ];
    let reached = match &deployment.phase {
        Phase::Succeeded { .. } => None,
        Phase::Failed { during, .. } | Phase::Cancelled { during, .. } => Some(*during),
        Phase::Freed { was, .. } => Some(was.stage()),
        Phase::Waiting(_)
        | Phase::NeedsCode { .. }
        | Phase::Starting
        | Phase::Announcing(_)
        | Phase::Uploading
        | Phase::AboutToBuild(_)
        | Phase::Building { .. }
        | Phase::Releasing { .. }
        | Phase::Restarting { .. }
        | Phase::Unknown(_) => deployment.phase.stage(),
    };
    let goes_on = deployment.phase.stage().is_some();
    deployment.times.clear();
    for (stage, began, ended) in took {
        let last = Some(stage) == reached;
        let ended = (!(last && goes_on)).then(|| samples::at(ended));
        deployment.times.push(StageTime { stage, began: samples::at(began), ended });
        if stage == Stage::Build && !matches!(deployment.phase, Phase::AboutToBuild(_)) {
            deployment.build = Some(samples::build_id());
        }
        if last {
            break;
        }
    }
    if let Some(Stage::Code) = reached {
        deployment.times = vec![StageTime { stage: Stage::Code, began: samples::at(0), ended: (!goes_on).then(|| samples::at(600)) }];
        deployment.build = None;
    }
    let took = |least, most| Some(Took { least, most });
    deployment.usual = Usual { build: took(110, 140), release: took(6, 10), dynos: took(18, 25), whole: took(140, 180) };
    deployment.target.web_url = Some("https://hubot-staging.example.com/".to_owned());
    deployment
}

fn promoted(phase: Phase) -> Deployment {
    let way = Way::Promote(Promote {
        from: AppId::parse("app-0").unwrap(),
        from_name: AppName::parse("hubot-staging").unwrap(),
        from_environment: Environment::Staging,
        release: ReleaseId::parse("release-0").unwrap(),
        version: 41,
        newest: 11,
        together: None,
    });
    let mut deployment = Deployment { way, build: None, ..lived(phase) };
    deployment.target.app_name = AppName::parse("hubot-production").unwrap();
    deployment.target.environment = Environment::Production;
    deployment
}

fn rolled_back(phase: Phase) -> Deployment {
    let back = Back { to: samples::release_id(), version: 9, code: CodeId::parse("slug-9").unwrap(), newest: 11, configs: 1 };
    let mut deployment = Deployment { way: Way::Back(back), ..lived(phase) };
    (deployment.usual.build, deployment.build) = (None, None);
    deployment.times.retain(|time| time.stage != Stage::Build);
    let change = deployment.cargo.change.as_mut().unwrap();
    *change = Comparison { direction: Direction::Behind, added: 0, dropped: 2, ..change.clone() };
    deployment
}

/// A check of the longest name, with the longest address.
fn obstacle(n: usize) -> Obstacle {
    let name = CheckName::parse(&format!("{n} & {}", "W".repeat(290))).unwrap();
    Obstacle { name, url: Some(format!("https://ci.example.com/{}", "w".repeat(1500))) }
}

/// The longest that our names and words take.
fn stretched(mut deployment: Deployment) -> Deployment {
    let long = |most: usize| "a-long-name-".chars().cycle().take(most - 1).chain(['z']).collect::<String>();
    let branch = RefName::parse(&format!("feature/{}", long(247))).unwrap();
    let app = AppName::parse(&long(64)).unwrap();
    deployment.target.pipeline_name = PipelineName::parse(&long(64)).unwrap();
    deployment.target.app_name = app.clone();
    deployment.target.web_url = Some(format!("https://{}.example.com/{}", long(60), long(1800)));
    deployment.cargo.repository = RepoName::parse(&format!("{}/{}", long(100), long(100))).unwrap();
    deployment.cargo.overrides_link_to = Some(RepoName::parse(&format!("{}/{}", long(99), long(99))).unwrap());
    deployment.cargo.named_by = CommitRef::Pull { number: u64::MAX, branch };
    deployment.cargo.no_checks = true;
    let author = |n: usize| format!("{} {n} <!channel>", "W".repeat(200));
    let change = deployment.cargo.change.as_mut().unwrap();
    let authors = (0..10).map(author).collect();
    *change = Comparison { direction: Direction::Diverged, added: u64::MAX, dropped: u64::MAX, authors, url: change.url.clone() };
    let because = format!("& {}", "<@U1> ".repeat(33).trim_end());
    deployment.because = Some(because.clone());
    deployment.overriding = Some(Override { because: because.clone(), skipped: (0..100).map(|n| obstacle(n).name).collect() });
    if let Phase::Waiting(WaitingFor::Checks { open, .. }) = &mut deployment.phase {
        *open = (0..100).map(obstacle).collect();
    }
    if let Phase::Failed { why, .. } = &mut deployment.phase {
        stretch_failure(why);
        if let Failure::Gate(reasons) = why {
            *reasons = vec![
                Reason::ChecksFailed((0..100).map(obstacle).collect()),
                Reason::ChecksPending((0..100).map(obstacle).collect()),
                Reason::ChecksMissing((0..100).map(obstacle).collect()),
                Reason::Locked {
                    pipeline: deployment.target.pipeline_name.clone(),
                    on: Scope::Pipeline,
                    branch: Some(RefName::parse(&"b".repeat(200)).unwrap()),
                    by: samples::person("bo"),
                    because: Some(Because::parse(&because).unwrap()),
                    since: samples::at(0),
                    until: Some(samples::at(3600)),
                },
            ];
        }
    }
    if let Way::Promote(promote) = &mut deployment.way {
        promote.from_name = app;
    }
    deployment.untold = vec![Untold::Record];
    deployment.cancel = Some(Cancel { by: samples::person("bo"), at: samples::at(1), told: true, because: None });
    deployment
}

fn stretch_failure(why: &mut Failure) {
    let words = "words of somebody else & <!here> ".repeat(200);
    match why {
        Failure::AnnouncementRefused(said)
        | Failure::SourceUnavailable(said)
        | Failure::BuildRefused(said)
        | Failure::ReleaseRefused(said) => {
            *said = Some(words);
        }
        Failure::NotGreen(open) => *open = (0..100).map(obstacle).collect(),
        Failure::DynosCrashed { names } => *names = (0..200).map(|n| format!("web.{n}")).collect(),
        Failure::Gate(_)
        | Failure::NoCode
        | Failure::NoAnswer
        | Failure::SignInLost
        | Failure::AnnouncementUnclear
        | Failure::SourceTooLarge { .. }
        | Failure::DiskFull
        | Failure::NoBuildSlot
        | Failure::Build
        | Failure::Release
        | Failure::ReleaseExpired => {}
    }
}

/// Lets something be made of a deployment at seven minutes past midnight.
fn show<T>(deployment: &Deployment, ahead: Option<usize>, slowed: bool, of: impl FnOnce(&CardView<'_>) -> T) -> T {
    let page = |path: &str| format!("https://dashboard.example.com/apps/{path}");
    let begun = deployment.build.is_some();
    let pages = Pages {
        app: page(deployment.target.app_name.as_str()),
        build: begun.then(|| page("hubot-staging/activity/builds/1")),
        release: deployment.times.iter().any(|time| time.stage >= Stage::Release).then(|| page("hubot-staging/activity/releases/1")),
    };
    of(&CardView { deployment, now: samples::at(425), ahead, pages: &pages, slowed, missing: &[] })
}

fn card(deployment: &Deployment) -> Message {
    show(deployment, Some(2), false, speech::card)
}

/// All that is kept: by file, the states in order, each with its name.
fn kept() -> BTreeMap<&'static str, Vec<(String, Message)>> {
    let mut all: BTreeMap<&'static str, Vec<(String, Message)>> = BTreeMap::new();
    let mut put = |group, name: String, message| {
        let states = all.entry(group).or_default();
        if !states.iter().any(|(known, _)| *known == name) {
            states.push((name, message));
        }
    };
    for phase in samples::all() {
        put(group(&phase), name(&phase), card(&lived(phase)));
    }
    let building = || lived(Phase::Building { build: samples::build_id() });
    let out = || lived(Phase::Succeeded { version: 12, dynos: DynosUp::Up(3) });
    let turn = lived(Phase::Waiting(WaitingFor::Turn));
    put("waiting", "is next in line".to_owned(), show(&turn, Some(0), false, speech::card));
    let stopping =
        Deployment { cancel: Some(Cancel { by: samples::person("bo"), at: samples::at(400), told: true, because: None }), ..building() };
    put("working", "builds, and is being stopped".to_owned(), card(&stopping));
    put("working", "builds, and is looked at less".to_owned(), show(&building(), None, true, speech::card));
    let skipping = |skipped: &[&str]| Override {
        because: "the flaky test is known".to_owned(),
        skipped: skipped.iter().map(|name| CheckName::parse(name).unwrap()).collect(),
    };
    put(
        "succeeded",
        "is out, skipping checks".to_owned(),
        card(&Deployment { overriding: Some(skipping(&["ci/circleci", "lint"])), ..out() }),
    );
    put("succeeded", "is out, with a reason".to_owned(), card(&Deployment { because: Some("of the sale tomorrow".to_owned()), ..out() }));
    let mut first = out();
    first.cargo.change = None;
    first.cargo.no_checks = true;
    put("succeeded", "is out for the first time, unchecked".to_owned(), card(&first));
    put("succeeded", "is out, and the record has no end".to_owned(), card(&Deployment { untold: vec![Untold::Record], ..out() }));
    let checks = |names: &[&str]| -> Vec<Obstacle> {
        let url = || Some("https://ci.example.com/1".to_owned());
        names.iter().map(|name| Obstacle { name: CheckName::parse(name).unwrap(), url: url() }).collect()
    };
    let closed =
        vec![Reason::ChecksFailed(checks(&["ci/circleci"])), Reason::ChecksPending(checks(&["lint", "e2e"])), Reason::RepositoryArchived];
    put("failed", "failed: several reasons".to_owned(), card(&lived(Phase::Failed { during: Stage::Checks, why: Failure::Gate(closed) })));
    for (way, of) in [("promotions", promoted as fn(Phase) -> Deployment), ("rollbacks", rolled_back)] {
        for phase in [
            Phase::Waiting(WaitingFor::Turn),
            Phase::Releasing { build: None, release: samples::release_id(), version: Some(12) },
            Phase::Restarting { release: samples::release_id(), version: 12, crashed_since: None, up: Some((1, 3)) },
            Phase::Unknown(Watched::Order),
            Phase::Succeeded { version: 12, dynos: DynosUp::Up(3) },
            Phase::Failed { during: Stage::Release, why: Failure::Release },
            Phase::Failed { during: Stage::Dynos, why: Failure::DynosCrashed { names: vec!["web.1".to_owned(), "worker.1".to_owned()] } },
        ] {
            put(way, name(&phase), card(&of(phase)));
        }
    }
    let unseen = lived(Phase::Unknown(Watched::Build { build: samples::build_id() }));
    let missing = [Missing { provider: Provider::Platform, why: account::Obstacle::Withdrawn { since: samples::at(400) } }];
    let without_login = |of: fn(&CardView<'_>) -> Message| show(&unseen, None, false, |view| of(&CardView { missing: &missing, ..*view }));
    put("unknown", "builds, and nobody can look".to_owned(), without_login(speech::card));
    put("told", "nobody can look".to_owned(), without_login(speech::ended));
    put("told", "its turn came".to_owned(), show(&lived(Phase::Starting), None, false, speech::turn));
    let wants = lived(Phase::NeedsCode { until: samples::at(600) });
    put("told", "wants a code".to_owned(), show(&wants, None, false, |view| speech::needs_code(view, "/h", true)));
    let called = lived(Phase::Waiting(WaitingFor::Answer { until: samples::at(600) }));
    put("told", "is asked at its turn".to_owned(), show(&called, Some(0), false, speech::called));
    for phase in [
        Phase::Succeeded { version: 12, dynos: DynosUp::Up(3) },
        Phase::Failed { during: Stage::Build, why: Failure::Build },
        Phase::Failed { during: Stage::Dynos, why: Failure::DynosCrashed { names: vec!["web.1".to_owned()] } },
        Phase::Unknown(Watched::Build { build: samples::build_id() }),
        Phase::Cancelled { by: samples::person("bo"), during: Stage::Build },
    ] {
        put("told", name(&phase), show(&lived(phase), None, false, speech::ended));
    }
    let below = |deployment: &Deployment, marks: &[Mark]| show(deployment, None, false, |view| speech::below(view, marks));
    let restarts = |since| lived(Phase::Restarting { release: samples::release_id(), version: 12, crashed_since: since, up: None });
    put("below", "what is done".to_owned(), below(&restarts(None), &[Mark::Begun, Mark::Built, Mark::Released]));
    let stopped = Cancel { by: samples::person("bo"), at: samples::at(400), told: false, because: None };
    let stopped = Deployment { cancel: Some(stopped), ..restarts(Some(samples::at(400))) };
    put("below", "trouble".to_owned(), below(&stopped, &[Mark::DynosDown, Mark::StopTooLate]));
    put("below", "nobody knows".to_owned(), below(&lived(Phase::Unknown(Watched::Build { build: samples::build_id() })), &[Mark::Unknown]));
    put("below", "the promotion is done".to_owned(), below(&promoted(restarts(None).phase), &[Mark::Built]));
    for phase in [
        Phase::Succeeded { version: 12, dynos: DynosUp::Up(3) },
        Phase::Failed { during: Stage::Build, why: Failure::Build },
        Phase::Cancelled { by: samples::person("bo"), during: Stage::Build },
    ] {
        put("below", name(&phase), below(&lived(phase), &[Mark::End]));
    }
    for phase in [
        Phase::Waiting(WaitingFor::Turn),
        Phase::Failed { during: Stage::Checks, why: Failure::Gate(Vec::new()) },
        Phase::Failed { during: Stage::Build, why: Failure::BuildRefused(None) },
    ] {
        put("longest", name(&phase), card(&stretched(lived(phase))));
    }
    let long = stretched(promoted(Phase::Succeeded { version: u64::MAX, dynos: DynosUp::Up(u64::MAX) }));
    put("longest", "is promoted".to_owned(), card(&long));
    all
}

/// Somebody's own page, in its states.
fn pages() -> Vec<(String, Page)> {
    let at = |second| samples::at(second);
    let own = |phase| StatusRow { deployment: lived(phase), ahead: Some(2), wait: None };
    let rows = [
        own(Phase::Building { build: samples::build_id() }),
        own(Phase::Unknown(Watched::Order)),
        own(Phase::NeedsCode { until: at(600) }),
        StatusRow { wait: Some(Took { least: 60, most: 300 }), ..own(Phase::Waiting(WaitingFor::Turn)) },
    ];
    let rides = [own(Phase::Building { build: samples::build_id() })];
    let pipeline = |id: &str| PipelineId::parse(id).unwrap();
    let lock = |id: &str, on, until| {
        let because = Some(Because::parse("of the fair").unwrap());
        let (taken_in, request) = (ChannelId::parse("C1").unwrap(), DeliveryId::parse("1").unwrap());
        let lock = Lock {
            on,
            branch: None,
            holder: samples::person("ana"),
            because,
            since: at(0),
            set_at: at(0),
            until,
            taken_in,
            request,
            reminders: 0,
        };
        (pipeline(id), LockRow { pipeline: PipelineName::parse(id).unwrap(), lock })
    };
    let locks = [lock("hubot", Scope::Environment(Environment::Production), Some(at(7200))), lock("shop", Scope::Pipeline, None)];
    let mute = Mute { person: samples::person("ana"), since: at(0), until: Some(at(9000)) };
    let privacy = PrivacyPage { public: Some("https://deploys.example.com".to_owned()), ..PrivacyPage::default() };
    let person = samples::person("ana");
    let view = HomeView {
        person: &person,
        rows: &rows,
        rides: &rides,
        locks: &locks,
        mute: Some(&mute),
        known: Known::Linked,
        privacy: &privacy,
        command_word: "/h",
        now: at(425),
    };
    let bare = HomeView { rows: &[], rides: &[], locks: &[], mute: None, known: Known::MayLink, ..view };
    let note = Some(Message::new(Tone::Good, Audience::Asker, vec![text("Your notices are told again.")]));
    vec![
        ("page of whoever has nothing here".to_owned(), speech::home(&bare)),
        ("page of whoever has much here".to_owned(), speech::home(&view)),
        ("page after a press".to_owned(), Page { note, ..speech::home(&bare) }),
        ("page of whoever may not ask".to_owned(), speech::empty_page("/h", &privacy)),
    ]
}

/// What a page makes of more than it has room for.
#[test]
fn a_page_is_taken_by_slack_however_much_is_on_it() {
    let row = || StatusRow { deployment: stretched(lived(Phase::Waiting(WaitingFor::Turn))), ahead: Some(usize::MAX), wait: None };
    let going = || StatusRow { deployment: stretched(lived(Phase::Building { build: samples::build_id() })), ..row() };
    let rows: Vec<StatusRow> = (0..50).flat_map(|_| [row(), going()]).collect();
    let rides: Vec<StatusRow> = (0..50).map(|_| row()).collect();
    let (person, privacy) = (samples::person("ana"), PrivacyPage::default());
    let (known, now) = (Known::Linked, samples::at(425));
    let page = speech::home(&HomeView {
        person: &person,
        rows: &rows,
        rides: &rows,
        locks: &[],
        mute: None,
        known,
        privacy: &privacy,
        command_word: "/h",
        now,
    });
    let blocks = render::page(&page);
    assert_eq!(blocks.chunks(50).flat_map(|some| objections("a page", some)).collect::<Vec<_>>(), [""; 0]);
    // A lock takes as much room as a ride.
    let rides = rides.len().min(8) * 2 + 1;
    assert!(blocks.len() + rides < 100, "what is kept about somebody stands at the end: {}", blocks.len());
    assert!(serde_json::to_string(&blocks).unwrap().contains("And 42 more"));
    let full = Page { parts: vec![page.parts; 5].concat(), ..page };
    assert_eq!(render::page(&full).len(), 100);
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/cards")
}

#[test]
fn every_state_of_a_card_is_sent_as_it_is_kept() {
    let updating = std::env::vars_os().any(|(name, value)| name == "UPDATE" && value == "1");
    let sent = |(state, message): (String, Message)| {
        let sent = render::message(&message);
        json!({ "state": state, "text": sent.text, "blocks": sent.blocks })
    };
    let mut kept: BTreeMap<&str, Vec<Value>> =
        kept().into_iter().map(|(file, states)| (file, states.into_iter().map(sent).collect())).collect();
    kept.insert("pages", pages().into_iter().map(|(state, page)| json!({ "state": state, "blocks": render::page(&page) })).collect());
    for (file, states) in &kept {
        let made = serde_json::to_string_pretty(&states).unwrap() + "\n";
        let file = folder().join(format!("{file}.json"));
        if std::fs::read_to_string(&file).is_ok_and(|known| known == made) {
            continue;
        }
        assert!(updating, "{} is not what is sent: run the tests with UPDATE=1, and look at the pictures", file.display());
        std::fs::create_dir_all(folder()).unwrap();
        std::fs::write(&file, made).unwrap();
    }
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        assert!(kept.contains_key(path.file_stem().unwrap().to_str().unwrap()), "{} is kept for nothing", path.display());
    }
}

#[test]
fn every_state_of_a_card_is_taken_by_slack_with_the_longest_names() {
    let made = |phase: Phase| [lived(phase.clone()), promoted(phase.clone()), rolled_back(phase)];
    for deployment in samples::all().into_iter().flat_map(made).flat_map(|one| [one.clone(), stretched(one)]) {
        let about = name(&deployment.phase);
        let ways: [fn(&CardView<'_>) -> Message; 4] =
            [speech::card, speech::ended, speech::turn, |view| speech::needs_code(view, "/heroku-of-acme-industries", true)];
        for way in ways {
            let sent = render::message(&show(&deployment, Some(usize::MAX), true, way));
            assert_eq!(objections(&sent.text, &sent.blocks), [""; 0], "{about}");
            let shown = sent.blocks.iter().map(|block| block.to_string().len()).sum::<usize>();
            // What makes sense now is not lost below the names: a card without its buttons would be one.
            let buttons = show(&deployment, None, true, way).buttons.len();
            let kept = sent.blocks.iter().filter_map(|block| block["elements"].as_array()).map(Vec::len).sum::<usize>();
            assert_eq!((buttons, shown < 20_000), (kept, true), "{about}: {shown}");
        }
    }
}
