//! Tokens for programs: drawn where the operator types, shown there once, and known to the daemon by a name
//! alone.

use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chat_core::{Action, BotOrder, BotScope, OPERATOR, Reply, WishedName};
use chat_proto::{Nickname, RoomName, Timestamp, Token, TokenId};

use super::answer::{Page, Record};
use super::carry_out::VerbError;
use super::operator::{AskError, Operator};
use super::verb::{TokenVerb, Verb};
use crate::identity::server_key;

/// Rooms that a program is put into at once.
const ROOMS_MAX: usize = 64;

/// Draws the token of a request for one, and names it there.
pub(super) fn draw(verb: &mut Verb) -> io::Result<Option<Token>> {
    let Verb::TokenCreate(TokenVerb { token, .. }) = verb else { return Ok(None) };
    let mut drawn = [0; 32];
    getrandom::fill(&mut drawn).map_err(io::Error::other)?;
    *token = TokenId::of_key(&server_key(&drawn).public()).to_string();
    Ok(Some(Token(drawn)))
}

/// Makes an account for a program.
pub(super) async fn create(daemon: &Operator, asked: TokenVerb) -> Result<Page, VerbError> {
    let TokenVerb { name, rooms, can, expires, token } = asked;
    let usage = |message: String| VerbError::Usage(message);
    let token = token.parse::<TokenId>();
    let token = token.map_err(|_no_hash| usage("`token` names no token".to_owned()))?;
    let parsed = Nickname::parse(name.trim_start_matches('@'));
    let parsed = parsed.map_err(|broken| usage(broken.to_string()))?;
    let WishedName { named, is_reserved, .. } = parsed.into();
    if rooms.len() > ROOMS_MAX {
        return Err(usage(format!("a program is put into at most {ROOMS_MAX} rooms at once")));
    }
    let rooms = rooms.iter().map(|room| {
        let room = RoomName::parse(room.trim_start_matches('#'));
        room.map(Into::into).map_err(|broken| usage(broken.to_string()))
    });
    let rooms = rooms.collect::<Result<_, _>>()?;
    let ends = ends(&expires).map_err(usage)?;
    let scope = BotScope::of_words(&can, ends);
    let scope = scope.ok_or_else(|| {
        usage(format!("{can:?} is not what a token can be for: send, read, join, with commas"))
    })?;
    let name = named.name.to_string();
    let order = BotOrder { by: OPERATOR, token, name: named, is_reserved, scope, rooms };
    if daemon.order(Action::CreateBot(Box::new(order))).await? != Reply::Done {
        return Err(AskError::Astray.into());
    }
    let record = Record::default().with("name", name).with("can", scope.words());
    let record = match ends {
        Timestamp(0) => record,
        ends => record.with("expires_ms", ends.0),
    };
    Ok(Page::of(record))
}

/// Takes its token from a program.
pub(super) async fn revoke(daemon: &Operator, name: &str) -> Result<Page, VerbError> {
    let parsed = Nickname::parse(name.trim_start_matches('@'));
    let parsed = parsed.map_err(|broken| VerbError::Usage(broken.to_string()))?;
    let action = Action::RevokeToken { by: OPERATOR, name: parsed.into() };
    if daemon.order(action).await? != Reply::Done {
        return Err(AskError::Astray.into());
    }
    Ok(Page::of(Record::default().with("revoked", name)))
}

/// From when on a token is good for nothing that is to last so long; 0: never.
fn ends(lasts: &str) -> Result<Timestamp, String> {
    if lasts == "never" {
        return Ok(Timestamp(0));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let lasts = duration(lasts).ok_or_else(|| {
        format!("{lasts:?} is no time: a number and d, h, m or s, as in 90d; or never")
    })?;
    let ends = now.checked_add(lasts).map(|ends| ends.as_millis());
    let ends = ends.and_then(|ends| u64::try_from(ends).ok());
    ends.map(Timestamp).ok_or_else(|| "no clock goes so far".to_owned())
}

fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "d" => 24 * 60 * 60,
        "h" => 60 * 60,
        "m" => 60,
        "s" => 1,
        _ => return None,
    };
    let number = number.parse::<u64>().ok().filter(|number| *number > 0)?;
    Some(Duration::from_secs(number.checked_mul(seconds)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_a_token_lasts_is_a_number_and_a_unit() {
        assert_eq!(duration("90d"), Some(Duration::from_secs(90 * 86_400)));
        assert_eq!(duration("12h"), Some(Duration::from_secs(43_200)));
        for wrong in ["", "d", "0d", "-1d", "1w", "1", "90", "99999999999999999999d", "1é"] {
            assert_eq!(duration(wrong), None, "{wrong:?}");
        }
        assert_eq!(ends("never"), Ok(Timestamp(0)));
    }
}
