//! Repositories, refs and commits, as far as a deploy needs them.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::names::{CommitSha, LoginId, RefName, RepoName};

/// An open pull request, as it is offered to choose from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenPull {
    /// Its number.
    pub number: u64,
    /// Its title: somebody's words.
    pub title: String,
    /// The branch that it brings.
    pub branch: String,
}

/// A repository, as the person who asks can see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// Its present name; may differ from the one asked for when it has moved.
    pub name: RepoName,
    /// The branch that is meant where none is named.
    pub default_branch: RefName,
    /// Whether the person may record deployments there; `None` where the answer did not say.
    pub may_deploy: Option<bool>,
    /// Read-only for everybody.
    pub archived: bool,
    /// Where people look at it.
    pub web_url: String,
}

impl Repository {
    /// Whether the person may record deployments there; `None` where that was not said.
    pub fn is_open_to_records(&self) -> Option<bool> {
        if self.archived { Some(false) } else { self.may_deploy }
    }
}

/// What a person asked to ship.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AskedRef {
    /// Nothing was named: the head of the default branch.
    Default,
    /// A branch, a tag, or a full or short commit hash; the source control decides which.
    Named(RefName),
    /// The head of a pull request.
    Pull(u64),
    /// A commit that was chosen by a button, as long as the ref still contains it. Never parsed from text.
    Pinned {
        /// The ref the commit was asked by.
        of: CommitRef,
        /// The commit.
        commit: CommitSha,
    },
}

impl fmt::Display for AskedRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => Ok(()),
            Self::Named(name) => name.fmt(f),
            Self::Pull(number) => write!(f, "#{number}"),
            Self::Pinned { commit, .. } => commit.fmt(f),
        }
    }
}

/// How a commit was named, once the source control has said what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommitRef {
    /// The head of a branch: moves.
    Branch(RefName),
    /// A tag.
    Tag(RefName),
    /// The commit itself, by its full or short hash.
    Commit,
    /// The head of a pull request: moves.
    Pull {
        /// Its number.
        number: u64,
        /// The branch it comes from.
        branch: RefName,
    },
}

impl fmt::Display for CommitRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Branch(name) | Self::Tag(name) => name.fmt(f),
            Self::Commit => f.write_str("commit"),
            Self::Pull { number, .. } => write!(f, "#{number}"),
        }
    }
}

/// Where a commit comes from, as far as trust goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provenance {
    /// A branch or tag of the repository contains it.
    Repository,
    /// It comes from a fork: somebody else's code.
    Fork,
    /// No branch, tag or pull request of the repository is known to contain it.
    Unreachable,
}

/// A commit that a ref stood for at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The commit.
    pub commit: CommitSha,
    /// What it was named by.
    pub named_by: CommitRef,
    /// Whether it is the repository's own.
    pub provenance: Provenance,
}

/// What came of looking up a ref.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// It stands for one commit.
    Found(Resolved),
    /// There is no such ref, or it is not visible to this person.
    Unknown {
        /// A branch or tag that is spelled alike.
        nearest: Option<RefName>,
    },
    /// A branch and a tag share the name and stand for different commits.
    BranchAndTag {
        /// The branch's head.
        branch: CommitSha,
        /// The tag's commit.
        tag: CommitSha,
    },
    /// Several commits begin with this short hash.
    AmbiguousHash,
    /// The repository has no commits.
    EmptyRepository,
}

/// How a commit stands to another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The same commit.
    Same,
    /// Newer: contains the base.
    Ahead,
    /// Older: contained in the base.
    Behind,
    /// Each has commits that the other lacks.
    Diverged,
}

/// The commits between what runs and what would ship.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// How the new commit stands to the running one.
    pub direction: Direction,
    /// Commits that would be added.
    pub added: u64,
    /// Commits now running that would be taken away.
    pub dropped: u64,
    /// Who wrote the added ones; at most ten, in order of appearance.
    pub authors: Vec<String>,
    /// A page that shows the difference.
    pub url: String,
}

/// A commit, as people read of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitLine {
    /// The commit.
    pub commit: CommitSha,
    /// The first line of its message, cleaned of secrets and cut to 100 characters. Free text: shown, never obeyed.
    pub subject: String,
    /// Who wrote it.
    pub author: Option<String>,
    /// The login there of who wrote it, where it is known whose it is.
    pub author_id: Option<LoginId>,
    /// The pull request that its message names as the one it came by.
    pub pull: Option<u64>,
}

/// How much changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Files.
    pub files: u64,
    /// Lines that were added.
    pub added: u64,
    /// Lines that were taken away.
    pub removed: u64,
    /// There may be more: the source control lists only so many files.
    pub at_least: bool,
}

/// What lies between two commits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// How they stand to each other.
    pub comparison: Comparison,
    /// The commits that the second one adds, the newest first; at most 100 of the newest.
    pub commits: Vec<CommitLine>,
    /// How much they change; `None`: too much to be told.
    pub size: Option<Size>,
}

/// What a deployment's record at the source control says at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportState {
    /// Recorded, not begun.
    Queued,
    /// Going on.
    InProgress,
    /// It runs.
    Success,
    /// It did not work.
    Failure,
    /// It was stopped, or nobody knows how it ended.
    Error,
}

impl ReportState {
    /// Whether nothing should follow.
    pub fn is_final(self) -> bool {
        match self {
            Self::Queued | Self::InProgress => false,
            Self::Success | Self::Failure | Self::Error => true,
        }
    }
}

/// A status for the record at the source control.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The state.
    pub state: ReportState,
    /// One sentence; the adapter keeps it within the source control's limit.
    pub description: String,
    /// Where the log is.
    pub log_url: Option<String>,
    /// Where the environment is reached.
    pub environment_url: Option<String>,
}
