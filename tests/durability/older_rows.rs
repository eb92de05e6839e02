//! Rows of every older version, under `fixtures/store`, are read by this one.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use slash_heroku::adapters::sled::{SCHEMA, SledStore, restore};
use slash_heroku::domain::actor::Person;
use slash_heroku::domain::installation::Tenant;
use slash_heroku::domain::names::{AppId, DeliveryId, DeploymentId, OfferId, SignInId};
use slash_heroku::ports::{AccountStore, InstallationStore, Store};

use crate::support::folders;

fn rows(version: u16) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/store/v{version}"))
}

fn records(version: u16, kind: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(rows(version).join(format!("{kind}.json"))).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    assert!(file["provenance"].is_string(), "{kind} says where it comes from");
    file["records"].as_array().unwrap().clone()
}

/// A backup as that version would have made it.
fn as_backup(version: u16) -> String {
    let mut lines = vec![json!({ "slash_heroku_backup": { "schema": version, "fence": 7 } })];
    for kind in ["request", "deployment", "line", "offer", "account", "sign_in", "installation", "happening"] {
        lines.extend(records(version, kind).into_iter().map(|record| json!({ kind: record })));
    }
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let end = json!({ "end": { "records": lines.len() - 1, "crc32c": crc32c::crc32c(text.as_bytes()) } });
    format!("{text}{end}\n")
}

/// Every key of the old row is in the new one, with the same value.
fn kept(old: &Value, new: &impl serde::Serialize) {
    let new = serde_json::to_value(new).unwrap();
    for (key, value) in old.as_object().unwrap() {
        assert_eq!(new.get(key), Some(value), "`{key}`");
    }
}

fn id<T: serde::de::DeserializeOwned>(record: &Value, key: &str) -> T {
    serde_json::from_value(record[key].clone()).unwrap()
}

#[tokio::test]
async fn rows_of_every_version_are_read() {
    for version in 1..=SCHEMA {
        let place = folders::in_memory();
        let (file, folder) = (place.path().join("file"), place.path().join("store"));
        std::fs::write(&file, as_backup(version)).unwrap();
        restore(&folder, &file).await.unwrap();
        let store = SledStore::open(&folder).unwrap();
        for old in records(version, "deployment") {
            kept(&old, &store.deployment(id::<DeploymentId>(&old, "id")).await.unwrap().unwrap());
        }
        for old in records(version, "request") {
            kept(&old, &store.request(&id::<DeliveryId>(&old, "id")).await.unwrap().unwrap());
        }
        for old in records(version, "line") {
            kept(&old, &store.line(&id::<AppId>(&old, "app")).await.unwrap());
        }
        for old in records(version, "account") {
            kept(&old, &store.account(&id::<Person>(&old, "person")).await.unwrap());
        }
        for old in records(version, "sign_in") {
            kept(&old, &store.sign_in(id::<SignInId>(&old, "id")).await.unwrap().unwrap());
        }
        for old in records(version, "installation") {
            kept(&old, &store.installation(&id::<Tenant>(&old, "tenant")).await.unwrap().unwrap());
        }
        let not_done = store.not_done().await.unwrap();
        for old in records(version, "happening") {
            match not_done.iter().find(|new| old["id"] == new.id.as_str()) {
                Some(new) => kept(&old, new),
                None => assert_eq!(old["done"], true),
            }
        }
        for old in records(version, "offer") {
            let new = store.offer(id::<OfferId>(&old, "id")).await.unwrap().unwrap();
            assert_eq!(serde_json::to_value(&new.command).unwrap(), old["command"]);
            assert_eq!(serde_json::to_value(new.until).unwrap(), old["until"]);
        }
    }
}
