//! PRIVACY.md names every kind of record that is kept, and no kind is kept that it does not name.

use std::collections::BTreeSet;

use slash_heroku::adapters::sled::SledStore;
use slash_heroku::domain::privacy::RECORD_KINDS;

use crate::readme::block_is;

/// What the store keeps for itself: how to find records, and their counts. Holds copies of keys and nothing else.
const OF_THE_STORE_ITSELF: [&str; 3] = ["index", "meta", "__sled__default"];

#[test]
fn the_privacy_page_names_every_kind_of_record() {
    let rows: String =
        RECORD_KINDS.iter().map(|kind| format!("| {} | {} | {} | {} |\n", kind.tree, kind.holds, kind.why, kind.kept)).collect();
    block_is("PRIVACY.md", "records", &format!("| Kind | What it holds | Why | How long |\n|---|---|---|---|\n{rows}"));
}

#[test]
fn no_kind_of_record_is_kept_that_the_page_does_not_name() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async { SledStore::open(folder.path()).unwrap().close().await });
    let database = ::sled::Config::new().path(folder.path()).segment_size(8 << 20).open().unwrap();
    let kept: BTreeSet<String> = database.tree_names().iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
    let named: BTreeSet<String> = RECORD_KINDS.iter().map(|kind| kind.tree).chain(OF_THE_STORE_ITSELF).map(str::to_owned).collect();
    assert_eq!(kept, named);
}
