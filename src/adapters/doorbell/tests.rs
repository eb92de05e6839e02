//! The bell at a public address at which one stands after the other.

use std::convert::Infallible;
use std::sync::Mutex;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use http_body_util::BodyExt;
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use super::*;
use crate::adapters::secrets::SystemSecrets;
use crate::testing::Arranged;
use crate::testing::doorbell::{Stage, Stands, all};

/// Whoever stands there, and what they have heard.
struct Front {
    stands: Mutex<Stands>,
    ours: Router,
    another: Router,
    asked: Mutex<Vec<String>>,
    answered: Mutex<Bytes>,
}

impl Front {
    async fn answer(&self, request: Request) -> Response {
        self.asked.lock().unwrap().push(request.uri().path().to_owned());
        let stands = *self.stands.lock().unwrap();
        match stands {
            Stands::Us => {
                let (head, body) = self.ours.clone().oneshot(request).await.unwrap().into_parts();
                let body = body.collect().await.unwrap().to_bytes();
                *self.answered.lock().unwrap() = body.clone();
                Response::from_parts(head, body.into())
            }
            Stands::AnotherProcess => self.another.clone().oneshot(request).await.unwrap(),
            Stands::Page(status) => (StatusCode::from_u16(status).unwrap(), "a page").into_response(),
            Stands::Parrot => Response::new(self.answered.lock().unwrap().clone().into()),
            Stands::Silent | Stands::Nobody => std::future::pending().await,
            Stands::Endless => {
                let begin = Ok::<_, Infallible>(Bytes::from_static(b"x"));
                Response::new(Body::from_stream(stream::once(async { begin }).chain(stream::pending())))
            }
        }
    }
}

struct Address {
    bell: Arc<Bell>,
    front: Arc<Front>,
    serving: tokio::task::JoinHandle<()>,
    /// The time that goes by jumps ahead whenever nothing moves.
    jumps: bool,
}

impl Address {
    async fn new() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let at = format!("http://{}", listener.local_addr().unwrap());
        let bell = || Arc::new(Bell::new(BaseUrl::parse(&at).unwrap(), Arc::new(SystemSecrets)).unwrap());
        let ours = bell();
        let front = Arc::new(Front {
            stands: Mutex::new(Stands::Nobody),
            ours: router(Arc::clone(&ours)),
            another: router(bell()),
            asked: Mutex::default(),
            answered: Mutex::default(),
        });
        let answering = Arc::clone(&front);
        let routes = Router::new().fallback(async move |request: Request| answering.answer(request).await);
        let serving = TaskTracker::new().spawn(async move { drop(axum::serve(listener, routes).await) });
        Self { bell: ours, front, serving, jumps: false }
    }
}

impl Drop for Address {
    fn drop(&mut self) {
        self.serving.abort();
        if self.jumps {
            tokio::time::resume();
        }
    }
}

#[async_trait]
impl Stage for Address {
    fn bell(&self) -> Arc<dyn Doorbell> {
        self.bell.clone()
    }

    async fn stands(&mut self, who: Stands) -> Arranged {
        *self.front.stands.lock().unwrap() = who;
        match who {
            Stands::Us | Stands::AnotherProcess | Stands::Page(_) | Stands::Parrot => {}
            Stands::Nobody => {
                self.serving.abort();
                assert!((&mut self.serving).await.unwrap_err().is_cancelled());
            }
            Stands::Silent | Stands::Endless => {
                tokio::time::pause();
                self.jumps = true;
            }
        }
        Arranged::Done
    }

    async fn asked(&mut self) -> Vec<String> {
        self.front.asked.lock().unwrap().clone()
    }

    #[expect(clippy::disallowed_methods, reason = "this time jumps")]
    async fn ten_seconds(&self) {
        tokio::time::sleep(Duration::from_secs(10)).await;
    }
}

#[tokio::test]
async fn it_keeps_the_promises_of_a_doorbell() {
    assert_eq!(all(Address::new).await.parts(), [""; 0]);
}
