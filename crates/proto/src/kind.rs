//! The numbers that name each struct on the wire. Those of logged events stand in `logged.rs`.

use crate::logged_events;

macro_rules! kinds {
    (
        $($(#[$doc:meta])* $name:ident = $number:literal,)*
        @logged
        $($(#[$logged_doc:meta])* $logged:ident = $logged_number:literal { $($fields:tt)* })*
    ) => {
        /// What a frame holds. The numbers are stable; `docs/PROTOCOL.md` lists them.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u16)]
        pub enum Kind {
            $($(#[$doc])* $name = $number,)*
            $($(#[$logged_doc])* $logged = $logged_number,)*
        }

        impl Kind {
            /// Every kind that this version knows.
            pub const ALL: &'static [Self] = &[$(Self::$name,)* $(Self::$logged,)*];

            /// The kind that a number names, when this version knows it.
            #[must_use]
            pub fn from_number(number: u16) -> Option<Self> {
                match number {
                    $($number => Some(Self::$name),)*
                    $($logged_number => Some(Self::$logged),)*
                    _ => None,
                }
            }
        }
    };
}

logged_events!(kinds! {
    /// Client: versions it speaks, and its random number.
    Hello = 0x0001,
    /// Server: its identity, signed, and the challenge.
    Welcome = 0x0002,
    /// Client: its key and the signed challenge.
    SignIn = 0x0003,
    /// Server: who the client is.
    SignedIn = 0x0004,
    /// Client: its key and the signed challenge, for the account of a link code.
    LinkDevice = 0x0005,

    /// Post a message.
    Send = 0x0101,
    /// Become a member of a room; it is made when nobody has been there.
    Join = 0x0102,
    /// End a membership.
    Leave = 0x0103,
    /// Change the nickname.
    Rename = 0x0104,
    /// Give a message another text.
    Edit = 0x0105,
    /// Take a message away.
    Delete = 0x0106,
    /// Put a reaction on a message, or take it off.
    React = 0x0107,
    /// Give a member another role.
    SetRole = 0x0110,
    /// Say who may know of a room.
    SetAccess = 0x0111,
    /// Let an account into a room, or no more.
    Invite = 0x0112,
    /// Say what a room is about.
    SetTopic = 0x0113,
    /// Say who may post in a room.
    SetReadOnly = 0x0114,
    /// The room of two accounts alone.
    OpenDirect = 0x0115,
    /// Make a room.
    CreateRoom = 0x0116,

    /// Let another device sign in to the account, with a link code.
    OpenLink = 0x012C,
    /// Take a device's right to sign in.
    RevokeCredential = 0x012D,
    /// Make an invitation.
    CreateInvitation = 0x0120,
    /// End an invitation.
    RevokeInvitation = 0x0121,
    /// End another account's membership.
    Kick = 0x0118,
    /// Keep an account out of a room.
    Ban = 0x0119,
    /// End a ban.
    Unban = 0x011A,
    /// Let an account say nothing in a room.
    Mute = 0x011B,
    /// End a mute.
    Unmute = 0x011C,
    /// Let members of a room say one thing in so many seconds.
    SetSlow = 0x011D,
    /// Show a message to the moderators of its room.
    Report = 0x011E,
    /// Take away what an account has said in a room.
    RemoveMessages = 0x011F,

    /// Open a cursor on a log.
    Subscribe = 0x0141,
    /// Close a cursor on a log.
    Unsubscribe = 0x0142,
    /// A page of messages.
    History = 0x0143,
    /// Look a room up by its name.
    FindRoom = 0x0144,
    /// A page of all rooms.
    Rooms = 0x0145,
    /// A page of a room's members.
    Members = 0x0146,
    /// The names of accounts.
    Accounts = 0x0147,
    /// Is anybody there?
    Ping = 0x0148,
    /// The answer to a [`Kind::Probe`]; the one request that gets no reply.
    ProbeReply = 0x0149,
    /// Look an account up by its name.
    FindAccount = 0x0150,
    /// What the account signs in with.
    Devices = 0x015E,
    /// A page of one's own invitations.
    Invitations = 0x0158,

    /// A page of a room's bans.
    Bans = 0x0154,

    /// The request failed; the connection lives.
    Error = 0x0200,
    /// The request was carried out, and there is nothing else to say.
    Done = 0x0201,
    /// A message is committed.
    Ack = 0x0202,
    /// What is told of one room.
    RoomInfo = 0x0203,
    /// A page of what is told of rooms.
    RoomList = 0x0204,
    /// A page of a room's members, with their names.
    MemberList = 0x0205,
    /// Accounts with their names.
    AccountList = 0x0206,
    /// A cursor is open.
    Subscribed = 0x0207,
    /// The position given is of another life of the log; no cursor was opened.
    Reset = 0x0208,
    /// A page of messages, newest last.
    HistoryPage = 0x0209,
    /// The answer to a ping.
    Pong = 0x020A,
    /// What an account signs in with.
    DeviceList = 0x021E,
    /// An invitation is made; its code is told this once.
    InvitationMade = 0x0218,
    /// A page of invitations.
    InvitationList = 0x0219,

    /// A page of a room's bans, with names.
    BanList = 0x0214,

    /// Not logged: events that retention has deleted stood here.
    Gap = 0x0401,
    /// Not logged: how many members of a room are connected.
    Presence = 0x0402,
    /// Not logged: the daemon asks whether the client lives.
    Probe = 0x0403,
    /// Not logged: the connection ends, and why.
    Close = 0x0404,
    /// Not logged: somebody in a room that is followed has another name.
    Renamed = 0x0405,
    /// Not logged: a subscription ended without being asked to.
    SubscriptionEnded = 0x0406,

    @logged
});

impl Kind {
    /// Whether a number names an event of a log. Such a body always begins with the fields of
    /// [`crate::LoggedHead`], also in kinds that this version does not know.
    #[must_use]
    pub fn is_logged(number: u16) -> bool {
        (0x0300..0x0400).contains(&number)
    }
}
