//! A line in the terminal of `balancer local --watch` about what a command or a page has done.

use aws::store::notices::Notice;
use domain::actor::ActorId;
use domain::files::images_in_words;
use handlers::Clock;

use crate::outcome::remark;
use crate::sets::Sets;

/// The most files that a notice names.
const MOST_NAMES: usize = 5;

/// Leaves a notice about these files for the run on this machine, if there is one and `files` isn't empty.
pub async fn leave_notice(sets: &Sets, actor: &ActorId, verb: &str, files: &[String]) {
    if !files.is_empty() {
        leave(sets, actor, format!("{verb} {}", listed(files))).await;
    }
}

/// Leaves a notice for the run on this machine, if there is one. A failure does not undo the action.
pub async fn leave(sets: &Sets, actor: &ActorId, text: String) {
    let Sets::InStack(stack) = sets else { return };
    if stack.local.actor_dir(actor).is_none() {
        return;
    }
    if let Err(problem) = stack.services.store.leave_notice(actor, &Notice { at: Clock::system().now(), text }).await {
        remark(format!("the run does not mention it: {problem}"));
    }
}

fn listed(files: &[String]) -> String {
    match files.len() {
        0..=MOST_NAMES => files.join(", "),
        many => format!("{} and {} more", files[..MOST_NAMES].join(", "), images_in_words(many - MOST_NAMES)),
    }
}
