//! Output streams: their ends, cleaned, read without a token.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::domain::names::{BuildId, ReleaseId};
use crate::ports::{Fault, Platform, Printed};

fn build_with(stream: Value) -> ResponseTemplate {
    ok(json!({"id": "b1", "status": "failed", "output_stream_url": stream}))
}

async fn output(stage: &Stage, lines: usize) -> Result<Option<String>, Fault> {
    let build = Printed::Build(BuildId::parse("b1").unwrap());
    stage.heroku.output(&token(), &app(), &build, lines).await.map_err(|error| {
        assert!(!error.detail.contains("/streams/"), "{error}");
        error.fault
    })
}

async fn output_of(answer: ResponseTemplate, lines: usize) -> (Stage, Result<Option<String>, Fault>) {
    let stage = Stage::new().await;
    stage.on("GET", &below("builds/b1"), build_with(json!(format!("{}/streams/x?X-Amz-Signature=1", stage.api.uri())))).await;
    stage.on("GET", "/streams/x", answer).await;
    let text = output(&stage, lines).await;
    (stage, text)
}

#[tokio::test]
async fn the_last_lines_are_cleaned_and_the_token_stays_home() {
    let text = "-----> Building\n\0\u{1b}[1;31mToken HRKU-0123456789abcdef\u{1b}[0m\r\n\0\0 10%\r 100%\nPASSWORD=hunter2\n";
    let (stage, told) = output_of(ResponseTemplate::new(200).set_body_string(text), 3).await;
    assert_eq!(told.unwrap().unwrap(), "Token [hidden]\n 100%\nPASSWORD=[hidden]");
    let seen = stage.seen().await;
    assert_eq!(header(&seen[1], "authorization"), "");
    assert!(!header(&seen[1], "accept").contains("heroku"));
}

#[tokio::test]
async fn only_the_end_of_a_long_output_counts() {
    let text = format!("begin\n{}last\n", "filler\n".repeat(200_000));
    let (_, told) = output_of(ResponseTemplate::new(200).set_body_string(text), 2).await;
    assert_eq!(told.unwrap().unwrap(), "filler\nlast");
}

#[tokio::test]
async fn nothing_yet_is_no_fault() {
    for status in [404, 204, 416] {
        assert_eq!(output_of(ResponseTemplate::new(status), 5).await.1, Ok(None));
    }
    assert_eq!(output_of(ResponseTemplate::new(200).set_body_string("\0\0"), 5).await.1, Ok(None));
    let (stage, told) = output_of(page_of_html(503), 5).await;
    assert_eq!(told, Err(Fault::Unclear));
    assert_eq!(stage.clock.waits().len(), 2);
    assert_eq!(output_of(ResponseTemplate::new(403), 5).await.1, Err(Fault::Refused));
    let stage = Stage::new().await;
    stage.on("GET", &below("builds/b1"), build_with(Value::Null)).await;
    assert_eq!(output(&stage, 5).await, Ok(None));
}

#[tokio::test]
async fn a_release_phase_has_an_output_of_its_own() {
    let stage = Stage::new().await;
    let release = json!({"id": "r1", "version": 3, "status": "failed", "output_stream_url": format!("{}/streams/r", stage.api.uri())});
    stage.on("GET", &below("releases/r1"), ok(release)).await;
    stage.on("GET", "/streams/r", ResponseTemplate::new(302).insert_header("location", "/archive/r")).await;
    stage.on("GET", "/archive/r", ResponseTemplate::new(200).set_body_string("migrating\nfailed\n")).await;
    let release = Printed::Release(ReleaseId::parse("r1").unwrap());
    let told = stage.heroku.output(&token(), &app(), &release, 9).await;
    assert_eq!(told.unwrap().unwrap(), "migrating\nfailed");
    assert!(stage.seen().await.iter().skip(1).all(|request| header(request, "authorization").is_empty()));
}

#[tokio::test]
async fn an_address_that_leads_astray_is_not_opened() {
    let stage = Stage::new().await;
    stage.on("GET", &below("builds/b1"), build_with(json!("http://build-output.example.com/streams/x"))).await;
    assert_eq!(output(&stage, 5).await, Err(Fault::Nonsense));
    let (_, told) = output_of(ResponseTemplate::new(302).insert_header("location", "http://example.com/streams/x"), 5).await;
    assert_eq!(told, Err(Fault::Nonsense));
}

#[tokio::test]
async fn a_stream_that_breaks_off_tells_what_it_had() {
    let streams = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stage = Stage::new().await;
    stage.on("GET", &below("builds/b1"), build_with(json!(format!("http://{}/streams/x", streams.local_addr().unwrap())))).await;
    let serve = async {
        let (mut connection, _) = streams.accept().await.unwrap();
        let mut seen = Vec::new();
        while !seen.ends_with(b"\r\n\r\n") {
            connection.read_buf(&mut seen).await.unwrap();
        }
        let answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhello\n\r\n1\r\n\0\r\n";
        connection.write_all(answer).await.unwrap();
    };
    let (told, ()) = tokio::join!(output(&stage, 5), serve);
    assert_eq!(told, Ok(Some("hello".to_owned())));
}
