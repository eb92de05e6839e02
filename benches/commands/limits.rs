//! What our service is compared with: a bare server that verifies the signature, and the same with a group-committed append.

use std::convert::Infallible;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::mpsc;

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::load::SECRET;

/// The argument that makes this program one of the two.
pub const MODE: &str = "--limit";

/// A body to append, and whom to tell.
type Append = (Bytes, oneshot::Sender<()>);

/// Serves until it is killed. Says its port first. `-`: appends nothing.
pub fn serve(file: &Path) {
    let appends = (file != Path::new("-")).then(|| {
        let file = OpenOptions::new().create(true).append(true).open(file).unwrap();
        let (appends, given) = mpsc::channel();
        std::thread::spawn(move || append(file, &given));
        appends
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        println!("{}", listener.local_addr().unwrap().port());
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let appends = appends.clone();
            let service = service_fn(move |request| answer(request, appends.clone()));
            tokio::spawn(async move {
                // A client that goes away is no matter.
                drop(http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await);
            });
        }
    });
}

async fn answer(request: Request<Incoming>, appends: Option<mpsc::Sender<Append>>) -> Result<Response<Empty<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let header = |name: &str| head.headers.get(name).map(|value| value.as_bytes().to_vec()).unwrap_or_default();
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    for part in [b"v0:".as_slice(), &header("x-slack-request-timestamp"), b":", &body] {
        mac.update(part);
    }
    let claimed: Vec<u8> = header("x-slack-signature")[3..].chunks(2).map(|two| nibble(two[0]) << 4 | nibble(two[1])).collect();
    let mut response = Response::new(Empty::new());
    if mac.verify_slice(&claimed).is_err() {
        *response.status_mut() = StatusCode::UNAUTHORIZED;
    } else if let Some(appends) = appends {
        let (tell, done) = oneshot::channel();
        appends.send((body, tell)).unwrap();
        done.await.unwrap();
    }
    Ok(response)
}

fn nibble(digit: u8) -> u8 {
    char::from(digit).to_digit(16).unwrap().try_into().unwrap()
}

/// Whatever waits shares one sync.
fn append(mut file: File, given: &mpsc::Receiver<Append>) {
    while let Ok(first) = given.recv() {
        let together: Vec<Append> = std::iter::once(first).chain(given.try_iter()).collect();
        let bytes: Vec<u8> = together.iter().flat_map(|(body, _)| body.iter().copied().chain([b'\n'])).collect();
        file.write_all(&bytes).unwrap();
        file.sync_data().unwrap();
        together.into_iter().for_each(|(_, tell)| tell.send(()).unwrap_or_default());
    }
}
