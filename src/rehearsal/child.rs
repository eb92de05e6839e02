//! The service as a child process, so that it can be killed as a machine kills it.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::sandbox::script::Service;
use crate::sandbox::slack::ServiceAddress;

/// What the service logs once it listens; the line that the parent waits for.
const SERVING: &str = "\"serving\"";
/// How long a start may take.
const START: Duration = Duration::from_secs(30);

/// The service as a child process.
#[derive(Debug)]
pub struct Child {
    program: PathBuf,
    settings: Vec<(&'static str, String)>,
    store: PathBuf,
    address: SocketAddr,
    running: Option<tokio::process::Child>,
}

impl Child {
    /// A child of this very program that will serve with `settings` on `store`.
    pub fn new(settings: Vec<(&'static str, String)>, store: &Path) -> std::io::Result<Self> {
        Self::of(std::env::current_exe()?, settings, store)
    }

    /// A child of another program: a test's, which is not the program itself.
    pub fn of(program: PathBuf, settings: Vec<(&'static str, String)>, store: &Path) -> std::io::Result<Self> {
        // The port is chosen once, so that the world finds the service again after a crash.
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        Ok(Self { program, settings, store: store.to_owned(), address, running: None })
    }

    async fn wait_until_it_serves(&mut self) -> std::io::Result<()> {
        let Some(log) = self.running.as_mut().and_then(|child| child.stderr.take()) else {
            return Err(std::io::Error::other("the service has no log"));
        };
        let mut lines = BufReader::new(log).lines();
        let mut last = String::new();
        loop {
            match lines.next_line().await? {
                Some(line) if line.contains(SERVING) => break,
                Some(line) => last = line,
                None => return Err(std::io::Error::other(format!("the service ended before it served: {last}"))),
            }
        }
        // Its log has to be read on, or it would block when the pipe is full. The task ends with the child.
        LOGS.spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                tracing::debug!(target: "slash_heroku::child", "{line}");
            }
        });
        Ok(())
    }
}

/// The readers of children's logs.
static LOGS: std::sync::LazyLock<tokio_util::task::TaskTracker> = std::sync::LazyLock::new(tokio_util::task::TaskTracker::new);

#[async_trait]
impl Service for Child {
    async fn start(&mut self) -> std::io::Result<()> {
        let mut command = Command::new(&self.program);
        command
            .arg("serve")
            .env_clear()
            .envs(self.settings.iter().map(|(name, value)| (*name, value.as_str())))
            .env("SLASH_HEROKU_STORE", &self.store)
            .env("SLASH_HEROKU_LISTEN", self.address.to_string())
            .env("SLASH_HEROKU_LOG_FORMAT", "json")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        self.running = Some(command.spawn()?);
        tokio::time::timeout(START, self.wait_until_it_serves())
            .await
            .map_err(|_| std::io::Error::other("the service did not say that it serves"))?
    }

    fn address(&self) -> ServiceAddress {
        ServiceAddress::new(&format!("http://{}", self.address))
    }

    async fn stop(&mut self) -> std::io::Result<()> {
        let Some(mut child) = self.running.take() else { return Ok(()) };
        if let Some(id) = child.id() {
            // The standard library can only kill hard; a polite end goes through the system's own command.
            Command::new("kill").arg("-TERM").arg(id.to_string()).status().await?;
        }
        child.wait().await.map(drop)
    }

    async fn crash(&mut self) -> std::io::Result<()> {
        let Some(mut child) = self.running.take() else { return Ok(()) };
        child.kill().await
    }
}
