//! What is asked of the server to keep order in a room, and how the screen tells of what was done.
//!
//! People are named by those who type, and by ids on the wire: whoever is meant is looked for among
//! the members, the banned, and those who have spoken of late.

use chat_client::{Client, Deed, HistoryPage, Moderated, Removed, Reported, RequestError};
use chat_proto::{AccountId, BanInfo, Nickname, RoomId, Seq, Timestamp};

use super::clock::Clock;
use super::commands::{Moderation, Span};
use super::sanitize;

/// Messages that are looked through for somebody who is no member any more.
const SPOKEN_MESSAGES: u16 = 256;

/// A reported message, and so many before it.
const REPORTED_MESSAGES: u16 = 6;

/// What has become of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Moderating {
    /// It is done; the room's log says so to everybody.
    Done,
    /// The moderators are told.
    Reported,
    /// Nobody of that name was found.
    Nobody(Nickname),
    /// Who is kept out.
    Bans(Vec<BanInfo>),
}

/// Asks the server. `now` is the reader's clock: times are told as when they end.
pub(super) async fn moderate(
    client: &Client,
    room: RoomId,
    asked: Moderation,
    now: Timestamp,
) -> Result<Moderating, RequestError> {
    let until = |lasts_s: Option<u64>| {
        lasts_s.map(|lasts_s| Timestamp(now.0.saturating_add(lasts_s.saturating_mul(1_000))))
    };
    let who = match &asked {
        Moderation::Bans => return Ok(Moderating::Bans(client.bans(room).await?)),
        Moderation::Slow(seconds) => {
            return client.set_slow(room, *seconds).await.map(|()| Moderating::Done);
        }
        Moderation::Report(who, reason) => return report(client, room, who, reason).await,
        Moderation::Kick(who, _)
        | Moderation::Ban(who, ..)
        | Moderation::BanAndPurge(who, ..)
        | Moderation::Purge(who, _)
        | Moderation::Unban(who)
        | Moderation::Mute(who, ..)
        | Moderation::Unmute(who) => who,
    };
    let Some(account) = find(client, room, who, &asked).await? else {
        return Ok(Moderating::Nobody(who.clone()));
    };
    match asked {
        Moderation::Kick(_, reason) => client.kick(room, account, &reason).await?,
        Moderation::Ban(_, lasts_s, reason) => {
            client.ban(room, account, until(lasts_s), &reason).await?;
        }
        Moderation::BanAndPurge(_, lasts_s, reason, Span(seconds)) => {
            // First: nothing is said in between.
            client.ban(room, account, until(lasts_s), &reason).await?;
            client.remove_messages(room, account, seconds).await?;
        }
        Moderation::Purge(_, Span(seconds)) => {
            client.remove_messages(room, account, seconds).await?;
        }
        Moderation::Unban(_) => client.unban(room, account).await?,
        Moderation::Mute(_, lasts_s, reason) => {
            client.mute(room, account, until(lasts_s), &reason).await?;
        }
        Moderation::Unmute(_) => client.unmute(room, account).await?,
        Moderation::Bans | Moderation::Slow(_) | Moderation::Report(..) => {}
    }
    Ok(Moderating::Done)
}

/// A name is what is shown, in any case: no two accounts have one that could be confused.
fn is_called(name: &str, who: &Nickname) -> bool {
    name == who.as_str() || name.to_lowercase() == who.as_str().to_lowercase()
}

async fn find(
    client: &Client,
    room: RoomId,
    who: &Nickname,
    asked: &Moderation,
) -> Result<Option<AccountId>, RequestError> {
    if matches!(asked, Moderation::Unban(_)) {
        let bans = client.bans(room).await?;
        return Ok(bans.iter().find(|ban| is_called(&ban.name, who)).map(|ban| ban.account));
    }
    let members = client.members(room).await?;
    if let Some(member) = members.iter().find(|member| is_called(&member.name, who)) {
        return Ok(Some(member.account));
    }
    let page = client.history(room, None, SPOKEN_MESSAGES).await?;
    let said = page.messages.iter().rev().find(|message| is_called(&message.from_name, who));
    Ok(said.map(|message| message.from))
}

async fn report(
    client: &Client,
    room: RoomId,
    who: &Nickname,
    reason: &str,
) -> Result<Moderating, RequestError> {
    let page = client.history(room, None, SPOKEN_MESSAGES).await?;
    let said = page.messages.iter().rev().find(|message| is_called(&message.from_name, who));
    let Some(message) = said else { return Ok(Moderating::Nobody(who.clone())) };
    client.report(room, message.seq, reason).await?;
    Ok(Moderating::Reported)
}

/// A message that was shown to the reader, with those before it.
pub(super) async fn reported(
    client: &Client,
    room: RoomId,
    message: Seq,
) -> Result<HistoryPage, RequestError> {
    client.history(room, Some(Seq(message.0.saturating_add(1))), REPORTED_MESSAGES).await
}

/// What a moderator did, as a line of the room.
pub(super) fn told(moderated: &Moderated, clock: &Clock) -> String {
    let (by, name) = (sanitize::name(&moderated.by_name), sanitize::name(&moderated.name));
    match &moderated.deed {
        Deed::Kicked { reason } => format!("{by} removed {name}{}", because(reason)),
        Deed::Banned { until, reason } => {
            format!("{by} banned {name}{}{}", end(*until, clock), because(reason))
        }
        Deed::Unbanned => format!("{by} lets {name} come back"),
        Deed::Muted { until, reason } => {
            format!("{by} muted {name}{}{}", end(*until, clock), because(reason))
        }
        Deed::MessagesRemoved { since: None } => format!("{by} removed all messages of {name}"),
        Deed::MessagesRemoved { since: Some(since) } => {
            let since = clock.local(since.0).strftime("%Y-%m-%d %H:%M");
            format!("{by} removed the messages of {name} since {since}")
        }
        Deed::Unmuted => format!("{by} lets {name} speak again"),
        Deed::Slow { seconds: 0 } => format!("{by} lets everybody speak as they like"),
        Deed::Slow { seconds } => {
            format!("{by} made this room slow: a message in {seconds} s")
        }
    }
}

/// What a moderator did to the reader.
pub(super) fn told_removal(removed: &Removed, clock: &Clock) -> String {
    let (by, room) = (sanitize::name(&removed.by_name), sanitize::line(&removed.room_name));
    let reason = because(&removed.reason);
    match removed.banned_until {
        None => format!("{by} removed you from #{room}{reason}"),
        Some(until) => {
            let until = (until != Timestamp(0)).then_some(until);
            format!("{by} banned you from #{room}{}{reason}", end(until, clock))
        }
    }
}

/// What somebody shows to the reader: why, and then what was said.
pub(super) fn told_report(reported: &Reported, page: Option<&HistoryPage>) -> String {
    let (by, room) = (sanitize::name(&reported.by_name), sanitize::line(&reported.room_name));
    let mut text = format!("{by} reports a message in #{room}{}", because(&reported.reason));
    let Some(page) = page else { return text };
    if page.messages.is_empty() {
        text.push_str("\n  it is not there any more");
    }
    for message in &page.messages {
        let mark = if message.seq == reported.message { '>' } else { ' ' };
        let from = sanitize::name(&message.from_name);
        text.push_str(&format!("\n{mark} {from}: {}", sanitize::line(&message.text)));
    }
    text
}

/// The list of those who are kept out.
pub(super) fn told_bans(title: &str, bans: &[BanInfo], clock: &Clock) -> String {
    if bans.is_empty() {
        return format!("nobody is banned from #{title}");
    }
    let mut text = format!("banned from #{title}:");
    for ban in bans {
        let until = (ban.until != Timestamp(0)).then_some(ban.until);
        let (name, by) = (sanitize::name(&ban.name), sanitize::name(&ban.by_name));
        let (end, reason) = (end(until, clock), because(&ban.reason));
        text.push_str(&format!("\n  {name}{end}, by {by}{reason}"));
    }
    text
}

fn end(until: Option<Timestamp>, clock: &Clock) -> String {
    until.map_or_else(String::new, |until| {
        format!(" until {}", clock.local(until.0).strftime("%Y-%m-%d %H:%M"))
    })
}

fn because(reason: &str) -> String {
    match reason {
        "" => String::new(),
        reason => format!(": {}", sanitize::line(reason)),
    }
}
