//! `balancer export`: the output is complete or as before.

use std::fs;
use std::process::Command;

use crate::support::actors::snapshot;
use crate::support::desk::{Desk, tree};
use crate::support::sets::balanced;

#[test]
fn output_is_never_overwritten_or_mixed() {
    let desk = Desk::new();
    balanced(&desk.data(), "hero");
    balanced(&desk.data(), "villain");
    let export = |arguments: &[&str]| desk.export(&[arguments, &["--format", "kohya"]].concat());
    fs::create_dir(desk.path("mine")).unwrap();
    fs::write(desk.path("mine/notes.md"), "notes").unwrap();
    fs::write(desk.path("file"), "text").unwrap();
    fs::write(desk.path("file.zip"), "text").unwrap();
    for (output, words) in [
        ("mine", "the folder is not empty, and is no export"),
        ("file", "it is no folder"),
        ("file.zip", "a file of this name exists"),
        ("data/hero/training_data/out", "lies in the data folder"),
        ("data", "lies in the data folder"),
        ("/", "can't be written"),
    ] {
        export(&["hero", "-o", output]).failed(1, &[words]);
        export(&["hero", "-o", output, "--replace"]).failed(1, &[words]);
    }
    assert_eq!(tree(&desk.path("mine")), ["notes.md"]);
    assert_eq!(fs::read_to_string(desk.path("file.zip")).unwrap(), "text");

    fs::create_dir(desk.path("empty")).unwrap();
    for output in ["empty", "out.zip"] {
        export(&["hero", "-o", output]).done();
        export(&["hero", "-o", output]).failed(1, &["an earlier export is there; replace it with --replace"]);
        export(&["villain", "-o", output, "--replace"]).failed(1, &["it is an export of other actors (hero)"]);
        export(&["hero", "-o", output, "--replace", "--trigger", "sks"]).done();
    }
    assert!(fs::read_to_string(desk.path("empty/hero/hero_1.txt")).unwrap().starts_with("sks woman, "));
    fs::write(desk.path("empty/hero/hero_1.txt"), "sks woman, corrected").unwrap();
    export(&["hero", "-o", "empty", "--replace"]).failed(1, &["files were changed since", "hero/hero_1.txt"]);
    fs::create_dir(desk.path("empty/output")).unwrap();
    fs::write(desk.path("empty/output/hero.safetensors"), "weights").unwrap();
    export(&["hero", "-o", "empty", "--replace"]).failed(1, &["output/hero.safetensors"]);
    assert_eq!(fs::read_to_string(desk.path("empty/hero/hero_1.txt")).unwrap(), "sks woman, corrected");
}

#[test]
fn full_disk_leaves_nothing_behind() {
    let desk = Desk::new();
    balanced(&desk.data(), "hero");
    desk.export(&["hero", "--format", "kohya", "-o", "old"]).done();
    let before = snapshot(&desk.path("old"));
    for output in ["out", "out.zip", "old"] {
        // A limit on the size of files makes a write fail as a full disk does.
        let script = format!(
            "trap '' XFSZ; ulimit -f 8; exec \"$0\" export hero --data data --format kohya -o {output} --replace"
        );
        let mut shell = Command::new("bash");
        shell.args(["-c", &script, env!("CARGO_BIN_EXE_balancer")]).current_dir(desk.root());
        let output = shell.env("BALANCER_CACHE_DIR", desk.path("cache")).output().unwrap();
        let remarks = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{remarks}");
        assert!(remarks.contains("can't be written") && remarks.contains("File too large"), "{remarks}");
        assert_eq!(desk.outputs(), ["old"]);
    }
    assert_eq!(snapshot(&desk.path("old")), before);
}
