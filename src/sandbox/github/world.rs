//! What the simulated GitHub holds.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::asked::Asked;
use super::door::Host;
use super::seed::Permission;
use super::seen::SeenRequest;
use super::sign_in::{GivenOut, SignIns};
use crate::sandbox::answers::Answers;
use crate::sandbox::fault::{Faults, Late};

/// Everything.
#[derive(Debug, Default)]
pub(super) struct World {
    pub(super) tokens: BTreeMap<String, Token>,
    pub(super) anonymous: Budget,
    pub(super) repositories: Vec<Repository>,
    /// Former names (lower case) and the ids of what they named.
    pub(super) moved: Vec<(String, u64)>,
    pub(super) downloads: Vec<Download>,
    pub(super) numbers: Numbers,
    pub(super) faults: Faults,
    /// What was asked for and is done later.
    pub(super) late: Late<(Host, Asked)>,
    /// How far this clock is ahead of everybody's.
    pub(super) skew: SignedDuration,
    /// What was created by whom and when, where that is limited.
    pub(super) created: Option<Vec<(String, Timestamp)>>,
    pub(super) sign_ins: SignIns,
    pub(super) requests: Vec<SeenRequest>,
    pub(super) answers: Answers,
    pub(super) violations: Vec<String>,
}

/// Gives out ids, never one twice.
#[derive(Debug, Default)]
pub(super) struct Numbers(u64);

impl Numbers {
    pub(super) fn fresh(&mut self) -> u64 {
        self.0 = self.0.saturating_add(1);
        self.0.saturating_add(1000)
    }
}

/// A person's token.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) login: String,
    pub(super) revoked: bool,
    pub(super) budget: Budget,
    /// By which app it was given out; `None`: its owner made it by hand.
    pub(super) given_out: Option<GivenOut>,
}

impl Token {
    /// Whether it is taken.
    pub(super) fn is_good(&self, now: Timestamp) -> bool {
        let over = self.given_out.as_ref().and_then(|given| given.ends_at).is_some_and(|end| now >= end);
        !self.revoked && !over
    }
}

/// How many requests were made in the current hour.
#[derive(Debug, Default)]
pub(super) struct Budget {
    pub(super) used: u32,
    resets_at: Option<Timestamp>,
}

impl Budget {
    /// Begins a new hour if the last one is over; says when the current one ends.
    pub(super) fn turn(&mut self, now: Timestamp) -> Timestamp {
        match self.resets_at {
            Some(at) if now < at => at,
            Some(_) | None => {
                let at = now.checked_add(SignedDuration::from_hours(1)).unwrap_or(now);
                self.used = 0;
                self.resets_at = Some(at);
                at
            }
        }
    }
}

/// A link to an archive that was given out.
#[derive(Debug)]
pub(super) struct Download {
    pub(super) secret: String,
    pub(super) path: String,
    pub(super) expires_at: Timestamp,
}

#[derive(Debug)]
pub(super) struct Repository {
    pub(super) id: u64,
    pub(super) owner: String,
    pub(super) name: String,
    /// The name it began with: hashes are made up from it and survive a renaming.
    pub(super) first_name: String,
    pub(super) private: bool,
    pub(super) default_branch: String,
    pub(super) archived: bool,
    pub(super) saml: bool,
    /// Its organisation lets no OAuth app in.
    pub(super) walled: bool,
    /// A part of its lists is hidden behind single sign-on.
    pub(super) partial: bool,
    /// It is on a plan that has no rulesets.
    pub(super) on_free_plan: bool,
    pub(super) archive_size: u64,
    pub(super) created_at: Timestamp,
    pub(super) pushed_at: Timestamp,
    pub(super) grants: BTreeMap<String, Permission>,
    /// In the order they were made: a parent always stands before its children.
    pub(super) commits: Vec<Commit>,
    pub(super) branches: BTreeMap<String, String>,
    pub(super) counters: BTreeMap<String, u32>,
    pub(super) tags: BTreeMap<String, Tag>,
    pub(super) pulls: Vec<Pull>,
    pub(super) statuses: Vec<Status>,
    pub(super) suites: Vec<Suite>,
    pub(super) runs: Vec<Run>,
    pub(super) classic: BTreeMap<String, Vec<Required>>,
    pub(super) rulesets: Vec<Ruleset>,
    /// Branches into which the default branch cannot be merged.
    pub(super) conflicts: BTreeSet<String>,
    pub(super) deployments: Vec<Deployment>,
}

impl Repository {
    pub(super) fn full_name(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }

    pub(super) fn is_named(&self, full_name: &str) -> bool {
        self.full_name().eq_ignore_ascii_case(full_name)
    }
}

#[derive(Clone, Debug)]
pub(super) struct Commit {
    pub(super) sha: String,
    /// Positions of the parents in the repository's commits.
    pub(super) parents: Vec<usize>,
    pub(super) tree: String,
    pub(super) message: String,
    pub(super) author: String,
    pub(super) at: Timestamp,
}

#[derive(Debug)]
pub(super) struct Tag {
    /// The commit it ends at.
    pub(super) commit: String,
    /// The tag object of an annotated tag.
    pub(super) object: Option<String>,
    pub(super) at: Timestamp,
}

#[derive(Debug)]
pub(super) struct Pull {
    pub(super) id: u64,
    pub(super) number: u64,
    pub(super) branch: String,
    pub(super) sha: String,
    /// The default branch's head when it was opened.
    pub(super) base: String,
    pub(super) author: String,
    /// Nothing: it is called by its commit.
    pub(super) title: Option<String>,
    pub(super) body: Option<String>,
    pub(super) draft: bool,
    pub(super) from_fork: bool,
    /// The fork is gone.
    pub(super) orphaned: bool,
    pub(super) open: bool,
    pub(super) merged_at: Option<Timestamp>,
    pub(super) opened_at: Timestamp,
    /// Whether it was asked for before: only then it is known to be mergeable.
    pub(super) computed: bool,
}

#[derive(Debug)]
pub(super) struct Status {
    pub(super) id: u64,
    pub(super) sha: String,
    pub(super) context: String,
    pub(super) state: String,
    pub(super) description: Option<String>,
    pub(super) target_url: Option<String>,
    pub(super) creator: String,
    pub(super) at: Timestamp,
}

#[derive(Debug)]
pub(super) struct Suite {
    pub(super) id: u64,
    pub(super) sha: String,
    pub(super) app: u64,
    pub(super) at: Timestamp,
}

#[derive(Debug)]
pub(super) struct Run {
    pub(super) id: u64,
    pub(super) suite: u64,
    pub(super) app: u64,
    pub(super) sha: String,
    pub(super) name: String,
    pub(super) status: String,
    pub(super) conclusion: Option<String>,
    pub(super) at: Timestamp,
}

/// A required check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Required {
    pub(super) context: String,
    /// The only app that may report it.
    pub(super) app: Option<u64>,
}

#[derive(Debug)]
pub(super) struct Ruleset {
    pub(super) id: u64,
    pub(super) branch: String,
    pub(super) active: bool,
    pub(super) required: Vec<Required>,
    pub(super) at: Timestamp,
}

#[derive(Debug)]
pub(super) struct Deployment {
    pub(super) id: u64,
    pub(super) sha: String,
    pub(super) git_ref: String,
    pub(super) task: String,
    pub(super) payload: Value,
    pub(super) first_environment: String,
    pub(super) environment: String,
    pub(super) description: Option<String>,
    pub(super) creator: String,
    pub(super) transient: bool,
    pub(super) production: bool,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    /// Oldest first.
    pub(super) statuses: Vec<DeploymentStatus>,
}

#[derive(Clone, Debug)]
pub(super) struct DeploymentStatus {
    pub(super) id: u64,
    pub(super) state: String,
    pub(super) description: String,
    pub(super) environment: String,
    pub(super) log_url: String,
    pub(super) environment_url: String,
    pub(super) creator: String,
    pub(super) at: Timestamp,
}
