//! How a play ended: outside, in the chat, in the store.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use slash_heroku::domain::account::{Provider, Standing};
use slash_heroku::ports::{AccountStore, Store};
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
    /// How many of them stand at no end.
    unfinished: usize,
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

/// What a card says that another one has taken the place of.
const FURTHER_DOWN: &str = "stands further down";

/// How a card begins that stands at an end.
const ENDS: [&str; 3] = ["[ok]", "[no]", "[--]"];

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
        let is_card = |seen: &&Rendered| seen.only.is_none() && seen.below.is_none() && seen.place.starts_with('#');
        for card in seen.iter().filter(is_card).filter(|card| !card.headline.contains(FURTHER_DOWN)) {
            cards.entry(about(&card.headline)).or_default().push(told(card));
        }
        let ends =
            |seen: &&Rendered| ["deploy", "promotion", "rollback"].iter().any(|what| seen.headline.starts_with(&format!("Your {what} of")));
        Self {
            records: github.deployments(play.repository).iter().map(|record| state(&record.statuses)).collect(),
            builds: heroku.builds(play.app).iter().map(|build| build.status).collect(),
            releases: heroku.releases(play.app).iter().map(|release| release.status).collect(),
            unfinished: cards.values().flatten().filter(|card| !ENDS.iter().any(|glyph| card.starts_with(glyph))).count(),
            cards,
            below: seen.iter().filter_map(|seen| seen.below.as_ref().map(|below| (below.ts.clone(), below.for_all, told(seen)))).collect(),
            told: seen.iter().filter(|seen| seen.place.starts_with('@') && seen.only.is_none()).filter(ends).map(told).collect(),
            answers: seen.iter().filter(|seen| seen.only.is_some() && !seen.glyph.is_empty() && !is_courtesy(seen)).count(),
        }
    }

    /// What is not as in the play in which nobody died. `asked_again`: how many commands were typed beside those of the play.
    pub fn differs_from(&self, other: &Self, deaths: usize, asked_again: usize) -> Vec<String> {
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
        // A card that was shown and not recorded is shown again, and the first one stays as it was.
        for (subject, ours) in &self.cards {
            if ours.len() > other.cards.get(subject).map_or(0, Vec::len) + deaths {
                faults.push(format!("there are {} cards: {ours:?}", ours.len()));
            }
        }
        if self.unfinished > other.unfinished + deaths {
            faults.push(format!("{} cards stand at no end: {:?}", self.unfinished, self.cards));
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
        // An end that was told and not recorded is told again, and no other one; on the way, that nobody knows how it stands.
        for told in self.told.iter().collect::<BTreeSet<_>>() {
            let count = |end: &Self| end.told.iter().filter(|one| *one == told).count();
            let expected = count(other);
            // What was told of several apps together is told of one by itself where the service dies before that is on record.
            let of_several = deaths > 0 && other.told.iter().any(|one| one.contains(" apps of ") && one.get(..4) == told.get(..4));
            if count(self) > expected + deaths || (expected == 0 && !told.starts_with("[??]") && !of_several) {
                faults.push(format!("the asker was told {} times instead of {expected}: {told}", count(self)));
            }
        }
        if self.answers < other.answers || self.answers > other.answers + deaths + asked_again {
            faults.push(format!("there were {} answers instead of {}", self.answers, other.answers));
        }
        faults
    }
}

impl End {
    /// What is wrong where nobody can know whether a build was ordered: nothing is built, and that it is unknown is told.
    pub fn is_not_told_as_unknown(&self) -> Vec<String> {
        let unknown = |told: &String| told.starts_with("[??]");
        let on_a_card = self.cards.values().any(|cards| cards.last().is_some_and(unknown));
        let right = self.builds.iter().all(|build| *build != "pending") && on_a_card && self.told.iter().any(unknown);
        if right { Vec::new() } else { vec![format!("it is given up and not told as unknown: {self:?}")] }
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

/// What is kept of logins that nobody can use; everybody who has signed in has them all in the end.
pub async fn of_no_use(accounts: &dyn AccountStore) -> Vec<String> {
    let mut faults = Vec::new();
    for account in accounts.accounts().await.unwrap() {
        for at in Provider::ALL {
            match account.logins.get(&at) {
                Some(login) if login.standing == Standing::Good => {}
                other => faults.push(format!("no login at {at:?}: {other:?}")),
            }
        }
    }
    faults
}

#[test]
fn what_is_doubled_or_left_standing_is_seen() {
    let (card, end) =
        ("[ok] @ana deployed `8fcbedd` (main) to staging (hubot-staging) as v3", "[ok] Your deploy of `8fcbedd` is out as v3");
    let story = |cards: &[&str], told: &[&str], answers| End {
        records: vec!["success".to_owned()],
        builds: vec!["succeeded"],
        releases: vec!["succeeded"],
        unfinished: cards.iter().filter(|card| !ENDS.iter().any(|glyph| card.starts_with(glyph))).count(),
        cards: BTreeMap::from([("the deploy".to_owned(), cards.iter().map(ToString::to_string).collect())]),
        below: Vec::new(),
        told: told.iter().map(ToString::to_string).collect(),
        answers,
    };
    let (true_story, going) = (story(&[card], &[end], 1), "[..] @ana is deploying `8fcbedd` (main) to staging (hubot-staging)");
    // With a death in it, each may have been said once more.
    assert_eq!(story(&[going, card], &[end, end], 2).differs_from(&true_story, 1, 0), [""; 0]);
    for (what, planted) in [
        ("a third card", story(&[going, card, card], &[end], 1)),
        ("two that stand at no end", story(&[going, going, card], &[end], 1)),
        ("an end that is told three times", story(&[card], &[end, end, end], 1)),
        ("another end than the true one", story(&[card], &["[no] Your deploy of `8fcbedd` did not work", end], 1)),
        ("a third answer", story(&[card], &[end], 3)),
        ("a newest card that stands at no end", story(&[card, going], &[end], 1)),
    ] {
        assert_ne!(planted.differs_from(&true_story, 1, 0), [""; 0], "{what} is not seen");
    }
    assert_ne!(story(&[card], &[end, end], 1).differs_from(&true_story, 0, 0), [""; 0], "nobody died, and it is told twice");
}
