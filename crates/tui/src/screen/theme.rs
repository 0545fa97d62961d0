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

    /// The theme that the environment asks for (<https://no-color.org>), but for these styles.
    #[must_use]
    pub fn of_environment(colors: &Colors) -> Self {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb" || term == "vt100");
        if no_color || dumb {
            Self::mono().painted(&colors.without())
        } else {
            Self::coloured().painted(colors)
        }
    }

    /// This theme, but for these styles.
    #[must_use]
    pub fn painted(mut self, colors: &Colors) -> Self {
        for (name, styles) in &colors.styles {
            match (self.style_mut(name), styles.first()) {
                (Some(style), Some(other)) => *style = *other,
                _ => self.names.clone_from(styles),
            }
        }
        self
    }

    /// The styles under one of the names of [`STYLES`].
    #[must_use]
    pub fn styles(&self, name: &str) -> Vec<Style> {
        match self.clone().style_mut(name) {
            Some(style) => vec![*style],
            None => self.names.clone(),
        }
    }

    /// The one style under a name; names of people have several.
    fn style_mut(&mut self, name: &str) -> Option<&mut Style> {
        Some(match name {
            "text" => &mut self.text,
            "quiet" => &mut self.quiet,
            "strong" => &mut self.strong,
            "chosen" => &mut self.chosen,
            "trouble" => &mut self.trouble,
            "good" => &mut self.good,
            "waiting" => &mut self.waiting,
            "mention" => &mut self.mention,
            _ => return None,
        })
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

/// The styles that can be set: how each is called, and what it paints.
pub const STYLES: &[(&str, &str)] = &[
    ("text", "plain text"),
    ("quiet", "what matters less: times, frames, notices"),
    ("strong", "what matters more: your name, unread rooms"),
    ("chosen", "what is chosen: the open room, an entry of a list"),
    ("trouble", "what went wrong"),
    ("good", "what went well: committed, connected"),
    ("waiting", "what waits"),
    ("mention", "what names you"),
    ("names", "people's names: each has one of these, always the same"),
];

/// The name of [`STYLES`] that takes a list.
const NAMES_STYLE: &str = "names";

/// Colours of names, at the most.
const NAMES_MAX: usize = 64;

/// The words of a style that are no colours.
const EMPHASIS: [(&str, Modifier); 5] = [
    ("bold", Modifier::BOLD),
    ("dim", Modifier::DIM),
    ("italic", Modifier::ITALIC),
    ("underlined", Modifier::UNDERLINED),
    ("reversed", Modifier::REVERSED),
];

/// Why a style cannot be had.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StyleError {
    /// Nothing is painted so.
    #[error("there is no such style")]
    Unknown,
    /// A word says nothing of a style.
    #[error(
        "{0:?} is no colour; there are names (cyan, bright-red, default), numbers to 255 and \
         #rrggbb, \"on\" before the one behind the text, and bold, dim, italic, underlined, reversed"
    )]
    Word(String),
    /// Only names of people have a list.
    #[error("it is one text; only names has a list, of 1 to {NAMES_MAX}")]
    Count,
}

/// Other styles for some of a theme's, by their names in [`STYLES`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Colors {
    styles: Vec<(&'static str, Vec<Style>)>,
}

impl Colors {
    /// Sets a style; for the names of people, some.
    ///
    /// # Errors
    /// [`StyleError`].
    pub fn set(&mut self, name: &str, texts: &[&str]) -> Result<(), StyleError> {
        let known = STYLES.iter().find(|(known, _says)| *known == name);
        let (name, _says) = known.ok_or(StyleError::Unknown)?;
        let count_max = if *name == NAMES_STYLE { NAMES_MAX } else { 1 };
        if texts.is_empty() || texts.len() > count_max {
            return Err(StyleError::Count);
        }
        let styles = texts.iter().map(|text| style(text)).collect::<Result<_, _>>()?;
        self.styles.retain(|(set, _styles)| set != name);
        self.styles.push((name, styles));
        Ok(())
    }

    /// The styles that were set under a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Vec<Style>> {
        let set = self.styles.iter().find(|(set, _styles)| *set == name);
        set.map(|(_name, styles)| styles.clone())
    }

    /// The same without colours: emphasis only. A style that has nothing but colours says nothing
    /// then, and what it was to paint keeps its usual emphasis.
    fn without(&self) -> Self {
        let plain = |style: &Style| Style { fg: None, bg: None, ..*style };
        let is_colour = |style: &Style| plain(style) == Style::new() && *style != Style::new();
        let styles = self.styles.iter().filter(|(_name, all)| !all.iter().all(is_colour));
        let styles = styles.map(|(name, all)| (*name, all.iter().map(plain).collect()));
        Self { styles: styles.collect() }
    }
}

/// Reads a style as [`style_words`] writes it.
fn style(text: &str) -> Result<Style, StyleError> {
    let mut style = Style::new();
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        let emphasis = EMPHASIS.iter().find(|(known, _modifier)| *known == word);
        style = match (word, emphasis) {
            ("on", _) => style.bg(color(words.next().unwrap_or(word))?),
            (_, Some((_known, modifier))) => style.add_modifier(*modifier),
            (color_word, None) => style.fg(color(color_word)?),
        };
    }
    Ok(style)
}

fn color(word: &str) -> Result<Color, StyleError> {
    let known = if word == "default" { Ok(Color::Reset) } else { word.parse() };
    known.map_err(|_unknown| StyleError::Word(word.to_owned()))
}

/// A style in words, as [`Colors::set`] reads them.
#[must_use]
pub fn style_words(style: Style) -> String {
    let word = |color: Color| match color == Color::Reset {
        true => "default".to_owned(),
        false => color.to_string().to_lowercase(),
    };
    let behind = style.bg.map(|color| format!("on {}", word(color)));
    let emphasis =
        EMPHASIS.iter().filter(|(_word, modifier)| style.add_modifier.contains(*modifier));
    let emphasis = emphasis.map(|(word, _modifier)| (*word).to_owned());
    let words: Vec<String> = style.fg.map(word).into_iter().chain(behind).chain(emphasis).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_style_is_written_as_it_is_read() {
        for text in ["cyan", "lightred on 214 bold", "#ff8700 dim italic", "default underlined", ""]
        {
            assert_eq!(style_words(style(text).unwrap()), text);
        }
        let bright = Style::new().fg(Color::LightRed).bg(Color::Black).add_modifier(Modifier::BOLD);
        assert_eq!(style("bold bright-red on black"), Ok(bright));
        assert_eq!(style("bold pnik"), Err(StyleError::Word("pnik".to_owned())));
        assert_eq!(style("cyan on"), Err(StyleError::Word("on".to_owned())));
    }

    #[test]
    fn every_style_can_be_set_and_only_names_have_several() {
        for (name, _says) in STYLES {
            let mut colors = Colors::default();
            colors.set(name, &["magenta reversed"]).unwrap();
            let theme = Theme::coloured().painted(&colors);
            assert_ne!(theme, Theme::coloured(), "{name}");
            assert_eq!(theme.styles(name), [style("magenta reversed").unwrap()]);
            let several = colors.set(name, &["red", "blue"]);
            assert_eq!(several.is_ok(), *name == NAMES_STYLE, "{name}");
        }
        let nothing = Colors::default().set("nmaes", &["red"]);
        assert_eq!(nothing, Err(StyleError::Unknown));
    }

    #[test]
    fn without_colours_the_emphasis_stays() {
        let mut colors = Colors::default();
        colors.set("mention", &["red on blue underlined"]).unwrap();
        let theme = Theme::mono().painted(&colors.without());
        assert_eq!(theme.mention, Style::new().add_modifier(Modifier::UNDERLINED));
    }

    #[test]
    fn without_colours_a_style_of_colours_only_keeps_the_usual_emphasis() {
        for (name, _says) in STYLES {
            let mut colors = Colors::default();
            colors.set(name, &["black on cyan"]).unwrap();
            assert_eq!(Theme::mono().painted(&colors.without()), Theme::mono(), "{name}");
        }
        let mut plain = Colors::default();
        plain.set("chosen", &[""]).unwrap();
        assert_eq!(Theme::mono().painted(&plain.without()).chosen, Style::new(), "as was said");
    }
}
