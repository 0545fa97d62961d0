//! Texts that are made of what is hostile, each from a number.

use std::ops::RangeInclusive;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Pieces of a text.
const PIECES_MAX: usize = 24;

/// Bytes of a text: of most, and of some, as many as the daemon takes.
const TEXT_BYTES: usize = 1024;
const TEXT_BYTES_MAX: usize = 16 * 1024;

/// Characters that do something, hide, combine, join, turn the direction, or are disputed.
const RANGES: [RangeInclusive<u32>; 38] = [
    0x00..=0x1F,
    0x7F..=0x9F,
    0x20..=0x7E,
    0xA0..=0xFF,
    0x0300..=0x036F, // marks
    0x0483..=0x0489, // marks that enclose
    0x0590..=0x05FF, // Hebrew
    0x0600..=0x06FF, // Arabic, with signs that stand before
    0x070F..=0x074F, // Syriac
    0x0890..=0x0891, // signs that stand before
    0x0900..=0x097F, // Devanagari
    0x0D00..=0x0D7F, // Malayalam
    0x0E00..=0x0EFF, // Thai, Lao
    0x0F00..=0x0FFF, // Tibetan
    0x1000..=0x109F, // Myanmar
    0x1100..=0x11FF, // Hangul letters that join
    0x115F..=0x1160, // fillers
    0x1780..=0x17FF, // Khmer
    0x180B..=0x180F, // Mongolian selectors
    0x1AB0..=0x1AFF, // marks, in part not assigned
    0x2000..=0x200F, // spaces, zero width
    0x2028..=0x202F, // separators, bidi
    0x2060..=0x206F, // invisible operators, isolates
    0x20D0..=0x20F0, // marks for symbols
    0x2600..=0x27BF, // symbols, some of them emoji
    0x3000..=0x30FF, // wide, kana with marks
    0x3164..=0x3164, // filler
    0x4E00..=0x4E20, // ideographs
    0xD7B0..=0xD7FB, // Hangul letters that join
    0xFDD0..=0xFDFF, // no characters, ligatures
    0xFE00..=0xFE2F, // selectors, half marks
    0xFEFF..=0xFFFF,
    0x110BD..=0x110CD, // a number sign that stands before
    0x11180..=0x111DF, // Sharada, with letters that stand before
    0x11A30..=0x11A8F, // Zanabazar, Soyombo: the same
    0x1F1E6..=0x1F1FF, // flags
    0x1F3FB..=0x1F64F, // emoji, skin tones
    0xE0000..=0xE01EF, // tags, selectors
];

/// What the rest is made to join by.
const JOINERS: [char; 8] =
    ['\u{200D}', '\u{FE0F}', '\u{200C}', '\u{301}', '\u{94D}', '\u{20E3}', '\u{1F3FD}', '\u{600}'];

/// What begins a sequence that a terminal obeys, in seven bits and in eight.
const OPENERS: [&str; 16] = [
    "\x1b[",
    "\u{9b}",
    "\x1b]",
    "\u{9d}",
    "\x1bP",
    "\u{90}",
    "\x1b_",
    "\u{9f}",
    "\x1b^",
    "\u{9e}",
    "\x1bX",
    "\u{98}",
    "\x1b(",
    "\x1b#",
    "\x1b",
    "\x1b\x1b[",
];

/// What ends one, or does not.
const ENDS: [&str; 6] = ["\x07", "\x1b\\", "\u{9c}", "", "\x18", "\x1a"];

/// What stands in between.
const ORDERS: [&str; 24] = [
    "2J",
    "H",
    "31m",
    "6n",
    "c",
    "?1049l",
    "?25l",
    "201~",
    "200~",
    "?2004h",
    "!p",
    "0;owned",
    "2;owned",
    "52;c;b3duZWQ=",
    "8;;http://x.org",
    "9;note",
    "777;notify;a;b",
    "4;1;?",
    "1A",
    "2K",
    "$q q",
    "8;40;120t",
    "99999999999C",
    ">4;2m",
];

const WORDS: [&str; 8] =
    ["hello ", "00:31 ann     I agree ✓", "\n00:42 bob ", "\t", "日本語", "-- ", "✗ ", "⟨+3⟩"];

/// Makes the text of one number.
pub(crate) struct Generator<'a> {
    chance: ChaCha8Rng,
    corpus: &'a [String],
}

impl<'a> Generator<'a> {
    pub(crate) fn new(seed: u64, corpus: &'a [String]) -> Self {
        Self { chance: ChaCha8Rng::seed_from_u64(seed), corpus }
    }

    pub(crate) fn text(mut self) -> String {
        let mut text = String::new();
        let bytes_max = match self.chance.random_range(0..200) {
            0 => TEXT_BYTES_MAX,
            _ => TEXT_BYTES,
        };
        for _piece in 0..self.chance.random_range(1..=PIECES_MAX) {
            let piece = self.piece();
            let times = self.times();
            let room = bytes_max.saturating_sub(text.len());
            let fitting = room.checked_div(piece.len()).unwrap_or(0);
            text.push_str(&piece.repeat(times.min(fitting)));
        }
        text
    }

    /// Most pieces stand once; some cover everything.
    fn times(&mut self) -> usize {
        match self.chance.random_range(0..40) {
            0 => self.chance.random_range(100..=1_000),
            1..=4 => self.chance.random_range(5..=15),
            5..=9 => 2,
            _ => 1,
        }
    }

    fn piece(&mut self) -> String {
        match self.chance.random_range(0..10) {
            0 | 1 => self.sequence(),
            2 => self.pick(&WORDS).to_owned(),
            3 => self.part_of_the_corpus(),
            4 => self.any().to_string(),
            5 | 6 => self.joined(),
            _ => (0..self.chance.random_range(1..=6)).map(|_nth| self.character()).collect(),
        }
    }

    fn sequence(&mut self) -> String {
        let (opener, order, end) = (self.pick(&OPENERS), self.pick(&ORDERS), self.pick(&ENDS));
        format!("{opener}{order}{end}")
    }

    /// Characters with what joins them, whether they can be joined or not.
    fn joined(&mut self) -> String {
        let mut text = String::new();
        for _nth in 0..self.chance.random_range(1..=6) {
            text.push(self.character());
            for _joiner in 0..self.chance.random_range(0..=2) {
                text.push(self.pick(&JOINERS));
            }
        }
        text
    }

    fn part_of_the_corpus(&mut self) -> String {
        let Some(text) = self.corpus.get(self.chance.random_range(0..self.corpus.len().max(1)))
        else {
            return String::new();
        };
        let characters: Vec<char> = text.chars().collect();
        let from = self.chance.random_range(0..=characters.len());
        let to = self.chance.random_range(from..=characters.len());
        characters[from..to].iter().collect()
    }

    fn character(&mut self) -> char {
        let range = self.pick(&RANGES);
        char::from_u32(self.chance.random_range(range)).unwrap_or('\u{FFFD}')
    }

    fn any(&mut self) -> char {
        char::from_u32(self.chance.random_range(0..=0x10_FFFF)).unwrap_or('\u{D7FF}')
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.chance.random_range(0..from.len())].clone()
    }
}
