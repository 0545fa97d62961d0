//! What is asked for about rooms and who is in them: the methods of the client.
//!
//! It must not know who may set what: the daemon does.

use chat_proto::{
    AccountId, AccountInfo, CreateRoom, FindAccount, Invite, Nickname, OpenDirect, Role, RoomId,
    RoomInfo, RoomName, SetAccess, SetReadOnly, SetRole, SetTopic,
};

use crate::{Client, RequestError};

impl Client {
    /// Gives a member of a room another role there.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn set_role(
        &self,
        room: RoomId,
        account: AccountId,
        role: Role,
    ) -> Result<(), RequestError> {
        self.ask(SetRole { room, account, role: role as u16 }).await.map(drop)
    }

    /// Makes a room, and follows it.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn create_room(
        &self,
        room: &RoomName,
        is_private: bool,
    ) -> Result<RoomInfo, RequestError> {
        let info = self.ask(CreateRoom { name: room.to_string(), is_private }).await?;
        self.follow(info.room.into(), None).await?;
        Ok(info)
    }

    /// Opens the conversation with somebody, and follows it.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn open_direct(&self, account: AccountId) -> Result<RoomInfo, RequestError> {
        let info = self.ask(OpenDirect { account }).await?;
        self.follow(info.room.into(), None).await?;
        Ok(info)
    }

    /// The account of a nickname, when somebody is called so.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn find_account(&self, name: &Nickname) -> Result<Option<AccountInfo>, RequestError> {
        let found = self.ask(FindAccount { name: name.to_string() }).await?;
        Ok(found.accounts.into_vec().pop())
    }

    /// Makes a room private, or public.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn set_access(&self, room: RoomId, is_private: bool) -> Result<(), RequestError> {
        self.ask(SetAccess { room, is_private }).await.map(drop)
    }

    /// Gives an account the right to join a room, or takes that back.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn invite_into(
        &self,
        room: RoomId,
        account: AccountId,
        is_set: bool,
    ) -> Result<(), RequestError> {
        self.ask(Invite { room, account, is_set }).await.map(drop)
    }

    /// Says what a room is about.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn set_topic(&self, room: RoomId, topic: &str) -> Result<(), RequestError> {
        self.ask(SetTopic { room, topic: topic.to_owned() }).await.map(drop)
    }

    /// Says who may post in a room: only its moderators and owners, or all members.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn set_read_only(
        &self,
        room: RoomId,
        is_read_only: bool,
    ) -> Result<(), RequestError> {
        self.ask(SetReadOnly { room, is_read_only }).await.map(drop)
    }
}
