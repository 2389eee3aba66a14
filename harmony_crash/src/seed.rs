//! Choosing points so that the same seed chooses the same ones.

/// A seed; each draw moves it on (splitmix64, <https://prng.di.unimi.it/splitmix64.c>).
#[derive(Debug, Clone)]
pub struct Seed(pub u64);

impl Seed {
    /// The next number below `limit`, which is not 0.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % u64::try_from(limit.max(1)).unwrap_or(1)).unwrap_or_default()
    }

    /// `count` of `all`, one from each of as many parts of equal size, so that the whole length is covered; all, if there are no more.
    pub fn sample<T: Clone>(&mut self, all: &[T], count: usize) -> Vec<T> {
        if all.len() <= count {
            return all.to_vec();
        }
        let start = |part: usize| part * all.len() / count;
        (0..count).map(|part| all[start(part) + self.below(start(part + 1) - start(part))].clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_chooses_the_same_points_again_and_covers_the_whole_length() {
        let all: Vec<usize> = (0..1000).collect();
        let chosen = Seed(7).sample(&all, 10);
        assert_eq!(chosen, Seed(7).sample(&all, 10));
        assert_ne!(chosen, Seed(8).sample(&all, 10));
        assert!(chosen.iter().enumerate().all(|(part, number)| number / 100 == part), "{chosen:?}");
        assert_eq!(Seed(7).sample(&all[..3], 10), [0, 1, 2]);
    }
}
