//! Which interesting situations a run had. A simulator in which one of them never comes up any more
//! proves nothing about it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

macro_rules! situations {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Something that must come up in some of the runs.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub(crate) enum Situation {
            $($(#[$doc])* $name,)*
        }

        impl Situation {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name,)*];
        }
    };
}

situations! {
    /// A commit failed, and the transaction was lost.
    CommitFailedAndLost,
    /// A commit failed, but the transaction is durable.
    CommitFailedButDurable,
    /// A transaction whose commit failed showed up when the store was recovered.
    DurableAtRecovery,
    /// An append failed in the middle of a batch.
    AppendFailed,
    /// The disk was full for a while.
    DiskFull,
    /// The store could not even be read.
    StoreUnreadable,
    /// A log could not be read for a cursor.
    DiskReadFailed,
    /// The process died with clients connected.
    Crash,
    /// The process was told to stop, and had answered and written everything in time.
    Drained,
    /// The process died in a commit, before it was durable.
    DiedBeforeCommit,
    /// The process died in a commit, after it was durable.
    DiedAfterCommit,
    /// Commands that had been carried out came another time.
    SubmittedAgain,
    /// More was applied while a commit was under way.
    AppliedBesideCommit,
    /// A commit that was under way failed, and what had been applied behind it with it.
    FailedWithWhatWasBehind,
    /// The process died with a commit under way.
    DiedWithCommitUnderWay,
    /// The power failed, and commits that were not synced are gone.
    PowerLoss,
    /// The store was replaced by an older copy.
    Restore,
    /// The store was opened without its witness.
    WitnessLost,
    /// The epoch changed.
    NewEpoch,
    /// A room that nobody was in and nobody had written to has gone.
    RoomRemoved,
    /// Somebody came in with the invitation that everybody has.
    CameByInvitation,
    /// A room was made under the name of one that has gone.
    RoomMadeAnew,
    /// Somebody followed a room that has gone, and was told so.
    ToldThatRoomIsGone,
    /// A moderator ended a membership.
    Kicked,
    /// A member was banned.
    MemberBanned,
    /// A room in which others were was made private.
    MadePrivate,
    /// Somebody who was invited came.
    CameInvited,
    /// A conversation of two began.
    DirectBegun,
    /// The cursor of one who is banned was closed.
    EndedByBan,
    /// A send was refused since the sender is mute.
    RefusedAsMute,
    /// A send was refused since the sender is banned.
    RefusedAsBanned,
    /// A send was refused since only moderators post there.
    RefusedAsReadOnly,
    /// A send was refused since the room is slow, and came another time.
    SlowedDown,
    /// The right to read a log ended while a page of its history was being read.
    PageRefusedUnderWay,
    /// A cursor was overtaken by its tail and read from disk.
    ReadFromDisk,
    /// A cursor that had read from disk came back to the tail.
    BackInTheTail,
    /// What a disk read brought came too late: its cursor had been moved or closed.
    DiskReadTooLate,
    /// A run was written in part.
    PartialRun,
    /// A connection ended inside a frame.
    PartialFrame,
    /// A peer did not learn for seconds that the link was dead.
    HalfOpen,
    /// Somebody wrote to a peer that was not there any more.
    WroteIntoTheVoid,
    /// A connection was served while a newer one of the same client was.
    OldConnectionStillServed,
    /// The server stopped reading because the window was full.
    WindowFull,
    /// The server stopped reading because the peer did not take its replies.
    RepliesNotTaken,
    /// The server stopped reading because the peer was too fast.
    Paused,
    /// The sequencer's queue was full.
    QueueFull,
    /// A client was told of another name of somebody whom it knew.
    RenameTold,
    /// A client was told that any name may be out of date.
    NamesUnsure,
    /// A position of another epoch was answered with a Reset.
    Reset,
    /// A reader who was ahead of the server was told to ask again.
    Ahead,
    /// A repeated nonce was answered again with its ack.
    AckedAgain,
    /// A repeated nonce was answered again with its refusal.
    RefusedAgain,
    /// One was refused that would have been posted, had it not been refused before.
    RefusedBefore,
    /// A nonce that was used for something else was refused.
    NonceReused,
    /// A stream was refused in another room than its own.
    StreamBound,
    /// The room of sends could not be had, and the client refused them itself.
    RoomNotHad,
    /// A send came before its turn.
    Behind,
    /// A send got no answer but that the outcome is unknown.
    Unavailable,
    /// A send was refused for good.
    RefusedForGood,
    /// A stream was restarted after the daemon had lost its end.
    StreamRestarted,
    /// A stream was restarted because the daemon had forgotten what it had refused.
    RestartedBehindRefusals,
    /// A room was found again by its name in another epoch.
    RoomFoundByName,
    /// A client came back with an outbox that was not empty.
    OutboxRestored,
    /// A reader resumed over a reconnect, and events had come in between.
    ResumedBehindHead,
    /// A reader did not read for seconds.
    DeafReader,
    /// Who came or went was told with a delay.
    Gathered,
    /// An idle tail was freed.
    TailFreed,
    /// The sign-in was refused because the store takes no writes.
    SignInUnavailable,
    /// An answer was handed over before one that was given earlier.
    AnswerOvertook,
    /// A page of history came while a cursor that was asked for before was not open yet.
    PageBeforeSubscribed,
    /// Names came while a page of history that was asked for before had not come.
    NamesBeforePage,
    /// A cursor was opened while one of another log that was asked for before was not.
    SubscribedBeforeAnother,
    /// What only reads was answered before a send that was asked before.
    QueryBeforeAck,
    /// The ack of a message came before its event, on a log that is followed.
    AckBeforeEvent,
    /// The event of one's own message came before its ack.
    EventBeforeAck,
    /// A page of history waited for the name of a sender.
    PageWaitedForNames,
    /// The name that it waited for came by another way than the answer with names.
    NameCameAnotherWay,
    /// A connection ended while a page or names were asked for.
    BrokeOffWhileAsked,
    /// A client was told that it may not follow a log any more.
    SubscriptionEnded,
    /// There was more for a follower than it may read, when its right to read ended.
    EndedBehindHead,
    /// A message was taken out of a tail that held it.
    RedactedInMemory,
    /// A reader was told that a message is gone.
    GapTold,
}

/// The situations of one run, shared by all of its parts.
#[derive(Clone, Default)]
pub(crate) struct Coverage(Rc<RefCell<BTreeSet<Situation>>>);

impl Coverage {
    pub(crate) fn hit(&self, situation: Situation) {
        self.0.borrow_mut().insert(situation);
    }

    pub(crate) fn situations(&self) -> Vec<Situation> {
        self.0.borrow().iter().copied().collect()
    }
}

/// In how many runs each situation came up.
#[derive(Clone, Default)]
pub(crate) struct Tally(BTreeMap<Situation, u64>);

impl Tally {
    pub(crate) fn add(&mut self, situations: &[Situation]) {
        for situation in situations {
            *self.0.entry(*situation).or_default() += 1;
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (situation, runs) in &other.0 {
            *self.0.entry(*situation).or_default() += runs;
        }
    }

    pub(crate) fn runs_with(&self, situation: Situation) -> u64 {
        self.0.get(&situation).copied().unwrap_or(0)
    }

    /// The situations that never came up.
    pub(crate) fn missing(&self) -> Vec<Situation> {
        let missing = |situation: &&Situation| self.runs_with(**situation) == 0;
        Situation::ALL.iter().filter(missing).copied().collect()
    }
}
