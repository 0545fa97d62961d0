//! `[keys]` and `[colors]` of the configuration file: other keys and other colours.
//!
//! Owns how both are written there. What a key does is the keymap's to say, and what is painted the
//! theme's.

use toml::de::DeValue;

use crate::nearest::nearest;
use crate::screen::keymap::{Keymap, KeymapError};
use crate::screen::keys::{Action, Key};
use crate::screen::theme::{Colors, STYLES, StyleError};

/// The keys and colours that are in force.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Looks {
    /// Which key does what.
    pub keymap: Keymap,
    /// Other colours than the usual ones.
    pub colors: Colors,
}

impl Looks {
    /// Other keys for some actions, all at once.
    pub(super) fn bind(&mut self, changes: Vec<(Action, Vec<Key>)>) -> Result<(), KeymapError> {
        self.keymap = Keymap::default().rebound(changes)?;
        Ok(())
    }
}

/// A line of `[keys]`: an action, and its keys.
pub(super) fn keys(name: &str, value: &DeValue<'_>) -> Result<(Action, Vec<Key>), String> {
    let keymap = Keymap::default();
    let Some(binding) = keymap.bindings().iter().find(|binding| binding.name == name) else {
        let names = keymap.bindings().iter().map(|binding| binding.name);
        return Err(unknown("action", name, names));
    };
    let keys =
        texts(value).ok_or("it is a key in quotes, or a list of keys: [\"Ctrl-K\", \"F2\"]")?;
    let keys = keys.into_iter().map(|text| text.parse::<Key>().map_err(|why| why.to_string()));
    Ok((binding.action, keys.collect::<Result<_, _>>()?))
}

/// A line of `[colors]`: what is painted, and how.
pub(super) fn color(colors: &mut Colors, name: &str, value: &DeValue<'_>) -> Result<(), String> {
    let styles = texts(value).ok_or("it is a text in quotes: \"bright-blue bold\"")?;
    colors.set(name, &styles).map_err(|why| match why {
        StyleError::Unknown => unknown("style", name, STYLES.iter().map(|(known, _says)| *known)),
        StyleError::Word(_) | StyleError::Count => why.to_string(),
    })
}

/// Says that there is nothing of a name, and what may have been meant.
pub(super) fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let near = nearest(name, known).map(|near| format!("; did you mean {near}?"));
    let otherwise = || "; chat-tui --print-config lists them".to_owned();
    format!("there is no such {what}{}", near.unwrap_or_else(otherwise))
}

/// A text, or a list of texts.
fn texts<'a>(value: &'a DeValue<'_>) -> Option<Vec<&'a str>> {
    let text = |value: &'a DeValue<'_>| match value {
        DeValue::String(text) => Some(text.as_ref()),
        DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_)
        | DeValue::Array(_)
        | DeValue::Table(_) => None,
    };
    match value.as_array() {
        Some(values) => values.iter().map(|value| text(value.get_ref())).collect(),
        None => text(value).map(|text| vec![text]),
    }
}
