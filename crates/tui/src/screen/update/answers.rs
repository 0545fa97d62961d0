//! What comes back from an effect, and what it changes.

use chat_client::Fingerprint;
use chat_client::sanitize::Inert;
use chat_proto::{Device, Member, MessageId, RoomInfo, RoomName, Seq};

use super::network::gap_words;
use super::{Answer, Effect, Failure, Reader, apart, inviting, moments, network, room_news};
use crate::screen::clock::Clock;
use crate::screen::history::{Entry, PageRequest, Place};
use crate::screen::layers::goto::GoTo;
use crate::screen::layers::linking::Linking;
use crate::screen::model::Model;
use crate::screen::moderating::{self, Moderating};
use crate::screen::page_retry::PageRetry;
use crate::screen::room::RoomIndex;
use crate::screen::sanitize;
use crate::screen::server::{Server, ServerId};

/// Members that an answer names; the rest is a number.
const NAMED_MAX: usize = 200;

pub(super) fn answer(model: &mut Model, id: ServerId, answer: Answer, effects: &mut Vec<Effect>) {
    let (server, mut reader) = apart(model, id);
    match answer {
        Answer::Sent { ticket, result } => sent(server, &reader, ticket, result),
        Answer::Joined(name, Ok(info)) => joined(model, id, &name, &info),
        Answer::Joined(name, Err(failure)) => not_joined(server, &reader, &name, &failure),
        Answer::Left(index, Ok(())) => left(model, id, index),
        Answer::Left(index, Err(failure)) => {
            let title = &server.rooms[index].title;
            server.trouble(&format!("#{title} was not left: {}", failure.why), reader.clock);
        }
        Answer::Rooms(Ok(rooms)) => model.layers.push(Box::new(GoTo::of_all(rooms))),
        Answer::Who(index, Ok(members)) => {
            let text = list_members(&server.rooms[index].title, &members);
            server.answer(&text, reader.clock);
        }
        Answer::Moderated(index, result) => moderated(server, &reader, index, result),
        Answer::Reported(reported, result) => {
            let text = moderating::told_report(&reported, result.as_ref().ok());
            server.answer(&text, reader.clock);
            if let Err(failure) = result {
                let why = sanitize::line(&failure.why);
                server.trouble(&format!("it could not be had: {why}"), reader.clock);
            }
        }
        Answer::Nick(name, Ok(())) => {
            *reader.flash = Some(format!("you are {name}").into());
            network::own_name(server, &reader, &sanitize::line(name.as_str()));
        }
        Answer::Changed(..) | Answer::Created(..) | Answer::Talks(..) => {
            room_news::answered(model, id, answer);
        }
        Answer::Link(Ok(code)) => model.layers.push(Box::new(Linking::new(code))),
        Answer::Devices(Ok(devices)) => {
            server.answer(&list_devices(&devices, reader.clock), reader.clock);
        }
        Answer::Revoked(Ok(device)) => {
            server.answer(&format!("revoked, and cut off: {device}"), reader.clock);
        }
        Answer::Link(Err(failure)) => {
            server.trouble(&format!("no device can be linked: {}", failure.why), reader.clock);
        }
        Answer::Revoked(Err(failure)) => {
            server.trouble(&format!("nothing was revoked: {}", failure.why), reader.clock);
        }
        Answer::Located(index, result) => moments::located(server, &mut reader, index, result),
        Answer::Page(index, request, result) => page(server, &mut reader, index, request, result),
        Answer::Invited(terms, result) => inviting::invited(model, &terms, result, effects),
        Answer::Invites(Ok(open)) => inviting::listed(server, &reader, &open),
        Answer::InvitationRevoked(id, result) => {
            inviting::revoked(server, &reader, id, result);
        }
        Answer::Rooms(Err(failure))
        | Answer::Devices(Err(failure))
        | Answer::Who(_, Err(failure))
        | Answer::Invites(Err(failure)) => {
            server.trouble(&sanitize::line(&failure.why), reader.clock);
        }
        Answer::Nick(name, Err(failure)) => {
            server.trouble(&format!("you are not {name}: {}", failure.why), reader.clock);
        }
    }
}

fn sent(server: &mut Server, reader: &Reader<'_>, ticket: u64, result: Result<MessageId, String>) {
    // Nothing is found when the outbox has told of the message before.
    let Some(typed) = server.sends.take(ticket) else {
        return;
    };
    match result {
        Ok(id) => server.rooms[typed.room].history.identify(typed.local, id),
        Err(why) => server.refuse(typed.room, typed.local, typed.text, &why, reader.keymap),
    }
}

fn joined(model: &mut Model, id: ServerId, name: &RoomName, info: &RoomInfo) {
    let server = &mut model.servers[id.0];
    let by_name = server.room_by_title(name.as_str());
    let index = server.room_with(info.room, &info.name);
    let room = &mut server.rooms[index];
    (room.member, room.wanted) = (true, false);
    room.online = room.online.or(Some(info.online));
    server.rooms[by_name].wanted = false;
    if server.current == by_name {
        model.open_in(id, index);
    }
}

fn not_joined(server: &mut Server, reader: &Reader<'_>, name: &RoomName, failure: &Failure) {
    let why = &failure.why;
    let told = match failure.refused {
        true => {
            let index = server.room_by_title(name.as_str());
            server.rooms[index].wanted = false;
            format!("#{name} could not be joined: {why}")
        }
        false => format!("#{name} is joined as soon as there is a connection ({why})"),
    };
    server.trouble(&told, reader.clock);
}

fn left(model: &mut Model, id: ServerId, index: RoomIndex) {
    let server = &mut model.servers[id.0];
    let room = &mut server.rooms[index];
    (room.member, room.wanted) = (false, false);
    (room.unread, room.mentions, room.online) = (0, 0, None);
    room.history.restart(Seq::ZERO);
    let told = format!("you have left {}", room.label());
    if let Some(other) = server.listed().into_iter().find(|&other| other != index)
        && index == server.current
    {
        model.open_in(id, other);
    }
    let (server, reader) = apart(model, id);
    server.answer(&told, reader.clock);
}

fn page(
    server: &mut Server,
    reader: &mut Reader<'_>,
    index: RoomIndex,
    request: PageRequest,
    result: Result<chat_client::HistoryPage, Failure>,
) {
    match result {
        Ok(page) => {
            let entries = entries_of(server, reader.clock, &page);
            server.rooms[index].history.page(request, entries, page.as_of, page.more);
            server.page_retry = PageRetry::default();
        }
        Err(failure) => {
            server.rooms[index].history.page_failed(request);
            server.page_retry.failed(reader.clock.now.ms);
            *reader.flash =
                Some(format!("older messages could not be had: {}", failure.why).into());
        }
    }
}

/// What a page shows: its messages, and at their places what the server could not read.
fn entries_of(server: &Server, clock: &Clock, page: &chat_client::HistoryPage) -> Vec<Entry> {
    let messages = page.messages.iter().map(|message| server.entry_of(message, clock));
    let gaps = page.gaps.iter().map(|gap| {
        // Nobody knows when it was; the next message tells about when.
        let next = page.messages.iter().find(|message| message.seq > gap.to);
        let time = next.map_or_else(|| clock.local_now(), |message| clock.local(message.ts.0));
        let (kind, text) = gap_words((gap.from, gap.to), gap.known_reason());
        Entry::new(Place::of(gap.from), None, time, kind, &text)
    });
    let mut entries: Vec<Entry> = messages.chain(gaps).collect();
    entries.sort_by_key(|entry| entry.place);
    entries
}

/// What was done is told by the room's log, to everybody.
fn moderated(
    server: &mut Server,
    reader: &Reader<'_>,
    index: RoomIndex,
    result: Result<Moderating, Failure>,
) {
    match result {
        Ok(Moderating::Done) => {}
        Ok(Moderating::Reported) => {
            server.answer("the moderators are told", reader.clock);
        }
        Ok(Moderating::Nobody(name)) => {
            let name = sanitize::line(name.as_str());
            let title = &server.rooms[index].title;
            let text = format!("nobody called {name} is in #{title}, or was of late");
            server.trouble(&text, reader.clock);
        }
        Ok(Moderating::Bans(bans)) => {
            let text = moderating::told_bans(&server.rooms[index].title, &bans, reader.clock);
            server.answer(&text, reader.clock);
        }
        Err(failure) => server.trouble(&sanitize::line(&failure.why), reader.clock),
    }
}

fn list_members(title: &str, members: &[Member]) -> String {
    let named = |online: bool| -> Vec<Inert> {
        let members = members.iter().filter(|member| member.online == online);
        let mut names: Vec<Inert> =
            members.take(NAMED_MAX).map(|member| sanitize::line(&member.name)).collect();
        names.sort();
        names
    };
    let (here, away) = (named(true), named(false));
    let mut text = format!("#{title}, {} here: {}", here.len(), here.join(", "));
    if !away.is_empty() {
        text.push_str(&format!("\n  {} away: {}", away.len(), away.join(", ")));
    }
    text.push_str(&and_more(members.len()));
    text
}

/// What signs in to the account. Labels are what devices call themselves.
fn list_devices(devices: &[Device], clock: &Clock) -> String {
    let mut text = format!("{} sign in as you:", devices.len());
    if devices.len() == 1 {
        text = "1 signs in as you:".to_owned();
    }
    for device in devices {
        let added = clock.local(device.added.0);
        let fingerprint = Fingerprint(device.fingerprint);
        let label = match device.label.is_empty() {
            true => "the first".into(),
            false => sanitize::line(&device.label),
        };
        text.push_str(&format!("\n  {label}, since {}: {fingerprint}", added.date()));
    }
    text.push_str("\n  /devices revoke FINGERPRINT takes one back; its beginning is enough");
    text
}

fn and_more(count: usize) -> String {
    match count.checked_sub(NAMED_MAX) {
        None | Some(0) => String::new(),
        Some(more) => format!("\n  and up to {more} more"),
    }
}
