//! What requests tell of a room that the asker does not know of: nothing.

use chat_proto::{
    Accounts, AnyRequest, Body, CommandRequest, CreateInvitation, CreateRoom, Credential,
    CredentialId, Delete, Edit, FrameCodec, InvitationCode, InvitationId, Invite, Join, Kind,
    Leave, LinkCodeHash, Nickname, Nonce, OpenDirect, OpenLink, PublicKey, React, Rename,
    RequestId, RevokeCredential, RevokeInvitation, Send, SetAccess, SetReadOnly, SetRole, SetTopic,
    StreamId, TextBody, Timestamp, encode_frame,
};

use chat_proto::{Ban, Kick, Mute, RemoveMessages, Report, SetSlow, Unban, Unmute};

use super::*;
use crate::{
    Action, Answer, BoundStream, Command, Decision, Lookup, PastSend, PostBody, Snapshot,
    StoreError, StoreSecret,
};

/// A store in which nothing has been decided.
struct Nothing;

impl Lookup for Nothing {
    fn stream(&self, _by: AccountId, _of: StreamId) -> Result<Option<BoundStream>, StoreError> {
        Ok(None)
    }

    fn past_send(&self, _by: AccountId, _nonce: Nonce) -> Result<Option<PastSend>, StoreError> {
        Ok(None)
    }

    fn newest_ts(&self, _log: LogId) -> Result<Timestamp, StoreError> {
        Ok(Timestamp(0))
    }
}

const SECRET: &str = "secret";

/// When everything is asked.
const NOW: Timestamp = Timestamp(1_000);

/// A lobby and a room that only its member knows of; ada is in none, bob in both.
struct World {
    state: State,
    ada: AccountId,
    bob: AccountId,
    secret: RoomId,
}

fn key_numbered(number: u8) -> Credential {
    Credential::Key(PublicKey([number; 32]))
}

fn run(state: &mut State, action: Action) -> Decision {
    let unchanged = state.answer_without_change(&action);
    let applied = state.apply(Command { ts: NOW, action }, &Nothing).unwrap();
    applied.assert_agrees_with(unchanged);
    applied
}

fn sign_in(state: &mut State, key: u8, name: &str) -> AccountId {
    let (credential, name) = (key_numbered(key), Nickname::parse(name));
    match run(
        state,
        Action::SignIn {
            credential,
            name: name.map(|name| Box::new(name.into())),
            name_is_firm: true,
            registration: crate::Registration::Open,
            invitation: None,
        },
    )
    .answer
    {
        Ok(Answer::SignedIn(account)) => account,
        other => panic!("{other:?}"),
    }
}

fn join(state: &mut State, account: AccountId, name: &str) -> RoomId {
    let name = RoomName::parse(name).unwrap();
    match run(state, Action::Join { account, name: name.into() }).answer {
        Ok(Answer::Room(room)) => room,
        other => panic!("{other:?}"),
    }
}

fn world() -> World {
    let blank =
        Snapshot { epoch: Epoch(1), secret: Some(StoreSecret::default()), ..Snapshot::default() };
    let mut state = State::restore(blank).unwrap();
    let ada = sign_in(&mut state, 1, "ada");
    let bob = sign_in(&mut state, 2, "bob");
    join(&mut state, bob, "lobby");
    let secret = join(&mut state, bob, SECRET);
    state.hide(secret);
    World { state, ada, bob, secret }
}

fn framed(body: &impl Body) -> Vec<u8> {
    let mut frame = Vec::new();
    encode_frame(body, RequestId(1), &mut frame).unwrap();
    frame
}

#[expect(clippy::wildcard_enum_match_arm, reason = "other kinds are no requests, as the test sees")]
/// A request of each kind that asks for a room, by whatever it can be asked for.
fn asks_for(kind: Kind, room: RoomId) -> Option<AnyRequest> {
    let nonce = Nonce { stream: StreamId([1; 16]), n: 1 };
    let (of, text) = (Seq(1), "hello".to_owned());
    let frame = match kind {
        Kind::Send => framed(&Send { nonce, room, body: TextBody::say(text) }),
        Kind::Edit => framed(&Edit { nonce, room, of, text }),
        Kind::Delete => framed(&Delete { nonce, room, of }),
        Kind::React => framed(&React { nonce, room, of, reaction: text, is_set: true }),
        Kind::Leave => framed(&Leave { room }),
        Kind::SetRole => framed(&SetRole { room, account: AccountId(1), role: 2 }),
        Kind::Kick => framed(&Kick { room, account: AccountId(1), reason: text }),
        Kind::Ban => {
            framed(&Ban { room, account: AccountId(1), until: Timestamp(0), reason: text })
        }
        Kind::Unban => framed(&Unban { room, account: AccountId(1) }),
        Kind::Mute => {
            framed(&Mute { room, account: AccountId(1), until: Timestamp(0), reason: text })
        }
        Kind::Unmute => framed(&Unmute { room, account: AccountId(1) }),
        Kind::SetSlow => framed(&SetSlow { room, seconds: 1 }),
        Kind::Report => framed(&Report { room, seq: of, reason: text }),
        Kind::RemoveMessages => {
            framed(&RemoveMessages { room, account: AccountId(1), seconds: 60 })
        }
        Kind::Bans => framed(&Bans { room, after: AccountId(0) }),
        Kind::SetAccess => framed(&SetAccess { room, is_private: false }),
        Kind::Invite => framed(&Invite { room, account: AccountId(1), is_set: true }),
        Kind::SetTopic => framed(&SetTopic { room, topic: text }),
        Kind::SetReadOnly => framed(&SetReadOnly { room, is_read_only: true }),
        Kind::OpenDirect => framed(&OpenDirect { account: AccountId(room.0) }),
        Kind::FindAccount => framed(&FindAccount { name: SECRET.to_owned() }),
        Kind::Subscribe => framed(&Subscribe { log: room.into(), after: None }),
        Kind::Unsubscribe => framed(&Unsubscribe { log: room.into() }),
        Kind::History => framed(&History { room, before: Seq(u64::MAX), limit: 10 }),
        Kind::FindRoom => framed(&FindRoom { name: SECRET.to_owned() }),
        Kind::Rooms => framed(&Rooms { after: RoomId(0) }),
        Kind::Members => framed(&Members { room, after: AccountId(0) }),
        Kind::Accounts => framed(&Accounts { ids: List::first_of([AccountId(room.0)]) }),
        Kind::Rename => framed(&Rename { name: SECRET.to_owned() }),
        Kind::CreateInvitation => framed(&CreateInvitation {
            uses: 1,
            seconds: 60,
            rooms: List::first_of([room]),
            name: String::new(),
        }),
        Kind::RevokeInvitation => framed(&RevokeInvitation { invitation: InvitationId(room.0) }),
        Kind::Invitations => framed(&Invitations { after: InvitationId(0) }),
        Kind::Ping => framed(&Ping { token: room.0 }),
        Kind::OpenLink => framed(&OpenLink { code: LinkCodeHash([room.0 as u8; 32]) }),
        Kind::RevokeCredential => {
            framed(&RevokeCredential { credential: CredentialId([room.0 as u8; 16]) })
        }
        Kind::Devices => framed(&Devices {}),
        // A name that is taken cannot be had: see the test of that.
        Kind::Join => framed(&Join { name: "elsewhere".to_owned() }),
        Kind::CreateRoom => framed(&CreateRoom { name: "elsewhere".to_owned(), is_private: true }),
        _ => return None,
    };
    let frame = FrameCodec::default().next_frame(&frame).unwrap().unwrap();
    Some(AnyRequest::read(&frame).expect("it is in the table").unwrap())
}

/// Everything that a request leads to, for the asker and for others.
#[derive(PartialEq, Debug)]
enum Outcome {
    Query(Result<Answered, Refusal>),
    /// As it is answered when there is nothing to carry out, and as it is carried out.
    Command(Option<Answer>, Decision),
}

fn outcome(state: &State, account: AccountId, request: AnyRequest) -> Outcome {
    let query = match request {
        AnyRequest::Query(query) => query,
        AnyRequest::Command(command) => {
            let action = action(account, command);
            let unchanged = state.answer_without_change(&action);
            return Outcome::Command(unchanged, run(&mut state.clone(), action));
        }
    };
    Outcome::Query(Asker::new(state, &Presence::default(), account, NOW).answer(&query))
}

fn action(account: AccountId, command: CommandRequest) -> Action {
    let mut draw = || InvitationCode([7; 16]).hash();
    let (credential, session) = (key_numbered(1).id(), crate::conversation::session::action);
    session(account, credential, command, &mut draw).unwrap().unwrap()
}

#[test]
fn no_request_tells_a_room_that_one_does_not_know_of_from_one_that_is_not_there() {
    let World { state, ada, bob, secret } = world();
    let without = state.clone().without_room(secret);
    for kind in Kind::ALL.iter().copied() {
        let is_asked = kind.request_bytes_max().is_some()
            && !matches!(kind, Kind::Hello | Kind::SignIn | Kind::LinkDevice | Kind::ProbeReply);
        let Some(request) = asks_for(kind, secret) else {
            assert!(!is_asked, "how does a {kind:?} ask for a room?");
            continue;
        };
        let told = outcome(&state, ada, request.clone());
        assert_eq!(told, outcome(&without, ada, request.clone()), "{kind:?}");
        // The member is told otherwise, or the comparison would prove nothing.
        let asks_for_nothing = matches!(
            kind,
            Kind::Unsubscribe
                | Kind::Accounts
                | Kind::FindAccount
                | Kind::Rename
                | Kind::Ping
                | Kind::Join
                | Kind::CreateRoom
                | Kind::OpenDirect
                | Kind::OpenLink
                | Kind::RevokeCredential
                | Kind::Devices
                | Kind::RevokeInvitation
                | Kind::Invitations
        );
        let told = outcome(&state, bob, request.clone());
        assert_eq!(told == outcome(&without, bob, request), asks_for_nothing, "{kind:?}");
    }
}

#[test]
fn a_taken_name_is_refused_without_telling_by_what() {
    let World { mut state, ada, bob, .. } = world();
    for wished in [SECRET, "SECRET", "\u{455}ecret"] {
        let name = RoomName::parse(wished).unwrap();
        let refused =
            run(&mut state, Action::Join { account: ada, name: name.into() }).answer.unwrap_err();
        let expected = Refusal::NameTaken {
            wished: format!("#{}", RoomName::parse(wished).unwrap()),
            holder: "another room".to_owned(),
        };
        assert_eq!(refused, expected);
    }
    // Its member, and whoever knows of the room that it looks like, is told the same.
    for (account, wished, holder) in [(bob, "\u{455}ecret", SECRET), (ada, "l\u{43e}bby", "lobby")]
    {
        let name = RoomName::parse(wished).unwrap();
        let action = Action::Join { account, name: name.into() };
        let refused = run(&mut state, action).answer.unwrap_err().to_string();
        assert!(refused.ends_with("looks like another room. Choose another one"), "{refused}");
        assert!(!refused.contains(holder), "{refused}");
    }
}

#[test]
fn only_members_learn_the_name_of_a_room_that_they_may_not_post_in() {
    let World { mut state, ada, bob, secret } = world();
    let send = |account| {
        let nonce = Nonce { stream: StreamId([1; 16]), n: 1 };
        let (credential, body) = (key_numbered(1), PostBody::Text(TextBody::say("hello")));
        Action::Post { account, credential: credential.id(), nonce, room: secret, body }
    };
    let refused = run(&mut state, send(ada)).answer.unwrap_err();
    assert!(matches!(refused, Refusal::UnknownRoom { .. }), "{refused:?}");
    assert!(!refused.to_string().contains(SECRET), "{refused}");
    assert!(run(&mut state, send(bob)).answer.is_ok());
}

#[path = "walls_tests.rs"]
mod walls;
