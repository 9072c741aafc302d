//! `balancer dashboard`

use crate::arguments::Dashboard;
use crate::dashboard::{Listener, Options};
use crate::local::interruption;
use crate::outcome::{Outcome, answer};
use crate::sets::Sets;

/// Serves the pages until Ctrl-C.
pub async fn run(arguments: Dashboard) -> anyhow::Result<Outcome> {
    let Dashboard { port, no_open, read_only, connection } = arguments;
    let sets = Sets::of(&connection, &[]).await?;
    let listener = Listener::bind(Options { port, open: !no_open, is_read_only: read_only }).await?;
    let serving = listener.serve(sets, connection.stack.as_deref(), answer);
    tokio::select! {
        served = serving => served.map(|()| Outcome::Done),
        () = interruption() => Ok(Outcome::Interrupted),
    }
}
