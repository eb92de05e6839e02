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
        tree: "accounts",
        holds: "for each person who has linked a login (workspace and user id): the login's id at the source control and at the platform, its scopes, when it was linked, how long it holds, and its tokens, sealed; no name and no address",
        why: "to act with the person's own rights",
        kept: "until the person unlinks the login",
    },
    RecordKind {
        tree: "sign-ins",
        holds: "for whom a link to sign in was made (workspace and user id), digests of the link, the browser's cookie, the way to the service and the passcode, the command that waits, and until it is confirmed what was linked, as in accounts; no address and no kind of a browser",
        why: "so that a link works once, for one person and for a short while",
        kept: "one day after it ended",
    },
    RecordKind {
        tree: "leases",
        holds: "which instance works on what until when; for accounts, on whose (workspace and user id)",
        why: "so that one instance works on a thing at a time",
        kept: "for requests until they are answered, for accounts as long as those, for deployments until they are in the history",
    },
];
