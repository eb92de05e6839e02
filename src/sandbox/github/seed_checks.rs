//! Filling the simulated GitHub: statuses, check runs, required checks and pull requests.

use jiff::Timestamp;

use super::Github;
use super::world::{Numbers, Pull, Repository, Required, Ruleset, Run, Status, Suite};

/// By what a check is required.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// Branch protection.
    Classic,
    /// A ruleset.
    Ruleset,
}

impl Github {
    /// Reports a status (`success`, `pending`, `failure` or `error`) for a commit or for the head of a branch.
    pub fn set_status(&self, repo: &str, sha_or_branch: &str, context: &str, state: &str) -> Result<(), String> {
        if !["success", "pending", "failure", "error"].contains(&state) {
            return Err(format!("`{state}` is no state of a status"));
        }
        self.change(repo, |repository, numbers, now| {
            let sha = repository.resolve(sha_or_branch).ok_or_else(|| format!("{sha_or_branch} stands for nothing"))?;
            repository.statuses.push(Status {
                id: numbers.fresh(),
                sha,
                context: context.to_owned(),
                state: state.to_owned(),
                description: Some(format!("The state is {state}.")),
                target_url: Some(format!("https://ci.example/{context}")),
                creator: "ci-bot".to_owned(),
                at: now,
            });
            Ok(())
        })
    }

    /// Reports a check run of an app. The same name by the same app again is a rerun: it takes the place of the older one
    /// in the usual list. Status and conclusion are taken as given, so that unknown ones can be tried.
    pub fn add_check_run(
        &self,
        repo: &str,
        sha_or_branch: &str,
        name: &str,
        status: &str,
        conclusion: Option<&str>,
        app_id: u64,
    ) -> Result<(), String> {
        self.change(repo, |repository, numbers, now| {
            let sha = repository.resolve(sha_or_branch).ok_or_else(|| format!("{sha_or_branch} stands for nothing"))?;
            let suite = suite_of(repository, numbers, &sha, app_id, now);
            repository.runs.push(Run {
                id: numbers.fresh(),
                suite,
                app: app_id,
                sha,
                name: name.to_owned(),
                status: status.to_owned(),
                conclusion: conclusion.map(str::to_owned),
                at: now,
            });
            Ok(())
        })
    }

    /// Opens a suite in which nothing ever runs, as GitHub does for every app that may report checks.
    pub fn add_check_suite(&self, repo: &str, sha_or_branch: &str, app_id: u64) -> Result<(), String> {
        self.change(repo, |repository, numbers, now| {
            let sha = repository.resolve(sha_or_branch).ok_or_else(|| format!("{sha_or_branch} stands for nothing"))?;
            suite_of(repository, numbers, &sha, app_id, now);
            Ok(())
        })
    }

    /// Requires exactly these checks on a branch, whoever reports them; the branch need not exist. Replaces what the same
    /// kind of protection required before; with an empty list the branch is protected without checks.
    pub fn require(&self, repo: &str, branch: &str, contexts: &[&str], by: Protection) -> Result<(), String> {
        let required = contexts.iter().map(|context| Required { context: (*context).to_owned(), app: None }).collect();
        self.change(repo, |repository, numbers, now| {
            match by {
                Protection::Classic => {
                    repository.classic.insert(branch.to_owned(), required);
                }
                Protection::Ruleset => {
                    repository.rulesets.retain(|ruleset| ruleset.branch != branch);
                    repository.rulesets.push(Ruleset { id: numbers.fresh(), branch: branch.to_owned(), active: true, required, at: now });
                }
            }
            Ok(())
        })
    }

    /// Adds a ruleset of its own to those of a branch.
    pub fn require_besides(&self, repo: &str, branch: &str, context: &str) -> Result<(), String> {
        let required = vec![Required { context: context.to_owned(), app: None }];
        self.change(repo, |repository, numbers, now| {
            repository.rulesets.push(Ruleset { id: numbers.fresh(), branch: branch.to_owned(), active: true, required, at: now });
            Ok(())
        })
    }

    /// Requires one more check on a branch that is protected already, from one app only.
    pub fn require_from_app(&self, repo: &str, branch: &str, context: &str, app_id: u64, by: Protection) -> Result<(), String> {
        let one = Required { context: context.to_owned(), app: Some(app_id) };
        self.change(repo, |repository, _, _| {
            let list = match by {
                Protection::Classic => repository.classic.get_mut(branch),
                Protection::Ruleset => {
                    repository.rulesets.iter_mut().find(|ruleset| ruleset.branch == branch).map(|ruleset| &mut ruleset.required)
                }
            };
            list.ok_or_else(|| format!("{branch} is not protected so"))?.push(one);
            Ok(())
        })
    }

    /// Takes branch protection and rulesets of a branch away.
    pub fn unprotect(&self, repo: &str, branch: &str) -> Result<(), String> {
        self.change(repo, |repository, _, _| {
            repository.classic.remove(branch);
            repository.rulesets.retain(|ruleset| ruleset.branch != branch);
            Ok(())
        })
    }

    /// Lets the rulesets of a branch only watch: they require nothing any more.
    pub fn evaluate_only(&self, repo: &str, branch: &str) -> Result<(), String> {
        self.change(repo, |repository, _, _| {
            for ruleset in repository.rulesets.iter_mut().filter(|ruleset| ruleset.branch == branch) {
                ruleset.active = false;
            }
            Ok(())
        })
    }

    /// Makes an automatic merge of the default branch into this one fail.
    pub fn conflict(&self, repo: &str, branch: &str) -> Result<(), String> {
        self.change(repo, |repository, _, _| {
            repository.conflicts.insert(branch.to_owned());
            Ok(())
        })
    }

    /// Opens a pull request from a branch to the default branch; answers its head. From a fork the branch need not exist:
    /// the head is a commit that no branch of this repository has.
    pub fn open_pull(&self, repo: &str, number: u64, branch: &str, from_fork: bool) -> Result<String, String> {
        self.change(repo, |repository, numbers, now| {
            if repository.pulls.iter().any(|pull| pull.number == number) {
                return Err(format!("there is a pull request {number} already"));
            }
            let sha = if from_fork {
                let parents: Vec<String> = repository.default_head().into_iter().collect();
                repository.add_commit(&format!("fork:{branch}"), &parents, "A change from a fork", "contributor", now)
            } else {
                repository.branches.get(branch).cloned().ok_or_else(|| format!("no branch {branch}"))?
            };
            let author = repository.commit(&sha).map(|commit| commit.author.clone()).unwrap_or_default();
            repository.pulls.push(Pull {
                id: numbers.fresh(),
                number,
                branch: branch.to_owned(),
                sha: sha.clone(),
                base: repository.default_head().unwrap_or_default(),
                author,
                title: None,
                body: None,
                draft: false,
                from_fork,
                orphaned: false,
                open: true,
                merged_at: None,
                opened_at: now,
                computed: false,
            });
            Ok(sha)
        })
    }

    /// Closes a pull request, merged (its head then counts as brought in by it) or not.
    pub fn close_pull(&self, repo: &str, number: u64, merged: bool) -> Result<(), String> {
        self.change(repo, |repository, _, now| {
            let pull = repository.pulls.iter_mut().find(|pull| pull.number == number);
            let pull = pull.ok_or_else(|| format!("no pull request {number}"))?;
            pull.open = false;
            pull.merged_at = merged.then_some(now);
            Ok(())
        })
    }

    /// Deletes the fork a pull request came from: its `head.repo` is null then.
    pub fn delete_fork(&self, repo: &str, number: u64) -> Result<(), String> {
        self.change(repo, |repository, _, _| {
            let pull = repository.pulls.iter_mut().find(|pull| pull.number == number && pull.from_fork);
            pull.ok_or_else(|| format!("no pull request {number} from a fork"))?.orphaned = true;
            Ok(())
        })
    }
}

fn suite_of(repository: &mut Repository, numbers: &mut Numbers, sha: &str, app: u64, now: Timestamp) -> u64 {
    if let Some(suite) = repository.suites.iter().find(|suite| suite.sha == sha && suite.app == app) {
        return suite.id;
    }
    let id = numbers.fresh();
    repository.suites.push(Suite { id, sha: sha.to_owned(), app, at: now });
    id
}
