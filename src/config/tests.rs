//! Settings: what is read, what is a fault, and that no secret gets out.

use super::table::{PREFIX, TABLE};
use super::*;
use crate::adapters::github::AppKind;

const SIGNING: &str = "hush0123456789abcdef";

fn complete() -> Vec<(&'static str, &'static str)> {
    vec![
        ("SLASH_HEROKU_SLACK_SIGNING_SECRET", SIGNING),
        ("SLASH_HEROKU_SLACK_BOT_TOKEN", "xoxb-hush"),
        ("SLASH_HEROKU_PERSON_WORKSPACE", "T1"),
        ("SLASH_HEROKU_PERSON_USER", "U1"),
        ("SLASH_HEROKU_GITHUB_TOKEN", "ghp_hush"),
        ("SLASH_HEROKU_HEROKU_TOKEN", "HRKU-hush"),
        ("HOME", "/home/ana"),
    ]
}

fn with(changes: &[(&'static str, &'static str)]) -> Variables {
    complete().into_iter().chain(changes.iter().copied()).collect()
}

fn faulty(changes: &[(&'static str, &'static str)]) -> Vec<String> {
    load(&with(changes)).unwrap_err().iter().map(|fault| fault.variable.clone()).collect()
}

#[test]
fn what_is_needed_is_enough() {
    let settings = load(&with(&[])).unwrap();
    assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(settings.store, PathBuf::from("./data"));
    assert_eq!(settings.drain, Duration::from_secs(25));
    assert_eq!(settings.command, "/h");
    assert_eq!(settings.heroku.links.to_string(), "https://kolkrabbi.heroku.com");
    assert_eq!(settings.source.limit, 1 << 30);
    assert_eq!(settings.log, LogSettings { filter: "warn,slash_heroku=info".to_owned(), format: LogFormat::Auto });
    let ChatSettings::Slack(slack) = settings.chat else { panic!("Slack is the default") };
    assert_eq!(slack.signing_secrets.len(), 1);
    assert!(!slack.loopback_response_url);
}

/// 32 bytes that say hush.
const KEY: &str = "now:aHVzaGh1c2hodXNoaHVzaGh1c2hodXNoaHVzaGh1c2g=";

fn signing_in(changes: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    let own = [
        ("SLASH_HEROKU_SLACK_SIGNING_SECRET", SIGNING),
        ("SLASH_HEROKU_SLACK_BOT_TOKEN", "xoxb-hush"),
        ("SLASH_HEROKU_PUBLIC_URL", "https://ship.example.com"),
        ("SLASH_HEROKU_SEALING_KEYS", KEY),
        ("SLASH_HEROKU_GITHUB_CLIENT_ID", "Ov23li"),
        ("SLASH_HEROKU_GITHUB_CLIENT_SECRET", "hush-at-github"),
        ("SLASH_HEROKU_HEROKU_CLIENT_ID", "0123"),
        ("SLASH_HEROKU_HEROKU_CLIENT_SECRET", "hush-at-heroku"),
    ];
    own.into_iter().chain(changes.iter().copied()).collect()
}

#[test]
fn whoever_signs_in_needs_no_person() {
    let variables: Variables = signing_in(&[]).into_iter().collect();
    let settings = load(&variables).unwrap();
    assert!(!format!("{settings:?}").contains("hush") && !show::current(&variables).contains("hush"));
    let AccountsSettings::SignIn(own) = settings.accounts else { panic!("people sign in") };
    assert_eq!((own.kind, own.public.to_string().as_str()), (AppKind::OAuth { expiring: false }, "https://ship.example.com"));
    let faults = |changes: &[(&'static str, &'static str)]| {
        load(&signing_in(changes).into_iter().collect()).unwrap_err().to_string().replace("SLASH_HEROKU_", "")
    };
    for (name, wrong, said) in [
        ("SLASH_HEROKU_PUBLIC_URL", "http://ship.example.com", "PUBLIC_URL has to be https"),
        ("SLASH_HEROKU_PUBLIC_URL", "https://ship.example.com/below", "PUBLIC_URL has to end with the host"),
        ("SLASH_HEROKU_SEALING_KEYS", "hush", "SEALING_KEYS cannot be used: key 1 is none"),
        ("SLASH_HEROKU_GITHUB_APP", "app", "GITHUB_APP has to be `oauth`"),
        ("SLASH_HEROKU_HEROKU_CLIENT_ID", "a b", "HEROKU_CLIENT_ID has to be one word"),
        ("SLASH_HEROKU_HEROKU_CLIENT_SECRET", "", "HEROKU_CLIENT_SECRET is not set"),
    ] {
        let told = faults(&[(name, wrong)]);
        assert!(told.contains(said) && !told.contains("hush"), "{told}");
    }
}

#[test]
fn either_everybody_signs_in_or_one_person_is_named() {
    let both: Variables = complete().into_iter().chain(signing_in(&[("SLASH_HEROKU_GITHUB_CLIENT_SECRET", "")])).collect();
    let faults = load(&both).unwrap_err();
    let names: Vec<&str> = faults.iter().map(|fault| fault.variable.strip_prefix(PREFIX).unwrap()).collect();
    assert_eq!(names, ["GITHUB_CLIENT_SECRET", "PERSON_WORKSPACE", "PERSON_USER", "GITHUB_TOKEN", "HEROKU_TOKEN"]);
    assert!(faults.to_string().contains("SLASH_HEROKU_HEROKU_TOKEN is for an installation that works for one person"), "{faults}");
    let neither: Variables = signing_in(&[]).into_iter().take(2).collect();
    let faults = load(&neither).unwrap_err().to_string();
    assert!(
        faults.contains("Either everybody signs in: set SLASH_HEROKU_PUBLIC_URL") && faults.contains("Or it works for one"),
        "{faults}"
    );
    // Whoever sits at the console is somebody in any case.
    let at_console = [("SLASH_HEROKU_CHAT", "console"), ("SLASH_HEROKU_PERSON_USER", "ana")];
    assert!(load(&signing_in(&at_console).into_iter().collect()).is_ok());
}

#[test]
fn all_faults_come_together_in_the_order_of_the_table() {
    let variables = Variables::from_iter([
        ("SLASH_HEROKU_LISTEN", "everywhere"),
        ("SLASH_HEROKU_SLACK_API", "http://slack.com"),
        ("SLASH_HEROKU_GITHUB_TOKEN", "two words"),
        ("SLASH_HEROKU_ARCHIVE_LIMIT", "much"),
        ("SLASH_HEROKU_GITHUB_TOKN", "ghp_hush"),
        ("SLASH_HEROKU_LOG", "loud"),
    ]);
    let faults = load(&variables).unwrap_err();
    let names: Vec<&str> = faults.iter().map(|fault| fault.variable.strip_prefix(PREFIX).unwrap()).collect();
    assert_eq!(
        names,
        [
            "LISTEN",
            "SLACK_SIGNING_SECRET",
            "SLACK_BOT_TOKEN",
            "SLACK_API",
            "PERSON_WORKSPACE",
            "PERSON_USER",
            "GITHUB_TOKEN",
            "HEROKU_TOKEN",
            "ARCHIVE_LIMIT",
            "LOG",
            "GITHUB_TOKN"
        ]
    );
    assert!(faults.to_string().contains("GITHUB_TOKN is not a setting; did you mean SLASH_HEROKU_GITHUB_TOKEN?"), "{faults}");
    assert!(faults.to_string().contains("SLACK_API has to be https"), "{faults}");
}

#[test]
fn no_secret_is_ever_shown() {
    let variables = with(&[]);
    assert!(!format!("{:?}", load(&variables).unwrap()).contains("hush"));
    assert!(!format!("{variables:?}").contains("hush"));
    assert!(!show::current(&variables).contains("hush"));
    for setting in TABLE.iter().filter(|setting| setting.secret) {
        for wrong in ["hush hush", "hush…", "hush,hush,hush,hush"] {
            let Err(faults) = load(&with(&[(setting.name, wrong)])) else { continue };
            assert!(!format!("{faults} {faults:?}").contains("hush"), "{faults}");
        }
    }
}

#[test]
fn tokens_are_secrets_in_the_table() {
    let secret: Vec<&str> = TABLE.iter().filter(|setting| setting.secret).map(|setting| setting.name).collect();
    let named_so: Vec<&str> = TABLE
        .iter()
        .map(|setting| setting.name)
        .filter(|name| ["TOKEN", "SECRET", "_KEYS"].iter().any(|word| name.contains(word)))
        .collect();
    assert_eq!(secret, named_so);
}

#[test]
fn every_setting_of_the_table_is_read() {
    let variables = with(&[]);
    let mut reader = Reader::new(&variables);
    settings(&mut reader);
    let read: Vec<&str> = TABLE.iter().map(|setting| setting.name).filter(|name| reader.read().contains(name)).collect();
    assert_eq!(read.len(), TABLE.len(), "only {read:?}");
}

#[test]
fn examples_and_names_hold() {
    for setting in TABLE {
        let installs = [("SLASH_HEROKU_SLACK_BOT_TOKEN", ""), ("SLASH_HEROKU_SLACK_CLIENT_SECRET", "hush")];
        let ours = match setting.name {
            "SLASH_HEROKU_SLACK_CLIENT_ID" => signing_in(&installs),
            _ if setting.section == t::Section::SignIn => signing_in(&[]),
            _ => complete(),
        };
        assert!(setting.name.starts_with(PREFIX) || setting.section == t::Section::Host, "{}", setting.name);
        assert!(setting.meaning.ends_with('.'), "{}", setting.name);
        let allowed = [("SLASH_HEROKU_ALLOW_EPHEMERAL_DISK", "on")];
        if !setting.secret {
            let changed: Variables = ours.into_iter().chain(allowed).chain([(setting.name, setting.example)]).collect();
            assert!(load(&changed).is_ok(), "the example of {} is not taken", setting.name);
        }
    }
}

#[test]
fn an_empty_value_is_none() {
    assert_eq!(load(&with(&[("SLASH_HEROKU_STORE", "  ")])).unwrap().store, PathBuf::from("./data"));
    assert_eq!(faulty(&[("SLASH_HEROKU_GITHUB_TOKEN", "")]), ["SLASH_HEROKU_GITHUB_TOKEN"]);
}

#[test]
fn the_hosts_port_counts_where_nothing_else_is_said() {
    assert_eq!(load(&with(&[("PORT", "5000")])).unwrap().listen.to_string(), "0.0.0.0:5000");
    let both = [("PORT", "5000"), ("SLASH_HEROKU_LISTEN", "127.0.0.1:1")];
    assert_eq!(load(&with(&both)).unwrap().listen.to_string(), "127.0.0.1:1");
    assert_eq!(faulty(&[("PORT", "0")]), ["PORT"]);
}

#[test]
fn a_disk_that_does_not_survive_is_refused_in_words() {
    let faults = load(&with(&[("DYNO", "web.1")])).unwrap_err();
    assert!(faults.to_string().contains("thrown away at every restart"), "{faults}");
    assert!(load(&with(&[("DYNO", "web.1"), ("SLASH_HEROKU_ALLOW_EPHEMERAL_DISK", "on")])).is_ok());
}

#[test]
fn the_console_needs_no_slack_and_no_person() {
    let variables = Variables::from_iter([
        ("SLASH_HEROKU_CHAT", "console"),
        ("SLASH_HEROKU_GITHUB_TOKEN", "ghp_hush"),
        ("SLASH_HEROKU_HEROKU_TOKEN", "HRKU-hush"),
    ]);
    let settings = load(&variables).unwrap();
    let ChatSettings::Console { person } = settings.chat else { panic!("the console was chosen") };
    assert_eq!((person.workspace.as_str(), person.user.as_str()), (CONSOLE_WORKSPACE, CONSOLE_USER));
    assert!(matches!(settings.accounts, AccountsSettings::OnePerson { person: known, .. } if known == person));
}

#[test]
fn a_backup_needs_no_tokens() {
    let nothing = Variables::default();
    assert_eq!(load_store(&nothing).unwrap(), PathBuf::from("./data"));
    assert_eq!(load_command(&nothing).unwrap(), "/h");
    assert_eq!(load_quiet_log(&nothing).unwrap().filter, "warn");
}

#[test]
fn workspaces_install_the_app_where_people_sign_in() {
    let own = [
        ("SLASH_HEROKU_SLACK_BOT_TOKEN", ""),
        ("SLASH_HEROKU_SLACK_CLIENT_ID", "1234.5678"),
        ("SLASH_HEROKU_SLACK_CLIENT_SECRET", "hush-at-slack"),
    ];
    let settings = load(&signing_in(&own).into_iter().collect()).unwrap();
    assert!(!format!("{settings:?}").contains("hush"));
    let ChatSettings::Slack(slack) = settings.chat else { panic!("Slack is the default") };
    let BotSettings::Installed(app) = slack.bot else { panic!("workspaces install it") };
    assert_eq!(app.id, "1234.5678");
    assert_eq!(faulty(&own), ["SLASH_HEROKU_SLACK_CLIENT_ID"], "one person cannot act for many workspaces");
    let both = load(&signing_in(&own[1..]).into_iter().collect()).unwrap_err().to_string();
    assert!(both.contains("SLACK_BOT_TOKEN is for one workspace") && both.contains("take out either"), "{both}");
    let half = load(&signing_in(&own[..2]).into_iter().collect()).unwrap_err().to_string();
    assert!(half.contains("SLACK_CLIENT_SECRET is not set"), "{half}");
}
