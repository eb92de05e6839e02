//! What operators are told about people's records, as lines for a terminal.

use jiff::Timestamp;

use crate::domain::privacy::{Counts, Deed, Did, Ended, Upkeep};

use super::words::count;

/// Who an operator is: whom the system says, and the name they gave, on one line.
pub fn who(system_user: u32, name: &str) -> String {
    let name: String = name.chars().filter(|c| !c.is_control()).take(100).collect();
    if name.is_empty() { format!("uid {system_user}") } else { format!("uid {system_user} ({name})") }
}

/// How much is kept about somebody.
pub fn how_much(much: &[(&'static str, u64)]) -> String {
    if much.is_empty() {
        return "Nothing is kept about them.\n".to_owned();
    }
    much.iter().map(|(kind, many)| format!("{kind}: {many}\n")).collect()
}

/// A removal has begun.
pub fn removal_begun(running: u64) -> String {
    if running == 0 {
        "They are being removed.\n".to_owned()
    } else {
        format!(
            "They are removed as soon as what they have running has ended ({}), and in two days at the latest.\n",
            count(running, "deploy")
        )
    }
}

/// What operators have done, oldest first.
pub fn deeds<'d>(deeds: impl Iterator<Item = &'d Deed>) -> String {
    let line = |deed: &Deed| {
        let did = match deed.did {
            Did::Looked => "looked at",
            Did::Exported => "exported",
            Did::Removed => "removed",
            Did::BackedUp => "took a backup of",
        };
        let because: String = deed.because.chars().filter(|c| !c.is_control()).collect();
        let whose = deed.about.as_ref().map_or_else(|| "everything".to_owned(), |about| format!("{}/{}", about.workspace, about.user));
        let why = if because.is_empty() { String::new() } else { format!(": {because}") };
        format!("{} {} {did} {whose}{why}\n", deed.at, deed.by)
    };
    let lines: String = deeds.map(line).collect();
    if lines.is_empty() { "Nobody has looked at, exported, removed or backed up anything.\n".to_owned() } else { lines }
}

/// How far upkeep is.
pub fn state<'c>(upkeep: &Upkeep, waiting: usize, counts: impl Iterator<Item = &'c Counts>) -> String {
    let moment = |at: Option<Timestamp>, never: &str| at.map_or_else(|| never.to_owned(), |at| at.to_string());
    let mut lines = format!(
        "settled: {}\ndeployments that have gone: {}\npeople removed: {}\npeople to be removed: {waiting}\nremoved and still in the files since: {}\nfiles written anew: {}\n",
        moment(upkeep.settled_at, "not yet"),
        upkeep.dropped,
        upkeep.removed,
        moment(upkeep.rewrite_since, "nothing"),
        moment(upkeep.rewritten_at, "never"),
    );
    for counts in counts {
        for group in &counts.groups {
            let of = match group.of {
                None => "other".to_owned(),
                Some((environment, ended)) => {
                    let ended = match ended {
                        Ended::Well => "well",
                        Ended::Badly => "badly",
                        Ended::Stopped => "stopped",
                    };
                    format!("{environment} {ended}")
                }
            };
            lines.push_str(&format!("{} {of}: {}\n", counts.month, group.deploys));
        }
    }
    lines
}
