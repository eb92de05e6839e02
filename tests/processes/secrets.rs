//! Secrets stay out of the log, the store and the chat, also when everything is logged that can be.

use slash_heroku::sandbox::company::{CODES, GITHUB_TOKEN, HEROKU_TOKEN};
use slash_heroku::sandbox::heroku::planted_secrets;
use slash_heroku::sandbox::script::Service as _;

use super::Scene;

/// Whether `text` holds `secret` as a word of its own: six digits may stand within a longer number.
fn holds(text: &str, secret: &str) -> bool {
    let part_of_word = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.match_indices(secret).any(|(at, _)| {
        let (before, after) = (text[..at].chars().next_back(), text[at + secret.len()..].chars().next());
        let digits = secret.bytes().all(|byte| byte.is_ascii_digit());
        !digits || !(part_of_word(before) || part_of_word(after))
    })
}

pub async fn no_secret_leaves_its_place() {
    let mut scene = Scene::set_with("secrets", &[("SLASH_HEROKU_LOG", "trace,hyper=debug,reqwest=debug,sled=debug")]).await;
    scene.asks("deploy legacy to staging").await;
    scene.asks("deploy vault to production").await;
    scene.until("it is asked about", |scene| scene.world.slack.find_button("ana", "Ship 4419ede").is_some()).await;
    let ship = scene.world.slack.find_button("ana", "Ship 4419ede").expect("production is asked about");
    assert_eq!(scene.world.slack.press(&scene.child.address(), "ana", &ship).await.status, Some(200));
    scene.until("it waits for a code", |scene| scene.said("waiting for a one-time code") == 1).await;
    let [code, other] = CODES;
    scene.asks(&format!("deploy vault to production {code}")).await;
    // A code after words that are not understood, and after ones that are refused.
    assert!(!scene.types(&format!("deploi vault to production {other}")).await.body.contains(other));
    scene.asks(&format!("deploy nothing to production {other}")).await;
    scene.until("both have ended", |scene| scene.ends_told("@ana") == 2).await;
    scene.asks(&format!("plan vault {other}")).await;
    let show = scene.world.slack.find_button("ana", "Show output").expect("a failed build has its output");
    assert_eq!(scene.world.slack.press(&scene.child.address(), "ana", &show).await.status, Some(200));
    scene.until("the output is shown", |scene| scene.said("Push rejected") == 1).await;
    scene.child.stop().await.unwrap();
    scene.until("the log is read to its end", |scene| scene.child.logged().iter().any(|line| line.contains("\"draining\""))).await;

    let seed = scene.world.slack.seed();
    let heroku = &scene.world.heroku;
    let hooks = scene.world.slack.hooks_address();
    let [token, password] = planted_secrets();
    let secrets = [
        ("GitHub's token", GITHUB_TOKEN.to_owned()),
        ("Heroku's token", HEROKU_TOKEN.to_owned()),
        ("the signing secret", seed.signing_secret.clone()),
        ("the bot's token", seed.bot_token.clone()),
        ("the code", code.to_owned()),
        ("the code that was not used", other.to_owned()),
        ("a token in the output", token),
        ("a password in the output", password),
        ("an answer address of a command", format!("{hooks}commands/")),
        ("an answer address of a button", format!("{hooks}actions/")),
        ("a signature of a source", "X-Amz-Signature".to_owned()),
        ("an address of a source", format!("{}/uploads/", heroku.storage_url())),
        ("an address of output", format!("{}/", heroku.streams_url())),
        ("a token of an archive", "?token=".to_owned()),
    ];
    let log = scene.child.logged().join("\n");
    assert!(log.contains("\"level\":\"DEBUG\"") && log.lines().count() > 100, "the log is a full one");
    let chat = format!("{:?}\n{:?}", scene.world.slack.events(), scene.world.slack.requests());
    let mut places = vec![("the log".to_owned(), log), ("the chat".to_owned(), chat)];
    for entry in std::fs::read_dir(scene.store.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            places.push((path.display().to_string(), String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned()));
        }
    }
    assert!(places.iter().any(|(_, text)| text.contains("vault-production")), "the store was read");
    for (place, text) in &places {
        for (what, secret) in &secrets {
            assert!(!holds(text, secret), "{what} is in {place}: …{}…", around(text, secret));
        }
    }
    scene.nothing_forbidden();
}

/// Where it stands, so that a failure can be understood.
fn around(text: &str, secret: &str) -> String {
    let at = text.find(secret).unwrap_or(0);
    text.chars().skip(text[..at].chars().count().saturating_sub(300)).take(600).collect()
}
