//! Reads a tidied text word by word.

mod holding;
mod lining;
mod routing;
mod rules;
mod seeking;

use std::iter::Peekable;
use std::ops::Range;
use std::vec::IntoIter;

use crate::domain::command::{Because, PrivacyWish, Terms, Verb, Where, Wish};
use crate::domain::names::{AppName, PipelineId, PipelineName, RefName};
use crate::domain::pipeline::{Environment, PipelineKey, Place, nearest};
use crate::domain::source::AskedRef;

use super::code::{is_code, is_gap, masked, unquoted};
use super::mentions::Mentions;
use super::tidy::{PageOf, page_of, tidy_word};
use super::{Misunderstood, verb_words};

pub(super) use seeking::{is_hash, repository_of};

const PREPOSITIONS: [&str; 3] = ["to", "in", "on"];
const ENVIRONMENTS: [&str; 8] = ["staging", "production", "development", "review", "stg", "prod", "prd", "dev"];
const AN_ENVIRONMENT: &str = "an environment: `review`, `development`, `staging` or `production`";
const A_PIPELINE: &str = "the name of a pipeline";
const A_REF: &str = "a branch, a tag, a commit or the `#123` of a pull request";
const A_REASON: &str = "`because` and a reason: whoever passes checks says why";

/// A word and where it stands.
#[derive(Clone, Debug)]
struct Word {
    /// Where, in bytes of the text.
    at: Range<usize>,
    /// As it was meant, in its own case.
    said: String,
    /// Whether `said` is what stands there, byte for byte, so that parts of it can be pointed at.
    verbatim: bool,
}

impl Word {
    fn lower(&self) -> String {
        self.said.to_lowercase()
    }

    /// Where a part of it stands; the whole word if that cannot be told.
    fn part(&self, from: usize, to: usize) -> Range<usize> {
        if self.verbatim { self.at.start.saturating_add(from)..self.at.start.saturating_add(to) } else { self.at.clone() }
    }
}

fn words_of(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut start = 0_usize;
    for piece in text.split(is_gap) {
        let at = start..start.saturating_add(piece.len());
        // One gap character, of one to three bytes, lies between two pieces.
        start = at.end;
        start = start.saturating_add(text.get(start..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8));
        let said = tidy_word(piece);
        if !said.is_empty() {
            words.push(Word { verbatim: said == piece, at, said });
        }
    }
    words
}

fn is_preposition(word: &Word) -> bool {
    PREPOSITIONS.contains(&word.lower().as_str())
}

fn is_when(word: &Word) -> bool {
    word.lower() == "when"
}

fn is_ask(word: &Word) -> bool {
    word.lower() == "ask"
}

fn is_because(word: &Word) -> bool {
    matches!(word.lower().as_str(), "because" | "because:")
}

/// Reads words in order. Each method takes what it needs or says what is wrong.
#[derive(Debug)]
pub(super) struct Reader<'t> {
    text: &'t str,
    words: Peekable<IntoIter<Word>>,
    mentions: &'t Mentions,
    verb: Option<Verb>,
    /// Where the word stands that was taken for a pipeline but is more likely a preposition.
    doubtful: Option<Range<usize>>,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str, mentions: &'t Mentions) -> Self {
        let mut words = words_of(text).into_iter().peekable();
        // The chat's own command word, typed or pasted along.
        words.next_if(|word| word.said.starts_with('/'));
        Self { text, words, mentions, verb: None, doubtful: None }
    }

    pub(super) fn is_at_end(&mut self) -> bool {
        self.words.peek().is_none()
    }

    /// The first word, and whether it passes checks; `None`: there is no word.
    pub(super) fn verb(&mut self) -> Result<Option<(Verb, bool)>, Misunderstood> {
        let Some(word) = self.words.next() else { return Ok(None) };
        let lower = word.lower();
        let passing_checks = lower.ends_with('!');
        self.verb = Verb::from_word(&lower);
        match self.verb {
            Some(verb) => Ok(Some((verb, passing_checks))),
            None => Err(self.wrong(word.at, "a command", nearest(&lower, verb_words(passing_checks)))),
        }
    }

    /// A command to explain.
    pub(super) fn about(&mut self) -> Result<Option<Verb>, Misunderstood> {
        let Some(word) = self.words.next() else { return Ok(None) };
        let lower = word.lower();
        match Verb::from_word(&lower) {
            Some(verb) => Ok(Some(verb)),
            None => Err(self.wrong(word.at, "the name of a command", nearest(&lower, verb_words(lower.ends_with('!'))))),
        }
    }

    /// What is wanted of what is kept.
    pub(super) fn privacy_wish(&mut self) -> Result<PrivacyWish, Misunderstood> {
        let Some(word) = self.words.next() else { return Ok(PrivacyWish::Show) };
        match word.lower().as_str() {
            "export" => Ok(PrivacyWish::Export),
            "delete" => Ok(PrivacyWish::Delete { sure: self.words.next_if(|word| word.lower() == "yes").is_some() }),
            lower => Err(self.wrong(word.at, "`export`, `delete` or nothing more", nearest(lower, ["export", "delete"]))),
        }
    }

    /// A pipeline alone.
    pub(super) fn pipeline(&mut self) -> Result<PipelineKey, Misunderstood> {
        let (word, key, rest) = self.key()?;
        match rest {
            None => Ok(key),
            Some(_) => Err(self.wrong(word.at, "only the name of a pipeline", Some(&key.to_string()))),
        }
    }

    /// A pipeline, and a place in it if one is said.
    pub(super) fn place_in_pipeline(&mut self) -> Result<Where, Misunderstood> {
        Ok(Where { pipeline: self.pipeline()?, place: self.place("in")? })
    }

    /// A pipeline, a ref and a place.
    pub(super) fn wish(&mut self) -> Result<Wish, Misunderstood> {
        let (word, pipeline, rest) = self.key()?;
        let what = match rest {
            None => AskedRef::Default,
            Some(at) => self.asked_ref(&word, at)?,
        };
        Ok(Wish { pipeline, what, to: self.place("to")? })
    }

    /// How a deploy is to be done. Whoever passes checks does not wait for them.
    pub(super) fn terms(&mut self, passing_checks: bool) -> Result<Terms, Misunderstood> {
        let mut terms = Terms::default();
        loop {
            if let Some(when) = self.words.next_if(|word| !terms.when_green && is_when(word)) {
                if passing_checks {
                    return Err(self.wrong(when.at, "no `when`: with `!` it does not wait for checks", None));
                }
                self.word_after("green", "`green` after `when`")?;
                terms.when_green = true;
            } else if self.words.next_if(|word| !terms.ask_first && is_ask(word)).is_some() {
                self.word_after("me", "`me` after `ask`")?;
                terms.ask_first = true;
            } else {
                return Ok(terms);
            }
        }
    }

    /// A word that has to be there.
    fn word_after(&mut self, meant: &str, expected: &str) -> Result<(), Misunderstood> {
        match self.words.next() {
            Some(word) if word.lower() == meant => Ok(()),
            Some(word) => Err(self.wrong(word.at, expected, Some(meant))),
            None => Err(self.missing(expected, Some(meant))),
        }
    }

    /// A reason, which is everything that is left.
    pub(super) fn because(&mut self, needed: bool) -> Result<Option<Because>, Misunderstood> {
        let Some(word) = self.words.next_if(is_because) else {
            if needed && self.is_at_end() {
                return Err(self.missing(A_REASON, Some("because …")));
            }
            return Ok(None);
        };
        let reason = self.text.get(word.at.end..).unwrap_or_default().trim();
        self.words = Vec::new().into_iter().peekable();
        let start = self.text.len().saturating_sub(reason.len());
        match Because::parse(unquoted(reason)) {
            Ok(because) => Ok(Some(because)),
            Err(_) if reason.is_empty() => Err(self.missing("a reason", None)),
            Err(error) => Err(self.wrong(start..self.text.len(), error.expected, None)),
        }
    }

    /// A reason, which has to be there.
    pub(super) fn why(&mut self) -> Result<Because, Misunderstood> {
        match self.because(false)? {
            Some(because) => Ok(because),
            None => match self.words.next() {
                Some(word) => Err(self.out_of_place(&word, None)),
                None => Err(self.says_no_why()),
            },
        }
    }

    /// What concerns others wants a reason.
    fn says_no_why(&self) -> Misunderstood {
        self.missing("`because` and a reason, which goes on record", Some("because …"))
    }

    /// Nothing may be left.
    pub(super) fn end(&mut self) -> Result<(), Misunderstood> {
        match self.words.next() {
            None => Ok(()),
            Some(word) => Err(self.out_of_place(&word, None)),
        }
    }

    /// A pipeline's name or id, and where in the word something follows it.
    fn key(&mut self) -> Result<(Word, PipelineKey, Option<usize>), Misunderstood> {
        let Some(word) = self.words.next() else { return Err(self.missing(A_PIPELINE, None)) };
        if is_preposition(&word) || is_because(&word) {
            self.doubtful = Some(word.at.clone());
        }
        let rest = word.said.find(['/', '#']);
        let name = word.said.get(..rest.unwrap_or(word.said.len())).unwrap_or_default().to_lowercase();
        let is_id = name.len() == 36 && uuid::Uuid::try_parse(&name).is_ok();
        if let Some(id) = PipelineId::parse(&name).ok().filter(|_| is_id) {
            return Ok((word, PipelineKey::Id(id), rest));
        }
        match PipelineName::parse(&name) {
            Ok(name) => Ok((word, PipelineKey::Name(name), rest)),
            Err(_) if page_of(&word.said).is_some() => {
                Err(self.wrong(word.at, "the name of a pipeline; a link may follow it after a slash", None))
            }
            Err(error) => {
                let expected = if name.is_empty() { A_PIPELINE } else { error.expected };
                Err(self.wrong(word.part(0, rest.filter(|at| *at > 0).unwrap_or(word.said.len())), expected, None))
            }
        }
    }

    /// What follows a pipeline's name: `/REF`, `#123` or `/#123`.
    fn asked_ref(&self, word: &Word, at: usize) -> Result<AskedRef, Misunderstood> {
        let (name, rest) = word.said.split_at_checked(at).unwrap_or((&word.said, ""));
        let wrong = |expected: &str| self.wrong(word.part(at.saturating_add(1), word.said.len()), expected, None);
        let number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten();
        if let Some(digits) = rest.strip_prefix('#').or_else(|| rest.strip_prefix("/#").filter(|rest| number(rest).is_some())) {
            return number(digits)
                .filter(|number| *number > 0)
                .map(AskedRef::Pull)
                .ok_or_else(|| wrong("the number of a pull request, as in `#123`"));
        }
        let asked = rest.strip_prefix('/').unwrap_or_default();
        if asked.is_empty() {
            return Err(self.wrong(word.part(word.said.len(), word.said.len()), A_REF, None));
        }
        if let Some(page) = page_of(asked) {
            return self.paged_ref(word, name, page);
        }
        RefName::parse(asked).map(AskedRef::Named).map_err(|_| wrong(A_REF))
    }

    /// A commit is the same in every repository that has it. A branch or a number is not, and the link may lead to
    /// another repository than the pipeline's: it is offered in words and not taken silently.
    fn paged_ref(&self, word: &Word, name: &str, page: PageOf) -> Result<AskedRef, Misunderstood> {
        let meant = match page {
            PageOf::Commit(hash) => {
                return RefName::parse(&hash).map(AskedRef::Named).map_err(|_| self.wrong(word.at.clone(), A_REF, None));
            }
            PageOf::Pull(number) => format!("{name}#{number}"),
            PageOf::Ref(asked) => format!("{name}/{asked}"),
        };
        let expected = "a ref of the pipeline's own repository in words; a link may lead to another repository";
        Err(self.wrong(word.at.clone(), expected, Some(&meant)))
    }

    /// A place, if one is said.
    fn place(&mut self, preposition: &str) -> Result<Option<Place>, Misunderstood> {
        let Some(word) = self.words.peek().cloned() else { return Ok(None) };
        if self.may_give_a_reason() && is_because(&word) || self.verb == Some(Verb::Deploy) && (is_when(&word) || is_ask(&word)) {
            return Ok(None);
        }
        if !is_preposition(&word) {
            return Err(self.out_of_place(&word, Some(preposition)));
        }
        self.words.next();
        self.named_place().map(Some)
    }

    /// A place, which has to be there.
    fn named_place(&mut self) -> Result<Place, Misunderstood> {
        let Some(word) = self.words.next() else { return Err(self.missing(AN_ENVIRONMENT, None)) };
        let (first, app) = word.said.split_once('/').map_or((word.said.as_str(), None), |(first, app)| (first, Some(app)));
        let lower = first.to_lowercase();
        let Some(environment) = Environment::from_word(&lower) else {
            return Err(self.wrong(word.part(0, first.len()), AN_ENVIRONMENT, nearest(&lower, ENVIRONMENTS)));
        };
        let app = match app {
            None => None,
            Some(app) => {
                let at = || word.part(first.len().saturating_add(1), word.said.len());
                let expected = |error: &'static str| if app.is_empty() { "the name of an app after the slash" } else { error };
                Some(AppName::parse(&app.to_lowercase()).map_err(|error| self.wrong(at(), expected(error.expected), None))?)
            }
        };
        Ok(Place { environment, app })
    }

    /// Whether `because …` may follow a place.
    fn may_give_a_reason(&self) -> bool {
        matches!(self.verb, Some(Verb::Deploy | Verb::Cancel | Verb::Free))
    }

    /// A word where a preposition may stand (`Some`: the one to suggest), or nothing more.
    fn out_of_place(&self, word: &Word, preposition: Option<&str>) -> Misunderstood {
        let deploying = self.verb == Some(Verb::Deploy);
        if let Some(at) = &self.doubtful {
            return self.wrong(at.clone(), "the name of a pipeline before this word", None);
        }
        if is_code(&word.said) {
            return self.wrong(word.at.clone(), "something else: a one-time code stands at the very end", None);
        }
        let lower = word.lower();
        let first = lower.split('/').next().unwrap_or_default();
        let environment = if Environment::from_word(first).is_some() { Some(first) } else { nearest(first, ENVIRONMENTS) };
        let keyword = nearest(
            &lower,
            PREPOSITIONS
                .into_iter()
                .filter(|_| preposition.is_some())
                .chain(self.may_give_a_reason().then_some("because"))
                .chain(deploying.then_some(["when", "ask"]).into_iter().flatten()),
        );
        let app = lower.strip_prefix(first).unwrap_or_default();
        let meant = match (keyword, environment, preposition) {
            (Some(keyword), _, _) => Some(keyword.to_owned()),
            (None, Some(environment), Some(preposition)) => Some(format!("{preposition} {environment}{app}")),
            (None, _, _) => None,
        };
        let expected = match (preposition, deploying) {
            (Some(_), false) if self.verb == Some(Verb::Free) => "`in ENV` or `because WHY`",
            (None, false) if self.verb == Some(Verb::Free) => "`because WHY`",
            (Some(_), false) if self.may_give_a_reason() => "`in ENV`, `because WHY` or nothing more",
            (None, false) if self.may_give_a_reason() => "`because WHY` or nothing more",
            (Some("to"), true) => "`to ENV`, `when green`, `ask me`, `because WHY`, a one-time code of 6 to 8 digits, or nothing more",
            (Some("to"), false) => "`to ENV` or nothing more",
            (Some(_), _) => "`in ENV` or nothing more",
            (None, true) => "`when green`, `ask me`, `because WHY`, a one-time code of 6 to 8 digits, or nothing more",
            (None, false) => "nothing more",
        };
        self.wrong(word.at.clone(), expected, meant.as_deref())
    }

    fn missing(&self, expected: &str, meant: Option<&str>) -> Misunderstood {
        self.wrong(self.text.len()..self.text.len(), expected, meant)
    }

    fn wrong(&self, at: Range<usize>, expected: &str, meant: Option<&str>) -> Misunderstood {
        Misunderstood { text: masked(self.text), at, expected: expected.to_owned(), nearest: meant.map(str::to_owned), verb: self.verb }
    }
}
