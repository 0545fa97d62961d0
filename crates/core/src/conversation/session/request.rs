//! Requests of a signed-in client: a command becomes an action with parsed names, a query goes on
//! as it came.

use chat_proto::{
    AccountId, AnyRequest, CommandRequest, CreateInvitation, CreateRoom, CredentialId, Delete,
    Edit, ErrorCode, FrameRef, InvitationCode, InvitationHash, Invite, Join, Kind, Leave,
    NameError, Nickname, Nonce, OpenDirect, OpenLink, ProbeReply, React, Rename, RequestId,
    RevokeCredential, RevokeInvitation, Role, RoomName, Send, SetAccess, SetReadOnly, SetRole,
    SetTopic, Window, encode_frame,
};

use super::moderation::ModerationRequest;
use super::{Admission, Closing, DrawnCode, Phase, ReceivedRequest, Request, Session, Step, body};
use crate::{Action, NewInvitation, PostBody, Refusal, Registration, RoomChange, WishedName};

/// What somebody is told to wait who makes two invitations at once.
const ONE_AT_A_TIME_MS: u64 = 1_000;

impl Session {
    /// Reads one request.
    pub(super) fn read(
        &mut self,
        admission: &Admission,
        (account, credential): (AccountId, CredentialId),
        kind: Kind,
        frame: &FrameRef<'_>,
    ) -> Result<Step, Closing> {
        let Some(read) = AnyRequest::read(frame) else {
            if kind != Kind::ProbeReply {
                return Err(Closing::out_of_turn(kind));
            }
            return body::<ProbeReply>(frame).map(|_alive| Step::Nothing);
        };
        let (window, request) = match read.map_err(|cause| Closing::unreadable(frame, &cause))? {
            AnyRequest::Query(query) => (Window::Queries, Request::Query(account, query)),
            AnyRequest::Command(command) => {
                if let Some(why) = self.refuses(admission, &command) {
                    return Ok(refuse(frame, &why));
                }
                let mut draw = || self.draw(admission, frame.request);
                match action(account, credential, command, &mut draw)? {
                    Ok(action) => {
                        (Window::Commands, Request::Command(said_with(credential, action)))
                    }
                    Err(broken) => return Ok(refuse(frame, &Refusal::BadName(broken))),
                }
            }
        };
        Ok(Step::Request(ReceivedRequest { id: frame.request, window, request }))
    }

    /// What needs no state to be refused.
    fn refuses(&self, admission: &Admission, command: &CommandRequest) -> Option<Refusal> {
        if !matches!(command, CommandRequest::CreateInvitation(_)) {
            return None;
        }
        if admission.is_closed() {
            // It would be good for nothing.
            return Some(Refusal::NotAdmitted { registration: Registration::Closed });
        }
        let is_busy = matches!(self.phase, Phase::Ready(_, _, Some(_)));
        is_busy.then_some(Refusal::RateLimited { wait_ms: ONE_AT_A_TIME_MS })
    }

    /// Draws a code: it stays here until the reply, and its hash alone goes on.
    fn draw(&mut self, admission: &Admission, request: RequestId) -> InvitationHash {
        let code = InvitationCode(admission.identity.draw());
        if let Phase::Ready(_, _, drawn) = &mut self.phase {
            *drawn = Some(Box::new(DrawnCode { request, code }));
        }
        code.hash()
    }
}

/// The action, with what the account is signed in with where it is said.
fn said_with(credential: CredentialId, action: Action) -> Action {
    match matches!(action, Action::Post { .. }) {
        true => action,
        false => Action::Authenticated { credential, action: Box::new(action) },
    }
}

/// What a command asks of the state; or why a name in it is none. `draw` makes a code and tells its hash.
#[expect(clippy::too_many_lines, reason = "a line or two for each command")]
pub(crate) fn action(
    account: AccountId,
    credential: CredentialId,
    command: CommandRequest,
    draw: &mut dyn FnMut() -> InvitationHash,
) -> Result<Result<Action, NameError>, Closing> {
    let post = |nonce: Nonce, room, body| {
        if nonce.n == 0 {
            let message = "the first send of a stream is number 1, not 0";
            return Err(Closing::protocol(ErrorCode::Malformed, message));
        }
        Ok(Ok(Action::Post { account, credential, nonce, room, body }))
    };
    Ok(match command {
        CommandRequest::Send(Send { nonce, room, body }) => {
            post(nonce, room, PostBody::Text(body))?
        }
        CommandRequest::Edit(Edit { nonce, room, of, text }) => {
            post(nonce, room, PostBody::Edit { of, text })?
        }
        CommandRequest::Delete(Delete { nonce, room, of }) => {
            post(nonce, room, PostBody::Delete { of })?
        }
        CommandRequest::React(React { nonce, room, of, reaction, is_set }) => {
            post(nonce, room, PostBody::React { of, reaction, is_set })?
        }
        CommandRequest::Join(Join { name }) => {
            RoomName::parse(&name).map(|name| Action::Join { account, name: name.into() })
        }
        CommandRequest::SetRole(SetRole { room, account: member, role }) => {
            let change = RoomChange::Role { account: member, role: known_role(role)? };
            Ok(Action::ChangeRoom { account, room, change })
        }
        CommandRequest::Kick(asked) => Ok(asked.into_action(account)),
        CommandRequest::Ban(asked) => Ok(asked.into_action(account)),
        CommandRequest::Unban(asked) => Ok(asked.into_action(account)),
        CommandRequest::Mute(asked) => Ok(asked.into_action(account)),
        CommandRequest::Unmute(asked) => Ok(asked.into_action(account)),
        CommandRequest::SetSlow(asked) => Ok(asked.into_action(account)),
        CommandRequest::Report(asked) => Ok(asked.into_action(account)),
        CommandRequest::RemoveMessages(asked) => Ok(asked.into_action(account)),
        CommandRequest::SetAccess(SetAccess { room, is_private }) => {
            let change = RoomChange::Access { is_private };
            Ok(Action::ChangeRoom { account, room, change })
        }
        CommandRequest::Invite(Invite { room, account: invited, is_set }) => {
            let change = RoomChange::Invitation { account: invited, is_set };
            Ok(Action::ChangeRoom { account, room, change })
        }
        CommandRequest::SetTopic(SetTopic { room, topic }) => {
            Ok(Action::ChangeRoom { account, room, change: RoomChange::Topic { topic } })
        }
        CommandRequest::SetReadOnly(SetReadOnly { room, is_read_only }) => {
            let change = RoomChange::ReadOnly { is_read_only };
            Ok(Action::ChangeRoom { account, room, change })
        }
        CommandRequest::OpenDirect(OpenDirect { account: with }) => {
            Ok(Action::OpenDirect { account, with })
        }
        CommandRequest::CreateRoom(CreateRoom { name, is_private }) => {
            RoomName::parse(&name).map(|name| {
                let name = name.into();
                Action::CreateRoom { account, name, is_private }
            })
        }
        CommandRequest::Leave(Leave { room }) => Ok(Action::Leave { account, room }),
        CommandRequest::OpenLink(OpenLink { code }) => Ok(Action::OpenLink { account, code }),
        CommandRequest::RevokeCredential(RevokeCredential { credential }) => {
            Ok(Action::RevokeCredential { account, credential })
        }
        CommandRequest::Rename(Rename { name }) => Nickname::parse(&name).map(|name| {
            let WishedName { named, is_reserved, .. } = name.into();
            Action::Rename { account, name: named, is_reserved }
        }),
        CommandRequest::CreateInvitation(asked) => {
            let CreateInvitation { uses, seconds, rooms, name } = asked;
            let (hash, rooms) = (draw(), rooms.to_vec());
            let invitation = Box::new(NewInvitation { hash, uses, seconds, rooms, name });
            Ok(Action::CreateInvitation { account, invitation })
        }
        CommandRequest::RevokeInvitation(RevokeInvitation { invitation }) => {
            Ok(Action::RevokeInvitation { account, invitation })
        }
    })
}

fn known_role(number: u16) -> Result<Role, Closing> {
    Role::from_number(number).ok_or_else(|| {
        let message = format!("{number} is no role: 1 is a member, 2 a moderator, 3 an owner");
        Closing::protocol(ErrorCode::Malformed, message)
    })
}

/// Refuses what no state could allow, without troubling anybody else.
fn refuse(frame: &FrameRef<'_>, why: &Refusal) -> Step {
    let mut reply = Vec::new();
    encode_frame(&why.to_error(), frame.request, &mut reply).expect("a sentence fits a frame");
    Step::Reply(reply)
}
