//! The configuration file. What is wrong in it is told with its line, and the rest counts.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use chat_client::{IdentityChoice, TargetUrl};
use chat_proto::Nickname;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::looks::{self, Looks};
use crate::args::{Given, TokenChoice, room_name, tls_always, tls_verify};

/// Longest configuration file that is read, in bytes.
const FILE_BYTES_MAX: usize = 1024 * 1024;

/// What can be set.
const SETTINGS: [&str; 11] = [
    "server",
    "name",
    "data-dir",
    "room",
    "mouse",
    "identity",
    "token-file",
    "tls",
    "tls-verify",
    "keys",
    "colors",
];

/// What a configuration file says.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct FileSettings {
    /// The settings.
    pub given: Given,
    /// The keys and colours, which only a file can set.
    pub looks: Looks,
    /// What could not be used.
    pub warnings: Vec<Warning>,
}

/// A part of the configuration file that does not count.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Warning {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1; `None`: the whole file.
    pub line: Option<usize>,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}, line {line}: {}", self.path.display(), self.reason),
            None => write!(f, "{}: {}", self.path.display(), self.reason),
        }
    }
}

impl FileSettings {
    /// Reads a file; one that is not there says nothing.
    #[must_use]
    pub fn read(path: &Path) -> Self {
        match std::fs::read(path) {
            Ok(bytes) if bytes.len() > FILE_BYTES_MAX => {
                Self::useless(path, format!("is longer than {FILE_BYTES_MAX} bytes; not used"))
            }
            Ok(bytes) => match String::from_utf8(bytes) {
                Ok(text) => Self::parse(path, &text),
                Err(_not_utf8) => Self::useless(path, "is not UTF-8; not used".to_owned()),
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Self::default(),
            Err(error) => Self::useless(path, format!("cannot be read: {error}")),
        }
    }

    /// Reads the text of a file.
    #[must_use]
    pub fn parse(path: &Path, text: &str) -> Self {
        let (table, errors) = DeTable::parse_recoverable(text);
        let mut reader = Reader { path, text, read: Self::default(), broken_lines: Vec::new() };
        for error in errors {
            reader.warn_once(error.span(), error.message().to_owned());
        }
        for (key, value) in table.into_inner() {
            if !reader.is_broken(&key, &value) {
                reader.setting(key.get_ref(), &key, &value);
            }
        }
        reader.read.warnings.sort_by_key(|warning| warning.line);
        reader.read
    }

    fn useless(path: &Path, reason: String) -> Self {
        let warning = Warning { path: path.to_owned(), line: None, reason };
        Self { warnings: vec![warning], ..Self::default() }
    }
}

struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
    read: FileSettings,
    broken_lines: Vec<usize>,
}

impl Reader<'_> {
    fn setting<K>(&mut self, key: &str, place: &Spanned<K>, value: &Spanned<DeValue<'_>>) {
        let used = match key {
            "server" => parsed(value, |text| text.parse::<TargetUrl>())
                .map(|server| self.read.given.server = Some(server)),
            "name" => parsed(value, Nickname::parse).map(|name| self.read.given.name = Some(name)),
            "data-dir" => parsed(value, directory).map(|dir| self.read.given.data_dir = Some(dir)),
            "room" => parsed(value, room_name).map(|room| self.read.given.rooms = vec![room]),
            "mouse" => boolean(value).map(|mouse| self.read.given.mouse = Some(mouse)),
            "identity" => parsed(value, identity).map(|key| self.read.given.identity = Some(key)),
            "token-file" => parsed(value, directory)
                .map(|file| self.read.given.token = Some(TokenChoice::File(file))),
            "tls" => parsed(value, tls_always).map(|set| self.read.given.tls_always = Some(set)),
            "tls-verify" => {
                parsed(value, tls_verify).map(|set| self.read.given.tls_verify = Some(set))
            }
            "keys" => table(value).map(|lines| self.keys(place.span(), lines)),
            "colors" => table(value).map(|lines| self.colors(lines)),
            "data_dir" => Err("this setting is spelled data-dir".to_owned()),
            _ => Err(looks::unknown("setting", key, SETTINGS.into_iter())),
        };
        if let Err(reason) = used {
            self.warn(place.span(), format!("{key}: {reason}"));
        }
    }

    /// Other keys. Where one of them cannot be had, the usual ones stay, so that each action has a
    /// key and none has two meanings.
    fn keys(&mut self, section: Range<usize>, lines: &DeTable<'_>) {
        let mut changes = Vec::new();
        for (name, value) in lines {
            if self.is_broken(name, value) {
                continue;
            }
            match looks::keys(name.get_ref(), value.get_ref()) {
                Ok(change) => changes.push(change),
                Err(reason) => {
                    self.warn(name.span(), format!("keys: {}: {reason}", name.get_ref()));
                }
            }
        }
        if let Err(reason) = self.read.looks.bind(changes) {
            self.warn(section, format!("keys: {reason}. The usual keys are in force"));
        }
    }

    fn colors(&mut self, lines: &DeTable<'_>) {
        for (name, value) in lines {
            if self.is_broken(name, value) {
                continue;
            }
            let colors = &mut self.read.looks.colors;
            if let Err(reason) = looks::color(colors, name.get_ref(), value.get_ref()) {
                self.warn(name.span(), format!("colors: {}: {reason}", name.get_ref()));
            }
        }
    }

    /// Whether a setting stands on a broken line: it has a recovered value, which nobody wrote. A
    /// list may go on over more lines; a section is only where it begins, and its lines are by
    /// themselves.
    fn is_broken<K>(&self, place: &Spanned<K>, value: &Spanned<DeValue<'_>>) -> bool {
        let first = line_of(self.text, place.span().start);
        let last = match value.get_ref() {
            DeValue::Array(_) => line_of(self.text, value.span().end.saturating_sub(1)),
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Table(_) => first,
        };
        self.broken_lines.iter().any(|line| (first..=last).contains(line))
    }

    /// The parser may have more than one thing to say of a broken line.
    fn warn_once(&mut self, span: Option<Range<usize>>, reason: String) {
        let line = line_of(self.text, span.as_ref().map_or(0, |span| span.start));
        if !self.broken_lines.contains(&line) {
            self.broken_lines.push(line);
            self.warn(span.unwrap_or_default(), reason);
        }
    }

    fn warn(&mut self, span: Range<usize>, reason: String) {
        let line = Some(line_of(self.text, span.start));
        self.read.warnings.push(Warning { path: self.path.to_owned(), line, reason });
    }
}

fn line_of(text: &str, at: usize) -> usize {
    let before = text.as_bytes().get(..at).unwrap_or(text.as_bytes());
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}

fn parsed<T, E: fmt::Display>(
    value: &Spanned<DeValue<'_>>,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<T, String> {
    match value.get_ref() {
        DeValue::String(text) => parse(text).map_err(|cause| cause.to_string()),
        DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_)
        | DeValue::Array(_)
        | DeValue::Table(_) => Err("it is a text, in quotes".to_owned()),
    }
}

fn table<'a, 'b>(value: &'a Spanned<DeValue<'b>>) -> Result<&'a DeTable<'b>, String> {
    match value.get_ref() {
        DeValue::Table(table) => Ok(table),
        DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_)
        | DeValue::Array(_) => Err("it is a section of its own, with its lines below".to_owned()),
    }
}

fn boolean(value: &Spanned<DeValue<'_>>) -> Result<bool, String> {
    match value.get_ref() {
        DeValue::Boolean(value) => Ok(*value),
        DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Datetime(_)
        | DeValue::Array(_)
        | DeValue::Table(_) => Err("it is true or false, without quotes".to_owned()),
    }
}

/// A key as people write it: of an agent, or a path.
pub(crate) fn identity(text: &str) -> Result<IdentityChoice, String> {
    IdentityChoice::parse(text, directory)
}

/// A path as people write it: `~` is the home directory.
pub(crate) fn directory(text: &str) -> Result<PathBuf, String> {
    let in_home = match text {
        "" => return Err("the path is empty".to_owned()),
        "~" => Some(""),
        text => text.strip_prefix("~/"),
    };
    let Some(rest) = in_home else {
        return Ok(PathBuf::from(text));
    };
    let home = etcetera::home_dir().map_err(|_none| "there is no home directory".to_owned())?;
    Ok(home.join(rest))
}
