//! Colours and emphasis. Owns the styles; nothing is said by colour alone.

use ratatui::style::{Color, Modifier, Style};

/// How the screen is painted. The sixteen colours of the terminal only: they are the ones that
/// the person has chosen to read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Theme {
    coloured: bool,
}

/// Colours of names. Red is trouble, yellow names the reader, black and white may be the
/// background.
const NAMES: [Color; 4] = [Color::Cyan, Color::Green, Color::Blue, Color::Magenta];

impl Theme {
    /// With colours.
    pub const COLOURED: Self = Self { coloured: true };
    /// Without: bold, dim and reversed only.
    pub const MONO: Self = Self { coloured: false };

    /// The theme that the environment asks for (<https://no-color.org>).
    #[must_use]
    pub fn of_environment() -> Self {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb" || term == "vt100");
        Self { coloured: !no_color && !dumb }
    }

    fn in_colour(self, colour: Color, otherwise: Modifier) -> Style {
        match self.coloured {
            true => Style::new().fg(colour),
            false => Style::new().add_modifier(otherwise),
        }
    }

    /// Plain text.
    pub(in crate::screen) fn text(self) -> Style {
        Style::new()
    }

    /// What matters less.
    pub(in crate::screen) fn quiet(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// What matters more.
    pub(in crate::screen) fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// What is chosen.
    pub(in crate::screen) fn chosen(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// What went wrong.
    pub(in crate::screen) fn trouble(self) -> Style {
        self.in_colour(Color::Red, Modifier::BOLD)
    }

    /// What went well.
    pub(in crate::screen) fn good(self) -> Style {
        self.in_colour(Color::Green, Modifier::empty())
    }

    /// What waits.
    pub(in crate::screen) fn waiting(self) -> Style {
        self.in_colour(Color::Yellow, Modifier::empty())
    }

    /// What names the reader.
    pub(in crate::screen) fn mention(self) -> Style {
        self.in_colour(Color::Yellow, Modifier::BOLD).add_modifier(Modifier::BOLD)
    }

    /// Somebody's name: always in the same colour.
    pub(in crate::screen) fn name(self, name: &str) -> Style {
        // FNV-1a: stable over runs, and no more is asked of it.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let nth = usize::try_from(hash % NAMES.len() as u64).unwrap_or(0);
        self.in_colour(NAMES[nth], Modifier::empty())
    }
}
