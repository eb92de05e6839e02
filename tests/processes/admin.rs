//! Backup and restore from the outside, and the refusals that keep a folder whole.

use std::path::PathBuf;

use slash_heroku::rehearsal::{Child, settings_for};
use slash_heroku::sandbox::heroku::Held;
use slash_heroku::sandbox::script::Service as _;

use super::{GLANCE, PATIENCE, PROGRAM, Scene, printed, run, said, text_of};
use crate::support::folders;

const APP: &str = "hubot-staging";

pub async fn a_backup_is_a_store_to_go_on_with() {
    let mut scene = Scene::set("backup and restore").await;
    scene.world.heroku.hold(APP, Held::Build).unwrap();
    scene.asks("deploy hubot to staging").await;
    scene.until("it builds", |scene| scene.said("build output") == 1).await;
    let files = folders::in_memory();
    let (file, later) = (files.path().join("backup"), files.path().join("later"));
    let (here, there) = (scene.store.path().to_owned(), files.path().join("restored"));
    let store_at = |folder: &PathBuf| [("SLASH_HEROKU_STORE", text_of(folder))];

    // While it serves.
    assert_eq!(said(&run(&["backup", &text_of(&file)], &store_at(&here)).await), (Some(0), String::new()));
    let (code, words) = said(&run(&["backup", &text_of(&file)], &store_at(&here)).await);
    assert!(code == Some(1) && words.contains("exists already"), "{code:?} {words}");
    let (code, words) = said(&run(&["restore", &text_of(&file)], &store_at(&here)).await);
    assert!(code == Some(1) && words.contains("in use by another slash-heroku"), "{code:?} {words}");
    let mut settings = settings_for(&scene.world);
    settings.extend([("SLASH_HEROKU_STORE", text_of(&here)), ("SLASH_HEROKU_LISTEN", "127.0.0.1:0".to_owned())]);
    let (code, words) = said(&run(&["serve"], &settings).await);
    let expected = format!("slash-heroku: the folder {} is in use by another slash-heroku (process ", here.display());
    assert!(code == Some(1) && words.contains(&expected) && words.contains("stop that one first"), "{code:?} {words}");
    assert_eq!(scene.said("build output"), 1, "the first one goes on");
    let named = ["backup", &text_of(&files.path().join("named")), "--by", "otto", "--because", "before the move"];
    assert_eq!(said(&run(&named, &store_at(&here)).await), (Some(0), String::new()));
    let log = run(&["privacy", "log"], &store_at(&here)).await;
    let log = String::from_utf8(log.stdout).unwrap();
    let lines: Vec<&str> = log.lines().collect();
    assert!(lines.len() == 2 && lines.iter().all(|line| line.contains(" took a backup of everything")), "{log}");
    assert!(log.contains("(otto) took a backup of everything: before the move"), "{log}");

    // While nothing runs, after a kill that left its socket.
    scene.kill().await;
    assert!(here.join("admin.sock").exists());
    assert_eq!(said(&run(&["backup", &text_of(&later)], &store_at(&here)).await), (Some(0), String::new()));
    let (code, words) = said(&run(&["restore", &text_of(&file)], &store_at(&here)).await);
    assert!(code == Some(1) && words.contains("is not empty"), "{code:?} {words}");
    let restored = run(&["restore", &text_of(&later)], &store_at(&there)).await;
    let (told, unknown) = (printed(&restored), format!("there is no file {}", text_of(&there.with_extension("removals"))));
    assert_eq!(said(&restored), (Some(0), String::new()));
    assert!(told.contains("Nobody knows here who was removed since") && told.contains(&unknown), "{told}");
    let first = files.path().join("restored first");
    std::fs::write(first.with_extension("removals"), "").unwrap();
    let restored = run(&["restore", &text_of(&file)], &store_at(&first)).await;
    let told = printed(&restored);
    assert!(said(&restored) == (Some(0), String::new()) && told.contains("without whoever was removed since"), "{told}");

    // The first backup knows of the build that runs, and goes on with it.
    scene.child = Child::of(PathBuf::from(PROGRAM), settings_for(&scene.world), &first).keeping_its_log();
    scene.start().await;
    scene.asks("status hubot").await;
    scene.until("the status knows it", |scene| scene.said("building for") == 1).await;
    scene.world.heroku.let_go(APP).unwrap();
    scene.all_end_well(APP, "acme/hubot", 1).await;
    scene.child.stop().await.unwrap();
    assert!(!first.join("admin.sock").exists(), "a tidy end leaves no socket");
}

/// Everything that is kept about somebody who writes a letter: seen, taken out, removed, in every file, with who did it and why.
pub async fn an_operator_answers_a_letter_and_that_is_on_record() {
    let scene = Scene::set("privacy by letter").await;
    scene.asks("deploy hubot to staging because of the marked words").await;
    scene.all_end_well(APP, "acme/hubot", 1).await;
    let store = [("SLASH_HEROKU_STORE", text_of(scene.store.path()))];
    let asked = async |what: &'static str| {
        let words = ["privacy", what, "--workspace", "T1", "--user", "U1", "--by", "otto", "--because", "letter of 3 May"];
        let output = run(if ["log", "state"].contains(&what) { &words[..2] } else { &words }, &store).await;
        let told = said(&output);
        assert_eq!(told, (Some(0), String::new()), "{what}");
        String::from_utf8(output.stdout).unwrap()
    };
    let much = asked("show").await;
    assert!(much.contains("deployments: 1\n") && much.contains("requests: 1\n") && much.contains("told: 1\n"), "{much}");
    let all = asked("export").await;
    assert!(all.contains("the marked words") && all.contains("\"user\": \"U1\""), "{all}");
    assert_eq!(asked("delete").await, "They are being removed.\n");
    scene.until("they are told", |scene| scene.said("You were removed") == 1).await;
    // They are told before the record that they were is written, so that it is told even after a kill between the two.
    let over = async {
        let mut glances = tokio::time::interval(GLANCE);
        let is_over = |state: &str| state.contains("people removed: 1\n") && state.contains("people to be removed: 0\n");
        while !is_over(&asked("state").await) {
            glances.tick().await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, over).await.is_ok(), "the removal ends");
    assert_eq!(asked("show").await, "operators: 1\n", "nothing but that somebody has just looked");
    let log = asked("log").await;
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines.len(), 4, "{log}");
    assert!(lines.iter().all(|line| line.contains("(otto)") && line.ends_with(": letter of 3 May")), "{log}");
    assert!(lines[..3].iter().all(|line| line.contains(" T1/removed-")), "the record of it does not keep them either: {log}");

    let (code, words) = said(&run(&["privacy", "show", "--workspace", "T1", "--user", "U1", "--by", " ", "--because", "x"], &store).await);
    assert!(code == Some(1) && words.contains("say who you are and why"), "{code:?} {words}");
    let nowhere = [("SLASH_HEROKU_STORE", text_of(&scene.store.path().join("nowhere")))];
    let (code, words) = said(&run(&["privacy", "log"], &nowhere).await);
    assert!(code == Some(1) && words.contains("no service runs on the store"), "{code:?} {words}");
}

#[tokio::test]
async fn what_cannot_work_is_refused_in_words() {
    let folder = folders::in_memory();
    let nowhere = [("SLASH_HEROKU_STORE", text_of(&folder.path().join("none")))];
    let file = text_of(&folder.path().join("backup"));
    let (code, words) = said(&run(&["backup", &file], &nowhere).await);
    assert!(code == Some(1) && words.contains("there is no store in"), "{code:?} {words}");
    std::fs::write(&file, "{}\n").unwrap();
    let (code, words) = said(&run(&["restore", &file], &nowhere).await);
    assert!(code == Some(1) && words.contains("the file is not a whole backup"), "{code:?} {words}");
    assert!(!folder.path().join("none").join("db").exists());

    let mut console = vec![("SLASH_HEROKU_CHAT", "console".to_owned()), ("SLASH_HEROKU_STORE", text_of(folder.path()))];
    console.extend([("SLASH_HEROKU_GITHUB_TOKEN", "one".to_owned()), ("SLASH_HEROKU_HEROKU_TOKEN", "two".to_owned())]);
    console.push(("DYNO", "web.1".to_owned()));
    let (code, words) = said(&run(&["serve"], &console).await);
    assert_eq!(code, Some(2), "{words}");
    assert!(words.contains("DYNO is set, so this is a dyno") && words.contains("SLASH_HEROKU_ALLOW_EPHEMERAL_DISK=on"), "{words}");
}
