//! What must hold of an inert text, told without the tables that make it so.

use chat_client::sanitize::{GROWTH_MAX, Inert, inert, inert_lines, json_string};
use unicode_segmentation::UnicodeSegmentation;
use vte::{Params, Parser, Perform};

/// Marks and characters of one cluster; the specification's, not the module's.
const MARKS_MAX: usize = 8;
const CLUSTER_CHARS_MAX: usize = 12;

pub(crate) fn is_inert(text: &str) -> Result<(), String> {
    let line = inert(text);
    holds("a line", text, &line, &inert(&line), "")?;
    let lines = inert_lines(text);
    holds("lines", text, &lines, &inert_lines(&lines), "\n\t")?;
    // What is composed of inert parts and made inert as a whole has each of them as it was.
    let (part, end) = (Inert::line(text), "|end");
    let whole = Inert::line(&format!("by: {part}{end}"));
    match whole.ends_with(end) && whole.starts_with("by: ") {
        true => is_json(text),
        false => Err(format!("{whole:?} lost its own words")),
    }
}

fn holds(what: &str, text: &str, shown: &str, again: &str, allowed: &str) -> Result<(), String> {
    if shown != again {
        return Err(format!("{what} changes when it is shown again: {shown:?}, {again:?}"));
    }
    if shown.len() > text.len() * GROWTH_MAX {
        return Err(format!("{what} grows from {} to {} bytes", text.len(), shown.len()));
    }
    can_only_be_seen(what, shown, allowed, 0)
}

/// Nothing acts, nothing is piled up: a place has so many characters at most, and those of whoever
/// says it.
pub(crate) fn can_only_be_seen(
    what: &str,
    shown: &str,
    allowed: &str,
    own: usize,
) -> Result<(), String> {
    if let Some(acts) = shown.chars().find(|c| acts(*c) && !allowed.contains(*c)) {
        return Err(format!("{what} has {acts:?}: {shown:?}"));
    }
    is_low(what, shown, own)?;
    only_prints(what, shown, allowed)
}

/// The classes that Unicode has names for: Cc, Zl, Zp, Bidi_Control, tags, and what has no width
/// and no use.
fn acts(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{180E}' | '\u{200B}'
            | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            | '\u{3164}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF9}'..='\u{FFFB}' | '\u{FFFE}'
            | '\u{FFFF}' | '\u{E0000}'..='\u{E007F}')
}

fn is_low(what: &str, shown: &str, own: usize) -> Result<(), String> {
    for cluster in shown.graphemes(true) {
        let marks = cluster.chars().filter(|c| is_mark(*c)).count();
        let characters = cluster.chars().count();
        if marks > MARKS_MAX || characters > CLUSTER_CHARS_MAX + own {
            return Err(format!("{what} has {characters} characters on one place: {cluster:?}"));
        }
    }
    Ok(())
}

/// The blocks that are marks as a whole, and some of what is elsewhere.
fn is_mark(character: char) -> bool {
    matches!(character,
        '\u{300}'..='\u{34E}' | '\u{350}'..='\u{36F}' | '\u{483}'..='\u{489}'
        | '\u{591}'..='\u{5BD}' | '\u{64B}'..='\u{65F}' | '\u{93E}'..='\u{94C}' | '\u{94D}'
        | '\u{E47}'..='\u{E4E}' | '\u{1AB0}'..='\u{1ABD}' | '\u{1DC0}'..='\u{1DFF}'
        | '\u{20D0}'..='\u{20F0}' | '\u{3099}' | '\u{309A}' | '\u{FE20}'..='\u{FE2F}')
}

/// A parser of terminals is asked to print each character, and nothing else.
fn only_prints(what: &str, shown: &str, allowed: &str) -> Result<(), String> {
    let mut told = Told::default();
    let mut parser = Parser::new();
    parser.advance(&mut told, shown.as_bytes());
    let executed = told.executed.iter().find(|byte| !allowed.as_bytes().contains(byte));
    if let Some(order) = told.orders.first() {
        return Err(format!("{what} is obeyed: {order}"));
    }
    if let Some(byte) = executed {
        return Err(format!("{what} is obeyed: control {byte:#x}"));
    }
    let printed: String = shown.chars().filter(|c| !allowed.contains(*c)).collect();
    match told.printed == printed {
        true => Ok(()),
        false => Err(format!("{what} is not printed as it is: {:?}", told.printed)),
    }
}

/// The original, in words that a terminal prints.
fn is_json(text: &str) -> Result<(), String> {
    let json = json_string(text);
    let read: String = serde_json::from_str(&json).map_err(|error| error.to_string())?;
    if read != text {
        return Err(format!("JSON does not carry the original: {json}"));
    }
    if let Some(joins) = json.chars().find(|c| matches!(c, '\u{200C}' | '\u{200D}')) {
        return Err(format!("JSON has {joins:?}"));
    }
    // A quote may stand before what joins to it, a backslash behind.
    can_only_be_seen("JSON", &json, "", 1)
}

/// What the parser was asked to do.
#[derive(Default)]
struct Told {
    printed: String,
    executed: Vec<u8>,
    orders: Vec<String>,
}

impl Perform for Told {
    fn print(&mut self, character: char) {
        self.printed.push(character);
    }

    fn execute(&mut self, byte: u8) {
        self.executed.push(byte);
    }

    fn hook(&mut self, _: &Params, _: &[u8], _: bool, action: char) {
        self.orders.push(format!("DCS {action}"));
    }

    fn put(&mut self, byte: u8) {
        self.orders.push(format!("DCS byte {byte:#x}"));
    }

    fn osc_dispatch(&mut self, params: &[&[u8]], _: bool) {
        self.orders.push(format!("OSC {params:?}"));
    }

    fn csi_dispatch(&mut self, _: &Params, _: &[u8], _: bool, action: char) {
        self.orders.push(format!("CSI {action}"));
    }

    fn esc_dispatch(&mut self, _: &[u8], _: bool, byte: u8) {
        self.orders.push(format!("ESC {byte:#x}"));
    }
}
