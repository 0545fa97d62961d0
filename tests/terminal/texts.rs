//! Texts that terminals do not agree about: what people write in scripts whose letters combine, and
//! what follows from the tables of Unicode: whole blocks, sequences that are whole, broken off or
//! without a meaning, and what nobody can see.

use std::ops::RangeInclusive;

/// Texts whose cells terminals count differently, or that try to reach into other rows.
const SAID: [&str; 45] = [
    "ภาษาไทย ำ end|",
    "น้ำ ก้ำ สำคัญ กำลัง|",
    "क्षत्रिय हिन्दी end|",
    "नमस्ते कार्य श्री|",
    "မြန်မာစာ end|",
    "ကျွန်တော် ခွင့်|",
    "ភាសាខ្មែរ end|",
    "ស្ត្រី ក្រុម|",
    "ພາສາລາວ ນ້ຳ|",
    "தமிழ் க்ஷ மொழி|",
    "తెలుగు స్త్రీ|",
    "ಕನ್ನಡ ಸ್ತ್ರೀ|",
    "മലയാളം ന്റെ|",
    "বাংলা ক্ষেত্র|",
    "ਪੰਜਾਬੀ ਗੁਰਮੁਖੀ|",
    "ગુજરાતી ક્ષ|",
    "සිංහල ශ්‍රී|",
    "བོད་སྐད་ རྒྱ|",
    "🇩🇪🇫🇷🇬🇧 end|",
    "🇩 🇩🇪🇫 lone|",
    "un \u{378} \u{1FBFF} end",
    "\u{FFFE}\u{FFFF} end|",
    "#\u{FE0F}\u{20E3}*\u{FE0F}\u{20E3} end|",
    "👨\u{200D}👩\u{200D}👧\u{200D}👦 end|",
    "👩🏽\u{200D}🚀 👍🏿 ✊🏻|",
    "🏳\u{FE0F}\u{200D}🌈 🏴\u{200D}☠\u{FE0F}|",
    "❤\u{FE0F} ☺\u{FE0F} ✈\u{FE0F} ☎\u{FE0E}|",
    "z\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}algo",
    "hello עברית שלום العربية مرحبا end",
    "مُحَمَّدٌ لله ﷺ ﷽ end|",
    "a\u{3164}b\u{115F}c\u{FFA0}d end",
    "한국어 \u{1112}\u{1161}\u{11AB} \u{1100}\u{1161}|",
    "日本語 ｶﾞｷﾞ か\u{3099} 〰️ ㊗️|",
    "①②③ ½ ° ± § ‰ … ★ ☆|",
    "⏳⌛⚡⭐⬛ 🀄🃏|",
    "𒐫 𒈙 ꧅ ꧄ ⸻ ﷽|",
    "🫨🪿🫎🩷🛜 🫩🪾|",
    "e\u{20DD} o\u{20E3} x\u{0489}|",
    "\u{0E33}\u{0E33} \u{0EB3} alone|",
    "ℵ ℶ ✓ ✗ ␛ ⟨U+202E⟩|",
    "one\ttwo\t\tfour\tend|",
    "well\n00:42 bob     yes, take my money ✓",
    "over\u{2028}and\u{2029}out end|",
    "up\x0Bdown\x0Cleft\rright\x08\x08\x08 end|",
    "\x1B[3A\x1B[2K\x1B]0;title\x07\u{9B}1A end|",
];

/// Scripts whose marks stand above, below, before and around their letters; some of their code
/// points are not assigned.
const BLOCKS: [RangeInclusive<u32>; 8] = [
    0x0900..=0x097F, // Devanagari
    0x0E00..=0x0E7F, // Thai
    0x0E80..=0x0EFF, // Lao
    0x0F00..=0x0FFF, // Tibetan
    0x1000..=0x109F, // Myanmar
    0x1780..=0x17FF, // Khmer
    0x1100..=0x11FF, // Hangul letters that join
    0x1AB0..=0x1AFF, // Marks, in part not assigned
];

/// Letters of a block in one text.
const LETTERS: usize = 32;

/// What is not seen, turns the direction, or is no character.
const UNSEEN: [RangeInclusive<u32>; 9] = [
    0x0001..=0x001F,
    0x007F..=0x009F,
    0x200B..=0x200F,
    0x202A..=0x202E,
    0x2060..=0x206F,
    0xFDD0..=0xFDDF,
    0xFFF0..=0xFFFF,
    0x1_FFFE..=0x1_FFFF,
    0xE_0000..=0xE_000F,
];

/// What a variation may be asked of.
const VARIED: &str = "#0a漢☎❤✈㊗🀄👍";

/// Marks on one letter.
const STACK: usize = 250;

/// All of them.
pub(crate) fn all() -> impl Iterator<Item = String> {
    let said = SAID.into_iter().map(str::to_owned);
    said.chain(BLOCKS.into_iter().flat_map(block))
        .chain(UNSEEN.into_iter().map(unseen))
        .chain(emoji())
}

fn characters(range: RangeInclusive<u32>) -> impl Iterator<Item = char> {
    range.filter_map(char::from_u32)
}

/// A block's code points in their order, so that marks follow whatever stands before them.
fn block(range: RangeInclusive<u32>) -> Vec<String> {
    let letters: Vec<char> = characters(range).collect();
    let text = |part: &[char]| format!("{} end|", part.iter().collect::<String>());
    letters.chunks(LETTERS).map(text).collect()
}

/// Each of them between two letters.
fn unseen(range: RangeInclusive<u32>) -> String {
    characters(range).flat_map(|unseen| ['x', unseen]).chain(" end|".chars()).collect()
}

/// Sequences that are one picture, or would be.
fn emoji() -> Vec<String> {
    let flag = |letter: u8| char::from_u32(0x1F1E6 + u32::from(letter)).unwrap_or('?');
    let tags = |word: &str| -> String {
        word.bytes().filter_map(|byte| char::from_u32(0xE_0000 + u32::from(byte))).collect()
    };
    let varied = |selectors: RangeInclusive<u32>| -> String {
        characters(selectors)
            .zip(VARIED.chars().cycle())
            .flat_map(|(selector, varied)| [varied, selector])
            .collect()
    };
    let mut texts: Vec<String> = Vec::new();
    // Flags: an even number of letters, an odd one, and each by itself.
    texts.push((0..26).map(flag).collect());
    texts.push((0..25).map(flag).collect());
    texts.push((0..13).flat_map(|letter| [flag(letter), ' ']).collect());
    // Families of all sizes; broken off; joined twice, with letters, and with a flag.
    texts.push("👩\u{200D}👦 👨\u{200D}👨\u{200D}👧 👩\u{200D}👩\u{200D}👦\u{200D}👦".to_owned());
    texts.push("👨\u{200D} 👩\u{200D}\u{200D}👧 \u{200D}👦 a\u{200D}b".to_owned());
    texts.push(
        "👨🏻\u{200D}🤝\u{200D}👨🏿 🏃🏽\u{200D}♀\u{FE0F}\u{200D}➡\u{FE0F} 🇩🇪\u{200D}🇫🇷 🏿🏿🏿"
            .to_owned(),
    );
    texts.push("0123456789#*".chars().flat_map(|key| [key, '\u{FE0F}', '\u{20E3}']).collect());
    texts.push("0123456789#*".chars().flat_map(|key| [key, '\u{20E3}', ' ']).collect());
    texts.push(varied(0xFE00..=0xFE0F));
    texts.push(varied(0xE_0100..=0xE_010F));
    // A flag of a region; its tags without an end, and without a flag.
    texts.push(format!("🏴{}\u{E007F} 🏴{} {}", tags("gbwls"), tags("usca"), tags("hidden")));
    texts.push("\u{378}\u{1FBFE}\u{2FA20}\u{3FFFD} \u{E000}\u{F8FF}\u{10_FFFD}".to_owned());
    for (letter, mark) in [('z', '\u{301}'), ('ก', '\u{E49}'), ('ཀ', '\u{FB2}'), (' ', '\u{20DD}')]
    {
        let stack: String = std::iter::repeat_n(mark, STACK).collect();
        texts.push(format!("{letter}{stack}lgo"));
    }
    texts.into_iter().map(|text| text + " end|").collect()
}
