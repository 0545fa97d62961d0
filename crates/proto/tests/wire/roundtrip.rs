//! Whatever can be written is read back as the same value: random values of every kind, their
//! integers crowded around the seams of the variable-length encoding.

use std::fmt::Debug;

use chat_proto::limits::{
    HISTORY_GAPS_MAX, HISTORY_MESSAGES_MAX, HISTORY_TEXT_BYTES_MAX, NAME_BYTES_MAX, PAGE_ITEMS_MAX,
    REASON_BYTES_MAX, SANCTIONS_PAGE_MAX, TEXT_BYTES_MAX, TOPIC_BYTES_MAX,
};
use chat_proto::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const ROUNDS: usize = 200;

/// Makes a random value.
trait Random {
    fn random(rng: &mut ChaCha8Rng) -> Self;
}

impl Random for u8 {
    fn random(rng: &mut ChaCha8Rng) -> Self {
        rng.random()
    }
}

impl Random for u64 {
    fn random(rng: &mut ChaCha8Rng) -> Self {
        let seam = [0, 250, 251, 0xFFFF, 0x1_0000, 0xFFFF_FFFF, 1 << 32, Self::MAX];
        match rng.random_range(0..3) {
            0 => rng.random(),
            1 => rng.random_range(0..1000),
            _ => seam[rng.random_range(0..seam.len())],
        }
    }
}

impl Random for u32 {
    fn random(rng: &mut ChaCha8Rng) -> Self {
        u64::random(rng) as Self
    }
}

impl Random for u16 {
    fn random(rng: &mut ChaCha8Rng) -> Self {
        u64::random(rng) as Self
    }
}

impl Random for bool {
    fn random(rng: &mut ChaCha8Rng) -> Self {
        rng.random()
    }
}

impl Random for String {
    fn random(rng: &mut ChaCha8Rng) -> Self {
        let len = [0, 1, 30, 250, 251][rng.random_range(0..5)];
        (0..len).map(|_| rng.random::<char>()).collect()
    }
}

impl<const N: usize> Random for [u8; N] {
    fn random(rng: &mut ChaCha8Rng) -> Self {
        std::array::from_fn(|_| rng.random())
    }
}

impl<T: Random> Random for Option<T> {
    fn random(rng: &mut ChaCha8Rng) -> Self {
        bool::random(rng).then(|| T::random(rng))
    }
}

impl<T: Random> Random for Box<T> {
    fn random(rng: &mut ChaCha8Rng) -> Self {
        Self::new(T::random(rng))
    }
}

impl<T: Random, const MAX: usize> Random for List<T, MAX> {
    fn random(rng: &mut ChaCha8Rng) -> Self {
        let len = [0, 1, 2, MAX][rng.random_range(0..4)];
        Self::first_of((0..len).map(|_| T::random(rng)))
    }
}

impl Random for EventSeq {
    fn random(rng: &mut ChaCha8Rng) -> Self {
        let seq = Seq(u64::random(rng).max(1));
        Self::new(seq).expect("a place from 1 on")
    }
}

macro_rules! random_newtypes {
    ($($name:ident)*) => {
        $(impl Random for $name {
            fn random(rng: &mut ChaCha8Rng) -> Self {
                Self(Random::random(rng))
            }
        })*
    };
}

macro_rules! random_structs {
    ($($name:ident { $($field:ident)* })*) => {
        $(impl Random for $name {
            fn random(_rng: &mut ChaCha8Rng) -> Self {
                Self { $($field: Random::random(_rng)),* }
            }
        })*
    };
}

/// Random values of structs that are bodies, and a test of all of them.
macro_rules! bodies {
    (
        $($name:ident { $($field:ident)* })*
        @logged
        $(
            $(#[$doc:meta])*
            $logged:ident = $number:literal {
                $($(#[$field_doc:meta])* $logged_field:ident: $type:ty = $sample:expr,)*
            }
        )*
    ) => {
        random_structs! { $($name { $($field)* })* $($logged { $($logged_field)* })* }

        #[test]
        fn what_is_written_is_read_back() {
            let mut rng = ChaCha8Rng::seed_from_u64(4);
            $(for _ in 0..ROUNDS {
                survives_the_wire(&$name::random(&mut rng));
            })*
            $(for _ in 0..ROUNDS {
                survives_the_wire(&$logged::random(&mut rng));
            })*
        }

        #[test]
        fn every_kind_is_tried() {
            assert_eq!([$($name::KIND,)* $($logged::KIND,)*].as_slice(), Kind::ALL);
        }
    };
}

random_newtypes! {
    LogId RoomId AccountId Seq Epoch Timestamp SessionId MessageId StreamId PublicKey AttachmentId CredentialId LinkCode LinkCodeHash InvitationId InvitationCode
}

random_structs! {
    Nonce { stream n }
    Position { epoch seq }
    Limits { frame_bytes_max text_bytes_max commands_in_flight_max queries_in_flight_max }
    Member { account name online }
    AccountInfo { account name }
    Device { credential kind fingerprint label added }
    InvitationInfo { invitation by name uses_left expires rooms }
    BanInfo { account name by by_name since until reason }
    Message { seq ts from id body }
    TextBody { kind reply_to context text }
    Context { thread attachments cause via }
}

logged_events!(bodies! {
    Hello { versions agent random }
    Welcome { version server_key signature session limits challenge }
    SignIn { credential_kind credential proof_kind proof name name_is_firm invitation }
    SignedIn { account name epoch head }
    LinkDevice { credential_kind credential proof_kind proof code label }
    Send { nonce room body }
    Join { name }
    Leave { room }
    Rename { name }
    Edit { nonce room of text }
    Delete { nonce room of }
    React { nonce room of reaction is_set }
    SetRole { room account role }
    SetAccess { room is_private }
    Invite { room account is_set }
    SetTopic { room topic }
    SetReadOnly { room is_read_only }
    OpenDirect { account }
    CreateRoom { name is_private }
    OpenLink { code }
    RevokeCredential { credential }
    CreateInvitation { uses seconds rooms name }
    RevokeInvitation { invitation }
    Kick { room account reason }
    Ban { room account until reason }
    Unban { room account }
    Mute { room account until reason }
    Unmute { room account }
    SetSlow { room seconds }
    Report { room seq reason }
    RemoveMessages { room account seconds }
    Subscribe { log after }
    Unsubscribe { log }
    History { room before limit }
    FindRoom { name }
    Rooms { after }
    Members { room after }
    Accounts { ids }
    Ping { token }
    ProbeReply { token }
    FindAccount { name }
    Devices {}
    Invitations { after }
    Bans { room after }
    Error { code retry detail message }
    Done {}
    Ack { nonce room seq ts id }
    RoomInfo { room name head members online joined role is_private is_read_only with topic }
    RoomList { rooms more }
    MemberList { room members more }
    AccountList { accounts }
    Subscribed { log epoch head name topic members member_count online }
    Reset { log epoch head }
    HistoryPage { room epoch as_of messages more gaps }
    Pong { token }
    DeviceList { devices }
    InvitationMade { invitation code expires }
    InvitationList { invitations more }
    BanList { room bans more }
    Gap { log from to reason }
    Presence { room online }
    Probe { token }
    Close { reason code reconnect message wait_ms }
    Renamed { account name }
    SubscriptionEnded { log code message }
    @logged
});

fn survives_the_wire<B: Body + PartialEq + Debug>(value: &B) {
    let mut whole = Vec::new();
    let Ok(frame) = Frame::of(value, RequestId(7)) else {
        let refused = encode_frame(value, RequestId(7), &mut whole);
        assert!(matches!(refused, Err(FrameError::TooLong { .. })));
        assert!(whole.is_empty(), "a frame that does not fit leaves nothing");
        return;
    };
    encode_frame(value, RequestId(7), &mut whole).expect("the other way to write it did");
    assert_eq!(&whole[HEADER_BYTES..], &frame.body[..]);
    assert_eq!(&frame.decode::<B>().expect("it is a B"), value);
    assert_eq!(&frame.decode_lenient::<B>().expect("it is a B"), value);
}

fn filled(texts: usize, bytes: usize) -> HistoryPage {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    HistoryPage {
        room: RoomId(u64::MAX),
        epoch: Epoch(u64::MAX),
        as_of: Seq(u64::MAX),
        messages: List::first_of((0..texts).map(|_| Message {
            seq: Seq(u64::MAX),
            ts: Timestamp(u64::MAX),
            from: AccountId(u64::MAX),
            id: Random::random(&mut rng),
            body: TextBody {
                reply_to: EventSeq::new(Seq(u64::MAX)),
                ..TextBody::say("x".repeat(bytes))
            },
        })),
        more: true,
        gaps: List::first_of((0..HISTORY_GAPS_MAX).map(|_| Gap {
            log: LogId(u64::MAX),
            from: Seq(u64::MAX),
            to: Seq(u64::MAX),
            reason: u16::MAX,
        })),
    }
}

#[test]
fn the_largest_pages_fit_into_a_frame_and_are_read() {
    survives_whole(&filled(HISTORY_MESSAGES_MAX, HISTORY_TEXT_BYTES_MAX / HISTORY_MESSAGES_MAX));
    survives_whole(&filled(2, TEXT_BYTES_MAX));
    let name = "x".repeat(NAME_BYTES_MAX);
    survives_whole(&RoomList {
        rooms: List::first_of((0..PAGE_ITEMS_MAX).map(|_| RoomInfo {
            room: RoomId(u64::MAX),
            name: name.clone(),
            head: Seq(u64::MAX),
            members: u32::MAX,
            online: u32::MAX,
            joined: true,
            role: u16::MAX,
            is_private: true,
            is_read_only: true,
            with: AccountId(u64::MAX),
            // Pages have fewer rooms where topics are long.
            topic: String::new(),
        })),
        more: true,
    });
    survives_whole(&BanList {
        room: RoomId(u64::MAX),
        bans: List::first_of((0..SANCTIONS_PAGE_MAX).map(|_| BanInfo {
            account: AccountId(u64::MAX),
            name: name.clone(),
            by: AccountId(u64::MAX),
            by_name: name.clone(),
            since: Timestamp(u64::MAX),
            until: Timestamp(u64::MAX),
            reason: "x".repeat(REASON_BYTES_MAX),
        })),
        more: true,
    });
    survives_whole(&Subscribed {
        log: LogId(u64::MAX),
        epoch: Epoch(u64::MAX),
        head: Seq(u64::MAX),
        name: name.clone(),
        topic: "x".repeat(TOPIC_BYTES_MAX),
        members: List::first_of((0..PAGE_ITEMS_MAX).map(|_| Member {
            account: AccountId(u64::MAX),
            name: name.clone(),
            online: true,
        })),
        member_count: u32::MAX,
        online: u32::MAX,
    });
}

fn survives_whole<B: Body + PartialEq + Debug>(value: &B) {
    assert!(Frame::of(value, RequestId(1)).is_ok(), "the limits leave room for it");
    survives_the_wire(value);
}
