//! What the subcommands do.

use std::path::{Path, PathBuf};

use crate::config::Settings;

/// What the sandbox shall do.
#[derive(Clone, Debug, Default)]
pub struct SandboxOptions {
    /// The script to play; `None`: a terminal.
    pub file: Option<PathBuf>,
    /// The simulated world alone.
    pub serve_only: bool,
    /// The store's folder; `None`: a fresh one.
    pub store: Option<PathBuf>,
}

/// Why a subcommand did not do it.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It cannot be done yet.
    #[error("not wired yet")]
    NotWired,
}

/// Serves until it is told to stop.
pub async fn serve(_settings: Settings) -> Result<(), RunError> {
    Err(RunError::NotWired)
}

/// Runs the sandbox. A script that does not go as written is an error.
pub async fn sandbox(_options: SandboxOptions) -> Result<(), RunError> {
    Err(RunError::NotWired)
}

/// The chat's description of this app, for setting it up there.
pub fn manifest(_command: &str, _public: &url::Url) -> Result<String, RunError> {
    Err(RunError::NotWired)
}

/// Copies the store in `folder` into `file`.
pub async fn backup(_folder: &Path, _file: &Path) -> Result<(), RunError> {
    Err(RunError::NotWired)
}

/// Fills the empty `folder` from `file`.
pub async fn restore(_folder: &Path, _file: &Path) -> Result<(), RunError> {
    Err(RunError::NotWired)
}
