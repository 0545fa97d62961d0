//! Effects that ask the client library for something, as futures that end in an answer.

mod rooms;

use chat_client::{Client, Destination, Fingerprint, Message, RequestError};
use chat_proto::{Device, RoomId, Seq, Timestamp};
use futures::future::{BoxFuture, FutureExt};

use super::history::PageWanted;
use super::moderating;
use super::update::{Answer, Failure, ServerEffect};

/// Gives a message to the outbox.
pub(super) fn send(
    client: &Client,
    ticket: u64,
    to: Destination,
    text: String,
) -> BoxFuture<'static, Answer> {
    let client = client.clone();
    async move {
        let result = client.send(to, text).await;
        let result = result.map(|sent| sent.id).map_err(|refused| refused.to_string());
        Answer::Sent { ticket, result }
    }
    .boxed()
}

/// Carries out an effect that asks something. `busy`: too many wait already, so it fails at once.
pub(super) fn request(
    client: &Client,
    effect: ServerEffect,
    busy: bool,
) -> Option<BoxFuture<'static, Answer>> {
    let client = client.clone();
    Some(match effect {
        ServerEffect::Join(name) => async move {
            let result = unless(busy, client.join(&name)).await;
            Answer::Joined(name, result)
        }
        .boxed(),
        ServerEffect::Leave(index, room) => {
            async move { Answer::Left(index, unless(busy, client.leave(room)).await) }.boxed()
        }
        ServerEffect::Rooms => {
            async move { Answer::Rooms(unless(busy, client.rooms()).await) }.boxed()
        }
        ServerEffect::Who(index, room) => {
            async move { Answer::Who(index, unless(busy, client.members(room)).await) }.boxed()
        }
        ServerEffect::Moderate(..) | ServerEffect::Reported(_) => {
            return moderation(client, effect, busy);
        }
        ServerEffect::Change(..) | ServerEffect::CreatePrivate(_) | ServerEffect::Talk(_) => {
            return rooms::request(client, effect, busy);
        }
        ServerEffect::Nick(name) => async move {
            let result = unless(busy, client.rename(name.as_str())).await;
            Answer::Nick(name, result)
        }
        .boxed(),
        ServerEffect::Page(index, room, request) => async move {
            let before = (request.wanted != PageWanted::Newest).then_some(request.before);
            let page = unless(busy, client.history(room, before, request.limit)).await;
            Answer::Page(index, request, page)
        }
        .boxed(),
        ServerEffect::Locate(index, room, moment) => {
            async move { Answer::Located(index, unless(busy, locate(&client, room, moment)).await) }
                .boxed()
        }
        ServerEffect::Link => {
            async move { Answer::Link(unless(busy, client.open_link()).await) }.boxed()
        }
        ServerEffect::Devices => {
            async move { Answer::Devices(unless(busy, client.devices()).await) }.boxed()
        }
        ServerEffect::Revoke(wanted) => async move {
            let revoked = unless(busy, revoke(&client, &wanted)).await;
            Answer::Revoked(revoked.and_then(|found| found))
        }
        .boxed(),
        ServerEffect::Invite(terms, rooms) => async move {
            let made = client.invite(terms.uses, terms.seconds, &rooms);
            let result = unless(busy, made).await;
            Answer::Invited(terms, result)
        }
        .boxed(),
        ServerEffect::Invites => {
            async move { Answer::Invites(unless(busy, client.invitations()).await) }.boxed()
        }
        ServerEffect::RevokeInvitation(id) => async move {
            let result = unless(busy, client.revoke_invitation(id)).await;
            Answer::InvitationRevoked(id, result)
        }
        .boxed(),
        ServerEffect::Send { .. }
        | ServerEffect::SignInAs(_)
        | ServerEffect::SignInWith(_)
        | ServerEffect::Retry => return None,
    })
}

/// Revokes the one device whose fingerprint begins so.
async fn revoke(
    client: &Client,
    wanted: &str,
) -> Result<Result<Fingerprint, Failure>, RequestError> {
    let devices = client.devices().await?;
    let wanted = wanted.strip_prefix("SHA256:").unwrap_or(wanted);
    let shown = |device: &Device| Fingerprint(device.fingerprint).to_string();
    let is_meant =
        |device: &&Device| shown(device).trim_start_matches("SHA256:").starts_with(wanted);
    let meant: Vec<_> = devices.iter().filter(is_meant).collect();
    let why = match meant[..] {
        [device] => {
            client.revoke(device.credential).await?;
            return Ok(Ok(Fingerprint(device.fingerprint)));
        }
        [] => "no device of yours has a fingerprint that begins so; /devices lists them",
        _ => "more than one device has a fingerprint that begins so; write more of it",
    };
    Ok(Err(Failure { why: why.to_owned(), refused: true }))
}

/// The same of an effect that keeps order in a room.
fn moderation(
    client: Client,
    effect: ServerEffect,
    busy: bool,
) -> Option<BoxFuture<'static, Answer>> {
    #[expect(clippy::wildcard_enum_match_arm, reason = "no other effect keeps order")]
    match effect {
        ServerEffect::Moderate(index, room, asked, now) => Some(
            async move {
                let done = unless(busy, moderating::moderate(&client, room, asked, now)).await;
                Answer::Moderated(index, done)
            }
            .boxed(),
        ),
        ServerEffect::Reported(reported) => Some(
            async move {
                let asking = moderating::reported(&client, reported.room, reported.message);
                let page = unless(busy, asking).await;
                Answer::Reported(reported, page)
            }
            .boxed(),
        ),
        _ => None,
    }
}

/// The first message that is not older than a moment. Halves the log until one is left: its times
/// never decrease.
async fn locate(
    client: &Client,
    room: RoomId,
    moment: Timestamp,
) -> Result<Option<Seq>, RequestError> {
    let is_later = |message: &Message| message.ts >= moment;
    let newest = client.history(room, None, 1).await?.messages.pop();
    let Some(newest) = newest.filter(is_later) else {
        return Ok(None);
    };
    let (mut low, mut high) = (1, newest.seq.0);
    while low < high {
        let middle = low + (high - low) / 2;
        let page = client.history(room, Some(Seq(middle + 1)), 1).await?;
        match page.messages.last().filter(|message| is_later(message)) {
            // A server that answers with a later message than it was asked for gets no further.
            Some(message) => high = message.seq.0.min(middle),
            None => low = middle + 1,
        }
    }
    Ok(Some(Seq(high)))
}

async fn unless<T>(
    busy: bool,
    asking: impl Future<Output = Result<T, RequestError>>,
) -> Result<T, Failure> {
    if busy {
        let why = "too many requests wait already".to_owned();
        return Err(Failure { why, refused: false });
    }
    asking.await.map_err(|error| Failure {
        refused: matches!(error, RequestError::Refused(_)),
        why: error.to_string(),
    })
}
