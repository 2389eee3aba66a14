//! How long to wait before something is asked again.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

const FIRST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_millis(500);

/// The pauses of one wait: each is about half as long again as the one before it, from 10 ms to 500 ms at most. A random quarter is taken
/// off each, so that those who wait for the same server do not all come back at the same instant.
#[derive(Debug)]
pub(crate) struct Backoff {
    next: Duration,
    chance: StdRng,
}

impl Backoff {
    /// The pauses that belong to `seed`.
    pub(crate) fn new(seed: u64) -> Self {
        Self { next: FIRST, chance: StdRng::seed_from_u64(seed) }
    }

    /// The next pause. What was `asked` for is waited for in full, and up to a tenth longer: whoever names a time to everybody is
    /// otherwise met by everybody at that time.
    pub(crate) fn pause(&mut self, asked: Option<Duration>) -> Duration {
        match asked {
            Some(asked) => asked.mul_f64(1.0 + self.chance.gen_range(0.0..0.1)),
            None => {
                let pause = self.next.mul_f64(1.0 - self.chance.gen_range(0.0..0.25));
                self.next = (self.next * 3 / 2).min(LONGEST);
                pause
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pauses(seed: u64) -> Vec<Duration> {
        let mut backoff = Backoff::new(seed);
        (0..20).map(|_| backoff.pause(None)).collect()
    }

    #[test]
    fn pauses_grow_to_a_limit_and_differ_from_those_of_others() {
        let pauses_of_one = pauses(1);
        assert!(pauses_of_one[0] <= FIRST && pauses_of_one[0] > FIRST / 2, "{pauses_of_one:?}");
        assert!(pauses_of_one.iter().all(|pause| *pause <= LONGEST), "{pauses_of_one:?}");
        assert!(pauses_of_one[19] > LONGEST / 2, "{pauses_of_one:?}");
        assert_eq!(pauses_of_one, pauses(1));
        assert_ne!(pauses_of_one, pauses(2));
    }

    #[test]
    fn a_pause_that_was_asked_for_is_not_cut_short() {
        let asked = Duration::from_secs(7);
        for seed in 0..100 {
            let pause = Backoff::new(seed).pause(Some(asked));
            assert!(pause >= asked && pause <= asked.mul_f64(1.1), "{pause:?}");
        }
    }
}
