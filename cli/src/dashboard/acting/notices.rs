//! Notices that wait for the page that shows them.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use domain::messages::new_request_id;

use crate::pages::notice::Notice;

/// The notices that are kept. Each waits only until the browser has followed a redirect.
const MOST: usize = 64;

/// The notices by their ids, the oldest first.
#[derive(Default)]
pub struct Notices(Mutex<VecDeque<(String, Notice)>>);

impl Notices {
    /// Keeps a notice, and returns its id.
    pub fn keep(&self, notice: Notice) -> String {
        let id = new_request_id();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_back((id.clone(), notice));
        if kept.len() > MOST {
            kept.pop_front();
        }
        id
    }

    /// Hands out a notice, once.
    pub fn take(&self, id: Option<&str>) -> Option<Notice> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = kept.iter().position(|(kept, _)| Some(kept.as_str()) == id)?;
        kept.remove(place).map(|(_, notice)| notice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saying(text: &str) -> Notice {
        Notice { text: text.to_owned(), ..Notice::default() }
    }

    #[test]
    fn notice_is_shown_once() {
        let notices = Notices::default();
        let id = notices.keep(saying("Pinned."));
        assert_eq!(notices.take(None), None);
        assert_eq!(notices.take(Some("another")), None);
        assert_eq!(notices.take(Some(&id)), Some(saying("Pinned.")));
        assert_eq!(notices.take(Some(&id)), None);
    }

    #[test]
    fn notices_that_no_page_shows_are_dropped() {
        let notices = Notices::default();
        let ids: Vec<String> = (0..=MOST).map(|number| notices.keep(saying(&number.to_string()))).collect();
        assert_eq!(notices.take(Some(&ids[0])), None);
        assert!(notices.take(Some(&ids[1])).is_some());
    }
}
