//! Waiting for something with a deadline.

use std::fmt::Display;
use std::time::{Duration, Instant};

/// How long anything may take to work again.
const DEADLINE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(50);

/// Tries until it works.
pub(crate) async fn wait<T, E: Display>(what: &str, mut attempt: impl AsyncFnMut() -> Result<T, E>) -> T {
    let until = Instant::now() + DEADLINE;
    loop {
        match attempt().await {
            Ok(found) => return found,
            Err(error) if Instant::now() > until => panic!("waited {} s for {what}: {error}", DEADLINE.as_secs()),
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Waits until it is so.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    wait(what, async || if is_so().await { Ok(()) } else { Err("it is not so") }).await;
}
