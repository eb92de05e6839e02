//! What is true after it all, and what must be true of it whatever went wrong on the way.

use std::collections::BTreeSet;

use slash_heroku::domain::deployment::{Deployment, Phase, Way};
use slash_heroku::sandbox::github::SeenDeployment;
use slash_heroku::sandbox::heroku::{SeenBuild, SeenRelease};
use slash_heroku::sandbox::slack::{Rendered, SlackWorkspace};

/// How a deployment stands in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Succeeded,
    Failed,
    Cancelled,
    Unknown,
    GoesOn,
}

impl Standing {
    fn of(phase: &Phase) -> Self {
        match phase {
            Phase::Succeeded { .. } => Self::Succeeded,
            Phase::Failed { .. } => Self::Failed,
            Phase::Cancelled { .. } => Self::Cancelled,
            Phase::Unknown(_) | Phase::Freed { .. } => Self::Unknown,
            _ => Self::GoesOn,
        }
    }

    /// Those in which nothing goes on.
    const ENDS: [Self; 4] = [Self::Succeeded, Self::Failed, Self::Cancelled, Self::Unknown];

    /// The sign with which it is told.
    fn sign(self) -> &'static str {
        match self {
            Self::Succeeded => "[ok]",
            Self::Failed => "[no]",
            Self::Cancelled => "[--]",
            Self::Unknown => "[??]",
            Self::GoesOn => "[..]",
        }
    }
}

/// A deployment, in the store and outside.
#[derive(Clone, Debug)]
pub struct Told {
    pub commit: String,
    pub standing: Standing,
    /// The states of the builds that carry its id; where nothing is built, of the releases that came of it.
    pub builds: Vec<&'static str>,
    /// The states, in order, of the records that carry its id.
    pub records: Vec<Vec<String>>,
    /// The signs of its cards as they stand, oldest first, without those that say that it stands further down; where there is none, of
    /// what was said to the asker in its place.
    pub cards: Vec<String>,
    /// All signs that any of its cards ever had.
    pub ever: BTreeSet<String>,
    /// The signs of its messages in the conversation, oldest first; without those that say that they will not move.
    pub shown: Vec<String>,
    /// The signs of what the asker was told of its end, or was answered in its place.
    pub asker: BTreeSet<String>,
    /// The signs of its end as the asker was told it, each time.
    pub told: Vec<String>,
}

/// Everything that is judged.
#[derive(Clone, Debug)]
pub struct Facts {
    pub deployments: Vec<Told>,
    /// How many deploys were asked for.
    pub asked: usize,
    /// How many answers only the asker saw that say no.
    pub refusals: usize,
    pub violations: Vec<String>,
}

/// What was made at the platform.
#[derive(Debug)]
pub struct Made<'a> {
    pub builds: &'a [SeenBuild],
    pub releases: &'a [SeenRelease],
}

impl Made<'_> {
    /// The states of what a deployment made.
    fn by(&self, deployment: &Deployment) -> Vec<&'static str> {
        let id = deployment.id.to_string();
        // No release carries an id: in these plays nobody else makes one after what was the newest.
        let later = |newest: u64| self.releases.iter().filter(|release| release.version > newest).map(|release| release.status).collect();
        match &deployment.way {
            Way::Build => {
                let carries = |build: &&SeenBuild| build.version_description.as_ref().is_some_and(|text| text.contains(&id));
                self.builds.iter().filter(carries).map(|build| build.status).collect()
            }
            Way::Back(back) => later(back.newest),
            Way::Promote(promote) => later(promote.newest),
        }
    }
}

/// What the fault itself makes impossible.
#[derive(Clone, Copy, Debug, Default)]
pub struct Excuses {
    /// An order to build was carried out later than the bound, after it had been given once more.
    pub builds_twice: bool,
    /// The same of a record.
    pub records_twice: bool,
    /// What was put down in a record earlier arrives after what was put down later.
    pub record_late: bool,
    /// What a card said earlier arrives after what it said later.
    pub card_late: bool,
    /// The chat would not take a card any more, and says so for good: the end comes to the asker.
    pub no_cards: bool,
    /// Whoever asks is told at once that something cannot be read now: nothing is taken then, nobody is kept waiting, and so it ends.
    pub refused: Option<&'static [Standing]>,
    /// How many messages came of which nobody heard by what they can be changed.
    pub unheard: usize,
}

impl Facts {
    pub fn gather(
        deployments: &[Deployment],
        asked: usize,
        slack: &SlackWorkspace,
        records: &[SeenDeployment],
        made: &Made<'_>,
        violations: Vec<String>,
    ) -> Self {
        let told = |deployment: &Deployment| {
            let id = deployment.id.to_string();
            let commit: String = deployment.cargo.commit.as_str().chars().take(7).collect();
            let about = |headline: &str| headline.contains(&format!("`{commit}`"));
            let carries = |text: Option<&str>| text.is_some_and(|text| text.contains(&id));
            let seen: Vec<_> = slack.messages().iter().map(|message| slack.render(message)).filter(|seen| about(&seen.headline)).collect();
            let end =
                |headline: &str| ["deploy", "promotion", "rollback"].iter().any(|what| headline.starts_with(&format!("Your {what} of")));
            let in_conversation = |seen: &&Rendered| seen.place.starts_with('#') && seen.only.is_none() && seen.below.is_none();
            let mut cards: Vec<_> = seen.iter().filter(in_conversation).collect();
            // One that will not move, and says so, is not the card: the end comes to the asker.
            if cards.iter().all(|seen| seen.all().contains("this message will not move")) {
                cards = seen.iter().filter(|seen| seen.only.is_some() || seen.place.starts_with('@')).collect();
            }
            let events = slack.events();
            let ever = events.iter().map(|event| slack.render(event)).filter(|seen| about(&seen.headline));
            let moves = |seen: &&Rendered| !seen.all().contains("this message will not move");
            let shown = seen.iter().filter(|seen| in_conversation(seen)).filter(moves);
            let told = seen.iter().filter(|seen| end(&seen.headline) && seen.only.is_none());
            let asker = seen.iter().filter(|seen| end(&seen.headline) || seen.only.is_some());
            Told {
                standing: Standing::of(&deployment.phase),
                builds: made.by(deployment),
                records: records
                    .iter()
                    .filter(|record| carries(Some(&record.payload.to_string())))
                    .map(|record| record.statuses.iter().map(|status| status.state.clone()).collect())
                    .collect(),
                cards: cards.iter().map(|seen| seen.glyph.clone()).collect(),
                ever: ever.map(|seen| seen.glyph).collect(),
                shown: shown.map(|seen| seen.glyph.clone()).collect(),
                told: told.map(|seen| seen.glyph.clone()).collect(),
                asker: asker.map(|seen| seen.glyph.clone()).collect(),
                commit,
            }
        };
        let refused = |message: &&_| {
            let seen = slack.render(message);
            seen.only.is_some() && seen.glyph == "[no]"
        };
        Self {
            deployments: deployments.iter().map(told).collect(),
            asked,
            refusals: slack.messages().iter().filter(refused).count(),
            violations,
        }
    }

    /// How each stands.
    pub fn standings(&self) -> Vec<Standing> {
        self.deployments.iter().map(|told| told.standing).collect()
    }

    /// What is not as it must be. `ends` are those of the play in which nothing fails, where what fails must not change them.
    pub fn wrong(&self, excuses: Excuses, ends: Option<&[Standing]>) -> Vec<String> {
        let mut wrong: Vec<String> = self.deployments.iter().flat_map(|told| told.wrong(excuses)).collect();
        let standings = self.standings();
        let refused = self.refusals > 0 && excuses.refused.is_some_and(|ends| ends == standings);
        if let Some(ends) = ends.filter(|ends| *ends != standings && !refused) {
            wrong.push(format!("it does not go on: the deploys end as {standings:?} instead of {ends:?}"));
        }
        if self.deployments.len() + self.refusals < self.asked {
            wrong.push(format!("{} asked, {} recorded, {} refused", self.asked, self.deployments.len(), self.refusals));
        }
        wrong.extend(self.violations.iter().map(|what| format!("violation: {what}")));
        wrong
    }
}

impl Told {
    fn wrong(&self, excuses: Excuses) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut must = |so: bool, what: String| {
            if !so {
                wrong.push(format!("{}: {what}", self.commit));
            }
        };
        let most = |twice: bool| if twice { 2 } else { 1 };
        must(self.builds.len() <= most(excuses.builds_twice), format!("builds: {:?}", self.builds));
        must(self.records.len() <= most(excuses.records_twice), format!("records: {:?}", self.records));
        let runs = self.builds.contains(&"succeeded");
        match self.standing {
            Standing::Succeeded => must(runs, format!("it is called a success, and its builds are {:?}", self.builds)),
            Standing::Failed | Standing::Cancelled => {
                must(
                    !runs && !self.builds.contains(&"pending"),
                    format!("it is called {:?}, and its builds are {:?}", self.standing, self.builds),
                );
            }
            // What exists outside is found sooner or later.
            Standing::Unknown => must(self.builds.is_empty(), format!("nobody knows of it, and its builds are {:?}", self.builds)),
            Standing::GoesOn => must(false, "it does not come to an end".to_owned()),
        }
        let is_final = |state: &String| ["success", "failure", "error", "inactive"].contains(&state.as_str());
        let ends = |states: &&Vec<String>| {
            if excuses.record_late { states.iter().any(is_final) } else { states.last().is_some_and(is_final) }
        };
        // Of two, one came when nobody looked for it any more.
        let without = self.records.iter().filter(|states| !ends(states)).count();
        let unknown_of = self.records.len().saturating_sub(1);
        must(without <= unknown_of, format!("records without an end: {:?}", self.records));
        let succeeded = self.standing == Standing::Succeeded;
        let contradicts = |state: &String| if succeeded { ["failure", "error"].contains(&state.as_str()) } else { state == "success" };
        let success = self.records.is_empty() || self.records.iter().flatten().any(|state| state == "success");
        let right = !self.records.iter().flatten().any(contradicts) && (success || !succeeded);
        must(right, format!("{:?}, and its records are {:?}", self.standing, self.records));
        let sign = self.standing.sign();
        let card = if excuses.card_late { self.ever.contains(sign) } else { self.cards.last().is_some_and(|card| card == sign) };
        must(card || excuses.no_cards, format!("{:?}, and its cards are {:?}", self.standing, self.cards));
        let open = self.shown.iter().filter(|sign| !Standing::ENDS.map(Standing::sign).contains(&sign.as_str())).count();
        let once = self.shown.len() <= 1 + excuses.unheard && (open <= excuses.unheard || excuses.no_cards || excuses.card_late);
        must(once, format!("{:?}, and its cards are {:?}", self.standing, self.shown));
        // What is unknown may be known later.
        let most_often = self.told.iter().map(|sign| self.told.iter().filter(|other| *other == sign).count()).max().unwrap_or(0);
        must(most_often <= 1 + excuses.unheard, format!("the asker is told its end more than once: {:?}", self.told));
        let told = self.standing == Standing::Cancelled || self.asker.contains(sign);
        must(told, format!("{:?}, and the asker was told {:?}", self.standing, self.asker));
        wrong
    }
}

/// Each wrong that is looked for is seen where it is planted.
#[test]
fn what_is_wrong_is_seen() {
    let set = |signs: &[&str]| signs.iter().map(|sign| (*sign).to_owned()).collect::<BTreeSet<String>>();
    let states = |states: &[&str]| states.iter().map(|state| (*state).to_owned()).collect::<Vec<String>>();
    let good = Told {
        commit: "8fcbedd".to_owned(),
        standing: Standing::Succeeded,
        builds: vec!["succeeded"],
        records: vec![states(&["in_progress", "success"])],
        cards: states(&["[ok]"]),
        ever: set(&["[..]", "[ok]"]),
        shown: states(&["[ok]"]),
        asker: set(&["[ok]"]),
        told: states(&["[ok]"]),
    };
    let facts = |told: Told| Facts { deployments: vec![told], asked: 1, refusals: 0, violations: Vec::new() };
    let wrong = |told: Told| facts(told).wrong(Excuses::default(), None).len();
    assert_eq!(wrong(good.clone()), 0);
    let stands_as = |standing: Standing| {
        let sign = standing.sign();
        let (cards, shown, told) = (states(&[sign]), states(&[sign]), states(&[sign]));
        Told { standing, cards, shown, told, asker: set(&[sign]), ..good.clone() }
    };
    let (failed, unknown) = (stands_as(Standing::Failed), stands_as(Standing::Unknown));
    let nothing = Told { builds: Vec::new(), records: Vec::new(), ..failed.clone() };
    assert_eq!(wrong(nothing.clone()), 0);
    let gave_up = facts(nothing);
    assert_eq!(gave_up.wrong(Excuses::default(), Some(&[Standing::Failed])).len(), 0);
    assert_eq!(gave_up.wrong(Excuses::default(), Some(&[Standing::Succeeded])).len(), 1, "it gave up");
    let refused = Facts { deployments: Vec::new(), refusals: 1, ..gave_up.clone() };
    let not_taken = Excuses { refused: Some(&[]), ..Excuses::default() };
    let ends: &[Standing] = &[Standing::Succeeded];
    assert_eq!([Excuses::default(), not_taken].map(|excuses| refused.wrong(excuses, Some(ends)).len()), [1, 0]);
    assert_eq!(gave_up.wrong(not_taken, Some(ends)).len(), 1, "it was taken and given up");
    let lost = vec![states(&["in_progress", "error"])];
    assert_eq!(wrong(Told { builds: Vec::new(), records: lost.clone(), ..unknown.clone() }), 0);
    for (what, planted) in [
        ("two builds", Told { builds: vec!["succeeded", "succeeded"], ..good.clone() }),
        ("two records", Told { records: vec![good.records[0].clone(), good.records[0].clone()], ..good.clone() }),
        ("a failure that succeeded", Told { records: Vec::new(), ..failed.clone() }),
        ("a failure that still builds", Told { builds: vec!["pending"], records: Vec::new(), ..failed.clone() }),
        ("a success that never was", Told { builds: vec!["failed"], ..good.clone() }),
        ("a build that nobody looks for", Told { records: lost, ..unknown }),
        ("a card too many", Told { shown: states(&["[ok]", "[ok]"]), ..good.clone() }),
        ("an end told twice", Told { told: states(&["[ok]", "[ok]"]), ..good.clone() }),
        ("no end", Told { standing: Standing::GoesOn, cards: states(&["[..]"]), asker: set(&["[..]"]), ..good.clone() }),
        ("a record without an end", Told { records: vec![states(&["in_progress"])], ..good.clone() }),
        ("a record with the wrong end", Told { records: vec![states(&["failure"])], ..good.clone() }),
        ("a record that ends in two ways", Told { records: vec![states(&["error", "success"])], ..good.clone() }),
        ("a card that stands", Told { cards: states(&["[..]"]), shown: states(&["[..]"]), ..good.clone() }),
        ("no card", Told { cards: Vec::new(), ..good.clone() }),
        ("an asker who was not told", Told { asker: BTreeSet::new(), ..good.clone() }),
    ] {
        assert!(wrong(planted) > 0, "{what}");
    }
    let silent = Facts { deployments: Vec::new(), ..facts(good.clone()) };
    assert_eq!(
        (silent.wrong(Excuses::default(), None).len(), Facts { refusals: 1, ..silent }.wrong(Excuses::default(), None).len()),
        (1, 0)
    );
    assert_eq!(Facts { violations: states(&["x"]), ..facts(good.clone()) }.wrong(Excuses::default(), None).len(), 1);
    // What is excused is no more than what the fault makes impossible.
    let excused = |told: Told, excuses: Excuses| facts(told).wrong(excuses, None).len();
    let twice = Excuses { records_twice: true, ..Excuses::default() };
    assert!(excused(Told { records: vec![states(&["in_progress"])], ..good.clone() }, twice) > 0);
    let unheard = Excuses { unheard: 1, ..Excuses::default() };
    assert_eq!(excused(Told { shown: states(&["[..]", "[ok]"]), ..good.clone() }, unheard), 0);
    assert_eq!(excused(Told { shown: states(&["[..]", "[..]", "[ok]"]), ..good }, unheard), 1);
}
