//! What the pipeline asks of whatever holds the connections.

use chat_proto::{
    AccountId, CredentialId, Epoch, LogId, RequestId, RoomId, Seq, Timestamp, Window,
};

use crate::{Batch, Closing, OperatorAnswer, Refusal, Reply};

/// A connection, for as long as the daemon runs. Never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Conn(pub u64);

/// Whom a reply goes to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Origin {
    /// The connection.
    pub conn: Conn,
    /// Its request.
    pub request: RequestId,
    /// Which of the connection's windows the reply makes room in.
    pub window: Window,
}

/// Holds the connections and the tails. Calls come in the order commit → publish → reply →
/// release: a reply that opens a cursor finds the tail up to the head that it names.
pub trait Fanout {
    /// Appends committed events to their log's tail. Wakes nobody yet.
    fn publish(&mut self, log: LogId, batch: Batch);

    /// Appends a frame that is not logged to a tail, for whoever follows it now. Wakes nobody yet.
    fn announce(&mut self, log: LogId, frame: Vec<u8>);

    /// An account has another nickname: whoever follows one of its rooms is told so once, with
    /// `frame`, behind the replies that came before. Wakes nobody yet.
    fn renamed(&mut self, account: AccountId, rooms: Vec<RoomId>, frame: Vec<u8>);

    /// Gives a connection its reply. A connection that is gone is no error.
    fn reply(&mut self, to: Origin, reply: Reply);

    /// Answers a question of the operator's. Whoever asks none for one is told nothing.
    fn tell_operator(&mut self, request: RequestId, answer: Result<OperatorAnswer, Refusal>) {
        let _nobody_asked = (request, answer);
    }

    /// Reads from the committed store and replies with it; or refuses, when the account that asks has
    /// too many reads waiting.
    fn read(&mut self, to: Origin, account: AccountId, read: StoreRead);

    /// An account may not follow a log any more: its cursors on it close at once, each behind the frame
    /// that has begun, and `frame` says why; what it has asked of the log is not answered any more. It
    /// comes before everything that is published with it: nothing of that is shown to the account, also
    /// while it is being written to. Wakes nobody yet.
    fn revoke(&mut self, log: LogId, account: AccountId, frame: Vec<u8>);

    /// What an account has signed in with is good for nothing any more (`None`: whatever it was): such
    /// connections close at once, each behind the frame that has begun, and `closing` says why. What they
    /// have asked is not answered any more, and nothing is published to them. Wakes nobody yet.
    fn sign_out(&mut self, account: AccountId, credential: Option<CredentialId>, closing: &Closing);

    /// Only these accounts, in order of their ids, may follow a log from now on: the same for everybody
    /// else.
    fn revoke_others(&mut self, log: LogId, members: Vec<AccountId>, frame: Vec<u8>);

    /// A log is gone: all cursors on it close at once, each behind the frame that has begun, and `frame`
    /// says why. Wakes nobody yet.
    fn remove(&mut self, log: LogId, frame: Vec<u8>);

    /// The text of an event is gone from the store: whoever reads it from now on gets a `Gap`, from
    /// memory as from disk. Wakes nobody.
    fn redact(&mut self, log: LogId, seq: Seq);

    /// What an account has said in a log, from a time on, is gone from the store: the same for each of its
    /// messages up to there.
    fn remove_messages(&mut self, removal: Removal);

    /// A connection is gone, and everything that it asked has been answered.
    fn gone(&mut self, conn: Conn) {
        // Whoever holds nothing for a connection has nothing to let go of.
        let _ = conn;
    }

    /// Wakes every connection that has something to write since the last release.
    fn release(&mut self);

    /// The store was read back after a failure: what a tail lacks of its log up to `heads` is to be
    /// read from disk.
    fn rewind(&mut self, heads: &[(LogId, Seq)]);
}

/// Messages that are taken away.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Removal {
    /// Of which log.
    pub log: LogId,
    /// Whose.
    pub account: AccountId,
    /// From this time on; 0: all.
    pub since: Timestamp,
    /// Up to this event.
    pub to: Seq,
}

/// What is read from the store for an answer, authorised.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StoreRead {
    /// A page of history.
    History(HistoryRead),
}

/// A page of history.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HistoryRead {
    /// Of which room.
    pub room: RoomId,
    /// The logs' epoch.
    pub epoch: Epoch,
    /// Only smaller seqs.
    pub before: Seq,
    /// How many at the most; within the limits.
    pub limit: usize,
    /// The head of the room that the page is read at.
    pub as_of: Seq,
}
