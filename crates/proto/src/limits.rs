//! Bounds on everything a peer can make the other side hold. Units are last in each name.

/// Longest frame, in bytes after the length prefix.
pub const FRAME_BYTES_MAX: usize = 64 * 1024;

/// Memory that decoding one body may claim, in bytes. bincode counts the memory of the decoded
/// values, not the bytes on the wire, hence the factor: a full page needs a third of this. A text
/// may announce so much before its bytes are looked for, and a list comes on top, so this stays
/// well under the 512 KiB that one hostile frame may cost.
pub const DECODE_BYTES_MAX: usize = 4 * FRAME_BYTES_MAX;

/// Longest message text, in bytes of UTF-8.
pub const TEXT_BYTES_MAX: usize = 16 * 1024;

/// Longest topic of a room, in bytes of UTF-8.
pub const TOPIC_BYTES_MAX: usize = 512;

/// Accounts that are invited into one room and have not joined it.
pub const ROOM_INVITATIONS_MAX: usize = 1000;

/// Attachments of one message.
pub const ATTACHMENTS_MAX: usize = 16;

/// Longest name of a bridge or program through which a message came, in bytes of UTF-8.
pub const VIA_BYTES_MAX: usize = 64;

/// Longest reaction, in bytes of UTF-8: one emoji of many parts.
pub const REACTION_BYTES_MAX: usize = 64;

/// Longest room name or nickname, in bytes of UTF-8.
pub const NAME_BYTES_MAX: usize = 128;

/// Longest room name or nickname, in grapheme clusters (UAX 29).
pub const NAME_GRAPHEMES_MAX: usize = 32;

/// Longest `agent` of a [`crate::Hello`], in bytes.
pub const AGENT_BYTES_MAX: usize = 64;

/// What proves a credential in a [`crate::SignIn`], in bytes: a key and a signature as SSH writes them.
pub const PROOF_BYTES_MAX: usize = 320;

/// Protocol versions that one [`crate::Hello`] may offer.
pub const VERSIONS_MAX: usize = 8;

/// Credentials that one account may have.
pub const CREDENTIALS_PER_ACCOUNT_MAX: usize = 32;

/// Longest label of a device, in bytes of UTF-8.
pub const LABEL_BYTES_MAX: usize = 64;

/// How long a link code is good for, in milliseconds.
pub const LINK_CODE_MS: u64 = 10 * 60 * 1000;

/// Rooms, members or accounts in one page.
pub const PAGE_ITEMS_MAX: usize = 256;

/// Members that the daemon puts into a [`crate::Subscribed`]. Fewer than the page that it may be:
/// ten thousand may come at once.
pub const SUBSCRIBED_MEMBERS_MAX: usize = 64;

/// Messages in one page of history.
pub const HISTORY_MESSAGES_MAX: usize = 256;

/// Unreadable parts that one page of history tells of.
pub const HISTORY_GAPS_MAX: usize = 16;

/// Bytes of message text in one page of history: leaves room in the frame for what surrounds them.
pub const HISTORY_TEXT_BYTES_MAX: usize = 32 * 1024;

/// Commands (requests that change something) in flight on one connection.
pub const COMMANDS_IN_FLIGHT_MAX: usize = 1024;

/// Queries (requests that only read) in flight on one connection.
pub const QUERIES_IN_FLIGHT_MAX: usize = 4;

/// Logs that one connection may be subscribed to.
pub const SUBSCRIPTIONS_MAX: usize = 1024;

/// Rooms that one invitation leads into.
pub const INVITATION_ROOMS_MAX: usize = 16;

/// How often one invitation may be used.
pub const INVITATION_USES_MAX: u32 = 10_000;

/// How long an invitation is good at the most, in seconds: a year.
pub const INVITATION_SECONDS_MAX: u32 = 366 * 24 * 60 * 60;

/// Invitations in one page.
pub const INVITATIONS_PAGE_MAX: usize = 64;

/// Invitations of one account that are open at the same time.
pub const INVITATIONS_PER_ACCOUNT_MAX: usize = 100;

/// Invitations of all accounts that are open at the same time.
pub const INVITATIONS_MAX: usize = 65_536;

/// Rooms that one account may be a member of.
pub const ROOMS_PER_ACCOUNT_MAX: usize = 1000;

/// Longest reason that a moderator gives, in bytes of UTF-8.
pub const REASON_BYTES_MAX: usize = 512;

/// Bans in one page. Fewer than in other pages: each may have a reason.
pub const SANCTIONS_PAGE_MAX: usize = 64;

/// Accounts that are banned from one room at the same time, and as many that are mute there.
pub const SANCTIONS_MAX: usize = 1024;

/// Longest wait between two messages of a member of a slow room, in seconds: six hours.
pub const SLOW_SECONDS_MAX: u32 = 6 * 60 * 60;
