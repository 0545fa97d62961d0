//! What a message says: the same fields where it is sent, where it is told and where it is read.

use crate::limits::ATTACHMENTS_MAX;
use crate::wire::{Decode, Encode, List};
use crate::{AttachmentId, EventSeq, MessageId, Seq, TextKind};

/// What a message says.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct TextBody {
    /// The number of a [`TextKind`]; newer peers may know more.
    pub kind: u16,
    /// The event of the same room that it answers.
    pub reply_to: Option<EventSeq>,
    /// What else belongs to it. One byte where there is nothing, which is nearly always.
    pub context: Option<Box<Context>>,
    /// The words: what a person reads, with line breaks and without NUL.
    pub text: String,
}

/// What a message may have beside its words. It has its place on the wire; no daemon takes it yet.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub struct Context {
    /// The event of the same room that began the thread.
    pub thread: Option<Seq>,
    /// What is attached.
    pub attachments: List<AttachmentId, ATTACHMENTS_MAX>,
    /// The message that made a program say this.
    pub cause: Option<MessageId>,
    /// The bridge or program through which it came.
    pub via: Option<String>,
}

/// The bytes of a [`TextBody`].
#[derive(Clone, Copy, Debug, Encode)]
pub struct TextRef<'a> {
    /// As of a [`TextBody`].
    pub kind: u16,
    /// As of a [`TextBody`].
    pub reply_to: Option<EventSeq>,
    /// As of a [`TextBody`].
    pub context: Option<&'a Context>,
    /// As of a [`TextBody`].
    pub text: &'a str,
}

impl TextBody {
    /// Words that somebody says, which answer nothing.
    #[must_use]
    pub fn say(text: impl Into<String>) -> Self {
        Self { kind: TextKind::Say as u16, text: text.into(), reply_to: None, context: None }
    }

    /// The kind, when this version knows it.
    #[must_use]
    pub fn known_kind(&self) -> Option<TextKind> {
        TextKind::from_number(self.kind)
    }

    /// The same, lying here.
    #[must_use]
    pub fn borrowed(&self) -> TextRef<'_> {
        let Self { kind, ref text, reply_to, ref context } = *self;
        TextRef { kind, text, reply_to, context: context.as_deref() }
    }
}
