//! The sandbox as a newcomer runs it: scripts, the world alone, the terminal.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use slash_heroku::adapters::clock::SystemClock;
use slash_heroku::ports::Clock;
use slash_heroku::rehearsal::Child;
use slash_heroku::sandbox::browser::Browser;
use slash_heroku::sandbox::script::Service as _;
use slash_heroku::sandbox::serve::Servers;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use super::{PATIENCE, PROGRAM, comes, run, said, signal, text_of};
use crate::support::folders;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_script_is_judged_by_the_exit_code() {
    let written = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/scenarios/01-a-first-deploy.chat");
    let folder = folders::in_memory();
    let altered = folder.path().join("altered.chat");
    std::fs::write(&altered, std::fs::read_to_string(&written).unwrap().replace("@ana deployed", "@ana destroyed")).unwrap();
    let (written, altered) = (text_of(&written), text_of(&altered));
    assert_eq!(said(&run(&["sandbox", &written], &[]).await), (Some(0), String::new()));
    let (code, words) = said(&run(&["sandbox", &altered], &[]).await);
    assert_eq!(code, Some(1), "{words}");
    assert!(words.contains("it did not go as written:") && words.contains("altered.chat:2: ana> deploy hubot to staging"), "{words}");
    let line = |sign: &str, word: &str| words.lines().any(|line| line.trim_start().starts_with(sign) && line.contains(word));
    assert!(line("- ", "@ana destroyed") && line("+ ", "@ana deployed"), "{words}");
}

/// A program that is talked to.
struct Talk {
    process: tokio::process::Child,
    said: Arc<Mutex<String>>,
    heard: usize,
}

impl Talk {
    fn with(arguments: &[&str]) -> Self {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let (mut output, heard) = (process.stdout.take().unwrap(), Arc::clone(&said));
        // Ends with the process.
        tokio_util::task::TaskTracker::new().spawn(async move {
            let mut piece = [0; 4096];
            while let Ok(length @ 1..) = output.read(&mut piece).await {
                heard.lock().unwrap().push_str(&String::from_utf8_lossy(&piece[..length]));
            }
        });
        Self { process, said, heard: 0 }
    }

    async fn types(&mut self, line: &str) {
        self.process.stdin.as_mut().unwrap().write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    /// Waits until these words come after the ones that were heard last.
    async fn hears(&mut self, words: &str) {
        let (said, heard) = (Arc::clone(&self.said), self.heard);
        let place = || said.lock().unwrap()[heard..].find(words);
        assert!(comes(|| place().is_some()).await, "`{words}` was not said after byte {heard} of\n{}", said.lock().unwrap());
        self.heard = heard + place().unwrap() + words.len();
    }

    /// Waits until these words were said, whenever that was.
    async fn has_heard(&self, words: &str) {
        let said = || self.said.lock().unwrap();
        assert!(comes(|| said().contains(words)).await, "`{words}` was not said in\n{}", said());
    }

    /// The number before the newest button with this label.
    fn number_of(&self, label: &str) -> String {
        let said = self.said.lock().unwrap();
        said[..said.rfind(&format!(" [{label}]")).unwrap()].rsplit(' ').next().unwrap().to_owned()
    }

    async fn ends(&mut self) -> Option<i32> {
        tokio::time::timeout(PATIENCE, self.process.wait()).await.expect("it ends").unwrap().code()
    }
}

pub async fn the_terminal_is_a_chat() {
    let mut talk = Talk::with(&["sandbox"]);
    talk.hears("The store is ").await;
    talk.hears("leave (the world ends)").await;
    let store = {
        let said = talk.said.lock().unwrap();
        PathBuf::from(said.lines().find_map(|line| line.strip_prefix("The store is ")).unwrap().trim_end_matches('.'))
    };
    assert!(store.join("db").is_file());
    talk.types("help").await;
    talk.hears("deploy").await;
    talk.types("deploy legacy to staging").await;
    talk.types("deploy hubot to staging").await;
    talk.hears("(hubot-staging)").await;
    // Its own build: one that is only being ordered is looked for during a minute after a kill.
    talk.hears("build output · hubot-staging").await;
    talk.types("/crash").await;
    talk.hears("The service was killed.").await;
    talk.hears("It runs again, on the same store.").await;
    // On a busy machine one of the two may have ended before the crash.
    talk.has_heard("[ok] @ana deployed").await;
    talk.has_heard("[no] @ana could not deploy").await;
    talk.has_heard("[Show output]").await;
    talk.types(&talk.number_of("Show output")).await;
    talk.hears("Push rejected").await;
    talk.types("/quit").await;
    assert_eq!(talk.ends().await, Some(0));
    assert!(!store.exists(), "the folder that was made for it is gone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_tries_it_may_sign_in_with_a_browser() {
    let mut talk = Talk::with(&["sandbox", "--sign-in"]);
    talk.hears("leave (the world ends)").await;
    talk.types("deploy hubot to staging").await;
    talk.hears("is kept and runs when you type the passcode").await;
    // Killed right after it was said and before that is on record, it would be said once more, with a newer link.
    talk.types("whoami").await;
    talk.hears("To link: ").await;
    // The kill in between changes neither the address nor the link.
    talk.types("/crash").await;
    talk.hears("It runs again").await;
    let link = {
        let said = talk.said.lock().unwrap();
        said.lines().find_map(|line| line.trim().strip_prefix("http://127.0.0.1:")).map(|rest| format!("http://127.0.0.1:{rest}")).unwrap()
    };
    let public = link.split("/login/").next().unwrap().to_owned();
    let (service, mut browser) = (format!("{public}/"), Browser::new(&public).unwrap());
    browser.open(&service, &link).await.unwrap();
    let labels = ["Begin", "Sign in to GitHub", "Authorize as ana", "Go on", "Sign in to Heroku"];
    for label in labels.into_iter().chain(["Allow Access as ana@example.com", "Go on", "Show the passcode"]) {
        browser.click(&service, label).await.unwrap();
    }
    talk.types(&format!("login {}", browser.page().unwrap().passcode.clone().unwrap())).await;
    talk.hears("[ok] @ana deployed").await;
    talk.types("/quit").await;
    assert_eq!(talk.ends().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_sandbox_leaves_no_service() {
    let folder = folders::in_memory();
    let store = text_of(folder.path());
    let mut talk = Talk::with(&["sandbox", "--store", &store]);
    talk.hears("leave (the world ends)").await;
    talk.process.kill().await.unwrap();
    // The service gives the folder back: a tidy end leaves word of what there is.
    assert!(comes(|| folder.path().join("closed").is_file()).await, "the service runs on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_world_alone_ends_with_whoever_started_it() {
    let mut talk = Talk::with(&["sandbox", "--serve", "--port", "0", "--child"]);
    talk.hears("SLASH_HEROKU_HEROKU_LINKS=").await;
    assert_eq!(talk.process.try_wait().unwrap(), None, "as long as somebody holds its input, it serves");
    // A process that is killed lets go of all that it holds.
    drop(talk.process.stdin.take());
    let ended = tokio::time::timeout(PATIENCE, talk.process.wait()).await.expect("the world runs on").unwrap();
    assert!(ended.success(), "{ended}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_world_alone_takes_a_service() {
    let mut talk = Talk::with(&["sandbox", "--serve", "--port", "0", "--child"]);
    talk.hears("SLASH_HEROKU_HEROKU_LINKS=").await;
    talk.hears("\n").await;
    let printed = talk.said.lock().unwrap().clone();
    let exports = printed.lines().filter_map(|line| line.strip_prefix("export ")?.split_once('='));
    // A test's process is short, and so are these.
    let settings: Vec<(&'static str, String)> =
        exports.map(|(name, value)| (&*Box::leak(name.to_owned().into_boxed_str()), value.to_owned())).collect();
    let setting = |name: &str| settings.iter().find(|(known, _)| *known == name).unwrap().1.clone();
    let store = folders::in_memory();
    let mut child = Child::of(PathBuf::from(PROGRAM), settings.clone(), store.path());
    child.start().await.unwrap();

    // An answer address of our own, since nobody sees what the other process's people are told.
    let servers = Servers::default();
    let (listener, address) = Servers::listen(0).await.unwrap();
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let answers = Router::new().route(
        "/commands/T1/1/key",
        axum::routing::post(move |body: String| {
            let tell = tell.clone();
            async move { tell.send(body).unwrap() }
        }),
    );
    servers.serve(listener, answers);
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("team_id", setting("SLASH_HEROKU_PERSON_WORKSPACE").as_str()),
            ("user_id", setting("SLASH_HEROKU_PERSON_USER").as_str()),
            ("channel_id", "C1"),
            ("command", setting("SLASH_HEROKU_COMMAND").as_str()),
            ("text", "pipelines"),
            ("response_url", format!("http://{address}/commands/T1/1/key").as_str()),
            ("trigger_id", "1.2.3"),
        ])
        .finish();
    let time = SystemClock::default().now().as_second().to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(setting("SLASH_HEROKU_SLACK_SIGNING_SECRET").as_bytes()).unwrap();
    mac.update(format!("v0:{time}:{body}").as_bytes());
    let signature: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().unwrap();
    let request = client
        .post(child.address().at("/slack/commands"))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-slack-request-timestamp", time)
        .header("x-slack-signature", format!("v0={signature}"));
    assert_eq!(request.body(body).send().await.unwrap().status(), 200);
    let answer = tokio::time::timeout(PATIENCE, told.recv()).await.expect("an answer comes").unwrap();
    assert!(answer.contains("hubot") && answer.contains("vault"), "the pipelines of the other process's world: {answer}");
    child.stop().await.unwrap();

    signal("INT", talk.process.id().unwrap()).await;
    assert_eq!(talk.ends().await, Some(0));
}
