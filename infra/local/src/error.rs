//! The errors of the local stack.

use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use aws::CauseKind;

/// The remedy for a missing Python.
pub const INSTALL_PYTHON: &str =
    "install it (Debian/Ubuntu: `apt install python3 python3-venv`, macOS: `brew install python`)";

/// The remedy for a Python whose distribution has `venv` in a separate package.
pub const INSTALL_VENV: &str = "install it (Debian/Ubuntu: `apt install python3-venv`)";

/// The reason for which the local stack can't start or run. Each message ends with the remedy.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the functions can't be built; the output of cargo above gives the reason. Fix it, then run again.")]
    BuildFailed,
    /// There are neither functions of this build nor sources to compile.
    #[error(
        "{} holds no functions of this build. Put evaluation, deletion and generation of the same release there, \
         beside balancer.", .directory.display()
    )]
    FunctionsMissing { directory: PathBuf },
    /// The compiled functions belong to another build than the running program.
    #[error(
        "the sources in {} have changed since this program was built. Build it again with `cargo build --release \
         --workspace`, then run it again.", .sources.display()
    )]
    SourcesChanged { sources: PathBuf },
    /// There is no cargo to compile the functions with.
    #[error(
        "the functions can't be built: {cargo} was not found. Install Rust (https://rustup.rs), or put the directory \
         of cargo on the PATH, and run again."
    )]
    CargoMissing {
        /// The program that could not be started.
        cargo: String,
    },
    #[error("the stack {name} can't be read: {reason}; {remedy}")]
    StackUnreadable { name: String, kind: CauseKind, reason: String, remedy: String },
    #[error("there is no stack {name} in {region}; check its name, the region and the account of your credentials")]
    StackMissing { name: String, region: String },
    /// There is no suitable Python.
    #[error(
        "the local emulator needs Python 3.10 to 3.13, and {found}. I{} and run again.", &INSTALL_PYTHON[1..]
    )]
    PythonMissing {
        /// The Python that was found, if any.
        found: String,
    },
    /// There is a Python, but its distribution has `venv` in a separate package.
    #[error(
        "{python} has no working `venv` module. I{} and run again.", &INSTALL_VENV[1..]
    )]
    VenvMissing { python: String },
    #[error("no access key can be created: {reason}. Check the system's random number generator.")]
    NoRandomness { reason: String },
    #[error("there is no home directory to keep the emulator in. Set BALANCER_CACHE_DIR to a directory.")]
    NoCacheDirectory,
    #[error(
        "the local emulator could not be installed:\n{output}\nThe first run fetches its packages from \
         PyPI, later runs need no network. Check the connection (or name a mirror in PIP_INDEX_URL) and \
         run again."
    )]
    Install {
        /// The end of the installer's output.
        output: String,
    },
    #[error("port {port} on {host} is in use. Stop what listens there or choose another port.")]
    PortInUse { host: Ipv4Addr, port: u16 },
    /// This machine doesn't have the address, or doesn't permit its use.
    #[error(
        "{host} can't be listened on: {source}. Give an address that this machine has (`ip address` lists them), \
         and a port from 1024 on."
    )]
    CannotListen { host: Ipv4Addr, source: io::Error },
    /// The emulator ended, or didn't answer in time.
    #[error("the local emulator did not start ({why}). Its log {log} ends:\n{tail}\nRead the log, then run again.")]
    NotReady {
        why: String,
        log: PathBuf,
        /// The last lines of the log.
        tail: String,
    },
    /// The data of an earlier emulator can't be restored.
    #[error(
        "what an earlier run has left in {} can't be used: {reason}\nTo start without it, remove that folder; images \
         that were ordered and not yet fetched are then ordered again.", .directory.display()
    )]
    StateUnusable { directory: PathBuf, reason: String },
    #[error("`{id}` is not an AWS account id. Give 12 digits, such as 000000000000.")]
    InvalidAccount { id: String },
    #[error(
        "the function executable {path} is missing. Build it with `cargo build --release -p evaluation \
         -p deletion -p generation`."
    )]
    BinaryMissing { path: PathBuf },
    /// The template doesn't have the form in which this crate can replace the code.
    #[error(
        "the template gives {found} of the three functions a `CodeUri:` line. Write `CodeUri: .` in \
         EvaluationFunction, DeletionFunction and GenerationFunction."
    )]
    TemplateCode {
        /// The number of these lines.
        found: usize,
    },
    #[error("{path} could not be packaged: {source}. Check that it is readable, then run again.")]
    Package { path: PathBuf, source: zip::result::ZipError },
    #[error("the local emulator refused to {action}: {reason}. Its log is {log}.")]
    Refused {
        /// The request, such as "create the stack".
        action: &'static str,
        reason: String,
        log: PathBuf,
    },
    #[error("the stack {stack} failed: {resource}: {reason}. Correct the template or its parameters.")]
    StackFailed {
        stack: String,
        /// The logical id of the first resource that failed.
        resource: String,
        reason: String,
    },
    #[error("the template has no output {name}. Add it to the template's Outputs.")]
    OutputMissing { name: &'static str },
    /// An operation on a file or a process failed.
    #[error("{action} {path}: {source}. Check permissions and free space, then run again.")]
    Io {
        /// The failed action, such as "cannot read".
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },
}

impl Error {
    /// Adds the action and the path to an I/O error.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }
}
