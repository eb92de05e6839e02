//! Filling the simulated GitHub: people, repositories, branches and tags.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::Github;
use super::graph::made_up_sha;
use super::world::{Budget, Numbers, Repository, Tag, Token};

/// A repository to begin with; it is empty until something is pushed.
#[derive(Clone, Copy, Debug)]
pub struct RepoSeed<'a> {
    /// Owner and name, like `acme/hubot`.
    pub name: &'a str,
    /// Hidden from everybody without a grant; a public one can be read by all.
    pub private: bool,
    /// The default branch.
    pub default_branch: &'a str,
}

/// What a person may do in a repository; each includes the ones before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// See everything.
    Read,
    /// Push, and make deployments and statuses.
    Write,
    /// See and change protection.
    Admin,
}

impl Github {
    /// Gives a person a token. Several for one person are fine; a token given again is a new person's.
    pub fn add_user(&self, token: &str, login: &str) {
        let entry = Token { login: login.to_owned(), revoked: false, budget: Budget::default(), given_out: None };
        self.lock().tokens.insert(token.to_owned(), entry);
    }

    /// From now on the token is refused.
    pub fn revoke_token(&self, token: &str) -> Result<(), String> {
        let mut world = self.lock();
        let entry = world.tokens.get_mut(token).ok_or("no such token")?;
        entry.revoked = true;
        Ok(())
    }

    /// Leaves a token `remaining` requests in its current hour.
    pub fn set_remaining(&self, token: &str, remaining: u32) -> Result<(), String> {
        let now = self.now();
        let mut world = self.lock();
        let entry = world.tokens.get_mut(token).ok_or("no such token")?;
        entry.budget.turn(now);
        entry.budget.used = super::guard::HOURLY.saturating_sub(remaining);
        Ok(())
    }

    /// Makes a repository; answers its id, which stays when it is renamed.
    pub fn add_repository(&self, seed: RepoSeed<'_>) -> Result<u64, String> {
        let now = self.now();
        let mut world = self.lock();
        let (owner, name) = seed.name.split_once('/').ok_or_else(|| format!("`{}` is not OWNER/NAME", seed.name))?;
        if world.repositories.iter().any(|repository| repository.is_named(seed.name)) {
            return Err(format!("{} exists already", seed.name));
        }
        let id = world.numbers.fresh();
        world.repositories.push(Repository {
            id,
            owner: owner.to_owned(),
            name: name.to_owned(),
            first_name: seed.name.to_owned(),
            private: seed.private,
            default_branch: seed.default_branch.to_owned(),
            archived: false,
            saml: false,
            walled: false,
            partial: false,
            on_free_plan: false,
            archive_size: 0,
            created_at: now,
            pushed_at: now,
            grants: BTreeMap::new(),
            commits: Vec::new(),
            branches: BTreeMap::new(),
            counters: BTreeMap::new(),
            tags: BTreeMap::new(),
            pulls: Vec::new(),
            statuses: Vec::new(),
            suites: Vec::new(),
            runs: Vec::new(),
            classic: BTreeMap::new(),
            rulesets: Vec::new(),
            conflicts: BTreeSet::new(),
            deployments: Vec::new(),
        });
        Ok(id)
    }

    /// Lets a person do something in a repository; replaces what they could do before.
    pub fn grant(&self, login: &str, repo: &str, permission: Permission) -> Result<(), String> {
        self.change(repo, |repository, _, _| {
            repository.grants.insert(login.to_lowercase(), permission);
            Ok(())
        })
    }

    /// Takes a person's rights in a repository away.
    pub fn withdraw(&self, login: &str, repo: &str) -> Result<(), String> {
        self.change(repo, |repository, _, _| {
            repository.grants.remove(&login.to_lowercase()).map(|_| ()).ok_or_else(|| format!("{login} had no grant"))
        })
    }

    /// Adds a commit to a branch; a new branch begins at the default branch's head. Answers the commit's hash, which is
    /// the same in every run: it is made from the repository's first name, the branch and a count.
    pub fn push(&self, repo: &str, branch: &str, message: &str, author: &str) -> Result<String, String> {
        self.change(repo, |repository, _, now| {
            let parent = repository.branches.get(branch).cloned().or_else(|| repository.default_head());
            let parents: Vec<String> = parent.into_iter().collect();
            let sha = repository.add_commit(branch, &parents, message, author, now);
            repository.move_branch(branch, &sha);
            Ok(sha)
        })
    }

    /// Points a branch, new or not, at an existing commit, as a forced push does.
    pub fn point(&self, repo: &str, branch: &str, at: &str) -> Result<String, String> {
        self.change(repo, |repository, _, now| {
            let sha = repository.resolve(at).ok_or_else(|| format!("{at} stands for nothing"))?;
            repository.move_branch(branch, &sha);
            repository.pushed_at = now;
            Ok(sha)
        })
    }

    /// Merges one branch into another and answers the merge commit.
    pub fn merge(&self, repo: &str, from: &str, into: &str, author: &str) -> Result<String, String> {
        self.change(repo, |repository, _, now| {
            let theirs = repository.branches.get(from).cloned().ok_or_else(|| format!("no branch {from}"))?;
            let ours = repository.branches.get(into).cloned().ok_or_else(|| format!("no branch {into}"))?;
            let sha = repository.add_commit(into, &[ours, theirs], &format!("Merge {from} into {into}"), author, now);
            repository.move_branch(into, &sha);
            Ok(sha)
        })
    }

    /// The head of a branch.
    pub fn head(&self, repo: &str, branch: &str) -> Option<String> {
        let world = self.lock();
        world.repositories.iter().find(|repository| repository.is_named(repo))?.branches.get(branch).cloned()
    }

    /// Deletes a branch; its open pull requests are closed. The commits stay.
    pub fn delete_branch(&self, repo: &str, branch: &str) -> Result<(), String> {
        self.change(repo, |repository, _, _| if repository.drop_branch(branch) { Ok(()) } else { Err(format!("no branch {branch}")) })
    }

    /// Makes or moves a tag; answers the hash its ref shows: of the tag object for an annotated one, else of the commit.
    pub fn tag(&self, repo: &str, tag: &str, branch_or_sha: &str, annotated: bool) -> Result<String, String> {
        self.change(repo, |repository, _, now| {
            let commit = repository.resolve(branch_or_sha).ok_or_else(|| format!("{branch_or_sha} stands for nothing"))?;
            let object = annotated.then(|| made_up_sha(&format!("{}|tag|{tag}|{commit}", repository.first_name)));
            let shown = object.clone().unwrap_or_else(|| commit.clone());
            repository.tags.insert(tag.to_owned(), Tag { commit, object, at: now });
            Ok(shown)
        })
    }

    /// Makes a repository read-only.
    pub fn archive_repository(&self, repo: &str) -> Result<(), String> {
        self.change(repo, |repository, _, _| {
            repository.archived = true;
            Ok(())
        })
    }

    /// Gives a repository a new `OWNER/NAME`; the old one redirects to the numeric address.
    pub fn rename_repository(&self, from: &str, to: &str) -> Result<(), String> {
        let (owner, name) = to.split_once('/').ok_or_else(|| format!("`{to}` is not OWNER/NAME"))?;
        if !from.eq_ignore_ascii_case(to) && self.lock().repositories.iter().any(|repository| repository.is_named(to)) {
            return Err(format!("{to} exists already"));
        }
        let id = self.change(from, |repository, _, _| {
            repository.owner = owner.to_owned();
            repository.name = name.to_owned();
            Ok(repository.id)
        })?;
        let mut world = self.lock();
        world.moved.retain(|(name, _)| *name != to.to_lowercase());
        world.moved.push((from.to_lowercase(), id));
        Ok(())
    }

    /// Another branch of the repository is the default one from now on.
    pub fn make_default(&self, repo: &str, branch: &str) -> Result<(), String> {
        self.change(repo, |repository, _, _| {
            if !repository.branches.contains_key(branch) {
                return Err(format!("{repo} has no branch {branch}"));
            }
            branch.clone_into(&mut repository.default_branch);
            Ok(())
        })
    }

    /// Whether the repository's organisation demands single sign-on, from now on; no token has it.
    pub fn require_saml(&self, repo: &str, is: bool) -> Result<(), String> {
        self.change(repo, |repository, _, _| {
            repository.saml = is;
            Ok(())
        })
    }

    /// Whether the repository's organisation lets no OAuth app in, from now on.
    pub fn shut_out_apps(&self, repo: &str, is: bool) -> Result<(), String> {
        self.change(repo, |repository, _, _| {
            repository.walled = is;
            Ok(())
        })
    }

    /// A part of the repository's lists is hidden behind single sign-on from now on, which a header tells.
    pub fn hide_a_part(&self, repo: &str) -> Result<(), String> {
        self.change(repo, |repository, _, _| {
            repository.partial = true;
            Ok(())
        })
    }

    /// The repository is on a plan that has no rulesets from now on.
    pub fn free_plan(&self, repo: &str) -> Result<(), String> {
        self.change(repo, |repository, _, _| {
            repository.on_free_plan = true;
            Ok(())
        })
    }

    /// Makes the repository's archives at least this many bytes long.
    pub fn archive_size(&self, repo: &str, bytes: u64) -> Result<(), String> {
        self.change(repo, |repository, _, _| {
            repository.archive_size = bytes;
            Ok(())
        })
    }

    /// Changes a repository under its current name.
    pub(super) fn change<T>(
        &self,
        repo: &str,
        change: impl FnOnce(&mut Repository, &mut Numbers, Timestamp) -> Result<T, String>,
    ) -> Result<T, String> {
        let now = self.now();
        let mut world = self.lock();
        let world = &mut *world;
        let found = world.repositories.iter_mut().find(|repository| repository.is_named(repo));
        change(found.ok_or_else(|| format!("no repository {repo}"))?, &mut world.numbers, now)
    }
}
