//! What became of the lines that were sent, in numbers and in a sentence.

use super::failure::Failure;
use super::tell;
use crate::exit::Exit;

/// Refused lines that are told one by one; the rest is only counted.
const COMPLAINTS_MAX: u64 = 20;

/// What a person calls what is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unit {
    /// A line of many.
    Line,
    /// A part of a text that is longer than one message.
    Part,
    /// The only message.
    Message,
}

impl Unit {
    fn word(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::Part => "part",
            Self::Message => "message",
        }
    }
}

/// What became of the lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct SendSummary {
    unit: Unit,
    acked: u64,
    refused: u64,
    not_allowed: u64,
    unknown: u64,
    not_sent: u64,
    /// The first line that is not known to be posted.
    first_unknown: Option<u64>,
}

impl SendSummary {
    pub(super) fn new(unit: Unit) -> Self {
        Self {
            unit,
            acked: 0,
            refused: 0,
            not_allowed: 0,
            unknown: 0,
            not_sent: 0,
            first_unknown: None,
        }
    }

    /// What a person calls what is sent.
    pub(super) fn unit(&self) -> Unit {
        self.unit
    }

    pub(super) fn acked(&mut self) {
        self.acked += 1;
    }

    /// Says why a line cannot be sent; `reason` lacks the subject.
    pub(super) fn unusable(&mut self, line: u64, reason: &str) {
        match self.unit {
            Unit::Message => self.refused(line, &format!("the message {reason}"), Exit::Refused),
            Unit::Line | Unit::Part => self.refused(line, reason, Exit::Refused),
        }
    }

    /// Says why a line is refused.
    pub(super) fn refused(&mut self, line: u64, reason: &str, exit: Exit) {
        match self.unit {
            Unit::Message => tell(reason),
            Unit::Line | Unit::Part if self.refused + self.not_allowed < COMPLAINTS_MAX => {
                tell(&format!("{} {line}: {reason}", self.unit.word()));
            }
            Unit::Line | Unit::Part => {}
        }
        match exit == Exit::NotAllowed {
            true => self.not_allowed += 1,
            false => self.refused += 1,
        }
    }

    /// A line had left, and no answer came.
    pub(super) fn unknown(&mut self, line: u64) {
        self.unknown += 1;
        self.first_unknown = self.first_unknown.or(Some(line));
    }

    /// A line had not left.
    pub(super) fn not_sent(&mut self, line: u64) {
        self.not_sent += 1;
        self.first_unknown = self.first_unknown.or(Some(line));
    }

    /// The worst that happened, if something did. `hint` says how to go on when an outcome is
    /// unknown.
    pub(super) fn failure(&self, hint: &str) -> Option<Failure> {
        let Self { unknown, not_sent, not_allowed, refused, .. } = *self;
        if unknown > 0 {
            let what = self.without_answer(unknown + not_sent);
            let sentence = format!("no answer came to {what}; it may be posted or not. {hint}");
            Some(Failure::new(Exit::OutcomeUnknown, sentence.trim_end()))
        } else if not_sent > 0 {
            let what = self.without_answer(not_sent);
            Some(Failure::cannot_connect(format!("the connection was lost before {what} was sent")))
        } else if not_allowed > 0 {
            Some(Failure::new(Exit::NotAllowed, self.refused_sentence()))
        } else if refused > 0 {
            Some(Failure::new(Exit::Refused, self.refused_sentence()))
        } else {
            None
        }
    }

    fn without_answer(&self, count: u64) -> String {
        let first = self.first_unknown.unwrap_or_default();
        match self.unit {
            Unit::Message => "the message".to_owned(),
            Unit::Line | Unit::Part if count == 1 => format!("{} {first}", self.unit.word()),
            Unit::Line | Unit::Part => {
                format!("each of {count} {0}s from {0} {first} on", self.unit.word())
            }
        }
    }

    /// Of a message by itself, the reason has said everything.
    fn refused_sentence(&self) -> String {
        match self.unit {
            Unit::Message => String::new(),
            Unit::Line | Unit::Part => {
                format!("{} refused, {} posted", self.refused + self.not_allowed, self.acked)
            }
        }
    }
}
