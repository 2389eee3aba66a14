//! Tests on machines that lack what they need.

use harmony_test::not_run;

use crate::error::TestbedError;

/// What was started for the test called `test`; `None` if this machine lacks something for it: the test was then reported as not run, and
/// returns.
///
/// # Panics
/// If it could not be started for another reason: that is a failure of the test.
#[allow(clippy::panic, reason = "what a test stands on fails by panicking, like the test")]
pub fn available<T>(test: &str, started: Result<T, TestbedError>) -> Option<T> {
    match started {
        Ok(started) => Some(started),
        Err(error @ TestbedError::Lacking { .. }) => {
            not_run(test, &error.to_string());
            None
        }
        Err(error) => {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            panic!("there is no testbed for `{test}`: {error}{cause}")
        }
    }
}
