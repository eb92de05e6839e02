//! The pages in a real browser: on a telephone, in the light and in the dark, by the keyboard alone. Each page that is come by is looked
//! at, and a picture of it is kept below `target/pages`.

mod cards;
mod chromium;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;
use slash_heroku::adapters::clock::SystemClock;
use slash_heroku::rehearsal::{Child, settings_for};
use slash_heroku::sandbox::company;
use slash_heroku::sandbox::script::Service as _;
use slash_heroku::sandbox::world::World;
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::support::folders;
use chromium::Chromium;

const PROGRAM: &str = env!("CARGO_BIN_EXE_slash-heroku");
/// A small telephone.
const PHONE: (u32, u32) = (360, 740);

/// What a page of ours takes from nobody, by the directives that say so.
const BLOCKED: [&str; 6] = ["connect-src", "frame-src", "img-src", "script-src-attr", "script-src-elem", "style-src-elem"];

/// An address that nobody listens at, and that no other scene of this run takes: below the ports that systems give by themselves.
async fn free_address() -> SocketAddr {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    loop {
        let port = 20_000 + (std::process::id() * 7 + TAKEN.fetch_add(1, Ordering::Relaxed)) % 10_000;
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", u16::try_from(port).unwrap())).await {
            return listener.local_addr().unwrap();
        }
    }
}

/// A service that people sign in to and workspaces install, and a browser before it.
struct Scene {
    world: World,
    service: Child,
    browser: Chromium,
    public: String,
    pictures: usize,
    name: &'static str,
    _folder: TempDir,
}

impl Scene {
    async fn set(name: &'static str) -> Self {
        let browser = Chromium::start().await;
        let world = World::start(Arc::new(SystemClock::default()), 0).await.unwrap();
        let address = free_address().await;
        let public = format!("http://{address}");
        company::people_come_back_to(&world, &public).unwrap();
        let app = company::slack_app(false);
        world.slack.add_app(slash_heroku::sandbox::slack::AppSeed { redirect: format!("{public}/slack/installed"), ..app });
        let mut settings = settings_for(&world);
        settings.extend(company::sign_in_settings(company::GITHUB_APP));
        settings.extend(company::install_settings());
        settings.extend([("SLASH_HEROKU_PUBLIC_URL", public.clone()), ("SLASH_HEROKU_LISTEN", address.to_string())]);
        let folder = folders::in_memory();
        let mut service = Child::of(PROGRAM.into(), settings, folder.path());
        service.start().await.unwrap();
        Self { world, service, browser, public, pictures: 0, name, _folder: folder }
    }

    async fn end(mut self) {
        self.browser.quit().await;
        self.service.stop().await.unwrap();
        assert_eq!(self.world.slack.violations(), [""; 0]);
    }

    /// Looks at the page that is shown, which is one of ours and has this title.
    async fn look(&mut self, title: &str) {
        let shown = self.browser.value("document.querySelector('h1')?.textContent").await;
        assert_eq!(shown, title, "at {}", self.browser.value("location.href").await);
        let mut wrong = Vec::new();
        self.pictures += 1;
        for scheme in ["light", "dark"] {
            self.browser.screen(PHONE, scheme).await;
            let found = self.browser.value(include_str!("browser/look.js")).await;
            wrong.extend(found.as_array().unwrap().iter().map(|one| format!("{scheme}: {one}")));
            let file = format!("target/pages/{}-{}-{scheme}.png", self.name, self.pictures);
            self.browser.picture(&Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).await;
        }
        // A page of ours asks nobody else for anything: what it loads is ours, and whoever leads on to others does so by a press.
        let ours = format!("{}/", self.public);
        for asked in self.browser.happened("Network.requestWillBeSent") {
            let (url, document) = (asked["request"]["url"].as_str().unwrap(), asked["documentURL"].as_str().unwrap());
            if document.starts_with(&ours) && !url.starts_with(&ours) {
                wrong.push(format!("{document} asks {url}"));
            }
        }
        for entry in self.browser.happened("Log.entryAdded") {
            let (text, url) = (&entry["entry"]["text"], entry["entry"]["url"].as_str().unwrap_or_default());
            // That there is no icon, and that a page tells of a refusal by its status, are no faults of the page.
            let expected = entry["entry"]["source"] == "network";
            if !expected {
                wrong.push(format!("the browser says of {url}: {text}"));
            }
        }
        assert!(wrong.is_empty(), "`{title}`:\n{}", wrong.join("\n"));
    }

    /// What is put into a page of ours by somebody who should not is not run and not loaded.
    async fn the_policy_holds(&mut self) {
        let other = self.world.slack.api_address();
        let blocked = format!(
            "(async () => {{
                const blocked = [];
                const all = new Promise((done) => document.addEventListener('securitypolicyviolation', (event) => {{
                    blocked.push(event.effectiveDirective);
                    if (new Set(blocked).size === {}) done();
                }}));
                const add = (name, fields) => document.body.append(Object.assign(document.createElement(name), fields));
                add('script', {{ textContent: 'window.intruder = true' }});
                add('script', {{ src: '{other}x.js' }});
                add('img', {{ src: '{other}x.png' }});
                add('iframe', {{ src: '{other}' }});
                add('style', {{ textContent: 'body {{ display: none }}' }});
                add('div', {{ innerHTML: '<p onclick=\"window.intruder = true\">x</p>' }});
                document.querySelector('div > p').click();
                const fetched = await fetch('{other}').then(() => true, () => false);
                // Word of what was blocked comes when the browser has time for it.
                await Promise.race([all, new Promise((done) => setTimeout(done, 30_000))]);
                return {{ blocked: [...new Set(blocked)].sort(), fetched, intruder: window.intruder ?? false }};
            }})()",
            BLOCKED.len()
        );
        let found = self.browser.value(&blocked).await;
        assert_eq!((&found["fetched"], &found["intruder"]), (&Value::Bool(false), &Value::Bool(false)), "{found}");
        assert_eq!(found["blocked"], serde_json::json!(BLOCKED), "{found}");
        for event in ["Network.requestWillBeSent", "Log.entryAdded"] {
            self.browser.happened(event);
        }
    }

    /// The link of these words that ana is given when she types this.
    async fn link_after(&self, command: &str, label: &str) -> String {
        let mut news = self.world.slack.news();
        let address = self.service.address();
        assert_eq!(self.world.slack.command(&address, "ana", "general", command, None).await.status, Some(200));
        loop {
            if let Some(link) = self.world.slack.find_link("ana", label, false) {
                return link;
            }
            tokio::time::timeout(std::time::Duration::from_secs(60), news.changed()).await.unwrap().unwrap();
        }
    }

    /// Installs the app.
    async fn install(&mut self, looking: bool) {
        self.browser.open(&format!("{}/slack/install", self.public)).await;
        for (title, label) in
            [("Install the app in your workspace", "Go on to the chat"), ("", "Allow as ana"), ("You are back", "Install")]
        {
            if looking && !title.is_empty() {
                self.look(title).await;
            }
            self.browser.press(label).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_installing_are_sound_in_a_browser() {
    let mut scene = Scene::set("install").await;
    scene.browser.screen(PHONE, "light").await;
    scene.install(true).await;
    scene.look("Installed").await;
    scene.the_policy_holds().await;
    scene.browser.open(&format!("{}/slack/installed?state=nobody&code=nothing", scene.public)).await;
    scene.look("You are back").await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_signing_in_are_sound_in_a_browser() {
    let mut scene = Scene::set("sign-in").await;
    scene.browser.screen(PHONE, "light").await;
    scene.install(false).await;
    let link = scene.link_after("login", "Link your logins").await;
    scene.browser.open(&link).await;
    scene.look("Link your logins").await;
    scene.browser.press("Begin").await;
    scene.look("Link your logins").await;
    for (service, agree) in [("GitHub", "Authorize as ana"), ("Heroku", "Allow Access as ana@example.com")] {
        scene.browser.press(&format!("Sign in to {service}")).await;
        scene.browser.press(agree).await;
        scene.look("You are back").await;
        scene.browser.press("Go on").await;
        scene.look("Link your logins").await;
    }
    scene.the_policy_holds().await;
    scene.browser.open(&format!("{}/login", scene.public)).await;
    scene.browser.press("Show the passcode").await;
    scene.look("One last step, in the chat").await;
    scene.browser.open(&link).await;
    scene.look("This link was opened before").await;
    scene.browser.open(&format!("{}/login/nothing-that-was-given", scene.public)).await;
    scene.look("There is nothing here").await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_about_privacy_are_sound_in_a_browser() {
    let mut scene = Scene::set("privacy").await;
    scene.browser.screen(PHONE, "light").await;
    scene.install(false).await;
    scene.browser.open(&format!("{}/privacy", scene.public)).await;
    scene.look("Privacy").await;
    scene.the_policy_holds().await;
    scene.browser.open(&format!("{}/privacy/1", scene.public)).await;
    scene.look("Privacy").await;
    let link = scene.link_after("privacy export", "Everything that is kept about you").await;
    scene.browser.open(&link).await;
    scene.look("Everything that is kept about you").await;
    scene.browser.open(&format!("{}/privacy/export/nothing-that-was-given", scene.public)).await;
    scene.look("This link does not work").await;
    scene.end().await;
}
