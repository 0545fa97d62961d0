//! Posts: exactly once, in the order of their stream.

use chat_proto::{AccountId, CredentialId, EventSeq, Nonce, RoomId, Seq};

use super::{Answer, State, Transition};
use crate::{
    Action, BodyDigest, BoundStream, Content, Lookup, PastSend, PostBody, Refusal, RefusedSend,
    StoreError,
};

/// How a post is decided.
pub(super) struct SendOutcome {
    pub(super) refused_send: Option<RefusedSend>,
    pub(super) answer: Result<Answer, Refusal>,
}

impl SendOutcome {
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
        let Action::Post { account, nonce, room, body, .. } = action else { return Ok(false) };
        if self.judge(*account, *room, body).is_ok() {
            return Ok(false);
        }
        let decided = decided_in(*room, lookup.stream(*account, nonce.stream)?);
        Ok(decided.is_ok_and(|decided| decided.checked_add(1) == Some(nonce.n)))
    }

    /// Whether a post may be carried out now; the head of the room that it goes to.
    fn judge(&self, account: AccountId, room: RoomId, body: &PostBody) -> Result<Seq, Refusal> {
        let access = self.access(account);
        let room = match body {
            PostBody::Text(_) | PostBody::Edit { .. } | PostBody::React { .. } => {
                access.can_post(room)?
            }
            // Whose it is will be asked of the log, before a moderator is asked for.
            PostBody::Delete { .. } => access.can_moderate(room)?,
        };
        let message = body.message()?;
        message.reply_to.map_or(Ok(()), |event| demand_event(room.head, event))?;
        Ok(room.head)
    }
}

impl Transition<'_> {
    /// Decides a post: a new one at its turn is appended, or refused for good; a repetition gets the
    /// first answer; one whose turn has not come is told which is awaited. One in the stream of another
    /// room is refused and leaves nothing: whoever keeps that room knows nothing of this one.
    pub(super) fn post(
        &mut self,
        sender: (AccountId, CredentialId),
        nonce: Nonce,
        room: RoomId,
        body: PostBody,
    ) -> Result<SendOutcome, StoreError> {
        let (account, credential) = sender;
        let decided = match decided_in(room, self.lookup.stream(account, nonce.stream)?) {
            Ok(decided) => decided,
            Err(refusal) => return Ok(SendOutcome::without_record(Err(refusal))),
        };
        debug_assert!(nonce.n > 0, "the session lets no other through");
        if nonce.n > decided + 1 {
            return Ok(SendOutcome::without_record(Err(Refusal::Behind { awaited: decided + 1 })));
        }
        let digest = BodyDigest::of(self.state.secret(), room, &body);
        if nonce.n <= decided {
            let past = self.lookup.past_send(account, nonce)?;
            return Ok(SendOutcome::without_record(answer_again(past.as_ref(), digest)));
        }
        let verdict = self.state.judge(account, room, &body);
        Ok(match (verdict, body) {
            (Ok(head), PostBody::Text(body)) => {
                let id = nonce.message_id(credential);
                let posted = Content::Posted { from: account, id, nonce, digest, body };
                let (seq, ts) = self.append_after(head, room.into(), posted);
                SendOutcome::without_record(Ok(Answer::Posted { room, seq, ts, id }))
            }
            (Err(refusal), _) => {
                let code = refusal.code();
                let refused = RefusedSend { account, room, nonce, code, digest };
                SendOutcome { refused_send: Some(refused), answer: Err(refusal) }
            }
            (Ok(_), PostBody::Edit { .. } | PostBody::Delete { .. } | PostBody::React { .. }) => {
                unreachable!("nothing but messages is carried out")
            }
        })
    }
}

/// How far a stream has been decided that is to be this room's.
fn decided_in(room: RoomId, stream: Option<BoundStream>) -> Result<u64, Refusal> {
    match stream {
        None => Ok(0),
        Some(bound) if bound.room == room => Ok(bound.high_water),
        Some(bound) => Err(Refusal::StreamBound { room: bound.room.0 }),
    }
}

/// A room has had an event, whatever became of it.
fn demand_event(head: Seq, event: EventSeq) -> Result<(), Refusal> {
    match event.seq() <= head {
        true => Ok(()),
        false => Err(Refusal::UnknownEvent { seq: event.seq().0, head: head.0 }),
    }
}

fn answer_again(past: Option<&PastSend>, digest: BodyDigest) -> Result<Answer, Refusal> {
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
