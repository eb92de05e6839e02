//! The keys that tokens are sealed with, changed in the running service, and lost.

use std::path::PathBuf;

use futures_util::future::join_all;
use slash_heroku::rehearsal::{Child, settings_for};
use slash_heroku::sandbox::browser::Browser;
use slash_heroku::sandbox::company::{GITHUB_APP, KEYS, PUBLIC, sign_in_settings};
use slash_heroku::sandbox::script::Service as _;

use super::{PROGRAM, Scene, run, said, text_of};

/// From the command to the passcode.
async fn ana_signs_in(scene: &Scene) {
    scene.asks("login").await;
    let link = || scene.world.slack.find_link("ana", "Link your logins", false);
    scene.until("she was given a link", |_| link().is_some()).await;
    let (service, mut browser) = (scene.child.address().at("/"), Browser::new(PUBLIC).unwrap());
    browser.open(&service, &link().unwrap()).await.unwrap();
    for label in [
        "Begin",
        "Sign in to Heroku",
        "Allow Access as ana@example.com",
        "Go on",
        "Sign in to GitHub",
        "Authorize as ana",
        "Go on",
        "Show the passcode",
    ] {
        browser.click(&service, label).await.unwrap();
    }
    scene.asks(&format!("login {}", browser.page().unwrap().passcode.clone().unwrap())).await;
    scene.until("she has linked her logins", |scene| scene.said("Linked: your logins at GitHub and Heroku.") == 1).await;
}

async fn served_with(scene: &mut Scene, keys: &str) {
    scene.child.stop().await.unwrap();
    let mut settings = settings_for(&scene.world);
    settings.extend(sign_in_settings(GITHUB_APP));
    settings.push(("SLASH_HEROKU_SEALING_KEYS", keys.to_owned()));
    scene.child = Child::of(PathBuf::from(PROGRAM), settings, scene.store.path()).keeping_its_log();
    scene.start().await;
}

pub async fn keys_are_rotated_while_people_work() {
    let mut scene = Scene::set("keys").await;
    let [first, second] = KEYS;
    let store = [("SLASH_HEROKU_STORE", text_of(scene.store.path()))];
    let rotate = async || run(&["keys", "rotate"], &store).await;
    let (code, words) = said(&rotate().await);
    assert!(code == Some(1) && words.contains("nobody signs in here"), "{code:?} {words}");
    served_with(&mut scene, first).await;
    ana_signs_in(&scene).await;
    served_with(&mut scene, &format!("{second},{first}")).await;
    let (rotated, _) = tokio::join!(rotate(), join_all((0..10).map(|_| scene.asks("pipelines"))));
    let words = String::from_utf8_lossy(&rotated.stdout).into_owned();
    assert_eq!((said(&rotated), words.as_str()), ((Some(0), String::new()), "2 sealed again with the newest key.\n"));
    scene.until("everybody was answered", |scene| scene.said("You can see") == 10).await;
    served_with(&mut scene, second).await;
    scene.asks("whoami").await;
    scene.until("her logins are there without the old key", |scene| scene.said("GitHub: ana, linked") == 1).await;

    // The key is lost: nobody crashes, whoever meets it is told.
    served_with(&mut scene, first).await;
    scene.asks("pipelines").await;
    scene.until("she is told", |scene| scene.said("(login-locked)") == 1).await;
    let (code, words) = said(&rotate().await);
    assert!(code == Some(1) && words.contains("0 sealed again") && words.contains("and 2 could not be"), "{code:?} {words}");
    assert!(words.contains("the key `second`, which is not in the settings"), "{words}");
    scene.nothing_forbidden();
    scene.child.stop().await.unwrap();
    let (code, words) = said(&rotate().await);
    assert!(code == Some(1) && words.contains("no service runs on"), "{code:?} {words}");
}
