//! Commits, refs, comparisons, pull requests, archives.

use std::io::Read as _;

use reqwest::Method;
use serde_json::json;

use super::{REPO, Stage, header};
use crate::sandbox::github::RepoSeed;

#[tokio::test]
async fn hashes_are_the_same_in_every_run() {
    let (one, two) = (Stage::new().await, Stage::new().await);
    one.github.push(REPO, "aside", "Something else first", "ana").unwrap();
    assert_eq!(one.github.push(REPO, "main", "A", "ana").unwrap(), two.github.push(REPO, "main", "B", "bob").unwrap());
}

#[tokio::test]
async fn refs_are_found_under_all_their_names() {
    let stage = Stage::new().await;
    let sha = stage.github.push(REPO, "feature/x", "Add x", "ana").unwrap();
    let short: String = sha.chars().take(7).collect();
    for name in ["feature/x", "feature%2Fx", "heads/feature%2Fx", "heads/feature/x", &sha, &short] {
        let (status, body) = stage.get(&format!("/repos/acme/hubot/commits/{name}")).await;
        assert_eq!((status, &body["sha"]), (200, &json!(sha)), "{name}");
    }
    let main = stage.get("/repos/acme/hubot/commits/main").await;
    assert_eq!(stage.get("/repos/acme/hubot/commits/HEAD").await, main, "the newest of the default branch");
    for name in ["feature/x", "feature%2Fx"] {
        assert_eq!(stage.get(&format!("/repos/acme/hubot/branches/{name}")).await.1["commit"]["sha"], json!(sha));
        assert_eq!(stage.get(&format!("/repos/acme/hubot/git/ref/heads/{name}")).await.1["object"]["sha"], json!(sha));
    }
    let (status, body) = stage.get("/repos/acme/hubot/commits/nothing").await;
    assert_eq!((status, &body["message"]), (422, &json!("No commit found for SHA: nothing")));
    assert_eq!(stage.get(&format!("/repos/acme/hubot/git/ref/{sha}")).await.0, 404);
    let (_, matching) = stage.get("/repos/acme/hubot/git/matching-refs/heads/feat").await;
    assert_eq!(matching[0]["ref"], "refs/heads/feature/x");
    assert_eq!(stage.get("/repos/acme/hubot/git/matching-refs/heads/zzz").await.1, json!([]));
    let (_, heads) = stage.get(&format!("/repos/acme/hubot/commits/{sha}/branches-where-head")).await;
    assert_eq!((heads.as_array().unwrap().len(), &heads[0]["name"]), (1, &json!("feature/x")));
    stage.github.delete_branch(REPO, "feature/x").unwrap();
    let (status, body) = stage.get("/repos/acme/hubot/branches/feature/x").await;
    assert_eq!((status, &body["message"]), (404, &json!("Branch not found")));
    assert_eq!(stage.get(&format!("/repos/acme/hubot/commits/{sha}")).await.0, 200);
}

#[tokio::test]
async fn an_annotated_tag_is_an_object_of_its_own() {
    let stage = Stage::new().await;
    let head = stage.github.head(REPO, "main").unwrap();
    let object = stage.github.tag(REPO, "v1", "main", true).unwrap();
    assert_eq!(stage.github.tag(REPO, "light", "main", false).unwrap(), head);
    let (_, shown) = stage.get("/repos/acme/hubot/git/ref/tags/v1").await;
    assert_eq!((&shown["object"]["type"], &shown["object"]["sha"]), (&json!("tag"), &json!(object)));
    let (_, peeled) = stage.get(&format!("/repos/acme/hubot/git/tags/{object}")).await;
    assert_eq!((&peeled["object"]["type"], &peeled["object"]["sha"]), (&json!("commit"), &json!(head)));
    assert_eq!(stage.get("/repos/acme/hubot/git/ref/tags/light").await.1["object"]["type"], "commit");
    assert_eq!(stage.get("/repos/acme/hubot/commits/tags%2Fv1").await.1["sha"], json!(head));
    assert!(stage.github.tag(REPO, "v2", "nowhere", false).is_err());
}

#[tokio::test]
async fn an_empty_repository_is_its_own_answer() {
    let stage = Stage::new().await;
    stage.github.add_repository(RepoSeed { name: "acme/empty", private: false, default_branch: "main" }).unwrap();
    let (status, body) = stage.get("/repos/acme/empty/commits/main").await;
    assert_eq!((status, &body["message"]), (409, &json!("Git Repository is empty.")));
    assert_eq!(stage.get("/repos/acme/empty/git/ref/heads/main").await.0, 409);
    assert_eq!(stage.get("/repos/acme/empty/tarball").await.0, 404);
}

#[tokio::test]
async fn comparing() {
    let stage = Stage::new().await;
    let base = stage.github.head(REPO, "main").unwrap();
    let one = stage.github.push(REPO, "topic", "One", "ana").unwrap();
    let two = stage.github.push(REPO, "topic", "Two", "bob").unwrap();
    let (_, ahead) = stage.get(&format!("/repos/acme/hubot/compare/{base}...{two}")).await;
    assert_eq!((&ahead["status"], &ahead["ahead_by"], &ahead["total_commits"]), (&json!("ahead"), &json!(2), &json!(2)));
    assert_eq!((&ahead["commits"][0]["sha"], &ahead["commits"][1]["sha"]), (&json!(one), &json!(two)));
    assert_eq!(stage.get(&format!("/repos/acme/hubot/compare/{two}...{one}")).await.1["status"], "behind");
    assert_eq!(stage.get("/repos/acme/hubot/compare/main...main").await.1["status"], "identical");
    stage.github.push(REPO, "main", "Meanwhile", "ana").unwrap();
    let (_, apart) = stage.get("/repos/acme/hubot/compare/main...acme:topic").await;
    assert_eq!((&apart["status"], &apart["ahead_by"], &apart["behind_by"]), (&json!("diverged"), &json!(2), &json!(1)));
    assert_eq!(apart["merge_base_commit"]["sha"], json!(base));
    assert_eq!(stage.get("/repos/acme/hubot/compare/main...nowhere").await.0, 404);
    assert_eq!(stage.get("/repos/acme/hubot/compare/main..topic").await.0, 404);
    stage.github.merge(REPO, "topic", "main", "ana").unwrap();
    assert_eq!(stage.get("/repos/acme/hubot/compare/main...topic").await.1["status"], "behind");
}

#[tokio::test]
async fn a_long_comparison_shows_the_newest_commits() {
    let stage = Stage::new().await;
    let base = stage.github.head(REPO, "main").unwrap();
    for number in 0..260 {
        stage.github.push(REPO, "main", &format!("Step {number}"), "ana").unwrap();
    }
    let path = format!("/repos/acme/hubot/compare/{base}...main");
    let (_, body) = stage.get(&path).await;
    let commits = body["commits"].as_array().unwrap();
    assert_eq!((commits.len(), &body["total_commits"]), (250, &json!(260)));
    assert_eq!(commits[249]["commit"]["message"], "Step 259");
    let (_, first) = stage.get(&format!("{path}?per_page=100")).await;
    assert_eq!(first["commits"][0]["commit"]["message"], "Step 0");
    let (_, third) = stage.get(&format!("{path}?per_page=100&page=3")).await;
    assert_eq!((third["commits"].as_array().unwrap().len(), third.get("files")), (60, None));
}

#[tokio::test]
async fn pull_requests() {
    let stage = Stage::new().await;
    let sha = stage.github.push(REPO, "topic", "Add a thing", "ana").unwrap();
    stage.github.open_pull(REPO, 7, "topic", false).unwrap();
    let foreign = stage.github.open_pull(REPO, 8, "patch-1", true).unwrap();
    let (_, first) = stage.get("/repos/acme/hubot/pulls/7").await;
    assert_eq!((&first["head"]["sha"], &first["mergeable"], &first["state"]), (&json!(sha), &json!(null), &json!("open")));
    assert_eq!(stage.get("/repos/acme/hubot/pulls/7").await.1["mergeable"], true);
    let (_, fork) = stage.get("/repos/acme/hubot/pulls/8").await;
    assert_eq!(fork["head"]["sha"], json!(foreign));
    assert_ne!(fork["head"]["repo"]["id"], fork["base"]["repo"]["id"]);
    stage.github.delete_fork(REPO, 8).unwrap();
    assert_eq!(stage.get("/repos/acme/hubot/pulls/8").await.1["head"]["repo"], json!(null));

    let (_, of_commit) = stage.get(&format!("/repos/acme/hubot/commits/{sha}/pulls")).await;
    assert_eq!((of_commit.as_array().unwrap().len(), &of_commit[0]["number"]), (1, &json!(7)));
    let moved = stage.github.push(REPO, "topic", "Mend it", "ana").unwrap();
    assert_eq!(stage.get("/repos/acme/hubot/pulls/7").await.1["head"]["sha"], json!(moved));
    let (_, filtered) = stage.get("/repos/acme/hubot/pulls?head=acme:topic").await;
    assert_eq!(filtered.as_array().unwrap().len(), 1);

    stage.github.merge(REPO, "topic", "main", "ana").unwrap();
    stage.github.close_pull(REPO, 7, true).unwrap();
    let (_, landed) = stage.get(&format!("/repos/acme/hubot/commits/{sha}/pulls")).await;
    assert_eq!(landed[0]["number"], 7);
    let root = stage.get("/repos/acme/hubot/commits/main").await.1["parents"][0]["sha"].as_str().unwrap().to_owned();
    assert_eq!(stage.get(&format!("/repos/acme/hubot/commits/{root}/pulls")).await.1, json!([]));
    assert_eq!(stage.get("/repos/acme/hubot/pulls").await.1.as_array().unwrap().len(), 1);
    assert_eq!(stage.get("/repos/acme/hubot/pulls/99").await.0, 404);
}

#[tokio::test]
async fn an_archive_is_a_link_that_is_good_once_and_not_for_long() {
    let stage = Stage::new().await;
    let head = stage.github.head(REPO, "main").unwrap();
    let location = || async {
        let answer = stage.ask(Method::GET, &format!("/repos/acme/hubot/tarball/{head}")).send().await.unwrap();
        assert_eq!(answer.status(), 302);
        header(&answer, "location")
    };
    let link = location().await;
    assert!(link.starts_with(&format!("{}/acme/hubot/legacy.tar.gz/{head}?token=", stage.github.web_url())), "{link}");
    let answer = stage.client.get(&link).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.content_length()), (200, None));
    assert_eq!(header(&answer, "content-type"), "application/x-gzip");
    let bytes = answer.bytes().await.unwrap();
    assert_eq!(bytes[..2], [0x1f, 0x8b]);
    assert_eq!(stage.client.get(&link).send().await.unwrap().status(), 404);
    let again = stage.client.get(location().await).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(again, bytes);

    let late = location().await;
    stage.pass(5);
    assert_eq!(stage.client.get(&late).send().await.unwrap().status(), 404);
    assert!(stage.github.violations().is_empty());
    let forwarded = stage.client.get(location().await).bearer_auth("gho_ana").send().await.unwrap();
    assert_eq!(forwarded.status(), 401);
    assert_eq!(stage.github.violations().len(), 1);
    assert!(stage.github.requests().iter().all(|seen| !seen.path.contains("token=")));

    stage.github.archive_size(REPO, 300_000).unwrap();
    let large = stage.client.get(location().await).send().await.unwrap().bytes().await.unwrap();
    assert!(large.len() > 300_000 && large.len() < 310_000);
}

#[tokio::test]
async fn a_public_archive_needs_no_secret_and_tools_can_read_it() {
    let stage = Stage::new().await;
    stage.github.add_repository(RepoSeed { name: "acme/open", private: false, default_branch: "main" }).unwrap();
    let sha = stage.github.push("acme/open", "main", "Begin", "ana").unwrap();
    // More than one block, and no whole number of anything.
    stage.github.archive_size("acme/open", 300_007).unwrap();
    let answer = stage.ask(Method::GET, "/repos/acme/open/tarball/main").send().await.unwrap();
    let link = header(&answer, "location");
    assert!(link.ends_with("/acme/open/legacy.tar.gz/refs/heads/main"), "{link}");
    let bytes = stage.client.get(&link).send().await.unwrap().bytes().await.unwrap();
    let mut folder = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut folder, &bytes).unwrap();
    let listing = std::process::Command::new("tar").arg("-tzf").arg(folder.path()).output().unwrap();
    let mut names = String::new();
    listing.stdout.as_slice().read_to_string(&mut names).unwrap();
    assert!(listing.status.success(), "{listing:?}");
    assert_eq!(names.lines().next(), Some(format!("acme-open-{sha}/").as_str()));
    assert!(names.contains("/Procfile") && names.contains("/filler.bin"));
}

#[tokio::test]
async fn commits_and_repositories_are_listed_in_pages() {
    let stage = Stage::new().await;
    let second = stage.github.push(REPO, "main", "Second", "ana").unwrap();
    let topic = stage.github.push(REPO, "topic", "Topic", "ana").unwrap();
    let (status, commits) = stage.get("/repos/acme/hubot/commits?sha=topic&per_page=2").await;
    assert_eq!((status, &commits[0]["sha"], &commits[1]["sha"]), (200, &json!(topic), &json!(second)));
    assert_eq!(stage.get("/repos/acme/hubot/commits?sha=topic&per_page=2&page=2").await.1.as_array().unwrap().len(), 1);
    assert_eq!(stage.get("/repos/acme/hubot/commits").await.1[0]["sha"], json!(second), "the default branch");
    assert_eq!(stage.get("/repos/acme/hubot/commits?sha=nothing").await.0, 404);
    stage.github.set_status(REPO, "topic", "ci", "success").unwrap();
    assert_eq!(stage.get(&format!("/repos/acme/hubot/statuses/{topic}")).await.1[0]["context"], "ci", "by its older path");
    stage.github.add_repository(RepoSeed { name: "acme/other", private: true, default_branch: "main" }).unwrap();
    stage.github.grant("ana", "acme/other", super::super::Permission::Read).unwrap();
    let first = stage.ask(Method::GET, "/user/repos?per_page=1").send().await.unwrap();
    assert!(header(&first, "link").contains(&format!("<{}/user/repos?per_page=1&page=2>; rel=\"next\"", stage.github.api_url())));
    assert_eq!(stage.get("/user/repos?per_page=1&page=2").await.1[0]["full_name"], "acme/other");
    assert_eq!(stage.get_as("gho_stranger", "/user/repos").await.1, json!([]));
}
