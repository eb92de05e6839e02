//! The service as a child process, so that it can be killed as a machine kills it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{ChildStderr, Command};
use tokio_util::task::TaskTracker;

use crate::sandbox::script::Service;
use crate::sandbox::slack::ServiceAddress;

/// What the service logs once it listens, with its address: the line that the parent waits for.
const SERVING: &str = "serving";
/// How long a start may take.
const START: Duration = Duration::from_secs(30);
/// How long a tidy stop may take: longer than a service drains unless told otherwise. Then it is killed.
const STOP: Duration = Duration::from_secs(30);

/// The readers of children's logs.
static LOGS: LazyLock<TaskTracker> = LazyLock::new(TaskTracker::new);

/// The service as a child process. It inherits no variable, and stops when its parent is gone.
#[derive(Debug)]
pub struct Child {
    program: PathBuf,
    arguments: Vec<OsString>,
    variables: Vec<(&'static str, String)>,
    store: PathBuf,
    address: ServiceAddress,
    running: Option<tokio::process::Child>,
    log: Option<Arc<Mutex<Vec<String>>>>,
}

impl Child {
    /// A child of this very program that will serve with `settings` on `store`.
    pub fn new(settings: Vec<(&'static str, String)>, store: &Path) -> std::io::Result<Self> {
        Ok(Self::of(std::env::current_exe()?, settings, store))
    }

    /// A child of another program: a test's, which is not the program itself.
    pub fn of(program: PathBuf, settings: Vec<(&'static str, String)>, store: &Path) -> Self {
        Self {
            program,
            arguments: vec!["serve".into(), "--child".into()],
            variables: settings,
            store: store.to_owned(),
            address: ServiceAddress::new("http://127.0.0.1:9"),
            running: None,
            log: None,
        }
    }

    /// Other arguments, for a program that serves under another name.
    #[must_use]
    pub fn with_arguments(self, arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        Self { arguments: arguments.into_iter().map(Into::into).collect(), ..self }
    }

    /// Keeps all that is logged, for [`Child::logged`].
    #[must_use]
    pub fn keeping_its_log(self) -> Self {
        Self { log: Some(Arc::default()), ..self }
    }

    /// What was logged in all lives so far, if that is kept. The end of a life comes a little after its end.
    pub fn logged(&self) -> Vec<String> {
        self.log.as_ref().map(|log| log.lock().unwrap_or_else(PoisonError::into_inner).clone()).unwrap_or_default()
    }

    /// Asks for a tidy end, and does not wait for it.
    pub async fn tell_to_stop(&self) -> std::io::Result<()> {
        let Some(id) = self.process() else { return Ok(()) };
        // The standard library can only kill hard; a polite end goes through a word that every shell knows by itself.
        let told = Command::new("/bin/sh").arg("-c").arg("kill -TERM \"$0\"").arg(id.to_string()).status().await?;
        if told.success() { Ok(()) } else { Err(std::io::Error::other("the service could not be told to stop")) }
    }

    /// The number of its process, while it runs.
    pub fn process(&self) -> Option<u32> {
        self.running.as_ref().and_then(tokio::process::Child::id)
    }

    /// Waits for the end and says how it ended; `None`: it does not run. After a while it is killed, which is an error.
    pub async fn ended(&mut self) -> std::io::Result<Option<ExitStatus>> {
        let Some(mut child) = self.running.take() else { return Ok(None) };
        // Waiting would close the input, which is a word to stop as well: said twice, it ends at once and leaves things lying.
        let _input = child.stdin.take();
        if let Ok(ended) = tokio::time::timeout(STOP, child.wait()).await {
            return ended.map(Some);
        }
        child.kill().await?;
        Err(std::io::Error::other("the service did not end in time and was killed"))
    }

    /// Returns where it listens.
    async fn wait_until_it_serves(log: ChildStderr, kept: Option<Arc<Mutex<Vec<String>>>>) -> std::io::Result<ServiceAddress> {
        let keep = move |line: &str| {
            if let Some(kept) = &kept {
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(line.to_owned());
            }
        };
        let mut lines = BufReader::new(log).lines();
        let mut last = String::new();
        let address = loop {
            let Some(line) = lines.next_line().await? else {
                return Err(std::io::Error::other(format!("the service ended before it served: {last}")));
            };
            keep(&line);
            match serving_at(&line) {
                Some(address) => break address,
                None => last = line,
            }
        };
        // Its log has to be read on, or it would block when the pipe is full. The task ends with the child.
        LOGS.spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                tracing::debug!(target: "slash_heroku::child", "{line}");
                keep(&line);
            }
        });
        Ok(address)
    }
}

/// The address in the line that says that the service serves.
fn serving_at(line: &str) -> Option<ServiceAddress> {
    let event: Value = serde_json::from_str(line).ok()?;
    let text = |name: &str| event.get(name).and_then(Value::as_str);
    let address = text("address").filter(|_| text("message") == Some(SERVING))?;
    Some(ServiceAddress::new(&format!("http://{address}")))
}

#[async_trait]
impl Service for Child {
    async fn start(&mut self) -> std::io::Result<()> {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .env_clear()
            .env("SLASH_HEROKU_LOG_FORMAT", "json")
            // The system picks the port anew in each life: one that was picked before could be taken by now.
            .env("SLASH_HEROKU_LISTEN", "127.0.0.1:0")
            .env("SLASH_HEROKU_STORE", &self.store)
            .envs(self.variables.iter().map(|(name, value)| (*name, value.as_str())))
            // Never written to: its end tells the child that the parent is gone, however that went.
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // A terminal's Ctrl-C is for the parent, which then stops this one tidily.
            .process_group(0)
            .kill_on_drop(true);
        let child = self.running.insert(command.spawn()?);
        let log = child.stderr.take().ok_or_else(|| std::io::Error::other("the service has no log"))?;
        let serves = tokio::time::timeout(START, Self::wait_until_it_serves(log, self.log.clone()));
        self.address = serves.await.map_err(|_| std::io::Error::other("the service did not say that it serves"))??;
        Ok(())
    }

    fn address(&self) -> ServiceAddress {
        self.address.clone()
    }

    async fn stop(&mut self) -> std::io::Result<()> {
        self.tell_to_stop().await?;
        self.ended().await.map(drop)
    }

    async fn crash(&mut self) -> std::io::Result<()> {
        let Some(mut child) = self.running.take() else { return Ok(()) };
        child.kill().await
    }
}
