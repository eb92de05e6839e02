//! A repository to throw away, in which source controls are held to what the port promises.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::SignedDuration;
use secrecy::SecretString;
use serde_json::{Value, json};
use slash_heroku::adapters::clock::{RandomIds, SystemClock};
use slash_heroku::adapters::github::{GitHub, GitHubSettings};
use slash_heroku::adapters::http::base_url::BaseUrl;
use slash_heroku::domain::names::{CommitSha, RepoName};
use slash_heroku::domain::pipeline::Environment;
use slash_heroku::ports::{Clock, Ids, SourceControl};
use slash_heroku::testing::Arranged;
use slash_heroku::testing::source::{Others, Record, Stage, all};

use super::{NO_FAULTS, NO_LIMIT, cleared, services_with};
use crate::contracts::recordings_live::{Settings, is_real};
use crate::contracts::recordings_simulated::client;
use crate::contracts::shapes::Shapes;

/// A throw-away repository, asked as its owner asks.
struct Repository {
    api: String,
    name: String,
    token: String,
    shapes: Shapes,
    clock: Arc<SystemClock>,
    /// What everything begins with that is made in this run.
    mark: String,
    /// Branches and tags of this run.
    made: Mutex<Vec<String>>,
    stages: AtomicUsize,
}

impl Repository {
    fn new(settings: &Settings) -> Self {
        let id = RandomIds.fresh().simple().to_string();
        Self {
            api: settings["LIVE_GITHUB_API"].clone(),
            name: settings["LIVE_GITHUB_REPOSITORY"].clone(),
            token: settings["LIVE_GITHUB_TOKEN"].clone(),
            shapes: Shapes::of("github"),
            clock: Arc::new(SystemClock::default()),
            mark: format!("contract-{}", &id[20..]),
            made: Mutex::default(),
            stages: AtomicUsize::new(0),
        }
    }

    async fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let url = format!("{}/repos/{}{path}", self.api, self.name);
        let asked = client().request(method.parse().unwrap(), url).bearer_auth(&self.token).header("accept", "application/vnd.github+json");
        let asked = if body.is_null() { asked } else { asked.header("content-type", "application/json").body(body.to_string()) };
        let answer = asked.send().await.unwrap();
        let status = answer.status().as_u16();
        if method != "GET" && is_real(&self.api) {
            // GitHub asks whoever writes much to leave a second between writes.
            self.clock.pause_until(self.clock.now() + SignedDuration::from_secs(1)).await;
        }
        (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default())
    }

    async fn read(&self, path: &str) -> Value {
        let (status, body) = self.ask("GET", path, &Value::Null).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// Makes something; what is answered is of the published type, where that is known.
    async fn make(&self, path: &str, kind: Option<&str>, body: Value) -> Value {
        let (status, made) = self.ask("POST", path, &body).await;
        assert_eq!(status, 201, "{path}: {made}");
        assert_eq!(kind.map_or_else(Vec::new, |kind| self.shapes.faults_of_type(kind, &made)), [""; 0], "{path}");
        made
    }

    async fn point(&self, name: &str, at: &str) {
        self.made.lock().unwrap().push(name.to_owned());
        self.make("/git/refs", Some("git-ref"), json!({ "ref": format!("refs/{name}"), "sha": at })).await;
    }

    /// A new commit on a branch, with the files of the one before.
    async fn push(&self, branch: &str) -> String {
        let before = self.ask("GET", &format!("/git/ref/heads/{branch}"), &Value::Null).await;
        let is_new = before.0 == 404;
        let at = if is_new { self.default_branch().await } else { text(&before.1["object"]["sha"]) };
        let head = self.read(&format!("/commits/{at}")).await;
        // What is the same in everything is the same commit.
        let message = format!("A change {}", RandomIds.fresh());
        let body = json!({ "message": message, "tree": head["commit"]["tree"]["sha"], "parents": [head["sha"]] });
        let sha = text(&self.make("/git/commits", None, body).await["sha"]);
        if is_new {
            self.point(&format!("heads/{branch}"), &sha).await;
        } else {
            let (status, moved) = self.ask("PATCH", &format!("/git/refs/heads/{branch}"), &json!({ "sha": sha })).await;
            assert_eq!((status, self.shapes.faults_of_type("git-ref", &moved)), (200, Vec::new()), "{moved}");
        }
        sha
    }

    async fn default_branch(&self) -> String {
        text(&self.read("").await["default_branch"])
    }

    /// What a list has, each as what is wanted of it. What does not stand on one page is too much for the suite.
    async fn listed<T>(&self, path: &str, member: impl Fn(&Value) -> T) -> Vec<T> {
        let found = self.read(path).await;
        let found = found.as_array().unwrap();
        assert!(found.len() < 100, "{path}: there are too many for the suite");
        found.iter().map(member).collect()
    }

    /// Deletes the branches and tags of this run, and with the branches what is proposed. Commits and records stay.
    async fn clear(&self) {
        let made = std::mem::take(&mut *self.made.lock().unwrap());
        for name in made {
            let (status, told) = self.ask("DELETE", &format!("/git/refs/{name}"), &Value::Null).await;
            // What could not be made is not there.
            assert!(status == 204 || status == 422, "{name}: {status} {told}");
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// One stage of many in the repository.
struct Real {
    repository: Arc<Repository>,
    adapter: Arc<GitHub>,
    /// What its names begin with.
    mark: String,
    pushed: Vec<CommitSha>,
}

impl Real {
    fn new(repository: &Arc<Repository>, web: &str) -> Self {
        let settings = GitHubSettings {
            api: BaseUrl::parse(&repository.api).unwrap(),
            web: BaseUrl::parse(web).unwrap(),
            git: Some(BaseUrl::parse(web).unwrap()),
            archive_limit: GitHubSettings::ARCHIVE_LIMIT,
            spool_dir: None,
        };
        let adapter = Arc::new(GitHub::new(settings, Arc::<SystemClock>::clone(&repository.clock)).unwrap());
        let number = repository.stages.fetch_add(1, Ordering::Relaxed);
        Self { repository: Arc::clone(repository), adapter, mark: format!("{}-{number}", repository.mark), pushed: Vec::new() }
    }
}

const UNPROTECTED: &str = "a free plan protects no branch of a private repository";
const NAME_IS_NEEDED: &str = "whoever renews recordings needs the repository's name";
const SHUT_OUT: &str = "who asks with several wrong tokens is shut out for a while";

#[async_trait]
impl Stage for Real {
    fn source(&self) -> Arc<dyn SourceControl> {
        self.adapter.clone()
    }

    fn token(&self) -> SecretString {
        SecretString::from(self.repository.token.clone())
    }

    fn secrets(&self) -> Vec<String> {
        vec![self.repository.token.clone()]
    }

    fn repository(&self) -> RepoName {
        RepoName::parse(&self.repository.name).unwrap()
    }

    fn own(&self, word: &str) -> String {
        format!("{}/{word}", self.mark)
    }

    async fn others(&mut self) -> Others {
        let default = self.repository.default_branch().await;
        let mut branches = self.repository.listed("/branches?per_page=100", |branch| text(&branch["name"])).await;
        branches.retain(|branch| *branch != default);
        let tags = self.repository.listed("/tags?per_page=100", |tag| text(&tag["name"])).await;
        let number_and_branch = |pull: &Value| (pull["number"].as_u64().unwrap(), text(&pull["head"]["ref"]));
        let pulls = self.repository.listed("/pulls?per_page=100", number_and_branch).await;
        Others { branches, tags, pulls }
    }

    async fn push(&mut self, branch: &str) -> CommitSha {
        let commit = CommitSha::parse(&self.repository.push(branch).await).unwrap();
        self.pushed.push(commit.clone());
        commit
    }

    async fn tag(&mut self, name: &str, at: &CommitSha) -> Arranged {
        self.repository.point(&format!("tags/{name}"), at.as_str()).await;
        Arranged::Done
    }

    async fn propose(&mut self, branch: &str) -> Result<u64, &'static str> {
        let body = json!({ "title": "A change to look at", "head": branch, "base": self.repository.default_branch().await });
        let made = self.repository.make("/pulls", Some("pull-request"), body).await;
        Ok(made["number"].as_u64().unwrap())
    }

    async fn checks(&mut self, commit: &CommitSha, many: usize) -> Arranged {
        for number in 1..=many {
            let state = if number == many { "failure" } else { "success" };
            let body = json!({ "state": state, "context": format!("ci/part-{number}") });
            self.repository.make(&format!("/statuses/{commit}"), None, body).await;
        }
        Arranged::Done
    }

    async fn require(&mut self, _: &str, _: &str) -> Arranged {
        Arranged::Cannot(UNPROTECTED)
    }

    async fn records_of_others(&mut self, commit: &CommitSha, environment: Environment, many: usize) -> Arranged {
        for number in 0..many {
            let body = json!({
                "ref": commit, "auto_merge": false, "required_contexts": [], "environment": environment.word(),
                "production_environment": false, "payload": { "somebody": number },
            });
            self.repository.make("/deployments", Some("deployment"), body).await;
        }
        Arranged::Done
    }

    async fn records(&mut self) -> Vec<Record> {
        let mut records = Vec::new();
        for commit in &self.pushed {
            let ids = self.repository.listed(&format!("/deployments?per_page=100&sha={commit}"), |record| record["id"].to_string()).await;
            for id in ids.into_iter().rev() {
                let statuses = self.repository.read(&format!("/deployments/{id}/statuses?per_page=1")).await;
                let state = statuses.get(0).map(|newest| text(&newest["state"]));
                records.push(Record { id, commit: commit.clone(), state });
            }
        }
        records
    }

    async fn rename(&mut self) -> Arranged {
        Arranged::Cannot(NAME_IS_NEEDED)
    }

    async fn stumble(&mut self) -> Arranged {
        Arranged::Cannot(NO_FAULTS)
    }

    async fn lose_answer(&mut self) -> Arranged {
        Arranged::Cannot(NO_FAULTS)
    }

    async fn limit(&mut self) -> Arranged {
        Arranged::Cannot(NO_LIMIT)
    }

    async fn withdraw_token(&mut self) -> Arranged {
        Arranged::Cannot(SHUT_OUT)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn github_itself_keeps_the_promises_of_a_source_control() {
    let Some((_sandbox, settings)) = services_with("LIVE_GITHUB_TOKEN").await else { return };
    let repository = Arc::new(Repository::new(&settings));
    let suite = all(async || Real::new(&repository, &settings["LIVE_GITHUB_WEB"]));
    let left_out = cleared(suite, repository.clear()).await;
    assert_eq!(
        left_out.reasons(),
        [
            ("required checks", UNPROTECTED),
            ("renamed", NAME_IS_NEEDED),
            ("a read that stumbles", NO_FAULTS),
            ("a lost answer", NO_FAULTS),
            ("a limit", NO_LIMIT),
            ("token withdrawn", SHUT_OUT),
        ]
    );
    for list in ["/branches?per_page=100", "/tags?per_page=100"] {
        let left = repository.listed(list, |found| text(&found["name"])).await;
        assert!(!left.is_empty() && !left.iter().any(|name| name.starts_with(&repository.mark)), "something is left behind: {left:?}");
    }
}
