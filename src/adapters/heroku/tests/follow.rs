//! Following: what is heard, what is only a reason to look, and what it costs.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::adapters::heroku::streams::Streams;
use crate::domain::names::{BuildId, ReleaseId};
use crate::domain::release::BuildState;
use crate::ports::{Clock, Follower, Heard, Platform, WakeKey};
use crate::sandbox::clock::SteppedClock;

const NOT_THERE: &str = "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
const OVER: &str = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
const OPEN: &str = "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhello\n\r\n";
const RESUMED: &str = "HTTP/1.1 206 Partial Content\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n\0\r\n";
const UNAVAILABLE: &str = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 40\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
const FORBIDDEN: &str = "HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/// A clock that counts the task of the test, which follows, as one of the service.
pub(super) async fn counted() -> Arc<SteppedClock> {
    let clock = SteppedClock::new();
    clock.take_turn(clock.task_began()).await;
    clock
}

/// A stream that is served by hand.
struct Raw {
    api: MockServer,
    streams: TcpListener,
    clock: Arc<SteppedClock>,
    heroku: Heroku,
}

impl Raw {
    async fn new() -> Self {
        let (api, streams) = (MockServer::start().await, TcpListener::bind("127.0.0.1:0").await.unwrap());
        let clock = counted().await;
        let heroku = heroku(&api.uri(), &api.uri(), Arc::<SteppedClock>::clone(&clock));
        let raw = Self { api, streams, clock, heroku };
        raw.told(&format!("http://{}/streams/x?X-Amz-Signature=verysecret", raw.streams.local_addr().unwrap())).await;
        raw
    }

    /// A look tells where the stream is.
    async fn told(&self, address: &str) {
        self.api.reset().await;
        let build = ok(json!({"id": "b1", "status": "pending", "output_stream_url": address}));
        Mock::given(method("GET")).respond_with(build).mount(&self.api).await;
        let build = self.heroku.build(&token(), &app(), &BuildId::parse("b1").unwrap()).await.unwrap();
        assert_eq!(build.state, BuildState::Pending);
    }

    fn follower(&self) -> Box<dyn Follower> {
        self.heroku.follow(&app(), &BuildId::parse("b1").unwrap(), None)
    }

    /// Answers the next who asks; gives back what was asked.
    async fn answers(&self, answer: &str) -> (TcpStream, String) {
        let (mut connection, _) = self.streams.accept().await.unwrap();
        let mut seen = Vec::new();
        while !seen.ends_with(b"\r\n\r\n") {
            connection.read_buf(&mut seen).await.unwrap();
        }
        connection.write_all(answer.as_bytes()).await.unwrap();
        (connection, String::from_utf8(seen).unwrap().to_lowercase())
    }

    /// The same, and the follower has heard the answer.
    async fn answered(&self, answer: &str) -> String {
        let (_, asked) = self.answers(answer).await;
        self.clock.idle().await;
        asked
    }

    /// Waits until the follower has given the stream a rest, lets it pass, and says how long it was.
    async fn rest(&self) -> i64 {
        self.clock.idle().await;
        let until = self.clock.next_deadline().unwrap();
        let rest = until.duration_since(self.clock.now()).as_secs();
        self.clock.advance_to(until);
        rest
    }

    /// The stream is opened.
    async fn begun(&self, follower: &mut dyn Follower, answer: &str) -> (TcpStream, String) {
        let (heard, asked) = tokio::join!(follower.heard(), self.answers(answer));
        assert_eq!(heard, Heard::Begun);
        asked
    }

    /// What is done while nothing is heard.
    async fn unheard<T>(&self, follower: &mut dyn Follower, done: impl Future<Output = T>) -> T {
        tokio::select! {
            biased;
            heard = follower.heard() => panic!("{heard:?}"),
            () = self.clock.wait(WakeKey::Keeper, None) => panic!("nobody woke it"),
            done = done => done,
        }
    }
}

#[tokio::test]
async fn it_is_asked_for_until_it_begins_and_heard_to_its_end() {
    let raw = Raw::new().await;
    let mut follower = raw.follower();
    let serve = async {
        let (_, asked) = raw.answers(NOT_THERE).await;
        assert_eq!(raw.rest().await, 1);
        (asked, raw.answers(OPEN).await)
    };
    let (heard, (first, (mut connection, second))) = tokio::join!(follower.heard(), serve);
    assert_eq!(heard, Heard::Begun);
    for asked in [first, second] {
        assert!(asked.starts_with("get /streams/x?x-amz-signature=verysecret http/1.1"), "{asked}");
        assert!(!asked.contains("authorization") && !asked.contains("range") && !asked.contains("vnd.heroku"), "{asked}");
    }
    let end = async { connection.write_all(b"2\r\n\0\0\r\n3\r\nbye\r\n0\r\n\r\n").await.unwrap() };
    let (heard, ()) = tokio::join!(follower.heard(), end);
    assert_eq!(heard, Heard::Reason);
    // If it is not over after all, it goes on where it was, signs of life not counted.
    let (rest, asked) = raw.unheard(&mut *follower, async { (raw.rest().await, raw.answered(OVER).await) }).await;
    assert_eq!(rest, 15);
    assert!(asked.contains("range: 9-"), "{asked}");
    assert_eq!(raw.unheard(&mut *follower, raw.rest()).await, 30);
    assert!(!format!("{follower:?} {:?}", raw.heroku).contains("verysecret"));
    assert_eq!(raw.api.received_requests().await.unwrap().len(), 1, "it has cost nothing beside the look that told of it");
}

#[tokio::test]
async fn one_that_breaks_is_gone_on_with() {
    let raw = Raw::new().await;
    let mut follower = raw.follower();
    drop(raw.begun(&mut *follower, OPEN).await);
    let serve = async {
        let rest = raw.rest().await;
        (rest, raw.answers(RESUMED).await)
    };
    let (heard, (rest, (connection, asked))) = tokio::join!(follower.heard(), serve);
    assert_eq!((heard, rest), (Heard::Begun, 1));
    assert!(asked.contains("range: 6-"), "{asked}");
    drop(connection);
    // A host that goes back to the beginning is heard from there.
    let serve = async { (raw.rest().await, raw.answers(OPEN).await) };
    let (heard, (rest, (connection, asked))) = tokio::join!(follower.heard(), serve);
    assert_eq!((heard, rest), (Heard::Begun, 2));
    assert!(asked.contains("range: 6-"), "{asked}");
    // Again and again: that is a reason to look, and after a longer rest it is gone on with.
    drop(connection);
    assert_eq!(follower.heard().await, Heard::Reason);
    // That the look tells an address which was signed anew does not shorten the rest.
    raw.told(&format!("http://{}/streams/x?again", raw.streams.local_addr().unwrap())).await;
    let serve = async { (raw.rest().await, raw.answers(RESUMED).await) };
    let (heard, (rest, (_, asked))) = tokio::join!(follower.heard(), serve);
    assert_eq!((heard, rest), (Heard::Begun, 30));
    assert!(asked.starts_with("get /streams/x?again ") && asked.contains("range: 6-"), "{asked}");
}

#[tokio::test]
async fn what_cannot_be_opened_is_left_alone_for_a_while() {
    let raw = Raw::new().await;
    let mut follower = raw.follower();
    drop(raw.unheard(&mut *follower, raw.answered(UNAVAILABLE)).await);
    let mut follower = raw.follower();
    let rests = raw.unheard(&mut *follower, async { [raw.rest().await, (raw.answered(NOT_THERE).await, raw.rest().await).1] });
    assert_eq!(rests.await, [40, 1]);
}

#[tokio::test]
async fn an_address_that_is_not_good_any_more_is_told_anew_by_a_look() {
    let raw = Raw::new().await;
    let mut follower = raw.follower();
    let (heard, _) = tokio::join!(follower.heard(), raw.answers(FORBIDDEN));
    assert_eq!(heard, Heard::Reason);
    raw.told(&format!("http://{}/streams/y", raw.streams.local_addr().unwrap())).await;
    let (_, asked) = raw.begun(&mut *follower, OPEN).await;
    assert!(asked.starts_with("get /streams/y "), "{asked}");
    // What leads astray is not opened, also by a detour; what leads elsewhere is, without anything that is ours.
    let mut follower = raw.follower();
    raw.told("http://build-output.example.com/streams/x").await;
    assert_eq!(raw.unheard(&mut *follower, raw.rest()).await, 120, "it is a reason to look only once");
    let elsewhere = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = format!("http://{}/finished", elsewhere.local_addr().unwrap());
    raw.told(&format!("http://{}/streams/z", raw.streams.local_addr().unwrap())).await;
    let detour = format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    let other = Raw { streams: elsewhere, ..Raw::new().await };
    let serve = async { (raw.answers(&detour).await, other.answers(RESUMED).await).1 };
    let (heard, (_, asked)) = tokio::join!(follower.heard(), serve);
    assert_eq!(heard, Heard::Begun);
    assert!(asked.starts_with("get /finished ") && !asked.contains("authorization"), "{asked}");
}

#[tokio::test]
async fn nothing_is_heard_of_what_nobody_has_told_of() {
    let raw = Raw::new().await;
    let mut follower = raw.heroku.follow(&app(), &BuildId::parse("b1").unwrap(), Some(ReleaseId::parse("r1").unwrap()));
    raw.unheard(&mut *follower, raw.clock.idle()).await;
    assert_eq!(raw.clock.next_deadline(), None);
}

#[tokio::test]
async fn releases_come_before_builds_where_there_is_no_room() {
    let clock = SteppedClock::new();
    let base = BaseUrl::parse("https://api.example.com").unwrap();
    let streams = Streams::new(base, Arc::<SteppedClock>::clone(&clock), 2).unwrap();
    let build = streams.place(false).unwrap();
    let newer = streams.place(false).unwrap();
    assert!(streams.place(false).is_none());
    let woken = clock.wait(newer.key(), None);
    let release = streams.place(true).unwrap();
    woken.await;
    assert_eq!((build.is_evicted(), newer.is_evicted(), release.is_evicted()), (false, true, false));
    let second = streams.place(true).unwrap();
    assert!(build.is_evicted());
    assert!(streams.place(true).is_none(), "one release does not make room for another");
    drop((newer, build, release));
    assert!(streams.place(false).is_some() && !second.is_evicted());
}
