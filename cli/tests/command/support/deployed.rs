//! Commands with the name of a stack.

use balancer_tests::stack::TestStack;
use tokio::runtime::Runtime;

use super::run::{Ran, balancer};

/// A stack in an emulator that takes the place of AWS.
pub(crate) struct Deployed {
    pub(crate) runtime: Runtime,
    pub(crate) stack: TestStack,
}

impl Deployed {
    pub(crate) fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let stack = runtime.block_on(TestStack::start());
        Self { runtime, stack }
    }

    /// A stack in which uploads trigger nothing.
    pub(crate) fn without_triggers() -> Self {
        let runtime = Runtime::new().unwrap();
        let stack = runtime.block_on(TestStack::without_triggers());
        Self { runtime, stack }
    }

    /// Runs the command with the stack's name.
    pub(crate) fn balancer(&self, arguments: &[&str]) -> Ran {
        let variables = self.stack.variables();
        let account = &variables["AWS_ACCESS_KEY_ID"][..12];
        let mut command = balancer();
        let connection = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_ENDPOINT_URL"];
        command.envs(connection.map(|name| (name, &variables[name])));
        let (subcommand, options) = arguments.split_first().unwrap();
        Ran::of(command.args([*subcommand, "--stack", &format!("test-{account}")]).args(options))
    }
}
