//! From what a person names to a repository and a commit.

use http::StatusCode;
use secrecy::SecretString;

use crate::adapters::http::call::Answer;
use crate::adapters::http::scrub;
use crate::domain::names::{CommitSha, RefName, RepoName};
use crate::domain::pipeline::nearest;
use crate::domain::source::{AskedRef, CommitRef, OpenPull, Provenance, Repository, Resolution, Resolved};
use crate::ports::PortError;

use super::GitHub;
use super::refusal::Refusal;
use super::shapes::{Branch, Listed, Named, Object, Pointer, Pull, Ref, RepositoryShape};
use super::wire::{JSON, SHA, Unreadable, json, next_link};

const BRANCH: &str = "/repos/{owner}/{repo}/branches/{branch}";
const TAGS: &str = "/repos/{owner}/{repo}/git/matching-refs/tags/{beginning}";
const REF: &str = "/repos/{owner}/{repo}/git/ref/{ref}";

/// How many tag objects may point at one another.
const TAG_CHAIN: usize = 5;

/// What a branch or a tag points at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pointed {
    /// A commit.
    At(CommitSha),
    /// There is no such branch or tag.
    Nowhere,
    /// There are no commits at all.
    Empty,
}

/// What a hash stands for.
enum Hash {
    One(CommitSha),
    None,
    Several,
    Empty,
}

impl GitHub {
    pub(super) async fn find_repository(&self, token: &SecretString, name: &RepoName) -> Result<Repository, PortError> {
        let path = "/repos/{owner}/{repo}";
        let before = self.described.before();
        let shape: RepositoryShape = match self.get(token, self.at(name, []), path).await {
            Ok(shape) => shape,
            Err(refusal) => {
                if !refusal.error.is_temporary() {
                    self.described.forget_one(token, name);
                }
                return Err(refusal.into());
            }
        };
        let strange = |_| Refusal::nonsense(path, "a name in it is none");
        let present = RepoName::parse(&shape.full_name).map_err(strange)?;
        let default_branch = RefName::parse(&shape.default_branch).map_err(strange)?;
        let web_url = shape.html_url.as_deref().and_then(scrub::link);
        let repository = Repository {
            web_url: web_url.unwrap_or_else(|| self.settings.web.at([present.owner(), present.name()]).into()),
            name: present,
            default_branch,
            may_deploy: shape.permissions.and_then(|permissions| permissions.push),
            archived: shape.archived,
        };
        self.described.learn(token, name, &repository, before);
        Ok(repository)
    }

    pub(super) async fn find_commit(
        &self,
        token: &SecretString,
        repository: &Repository,
        asked: &AskedRef,
    ) -> Result<Resolution, PortError> {
        match asked {
            AskedRef::Default => {
                let branch = &repository.default_branch;
                Ok(match self.branch(token, &repository.name, branch).await? {
                    Pointed::At(commit) => found(commit, CommitRef::Branch(branch.clone()), Provenance::Repository),
                    // Only the ref itself tells an empty repository from a branch that is not there.
                    Pointed::Nowhere | Pointed::Empty => match self.exactly(token, &repository.name, "heads", branch).await? {
                        Pointed::At(_) | Pointed::Nowhere => Resolution::Unknown { nearest: None },
                        Pointed::Empty => Resolution::EmptyRepository,
                    },
                })
            }
            AskedRef::Named(name) => self.find_named(token, repository, name).await,
            AskedRef::Pull(number) => Ok(match self.pull(token, &repository.name, *number).await? {
                Some((commit, branch, provenance)) => found(commit, CommitRef::Pull { number: *number, branch }, provenance),
                None => Resolution::Unknown { nearest: None },
            }),
            AskedRef::Pinned { of, commit } => self.find_pinned(token, repository, of, commit).await,
        }
    }

    async fn find_named(&self, token: &SecretString, repository: &Repository, name: &RefName) -> Result<Resolution, PortError> {
        let branch = self.branch(token, &repository.name, name).await?;
        let tag = self.tag(token, &repository.name, name).await?;
        Ok(match (branch, tag) {
            (Pointed::Empty, _) | (_, Pointed::Empty) => Resolution::EmptyRepository,
            (Pointed::At(branch), Pointed::At(tag)) if branch != tag => Resolution::BranchAndTag { branch, tag },
            (Pointed::At(commit), Pointed::At(_) | Pointed::Nowhere) => {
                found(commit, CommitRef::Branch(name.clone()), Provenance::Repository)
            }
            (Pointed::Nowhere, Pointed::At(commit)) => found(commit, CommitRef::Tag(name.clone()), Provenance::Repository),
            (Pointed::Nowhere, Pointed::Nowhere) => match self.hash(token, &repository.name, name.as_str()).await? {
                Hash::One(commit) => {
                    let provenance = self.provenance(token, repository, &commit).await?;
                    found(commit, CommitRef::Commit, provenance)
                }
                Hash::Several => Resolution::AmbiguousHash,
                Hash::Empty => Resolution::EmptyRepository,
                Hash::None => Resolution::Unknown { nearest: self.nearest_branch(token, &repository.name, name).await },
            },
        })
    }

    async fn find_pinned(
        &self,
        token: &SecretString,
        repository: &Repository,
        of: &CommitRef,
        commit: &CommitSha,
    ) -> Result<Resolution, PortError> {
        let (head, named_by, provenance) = match of {
            CommitRef::Branch(name) => (self.branch(token, &repository.name, name).await?, of.clone(), Provenance::Repository),
            CommitRef::Tag(name) => (self.tag(token, &repository.name, name).await?, of.clone(), Provenance::Repository),
            CommitRef::Pull { number, .. } => match self.pull(token, &repository.name, *number).await? {
                Some((head, branch, provenance)) => (Pointed::At(head), CommitRef::Pull { number: *number, branch }, provenance),
                None => return Ok(Resolution::Unknown { nearest: None }),
            },
            CommitRef::Commit => match self.hash(token, &repository.name, commit.as_str()).await? {
                Hash::One(same) => {
                    let provenance = self.provenance(token, repository, &same).await?;
                    (Pointed::At(same), CommitRef::Commit, provenance)
                }
                Hash::None | Hash::Several | Hash::Empty => (Pointed::Nowhere, CommitRef::Commit, Provenance::Unreachable),
            },
        };
        let contained = match &head {
            Pointed::At(head) => self.contains(token, &repository.name, head, commit).await?,
            Pointed::Nowhere | Pointed::Empty => false,
        };
        Ok(if contained { found(commit.clone(), named_by, provenance) } else { Resolution::Unknown { nearest: None } })
    }

    pub(super) async fn pointed_at(
        &self,
        token: &SecretString,
        repository: &RepoName,
        named_by: &CommitRef,
    ) -> Result<Option<CommitSha>, PortError> {
        let pointed = match named_by {
            CommitRef::Branch(name) => self.branch(token, repository, name).await?,
            CommitRef::Tag(name) => self.tag(token, repository, name).await?,
            CommitRef::Pull { number, .. } => return Ok(self.pull(token, repository, *number).await?.map(|(head, _, _)| head)),
            CommitRef::Commit => return Ok(None),
        };
        Ok(match pointed {
            Pointed::At(commit) => Some(commit),
            Pointed::Nowhere | Pointed::Empty => None,
        })
    }

    /// The head of a branch. Read together with what protects it: that is asked for as well, and so costs nothing more.
    pub(super) async fn branch(&self, token: &SecretString, repository: &RepoName, name: &RefName) -> Result<Pointed, Refusal> {
        let before = self.lineage.before();
        let branch: Branch = match self.get(token, self.at(repository, ["branches", name.as_str()]), BRANCH).await {
            Ok(branch) => branch,
            Err(refusal) if refusal.is(StatusCode::NOT_FOUND) => return Ok(Pointed::Nowhere),
            Err(refusal) => return Err(refusal),
        };
        // A branch that was renamed leads to its new name, which nobody has asked for.
        if branch.name.is_some_and(|found| found != name.as_str()) {
            return Ok(Pointed::Nowhere);
        }
        let head = branch.commit.and_then(|tip| CommitSha::parse(&tip.sha).ok().map(|head| (head, tip)));
        let (head, tip) = head.ok_or_else(|| Refusal::nonsense(BRANCH, "the commit is no hash"))?;
        self.lineage.learn(token, &head, tip, before);
        Ok(Pointed::At(head))
    }

    /// What a tag points at. Asked for with all that begin so: that there is none is an answer which can be kept.
    async fn tag(&self, token: &SecretString, repository: &RepoName, name: &RefName) -> Result<Pointed, Refusal> {
        let url = self.at(repository, ["git", "matching-refs", "tags", name.as_str()]);
        let (refs, answer) = match self.read(token, url, TAGS, JSON, json::<Vec<Ref>>).await {
            Ok(read) => read,
            Err(refusal) if refusal.is(StatusCode::CONFLICT) => return Ok(Pointed::Empty),
            Err(refusal) if refusal.too_long => return self.exactly(token, repository, "tags", name).await,
            Err(refusal) if refusal.is(StatusCode::NOT_FOUND) || refusal.is(StatusCode::UNPROCESSABLE_ENTITY) => {
                return Ok(Pointed::Nowhere);
            }
            Err(refusal) => return Err(refusal),
        };
        let wanted = format!("refs/tags/{name}");
        match refs.into_iter().find(|found| found.name == wanted) {
            Some(found) => self.peeled(token, repository, found.object).await,
            None if next_link(&answer).is_some() => self.exactly(token, repository, "tags", name).await,
            None => Ok(Pointed::Nowhere),
        }
    }

    /// What the ref of exactly this name points at, a branch (`heads`) or a tag (`tags`).
    async fn exactly(&self, token: &SecretString, repository: &RepoName, kind: &'static str, name: &RefName) -> Result<Pointed, Refusal> {
        let url = self.at(repository, ["git", "ref", kind, name.as_str()]);
        match self.get::<Pointer>(token, url, REF).await {
            Ok(pointer) => self.peeled(token, repository, pointer.object).await,
            Err(refusal) if refusal.is(StatusCode::NOT_FOUND) || refusal.is(StatusCode::UNPROCESSABLE_ENTITY) => Ok(Pointed::Nowhere),
            Err(refusal) if refusal.is(StatusCode::CONFLICT) => Ok(Pointed::Empty),
            Err(refusal) => Err(refusal),
        }
    }

    /// The commit of an object: tag objects are followed to theirs.
    async fn peeled(&self, token: &SecretString, repository: &RepoName, mut object: Object) -> Result<Pointed, Refusal> {
        for _ in 0..TAG_CHAIN {
            match object.kind.as_str() {
                "commit" => {
                    return CommitSha::parse(&object.sha).map(Pointed::At).map_err(|_| Refusal::nonsense(REF, "the commit is no hash"));
                }
                "tag" => {
                    let url = self.at(repository, ["git", "tags", object.sha.as_str()]);
                    object = self.get::<Pointer>(token, url, "/repos/{owner}/{repo}/git/tags/{sha}").await?.object;
                }
                // A tag of a tree or a blob cannot be shipped.
                _ => return Ok(Pointed::Nowhere),
            }
        }
        Ok(Pointed::Nowhere)
    }

    /// The head of a pull request: commit, branch, and whether the branch is the repository's own.
    async fn pull(
        &self,
        token: &SecretString,
        repository: &RepoName,
        number: u64,
    ) -> Result<Option<(CommitSha, RefName, Provenance)>, Refusal> {
        let path = "/repos/{owner}/{repo}/pulls/{number}";
        let pull: Pull = match self.get(token, self.at(repository, ["pulls", &number.to_string()]), path).await {
            Ok(pull) => pull,
            Err(refusal) if refusal.is(StatusCode::NOT_FOUND) => return Ok(None),
            Err(refusal) => return Err(refusal),
        };
        let strange = |_| Refusal::nonsense(path, "a name in it is none");
        let provenance = if is_own(&pull) { Provenance::Repository } else { Provenance::Fork };
        Ok(Some((CommitSha::parse(&pull.head.sha).map_err(strange)?, RefName::parse(&pull.head.name).map_err(strange)?, provenance)))
    }

    /// The commit of a full or short hash.
    async fn hash(&self, token: &SecretString, repository: &RepoName, text: &str) -> Result<Hash, Refusal> {
        let text = text.to_ascii_lowercase();
        if !(7..=64).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(Hash::None);
        }
        let url = self.at(repository, ["commits", text.as_str()]);
        match self.read(token, url, "/repos/{owner}/{repo}/commits/{ref}", SHA, bare_hash).await {
            // Whatever else might be called so is not what a hash means.
            Ok((commit, _)) if commit.as_str().starts_with(&text) => Ok(Hash::One(commit)),
            Ok(_) => Ok(Hash::None),
            Err(refusal) if refusal.is(StatusCode::CONFLICT) => Ok(Hash::Empty),
            Err(refusal) if refusal.is(StatusCode::UNPROCESSABLE_ENTITY) || refusal.is(StatusCode::NOT_FOUND) => {
                let said = refusal.error.said.unwrap_or_default().to_ascii_lowercase();
                Ok(if said.contains("ambiguous") || said.contains("multiple") { Hash::Several } else { Hash::None })
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// A branch that is spelled alike, among the first hundred. Not finding out is no fault.
    async fn nearest_branch(&self, token: &SecretString, repository: &RepoName, name: &RefName) -> Option<RefName> {
        let branches = self.first_branches(token, repository).await.ok()?;
        let near = nearest(name.as_str(), branches.iter().map(RefName::as_str))?;
        RefName::parse(near).ok()
    }

    /// The first hundred branches; names that none can have are left out.
    pub(super) async fn first_branches(&self, token: &SecretString, repository: &RepoName) -> Result<Vec<RefName>, PortError> {
        let mut url = self.at(repository, ["branches"]);
        url.query_pairs_mut().append_pair("per_page", "100");
        let branches: Vec<Named> = self.get(token, url, "/repos/{owner}/{repo}/branches").await?;
        Ok(branches.iter().filter_map(|branch| RefName::parse(&branch.name).ok()).collect())
    }

    /// The first hundred tags; names that none can have are left out. Asked once.
    pub(super) async fn first_tags(&self, token: &SecretString, repository: &RepoName) -> Result<Vec<RefName>, PortError> {
        let mut url = self.at(repository, ["tags"]);
        url.query_pairs_mut().append_pair("per_page", "100");
        let (tags, _) = self.read_once(token, url, "/repos/{owner}/{repo}/tags", JSON, json::<Vec<Named>>).await?;
        Ok(tags.iter().filter_map(|tag| RefName::parse(&tag.name).ok()).collect())
    }

    /// The hundred open pull requests that changed last. Asked once.
    pub(super) async fn open_pulls(&self, token: &SecretString, repository: &RepoName) -> Result<Vec<OpenPull>, PortError> {
        let mut url = self.at(repository, ["pulls"]);
        url.query_pairs_mut().extend_pairs([("state", "open"), ("sort", "updated"), ("direction", "desc"), ("per_page", "100")]);
        let (pulls, _) = self.read_once(token, url, "/repos/{owner}/{repo}/pulls", JSON, json::<Vec<Listed>>).await?;
        let open = |pull: Listed| OpenPull { number: pull.number, title: pull.title, branch: pull.head.name };
        Ok(pulls.into_iter().map(open).collect())
    }
}

/// Whether a pull request comes from the repository it goes to. A deleted fork is a fork.
pub(super) fn is_own(pull: &Pull) -> bool {
    matches!((&pull.head.repo, &pull.base.repo), (Some(head), Some(base)) if head.id == base.id)
}

fn found(commit: CommitSha, named_by: CommitRef, provenance: Provenance) -> Resolution {
    Resolution::Found(Resolved { commit, named_by, provenance })
}

/// Reads a bare hash, or the hash of a whole commit where the short form is not known.
fn bare_hash(answer: &Answer) -> Result<CommitSha, Unreadable> {
    let text = String::from_utf8_lossy(&answer.body);
    let text = text.trim();
    if !text.starts_with('{') {
        // Cut off, or a page of somebody in between: it may come whole the next time.
        return CommitSha::parse(text).map_err(|_| Unreadable::Broken);
    }
    let commit: serde_json::Value = json(answer)?;
    let sha = commit.get("sha").and_then(serde_json::Value::as_str).unwrap_or_default();
    CommitSha::parse(sha).map_err(|_| Unreadable::Strange("it is no hash".to_owned()))
}
