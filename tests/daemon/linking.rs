//! Devices of one account: one is linked, one is revoked while it floods, and what is left of it.

use anyhow::{Result, ensure};
use chat_proto::{
    Close, CloseReason, CredentialId, DeviceList, Devices, Done, Error, ErrorCode, FindRoom, Join,
    Kind, LinkCode, LinkDevice, Nonce, OpenLink, Ping, Pong, PublicKey, RevokeCredential, RoomInfo,
    Send, SignIn, SignedIn, StreamId, TextBody, sign_in_transcript,
};
use chat_tests::process::Daemon;
use chat_tests::raw::{Closed, Raw};
use ed25519_dalek::{Signer, SigningKey};
use tempfile::TempDir;

/// What a flood says at once: less than its window.
const FLOOD: u64 = 800;

fn credential(key: u8) -> CredentialId {
    let public = SigningKey::from_bytes(&[key; 32]).verifying_key().to_bytes();
    chat_proto::Credential::Key(PublicKey(public)).id()
}

/// A connection that asks to be linked, and what it is told.
async fn link(daemon: &Daemon, key: u8, code: LinkCode) -> Result<(Raw, Result<SignedIn>)> {
    let mut raw = Raw::connect(daemon.address()).await?;
    let welcome = raw.greet().await?;
    let key = SigningKey::from_bytes(&[key; 32]);
    let signed = key.sign(&sign_in_transcript(&welcome.challenge, &welcome.server_key, &[]));
    let public = PublicKey(key.verifying_key().to_bytes());
    let sign_in = SignIn::with_key(public, signed.to_bytes(), "");
    let told = raw.ask(&LinkDevice::of(sign_in, code, "laptop")).await;
    Ok((raw, told))
}

/// Why a connection was closed.
fn code_of(told: Result<SignedIn>) -> Result<(CloseReason, ErrorCode)> {
    let Err(error) = told else { anyhow::bail!("it was signed in: {told:?}") };
    let Some(Closed(close)) = error.downcast_ref::<Closed>() else { return Err(error) };
    let code = ErrorCode::from_number(close.code);
    let reason = close.known_reason();
    ensure!(reason.is_some() && code.is_some() && !close.reconnect, "{close:?}");
    Ok((reason.unwrap_or(CloseReason::Internal), code.unwrap_or(ErrorCode::Malformed)))
}

#[tokio::test]
async fn a_device_is_linked_floods_is_revoked_and_never_heard_again() -> Result<()> {
    let dir = TempDir::new()?;
    let daemon = Daemon::start(&dir.path().join("data"))?;
    let (mut ada, me) = Raw::sign_in(daemon.address(), 1, "ada").await?;
    let room: RoomInfo = ada.ask(&Join { name: "ops".to_owned() }).await?;
    let code = LinkCode([0x5A; 16]);
    let _: Done = ada.ask(&OpenLink { code: code.hash() }).await?;
    let (mut laptop, told) = link(&daemon, 2, code).await?;
    let told = told?;
    ensure!((told.account, told.name.as_str()) == (me.account, "ada"), "{told:?}");
    let listed: DeviceList = laptop.ask(&Devices {}).await?;
    let listed: Vec<_> = listed.devices.iter().map(|it| (it.credential, &*it.label)).collect();
    ensure!(listed == [(credential(1), ""), (credential(2), "laptop")], "{listed:?}");

    let flood: Vec<_> = (1..=FLOOD)
        .map(|n| {
            let nonce = Nonce { stream: StreamId([2; 16]), n };
            Send { nonce, room: room.room, body: TextBody::say(format!("number {n}")) }
        })
        .collect();
    laptop.tell_at_once(&flood).await?;
    let _: Done = ada.ask(&RevokeCredential { credential: credential(2) }).await?;
    // Behind the answer nothing of it is posted, whatever it had under way.
    let now: RoomInfo = ada.ask(&FindRoom { name: "ops".to_owned() }).await?;
    let close = last_words(&mut laptop).await?;
    ensure!(close.known_reason() == Some(CloseReason::SignedOut) && !close.reconnect, "{close:?}");
    ensure!(close.code == ErrorCode::CredentialRevoked as u16, "{close:?}");
    let _: Pong = ada.ask(&Ping { token: 1 }).await?;
    let later: RoomInfo = ada.ask(&FindRoom { name: "ops".to_owned() }).await?;
    ensure!(
        later.head == now.head,
        "{} posts came behind the revocation",
        later.head.0 - now.head.0
    );

    let again = Raw::sign_in(daemon.address(), 2, "ada").await.map(|(_raw, told)| told);
    let refused = (CloseReason::SignInRefused, ErrorCode::CredentialRevoked);
    ensure!(code_of(again)? == refused, "a revoked device signs in");
    let again = Raw::sign_in(daemon.address(), 2, "somebody").await.map(|(_raw, told)| told);
    ensure!(code_of(again)? == refused, "a revoked device makes an account");
    let (_raw, told) = link(&daemon, 3, code).await?;
    let refused = (CloseReason::SignInRefused, ErrorCode::BadLinkCode);
    ensure!(code_of(told)? == refused, "a used code is used again");
    let (_raw, told) = link(&daemon, 3, LinkCode([0x5B; 16])).await?;
    ensure!(code_of(told)? == refused, "a guessed code is told from a used one");
    Ok(())
}

/// What a connection is told at its end; acks and refusals come before.
async fn last_words(raw: &mut Raw) -> Result<Close> {
    loop {
        let frame = match raw.frame().await {
            Ok(frame) => frame,
            Err(error) => return Ok(error.downcast::<Closed>()?.0),
        };
        match frame.known_kind() {
            Some(Kind::Error) => {
                let error: Error = frame.decode()?;
                let code = error.known_code();
                ensure!(code == Some(ErrorCode::CredentialRevoked), "{error:?}");
            }
            kind => ensure!(kind == Some(Kind::Ack), "{frame:?}"),
        }
    }
}

#[tokio::test]
async fn a_store_that_is_opened_again_knows_its_devices() -> Result<()> {
    let dir = TempDir::new()?;
    let data = dir.path().join("data");
    let daemon = Daemon::start(&data)?;
    let (mut ada, me) = Raw::sign_in(daemon.address(), 1, "ada").await?;
    for (key, code) in [(2, LinkCode([1; 16])), (3, LinkCode([2; 16]))] {
        let _: Done = ada.ask(&OpenLink { code: code.hash() }).await?;
        link(&daemon, key, code).await?.1?;
    }
    let _: Done = ada.ask(&RevokeCredential { credential: credential(2) }).await?;
    let open = LinkCode([3; 16]);
    let _: Done = ada.ask(&OpenLink { code: open.hash() }).await?;
    daemon.kill()?;

    let daemon = Daemon::start(&data)?;
    let (_raw, told) = Raw::sign_in(daemon.address(), 3, "ada").await?;
    ensure!(told.account == me.account, "{told:?}");
    let again = Raw::sign_in(daemon.address(), 2, "ada").await.map(|(_raw, told)| told);
    ensure!(code_of(again)?.1 == ErrorCode::CredentialRevoked, "it was forgotten");
    let (mut phone, told) = link(&daemon, 4, open).await?;
    ensure!(told?.account == me.account, "an open code outlives the daemon");
    let listed: DeviceList = phone.ask(&Devices {}).await?;
    let listed: Vec<_> = listed.devices.iter().map(|device| device.credential).collect();
    ensure!(listed == [1, 3, 4].map(credential), "{listed:?}");
    Ok(())
}
