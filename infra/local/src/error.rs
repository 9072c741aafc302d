//! Everything that can keep the embedded stack from running, each with its remedy.

use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

/// Why the embedded stack could not be started. Every message ends with what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The functions do not compile.
    #[error("the functions can't be built; the output of cargo above gives the reason. Fix it, then run again.")]
    BuildFailed,
    /// There are neither functions of this build nor sources to compile.
    #[error(
        "{} holds no functions of this build. Put evaluation, deletion and generation of the same release there, beside \
         balancer.", .directory.display()
    )]
    FunctionsMissing {
        /// The directory of the program.
        directory: PathBuf,
    },
    /// The compiled functions belong to another build than the running program.
    #[error(
        "the sources in {} have changed since this program was built. Build it again with `cargo build --release \
         --workspace`, then run it again.", .sources.display()
    )]
    SourcesChanged {
        /// The directory of the functions.
        sources: PathBuf,
    },
    /// There is no cargo to compile them with.
    #[error(
        "the functions can't be built: {cargo} is not there. Install Rust (https://rustup.rs), or put the directory \
         that cargo lies in on the PATH, and run again."
    )]
    CargoMissing {
        /// What was to be started.
        cargo: String,
    },
    /// A deployed stack could not be looked up.
    #[error("the stack {name} can't be read: {reason}; check its name, the region and your credentials")]
    StackUnreadable {
        /// The stack.
        name: String,
        /// What AWS said.
        reason: String,
    },
    /// There is no Python new enough.
    #[error(
        "the local emulator needs Python 3.10 to 3.13, and {found}. Install it (Debian/Ubuntu: \
         `apt install python3 python3-venv`, macOS: `brew install python`) and run again."
    )]
    PythonMissing {
        /// What was found instead.
        found: String,
    },
    /// There is a Python, but its distributor has split `venv` off.
    #[error(
        "{python} has no working `venv` module. Install it (Debian/Ubuntu: `apt install \
         python3-venv`) and run again."
    )]
    VenvMissing {
        /// The interpreter that was tried.
        python: String,
    },
    /// The operating system provides no random numbers for an access key.
    #[error("no access key can be made: {reason}. See that the system's random number generator works.")]
    NoRandomness {
        /// The reason.
        reason: String,
    },
    /// Neither a cache directory nor a home directory is known.
    #[error("there is no home directory to keep the emulator in. Set BALANCER_CACHE_DIR to a directory.")]
    NoCacheDirectory,
    /// The emulator's packages could not be installed.
    #[error(
        "the local emulator could not be installed:\n{output}\nThe first run fetches its packages from \
         PyPI, later runs need no network. Check the connection (or name a mirror in PIP_INDEX_URL) and \
         run again."
    )]
    Install {
        /// The end of what the installer said.
        output: String,
    },
    /// The wanted port is taken.
    #[error("port {port} on {host} is in use. Stop what listens there or choose another port.")]
    PortInUse {
        /// The address that was asked for.
        host: Ipv4Addr,
        /// The port that was asked for.
        port: u16,
    },
    /// The wanted address is none of this machine's, or may not be used.
    #[error(
        "{host} can't be listened on: {source}. Give an address that this machine has (`ip address` lists them), \
         and a port from 1024 on."
    )]
    CannotListen {
        /// The address that was asked for.
        host: Ipv4Addr,
        /// The reason.
        source: io::Error,
    },
    /// The emulator ended, or never answered.
    #[error("the local emulator did not start ({why}). Its log {log} ends:\n{tail}\nRead the log, then run again.")]
    NotReady {
        /// What was seen from outside.
        why: String,
        /// Where the log is.
        log: PathBuf,
        /// Its last lines.
        tail: String,
    },
    /// An account id is not 12 digits.
    #[error("`{id}` is no AWS account id. Give 12 digits, such as 000000000000.")]
    InvalidAccount {
        /// What was given.
        id: String,
    },
    /// A function's executable is not there.
    #[error(
        "the function executable {path} is missing. Build it with `cargo build --release -p evaluation \
         -p deletion -p generation`."
    )]
    BinaryMissing {
        /// Where it should be.
        path: PathBuf,
    },
    /// The template does not have the shape this crate can point at local code.
    #[error(
        "the template gives {found} of the three functions a `CodeUri:` line. Write `CodeUri: .` in \
         EvaluationFunction, DeletionFunction and GenerationFunction."
    )]
    TemplateCode {
        /// How many such lines there are.
        found: usize,
    },
    /// An archive could not be written.
    #[error("{path} could not be packed: {source}. Check that it is readable, then run again.")]
    Package {
        /// The executable.
        path: PathBuf,
        /// The reason.
        source: zip::result::ZipError,
    },
    /// A call to the emulator failed.
    #[error("the local emulator refused to {action}: {reason}. Its log is {log}.")]
    Refused {
        /// What was tried.
        action: &'static str,
        /// What it answered.
        reason: String,
        /// Where the emulator's log is.
        log: PathBuf,
    },
    /// CloudFormation could not make a resource.
    #[error("the stack {stack} failed: {resource}: {reason}. Correct the template or its parameters.")]
    StackFailed {
        /// The stack's name.
        stack: String,
        /// The logical id of the first resource that failed.
        resource: String,
        /// CloudFormation's reason.
        reason: String,
    },
    /// The template's outputs lack one this crate hands on.
    #[error("the template has no output {name}. Add it to the template's Outputs.")]
    OutputMissing {
        /// The output's name.
        name: &'static str,
    },
    /// A file or process operation failed.
    #[error("{action} {path}: {source}. Check permissions and free space, then run again.")]
    Io {
        /// What was tried, as "cannot read".
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
}

impl Error {
    /// Wraps an I/O error with what was tried on which path.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }
}
