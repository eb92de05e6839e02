//! What people do and what befalls the processes: one plot for each kind of race, all of them drawn from the seed.

use super::schedule::Random;
use super::stage::{Plot, Setting, Stage, cancel, deploy, frees, leave, status, stops};

const PEOPLE: [&str; 3] = ["ana", "bob", "cleo"];

/// Somebody who has lost the right to record deployments, which was seen before.
pub const FORMER: &str = "dana";

/// The kinds of races. A seed's kind is its remainder.
pub const KINDS: [&str; 9] = [
    "two deploys of one app",
    "two cancels",
    "a cancel against an end",
    "a redelivery against a restart",
    "a lease that runs out under a frozen worker",
    "a code against the end of its wait",
    "leaving against one's turn",
    "several processes on one store",
    "everything at once, with bad luck",
];

pub fn kind_of(seed: u64) -> usize {
    usize::try_from(seed % KINDS.len() as u64).unwrap()
}

/// The setting that a seed stands for.
pub fn setting_of(seed: u64) -> Setting {
    let mut random = Random::new(seed);
    let (processes, bad_luck, freezes) = match kind_of(seed) {
        3 => (1, 0, 0),
        4 => (2, 0, random.pick(&[0, 5, 10, 20])),
        7 => (random.pick(&[2, 3]), 0, random.pick(&[0, 5])),
        8 => (random.pick(&[1, 2, 3]), random.pick(&[2, 5, 10]), random.pick(&[0, 0, 4])),
        _ => (1, random.pick(&[0, 0, 3]), 0),
    };
    Setting { seed, processes, bad_luck, freezes, broken: None, tells: false }
}

struct Drawn<'a> {
    stage: &'a Stage,
    random: Random,
    asked: u64,
    plot: Plot<'a>,
}

pub fn plot(stage: &Stage) -> Plot<'_> {
    let seed = stage.setting.seed;
    let mut drawn = Drawn { stage, random: Random::new(seed ^ 0x0707), asked: 0, plot: Vec::new() };
    match kind_of(seed) {
        0 => drawn.two_deploys(),
        1 => drawn.two_cancels(),
        2 => drawn.a_cancel_against_an_end(),
        3 => drawn.a_redelivery_against_a_restart(),
        4 => drawn.a_frozen_worker(),
        5 => drawn.a_code_against_its_end(),
        6 => drawn.leaving_against_a_turn(),
        7 => drawn.several_processes(),
        _ => drawn.everything(),
    }
    if stage.setting.freezes + stage.setting.bad_luck > 0 || matches!(kind_of(seed), 3 | 4 | 7) {
        drawn.plot.push(Box::pin(frees_what_nobody_knows(stage)));
    }
    drawn.plot
}

/// Somebody frees an app, once nobody knows how its deployment stands.
async fn frees_what_nobody_knows(stage: &Stage) {
    for round in 0..12 {
        stage.pause(600_000).await;
        for deployment in stage.unknown() {
            stage.ask(0, &format!("free{round}-{}", deployment.0.as_u128()), "ana", frees(deployment), None).await;
        }
        if stage.rests() {
            return;
        }
    }
}

impl<'a> Drawn<'a> {
    fn person(&mut self) -> &'static str {
        self.random.pick(&PEOPLE)
    }

    fn slot(&mut self) -> usize {
        usize::try_from(self.random.below(self.stage.setting.processes as u64)).unwrap()
    }

    /// Somebody asks something at a time, in milliseconds.
    fn asks(&mut self, at: i64, user: &'static str, ask: slash_heroku::domain::request::Ask, code: Option<&'static str>) -> String {
        self.asked += 1;
        let id = format!("d{}", self.asked);
        let (stage, slot, named) = (self.stage, self.slot(), id.clone());
        self.plot.push(Box::pin(async move {
            stage.pause(at).await;
            stage.ask(slot, &named, user, ask, code).await;
        }));
        id
    }

    fn deploys(&mut self, first: i64, last: i64, pipeline: &str) {
        let (at, user, branch) = (self.random.between(first, last), self.person(), self.random.pick(&["main", "main", "topic"]));
        self.asks(at, user, deploy(pipeline, branch), None);
    }

    /// Somebody presses Cancel under one of the cards that are there by then.
    fn presses_cancel(&mut self, first: i64, last: i64) {
        let (at, user, stage, slot) = (self.random.between(first, last), self.person(), self.stage, self.slot());
        self.asked += 1;
        let id = format!("d{}", self.asked);
        self.plot.push(Box::pin(async move {
            stage.pause(at).await;
            if let Some(deployment) = stage.some_deployment() {
                stage.ask(slot, &id, user, stops(deployment), None).await;
            }
        }));
    }

    fn restarts(&mut self, first: i64, last: i64) {
        let (at, down_for) = (self.random.between(first, last), self.random.between(0, 8_000));
        let (stage, slot) = (self.stage, self.slot());
        self.plot.push(Box::pin(async move {
            stage.pause(at).await;
            stage.restart(slot, down_for).await;
        }));
    }

    fn freezes(&mut self, first: i64, last: i64) {
        let (at, seconds) = (self.random.between(first, last), self.random.between(20, 240));
        let (stage, slot) = (self.stage, self.slot());
        self.plot.push(Box::pin(async move {
            stage.pause(at).await;
            stage.freeze(slot, seconds);
        }));
    }

    fn two_deploys(&mut self) {
        for _ in 0..self.random.between(2, 4) {
            self.deploys(0, 200, "hubot");
        }
        self.deploys(0, 20_000, "web");
        if self.random.chance(30) {
            let at = self.random.between(0, 300);
            self.asks(at, FORMER, deploy("hubot", "main"), None);
        }
    }

    fn two_cancels(&mut self) {
        self.deploys(0, 100, "hubot");
        self.deploys(0, 3_000, "hubot");
        let at = self.random.between(0, 15_000);
        for _ in 0..2 {
            let user = self.person();
            if self.random.chance(50) {
                self.asks(at, user, cancel("hubot"), None);
            } else {
                self.presses_cancel(at, at);
            }
        }
    }

    fn a_cancel_against_an_end(&mut self) {
        self.deploys(0, 0, "hubot");
        for _ in 0..self.random.between(1, 3) {
            self.presses_cancel(500, 30_000);
        }
        self.deploys(1_000, 30_000, "hubot");
    }

    fn a_redelivery_against_a_restart(&mut self) {
        let user = self.person();
        let ask = deploy("hubot", "main");
        let id = self.asks(0, user, ask.clone(), None);
        for _ in 0..2 {
            let (at, stage, again, ask) = (self.random.between(0, 20_000), self.stage, id.clone(), ask.clone());
            self.plot.push(Box::pin(async move {
                stage.pause(at).await;
                stage.ask(0, &again, user, ask, None).await;
            }));
        }
        for _ in 0..self.random.between(1, 3) {
            self.restarts(0, 25_000);
        }
        self.deploys(0, 5_000, "hubot");
        let user = self.person();
        self.asks(3_000, user, status(), None);
    }

    fn a_frozen_worker(&mut self) {
        for _ in 0..3 {
            self.deploys(0, 3_000, "hubot");
        }
        self.deploys(0, 30_000, "web");
        for _ in 0..self.random.between(1, 2) {
            self.freezes(0, 20_000);
        }
        if self.random.chance(30) {
            self.presses_cancel(0, 90_000);
        }
        if self.random.chance(20) {
            self.restarts(0, 60_000);
        }
    }

    fn a_code_against_its_end(&mut self) {
        let user = self.person();
        self.asks(0, user, deploy("vault", "main"), None);
        let at = if self.random.chance(60) { self.random.between(598_000, 606_000) } else { self.random.between(0, 20_000) };
        self.asks(at, user, deploy("vault", "main"), Some("123456"));
        if self.random.chance(50) {
            self.presses_cancel(at - 100, at + 5_000);
        }
        if self.random.chance(40) {
            let other = self.person();
            self.asks(at, other, deploy("vault", "main"), Some("234567"));
        }
    }

    fn leaving_against_a_turn(&mut self) {
        for _ in 0..3 {
            self.deploys(0, 1_000, "hubot");
        }
        for user in PEOPLE {
            let at = self.random.between(0, 30_000);
            self.asks(at, user, leave(), None);
        }
    }

    fn several_processes(&mut self) {
        for pipeline in ["hubot", "hubot", "hubot", "web"] {
            self.deploys(0, 300, pipeline);
        }
        if self.random.chance(50) {
            self.presses_cancel(0, 20_000);
        }
        if self.random.chance(40) {
            self.restarts(0, 20_000);
        }
    }

    fn everything(&mut self) {
        for _ in 0..self.random.between(2, 5) {
            let pipeline = self.random.pick(&["hubot", "hubot", "web"]);
            self.deploys(0, 30_000, pipeline);
        }
        for _ in 0..self.random.between(0, 3) {
            match self.random.below(5) {
                0 => self.presses_cancel(0, 60_000),
                1 => self.restarts(0, 60_000),
                2 => self.freezes(0, 60_000),
                3 => {
                    let (at, user) = (self.random.between(0, 60_000), self.person());
                    self.asks(at, user, leave(), None);
                }
                _ => self.moves(),
            }
        }
    }

    /// A branch gets a new head while it is deployed.
    fn moves(&mut self) {
        let user = self.person();
        self.asks(0, user, deploy("hubot", "moving"), None);
        let (at, stage) = (self.random.between(0, 40_000), self.stage);
        self.plot.push(Box::pin(async move {
            stage.pause(at).await;
            stage.world.look().heads.insert("moving", slash_heroku::domain::names::CommitSha::parse(&"d".repeat(40)).unwrap());
        }));
    }
}
