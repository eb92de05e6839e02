//! Source controls, held to what the port promises: GitHub, simulated.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;
use secrecy::SecretString;
use serde_json::json;
use slash_heroku::adapters::github::{GitHub, GitHubSettings};
use slash_heroku::adapters::http::base_url::BaseUrl;
use slash_heroku::domain::names::{CommitSha, RepoName};
use slash_heroku::domain::pipeline::Environment;
use slash_heroku::ports::{Clock, SourceControl};
use slash_heroku::sandbox::github::{Fault, FaultRule, Github, Limit, Permission, Protection, RepoSeed};
use slash_heroku::sandbox::serve::Servers;
use slash_heroku::testing::Arranged;
use slash_heroku::testing::source::{Record, Stage, all};

use super::recordings_replay::Jumping;
use super::recordings_simulated::client;

const TOKEN: &str = "the-token-of-ana";
const TOKEN_OF_BOB: &str = "the-token-of-bob";

struct Simulated {
    github: Arc<Github>,
    adapter: Arc<GitHub>,
    clock: Arc<Jumping>,
    repository: &'static str,
    _servers: Servers,
}

impl Simulated {
    async fn new() -> Self {
        let (servers, clock) = (Servers::default(), Jumping::new());
        let github = Github::start(&servers, Arc::<Jumping>::clone(&clock), 0).await.unwrap();
        github.add_user(TOKEN, "ana");
        github.add_user(TOKEN_OF_BOB, "bob");
        let repository = "acme/contract";
        github.add_repository(RepoSeed { name: repository, private: true, default_branch: "main" }).unwrap();
        github.grant("ana", repository, Permission::Admin).unwrap();
        github.grant("bob", repository, Permission::Write).unwrap();
        github.push(repository, "main", "Begin", "ana").unwrap();
        let settings = GitHubSettings {
            api: BaseUrl::parse(&github.api_url()).unwrap(),
            web: BaseUrl::parse("https://github.com").unwrap(),
            git: Some(BaseUrl::parse(&github.web_url()).unwrap()),
            archive_limit: 1 << 20,
            spool_dir: None,
        };
        let adapter = Arc::new(GitHub::new(settings, Arc::<Jumping>::clone(&clock)).unwrap());
        Self { github, adapter, clock, repository, _servers: servers }
    }

    fn fails(&self, method: &str, fault: Fault) -> Arranged {
        self.github.fail(FaultRule { method: Some(method.to_owned()), path_contains: "/repos/".to_owned(), spared: 0, times: 1, fault });
        Arranged::Done
    }
}

#[async_trait]
impl Stage for Simulated {
    fn source(&self) -> Arc<dyn SourceControl> {
        self.adapter.clone()
    }

    fn token(&self) -> SecretString {
        SecretString::from(TOKEN)
    }

    fn secrets(&self) -> Vec<String> {
        vec![TOKEN.to_owned(), TOKEN_OF_BOB.to_owned()]
    }

    fn repository(&self) -> RepoName {
        RepoName::parse(self.repository).unwrap()
    }

    async fn push(&mut self, branch: &str) -> CommitSha {
        CommitSha::parse(&self.github.push(self.repository, branch, "A change", "ana").unwrap()).unwrap()
    }

    async fn tag(&mut self, name: &str, at: &CommitSha) -> Arranged {
        self.github.tag(self.repository, name, at.as_str(), true).unwrap();
        Arranged::Done
    }

    async fn propose(&mut self, branch: &str) -> Result<u64, &'static str> {
        self.github.open_pull(self.repository, 1, branch, false).unwrap();
        Ok(1)
    }

    async fn checks(&mut self, commit: &CommitSha, many: usize) -> Arranged {
        for number in 1..=many {
            let state = if number == many { "failure" } else { "success" };
            self.github.set_status(self.repository, commit.as_str(), &format!("ci/part-{number}"), state).unwrap();
        }
        Arranged::Done
    }

    async fn require(&mut self, branch: &str, check: &str) -> Arranged {
        self.github.require(self.repository, branch, &[check], Protection::Classic).unwrap();
        Arranged::Done
    }

    async fn records_of_others(&mut self, commit: &CommitSha, environment: Environment, many: usize) -> Arranged {
        let address = format!("{}/repos/{}/deployments", self.github.api_url(), self.repository);
        for number in 0..many {
            let body = json!({
                "ref": commit, "auto_merge": false, "required_contexts": [], "environment": environment.word(),
                "production_environment": false, "payload": { "somebody": number },
            });
            let made = client().post(&address).bearer_auth(TOKEN_OF_BOB).header("content-type", "application/json");
            assert_eq!(made.body(body.to_string()).send().await.unwrap().status(), 201);
            // Nobody may make too many in a minute.
            self.clock.pause_until(self.clock.now() + SignedDuration::from_secs(10)).await;
        }
        Arranged::Done
    }

    async fn records(&mut self) -> Vec<Record> {
        let violations = self.github.violations();
        assert!(violations.is_empty(), "{violations:?}");
        let records = self.github.deployments(self.repository).into_iter();
        records
            .map(|record| Record {
                id: record.id.to_string(),
                commit: CommitSha::parse(&record.sha).unwrap(),
                state: record.statuses.last().map(|status| status.state.clone()),
            })
            .collect()
    }

    async fn rename(&mut self) -> Arranged {
        let renamed = "acme/treaty";
        self.github.rename_repository(self.repository, renamed).unwrap();
        self.repository = renamed;
        Arranged::Done
    }

    async fn stumble(&mut self) -> Arranged {
        let html = "<html>Bad gateway</html>".to_owned();
        self.fails("GET", Fault::Status { code: 502, body: html, content_type: "text/html".to_owned(), headers: Vec::new() })
    }

    async fn lose_answer(&mut self) -> Arranged {
        self.fails("POST", Fault::CutAfter)
    }

    async fn limit(&mut self) -> Arranged {
        self.fails("POST", Fault::RateLimited { retry_after: Some(60), limit: Limit::Secondary })
    }

    async fn withdraw_token(&mut self) -> Arranged {
        self.github.revoke_token(TOKEN).unwrap();
        Arranged::Done
    }
}

#[tokio::test]
async fn github_keeps_the_promises_of_a_source_control() {
    assert_eq!(all(Simulated::new).await.parts(), [""; 0]);
}
