//! Ids that tell neither order nor number: the count of all rooms and accounts, under a permutation
//! that follows from the store's secret.
//!
//! A balanced Feistel network whose rounds are a keyed pseudorandom function is a pseudorandom
//! permutation (M. Luby and C. Rackoff, "How to construct pseudorandom permutations from pseudorandom
//! functions", SIAM Journal on Computing 17, 1988). The rounds are ten, as in FF1 (NIST SP
//! 800-38G): the halves are short. It must not know what has an id.

use crate::StoreSecret;
use crate::decision::secret::Purpose;

/// So many bits has each half, and an id twice as many. An id is exact in a double (JSON), has six
/// bytes in SQLite, and is met by chance once in 2^46 trials for each that is given.
const HALF_BITS: u32 = 23;
const HALF: u64 = (1 << HALF_BITS) - 1;
const ROUNDS: u8 = 10;

/// The id of the `count`th room or account, and the count that it was made of, which is behind
/// `last`. No id is 0: that is nobody's.
pub(crate) fn next_id(secret: StoreSecret, last: u64) -> (u64, u64) {
    (last + 1..)
        .map(|count| (permute(secret, count), count))
        .find(|(id, _count)| *id != 0)
        .expect("one count at the most becomes 0")
}

/// The count that an id was made of; `None` when it is longer than any id.
pub(crate) fn count_of(secret: StoreSecret, id: u64) -> Option<u64> {
    let (mut left, mut right) = halves(id)?;
    for round in (0..ROUNDS).rev() {
        (left, right) = (right ^ hash(secret, round, left), left);
    }
    Some(left << HALF_BITS | right)
}

fn permute(secret: StoreSecret, count: u64) -> u64 {
    let (mut left, mut right) = halves(count).expect("no disk holds 2^46 rooms and accounts");
    for round in 0..ROUNDS {
        (left, right) = (right, left ^ hash(secret, round, right));
    }
    left << HALF_BITS | right
}

fn halves(number: u64) -> Option<(u64, u64)> {
    (number >> (2 * HALF_BITS) == 0).then_some((number >> HALF_BITS, number & HALF))
}

fn hash(secret: StoreSecret, round: u8, half: u64) -> u64 {
    secret.hash(Purpose::Id, &[&[round], &half.to_le_bytes()]) & HALF
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const SECRET: StoreSecret = StoreSecret([0x5E; 16]);

    fn first_ids(secret: StoreSecret, ids: usize) -> Vec<u64> {
        let mut last = 0;
        let next = || {
            let (id, count) = next_id(secret, last);
            last = count;
            id
        };
        std::iter::repeat_with(next).take(ids).collect()
    }

    #[test]
    fn an_id_leads_back_to_its_count_and_no_two_are_alike() {
        let ids = first_ids(SECRET, 10_000);
        for (id, count) in ids.iter().zip(1..) {
            assert_eq!(count_of(SECRET, *id), Some(count));
            assert!(*id > 0 && *id < 1 << 46);
        }
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
        for count in [0, 1, HALF, HALF + 1, (1 << 46) - 1] {
            assert_eq!(count_of(SECRET, permute(SECRET, count)), Some(count));
        }
        assert_eq!(count_of(SECRET, 1 << 46), None);
    }

    #[test]
    fn ids_tell_neither_order_nor_number() {
        let ids = first_ids(SECRET, 10_000);
        let rising = ids.windows(2).filter(|pair| pair[0] < pair[1]).count();
        assert!((4_700..5_300).contains(&rising), "{rising} of 10,000 rise");
        let below = ids.iter().filter(|id| **id < 1 << 45).count();
        assert!((4_700..5_300).contains(&below), "{below} of 10,000 are in the lower half");
        // Each bit of an id changes with every second count.
        for bit in 0..46 {
            let changes = ids.windows(2).filter(|pair| (pair[0] ^ pair[1]) >> bit & 1 == 1).count();
            assert!((4_700..5_300).contains(&changes), "bit {bit} changes {changes} times");
        }
        assert_ne!(first_ids(StoreSecret([0x5F; 16]), 10), ids[..10]);
    }
}
