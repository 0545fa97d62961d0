//! What moderators ask for: the methods of the client.
//!
//! It must not know who is one: the daemon does.

use chat_proto::{
    AccountId, Ban, BanInfo, Bans, Kick, Mute, RemoveMessages, Report, RoomId, Seq, SetSlow,
    Timestamp, Unban, Unmute,
};

use crate::listed::Listed;
use crate::{Client, RequestError};

/// Bans of one room.
const BANS_MAX: usize = 65_536;

impl Client {
    /// Ends another account's membership of a room. It may join again.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn kick(
        &self,
        room: RoomId,
        account: AccountId,
        reason: &str,
    ) -> Result<(), RequestError> {
        self.ask(Kick { room, account, reason: reason.to_owned() }).await.map(drop)
    }

    /// Keeps an account out of a room, until a time (`None`: for ever) or [`Self::unban`].
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn ban(
        &self,
        room: RoomId,
        account: AccountId,
        until: Option<Timestamp>,
        reason: &str,
    ) -> Result<(), RequestError> {
        let (until, reason) = (until.unwrap_or_default(), reason.to_owned());
        self.ask(Ban { room, account, until, reason }).await.map(drop)
    }

    /// Ends a ban.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn unban(&self, room: RoomId, account: AccountId) -> Result<(), RequestError> {
        self.ask(Unban { room, account }).await.map(drop)
    }

    /// All bans of a room that are in force, in order of the accounts' ids.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn bans(&self, room: RoomId) -> Result<Vec<BanInfo>, RequestError> {
        let (mut bans, mut after) = (Listed::at_most(BANS_MAX), AccountId(0));
        loop {
            let page = self.ask(Bans { room, after }).await?;
            match bans.take(page.bans.into_vec(), page.more)? {
                Some(BanInfo { account, .. }) => after = *account,
                None => return Ok(bans.into_entries()),
            }
        }
    }

    /// Takes away what an account has said in a room in the last so many seconds; 0: ever.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn remove_messages(
        &self,
        room: RoomId,
        account: AccountId,
        seconds: u32,
    ) -> Result<(), RequestError> {
        self.ask(RemoveMessages { room, account, seconds }).await.map(drop)
    }

    /// Lets an account say nothing in a room, until a time (`None`: for ever) or [`Self::unmute`].
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn mute(
        &self,
        room: RoomId,
        account: AccountId,
        until: Option<Timestamp>,
        reason: &str,
    ) -> Result<(), RequestError> {
        let (until, reason) = (until.unwrap_or_default(), reason.to_owned());
        self.ask(Mute { room, account, until, reason }).await.map(drop)
    }

    /// Ends a mute.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn unmute(&self, room: RoomId, account: AccountId) -> Result<(), RequestError> {
        self.ask(Unmute { room, account }).await.map(drop)
    }

    /// Members of a room wait so many seconds behind each of their messages; 0: not at all.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn set_slow(&self, room: RoomId, seconds: u32) -> Result<(), RequestError> {
        self.ask(SetSlow { room, seconds }).await.map(drop)
    }

    /// Shows a message to those who moderate its room.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn report(
        &self,
        room: RoomId,
        message: Seq,
        reason: &str,
    ) -> Result<(), RequestError> {
        self.ask(Report { room, seq: message, reason: reason.to_owned() }).await.map(drop)
    }
}
