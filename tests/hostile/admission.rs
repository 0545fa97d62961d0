//! Who is not let in: codes that are good for nothing, many who come at once with one, and keys that
//! nobody knows.

use anyhow::{Context, Result, ensure};
use chat_core::Registration;
use chat_proto::{
    Close, CreateInvitation, Done, ErrorCode, InvitationCode, InvitationMade, List, PublicKey,
    RevokeInvitation, SignIn, SignedIn, Welcome, sign_in_transcript,
};
use chat_tests::raw::{Closed, Raw};
use ed25519_dalek::{Signer, SigningKey};
use futures::future::try_join_all;
use tokio::time::{Duration, Instant};

use crate::TestServer;

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(60);

/// A key of its own for each number; those of `Raw` are made of one byte.
fn key(number: u16) -> SigningKey {
    let mut seed = [0xAD; 32];
    seed[..2].copy_from_slice(&number.to_le_bytes());
    SigningKey::from_bytes(&seed)
}

fn proven(key: &SigningKey, welcome: &Welcome) -> SignIn {
    let signed = key.sign(&sign_in_transcript(&welcome.challenge, &welcome.server_key, &[]));
    let public = PublicKey(key.verifying_key().to_bytes());
    SignIn { name_is_firm: false, ..SignIn::with_key(public, signed.to_bytes(), "guest") }
}

/// Somebody who has greeted, and what he is to sign in with.
async fn at_the_door(
    server: &TestServer,
    number: u16,
    invitation: Option<InvitationCode>,
) -> Result<(Raw, SignIn)> {
    let mut raw = Raw::connect(server.address).await?;
    let welcome = raw.greet().await?;
    let sign_in = SignIn { invitation, ..proven(&key(number), &welcome) };
    Ok((raw, sign_in))
}

async fn signs_in((mut raw, sign_in): (Raw, SignIn)) -> Result<Result<SignedIn, Close>> {
    match raw.ask::<SignIn, SignedIn>(&sign_in).await {
        Ok(signed_in) => Ok(Ok(signed_in)),
        Err(error) => Ok(Err(error.downcast::<Closed>()?.0)),
    }
}

async fn comes(
    server: &TestServer,
    number: u16,
    invitation: Option<InvitationCode>,
) -> Result<Result<SignedIn, Close>> {
    signs_in(at_the_door(server, number, invitation).await?).await
}

/// A server at which ada has an account, and nobody else gets one just so.
async fn server_with_ada(registration: Registration) -> Result<(TestServer, Raw)> {
    let open = TestServer::start().await?;
    Raw::sign_in(open.address, 1, "ada").await?;
    let server = open.restart_with(registration).await?;
    let (ada, _signed_in) = Raw::sign_in(server.address, 1, "ada").await?;
    Ok((server, ada))
}

async fn invite(ada: &mut Raw, uses: u32, seconds: u32) -> Result<InvitationMade> {
    let (rooms, name) = (List::default(), String::new());
    ada.ask(&CreateInvitation { uses, seconds, rooms, name }).await
}

#[tokio::test]
async fn used_expired_revoked_and_guessed_invitations_are_answered_alike() -> Result<()> {
    let (server, mut ada) = server_with_ada(Registration::Invite).await?;
    let used = invite(&mut ada, 1, 600).await?.code;
    comes(&server, 1, Some(used)).await?.ok().context("it is good once")?;
    let revoked = invite(&mut ada, 1, 600).await?;
    let _done: Done = ada.ask(&RevokeInvitation { invitation: revoked.invitation }).await?;
    let expires = invite(&mut ada, 10_000, 1).await?.code;
    let (begun, mut number) = (Instant::now(), 1_000);
    while comes(&server, number, Some(expires)).await?.is_ok() {
        ensure!(begun.elapsed() < LONG, "it is good for a second");
        number += 1;
    }
    let guessed = InvitationCode([7; 16]);
    let mut answers = Vec::new();
    for code in [used, revoked.code, expires, guessed] {
        answers.push(comes(&server, 2, Some(code)).await?.expect_err("it is good for nothing"));
    }
    assert_eq!(answers[0].code, ErrorCode::BadInvitation as u16);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    server.stop().await;
    Ok(())
}

#[tokio::test]
async fn one_invitation_used_by_a_hundred_at_once_makes_one_account() -> Result<()> {
    let (server, mut ada) = server_with_ada(Registration::Invite).await?;
    let code = invite(&mut ada, 1, 600).await?.code;
    let doors = (0..100).map(|number| at_the_door(&server, number, Some(code)));
    let doors = try_join_all(doors).await?;
    let answers = try_join_all(doors.into_iter().map(signs_in)).await?;
    let refused: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().err()).collect();
    assert_eq!(refused.len(), 99);
    assert!(refused.iter().all(|close| close.code == ErrorCode::BadInvitation as u16));
    server.stop().await;
    Ok(())
}

#[tokio::test]
async fn five_hundred_sign_ins_at_once_are_as_many_accounts_as_the_invitation_says() -> Result<()> {
    let (server, mut ada) = server_with_ada(Registration::Invite).await?;
    let code = invite(&mut ada, 499, 600).await?.code;
    let doors = (0..500).map(|number| at_the_door(&server, number, Some(code)));
    let doors = try_join_all(doors).await?;
    let answers = try_join_all(doors.into_iter().map(signs_in)).await?;
    let mut accounts: Vec<_> = answers.iter().flatten().map(|it| it.account).collect();
    accounts.sort_unstable();
    accounts.dedup();
    assert_eq!(accounts.len(), 499, "each has an account of its own");
    server.stop().await;
    Ok(())
}

#[tokio::test]
async fn an_unknown_account_and_a_wrong_key_are_the_same_answer() -> Result<()> {
    for registration in [Registration::Invite, Registration::Closed] {
        let (server, _ada) = server_with_ada(registration).await?;
        let unknown = comes(&server, 7, None).await?.expect_err("nobody knows it");
        assert_eq!(unknown.code, ErrorCode::NotAdmitted as u16);
        // Ada's own key, and that of nobody, each signed by somebody else.
        let ada = SigningKey::from_bytes(&[1; 32]);
        for claimed in [&ada, &key(8)] {
            let (raw, sign_in) = at_the_door(&server, 9, None).await?;
            let sign_in = SignIn { credential: claimed.verifying_key().to_bytes(), ..sign_in };
            let wrong = signs_in((raw, sign_in)).await?.expect_err("it is not signed by it");
            assert_eq!(wrong, unknown, "{registration:?}");
        }
        // Nor is it said whether a name is taken.
        let (raw, sign_in) = at_the_door(&server, 7, None).await?;
        let sign_in = SignIn { name: "ada".to_owned(), name_is_firm: true, ..sign_in };
        assert_eq!(signs_in((raw, sign_in)).await?.expect_err("nobody knows it"), unknown);
        server.stop().await;
    }
    Ok(())
}

#[tokio::test]
async fn where_no_accounts_are_made_no_invitation_is() -> Result<()> {
    let (server, mut ada) = server_with_ada(Registration::Closed).await?;
    let refused = invite(&mut ada, 1, 600).await.expect_err("it would be good for nothing");
    assert!(refused.to_string().contains("No accounts are made here"), "{refused}");
    server.stop().await;
    Ok(())
}
