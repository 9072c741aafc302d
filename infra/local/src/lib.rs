//! The local stack: the real template and the three real functions on an AWS emulator.
//!
//! [`Emulator`] is the process, [`Stack`] one CloudFormation stack in one of its accounts, and [`LocalStack`] an
//! emulator with one stack. The command starts a [`LocalStack`]; the tests share one emulator, in which each test has
//! its own [`Account`].
//!
//! The emulator is ministack, a Python program. The first run installs it from PyPI into a private environment; see
//! [`prepare_environment`].

mod account;
mod binaries;
mod credentials;
mod emulator;
mod environment;
mod error;
mod launcher;
mod local_stack;
mod outputs;
mod package;
mod private_file;
mod python;
mod stack;
mod state;

pub use account::Account;
pub use binaries::Binaries;
pub use credentials::Credentials;
pub use emulator::{Emulator, EmulatorOptions, REGION, sdk_config};
pub use environment::{Installed, cache_dir, installed, prepare_environment};
pub use error::{Error, INSTALL_PYTHON, INSTALL_VENV};
pub use local_stack::LocalStack;
pub use outputs::{Outputs, may_be_secret};
pub use private_file::{create_private_dir, write_private};
pub use python::{Interpreter, find as find_python};
pub use stack::{Stack, StackOptions};
pub use state::{has_state, remove_state};
