//! PRIVACY.md names every kind of record that is kept, and no kind is kept that it does not name.

mod promises;

use std::collections::BTreeSet;

use redb::{ReadableDatabase as _, TableHandle as _};
use slash_heroku::adapters::sled::SledStore;
use slash_heroku::domain::privacy::{Field, RECORD_KINDS, RecordKind};
use slash_heroku::ports::{Batch, Store as _};

use crate::readme::block_is;
use crate::support::records::deployment;

/// What the store keeps for itself: how to find records, and their counts. Holds copies of keys and nothing else.
const OF_THE_STORE_ITSELF: [&str; 5] = ["index", "meta", "__sled__default", "history-index", "history-meta"];

#[test]
fn the_privacy_page_names_every_kind_of_record() {
    let row = |kind: &RecordKind| format!("| {} | {} | {} | {} | {} |\n", kind.name, kind.holds, kind.why, kind.kept, kind.goes);
    let rows: String = RECORD_KINDS.iter().map(row).collect();
    let table = format!("| Kind | What one is | Why | How long | Who else gets something of it |\n|---|---|---|---|---|\n{rows}");
    block_is("PRIVACY.md", "records", &table);
}

#[test]
fn the_privacy_page_names_every_field_of_every_record() {
    let field = |field: &Field| format!("- {} ({})\n", field.what, field.about);
    let kind = |kind: &RecordKind| format!("**{}**\n\n{}\n", kind.name, kind.fields.iter().map(field).collect::<String>());
    block_is("PRIVACY.md", "fields", &RECORD_KINDS.iter().map(kind).collect::<String>());
}

#[test]
fn no_kind_of_record_is_kept_that_the_page_does_not_name() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let store = SledStore::open(folder.path()).unwrap();
        let deployments = (0..40).map(|n| deployment(n, "a").closed_now()).collect();
        store.save(Batch { deployments, ..Batch::default() }).await.unwrap();
        store.at_rest().await.unwrap();
        store.close().await;
    });
    let database = ::sled::Config::new().path(folder.path()).segment_size(4 << 20).open().unwrap();
    let trees = database.tree_names().into_iter().map(|name| String::from_utf8_lossy(&name).into_owned());
    let history = redb::Database::open(folder.path().join("history")).unwrap();
    let reading = history.begin_read().unwrap();
    let tables = reading.list_tables().unwrap().map(|table| table.name().to_owned());
    let kept: BTreeSet<String> = trees.chain(tables).collect();
    // The file of those who were removed lies beside the store.
    let trees = RECORD_KINDS.iter().map(|kind| kind.tree).filter(|tree| *tree != "removals");
    let named: BTreeSet<String> = trees.chain(OF_THE_STORE_ITSELF).map(str::to_owned).collect();
    assert_eq!(kept, named);
}
