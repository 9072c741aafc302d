//! A command that runs while the test goes on.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// How long a command may take to end after a signal: longer than a run waits for images in progress.
const TO_END: Duration = Duration::from_secs(90);

/// The signal that can't be caught.
const SIGKILL: i32 = 9;

/// A command in the background and what it has said so far. It is killed when the test ends.
pub(crate) struct Background {
    child: Child,
    said: Arc<Mutex<String>>,
}

impl Background {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        listen(child.stdout.take().unwrap(), &said);
        listen(child.stderr.take().unwrap(), &said);
        Self { child, said }
    }

    /// What it has said so far, on both streams.
    pub(crate) fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// Waits until it has said these words.
    pub(crate) fn wait_for(&mut self, words: &str) {
        let mut has_ended = false;
        while !self.said().contains(words) {
            assert!(!has_ended, "it ended without `{words}`, and said:\n{}", self.said());
            has_ended = self.child.try_wait().unwrap().is_some();
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Kills it. Returns whether it still ran.
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
        let said = Arc::clone(&self.said);
        let has_ended = || self.child.try_wait().unwrap().is_some();
        wait_until(TO_END, has_ended, || format!("the end; it said:\n{}", said.lock().unwrap()));
        self.child.wait().unwrap().code()
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn listen(stream: impl Read + Send + 'static, said: &Arc<Mutex<String>>) {
    let said = Arc::clone(said);
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let mut said = said.lock().unwrap();
            said.push_str(&line);
            said.push('\n');
        }
    });
}

/// Waits until a condition holds. After the limit, the test fails with the condition's name.
pub(crate) fn wait_until(limit: Duration, mut holds: impl FnMut() -> bool, what: impl Fn() -> String) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < limit, "waited in vain for {}", what());
        thread::sleep(Duration::from_millis(50));
    }
}
