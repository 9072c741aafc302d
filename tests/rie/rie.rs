//! Lambda's runtime interface emulator (RIE): the program in which `sam local invoke` runs functions, here without
//! SAM's container.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use local_stack::{cache_dir, prepare_environment};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::OnceCell;

const REQUIREMENT: &str = include_str!("aws-sam-cli.txt");

/// More than any sample event takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(240);

/// A function that runs in the emulator. Both end when this value is dropped.
pub(crate) struct Rie {
    address: String,
    client: reqwest::Client,
    _process: Child,
}

impl Rie {
    /// Starts `function`. Prints why and returns `None` if the emulator is unavailable.
    pub(crate) async fn start(function: &Path, variables: BTreeMap<String, String>) -> Option<Self> {
        static PROGRAM: OnceCell<Option<PathBuf>> = OnceCell::const_new();
        let program = PROGRAM.get_or_init(program).await.as_ref()?;
        let (address, runtime_api) = (free_address(), free_address());
        let mut command = Command::new(program);
        command.args(["--runtime-interface-emulator-address", &address, "--runtime-api-address", &runtime_api]);
        command.arg(function).env_clear().envs(variables).env("AWS_LAMBDA_FUNCTION_TIMEOUT", "120");
        command.envs([("AWS_CONFIG_FILE", "/dev/null"), ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let process = command.spawn().unwrap();
        for _ in 0..200 {
            if TcpStream::connect(&address).await.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        Some(Self { address, client, _process: process })
    }

    /// Invokes the function with an event and returns its response.
    pub(crate) async fn invoke(&self, event: &str) -> Value {
        let url = format!("http://{}/2015-03-31/functions/function/invocations", self.address);
        let answer = self.client.post(url).body(event.to_owned()).send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&answer).unwrap_or_else(|_| panic!("the function answered {answer:?}"))
    }
}

fn free_address() -> String {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().to_string()
}

/// The emulator from the wheel that [`REQUIREMENT`] pins. It stays in the cache directory between runs.
async fn program() -> Option<PathBuf> {
    if !cfg!(target_os = "linux") {
        eprintln!("skipped: the runtime interface emulator exists for Linux only");
        return None;
    }
    let version = REQUIREMENT.split_once("==").unwrap().1.split(' ').next().unwrap();
    let cached = cache_dir().unwrap().join(format!("aws-lambda-rie-{version}"));
    if !cached.exists()
        && let Err(error) = fetch(&cached).await
    {
        // CI must not skip tests.
        assert!(std::env::var_os("CI").is_none(), "{error}");
        eprintln!("skipped: aws-sam-cli can't be fetched from PyPI: {error}");
        return None;
    }
    Some(cached)
}

/// Downloads the wheel and extracts the program for this processor. Nothing else in the wheel is executed.
async fn fetch(cached: &Path) -> Result<(), String> {
    let python = prepare_environment().await.map_err(|error| error.to_string())?;
    let directory = tempfile::tempdir_in(cached.parent().unwrap()).unwrap();
    let requirement = directory.path().join("requirement.txt");
    fs::write(&requirement, REQUIREMENT).unwrap();
    let mut download = Command::new(&python);
    download.args([
        "-I",
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--no-input",
        "--retries",
        "2",
    ]);
    download.args(["--no-deps", "--require-hashes", "--only-binary", ":all:", "--requirement"]).arg(&requirement);
    run(download.arg("--dest").arg(directory.path())).await?;
    let files = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path());
    let wheel = files.into_iter().find(|file| file.extension().is_some_and(|ending| ending == "whl")).unwrap();
    let unpacked = directory.path().join("unpacked");
    run(Command::new(&python).args(["-I", "-m", "zipfile", "-e"]).arg(wheel).arg(&unpacked)).await?;
    let processor = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
    let program = unpacked.join(format!("samcli/local/rapid/aws-lambda-rie-{processor}"));
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(program, cached).map_err(|error| error.to_string())
}

async fn run(command: &mut Command) -> Result<(), String> {
    let output = command.kill_on_drop(true).output().await.map_err(|error| error.to_string())?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}
