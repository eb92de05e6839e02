//! What can happen outside in a script, and reading it by a table.

use jiff::SignedDuration;

use super::shapes::{Places, fit};
use crate::sandbox::fault::FaultRule;
use crate::sandbox::slack::{MemberKind, Order};

/// One of the services outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vendor {
    /// GitHub.
    Github,
    /// Heroku.
    Heroku,
    /// Slack.
    Slack,
}

/// A stage of a deploy on the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The build.
    Build,
    /// The release phase.
    Release,
    /// The dynos.
    Dynos,
}

/// How the output streams of an app go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Streaming {
    /// As they should.
    Live,
    /// They never begin.
    Never,
    /// They end while the work goes on.
    Early,
    /// They break; once, or always.
    Cut {
        /// Only the next one does.
        once: bool,
    },
    /// A byte comes now and then.
    Drip,
    /// Nothing comes, and they stay open.
    Silent,
    /// They end so many seconds before the platform says so.
    Ahead(u32),
}

/// What somebody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Nothing; it is as if it did not exist.
    Nothing,
    /// Look.
    See,
    /// Change.
    Change,
    /// Change, and see how it is protected.
    Rule,
}

/// Something happens outside.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table says what each means")]
pub enum Directive {
    Status { repo: String, branch: String, check: String, state: &'static str },
    CheckRun { repo: String, branch: String, name: String, conclusion: Option<&'static str> },
    Requires { repo: String, branch: String, checks: Vec<String>, ruleset: bool },
    Push { repo: String, branch: String, by: String, message: String },
    DeleteBranch { repo: String, branch: String },
    Tag { repo: String, tag: String, at: String },
    Point { repo: String, branch: String, at: String },
    NewRepository { repo: String },
    Size { repo: String, mib: u32 },
    OpenPull { repo: String, number: u64, branch: String, fork: bool },
    ArchiveRepository { repo: String },
    SingleSignOn { repo: String, is: bool },
    ShutsOutApps { repo: String, is: bool },
    RenameRepository { repo: String, to: String },
    DefaultBranch { repo: String, branch: String },
    RepoRight { person: String, repo: String, right: Right },
    AppRight { person: String, app: String, right: Right },
    NoToken(Vendor),
    Token(Vendor),
    Hold { app: String, stage: Stage },
    LetGo { app: String },
    NextFails { app: String, stage: Stage },
    State { app: String, stage: Stage, word: String },
    Streams { app: String, how: Streaming },
    Slots { free: bool },
    Dynos { app: String, quantity: u32 },
    Fir { app: String },
    Config { app: String, key: String },
    Fails { vendor: Vendor, rule: FaultRule },
    Mended(Vendor),
    Clock { vendor: Vendor, ahead: SignedDuration },
    DynosFlap { app: String },
    Standing { person: String, kind: MemberKind },
    UserGroup { handle: String, people: Vec<String> },
    BotIn { channel: String, is: bool },
    Lacks { scope: String },
    ArchiveChannel { channel: String },
    ShareChannel { channel: String },
    CloseChannel { channel: String },
    Crash,
    Stop,
    Start,
    Redeliver,
    Setting { name: String, value: String },
    SignIn { app: &'static str },
    BegunUnder { version: u32 },
    Installable { rotates: bool },
    Removed { person: String, order: Order },
    EventAgain,
    Withdraws { person: String, vendor: Vendor },
    AccessEnds { person: String, vendor: Vendor },
    Rotates,
    Endable,
}

/// A row of the table.
#[derive(Debug)]
pub struct Row<T> {
    /// How it is written.
    pub shape: &'static str,
    /// What it means.
    pub means: &'static str,
    /// Makes it of what stands in the places.
    pub(super) build: fn(&Places) -> Result<T, String>,
}

impl Directive {
    /// Whether something may go on because of it, so that the world is let settle.
    pub fn goes_on(&self) -> bool {
        match self {
            Self::LetGo { .. }
            | Self::SignIn { .. }
            | Self::BegunUnder { .. }
            | Self::Installable { .. }
            | Self::Removed { .. }
            | Self::EventAgain
            | Self::Withdraws { vendor: Vendor::Slack, .. }
            | Self::Slots { free: true }
            | Self::Crash
            | Self::Stop
            | Self::Start
            | Self::Redeliver => true,
            Self::Status { .. }
            | Self::CheckRun { .. }
            | Self::Requires { .. }
            | Self::Push { .. }
            | Self::DeleteBranch { .. }
            | Self::Tag { .. }
            | Self::Point { .. }
            | Self::NewRepository { .. }
            | Self::Size { .. }
            | Self::OpenPull { .. }
            | Self::ArchiveRepository { .. }
            | Self::SingleSignOn { .. }
            | Self::ShutsOutApps { .. }
            | Self::RenameRepository { .. }
            | Self::DefaultBranch { .. }
            | Self::RepoRight { .. }
            | Self::AppRight { .. }
            | Self::NoToken(_)
            | Self::Token(_)
            | Self::Setting { .. }
            | Self::Withdraws { vendor: Vendor::Github | Vendor::Heroku, .. }
            | Self::AccessEnds { .. }
            | Self::Rotates
            | Self::Endable
            | Self::Hold { .. }
            | Self::NextFails { .. }
            | Self::State { .. }
            | Self::Streams { .. }
            | Self::Slots { free: false }
            | Self::Dynos { .. }
            | Self::Fir { .. }
            | Self::Config { .. }
            | Self::Fails { .. }
            | Self::Mended(_)
            | Self::Clock { .. }
            | Self::DynosFlap { .. }
            | Self::BotIn { .. }
            | Self::Standing { .. }
            | Self::UserGroup { .. }
            | Self::Lacks { .. }
            | Self::ShareChannel { .. }
            | Self::CloseChannel { .. }
            | Self::ArchiveChannel { .. } => false,
        }
    }
}

/// Reads what stands behind `* ` or `= ` by a table; what it does not know, it answers with the nearest rows.
pub fn read<T>(table: &[Row<T>], line: &str) -> Result<T, String> {
    if let Some((row, places)) = table.iter().find_map(|row| fit(row.shape, line).map(|places| (row, places))) {
        return (row.build)(&places);
    }
    let mut near: Vec<(f64, &Row<T>)> = table.iter().map(|row| (likeness(row.shape, line), row)).collect();
    near.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let rows: Vec<String> = near.iter().take(3).map(|(_, row)| format!("  {}   ({})", row.shape, row.means)).collect();
    Err(format!("`{line}` is not understood; nearest are:\n{}", rows.join("\n")))
}

/// How much a line is like a shape: by its words, each compared with the one in its place, and by their number.
fn likeness(shape: &str, line: &str) -> f64 {
    let (shape, line): (Vec<&str>, Vec<&str>) = (shape.split_whitespace().collect(), line.split_whitespace().collect());
    let pairs = shape.iter().zip(&line);
    let alike: f64 = pairs.map(|(a, b)| if a.contains('{') { 0.6 } else { strsim::jaro_winkler(a, b) }).sum();
    let longest = u32::try_from(shape.len().max(line.len())).unwrap_or(u32::MAX);
    alike / f64::from(longest.max(1))
}
