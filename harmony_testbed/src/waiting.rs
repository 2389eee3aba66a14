//! Waiting for something that is looked at again and again.

use std::thread;
use std::time::{Duration, Instant};

use crate::error::TestbedError;

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// What a look showed.
pub(crate) enum Look<T> {
    /// It has come about.
    Done(T),
    /// Not yet, and this is what there is instead.
    NotYet(String),
}

/// Looks until it is done, or `limit` is over.
pub(crate) fn wait_for<T>(
    what: &str,
    limit: Duration,
    mut look: impl FnMut() -> Result<Look<T>, TestbedError>,
) -> Result<T, TestbedError> {
    let begun = Instant::now();
    loop {
        match look()? {
            Look::Done(done) => return Ok(done),
            Look::NotYet(last) if begun.elapsed() > limit => {
                return Err(TestbedError::NotReady { what: what.to_owned(), waited: limit, last });
            }
            Look::NotYet(_) => thread::sleep(PAUSE),
        }
    }
}
