//! The commands that keep order in a room.
//!
//! Owns how they are written. It must not know who may give them: the server does.

use chat_proto::Nickname;
use chat_proto::limits::{REASON_BYTES_MAX, SLOW_SECONDS_MAX};

use super::{Command, Entered};

/// What somebody asks for who keeps order in the open room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Moderation {
    /// Remove a member.
    Kick(Nickname, String),
    /// Keep somebody out, for so many seconds or for ever.
    Ban(Nickname, Option<u64>, String),
    /// The same, and take away what was said before.
    BanAndPurge(Nickname, Option<u64>, String, Span),
    /// Take away what somebody has said.
    Purge(Nickname, Span),
    /// Keep somebody out no longer.
    Unban(Nickname),
    /// List who is kept out.
    Bans,
    /// Let somebody say nothing, for so many seconds or for ever.
    Mute(Nickname, Option<u64>, String),
    /// Let somebody speak again.
    Unmute(Nickname),
    /// Let members wait so many seconds behind each of their messages.
    Slow(u32),
    /// Show the newest message of somebody to those who keep order.
    Report(Nickname, String),
}

/// What is taken away: what was said in the last so many seconds; 0: ever.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span(pub u32);

/// As the help shows them.
pub const COMMANDS: &[(&str, &str)] = &[
    ("/kick NAME [WHY]", "remove somebody from this room"),
    ("/ban NAME [7d] [WHY]", "keep somebody out of this room, for ever or so long"),
    ("/ban NAME --purge 1h [WHY]", "and take away what they said in that time, or in all"),
    ("/purge NAME 1h|all", "take away what somebody has said here"),
    ("/unban NAME, /bans", "keep somebody out no longer; who is kept out"),
    ("/mute NAME [1h] [WHY]", "somebody may read here, and say nothing"),
    ("/unmute NAME", "somebody may speak again"),
    ("/slow 30s, /slow off", "members wait behind each of their messages"),
    ("/report NAME [WHY]", "show somebody's newest message to the moderators"),
];

/// Reads a command of that name, when it is one of these.
pub(super) fn read(name: &str, argument: &str) -> Option<Entered> {
    let entered = match name {
        "kick" => named(name, argument, |who, rest| Ok(Moderation::Kick(who, reason(rest)?))),
        "ban" => named(name, argument, |who, rest| {
            let (lasts_s, rest) = time(rest);
            let (option, after) = first_word(rest);
            if option != "--purge" {
                return Ok(Moderation::Ban(who, lasts_s, reason(rest)?));
            }
            let (taken, rest) = first_word(after);
            Ok(Moderation::BanAndPurge(who, lasts_s, reason(rest)?, span(taken)?))
        }),
        "purge" => {
            named(name, argument, |who, rest| Ok(Moderation::Purge(who, span(rest.trim())?)))
        }
        "mute" => named(name, argument, |who, rest| {
            let (lasts_s, rest) = time(rest);
            Ok(Moderation::Mute(who, lasts_s, reason(rest)?))
        }),
        "unban" => named(name, argument, |who, rest| alone(rest, Moderation::Unban(who))),
        "unmute" => named(name, argument, |who, rest| alone(rest, Moderation::Unmute(who))),
        "report" => named(name, argument, |who, rest| Ok(Moderation::Report(who, reason(rest)?))),
        "bans" => alone(argument, Moderation::Bans),
        "slow" => slow(argument),
        _ => return None,
    };
    Some(match entered {
        Ok(asked) => Entered::Command(Command::Moderate(asked)),
        Err(why) => Entered::Unclear(why),
    })
}

/// A command about somebody, with what follows the name.
fn named(
    command: &str,
    argument: &str,
    read: impl Fn(Nickname, &str) -> Result<Moderation, String>,
) -> Result<Moderation, String> {
    let (who, rest) = first_word(argument);
    if who.is_empty() {
        return Err(format!("/{command} needs a name, as in /{command} bob"));
    }
    let who = Nickname::parse(who.strip_prefix('@').unwrap_or(who));
    read(who.map_err(|broken| broken.to_string())?, rest)
}

fn first_word(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim_start())
}

/// What the server would refuse is not asked for.
fn reason(text: &str) -> Result<String, String> {
    let text = text.trim();
    chat_proto::check_reason(text)
        .map(|()| text.to_owned())
        .map_err(|_long| format!("a reason has at most {REASON_BYTES_MAX} bytes"))
}

fn alone(rest: &str, asked: Moderation) -> Result<Moderation, String> {
    match rest.trim() {
        "" => Ok(asked),
        more => Err(format!("{more:?} is too much")),
    }
}

/// A first word that is a time is one; without one it is for ever.
fn time(text: &str) -> (Option<u64>, &str) {
    let (word, rest) = first_word(text);
    match seconds_of(word) {
        Some(seconds) => (Some(seconds), rest),
        None => (None, text),
    }
}

/// `90s`, `30m`, `12h`, `7d` or `2w`, in seconds.
fn seconds_of(word: &str) -> Option<u64> {
    let unit = word.chars().last()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        'w' => 7 * 24 * 60 * 60,
        _ => return None,
    };
    let number = word.strip_suffix(unit)?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = is_number.then(|| number.parse().ok())??;
    number.checked_mul(seconds).filter(|seconds| *seconds > 0)
}

/// How far back something is taken away. Nobody loses all by leaving a word out.
fn span(word: &str) -> Result<Span, String> {
    let seconds = match word {
        "all" => Some(0),
        word => seconds_of(word).and_then(|seconds| u32::try_from(seconds).ok()),
    };
    let unclear = || format!("{word:?} is no time; as in 30m, 1h, 7d, or all");
    seconds.map(Span).ok_or_else(unclear)
}

fn slow(argument: &str) -> Result<Moderation, String> {
    if matches!(argument, "off" | "0" | "0s") {
        return Ok(Moderation::Slow(0));
    }
    let seconds = seconds_of(argument).and_then(|seconds| u32::try_from(seconds).ok());
    match seconds.filter(|seconds| *seconds <= SLOW_SECONDS_MAX) {
        Some(seconds) => Ok(Moderation::Slow(seconds)),
        None => Err(format!(
            "/slow needs a time of at most {} h, as in /slow 30s, or /slow off",
            SLOW_SECONDS_MAX / 3_600
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::*;

    fn bob() -> Nickname {
        Nickname::parse("bob").unwrap()
    }

    #[test]
    fn they_are_read_with_their_names_times_and_reasons() {
        for (line, asked) in [
            ("/kick bob", Moderation::Kick(bob(), String::new())),
            ("/kick @bob  too  loud ", Moderation::Kick(bob(), "too  loud".into())),
            ("/ban bob", Moderation::Ban(bob(), None, String::new())),
            ("/ban bob 7d", Moderation::Ban(bob(), Some(604_800), String::new())),
            ("/BAN bob 2w spam", Moderation::Ban(bob(), Some(1_209_600), "spam".into())),
            ("/ban bob 7 days", Moderation::Ban(bob(), None, "7 days".into())),
            ("/ban bob 0d", Moderation::Ban(bob(), None, "0d".into())),
            ("/mute bob 90s", Moderation::Mute(bob(), Some(90), String::new())),
            ("/mute bob 1h +5m", Moderation::Mute(bob(), Some(3_600), "+5m".into())),
            (
                "/ban bob 7d --purge 1h spam",
                Moderation::BanAndPurge(bob(), Some(604_800), "spam".into(), Span(3_600)),
            ),
            ("/ban bob --purge all", Moderation::BanAndPurge(bob(), None, String::new(), Span(0))),
            ("/purge @bob 30m", Moderation::Purge(bob(), Span(1_800))),
            ("/unban bob", Moderation::Unban(bob())),
            ("/unmute @bob", Moderation::Unmute(bob())),
            ("/bans", Moderation::Bans),
            ("/slow 30s", Moderation::Slow(30)),
            ("/slow 6h", Moderation::Slow(21_600)),
            ("/slow off", Moderation::Slow(0)),
            ("/report bob rude", Moderation::Report(bob(), "rude".into())),
        ] {
            assert_eq!(read(line), Entered::Command(Command::Moderate(asked)), "{line}");
        }
    }

    #[test]
    fn what_is_unclear_says_why() {
        let long = format!("/kick bob {}", "x".repeat(REASON_BYTES_MAX + 1));
        let huge = format!("/ban bob {}w", u64::MAX);
        for (line, says) in [
            ("/kick", "needs a name"),
            ("/kick a\u{202e}b", "only letters"),
            ("/unban bob now", "too much"),
            ("/bans all", "too much"),
            ("/purge bob", "is no time"),
            ("/purge bob 1h spam", "is no time"),
            ("/ban bob --purge", "is no time"),
            ("/slow", "needs a time"),
            ("/slow 7h", "at most 6 h"),
            ("/slow soon", "needs a time"),
            (long.as_str(), "at most 512 bytes"),
        ] {
            let Entered::Unclear(why) = read(line) else { panic!("{line}") };
            assert!(why.contains(says), "{line}: {why}");
        }
        // A number that no clock has is a word of the reason.
        let asked = Moderation::Ban(bob(), None, format!("{}w", u64::MAX));
        assert_eq!(read(&huge), Entered::Command(Command::Moderate(asked)));
    }
}
