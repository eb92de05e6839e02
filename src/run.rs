//! What the subcommands do.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use tokio::io::BufReader;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::adapters::clock::{RandomIds, SystemClock};
use crate::adapters::http::client;
use crate::adapters::http::server::{self, ListenerLimits};
use crate::adapters::slack::manifest::manifest as slack_manifest;
use crate::adapters::sled::{self, AdminSocket, Checked, Filled, Opening, Restoring, SledStore};
use crate::config::Settings;
use crate::domain::privacy::OperatorAsks;
use crate::ports::{Clock, SealedThings};
use crate::rehearsal;
use crate::wiring::{Ground, wire};
use crate::workers::Workers;

/// What the sandbox shall do.
#[derive(Clone, Debug, Default)]
pub struct SandboxOptions {
    /// The script to play; `None`: a terminal.
    pub file: Option<PathBuf>,
    /// The simulated world alone, from this port on.
    pub serve_only_from: Option<u16>,
    /// Whether the simulated world that is served alone ends with its input: it never outlives whoever started it.
    pub child: bool,
    /// In a terminal: people sign in by themselves.
    pub sign_in: bool,
    /// The store's folder; `None`: a fresh one.
    pub store: Option<PathBuf>,
}

/// Serves until it is told to stop, then drains.
pub async fn serve(settings: Settings) -> anyhow::Result<()> {
    serve_by(settings, Arc::new(SystemClock::default()), std::future::pending()).await
}

/// [`serve`] as a child: also until the parent, which holds the other end of the input, is gone.
pub async fn serve_as_child(settings: Settings, clock: Arc<dyn Clock>) -> anyhow::Result<()> {
    serve_by(settings, clock, async {
        let ended = tokio::io::copy(&mut tokio::io::stdin(), &mut tokio::io::sink()).await;
        tracing::info!(clean = ended.is_ok(), "the parent is gone");
    })
    .await
}

/// Serves until it is told to stop or `end` comes.
async fn serve_by(settings: Settings, clock: Arc<dyn Clock>, end: impl Future<Output = ()>) -> anyhow::Result<()> {
    // Both read many files: side by side.
    let prepared = tokio::task::spawn_blocking(client::prepare);
    let store = open(&settings.store, settings.removals.clone()).await?;
    prepared.await.context("the system's certificates could not be read")?;
    let workers = Workers::start()?;
    let ids = Arc::new(RandomIds);
    let ground = Ground {
        clock,
        ids: Arc::<RandomIds>::clone(&ids),
        store: Arc::new(store.clone()),
        accounts: Arc::new(store.clone()),
        installations: Arc::new(store.clone()),
        locks: Arc::new(store.clone()),
        keeping: Arc::new(store.clone()),
        workers: workers.handle(),
        between: None,
        reached_at: None,
    };
    let wired = wire(&settings, ground, Box::new(std::io::stdout()))?;
    let listener = TcpListener::bind(settings.listen).await.with_context(|| format!("could not listen on {}", settings.listen))?;
    // The port is chosen by the system where the setting is port 0.
    let address = listener.local_addr().context("the listener has no address")?;
    let admin = AdminSocket::bind(&store).context("could not open the admin socket in the store's folder")?;
    let linked = wired.service.sign_ins().map(|sign_ins| Arc::new(sign_ins.linked.clone()) as Arc<dyn SealedThings>);
    let bots = wired.service.bots().map(|bots| Arc::new(bots.clone()) as Arc<dyn SealedThings>);
    let admin = admin.resealing(linked.into_iter().chain(bots).collect());
    let (mut terminated, mut interrupted) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);

    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    tasks.spawn(admin.answering(Arc::clone(&wired.operating)).serve(stop.clone()));
    // What comes in meanwhile waits in the listener's backlog.
    wired.service.begin().await.context("what was going on could not be taken up again")?;
    let limits = ListenerLimits { drain: settings.drain / 2, ..ListenerLimits::default() };
    let http = tasks.spawn(server::serve(listener, wired.routes, limits, stop.clone()));
    tracing::info!(%address, store = %settings.store.display(), "serving");

    let typed = async {
        let Some(console) = &wired.console else { return std::future::pending().await };
        console.run(BufReader::new(tokio::io::stdin()), &wired.service, ids.as_ref(), &stop).await
    };
    let failure: Option<String> = tokio::select! {
        _ = terminated.recv() => None,
        _ = interrupted.recv() => None,
        () = end => None,
        reason = wired.service.failed() => Some(reason),
        reason = store.failed() => Some(reason),
        ended = http => Some(match ended {
            Ok(Ok(())) => "the listener stopped".to_owned(),
            Ok(Err(error)) => format!("the listener stopped: {error}"),
            Err(error) => format!("the listener stopped: {error}"),
        }),
        ended = typed => ended.err().map(|error| format!("the terminal cannot be read: {error}")),
    };
    tracing::info!(seconds = settings.drain.as_secs(), "draining");
    stop.cancel();
    tasks.close();
    let drained = async {
        wired.service.drain().await;
        tasks.wait().await;
        store.close().await;
    };
    let at_rest = tokio::select! {
        drained = tokio::time::timeout(settings.drain, drained) => drained.is_ok(),
        // Told twice: at once.
        _ = terminated.recv() => false,
        _ = interrupted.recv() => false,
    };
    if !at_rest {
        tracing::warn!("ending before everything has come to a rest; the next start goes on from the records");
    }
    // What failed during the drain was not recorded: whoever started this has to know as well.
    match failure.or_else(|| wired.service.failure()) {
        None => Ok(()),
        Some(reason) => bail!("the service had to end: {reason}"),
    }
}

/// Opens a store off the runtime's threads: it reads everything, and may wait for another process to let go.
pub(crate) async fn open(folder: &Path, removals: Option<PathBuf>) -> anyhow::Result<SledStore> {
    let (folder, opening) = (folder.to_owned(), Opening { removals, ..Opening::default() });
    let opened =
        tokio::task::spawn_blocking(move || SledStore::open_with(&folder, opening)).await.context("opening the store was cut off")?;
    Ok(opened?)
}

/// Runs the sandbox. A script that does not go as written is an error.
pub async fn sandbox(options: SandboxOptions) -> anyhow::Result<()> {
    match options {
        SandboxOptions { file: Some(file), .. } => rehearsal::play(&file).await,
        SandboxOptions { serve_only_from: Some(first_port), child, .. } => rehearsal::serve_world(first_port, child).await,
        SandboxOptions { store, sign_in, .. } => rehearsal::terminal(store, sign_in).await,
    }
}

/// The chat's description of this app, for setting it up there.
pub fn manifest(command: &str, public: &url::Url) -> anyhow::Result<String> {
    if public.scheme() != "https" {
        bail!("the chat reaches this service over https only: {public} is not");
    }
    Ok(serde_json::to_string_pretty(&slack_manifest(public, command))?)
}

/// Copies the store in `folder` into `file`.
pub async fn backup(folder: &Path, file: &Path, asks: &OperatorAsks) -> anyhow::Result<()> {
    Ok(sled::backup(folder, file, asks).await?)
}

/// Has the running service seal everything again with its newest key; gives what it says.
pub async fn rotate_keys(folder: &Path) -> anyhow::Result<String> {
    Ok(sled::rotate_keys(folder).await?)
}

/// Asks the service that runs on `folder` about people.
pub async fn privacy(folder: &Path, asks: &OperatorAsks) -> anyhow::Result<String> {
    Ok(sled::ask(folder, asks).await?)
}

/// Reads everything in `folder` and compares it with what was written.
pub fn check_store(folder: &Path) -> anyhow::Result<Checked> {
    Ok(SledStore::check(folder)?)
}

/// Fills the empty `folder` from `file`, without those who were removed since that was made. Says what has to be known of it.
pub async fn restore(folder: &Path, file: &Path, removals: Option<PathBuf>, however_old: bool) -> anyhow::Result<String> {
    let how = Restoring { removals, however_old, now: SystemClock::default().now() };
    let Filled { made, removals_unknown } = sled::restore_with(folder, file, how).await?;
    let since = made.map_or_else(|| "that does not say when it was made".to_owned(), |made| format!("made at {made}"));
    let Some(removals) = removals_unknown else {
        return Ok(format!("Restored from a backup {since}, without whoever was removed since.\n"));
    };
    let file = removals.display();
    Ok(format!(
        "Restored from a backup {since}.\nNobody knows here who was removed since: there is no file {file}. Whoever was removed after the \
         backup was made is in the store again, and so is every workspace that the app was removed from.\nWhere that file is kept elsewhere, put it \
         there, empty the store's folder and restore again. Otherwise have those people removed again before others use the service: \
         slash-heroku privacy delete.\n"
    ))
}
