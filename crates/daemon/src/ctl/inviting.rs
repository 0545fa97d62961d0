//! `invite`, `invitations` and `revoke-invitation`: who may come in by a code.

use std::net::SocketAddr;

use chat_core::{Action, NewInvitation, OPERATOR, Reply};
use chat_proto::{
    FindRoom, InvitationCode, InvitationId, InvitationInfo, InvitationMade, Invitations,
    QueryRequest, RoomId,
};

use super::answer::{Page, Record};
use super::carry_out::VerbError;
use super::operator::{AskError, Operator};
use crate::ready::{join_line, on_loopback, seen_from_elsewhere};

/// What an invitation is to be good for, as the operator says it.
pub(super) struct Terms {
    pub(super) uses: u32,
    pub(super) expires: String,
    pub(super) rooms: Vec<String>,
    pub(super) name: String,
}

/// Makes an invitation, and tells the line with its code.
pub(super) async fn invite(daemon: &Operator, terms: Terms) -> Result<Page, VerbError> {
    let Terms { uses, expires, rooms, name } = terms;
    let seconds = seconds_of(&expires)?;
    let mut ids = Vec::new();
    for room in &rooms {
        ids.push(room_named(daemon, room).await?);
    }
    let made = daemon.invite(NewTerms { uses, seconds, rooms: ids, name }).await?;
    let first = rooms.first().map_or("lobby", |room| bare(room));
    let line = daemon.address().map(|address| {
        let code = Some(made.code);
        join_line(&address, first, &daemon.fingerprint, code)
    });
    let record = Record::default()
        .with("id", made.invitation.0)
        .with("uses", uses)
        .with("expires-ms", made.expires.0)
        .with("code", made.code.to_string())
        .with("line", line);
    Ok(Page::of(record))
}

/// A page of the invitations that are open, whoever has made them.
pub(super) async fn invitations(daemon: &Operator, after: Option<&str>) -> Result<Page, VerbError> {
    let after = match after.map(str::parse) {
        None => 0,
        Some(Ok(after)) => after,
        Some(Err(_no_number)) => {
            return Err(VerbError::Usage("`after` is no id of an invitation".to_owned()));
        }
    };
    let asked = QueryRequest::Invitations(Invitations { after: InvitationId(after) });
    let Reply::Invitations(page) = daemon.query(asked).await? else {
        return Err(AskError::Astray.into());
    };
    let last = page.invitations.last().map(|last| last.invitation.to_string());
    let records = page.invitations.iter().map(record_of).collect();
    Ok(Page { records, next: last.filter(|_last| page.more) })
}

/// Ends an invitation.
pub(super) async fn revoke(daemon: &Operator, id: u64) -> Result<Page, VerbError> {
    let (account, invitation) = (OPERATOR, InvitationId(id));
    daemon.order(Action::RevokeInvitation { account, invitation }).await?;
    Ok(Page::default())
}

/// What an invitation is to be good for, as the state takes it.
pub(crate) struct NewTerms {
    pub(crate) uses: u32,
    pub(crate) seconds: u32,
    pub(crate) rooms: Vec<RoomId>,
    pub(crate) name: String,
}

impl Operator {
    /// Makes an invitation. Its code is drawn here and told in the answer, and is nowhere else.
    pub(crate) async fn invite(&self, terms: NewTerms) -> Result<InvitationMade, AskError> {
        let NewTerms { uses, seconds, rooms, name } = terms;
        let code = InvitationCode(self.live.admission().identity.draw());
        let hash = code.hash();
        let invitation = Box::new(NewInvitation { hash, uses, seconds, rooms, name });
        let order = Action::CreateInvitation { account: OPERATOR, invitation };
        let Reply::Invited(made) = self.order(order).await? else {
            return Err(AskError::Astray);
        };
        Ok(InvitationMade { code, ..made })
    }

    /// Where others reach the daemon, or else those of this machine.
    fn address(&self) -> Option<String> {
        let is_for_others = |address: &&SocketAddr| !address.ip().is_loopback();
        let outer = self.addresses.iter().find(is_for_others);
        let inner = || self.addresses.first().map(|address| on_loopback(*address).to_string());
        outer.map(|address| seen_from_elsewhere(*address)).or_else(inner)
    }
}

async fn room_named(daemon: &Operator, name: &str) -> Result<RoomId, VerbError> {
    let asked = QueryRequest::FindRoom(FindRoom { name: bare(name).to_owned() });
    let Reply::Room(room) = daemon.query(asked).await? else {
        return Err(AskError::Astray.into());
    };
    Ok(room.room)
}

fn bare(room: &str) -> &str {
    room.strip_prefix('#').unwrap_or(room)
}

fn record_of(invitation: &InvitationInfo) -> Record {
    let InvitationInfo { invitation: id, by, name, uses_left, expires, rooms } = invitation;
    let rooms: Vec<_> = rooms.iter().map(RoomId::to_string).collect();
    Record::default()
        .with("id", id.0)
        .with("by", by.0)
        .with("for", name.as_str())
        .with("uses-left", *uses_left)
        .with("expires-ms", expires.0)
        .with("rooms", rooms)
}

/// `90s`, `30m`, `2h`, `7d`, `4w`.
fn seconds_of(text: &str) -> Result<u32, VerbError> {
    let units = [("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400), ("w", 7 * 86_400)];
    let found = units.iter().find_map(|(unit, seconds)| {
        text.strip_suffix(unit)?.parse::<u32>().ok()?.checked_mul(*seconds)
    });
    let wrong = || VerbError::Usage("`expires` is a time, as in 30m, 2h, 7d or 4w".to_owned());
    found.ok_or_else(wrong)
}
