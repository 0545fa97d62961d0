//! Inviting others, and coming in with an invitation.

use chat_client::TargetUrl;
use chat_proto::{InvitationId, InvitationInfo, InvitationMade, RoomName};

use super::rooms::{ask, at_server, not_connected};
use super::{Effect, Failure, Reader, ServerEffect};
use crate::screen::commands::Terms;
use crate::screen::layers::invitation::Invitation;
use crate::screen::model::Model;
use crate::screen::sanitize;
use crate::screen::server::{Connection, Server};

/// Invitations that an answer lists; the rest is a number.
const LISTED_MAX: usize = 50;

/// Shows how others join, and gives that to the clipboard. Others who come from elsewhere may need an
/// invitation: it is asked for first.
pub(super) fn invite(model: &mut Model, terms: Option<Terms>, effects: &mut Vec<Effect>) {
    let server = model.server();
    let Some(reach) = server.host.as_ref().or(server.reached.as_ref()) else {
        return not_connected(model);
    };
    match terms {
        Some(terms) if reach.address.is_some() => ask_for_invitation(model, terms, effects),
        Some(terms) if terms != Terms::default() => {
            let why = format!("others have no way to this server: {}", reach.otherwise);
            model.trouble(&why);
        }
        Some(_) | None => {
            let invitation = Invitation::new(reach, &server.room().title);
            effects.push(Effect::Copy(invitation.command.clone()));
            model.layers.push(Box::new(invitation));
        }
    }
}

fn ask_for_invitation(model: &mut Model, mut terms: Terms, effects: &mut Vec<Effect>) {
    let server = model.server();
    let is_in = |room: &&crate::screen::room::Room| room.member && room.id.is_some();
    if terms.rooms.is_empty() {
        let open = Some(server.room()).filter(is_in);
        terms.rooms.extend(open.and_then(|room| RoomName::parse(&room.title).ok()));
    }
    let mut ids = Vec::new();
    for name in &terms.rooms {
        let found = server.rooms.iter().filter(is_in).find(|room| room.title == name.as_str());
        match found.and_then(|room| room.id) {
            Some(id) => ids.push(id),
            None => {
                let why = format!("you are not in #{name}: nobody is invited where one is not");
                return model.trouble(&why);
            }
        }
    }
    ask(model, ServerEffect::Invite(terms, ids), effects);
}

/// An invitation was made: it is shown this once.
pub(super) fn invited(
    model: &mut Model,
    terms: &Terms,
    result: Result<InvitationMade, Failure>,
    effects: &mut Vec<Effect>,
) {
    let made = match result {
        Ok(made) => made,
        Err(failure) => {
            return model.trouble(&format!("no invitation was made: {}", failure.why));
        }
    };
    let expires = model.clock.local(made.expires.0).strftime("%Y-%m-%d %H:%M");
    let people =
        if terms.uses == 1 { "1 person".to_owned() } else { format!("{} people", terms.uses) };
    let until = format!("until {expires}, for {people}");
    let server = model.server();
    let reach = server.host.as_ref().or(server.reached.as_ref());
    let shown = reach
        .and_then(|reach| Invitation::with_code(reach, terms.rooms.first(), made.code, &until));
    match shown {
        Some(invitation) => {
            effects.push(Effect::Copy(invitation.command.clone()));
            model.layers.push(Box::new(invitation));
        }
        None => not_connected(model),
    }
}

/// The invitations that are open, one a line.
pub(super) fn listed(server: &mut Server, reader: &Reader<'_>, invitations: &[InvitationInfo]) {
    let now_ms = u64::try_from(reader.clock.now.wall.as_millisecond()).unwrap_or(0);
    let is_open = |invitation: &&InvitationInfo| invitation.expires.0 > now_ms;
    let open: Vec<_> = invitations.iter().filter(is_open).collect();
    let line = |invitation: &&InvitationInfo| {
        let expires = reader.clock.local(invitation.expires.0).strftime("%Y-%m-%d %H:%M");
        let InvitationInfo { invitation: id, uses_left, rooms, .. } = invitation;
        let rooms = rooms.iter().filter_map(|room| server.room_of(*room));
        let rooms: Vec<_> = rooms.map(|at| server.rooms[at].label()).collect();
        let rooms = rooms.join(" ");
        format!("\n  {id}  {uses_left} left  until {expires}  {rooms}").trim_end().to_owned()
    };
    let mut text = match open.len() {
        0 => "you have no invitation that is open; /invite makes one".to_owned(),
        _ => "your invitations; /invites revoke ID ends one:".to_owned(),
    };
    text.extend(open.iter().take(LISTED_MAX).map(line));
    if open.len() > LISTED_MAX {
        text.push_str(&format!("\n  and {} more", open.len() - LISTED_MAX));
    }
    server.answer(&text, reader.clock);
}

/// An invitation has ended, or not.
pub(super) fn revoked(
    server: &mut Server,
    reader: &Reader<'_>,
    id: InvitationId,
    result: Result<(), Failure>,
) {
    match result {
        Ok(()) => server.answer(&format!("nobody comes in with {id} any more"), reader.clock),
        Err(failure) => {
            let why = sanitize::line(&failure.why);
            server.trouble(&format!("{id} was not revoked: {why}"), reader.clock);
        }
    }
}

/// Whether a text is the line that lets this person in: it is used, and neither said nor kept anywhere.
pub(super) fn comes_with(model: &mut Model, text: &str, effects: &mut Vec<Effect>) -> bool {
    let Connection::Ended { .. } = model.server().connection else { return false };
    // A whole command may have been copied.
    let line = text.trim().trim_start_matches("chat-tui").trim().trim_matches('\'');
    let Ok(url) = line.parse::<TargetUrl>() else { return false };
    if url.invite.is_none() {
        return false;
    }
    let name = model.server().me.name.clone();
    model.server_mut().begin_anew(&name);
    effects.push(at_server(model, ServerEffect::SignInWith(Box::new(url))));
    true
}
