//! What the client library says, and what it changes.

use chat_client::sanitize::Inert;
use chat_client::{
    Connected, Deed, Event, Message, Moderated, Outgoing, OutgoingState, RoomChange, Subscribed,
};
use chat_proto::{AccountId, ErrorCode, GapReason, RoomId, RoomName, Seq};

use super::{Effect, Reader, ServerEffect, room_news};
use crate::reach::Reach;
use crate::screen::history::{Bound, Entry, Kind, Place, SendMark};
use crate::screen::moderating;
use crate::screen::room::{RoomIndex, ToldGone};
use crate::screen::sanitize;
use crate::screen::server::{Connection, Server};

pub(super) fn event(
    server: &mut Server,
    reader: &mut Reader<'_>,
    event: Event,
    effects: &mut Vec<Effect>,
) {
    match event {
        Event::Connecting { target, attempt } => {
            server.connection = Connection::Connecting { target: sanitize::line(&target), attempt };
        }
        Event::Connected(connected) => online(server, reader, &connected, effects),
        Event::Disconnected { why, retry_in } => {
            let retry_ms =
                retry_in.map(|delay| u64::try_from(delay.as_millis()).unwrap_or(u64::MAX));
            offline(server, reader, &why, retry_ms);
        }
        // The disconnection that follows brings the reason.
        Event::Refused(refusal) => {
            let code = refusal.code;
            server.needs_invitation =
                matches!(code, Some(ErrorCode::NotAdmitted | ErrorCode::BadInvitation));
        }
        Event::Subscribed(subscribed) => follows(server, &subscribed),
        // Lines tell by themselves whether they are live.
        Event::CaughtUp { .. } => {}
        Event::Reset { room, room_name, head, .. } => {
            reset(server, reader, room, &room_name, head);
        }
        Event::Gap { room, room_name, from, to, reason } => {
            gap(server, reader, room, &room_name, (from, to), reason);
        }
        // The screen shows the rooms of one's memberships, which end with an event of their own.
        Event::Ended { .. } => {}
        Event::Message(message) => said(server, reader, &message),
        Event::Joined(change) => came(server, reader, &change),
        Event::Left(change) => went(server, reader, &change),
        Event::Renamed { account, old_name, name } => {
            renamed(server, reader, account, &old_name, &name);
        }
        Event::RoomCreated(change) => changed(server, reader, &change, "made this room"),
        Event::Moderated(moderated) => {
            moderated_room(server, reader, &moderated);
        }
        Event::Removed(removed) => {
            let text = moderating::told_removal(&removed, reader.clock);
            server.trouble(&text, reader.clock);
        }
        Event::Reported(reported) => {
            effects.push(Effect::Server(server.id, ServerEffect::Reported(Box::new(reported))));
        }
        Event::RoomChanged(changed) => room_news::changed(server, reader, &changed),
        Event::Invited { name, .. } => room_news::invited(server, reader, &name),
        Event::Membership { room, name, joined } => membership(server, room, &name, joined),
        Event::OwnName { name } => own_name(server, reader, &sanitize::line(&name)),
        Event::Presence { room, online } => {
            if let Some(index) = server.room_of(room) {
                server.rooms[index].online = Some(online);
            }
        }
        Event::Outgoing(outgoing) => sent(server, reader, &outgoing),
        Event::Forgotten { messages } => {
            let what = if messages == 1 { "message" } else { "messages" };
            let text = format!(
                "the server was restored from a backup: {messages} {what} of yours that it had are gone"
            );
            server.answer(&text, reader.clock);
        }
        Event::Latency(latency) => {
            if let Connection::Online { latency_ms, .. } = &mut server.connection {
                *latency_ms = u64::try_from(latency.as_millis()).ok();
            }
        }
        Event::NoAnswer(silence) => {
            let silent_ms = u64::try_from(silence.as_millis()).unwrap_or(u64::MAX);
            set_silent(server, Some(reader.clock.now.ms.saturating_sub(silent_ms)));
        }
        Event::Answering => set_silent(server, None),
    }
}

fn set_silent(server: &mut Server, since_ms: Option<u64>) {
    if let Connection::Online { silent_since_ms, .. } = &mut server.connection {
        *silent_since_ms = since_ms;
    }
}

fn online(
    server: &mut Server,
    reader: &mut Reader<'_>,
    connected: &Connected,
    effects: &mut Vec<Effect>,
) {
    let name = sanitize::line(&connected.name);
    *reader.flash = None;
    server.connection = Connection::Online { latency_ms: None, silent_since_ms: None };
    server.me.account = Some(connected.account);
    server.reached = Some(Reach::of(connected));
    if !server.was_online && name != server.me.name {
        let wished = &server.me.name;
        let text = format!("you are {name} here: the name {wished} is taken");
        server.answer(&text, reader.clock);
    }
    own_name(server, reader, &name);
    // Whoever could be in between on this machine's own socket is this person.
    if connected.first_contact && !connected.address.starts_with("unix:") {
        let fingerprint = chat_client::Fingerprint::of(&connected.server_key);
        let text = format!(
            "first contact with {}; its identity, {fingerprint}, is remembered from now on: compare \
             it with the one that chatd prints",
            connected.address
        );
        server.answer(&text, reader.clock);
    }
    server.outage.end(reader.clock.now.ms, server.was_online);
    server.retell_outage();
    server.was_online = true;
    for room in &mut server.rooms {
        room.history.retry_pages();
        if room.wanted
            && let Ok(name) = RoomName::parse(&room.title)
        {
            effects.push(Effect::Server(server.id, ServerEffect::Join(name)));
        }
    }
}

fn offline(server: &mut Server, reader: &mut Reader<'_>, why: &str, retry_ms: Option<u64>) {
    let why = sanitize::line(why);
    if server.is_online() {
        *reader.flash = None; // The status line has something to say.
    }
    for room in &mut server.rooms {
        room.history.abandon_pages();
        room.online = None;
    }
    server.outage.since_ms.get_or_insert(reader.clock.now.ms);
    if !std::mem::replace(&mut server.outage.told, true) {
        let told = match (retry_ms, server.was_online) {
            (None, _) if server.needs_invitation => format!(
                "not connected: {why}. Paste the chat:// line that you are given here; it is not kept."
            ),
            (None, _) => format!("not connected: {why}. What you have typed is kept."),
            (Some(_), true) => {
                format!("connection lost: {why}. Trying again by itself; what you type is kept.")
            }
            (Some(_), false) => format!(
                "no server answers: {why}. Start one with `chatd` or `chat-tui --serve`, or name \
                 another: `chat-tui HOST`. Trying again by itself; what you type is kept."
            ),
        };
        server.tell_of_outage(&told, reader.clock);
    } else if retry_ms.is_none() {
        server.trouble(&format!("no further attempt: {why}"), reader.clock);
    }
    server.connection = match retry_ms {
        Some(ms) => {
            Connection::Offline { why, retry_at_ms: reader.clock.now.ms.saturating_add(ms) }
        }
        None => Connection::Ended { why },
    };
}

fn follows(server: &mut Server, subscribed: &Subscribed) {
    let index = server.room_with(subscribed.room, &subscribed.name);
    let room = &mut server.rooms[index];
    room.member = true;
    room.wanted = false;
    room.topic = sanitize::line(&subscribed.topic);
    if room.is_direct() {
        // The other may have another name than before.
        room.title = sanitize::line(&subscribed.name);
    }
    room.online = Some(subscribed.online);
    room.missed_to = subscribed.head;
    subscribed.members.iter().for_each(|member| room.meet(member.account));
    room.history.follow_from(Seq(subscribed.from.0.saturating_sub(1)));
}

fn reset(server: &mut Server, reader: &Reader<'_>, room: RoomId, name: &str, head: Seq) {
    let index = server.room_with(room, name);
    server.rooms[index].history.restart(head);
    let text = "the server was restored from a backup: its last messages may be missing";
    server.say(index, Kind::Trouble, text, reader.clock);
}

fn gap(
    server: &mut Server,
    reader: &Reader<'_>,
    room: RoomId,
    name: &str,
    seqs: (Seq, Seq),
    reason: Option<GapReason>,
) {
    let index = server.room_with(room, name);
    // What was taken away comes one by one, and is told in one line.
    let goes_on = server.rooms[index].told_gone.filter(|told| told.last.next() == seqs.0);
    let told = match goes_on.filter(|_told| reason == Some(GapReason::Deleted)) {
        Some(told) => {
            let told = ToldGone { last: seqs.1, ..told };
            let (kind, text) = gap_words((told.first, told.last), reason);
            server.rooms[index].history.retell(told.line, kind, &text);
            told
        }
        None => {
            let (kind, text) = gap_words(seqs, reason);
            let line = server.say(index, kind, &text, reader.clock);
            ToldGone { line, first: seqs.0, last: seqs.1 }
        }
    };
    server.rooms[index].told_gone = (reason == Some(GapReason::Deleted)).then_some(told);
}

/// How the screen tells that events are missing.
pub(super) fn gap_words((from, to): (Seq, Seq), reason: Option<GapReason>) -> (Kind, String) {
    let (kind, text) = match reason {
        Some(GapReason::Deleted) => (Kind::Notice, "are not kept by the server any more"),
        Some(GapReason::Unreadable) | None => {
            (Kind::Trouble, "cannot be read: the server's disk is damaged there")
        }
    };
    (kind, format!("events {from} to {to} {text}"))
}

fn said(server: &mut Server, reader: &Reader<'_>, message: &Message) {
    let index = server.room_with(message.room, &message.room_name);
    let is_open = reader.is_here && index == server.current;
    let watched = reader.has_focus && is_open && server.rooms[index].history.is_at_bottom();
    let own = server.is_own(message);
    let entry = server.entry_of(message, reader.clock);
    let mention = matches!(entry.kind, Kind::Message { mention: true, .. });
    let place = entry.place;
    let room = &mut server.rooms[index];
    room.meet(message.from);
    if !room.history.arrive(entry) || own {
        return;
    }
    let was_missed = message.seq <= room.missed_to;
    server.outage.missed += usize::from(was_missed);
    if watched && !was_missed {
        room.history.see_new();
    } else {
        room.history.count_as_new(place);
    }
    if !is_open {
        room.unread += 1;
        room.mentions += usize::from(mention);
        room.history.trim(Bound::RESTING);
    }
    if was_missed {
        room.history.pass_earlier(place);
        server.retell_outage();
    }
}

fn came(server: &mut Server, reader: &Reader<'_>, change: &RoomChange) {
    changed(server, reader, change, "joined");
    let index = server.room_with(change.room, &change.room_name);
    server.rooms[index].meet(change.account);
}

fn went(server: &mut Server, reader: &Reader<'_>, change: &RoomChange) {
    changed(server, reader, change, "left");
    let index = server.room_with(change.room, &change.room_name);
    server.rooms[index].part_with(change.account);
}

fn changed(server: &mut Server, reader: &Reader<'_>, change: &RoomChange, did: &str) {
    let text = format!("{} {did}", sanitize::name(&change.name));
    notice(server, reader, change, &text);
}

/// A moderator has done something: whoever is gone is not met here any more.
fn moderated_room(server: &mut Server, reader: &Reader<'_>, moderated: &Moderated) {
    let index = server.room_with(moderated.room, &moderated.room_name);
    let (text, time) =
        (moderating::told(moderated, reader.clock), reader.clock.local(moderated.ts.0));
    let entry = Entry::new(Place::of(moderated.seq), None, time, Kind::Notice, &text);
    server.rooms[index].history.arrive(entry);
    if let (Deed::MessagesRemoved { since }, Some(account)) = (&moderated.deed, moderated.account) {
        let since = since.map(|since| reader.clock.local(since.0));
        let is_own = server.me.account == Some(account);
        let is_meant = |entry: &Entry| match &entry.kind {
            Kind::Own(SendMark::Committed) => is_own && since.is_none_or(|at| entry.time >= at),
            Kind::Message { .. } | Kind::Own(_) | Kind::Notice | Kind::Answer | Kind::Trouble => {
                entry.is_said_by(account, since)
            }
        };
        let told = format!("a message of {} was removed", sanitize::name(&moderated.name));
        server.rooms[index].history.remove_messages(is_meant, &told);
    }
    if let (Deed::Kicked { .. } | Deed::Banned { .. }, Some(account)) =
        (&moderated.deed, moderated.account)
    {
        server.rooms[index].part_with(account);
    }
}

/// Tells of another name where its bearer was seen.
fn renamed(
    server: &mut Server,
    reader: &Reader<'_>,
    account: AccountId,
    old_name: &str,
    name: &str,
) {
    let text = format!("{} is now called {}", sanitize::name(old_name), sanitize::name(name));
    if server.me.account == Some(account) {
        return own_name(server, reader, &sanitize::line(name));
    }
    let knows = |index: &RoomIndex| server.rooms[*index].has_met(account);
    let rooms: Vec<RoomIndex> = (0..server.rooms.len()).filter(knows).collect();
    let old_title = sanitize::line(&format!("@{old_name}"));
    for room in server.rooms.iter_mut().filter(|room| room.title == old_title) {
        room.title = sanitize::line(&format!("@{name}"));
    }
    for index in rooms {
        server.say(index, Kind::Notice, &text, reader.clock);
    }
}

/// The reader has another name.
pub(super) fn own_name(server: &mut Server, reader: &Reader<'_>, name: &Inert) {
    let old = std::mem::replace(&mut server.me.name, name.clone());
    if server.was_online && old != *name {
        server.answer(&format!("you were {old}, and are now called {name}"), reader.clock);
    }
}

pub(super) fn notice(server: &mut Server, reader: &Reader<'_>, change: &RoomChange, text: &str) {
    let index = server.room_with(change.room, &change.room_name);
    let time = reader.clock.local(change.ts.0);
    let entry = Entry::new(Place::of(change.seq), None, time, Kind::Notice, text);
    server.rooms[index].history.arrive(entry);
}

fn membership(server: &mut Server, room: RoomId, name: &str, joined: bool) {
    let index = server.room_with(room, name);
    let held = &mut server.rooms[index];
    held.member = joined;
    if joined {
        held.wanted = false;
    }
}

fn sent(server: &mut Server, reader: &Reader<'_>, outgoing: &Outgoing) {
    let index = server.room_to(&outgoing.to);
    let id = outgoing.id;
    match &outgoing.state {
        OutgoingState::Waiting | OutgoingState::InFlight => {
            show_waiting(server, reader, index, outgoing);
        }
        OutgoingState::Acked { room, seq, ts } => {
            let index = server.room_of(*room).unwrap_or(index);
            let time = reader.clock.local(ts.0);
            server.rooms[index].history.commit(id, *seq, time);
        }
        OutgoingState::Refused(refusal) => {
            show_waiting(server, reader, index, outgoing);
            if let Some(local) = server.rooms[index].history.pending_with(id) {
                let text = outgoing.text.clone();
                server.refuse(index, local, text, &refusal.reason, reader.keymap);
            }
        }
        OutgoingState::Moved { id: new, .. } => {
            server.rooms[index].history.change_id(id, *new);
        }
    }
}

/// Shows an own message that waits, once: it may have been typed here a moment ago, be known by
/// its id, or be of an earlier life of the screen.
fn show_waiting(server: &mut Server, reader: &Reader<'_>, index: RoomIndex, outgoing: &Outgoing) {
    if server.rooms[index].history.knows(outgoing.id) {
        return;
    }
    if let Some(typed) = server.sends.take_with_text(index, &outgoing.text) {
        server.rooms[index].history.identify(typed.local, outgoing.id);
        return;
    }
    let time = reader.clock.local_now();
    server.rooms[index].history.wait(Some(outgoing.id), time, &outgoing.text);
}
