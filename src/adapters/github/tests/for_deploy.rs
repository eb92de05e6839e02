//! What is asked about a repository for a deploy: its description once, then git.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use jiff::SignedDuration;
use wiremock::matchers::query_param;

use crate::ports::Clock as _;

use super::*;

const DESCRIPTION: &str = "/repos/acme/web";
const REFS: &str = "/acme/web.git/info/refs";

fn described(default: &str, push: bool, archived: bool) -> ResponseTemplate {
    ok(json!({"full_name": "acme/web", "default_branch": default, "html_url": "https://github.com/acme/web", "archived": archived,
        "permissions": {"push": push}}))
}

/// A list of refs in which `HEAD` stands for a branch.
fn head(branch: &str) -> ResponseTemplate {
    let line = |text: &str| format!("{:04x}{text}", text.len() + 4);
    let first = line(&format!("{SHA} HEAD\0multi_ack symref=HEAD:refs/heads/{branch} agent=git/2\n"));
    ResponseTemplate::new(200).set_body_string(format!("{}0000{first}0000", line("# service=git-upload-pack\n")))
}

impl World {
    /// What is asked for a deploy, and the default branch that is found.
    async fn asked_for_deploy(&self) -> (Vec<String>, String) {
        let before = self.requests().await.len();
        let found = self.github.repository_for_deploy(&token(), &web()).await.unwrap();
        let asked = self.requests().await.split_off(before).into_iter().map(|request| request.url.path().to_owned()).collect();
        (asked, found.default_branch.to_string())
    }

    /// What answers from now on.
    async fn answer_anew(&self, description: ResponseTemplate, refs: ResponseTemplate) {
        self.server.reset().await;
        self.on("GET", DESCRIPTION, description).await;
        self.on("GET", REFS, refs).await;
    }
}

fn asked(paths: &[&str], branch: &str) -> (Vec<String>, String) {
    (paths.iter().map(|path| (*path).to_owned()).collect(), branch.to_owned())
}

#[tokio::test]
async fn git_tells_that_the_default_branch_is_still_that_one() {
    let world = world().await;
    let shown = BASE64_STANDARD.encode(format!("x-access-token:{TOKEN}"));
    Mock::given(method("GET"))
        .and(path(REFS))
        .and(query_param("service", "git-upload-pack"))
        .and(header("authorization", format!("Basic {shown}")))
        .and(header("user-agent", concat!("git/slash-heroku/", env!("CARGO_PKG_VERSION"))))
        .respond_with(head("main"))
        .mount(&world.server)
        .await;
    world.on("GET", DESCRIPTION, described("main", true, false)).await;
    assert_eq!(world.asked_for_deploy().await, asked(&[DESCRIPTION], "main"), "nothing is known yet");
    assert_eq!(world.asked_for_deploy().await, asked(&[REFS], "main"));
    world.github.repository(&token(), &web()).await.unwrap();
    let all = world.requests().await;
    assert_eq!(all.last().unwrap().url.path(), DESCRIPTION, "whoever wants to know it all is told it all");
    world.github.forget_credential(&token());
    assert_eq!(world.asked_for_deploy().await, asked(&[DESCRIPTION], "main"), "it is forgotten");
}

#[tokio::test]
async fn whatever_else_git_says_the_description_is_read() {
    let elsewhere = MockServer::start().await;
    Mock::given(method("GET")).respond_with(head("main")).mount(&elsewhere).await;
    let to = ResponseTemplate::new(301).insert_header("location", format!("{}{REFS}", elsewhere.uri()));
    for refs in [
        head("trunk"),
        ResponseTemplate::new(401),
        ResponseTemplate::new(403),
        ResponseTemplate::new(404),
        to,
        ResponseTemplate::new(200),
        ResponseTemplate::new(200).set_body_string("<html>"),
        ResponseTemplate::new(200).set_body_string("0".repeat(5000)),
        ResponseTemplate::new(500),
    ] {
        let world = world().await;
        world.answer_anew(described("main", true, false), refs.clone()).await;
        world.asked_for_deploy().await;
        world.answer_anew(described("trunk", true, false), refs.clone()).await;
        assert_eq!(world.asked_for_deploy().await, asked(&[REFS, DESCRIPTION], "trunk"), "{refs:?}");
    }
    assert_eq!(elsewhere.received_requests().await.unwrap().len(), 0, "the token is shown to nobody else");
}

#[tokio::test]
async fn a_repository_is_known_by_each_of_its_spellings_to_each_token_by_itself() {
    let world = world().await;
    world.answer_anew(described("main", true, false), head("main")).await;
    world.on("GET", "/ACME/Web.git/info/refs", head("main")).await;
    world.asked_for_deploy().await;
    let loud = RepoName::parse("ACME/Web").unwrap();
    world.github.repository_for_deploy(&token(), &loud).await.unwrap();
    world.github.repository_for_deploy(&"gho_ofanotherofanotherofanother".into(), &web()).await.unwrap();
    let asked: Vec<String> = world.requests().await.iter().map(|request| request.url.path().to_owned()).collect();
    assert_eq!(asked, [DESCRIPTION, "/ACME/Web.git/info/refs", DESCRIPTION]);
}

#[tokio::test]
async fn what_may_not_be_deployed_from_is_described_each_time() {
    for (push, archived) in [(false, false), (true, true)] {
        let world = world().await;
        world.answer_anew(described("main", push, archived), head("main")).await;
        for _ in 0..2 {
            assert_eq!(world.asked_for_deploy().await, asked(&[DESCRIPTION], "main"), "{push} {archived}");
        }
    }
}

#[tokio::test]
async fn git_that_does_not_tell_is_left_alone_for_a_while() {
    for silence in [ResponseTemplate::new(503), ResponseTemplate::new(403), ResponseTemplate::new(200).set_body_string("001e# serv")] {
        let world = world().await;
        world.answer_anew(described("main", true, false), silence.clone()).await;
        world.asked_for_deploy().await;
        assert_eq!(world.asked_for_deploy().await, asked(&[REFS, DESCRIPTION], "main"), "{silence:?}");
        assert_eq!(world.asked_for_deploy().await, asked(&[DESCRIPTION], "main"), "{silence:?}");
        world.clock.pause_until(world.clock.now() + SignedDuration::from_mins(10)).await;
        assert_eq!(world.asked_for_deploy().await, asked(&[REFS, DESCRIPTION], "main"), "{silence:?}");
    }
}

#[tokio::test]
async fn who_is_refused_a_record_is_told_of_rights_anew() {
    let world = world().await;
    world.answer_anew(described("main", true, false), head("main")).await;
    world.on("POST", "/repos/acme/web/deployments", error(403, "Must have push access to repository")).await;
    world.asked_for_deploy().await;
    world.github.announce(&token(), &web(), &order()).await.unwrap_err();
    assert_eq!(world.asked_for_deploy().await, asked(&[DESCRIPTION], "main"));
}
