//! A command that runs in the background of a test.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// The signal that can't be caught.
const SIGKILL: i32 = 9;

/// Far longer than anything takes, also on a busy machine: a timeout only ends a wait in vain.
const PATIENCE: Duration = Duration::from_secs(240);

/// A command in the background, with its output so far. It is killed when the test ends.
pub(crate) struct Background {
    child: Child,
    output: Arc<Mutex<String>>,
}

impl Background {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let output = Arc::new(Mutex::new(String::new()));
        listen(child.stdout.take().unwrap(), &output);
        listen(child.stderr.take().unwrap(), &output);
        Self { child, output }
    }

    /// The output so far, of both streams.
    pub(crate) fn output(&self) -> String {
        self.output.lock().unwrap().clone()
    }

    /// Waits until its output contains these words.
    pub(crate) fn wait_for(&mut self, words: &str) {
        let mut has_ended = false;
        while !self.output().contains(words) {
            assert!(!has_ended, "it ended without `{words}`; its output:\n{}", self.output());
            has_ended = self.child.try_wait().unwrap().is_some();
            thread::sleep(Duration::from_millis(50));
        }
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Kills it. Returns `false` if it had ended before.
    pub(crate) fn kill(&mut self) -> bool {
        self.child.kill().unwrap();
        self.child.wait().unwrap().signal() == Some(SIGKILL)
    }

    /// Sends it a signal, such as `INT`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits until it has ended, and returns its exit code.
    pub(crate) fn end(&mut self) -> Option<i32> {
        let output = Arc::clone(&self.output);
        let has_ended = || self.child.try_wait().unwrap().is_some();
        wait_until(has_ended, || format!("the end; its output:\n{}", output.lock().unwrap()));
        self.child.wait().unwrap().code()
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn listen(stream: impl Read + Send + 'static, output: &Arc<Mutex<String>>) {
    let output = Arc::clone(output);
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let mut output = output.lock().unwrap();
            output.push_str(&line);
            output.push('\n');
        }
    });
}

/// Waits until a condition holds. After the limit, the test fails with the description of the condition.
pub(crate) fn wait_until(mut holds: impl FnMut() -> bool, what: impl Fn() -> String) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "timed out while waiting for {}", what());
        thread::sleep(Duration::from_millis(50));
    }
}
