//! Generates `docs/reference` from the tables in the code.
//!
//! usage: `cargo run --example reference`

mod pages;

use std::fs;
use std::path::Path;

fn main() -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(pages::FOLDER);
    fs::create_dir_all(&folder)?;
    for (name, text) in pages::all() {
        fs::write(folder.join(name), text)?;
    }
    Ok(())
}
