//! What a local stack needs on this machine.

use std::path::{Path, PathBuf};

use local_stack::{Binaries, Error, INSTALL_PYTHON, INSTALL_VENV, Installed, cache_dir, find_python};
use providers::Check;
use rustix::fs::{Access, access, statvfs};

use crate::local::{Examined, Registry};

/// A local stack with its logs and copies of a few hundred images fits into this.
const ENOUGH_BYTES: u64 = 1024 * 1024 * 1024;

/// The emulator's environment alone takes about half of this.
const LEAST_BYTES: u64 = 200 * 1024 * 1024;

/// Checks this machine. `data` is the data folder, if one is named.
pub async fn examine(data: Option<&Path>) -> Vec<Examined> {
    let mut checks = vec![("python", python()), ("emulator", emulator().await), ("functions", functions())];
    checks.push(("cache", cache()));
    let places = [cache_dir().ok(), Some(std::env::temp_dir()), data.map(Path::to_owned)];
    checks.extend(disks(places.into_iter().flatten()).into_iter().map(|check| ("disk", check)));
    checks.extend(runs().into_iter().map(|check| ("runs", check)));
    checks
}

fn python() -> Check {
    match find_python() {
        Ok(python) => {
            let (major, minor) = python.version;
            Check::ok(format!("{} is Python {major}.{minor} with `venv`", python.executable.display()))
        }
        Err(Error::PythonMissing { found }) => {
            Check::problem(format!("the local emulator needs Python 3.10 to 3.13, and {found}"), INSTALL_PYTHON)
        }
        Err(Error::VenvMissing { python }) => {
            Check::problem(format!("{python} has no working `venv` module"), INSTALL_VENV)
        }
        Err(error) => Check::problem(error.to_string(), INSTALL_PYTHON),
    }
}

async fn emulator() -> Check {
    match local_stack::installed().await {
        Ok(Installed::Ready(interpreter)) => {
            Check::ok(format!("the emulator's packages are installed for {}", interpreter.display()))
        }
        Ok(Installed::Missing) => {
            Check::ok("the emulator is not installed yet; the first run fetches it from PyPI, once")
        }
        Ok(Installed::Broken(home)) => Check::warning(
            format!("the emulator's environment {} is damaged, such as by an upgrade of Python", home.display()),
            "the next run installs it again, from PyPI",
        ),
        Err(_) => no_cache(),
    }
}

fn no_cache() -> Check {
    Check::problem("there is no home directory to keep the emulator in", "set BALANCER_CACHE_DIR to a directory")
}

fn functions() -> Check {
    match Binaries::unusable_beside_program(handlers::BUILD) {
        Ok(unusable) if unusable.is_empty() => Check::ok("the three functions beside balancer belong to its build"),
        Ok(unusable) if Binaries::have_sources() => Check::ok(format!(
            "the next run compiles the functions: {} beside balancer, of its build, is missing",
            unusable.join(", ")
        )),
        Ok(unusable) => Check::problem(
            format!("there is no {} of this build beside balancer", unusable.join(", ")),
            "put evaluation, deletion and generation of the same release beside it",
        ),
        Err(error) => Check::problem(error.to_string(), "make it readable"),
    }
}

fn cache() -> Check {
    let Ok(cache) = cache_dir() else { return no_cache() };
    // The first run creates it.
    let existing = cache.ancestors().find(|dir| dir.exists()).unwrap_or(&cache);
    match access(existing, Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) if existing.is_dir() => Check::ok(format!("the cache directory {} is writable", cache.display())),
        _ => Check::problem(
            format!("the cache directory {} can't be written, because of {}", cache.display(), existing.display()),
            "change its permissions, or set BALANCER_CACHE_DIR to another directory",
        ),
    }
}

/// The free space of each disk that one of these folders is on.
fn disks(places: impl Iterator<Item = PathBuf>) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut seen = Vec::new();
    for place in places {
        let Some(existing) = place.ancestors().find(|dir| dir.exists()) else { continue };
        let Ok(disk) = statvfs(existing) else { continue };
        if !seen.contains(&disk.f_fsid) {
            seen.push(disk.f_fsid);
            checks.push(disk_check(existing, disk.f_bavail.saturating_mul(disk.f_frsize)));
        }
    }
    checks
}

fn disk_check(place: &Path, free: u64) -> Check {
    let text = format!("{} free on the disk of {}", in_words(free), place.display());
    let remedy = "free some space, or set BALANCER_CACHE_DIR and TMPDIR to folders of another disk";
    match free {
        free if free < LEAST_BYTES => Check::problem(text, remedy),
        free if free < ENOUGH_BYTES => Check::warning(text, remedy),
        _ => Check::ok(text),
    }
}

fn in_words(bytes: u64) -> String {
    const MEGABYTE: u64 = 1024 * 1024;
    match bytes / MEGABYTE {
        megabytes if megabytes < 1024 => format!("{megabytes} MB"),
        megabytes => format!("{} GB", megabytes / 1024),
    }
}

fn runs() -> Vec<Check> {
    let found = match Registry::read() {
        Ok(found) => found,
        Err(problem) => return vec![Check::warning(format!("{problem:#}"), "make the cache directory readable")],
    };
    let mut checks: Vec<Check> =
        found.running.iter().map(|stack| Check::ok(format!("a stack is running: {stack}"))).collect();
    if found.stale > 0 {
        let entries =
            if found.stale == 1 { "1 killed stack has" } else { &format!("{} killed stacks have", found.stale) };
        checks.push(Check::warning(
            format!("{entries} left an entry among the running ones"),
            "`balancer status` removes it",
        ));
    }
    checks.extend(found.foreign.iter().map(|path| {
        Check::warning(
            format!("another version of balancer runs the stack of {}", path.display()),
            "use that version for it",
        )
    }));
    checks
}

#[cfg(test)]
mod tests {
    use providers::Level;

    use super::*;

    #[test]
    fn nearly_full_disk_is_reported() {
        for (megabytes, level) in [(50, Level::Problem), (500, Level::Warning), (5000, Level::Ok)] {
            let check = disk_check(Path::new("/data"), megabytes * 1024 * 1024);
            assert_eq!(check.level, level, "{check}");
        }
        assert_eq!((in_words(500 << 20), in_words(5 << 30)), ("500 MB".to_owned(), "5 GB".to_owned()));
    }
}
