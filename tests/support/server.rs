//! The HTTP server that the stand-ins stand on.

use std::ops::Deref;
use std::thread;

use wiremock::MockServer;

/// A [`MockServer`] that may be dropped by any task.
///
/// At its end a `MockServer` looks up what it has seen, and blocks its thread until it may. Tokio puts off whoever has done much
/// without a pause until its task has paused, and a task whose thread is blocked never does: a test that has many
/// answers to work through at once, and ends a server meanwhile, would wait for ever. So it ends on a thread of its own.
pub struct Server(Option<MockServer>);

impl Server {
    /// One of its own, at a free port.
    pub async fn start() -> Self {
        Self(Some(MockServer::start().await))
    }
}

impl Deref for Server {
    type Target = MockServer;

    fn deref(&self) -> &MockServer {
        self.0.as_ref().expect("it is there until it is dropped")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let server = self.0.take();
        let ended = thread::spawn(move || drop(server)).join();
        // What was expected of it and has not come is a failure, unless the test has failed already.
        assert!(ended.is_ok() || thread::panicking(), "the server was not asked what it should have been");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use tokio::runtime::Builder;
    use tokio::sync::Mutex;
    use tokio::task::coop;
    use wiremock::Mock;
    use wiremock::ResponseTemplate;
    use wiremock::matchers::any;

    use super::*;

    #[test]
    fn it_ends_even_if_its_task_has_worked_for_long_without_a_pause() {
        let (ended, end) = mpsc::channel();
        thread::spawn(move || {
            Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
                let server = Server::start().await;
                while coop::has_budget_remaining() {
                    drop(Mutex::new(()).lock().await);
                }
                drop(server);
            });
            ended.send(()).unwrap();
        });
        end.recv_timeout(Duration::from_secs(30)).expect("it waits for ever");
    }

    #[tokio::test]
    #[should_panic(expected = "not asked what it should have been")]
    async fn a_request_that_was_expected_and_never_came_is_a_failure() {
        let server = Server::start().await;
        Mock::given(any()).respond_with(ResponseTemplate::new(200)).expect(1).mount(&server).await;
    }
}
