//! Several deployments and the line of their app, driven and stopped in any order, by workers whose records may be old.

use jiff::SignedDuration;
use proptest::prelude::*;

use super::lives::smooth;
use super::outcomes::outcomes;
use crate::domain::deployment::samples::{at, deployment, not_done, person};
use crate::domain::deployment::*;
use crate::domain::line::Line;

const MANY: usize = 4;

/// What happens to one of them.
#[derive(Clone, Debug)]
enum Event {
    /// It is asked for.
    Join,
    /// It is asked for, to wait for its checks.
    JoinUnready,
    /// Its worker performs a step; `Some`: with this outcome, `None`: everything works.
    Drive(Option<Outcome>),
    /// A person stops it.
    Cancel,
    /// Its asker, who wanted to be asked, says that it ships.
    Answer,
    /// A person frees its app.
    Free,
    /// Its worker is replaced by one that reads the record anew.
    Restart,
}

/// The store, and beside it what each worker believes.
struct Stage {
    now: Timestamp,
    line: Line,
    stored: Vec<Option<Deployment>>,
    believed: Vec<Option<Deployment>>,
    left: Vec<u32>,
}

impl Stage {
    fn new() -> Self {
        let app = deployment(Phase::Starting).target.app;
        Self { now: at(0), line: Line::empty(app), stored: vec![None; MANY], believed: vec![None; MANY], left: vec![0; MANY] }
    }

    fn id(n: usize) -> DeploymentId {
        DeploymentId(uuid::Uuid::from_u128(u128::try_from(n).unwrap()))
    }

    fn join(&mut self, n: usize, when_green: bool) {
        if self.stored[n].is_some() {
            return;
        }
        let id = Self::id(n);
        self.line = if when_green { self.line.joined_unready_by(id) } else { self.line.joined_by(id) };
        let phase = match self.line.holder {
            _ if when_green => deployment(Phase::Starting).waiting_for(not_done()),
            Some(holder) if holder == id => Phase::Starting,
            Some(_) | None => Phase::Waiting(WaitingFor::Turn),
        };
        let times = phase.stage().map(|stage| StageTime { stage, began: self.now, ended: None }).into_iter().collect();
        // Every other one wants to be asked at its turn.
        self.stored[n] = Some(Deployment { id, since: self.now, times, when_green, ask_first: n % 2 == 1, ..deployment(phase) });
    }

    /// `false`: somebody else was faster.
    fn save(&mut self, n: usize, next: Deployment) -> bool {
        if self.stored[n].as_ref().map(|stored| stored.version) != Some(next.version) {
            return false;
        }
        if let Some(line) = self.line.with(&next) {
            self.line = line;
            self.left[n] += u32::from(next.has_ended());
        }
        self.stored[n] = Some(Deployment { version: next.version + 1, ..next });
        true
    }

    fn drive(&mut self, n: usize, outcome: Option<Outcome>) {
        let Some(mut one) = self.believed[n].clone().or_else(|| self.stored[n].clone()) else { return };
        let Some(step) = one.next_step() else { return };
        if step == Step::Close {
            self.save(n, one.closed_now());
            self.believed[n].clone_from(&self.stored[n]);
            return;
        }
        let holds = self.line.holder == Some(one.id);
        let outcome = outcome.unwrap_or_else(|| smooth(&step));
        let outcome = if outcome == Outcome::TurnCame && !holds { Outcome::NoNews } else { outcome };
        while let Some(next) = one.after(outcome.clone(), self.now) {
            if self.save(n, next) {
                break;
            }
            one = self.stored[n].clone().unwrap();
        }
        self.believed[n].clone_from(&self.stored[n]);
    }

    fn person(&mut self, n: usize, frees: bool) {
        let Some(stored) = &self.stored[n] else { return };
        let next = match (frees, stored.cancelled_by(&person("bo"), None, self.now)) {
            (true, _) => stored.freed_by(&person("bo"), None, self.now),
            (false, CancelAnswer::Stopped(next) | CancelAnswer::Asked(next)) => Some(*next),
            (false, CancelAnswer::AlreadyAsked | CancelAnswer::CannotStop(_) | CancelAnswer::Unknown(_) | CancelAnswer::Over) => None,
        };
        if let Some(next) = next {
            assert!(self.save(n, next));
        }
    }

    fn answer(&mut self, n: usize) {
        if let Some(next) = self.stored[n].as_ref().and_then(|stored| stored.answered(self.now)) {
            assert_eq!(self.line.holder, Some(next.id), "whoever is asked has the app");
            assert!(self.save(n, next));
        }
    }

    fn happens(&mut self, n: usize, event: Event) {
        match event {
            Event::Join => self.join(n, false),
            Event::JoinUnready => self.join(n, true),
            Event::Drive(outcome) => self.drive(n, outcome),
            Event::Cancel => self.person(n, false),
            Event::Answer => self.answer(n),
            Event::Free => self.person(n, true),
            Event::Restart => self.believed[n] = None,
        }
    }

    fn check(&self) {
        let waits = |phase: &Phase| matches!(phase, Phase::Waiting(WaitingFor::Turn | WaitingFor::Checks { .. }));
        let busy = |one: &&Deployment| !one.has_ended() && !waits(&one.phase);
        let holders: Vec<DeploymentId> = self.stored.iter().flatten().filter(busy).map(|one| one.id).collect();
        assert!(holders.len() <= 1, "two at a time: {holders:?}");
        assert!(holders.iter().all(|id| self.line.holder == Some(*id)), "somebody goes on without the app");
        for (n, one) in self.stored.iter().enumerate() {
            let stands = self.line.everybody().filter(|id| *id == Self::id(n)).count();
            let unready = one.as_ref().is_some_and(|one| matches!(one.phase, Phase::Waiting(WaitingFor::Checks { .. })));
            assert_eq!(self.line.not_ready.contains(&Self::id(n)), unready, "waits for its checks exactly while it says so");
            let ended = one.as_ref().is_some_and(Deployment::has_ended);
            assert_eq!(stands, usize::from(one.is_some() && !ended), "stands in line exactly while it has not ended");
            assert_eq!(self.left[n], u32::from(ended), "left exactly once");
        }
    }
}

fn events() -> impl Strategy<Value = Vec<(usize, Event, i64)>> {
    let event = prop_oneof![
        3 => Just(Event::Join),
        2 => Just(Event::JoinUnready),
        12 => Just(Event::Drive(None)),
        6 => prop::sample::select(outcomes()).prop_map(|outcome| Event::Drive(Some(outcome))),
        2 => Just(Event::Cancel),
        3 => Just(Event::Answer),
        2 => Just(Event::Free),
        1 => Just(Event::Restart),
    ];
    prop::collection::vec((0..MANY, event, prop::sample::select(vec![0, 5, 61, 700])), 0..150)
}

proptest! {
    #[test]
    fn never_two_at_a_time_and_the_line_is_left_exactly_once(events in events()) {
        let mut stage = Stage::new();
        for (n, event, wait) in events {
            stage.now = stage.now.checked_add(SignedDuration::from_secs(wait)).unwrap();
            stage.happens(n, event);
            stage.check();
        }
        // Everybody gets a turn and an end.
        for _ in 0..40 * MANY {
            stage.now = stage.now.checked_add(SignedDuration::from_secs(700)).unwrap();
            for n in 0..MANY {
                stage.drive(n, None);
                stage.check();
            }
        }
        prop_assert_eq!(stage.line.everybody().count(), 0, "nobody is left standing");
        prop_assert!(stage.stored.iter().flatten().all(|one| one.closed));
    }
}
