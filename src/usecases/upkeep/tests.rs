//! Upkeep on a real store, with time as a number.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use jiff::SignedDuration;

use super::super::testing::{Did, Outside};
use super::super::{LinkedAccounts, Memories, Privacy, SignIns};
use super::*;
use crate::adapters::secrets::SystemSecrets;
use crate::adapters::sled::{Opening, SledStore};
use crate::domain::account::{Account, Provider};
use crate::domain::deployment::samples::{deployment, person};
use crate::domain::deployment::{Deployment, DynosUp, Phase};
use crate::domain::names::DeploymentId;
use crate::domain::privacy::{Counts, PrivacyPage, Told};
use crate::ports::{AccountBatch, AccountStore as _, Batch, Clock as _, Keeping as _, Store as _, Work};

const DAY: i64 = 86_400;

/// A store on disk, an outside in which time is a number, and the ports of both.
struct Stage {
    outside: Arc<Outside>,
    store: SledStore,
    ports: Ports,
}

impl Stage {
    fn on(folder: &Path, outside: &Arc<Outside>) -> Self {
        let removals = Some(folder.join("removals"));
        let store = SledStore::open_with(folder, Opening { removals, ..Opening::default() }).unwrap();
        let page = PrivacyPage { public: Some("https://h.example.com".to_owned()), ..PrivacyPage::default() };
        let privacy = Privacy::new(Arc::new(store.clone()), Some(Arc::new(SystemSecrets)), page);
        let ports = Ports { store: Arc::new(store.clone()), privacy: Arc::new(privacy), ..outside.ports() };
        Self { outside: Arc::clone(outside), store, ports }
    }

    async fn upkeep(&self) -> Upkept {
        let now = self.outside.now();
        let lease = self.store.claim(&Work::Upkeep, now, now + SignedDuration::from_hours(1)).await.unwrap().unwrap();
        let kept = upkeep(&self.ports, &lease).await.unwrap();
        self.store.release(&lease).await.unwrap();
        kept
    }

    /// A deployment that is over, asked for now.
    fn over(&self, n: u128, user: &str) -> Deployment {
        let mut one = deployment(Phase::Succeeded { version: 1, dynos: DynosUp::None }).closed_now();
        (one.id, one.version, one.asked_at) =
            (DeploymentId(uuid::Uuid::from_u128(n)), 0, self.outside.now() + SignedDuration::from_millis((n % 100).try_into().unwrap()));
        one.origin.person = person(user);
        one
    }

    async fn save(&self, deployments: Vec<Deployment>) {
        self.store.save(Batch { deployments, ..Batch::default() }).await.unwrap();
    }

    async fn all(&self) -> Vec<Deployment> {
        self.store.closed_after(None, usize::MAX).await.unwrap()
    }

    async fn counts(&self) -> Vec<Counts> {
        let notes = self.store.notes(NoteKind::Counts).await.unwrap();
        notes.into_iter().filter_map(|noted| if let Note::Counts(counts) = noted.note { Some(counts) } else { None }).collect()
    }
}

#[tokio::test]
async fn thirty_months_pass_and_nothing_older_than_24_of_them_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let outside = Outside::new();
    let mut stage = Stage::on(folder.path(), &outside);
    begin_upkeep(&stage.ports).await.unwrap();
    let mut asked = 0;
    for month in 0..30_u128 {
        // Every third month only three people deploy.
        let people = if month % 3 == 0 { 3 } else { 6 };
        stage.save((0..40).map(|n| stage.over(month * 100 + n, &format!("u{}", n % people))).collect()).await;
        asked += 40;
        stage.store.at_rest().await.unwrap();
        stage.outside.pass(30 * DAY + DAY / 2);
        if month == 26 {
            // Killed in the middle: the month is counted, and some of it has gone.
            stage.outside.pass(30 * DAY);
            let oldest = stage.all().await.remove(0);
            let month = Month::of(oldest.asked_at);
            let counts = count(&stage.ports, month).await.unwrap();
            let before = stage.counts().await.len();
            let noted = stage.store.note(&NoteKey::Upkeep).await.unwrap().unwrap();
            let Note::Upkeep(now) = noted.note.clone() else { panic!() };
            let dropping = noted.saying(Note::Upkeep(Upkeep { dropping: Some(month), ..now }));
            let save = vec![dropping, Noted::new(Note::Counts(counts.clone()))];
            stage.store.save_notes(NoteBatch { save, ..NoteBatch::default() }).await.unwrap();
            stage.store.drop_closed(oldest.asked_at + SignedDuration::from_nanos(1)).await.unwrap();
            stage.store.close().await;
            stage = Stage::on(folder.path(), &outside);
            assert!(begin_upkeep(&stage.ports).await.unwrap(), "it is seen that something is under way");
            stage.upkeep().await;
            assert!(stage.counts().await.contains(&counts) && stage.counts().await.len() > before, "it is not counted again");
            stage.outside.pass(-30 * DAY);
        }
        let kept = stage.upkeep().await;
        assert_eq!(kept.upkeep.dropping, None);
        let now = stage.outside.now();
        let oldest = stage.all().await.first().map(|one| one.asked_at).unwrap();
        assert!(now.duration_since(oldest) < SignedDuration::from_hours(24 * 731), "{oldest} at {now}");
    }
    let left = stage.all().await.len() as u64;
    let kept = stage.upkeep().await.upkeep;
    assert_eq!(left + kept.dropped + 1, asked, "nothing else has gone: {kept:?}");
    let counts = stage.counts().await;
    assert!(counts.len() >= 3 && counts.iter().all(|counts| counts.groups.iter().all(|group| group.deploys == 40)), "{counts:?}");
    let text = serde_json::to_string(&counts).unwrap();
    assert!((0..6).all(|user| !text.contains(&format!("u{user}"))), "{text}");
    assert!(kept.rewritten_at.is_some(), "what has gone is gone from the files too");
    stage.store.close().await;
}

#[tokio::test]
async fn a_person_is_removed_once_what_they_have_going_on_is_over_and_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let outside = Outside::new();
    let stage = Stage::on(folder.path(), &outside);
    begin_upkeep(&stage.ports).await.unwrap();
    let ana = person("ana-of-old");
    let told = Told { person: ana.clone(), version: 1, seen: Month::of(outside.now()), since: None };
    stage.store.save_notes(NoteBatch { save: vec![Noted::new(Note::Told(told))], ..NoteBatch::default() }).await.unwrap();
    let mut open = stage.over(2, "ana-of-old");
    (open.closed, open.asked_at) = (false, outside.now());
    stage.save(vec![stage.over(1, "ana-of-old"), open.clone()]).await;
    super::super::privacy::ask_to_remove(&stage.ports, &ana).await.unwrap();
    super::super::privacy::ask_to_remove(&stage.ports, &ana).await.unwrap();
    assert_eq!(stage.upkeep().await.waiting, 1, "its deploy is not told to its end");
    assert_eq!(outside.did(), []);

    stage.save(vec![Deployment { version: 1, ..open.closed_now() }]).await;
    outside.word.lock().unwrap().push_back(crate::ports::Fault::Unreachable);
    assert_eq!(stage.upkeep().await.waiting, 1, "they could not be told");
    assert_eq!(stage.upkeep().await.waiting, 0);
    let direct = |did: &Did| matches!(did, Did::Direct(message) if *message == speech::removed());
    let nothing = speech::empty_page(&stage.ports.command_word, &stage.ports.privacy.page);
    let did = outside.did();
    assert!(matches!(did.as_slice(), [first, second, Did::Page(page)] if direct(first) && direct(second) && *page == nothing), "{did:?}");
    assert_eq!(stage.store.how_much(&ana).await.unwrap(), []);
    let people: BTreeSet<_> = stage.all().await.into_iter().map(|one| one.origin.person).collect();
    assert!(people.len() == 1 && people.iter().all(|person| crate::domain::privacy::is_pseudonym(&person.user)), "{people:?}");
    assert_eq!(stage.upkeep().await.upkeep.rewritten_at, None);
    outside.pass(DAY + 1);
    let kept = stage.upkeep().await.upkeep;
    assert_eq!((kept.removed, kept.rewrite_since, kept.rewritten_at), (1, None, Some(outside.now())));
    stage.store.close().await;
    let inside = |path: &Path| String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).contains("ana-of-old");
    let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.iter().all(|path| !inside(path)), "gone from the files as well");
    assert!(folder.path().join("removals").exists(), "and remembered for a restore");
}

#[tokio::test]
async fn notes_about_people_go_when_their_time_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let outside = Outside::new();
    let stage = Stage::on(folder.path(), &outside);
    for noted in crate::domain::privacy::samples::notes() {
        if !matches!(noted.note, Note::Removal(_)) {
            stage.store.save_notes(NoteBatch { save: vec![noted], ..NoteBatch::default() }).await.unwrap();
        }
    }
    let many = async |kind| stage.store.notes(kind).await.unwrap().len();
    assert_eq!((many(NoteKind::Told).await, many(NoteKind::Deed).await, many(NoteKind::Export).await), (1, 1, 1));
    assert!(many(NoteKind::Entry).await > 10);
    let forever = crate::domain::notice::Mute { person: person("bo"), since: outside.now(), until: None };
    stage.store.save_notes(NoteBatch { save: vec![Noted::new(Note::Mute(forever))], ..NoteBatch::default() }).await.unwrap();
    assert_eq!(many(NoteKind::Mute).await, 2);
    outside.pass(2 * DAY);
    stage.upkeep().await;
    assert!(many(NoteKind::Entry).await > 10, "changes of rules are kept for 24 months");
    assert_eq!((many(NoteKind::Told).await, many(NoteKind::Deed).await, many(NoteKind::Export).await), (1, 1, 0));
    assert_eq!(many(NoteKind::Mute).await, 1, "the one whose time is over has gone");
    outside.pass(731 * DAY);
    stage.upkeep().await;
    assert_eq!((many(NoteKind::Told).await, many(NoteKind::Deed).await, many(NoteKind::Counts).await), (0, 0, 1));
    assert_eq!(
        (many(NoteKind::Entry).await, many(NoteKind::Mute).await, many(NoteKind::Rules).await),
        (0, 0, 1),
        "rules stay until somebody changes them"
    );
    stage.store.close().await;
}

/// Somebody asks for help; what they are told, in order.
async fn helped(stage: &Stage, user: &str, id: &str) -> Vec<Did> {
    let before = stage.outside.did().len();
    let request = Request {
        id: crate::domain::names::DeliveryId::parse(id).unwrap(),
        version: 0,
        origin: crate::domain::actor::Origin {
            person: person(user),
            channel: crate::domain::names::ChannelId::parse("C1").unwrap(),
            reply: None,
        },
        ask: crate::domain::request::Ask::Command(crate::domain::command::Command::Help { about: None }),
        came_with_code: false,
        received_at: stage.outside.now(),
        answered: false,
    };
    let now = stage.outside.now();
    stage.store.accept(&request).await.unwrap();
    for (request, _) in stage.store.take_up(9, now, now + SignedDuration::from_secs(60)).await.unwrap() {
        super::super::answer(&stage.ports, &request, None).await.unwrap();
    }
    stage.outside.did().split_off(before)
}

#[tokio::test]
async fn whoever_knew_the_page_before_is_told_once_what_changed() {
    let folder = tempfile::tempdir().unwrap();
    let outside = Outside::new();
    let mut stage = Stage::on(folder.path(), &outside);
    // A store of a version that kept no word of who knows what.
    stage.save(vec![stage.over(1, "ana")]).await;
    begin_upkeep(&stage.ports).await.unwrap();
    let told = helped(&stage, "ana", "d1").await;
    let [Did::Answer(news), Did::Answer(_)] = told.as_slice() else { panic!("{told:?}") };
    let said = format!("{news:?}");
    assert!(
        said.contains("What changed: deployments are kept for 24 months at most") && said.contains("https://h.example.com/privacy"),
        "{said}"
    );
    assert_eq!(news.audience, crate::domain::message::Audience::Asker);
    assert_eq!(helped(&stage, "ana", "d2").await.len(), 1, "once");
    stage.store.close().await;
    stage = Stage::on(folder.path(), &outside);
    assert_eq!(helped(&stage, "ana", "d3").await.len(), 1, "also after a restart");
    stage.store.close().await;

    let fresh = tempfile::tempdir().unwrap();
    let stage = Stage::on(fresh.path(), &outside);
    begin_upkeep(&stage.ports).await.unwrap();
    assert_eq!(helped(&stage, "ana", "d4").await.len(), 1, "where everything began under the present text, nothing has changed");
    outside.pass(40 * DAY);
    helped(&stage, "ana", "d5").await;
    let told = stage.store.note(&NoteKey::Told(person("ana"))).await.unwrap().unwrap();
    let since = Some(outside.now() - SignedDuration::from_secs(40 * DAY));
    let seen = Note::Told(Told { person: person("ana"), version: CURRENT_TEXT, seen: Month::of(outside.now()), since });
    assert_eq!((told.note, told.version), (seen, 2), "a word each month that they are here");
    stage.store.close().await;
}

/// Whoever was to be forgotten.
#[derive(Debug, Default)]
struct Forgotten(std::sync::Mutex<Vec<Person>>);

impl crate::ports::Forgets for Forgotten {
    fn forget_person(&self, person: &Person) {
        self.0.lock().unwrap().push(person.clone());
    }
}

/// With a place where people link their logins, at services that cannot be reached.
fn with_logins(stage: &mut Stage, memories: Memories) {
    let keys = secrecy::SecretString::from(format!("first:{}=", "A".repeat(43)));
    let linked = LinkedAccounts {
        store: Arc::new(stage.store.clone()),
        accounts: Arc::new(stage.store.clone()),
        vault: Arc::new(crate::adapters::vault::TokenVault::new(&keys).unwrap()),
        memories: memories.clone(),
        services: std::collections::BTreeMap::new(),
        clock: Arc::<Outside>::clone(&stage.outside),
    };
    let sign_ins = SignIns { linked, secrets: Arc::new(SystemSecrets), ids: Arc::<Outside>::clone(&stage.outside), pages: Arc::from("/") };
    stage.ports = Ports { sign_ins: Some(sign_ins), memories, ..stage.ports.clone() };
}

#[tokio::test]
async fn logins_of_whoever_is_not_here_any_more_are_unlinked() {
    let folder = tempfile::tempdir().unwrap();
    let outside = Outside::new();
    let mut stage = Stage::on(folder.path(), &outside);
    with_logins(&mut stage, Memories::default());
    begin_upkeep(&stage.ports).await.unwrap();
    let ana = person("ana");
    let login = |id: &str| {
        let login = serde_json::json!({
            "id": id, "scopes": ["repo"], "rights": ["read_source"], "grant": null, "linked_at": outside.now(), "life": "open",
            "standing": "good", "tokens": "sealed",
        });
        serde_json::from_value(login).unwrap()
    };
    let account = Account::empty(ana.clone()).with(Provider::SourceControl, login("1")).with(Provider::Platform, login("2"));
    let batch = AccountBatch { accounts: vec![account], sign_ins: Vec::new() };
    stage.store.save_accounts(batch).await.unwrap();
    let seen = |month| Note::Told(Told { person: ana.clone(), version: CURRENT_TEXT, seen: month, since: None });
    let save = vec![Noted::new(seen(Month::of(outside.now())))];
    stage.store.save_notes(NoteBatch { save, ..NoteBatch::default() }).await.unwrap();
    outside.pass(700 * DAY);
    stage.upkeep().await;
    assert_eq!(stage.store.account(&ana).await.unwrap().logins.len(), 2, "not yet");
    outside.pass(62 * DAY);
    // They come back at the last moment, after it was seen that they were away for long.
    let away = stage.store.note(&NoteKey::Told(ana.clone())).await.unwrap().unwrap();
    let save = vec![away.saying(seen(Month::of(outside.now())))];
    stage.store.save_notes(NoteBatch { save, ..NoteBatch::default() }).await.unwrap();
    let lease = stage.store.claim(&Work::Upkeep, outside.now(), outside.now() + SignedDuration::from_hours(1)).await.unwrap().unwrap();
    unlink_whoever_is_away(&mut Keeper::new(&stage.ports, &lease).await.unwrap(), &away).await.unwrap();
    stage.store.release(&lease).await.unwrap();
    stage.upkeep().await;
    assert_eq!(stage.store.account(&ana).await.unwrap().logins.len(), 2, "whoever is here keeps their logins");
    outside.pass(762 * DAY);
    stage.upkeep().await;
    assert_eq!(stage.store.account(&ana).await.unwrap().logins.len(), 0);
    assert_eq!(stage.store.how_much(&ana).await.unwrap(), []);
    stage.store.close().await;
}

#[tokio::test]
async fn what_is_linked_while_others_are_ended_stays() {
    let folder = tempfile::tempdir().unwrap();
    let outside = Outside::new();
    let mut stage = Stage::on(folder.path(), &outside);
    with_logins(&mut stage, Memories::default());
    let ana = person("ana");
    let login = |linked_at| {
        let login = serde_json::json!({
            "id": "1", "scopes": ["repo"], "rights": ["read_source"], "grant": null, "linked_at": linked_at, "life": "open",
            "standing": "good", "tokens": "sealed",
        });
        serde_json::from_value(login).unwrap()
    };
    let save = async |account| {
        stage.store.save_accounts(AccountBatch { accounts: vec![account], sign_ins: Vec::new() }).await.unwrap();
        stage.store.account(&ana).await.unwrap()
    };
    let first =
        Account::empty(ana.clone()).with(Provider::SourceControl, login(outside.now())).with(Provider::Platform, login(outside.now()));
    let ended = save(first).await;
    outside.pass(1);
    let new = login(outside.now());
    save(ended.with(Provider::Platform, new)).await;
    let linked = &stage.ports.sign_ins.as_ref().unwrap().linked;
    linked.forget(&ana, &ended).await.unwrap();
    let left: Vec<_> = stage.store.account(&ana).await.unwrap().logins.into_iter().map(|(at, login)| (at, login.linked_at)).collect();
    assert_eq!(left, [(Provider::Platform, outside.now())]);
    stage.store.close().await;
}

#[tokio::test]
async fn whoever_is_removed_is_forgotten_in_memory_too() {
    let folder = tempfile::tempdir().unwrap();
    let outside = Outside::new();
    let mut stage = Stage::on(folder.path(), &outside);
    let forgotten = Arc::new(Forgotten::default());
    with_logins(&mut stage, Memories::new(vec![Arc::<Forgotten>::clone(&forgotten)]));
    begin_upkeep(&stage.ports).await.unwrap();
    super::super::privacy::ask_to_remove(&stage.ports, &person("ana")).await.unwrap();
    stage.upkeep().await;
    assert_eq!(*forgotten.0.lock().unwrap(), [person("ana")]);
    stage.store.close().await;
}

/// A record of somebody else that names `ana-of-old` wherever it can name anybody: the samples, with other people as whose they are.
fn naming_them(tree: &str, edit: impl Fn(usize, &mut serde_json::Value)) -> Vec<serde_json::Value> {
    fn walk(value: &mut serde_json::Value, key: &str, path: &str) {
        match value {
            serde_json::Value::Object(fields) => {
                fields.iter_mut().for_each(|(name, value)| walk(value, name, &format!("{path}.{name}")));
            }
            serde_json::Value::Array(items) => items.iter_mut().for_each(|item| walk(item, key, path)),
            serde_json::Value::String(text) if key == "because" => *text = "as <@ana-of-old> said".to_owned(),
            serde_json::Value::String(text) if text == "ana" || text == "bo" => {
                let whose = ["origin.person", ".to.user", "person.user", ".held"].iter().any(|owner| path.contains(owner))
                    && !path.contains("riders");
                *text = if whose { "cy" } else { "ana-of-old" }.to_owned();
            }
            serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) | serde_json::Value::String(_) => {}
        }
    }
    let records = crate::domain::privacy::samples::records_of(tree).unwrap();
    let changed = records.into_iter().enumerate().map(|(n, mut record)| {
        walk(&mut record, "", "");
        record["version"] = 0.into();
        edit(n, &mut record);
        record
    });
    changed.collect()
}

/// The same as records of a kind.
macro_rules! naming {
    ($kind:ty, $tree:expr, $edit:expr) => {
        naming_them($tree, $edit).into_iter().map(|record| serde_json::from_value::<$kind>(record).unwrap()).collect::<Vec<_>>()
    };
}

#[tokio::test]
async fn nothing_that_is_kept_names_whoever_was_removed() {
    let folder = tempfile::tempdir().unwrap();
    let outside = Outside::new();
    let home = folder.path().join("store");
    let mut stage = Stage::on(&home, &outside);
    begin_upkeep(&stage.ports).await.unwrap();
    let id = |n: usize| serde_json::json!(uuid::Uuid::from_u128(1000 + n as u128));
    let requests = naming!(Request, "requests", |n, record| {
        (record["id"], record["answered"]) = (format!("d{n}").into(), true.into());
    });
    for some in requests.chunks(100) {
        stage.store.save(Batch { requests: some.to_vec(), ..Batch::default() }).await.unwrap();
    }
    let offers = naming!(crate::domain::offer::Offer, "offers", |n, record| record["id"] = id(n));
    stage.store.save(Batch { offers, ..Batch::default() }).await.unwrap();
    for (tree, first) in [("deployments", 0), ("history", 500)] {
        let mut deployments = naming!(Deployment, tree, |n, record| record["id"] = id(first + n));
        // Where their own are, somebody else has asked for them.
        deployments.iter_mut().for_each(|one| one.origin.person = person("cy"));
        stage.save(deployments).await;
    }
    let sign_ins = naming!(crate::domain::sign_in::SignIn, "sign-ins", |n, record| {
        record["id"] = id(n);
        record["link"] =
            serde_json::json!((0..32_usize).map(|at| n.checked_shr(u32::try_from(at * 8).unwrap()).unwrap_or(0) % 256).collect::<Vec<_>>());
    });
    for some in sign_ins.chunks(100) {
        stage.store.save_accounts(AccountBatch { accounts: Vec::new(), sign_ins: some.to_vec() }).await.unwrap();
    }
    for locks in naming!(crate::domain::lock::Locks, "locks", |_, _| {}) {
        crate::ports::LockStore::save_locks(&stage.store, &locks, Vec::new()).await.unwrap();
    }
    let save: Vec<Noted> = naming!(Noted, "privacy", |n, record| {
        if let Some(entry) = record["note"].get_mut("entry") {
            entry["id"] = id(n);
        }
    });
    let others = |noted: &Noted| !matches!(noted.note, Note::Removal(_) | Note::Upkeep(_));
    stage.store.save_notes(NoteBatch { save: save.into_iter().filter(others).collect(), ..NoteBatch::default() }).await.unwrap();
    let happenings = naming!(crate::domain::installation::Happening, "happenings", |n, record| {
        record["id"] = format!("Ev{n}").into();
        if let Some(revoked) = record["what"].get_mut("revoked") {
            revoked["bots"] = serde_json::json!(["UBOT"]);
        }
    });
    let installations: Vec<crate::domain::installation::Installation> =
        naming!(crate::domain::installation::Installation, "installations", |_, _| {}).into_iter().take(1).collect();
    let batch = crate::ports::InstallationBatch { installations, happenings, ..crate::ports::InstallationBatch::default() };
    crate::ports::InstallationStore::save_installations(&stage.store, batch).await.unwrap();

    // Everything in the store, told.
    let named = async |file: &str| {
        let file = folder.path().join(file);
        crate::adapters::sled::backup(&home, &file, &crate::domain::privacy::OperatorAsks::backup(None, None)).await.unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        let kinds: BTreeSet<String> =
            text.lines().filter(|line| line.contains("ana-of-old")).map(|line| line.split('"').nth(1).unwrap().to_owned()).collect();
        kinds.into_iter().collect::<Vec<_>>()
    };
    let everywhere = ["deployment", "happening", "installation", "locks", "note", "offer", "request", "sign_in"];
    stage.store.close().await;
    assert_eq!(named("before").await, everywhere, "what the test looks for can be found");
    stage = Stage::on(&home, &outside);
    super::super::privacy::ask_to_remove(&stage.ports, &person("ana-of-old")).await.unwrap();
    assert_eq!(stage.upkeep().await.waiting, 0);
    stage.store.close().await;
    assert_eq!(named("after").await, [""; 0]);
}
