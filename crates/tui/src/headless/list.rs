//! `rooms` and `who`: what there is, and who is there.

use chat_client::sanitize;
use chat_proto::{Member, RoomInfo};
use tokio::time::Instant;

use super::Context;
use super::failure::Failure;
use super::finding::find_all;
use super::link::Link;
use super::record::Record;
use crate::args::ListArgs;

pub(super) async fn rooms(context: &mut Context, args: &ListArgs) -> Result<(), Failure> {
    let deadline = Instant::now() + args.timeout;
    let listing = async {
        let mut link = Link::open(context.config.clone(), deadline).await?;
        let client = link.client.clone();
        let mut rooms = link.answer(deadline, client.rooms()).await?;
        rooms.sort_by(|one, other| one.name.cmp(&other.name));
        for room in rooms {
            context.output.print(room_line(&room, args.json)).await?;
        }
        link.close().await;
        Ok(())
    };
    tokio::select! {
        done = listing => done,
        failure = context.output.gone() => Err(failure),
        failure = context.signals.next() => Err(failure),
    }
}

pub(super) async fn who(context: &mut Context, args: &ListArgs) -> Result<(), Failure> {
    let deadline = Instant::now() + args.timeout;
    let listing = async {
        let mut link = Link::open(context.config.clone(), deadline).await?;
        let (rooms, _none_is_waited_for) = find_all(&mut link, &context.rooms, false).await?;
        for room in &rooms {
            let client = link.client.clone();
            let mut members = link.answer(deadline, client.members(room.room)).await?;
            members.sort_by(|one, other| one.name.cmp(&other.name));
            for member in members {
                let line = member_line(room, &member, args.json, rooms.len() > 1);
                context.output.print(line).await?;
            }
        }
        link.close().await;
        Ok(())
    };
    tokio::select! {
        done = listing => done,
        failure = context.output.gone() => Err(failure),
        failure = context.signals.next() => Err(failure),
    }
}

fn room_line(room: &RoomInfo, json: bool) -> String {
    if json {
        return Record::room(room).json();
    }
    let name = sanitize::inert(&room.name);
    format!("#{name}\t{} members\t{} online", room.members, room.online)
}

fn member_line(room: &RoomInfo, member: &Member, json: bool, names_room: bool) -> String {
    if json {
        return Record::member(room, member).json();
    }
    let of = match names_room {
        true => format!("#{}\t", sanitize::inert(&room.name)),
        false => String::new(),
    };
    let state = if member.online { "online" } else { "away" };
    format!("{of}{}\t{state}", sanitize::inert(&member.name))
}
