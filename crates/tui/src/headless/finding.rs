//! Rooms by their names: each once, however often and however it is written.

use chat_client::RequestError;
use chat_proto::{ErrorCode, RoomInfo, RoomName};
use tokio::time::Instant;

use super::failure::Failure;
use super::link::Link;
use crate::exit::Exit;

/// When an answer to a request must be there.
pub(super) fn request_deadline() -> Instant {
    Instant::now() + chat_client::REQUEST_TIMEOUT
}

/// The rooms of these names, in order, and the names of those that are not there yet, if those may
/// be waited for.
pub(super) async fn find_all(
    link: &mut Link,
    names: &[RoomName],
    may_wait: bool,
) -> Result<(Vec<RoomInfo>, Vec<RoomName>), Failure> {
    let (mut rooms, mut missing) = (Vec::<RoomInfo>::new(), Vec::new());
    for name in names {
        match find(link, name).await? {
            Some(room) if rooms.iter().any(|known| known.room == room.room) => {}
            Some(room) => rooms.push(room),
            None if !may_wait => return Err(unknown(name)),
            None if missing.contains(name) => {}
            None => missing.push(name.clone()),
        }
    }
    Ok((rooms, missing))
}

async fn find(link: &mut Link, name: &RoomName) -> Result<Option<RoomInfo>, Failure> {
    let client = link.client.clone();
    let asked = async {
        match client.find_room(name).await {
            Err(RequestError::Refused(refusal)) if refusal.code == Some(ErrorCode::UnknownRoom) => {
                Ok(None)
            }
            found => found.map(Some),
        }
    };
    link.answer(request_deadline(), asked).await
}

fn unknown(name: &RoomName) -> Failure {
    let sentence = format!(
        "there is no room #{name} yet; chat-tui --no-tui rooms lists those that there are, and a \
         room is made by whoever joins it first: chat-tui --no-tui send -r {name} TEXT"
    );
    Failure::new(Exit::Refused, sentence)
}
