//! One representative value of every kind, shared by the tests of the wire format. The values
//! take integers through each of their lengths on the wire, texts beyond ASCII, empty lists and
//! full options. It must not know what their bytes are: `golden/v1.txt` does.

use chat_proto::*;

type Reader = Box<dyn Fn(&Frame) -> Result<bool, WireError>>;

/// A value of one kind, as bytes, and a way to read such bytes.
pub(crate) struct Sample {
    /// Which struct it is.
    pub(crate) kind: Kind,
    /// The value, encoded.
    pub(crate) frame: Frame,
    /// Decodes a frame as this kind strictly, and says whether that is the value.
    pub(crate) is_read_from: Reader,
    /// The same, as a client does it.
    pub(crate) is_read_leniently_from: Reader,
}

/// All samples, one a kind.
pub(crate) fn all() -> Vec<Sample> {
    [handshake(), requests(), moderation(), replies(), pages(), events()]
        .into_iter()
        .flatten()
        .collect()
}

fn sample<B: Body + Clone + PartialEq + 'static>(value: B) -> Sample {
    let same = value.clone();
    Sample {
        kind: B::KIND,
        frame: Frame::of(&value, RequestId(0)).expect("samples are small"),
        is_read_from: Box::new(move |frame| frame.decode::<B>().map(|read| read == value)),
        is_read_leniently_from: Box::new(move |frame| {
            frame.decode_lenient::<B>().map(|read| read == same)
        }),
    }
}

/// `N` bytes that count up from `first`.
fn counting<const N: usize>(first: u8) -> [u8; N] {
    std::array::from_fn(|i| first.wrapping_add(i as u8))
}

const ROOM: RoomId = RoomId(7);
const ADA: AccountId = AccountId(300);
const TS: Timestamp = Timestamp(1_767_225_600_000);

fn nonce() -> Nonce {
    Nonce { stream: StreamId(counting(0xA0)), n: 1 }
}

fn message_id() -> MessageId {
    MessageId(counting(0xC0))
}

fn credential_id() -> CredentialId {
    CredentialId(counting(0xD0))
}

fn handshake() -> Vec<Sample> {
    vec![
        sample(Hello {
            versions: List::first_of([1, 250, 251]),
            agent: "example 1.0".into(),
            random: counting(0x00),
        }),
        sample(Welcome {
            version: 1,
            server_key: PublicKey(counting(0x20)),
            signature: counting(0x40),
            session: SessionId(65_536),
            limits: Limits {
                frame_bytes_max: 65_536,
                text_bytes_max: 16_384,
                commands_in_flight_max: 1024,
                queries_in_flight_max: 4,
            },
            challenge: counting(0x80),
        }),
        sample(SignIn {
            credential_kind: 1,
            credential: counting(0x20),
            proof_kind: 1,
            proof: List::first_of(counting::<64>(0x40)),
            name: "ada".into(),
            name_is_firm: true,
            invitation: Some(InvitationCode(counting(0x50))),
        }),
        sample(SignedIn {
            account: ADA,
            name: "ada-2".into(),
            epoch: Epoch(0x0123_4567_89AB_CDEF),
            head: Seq(2),
        }),
        sample(LinkDevice {
            credential_kind: 1,
            credential: counting(0x20),
            proof_kind: 1,
            proof: List::first_of(counting::<64>(0x40)),
            code: LinkCode(counting(0x60)),
            label: "laptop".into(),
        }),
    ]
}

fn requests() -> Vec<Sample> {
    vec![
        sample(Send { nonce: nonce(), room: ROOM, body: TextBody::say("grüße, 世界 👋") }),
        sample(Edit { nonce: nonce(), room: ROOM, of: Seq(300), text: "better".into() }),
        sample(Delete { nonce: nonce(), room: ROOM, of: Seq(300) }),
        sample(React {
            nonce: nonce(),
            room: ROOM,
            of: Seq(300),
            reaction: "👋".into(),
            is_set: true,
        }),
        sample(SetRole { room: ROOM, account: ADA, role: 2 }),
        sample(SetAccess { room: ROOM, is_private: true }),
        sample(Invite { room: ROOM, account: ADA, is_set: true }),
        sample(SetTopic { room: ROOM, topic: "grüße".into() }),
        sample(SetReadOnly { room: ROOM, is_read_only: true }),
        sample(OpenDirect { account: ADA }),
        sample(CreateRoom { name: "den".into(), is_private: true }),
        sample(FindAccount { name: "ada".into() }),
        sample(Join { name: "lobby".into() }),
        sample(Leave { room: ROOM }),
        sample(Rename { name: "мир".into() }),
        sample(CreateInvitation {
            uses: 20,
            seconds: 604_800,
            rooms: List::first_of([ROOM]),
            name: "ada".into(),
        }),
        sample(RevokeInvitation { invitation: InvitationId(90_210) }),
        sample(Subscribe {
            log: LogId(7),
            after: Some(Position { epoch: Epoch(0x0123_4567_89AB_CDEF), seq: Seq(250) }),
        }),
        sample(Unsubscribe { log: LogId(7) }),
        sample(History { room: ROOM, before: Seq(u64::MAX), limit: 256 }),
        sample(FindRoom { name: "lobby".into() }),
        sample(Rooms { after: RoomId(0) }),
        sample(Members { room: ROOM, after: ADA }),
        sample(Accounts { ids: List::first_of([ADA, AccountId(70_000)]) }),
        sample(Ping { token: 251 }),
        sample(ProbeReply { token: 0xFFFF_FFFF }),
        sample(OpenLink { code: LinkCodeHash(counting(0x60)) }),
        sample(RevokeCredential { credential: credential_id() }),
        sample(Devices {}),
        sample(Invitations { after: InvitationId(0) }),
    ]
}

fn moderation() -> Vec<Sample> {
    let (room, account, until) = (ROOM, AccountId(301), Timestamp(1_767_312_000_000));
    let reason = || "spam".to_owned();
    let ban = BanInfo {
        account,
        name: "bob".into(),
        by: ADA,
        by_name: "ada".into(),
        since: TS,
        until,
        reason: reason(),
    };
    vec![
        sample(Kick { room, account, reason: reason() }),
        sample(Ban { room, account, until, reason: reason() }),
        sample(Unban { room, account }),
        sample(Mute { room, account, until, reason: "loud".into() }),
        sample(Unmute { room, account }),
        sample(SetSlow { room, seconds: 300 }),
        sample(Report { room, seq: Seq(300), reason: reason() }),
        sample(RemoveMessages { room, account, seconds: 3_600 }),
        sample(Bans { room, after: ADA }),
        sample(BanList { room, bans: List::first_of([ban]), more: false }),
    ]
}

fn replies() -> Vec<Sample> {
    vec![
        sample(Error::new(ErrorCode::Behind, "send number 7 of this stream first").with_detail(7)),
        sample(Done {}),
        sample(Ack { nonce: nonce(), room: ROOM, seq: Seq(65_535), ts: TS, id: message_id() }),
        sample(lobby()),
        sample(Reset { log: LogId(7), epoch: Epoch(9), head: Seq(0) }),
        sample(Pong { token: 251 }),
        sample(DeviceList {
            devices: List::first_of([Device {
                credential: credential_id(),
                kind: 1,
                fingerprint: counting(0x20),
                label: "laptop".into(),
                added: TS,
            }]),
        }),
        sample(InvitationMade {
            invitation: InvitationId(90_210),
            code: InvitationCode(counting(0x50)),
            expires: TS,
        }),
    ]
}

fn lobby() -> RoomInfo {
    RoomInfo {
        room: ROOM,
        name: "lobby".into(),
        head: Seq(1000),
        members: 3,
        online: 2,
        joined: true,
        role: 2,
        is_private: true,
        is_read_only: true,
        with: ADA,
        topic: "who brings what".into(),
    }
}

fn ada() -> Member {
    Member { account: ADA, name: "ada".into(), online: true }
}

fn pages() -> Vec<Sample> {
    vec![
        sample(RoomList { rooms: List::first_of([lobby()]), more: true }),
        sample(MemberList { room: ROOM, members: List::first_of([ada()]), more: false }),
        sample(AccountList {
            accounts: List::first_of([AccountInfo { account: ADA, name: "ada".into() }]),
        }),
        sample(Subscribed {
            log: LogId(7),
            epoch: Epoch(9),
            head: Seq(1 << 32),
            name: "lobby".into(),
            topic: "anything".into(),
            members: List::first_of([ada()]),
            member_count: 1,
            online: 1,
        }),
        sample(HistoryPage {
            room: ROOM,
            epoch: Epoch(9),
            as_of: Seq(1000),
            messages: List::first_of([Message {
                seq: Seq(999),
                ts: TS,
                from: ADA,
                id: message_id(),
                body: TextBody { reply_to: EventSeq::new(Seq(998)), ..TextBody::say("hi") },
            }]),
            more: false,
            gaps: List::first_of([Gap { log: LogId(7), from: Seq(3), to: Seq(9), reason: 2 }]),
        }),
        sample(InvitationList {
            invitations: List::first_of([InvitationInfo {
                invitation: InvitationId(90_210),
                by: ADA,
                name: "bob".into(),
                uses_left: 19,
                expires: TS,
                rooms: List::first_of([ROOM]),
            }]),
            more: true,
        }),
    ]
}

/// Makes the samples that stand in the table of logged events.
macro_rules! samples {
    ($(
        $(#[$doc:meta])*
        $name:ident = $number:literal {
            $($(#[$field_doc:meta])* $field:ident: $type:ty = $sample:expr,)*
        }
    )*) => {
        vec![$(sample($name { $($field: $sample,)* })),*]
    };
}

fn events() -> Vec<Sample> {
    let mut events = logged_events!(samples! {});
    events.extend(live_events());
    events
}

/// A message that has everything that it may have.
fn full_text() -> TextBody {
    let context = Context {
        thread: Some(Seq(251)),
        attachments: List::first_of([AttachmentId(counting(0x10))]),
        cause: Some(MessageId(counting(0xE0))),
        via: Some("irc".into()),
    };
    TextBody {
        kind: TextKind::Action as u16,
        text: "two\nlines".into(),
        reply_to: EventSeq::new(Seq(999)),
        context: Some(Box::new(context)),
    }
}

fn live_events() -> Vec<Sample> {
    vec![
        sample(Gap { log: LogId(7), from: Seq(1), to: Seq(500), reason: 1 }),
        sample(Presence { room: ROOM, online: 251 }),
        sample(Renamed { account: ADA, name: "ada-2".into() }),
        sample(Probe { token: u64::MAX }),
        sample(
            Close::new(CloseReason::ProtocolError, "that is no frame")
                .because_of(ErrorCode::Malformed)
                .to_wait(1500),
        ),
        sample(SubscriptionEnded {
            log: LogId(7),
            code: ErrorCode::NotReadable as u16,
            message: "you may not read that".into(),
        }),
    ]
}
