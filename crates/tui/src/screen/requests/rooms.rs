//! What is asked for about rooms: their settings, new private ones, and conversations of two.

use chat_client::{Client, RequestError};
use chat_proto::{Nickname, RoomId, RoomInfo};

use futures::future::{BoxFuture, FutureExt};

use super::unless;
use crate::screen::commands::RoomCommand;
use crate::screen::update::{Answer, Failure, ServerEffect};

/// Carries out an effect that is about a room; see [`super::request`].
pub(super) fn request(
    client: Client,
    effect: ServerEffect,
    busy: bool,
) -> Option<BoxFuture<'static, Answer>> {
    #[expect(clippy::wildcard_enum_match_arm, reason = "no other effect is about a room's walls")]
    Some(match effect {
        ServerEffect::Change(index, room, command) => async move {
            let changed = unless(busy, change(&client, room, &command)).await;
            Answer::Changed(index, command, changed.and_then(|found| found))
        }
        .boxed(),
        ServerEffect::CreatePrivate(name) => async move {
            let result = unless(busy, client.create_room(&name, true)).await;
            Answer::Created(name, result)
        }
        .boxed(),
        ServerEffect::Talk(name) => async move {
            let room = unless(busy, talk(&client, &name)).await;
            Answer::Talks(name, room.and_then(|found| found))
        }
        .boxed(),
        _ => return None,
    })
}

async fn change(
    client: &Client,
    room: RoomId,
    command: &RoomCommand,
) -> Result<Result<(), Failure>, RequestError> {
    let found = match command {
        RoomCommand::Access { is_private } => {
            return client.set_access(room, *is_private).await.map(Ok);
        }
        RoomCommand::ReadOnly { is_read_only } => {
            return client.set_read_only(room, *is_read_only).await.map(Ok);
        }
        RoomCommand::Topic(topic) => return client.set_topic(room, topic).await.map(Ok),
        RoomCommand::Invite { name, .. } | RoomCommand::Role(name, _) => {
            match client.find_account(name).await? {
                Some(found) => found.account,
                None => return Ok(Err(nobody(name))),
            }
        }
    };
    match command {
        RoomCommand::Role(_name, role) => client.set_role(room, found, *role).await.map(Ok),
        RoomCommand::Invite { is_set, .. } => {
            client.invite_into(room, found, *is_set).await.map(Ok)
        }
        RoomCommand::Access { .. } | RoomCommand::ReadOnly { .. } | RoomCommand::Topic(_) => {
            Ok(Ok(()))
        }
    }
}

async fn talk(client: &Client, name: &Nickname) -> Result<Result<RoomInfo, Failure>, RequestError> {
    match client.find_account(name).await? {
        Some(found) => client.open_direct(found.account).await.map(Ok),
        None => Ok(Err(nobody(name))),
    }
}

fn nobody(name: &Nickname) -> Failure {
    Failure { why: format!("nobody here is called {name}"), refused: true }
}
