//! Answers: what the asker is told once the commit is through.

use chat_proto::{AccountId, Ack, InvitationCode, InvitationMade, QueryRequest, RoomId, SignedIn};

use super::Pipeline;
use super::commit_batch::{Send, Waiting};
use super::queries::{Answered, Asker, answer_without_state};
use crate::{Answer, Closing, Conn, Fanout, OPERATOR, Origin, Refusal, Reply, State, Store};

/// Which code was drawn, the connection alone knows, and puts it here.
const UNTOLD: InvitationCode = InvitationCode([0; 16]);

impl<S: Store> Pipeline<S> {
    pub(super) fn answer(&mut self, waiting: Waiting, fanout: &mut impl Fanout) {
        match waiting {
            Waiting::Answer { origin, answer, send } => {
                self.note_told(&answer, send);
                let reply = self.answer_command(origin, answer, send);
                fanout.reply(origin, reply);
            }
            Waiting::Query { origin, account, query } => {
                self.answer_query(origin, account, &query, fanout);
            }
            Waiting::Operator { request, query } => self.answer_operator(request, query, fanout),
            Waiting::Gone(conn) => {
                self.forget(conn);
                fanout.gone(conn);
            }
            Waiting::Presence { machine, report } => {
                let state = self.state.as_ref();
                self.presence.told(machine, report, |account| rooms_of(state, account));
            }
        }
    }

    /// The sender of a send learns what has become of it.
    fn note_told(&mut self, answer: &Result<Answer, Refusal>, send: Option<Send>) {
        let (false, Some(Send { account, nonce })) = (self.refused.is_empty(), send) else {
            return;
        };
        match answer {
            Ok(_posted) => self.refused.posted(account, nonce),
            Err(why) if !why.code().may_be_retried() => self.refused.tell(account, nonce),
            Err(_open) => {}
        }
    }

    fn answer_command(
        &mut self,
        origin: Origin,
        answer: Result<Answer, Refusal>,
        send: Option<Send>,
    ) -> Reply {
        let asker = match origin.conn {
            Conn::OPERATOR => Some(OPERATOR),
            conn => self.signed_in.get(&conn).copied(),
        };
        let Some(state) = &self.state else {
            return match asker {
                Some(_) => Reply::Refused(Refusal::Unavailable),
                None => sign_in_refused(&Refusal::Unavailable),
            };
        };
        match (answer, send, asker) {
            (Ok(Answer::SignedIn(account)), _, None) => {
                self.signed_in.insert(origin.conn, account);
                self.presence.connected(account, state.rooms_of(account));
                Reply::SignedIn(Box::new(signed_in(state, account)))
            }
            (Ok(Answer::Posted { room, seq, ts, id }), Some(Send { nonce, .. }), _) => {
                Reply::Ack(Ack { nonce, room, seq, ts, id })
            }
            (Ok(Answer::Room(room)), _, Some(account)) => {
                Asker::new(state, &self.presence, account, self.now)
                    .room(room)
                    .unwrap_or_else(Reply::Refused)
            }
            (Ok(Answer::Invitation { id, expires }), _, Some(_)) => {
                Reply::Invited(InvitationMade { invitation: id, code: UNTOLD, expires })
            }
            (Ok(_), _, _) => Reply::Done,
            (Err(why), _, None) => sign_in_refused(&why),
            (Err(why), _, Some(_)) => Reply::Refused(why),
        }
    }

    fn forget(&mut self, conn: Conn) {
        self.ahead.gone(conn);
        let Some(account) = self.signed_in.remove(&conn) else { return };
        self.presence.disconnected(account, rooms_of(self.state.as_ref(), account));
    }

    /// A connection that asks for a log anew, or does not want it any more, waits for it no longer.
    #[expect(clippy::wildcard_enum_match_arm, reason = "no other query is about a cursor")]
    pub(super) fn end_waits(
        &mut self,
        origin: Origin,
        query: &QueryRequest,
        fanout: &mut impl Fanout,
    ) {
        let log = match query {
            QueryRequest::Subscribe(asked) => asked.log,
            QueryRequest::Unsubscribe(asked) => asked.log,
            _ => return,
        };
        for (waiting, why) in self.ahead.end(origin.conn, log) {
            fanout.reply(waiting, Reply::Refused(why));
            self.has_answered = true;
        }
    }

    fn answer_query(
        &mut self,
        origin: Origin,
        account: AccountId,
        query: &QueryRequest,
        fanout: &mut impl Fanout,
    ) {
        self.end_waits(origin, query, fanout);
        let Some(state) = &self.state else {
            return fanout.reply(origin, answer_without_state(query));
        };
        match Asker::new(state, &self.presence, account, self.now).answer(query) {
            Ok(Answered::Reply(reply)) => fanout.reply(origin, reply),
            Ok(Answered::Read(read)) => fanout.read(origin, account, read),
            Ok(Answered::Ahead(log, after)) => {
                if let Err(why) = self.ahead.wait(origin, account, log, after) {
                    fanout.reply(origin, Reply::Refused(why));
                }
            }
            Err(why) => fanout.reply(origin, Reply::Refused(why)),
        }
    }
}

/// Without a state no room is counted: the rooms are counted anew when it is read back.
fn rooms_of(state: Option<&State>, account: AccountId) -> impl Iterator<Item = RoomId> {
    state.into_iter().flat_map(move |state| state.rooms_of(account))
}

fn signed_in(state: &State, id: AccountId) -> SignedIn {
    let account = state.access(id).account(id);
    SignedIn {
        account: id,
        name: account.map(|held| held.name.to_string()).unwrap_or_default(),
        epoch: state.epoch(),
        head: account.map(|held| held.head).unwrap_or_default(),
    }
}

/// A sign-in that is refused ends the connection: there is nothing else that it could ask.
fn sign_in_refused(why: &Refusal) -> Reply {
    Reply::Closing(Box::new(Closing::sign_in_refused(why)))
}
