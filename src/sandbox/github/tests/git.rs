//! The list of refs, as git asks for it.

use reqwest::Response;

use super::{REPO, Stage, header};
use crate::sandbox::github::RepoSeed;

impl Stage {
    async fn refs(&self, of: &str, credentials: Option<(&str, &str)>) -> Response {
        let url = format!("{}/{of}/info/refs?service=git-upload-pack", self.github.web_url());
        let request = self.client.get(url).header("user-agent", "git/2.47.3");
        let request = credentials.map_or(request.try_clone().unwrap(), |(name, password)| request.basic_auth(name, Some(password)));
        request.send().await.unwrap()
    }

    async fn list(&self, of: &str) -> String {
        let answer = self.refs(of, Some(("x-access-token", "gho_ana"))).await;
        assert_eq!(
            (answer.status().as_u16(), header(&answer, "content-type")),
            (200, "application/x-git-upload-pack-advertisement".to_owned())
        );
        answer.text().await.unwrap()
    }
}

#[tokio::test]
async fn every_ref_is_listed_and_head_says_which_branch_it_is() {
    let stage = Stage::new().await;
    let topic = stage.github.push(REPO, "topic", "A change", "ana").unwrap();
    stage.github.tag(REPO, "v1.0", "main", true).unwrap();
    stage.github.open_pull(REPO, 7, "topic", false).unwrap();
    let list = stage.list("acme/hubot.git").await;
    assert!(list.starts_with("001e# service=git-upload-pack\n0000"), "{list}");
    assert!(list.ends_with("0000") && list.contains(" HEAD\0multi_ack ") && list.contains(" symref=HEAD:refs/heads/main "), "{list}");
    let names: Vec<&str> = list.split('\n').filter_map(|line| line.split('\0').next()?.split_once(' ')).map(|(_, name)| name).collect();
    let refs = ["HEAD", "refs/heads/main", "refs/heads/topic", "refs/pull/7/head", "refs/tags/v1.0", "refs/tags/v1.0^{}"];
    assert_eq!(names, [&["service=git-upload-pack"][..], &refs].concat());
    stage.github.make_default(REPO, "topic").unwrap();
    let list = stage.list("ACME/Hubot").await;
    assert!(list.contains(&format!("{topic} HEAD\0")) && list.contains("symref=HEAD:refs/heads/topic"), "{list}");
    assert!(stage.github.make_default(REPO, "nowhere").is_err());

    stage.github.add_repository(RepoSeed { name: "acme/empty", private: false, default_branch: "main" }).unwrap();
    let list = stage.list("acme/empty.git").await;
    assert!(list.contains(&format!("{} capabilities^{{}}\0", "0".repeat(40))) && !list.contains("symref"), "{list}");
    assert_eq!(stage.github.violations(), [""; 0]);
    assert!(stage.github.requests().iter().all(|request| !request.charged), "git counts against no allowance");
}

#[tokio::test]
async fn it_is_for_those_who_may_read() {
    let stage = Stage::new().await;
    for (credentials, status) in [
        (Some(("anything", "gho_reader")), 200),
        (Some(("gho_reader", "")), 200),
        (Some(("gho_reader", "x-oauth-basic")), 200),
        (Some(("x-access-token", "gho_stranger")), 404),
        (Some(("x-access-token", "gho_nobody")), 401),
        (None, 401),
    ] {
        assert_eq!(stage.refs("acme/hubot.git", credentials).await.status(), status, "{credentials:?}");
    }
    assert!(header(&stage.refs("acme/hubot.git", None).await, "www-authenticate").starts_with("Basic "));
    let ana = Some(("x-access-token", "gho_ana"));
    stage.github.require_saml(REPO, true).unwrap();
    assert_eq!(stage.refs("acme/hubot.git", ana).await.status(), 403);
    stage.github.require_saml(REPO, false).unwrap();
    stage.github.rename_repository(REPO, "acme/robot").unwrap();
    let moved = stage.refs("acme/hubot.git", ana).await;
    let place = format!("{}/acme/robot.git/info/refs?service=git-upload-pack", stage.github.web_url());
    assert_eq!((moved.status().as_u16(), header(&moved, "location")), (301, place));
    assert_eq!(stage.refs("acme/hubot.git", Some(("x-access-token", "gho_stranger"))).await.status(), 404);
}

#[tokio::test]
async fn it_is_for_git_alone() {
    let stage = Stage::new().await;
    let url = format!("{}/acme/hubot.git/info/refs", stage.github.web_url());
    let ask = |service: &str, agent: &str| {
        let request = stage.client.get(format!("{url}{service}")).header("user-agent", agent);
        request.basic_auth("x-access-token", Some("gho_ana")).send()
    };
    assert_eq!(ask("?service=git-upload-pack", "tests").await.unwrap().status(), 404);
    assert_eq!(ask("?service=git-receive-pack", "git/2").await.unwrap().status(), 501);
    assert_eq!(ask("", "git/2").await.unwrap().status(), 501);
}
