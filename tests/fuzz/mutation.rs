//! Inputs that are nearly valid, each from a number.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// No input is longer: more than a frame, so that limits are met.
const BYTES_MAX: usize = 70_000;

/// Changes to one input.
const CHANGES_MAX: usize = 6;

/// Where lengths and counts turn over, and what means something in the formats that are read.
const TELLING: [&[u8]; 18] = [
    &[0],
    &[0x7F],
    &[0x80],
    &[0xFA],
    &[0xFB, 0xFF, 0xFF],
    &[0xFC, 0xFF, 0xFF, 0xFF, 0xFF],
    &[0xFD, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
    &[0xFD, 0, 0, 0, 0, 2, 0, 0, 0],
    &[0xFE],
    &[0xFF],
    &[0xFF; 4],
    &[0; 4],
    &[0, 0, 1, 0],
    &[0, 1, 0, 0],
    &[0xC3, 0x28],
    &[0xE2, 0x80, 0xAE],
    &[0xED, 0xA0, 0x80],
    b"\r\n",
];

pub(crate) struct Mutator(ChaCha8Rng);

impl Mutator {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// One of the known inputs, changed in a few places; now and then none of them.
    pub(crate) fn input(&mut self, known: &[Vec<u8>]) -> Vec<u8> {
        let mut input = match self.0.random_range(0..50) {
            0 => self.bytes(64),
            _ => self.one_of(known),
        };
        for _ in 0..self.0.random_range(0..=CHANGES_MAX) {
            self.change(&mut input, known);
        }
        input.truncate(BYTES_MAX);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>, known: &[Vec<u8>]) {
        let at = self.0.random_range(0..=input.len());
        match self.0.random_range(0..9) {
            0 if at < input.len() => input[at] ^= 1 << self.0.random_range(0..8),
            1 if at < input.len() => input[at] = self.0.random(),
            2 => {
                let telling = TELLING[self.0.random_range(0..TELLING.len())];
                let end = (at + telling.len()).min(input.len());
                input.splice(at..end, telling.iter().copied());
            }
            3 => {
                let telling = TELLING[self.0.random_range(0..TELLING.len())];
                input.splice(at..at, telling.iter().copied());
            }
            4 => {
                let bytes = self.bytes(16);
                input.splice(at..at, bytes);
            }
            5 => {
                let end = (at + self.0.random_range(0..32)).min(input.len());
                input.drain(at..end);
            }
            6 => input.truncate(at),
            7 => {
                let end = (at + self.0.random_range(0..64)).min(input.len());
                let again = input[at..end].repeat(self.0.random_range(1..6));
                input.splice(at..at, again);
            }
            _ => {
                let other = self.one_of(known);
                let from = self.0.random_range(0..=other.len());
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
        }
    }

    fn one_of(&mut self, known: &[Vec<u8>]) -> Vec<u8> {
        known[self.0.random_range(0..known.len())].clone()
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        let count = self.0.random_range(0..=most);
        (0..count).map(|_| self.0.random()).collect()
    }
}
