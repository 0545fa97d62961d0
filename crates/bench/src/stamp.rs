//! The stamp at the beginning of each text: who sent it, as which of theirs, and when.
//!
//! Sixteen characters, six bits in each, so that every protocol carries them; written and read
//! without a branch.

/// Characters of a stamp.
pub(crate) const STAMP_BYTES: usize = 16;

/// Senders that a stamp can tell apart.
pub(crate) const SENDERS_MAX: usize = 1 << 12;

const COUNT_BITS: u32 = 36;
const WORD_BITS: u32 = 48;
const DIGITS: u64 = 0x3030_3030_3030_3030;

/// Who sent a message, as which of theirs (from 1), and when (of [`crate::machine::now_ns`]).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Stamp {
    pub(crate) sender: usize,
    pub(crate) count: u64,
    pub(crate) at_ns: u64,
}

impl Stamp {
    /// Writes the stamp over the first bytes of `text`.
    pub(crate) fn write(&self, text: &mut [u8]) {
        let tag = (self.sender as u64) << COUNT_BITS | self.count;
        text[..8].copy_from_slice(&spread(tag).to_be_bytes());
        text[8..STAMP_BYTES].copy_from_slice(&spread(self.at_ns).to_be_bytes());
    }

    /// Reads the stamp at the beginning of `text`.
    pub(crate) fn read(text: &[u8]) -> Option<Self> {
        let (tag, rest) = text.split_first_chunk::<8>()?;
        let at = rest.first_chunk::<8>()?;
        let tag = gather(u64::from_be_bytes(*tag));
        Some(Self {
            sender: usize::try_from(tag >> COUNT_BITS).ok()?,
            count: tag & ((1 << COUNT_BITS) - 1),
            at_ns: gather(u64::from_be_bytes(*at)),
        })
    }

    /// How long ago it was written, as long as that is less than three days.
    pub(crate) fn age_ns(&self, now_ns: u64) -> u64 {
        now_ns.wrapping_sub(self.at_ns) & ((1 << WORD_BITS) - 1)
    }
}

/// Six bits of `word` in each byte, as characters from `0` to `o`.
fn spread(word: u64) -> u64 {
    let word = word & ((1 << WORD_BITS) - 1);
    let word = (word & 0x0000_FFFF_FF00_0000) << 8 | word & 0x00FF_FFFF;
    let word = (word & 0x00FF_F000_00FF_F000) << 4 | word & 0x0000_0FFF_0000_0FFF;
    let word = (word & 0x0FC0_0FC0_0FC0_0FC0) << 2 | word & 0x003F_003F_003F_003F;
    word + DIGITS
}

fn gather(digits: u64) -> u64 {
    let word = digits.wrapping_sub(DIGITS);
    let word = (word & 0x3F00_3F00_3F00_3F00) >> 2 | word & 0x003F_003F_003F_003F;
    let word = (word & 0x0FFF_0000_0FFF_0000) >> 4 | word & 0x0000_0FFF_0000_0FFF;
    (word & 0x00FF_FFFF_0000_0000) >> 8 | word & 0x00FF_FFFF
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_is_plain_text() {
        let mut text = [b'.'; 20];
        for count in [0, 1, 63, 64, 4095, 4096, (1 << 24) - 1, 1 << 24, (1 << 36) - 1] {
            let stamp = Stamp { sender: 4095, count, at_ns: (count * 4097) & ((1 << 48) - 1) };
            stamp.write(&mut text);
            assert_eq!(Stamp::read(&text), Some(stamp));
            assert!(text.iter().all(u8::is_ascii_graphic), "{text:?}");
        }
        assert_eq!(Stamp::read(&text[..15]), None);
    }

    #[test]
    fn ages_survive_the_end_of_the_clock() {
        let stamp = Stamp { sender: 0, count: 0, at_ns: (1 << 48) - 5 };
        assert_eq!(stamp.age_ns((1 << 48) + 7), 12);
    }
}
