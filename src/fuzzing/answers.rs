//! A host on loopback that answers whatever it is told to, byte for byte.
//!
//! An input is a byte that picks a call, and the answers that the host gives in turn, each behind a [`BETWEEN`]: status and
//! headers line by line, an empty line, the body. The last answer is given to all further requests. `{self}` stands for the
//! host's address and `{token}` for the token that it is asked with.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};

use crate::adapters::http::base_url::BaseUrl;
use crate::ports::{Clock, PortError, WakeKey};

/// What stands before each answer.
pub(super) const BETWEEN: u8 = 0x1e;

/// The token with which the host is asked.
pub(super) const TOKEN: &str = "gho_16C7e42F292c6912E7710c838347Ae178B4a";

/// So often nobody asks in one call.
const STORM: usize = 5000;

/// The most that is read of a request.
const LONGEST: usize = 1 << 20;

/// A clock that a pause moves to its end.
#[derive(Debug)]
pub(super) struct Jumping(Mutex<Timestamp>);

impl Jumping {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(beginning())))
    }

    pub(super) fn begin_again(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = beginning();
    }
}

fn beginning() -> Timestamp {
    Timestamp::from_second(1_795_687_200).unwrap_or_default()
}

#[async_trait]
impl Clock for Jumping {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn wait(&self, _: WakeKey, until: Option<Timestamp>) {
        if let Some(until) = until {
            self.pause_until(until).await;
        }
    }

    fn wake(&self, _: WakeKey) {}

    async fn pause_until(&self, until: Timestamp) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now = until.max(*now);
    }
}

pub(super) fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap_or_else(|error| std::panic::panic_any(error.to_string()))
}

/// An adapter, the host that answers it, and the clock that both live by.
pub(super) struct Stage<A, C> {
    runtime: Runtime,
    pub(super) host: Host,
    pub(super) adapter: A,
    pub(super) clock: Arc<C>,
}

impl<A, C> Stage<A, C> {
    /// Sets one. `adapter` makes the adapter of a host at this address.
    pub(super) fn set<E: ToString>(clock: Arc<C>, adapter: impl FnOnce(BaseUrl, Arc<C>) -> Result<A, E>) -> Self {
        let made = || -> Result<Self, String> {
            let runtime = runtime();
            let host = runtime.block_on(Host::open()).map_err(|error| error.to_string())?;
            let base = BaseUrl::parse(host.address()).map_err(|error| error.to_string())?;
            let adapter = adapter(base, Arc::clone(&clock)).map_err(|error| error.to_string())?;
            Ok(Self { runtime, host, adapter, clock })
        };
        made().unwrap_or_else(|error| std::panic::panic_any(error))
    }

    /// Answers while `call` runs, and returns what came of it.
    pub(super) fn answering<T>(&self, answers: &[u8], call: impl Future<Output = T>) -> T {
        self.runtime.block_on(self.host.while_answering(answers, call))
    }
}

/// A value from its JSON.
pub(super) fn of<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap_or_else(|error| std::panic::panic_any(error.to_string()))
}

/// What holds of every outcome of a call.
pub(super) fn judged<T>(outcome: &Result<T, PortError>) {
    outcome.as_ref().err().into_iter().for_each(|error| tells_no_token(error, &error.to_string()));
}

/// The host.
pub(super) struct Host {
    listener: TcpListener,
    address: String,
    /// What it was asked while the present call runs, and how many bytes of bodies it had sent by then.
    asked: Mutex<Vec<Asked>>,
}

/// A request as it came.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) text: String,
    /// How much was sent in all answers before.
    pub(super) sent_before: usize,
}

impl Host {
    /// Opens a port.
    pub(super) async fn open() -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = format!("http://{}", listener.local_addr()?);
        Ok(Self { listener, address, asked: Mutex::default() })
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// What was asked in the last call.
    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Answers while `call` runs, and returns what came of it.
    pub(super) async fn while_answering<T>(&self, input: &[u8], call: impl Future<Output = T>) -> T {
        let answers: Vec<Vec<u8>> = input.split(|byte| *byte == BETWEEN).skip(1).map(|answer| self.filled(answer)).collect();
        let mut sent = 0_usize;
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let serving = async {
            let mut answers = answers.iter();
            let mut last: &[u8] = b"HTTP/1.1 500 x\r\n\r\n";
            loop {
                if let Ok((stream, _)) = self.listener.accept().await {
                    last = answers.next().map_or(last, Vec::as_slice);
                    // Whoever asked may have gone away meanwhile.
                    let text = answer(stream, last).await.unwrap_or_default();
                    let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
                    asked.push(Asked { text, sent_before: sent });
                    assert!(asked.len() < STORM, "the host is stormed");
                    sent = sent.saturating_add(last.len());
                }
            }
        };
        tokio::select! {
            biased;
            done = call => done,
            () = serving => std::panic::panic_any("the host stopped serving"),
        }
    }

    /// An answer as it goes over the wire. It never leads away from this machine.
    fn filled(&self, answer: &[u8]) -> Vec<u8> {
        let empty = |at: &usize| answer.get(*at..).is_some_and(|rest| rest.starts_with(b"\n\n"));
        let end = (0..answer.len()).find(empty).unwrap_or(answer.len());
        let (head, body) = answer.split_at_checked(end).unwrap_or((answer, b""));
        let body = body.get(2..).unwrap_or_default();
        let mut wire = b"HTTP/1.1 ".to_vec();
        for (place, line) in head.split(|byte| *byte == b'\n').enumerate() {
            wire.extend(self.local(line));
            wire.extend_from_slice(if place == 0 { b" x\r\n" } else { b"\r\n" });
        }
        wire.extend_from_slice(b"connection: close\r\n\r\n");
        wire.extend(self.local(body));
        wire
    }

    fn local(&self, bytes: &[u8]) -> Vec<u8> {
        [("https:", "httpx:"), ("{self}", &self.address), ("{token}", TOKEN)].iter().fold(bytes.to_vec(), |bytes, (from, to)| {
            let mut out = Vec::with_capacity(bytes.len());
            let mut rest = bytes.as_slice();
            while let Some(byte) = rest.first() {
                if let Some(behind) = rest.strip_prefix(from.as_bytes()) {
                    out.extend_from_slice(to.as_bytes());
                    rest = behind;
                } else {
                    out.push(*byte);
                    rest = rest.get(1..).unwrap_or_default();
                }
            }
            out
        })
    }
}

/// Reads a request to its end and answers it.
async fn answer(mut stream: TcpStream, wire: &[u8]) -> std::io::Result<String> {
    let mut read = Vec::new();
    let mut piece = [0_u8; 4096];
    while !is_whole(&read) && read.len() < LONGEST {
        let length = stream.read(&mut piece).await?;
        if length == 0 {
            return Ok(String::new());
        }
        read.extend_from_slice(piece.get(..length).unwrap_or_default());
    }
    let asked = String::from_utf8_lossy(&read).into_owned();
    // Whoever goes away before the end has asked all the same.
    if stream.write_all(wire).await.is_ok() {
        drop(stream.shutdown().await);
    }
    Ok(asked)
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().filter_map(|line| line.split_once(':')).find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    length.and_then(|(_, length)| length.trim().parse::<usize>().ok()).is_none_or(|length| body.len() >= length)
}

/// No error repeats the token, however it is printed.
pub(super) fn tells_no_token(error: &(impl std::fmt::Debug + ?Sized), displayed: &str) {
    assert!(!format!("{error:?} {displayed}").contains(TOKEN), "an error repeats the token");
}
