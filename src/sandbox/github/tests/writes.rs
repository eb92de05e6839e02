//! Commits, refs and pull requests that are made over the interface.

use reqwest::Method;
use serde_json::{Value, json};

use super::{REPO, Stage, header, read};

const REFS: &str = "/repos/acme/hubot/git/refs";
const COMMITS: &str = "/repos/acme/hubot/git/commits";
const PULLS: &str = "/repos/acme/hubot/pulls";

/// The head of the default branch, and its tree.
async fn head_and_tree(stage: &Stage) -> (String, String) {
    let (_, head) = stage.get("/repos/acme/hubot/commits/main").await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&head["sha"]), text(&head["commit"]["tree"]["sha"]))
}

async fn committed(stage: &Stage, message: &str) -> String {
    let (head, tree) = head_and_tree(stage).await;
    let (status, made) = stage.post(COMMITS, json!({ "message": message, "tree": tree, "parents": [head] })).await;
    assert_eq!(status, 201, "{made}");
    made["sha"].as_str().unwrap().to_owned()
}

async fn patch(stage: &Stage, name: &str, body: Value) -> (u16, Value) {
    read(stage.ask(Method::PATCH, &format!("{REFS}/{name}")).json(&body).send().await.unwrap()).await
}

async fn delete(stage: &Stage, name: &str) -> (u16, Value) {
    read(stage.ask(Method::DELETE, &format!("{REFS}/{name}")).send().await.unwrap()).await
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn a_commit_is_made_from_a_tree_and_parents_that_are_there() {
    let stage = Stage::new().await;
    let (head, tree) = head_and_tree(&stage).await;
    let body = json!({ "message": "By hand", "tree": tree, "parents": [head] });
    let answer = stage.ask(Method::POST, COMMITS).json(&body).send().await.unwrap();
    let location = header(&answer, "location");
    let (status, made) = read(answer).await;
    assert_eq!(status, 201);
    assert_eq!((&made["message"], &made["tree"]["sha"], &made["parents"][0]["sha"]), (&json!("By hand"), &json!(tree), &json!(head)));
    let mut wanted = ["sha", "node_id", "url", "html_url", "author", "committer", "tree", "message", "parents", "verification"];
    wanted.sort_unstable();
    assert_eq!((keys(&made), location.as_str()), (wanted.to_vec(), made["url"].as_str().unwrap()));
    assert_eq!(keys(&made["parents"][0]), ["html_url", "sha", "url"]);
    let (_, found) = stage.get(&format!("/repos/acme/hubot/commits/{}", made["sha"].as_str().unwrap())).await;
    assert_eq!((&found["commit"]["tree"]["sha"], &found["author"]["login"]), (&json!(tree), &json!("ana")));
    assert_eq!(head_and_tree(&stage).await.0, head, "it is on no branch");
    assert_eq!(stage.post(COMMITS, body).await.1["sha"], made["sha"], "what is the same in everything is the same commit");
    stage.pass(1);
    assert_ne!(committed(&stage, "By hand").await, made["sha"].as_str().unwrap());
    for (body, message) in [
        (json!({ "message": "x", "tree": head, "parents": [] }), "Tree SHA does not exist"),
        (json!({ "message": "x", "tree": tree, "parents": [tree] }), "Parent SHA does not exist or is not a commit object."),
        (json!({ "tree": tree }), "Invalid request.\n\n\"message\" wasn't supplied."),
        (json!({ "message": "x" }), "Invalid request.\n\n\"tree\" wasn't supplied."),
    ] {
        let (status, refusal) = stage.post(COMMITS, body).await;
        assert_eq!((status, &refusal["message"]), (422, &json!(message)));
    }
}

#[tokio::test]
async fn refs_are_made_moved_and_deleted() {
    let stage = Stage::new().await;
    let commit = committed(&stage, "A topic").await;
    let body = json!({ "ref": "refs/heads/some/topic", "sha": commit });
    let answer = stage.ask(Method::POST, REFS).json(&body).send().await.unwrap();
    let location = header(&answer, "location");
    let (status, made) = read(answer).await;
    assert_eq!((status, location.as_str()), (201, made["url"].as_str().unwrap()));
    assert_eq!(stage.get("/repos/acme/hubot/git/ref/heads/some/topic").await, (200, made));
    assert_eq!(stage.post(REFS, json!({ "ref": "refs/tags/light", "sha": commit })).await.1["object"]["type"], "commit");
    assert_eq!(stage.get("/repos/acme/hubot/commits/tags/light").await.1["sha"], json!(commit));
    let (head, _) = head_and_tree(&stage).await;
    for (name, sha, message) in [
        ("refs/heads/some/topic", &commit, "Reference already exists"),
        ("refs/tags/light", &commit, "Reference already exists"),
        ("refs/heads/other", &"f".repeat(40), "Object does not exist"),
        ("heads/other", &commit, "heads/other is not a valid ref name."),
        ("refs/heads/two..dots", &commit, "refs/heads/two..dots is not a valid ref name."),
        ("refs/heads/a space", &commit, "refs/heads/a space is not a valid ref name."),
    ] {
        let (status, refusal) = stage.post(REFS, json!({ "ref": name, "sha": sha })).await;
        assert_eq!((status, &refusal["message"]), (422, &json!(message)), "{name}");
    }
    let (status, moved) = patch(&stage, "heads/main", json!({ "sha": commit })).await;
    assert_eq!((status, &moved["object"]["sha"]), (200, &json!(commit)));
    for (name, sha, message) in [
        ("heads/main", &head, "Update is not a fast forward"),
        ("heads/main", &"f".repeat(40), "Object does not exist"),
        ("heads/gone", &commit, "Reference does not exist"),
    ] {
        let (status, refusal) = patch(&stage, name, json!({ "sha": sha })).await;
        assert_eq!((status, &refusal["message"]), (422, &json!(message)), "{name}");
    }
    assert_eq!(patch(&stage, "heads/main", json!({ "sha": head, "force": true })).await.0, 200);
    for name in ["heads/some/topic", "tags/light"] {
        assert_eq!(delete(&stage, name).await, (204, Value::Null));
        assert_eq!(stage.get(&format!("/repos/acme/hubot/git/ref/{name}")).await.0, 404);
        let (status, refusal) = delete(&stage, name).await;
        assert_eq!((status, &refusal["message"]), (422, &json!("Reference does not exist")));
    }
    assert_eq!(delete(&stage, "heads/main").await.0, 501);
    assert!(stage.github.head(REPO, "main").is_some());
}

#[tokio::test]
async fn a_branch_is_proposed_once_while_it_has_something_to_give() {
    let stage = Stage::new().await;
    stage.github.push(REPO, "topic", "Add a thing", "ana").unwrap();
    stage.github.push(REPO, "other", "Another", "ana").unwrap();
    stage.github.open_pull(REPO, 7, "other", false).unwrap();
    let body = json!({ "title": "A thing", "head": "topic", "base": "main", "body": "Words", "draft": true });
    let answer = stage.ask(Method::POST, PULLS).json(&body).send().await.unwrap();
    let location = header(&answer, "location");
    let (status, made) = read(answer).await;
    assert_eq!((status, location.as_str(), &made["number"]), (201, made["url"].as_str().unwrap(), &json!(8)));
    assert_eq!((&made["title"], &made["body"], &made["draft"]), (&json!("A thing"), &json!("Words"), &json!(true)));
    assert_eq!((&made["state"], &made["mergeable"], &made["user"]["login"]), (&json!("open"), &json!(null), &json!("ana")));
    assert_eq!(stage.get("/repos/acme/hubot/pulls/8").await, (200, made.clone()));
    stage.github.push(REPO, "stale", "Old", "ana").unwrap();
    stage.github.merge(REPO, "stale", "main", "ana").unwrap();
    let invalid = |field: &str| json!([{ "resource": "PullRequest", "field": field, "code": "invalid" }]);
    let custom = |message: &str| json!([{ "resource": "PullRequest", "code": "custom", "message": message }]);
    for (head, base, faults) in [
        ("acme:topic", "main", custom("A pull request already exists for acme:topic.")),
        ("stale", "main", custom("No commits between main and stale")),
        ("nothing", "main", invalid("head")),
        ("topic", "nothing", invalid("base")),
    ] {
        let (status, refusal) = stage.post(PULLS, json!({ "title": "x", "head": head, "base": base })).await;
        assert_eq!((status, &refusal["message"], &refusal["errors"]), (422, &json!("Validation Failed"), &faults), "{head}");
    }
    let (status, refusal) = stage.post(PULLS, json!({ "title": "x", "base": "main" })).await;
    assert_eq!((status, &refusal["message"]), (422, &json!("Invalid request.\n\n\"head\" wasn't supplied.")));
    assert_eq!(delete(&stage, "heads/topic").await.0, 204);
    assert_eq!(stage.get("/repos/acme/hubot/pulls/8").await.1["state"], "closed");
}

#[tokio::test]
async fn only_who_may_push_makes_anything() {
    let stage = Stage::new().await;
    let (head, tree) = head_and_tree(&stage).await;
    let writes = [
        (Method::POST, COMMITS.to_owned(), json!({ "message": "x", "tree": tree, "parents": [head] })),
        (Method::POST, REFS.to_owned(), json!({ "ref": "refs/heads/x", "sha": head })),
        (Method::PATCH, format!("{REFS}/heads/main"), json!({ "sha": head })),
        (Method::DELETE, format!("{REFS}/heads/main"), Value::Null),
        (Method::POST, PULLS.to_owned(), json!({ "title": "x", "head": "x", "base": "main" })),
    ];
    let told = async |token: &str| {
        let mut told = Vec::new();
        for (method, path, body) in &writes {
            let asked = stage.client.request(method.clone(), format!("{}{path}", stage.github.api_url())).bearer_auth(token);
            let (status, body) = read(asked.json(body).send().await.unwrap()).await;
            told.push((status, body["message"].as_str().unwrap_or_default().to_owned()));
        }
        told.sort();
        told.dedup();
        told
    };
    assert_eq!(told("gho_reader").await, [(403, "Must have push access to repository".to_owned())]);
    assert_eq!(told("gho_stranger").await, [(404, "Not Found".to_owned())]);
    assert_eq!(told("nobody's").await, [(401, "Bad credentials".to_owned())]);
    stage.github.archive_repository(REPO).unwrap();
    assert_eq!(told("gho_ana").await, [(403, "Repository was archived so is read-only.".to_owned())]);
    assert_eq!(stage.github.head(REPO, "main"), Some(head));
}
