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
    /// stack's images, records and messages.
    ///
    /// # Errors
    /// Those of [`Emulator::start`], [`Stack::create`] and [`Emulator::seal`]; the emulator has been stopped then.
    pub async fn start(emulator: EmulatorOptions, stack: StackOptions) -> Result<Self, Error> {
        let emulator = Emulator::start(emulator).await?;
        let stack = Stack::create(&emulator, stack).await?;
        emulator.seal(&stack.outputs().stack.bucket).await?;
        Ok(Self { emulator, stack })
    }

    /// The emulator, for its log files.
    #[must_use]
    pub fn emulator(&self) -> &Emulator {
        &self.emulator
    }

    /// The stack.
    #[must_use]
    pub fn stack(&self) -> &Stack {
        &self.stack
    }

    /// The stack's outputs.
    #[must_use]
    pub fn outputs(&self) -> &Outputs {
        self.stack.outputs()
    }

    /// Where the emulator listens.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        self.emulator.endpoint()
    }

    /// Clients made of this see the stack's resources.
    #[must_use]
    pub fn sdk_config(&self) -> &SdkConfig {
        self.stack.sdk_config()
    }

    /// Stops the emulator; the stack and all it held are gone.
    ///
    /// # Errors
    /// Those of [`Emulator::stop`].
    pub async fn stop(self) -> Result<(), Error> {
        self.emulator.stop().await
    }
}
