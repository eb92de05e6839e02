//! How a play ended: outside, in the chat, in the store.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use slash_heroku::ports::Store;
use slash_heroku::sandbox::github::Github;
use slash_heroku::sandbox::heroku::Heroku;
use slash_heroku::sandbox::slack::{Rendered, SlackWorkspace};

use super::deadly::Known;
use super::plays::Play;

/// How it ended, without what may differ: times, and what was said on the way.
#[derive(Debug)]
pub struct End {
    records: Vec<String>,
    builds: Vec<&'static str>,
    releases: Vec<&'static str>,
    /// The messages that everybody sees, as they stand, by what they are about.
    cards: BTreeMap<String, Vec<String>>,
    /// What was said below them: below which, whether for everybody once more, and what.
    below: Vec<(String, bool, String)>,
    /// What the asker was told of ends.
    told: Vec<String>,
    /// How many answers only the asker saw.
    answers: usize,
}

/// What a card is about: from the commit to the app, as in "`8fcbedd` (main) to staging (hubot-staging)"; of a way back, the commit.
fn about(headline: &str) -> String {
    let subject = headline.split_once('`').map_or(headline, |(_, rest)| rest);
    let subject = subject.split_once(" as v").map_or(subject, |(before, _)| before);
    let to_app = subject.match_indices(')').nth(1).and_then(|(end, _)| subject.get(..=end));
    to_app.unwrap_or(subject).to_owned()
}

/// What is said beside a card that tells the same: lost where the service dies right before it.
fn is_courtesy(seen: &Rendered) -> bool {
    seen.headline.starts_with("Heroku accepted the code.")
}

fn told(seen: &Rendered) -> String {
    format!("{} {}", seen.glyph, seen.headline)
}

impl End {
    pub fn of(play: &Play, slack: &SlackWorkspace, github: &Github, heroku: &Heroku) -> Self {
        let state =
            |states: &[slash_heroku::sandbox::github::SeenStatus]| states.last().map_or("none".to_owned(), |last| last.state.clone());
        let seen: Vec<Rendered> = slack.messages().iter().map(|message| slack.render(message)).collect();
        let mut cards: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for card in seen.iter().filter(|seen| seen.only.is_none() && seen.below.is_none() && seen.place.starts_with('#')) {
            cards.entry(about(&card.headline)).or_default().push(told(card));
        }
        let ends =
            |seen: &&Rendered| ["deploy", "promotion", "rollback"].iter().any(|what| seen.headline.starts_with(&format!("Your {what} of")));
        Self {
            records: github.deployments(play.repository).iter().map(|record| state(&record.statuses)).collect(),
            builds: heroku.builds(play.app).iter().map(|build| build.status).collect(),
            releases: heroku.releases(play.app).iter().map(|release| release.status).collect(),
            cards,
            below: seen.iter().filter_map(|seen| seen.below.as_ref().map(|below| (below.ts.clone(), below.for_all, told(seen)))).collect(),
            told: seen.iter().filter(|seen| seen.place.starts_with('@') && seen.only.is_none()).filter(ends).map(told).collect(),
            answers: seen.iter().filter(|seen| seen.only.is_some() && !seen.glyph.is_empty() && !is_courtesy(seen)).count(),
        }
    }

    /// What is not as in the play in which nobody died.
    pub fn differs_from(&self, other: &Self, deaths: usize) -> Vec<String> {
        let mut faults = Vec::new();
        let mut same = |what: &str, ours: String, theirs: String| {
            if ours != theirs {
                faults.push(format!("{what}: {ours} instead of {theirs}"));
            }
        };
        same("records at GitHub", format!("{:?}", self.records), format!("{:?}", other.records));
        same("builds", format!("{:?}", self.builds), format!("{:?}", other.builds));
        same("releases", format!("{:?}", self.releases), format!("{:?}", other.releases));
        let subjects = |end: &Self| format!("{:?}", end.cards.keys().collect::<Vec<_>>());
        same("cards", subjects(self), subjects(other));
        for (subject, theirs) in &other.cards {
            let ours = self.cards.get(subject).cloned().unwrap_or_default();
            same("the newest card", format!("{:?}", ours.last()), format!("{:?}", theirs.last()));
        }
        // A card that was shown and not recorded is shown again.
        let count = |end: &Self| end.cards.values().map(Vec::len).sum::<usize>();
        if count(self) > count(other) + deaths {
            faults.push(format!("there are {} cards: {:?}", count(self), self.cards));
        }
        // What has come to pass may be overtaken by the end, and takes longer with deaths; the end for all is told. What was told and not
        // recorded is told again.
        let for_all = |end: &Self| end.below.iter().filter(|(_, for_all, _)| *for_all).map(|(.., said)| said.clone()).collect::<Vec<_>>();
        let (ours, theirs) = (for_all(self), for_all(other));
        faults.extend(theirs.iter().filter(|said| !ours.contains(said)).map(|said| format!("not said below a card: {said}")));
        let once: BTreeSet<_> = self.below.iter().collect();
        if self.below.len() > once.len() + deaths {
            faults.push(format!("said below cards more than once: {:?}", self.below));
        }
        let after_an_end = |(place, (card, for_all, _)): (usize, &(String, bool, String))| {
            !for_all && self.below.iter().take(place).any(|(other, for_all, _)| *for_all && other == card)
        };
        if self.below.iter().enumerate().any(after_an_end) {
            faults.push(format!("said below a card after its end: {:?}", self.below));
        }
        let untold = other.told.iter().filter(|told| !self.told.contains(told));
        faults.extend(untold.map(|told| format!("the asker was not told: {told}")));
        if self.answers < other.answers {
            faults.push(format!("there were {} answers instead of {}", self.answers, other.answers));
        }
        faults
    }
}

/// What still goes on, waits or is unanswered in the store, when nothing should.
pub async fn at_rest(store: &dyn Store, known: &Known) -> Vec<String> {
    let mut faults = Vec::new();
    let unanswered = store.unanswered().await.unwrap();
    faults.extend(unanswered.iter().map(|request| format!("not answered: {:?}", request.ask)));
    let waiting = store.take_up(usize::MAX, Timestamp::MIN, Timestamp::MIN).await.unwrap();
    faults.extend(waiting.iter().map(|(request, _)| format!("not taken up: {:?}", request.ask)));
    let open = store.open_deployments().await.unwrap();
    faults.extend(open.iter().map(|deployment| format!("still open: {:?}", deployment.phase)));
    for app in &known.apps {
        let line = store.line(app).await.unwrap();
        if line.everybody().next().is_some() {
            faults.push(format!("still in line: {line:?}"));
        }
    }
    for id in &known.deployments {
        match store.deployment(*id).await.unwrap() {
            Some(deployment) if deployment.has_ended() && deployment.origin.reply.is_none() => {}
            other => faults.push(format!("not at its end: {other:?}")),
        }
    }
    faults
}
