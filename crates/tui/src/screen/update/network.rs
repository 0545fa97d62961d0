//! What the client library says, and what it changes.

use chat_client::{Connected, Event, Message, Outgoing, OutgoingState, RoomChange, Subscribed};
use chat_proto::{AccountId, GapReason, RoomId, RoomName, Seq};

use super::Effect;
use crate::reach::Reach;
use crate::screen::history::{Bound, Entry, Kind, Place};
use crate::screen::model::{Connection, Model, RoomIndex};
use crate::screen::shown;

pub(super) fn event(model: &mut Model, event: Event, effects: &mut Vec<Effect>) {
    match event {
        Event::Connecting { target, attempt } => {
            model.connection = Connection::Connecting { target: shown::line(&target), attempt };
        }
        Event::Connected(connected) => online(model, &connected, effects),
        Event::Disconnected { why, retry_in } => {
            let retry_ms =
                retry_in.map(|delay| u64::try_from(delay.as_millis()).unwrap_or(u64::MAX));
            offline(model, &why, retry_ms);
        }
        // The disconnection that follows brings the reason.
        Event::Refused(_refusal) => {}
        Event::Subscribed(subscribed) => follows(model, &subscribed),
        // Lines tell by themselves whether they are live.
        Event::CaughtUp { .. } => {}
        Event::Reset { room, room_name, head, .. } => reset(model, room, &room_name, head),
        Event::Gap { room, room_name, from, to, reason } => {
            gap(model, room, &room_name, (from, to), reason);
        }
        Event::Message(message) => said(model, &message),
        Event::Joined(change) => came(model, &change),
        Event::Left(change) => went(model, &change),
        Event::Renamed { account, old_name, name } => renamed(model, account, &old_name, &name),
        Event::RoomCreated(change) => changed(model, &change, "made this room"),
        Event::Membership { room, name, joined } => membership(model, room, &name, joined),
        Event::OwnName { name } => own_name(model, &shown::line(&name)),
        Event::Presence { room, online } => {
            if let Some(index) = model.room_of(room) {
                model.rooms[index].online = Some(online);
            }
        }
        Event::Outgoing(outgoing) => sent(model, &outgoing),
        Event::Forgotten { messages } => {
            let what = if messages == 1 { "message" } else { "messages" };
            model.answer(&format!(
                "the server was restored from a backup: {messages} {what} of yours that it had are gone"
            ));
        }
        Event::Latency(latency) => {
            if let Connection::Online { latency_ms, .. } = &mut model.connection {
                *latency_ms = u64::try_from(latency.as_millis()).ok();
            }
        }
        Event::NoAnswer(silence) => {
            let silent_ms = u64::try_from(silence.as_millis()).unwrap_or(u64::MAX);
            set_silent(model, Some(model.now.ms.saturating_sub(silent_ms)));
        }
        Event::Answering => set_silent(model, None),
    }
}

fn set_silent(model: &mut Model, since_ms: Option<u64>) {
    if let Connection::Online { silent_since_ms, .. } = &mut model.connection {
        *silent_since_ms = since_ms;
    }
}

fn online(model: &mut Model, connected: &Connected, effects: &mut Vec<Effect>) {
    let name = shown::line(&connected.name);
    model.flash = None;
    model.connection = Connection::Online { latency_ms: None, silent_since_ms: None };
    model.me.account = Some(connected.account);
    model.reached = Some(Reach::of(connected));
    if !model.was_online && name != model.me.name {
        let wished = &model.me.name;
        let text = format!("you are {name} here: the name {wished} is taken");
        model.answer(&text);
    }
    own_name(model, &name);
    // Whoever could be in between on this machine's own socket is this person.
    if connected.first_contact && !connected.address.starts_with("unix:") {
        let fingerprint = chat_client::Fingerprint::of(&connected.server_key);
        let text = format!(
            "first contact with {}; its identity, {fingerprint}, is remembered from now on",
            connected.address
        );
        model.answer(&text);
    }
    model.missed = 0;
    model.end_outage();
    model.was_online = true;
    for room in &mut model.rooms {
        room.history.retry_pages();
        if room.wanted
            && let Ok(name) = RoomName::parse(&room.title)
        {
            effects.push(Effect::Join(name));
        }
    }
}

fn offline(model: &mut Model, why: &str, retry_ms: Option<u64>) {
    let why = shown::line(why);
    if model.is_online() {
        model.flash = None; // The status line has something to say.
    }
    for room in &mut model.rooms {
        room.history.abandon_pages();
        room.online = None;
    }
    model.outage.since_ms.get_or_insert(model.now.ms);
    if !std::mem::replace(&mut model.outage.told, true) {
        let told = match (retry_ms, model.was_online) {
            (None, _) => format!("not connected: {why}. What you have typed is kept."),
            (Some(_), true) => {
                format!("connection lost: {why}. Trying again by itself; what you type is kept.")
            }
            (Some(_), false) => format!(
                "no server answers: {why}. Start one with `chatd` or `chat-tui --serve`, or name \
                 another: `chat-tui HOST`. Trying again by itself; what you type is kept."
            ),
        };
        model.tell_of_outage(&told);
    } else if retry_ms.is_none() {
        model.trouble(&format!("no further attempt: {why}"));
    }
    model.connection = match retry_ms {
        Some(ms) => Connection::Offline { why, retry_at_ms: model.now.ms.saturating_add(ms) },
        None => Connection::Ended { why },
    };
}

fn follows(model: &mut Model, subscribed: &Subscribed) {
    let index = model.room_with(subscribed.room, &subscribed.name);
    let room = &mut model.rooms[index];
    room.member = true;
    room.wanted = false;
    room.online = Some(subscribed.online);
    room.missed_to = subscribed.head;
    subscribed.members.iter().for_each(|member| room.meet(member.account));
    room.history.follow_from(Seq(subscribed.from.0.saturating_sub(1)));
}

fn reset(model: &mut Model, room: RoomId, name: &str, head: Seq) {
    let index = model.room_with(room, name);
    model.rooms[index].history.restart(head);
    model.say(
        index,
        Kind::Trouble,
        "the server was restored from a backup: its last messages may be missing",
    );
}

fn gap(model: &mut Model, room: RoomId, name: &str, seqs: (Seq, Seq), reason: Option<GapReason>) {
    let index = model.room_with(room, name);
    let (kind, text) = gap_words(seqs, reason);
    model.say(index, kind, &text);
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

fn said(model: &mut Model, message: &Message) {
    let index = model.room_with(message.room, &message.room_name);
    let watched = model.is_watched(index);
    let own = model.is_own(message);
    let entry = model.entry_of(message);
    let mention = matches!(entry.kind, Kind::Message { mention: true, .. });
    let place = entry.place;
    let room = &mut model.rooms[index];
    room.meet(message.from);
    if !room.history.arrive(entry) || own {
        return;
    }
    let was_missed = message.seq <= room.missed_to;
    model.missed += usize::from(was_missed);
    if watched && !was_missed {
        room.history.see_new();
    } else {
        room.history.count_as_new(place);
    }
    if index != model.current {
        room.unread += 1;
        room.mentions += usize::from(mention);
        room.history.trim(Bound::RESTING);
    }
    if was_missed {
        room.history.pass_earlier(place);
        model.retell_outage();
    }
}

fn came(model: &mut Model, change: &RoomChange) {
    changed(model, change, "joined");
    let index = model.room_with(change.room, &change.room_name);
    model.rooms[index].meet(change.account);
}

fn went(model: &mut Model, change: &RoomChange) {
    changed(model, change, "left");
    let index = model.room_with(change.room, &change.room_name);
    model.rooms[index].part_with(change.account);
}

fn changed(model: &mut Model, change: &RoomChange, did: &str) {
    let text = format!("{} {did}", shown::name(&change.name));
    notice(model, change, &text);
}

/// Tells of another name where its bearer was seen.
fn renamed(model: &mut Model, account: AccountId, old_name: &str, name: &str) {
    let text = format!("{} is now called {}", shown::name(old_name), shown::name(name));
    if model.me.account == Some(account) {
        return own_name(model, &shown::line(name));
    }
    let knows = |index: &RoomIndex| model.rooms[*index].has_met(account);
    let rooms: Vec<RoomIndex> = (0..model.rooms.len()).filter(knows).collect();
    for index in rooms {
        model.say(index, Kind::Notice, &text);
    }
}

/// The reader has another name.
pub(super) fn own_name(model: &mut Model, name: &str) {
    let old = std::mem::replace(&mut model.me.name, name.to_owned());
    if model.was_online && old != name {
        model.answer(&format!("you were {old}, and are now called {name}"));
    }
}

fn notice(model: &mut Model, change: &RoomChange, text: &str) {
    let index = model.room_with(change.room, &change.room_name);
    let time = model.clock(change.ts.0);
    let entry = Entry::new(Place::of(change.seq), None, time, Kind::Notice, text);
    model.rooms[index].history.arrive(entry);
}

fn membership(model: &mut Model, room: RoomId, name: &str, joined: bool) {
    let index = model.room_with(room, name);
    let held = &mut model.rooms[index];
    held.member = joined;
    if joined {
        held.wanted = false;
    }
}

fn sent(model: &mut Model, outgoing: &Outgoing) {
    let index = model.room_to(&outgoing.to);
    let id = outgoing.id;
    match &outgoing.state {
        OutgoingState::Waiting | OutgoingState::InFlight => {
            show_waiting(model, index, outgoing);
        }
        OutgoingState::Acked { room, seq, ts } => {
            let index = model.room_of(*room).unwrap_or(index);
            let time = model.clock(ts.0);
            model.rooms[index].history.commit(id, *seq, time);
        }
        OutgoingState::Refused(refusal) => {
            show_waiting(model, index, outgoing);
            if let Some(local) = model.rooms[index].history.pending_with(id) {
                model.refuse(index, local, outgoing.text.clone(), &refusal.reason);
            }
        }
        OutgoingState::Moved { id: new, .. } => {
            model.rooms[index].history.change_id(id, *new);
        }
    }
}

/// Shows an own message that waits, once: it may have been typed here a moment ago, be known by
/// its id, or be of an earlier life of the screen.
fn show_waiting(model: &mut Model, index: RoomIndex, outgoing: &Outgoing) {
    if model.rooms[index].history.knows(outgoing.id) {
        return;
    }
    if let Some(typed) = model.take_unqueued(index, &outgoing.text) {
        model.rooms[index].history.identify(typed.local, outgoing.id);
        return;
    }
    let time = model.clock_now();
    let text = shown::text(&outgoing.text);
    model.rooms[index].history.wait(Some(outgoing.id), time, &text);
}
