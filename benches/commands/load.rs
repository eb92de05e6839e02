//! The load: signed commands over connections that stay open, each sent when the one before it is acknowledged.

use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::service::Slack;

/// What requests are signed with.
pub const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";

/// What one measurement found.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// Acknowledged commands per second.
    pub rate: f64,
    /// Half of them took no longer.
    pub p50: Duration,
    /// Of a hundred, 99 took no longer.
    pub p99: Duration,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>7.0}/s  p50 {:>9.3?}  p99 {:>9.3?}", self.rate, self.p50, self.p99)
    }
}

/// The middle one.
pub fn median<T: Copy + PartialOrd>(values: &[T]) -> T {
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| a.partial_cmp(b).expect("figures can be compared"));
    sorted[sorted.len() / 2]
}

/// Sends commands, each with a delivery id of its own.
#[derive(Debug)]
pub struct Sender {
    reply: String,
    sent: u64,
}

impl Sender {
    /// Answers go to this Slack.
    pub fn new(slack: &Slack) -> Self {
        let origin = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let reply: String = form_urlencoded::byte_serialize(slack.reply_url().as_bytes()).collect();
        // Delivery ids of an earlier run on the same store would be repeated deliveries.
        Self { reply, sent: u64::try_from(origin.as_millis()).unwrap() * 1_000_000 }
    }

    /// A signed command.
    pub fn request(&mut self) -> Vec<u8> {
        self.sent += 1;
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let body = format!(
            "token=x&team_id=T0BENCH&team_domain=acme&channel_id=C0BENCH&channel_name=ship&user_id=U0BENCH&user_name=ana&command=%2Fh&text=help\
             &api_app_id=A0BENCH&response_url={}&trigger_id={}.bench",
            self.reply, self.sent
        );
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
        mac.update(format!("v0:{now}:").as_bytes());
        mac.update(body.as_bytes());
        let signature: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        format!(
            "POST /slack/commands HTTP/1.1\r\nhost: bench\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\
             x-slack-request-timestamp: {now}\r\nx-slack-signature: v0={signature}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes()
    }

    /// Keeps so many connections busy for a while.
    pub async fn load(&mut self, address: SocketAddr, connections: usize, warming: Duration, measured: Duration) -> Figures {
        let sender = std::cell::RefCell::new(self);
        let begin = Instant::now() + warming;
        let end = begin + measured;
        let busy = (0..connections).map(|_| async {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.set_nodelay(true).unwrap();
            let mut times = Vec::new();
            loop {
                let request = sender.borrow_mut().request();
                let sent = Instant::now();
                if sent >= end {
                    return times;
                }
                stream.write_all(&request).await.unwrap();
                acknowledged(&mut stream).await;
                // By its end, so that one that took long counts as well.
                let acknowledged = Instant::now();
                if acknowledged >= begin {
                    times.push((sent.elapsed(), acknowledged < end));
                }
            }
        });
        let mut times: Vec<(Duration, bool)> = join_all(busy).await.concat();
        times.sort_unstable();
        let at = |hundredths: usize| times[(times.len() - 1) * hundredths / 100].0;
        let in_time = times.iter().filter(|(_, in_time)| *in_time).count();
        Figures { rate: in_time as f64 / measured.as_secs_f64(), p50: at(50), p99: at(99) }
    }
}

/// Reads one acknowledgement, which has an empty body.
pub async fn acknowledged(stream: &mut TcpStream) {
    let mut answer = [0; 2048];
    let mut read = 0;
    while !answer[..read].ends_with(b"\r\n\r\n") {
        let more = stream.read(&mut answer[read..]).await.unwrap();
        assert!(more > 0, "closed after {}", String::from_utf8_lossy(&answer[..read]));
        read += more;
    }
    assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"), "{}", String::from_utf8_lossy(&answer[..read]));
}
