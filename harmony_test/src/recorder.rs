//! An observer that remembers.

use std::sync::{Mutex, PoisonError};

use harmony::engine::events::{Event, Observer};

/// Remembers every event as a line of JSON.
#[derive(Default)]
pub struct Recorder(Mutex<Vec<String>>);

impl Recorder {
    /// The events so far; the list is emptied.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Observer for Recorder {
    fn on(&self, event: &Event) {
        let line = serde_json::to_string(event).unwrap_or_else(|error| error.to_string());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }
}
