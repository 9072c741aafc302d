//! The version of glibc that the functions' executables need.

use std::fs;
use std::path::Path;

use balancer_tests::stack;

/// The version in Amazon Linux 2023, on which Lambda runs the functions.
const GLIBC_OF_LAMBDA: (u32, u32) = (2, 34);

const PREFIX: &[u8] = b"GLIBC_";

/// The versions of glibc whose symbols an executable imports. The executable contains them as zero-terminated text.
fn versions_needed(executable: &Path) -> Vec<(u32, u32)> {
    let bytes = fs::read(executable).unwrap();
    let starts = bytes.windows(PREFIX.len()).enumerate().filter(|(_, window)| *window == PREFIX);
    starts.filter_map(|(start, _)| version(&bytes[start + PREFIX.len()..])).collect()
}

/// The first two numbers of a version such as `2.34` or `2.2.5`.
fn version(bytes: &[u8]) -> Option<(u32, u32)> {
    let end = bytes.iter().take(10).position(|&byte| byte == 0)?;
    let mut numbers = std::str::from_utf8(&bytes[..end]).ok()?.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[tokio::test]
async fn functions_need_no_newer_glibc_than_lambda_has() {
    if cfg!(not(all(target_os = "linux", target_env = "gnu"))) {
        return;
    }
    let binaries = stack::binaries().await;
    for function in [&binaries.evaluation, &binaries.deletion, &binaries.generation] {
        let newest = versions_needed(function).into_iter().max();
        assert!(newest.is_some(), "{} names no version of glibc", function.display());
        assert!(newest <= Some(GLIBC_OF_LAMBDA), "{} needs glibc {newest:?}", function.display());
    }
}
