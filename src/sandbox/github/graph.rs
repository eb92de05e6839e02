//! Commits and how they hang together.

use std::collections::BTreeSet;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::world::{Commit, Repository};

/// The first 40 hexadecimal digits of a digest: looks like a commit's hash and is always the same for the same words.
pub(super) fn made_up_sha(words: &str) -> String {
    hex(&Sha256::digest(words.as_bytes())).chars().take(40).collect()
}

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        if write!(text, "{byte:02x}").is_err() {
            text.clear();
        }
        text
    })
}

/// How a head stands to a base.
#[derive(Debug)]
pub(super) struct Standing {
    /// Positions of the commits that only the head has, oldest first.
    pub(super) ahead: Vec<usize>,
    pub(super) behind: usize,
    pub(super) merge_base: usize,
}

impl Repository {
    pub(super) fn position(&self, sha: &str) -> Option<usize> {
        self.commits.iter().position(|commit| commit.sha == sha)
    }

    pub(super) fn commit(&self, sha: &str) -> Option<&Commit> {
        self.commits.iter().find(|commit| commit.sha == sha)
    }

    pub(super) fn default_head(&self) -> Option<String> {
        self.branches.get(&self.default_branch).cloned()
    }

    /// A hash that nothing in this repository has had, the same in every run.
    pub(super) fn next_sha(&mut self, line: &str) -> String {
        let count = self.counters.entry(line.to_owned()).or_default();
        *count = count.saturating_add(1);
        made_up_sha(&format!("{}|{line}|{count}", self.first_name))
    }

    /// Adds a commit; parents that do not exist are left out.
    pub(super) fn add_commit(&mut self, line: &str, parents: &[String], message: &str, author: &str, at: Timestamp) -> String {
        let sha = self.next_sha(line);
        let parents = parents.iter().filter_map(|parent| self.position(parent)).collect();
        let tree = made_up_sha(&format!("tree|{sha}"));
        self.commits.push(Commit { sha: sha.clone(), parents, tree, message: message.to_owned(), author: author.to_owned(), at });
        self.pushed_at = at;
        sha
    }

    /// Moves a branch, and the open pull requests from it along.
    pub(super) fn move_branch(&mut self, branch: &str, sha: &str) {
        self.branches.insert(branch.to_owned(), sha.to_owned());
        for pull in self.pulls.iter_mut().filter(|pull| pull.open && !pull.from_fork && pull.branch == branch) {
            pull.sha = sha.to_owned();
        }
    }

    /// Deletes a branch, and closes the open pull requests from it; whether it was there.
    pub(super) fn drop_branch(&mut self, branch: &str) -> bool {
        for pull in self.pulls.iter_mut().filter(|pull| !pull.from_fork && pull.branch == branch) {
            pull.open = false;
        }
        self.branches.remove(branch).is_some()
    }

    /// The commit and everything before it, as positions.
    pub(super) fn ancestors(&self, from: usize) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        let mut open = vec![from];
        while let Some(at) = open.pop() {
            if found.insert(at) {
                open.extend(self.commits.get(at).map(|commit| commit.parents.clone()).unwrap_or_default());
            }
        }
        found
    }

    /// Whether `sha` is `head` or lies before it.
    pub(super) fn contains(&self, head: &str, sha: &str) -> bool {
        match (self.position(head), self.position(sha)) {
            (Some(head), Some(sha)) => self.ancestors(head).contains(&sha),
            (None, _) | (_, None) => false,
        }
    }

    /// How `head` stands to `base`; nothing if they have nothing in common.
    pub(super) fn standing(&self, base: &str, head: &str) -> Option<Standing> {
        let of_base = self.ancestors(self.position(base)?);
        let of_head = self.ancestors(self.position(head)?);
        // Commits stand in the order they were made, so the last common one has no common descendant.
        let merge_base = *of_base.intersection(&of_head).max()?;
        Some(Standing { ahead: of_head.difference(&of_base).copied().collect(), behind: of_base.difference(&of_head).count(), merge_base })
    }

    /// What a ref stands for: `heads/x`, `tags/x`, a branch, a tag, a full hash, or the unique beginning of one.
    pub(super) fn resolve(&self, text: &str) -> Option<String> {
        if text == "HEAD" {
            return self.default_head();
        }
        let text = text.strip_prefix("refs/").unwrap_or(text);
        if let Some(sha) = text.strip_prefix("heads/").and_then(|name| self.branches.get(name)) {
            return Some(sha.clone());
        }
        if let Some(tag) = text.strip_prefix("tags/").and_then(|name| self.tags.get(name)) {
            return Some(tag.commit.clone());
        }
        if let Some(sha) = self.branches.get(text) {
            return Some(sha.clone());
        }
        if let Some(tag) = self.tags.get(text) {
            return Some(tag.commit.clone());
        }
        if text.len() < 4 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let beginning = text.to_ascii_lowercase();
        let mut fitting = self.commits.iter().filter(|commit| commit.sha.starts_with(&beginning));
        match (fitting.next(), fitting.next()) {
            (Some(only), None) => Some(only.sha.clone()),
            (None, _) | (Some(_), Some(_)) => None,
        }
    }

    /// The full name of a ref as archive links have it; a hash stays a hash.
    pub(super) fn expanded(&self, text: &str) -> String {
        let plain = text.strip_prefix("refs/").unwrap_or(text);
        let plain = plain.strip_prefix("heads/").unwrap_or(plain);
        if self.branches.contains_key(plain) {
            return format!("refs/heads/{plain}");
        }
        let plain = plain.strip_prefix("tags/").unwrap_or(plain);
        if self.tags.contains_key(plain) {
            return format!("refs/tags/{plain}");
        }
        self.resolve(text).unwrap_or_else(|| text.to_owned())
    }
}
