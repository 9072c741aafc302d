//! The emulator process: start, readiness, seal and stop.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, io};

use aws::stack::StackRef;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::SharedCredentialsProvider;
use serde_json::json;

use crate::credentials::Token;
use crate::environment::{last_lines, prepare_environment};
use crate::launcher::{Launcher, inherited, launcher, settings};
use crate::{Account, Credentials, Error};

/// The only region of the emulator.
pub const REGION: &str = "us-east-1";

/// The path at which the guard reports whether the emulator is ready, and which commands it has executed.
const STATE_PATH: &str = "/_balancer/state";

/// Far more than the half second that a start takes on an idle machine.
const START_TIMEOUT: Duration = Duration::from_secs(60);

const POLL_INTERVAL: Duration = Duration::from_millis(25);

/// Another program can take a free port before the emulator listens on it. So the emulator ends, and a start on another
/// port succeeds.
const START_ATTEMPTS: u32 = 4;

/// The settings of an emulator.
#[derive(Clone, Debug, Default)]
pub struct EmulatorOptions {
    /// The address it listens on; `None` is 127.0.0.1, which other machines can't reach. Containers may need the
    /// address of this machine on their network. IPv6 is impossible, because the emulator connects to itself by IPv4.
    pub host: Option<Ipv4Addr>,
    /// The port; `None` selects a free one.
    pub port: Option<u16>,
    /// The directory for `emulator.log` and `functions.log`; `None` is the emulator's temporary directory, which is
    /// removed when the emulator ends.
    pub log_dir: Option<PathBuf>,
    /// The directory that keeps the stack's records and objects while [`LocalStack`](crate::LocalStack) runs, and from
    /// which the next one continues if this one is killed. Only one emulator uses it at a time. With `None`, the data
    /// ends with the emulator.
    pub state_dir: Option<PathBuf>,
    /// Environment variables of all functions, for `RUST_LOG` and for tests. The template's variables take precedence.
    /// The emulator itself receives them too.
    pub function_env: BTreeMap<String, String>,
}

/// A running emulator.
///
/// The emulator and its functions end with [`Emulator::stop`], when this value is dropped, or when this process ends,
/// even if it is killed. Its data is then lost, unless a directory keeps it.
#[derive(Debug)]
pub struct Emulator {
    launcher: Launcher,
    token: Token,
    endpoint: String,
    directory: PathBuf,
    port: u16,
    log_file: PathBuf,
    /// Opened before the start: the launcher removes the directory of an emulator that fails.
    log: File,
    function_log_file: PathBuf,
}

/// The configuration for clients of any emulator, also of one that another process started.
#[must_use]
pub fn sdk_config(endpoint: &str, credentials: &Credentials) -> SdkConfig {
    let (id, secret) = (credentials.access_key_id(), credentials.secret_access_key());
    let credentials = aws_sdk_s3::config::Credentials::new(id, secret, None, None, "emulator");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static(REGION))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(endpoint)
        .build()
}

impl Emulator {
    /// Starts an emulator and waits until it is ready. If necessary, [`prepare_environment`] installs it first.
    pub async fn start(options: EmulatorOptions) -> Result<Self, Error> {
        let host = options.host.unwrap_or(Ipv4Addr::LOCALHOST);
        let python = prepare_environment().await?;
        let mut attempt = 1;
        loop {
            let started = Self::start_on(free_port(host, options.port)?, &python, &options).await;
            let is_final = options.port.is_some() || attempt == START_ATTEMPTS;
            match started {
                Err(Error::NotReady { .. }) if !is_final => attempt += 1,
                _ => return started,
            }
        }
    }

    async fn start_on(port: u16, python: &Path, options: &EmulatorOptions) -> Result<Self, Error> {
        let host = options.host.unwrap_or(Ipv4Addr::LOCALHOST);
        let directory = tempfile::Builder::new()
            .prefix("balancer-emulator-")
            .tempdir()
            .map_err(Error::io("cannot create a directory in", &env::temp_dir()))?;
        let logs = options.log_dir.clone().unwrap_or_else(|| directory.path().to_owned());
        fs::create_dir_all(&logs).map_err(Error::io("cannot create", &logs))?;
        let (log_file, function_log_file) = (logs.join("emulator.log"), logs.join("functions.log"));

        let token = Token::random()?;
        let mut command = launcher(python, directory.path(), &log_file, &function_log_file)?;
        command.envs(inherited()).envs(&options.function_env).envs(settings(host, port, directory.path()));
        let log = File::open(&log_file).map_err(Error::io("cannot open", &log_file))?;
        let child = command.spawn().map_err(Error::io("cannot run", python))?;
        // From here on the launcher removes the directory, even if this process is killed.
        let directory = directory.keep();
        let endpoint = format!("http://{host}:{port}");
        let mut emulator =
            Self { launcher: Launcher(child), token, endpoint, directory, port, log_file, log, function_log_file };
        // The token passes through the pipe: every user of the machine can read a command line, and functions inherit
        // the environment.
        emulator.launcher.send_line(emulator.token.as_str()).map_err(|error| emulator.not_ready(error.to_string()))?;
        emulator.wait_until_ready().await?;
        Ok(emulator)
    }

    /// Seals the emulator. From now on, no client can create or change a resource, even with the access key, and
    /// objects are accessible only in this bucket and in the buckets of earlier seals. Sealing can't be undone.
    pub async fn seal(&self, bucket: &str) -> Result<(), Error> {
        self.execute(&format!("seal {bucket}"), "sealed").await
    }

    /// Restores the data that an earlier emulator has left in this directory, and keeps all later changes of the table
    /// and the bucket there. The stack must be complete, and its table and bucket empty.
    pub(crate) async fn keep_state(&self, directory: &Path, account: &Account, stack: &StackRef) -> Result<(), Error> {
        let StackRef { table, bucket, .. } = stack;
        let arguments = json!({ "account": account.id(), "directory": directory.display().to_string(), "table": table, "bucket": bucket });
        self.execute(&format!("keep {arguments}"), "kept").await
    }

    /// Sends a command to the emulator, and waits until it reports the state that the command leads to.
    async fn execute(&self, command: &str, expected: &str) -> Result<(), Error> {
        self.launcher.send_line(command).map_err(|error| self.not_ready(error.to_string()))?;
        let started = Instant::now();
        let client = self.client()?;
        loop {
            match self.state(&client).await {
                Some(state) if state == expected => return Ok(()),
                Some(state) if state.starts_with("failed") => return Err(self.not_ready(state)),
                _ if started.elapsed() > START_TIMEOUT => {
                    return Err(self.not_ready(format!("it can't be {expected}")));
                }
                _ => tokio::time::sleep(POLL_INTERVAL).await,
            }
        }
    }

    /// The credentials that sign requests as `account`.
    #[must_use]
    pub fn credentials(&self, account: &Account) -> Credentials {
        self.token.credentials(account)
    }

    /// The address it listens on, such as `http://127.0.0.1:4566`.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The log of the emulator itself.
    #[must_use]
    pub fn log_file(&self) -> &Path {
        &self.log_file
    }

    /// The functions' standard output and error, written without delay. Each line starts with the function's name, a
    /// colon and a space.
    #[must_use]
    pub fn function_log_file(&self) -> &Path {
        &self.function_log_file
    }

    /// The configuration for clients that use this account.
    #[must_use]
    pub fn sdk_config(&self, account: &Account) -> SdkConfig {
        sdk_config(&self.endpoint, &self.credentials(account))
    }

    /// The emulator's directory. Only its owner can read it, and it is removed when the emulator ends.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Stops the emulator and its functions.
    pub async fn stop(self) -> Result<(), Error> {
        let log = self.log_file.clone();
        let stopping = tokio::task::spawn_blocking(move || drop(self));
        stopping.await.map_err(|panic| Error::NotReady { why: panic.to_string(), log, tail: String::new() })
    }

    async fn wait_until_ready(&mut self) -> Result<(), Error> {
        let started = Instant::now();
        let client = self.client()?;
        while self.state(&client).await.is_none() {
            if let Ok(Some(status)) = self.launcher.0.try_wait() {
                return Err(self.not_ready(format!("it ended with {status}")));
            }
            if started.elapsed() > START_TIMEOUT {
                return Err(self.not_ready(format!("no answer for {} s", START_TIMEOUT.as_secs())));
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        Ok(())
    }

    fn client(&self) -> Result<reqwest::Client, Error> {
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build();
        client.map_err(|error| self.not_ready(error.to_string()))
    }

    /// The state that this emulator reports, once it is ready. Another emulator that took the port rejects the access
    /// key.
    async fn state(&self, client: &reqwest::Client) -> Option<String> {
        let credentials = self.credentials(&Account::default());
        // The guard compares the key; it verifies no signature.
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/20000101/{REGION}/balancer/aws4_request, SignedHeaders=host, Signature=00",
            credentials.access_key_id()
        );
        let request = client.get(format!("{}{STATE_PATH}", self.endpoint)).header("authorization", authorization);
        let answer = request.send().await.and_then(reqwest::Response::error_for_status).ok()?;
        answer.text().await.ok()
    }

    fn not_ready(&self, why: String) -> Error {
        let mut text = String::new();
        // Without the log, the error still says why.
        let _ = (&self.log).read_to_string(&mut text);
        Error::NotReady { why, log: self.log_file.clone(), tail: last_lines(&text, 12) }
    }
}

/// The requested port, which must be free, or any free one.
fn free_port(host: Ipv4Addr, requested: Option<u16>) -> Result<u16, Error> {
    let listener = TcpListener::bind((host, requested.unwrap_or(0)));
    let port = listener.and_then(|listener| listener.local_addr()).map(|address| address.port());
    port.map_err(|source| match requested {
        Some(port) if source.kind() == io::ErrorKind::AddrInUse => Error::PortInUse { host, port },
        _ => Error::CannotListen { host, source },
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[tokio::test]
    async fn a_port_taken_meanwhile_is_named_as_cause() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let python = prepare_environment().await.unwrap();
        let error = Emulator::start_on(port, &python, &EmulatorOptions::default()).await.unwrap_err();
        let Error::NotReady { why, tail, .. } = error else { panic!("{error}") };
        assert!(why.contains("exit status: 1") && tail.contains("already in use"), "{why}: {tail}");
    }
}
