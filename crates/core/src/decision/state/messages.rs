//! Posts: exactly once, in the order of their stream.

use chat_proto::{AccountId, CredentialId, EventSeq, Nonce, RoomId, Seq, Timestamp};

use super::{Answer, State, Transition};
use crate::{BodyDigest, BoundStream, Content, PastSend, PostBody, Refusal, StoreError};

/// How a post is decided.
pub(super) struct SendOutcome {
    /// See [`super::Decision::uses_nonce_up`].
    pub(super) uses_nonce_up: bool,
    pub(super) answer: Result<Answer, Refusal>,
}

impl SendOutcome {
    fn of(answer: Result<Answer, Refusal>) -> Self {
        Self { uses_nonce_up: false, answer }
    }
}

impl State {
    /// Why a send is refused that was refused for good before: as it would be now, or because it was. What
    /// it was told then is not kept.
    pub(crate) fn refuse_again(
        &self,
        account: AccountId,
        now: Timestamp,
        room: RoomId,
        body: &PostBody,
    ) -> Refusal {
        // It is not to be tried again, as it would be after what passes by itself.
        let refusal = self.judge(account, now, room, body).err();
        let refusal = refusal.filter(|refusal| !refusal.code().may_be_retried());
        refusal.unwrap_or(Refusal::RefusedBefore)
    }

    /// Whether a post may be carried out now; the head of the room that it goes to.
    fn judge(
        &self,
        account: AccountId,
        now: Timestamp,
        room: RoomId,
        body: &PostBody,
    ) -> Result<Seq, Refusal> {
        let access = self.access(account).at(now);
        let known = match body {
            PostBody::Text(_)
            | PostBody::Edit { .. }
            | PostBody::Delete { .. }
            | PostBody::React { .. } => access.can_post(room)?,
            PostBody::AfterRefused(_) => return self.judge(account, now, room, body.parts().1),
        };
        let message = body.message()?;
        message.reply_to.map_or(Ok(()), |event| demand_event(known.head, event))?;
        // Last: what would be refused for good is not told to wait.
        access.can_speak(room).map(|known| known.head)
    }
}

impl Transition<'_> {
    /// Decides a post: a new one at its turn is appended, or refused for good; a repetition gets the
    /// first ack, or is refused again; one whose turn has not come is told which is awaited. Its turn has
    /// come when everything before it is decided: posted, or refused for good, as its node says. Whatever
    /// is refused leaves nothing.
    pub(super) fn post(
        &mut self,
        sender: (AccountId, CredentialId),
        nonce: Nonce,
        room: RoomId,
        body: PostBody,
    ) -> Result<SendOutcome, StoreError> {
        let (account, credential) = sender;
        // Before anything else: a repetition, too, is told to nobody who speaks for the account no more.
        if let Err(refusal) = self.state.accepts(credential) {
            return Ok(SendOutcome::of(Err(refusal)));
        }
        if self.state.has_ended(account, self.now) {
            return Ok(SendOutcome::of(Err(Refusal::BadToken)));
        }
        let decided = match decided_in(room, self.lookup.stream(account, nonce.stream)?) {
            Ok(decided) => decided,
            Err(refusal) => return Ok(SendOutcome::of(Err(refusal))),
        };
        debug_assert!(nonce.n > 0, "the session lets no other through");
        let (skipped, body) = body.split();
        if nonce.n <= decided {
            return self.repeat(account, nonce, room, &body).map(SendOutcome::of);
        }
        if nonce.n - 1 > decided.saturating_add(skipped) {
            return Ok(SendOutcome::of(Err(Refusal::Behind { awaited: decided + 1 })));
        }
        let verdict = self.state.judge(account, self.now, room, &body);
        Ok(match (verdict, body) {
            (Ok(head), PostBody::Text(body)) => {
                let (id, secret) = (nonce.message_id(credential), self.state.secret());
                let digest = BodyDigest::of_text(secret, room, &body);
                let posted = Content::Posted { from: account, id, nonce, digest, body };
                let (seq, ts) = self.append_after(head, room.into(), posted);
                SendOutcome::of(Ok(Answer::Posted { room, seq, ts, id }))
            }
            // What passes by itself uses nothing up: the same send is awaited.
            (Err(refusal), _) => {
                let uses_nonce_up = !refusal.code().may_be_retried();
                SendOutcome { uses_nonce_up, answer: Err(refusal) }
            }
            (
                Ok(_),
                PostBody::Edit { .. }
                | PostBody::Delete { .. }
                | PostBody::React { .. }
                | PostBody::AfterRefused(_),
            ) => unreachable!("nothing but messages is carried out"),
        })
    }

    /// The answer to a send whose nonce has been decided. One that has led to no event was refused.
    fn repeat(
        &self,
        account: AccountId,
        nonce: Nonce,
        room: RoomId,
        body: &PostBody,
    ) -> Result<Result<Answer, Refusal>, StoreError> {
        let digest = || BodyDigest::of(self.state.secret(), room, body);
        Ok(match self.lookup.past_send(account, nonce)? {
            Some(PastSend::Posted { room, seq, ts, id, digest: before }) if before == digest() => {
                Ok(Answer::Posted { room, seq, ts, id })
            }
            Some(PastSend::Posted { .. } | PastSend::Deleted) => Err(Refusal::NonceReused),
            None => Err(self.state.refuse_again(account, self.now, room, body)),
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
