//! The dashboard of a run.

use std::convert::Infallible;

use super::registry::RunningStack;
use crate::connection::Connected;
use crate::dashboard::Listener;
use crate::outcome::remark;
use crate::sets::Sets;

/// Serves the dashboard for ever, if the run has one. Its failure doesn't end the run.
pub async fn show(listener: Option<Listener>, stack: RunningStack) -> Infallible {
    if let Some(listener) = listener {
        let sets = Sets::InStack(Box::new(Connected::on_this_machine(stack)));
        let shown = listener.serve(sets, None, |address| remark(format!("dashboard: {address}"))).await;
        let problem = shown.err().map_or_else(|| "it ended".to_owned(), |problem| format!("{problem:#}"));
        remark(format!("the dashboard is gone, and the run goes on: {problem}"));
    }
    std::future::pending().await
}
