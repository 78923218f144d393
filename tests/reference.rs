//! The pages of `docs/reference` equal what is generated from the code.

#[path = "../examples/reference/pages.rs"]
mod pages;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

#[test]
fn reference_is_up_to_date() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(pages::FOLDER);
    let pages = pages::all();
    for (name, generated) in &pages {
        let committed = fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert!(
            committed == *generated,
            "{}/{name} is out of date; run: cargo run --example reference",
            pages::FOLDER
        );
    }
    let files = fs::read_dir(folder).unwrap();
    let files: BTreeSet<_> = files.map(|file| file.unwrap().file_name()).collect();
    let names = pages.iter().map(|(name, _)| (*name).into());
    assert_eq!(files, names.collect(), "a page that is not generated");
}
