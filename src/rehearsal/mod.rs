//! The real service in a simulated world: a terminal to type in, the world alone, and scripts that are played.

mod child;
mod in_process;

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use crate::adapters::clock::SystemClock;
use crate::sandbox::company;
use crate::sandbox::script::{Played, Player, Script, compare, update};
use crate::sandbox::terminal;
use crate::sandbox::world::World;

pub use child::Child;
pub use in_process::{Between, InProcess, Killer, Stage};

/// Where the simulated world listens when it is served alone, unless told otherwise: eight ports in a row.
pub const FIRST_PORT: u16 = 9001;

/// The settings with which the service finds the simulated world, as environment variables.
pub fn settings_for(world: &World) -> Vec<(&'static str, String)> {
    let seed = world.slack.seed();
    let (workspace, user) = company::ANA;
    vec![
        ("SLASH_HEROKU_COMMAND", seed.command.clone()),
        ("SLASH_HEROKU_SLACK_SIGNING_SECRET", seed.signing_secret.clone()),
        ("SLASH_HEROKU_SLACK_BOT_TOKEN", seed.bot_token.clone()),
        ("SLASH_HEROKU_SLACK_API", world.slack.api_address().trim_end_matches('/').to_owned()),
        ("SLASH_HEROKU_SLACK_LOOPBACK_RESPONSE_URL", "on".to_owned()),
        ("SLASH_HEROKU_PERSON_WORKSPACE", workspace.to_owned()),
        ("SLASH_HEROKU_PERSON_USER", user.to_owned()),
        ("SLASH_HEROKU_GITHUB_TOKEN", company::GITHUB_TOKEN.to_owned()),
        ("SLASH_HEROKU_GITHUB_API", world.github.api_url()),
        ("SLASH_HEROKU_GITHUB_WEB", world.github.web_url()),
        ("SLASH_HEROKU_HEROKU_TOKEN", company::HEROKU_TOKEN.to_owned()),
        ("SLASH_HEROKU_HEROKU_API", world.heroku.api_url().to_string()),
        ("SLASH_HEROKU_HEROKU_ID", world.heroku.id_url().to_string()),
        ("SLASH_HEROKU_HEROKU_LINKS", world.heroku.link_url().to_string()),
    ]
}

/// Plays a script; an error if it does not go as written.
pub async fn play(file: &Path) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let script = Script::parse(&file.display().to_string(), &text)?;
    let played = play_script(&script).await?;
    let mut out = tokio::io::stdout();
    out.write_all(update(&script, &played).as_bytes()).await?;
    out.flush().await?;
    match compare(&script, &played) {
        None => Ok(()),
        Some(difference) => bail!("it did not go as written:\n{difference}"),
    }
}

/// Plays a script in a world of its own, with the real service over real HTTP on a real store, on a stepped clock.
pub async fn play_script(script: &Script) -> anyhow::Result<Played> {
    let mut stage = Stage::set().await?;
    let mut service = InProcess::new(&stage)?;
    let slack = Arc::clone(&stage.world.slack);
    let mut player = Player::new(Arc::clone(&stage.clock), slack, &mut stage.world, &mut service);
    Ok(player.play(script).await?)
}

/// Serves the simulated world alone until it is interrupted, and says how to point a service at it. As a `child` also until its input
/// ends: whoever started it holds the other end, and is gone then.
pub async fn serve_world(first_port: u16, child: bool) -> anyhow::Result<()> {
    let world = World::start(Arc::new(SystemClock::default()), first_port).await?;
    let mut out = tokio::io::stdout();
    out.write_all(b"# The simulated Slack, GitHub and Heroku are up. Settings for `slash-heroku serve`;\n# with SLASH_HEROKU_CHAT=console as well you type on your own terminal.\n").await?;
    for (name, value) in settings_for(&world) {
        out.write_all(format!("export {name}={value}\n").as_bytes()).await?;
    }
    out.flush().await?;
    let parent_is_gone = async {
        if child {
            // However the input ends, nobody holds it any more.
            drop(tokio::io::copy(&mut tokio::io::stdin(), &mut tokio::io::sink()).await);
        } else {
            std::future::pending().await
        }
    };
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.context("waiting for Ctrl-C failed"),
        () = parent_is_gone => Ok(()),
    }
}

/// An address on this machine that nobody listens at right now. It has to be free again after a kill: systems give ports to whoever
/// connects from 32768 on, and two sandboxes at the same time begin to look at different places.
async fn free_address() -> std::io::Result<SocketAddr> {
    let mut failed = None;
    for place in 0..50_u32 {
        let port = 9010 + std::process::id().wrapping_add(place) % 20_000;
        match TcpListener::bind(("127.0.0.1", u16::try_from(port).unwrap_or(FIRST_PORT))).await {
            Ok(listener) => return listener.local_addr(),
            Err(error) => failed = Some(error),
        }
    }
    Err(failed.unwrap_or_else(|| std::io::Error::from(std::io::ErrorKind::AddrInUse)))
}

/// Opens a terminal chat in a simulated world, with the real service as a child process.
///
/// Where people sign in, their browsers have to reach the service: it listens at one port in all its lives.
pub async fn terminal(store: Option<PathBuf>, sign_in: bool) -> anyhow::Result<()> {
    let kept;
    let folder = match store {
        Some(folder) => folder,
        None => {
            kept = tempfile::Builder::new().prefix("slash-heroku-sandbox-").tempdir().context("no folder for the store")?;
            kept.path().to_owned()
        }
    };
    let world = World::start(Arc::new(SystemClock::default()), 0).await?;
    let mut out = tokio::io::stdout();
    out.write_all(format!("The store is {}.\n", folder.display()).as_bytes()).await?;
    out.flush().await?;
    let mut settings = settings_for(&world);
    if sign_in {
        let address = free_address().await.context("no port is free")?;
        let public = format!("http://{address}");
        company::people_come_back_to(&world, &public).map_err(anyhow::Error::msg)?;
        settings.extend(company::sign_in_settings(company::GITHUB_APP));
        settings.extend([("SLASH_HEROKU_PUBLIC_URL", public), ("SLASH_HEROKU_LISTEN", address.to_string())]);
    }
    let mut service = Child::new(settings, &folder)?;
    crate::sandbox::script::Service::start(&mut service).await.context("the service did not start")?;
    let screen = terminal::Screen { output: out, interactive: std::io::stdout().is_terminal() };
    let talked = tokio::select! {
        talked = terminal::run(&world.slack, &mut service, BufReader::new(tokio::io::stdin()), screen) => talked,
        // So that the service and the folder do not outlive this.
        interrupted = tokio::signal::ctrl_c() => interrupted,
    };
    crate::sandbox::script::Service::stop(&mut service).await?;
    Ok(talked?)
}
