//! What is played: those at every point together pass every step of a deploy.

/// A conversation that the service dies in.
#[derive(Debug)]
pub struct Play {
    pub name: &'static str,
    pub text: &'static str,
    /// What ships, and where to.
    pub repository: &'static str,
    pub app: &'static str,
    /// What is typed when the service says that a code is wanted: the one that was given died with it.
    pub code: Option<&'static str>,
    /// Whether people sign in as themselves: whoever is told that their login is gone signs in again.
    pub signs_in: bool,
    /// What is typed after it all.
    pub next: &'static str,
    /// Whether every point is run by default.
    pub at_every_point: bool,
    /// From which line on: what comes before it is another play's.
    pub since: Option<&'static str>,
}

/// The code with which lines end that give one.
pub const FIRST_CODE: &str = "123456";
/// A code that is not used before.
pub const CODE_OF_THE_LAST: &str = "777777";

const HUBOT: Play = Play {
    name: "",
    text: "",
    repository: "acme/hubot",
    app: "hubot-staging",
    code: None,
    signs_in: false,
    next: "deploy hubot/feature/with/slash to staging",
    at_every_point: false,
    since: None,
};

/// An app that wants a one-time code.
const VAULT: Play = Play {
    repository: "acme/vault",
    app: "vault-production",
    code: Some("deploy vault/v1.0 to production 654321"),
    next: "deploy vault/feature/with/slash to production 777777",
    ..HUBOT
};

pub const PLAYS: &[Play] = &[
    Play {
        name: "a simple deploy",
        text: "\
ana> deploy hubot to staging
~ 4m
= builds of hubot-staging: 1, succeeded
= github deployments of acme/hubot: 1, success
= no violations
",
        at_every_point: true,
        ..HUBOT
    },
    Play {
        name: "two in line",
        text: "\
* hold hubot-staging build
ana> deploy hubot to staging
~ 4m
ana> deploy hubot/topic to staging
~ 2m
* let hubot-staging go
~ 10m
= builds of hubot-staging: 2, succeeded, succeeded
= github deployments of acme/hubot: 2, inactive, success
= no violations
",
        at_every_point: true,
        since: Some("ana> deploy hubot/topic to staging"),
        ..HUBOT
    },
    Play {
        name: "a code",
        text: "\
ana> deploy vault/v1.0 to production 123456
~ 4m
= builds of vault-production: 1, succeeded
= github deployments of acme/vault: 1, success
= never said: 123456
= never said: 654321
= no violations
",
        ..VAULT
    },
    Play {
        name: "asked first",
        text: "\
ana> deploy hubot to production
ana presses [Ship 8fcbedd]
~ 4m
= builds of hubot-production: 1, succeeded
= github deployments of acme/hubot: 1, success
= no violations
",
        app: "hubot-production",
        next: "deploy hubot/feature/with/slash to production",
        ..HUBOT
    },
    Play {
        name: "when green",
        text: "\
ana> deploy hubot/pending to staging when green
* acme/hubot pending: ci/circleci passed
~ 5m
= builds of hubot-staging: 1, succeeded
= github deployments of acme/hubot: 1, success
= no violations
",
        at_every_point: true,
        ..HUBOT
    },
    Play {
        name: "a release phase",
        text: "\
* hold shop-staging release
ana> deploy shop to staging
~ 4m
* let shop-staging go
~ 4m
= builds of shop-staging: 1, succeeded
= github deployments of acme/shop: 1, success
= no violations
",
        repository: "acme/shop",
        app: "shop-staging",
        next: "deploy shop/feature/with/slash to staging",
        ..HUBOT
    },
    Play {
        name: "a release phase that fails",
        text: "\
* the next release of shop-staging fails
ana> deploy shop to staging
~ 4m
= builds of shop-staging: 1, succeeded
= github deployments of acme/shop: 1, failure
= no violations
",
        repository: "acme/shop",
        app: "shop-staging",
        next: "deploy shop/feature/with/slash to staging",
        at_every_point: true,
        ..HUBOT
    },
    Play {
        name: "a cancel while it builds",
        text: "\
* hold hubot-staging build
ana> deploy hubot to staging
~ 4m
ana presses [Cancel]
~ 4m
* let hubot-staging go
= builds of hubot-staging: 1, failed
= github deployments of acme/hubot: 1, error
= no violations
",
        at_every_point: true,
        since: Some("ana presses [Cancel]"),
        ..HUBOT
    },
    Play {
        name: "out of the line",
        text: "\
* hold hubot-staging build
ana> deploy hubot to staging
~ 4m
ana> deploy hubot/topic to staging
~ 2m
ana> leave hubot
~ 2m
* let hubot-staging go
~ 4m
= builds of hubot-staging: 1, succeeded
= github deployments of acme/hubot: 1, success
= no violations
",
        ..HUBOT
    },
    Play {
        name: "a build that fails",
        text: "\
ana> deploy legacy to staging
~ 4m
= builds of legacy-staging: 1, failed
= github deployments of acme/legacy: 1, failure
= no violations
",
        repository: "acme/legacy",
        app: "legacy-staging",
        next: "deploy legacy/feature/with/slash to staging",
        ..HUBOT
    },
    Play {
        name: "dynos that crash",
        text: "\
* the next dynos of hubot-staging crash
ana> deploy hubot to staging
~ 4m
= builds of hubot-staging: 1, succeeded
= github deployments of acme/hubot: 1, failure
= no violations
",
        ..HUBOT
    },
    Play {
        name: "a lost answer to the build",
        text: "\
* heroku fails POST builds once: cut after
ana> deploy hubot to staging
~ 10m
= builds of hubot-staging: 1, succeeded
= github deployments of acme/hubot: 1, success
= no violations
",
        at_every_point: true,
        ..HUBOT
    },
    Play {
        name: "nothing is taken at first, and then an answer to the record is lost",
        text: "\
* github fails POST deployments always: rate limited 300
ana> deploy hubot to staging
~ 3m
* github works again
* github fails POST deployments once: cut after
~ 12m
= builds of hubot-staging: 1, succeeded
= github deployments of acme/hubot: 1, success
= no violations
",
        at_every_point: true,
        ..HUBOT
    },
    Play {
        name: "a moved branch",
        text: "\
* hold hubot-staging build
ana> deploy hubot to staging
~ 4m
ana> deploy hubot/topic to staging
~ 2m
* push acme/hubot topic
* acme/hubot topic: ci/circleci passed
* let hubot-staging go
~ 2m
ana presses [Ship 959368e, as asked]
~ 4m
= builds of hubot-staging: 2, succeeded, succeeded
= github deployments of acme/hubot: 2, inactive, success
= no violations
",
        ..HUBOT
    },
    Play {
        name: "a promotion to two apps",
        text: "\
ana> deploy web to staging
~ 4m
ana> promote web to production/*
ana presses [Promote 8d514e3]
~ 4m
= builds of web-us: 0
= releases of web-us: 3
= releases of web-eu: 3
= github deployments of acme/web: 3, success, success, success
= no violations
",
        repository: "acme/web",
        app: "web-us",
        next: "deploy web/topic to production/web-us",
        ..HUBOT
    },
    Play {
        name: "a way back, and the lock that it leaves",
        text: "\
ana> deploy hubot to staging
~ 4m
ana> deploy hubot/topic to staging
~ 4m
ana> rollback hubot in staging to v3
~ 4m
ana> unlock hubot in staging
ana> lock hubot in staging because we look at it
~ 1m
= releases of hubot-staging: 5
= github deployments of acme/hubot: 3, inactive, inactive, success
= no violations
",
        ..HUBOT
    },
    Play {
        name: "no build slot at first",
        text: "\
* build slots are used up
ana> deploy hubot to staging
* build slots are free
~ 10m
= builds of hubot-staging: 1, succeeded
= github deployments of acme/hubot: 1, success
= no violations
",
        at_every_point: true,
        ..HUBOT
    },
    Play {
        name: "a red one on purpose, and questions in between",
        text: "\
* hold hubot-staging build
ana> deploy! hubot/red to staging because the flaky test is known
~ 4m
ana> status hubot
ana> plan hubot/topic to staging
ana> deploy hubot/red to staging
* let hubot-staging go
~ 4m
= builds of hubot-staging: 1, succeeded
= github deployments of acme/hubot: 1, success
= no violations
",
        ..HUBOT
    },
    Play {
        name: "a code, once it is wanted",
        text: "\
ana> deploy vault/v1.0 to production
ana> deploy vault/v1.0 to production 123456
~ 4m
= builds of vault-production: 1, succeeded
= github deployments of acme/vault: 1, success
= never said: 123456
= never said: 654321
= no violations
",
        at_every_point: true,
        ..VAULT
    },
    Play {
        name: "asked at its turn",
        text: "\
* hold hubot-staging build
ana> deploy hubot to staging
ana> deploy hubot/topic to staging ask me
* let hubot-staging go
ana presses [Ship it now]
~ 4m
= builds of hubot-staging: 2, succeeded, succeeded
= github deployments of acme/hubot: 2, inactive, success
= no violations
",
        at_every_point: true,
        since: Some("* let hubot-staging go"),
        ..HUBOT
    },
    Play {
        name: "a lost answer to the promotion",
        text: "\
* heroku fails POST pipeline-promotions once: cut after
ana> promote hubot
~ 10m
= builds of hubot-production: 0
= releases of hubot-production: 3, succeeded, succeeded, succeeded
= github deployments of acme/hubot: 1, success
= no violations
",
        app: "hubot-production",
        next: "deploy hubot/feature/with/slash to production",
        at_every_point: true,
        ..HUBOT
    },
    Play {
        name: "a way back",
        text: "\
ana> deploy hubot to staging
~ 4m
ana> rollback hubot in staging to v2
~ 4m
= builds of hubot-staging: 1, succeeded
= releases of hubot-staging: 4
= github deployments of acme/hubot: 2, inactive, success
= no violations
",
        at_every_point: true,
        since: Some("ana> rollback hubot in staging to v2"),
        ..HUBOT
    },
    // What renews a login is good once, both at GitHub and here at Heroku: whoever dies before the new one is on record has none left.
    Play {
        name: "logins that are renewed while it builds",
        text: "\
* people sign in
* heroku rotates refresh tokens
ana signs in
~ 7h 42m
* hold hubot-staging build
ana> deploy hubot to staging
~ 10m
* let hubot-staging go
~ 12m
= builds of hubot-staging: 1, succeeded
= github deployments of acme/hubot: 1, success
= no violations
",
        at_every_point: true,
        since: Some("* let hubot-staging go"),
        signs_in: true,
        ..HUBOT
    },
];
