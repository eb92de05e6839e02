//! The threads behind the door: they step back for the one that takes commands in.

use anyhow::Context;
use tokio::runtime::{Builder, Handle, Runtime};

/// How far they step back, in steps of the scheduler (`nice`; 0 is where everybody begins, 19 is last). Slack waits three seconds for
/// an acknowledgement and half an hour for an answer.
const BACK: i32 = 10;

/// The threads, until this is dropped. What runs on them then ends where it waits.
#[derive(Debug)]
pub struct Workers {
    handle: Handle,
    /// Taken when this is dropped.
    runtime: Option<Runtime>,
}

impl Workers {
    /// Starts them, one for each processor.
    pub fn start() -> anyhow::Result<Self> {
        let mut builder = Builder::new_multi_thread();
        let runtime = builder.enable_all().thread_name("worker").on_thread_start(step_back).build().context("no threads")?;
        Ok(Self { handle: runtime.handle().clone(), runtime: Some(runtime) })
    }

    /// What runs something on them.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        // It is dropped on a thread that must not wait.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// On Linux this is about the thread that asks, and no other.
fn step_back() {
    if let Err(error) = rustix::process::nice(BACK) {
        tracing::debug!(%error, "a thread could not step back");
    }
}
