//! The tests of the test: planted violations are found, and clean code is left alone.

use super::{lex, rules};

const MANIFEST: &str = r#"
[dependencies]
serde = "1"
jiff = "1"
uuid = "1"
tokio = "1"
async-trait = "0.1"
tracing = "0.1"
renamed = { package = "reqwest", version = "0.13" }
[dev-dependencies]
proptest = "1"
"#;

fn judged(file: &str, text: &str) -> Vec<String> {
    rules::judge(file, &lex::read(text).unwrap(), &rules::crates(MANIFEST), false)
}

#[track_caller]
fn caught(file: &str, text: &str, expected: &str) {
    let found = judged(file, text);
    assert!(found.iter().any(|found| found == expected), "{text}\nexpected {expected}\nfound {found:#?}");
}

#[track_caller]
fn clean(file: &str, text: &str) {
    let found = judged(file, text);
    assert!(found.is_empty(), "{text}\nfound {found:#?}");
}

const DOMAIN: &str = "src/domain/gate.rs";

#[test]
fn a_path_is_caught_where_it_stands() {
    caught(DOMAIN, "\n\nfn f() { tokio::spawn(async {}) }", "src/domain/gate.rs:3: domain may not name tokio::spawn");
    caught(DOMAIN, "fn f(x: ::tokio::net::TcpStream) {}", "src/domain/gate.rs:1: domain may not name tokio::net::TcpStream");
    caught(DOMAIN, "fn f() { r#tokio::spawn(()) }", "src/domain/gate.rs:1: domain may not name tokio::spawn");
    caught(DOMAIN, "type X = Vec<tokio::task::JoinHandle<()>>;", "src/domain/gate.rs:1: domain may not name tokio::task::JoinHandle");
    caught(DOMAIN, "#[tokio::main]\nfn f() {}", "src/domain/gate.rs:1: domain may not name tokio::main");
    caught(DOMAIN, "fn f() { <tokio::X as Into<u8>>::into(x) }", "src/domain/gate.rs:1: domain may not name tokio::X");
}

#[test]
fn the_world_in_the_standard_library_is_caught() {
    caught(DOMAIN, "fn f() { std::fs::read(\"x\"); }", "src/domain/gate.rs:1: domain may not name std::fs::read");
    caught(DOMAIN, "fn f() { core::net::X; }", "src/domain/gate.rs:1: domain may not name std::net::X");
    caught(DOMAIN, "use std::time::{Duration, Instant};", "src/domain/gate.rs:1: domain may not name std::time::Instant");
    caught(DOMAIN, "fn f() { std::time::SystemTime::now(); }", "src/domain/gate.rs:1: domain may not name std::time::SystemTime::now");
    caught(DOMAIN, "use std::time::*;", "src/domain/gate.rs:1: domain may not name std::time::*");
    caught(DOMAIN, "use std::*;", "src/domain/gate.rs:1: domain may not name std::*");
    caught(DOMAIN, "use std::time as t;", "src/domain/gate.rs:1: domain may not name std::time");
    caught(DOMAIN, "use std as s;\nfn f() { s::fs::read(); }", "src/domain/gate.rs:2: domain may not name std::fs::read");
    caught(DOMAIN, "use jiff::Timestamp;\nfn f() { Timestamp::now(); }", "src/domain/gate.rs:2: domain may not name jiff::Timestamp::now");
    caught(DOMAIN, "use uuid::Uuid as U;\nfn f() { U::new_v4(); }", "src/domain/gate.rs:2: domain may not name uuid::Uuid::new_v4");
    caught(DOMAIN, "fn f() { x.now_v7() }", "src/domain/gate.rs:1: domain may not say now_v7");
    caught(DOMAIN, "async fn f() {}", "src/domain/gate.rs:1: domain may not say async");
}

#[test]
fn a_use_tree_is_caught_leaf_by_leaf() {
    caught(DOMAIN, "use std::{\n    fs,\n    io,\n};", "src/domain/gate.rs:2: domain may not name std::fs");
    caught(DOMAIN, "use std::{\n    fs,\n    io,\n};", "src/domain/gate.rs:3: domain may not name std::io");
    caught(DOMAIN, "use {serde::Serialize, tokio::{sync::{self, Mutex}}};", "src/domain/gate.rs:1: domain may not name tokio::sync::Mutex");
    caught(DOMAIN, "use std::fs::{self, File};", "src/domain/gate.rs:1: domain may not name std::fs");
    caught(DOMAIN, "use ::tokio;", "src/domain/gate.rs:1: domain may not name tokio");
    caught(DOMAIN, "fn f() { use tokio::spawn; }", "src/domain/gate.rs:1: domain may not name tokio::spawn");
}

#[test]
fn a_new_name_hides_nothing() {
    caught(DOMAIN, "use tokio as t;", "src/domain/gate.rs:1: domain may not name tokio");
    caught(DOMAIN, "use tokio as t;\nfn f() { t::spawn(()) }", "src/domain/gate.rs:2: domain may not name tokio::spawn");
    caught(DOMAIN, "extern crate tokio as t;", "src/domain/gate.rs:1: domain may not name tokio");
    caught(DOMAIN, "fn f() { renamed::get(()) }", "src/domain/gate.rs:1: domain may not name reqwest::get");
    caught(DOMAIN, "use crate as root;\nfn f() { root::ports::x() }", "src/domain/gate.rs:2: domain may not name crate::ports::x");
}

#[test]
fn macros_hide_nothing() {
    caught(DOMAIN, "macro_rules! m { () => { tokio::spawn(()) } }", "src/domain/gate.rs:1: domain may not name tokio::spawn");
    caught(DOMAIN, "macro_rules! m { () => { $crate::adapters::x() } }", "src/domain/gate.rs:1: domain may not name crate::adapters::x");
    caught(DOMAIN, "fn f() { vec![format!(\"{}\", tokio::x())] }", "src/domain/gate.rs:1: domain may not name tokio::x");
    caught(DOMAIN, "m! { use std::{fs}; }", "src/domain/gate.rs:1: domain may not name std::fs");
    caught(DOMAIN, "m!(std::{collections, env});", "src/domain/gate.rs:1: domain may not name std::env");
}

#[test]
fn rings_are_caught_by_every_way_to_say_them() {
    caught(DOMAIN, "use crate::ports::Clock;", "src/domain/gate.rs:1: domain may not name crate::ports::Clock");
    caught(DOMAIN, "use super::super::adapters::http;", "src/domain/gate.rs:1: domain may not name crate::adapters::http");
    caught(DOMAIN, "mod x { use super::super::super::ports; }", "src/domain/gate.rs:1: domain may not name crate::ports");
    caught("src/domain/mod.rs", "use super::ports;", "src/domain/mod.rs:1: domain may not name crate::ports");
    caught("src/ports/chat.rs", "use crate::usecases::x;", "src/ports/chat.rs:1: ports may not name crate::usecases::x");
    caught("src/ports/chat.rs", "use serde::Serialize;", "src/ports/chat.rs:1: ports may not name serde::Serialize");
    caught("src/ports/chat.rs", "use std::io::stdin;", "src/ports/chat.rs:1: ports may not name std::io::stdin");
    clean("src/ports/chat.rs", "type Piece = std::io::Result<u8>;");
    caught("src/usecases/a.rs", "use crate::adapters::x;", "src/usecases/a.rs:1: usecases may not name crate::adapters::x");
    caught("src/usecases/a.rs", "fn f() { tokio::spawn(()) }", "src/usecases/a.rs:1: usecases may not name tokio::spawn");
    caught("src/adapters/a.rs", "use crate::usecases::x;", "src/adapters/a.rs:1: adapters may not name crate::usecases::x");
    caught("src/adapters/a.rs", "use crate::sandbox::x;", "src/adapters/a.rs:1: adapters may not name crate::sandbox::x");
    caught("src/adapters/a.rs", "use crate::config::x;", "src/adapters/a.rs:1: adapters may not name crate::config::x");
    caught(
        "src/adapters/slack/a.rs",
        "use super::super::github::x;",
        "src/adapters/slack/a.rs:1: adapters may not name crate::adapters::github::x",
    );
    caught("src/sandbox/a.rs", "use crate::adapters::x;", "src/sandbox/a.rs:1: sandbox may not name crate::adapters::x");
    caught("src/sandbox/a.rs", "use crate::usecases::x;", "src/sandbox/a.rs:1: sandbox may not name crate::usecases::x");
}

#[test]
fn vendors_and_secrets_stay_in_their_places() {
    let vendor = |what: &str| format!("src/usecases/a.rs:1: usecases may not say {what}: a vendor's word stays in its adapter");
    caught("src/usecases/a.rs", "fn heroku_app() {}", &vendor("heroku"));
    caught("src/usecases/a.rs", "const X: &str = \"see GitHub\";", &vendor("github"));
    caught("src/usecases/a.rs", "const X: &str = r#\"mrkdwn\"#;", &vendor("mrkdwn"));
    let open = "src/usecases/a.rs:1: secrets are opened in the files of SECRETS_OPENED_IN only, not here";
    caught("src/usecases/a.rs", "use secrecy::ExposeSecret;", open);
    caught("src/usecases/a.rs", "fn f() { x.expose_secret() }", open);
    clean("src/ports/a.rs", "//! Slack.\n/// What Heroku says.\nfn f() { /* GitHub */ x(\"slash-heroku restore\") }");
    clean("src/domain/speech/mod.rs", "const GITHUB: &str = \"GitHub\"; fn f() { format!(\"{GITHUB} says\") }");
}

#[test]
fn sentences_come_from_speech() {
    let sentence = "src/usecases/a.rs:1: usecases may not say \"Ship it\": every sentence comes from domain::speech";
    caught("src/usecases/a.rs", "fn f() { say(\"Ship it\") }", sentence);
    caught("src/usecases/a.rs", "fn f() { tracing::info!(\"all right\"); format!(\"Ship it\") }", sentence);
    clean("src/usecases/a.rs", "#[error(\"in the log only\")]\nstruct E; fn f() { tracing::warn!(x, \"in the log only\"); say(\"word\") }");
}

#[test]
fn code_that_cannot_be_seen_is_caught() {
    let hidden = |how: &str| format!("src/main.rs:1: code may not be brought in by {how}: the tests of the architecture would not see it");
    caught("src/main.rs", "include!(\"x.rs\");", &hidden("include!"));
    caught("src/main.rs", "#[path = \"x.rs\"]\nmod x;", &hidden("#[path]"));
}

#[test]
fn tests_may_name_what_they_need_and_code_beside_them_may_not() {
    clean(DOMAIN, "#[cfg(test)]\nmod tests { use proptest::prelude::*; }");
    clean("src/ports/chat.rs", "#[cfg_attr(test, mockall::automock)]\npub trait Chat {}");
    clean("src/ports/chat.rs", "#[cfg_attr(feature = \"testing\", mockall::automock)]\npub trait Chat {}");
    caught(
        "src/ports/chat.rs",
        "#[cfg_attr(feature = \"other\", proptest::x)]\npub trait Chat {}",
        "src/ports/chat.rs:1: ports may not name proptest::x",
    );
    caught("src/testing/chat.rs", "use crate::adapters::x;", "src/testing/chat.rs:1: testing may not name crate::adapters::x");
    caught(DOMAIN, "#[cfg(test)]\nmod tests {}\nuse proptest::x;", "src/domain/gate.rs:3: domain may not name proptest::x");
    caught(DOMAIN, "#[cfg(test)]\nuse proptest::a;\nuse proptest::x;", "src/domain/gate.rs:3: domain may not name proptest::x");
    caught(DOMAIN, "#[cfg(not(test))]\nmod x { use proptest::x; }", "src/domain/gate.rs:2: domain may not name proptest::x");
    caught(DOMAIN, "#[cfg(test)]\nmod tests { use tokio::x; }", "src/domain/gate.rs:2: domain may not name tokio::x");
}

#[test]
fn clean_code_is_left_alone() {
    clean(
        DOMAIN,
        "//! tokio::spawn is only spoken of.
         use std::{collections::BTreeMap, fmt::{self, Display}, time::Duration};
         use serde::{Deserialize, Serialize};
         use jiff::Timestamp;
         use super::checks::{self, Checks};
         use crate::domain::names::*;
         mod tokio { pub fn spawn() {} }
         macro_rules! name { ($Name:ident) => { impl $Name { fn f(x: $crate::domain::X) -> ::std::string::String { $Name::new() } } } }
         /// See [`tokio::spawn`].
         fn f<'a>(bytes: &'a [u8], now: Timestamp) -> impl Iterator<Item = u8> + use<'a> { tokio::spawn(); checks::all::<u8>(bytes) }",
    );
    clean("src/usecases/a.rs", "use crate::{domain::gate, ports::{self, Clock}};\nasync fn f() { tracing::info!(app = %x, \"moved\"); }");
    clean("src/adapters/slack/a.rs", "use crate::adapters::http::client;\nuse super::blocks;\nuse tokio::sync::Mutex;");
    clean("src/sandbox/slack/a.rs", "use crate::ports::Clock;\nuse crate::sandbox::serve::Servers;");
    clean("src/wiring.rs", "use crate::adapters::sled; use crate::usecases; use std::env;");
}
