//! What must hold for any bytes that come through a door: one function per door, which panics where it does not hold.
//!
//! The property tests feed them in every run of the tests, from [`seeds`] and their mutations; `fuzz/` feeds them guided by
//! coverage. Inputs that once found something lie in `fixtures/fuzz/DOOR/` and are fed in every run.

mod answers;
mod commands;
mod follow;
mod platform;
mod rows;
mod scripts;
pub mod seeds;
mod sign_in;
mod slack;
mod source;
mod text;

#[cfg(test)]
mod tests;

/// A door, and what must hold there.
#[derive(Clone, Copy, Debug)]
pub struct Door {
    /// Its name, and that of its folder of inputs.
    pub name: &'static str,
    /// Panics if something does not hold for these bytes.
    pub holds: fn(&[u8]),
}

/// All doors.
pub const DOORS: [Door; 8] = [
    Door { name: "commands", holds: commands::holds },
    Door { name: "slack", holds: slack::holds },
    Door { name: "source", holds: source::holds },
    Door { name: "platform", holds: platform::holds },
    Door { name: "follow", holds: follow::holds },
    Door { name: "rows", holds: rows::holds },
    Door { name: "text", holds: text::holds },
    Door { name: "scripts", holds: scripts::holds },
];

/// Feeds one door.
pub fn feed(door: &str, bytes: &[u8]) {
    if let Some(door) = DOORS.iter().find(|known| known.name == door) {
        (door.holds)(bytes);
    }
}

/// The first byte, and the rest.
fn first(bytes: &[u8]) -> (u8, &[u8]) {
    bytes.split_first().map_or((0, bytes), |(first, rest)| (*first, rest))
}
