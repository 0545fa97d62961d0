//! Every body: what is read is written as bytes that are read as the same.

use chat_proto::*;

use super::{Target, holds};

/// The bodies of every kind, as they are frozen.
const GOLDEN: &str = include_str!("../../../crates/proto/tests/golden/v1.txt");

/// A kind and a version stand in front of the body.
const HEAD_BYTES: usize = 3;

pub(crate) fn target() -> Target {
    let valid =
        golden().map(|(kind, version, body)| [&kind.to_le_bytes()[..], &[version], &body].concat());
    Target {
        name: "bodies",
        corpus: include_str!("../corpus/bodies.hex"),
        valid: valid.collect(),
        check,
        is_taken: |input| frame(input).is_some_and(|frame| read(&frame).is_some()),
    }
}

/// The golden bodies as whole frames.
pub(crate) fn golden_frames() -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    for (nth, (kind, version, body)) in (1..).zip(golden()) {
        let frame = Frame { kind, version, request: RequestId(nth), body: body.into() };
        let mut bytes = Vec::new();
        FrameCodec::default().put_frame(&frame, &mut bytes).expect("they are short");
        frames.push(bytes);
    }
    frames
}

fn golden() -> impl Iterator<Item = (u16, u8, Vec<u8>)> {
    GOLDEN.split("\n\n").filter_map(|part| {
        let mut lines = part.lines();
        let title = lines.next()?;
        let (_name, numbers) = title.split_once(" 0x")?;
        let (kind, version) = numbers.split_once(" v")?;
        // Bytes, two blanks, and what they are.
        let bytes = lines.filter_map(|line| line.split("  ").next());
        let hex: String = bytes.flat_map(str::chars).filter(|c| !c.is_whitespace()).collect();
        let body = data_encoding::HEXLOWER_PERMISSIVE.decode(hex.as_bytes());
        let kind = u16::from_str_radix(kind, 16).expect("a number");
        Some((kind, version.trim().parse().expect("a number"), body.expect("hexadecimal")))
    })
}

fn frame(input: &[u8]) -> Option<Frame> {
    let (head, body) = input.split_at_checked(HEAD_BYTES)?;
    let kind = u16::from_le_bytes([head[0], head[1]]);
    Some(Frame { kind, version: head[2], request: RequestId(1), body: body.to_vec().into() })
}

/// Reads a body strictly as its kind; as what it is written then, and whether that is read as the same.
/// `None`: it is none.
fn written<B: Body + PartialEq>(frame: &Frame) -> Option<(Vec<u8>, bool)> {
    let body: B = frame.decode().ok()?;
    // The codec would have refused a longer one before.
    let again = Frame::of(&body, frame.request).ok()?;
    let is_same = again.decode::<B>().is_ok_and(|read| read == body);
    let is_lenient = again.decode_lenient::<B>().is_ok_and(|read| read == body);
    Some((again.body.to_vec(), is_same && is_lenient))
}

fn check(input: &[u8]) -> Result<(), String> {
    let Some(frame) = frame(input) else { return Ok(()) };
    if let Some((again, is_same)) = read(&frame) {
        holds(is_same, || "it is written as something else".to_owned())?;
        holds(again.len() <= frame.body.len(), || {
            format!("{} bytes are written as {}", frame.body.len(), again.len())
        })?;
    }
    let _request = AnyRequest::read(&frame.borrowed());
    Ok(())
}

macro_rules! kinds {
    ($($body:ident)*) => {
        /// The same of a body of any kind.
        fn read(frame: &Frame) -> Option<(Vec<u8>, bool)> {
            match frame.known_kind()? {
                $(Kind::$body => written::<$body>(frame),)*
            }
        }
    };
}

kinds! {
    Hello Welcome SignIn SignedIn LinkDevice Send Join Leave Rename Edit Delete React SetRole
    SetAccess Invite SetTopic SetReadOnly OpenDirect CreateRoom OpenLink RevokeCredential
    CreateInvitation RevokeInvitation Kick Ban Unban Mute Unmute SetSlow Report RemoveMessages
    Subscribe Unsubscribe History FindRoom Rooms Members Accounts Ping ProbeReply FindAccount
    Devices Invitations Bans Error Done Ack RoomInfo RoomList MemberList AccountList Subscribed
    Reset HistoryPage Pong DeviceList InvitationMade InvitationList BanList Gap Presence Probe
    Close Renamed SubscriptionEnded Posted Joined Left RoomCreated RoomRemoved RoleSet
    AccountCreated AccountRenamed RoomJoined RoomLeft AccountDisabled AccountEnabled
    AdministratorSet KeySet CredentialAdded CredentialRemoved BotCreated LinkOpened
    InvitationCreated InvitationUsed InvitationRevoked Kicked Banned Unbanned Muted Unmuted
    SlowSet MessagesRemoved RoomKicked RoomBanned RoomUnbanned Reported AccessSet InvitationSet
    TopicSet ReadOnlySet DirectBegun RoomInvited InvitationWithdrawn
}
