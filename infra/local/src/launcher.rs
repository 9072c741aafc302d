//! The process that supervises the emulator, and its environment.

use std::env;
use std::fs::{self, File};
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::Error;
use crate::emulator::REGION;

/// The launcher and the modules that it imports.
const SCRIPTS: [(&str, &str); 3] = [
    ("launch.py", include_str!("../launch.py")),
    ("guard.py", include_str!("../guard.py")),
    ("state.py", include_str!("../state.py")),
];

/// The services that the template uses. The emulator has about eighty more.
const SERVICES: &str = "cloudformation,cloudwatch,dynamodb,events,iam,kms,lambda,logs,s3,sqs,sts";

/// The variables of the caller's environment that the functions inherit: enough to find programs and to reach the
/// internet through a proxy, but no credentials.
const INHERITED: [&str; 7] =
    ["PATH", "LANG", "HTTPS_PROXY", "https_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "RUST_BACKTRACE"];

/// The process that supervises the emulator. It ends when its standard input is closed.
#[derive(Debug)]
pub(crate) struct Launcher(pub(crate) Child);

impl Launcher {
    /// Sends a line to the process.
    pub(crate) fn send_line(&self, line: &str) -> io::Result<()> {
        let Some(mut input) = self.0.stdin.as_ref() else { return Err(io::ErrorKind::BrokenPipe.into()) };
        input.write_all(format!("{line}\n").as_bytes())
    }
}

impl Drop for Launcher {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // It takes about 20 ms to kill the emulator and to remove the temporary directory. There is no remedy for an
        // error here.
        let _ = self.0.wait();
    }
}

/// The command of the launcher. It has its own process group, so that Ctrl-C reaches only the caller, which then stops
/// the launcher in an orderly way.
pub(crate) fn launcher(python: &Path, directory: &Path, log: &Path, function_log: &Path) -> Result<Command, Error> {
    for (name, text) in SCRIPTS {
        let path = directory.join(name);
        fs::write(&path, text).map_err(Error::io("cannot write", &path))?;
    }
    let output = File::create(log).map_err(Error::io("cannot create", log))?;
    let errors = output.try_clone().map_err(Error::io("cannot open", log))?;
    File::create(function_log).map_err(Error::io("cannot create", function_log))?;
    let mut command = Command::new(python);
    command
        .args(["-I", "-X", "utf8"])
        .arg(directory.join(SCRIPTS[0].0))
        .arg("supervise")
        .arg(directory)
        .arg(function_log);
    command.stdin(Stdio::piped()).stdout(output).stderr(errors).process_group(0).env_clear();
    Ok(command)
}

pub(crate) fn inherited() -> impl Iterator<Item = (&'static str, std::ffi::OsString)> {
    INHERITED.into_iter().filter_map(|name| Some((name, env::var_os(name)?)))
}

/// The emulator's environment. The functions inherit it: `AWS_ENDPOINT_URL` is for them.
pub(crate) fn settings(host: Ipv4Addr, port: u16, directory: &Path) -> Vec<(&'static str, String)> {
    let directory = directory.display();
    vec![
        ("BIND_HOST", host.to_string()),
        ("GATEWAY_PORT", port.to_string()),
        // An address, not `localhost`: only then do the SDKs put the bucket into the path.
        ("MINISTACK_HOST", host.to_string()),
        ("AWS_ENDPOINT_URL", format!("http://{host}:{port}")),
        ("NO_PROXY", format!("{host},127.0.0.1,localhost")),
        // The functions' SDK must not read the caller's profiles.
        ("AWS_CONFIG_FILE", "/dev/null".into()),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null".into()),
        ("MINISTACK_REGION", REGION.into()),
        ("SERVICES", SERVICES.into()),
        ("LAMBDA_EXECUTOR", "local".into()),
        // Otherwise the emulator looks for leftover containers, and opens ports for unused services.
        ("DOCKER_HOST", format!("unix://{directory}/no-docker")),
        ("SFTP_ENABLED", "0".into()),
        ("IOT_MTLS_ENABLED", "0".into()),
        ("TMPDIR", directory.to_string()),
    ]
}
