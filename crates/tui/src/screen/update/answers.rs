//! What comes back from an effect, and what it changes.

use chat_proto::{Member, MessageId, RoomInfo, RoomName, Seq};

use super::network::gap_words;
use super::{Answer, Failure, moments, network};
use crate::screen::history::{Entry, PageRequest, Place};
use crate::screen::layers::goto::GoTo;
use crate::screen::model::{Model, RoomIndex};
use crate::screen::page_retry::PageRetry;
use crate::screen::shown;

/// Members that an answer names; the rest is a number.
const NAMED_MAX: usize = 200;

pub(super) fn answer(model: &mut Model, answer: Answer) {
    match answer {
        Answer::Sent { ticket, result } => sent(model, ticket, result),
        Answer::Joined(name, result) => joined(model, &name, result),
        Answer::Left(index, result) => left(model, index, result),
        Answer::Rooms(Ok(rooms)) => model.layers.push(Box::new(GoTo::of_all(rooms))),
        Answer::Who(index, Ok(members)) => {
            let text = list_members(&model.rooms[index].title, &members);
            model.answer(&text);
        }
        Answer::Nick(name, Ok(())) => {
            model.flash = Some(format!("you are {name}"));
            network::own_name(model, &shown::line(name.as_str()));
        }
        Answer::Located(index, result) => moments::located(model, index, result),
        Answer::Page(index, request, result) => page(model, index, request, result),
        Answer::Rooms(Err(failure)) | Answer::Who(_, Err(failure)) => {
            model.trouble(&shown::line(&failure.why));
        }
        Answer::Nick(name, Err(failure)) => {
            model.trouble(&format!("you are not {name}: {}", failure.why));
        }
    }
}

fn sent(model: &mut Model, ticket: u64, result: Result<MessageId, String>) {
    // Nothing is found when the outbox has told of the message before.
    let Some(typed) = model.unqueued_with(ticket) else {
        return;
    };
    match result {
        Ok(id) => model.rooms[typed.room].history.identify(typed.local, id),
        Err(why) => model.refuse(typed.room, typed.local, typed.text, &why),
    }
}

fn joined(model: &mut Model, name: &RoomName, result: Result<RoomInfo, Failure>) {
    match result {
        Ok(info) => {
            let by_name = model.room_by_title(name.as_str());
            let index = model.room_with(info.room, &info.name);
            let room = &mut model.rooms[index];
            (room.member, room.wanted) = (true, false);
            room.online = room.online.or(Some(info.online));
            model.rooms[by_name].wanted = false;
            if model.current == by_name {
                model.open(index);
            }
        }
        Err(failure) if failure.refused => {
            let index = model.room_by_title(name.as_str());
            model.rooms[index].wanted = false;
            model.trouble(&format!("#{name} could not be joined: {}", failure.why));
        }
        Err(failure) => {
            let why = failure.why;
            model.trouble(&format!("#{name} is joined as soon as there is a connection ({why})"));
        }
    }
}

fn left(model: &mut Model, index: RoomIndex, result: Result<(), Failure>) {
    let title = model.rooms[index].title.clone();
    match result {
        Ok(()) => {
            let room = &mut model.rooms[index];
            (room.member, room.wanted) = (false, false);
            (room.unread, room.mentions, room.online) = (0, 0, None);
            room.history.restart(Seq::ZERO);
            if let Some(other) = model.listed().into_iter().find(|&other| other != index)
                && index == model.current
            {
                model.open(other);
            }
            model.answer(&format!("you have left #{title}"));
        }
        Err(failure) => {
            model.trouble(&format!("#{title} was not left: {}", failure.why));
        }
    }
}

fn page(
    model: &mut Model,
    index: RoomIndex,
    request: PageRequest,
    result: Result<chat_client::HistoryPage, Failure>,
) {
    match result {
        Ok(page) => {
            let entries = entries_of(model, &page);
            model.rooms[index].history.page(request, entries, page.as_of, page.more);
            model.page_retry = PageRetry::default();
        }
        Err(failure) => {
            model.rooms[index].history.page_failed(request);
            model.page_retry.failed(model.now.ms);
            model.flash = Some(format!("older messages could not be had: {}", failure.why));
        }
    }
}

/// What a page shows: its messages, and at their places what the server could not read.
fn entries_of(model: &Model, page: &chat_client::HistoryPage) -> Vec<Entry> {
    let messages = page.messages.iter().map(|message| model.entry_of(message));
    let gaps = page.gaps.iter().map(|gap| {
        // Nobody knows when it was; the next message tells about when.
        let next = page.messages.iter().find(|message| message.seq > gap.to);
        let time = next.map_or_else(|| model.clock_now(), |message| model.clock(message.ts.0));
        let (kind, text) = gap_words((gap.from, gap.to), gap.known_reason());
        Entry::new(Place::of(gap.from), None, time, kind, &text)
    });
    let mut entries: Vec<Entry> = messages.chain(gaps).collect();
    entries.sort_by_key(|entry| entry.place);
    entries
}

fn list_members(title: &str, members: &[Member]) -> String {
    let named = |online: bool| -> Vec<String> {
        let members = members.iter().filter(|member| member.online == online);
        let mut names: Vec<String> =
            members.take(NAMED_MAX).map(|member| shown::line(&member.name)).collect();
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

fn and_more(count: usize) -> String {
    match count.checked_sub(NAMED_MAX) {
        None | Some(0) => String::new(),
        Some(more) => format!("\n  and up to {more} more"),
    }
}
