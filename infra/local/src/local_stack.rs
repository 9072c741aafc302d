//! An emulator with one stack in it.

use aws_config::SdkConfig;

use crate::{Emulator, EmulatorOptions, Error, Outputs, Stack, StackOptions};

/// An emulator with one stack.
#[derive(Debug)]
pub struct LocalStack {
    emulator: Emulator,
    stack: Stack,
}

impl LocalStack {
    /// Starts an emulator, creates the stack in it and seals it: afterwards, clients can create or change only the
    /// stack's images, records and messages. With a [`state_dir`](EmulatorOptions::state_dir), the stack has the images
    /// and records of the last one that used the directory. If this fails, the emulator is stopped.
    pub async fn start(emulator: EmulatorOptions, stack: StackOptions) -> Result<Self, Error> {
        let state_dir = emulator.state_dir.clone();
        let emulator = Emulator::start(emulator).await?;
        let stack = Stack::create(&emulator, stack).await?;
        if let Some(directory) = state_dir {
            let kept = emulator.keep_state(&directory, stack.account(), &stack.outputs().stack).await;
            kept.map_err(|error| Error::StateUnusable { directory, reason: error.to_string() })?;
        }
        emulator.seal(&stack.outputs().stack.bucket).await?;
        Ok(Self { emulator, stack })
    }

    #[must_use]
    pub fn emulator(&self) -> &Emulator {
        &self.emulator
    }

    #[must_use]
    pub fn stack(&self) -> &Stack {
        &self.stack
    }

    #[must_use]
    pub fn outputs(&self) -> &Outputs {
        self.stack.outputs()
    }

    /// The address of the emulator, such as `http://127.0.0.1:4566`.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        self.emulator.endpoint()
    }

    /// The configuration for clients of the stack's resources.
    #[must_use]
    pub fn sdk_config(&self) -> &SdkConfig {
        self.stack.sdk_config()
    }

    /// Stops the emulator. The stack is lost, and its data too unless a directory keeps it.
    pub async fn stop(self) -> Result<(), Error> {
        self.emulator.stop().await
    }
}
