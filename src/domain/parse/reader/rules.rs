//! Reads what is wanted of the rules of a workspace.

use std::collections::BTreeSet;

use crate::domain::command::RulesWish;
use crate::domain::names::{ChannelId, GroupId, GroupName, UserId};
use crate::domain::parse::mentions::Mention;
use crate::domain::pipeline::{Environment, nearest};
use crate::domain::rights::{Change, Group, Matter, Party, Places, Rule, Who};

use super::{AN_ENVIRONMENT, ENVIRONMENTS, Misunderstood, Reader, Word, is_because, is_preposition};

const MATTERS: [&str; 6] = ["use", "deploy", "override", "channels", "guests", "outsiders"];
const A_MATTER: &str = "what the rule is about: `use`, `deploy to ENV`, `override`, `channels`, `guests` or `outsiders`";
const WHO: [&str; 2] = ["everyone", "nobody"];
const A_PARTY: &str = "`everyone`, `nobody`, or people and groups as the chat names them: `@ana @crew`";
const CHANNELS: &str = "`everywhere`, or conversations as the chat names them: `#deploys #ops`";
const WELCOME: &str = "`yes` or `no`";
/// Before a group that is named by its id.
const GROUP: &str = "group:";

impl Reader<'_> {
    /// What is wanted of the rules.
    pub(in crate::domain::parse) fn rules_wish(&mut self) -> Result<RulesWish, Misunderstood> {
        if self.is_at_end() {
            return Ok(RulesWish::Show);
        }
        let change = match self.words.next_if(|word| word.lower() == "reset") {
            Some(_) => Change::Reset(self.matter()?),
            None => Change::Set(match self.matter()? {
                Matter::Use => Rule::Use(self.who()?),
                Matter::Deploy(to) => Rule::Deploy { to, who: self.who()? },
                Matter::Override => Rule::Override(self.who()?),
                Matter::Channels => Rule::Channels(self.places()?),
                Matter::Guests => Rule::Guests { welcome: self.welcome()? },
                Matter::Outsiders => Rule::Outsiders { welcome: self.welcome()? },
            }),
        };
        if let Some(word) = self.words.next_if(|word| !is_because(word)) {
            return Err(self.wrong(word.at.clone(), "`because WHY`", nearest(&word.lower(), ["because"])));
        }
        Ok(RulesWish::Change { change, because: self.why().map(Some)? })
    }

    fn matter(&mut self) -> Result<Matter, Misunderstood> {
        let Some(word) = self.words.next() else { return Err(self.missing(A_MATTER, None)) };
        match word.lower().as_str() {
            "use" => Ok(Matter::Use),
            "override" => Ok(Matter::Override),
            "channels" => Ok(Matter::Channels),
            "guests" => Ok(Matter::Guests),
            "outsiders" => Ok(Matter::Outsiders),
            "deploy" => {
                self.words.next_if(is_preposition);
                let Some(word) = self.words.next() else { return Err(self.missing(AN_ENVIRONMENT, None)) };
                let lower = word.lower();
                let found = Environment::from_word(&lower).map(Matter::Deploy);
                found.ok_or_else(|| self.wrong(word.at, AN_ENVIRONMENT, nearest(&lower, ENVIRONMENTS)))
            }
            lower => Err(self.wrong(word.at, A_MATTER, nearest(lower, MATTERS.into_iter().chain(["reset"])))),
        }
    }

    /// Takes words one by one until `because` or the end, after `only` if it is said.
    fn each(&mut self, expected: &str, mut take: impl FnMut(&mut Self, &Word) -> Result<(), Misunderstood>) -> Result<(), Misunderstood> {
        self.words.next_if(|word| word.lower() == "only");
        if self.words.peek().is_none_or(is_because) {
            return Err(self.missing_here(expected));
        }
        while let Some(word) = self.words.next_if(|word| !is_because(word)) {
            take(self, &word)?;
        }
        Ok(())
    }

    /// Something is missing before the next word.
    fn missing_here(&mut self, expected: &str) -> Misunderstood {
        match self.words.peek().map(|word| word.at.start) {
            Some(at) => self.wrong(at..at, expected, None),
            None => self.missing(expected, None),
        }
    }

    fn who(&mut self) -> Result<Who, Misunderstood> {
        if self.words.next_if(|word| word.lower() == "everyone").is_some() {
            return Ok(Who::Everyone);
        }
        let mut party = Party::default();
        if self.words.next_if(|word| word.lower() == "nobody").is_some() {
            return Ok(Who::Only(party));
        }
        self.each(A_PARTY, |reader, word| {
            match reader.mention(word) {
                Some(Mention::Person(user)) => drop(party.people.insert(user)),
                Some(Mention::Group(group)) => drop(party.groups.insert(group)),
                Some(Mention::Channel(_)) | None => return Err(reader.no_party(word)),
            }
            Ok(())
        })?;
        Ok(Who::Only(party))
    }

    fn no_party(&self, word: &Word) -> Misunderstood {
        let lower = word.lower();
        let mention = format!("@{}", word.said);
        let named = GroupName::parse(&word.said).ok().filter(|_| !super::is_code(&word.said)).map(|_| mention.as_str());
        let near = nearest(&lower, WHO.into_iter().chain(["because"])).or(named);
        self.wrong(word.at.clone(), A_PARTY, near)
    }

    fn places(&mut self) -> Result<Places, Misunderstood> {
        if self.words.next_if(|word| word.lower() == "everywhere").is_some() {
            return Ok(Places::Everywhere);
        }
        let mut channels = BTreeSet::new();
        self.each(CHANNELS, |reader, word| match reader.mention(word) {
            Some(Mention::Channel(channel)) => {
                channels.insert(channel);
                Ok(())
            }
            Some(Mention::Person(_) | Mention::Group(_)) | None => {
                let lower = word.lower();
                let mention = format!("#{}", word.said);
                let named = GroupName::parse(&word.said).ok().filter(|_| !super::is_code(&word.said)).map(|_| mention.as_str());
                Err(reader.wrong(word.at.clone(), CHANNELS, nearest(&lower, ["everywhere", "because"]).or(named)))
            }
        })?;
        Ok(Places::Only(channels))
    }

    fn welcome(&mut self) -> Result<bool, Misunderstood> {
        let Some(word) = self.words.next() else { return Err(self.missing(WELCOME, None)) };
        match word.lower().as_str() {
            "yes" => Ok(true),
            "no" => Ok(false),
            lower => Err(self.wrong(word.at, WELCOME, nearest(lower, ["yes", "no"]))),
        }
    }

    /// Whom or what a word names: as the chat has said beside the text, else by an id.
    pub(super) fn mention(&self, word: &Word) -> Option<Mention> {
        if self.mentions.knows(&word.said) {
            return self.mentions.of(&word.said);
        }
        // An id that is read back is one of plain letters.
        let plain = |id: &str| GroupName::parse(id).is_ok();
        if let Some(id) = word.said.strip_prefix('@').filter(|id| plain(id)) {
            return UserId::parse(id).ok().map(Mention::Person);
        }
        if let Some(id) = word.said.strip_prefix('#').filter(|id| plain(id)) {
            return ChannelId::parse(id).ok().map(Mention::Channel);
        }
        let (id, name) = word.said.strip_prefix(GROUP)?.split_once('/')?;
        let (id, name) = (GroupId::parse(id).ok().filter(|_| plain(id))?, GroupName::parse(name).ok()?);
        Some(Mention::Group(Group { id, name }))
    }
}
