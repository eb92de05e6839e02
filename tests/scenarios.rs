//! Every conversation in `fixtures/scenarios`, over real HTTP and on the real store, must go as it is written.
//!
//! `UPDATE=1` writes down what is seen instead; read the difference before you keep it.

use std::path::{Path, PathBuf};

use slash_heroku::rehearsal::play_script;
use slash_heroku::sandbox::script::{Script, compare, update};

/// How many play at a time: each has a world and a service of its own.
const AT_ONCE: usize = 4;

fn scripts() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/scenarios");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "chat"));
    files.sort();
    files
}

/// Plays one; `Some` tells what went otherwise than written.
async fn play(file: &Path, updating: bool) -> Option<String> {
    let name = format!("fixtures/scenarios/{}", file.file_name().unwrap().display());
    let script = match Script::parse(&name, &std::fs::read_to_string(file).unwrap()) {
        Ok(script) => script,
        Err(error) => return Some(error.to_string()),
    };
    let played = match play_script(&script).await {
        Ok(played) => played,
        Err(error) => return Some(format!("{name} could not be played: {error:#}")),
    };
    if updating {
        std::fs::write(file, update(&script, &played)).unwrap();
        return played.failures.first().map(ToString::to_string);
    }
    compare(&script, &played)
}

#[test]
fn every_conversation_goes_as_written() {
    #[expect(clippy::disallowed_methods, reason = "UPDATE is a switch of the tests, not a setting of the product")]
    let updating = std::env::var_os("UPDATE").is_some();
    let scripts = scripts();
    assert!(scripts.len() >= 30 || updating, "at least thirty conversations, there are {}", scripts.len());
    let shares: Vec<Vec<PathBuf>> = (0..AT_ONCE).map(|share| scripts.iter().skip(share).step_by(AT_ONCE).cloned().collect()).collect();
    let different: Vec<String> = std::thread::scope(|scope| {
        let players: Vec<_> = shares
            .into_iter()
            .map(|share| {
                scope.spawn(move || {
                    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
                    share.iter().filter_map(|file| runtime.block_on(play(file, updating))).collect::<Vec<_>>()
                })
            })
            .collect();
        players.into_iter().flat_map(|player| player.join().unwrap()).collect()
    });
    assert!(different.is_empty(), "{}", different.join("\n\n"));
}
