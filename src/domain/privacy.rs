//! Every kind of stored record: what it holds, about whom, why and for how long. `PRIVACY.md` carries this table.

/// One kind of record in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordKind {
    /// The name of its tree, or of its table in the history.
    pub tree: &'static str,
    /// What it holds.
    pub holds: &'static str,
    /// Why.
    pub why: &'static str,
    /// How long.
    pub kept: &'static str,
}

/// All of them.
pub const RECORD_KINDS: &[RecordKind] = &[
    RecordKind {
        tree: "requests",
        holds: "who asked (workspace and user id), in which channel, the command as we understood it, the sealed reply address until it is answered",
        why: "to answer it once, also after a crash, and to know a repeated delivery",
        kept: "one day after it was answered",
    },
    RecordKind {
        tree: "deployments",
        holds: "who asked and in which channel, pipeline, app, repository, commit, authors' names of the commits, phases and times, the reason given, where the card stands, what the chat or the repository took no word of, the sealed reply address until the end is told",
        why: "to drive the deploy to its true end and to show what happened",
        kept: "until some are over and told, then in the history",
    },
    RecordKind {
        tree: "history",
        holds: "deployments that are over and told: the same, without the reply address",
        why: "to show what happened",
        kept: "as long as the store is kept",
    },
    RecordKind {
        tree: "lines",
        holds: "for each app, the ids of the deployments that run or wait",
        why: "so that never two run at a time",
        kept: "as long as the store is kept",
    },
    RecordKind {
        tree: "offers",
        holds: "the command behind a button and for whom it is",
        why: "so that a button carries no authority",
        kept: "one day after it ended",
    },
    RecordKind {
        tree: "leases",
        holds: "which instance works on what until when; nothing about people",
        why: "so that one instance works on a thing at a time",
        kept: "for requests as long as those, for deployments until they are in the history",
    },
];
