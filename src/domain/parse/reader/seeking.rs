//! The words of `where` and `diff`: a pipeline, or a change wherever it may be.

use crate::domain::command::{Command, Limit, Seek, Stretch, Terms, Where};
use crate::domain::names::{RefName, RepoName};
use crate::domain::pipeline::{Destination, Environment};
use crate::domain::source::AskedRef;

use super::{ENVIRONMENTS, Misunderstood, PageOf, Reader, is_because, is_preposition, nearest, page_of};

const A_PLACE_OR_CHANGE: &str = "a pipeline, a commit, the `#123` of a pull request or a link to one";
const AN_ENVIRONMENT_OR_RELEASE: &str = "an environment, or a release as `v12`";
const A_LIMIT: &str = "an environment, a branch, a tag, a commit or the `#123` of a pull request";

impl Reader<'_> {
    /// A pipeline, a change in one, or a change alone.
    pub(in crate::domain::parse) fn seek(&mut self) -> Result<Seek, Misunderstood> {
        let Some(word) = self.words.peek().cloned() else { return Err(self.missing(A_PLACE_OR_CHANGE, None)) };
        if let Some(page) = page_of(&word.said) {
            self.words.next();
            let repository = repository_of(&word.said);
            let what = match page {
                PageOf::Pull(number) => AskedRef::Pull(number),
                PageOf::Commit(name) | PageOf::Ref(name) => {
                    AskedRef::Named(RefName::parse(&name).map_err(|_| self.wrong(word.at.clone(), A_PLACE_OR_CHANGE, None))?)
                }
            };
            return Ok(Seek::Change { what, repository });
        }
        if let Some(number) = word.said.strip_prefix('#') {
            self.words.next();
            let number = number.parse().ok().filter(|number| *number > 0 && word.said.bytes().skip(1).all(|byte| byte.is_ascii_digit()));
            return match number {
                Some(number) => Ok(Seek::Change { what: AskedRef::Pull(number), repository: None }),
                None => Err(self.wrong(word.at, "the number of a pull request, as in `#123`", None)),
            };
        }
        if is_hash(&word.said) {
            self.words.next();
            let name = RefName::parse(&word.lower()).map_err(|_| self.wrong(word.at.clone(), A_PLACE_OR_CHANGE, None))?;
            return Ok(Seek::Change { what: AskedRef::Named(name), repository: None });
        }
        let (word, pipeline, rest) = self.key()?;
        match rest {
            None => Ok(Seek::Pipeline(pipeline)),
            Some(at) => Ok(Seek::InPipeline { what: self.asked_ref(&word, at)?, pipeline }),
        }
    }

    /// Where to go back, and to which release.
    pub(in crate::domain::parse) fn rollback(&mut self) -> Result<Command, Misunderstood> {
        let pipeline = self.pipeline()?;
        let (mut place, mut to) = (None, None);
        while self.words.peek().is_some_and(is_preposition) {
            let Some(preposition) = self.words.next() else { break };
            let Some(word) = self.words.peek().cloned() else { return Err(self.missing(AN_ENVIRONMENT_OR_RELEASE, Some("v12"))) };
            match version(&word.said) {
                Some(version) if to.is_none() => {
                    self.words.next();
                    to = Some(version);
                }
                None if place.is_none() => place = Some(self.named_place()?),
                Some(_) | None => return Err(self.wrong(preposition.at, "`because WHY`, a one-time code or nothing more", None)),
            }
        }
        let because = self.because(false)?;
        match self.words.peek().cloned() {
            None => Ok(Command::Rollback { place: Where { pipeline, place }, to, because, terms: Terms::default() }),
            Some(word) => {
                let lower = word.lower();
                let near = if version(&lower).is_some() {
                    Some(format!("to {lower}"))
                } else {
                    Environment::from_word(&lower).map(|_| format!("in {lower}"))
                };
                let near = near.or_else(|| nearest(&lower, ["in", "to", "because"]).map(str::to_owned));
                Err(self.wrong(word.at, "`in ENV`, `to vN`, `because WHY`, a one-time code or nothing more", near.as_deref()))
            }
        }
    }

    /// What to promote.
    pub(in crate::domain::parse) fn promote(&mut self, passing_checks: bool) -> Result<Command, Misunderstood> {
        let pipeline = self.pipeline()?;
        let (mut from, mut to) = (None, None);
        loop {
            if from.is_none() && self.words.next_if(|word| word.lower() == "from").is_some() {
                from = Some(self.named_place()?);
            } else if to.is_none() && self.words.next_if(is_preposition).is_some() {
                to = Some(self.destination()?);
            } else {
                break;
            }
        }
        let near_end = self.words.peek().is_none_or(is_because);
        let because = if near_end { self.because(passing_checks)? } else { None };
        match self.words.peek().cloned() {
            None => Ok(Command::Promote { pipeline, from, to, passing_checks, because, terms: Terms::default() }),
            Some(word) => {
                let lower = word.lower();
                let first = lower.split('/').next().unwrap_or_default();
                let near = match Environment::from_word(first) {
                    Some(_) => Some(format!("to {lower}")),
                    None => nearest(&lower, ["from", "to", "because"]).map(str::to_owned),
                };
                let expected = "`from ENV`, `to ENV`, `because WHY`, a one-time code or nothing more";
                Err(self.wrong(word.at, expected, near.as_deref()))
            }
        }
    }

    /// A place or all places of an environment.
    fn destination(&mut self) -> Result<Destination, Misunderstood> {
        let every = self.words.peek().and_then(|word| Environment::from_word(word.lower().strip_suffix("/*")?));
        match every {
            Some(every_app_of) => {
                self.words.next();
                Ok(Destination::Every { every_app_of })
            }
            None => self.named_place().map(Destination::One),
        }
    }

    /// A pipeline and what to compare in it.
    pub(in crate::domain::parse) fn stretch(&mut self) -> Result<Stretch, Misunderstood> {
        let (word, pipeline, rest) = self.key()?;
        let mut to = match rest {
            None => None,
            Some(at) => Some(Limit::Ref(self.asked_ref(&word, at)?)),
        };
        let mut from = None;
        loop {
            if from.is_none() && self.words.next_if(|word| word.lower() == "from").is_some() {
                from = Some(self.named_place()?);
            } else if to.is_none() && self.words.next_if(is_preposition).is_some() {
                to = Some(self.limit()?);
            } else {
                break;
            }
        }
        match self.words.peek().cloned() {
            None => Ok(Stretch { pipeline, from, to }),
            Some(word) => {
                let lower = word.lower();
                let first = lower.split('/').next().unwrap_or_default();
                let near = match Environment::from_word(first) {
                    Some(_) => Some(format!("to {lower}")),
                    None => nearest(&lower, ["from", "to"]).map(str::to_owned),
                };
                Err(self.wrong(word.at, "`from ENV`, `to ENV`, `to REF` or nothing more", near.as_deref()))
            }
        }
    }

    fn limit(&mut self) -> Result<Limit, Misunderstood> {
        let Some(word) = self.words.peek().cloned() else { return Err(self.missing(A_LIMIT, None)) };
        let first = word.said.split('/').next().unwrap_or_default().to_lowercase();
        if Environment::from_word(&first).is_some() {
            return self.named_place().map(Limit::Place);
        }
        self.words.next();
        if is_because(&word) {
            return Err(self.wrong(word.at, A_LIMIT, None));
        }
        if let Some(digits) = word.said.strip_prefix('#') {
            let number = digits.parse().ok().filter(|number| *number > 0 && digits.bytes().all(|byte| byte.is_ascii_digit()));
            return match number {
                Some(number) => Ok(Limit::Ref(AskedRef::Pull(number))),
                None => Err(self.wrong(word.at, "the number of a pull request, as in `#123`", None)),
            };
        }
        match page_of(&word.said) {
            Some(PageOf::Commit(hash)) => {
                RefName::parse(&hash).map(|name| Limit::Ref(AskedRef::Named(name))).map_err(|_| self.wrong(word.at, A_LIMIT, None))
            }
            Some(PageOf::Pull(number)) => Err(self.wrong(word.at, A_LIMIT, Some(&format!("#{number}")))),
            Some(PageOf::Ref(name)) => Err(self.wrong(word.at, A_LIMIT, Some(&name))),
            None => {
                let near = nearest(&word.lower(), ENVIRONMENTS).map(str::to_owned);
                RefName::parse(&word.said)
                    .map(|name| Limit::Ref(AskedRef::Named(name)))
                    .map_err(|_| self.wrong(word.at, A_LIMIT, near.as_deref()))
            }
        }
    }
}

/// The number of a release, as `v12`.
fn version(word: &str) -> Option<u64> {
    let digits = word.strip_prefix(['v', 'V'])?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?.filter(|version| *version > 0)
}

/// Whether it is a commit's hash, and nothing that people call a pipeline.
pub(in crate::domain::parse) fn is_hash(word: &str) -> bool {
    (7..=64).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_hexdigit()) && word.bytes().any(|byte| byte.is_ascii_digit())
}

/// The repository in whose pages a link leads.
pub(in crate::domain::parse) fn repository_of(url: &str) -> Option<RepoName> {
    let path = url.split_once("://")?.1;
    let mut parts = path.split('/').skip(1);
    RepoName::parse(&format!("{}/{}", parts.next()?, parts.next()?)).ok()
}
