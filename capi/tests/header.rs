//! The header is what the sources say: it is generated again and compared.

use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else {
            found.push(path);
        }
    }
    found.sort();
}

fn generated() -> String {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(here.join("cbindgen.toml")).expect("a configuration");
    // Modules are followed from here.
    let builder = cbindgen::Builder::new()
        .with_config(config)
        .with_src(here.join("src/lib.rs"));
    let mut text = Vec::new();
    builder.generate().expect("a header").write(&mut text);
    let text = String::from_utf8(text).expect("text");
    // Constants of variants begin as functions do, without the `_t` of their type's name.
    text.replace("CELLULE_ERROR_KIND_T_", "CELLULE_ERROR_KIND_")
        .replace("CELLULE_VAL_KIND_T_", "CELLULE_VAL_KIND_")
        .replace("CELLULE_TRAP_T_", "CELLULE_TRAP_")
}

#[test]
fn the_header_is_what_the_sources_say() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../include/cellule.h");
    let expected = generated();
    if std::env::var_os("CELLULE_WRITE_HEADER").is_some() {
        std::fs::write(&file, &expected).expect("a writable header");
    }
    let committed = std::fs::read_to_string(&file).expect("a header");
    let differs = committed
        .lines()
        .zip(expected.lines())
        .position(|(a, b)| a != b);
    assert!(
        committed == expected,
        "include/cellule.h differs from the sources, first at line {:?}; write it again with \
         CELLULE_WRITE_HEADER=1",
        differs.map(|at| at + 1)
    );
}

#[test]
fn every_function_is_in_the_header() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&here.join("src"), &mut files);
    let header = generated();
    let mut count = 0;
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a source");
        for part in text.split("extern \"C\" fn cellule_").skip(1) {
            let name = part.split('(').next().unwrap_or_default();
            // Once: in the code before which a space or an asterisk stands.
            let declared = [" ", "*"].map(|before| format!("{before}cellule_{name}("));
            let found = declared.iter().map(|text| header.matches(text).count());
            assert_eq!(found.sum::<usize>(), 1, "{name}");
            count += 1;
        }
    }
    assert!(count > 80, "{count} functions");
}
