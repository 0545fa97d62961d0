//! What an account asks to put into a room's log, and its digest.
//!
//! All of it is sent under a nonce of one stream, so that an edit does not overtake its message.

use chat_proto::{
    EventSeq, Nonce, RequestId, RoomId, Send, Seq, StreamId, TextBody, check_text, encode_frame,
};

use crate::decision::secret::Purpose;
use crate::{Refusal, StoreSecret};

/// What is posted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PostBody {
    /// A message.
    Text(TextBody),
    /// Another text for a message.
    Edit {
        /// Which one.
        of: Seq,
        /// What it says from now on.
        text: String,
    },
    /// The end of a message.
    Delete {
        /// Of which one.
        of: Seq,
    },
    /// A reaction on a message.
    React {
        /// On which one.
        of: Seq,
        /// One emoji, or a short word.
        reaction: String,
        /// Whether it is put there, or taken off.
        is_set: bool,
    },
    /// One of the others, whose send comes right behind sends of its stream that were refused for good.
    /// No session makes it: the node that it came to knows of them, and nobody else does.
    AfterRefused(Box<AfterRefused>),
}

/// What is posted behind sends that were refused for good. It is rare, and a message is no longer for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AfterRefused {
    /// How many sends of the stream, right before this one, were refused for good.
    skipped: u64,
    body: PostBody,
}

impl PostBody {
    /// The same, behind so many sends of its stream that were refused for good.
    #[must_use]
    pub(crate) fn after_refused(self, skipped: u64) -> Self {
        debug_assert!(!matches!(self, Self::AfterRefused(_)), "they are counted once");
        match skipped {
            0 => self,
            _ => Self::AfterRefused(Box::new(AfterRefused { skipped, body: self })),
        }
    }

    /// The same in its place.
    pub(crate) fn skip_refused(&mut self, skipped: u64) {
        let body = std::mem::replace(self, Self::Delete { of: Seq::ZERO });
        *self = body.after_refused(skipped);
    }

    /// How many sends of its stream, right before it, were refused for good; and what is posted.
    pub(crate) fn split(self) -> (u64, Self) {
        match self {
            Self::AfterRefused(behind) => (behind.skipped, behind.body),
            body @ (Self::Text(_)
            | Self::Edit { .. }
            | Self::Delete { .. }
            | Self::React { .. }) => (0, body),
        }
    }

    /// The same of what is only looked at.
    pub(crate) fn parts(&self) -> (u64, &Self) {
        match self {
            Self::AfterRefused(behind) => (behind.skipped, &behind.body),
            Self::Text(_) | Self::Edit { .. } | Self::Delete { .. } | Self::React { .. } => {
                (0, self)
            }
        }
    }

    /// The message, where it is one that can be carried out.
    ///
    /// # Errors
    /// [`Refusal::Unsupported`] for everything that has its place and nothing behind it yet, and
    /// the refusals of texts that no room takes.
    pub(crate) fn message(&self) -> Result<&TextBody, Refusal> {
        let what = match self {
            Self::Text(body) => return check_message(body),
            Self::Edit { .. } => "editing a message",
            Self::Delete { .. } => "deleting a message",
            Self::React { .. } => "a reaction",
            Self::AfterRefused(behind) => return behind.body.message(),
        };
        Err(Refusal::Unsupported { what })
    }
}

fn check_message(body: &TextBody) -> Result<&TextBody, Refusal> {
    check_text(&body.text)?;
    if body.known_kind().is_none() {
        return Err(Refusal::Unsupported { what: "this kind of text" });
    }
    match body.context {
        None => Ok(body),
        Some(_) => Err(Refusal::Unsupported { what: "a message with a context" }),
    }
}

/// The room and the whole body of a send, hashed: enough to tell whether a nonce comes with the same
/// body again. It is kept with the event, so that it outlives the text.
///
/// 47 bits of a hash that is keyed with the store's secret: six bytes in SQLite. Two bodies under one
/// nonce are taken for the same by a chance of one in 2^47, 7·10^-15, and only where a client uses a
/// nonce twice, which is a bug of its own; and since nobody can compute it without the secret, nobody
/// can look for two bodies that meet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct BodyDigest(pub u64);

impl BodyDigest {
    /// Of what is posted in a room.
    #[must_use]
    pub fn of(secret: StoreSecret, room: RoomId, body: &PostBody) -> Self {
        let (kind, number, rest) = match body {
            PostBody::Text(body) => return Self::of_text(secret, room, body),
            PostBody::Edit { of, text } => (1, *of, text.as_str()),
            PostBody::Delete { of } => (2, *of, ""),
            PostBody::React { of, reaction, is_set: true } => (3, *of, reaction.as_str()),
            PostBody::React { of, reaction, is_set: false } => (4, *of, reaction.as_str()),
            // Whatever came before it, it is the same send.
            PostBody::AfterRefused(behind) => return Self::of(secret, room, &behind.body),
        };
        let numbers = [&room.0.to_le_bytes()[..], &number.0.to_le_bytes()];
        Self::cut(secret.hash(Purpose::Body, &[&[kind], numbers[0], numbers[1], rest.as_bytes()]))
    }

    /// The fields of fixed width come first and the context says its own length, so that no two
    /// bodies are the same bytes. Nothing is allocated for a message without a context.
    pub(crate) fn of_text(secret: StoreSecret, room: RoomId, body: &TextBody) -> Self {
        let TextBody { kind, text, reply_to, context } = body;
        let mut head = [0; 20];
        head[1..9].copy_from_slice(&room.0.to_le_bytes());
        // No event has the place 0.
        head[9..17].copy_from_slice(&reply_to.map_or(Seq::ZERO, EventSeq::seq).0.to_le_bytes());
        head[17..19].copy_from_slice(&kind.to_le_bytes());
        head[19] = u8::from(reply_to.is_some()) | u8::from(context.is_some()) << 1;
        match context {
            None => Self::cut(secret.hash(Purpose::Body, &[&head, text.as_bytes()])),
            Some(_) => Self::cut(secret.hash(Purpose::Body, &[&head, &whole(body)])),
        }
    }

    fn cut(hash: u64) -> Self {
        Self(hash >> 17)
    }
}

/// The bytes of a body as they are on the wire; empty where it is longer than any frame.
fn whole(body: &TextBody) -> Vec<u8> {
    let nonce = Nonce { stream: StreamId([0; 16]), n: 1 };
    let mut bytes = Vec::new();
    let send = Send { nonce, room: RoomId(0), body: body.clone() };
    // It came in a frame, so it fits one.
    drop(encode_frame(&send, RequestId(0), &mut bytes));
    bytes
}

#[cfg(test)]
mod tests {
    use chat_proto::{Context, TextKind};

    use super::*;

    #[test]
    fn every_part_of_a_body_is_in_its_digest() {
        let secret = StoreSecret([7; 16]);
        let plain = TextBody::say("hi");
        let of = Seq(9);
        let context =
            |via: &str| Some(Box::new(Context { via: Some(via.to_owned()), ..Context::default() }));
        let react =
            |reaction: &str, is_set| PostBody::React { of, reaction: reaction.to_owned(), is_set };
        let bodies = [
            PostBody::Text(plain.clone()),
            PostBody::Text(TextBody::say("ho")),
            PostBody::Text(TextBody { kind: TextKind::Action as u16, ..plain.clone() }),
            PostBody::Text(TextBody { reply_to: EventSeq::new(of), ..plain.clone() }),
            PostBody::Text(TextBody { context: context("irc"), ..plain.clone() }),
            PostBody::Text(TextBody { context: context("ink"), ..plain }),
            PostBody::Edit { of, text: "hi".to_owned() },
            PostBody::Edit { of: Seq(8), text: "hi".to_owned() },
            PostBody::Delete { of },
            react("hi", true),
            react("hi", false),
            react("", true),
        ];
        let digests: std::collections::BTreeSet<_> =
            bodies.iter().map(|body| BodyDigest::of(secret, RoomId(1), body)).collect();
        assert_eq!(digests.len(), bodies.len());
        let elsewhere = BodyDigest::of(secret, RoomId(2), &bodies[0]);
        assert!(!digests.contains(&elsewhere));
        let again = PostBody::Text(TextBody::say("hi"));
        for again in [again.clone(), again.after_refused(3)] {
            let again = BodyDigest::of(secret, RoomId(1), &again);
            assert_eq!(again, BodyDigest::of(secret, RoomId(1), &bodies[0]));
        }
    }

    #[test]
    fn what_has_nothing_behind_it_yet_is_refused_as_such() {
        let of = Seq(1);
        let context = Some(Box::new(Context::default()));
        let bodies = [
            PostBody::Edit { of, text: "x".to_owned() },
            PostBody::Delete { of },
            PostBody::React { of, reaction: "x".to_owned(), is_set: true },
            PostBody::Text(TextBody { kind: 9, ..TextBody::say("x") }),
            PostBody::Text(TextBody { context, ..TextBody::say("x") }),
            PostBody::Delete { of }.after_refused(1),
        ];
        for body in bodies {
            let refused = body.message().unwrap_err();
            assert!(matches!(refused, Refusal::Unsupported { .. }), "{body:?}: {refused:?}");
        }
    }
}
