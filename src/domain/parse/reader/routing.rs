//! The words of routes: to which conversation, and what of.

use crate::domain::command::{Command, RouteWish};
use crate::domain::names::{ChannelId, GroupName};
use crate::domain::parse::mentions::Mention;
use crate::domain::pipeline::{Environment, nearest};
use crate::domain::route::Only;

use super::{ENVIRONMENTS, Misunderstood, Reader, Word, is_preposition};

const A_CONVERSATION: &str = "a conversation as the chat names it: `#deploys`";
const WHAT: &str = "`failures` or environments: `review`, `development`, `staging`, `production`";
const MORE: &str = "`only failures`, `only production` or nothing more";

fn is(word: &Word, what: &str) -> bool {
    word.lower() == what
}

impl Reader<'_> {
    /// What to route, and where to.
    pub(in crate::domain::parse) fn route(&mut self) -> Result<RouteWish, Misunderstood> {
        let pipeline = self.pipeline()?;
        self.words.next_if(is_preposition);
        let to = self.conversation()?;
        let mut only = Only::default();
        while self.words.next_if(|word| is(word, "only")).is_some() {
            self.only(&mut only)?;
        }
        match self.words.peek().cloned() {
            None => Ok(RouteWish { pipeline, to, only }),
            Some(word) => {
                let lower = word.lower();
                let environment = Environment::from_word(&lower).is_some() || matches!(lower.as_str(), "failures" | "failure");
                let meant = if environment { Some(format!("only {lower}")) } else { nearest(&lower, ["only"]).map(str::to_owned) };
                Err(self.wrong(word.at, MORE, meant.as_deref()))
            }
        }
    }

    /// Failures and environments, as many as are named.
    fn only(&mut self, only: &mut Only) -> Result<(), Misunderstood> {
        let mut some = false;
        loop {
            if some {
                self.words.next_if(|word| is(word, "and"));
            }
            self.words.next_if(is_preposition);
            let named = |word: &Word| word.lower().trim_end_matches(',').to_owned();
            let of =
                |lower: &str| matches!(lower, "failures" | "failure").then_some(None).or_else(|| Environment::from_word(lower).map(Some));
            match self.words.peek().map(|word| of(&named(word))) {
                Some(Some(None)) => only.failures = true,
                Some(Some(Some(environment))) => drop(only.environments.insert(environment)),
                Some(None) | None if some => return Ok(()),
                Some(None) => {
                    let Some(word) = self.words.next() else { return Ok(()) };
                    let near = nearest(&named(&word), ENVIRONMENTS.into_iter().chain(["failures"])).map(str::to_owned);
                    return Err(self.wrong(word.at, WHAT, near.as_deref()));
                }
                None => return Err(self.missing(WHAT, Some("failures"))),
            }
            self.words.next();
            some = true;
        }
    }

    /// Which route to take away.
    pub(in crate::domain::parse) fn unroute(&mut self) -> Result<Command, Misunderstood> {
        let pipeline = self.pipeline()?;
        if self.is_at_end() {
            return Ok(Command::Unroute { pipeline, from: None });
        }
        if self.words.next_if(|word| is_preposition(word) || is(word, "from")).is_none()
            && let Some(word) =
                self.words.peek().filter(|word| self.mentions.of(&word.said).is_none() && !word.said.starts_with('#')).cloned()
        {
            let near = nearest(&word.lower(), ["from"]);
            return Err(self.wrong(word.at, "`from #CHANNEL` or nothing more", near));
        }
        Ok(Command::Unroute { pipeline, from: Some(self.conversation()?) })
    }

    fn conversation(&mut self) -> Result<ChannelId, Misunderstood> {
        let Some(word) = self.words.next() else { return Err(self.missing(A_CONVERSATION, None)) };
        match self.mention(&word) {
            Some(Mention::Channel(channel)) => Ok(channel),
            Some(Mention::Person(_) | Mention::Group(_)) | None => {
                let mention = format!("#{}", word.said);
                let plain = GroupName::parse(&word.said).is_ok() && !super::is_code(&word.said);
                Err(self.wrong(word.at, A_CONVERSATION, plain.then_some(mention.as_str())))
            }
        }
    }
}
