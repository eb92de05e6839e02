//! Backups of a running and of a stopped store, and what they restore.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use slash_heroku::adapters::sled::{AdminSocket, OpenError, SledStore, TransferError, backup, restore};
use slash_heroku::domain::account::{Account, Provider};
use slash_heroku::domain::line::Line;
use slash_heroku::domain::privacy::OperatorAsks;
use slash_heroku::ports::{AccountBatch, AccountStore, Batch, LockStore as _, Store, Work};
use slash_heroku::testing::account_store::{login, person, visit};
use slash_heroku::testing::lock_store::{lock, none};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_util::sync::CancellationToken;

use super::{save_over, ship};
use crate::support::folders;
use crate::support::records::{app, at, delivery, deployment_id, offer, request};

async fn filled(folder: &Path) -> SledStore {
    let store = SledStore::open(folder).unwrap();
    for n in 0..100 {
        ship(&store, n, &app(&format!("app-{}", n % 7))).await.unwrap();
    }
    for name in ["open", "answered"] {
        store.accept(&request(name, 0)).await.unwrap();
    }
    store.take_up(2, at(0), at(60)).await.unwrap();
    // Nobody has taken these up, and one was delivered twice. One comes before, one behind the others.
    for name in ["waiting", "accepted", "waiting", "open"] {
        store.accept(&request(name, 1)).await.unwrap();
    }
    let answered = store.request(&delivery("answered")).await.unwrap().unwrap().answered_now();
    store.save(Batch { requests: vec![answered], offers: vec![offer(1, 0)], ..Batch::default() }).await.unwrap();
    let ana = person("T1", "U1");
    let (account, sign_in) = (Account::empty(ana.clone()).with(Provider::Platform, login("1")), visit(1, &ana));
    store.save_accounts(AccountBatch { accounts: vec![account], sign_ins: vec![sign_in] }).await.unwrap();
    store.save_locks(&none("p1").taken(lock("U1", "d1"), false, at(0)).unwrap().locks, Vec::new()).await.unwrap();
    // In the history, before, between and behind those that are open; and a few that are over and still in sled.
    save_over(&store, 1000..1200, "app-over").await;
    let tenth = store.deployment(deployment_id(10)).await.unwrap().unwrap();
    store.save(Batch::deployment(tenth.closed_now())).await.unwrap();
    save_over(&store, 300..331, "app-over").await;
    store
}

/// Runs `work` while the admin socket of the store is served, then stops serving.
async fn while_serving<T>(store: &SledStore, work: impl Future<Output = T>) -> T {
    let (socket, stop) = (AdminSocket::bind(store).unwrap(), CancellationToken::new());
    let work = async {
        let done = work.await;
        stop.cancel();
        done
    };
    tokio::join!(socket.serve(stop.clone()), work).1
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// The lines of a backup that are records: without the first, which says when it was made, and the last, which sums up.
fn records_in(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap();
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    assert!(lines[0].contains("\"made\":\""), "{}", lines[0]);
    // That it is taken is put on record, and is in it.
    lines[1..lines.len() - 1].iter().filter(|line| !line.contains("\"backed_up\"")).cloned().collect()
}

#[tokio::test]
async fn a_backup_of_a_running_store_restores_everything() {
    let place = folders::on_disk();
    let (folder, file, again, other) = (place.path().join("a"), place.path().join("1"), place.path().join("2"), place.path().join("b"));
    let store = filled(&folder).await;
    let lease = store.claim(&Work::Deployment(deployment_id(1)), at(0), at(60)).await.unwrap().unwrap();
    while_serving(&store, async {
        assert_eq!(mode(&folder.join("admin.sock")), 0o600);
        backup(&folder, &file, &OperatorAsks::backup(None, None)).await.unwrap();
    })
    .await;
    assert!(!folder.join("admin.sock").exists(), "tidied up");
    assert_eq!(mode(&file), 0o600);
    ship(&store, 500, &app("after")).await.unwrap();
    store.close().await;

    restore(&other, &file).await.unwrap();
    let restored = SledStore::open(&other).unwrap();
    assert_eq!(restored.open_deployments().await.unwrap().len(), 99);
    assert_eq!(restored.deployments_of_app(&app("app-over"), usize::MAX).await.unwrap().len(), 231);
    assert_eq!(restored.line(&app("after")).await, Ok(Line::empty(app("after"))), "what came after the backup is not in it");
    let unanswered: Vec<String> = restored.unanswered().await.unwrap().into_iter().map(|request| request.id.to_string()).collect();
    assert_eq!(unanswered, ["open", "accepted", "waiting"], "also those that nobody had taken up");
    let first = restored.deployment(deployment_id(0)).await.unwrap().unwrap();
    assert_eq!(first.version, 1, "versions stay");
    let ana = person("T1", "U1");
    assert_eq!(restored.account(&ana).await.unwrap().logins.len(), 1, "what was linked stays linked");
    assert_eq!(restored.sign_ins_of(&ana).await.unwrap().len(), 1);
    restored.close().await;
    backup(&other, &again, &OperatorAsks::backup(None, None)).await.unwrap();
    assert_eq!(records_in(&file), records_in(&again), "the same in every byte, but for when it was made");

    let restored = SledStore::open(&other).unwrap();
    let next = restored.claim(&Work::Deployment(deployment_id(1)), at(0), at(60)).await.unwrap().unwrap();
    assert!(next.fence > lease.fence, "fences go on");
}

#[tokio::test]
async fn a_backup_overwrites_nothing_and_leaves_nothing_half_done() {
    let place = folders::in_memory();
    let (folder, file) = (place.path().join("store"), place.path().join("file"));
    assert!(matches!(backup(&folder, &file, &OperatorAsks::backup(None, None)).await, Err(TransferError::Open(OpenError::NoStore { .. }))));
    assert!(!folder.exists(), "no store was made only to back it up");
    filled(&folder).await.close().await;
    std::fs::write(&file, "mine").unwrap();
    assert_eq!(backup(&folder, &file, &OperatorAsks::backup(None, None)).await, Err(TransferError::Exists(file.clone())));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
    assert!(backup(&folder, &place.path().join("missing/file"), &OperatorAsks::backup(None, None)).await.is_err());
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 2, "no temporary file is left");
}

#[tokio::test]
async fn a_store_that_is_open_without_its_socket_is_not_backed_up_behind_its_back() {
    let place = folders::in_memory();
    let folder = place.path().join("store");
    let store = filled(&folder).await;
    let said = backup(&folder, &place.path().join("file"), &OperatorAsks::backup(None, None)).await.unwrap_err().to_string();
    assert!(said.contains("in use"), "{said}");
    drop(store);
}

#[tokio::test]
async fn a_backup_is_restored_only_into_nothing() {
    let place = folders::in_memory();
    let (folder, file) = (place.path().join("store"), place.path().join("file"));
    let store = filled(&folder).await;
    let said = restore(&folder, &file).await.unwrap_err();
    assert!(matches!(&said, TransferError::Open(OpenError::InUse { holder: Some(_), .. })), "{said}");
    store.close().await;
    backup(&folder, &file, &OperatorAsks::backup(None, None)).await.unwrap();
    assert_eq!(restore(&folder, &file).await, Err(TransferError::NotEmpty(folder.clone())));
    let foreign = place.path().join("foreign");
    std::fs::create_dir(&foreign).unwrap();
    std::fs::write(foreign.join("letter"), "").unwrap();
    assert_eq!(restore(&foreign, &file).await, Err(TransferError::NotEmpty(foreign.clone())));
    assert_eq!(std::fs::read_dir(&foreign).unwrap().count(), 1);
    let empty = place.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    restore(&empty, &file).await.unwrap();
    assert_eq!(SledStore::open(&empty).unwrap().open_deployments().await.unwrap().len(), 99);
}

#[tokio::test]
async fn a_backup_that_is_not_whole_is_refused_before_anything_is_written() {
    let place = folders::in_memory();
    let (folder, file, target) = (place.path().join("store"), place.path().join("file"), place.path().join("target"));
    filled(&folder).await.close().await;
    backup(&folder, &file, &OperatorAsks::backup(None, None)).await.unwrap();
    let whole = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    let without_one: String = [&lines[..5], &lines[6..]].concat().concat();
    let mut twice = lines.clone();
    twice.insert(3, lines[3]);
    let newer = whole.replacen("\"schema\":1", "\"schema\":2", 1);
    let broken = [
        ("nothing", String::new()),
        ("something else", "{\"a\":1}\n".to_owned()),
        ("no end", lines[..lines.len() - 1].concat()),
        ("cut off in a line", whole[..whole.len() / 2].to_owned()),
        ("a line is missing", without_one),
        ("a line is there twice", twice.concat()),
        ("more after its end", format!("{whole}{}", lines[3])),
        ("a changed word", whole.replacen("hubot", "robot", 1)),
        ("a newer version", newer),
    ];
    for (what, text) in broken {
        std::fs::write(&file, text).unwrap();
        let said = restore(&target, &file).await;
        assert!(matches!(said, Err(TransferError::NotWhole(_))), "{what}: {said:?}");
        assert!(!target.exists(), "{what}");
    }
}

#[tokio::test]
async fn a_restore_that_was_cut_short_does_not_count() {
    let place = folders::in_memory();
    std::fs::write(place.path().join("restoring"), "").unwrap();
    let said = SledStore::open(place.path()).unwrap_err();
    assert_eq!(said, OpenError::HalfRestored { folder: place.path().to_owned() });
}

#[tokio::test]
async fn a_socket_that_a_killed_process_left_is_in_nobodys_way() {
    let place = folders::in_memory();
    let folder = place.path().join("store");
    let store = filled(&folder).await;
    drop(std::os::unix::net::UnixListener::bind(folder.join("admin.sock")).unwrap());
    assert!(folder.join("admin.sock").exists());
    while_serving(&store, backup(&folder, &place.path().join("1"), &OperatorAsks::backup(None, None))).await.unwrap();
    drop(std::os::unix::net::UnixListener::bind(folder.join("admin.sock")).unwrap());
    store.close().await;
    backup(&folder, &place.path().join("2"), &OperatorAsks::backup(None, None)).await.unwrap();
    assert_eq!(records_in(&place.path().join("1")), records_in(&place.path().join("2")));
}

#[tokio::test]
async fn a_long_path_is_no_obstacle() {
    let place = folders::in_memory();
    let folder = place.path().join("n".repeat(120)).join("store");
    let store = filled(&folder).await;
    while_serving(&store, backup(&folder, &place.path().join("file"), &OperatorAsks::backup(None, None))).await.unwrap();
    assert!(!folder.join("admin.sock").exists());
}

#[tokio::test]
async fn the_socket_answers_what_it_does_not_know() {
    let place = folders::in_memory();
    let store = SledStore::open(place.path()).unwrap();
    let said = while_serving(&store, async {
        let mut stream = tokio::net::UnixStream::connect(place.path().join("admin.sock")).await.unwrap();
        stream.write_all(b"shutdown\n").await.unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).await.unwrap();
        said
    })
    .await;
    assert!(said.starts_with("error: "), "{said}");
}
