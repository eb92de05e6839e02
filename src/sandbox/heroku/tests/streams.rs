//! Output streams.

use futures_util::StreamExt;

use super::*;

async fn stream_of(stage: &Stage, path: &str) -> String {
    text(&stage.get(path).await["output_stream_url"]).to_owned()
}

#[tokio::test]
async fn a_stream_begins_late_grows_and_goes_on_where_it_stopped() {
    let stage = Stage::usual().await;
    stage.heroku.next_build_fails("hubot-staging").unwrap();
    let build = stage.build().await;
    let url = stream_of(&stage, &build).await;
    let missing = stage.http.get(&url).send().await.unwrap();
    assert_eq!((missing.status().as_u16(), missing.text().await.unwrap().as_str()), (404, "Channel is not registered.\n"));
    stage.clock.go_on(20);
    stage.heroku.streams(StreamStyle::EndEarly);
    let first = stage.http.get(&url).send().await.unwrap().text().await.unwrap();
    let said = first.strip_suffix('\0').unwrap();
    assert!(said.contains("-----> Using buildpack") && said.contains("\u{1b}["));
    let from = said.len();

    stage.finish();
    let rest = stage.http.get(&url).header("range", format!("{from}-")).send().await.unwrap();
    assert_eq!(rest.status(), StatusCode::PARTIAL_CONTENT);
    let rest = rest.text().await.unwrap();
    let whole = stage.http.get(&url).send().await.unwrap().text().await.unwrap();
    assert_eq!(format!("{said}{rest}"), whole);
    assert!(planted_secrets().iter().all(|secret| whole.contains(secret.as_str())));
    assert_eq!(planted_secrets()[0].len(), 65);
    let end = stage.http.get(&url).header("range", format!("{}-", whole.len())).send().await.unwrap();
    assert_eq!(end.status(), StatusCode::NO_CONTENT);
    stage.clock.go_on(86_400);
    assert_eq!(stage.http.get(&url).send().await.unwrap().status(), StatusCode::NOT_FOUND);
    assert_eq!(stage.http.get(url.replace("Signature=", "Signature=0")).send().await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(stage.heroku.violations(), Vec::<String>::new());
    stage.http.get(&url).bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(stage.heroku.violations().len(), 1);
}

#[tokio::test]
async fn a_stream_can_be_cut_or_stay_open() {
    let stage = Stage::usual().await;
    let build = stage.build().await;
    stage.clock.go_on(20);
    let url = stream_of(&stage, &build).await;
    stage.heroku.streams(StreamStyle::Cut { once: false });
    let cut = stage.http.get(&url).send().await.unwrap();
    let mut pieces = cut.bytes_stream();
    assert!(pieces.next().await.unwrap().unwrap().starts_with(b"\x1b[1m----->"));
    assert!(pieces.next().await.unwrap().is_err());

    stage.heroku.streams(StreamStyle::Live);
    let live = stage.http.get(&url).send().await.unwrap();
    let mut pieces = live.bytes_stream();
    let mut heard = pieces.next().await.unwrap().unwrap().to_vec();
    stage.heroku.hold("hubot-staging", Held::Build).unwrap();
    stage.clock.go_on(100);
    while !heard.ends_with(b"Preparing app\n") {
        heard.extend_from_slice(&pieces.next().await.unwrap().unwrap());
    }
    while !heard.ends_with(b"\0") {
        stage.clock.go_on(10);
        heard.extend_from_slice(&pieces.next().await.unwrap().unwrap());
    }
    stage.heroku.let_go("hubot-staging").unwrap();
    stage.clock.go_on(10);
    while let Some(piece) = pieces.next().await {
        heard.extend_from_slice(&piece.unwrap());
    }
    assert!(heard.ends_with(b"Released v2\n"));
}

#[tokio::test]
async fn the_release_command_has_a_stream_of_its_own_also_as_events() {
    let stage = Stage::usual().await;
    assert_eq!(stage.get("/apps/hubot-staging/releases/1").await["output_stream_url"], Value::Null);
    stage.heroku.next_release_fails("hubot-staging").unwrap();
    stage.build().await;
    stage.finish();
    let url = stream_of(&stage, "/apps/hubot-staging/releases/2").await;
    assert!(stage.http.get(&url).send().await.unwrap().text().await.unwrap().ends_with("release command failed\n"));
    let events = stage.http.get(&url).header("accept", "text/event-stream").send().await.unwrap().text().await.unwrap();
    assert!(events.starts_with("id: 27\ndata: Running release command...\n\n"), "{events}");
}
