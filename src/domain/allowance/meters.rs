//! Two ways in which services count: a window that slides, and a bucket that fills.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

/// So many within so long, at any moment.
#[derive(Clone, Debug)]
pub struct Window {
    span: SignedDuration,
    taken: VecDeque<Timestamp>,
    /// The last moment that somebody was sent away to: the next one who comes is sent to a later one, so that not all come at once.
    promised: Timestamp,
}

impl Window {
    /// A window that nothing was taken from.
    pub fn new(span: SignedDuration) -> Self {
        Self { span, taken: VecDeque::new(), promised: Timestamp::MIN }
    }

    /// How many were taken within the span before `now`.
    pub fn taken(&mut self, now: Timestamp) -> usize {
        let begins = now.checked_sub(self.span).unwrap_or(Timestamp::MIN);
        while self.taken.front().is_some_and(|at| *at <= begins) {
            self.taken.pop_front();
        }
        self.taken.len()
    }

    /// Takes one, whether there is room or not.
    pub fn take(&mut self, now: Timestamp) {
        self.taken(now);
        self.taken.push_back(now);
    }

    /// When fewer than `most` will have been taken, if no more are; `None`: that is so now.
    pub fn room_at(&mut self, most: usize, now: Timestamp) -> Option<Timestamp> {
        let taken = self.taken(now);
        if taken < most {
            return None;
        }
        let leaves = self.taken.get(taken.saturating_sub(most)).copied().unwrap_or(now);
        Some(later(leaves, self.span))
    }

    /// Sends somebody away until there is room below `most`: each a little later than the one before.
    pub fn send_away(&mut self, room: Timestamp, most: usize) -> Timestamp {
        let between = self.span.checked_div(i32::try_from(most.max(1)).unwrap_or(i32::MAX)).unwrap_or(self.span);
        self.promised = room.max(later(self.promised, between));
        self.promised
    }
}

/// A bucket that fills steadily: short bursts, and so many a second in the long run.
#[derive(Clone, Debug)]
pub struct Bucket {
    burst: u32,
    every: SignedDuration,
    /// When it is full again, if nothing more is taken.
    full_at: Timestamp,
    promised: Timestamp,
}

impl Bucket {
    /// A full bucket: `burst` at once, and one more `every` so long.
    pub fn new(burst: u32, every: SignedDuration) -> Self {
        Self { burst, every, full_at: Timestamp::MIN, promised: Timestamp::MIN }
    }

    /// Takes one, whether there is one or not.
    pub fn take(&mut self, now: Timestamp) {
        self.full_at = later(self.full_at.max(now), self.every);
    }

    /// When there is one; `None`: now.
    pub fn room_at(&self, now: Timestamp) -> Option<Timestamp> {
        let spare = self.every.saturating_mul(i32::try_from(self.burst.saturating_sub(1)).unwrap_or(i32::MAX));
        let room = self.full_at.checked_sub(spare).unwrap_or(Timestamp::MIN);
        (room > now).then_some(room)
    }

    /// Whether it is full.
    pub fn is_full(&self, now: Timestamp) -> bool {
        self.full_at <= now
    }

    /// Sends somebody away until there is one: each a little later than the one before.
    pub fn send_away(&mut self, room: Timestamp) -> Timestamp {
        self.promised = room.max(later(self.promised, self.every));
        self.promised
    }
}

pub(super) fn later(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::deployment::samples::at;

    const MINUTE: SignedDuration = SignedDuration::from_mins(1);

    #[test]
    fn a_window_has_room_again_when_the_oldest_leaves_it() {
        let mut window = Window::new(MINUTE);
        for second in 0..3 {
            assert_eq!(window.room_at(3, at(second)), None);
            window.take(at(second));
        }
        assert_eq!(window.room_at(3, at(10)), Some(at(60)));
        assert_eq!(window.room_at(2, at(10)), Some(at(61)));
        assert_eq!(window.room_at(3, at(60)), None);
        assert_eq!(window.taken(at(61)), 1);
    }

    #[test]
    fn who_is_sent_away_is_not_sent_to_the_same_moment() {
        let mut window = Window::new(MINUTE);
        let sent: Vec<Timestamp> = (0..3).map(|_| window.send_away(at(60), 60)).collect();
        assert_eq!(sent, [at(60), at(61), at(62)]);
        let mut bucket = Bucket::new(2, SignedDuration::from_secs(1));
        assert_eq!([bucket.send_away(at(5)), bucket.send_away(at(5)), bucket.send_away(at(100))], [at(5), at(6), at(100)]);
    }

    #[test]
    fn a_bucket_gives_a_burst_and_then_one_by_one() {
        let mut bucket = Bucket::new(3, SignedDuration::from_secs(1));
        for _ in 0..3 {
            assert_eq!(bucket.room_at(at(0)), None);
            bucket.take(at(0));
        }
        assert_eq!(bucket.room_at(at(0)), Some(at(1)));
        assert_eq!(bucket.room_at(at(1)), None);
        bucket.take(at(1));
        assert_eq!(bucket.room_at(at(1)), Some(at(2)));
        assert!(!bucket.is_full(at(3)) && bucket.is_full(at(4)));
    }
}
