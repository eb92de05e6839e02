//! A throw-away account at GitHub.

use std::collections::BTreeMap;
use std::path::PathBuf;

use async_trait::async_trait;
use serde_json::Value;

use super::Settings;
use super::account::{Account, Arranging, Service, read};
use crate::contracts::github::{self, DEPLOYMENT, FORK, LONE, MAIN, NUMBER, OLDER, SLASHED, TAG, TOPIC, a_deployment_of};
use crate::contracts::recordings::Recording;
use crate::contracts::recordings_simulated::{Stage, client};

const JSON: &str = "application/vnd.github+json";

/// What recordings ask for by a name that not every repository has, and where it is found.
const BY_NAME: [(&str, &str); 3] = [
    ("/branches/topic", "/branches/topic"),
    ("/branches/feature%2Fwith%2Fslash", "/branches/feature%2Fwith%2Fslash"),
    ("/tags/v1.0", "/git/ref/tags/v1.0"),
];

pub struct GitHub;

/// The repository of the settings. It needs a branch `main` of two commits or more; `topic`, `feature/with/slash` and an annotated tag
/// `v1.0` are used where it has them.
pub async fn account(settings: &Settings, fixtures: PathBuf) -> Result<Account, String> {
    let (api, token, name) = (&settings["LIVE_GITHUB_API"], &settings["LIVE_GITHUB_TOKEN"], &settings["LIVE_GITHUB_REPOSITORY"]);
    let get = |path: String| read(format!("{api}/repos/{name}{path}"), token, JSON);
    let repository = get(String::new()).await?;
    let head = get("/commits/main".to_owned()).await?;
    let mut names = vec![("acme/hubot".to_owned(), name.clone()), (NUMBER.to_owned(), repository["id"].to_string())];
    let mut commit = |recorded: &str, own: &Value| {
        let Some(own) = own.as_str() else { return };
        names.push((recorded.to_owned(), own.to_owned()));
        names.push((recorded[..7].to_owned(), own[..7].to_owned()));
    };
    commit(MAIN, &head["sha"]);
    commit(OLDER, &head["parents"][0]["sha"]);
    for (recorded, path) in [(TOPIC, "heads/topic"), (SLASHED, "heads/feature/with/slash"), (TAG, "tags/v1.0")] {
        if let Ok(found) = get(format!("/git/ref/{path}")).await {
            commit(recorded, &found["object"]["sha"]);
        }
    }
    // What is asked for by its name has the same name there.
    for (asked, at) in BY_NAME {
        if get(at.to_owned()).await.is_ok() {
            names.push((asked.to_owned(), asked.to_owned()));
        }
    }
    let me = read(format!("{api}/user"), token, JSON).await?;
    let secrets = [token.clone(), me["email"].as_str().unwrap_or_default().to_owned()].into_iter().filter(|text| text.len() > 5).collect();
    let web = settings["LIVE_GITHUB_WEB"].clone();
    let addresses = BTreeMap::from([("api", api.clone()), ("web", web.clone()), ("git", web)]);
    let stage = Stage { addresses, names, token: token.clone() };
    Ok(Account { service: Box::new(GitHub), stage, secrets, fixtures })
}

#[async_trait]
impl Service for GitHub {
    fn host(&self) -> &'static str {
        "github"
    }

    fn is_of_a_moment(&self, recording: &Recording) -> Option<&'static str> {
        let wrong_token =
            recording.state.iter().any(|what| what == "github has no token") && recording.name != "repository-token-withdrawn";
        if wrong_token {
            return Some("who asks with several wrong tokens is shut out for a while: it is done once");
        }
        (recording.request.host == "web").then_some("the link to an archive is a secret of a moment")
    }

    fn can_be_so(&self, what: &str) -> bool {
        ["a deployment", "github has no token"].contains(&what)
    }

    fn names(&self) -> Vec<&'static str> {
        let mut names = vec![MAIN, OLDER, TOPIC, SLASHED, TAG, FORK, LONE, DEPLOYMENT, NUMBER, "pulls/7", "pulls/8", "pulls/9"];
        names.extend(BY_NAME.map(|(asked, _)| asked));
        names
    }

    fn comes_to_be(&self, name: &str, recording: &Recording) -> bool {
        name == DEPLOYMENT && recording.state.iter().any(|what| what == "a deployment")
    }

    fn in_bodies(&self, host: &str) -> String {
        match host {
            "api" => "https://api.github.com".to_owned(),
            "web" | "git" => "https://github.com".to_owned(),
            other => format!("{{{other}}}"),
        }
    }

    async fn replayed(&self, all: &BTreeMap<String, Recording>, recording: &Recording) -> (Value, Vec<String>) {
        github::replayed(all, recording).await
    }

    async fn happens(&self, what: &str, arranging: &mut Arranging) {
        match what {
            "github has no token" => arranging.lose_token(),
            "a deployment" => {
                let url = format!("{}/repos/{}/deployments", arranging.api(), arranging.own("acme/hubot"));
                let body = a_deployment_of(&arranging.own(MAIN));
                let made = client().post(url).bearer_auth(&arranging.token).header("content-type", "application/json");
                let made = made.body(body.to_string()).send().await.unwrap();
                assert_eq!(made.status(), 201, "a deployment is made");
                let made: Value = serde_json::from_slice(&made.bytes().await.unwrap()).unwrap();
                arranging.name(DEPLOYMENT, &made["id"].to_string());
            }
            _ => panic!("{what} cannot be brought about"),
        }
    }
}
