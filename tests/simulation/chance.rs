//! All randomness of a run, drawn from its seed.

use std::ops::RangeInclusive;

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// One stream of random numbers.
pub(crate) struct Chance(ChaCha8Rng);

impl Chance {
    /// The `stream`th stream of a seed.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self(rng)
    }

    /// A number below `n`, which is not 0.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0.random_range(0..n)
    }

    pub(crate) fn within(&mut self, range: &RangeInclusive<u64>) -> u64 {
        self.0.random_range(range.clone())
    }

    pub(crate) fn percent(&mut self, percent: u64) -> bool {
        self.0.random_range(0..100) < percent
    }

    pub(crate) fn pick<T: Copy>(&mut self, items: &[T]) -> Option<T> {
        (!items.is_empty()).then(|| items[self.below(items.len())])
    }

    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    /// A pause around `mean_us`: most are shorter, few much longer.
    pub(crate) fn pause_us(&mut self, mean_us: u64) -> u64 {
        let uniform: f64 = self.0.random_range(0.000_1..1.0);
        (-uniform.ln() * mean_us as f64) as u64
    }
}
