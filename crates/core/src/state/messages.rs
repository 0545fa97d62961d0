//! Sends: exactly once, in the order of their stream.

use chat_proto::{AccountId, Credential, ErrorCode, MessageId, Nonce, RoomId, check_text};
use sha2::{Digest, Sha256};

use super::{Answer, Appender, State};
use crate::{Action, Content, Lookup, PastSend, Refusal, StoreError, TextDigest};

/// How a send is decided.
pub(super) struct Decided {
    pub(super) refused_send: Option<(Nonce, ErrorCode, TextDigest)>,
    pub(super) answer: Result<Answer, Refusal>,
}

impl Decided {
    fn without_record(answer: Result<Answer, Refusal>) -> Self {
        Self { refused_send: None, answer }
    }
}

impl State {
    /// Whether a command is a send at its turn that would be refused for good, which is to be stored.
    pub(crate) fn would_store_refusal(
        &self,
        action: &Action,
        lookup: &dyn Lookup,
    ) -> Result<bool, StoreError> {
        let Action::Send { account, nonce, room, text, .. } = action else { return Ok(false) };
        if self.judge(*account, *room, text).is_ok() {
            return Ok(false);
        }
        Ok(lookup.high_water(*account, nonce.stream)?.checked_add(1) == Some(nonce.n))
    }

    fn judge(&self, account: AccountId, room: RoomId, text: &str) -> Result<(), Refusal> {
        check_text(text)?;
        self.access(account).can_post(room)
    }
}

impl Appender<'_> {
    /// Decides a send: a new one at its turn is posted, or refused for good; a repetition gets the
    /// first answer; one whose turn has not come is told which is awaited.
    pub(super) fn send(
        &mut self,
        sender: (AccountId, Credential),
        nonce: Nonce,
        room: RoomId,
        text: String,
        lookup: &dyn Lookup,
    ) -> Result<Decided, StoreError> {
        let (account, credential) = sender;
        let decided = lookup.high_water(account, nonce.stream)?;
        debug_assert!(nonce.n > 0, "the session lets no other through");
        if nonce.n > decided + 1 {
            return Ok(Decided::without_record(Err(Refusal::Behind { awaited: decided + 1 })));
        }
        if nonce.n <= decided {
            let past = lookup.past_send(account, nonce)?;
            let again = answer_again(past.as_ref(), TextDigest::of(room, &text));
            return Ok(Decided::without_record(again));
        }
        Ok(match self.state.judge(account, room, &text) {
            Ok(()) => {
                let id = message_id(nonce, &credential);
                Decided::without_record(Ok(self.post(account, nonce, room, id, text)))
            }
            Err(refusal) => Decided {
                refused_send: Some((nonce, refusal.code(), TextDigest::of(room, &text))),
                answer: Err(refusal),
            },
        })
    }

    fn post(
        &mut self,
        from: AccountId,
        nonce: Nonce,
        room: RoomId,
        id: MessageId,
        text: String,
    ) -> Answer {
        let seq = self.append(room.into(), Content::Posted { from, id, nonce, text });
        let ts = self.events.last().map(|posted| posted.ts).unwrap_or_default();
        Answer::Posted { room, seq, ts, id }
    }
}

fn message_id(nonce: Nonce, credential: &Credential) -> MessageId {
    let hash = Sha256::digest(nonce.message_id_preimage(credential));
    let mut id = [0; 16];
    id.copy_from_slice(&hash[..16]);
    MessageId(id)
}

fn answer_again(past: Option<&PastSend>, digest: TextDigest) -> Result<Answer, Refusal> {
    match past {
        Some(PastSend::Posted { room, seq, ts, id, digest: before }) if *before == digest => {
            Ok(Answer::Posted { room: *room, seq: *seq, ts: *ts, id: *id })
        }
        Some(PastSend::Refused { code, digest: before }) if *before == digest => {
            Err(Refusal::Before(*code))
        }
        Some(_) | None => Err(Refusal::NonceReused),
    }
}
