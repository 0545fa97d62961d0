//! Requests of a signed-in client: a command becomes an action with parsed names, a query goes on
//! as it came.

use chat_proto::{
    AccountId, AnyRequest, CommandRequest, CredentialId, Delete, Edit, ErrorCode, FrameRef, Join,
    Kind, Leave, NameError, Nickname, Nonce, OpenLink, ProbeReply, React, Rename, RevokeCredential,
    Role, RoomName, Send, SetRole, Window, encode_frame,
};

use super::{Closing, ReceivedRequest, Request, Step, body};
use crate::{Action, PostBody, Refusal, RoomChange, WishedName};

/// Reads one request.
pub(super) fn read(
    account: AccountId,
    credential: CredentialId,
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
        AnyRequest::Command(command) => match action(account, credential, command)? {
            Ok(action) => (Window::Commands, Request::Command(said_with(credential, action))),
            Err(broken) => return Ok(refuse(frame, broken)),
        },
    };
    Ok(Step::Request(ReceivedRequest { id: frame.request, window, request }))
}

/// The action, with what the account is signed in with where it is said.
fn said_with(credential: CredentialId, action: Action) -> Action {
    match matches!(action, Action::Post { .. }) {
        true => action,
        false => Action::Authenticated { credential, action: Box::new(action) },
    }
}

/// What a command asks of the state; or why a name in it is none.
pub(crate) fn action(
    account: AccountId,
    credential: CredentialId,
    command: CommandRequest,
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
        CommandRequest::Leave(Leave { room }) => Ok(Action::Leave { account, room }),
        CommandRequest::OpenLink(OpenLink { code }) => Ok(Action::OpenLink { account, code }),
        CommandRequest::RevokeCredential(RevokeCredential { credential }) => {
            Ok(Action::RevokeCredential { account, credential })
        }
        CommandRequest::Rename(Rename { name }) => Nickname::parse(&name).map(|name| {
            let WishedName { named, is_reserved, .. } = name.into();
            Action::Rename { account, name: named, is_reserved }
        }),
    })
}

fn known_role(number: u16) -> Result<Role, Closing> {
    Role::from_number(number).ok_or_else(|| {
        let message = format!("{number} is no role: 1 is a member, 2 a moderator, 3 an owner");
        Closing::protocol(ErrorCode::Malformed, message)
    })
}

/// Refuses what no state could allow, without troubling anybody else.
fn refuse(frame: &FrameRef<'_>, broken: NameError) -> Step {
    let mut reply = Vec::new();
    encode_frame(&Refusal::BadName(broken).to_error(), frame.request, &mut reply)
        .expect("a sentence fits a frame");
    Step::Reply(reply)
}
