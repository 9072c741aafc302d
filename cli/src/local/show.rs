//! The dashboard of a run.

use super::registry::RunningStack;
use crate::connection::Connected;
use crate::dashboard::Listener;
use crate::outcome::remark;
use crate::sets::Sets;

/// Serves the dashboard, if the run has one, until it fails.
pub async fn show(listener: Option<Listener>, stack: RunningStack) -> anyhow::Result<()> {
    let Some(listener) = listener else { return std::future::pending().await };
    let sets = Sets::InStack(Box::new(Connected::on_this_machine(stack)));
    listener.serve(sets, None, |address| remark(format!("dashboard: {address}"))).await
}
