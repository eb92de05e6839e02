//! The subcommands: what was asked for, done, and how it ended, as an exit code.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};

use crate::adapters::clock::SystemClock;
use crate::config::{self, Faults, LogSettings, Variables, show};
use crate::domain::actor::Person;
use crate::domain::names::{UserId, WorkspaceId};
use crate::domain::privacy::{OperatorAsks, Wanted};
use crate::logging;
use crate::rehearsal;
use crate::run::{self, SandboxOptions};

const EXAMPLES: &str = "\
Examples:
  slash-heroku sandbox                         try it: a simulated Slack, GitHub and Heroku, and a terminal to type in
  slash-heroku sandbox hello.chat              play a conversation and check that it goes as written
  slash-heroku check-config                    what is set, and what is still missing
  slash-heroku manifest https://h.example.com  what to paste into Slack to set the app up
  slash-heroku serve                           the real thing

Settings come from the environment; .env.example lists them all.
Exit codes: 0 done, 1 it did not work, 2 the command or a setting is wrong.";

/// Ship code from chat: checks, GitHub deployment, Heroku build, release and dynos, followed to a true end.
#[derive(Debug, Parser)]
#[command(name = "slash-heroku", version, about, after_help = EXAMPLES, max_term_width = 120)]
struct Cli {
    #[command(subcommand)]
    mode: Mode,
}

#[derive(Debug, Subcommand)]
enum Mode {
    /// Run the service until SIGTERM or Ctrl-C; what runs then is picked up by the next start
    #[command(after_help = "`/health` and `/metrics` are served on the same address as the chat's requests.")]
    Serve {
        /// For the sandbox: stop as well when the standard input ends
        #[arg(long, hide = true)]
        child: bool,
    },
    /// Try it without any account: a small simulated company, and a terminal to type commands in
    #[command(after_help = "\
Examples:
  slash-heroku sandbox                      type `help`, or `deploy hubot to production`; press a button by its number
  slash-heroku sandbox hello.chat           play a script; the exit code says whether it went as written
  slash-heroku sandbox --sign-in            begin as a stranger: type `deploy hubot to staging`, and open the link in your browser
  slash-heroku sandbox --store ./try        keep the service's records there (the world starts anew each time)
  slash-heroku sandbox --serve              the simulated services alone, for your own `slash-heroku serve`; Ctrl-C ends them")]
    Sandbox {
        /// A conversation to play (fixtures/scenarios has many)
        #[arg(conflicts_with = "serve")]
        file: Option<PathBuf>,
        /// Run the simulated Slack, GitHub and Heroku alone, and print the settings that point at them
        #[arg(long)]
        serve: bool,
        /// With --serve: the first of the eight ports in a row that they listen on; 0 for any
        #[arg(long, value_name = "PORT", default_value_t = rehearsal::FIRST_PORT, requires = "serve")]
        port: u16,
        /// For tests, with --serve: stop as well when the standard input ends
        #[arg(long, hide = true, requires = "serve")]
        child: bool,
        /// Have people sign in by themselves, with pages for your own browser; otherwise it works for ana at once
        #[arg(long, conflicts_with_all = ["serve", "file"])]
        sign_in: bool,
        /// Folder to keep the service's records in; a fresh one otherwise. The simulated world starts anew each time
        #[arg(long, value_name = "DIR", conflicts_with_all = ["serve", "file"])]
        store: Option<PathBuf>,
    },
    /// Show every setting and everything that is wrong; secrets only as set or not set
    CheckConfig,
    /// Print the Slack app manifest for this installation
    #[command(after_help = "Paste it at https://api.slack.com/apps: Create New App, From a manifest.")]
    Manifest {
        /// Where Slack reaches the service, with https
        #[arg(value_name = "PUBLIC_URL")]
        public: url::Url,
    },
    /// Copy the store into a new file, also while the service runs
    ///
    /// It holds what is kept about everybody: that it was taken is recorded, and listed by `privacy log`.
    Backup {
        /// The file to write; it must not exist
        file: PathBuf,
        /// Who you are
        #[arg(long)]
        by: Option<String>,
        /// Why
        #[arg(long)]
        because: Option<String>,
    },
    /// Look after the keys that people's tokens are sealed with
    #[command(subcommand)]
    Keys(Keys),
    /// See, take or remove what is kept about somebody who asked for it elsewhere than in the chat; the service has to run
    #[command(after_help = "\
Examples:
  slash-heroku privacy show --workspace T0123ABCD --user U0123ABCD --by otto --because 'letter of 3 May'
  slash-heroku privacy log                  who has looked at, taken or removed what, and why

Whatever is done with somebody's records is recorded, with who, when and why.")]
    Privacy {
        #[command(subcommand)]
        what: PrivacyMode,
    },
    /// Read every record of the store and compare it with what was written; the service must not run
    CheckStore,
    /// Fill an empty store from a backup; the service must not run
    ///
    /// Whoever was removed since the backup was made is not restored: that is remembered in a file of its own (SLASH_HEROKU_REMOVALS).
    Restore {
        /// The file to read
        file: PathBuf,
        /// Also one that was made more than 30 days ago: who was removed that long ago is not remembered, and comes back
        #[arg(long)]
        however_old: bool,
    },
}

#[derive(Debug, Subcommand)]
enum Keys {
    /// Have the running service seal everything again with the first key of its settings, so that older ones can be taken out
    Rotate,
}

#[derive(Debug, Subcommand)]
enum PrivacyMode {
    /// How much is kept about somebody
    Show(OfWhom),
    /// Everything that is kept about somebody, as JSON
    Export(OfWhom),
    /// Remove somebody everywhere; past deploys stay, without them
    Delete(OfWhom),
    /// What operators have looked at, taken, removed and backed up
    Log,
    /// How far the removal of people and of what is too old is
    State,
}

#[derive(Debug, Args)]
struct OfWhom {
    /// The workspace's id
    #[arg(long)]
    workspace: String,
    /// The person's id there
    #[arg(long)]
    user: String,
    /// Who you are
    #[arg(long)]
    by: String,
    /// Why
    #[arg(long)]
    because: String,
}

impl PrivacyMode {
    fn asks(self) -> anyhow::Result<OperatorAsks> {
        let (wants, whom): (fn(Person) -> Wanted, OfWhom) = match self {
            Self::Show(whom) => (Wanted::Look, whom),
            Self::Export(whom) => (Wanted::Export, whom),
            Self::Delete(whom) => (Wanted::Remove, whom),
            Self::Log => return Ok(OperatorAsks { wanted: Wanted::List, by: String::new(), because: String::new() }),
            Self::State => return Ok(OperatorAsks { wanted: Wanted::State, by: String::new(), because: String::new() }),
        };
        let person = Person { workspace: WorkspaceId::parse(&whom.workspace)?, user: UserId::parse(&whom.user)? };
        anyhow::ensure!(!whom.by.trim().is_empty() && !whom.because.trim().is_empty(), "say who you are and why");
        Ok(OperatorAsks { wanted: wants(person), by: whom.by, because: whom.because })
    }
}

/// The whole program.
pub fn main() -> ExitCode {
    let code = answer(std::env::args_os(), &Variables::of_process(), &mut io::stdout(), &mut io::stderr());
    ExitCode::from(code)
}

/// Done.
const DONE: u8 = 0;
/// It did not work.
const FAILED: u8 = 1;
/// The command or a setting is wrong.
const WRONG: u8 = 2;

fn answer(words: impl IntoIterator<Item = OsString>, variables: &Variables, out: &mut dyn Write, err: &mut dyn Write) -> u8 {
    let mode = match Cli::try_parse_from(words) {
        Ok(cli) => cli.mode,
        // Help and the version come this way too, and go to standard output.
        Err(said) => {
            let code = if said.use_stderr() { WRONG } else { DONE };
            return if said.print().is_ok() { code } else { FAILED };
        }
    };
    let done = match mode {
        Mode::CheckConfig => return check_config(variables, out, err),
        Mode::Serve { child } => serve(variables, child),
        Mode::Sandbox { file, serve, port, child, sign_in, store } => {
            sandbox(variables, SandboxOptions { file, serve_only_from: serve.then_some(port), child, sign_in, store })
        }
        Mode::Manifest { public } => manifest(variables, &public, out),
        Mode::Backup { file, by, because } => {
            let asks = OperatorAsks::backup(by, because);
            with_store(variables, async |folder| run::backup(&folder, &file, &asks).await, "the backup failed")
        }
        Mode::Keys(Keys::Rotate) => rotate_keys(variables, out),
        Mode::Privacy { what } => privacy(variables, what, out),
        Mode::CheckStore => check_store(variables, out),
        Mode::Restore { file, however_old } => restore(variables, &file, however_old, out),
    };
    match done {
        Ok(()) => DONE,
        Err(error) => {
            let code = if error.is::<Faults>() { WRONG } else { FAILED };
            if writeln!(err, "slash-heroku: {error:#}").is_ok() { code } else { FAILED }
        }
    }
}

fn check_config(variables: &Variables, out: &mut dyn Write, err: &mut dyn Write) -> u8 {
    let shown = out.write_all(show::current(variables).as_bytes());
    let (said, code) = match config::load(variables) {
        Ok(_) => (writeln!(out, "\nThe settings can be used."), DONE),
        Err(faults) => (writeln!(err, "\nslash-heroku: {faults}"), WRONG),
    };
    if shown.and(said).is_ok() { code } else { FAILED }
}

fn serve(variables: &Variables, child: bool) -> anyhow::Result<()> {
    let settings = config::load(variables)?;
    logging::start(&settings.log)?;
    if child { waiting(run::serve_as_child(settings, Arc::new(SystemClock::default()))) } else { waiting(run::serve(settings)) }
}

fn sandbox(variables: &Variables, options: SandboxOptions) -> anyhow::Result<()> {
    let log: LogSettings = config::load_quiet_log(variables)?;
    logging::start(&log)?;
    waiting(run::sandbox(options))
}

fn manifest(variables: &Variables, public: &url::Url, out: &mut dyn Write) -> anyhow::Result<()> {
    let command = config::load_command(variables)?;
    let manifest = run::manifest(&command, public)?;
    writeln!(out, "{manifest}").context("the manifest could not be printed")
}

fn with_store(variables: &Variables, work: impl AsyncFnOnce(PathBuf) -> anyhow::Result<()>, otherwise: &'static str) -> anyhow::Result<()> {
    let folder = config::load_store(variables)?;
    waiting(work(folder)).context(otherwise)
}

fn rotate_keys(variables: &Variables, out: &mut dyn Write) -> anyhow::Result<()> {
    let folder = config::load_store(variables)?;
    let mut said = String::new();
    waiting(async {
        said = run::rotate_keys(&folder).await.context("not everything is sealed with the newest key")?;
        Ok(())
    })?;
    writeln!(out, "{said}.").context("nothing can be printed")
}

fn privacy(variables: &Variables, what: PrivacyMode, out: &mut dyn Write) -> anyhow::Result<()> {
    let asks = what.asks()?;
    let mut said = String::new();
    let ask = async |folder: PathBuf| {
        said = run::privacy(&folder, &asks).await?;
        Ok(())
    };
    with_store(variables, ask, "nothing was done")?;
    out.write_all(said.as_bytes()).context("nothing can be printed")
}

fn restore(variables: &Variables, file: &Path, however_old: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    let removals = config::load_removals(variables)?;
    let mut said = String::new();
    let restore = async |folder: PathBuf| {
        said = run::restore(&folder, file, removals, however_old).await?;
        Ok(())
    };
    with_store(variables, restore, "nothing was restored")?;
    out.write_all(said.as_bytes()).context("nothing can be printed")
}

fn check_store(variables: &Variables, out: &mut dyn Write) -> anyhow::Result<()> {
    let folder = config::load_store(variables)?;
    let found = run::check_store(&folder).context("the store cannot be used as it is")?;
    writeln!(out, "The store is whole: {} live records, {} deployments in the history.", found.live, found.over)
        .context("nothing can be printed")
}

/// Runs the asynchronous part. What is left running afterwards (reading a terminal cannot be stopped) does not hold up the
/// end: everything that counts is on disk by then.
fn waiting(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("the threads could not be started")?;
    let done = runtime.block_on(work);
    runtime.shutdown_background();
    done
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn asked(words: &[&str], variables: &[(&str, &str)]) -> (u8, String, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let words = ["slash-heroku"].iter().chain(words).map(OsString::from);
        let code = answer(words, &variables.iter().copied().collect(), &mut out, &mut err);
        (code, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
    }

    #[test]
    fn the_subcommands_hold_together() {
        Cli::command().debug_assert();
        let help = Cli::command().render_long_help().to_string();
        for word in
            ["serve", "sandbox", "check-config", "manifest", "backup", "keys", "privacy", "check-store", "restore", "help", "Examples:"]
        {
            assert!(help.contains(word), "{word} is not in\n{help}");
        }
    }

    #[test]
    fn a_wrong_configuration_is_shown_and_told_by_the_exit_code() {
        let (code, out, err) = asked(&["check-config"], &[("SLASH_HEROKU_GITHUB_TOKEN", "ghp_hush"), ("SLASH_HEROKU_LOG", "loud")]);
        assert_eq!(code, WRONG);
        assert!(out.contains("SLASH_HEROKU_GITHUB_TOKEN") && !out.contains("hush"), "{out}");
        assert!(err.contains("SLASH_HEROKU_LOG has to be") && err.contains("SLASH_HEROKU_HEROKU_TOKEN is not set"), "{err}");
    }

    #[test]
    fn a_right_configuration_is_told_too() {
        let variables =
            [("SLASH_HEROKU_CHAT", "console"), ("SLASH_HEROKU_GITHUB_TOKEN", "ghp_hush"), ("SLASH_HEROKU_HEROKU_TOKEN", "HRKU-hush")];
        let (code, out, err) = asked(&["check-config"], &variables);
        assert_eq!((code, err.as_str()), (DONE, ""));
        assert!(out.ends_with("The settings can be used.\n") && !out.contains("hush"), "{out}");
    }

    #[test]
    fn serve_with_faults_serves_nothing() {
        let (code, out, err) = asked(&["serve"], &[]);
        assert_eq!((code, out.as_str()), (WRONG, ""));
        assert!(err.starts_with("slash-heroku: the settings cannot be used:\n  SLASH_HEROKU_SLACK_SIGNING_SECRET is not set."), "{err}");
    }
}
