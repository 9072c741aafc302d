//! The embedded stack: the real template and the three real functions on an AWS emulator.
//!
//! [`Emulator`] is the process, [`Stack`] one CloudFormation stack in one account of it, and
//! [`LocalStack`] the usual pair of both. The command line starts a [`LocalStack`]; tests share one
//! emulator and give every test an [`Account`] of its own.
//!
//! The emulator is ministack, a Python program. Its private environment is made on the first run,
//! which needs PyPI once; see [`prepare_environment`].

mod account;
mod binaries;
mod credentials;
mod emulator;
mod environment;
mod error;
mod local_stack;
mod outputs;
mod package;
mod private_file;
mod python;
mod stack;

pub use account::Account;
pub use binaries::Binaries;
pub use credentials::Credentials;
pub use emulator::{Emulator, EmulatorOptions, REGION, sdk_config};
pub use environment::{cache_dir, prepare_environment};
pub use error::Error;
pub use local_stack::LocalStack;
pub use outputs::Outputs;
pub use private_file::{create_private_dir, write_private};
pub use stack::{Stack, StackOptions};
