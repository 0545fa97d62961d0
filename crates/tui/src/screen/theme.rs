//! Colours and emphasis: the one value that says how everything is painted.
//!
//! Owns the styles; no other file names a colour, and nothing is said by colour alone.

use ratatui::style::{Color, Modifier, Style};

use super::history::SpanKind;

/// How the screen is painted. The sixteen colours of the terminal only: they are the ones that
/// the person has chosen to read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Theme {
    /// Plain text.
    pub text: Style,
    /// What matters less.
    pub quiet: Style,
    /// What matters more.
    pub strong: Style,
    /// What is chosen.
    pub chosen: Style,
    /// What went wrong.
    pub trouble: Style,
    /// What went well.
    pub good: Style,
    /// What waits.
    pub waiting: Style,
    /// What names the reader.
    pub mention: Style,
    /// Names: each has one of these, always the same.
    pub names: Vec<Style>,
}

/// Colours of names. Red is trouble, yellow names the reader, black and white may be the
/// background.
const NAMES: [Color; 4] = [Color::Cyan, Color::Green, Color::Blue, Color::Magenta];

impl Theme {
    /// With colours.
    #[must_use]
    pub fn coloured() -> Self {
        let in_colour = |colour| Style::new().fg(colour);
        Self {
            trouble: in_colour(Color::Red),
            good: in_colour(Color::Green),
            waiting: in_colour(Color::Yellow),
            mention: in_colour(Color::Yellow).add_modifier(Modifier::BOLD),
            names: NAMES.into_iter().map(in_colour).collect(),
            ..Self::mono()
        }
    }

    /// Without: bold, dim and reversed only.
    #[must_use]
    pub fn mono() -> Self {
        let plain = Style::new();
        let bold = plain.add_modifier(Modifier::BOLD);
        Self {
            text: plain,
            quiet: plain.add_modifier(Modifier::DIM),
            strong: bold,
            chosen: plain.add_modifier(Modifier::REVERSED),
            trouble: bold,
            good: plain,
            waiting: plain,
            mention: bold,
            names: Vec::new(),
        }
    }

    /// The theme that the environment asks for (<https://no-color.org>).
    #[must_use]
    pub fn of_environment() -> Self {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb" || term == "vt100");
        if no_color || dumb { Self::mono() } else { Self::coloured() }
    }

    /// The style of a part of a text.
    #[must_use]
    pub fn span(&self, kind: SpanKind) -> Style {
        match kind {
            SpanKind::Mention => self.mention,
            SpanKind::Reason => self.trouble,
        }
    }

    /// The style of somebody's name.
    #[must_use]
    pub fn name(&self, name: &str) -> Style {
        // FNV-1a: stable over runs, and no more is asked of it.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let count = u64::try_from(self.names.len().max(1)).unwrap_or(1);
        let nth = usize::try_from(hash % count).unwrap_or(0);
        self.names.get(nth).copied().unwrap_or(self.text)
    }
}
