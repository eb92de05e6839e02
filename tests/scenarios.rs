//! Every conversation in `fixtures/scenarios`, over real HTTP and on the real store, must go as it is written.
//!
//! `UPDATE=1` writes down what is seen instead; read the difference before you keep it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use slash_heroku::rehearsal::{InProcess, Stage};
use slash_heroku::sandbox::script::{Played, Player, Script, ScriptError, Service as _, compare, update};

use crate::contracts::traffic::Published;
use crate::secrets;

/// How many play at a time: each has a world and a service of its own.
const AT_ONCE: usize = 4;

/// The files of all conversations.
pub fn scripts() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/scenarios");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "chat"));
    files.sort();
    files
}

/// Plays one; `Some` tells what went otherwise than written.
async fn play(file: &Path, typed: &[String], updating: bool) -> Option<String> {
    let name = format!("fixtures/scenarios/{}", file.file_name().unwrap().display());
    let script = match Script::parse(&name, &std::fs::read_to_string(file).unwrap()) {
        Ok(script) => script,
        Err(error) => return Some(error.to_string()),
    };
    let played = match played(&script, typed).await {
        Ok(played) => played,
        Err(error) => return Some(format!("{name} could not be played: {error:#}")),
    };
    if updating {
        std::fs::write(file, update(&script, &played)).unwrap();
        return played.failures.first().map(ToString::to_string);
    }
    compare(&script, &played)
}

thread_local! {
    static PUBLISHED: Published = Published::read();
}

/// Plays it in a world of its own, searches all that was said and all that stayed behind for the secrets of that world, and holds what
/// was asked outside to what is published.
async fn played(script: &Script, typed: &[String]) -> anyhow::Result<Played> {
    let mut stage = Stage::set().await?;
    let mut service = InProcess::new(&stage)?;
    let slack = Arc::clone(&stage.world.slack);
    let mut player = Player::new(Arc::clone(&stage.clock), slack, &mut stage.world, &mut service);
    let mut played = player.play_on(script).await?;
    played.failures.extend(player.unmet());
    drop(player);
    let mut pages = secrets::watched_pages(service.address().at("").trim_end_matches('/')).await;
    pages.append(&mut played.pages);
    service.stop().await?;
    let mut wrong = secrets::leaks(&stage.world, service.folder(), typed, &pages);
    // Links, cookies and passcodes are for the chat and the browser.
    wrong.extend(secrets::leaks_into_files(&played.secrets, service.folder()));
    wrong.extend(PUBLISHED.with(|published| published.faults_of(&stage.world)));
    played.failures.extend(wrong.into_iter().map(|what| ScriptError { file: script.file.clone(), line: 1, what }));
    Ok(played)
}

#[test]
fn every_conversation_goes_as_written() {
    #[expect(clippy::disallowed_methods, reason = "UPDATE is a switch of the tests, not a setting of the product")]
    let updating = std::env::var_os("UPDATE").is_some();
    let scripts = scripts();
    assert!(scripts.len() >= 30 || updating, "at least thirty conversations, there are {}", scripts.len());
    secrets::watch();
    let typed = secrets::typed_codes();
    let shares: Vec<Vec<PathBuf>> = (0..AT_ONCE).map(|share| scripts.iter().skip(share).step_by(AT_ONCE).cloned().collect()).collect();
    let different: Vec<String> = std::thread::scope(|scope| {
        let players: Vec<_> = shares
            .into_iter()
            .map(|share| {
                let typed = &typed;
                scope.spawn(move || {
                    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
                    share.iter().filter_map(|file| runtime.block_on(play(file, typed, updating))).collect::<Vec<_>>()
                })
            })
            .collect();
        players.into_iter().flat_map(|player| player.join().unwrap()).collect()
    });
    assert!(different.is_empty(), "{}", different.join("\n\n"));
    let seen = secrets::watch();
    assert!(seen.leaks.is_empty(), "{:#?}", seen.leaks);
    for library in ["slash_heroku", "hyper_util", "reqwest", "sled"] {
        assert!(seen.lines.get(library).is_some_and(|lines| *lines > 1000), "the log is a full one: {:?}", seen.lines);
    }
}
