//! What is said behind `/invite` and `/invites`.

use chat_proto::limits::{INVITATION_ROOMS_MAX, INVITATION_SECONDS_MAX, INVITATION_USES_MAX};
use chat_proto::{InvitationId, RoomName};

use super::Command;

/// What an invitation is to be good for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Terms {
    /// How many accounts may be made with it.
    pub uses: u32,
    /// For how long, in seconds.
    pub seconds: u32,
    /// Into which rooms; none: the open one.
    pub rooms: Vec<RoomName>,
}

const DAY_SECONDS: u32 = 24 * 60 * 60;

impl Default for Terms {
    fn default() -> Self {
        Self { uses: 20, seconds: 7 * DAY_SECONDS, rooms: Vec::new() }
    }
}

/// `[--uses N] [--expires 7d] [--room ROOM]…`
pub(super) fn terms(argument: &str) -> Result<Terms, String> {
    let mut terms = Terms::default();
    let mut words = argument.split_whitespace();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word {
            "--uses" => terms.uses = uses(value()?)?,
            "--expires" => terms.seconds = seconds(value()?)?,
            "--room" => terms.rooms.push(room(value()?)?),
            _ => {
                let takes = "/invite takes --uses 20, --expires 7d and --room dev";
                return Err(format!("{word:?} is none of these: {takes}"));
            }
        }
    }
    match terms.rooms.len() > INVITATION_ROOMS_MAX {
        true => Err(format!("an invitation leads into {INVITATION_ROOMS_MAX} rooms at the most")),
        false => Ok(terms),
    }
}

/// Nothing, or `revoke ID`.
pub(super) fn asked(argument: &str) -> Result<Command, String> {
    let wrong = || "/invites stands alone, or as /invites revoke ID".to_owned();
    match argument.split_whitespace().collect::<Vec<_>>()[..] {
        [] => Ok(Command::Invites),
        ["revoke", id] => id
            .parse()
            .map(|id| Command::RevokeInvitation(InvitationId(id)))
            .map_err(|_none| wrong()),
        _ => Err(wrong()),
    }
}

fn uses(text: &str) -> Result<u32, String> {
    let uses = text.parse().ok().filter(|uses| (1..=INVITATION_USES_MAX).contains(uses));
    uses.ok_or_else(|| format!("--uses is a number from 1 to {INVITATION_USES_MAX}"))
}

/// `90s`, `30m`, `2h`, `7d`, `4w`.
fn seconds(text: &str) -> Result<u32, String> {
    let units = [("s", 1), ("m", 60), ("h", 60 * 60), ("d", DAY_SECONDS), ("w", 7 * DAY_SECONDS)];
    let found = units.iter().find_map(|(unit, seconds)| {
        let number: u32 = text.strip_suffix(unit)?.parse().ok()?;
        number.checked_mul(*seconds)
    });
    let found = found.filter(|seconds| (1..=INVITATION_SECONDS_MAX).contains(seconds));
    found.ok_or_else(|| "--expires is a time up to a year, as in 30m, 2h, 7d or 4w".to_owned())
}

fn room(text: &str) -> Result<RoomName, String> {
    RoomName::parse(text.strip_prefix('#').unwrap_or(text)).map_err(|broken| broken.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invitation_is_for_whom_and_how_long_is_said() {
        assert_eq!(terms(""), Ok(Terms::default()));
        let rooms = ["dev", "ops"].map(|name| RoomName::parse(name).unwrap()).to_vec();
        let said = terms("--uses 1 --room #dev --expires 2h --room ops");
        assert_eq!(said, Ok(Terms { uses: 1, seconds: 7_200, rooms }));
        for (line, says) in [
            ("--uses 0", "a number from 1"),
            ("--uses", "needs a value"),
            ("--expires 7", "as in 30m"),
            ("--expires 54w", "up to a year"),
            ("--expires 4294967295d", "up to a year"),
            ("--room a/b", "only letters"),
            ("--user ada", "takes --uses"),
        ] {
            let why = terms(line).unwrap_err();
            assert!(why.contains(says), "{line}: {why}");
        }
    }

    #[test]
    fn one_of_the_list_is_revoked_by_its_id() {
        assert_eq!(asked(""), Ok(Command::Invites));
        assert_eq!(asked("revoke 90210"), Ok(Command::RevokeInvitation(InvitationId(90_210))));
        assert!(asked("revoke").is_err() && asked("revoke x").is_err() && asked("90210").is_err());
    }
}
