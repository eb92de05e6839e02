//! The real program as a process: killed, stopped, backed up, typed at, in a simulated world that goes on.

mod admin;
mod fast;
mod keys;
mod kills;
mod memory;
mod requests;
mod sandbox;
mod secrets;
mod stops;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use slash_heroku::adapters::clock::SystemClock;
use slash_heroku::rehearsal::{Child, settings_for};
use slash_heroku::sandbox::script::Service as _;
use slash_heroku::sandbox::slack::{Ack, Rendered};
use slash_heroku::sandbox::world::World;
use tempfile::TempDir;

use crate::secrets::Needles;
use crate::support::folders;

/// The program.
const PROGRAM: &str = env!("CARGO_BIN_EXE_slash-heroku");
/// How long a state may take to come. The machine may be busy; whoever waits in vain fails.
const PATIENCE: Duration = Duration::from_secs(180);
/// How often a state is looked at.
const GLANCE: Duration = Duration::from_millis(15);

/// All that waits for real time, at once: the runner of tests has only as many threads as the machine has cores, and these
/// would have most of them wait. A scene that fails says its name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_the_real_clock() {
    tokio::join!(
        kills::every_phase_ends_truly_after_a_kill(),
        stops::a_stop_is_tidy_and_in_time(),
        admin::a_backup_is_a_store_to_go_on_with(),
        keys::keys_are_rotated_while_people_work(),
        admin::an_operator_answers_a_letter_and_that_is_on_record(),
        requests::a_command_is_acknowledged_in_time_and_done_once(),
        secrets::no_secret_leaves_its_place(),
        memory::it_stays_as_it_was_however_much_is_done(),
        sandbox::the_terminal_is_a_chat(),
    );
}

/// Looks again and again until `fits`; false: it did not in time.
async fn comes(mut fits: impl FnMut() -> bool) -> bool {
    let mut glances = tokio::time::interval(GLANCE);
    let waited = async {
        while !fits() {
            glances.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, waited).await.is_ok()
}

/// A world and a service in it.
struct Scene {
    name: &'static str,
    world: World,
    child: Child,
    store: TempDir,
}

impl Scene {
    /// A world by the real clock, and the program started in it.
    async fn set(name: &'static str) -> Self {
        Self::set_with(name, &[]).await
    }

    async fn set_with(name: &'static str, more: &[(&'static str, &str)]) -> Self {
        let world = World::start(Arc::new(SystemClock::default()), 0).await.unwrap();
        let store = folders::in_memory();
        let mut settings = settings_for(&world);
        settings.extend(more.iter().map(|(setting, value)| (*setting, (*value).to_owned())));
        let child = Child::of(PathBuf::from(PROGRAM), settings, store.path()).keeping_its_log();
        Self { name, world, child, store }.started().await
    }

    async fn started(mut self) -> Self {
        self.start().await;
        self
    }

    async fn start(&mut self) {
        self.child.start().await.unwrap_or_else(|error| panic!("{}: it did not start: {error}", self.name));
    }

    async fn kill(&mut self) {
        self.child.crash().await.unwrap();
    }

    async fn types(&self, text: &str) -> Ack {
        self.world.slack.command(&self.child.address(), "ana", "general", text, None).await
    }

    /// Types, and sees it acknowledged without a word.
    async fn asks(&self, text: &str) {
        let ack = self.types(text).await;
        assert_eq!((ack.status, ack.body.as_str()), (Some(200), ""), "{}: {text}", self.name);
    }

    async fn until(&self, what: &str, mut fits: impl FnMut(&Self) -> bool) {
        assert!(comes(|| fits(self)).await, "{}: {what}: this did not come. Seen:\n{}", self.name, self.story());
    }

    /// All messages as they stand.
    fn messages(&self) -> Vec<Rendered> {
        let slack = &self.world.slack;
        slack.messages().iter().map(|message| slack.render(message)).collect()
    }

    /// How many messages stand that say these words somewhere.
    fn said(&self, words: &str) -> usize {
        self.messages().iter().filter(|message| message.all().contains(words)).count()
    }

    /// How many cards, or messages to the asker, tell of an end. What is said below a card is neither: on a machine that is busy a
    /// deploy takes so long that its end is told there too.
    fn ends_told(&self, place: &str) -> usize {
        let counts = |message: &Rendered| message.place == place && message.below.is_none() && is_end(message);
        self.messages().iter().filter(|message| counts(message)).count()
    }

    fn story(&self) -> String {
        let messages: Vec<String> = self
            .messages()
            .iter()
            .map(|message| format!("{} {} {} {}", message.place, message.glyph, message.headline, message.lines.join(" | ")))
            .collect();
        let log = self.child.logged();
        let newest = log.iter().skip(log.len().saturating_sub(25)).cloned().collect::<Vec<_>>();
        format!("{}\nThe log's end:\n{}", messages.join("\n"), newest.join("\n"))
    }

    /// The builds of an app that were ordered.
    fn builds(&self, app: &str) -> usize {
        self.world.heroku.builds(app).len()
    }

    /// Waits until `many` deploys to an app have ended and were told, and sees that each was done once and went well.
    async fn all_end_well(&self, app: &str, repository: &str, many: usize) {
        self.until("all have ended and were told", |scene| {
            scene.ends_told("#general") >= many && scene.ends_told("@ana") >= many && scene.succeeded(repository) == many
        })
        .await;
        assert_eq!(self.builds(app), many, "{}: builds\n{}", self.name, self.story());
        assert!(self.world.heroku.builds(app).iter().all(|build| build.status == "succeeded"), "{}: {}", self.name, self.story());
        assert_eq!(self.world.github.deployments(repository).len(), many, "{}: GitHub deployments\n{}", self.name, self.story());
        assert_eq!(self.ends_told("#general"), many, "{}: cards\n{}", self.name, self.story());
        self.nothing_forbidden();
    }

    /// How many GitHub deployments of a repository were once said to have succeeded.
    fn succeeded(&self, repository: &str) -> usize {
        let deployments = self.world.github.deployments(repository);
        deployments.iter().filter(|deployment| deployment.statuses.iter().any(|status| status.state == "success")).count()
    }

    /// Sees that nothing was done that nobody may do, and that no process has logged a secret.
    fn nothing_forbidden(&self) {
        let World { slack, github, heroku, .. } = &self.world;
        let all: Vec<String> = [slack.violations(), github.violations(), heroku.violations()].concat();
        assert!(all.is_empty(), "{}: violations: {all:#?}", self.name);
        let leak = Needles::of(&self.world, &[]).find_among_numbers("the log", &self.child.logged().join("\n"));
        assert_eq!(leak, None, "{}", self.name);
    }

    /// How much memory the process has now, in KiB.
    fn memory(&self) -> u64 {
        figure(self.child.process().unwrap(), "VmRSS:")
    }

    /// Sees that the line is free: the next deploy is built.
    async fn line_is_free(&self, app: &str, next: &str) {
        let before = self.builds(app);
        self.asks(next).await;
        self.until("the next deploy is built", |scene| scene.builds(app) > before).await;
    }
}

fn is_end(message: &Rendered) -> bool {
    ["[ok]", "[no]"].contains(&message.glyph.as_str())
}

/// What the system says of a process, in KiB.
fn figure(process: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let figure = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    figure.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Runs the program to its end with these variables and no others.
async fn run(arguments: &[&str], variables: &[(&str, String)]) -> Output {
    let ran = tokio::process::Command::new(PROGRAM)
        .args(arguments)
        .env_clear()
        .envs(variables.iter().map(|(name, value)| (*name, value.as_str())))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    tokio::time::timeout(PATIENCE, ran).await.expect("it ends").unwrap()
}

/// What it said to people, and how it ended.
fn said(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// What a program printed for whoever called it.
fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Sends a signal by name.
async fn signal(name: &str, process: u32) {
    let told = tokio::process::Command::new("/bin/sh").args(["-c", "kill -\"$0\" \"$1\"", name, &process.to_string()]).status().await;
    assert!(told.unwrap().success(), "SIG{name} could not be sent");
}

fn text_of(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}
