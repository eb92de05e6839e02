//! Answers reach people, codes are accounted for, and what is old begins nothing.

use std::sync::Arc;

use super::super::testing::{Did, Outside, sha};
use super::*;
use crate::domain::checks::{Check, CheckState};
use crate::domain::deployment::samples::{at, deployment, person};
use crate::domain::deployment::{Deployment, Override, Phase};
use crate::domain::message::Span;
use crate::domain::names::{CheckName, DeliveryId, DeploymentId};
use crate::domain::parse::parse;

/// A request, as it lies on disk, and what became of it.
async fn ask(outside: &Arc<Outside>, id: &str, words: &str, code: Option<&str>) {
    let request = Request {
        id: DeliveryId::parse(id).unwrap(),
        version: 0,
        origin: deployment(Phase::Starting).origin,
        ask: Ask::Command(parse(words).unwrap()),
        came_with_code: code.is_some(),
        received_at: at(0),
        answered: false,
    };
    outside.requests.lock().unwrap().insert(request.id.clone(), request.clone());
    answer(&outside.ports(), &request, code.map(SecretString::from)).await.unwrap();
    assert!(outside.requests.lock().unwrap()[&request.id].answered);
}

fn words(message: &Message) -> String {
    let lines = std::iter::once(&message.headline).chain(&message.lines);
    let spans = lines.flatten().map(|span| match span {
        Span::Text(words) | Span::Strong(words) | Span::Code(words) | Span::Moment { words, .. } => words.clone(),
        Span::Person(_) | Span::Channel(_) => String::new(),
        Span::Link { label, .. } => label.clone(),
    });
    spans.collect()
}

/// The words of the last answer.
fn answered(outside: &Outside) -> String {
    let all = outside.did();
    let last = all.iter().rev().find_map(|did| if let Did::Answer(message) = did { Some(words(message)) } else { None });
    last.unwrap_or_default()
}

fn deployments(outside: &Outside) -> Vec<Deployment> {
    let mut all: Vec<Deployment> = outside.deployments.lock().unwrap().values().cloned().collect();
    all.sort_by_key(|deployment| deployment.asked_at);
    all
}

#[tokio::test]
async fn a_code_with_a_command_that_takes_none_is_told_of() {
    for words in ["status", "help", "plan hubot to staging", "deploy nothing-like-it to staging"] {
        let outside = Outside::new();
        ask(&outside, "1", words, Some("123456")).await;
        assert!(answered(&outside).contains("code-unused"), "{words}: {}", answered(&outside));
        assert!(!answered(&outside).contains("123456"));
        assert!(deployments(&outside).is_empty());
    }
}

#[tokio::test]
async fn a_code_that_was_spent_before_the_gate_closed_is_told_of() {
    let outside = Outside::new();
    let red = Check { name: CheckName::parse("ci").unwrap(), state: CheckState::Failed, reporter: None, url: None };
    outside.checks.lock().unwrap().reported.push(red);
    ask(&outside, "1", "deploy hubot to staging", Some("123456")).await;
    assert!(answered(&outside).contains("code-used-up"), "{}", answered(&outside));
    assert_eq!(*outside.counted.lock().unwrap(), ["checks-failed"]);
}

#[tokio::test]
async fn a_code_goes_to_the_deploy_that_was_asked_for_in_the_same_words_and_to_no_other() {
    let outside = Outside::new();
    let mut waiting = deployment(Phase::NeedsCode { until: at(600) });
    waiting.cargo.commit = sha('a');
    outside.keep(&waiting);
    *outside.head.lock().unwrap() = sha('b');
    ask(&outside, "1", "deploy hubot/main to staging", Some("123456")).await;
    assert_eq!(outside.stored(waiting.id).phase, Phase::Starting);
    assert_eq!(deployments(&outside).len(), 1);

    let outside = Outside::new();
    outside.keep(&waiting);
    ask(&outside, "1", "deploy hubot/other to staging", Some("123456")).await;
    assert!(matches!(outside.stored(waiting.id).phase, Phase::NeedsCode { .. }), "main was not what was asked for");
    assert!(deployments(&outside).iter().any(|deployment| deployment.cargo.commit == sha('f')));
}

#[tokio::test]
async fn an_answer_is_said_again_until_it_is_heard() {
    for (faults, times) in [
        (vec![Fault::RateLimited { until: Some(at(45)) }, Fault::Unreachable], 3),
        (vec![Fault::Unclear, Fault::Unclear, Fault::Unclear], 2),
        (vec![Fault::Unreachable; 9], 5),
        (vec![Fault::Forbidden], 1),
    ] {
        let outside = Outside::new();
        outside.word.lock().unwrap().extend(faults.clone());
        ask(&outside, "1", "status", None).await;
        assert_eq!(outside.when(|did| matches!(did, Did::Answer(_))).len(), times, "{faults:?}");
        assert!(outside.when(|_| true).last().unwrap() < &600);
    }
}

#[tokio::test]
async fn what_was_asked_for_long_ago_begins_nothing() {
    let outside = Outside::new();
    outside.pass(30 * 60);
    ask(&outside, "1", "deploy hubot to staging", None).await;
    assert!(deployments(&outside).is_empty());
    assert!(answered(&outside).contains("asked-too-long-ago"));
    ask(&outside, "2", "status", None).await;
    assert!(!answered(&outside).contains("asked-too-long-ago"), "reading is never too late");
}

#[tokio::test]
async fn the_same_request_twice_makes_one_deployment() {
    let outside = Outside::new();
    ask(&outside, "1", "deploy hubot to staging", None).await;
    ask(&outside, "2", "deploy hubot to staging", None).await;
    assert_eq!(deployments(&outside).len(), 1);
    assert_eq!(deployments(&outside)[0].origin.person, person("ana"));
    assert_eq!(*outside.counted.lock().unwrap(), ["began"]);
}

/// A deploy in a row of many, which passed over checks for a reason of its own or did not.
fn one_of_many(n: i64, overrides: bool) -> Deployment {
    let overriding = overrides.then(|| Override { because: format!("fire {n}."), skipped: Vec::new() });
    let id = DeploymentId(uuid::Uuid::from_u128(u128::try_from(n).unwrap()));
    Deployment { id, asked_at: at(n), overriding, ..deployment(Phase::Starting) }
}

#[tokio::test]
async fn what_was_overridden_is_found_however_much_was_deployed_since() {
    let outside = Outside::new();
    for n in 1..=1_200 {
        let one = one_of_many(n, n <= 45);
        outside.deployments.lock().unwrap().insert(one.id, one);
    }
    let (mut found, mut pages, mut words) = (Vec::new(), 0, "history".to_owned());
    loop {
        pages += 1;
        ask(&outside, &pages.to_string(), &words, None).await;
        let answer = answered(&outside);
        found.extend((1..=45).rev().filter(|n| answer.contains(&format!("fire {n}."))));
        let Some((_, next)) = answer.split_once("Older: ") else { break };
        let (moment, _) = next.split_once('Z').unwrap();
        words = format!("{}Z", moment.trim_start_matches("/h "));
    }
    assert_eq!((pages, found), (3, (1..=45).rev().collect::<Vec<_>>()), "each once, the newest first");
    // Of the one pipeline, all deploys stand on some page.
    ask(&outside, "of-one", "history hubot before 2023-11-15T00:10:00Z", None).await;
    assert!(answered(&outside).contains("Older: "), "{}", answered(&outside));
}
