//! Sources: how they travel, byte for byte.

use async_trait::async_trait;
use bytes::Bytes;
use secrecy::ExposeSecret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::ports::{ArchiveBody, Fault, Platform, PortError, SourceArchive};

/// A body in three pieces.
#[derive(Debug, Default)]
struct Pieces {
    at: usize,
}

#[async_trait]
impl ArchiveBody for Pieces {
    async fn next(&mut self) -> std::io::Result<Option<Bytes>> {
        self.at += 1;
        Ok(["ab", "cd", "e"].get(self.at - 1).map(|piece| Bytes::from_static(piece.as_bytes())))
    }

    async fn rewind(&mut self) -> std::io::Result<()> {
        self.at = 0;
        Ok(())
    }
}

fn archive() -> SourceArchive {
    SourceArchive { length: 5, sha256: "cd".repeat(32), body: Box::new(Pieces::default()) }
}

fn addresses(put: &str) -> ResponseTemplate {
    let blob = json!({"get_url": "https://storage.example.com/get?X-Amz-Signature=verysecret", "put_url": put});
    ResponseTemplate::new(201).set_body_json(json!({"source_blob": blob}))
}

#[tokio::test]
async fn a_source_is_put_with_its_length_without_chunks_type_or_token() {
    let storage = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stage = Stage::new().await;
    stage.on("POST", "/sources", addresses(&format!("http://{}/put?X-Amz-Signature=s", storage.local_addr().unwrap()))).await;
    let serve = async {
        let (mut connection, _) = storage.accept().await.unwrap();
        let mut seen = Vec::new();
        while !seen.ends_with(b"abcde") {
            assert_ne!(connection.read_buf(&mut seen).await.unwrap(), 0, "{}", String::from_utf8_lossy(&seen));
        }
        connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        String::from_utf8(seen).unwrap()
    };
    let token = token();
    let (seen, uploaded) = tokio::join!(serve, stage.heroku.upload(&token, archive()));
    let (head, body) = seen.split_once("\r\n\r\n").unwrap();
    let head = head.to_ascii_lowercase();
    assert_eq!(body, "abcde", "no chunk marks");
    assert!(head.starts_with("put /put?x-amz-signature=s http/1.1\r\n"), "{head}");
    assert_eq!(head.matches("content-length: 5").count(), 1, "{head}");
    for absent in ["transfer-encoding", "content-type", "authorization", "heroku+json", "range", "cookie"] {
        assert!(!head.contains(absent), "{head}");
    }
    let uploaded = uploaded.unwrap();
    assert_eq!(uploaded.address.expose_secret(), "https://storage.example.com/get?X-Amz-Signature=verysecret");
    assert_eq!(uploaded.sha256, "cd".repeat(32));
    assert!(!format!("{uploaded:?}").contains("verysecret"));
    let asked = stage.seen().await;
    assert_eq!((asked[0].body.len(), header(&asked[0], "content-length")), (0, "0"));
}

async fn upload(answers: Vec<ResponseTemplate>) -> (Stage, Result<(), PortError>) {
    let stage = Stage::new().await;
    stage.on("POST", "/sources", addresses(&format!("{}/put", stage.api.uri()))).await;
    for answer in answers {
        stage.next("PUT", "/put", answer).await;
    }
    let uploaded = stage.heroku.upload(&token(), archive()).await.map(drop);
    (stage, uploaded)
}

#[tokio::test]
async fn an_upload_is_repeated_once_from_the_start_with_a_new_address() {
    let storage_says = "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>";
    for first in [ResponseTemplate::new(503), ResponseTemplate::new(403).set_body_string(storage_says)] {
        let (stage, uploaded) = upload(vec![first, ResponseTemplate::new(200)]).await;
        assert_eq!(uploaded, Ok(()));
        let seen = stage.seen().await;
        let told: Vec<_> = seen.iter().map(|request| (request.url.path(), request.body.as_slice())).collect();
        assert_eq!(told, [("/sources", &b""[..]), ("/put", b"abcde"), ("/sources", b""), ("/put", b"abcde")]);
        assert_eq!(stage.clock.waits().len(), 1);
    }
    let (stage, uploaded) = upload(vec![ResponseTemplate::new(500), ResponseTemplate::new(500), ResponseTemplate::new(200)]).await;
    assert_eq!(uploaded.unwrap_err().fault, Fault::Unclear);
    assert_eq!(stage.seen().await.len(), 4);
    let (stage, uploaded) = upload(vec![ResponseTemplate::new(413)]).await;
    assert_eq!(uploaded.unwrap_err().fault, Fault::Refused);
    assert_eq!(stage.seen().await.len(), 2);
}

#[tokio::test]
async fn an_address_that_leads_astray_is_not_opened() {
    for put in ["http://storage.example.com/put", "ftp://127.0.0.1/put", "https://a:b@storage.example.com/put", "put"] {
        let stage = Stage::new().await;
        stage.on("POST", "/sources", addresses(put)).await;
        let error = stage.heroku.upload(&token(), archive()).await.unwrap_err();
        assert_eq!(error.fault, Fault::Nonsense);
        assert_eq!(stage.seen().await.len(), 1);
    }
}

#[tokio::test]
async fn a_lost_sign_in_ends_it_before_anything_is_sent() {
    let stage = Stage::new().await;
    stage.on("POST", "/sources", refusal(401, "unauthorized", "Invalid credentials provided.")).await;
    assert_eq!(stage.heroku.upload(&token(), archive()).await.unwrap_err().fault, Fault::SignInLost);
    assert_eq!(stage.seen().await.len(), 1);
}
