//! The table.

use super::{About, Field, RecordKind};

/// All of them.
pub const RECORD_KINDS: &[RecordKind] = &[
    REQUESTS,
    DEPLOYMENTS,
    HISTORY,
    LINES,
    OFFERS,
    ACCOUNTS,
    SIGN_INS,
    INSTALLATIONS,
    HAPPENINGS,
    LOCKS,
    LEASES,
    TOLD,
    REMOVALS,
    EXPORTS,
    DEEDS,
    RULES,
    CHANGES,
    COUNTS,
    UPKEEP,
];

const fn you(what: &'static str, places: &'static [&'static str]) -> Field {
    Field { what, about: About::You, places, parts: &[] }
}

const fn others(what: &'static str, places: &'static [&'static str]) -> Field {
    Field { what, about: About::Others, places, parts: &[] }
}

const fn work(what: &'static str, places: &'static [&'static str]) -> Field {
    Field { what, about: About::Work, places, parts: &[] }
}

/// A command, wherever it is kept.
const fn command(places: &'static [&'static str]) -> Field {
    Field { what: "the command as we understood it, the reason after `because` included", about: About::You, places, parts: COMMAND }
}

const COMMAND: &[&str] = &[
    ".",
    "help.about",
    "info.pipeline.name",
    "info.pipeline.id",
    "plan.pipeline.name",
    "plan.pipeline.id",
    "plan.what",
    "plan.what.named",
    "plan.what.pull",
    "plan.what.pinned.commit",
    "plan.what.pinned.of",
    "plan.what.pinned.of.branch",
    "plan.what.pinned.of.tag",
    "plan.what.pinned.of.pull.number",
    "plan.what.pinned.of.pull.branch",
    "plan.to.environment",
    "plan.to.app",
    "deploy.wish.pipeline.name",
    "deploy.wish.pipeline.id",
    "deploy.wish.what",
    "deploy.wish.what.named",
    "deploy.wish.what.pull",
    "deploy.wish.what.pinned.commit",
    "deploy.wish.what.pinned.of",
    "deploy.wish.what.pinned.of.branch",
    "deploy.wish.what.pinned.of.tag",
    "deploy.wish.what.pinned.of.pull.number",
    "deploy.wish.what.pinned.of.pull.branch",
    "deploy.wish.to.environment",
    "deploy.wish.to.app",
    "deploy.passing_checks",
    "deploy.because",
    "status.pipeline.name",
    "status.pipeline.id",
    "queue.pipeline.name",
    "queue.pipeline.id",
    "queue.place.environment",
    "queue.place.app",
    "leave.line.pipeline.name",
    "leave.line.pipeline.id",
    "leave.line.place.environment",
    "leave.line.place.app",
    "cancel.pipeline.name",
    "cancel.pipeline.id",
    "cancel.place.environment",
    "cancel.place.app",
    "releases.pipeline.name",
    "releases.pipeline.id",
    "releases.place.environment",
    "releases.place.app",
    "lock.on.pipeline.name",
    "lock.on.pipeline.id",
    "lock.on.environment",
    "lock.end.after",
    "lock.end.at.day",
    "lock.end.at.time",
    "lock.end.at.zone",
    "lock.because",
    "lock.anyway",
    "unlock.on.pipeline.name",
    "unlock.on.pipeline.id",
    "unlock.on.environment",
    "unlock.anyway",
    "history.pipeline.name",
    "history.pipeline.id",
    "rules.wish",
    "rules.wish.change.because",
    "rules.wish.change.change.reset",
    "rules.wish.change.change.reset.deploy",
    "rules.wish.change.change.set.use",
    "rules.wish.change.change.set.use.only.people[]",
    "rules.wish.change.change.set.use.only.groups[].id",
    "rules.wish.change.change.set.use.only.groups[].name",
    "rules.wish.change.change.set.deploy.to",
    "rules.wish.change.change.set.deploy.who",
    "rules.wish.change.change.set.deploy.who.only.people[]",
    "rules.wish.change.change.set.deploy.who.only.groups[].id",
    "rules.wish.change.change.set.deploy.who.only.groups[].name",
    "rules.wish.change.change.set.override",
    "rules.wish.change.change.set.override.only.people[]",
    "rules.wish.change.change.set.override.only.groups[].id",
    "rules.wish.change.change.set.override.only.groups[].name",
    "rules.wish.change.change.set.channels",
    "rules.wish.change.change.set.channels.only[]",
    "rules.wish.change.change.set.guests.welcome",
    "rules.wish.change.change.set.outsiders.welcome",
    "privacy.wish",
    "privacy.wish.delete.sure",
];

const REQUESTS: RecordKind = RecordKind {
    name: "requests",
    tree: "requests",
    holds: "a command that you typed or a button that you pressed",
    why: "to answer it once, also after a crash, and to know a repeated delivery",
    kept: "one day after it was answered",
    goes: "what it asks for is asked of the source control and the platform; the answer goes to the chat",
    fields: &[
        you("your workspace id and user id", &["origin.person.workspace", "origin.person.user"]),
        you("the channel's id", &["origin.channel"]),
        you("the address for the answer, sealed, until it is answered", &["origin.reply"]),
        command(&["ask.command"]),
        you(
            "for a button: what it does, and the message it stands under",
            &["ask.press.act.*", "ask.press.on.workspace", "ask.press.on.channel", "ask.press.on.message"],
        ),
        you("that a one-time code came with it, and never the code", &["came_with_code"]),
        you("when it came", &["received_at"]),
        work("what the chat delivered it as, a version, and whether it was answered", &["id", "version", "answered"]),
    ],
};

const DEPLOYMENTS: RecordKind = RecordKind {
    name: "deployments",
    tree: "deployments",
    holds: "a deploy that you asked for, until it is over and told",
    why: "to drive the deploy to its true end and to show what happened",
    kept: "until some are over and told, then in the history",
    goes: "commit, environment, app and our id of it to the source control; the source, the commit, the repository's name and our id to the platform; the card to the chat",
    fields: DEPLOYMENT,
};

const HISTORY: RecordKind = RecordKind {
    name: "history",
    tree: "history",
    holds: "a deploy that is over and told: the same, without the address for the answer",
    why: "to show what happened",
    kept: "24 months at most, in whole months; after that only numbers are kept, as below",
    goes: "to the chat, where somebody asks for it",
    fields: DEPLOYMENT,
};

const DEPLOYMENT: &[Field] = &[
    you("your workspace id and user id", &["origin.person.workspace", "origin.person.user"]),
    you("the channel's id", &["origin.channel"]),
    you("the address for the answer, sealed, until the end is told", &["origin.reply"]),
    you("when you asked for it, and when a one-time code was taken", &["asked_at", "code_spent_at"]),
    you("the reason that you gave", &["because", "overriding.because"]),
    you(
        "where the card stands, what you were told, and what the chat or the repository took no word of",
        &["card", "card.at.workspace", "card.at.channel", "card.at.message", "asker_told", "end_shown", "untold[]"],
    ),
    others("the names that authors of the commits have given themselves", &["cargo.change.authors[]"]),
    others(
        "who cancelled it or freed its app, and when",
        &[
            "cancel.by.workspace",
            "cancel.by.user",
            "cancel.at",
            "phase.cancelled.by.workspace",
            "phase.cancelled.by.user",
            "phase.freed.by.workspace",
            "phase.freed.by.user",
        ],
    ),
    work(
        "pipeline, app and environment, by ids and names",
        &["target.pipeline", "target.pipeline_name", "target.app", "target.app_name", "target.environment", "target.web_url"],
    ),
    work(
        "repository, branch or tag or pull request, and commit",
        &[
            "cargo.repository",
            "cargo.repository_url",
            "cargo.overrides_link_to",
            "cargo.asked",
            "cargo.asked.named",
            "cargo.asked.pull",
            "cargo.asked.pinned.commit",
            "cargo.asked.pinned.of",
            "cargo.asked.pinned.of.branch",
            "cargo.asked.pinned.of.tag",
            "cargo.asked.pinned.of.pull.number",
            "cargo.asked.pinned.of.pull.branch",
            "cargo.named_by",
            "cargo.named_by.branch",
            "cargo.named_by.tag",
            "cargo.named_by.pull.number",
            "cargo.named_by.pull.branch",
            "cargo.commit",
        ],
    ),
    work(
        "how it differs from what ran, and which checks there were or were passed over",
        &[
            "cargo.change.direction",
            "cargo.change.added",
            "cargo.change.dropped",
            "cargo.change.url",
            "cargo.no_checks",
            "overriding.skipped[]",
        ],
    ),
    work(
        "where it stands, since when, and how long its stages took and usually take",
        &[
            "phase",
            "phase.waiting",
            "phase.waiting.build_slot.next",
            "phase.waiting.build_slot.since",
            "phase.waiting.allowance.of",
            "phase.waiting.allowance.since",
            "phase.needs_code.until",
            "phase.announcing",
            "phase.announcing.unclear.since",
            "phase.about_to_build",
            "phase.about_to_build.unclear.since",
            "phase.building.build",
            "phase.releasing.build",
            "phase.releasing.release",
            "phase.releasing.version",
            "phase.restarting.release",
            "phase.restarting.version",
            "phase.restarting.crashed_since",
            "phase.restarting.up[]",
            "phase.unknown",
            "phase.unknown.build.build",
            "phase.unknown.release.release",
            "phase.unknown.release.version",
            "phase.unknown.dynos.release",
            "phase.unknown.dynos.version",
            "phase.succeeded.version",
            "phase.succeeded.dynos",
            "phase.succeeded.dynos.up",
            "phase.succeeded.dynos.overtaken",
            "phase.cancelled.during",
            "phase.freed.was",
            "phase.freed.was.build.build",
            "phase.freed.was.release.release",
            "phase.freed.was.release.version",
            "phase.freed.was.dynos.release",
            "phase.freed.was.dynos.version",
            "since",
            "times[].stage",
            "times[].began",
            "times[].ended",
            "usual.build",
            "usual.release",
            "usual.dynos",
        ],
    ),
    Field {
        what: "where it failed and why, with what the source control or the platform said, cleaned of secrets",
        about: About::Work,
        places: &["phase.failed"],
        parts: &[
            "during",
            "why",
            "why.gate[]",
            "why.gate[].checks_failed[].name",
            "why.gate[].checks_failed[].url",
            "why.gate[].checks_pending[].name",
            "why.gate[].checks_pending[].url",
            "why.gate[].checks_missing[].name",
            "why.gate[].checks_missing[].url",
            "why.gate[].checks_unreadable.said",
            "why.gate[].ref_moved.by",
            "why.gate[].ref_moved.by.branch",
            "why.gate[].ref_moved.by.tag",
            "why.gate[].ref_moved.by.pull.number",
            "why.gate[].ref_moved.by.pull.branch",
            "why.gate[].ref_moved.asked",
            "why.gate[].ref_moved.now",
            "why.gate[].ref_gone.by",
            "why.gate[].ref_gone.by.branch",
            "why.gate[].ref_gone.by.tag",
            "why.gate[].ref_gone.by.pull.number",
            "why.gate[].ref_gone.by.pull.branch",
            "why.gate[].not_on_ref.by",
            "why.gate[].not_on_ref.by.branch",
            "why.gate[].not_on_ref.by.tag",
            "why.gate[].not_on_ref.by.pull.number",
            "why.gate[].not_on_ref.by.pull.branch",
            "why.gate[].not_on_ref.commit",
            "why.gate[].locked.pipeline",
            "why.gate[].locked.on",
            "why.gate[].locked.on.environment",
            "why.gate[].locked.since",
            "why.gate[].locked.until",
            "why.gate[].by_rule",
            "why.gate[].by_rule.not_for_environment",
            "why.announcement_refused",
            "why.source_unavailable",
            "why.source_too_large.limit",
            "why.build_refused",
            "why.dynos_crashed.names[]",
        ],
    },
    others(
        "whose lock kept it from going out, and the reason they gave for it",
        &[
            "phase.failed.why.gate[].locked.by.workspace",
            "phase.failed.why.gate[].locked.by.user",
            "phase.failed.why.gate[].locked.because",
        ],
    ),
    work(
        "what was ordered at the source control and the platform, by their ids, and what they were told",
        &[
            "builds_ordered",
            "announcements_ordered",
            "slot_wanted_since",
            "announcement.id",
            "announcement.reported",
            "build",
            "release",
            "cancel.told",
        ],
    ),
    work("our id, the request it came from, a version, and whether it is over and told", &["id", "delivery", "version", "closed"]),
];

const LINES: RecordKind = RecordKind {
    name: "lines",
    tree: "lines",
    holds: "for an app, which deployments run or wait; nothing about people",
    why: "so that never two run at a time",
    kept: "as long as the store is kept",
    goes: "nowhere",
    fields: &[work("the app's id, a version, and the ids of the deployments", &["app", "version", "holder", "waiting[]"])],
};

const OFFERS: RecordKind = RecordKind {
    name: "offers",
    tree: "offers",
    holds: "what a button stands for that only you may press",
    why: "so that a button carries no authority",
    kept: "one day after it ended",
    goes: "nowhere; the button in the chat carries its id",
    fields: &[
        you("your workspace id and user id", &["to.workspace", "to.user"]),
        command(&["command"]),
        you("the press that took it", &["taken_by"]),
        work("its id, a version, and when it ends", &["id", "version", "until"]),
    ],
};

const LOGIN: &[&str] = &[
    "id",
    "scopes[]",
    "rights[]",
    "grant",
    "linked_at",
    "life",
    "life.fixed.until",
    "life.renewable.until",
    "life.renewable.renewable_until",
    "standing",
    "standing.withdrawn.since",
    "tokens",
];

const fn login(places: &'static [&'static str]) -> Field {
    Field {
        what: "the login's id at the source control and at the platform, its scopes and what they allow, when it was linked, how long it holds and whether it is still taken, and its tokens, sealed; no name and no address",
        about: About::You,
        places,
        parts: LOGIN,
    }
}

const ACCOUNTS: RecordKind = RecordKind {
    name: "accounts",
    tree: "accounts",
    holds: "the logins that you have linked",
    why: "to act with your own rights",
    kept: "until you unlink the login",
    goes: "the tokens, opened for each call, to the service that gave them",
    fields: &[
        you("your workspace id and user id", &["person.workspace", "person.user"]),
        login(&["logins.*"]),
        work("a version", &["version"]),
    ],
};

const SIGN_INS: RecordKind = RecordKind {
    name: "sign-ins",
    tree: "sign-ins",
    holds: "a link to sign in that was made for you; no address and no kind of a browser",
    why: "so that a link works once, for one person and for a short while",
    kept: "one day after it ended",
    goes: "nowhere",
    fields: &[
        you("your workspace id and user id", &["person.workspace", "person.user"]),
        you(
            "digests of the link, of the browser's cookie, of the way to each service and of the passcode",
            &["link[]", "stage.open.browser[]", "stage.open.ways.*[]", "stage.open.passcode[]"],
        ),
        command(&["kept"]),
        login(&["stage.open.linked.*"]),
        work(
            "its id, a version, how far it has come and when it ends or how it ended",
            &["id", "version", "until", "stage", "stage.open.tries_left", "stage.over.end", "stage.over.at"],
        ),
    ],
};

const INSTALLATIONS: RecordKind = RecordKind {
    name: "installations",
    tree: "installations",
    holds: "a workspace or an organisation in which the app is installed; no name of it",
    why: "to speak in the workspace that a message is for, with its own token",
    kept: "until the app is removed there, or a week after its token was refused for good",
    goes: "the token, opened for each call, to the chat",
    fields: &[
        you("if you installed it: your user id, and when", &["by", "installed_at"]),
        work(
            "the ids of the workspace or the organisation and of the workspaces that it is used in, of the app and of its own user there",
            &["tenant.workspace", "tenant.organisation", "within", "workspaces[]", "app", "bot"],
        ),
        work(
            "what was granted, when and for how long, whether it is still taken, and the tokens, sealed",
            &[
                "scopes[]",
                "rights[]",
                "granted_at",
                "life",
                "life.fixed.until",
                "life.renewable.until",
                "life.renewable.renewable_until",
                "standing",
                "standing.withdrawn.since",
                "tokens",
            ],
        ),
        work("a version", &["version"]),
    ],
};

const HAPPENINGS: RecordKind = RecordKind {
    name: "happenings",
    tree: "happenings",
    holds: "what the chat has told of an installation: that it was removed, whom it was opened or closed to, whose tokens were revoked",
    why: "to do what it asks for once, also after a crash, and to know a repeated delivery",
    kept: "two days after it was heard, and until it is done",
    goes: "nowhere",
    fields: &[
        you("if you have revoked what you had given: your user id, until it is done", &["what.revoked.people[]"]),
        work(
            "what happened, where and when",
            &[
                "what",
                "what.revoked.bots[]",
                "what.let_in.workspaces[]",
                "what.shut_out.workspaces[]",
                "tenant.workspace",
                "tenant.organisation",
                "at",
                "heard_at",
            ],
        ),
        work("its id, a version, and whether it is done", &["id", "version", "done"]),
    ],
};

const LOCKS: RecordKind = RecordKind {
    name: "locks",
    tree: "locks",
    holds: "for a pipeline, who holds it or an environment of it, and how the last holds ended",
    why: "to keep others from deploying there, to tell you of it before it ends, and to show who took over whose hold",
    kept: "until the hold ends, and how it ended for 30 days after that; what was locked, without anybody, as long as the store is kept",
    goes: "to the chat, where somebody asks for it or meets the lock",
    fields: &[
        you(
            "your workspace id and user id",
            &["held[].holder.workspace", "held[].holder.user", "ended[].lock.holder.workspace", "ended[].lock.holder.user"],
        ),
        you(
            "the reason that you gave, and the channel's id",
            &["held[].because", "held[].taken_in", "ended[].lock.because", "ended[].lock.taken_in"],
        ),
        you(
            "on what, since when and until when, and how often you were reminded of it",
            &[
                "held[].on",
                "held[].on.environment",
                "held[].since",
                "held[].set_at",
                "held[].until",
                "held[].reminders",
                "ended[].lock.on",
                "ended[].lock.on.environment",
                "ended[].lock.since",
                "ended[].lock.set_at",
                "ended[].lock.until",
                "ended[].lock.reminders",
            ],
        ),
        others(
            "who ended it in your place, and the reason they gave",
            &[
                "ended[].how.taken_over.by.workspace",
                "ended[].how.taken_over.by.user",
                "ended[].how.taken_over.because",
                "ended[].how.freed_by.by.workspace",
                "ended[].how.freed_by.by.user",
            ],
        ),
        work(
            "the pipeline, a version, how and when it ended, whether you were told, and which requests took and ended it",
            &[
                "pipeline",
                "name",
                "version",
                "held[].request",
                "ended[].lock.request",
                "ended[].at",
                "ended[].how",
                "ended[].request",
                "ended[].told",
            ],
        ),
    ],
};

const LEASES: RecordKind = RecordKind {
    name: "leases",
    tree: "leases",
    holds: "which instance works on what until when; for accounts, on whose: its key is your workspace id and user id; for installations, in which workspace",
    why: "so that one instance works on a thing at a time",
    kept: "for requests until they are answered, for accounts and installations as long as those, for deployments until they are in the history",
    goes: "nowhere",
    fields: &[work("a number, an end, and whether it was given back", &["fence", "until", "released"])],
};

const TOLD: RecordKind = RecordKind {
    name: "told",
    tree: "privacy",
    holds: "which version of this page you know",
    why: "to tell you once when it changes, and to know who is not here any more",
    kept: "24 months after the last month in which you asked for something",
    goes: "nowhere",
    fields: &[
        you("your workspace id and user id", &["note.told.person.workspace", "note.told.person.user"]),
        you("the version, and the last month in which you asked for something", &["note.told.version", "note.told.seen"]),
        work("a version of the record", &["version"]),
    ],
};

const REMOVALS: RecordKind = RecordKind {
    name: "removals",
    tree: "privacy",
    holds: "that you are to be removed",
    why: "to remove you everywhere, also after a crash, and to tell you when it is done",
    kept: "until you were told that it is done",
    goes: "nowhere",
    fields: &[
        you("your workspace id and user id", &["note.removal.person.workspace", "note.removal.person.user"]),
        you("when it was asked for, and how far it is", &["note.removal.asked_at", "note.removal.stage", "note.removal.stage.done.at"]),
        you("a random number that stands for you in deployments", &["note.removal.seed"]),
    ],
};

const EXPORTS: RecordKind = RecordKind {
    name: "exports",
    tree: "privacy",
    holds: "that a link to everything about you was made",
    why: "so that the link works once and for a short while",
    kept: "until it was used, or a day after it ended",
    goes: "nowhere; the link is in the answer that only you see",
    fields: &[
        you("your workspace id and user id", &["note.export.person.workspace", "note.export.person.user"]),
        you("a digest of the link, and until when it works", &["note.export.link[]", "note.export.until"]),
    ],
};

const DEEDS: RecordKind = RecordKind {
    name: "operators",
    tree: "privacy",
    holds: "that an operator looked at, exported or removed what is kept about somebody",
    why: "so that it can be seen who did that, and why",
    kept: "24 months",
    goes: "nowhere; operators can list it",
    fields: &[
        you(
            "about whom, by workspace id and user id; once you are removed, the name that stands for you",
            &["note.deed.about.workspace", "note.deed.about.user"],
        ),
        others("which operator: the system's number of the user, and the name they gave", &["note.deed.by"]),
        others("what, when, and why in their words", &["note.deed.did", "note.deed.at", "note.deed.because"]),
        work("its id", &["note.deed.id"]),
    ],
};

const RULE: &[&str] = &[
    "use",
    "use.only.people[]",
    "use.only.groups[].id",
    "use.only.groups[].name",
    "deploy.to",
    "deploy.who",
    "deploy.who.only.people[]",
    "deploy.who.only.groups[].id",
    "deploy.who.only.groups[].name",
    "override",
    "override.only.people[]",
    "override.only.groups[].id",
    "override.only.groups[].name",
    "channels",
    "channels.only[]",
    "guests.welcome",
    "outsiders.welcome",
];

const RULES: RecordKind = RecordKind {
    name: "rules",
    tree: "privacy",
    holds: "the rules of your workspace: who may do what",
    why: "to hold people to them",
    kept: "until they are changed, or the app is removed from the workspace; who is removed is taken out of them",
    goes: "to the chat, where somebody asks for it",
    fields: &[
        you("your user id, where a rule names you or you have set one", &["note.rules.kept[].by"]),
        you("when you have set it and why", &["note.rules.kept[].at", "note.rules.kept[].because"]),
        Field {
            what: "the rule: whom it lets do what, by their ids, and where",
            about: About::You,
            places: &["note.rules.kept[].rule"],
            parts: RULE,
        },
        work("the workspace's id", &["note.rules.workspace"]),
    ],
};

const CHANGES: RecordKind = RecordKind {
    name: "changes of rules",
    tree: "privacy",
    holds: "that you have changed the rules of your workspace, or were named in them",
    why: "so that it can be seen who did that, and why",
    kept: "24 months; who is removed is taken out of it",
    goes: "to the chat, where somebody asks for it",
    fields: &[
        you("your user id, when, and why in your words", &["note.entry.by", "note.entry.at", "note.entry.did.rules.because"]),
        Field {
            what: "the rule from then on and the one before: whom it lets do what, by their ids, and where",
            about: About::You,
            places: &["note.entry.did.rules.change.set", "note.entry.did.rules.before"],
            parts: RULE,
        },
        work(
            "its id, the workspace's, and which rule was taken away",
            &["note.entry.id", "note.entry.workspace", "note.entry.did.rules.change.reset", "note.entry.did.rules.change.reset.deploy"],
        ),
    ],
};

const COUNTS: RecordKind = RecordKind {
    name: "counts",
    tree: "privacy",
    holds: "for a month, how many deployments went where and how they ended; every number stands for five people or more",
    why: "to know how much the service was used",
    kept: "as long as the store is kept",
    goes: "nowhere",
    fields: &[work(
        "the month, and by environment and end how many",
        &["note.counts.month", "note.counts.groups[].of[]", "note.counts.groups[].deploys"],
    )],
};

const UPKEEP: RecordKind = RecordKind {
    name: "upkeep",
    tree: "privacy",
    holds: "how far the removal of what is too old is; nothing about people",
    why: "to go on after a crash, and so that operators see that it is done",
    kept: "as long as the store is kept",
    goes: "numbers only, to `/metrics`",
    fields: &[work(
        "months, moments and numbers",
        &[
            "note.upkeep.known_version",
            "note.upkeep.dropping",
            "note.upkeep.settled_at",
            "note.upkeep.dropped",
            "note.upkeep.removed",
            "note.upkeep.rewrite_since",
            "note.upkeep.rewritten_at",
        ],
    )],
};
