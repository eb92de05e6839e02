//! The one table of settings, from which the reader, `.env.example`, the README's table and `check-config` come.

/// What our own variables start with. A variable that starts so and is not in the table is a fault.
pub const PREFIX: &str = "SLASH_HEROKU_";

/// One setting.
#[derive(Debug)]
pub struct Setting {
    /// The environment variable.
    pub name: &'static str,
    /// What it belongs to.
    pub section: Section,
    /// What holds when it is not set.
    pub absent: Absent,
    /// Whether its value is never shown.
    pub secret: bool,
    /// What it means, as whole sentences.
    pub meaning: &'static str,
    /// A value that could stand there; for a secret, what one looks like.
    pub example: &'static str,
}

/// What holds when a setting is not set. An empty value counts as not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// This value.
    Default(&'static str),
    /// It has to be set where the chat is Slack.
    NeededForSlack,
    /// It has to be set where one person's tokens are used.
    NeededForOne,
    /// It has to be set where people sign in.
    NeededForSignIn,
    /// Something that is not a value of its own, in words.
    Otherwise(&'static str),
}

/// A group of settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// The service itself.
    Service,
    /// The chat.
    Chat,
    /// Signing in.
    SignIn,
    /// The one person, where nobody signs in.
    Person,
    /// GitHub.
    GitHub,
    /// Heroku.
    Heroku,
    /// The source on its way.
    Source,
    /// The log.
    Log,
    /// What the host sets.
    Host,
}

impl Section {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 9] =
        [Self::Service, Self::Chat, Self::SignIn, Self::Person, Self::GitHub, Self::Heroku, Self::Source, Self::Log, Self::Host];

    /// Its title.
    pub fn title(self) -> &'static str {
        match self {
            Self::Service => "The service",
            Self::Chat => "The chat",
            Self::SignIn => "Everybody as themselves: signing in",
            Self::Person => "Or one person, with tokens made by hand",
            Self::GitHub => "GitHub",
            Self::Heroku => "Heroku",
            Self::Source => "The source on its way from GitHub to Heroku",
            Self::Log => "The log",
            Self::Host => "Set by the host, not by you",
        }
    }
}

macro_rules! settings {
    ($($CONST:ident: $name:literal, $section:ident, $absent:expr, $secret:literal, $example:literal, $meaning:literal;)*) => {
        $(
            #[doc = $meaning]
            pub static $CONST: Setting = Setting {
                name: $name,
                section: Section::$section,
                absent: $absent,
                secret: $secret,
                meaning: $meaning,
                example: $example,
            };
        )*

        /// Every setting, in the order in which they are shown.
        pub static TABLE: &[&Setting] = &[$(&$CONST),*];
    };
}

settings! {
    LISTEN: "SLASH_HEROKU_LISTEN", Service, Absent::Default("127.0.0.1:8080"), false, "0.0.0.0:8080",
        "Address and port to listen on, without HTTPS: put a proxy that ends HTTPS in front. Where it is not set and `PORT` is, that port is used on all addresses.";
    STORE: "SLASH_HEROKU_STORE", Service, Absent::Default("./data"), false, "/var/lib/slash-heroku",
        "Folder of everything that is kept. One running service per folder, on a disk that survives restarts.";
    REMOVALS: "SLASH_HEROKU_REMOVALS", Service, Absent::Otherwise("beside the store's folder, with `.removals` at its end"), false, "/var/lib/slash-heroku/store.removals",
        "The file that remembers, as digests, who was removed, so that a restore leaves them out. Keep it with the backups.";
    PRIVACY_CONTACT: "SLASH_HEROKU_PRIVACY_CONTACT", Service, Absent::Otherwise("nobody is named"), false, "privacy@example.com",
        "Whom people ask about what is kept about them: shown on the privacy page and in the chat.";
    PRIVACY_PLACE: "SLASH_HEROKU_PRIVACY_PLACE", Service, Absent::Otherwise("no place is named"), false, "Frankfurt, Germany",
        "Where what is kept is processed: shown on the privacy page and in the chat.";
    ALLOW_EPHEMERAL_DISK: "SLASH_HEROKU_ALLOW_EPHEMERAL_DISK", Service, Absent::Default("off"), false, "on",
        "`on` or `off`: run on a dyno although its disk, and with it every running deploy's record, is thrown away at each restart.";
    DRAIN_SECONDS: "SLASH_HEROKU_DRAIN_SECONDS", Service, Absent::Default("25"), false, "25",
        "How long a stop may take, 1 to 600 seconds: running steps are recorded and the next start goes on with them. Keep it below the time after which your host kills.";
    CHAT: "SLASH_HEROKU_CHAT", Chat, Absent::Default("slack"), false, "console",
        "Where people type: `slack`, or `console` for this terminal.";
    COMMAND: "SLASH_HEROKU_COMMAND", Chat, Absent::Default("/h"), false, "/ship",
        "The slash command, as it is set up in the chat and as help names it.";
    SLACK_SIGNING_SECRET: "SLASH_HEROKU_SLACK_SIGNING_SECRET", Chat, Absent::NeededForSlack, true, "32 letters and digits",
        "The Slack app's signing secret (Basic Information, App Credentials). While it is being changed: the new one and the old one, with a comma between; the first one seals what is stored.";
    SLACK_BOT_TOKEN: "SLASH_HEROKU_SLACK_BOT_TOKEN", Chat, Absent::Otherwise("workspaces install the app themselves"), true, "starts with xoxb-",
        "The Slack app's bot token (OAuth & Permissions), where you install it by hand in one workspace.";
    SLACK_CLIENT_ID: "SLASH_HEROKU_SLACK_CLIENT_ID", Chat, Absent::Otherwise("one workspace, by its bot token"), false, "1234567890.1234567890",
        "The Slack app's client id (Basic Information, App Credentials), where workspaces and organisations install the app themselves, at the public address with `/slack/install` behind it. Then people sign in as themselves.";
    SLACK_CLIENT_SECRET: "SLASH_HEROKU_SLACK_CLIENT_SECRET", Chat, Absent::Otherwise("one workspace, by its bot token"), true, "32 letters and digits",
        "The Slack app's client secret, beside its id.";
    SLACK_API: "SLASH_HEROKU_SLACK_API", Chat, Absent::Default("https://slack.com/api"), false, "http://127.0.0.1:9001/api",
        "Base address of Slack's Web API.";
    SLACK_LOOPBACK_RESPONSE_URL: "SLASH_HEROKU_SLACK_LOOPBACK_RESPONSE_URL", Chat, Absent::Default("off"), false, "on",
        "`on` or `off`: also take reply addresses on this machine, as the sandbox gives them. Off: Slack's own hosts only.";
    ADMINS: "SLASH_HEROKU_ADMINS", Chat, Absent::Otherwise("admins and owners of each workspace"), false, "T0123ABCD/U0123ABCD",
        "Who may change the rules of a workspace beside its own admins and owners: `WORKSPACE/MEMBER`, by their ids, with commas between. What they are in the chat is not asked: they are let in as members are.";
    PUBLIC_URL: "SLASH_HEROKU_PUBLIC_URL", SignIn, Absent::NeededForSignIn, false, "https://ship.example.com",
        "Where browsers reach this service: https, a host and nothing behind it. Plain http is taken on this machine only, for trying it. Links to the privacy page need it too.";
    SEALING_KEYS: "SLASH_HEROKU_SEALING_KEYS", SignIn, Absent::NeededForSignIn, true, "2026-11:BASE64, made with `openssl rand -base64 32`",
        "The keys that people's tokens are sealed with: `NAME:KEY`, with commas between, a key being 32 random bytes in base64. The first one seals, all of them open: put a new one in front, run `slash-heroku keys rotate`, then take the old one out.";
    GITHUB_APP: "SLASH_HEROKU_GITHUB_APP", SignIn, Absent::Default("oauth"), false, "github-app",
        "The kind of app that people sign in with at GitHub: `oauth`, `oauth-expiring` (an OAuth app whose tokens end by themselves and are renewed), or `github-app`. Its callback address is the public address with `/login/back` behind it.";
    GITHUB_CLIENT_ID: "SLASH_HEROKU_GITHUB_CLIENT_ID", SignIn, Absent::NeededForSignIn, false, "Ov23liAbCdEfGhIjKlMn",
        "The client id of that app.";
    GITHUB_CLIENT_SECRET: "SLASH_HEROKU_GITHUB_CLIENT_SECRET", SignIn, Absent::NeededForSignIn, true, "40 letters and digits",
        "A client secret of that app.";
    HEROKU_CLIENT_ID: "SLASH_HEROKU_HEROKU_CLIENT_ID", SignIn, Absent::NeededForSignIn, false, "01234567-89ab-cdef-0123-456789abcdef",
        "The id of the OAuth client that people sign in with at Heroku (`heroku clients:create`). Its redirect address is the public address with `/login/back` behind it.";
    HEROKU_CLIENT_SECRET: "SLASH_HEROKU_HEROKU_CLIENT_SECRET", SignIn, Absent::NeededForSignIn, true, "a UUID",
        "The secret of that client.";
    PERSON_WORKSPACE: "SLASH_HEROKU_PERSON_WORKSPACE", Person, Absent::NeededForOne, false, "T0123ABCD",
        "The id of the person's workspace. On the console: `console` unless set.";
    PERSON_USER: "SLASH_HEROKU_PERSON_USER", Person, Absent::NeededForOne, false, "U0123ABCD",
        "The person's member id in that workspace (profile, ⋮, Copy member ID). Everybody else is refused. On the console: `you` unless set.";
    GITHUB_TOKEN: "SLASH_HEROKU_GITHUB_TOKEN", Person, Absent::NeededForOne, true, "starts with ghp_ or github_pat_",
        "The person's GitHub token: may read contents, commit statuses and checks, and read and write deployments.";
    HEROKU_TOKEN: "SLASH_HEROKU_HEROKU_TOKEN", Person, Absent::NeededForOne, true, "starts with HRKU-",
        "The person's Heroku token (`heroku authorizations:create`).";
    GITHUB_API: "SLASH_HEROKU_GITHUB_API", GitHub, Absent::Default("https://api.github.com"), false, "https://github.example.com/api/v3",
        "Base address of GitHub's API.";
    GITHUB_WEB: "SLASH_HEROKU_GITHUB_WEB", GitHub, Absent::Default("https://github.com"), false, "https://github.example.com",
        "Base address of GitHub's pages: for links, for its sign-in, and where git says which branch is the default one.";
    HEROKU_API: "SLASH_HEROKU_HEROKU_API", Heroku, Absent::Default("https://api.heroku.com"), false, "http://127.0.0.1:9003",
        "Base address of Heroku's Platform API.";
    HEROKU_ID: "SLASH_HEROKU_HEROKU_ID", Heroku, Absent::Default("https://id.heroku.com"), false, "http://127.0.0.1:9003",
        "Base address of Heroku's sign-in.";
    HEROKU_LINKS: "SLASH_HEROKU_HEROKU_LINKS", Heroku, Absent::Default("https://kolkrabbi.heroku.com"), false, "http://127.0.0.1:9003",
        "Base address of Heroku's older service that knows which repository a pipeline is linked to.";
    HEROKU_DASHBOARD: "SLASH_HEROKU_HEROKU_DASHBOARD", Heroku, Absent::Default("https://dashboard.heroku.com"), false, "https://dashboard.heroku.com",
        "Base address of Heroku's pages, for links.";
    REPOSITORIES: "SLASH_HEROKU_REPOSITORIES", Heroku, Absent::Otherwise("Heroku's own link is asked for"), false, "hubot=acme/hubot,01234567-89ab-cdef-0123-456789abcdef=acme/web",
        "Which repository a pipeline is built from, where you want to say so yourself: `pipeline=owner/name`, with commas between; a pipeline is named by its name or its id.";
    ARCHIVE_LIMIT: "SLASH_HEROKU_ARCHIVE_LIMIT", Source, Absent::Default("1GiB"), false, "500MB",
        "The largest source archive that is taken: a number with B, kB, MB, GB, KiB, MiB or GiB.";
    SPOOL: "SLASH_HEROKU_SPOOL", Source, Absent::Otherwise("the system's folder for temporary files"), false, "/var/tmp",
        "Folder for the source archive while it is on its way. Needs room for the limit above for each deploy that is in that step.";
    LOG: "SLASH_HEROKU_LOG", Log, Absent::Default("info"), false, "debug,hyper=debug",
        "How much is logged: `error`, `warn`, `info`, `debug` or `trace` for this service, then `part=level` for single parts. The log never holds what people typed, bodies or secrets.";
    LOG_FORMAT: "SLASH_HEROKU_LOG_FORMAT", Log, Absent::Default("auto"), false, "json",
        "`human`, `json`, or `auto`: human on a terminal and JSON otherwise. The log goes to standard error.";
    PORT: "PORT", Host, Absent::Otherwise("nothing"), false, "5000",
        "The port to listen on, where the host hands one out.";
    DYNO: "DYNO", Host, Absent::Otherwise("not on a dyno"), false, "web.1",
        "Its presence says that this runs on a dyno of Heroku, whose disk does not survive.";
}
