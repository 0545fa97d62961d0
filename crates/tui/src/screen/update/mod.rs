//! What changes the screen: a message comes in, the state changes, effects go out.
//!
//! Pure: no clock, no terminal, no network. The runtime brings the messages and carries out the
//! effects, whose answers come back as messages.

mod answers;
mod inviting;
mod keyboard;
mod layers;
mod moments;
mod network;
mod room_news;
mod rooms;
mod sending;

use chat_client::sanitize::Inert;
use chat_client::{Destination, Event, Fingerprint, HistoryPage, Reported, TargetUrl};
use chat_proto::{
    Device, InvitationId, InvitationInfo, InvitationMade, LinkCode, Member, MessageId, Nickname,
    RoomId, RoomInfo, RoomName, Seq, Timestamp,
};
use crossterm::event::KeyEvent;

use super::areas;
use super::clock::{Clock, Moment};
use super::commands::{Moderation, RoomCommand, Terms};
use super::history::PageRequest;
use super::keymap::Keymap;
use super::model::Model;
use super::moderating::Moderating;
use super::room::RoomIndex;
use super::server::{Server, ServerId};

/// Something that happened.
#[derive(Debug)]
pub enum Msg {
    /// A key was pressed.
    Key(KeyEvent),
    /// A text was pasted, as one.
    Paste(String),
    /// A text was pasted that is too long to be kept: its bytes.
    PasteTooLong(usize),
    /// The mouse wheel turned: lines, negative upwards.
    Wheel(isize),
    /// The left button was pressed at a column and a row.
    Click(u16, u16),
    /// The terminal has another size: columns and rows.
    Resize(u16, u16),
    /// The terminal got or lost the focus.
    Focus(bool),
    /// The client library says something of a server.
    Client(ServerId, Event),
    /// An effect of a server has its answer.
    Answer(ServerId, Answer),
    /// Nothing but the time has changed.
    Tick,
    /// Something to be told: a line, and whether it is trouble.
    Tell(String, bool),
}

/// Something that the runtime shall do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Something that a server has to do with.
    Server(ServerId, ServerEffect),
    /// Give the terminal back to the shell until it continues the program.
    Suspend,
    /// Give a text to the terminal's clipboard.
    Copy(String),
    /// Paint every cell anew.
    Repaint,
    /// End the screen.
    Quit,
}

/// Something that the client of one server shall do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ServerEffect {
    /// Give a message to the outbox. Sends are given in order.
    Send {
        /// Comes back with the answer.
        ticket: u64,
        /// The room, by its id, its name or both.
        to: Destination,
        /// The text, as it was typed.
        text: String,
    },
    /// Join a room.
    Join(RoomName),
    /// Leave a room.
    Leave(RoomIndex, RoomId),
    /// Ask for all rooms.
    Rooms,
    /// Ask for the members of a room.
    Who(RoomIndex, RoomId),
    /// Keep order in a room; a time is told as when it ends by this clock.
    Moderate(RoomIndex, RoomId, Moderation, Timestamp),
    /// Ask for a message that was shown to the reader, and for what came before it.
    Reported(Box<Reported>),
    /// Change the nickname.
    Nick(Nickname),
    /// Change a room.
    Change(RoomIndex, RoomId, RoomCommand),
    /// Make a room that nobody knows of who is not invited.
    CreatePrivate(RoomName),
    /// Open the conversation with somebody.
    Talk(Nickname),
    /// Ask for a page of history.
    Page(RoomIndex, RoomId, PageRequest),
    /// Find the first message of a room that is not older than a moment.
    Locate(RoomIndex, RoomId, Timestamp),
    /// Ask for a code with which another device signs in.
    Link,
    /// Ask what the account signs in with.
    Devices,
    /// Revoke the device whose fingerprint begins so.
    Revoke(String),
    /// Make an invitation, for so many, so many seconds long, into these rooms.
    Invite(Terms, Vec<RoomId>),
    /// Ask for the invitations that are open.
    Invites,
    /// End an invitation.
    RevokeInvitation(InvitationId),
    /// End the client, and begin another that comes with an invitation.
    SignInWith(Box<TargetUrl>),
    /// End the client, and begin another under this name.
    SignInAs(Nickname),
    /// Try to connect now.
    Retry,
}

/// The answer to an effect of a server. What went wrong is a sentence.
#[derive(Debug)]
pub enum Answer {
    /// The outbox has the message, under this id; or will never have it.
    Sent {
        /// The one of [`ServerEffect::Send`].
        ticket: u64,
        /// The id, or what went wrong.
        result: Result<MessageId, String>,
    },
    /// A room was joined.
    Joined(RoomName, Result<RoomInfo, Failure>),
    /// A room was left.
    Left(RoomIndex, Result<(), Failure>),
    /// All rooms of the server.
    Rooms(Result<Vec<RoomInfo>, Failure>),
    /// The members of a room.
    Who(RoomIndex, Result<Vec<Member>, Failure>),
    /// What has become of keeping order in a room.
    Moderated(RoomIndex, Result<Moderating, Failure>),
    /// A message that was shown to the reader.
    Reported(Box<Reported>, Result<HistoryPage, Failure>),
    /// The nickname was changed.
    Nick(Nickname, Result<(), Failure>),
    /// A room was changed.
    Changed(RoomIndex, RoomCommand, Result<(), Failure>),
    /// A room was made that nobody knows of who is not invited.
    Created(RoomName, Result<RoomInfo, Failure>),
    /// The conversation with somebody is open.
    Talks(Nickname, Result<RoomInfo, Failure>),
    /// A code with which another device signs in.
    Link(Result<LinkCode, Failure>),
    /// What the account signs in with.
    Devices(Result<Vec<Device>, Failure>),
    /// The fingerprint of the device that was revoked.
    Revoked(Result<Fingerprint, Failure>),
    /// The first message that is not older than a moment, if there is one.
    Located(RoomIndex, Result<Option<Seq>, Failure>),
    /// An invitation was made, on these terms.
    Invited(Terms, Result<InvitationMade, Failure>),
    /// The invitations that are open.
    Invites(Result<Vec<InvitationInfo>, Failure>),
    /// An invitation has ended.
    InvitationRevoked(InvitationId, Result<(), Failure>),
    /// A page of history.
    Page(RoomIndex, PageRequest, Result<HistoryPage, Failure>),
}

/// Why an effect failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// What went wrong, for a person.
    pub why: String,
    /// Whether it was the server that said no, rather than nobody that said anything.
    pub refused: bool,
}

/// Changes the state; gives what is to be done.
pub fn update(model: &mut Model, now: Moment, msg: Msg) -> Vec<Effect> {
    let mut effects = Vec::new();
    apply(model, now, msg, &mut effects);
    model.bound_memory();
    note_shown(model);
    want_pages(model, &mut effects);
    effects
}

/// Changes the state by many messages, and asks for pages once at the end.
pub fn update_all(
    model: &mut Model,
    now: Moment,
    messages: impl IntoIterator<Item = Msg>,
) -> Vec<Effect> {
    let mut effects = Vec::new();
    for msg in messages {
        apply(model, now, msg, &mut effects);
    }
    model.bound_memory();
    note_shown(model);
    want_pages(model, &mut effects);
    effects
}

fn apply(model: &mut Model, now: Moment, msg: Msg, effects: &mut Vec<Effect>) {
    model.clock.now = now;
    if let Msg::Key(_) | Msg::Paste(_) | Msg::Wheel(_) | Msg::Click(..) = msg {
        let now_ms = model.clock.now.ms;
        model.room_mut().history.see_shown(now_ms);
    }
    match msg {
        Msg::Key(key) => keyboard::key(model, key, effects),
        Msg::Paste(text) => layers::paste(model, &text, effects),
        Msg::PasteTooLong(bytes) => {
            model.flash = Some(super::layers::paste::too_long(bytes).into());
        }
        Msg::Wheel(lines) => keyboard::wheel(model, lines, effects),
        Msg::Click(column, row) => keyboard::click(model, column, row, effects),
        Msg::Resize(columns, rows) => {
            model.size = (columns, rows);
            settle(model);
        }
        Msg::Focus(focused) => model.has_focus = focused,
        Msg::Client(id, event) => {
            let (server, mut reader) = apart(model, id);
            network::event(server, &mut reader, event, effects);
        }
        Msg::Answer(id, answer) => answers::answer(model, id, answer, effects),
        Msg::Tick => {}
        Msg::Tell(text, true) => model.trouble(&text),
        Msg::Tell(text, false) => model.answer(&text),
    }
}

/// What of the screen the events of a server need.
struct Reader<'a> {
    clock: &'a Clock,
    keymap: &'a Keymap,
    /// Whether the server is the one that is looked at.
    is_here: bool,
    /// Whether the terminal has the focus.
    has_focus: bool,
    /// A word that stays until the next key.
    flash: &'a mut Option<Inert>,
}

/// A server, and beside it what its events need of the screen.
fn apart(model: &mut Model, id: ServerId) -> (&mut Server, Reader<'_>) {
    let Model { servers, focus, has_focus, clock, keymap, flash, .. } = model;
    let (is_here, has_focus) = (*focus == id, *has_focus);
    (&mut servers[id.0], Reader { clock, keymap, is_here, has_focus, flash })
}

/// Lets the history fill its pane after the pane has changed.
fn settle(model: &mut Model) {
    let viewport = areas::viewport(model);
    model.room_mut().history.settle(viewport);
}

/// Notes which of the screen's lines the reader can see from now on.
fn note_shown(model: &mut Model) {
    let is_seen = model.has_focus && model.layers.is_empty();
    let viewport = is_seen.then(|| areas::viewport(model));
    let now_ms = model.clock.now.ms;
    model.room_mut().history.note_shown(viewport, now_ms);
}

/// Asks for the page that the open room needs next.
fn want_pages(model: &mut Model, effects: &mut Vec<Effect>) {
    let (viewport, now_ms) = (areas::viewport(model), model.clock.now.ms);
    let server = model.server_mut();
    if !server.is_online() {
        return;
    }
    let (id, index) = (server.id, server.current);
    let is_due = server.page_retry.take_due(now_ms);
    let room = server.room_mut();
    if is_due {
        room.history.retry_pages();
    }
    let Some(room_id) = room.id.filter(|_id| room.member) else {
        return;
    };
    if let Some(request) = room.history.wanted_page(viewport) {
        effects.push(Effect::Server(id, ServerEffect::Page(index, room_id, request)));
    }
}
