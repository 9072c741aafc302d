//! The HTTP server of the stand-ins.

use std::ops::Deref;
use std::thread;

use wiremock::MockServer;

/// A [`MockServer`] that any task can drop.
///
/// When it is dropped, a `MockServer` blocks its thread while it acquires a lock to verify its expectations. Tokio
/// refuses locks to a task that has used up its cooperative budget, until the task yields; a blocked task never yields.
/// A test that drops a server after a lot of work would wait for ever. So a separate thread drops it.
pub struct Server(Option<MockServer>);

impl Server {
    /// Starts a server at a free port.
    pub async fn start() -> Self {
        Self(Some(MockServer::start().await))
    }
}

impl Deref for Server {
    type Target = MockServer;

    fn deref(&self) -> &MockServer {
        self.0.as_ref().expect("the server exists until it is dropped")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let server = self.0.take();
        let ended = thread::spawn(move || drop(server)).join();
        // A missing expected request fails the test, unless it is failing already.
        assert!(ended.is_ok() || thread::panicking(), "the server did not receive the expected requests");
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
    fn server_ends_after_its_task_used_up_its_budget() {
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
        end.recv_timeout(Duration::from_secs(30)).expect("the drop should not block");
    }

    #[tokio::test]
    #[should_panic(expected = "did not receive the expected requests")]
    async fn missing_expected_request_fails_the_test() {
        let server = Server::start().await;
        Mock::given(any()).respond_with(ResponseTemplate::new(200)).expect(1).mount(&server).await;
    }
}
