//! Numbered errors and reasons. The numbers are stable; `docs/PROTOCOL.md` lists them.

macro_rules! numbered {
    ($(#[$doc:meta])* $type:ident, $ask:ident: $(#[$ask_doc:meta])* { $($(#[$variant_doc:meta])* $name:ident = $number:literal, $answer:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u16)]
        pub enum $type {
            $($(#[$variant_doc])* $name = $number,)*
        }

        impl $type {
            /// Every number that this version knows.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// What a number means, when this version knows it.
            #[must_use]
            pub fn from_number(number: u16) -> Option<Self> {
                match number {
                    $($number => Some(Self::$name),)*
                    _ => None,
                }
            }

            $(#[$ask_doc])*
            #[must_use]
            pub fn $ask(self) -> bool {
                match self {
                    $(Self::$name => $answer,)*
                }
            }
        }
    };
}

numbered! {
    /// Why a request failed. 1 to 99 close the connection; the others leave it open.
    ErrorCode, may_be_retried: /** Whether the same request can succeed later. */ {
        /// The bytes are not a frame, or not the struct that the frame names.
        Malformed = 1, false;
        /// The kind, or its body version, is not one that this daemon knows.
        UnknownKind = 2, false;
        /// The frame is longer than the limit.
        FrameTooLong = 3, false;
        /// A request came before the handshake or the sign-in was finished, or a handshake after it.
        OutOfTurn = 4, false;
        /// None of the offered protocol versions is spoken here.
        VersionNotSpoken = 5, false;
        /// The signature does not fit the key and the challenge.
        BadSignature = 6, false;

        /// The name breaks the rules for names.
        BadName = 100, false;
        /// Another account or room has the name, or one that looks like it.
        NameTaken = 101, false;
        /// The message is empty.
        EmptyText = 102, false;
        /// The message is over the limit; `detail` is the limit in bytes.
        TextTooLong = 103, false;
        /// The message contains a NUL.
        NulInText = 104, false;
        /// There is no such room.
        UnknownRoom = 105, false;
        /// The account is not a member of the room.
        NotMember = 106, false;
        /// The account may not read that log, or there is none.
        NotReadable = 107, false;
        /// The nonce has been used for another message.
        NonceReused = 108, false;
        /// An earlier send of the stream is missing; `detail` is the `n` that is awaited.
        Behind = 109, true;
        /// The store cannot write now. For a command: outcome unknown; send the same nonce again.
        Unavailable = 110, true;
        /// Too fast; `detail` is the milliseconds to wait.
        RateLimited = 111, true;
        /// The account has as many reads waiting as it may.
        Busy = 112, true;
        /// The connection is subscribed to as many logs as it may be.
        TooManySubscriptions = 113, false;
        /// The account is a member of as many rooms as it may be.
        TooManyRooms = 114, false;
        /// The protocol has a place for it, and this daemon does not carry it out yet.
        Unsupported = 115, false;
        /// The room has no such event; `detail` is its head.
        UnknownEvent = 116, false;
        /// The stream belongs to another room, as its first send settled; `detail` is that room's id.
        StreamBound = 117, false;
        /// The send was refused for good before; nothing speaks against it now, and it is not posted.
        RefusedBefore = 118, false;
        /// The account's role in the room is not enough for it.
        RoleTooLow = 120, false;
        /// Whom it is about is no member of the room, or no account.
        NoSuchMember = 121, false;
        /// The room would have no owner.
        LastOwner = 122, false;
        /// Only the room's moderators and owners post there.
        ReadOnly = 123, false;
        /// A direct conversation has no such thing, or the room has as many of it as it may have.
        NotPossible = 124, false;
        /// Whoever runs the server has disabled the account.
        AccountDisabled = 135, false;
        /// Only whoever runs the server may.
        NotOperator = 136, false;
        /// No account has that name.
        UnknownAccount = 137, false;
        /// No device may be linked with the code: it was used, has expired, or is none.
        BadLinkCode = 138, false;
        /// The credential was taken from its account.
        CredentialRevoked = 139, false;
        /// The credential signs in to another account.
        CredentialInUse = 140, false;
        /// An account keeps its last credential, and has at most so many as `detail` says.
        CredentialLimit = 141, false;
        /// The account has no such credential.
        UnknownCredential = 142, false;

        /// Nobody signs in with this credential here, and no account is made without an invitation, or
        /// none at all. A proof that does not fit is answered with it, too, where registration is not open.
        NotAdmitted = 130, false;
        /// The invitation is used up, expired, revoked, or was never made.
        BadInvitation = 131, false;
        /// As many invitations are open as may be.
        TooManyInvitations = 132, false;
        /// An invitation is not made for so many uses, so many rooms or such a time.
        BadTerms = 133, false;
        /// The account has made no such invitation, or it is not open any more.
        UnknownInvitation = 134, false;
        /// The account is banned from the room.
        Banned = 125, false;
        /// The account is mute in the room.
        Muted = 126, false;
        /// The room is slow, and the account has said something a moment ago; `detail` is the
        /// milliseconds to wait, in this room alone.
        SlowMode = 127, true;
        /// As many accounts are banned from the room, or mute there, as may be.
        TooManySanctions = 128, false;
        /// A time is over already, or a wait is longer than may be; `detail` is the longest in seconds.
        BadTime = 129, false;
        /// Connections from elsewhere than this machine are taken over TLS alone. It ends the connection.
        TlsRequired = 147, false;
        /// The client has signed another channel than the one that it has come through. It ends the
        /// connection.
        ChannelMismatch = 148, false;
        /// Nothing signs in with the token: it was revoked, has expired, or is none.
        BadToken = 150, false;
        /// The token is not for that.
        OutOfScope = 151, false;
    }
}

numbered! {
    /// What a [`crate::Credential`] is.
    CredentialKind, is_taken: /** Whether this version signs anybody in with one. */ {
        /// An Ed25519 public key (RFC 8032).
        Key = 1, true;
        /// A program's token, named by a hash of its public key.
        Token = 2, true;
        /// An ECDSA key on P-256, named by SHA-256 of it as SSH writes it.
        EcdsaP256 = 3, true;
        /// An Ed25519 key on a security key (FIDO), named in the same way.
        SkEd25519 = 4, true;
    }
}

numbered! {
    /// How a sign-in proves that the client has its credential.
    ProofKind, is_ssh: /** Whether it is in the form of OpenSSH. */ {
        /// An Ed25519 signature over [`crate::sign_in_transcript`], 64 bytes.
        Signature = 1, false;
        /// The key and an SSHSIG signature of [`crate::sign_in_transcript`], each a `string` of SSH.
        SshSignature = 2, true;
        /// A token's public key (32 bytes), and its Ed25519 signature over
        /// [`crate::sign_in_transcript`] (64 bytes).
        TokenSignature = 3, false;
    }
}

numbered! {
    /// How the words of a message are meant.
    TextKind, is_marked: /** Whether it is shown with a mark of its kind. */ {
        /// Somebody says them.
        Say = 1, false;
        /// Somebody does what they say: `* ada waves`.
        Action = 2, true;
        /// A program says them, and no program may answer.
        Notice = 3, true;
    }
}

numbered! {
    /// Why a part of a log is missing.
    GapReason, may_return: /** Whether it may be there another time, as from a backup. */ {
        /// It was deleted.
        Deleted = 1, false;
        /// The daemon's disk or its database is damaged there.
        Unreadable = 2, true;
    }
}

numbered! {
    /// Why the daemon closed a connection.
    CloseReason, may_reconnect: /** Whether the client should connect again by itself. */ {
        /// The daemon stops or restarts.
        GoingAway = 1, true;
        /// The client broke the protocol.
        ProtocolError = 2, false;
        /// The handshake took too long.
        HandshakeTimeout = 3, true;
        /// The client took no byte and answered no probe.
        Dead = 4, true;
        /// The sign-in was refused.
        SignInRefused = 5, false;
        /// The daemon has as many connections as it may have.
        Full = 6, true;
        /// Something failed in the daemon.
        Internal = 7, true;
        /// What the client has signed in with is good for nothing any more.
        SignedOut = 8, false;
    }
}
