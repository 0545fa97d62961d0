//! What a signed-in client may ask. Every request but [`ProbeReply`] gets exactly one reply, with
//! the same request id: the one named here, or [`crate::Error`].

use crate::limits::{INVITATION_ROOMS_MAX, PAGE_ITEMS_MAX};
use crate::wire::{Decode, Encode, List, body};
use crate::{
    AccountId, CredentialId, InvitationId, LinkCodeHash, LogId, Nonce, Position, RoomId, Seq,
    TextBody,
};

body! {
    /// Posts a message. Reply: [`crate::Ack`], after the commit.
    Send {
        /// Which send this is. The same nonce again gets the first answer again.
        nonce: Nonce,
        /// The room that it is said in.
        room: RoomId,
        /// What is said; its text is not empty and has no NUL.
        body: TextBody,
    }
}
body! {
    /// Gives a message another text. Reply: [`crate::Ack`]. No daemon carries it out yet.
    Edit {
        /// As of a [`Send`].
        nonce: Nonce,
        /// Where the message is.
        room: RoomId,
        /// The seq of the message in that room.
        of: Seq,
        /// What it says from now on.
        text: String,
    }
}
body! {
    /// Takes a message away. Reply: [`crate::Ack`]. No daemon carries it out yet.
    Delete {
        /// As of a [`Send`].
        nonce: Nonce,
        /// Where the message is.
        room: RoomId,
        /// The seq of the message in that room.
        of: Seq,
    }
}
body! {
    /// Puts a reaction on a message, or takes it off. Reply: [`crate::Ack`]. No daemon carries it
    /// out yet.
    React {
        /// As of a [`Send`].
        nonce: Nonce,
        /// Where the message is.
        room: RoomId,
        /// The seq of the message in that room.
        of: Seq,
        /// One emoji, or a short word.
        reaction: String,
        /// Whether it is put there, or taken off.
        is_set: bool,
    }
}
body! {
    /// Makes the account a member of a room, which is made when nobody has been there. Joining
    /// again changes nothing. Reply: [`crate::RoomInfo`].
    Join {
        /// The room's name, without `#`.
        name: String,
    }
}
body! {
    /// Ends a membership; ending one that is not there changes nothing. Reply: [`crate::Done`].
    Leave {
        /// The room that is left.
        room: RoomId,
    }
}
body! {
    /// Changes the nickname. Reply: [`crate::Done`].
    Rename {
        /// The nickname from now on.
        name: String,
    }
}
body! {
    /// Gives a member of a room another role there. Reply: [`crate::Done`].
    SetRole {
        /// The room.
        room: RoomId,
        /// The member.
        account: AccountId,
        /// The number of a [`crate::Role`].
        role: u16,
    }
}
body! {
    /// Makes an invitation, with which somebody who has no account may make one. Reply:
    /// [`crate::InvitationMade`].
    CreateInvitation {
        /// How many accounts may be made with it.
        uses: u32,
        /// For how long it is good, in seconds.
        seconds: u32,
        /// The rooms that a new account is made a member of. The asker must be a member of each, and is
        /// to be one still when it is used.
        rooms: List<RoomId, INVITATION_ROOMS_MAX>,
        /// For whom it is, as the asker is to see it in a list; may be empty. Nobody is held to it.
        name: String,
    }
}
body! {
    /// Ends an invitation that the account has made. Reply: [`crate::Done`].
    RevokeInvitation {
        /// Which one.
        invitation: InvitationId,
    }
}
body! {
    /// Asks for the account's own invitations that are open, in order of their ids. Reply:
    /// [`crate::InvitationList`].
    Invitations {
        /// Only those with a larger id; 0 for the first page.
        after: InvitationId,
    }
}
body! {
    /// Says who may know of a room. Reply: [`crate::Done`].
    SetAccess {
        /// The room.
        room: RoomId,
        /// Whether only its members, and who is invited, know of it.
        is_private: bool,
    }
}
body! {
    /// Gives an account the right to join a room, or takes that back. Reply: [`crate::Done`].
    Invite {
        /// The room.
        room: RoomId,
        /// Whom.
        account: AccountId,
        /// Whether it is invited, or no more.
        is_set: bool,
    }
}
body! {
    /// Says what a room is about. Reply: [`crate::Done`].
    SetTopic {
        /// The room.
        room: RoomId,
        /// What from now on; empty: nothing is said of it.
        topic: String,
    }
}
body! {
    /// Says who may post in a room. Reply: [`crate::Done`].
    SetReadOnly {
        /// The room.
        room: RoomId,
        /// Whether only its moderators and owners may.
        is_read_only: bool,
    }
}
body! {
    /// Opens the conversation with somebody: the room that the two are in, and nobody else ever. It is
    /// the same one whoever opens it. Reply: [`crate::RoomInfo`].
    OpenDirect {
        /// The other.
        account: AccountId,
    }
}
body! {
    /// Makes a room under a name that no room has, and joins it. Reply: [`crate::RoomInfo`].
    CreateRoom {
        /// The room's name, without `#`.
        name: String,
        /// Whether only its members, and who is invited, know of it.
        is_private: bool,
    }
}
body! {
    /// Looks an account up by its nickname. Reply: [`crate::AccountList`], with one account or none.
    FindAccount {
        /// The nickname, without `@`.
        name: String,
    }
}
body! {
    /// Opens a cursor on a log: every event after the position follows, then what is new, without
    /// a gap or a repetition. Subscribing again moves the cursor. Reply: [`crate::Subscribed`], or
    /// [`crate::Reset`] when the position is of another life of the log.
    Subscribe {
        /// A room, or the account's own log.
        log: LogId,
        /// The last event that the client has; `None`: only what is new.
        after: Option<Position>,
    }
}
body! {
    /// Closes the cursor. Nothing of the log follows the reply. Reply: [`crate::Done`].
    Unsubscribe {
        /// The log that its cursor is in.
        log: LogId,
    }
}
body! {
    /// Asks for the messages before a place, newest page first. Reply: [`crate::HistoryPage`].
    History {
        /// The room that they were said in.
        room: RoomId,
        /// Only messages with a smaller seq; `u64::MAX` for the newest.
        before: Seq,
        /// How many at the most; the daemon may send fewer.
        limit: u16,
    }
}
body! {
    /// Looks a room up. Reply: [`crate::RoomInfo`].
    FindRoom {
        /// The room's name, without `#`.
        name: String,
    }
}
body! {
    /// Asks for rooms in order of their ids. Reply: [`crate::RoomList`].
    Rooms {
        /// Only rooms with a larger id; 0 for the first page.
        after: RoomId,
    }
}
body! {
    /// Asks for a room's members in order of their ids. Reply: [`crate::MemberList`].
    Members {
        /// The room that they are members of.
        room: RoomId,
        /// Only accounts with a larger id; 0 for the first page.
        after: AccountId,
    }
}
body! {
    /// Asks for the names of accounts; ids that nobody has are left out. Reply:
    /// [`crate::AccountList`].
    Accounts {
        /// The accounts whose names are wanted.
        ids: List<AccountId, PAGE_ITEMS_MAX>,
    }
}
body! {
    /// Asks for a sign of life. Reply: [`crate::Pong`], behind everything asked before.
    Ping {
        /// Comes back in the reply.
        token: u64,
    }
}
body! {
    /// Answers a [`crate::Probe`]. Gets no reply.
    ProbeReply {
        /// The probe's token.
        token: u64,
    }
}
body! {
    /// Lets one device more sign in to the account, with the code of this hash, in the next ten minutes. A
    /// code that was open before is good for nothing from then on. Reply: [`crate::Done`].
    OpenLink {
        /// Of the code, which the asking device has drawn and shows to its person.
        code: LinkCodeHash,
    }
}
body! {
    /// Takes a credential from the account: whoever is signed in with it is cut off, and cannot sign in
    /// again. The last one stays. Reply: [`crate::Done`].
    RevokeCredential {
        /// Which one.
        credential: CredentialId,
    }
}
body! {
    /// Asks what the account signs in with. Reply: [`crate::DeviceList`].
    Devices {}
}
