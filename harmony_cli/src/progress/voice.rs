//! Whoever says it: called for every event, and ten times a second.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use harmony::engine::events::{Event, Observer};

use super::rows;
use super::state::State;
use crate::console::Console;
use crate::report::{Layout, event_line};

/// In which form progress is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Lines, and one row at the bottom that is redrawn.
    Live,
    /// Lines only.
    Lines,
    /// Nothing.
    Silent,
    /// Every event as a line of data.
    Json,
}

/// Says what a run says.
pub(crate) struct Progress {
    form: Form,
    console: Console,
    layout: Layout,
    state: Mutex<State>,
}

/// No run is silent for longer than this while it works, unless the bottom row tells.
pub(super) const SILENCE: Duration = Duration::from_secs(5);
/// How often the bottom row is redrawn.
const REDRAW: Duration = Duration::from_millis(100);

impl Progress {
    pub(crate) fn new(form: Form, console: Console, layout: Layout) -> Self {
        Self { form, console, layout, state: Mutex::new(State::new(Instant::now())) }
    }

    /// Redraws, and breaks silence, until dropped. Never returns.
    pub(crate) async fn keep_talking(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(REDRAW);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            ticks.tick().await;
            self.tick(Instant::now());
        }
    }

    /// Takes the bottom row away: the run has ended.
    pub(crate) fn end(&self) {
        self.state().end();
        self.console.row(String::new());
    }

    /// What is under way, longest first, in words.
    pub(crate) fn in_flight(&self) -> Vec<String> {
        self.state().longest().into_iter().map(|running| format!("{} {}", running.doing, running.label)).collect()
    }

    pub(super) fn on_at(&self, event: &Event, now: Instant) {
        if self.form == Form::Json {
            self.console.data(&event_line(event));
            return;
        }
        let mut state = self.state();
        state.note(event, now);
        if let Some(line) = rows::line(event, self.form, &self.layout) {
            let row = if self.form == Form::Live { rows::bottom(&state, now, &self.layout) } else { String::new() };
            self.console.say_above(&line, row);
            state.said(now);
        }
    }

    pub(super) fn tick(&self, now: Instant) {
        let mut state = self.state();
        match self.form {
            Form::Live => self.console.row(rows::bottom(&state, now, &self.layout)),
            Form::Lines if state.is_silent(now) => {
                if let Some(line) = rows::heartbeat(&state, now) {
                    self.console.say(&line);
                }
                state.said(now);
            }
            Form::Lines | Form::Silent | Form::Json => {}
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Progress {
    fn on(&self, event: &Event) {
        self.on_at(event, Instant::now());
    }
}
