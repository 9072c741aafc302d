//! The search for a Python interpreter that can create virtual environments.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::process::Command;

use crate::Error;

/// The names to look up on the `PATH`. The plain name is first, since it is the user's choice.
const CANDIDATES: [&str; 6] = ["python3", "python3.13", "python3.12", "python3.11", "python3.10", "python"];

/// The versions that the emulator's pinned packages support.
const VERSIONS: RangeInclusive<(u32, u32)> = (3, 10)..=(3, 13);

/// Prints the version, then `venv` if the interpreter can create environments with pip (Debian has a separate package
/// for that).
const PROBE: &str = "
import sys
print(sys.version_info[0], sys.version_info[1], sys.executable)
import ensurepip, venv
print('venv')
";

/// A Python interpreter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interpreter {
    pub version: (u32, u32),
    pub executable: PathBuf,
    /// Whether it can create environments with pip.
    has_venv: bool,
}

/// The first interpreter on the `PATH` that has a supported version and `venv`. Blocks for about 50 ms.
pub fn find() -> Result<Interpreter, Error> {
    let found: Vec<Interpreter> = CANDIDATES.iter().filter_map(|name| probe(name)).collect();
    choose(&found)
}

fn probe(name: &str) -> Option<Interpreter> {
    let output = Command::new(name).args(["-I", "-c", PROBE]).output().ok()?;
    parse(&String::from_utf8_lossy(&output.stdout))
}

fn parse(answer: &str) -> Option<Interpreter> {
    let mut lines = answer.lines();
    let mut words = lines.next()?.splitn(3, ' ');
    let version = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let executable = PathBuf::from(words.next()?);
    Some(Interpreter { version, executable, has_venv: lines.next() == Some("venv") })
}

fn choose(found: &[Interpreter]) -> Result<Interpreter, Error> {
    let supported = || found.iter().filter(|python| VERSIONS.contains(&python.version));
    if let Some(python) = supported().find(|python| python.has_venv) {
        return Ok(python.clone());
    }
    if let Some(python) = supported().next() {
        return Err(Error::VenvMissing { python: python.executable.display().to_string() });
    }
    let found = match found.first() {
        Some(other) => format!("{} is {}.{}", other.executable.display(), other.version.0, other.version.1),
        None => "none was found on the PATH".to_owned(),
    };
    Err(Error::PythonMissing { found })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(answers: &[&str]) -> Result<Interpreter, Error> {
        choose(&answers.iter().filter_map(|answer| parse(answer)).collect::<Vec<_>>())
    }

    #[test]
    fn the_first_suitable_python_is_used() {
        let answers = ["3 9 /old\nvenv", "3 14 /new\nvenv", "3 12 /bare\n", "3 11 /opt/my python\nvenv\n"];
        assert_eq!(chosen(&answers).unwrap().executable, PathBuf::from("/opt/my python"));
    }

    #[test]
    fn old_python_is_reported_with_its_version() {
        let message = chosen(&["3 9 /usr/bin/python3\nvenv"]).unwrap_err().to_string();
        assert!(message.contains("/usr/bin/python3 is 3.9"), "{message}");
    }

    #[test]
    fn python_without_venv_is_reported_with_the_package() {
        let message = chosen(&["3 12 /usr/bin/python3\n"]).unwrap_err().to_string();
        assert!(message.contains("python3-venv"), "{message}");
    }

    #[test]
    fn missing_python_is_reported_with_the_remedy() {
        let message = chosen(&[]).unwrap_err().to_string();
        assert!(message.contains("none was found") && message.contains("apt install"), "{message}");
    }
}
