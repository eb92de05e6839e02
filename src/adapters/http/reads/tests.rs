use std::time::Duration;

use http::header::{ACCEPT, HeaderValue};
use wiremock::matchers::{header, header_exists, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::adapters::http::call::authorized;
use crate::adapters::http::client;
use crate::ports::Service;

struct Stage {
    server: MockServer,
    reads: Reads,
}

impl Stage {
    async fn new() -> Self {
        let reads = Reads::new(client::client(Some(Duration::from_secs(20))).unwrap());
        Self { server: MockServer::start().await, reads }
    }

    fn call(&self, token: &str, at: &str) -> Call {
        let url = format!("{}{at}", self.server.uri()).parse().unwrap();
        let call = Call::new(Service::Platform, Method::GET, url, "/x").header(ACCEPT, HeaderValue::from_static("application/json"));
        authorized(call, &token.into()).unwrap()
    }

    async fn read(&self, token: &str) -> Answer {
        self.reads.read(self.call(token, "/list"), 1000).await.unwrap()
    }

    async fn write(&self, token: &str) {
        let write = Call { method: Method::POST, ..self.call(token, "/list") };
        self.reads.write(write, 1000).await.unwrap();
    }

    async fn on(&self, mock: wiremock::MockBuilder, answer: ResponseTemplate) {
        mock.respond_with(answer).mount(&self.server).await;
    }

    async fn next(&self, answer: ResponseTemplate) {
        Mock::given(method("GET")).respond_with(answer).up_to_n_times(1).mount(&self.server).await;
    }

    /// How many requests came, and how many of them told what was known already.
    async fn seen(&self) -> (usize, usize) {
        let seen = self.server.received_requests().await.unwrap();
        (seen.len(), seen.iter().filter(|request| request.headers.contains_key("if-none-match")).count())
    }
}

fn list(tag: &str, body: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).insert_header("etag", tag).insert_header("next-range", "id ]2..").set_body_string(body)
}

fn get() -> wiremock::MockBuilder {
    Mock::given(method("GET"))
}

#[tokio::test]
async fn what_has_not_changed_is_the_answer_of_before_with_the_headers_of_today() {
    let stage = Stage::new().await;
    let unchanged = ResponseTemplate::new(304).insert_header("etag", "\"1\"").insert_header("ratelimit-remaining", "41");
    stage.on(get().and(header("if-none-match", "\"1\"")), unchanged).await;
    stage.on(get(), list("\"1\"", "[1, 2]").insert_header("ratelimit-remaining", "42")).await;
    let first = stage.read("ana").await;
    let second = stage.read("ana").await;
    assert_eq!((first.status, second.status), (StatusCode::OK, StatusCode::OK));
    assert_eq!((&first.body[..], &second.body[..]), (&b"[1, 2]"[..], &b"[1, 2]"[..]));
    assert_eq!((first.header("ratelimit-remaining"), second.header("ratelimit-remaining")), (Some("42"), Some("41")));
    assert_eq!((second.header("next-range"), second.header("content-type")), (Some("id ]2.."), first.header("content-type")));
    assert_eq!(stage.seen().await, (2, 1));
}

#[tokio::test]
async fn what_one_has_read_is_never_given_to_another() {
    let stage = Stage::new().await;
    stage.on(get().and(header("authorization", "Bearer ana")), list("\"1\"", "hers")).await;
    stage.on(get().and(header("authorization", "Bearer bob")), list("\"1\"", "his")).await;
    let (hers, his) = tokio::join!(stage.read("ana"), stage.read("bob"));
    assert_eq!((&hers.body[..], &his.body[..]), (&b"hers"[..], &b"his"[..]));
    assert_eq!(stage.seen().await, (2, 0), "each asked for themselves, and nobody told what the other knew");
}

#[tokio::test]
async fn what_has_changed_takes_the_place_of_what_was_known() {
    let stage = Stage::new().await;
    stage.next(list("\"1\"", "old")).await;
    stage.next(list("\"2\"", "new")).await;
    stage.on(get().and(header("if-none-match", "\"2\"")), ResponseTemplate::new(304)).await;
    stage.read("ana").await;
    assert_eq!(&stage.read("ana").await.body[..], b"new");
    assert_eq!(&stage.read("ana").await.body[..], b"new");
    assert_eq!(stage.seen().await, (3, 2));
}

#[tokio::test]
async fn an_answer_is_not_kept_without_a_tag_or_against_the_services_will() {
    let stage = Stage::new().await;
    stage.next(list("\"1\"", "1")).await;
    stage.next(ResponseTemplate::new(200).set_body_string("2")).await;
    stage.on(get(), list("\"3\"", "3").insert_header("cache-control", "private, no-store")).await;
    for _ in 0..4 {
        stage.read("ana").await;
    }
    assert_eq!(stage.seen().await, (4, 1), "only the second request followed an answer that was kept");
}

#[tokio::test]
async fn who_may_not_read_it_any_more_loses_it_and_a_failing_service_takes_nothing_away() {
    for (status, known) in [(401, 1), (403, 1), (404, 1), (429, 2), (503, 2)] {
        let stage = Stage::new().await;
        stage.next(list("\"1\"", "kept")).await;
        stage.next(ResponseTemplate::new(status)).await;
        stage.on(get(), list("\"1\"", "kept")).await;
        stage.read("ana").await;
        assert_eq!(stage.read("ana").await.status.as_u16(), status);
        stage.read("ana").await;
        assert_eq!(stage.seen().await, (3, known), "{status}");
    }
}

#[tokio::test]
async fn what_could_not_be_understood_is_asked_for_as_if_for_the_first_time() {
    let stage = Stage::new().await;
    stage.on(get(), list("\"1\"", "{")).await;
    let answer = stage.read("ana").await;
    stage.reads.forget(&answer);
    stage.read("ana").await;
    assert_eq!(stage.seen().await, (2, 0));
}

#[tokio::test]
async fn ten_who_ask_at_the_same_time_ask_once() {
    let stage = Stage::new().await;
    stage.on(get(), list("\"1\"", "one for all").set_delay(Duration::from_millis(50))).await;
    let all = futures_util::future::join_all((0..10).map(|_| stage.read("ana"))).await;
    assert!(all.iter().all(|answer| &answer.body[..] == b"one for all"));
    assert_eq!(stage.seen().await, (1, 0));
    stage.read("ana").await;
    assert_eq!(stage.seen().await, (2, 1), "who comes later asks whether it is still so");
}

#[tokio::test]
async fn reads_that_are_sent_with_a_body_are_shared_by_what_they_ask() {
    let stage = Stage::new().await;
    stage.on(Mock::given(method("POST")), ResponseTemplate::new(200).set_delay(Duration::from_millis(50))).await;
    let ask = |id: u8| Call { method: Method::POST, ..stage.call("ana", "/filters") }.json(&serde_json::json!({ "in": id }));
    let asks = [1, 1, 2].map(|id| stage.reads.read(ask(id), 1000));
    assert!(futures_util::future::join_all(asks).await.iter().all(Result::is_ok));
    assert_eq!(stage.seen().await, (2, 0));
}

#[tokio::test]
async fn a_fault_is_everybodys_and_is_not_kept() {
    let stage = Stage::new().await;
    stage.next(list("\"1\"", "longer than anybody takes").set_delay(Duration::from_millis(50))).await;
    stage.on(get(), list("\"1\"", "[]")).await;
    let read = || stage.reads.read(stage.call("ana", "/list"), 5);
    let (one, other) = tokio::join!(read(), read());
    assert_eq!((one.unwrap_err(), other.unwrap_err()), (CallFault::TooLong(5), CallFault::TooLong(5)));
    assert_eq!(stage.seen().await, (1, 0));
    assert_eq!(&read().await.unwrap().body[..], b"[]");
    assert_eq!(stage.seen().await, (2, 0));
}

#[tokio::test]
async fn whoever_began_may_leave_and_the_others_still_get_their_answer() {
    let stage = Stage::new().await;
    stage.on(get(), list("\"1\"", "for the others").set_delay(Duration::from_millis(50))).await;
    let mut first = Box::pin(stage.read("ana"));
    assert!((&mut first).now_or_never().is_none(), "it has begun");
    let mut second = Box::pin(stage.read("ana"));
    assert!((&mut second).now_or_never().is_none(), "it has joined");
    drop(first);
    assert_eq!(&second.await.body[..], b"for the others");
    assert_eq!(stage.seen().await.0, 1);
}

#[tokio::test]
async fn what_everybody_has_left_is_over() {
    let stage = Stage::new().await;
    stage.on(get(), list("\"1\"", "[]")).await;
    let mut only = Box::pin(stage.read("ana"));
    assert!((&mut only).now_or_never().is_none());
    assert_eq!(stage.reads.state.flights().1.len(), 1);
    drop(only);
    assert_eq!(stage.reads.state.flights().1.len(), 0);
    stage.read("ana").await;
    assert_eq!(stage.reads.state.flights().1.len(), 0);
}

#[tokio::test]
async fn who_asks_after_a_change_does_not_get_what_was_asked_before_it() {
    let stage = Stage::new().await;
    stage.next(list("\"1\"", "before").set_delay(Duration::from_millis(200))).await;
    stage.on(get(), list("\"2\"", "after")).await;
    stage.on(Mock::given(method("POST")).and(path("/list")).and(header_exists("authorization")), ResponseTemplate::new(201)).await;
    let mut before = Box::pin(stage.read("ana"));
    // Somebody else's change parts nobody from what they wait for.
    let (old, new) = tokio::join!(&mut before, async {
        while stage.seen().await.0 == 0 {
            tokio::task::yield_now().await;
        }
        stage.write("bob").await;
        assert_eq!(stage.reads.state.flights().1.len(), 1);
        stage.write("ana").await;
        stage.read("ana").await
    });
    assert_eq!((&old.body[..], &new.body[..]), (&b"before"[..], &b"after"[..]));
    assert_eq!(stage.seen().await.0, 4);
}

#[tokio::test]
async fn what_was_read_with_a_token_is_forgotten_and_what_others_have_read_stays() {
    let stage = Stage::new().await;
    stage.on(get(), list("\"1\"", "[]").set_delay(Duration::from_millis(20))).await;
    stage.read("ana").await;
    stage.read("bob").await;
    let mut late = Box::pin(stage.read("ana"));
    assert!((&mut late).now_or_never().is_none(), "it has begun");
    stage.reads.forget_all_of(&"ana".into());
    late.await;
    assert_eq!(stage.seen().await, (3, 1));
    stage.read("ana").await;
    assert_eq!(stage.seen().await, (4, 1), "nothing is known of it, also not by what was on its way");
    stage.read("bob").await;
    assert_eq!(stage.seen().await, (5, 2));
}
