//! The state that all requests share.

use std::sync::Arc;

use super::acting::Notices;
use super::gate::Gate;
use super::live::Live;
use super::pictures::Pictures;
use super::shelf::Shelf;
use crate::pages::frame::Site;
use crate::sets::Sets;

/// A running dashboard.
pub struct Dashboard {
    pub shelf: Shelf,
    pub pictures: Pictures,
    pub live: Live,
    pub gate: Gate,
    pub site: Site,
    /// What the pages after an action say.
    pub notices: Notices,
}

impl Dashboard {
    /// A dashboard on this port; `stack_name` is the name of a stack in AWS.
    pub fn new(sets: Sets, port: u16, is_read_only: bool, stack_name: Option<&str>) -> Arc<Self> {
        let site = Site {
            source: source(&sets, stack_name),
            is_production: stack_name.is_some_and(|name| name.to_lowercase().contains("prod")),
            is_read_only,
        };
        Arc::new(Self {
            gate: Gate::new(port, is_read_only),
            shelf: Shelf::new(sets),
            pictures: Pictures::default(),
            live: Live::default(),
            notices: Notices::default(),
            site,
        })
    }
}

/// Where the sets are, in words.
fn source(sets: &Sets, stack_name: Option<&str>) -> String {
    match (sets, stack_name) {
        (Sets::InFolder(folder), _) => format!("the folder {}", folder.data.display()),
        (Sets::InStack(stack), Some(name)) => format!("the stack {name} in AWS, {}", stack.stack.region),
        (Sets::InStack(stack), None) => match stack.parameters.get("LocalDataDir") {
            Some(data) => format!("the folder {data}, with its stack"),
            None => "the stack on this machine".to_owned(),
        },
    }
}
