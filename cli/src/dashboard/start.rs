//! Starts the server.

use std::io::IsTerminal;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::Context;
use tokio::net::TcpListener;

use super::live::poll;
use super::routes::router;
use super::server::Dashboard;
use crate::outcome::remark;
use crate::sets::Sets;

/// The port that is used if it is free.
const USUAL_PORT: u16 = 4700;

/// How a dashboard is started.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    pub port: Option<u16>,
    /// Whether to open a browser, if the command runs in a terminal.
    pub open: bool,
    pub is_read_only: bool,
}

/// A port of a dashboard, before its sets are known.
pub struct Listener {
    listener: TcpListener,
    port: u16,
    options: Options,
}

impl Listener {
    /// Takes a port on the loopback interface: no other machine can reach it. Fails if the wanted port is taken.
    pub async fn bind(options: Options) -> anyhow::Result<Self> {
        let at = |port: u16| TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let listener = match options.port {
            Some(port) => {
                at(port).await.with_context(|| format!("the port {port} can't be used; choose another --port"))?
            }
            None => match at(USUAL_PORT).await {
                Ok(listener) => listener,
                Err(_) => at(0).await.context("no port of 127.0.0.1 can be used")?,
            },
        };
        let port = listener.local_addr().context("the port is unknown")?.port();
        Ok(Self { listener, port, options })
    }

    /// Serves the pages until it is dropped or fails. `announce` gets the address, with the token, before the first
    /// request.
    pub async fn serve(
        self,
        sets: Sets,
        stack_name: Option<&str>,
        announce: impl FnOnce(String),
    ) -> anyhow::Result<()> {
        let dashboard = Dashboard::new(sets, self.port, self.options.is_read_only, stack_name);
        let router = router(Arc::clone(&dashboard));
        announce(dashboard.gate.address());
        if self.options.open && std::io::stderr().is_terminal() {
            open_browser(&dashboard);
        }
        tokio::select! {
            served = axum::serve(self.listener, router) => served.context("the dashboard has stopped"),
            never = poll(dashboard) => match never {},
        }
    }
}

fn open_browser(dashboard: &Dashboard) {
    if let Err(problem) = open::that_detached(dashboard.gate.address_for_one_use()) {
        remark(format!("no browser could be opened ({problem}); open the address yourself"));
    }
}
