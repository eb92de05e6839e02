//! Writes the inputs to begin with into `fuzz/corpus/DOOR`.

use std::path::Path;

use slash_heroku::fuzzing::{DOORS, seeds};

fn main() -> std::io::Result<()> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    for door in DOORS {
        let folder = here.join("corpus").join(door.name);
        std::fs::create_dir_all(&folder)?;
        for (place, input) in seeds::of(door.name, &here.join("..")).iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{place:03}")), input)?;
        }
    }
    Ok(())
}
