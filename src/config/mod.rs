//! Settings, from the environment only, by section; all faults at once, and no secret in any of them.

mod accounts;
mod reader;
pub mod show;
pub mod table;
mod values;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use crate::adapters::http::base_url::BaseUrl;
use crate::domain::actor::Person;
use crate::domain::names::RepoName;
use crate::domain::pipeline::PipelineKey;
use crate::domain::privacy::PrivacyPage;

pub use accounts::{AccountsSettings, AppSettings, SignInSettings};
use reader::Reader;
pub use reader::{Fault, Faults, Variables};
use table as t;

/// The workspace of the person at the console, unless set.
pub const CONSOLE_WORKSPACE: &str = "console";
/// The person at the console, unless set.
pub const CONSOLE_USER: &str = "you";

/// Everything that `serve` needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The folder of everything that is kept.
    pub store: PathBuf,
    /// How long a stop may take.
    pub drain: Duration,
    /// Where people type.
    pub chat: ChatSettings,
    /// The slash command, with its slash.
    pub command: String,
    /// Whose tokens are used.
    pub accounts: AccountsSettings,
    /// Who may change rules in any case.
    pub admins: BTreeSet<Person>,
    /// GitHub.
    pub github: GitHubSettings,
    /// Heroku.
    pub heroku: HerokuSettings,
    /// Our own mapping of pipelines to repositories, set by hand.
    pub repositories: Vec<(PipelineKey, RepoName)>,
    /// The source on its way.
    pub source: SourceSettings,
    /// The log.
    pub log: LogSettings,
    /// What the privacy page says of this installation.
    pub privacy: PrivacyPage,
    /// The file that remembers removals; `None`: beside the store.
    pub removals: Option<PathBuf>,
}

/// Where people type.
#[derive(Clone, Debug)]
pub enum ChatSettings {
    /// In Slack.
    Slack(SlackSettings),
    /// On this terminal.
    Console {
        /// Who sits there.
        person: Person,
    },
}

/// Slack.
#[derive(Clone, Debug)]
pub struct SlackSettings {
    /// One or two signing secrets: all verify, the first one seals.
    pub signing_secrets: Vec<SecretString>,
    /// What the bot speaks with.
    pub bot: BotSettings,
    /// The Web API.
    pub api: BaseUrl,
    /// Whether reply addresses on this machine are taken.
    pub loopback_response_url: bool,
}

/// What the bot speaks with.
#[derive(Clone, Debug)]
pub enum BotSettings {
    /// One token, for one workspace.
    Token(SecretString),
    /// What workspaces have given that have installed this app.
    Installed(AppSettings),
}

/// GitHub.
#[derive(Clone, Debug)]
pub struct GitHubSettings {
    /// The API.
    pub api: BaseUrl,
    /// The pages, the sign-in, and git.
    pub web: BaseUrl,
}

/// Heroku.
#[derive(Clone, Debug)]
pub struct HerokuSettings {
    /// The Platform API.
    pub api: BaseUrl,
    /// The sign-in.
    pub id: BaseUrl,
    /// The older service that links pipelines to repositories.
    pub links: BaseUrl,
    /// The pages, for links.
    pub dashboard: BaseUrl,
}

/// The source on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceSettings {
    /// The largest archive, in bytes.
    pub limit: u64,
    /// The folder it is spooled in.
    pub spool: PathBuf,
}

/// The log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// What is logged, as directives of `tracing_subscriber::EnvFilter` that have been checked.
    pub filter: String,
    /// How.
    pub format: LogFormat,
}

/// How the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Human on a terminal, JSON otherwise.
    Auto,
    /// Lines for people.
    Human,
    /// One JSON object per line.
    Json,
}

/// Reads everything that `serve` needs.
pub fn load(variables: &Variables) -> Result<Settings, Faults> {
    let mut reader = Reader::new(variables);
    let settings = settings(&mut reader);
    reader.unknown_ones();
    reader.finish(settings)
}

/// Reads the store's folder only: for `backup` and `restore`, which need no tokens.
pub fn load_store(variables: &Variables) -> Result<PathBuf, Faults> {
    let mut reader = Reader::new(variables);
    let store = reader.needed(&t::STORE, path);
    reader.finish(store)
}

/// Reads where removals are remembered, if that is set: for `restore`.
pub fn load_removals(variables: &Variables) -> Result<Option<PathBuf>, Faults> {
    let mut reader = Reader::new(variables);
    let removals = reader.optional(&t::REMOVALS, path);
    reader.finish(Some(removals))
}

/// Reads the slash command only: for `manifest`.
pub fn load_command(variables: &Variables) -> Result<String, Faults> {
    let mut reader = Reader::new(variables);
    let command = reader.needed(&t::COMMAND, values::command);
    reader.finish(command)
}

/// Reads how to log, which is quiet unless set otherwise: for the sandbox, whose terminal shows a conversation.
pub fn load_quiet_log(variables: &Variables) -> Result<LogSettings, Faults> {
    let mut reader = Reader::new(variables);
    let set = reader.is_set(&t::LOG);
    let log = log(&mut reader).map(|log| if set { log } else { LogSettings { filter: "warn".to_owned(), ..log } });
    reader.finish(log)
}

/// Every value is read before the first `?`, so that one fault does not hide another.
fn settings(reader: &mut Reader<'_>) -> Option<Settings> {
    let listen = listen(reader);
    let store = store(reader);
    let drain = reader.needed(&t::DRAIN_SECONDS, values::drain);
    let (chat, accounts) = chat_and_accounts(reader);
    everybody_signs_in(reader, chat.as_ref(), accounts.as_ref());
    let command = reader.needed(&t::COMMAND, values::command);
    let admins = reader.optional(&t::ADMINS, values::people).unwrap_or_default();
    let github = github(reader);
    let heroku = heroku(reader);
    let repositories = reader.optional(&t::REPOSITORIES, values::repositories).unwrap_or_default();
    let limit = reader.needed(&t::ARCHIVE_LIMIT, values::bytes);
    let spool = reader.optional(&t::SPOOL, values::folder).unwrap_or_else(std::env::temp_dir);
    let log = log(reader);
    let contact = reader.optional(&t::PRIVACY_CONTACT, values::line);
    let place = reader.optional(&t::PRIVACY_PLACE, values::line);
    // What is wrong with it is told with the accounts.
    let public = reader.optional(&t::PUBLIC_URL, |text| Ok(values::public_url(text).ok())).flatten();
    let removals = reader.optional(&t::REMOVALS, path);
    Some(Settings {
        listen: listen?,
        store: store?,
        drain: drain?,
        chat: chat?,
        command: command?,
        accounts: accounts?,
        admins,
        github: github?,
        heroku: heroku?,
        repositories,
        source: SourceSettings { limit: limit?, spool },
        log: log?,
        privacy: PrivacyPage { contact, place, public: public.map(|public| public.as_url().as_str().trim_end_matches('/').to_owned()) },
        removals,
    })
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of all parsers of values")]
fn path(text: &str) -> Result<PathBuf, String> {
    Ok(PathBuf::from(text))
}

fn listen(reader: &mut Reader<'_>) -> Option<SocketAddr> {
    let port = reader.optional(&t::PORT, values::port);
    let listens = reader.is_set(&t::LISTEN);
    let listen = reader.needed(&t::LISTEN, values::address);
    if listens { listen } else { port.or(listen) }
}

fn store(reader: &mut Reader<'_>) -> Option<PathBuf> {
    let allowed = reader.needed(&t::ALLOW_EPHEMERAL_DISK, values::switch);
    if reader.is_set(&t::DYNO) && allowed == Some(false) {
        reader.fault(
            &t::DYNO,
            format!(
                "is set, so this is a dyno of Heroku, and its disk is thrown away at every restart: running deploys would be \
                 forgotten. Run it where the disk survives, or set {}=on to live with that",
                t::ALLOW_EPHEMERAL_DISK.name
            ),
        );
    }
    reader.needed(&t::STORE, path)
}

/// What is chosen decides what is needed.
fn chat_and_accounts(reader: &mut Reader<'_>) -> (Option<ChatSettings>, Option<AccountsSettings>) {
    #[derive(Clone, Copy)]
    enum Kind {
        Slack,
        Console,
    }
    let kind = reader.needed(&t::CHAT, |text| match text {
        "slack" => Ok(Kind::Slack),
        "console" => Ok(Kind::Console),
        _ => Err("has to be `slack` or `console`".to_owned()),
    });
    match kind {
        None => (None, None),
        Some(Kind::Slack) => (slack(reader).map(ChatSettings::Slack), accounts::of_a_chat(reader)),
        Some(Kind::Console) => {
            let person = accounts::at_the_console(reader);
            let accounts = person.clone().and_then(|person| accounts::of_the_console(reader, person));
            (person.map(|person| ChatSettings::Console { person }), accounts)
        }
    }
}

fn slack(reader: &mut Reader<'_>) -> Option<SlackSettings> {
    let signing_secrets = reader.needed(&t::SLACK_SIGNING_SECRET, values::signing_secrets);
    let bot = bot(reader);
    let api = reader.needed(&t::SLACK_API, values::base_url);
    let loopback_response_url = reader.needed(&t::SLACK_LOOPBACK_RESPONSE_URL, values::switch);
    Some(SlackSettings { signing_secrets: signing_secrets?, bot: bot?, api: api?, loopback_response_url: loopback_response_url? })
}

/// One token, or an app that workspaces install. Never both.
fn bot(reader: &mut Reader<'_>) -> Option<BotSettings> {
    let installs = reader.is_set(&t::SLACK_CLIENT_ID) || reader.is_set(&t::SLACK_CLIENT_SECRET);
    let token =
        if installs { reader.optional(&t::SLACK_BOT_TOKEN, values::token) } else { reader.needed(&t::SLACK_BOT_TOKEN, values::token) };
    if !installs {
        return token.map(BotSettings::Token);
    }
    if token.is_some() {
        let problem = format!("is for one workspace, and workspaces install the app by {}: take out either", t::SLACK_CLIENT_ID.name);
        reader.fault(&t::SLACK_BOT_TOKEN, problem);
    }
    let id = reader.needed(&t::SLACK_CLIENT_ID, values::client_id);
    let secret = reader.needed(&t::SLACK_CLIENT_SECRET, values::token);
    Some(BotSettings::Installed(AppSettings { id: id?, secret: secret? }))
}

/// Where many workspaces are, nobody acts for all of them.
fn everybody_signs_in(reader: &mut Reader<'_>, chat: Option<&ChatSettings>, accounts: Option<&AccountsSettings>) {
    let (Some(ChatSettings::Slack(slack)), Some(AccountsSettings::OnePerson { .. })) = (chat, accounts) else { return };
    if matches!(slack.bot, BotSettings::Installed(_)) {
        let problem = format!(
            "is for an app that workspaces install, and there people sign in as themselves: set {} and what belongs to it, in place of one \
             person's tokens",
            t::SEALING_KEYS.name
        );
        reader.fault(&t::SLACK_CLIENT_ID, problem);
    }
}

fn github(reader: &mut Reader<'_>) -> Option<GitHubSettings> {
    let api = reader.needed(&t::GITHUB_API, values::base_url);
    let web = reader.needed(&t::GITHUB_WEB, values::base_url);
    Some(GitHubSettings { api: api?, web: web? })
}

fn heroku(reader: &mut Reader<'_>) -> Option<HerokuSettings> {
    let api = reader.needed(&t::HEROKU_API, values::base_url);
    let id = reader.needed(&t::HEROKU_ID, values::base_url);
    let links = reader.needed(&t::HEROKU_LINKS, values::base_url);
    let dashboard = reader.needed(&t::HEROKU_DASHBOARD, values::base_url);
    Some(HerokuSettings { api: api?, id: id?, links: links?, dashboard: dashboard? })
}

fn log(reader: &mut Reader<'_>) -> Option<LogSettings> {
    let filter = reader.needed(&t::LOG, values::log_filter);
    let format = reader.needed(&t::LOG_FORMAT, |text| match text {
        "auto" => Ok(LogFormat::Auto),
        "human" => Ok(LogFormat::Human),
        "json" => Ok(LogFormat::Json),
        _ => Err("has to be `auto`, `human` or `json`".to_owned()),
    });
    Some(LogSettings { filter: filter?, format: format? })
}

#[cfg(test)]
mod tests;
