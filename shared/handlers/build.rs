//! Gives this build a name derived from all sources of the functions, so that the command can recognize functions of
//! its own build.
#![allow(clippy::print_stdout, reason = "cargo is told so")]

use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// The sources of the functions, relative to this file.
const SOURCES: [&str; 9] = [
    "../aws",
    "../domain",
    "../embedded",
    "../handlers",
    "../imaging",
    "../providers",
    "../../functions",
    "../../Cargo.toml",
    "../../Cargo.lock",
];

fn main() -> io::Result<()> {
    let mut files = Vec::new();
    for source in SOURCES {
        println!("cargo:rerun-if-changed={source}");
        collect(Path::new(source), &mut files)?;
    }
    files.sort();
    // The hash algorithm may change with the compiler. In that case the build differs too.
    let mut hasher = DefaultHasher::new();
    hasher.write(env::var("TARGET").unwrap_or_default().as_bytes());
    for file in files {
        let bytes = fs::read(&file)?;
        hasher.write(file.to_string_lossy().as_bytes());
        hasher.write_usize(bytes.len());
        hasher.write(&bytes);
    }
    println!("cargo:rustc-env=BALANCER_BUILD={:016x}", hasher.finish());
    Ok(())
}

/// Adds the files at and below a path; some sources are missing if this crate is built alone.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            collect(&entry?.path(), files)?;
        }
    } else if path.is_file() {
        files.push(path.to_owned());
    }
    Ok(())
}
