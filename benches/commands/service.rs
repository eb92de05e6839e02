//! The processes that are measured, and a Slack to which answers are said.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::limits;
use crate::load::{SECRET, Sender, acknowledged};

/// The program, as it is shipped.
const PROGRAM: &str = env!("CARGO_BIN_EXE_slash-heroku");
/// How it is run by systemd.
const UNIT: &str = include_str!("../../packaging/slash-heroku.service");
/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long Slack takes to answer a call.
const SLACK_TAKES: Duration = Duration::from_millis(100);
/// How often a state is looked at.
const GLANCE: Duration = Duration::from_micros(250);

/// Takes answers, and says `ok` as late as the real one.
#[derive(Debug)]
pub struct Slack {
    address: SocketAddr,
}

impl Slack {
    /// Starts it on a thread of its own, until the program ends.
    pub async fn start() -> Self {
        let (tell, address) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    tokio::spawn(hear(stream));
                }
            });
        });
        Self { address: address.await.unwrap() }
    }

    /// Where answers go.
    pub fn reply_url(&self) -> String {
        format!("http://{}/commands/T0BENCH/1/x", self.address)
    }
}

/// Answers each request when its body is there.
async fn hear(mut stream: TcpStream) {
    let mut heard = Vec::new();
    let mut more = [0; 16 * 1024];
    loop {
        while let Some(length) = whole(&heard) {
            heard.drain(..length);
            tokio::time::sleep(SLACK_TAKES).await;
            if stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.is_err() {
                return;
            }
        }
        match stream.read(&mut more).await {
            Ok(0) | Err(_) => return,
            Ok(read) => heard.extend_from_slice(&more[..read]),
        }
    }
}

/// The length of the first request, once it is whole.
fn whole(heard: &[u8]) -> Option<usize> {
    let head = heard.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&heard[..head]).to_ascii_lowercase();
    let body: usize = text.lines().find_map(|line| line.strip_prefix("content-length:")).map_or(0, |length| length.trim().parse().unwrap());
    (heard.len() >= head + body).then_some(head + body)
}

/// What the packages set for the C library: it is measured as it is run.
fn packaged() -> impl Iterator<Item = (&'static str, &'static str)> {
    let lines = UNIT.lines().filter_map(|line| line.strip_prefix("Environment="));
    let settings = lines.flat_map(str::split_whitespace).filter(|one| one.starts_with("MALLOC_"));
    settings.map(|one| one.split_once('=').unwrap())
}

/// A process that is measured.
#[derive(Debug)]
pub struct Process {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// From its start until it acknowledged a command.
    pub first_acknowledgement: Duration,
}

impl Process {
    /// Starts the service on a store, and waits for its first acknowledgement.
    pub async fn start(store: &Path, slack: &Slack) -> Self {
        let free = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let mut command = Command::new(PROGRAM);
        let outside = format!("http://{}", slack.address);
        let settings = [
            ("SLASH_HEROKU_LISTEN", address.to_string()),
            ("SLASH_HEROKU_STORE", store.display().to_string()),
            ("SLASH_HEROKU_SLACK_SIGNING_SECRET", SECRET.to_owned()),
            ("SLASH_HEROKU_SLACK_BOT_TOKEN", "xoxb-bench".to_owned()),
            ("SLASH_HEROKU_SLACK_API", outside.clone()),
            ("SLASH_HEROKU_SLACK_LOOPBACK_RESPONSE_URL", "on".to_owned()),
            ("SLASH_HEROKU_PERSON_WORKSPACE", "T0BENCH".to_owned()),
            ("SLASH_HEROKU_PERSON_USER", "U0BENCH".to_owned()),
            ("SLASH_HEROKU_GITHUB_TOKEN", "bench".to_owned()),
            ("SLASH_HEROKU_GITHUB_API", outside.clone()),
            ("SLASH_HEROKU_HEROKU_TOKEN", "bench".to_owned()),
            ("SLASH_HEROKU_HEROKU_API", outside),
        ];
        command.env_clear().envs(packaged()).envs(settings).arg("serve").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let request = Sender::new(slack).request();
        let begun = Instant::now();
        let mut child = command.spawn().unwrap();
        let mut stream = loop {
            match TcpStream::connect(address).await {
                Ok(stream) => break stream,
                Err(_) => tokio::time::sleep(GLANCE).await,
            }
            assert!(begun.elapsed() < PATIENCE && child.try_wait().unwrap().is_none(), "the service did not start");
        };
        stream.write_all(&request).await.unwrap();
        acknowledged(&mut stream).await;
        Self { child, address, first_acknowledgement: begun.elapsed() }
    }

    /// Starts one of the servers that it is compared with.
    pub fn limit(file: &str) -> Self {
        let begun = Instant::now();
        let mut command = Command::new(std::env::current_exe().unwrap());
        let mut child = command.args([limits::MODE, file]).stdout(Stdio::piped()).spawn().unwrap();
        let mut port = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], port.trim().parse().unwrap()));
        Self { child, address, first_acknowledgement: begun.elapsed() }
    }

    fn status(&self, line: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let kib = status.lines().find_map(|text| text.strip_prefix(line)).and_then(|rest| rest.split_whitespace().next()).unwrap();
        kib.parse::<u64>().unwrap() * 1024
    }

    /// What it holds in memory, in bytes.
    pub fn memory(&self) -> u64 {
        self.status("VmRSS:")
    }

    /// The most that it held.
    pub fn most_memory(&self) -> u64 {
        self.status("VmHWM:")
    }

    /// Stops it, or lets it go on: what is not being measured takes no time from what is.
    pub fn pause(&self, paused: bool) {
        self.signal(if paused { "-STOP" } else { "-CONT" });
    }

    fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap().success());
    }

    /// Ends it in its own way.
    pub fn stop(mut self) {
        self.pause(false);
        self.signal("-TERM");
        self.child.wait().unwrap();
    }
}
