//! The threads behind the door: they step back for the one that takes commands in.

use anyhow::Context;
use tokio::runtime::{Builder, Handle, Runtime};

use crate::adapters::background;

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
        let runtime = builder.enable_all().thread_name("worker").on_thread_start(background::step_back).build().context("no threads")?;
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
