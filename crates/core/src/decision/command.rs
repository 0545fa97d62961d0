//! Commands: everything that can change the state, in the one order that the sequencer gives them.

mod account_order;
mod bytes;
mod moderation;
mod room_change;

use chat_proto::{
    AccountId, Credential, CredentialId, Epoch, InvitationHash, InvitationId, LinkCodeHash,
    NameError, Nickname, Nonce, RoomId, RoomName, Timestamp, TokenId,
};

pub use account_order::{AccountChange, AccountOrder};
pub use bytes::UnreadableCommand;
pub use moderation::{Moderation, SanctionKind};
pub use room_change::RoomChange;

use crate::{BotScope, Named, NewInvitation, PostBody, Registration, StoreSecret, WishedName};

/// Something that was asked for, and when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Command {
    /// Stamped by the sequencer. It may be before that of the command before: a clock was set.
    pub ts: Timestamp,
    /// What was asked for.
    pub action: Action,
}

/// What was asked for. Names are names, with their keys; texts are as the client sent them: the state judges them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Begins the logs, or a new life of them when they may have lost their end. While they have an
    /// epoch, it changes nothing.
    Genesis {
        /// The epoch from now on, drawn at random; not 0.
        epoch: Epoch,
        /// What ids and digests follow from, drawn at random. Logs that have begun before keep theirs.
        secret: StoreSecret,
        /// The room that every server has, made where it is missing.
        lobby: Named<RoomName>,
    },
    /// Signs a proven credential in; makes its account when there is none.
    SignIn {
        /// Whose; the session has checked the proof.
        credential: Credential,
        /// The nickname wished for, used only for a new account; or why it is none.
        name: Result<Box<WishedName>, NameError>,
        /// Refuse when the name is taken, rather than number it.
        name_is_firm: bool,
        /// How registration stands where the client has come in.
        registration: Registration,
        /// Of the code that the client has given.
        invitation: Option<Box<InvitationHash>>,
    },
    /// Makes an invitation.
    CreateInvitation {
        /// The account that asks for it; 0: the operator.
        account: AccountId,
        /// What it is to be good for.
        invitation: Box<NewInvitation>,
    },
    /// Ends an invitation.
    RevokeInvitation {
        /// The account that asks for it; 0: the operator.
        account: AccountId,
        /// Which one.
        invitation: InvitationId,
    },
    /// Adds a proven credential to the account of a link code, and signs it in.
    LinkDevice(Box<DeviceLink>),
    /// Lets one device more sign in to an account, with a code.
    OpenLink {
        /// The account that asks for it.
        account: AccountId,
        /// What names the code.
        code: LinkCodeHash,
    },
    /// Takes a credential from an account.
    RevokeCredential {
        /// The account that asks for it.
        account: AccountId,
        /// Which one.
        credential: CredentialId,
    },
    /// Makes an account for a program, which signs in with a token.
    CreateBot(Box<BotOrder>),
    /// Takes its token from a program.
    RevokeToken {
        /// Who orders it.
        by: AccountId,
        /// The program's name.
        name: Named<Nickname>,
    },
    /// Something that an account asks for, by what it is signed in with where it is said: carried out only
    /// while that is the account's. Of a post both stand in itself.
    Authenticated {
        /// What the account is signed in with.
        credential: CredentialId,
        /// What is asked for: not this, nor a post, nor a sign-in.
        action: Box<Self>,
    },
    /// Makes an account a member of a room.
    Join {
        /// The member to be.
        account: AccountId,
        /// The room's name.
        name: Named<RoomName>,
    },
    /// Ends a membership.
    Leave {
        /// The account that asks for it.
        account: AccountId,
        /// The room, which need not be there.
        room: RoomId,
    },
    /// Changes a nickname.
    Rename {
        /// The account that asks for it.
        account: AccountId,
        /// To what.
        name: Named<Nickname>,
        /// Whether nobody may be called so.
        is_reserved: bool,
    },
    /// Makes a room, and its maker a member.
    CreateRoom {
        /// The account that asks for it.
        account: AccountId,
        /// The room's name.
        name: Named<RoomName>,
        /// Whether only its members, and who is invited, know of it.
        is_private: bool,
    },
    /// Opens the conversation of two accounts.
    OpenDirect {
        /// The account that asks for it.
        account: AccountId,
        /// The other, which need not be there.
        with: AccountId,
    },
    /// Changes what a room is, for all who are in it.
    ChangeRoom {
        /// The account that asks for it.
        account: AccountId,
        /// The room, which need not be there.
        room: RoomId,
        /// What is to change.
        change: RoomChange,
    },
    /// Keeps order in a room.
    Moderate {
        /// The account that asks for it.
        account: AccountId,
        /// The room, which need not be there.
        room: RoomId,
        /// What is to be done.
        asked: Moderation,
    },
    /// Something is done to an account by whoever runs the server.
    Govern(Box<AccountOrder>),
    /// Puts something into a room's log.
    Post {
        /// The sender.
        account: AccountId,
        /// What the account is signed in with where it was said.
        credential: CredentialId,
        /// Which send. How many right before it were refused for good, the body says, as a message is to
        /// be short.
        nonce: Nonce,
        /// The room, which need not be there.
        room: RoomId,
        /// A message, or what becomes of one.
        body: PostBody,
    },
}

/// A program that is to have an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BotOrder {
    /// Who orders it.
    pub by: AccountId,
    /// What names its token.
    pub token: TokenId,
    /// What it is to be called.
    pub name: Named<Nickname>,
    /// Whether nobody may be called so.
    pub is_reserved: bool,
    /// What the token is for.
    pub scope: BotScope,
    /// The rooms that it is a member of from the beginning.
    pub rooms: Vec<Named<RoomName>>,
}

/// A device that is to be linked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeviceLink {
    /// What it signs in with; the session has checked the proof.
    pub credential: Credential,
    /// What names the code that it has been told.
    pub code: LinkCodeHash,
    /// What it calls itself.
    pub label: String,
}

impl Action {
    /// What is asked for, whoever asks by what.
    #[must_use]
    #[expect(clippy::wildcard_enum_match_arm, reason = "all others say it themselves")]
    pub fn asked(&self) -> &Self {
        match self {
            Self::Authenticated { action, .. } => action,
            _ => self,
        }
    }

    /// The account that asks for it; `None`: nobody's, or nobody is signed in yet.
    pub(crate) fn account(&self) -> Option<AccountId> {
        match self {
            Self::Genesis { .. } | Self::SignIn { .. } | Self::LinkDevice(_) => None,
            Self::Authenticated { action, .. } => action.account(),
            Self::Govern(order) => Some(order.by),
            Self::CreateBot(order) => Some(order.by),
            Self::RevokeToken { by, .. } => Some(*by),
            Self::Join { account, .. }
            | Self::Leave { account, .. }
            | Self::Rename { account, .. }
            | Self::CreateRoom { account, .. }
            | Self::OpenDirect { account, .. }
            | Self::ChangeRoom { account, .. }
            | Self::Moderate { account, .. }
            | Self::OpenLink { account, .. }
            | Self::RevokeCredential { account, .. }
            | Self::CreateInvitation { account, .. }
            | Self::RevokeInvitation { account, .. }
            | Self::Post { account, .. } => Some(*account),
        }
    }
}
