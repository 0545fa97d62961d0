//! `whoami` and `leave`: who this is, and where it is no more.

use chat_client::{Connected, sanitize};
use tokio::time::Instant;

use super::Context;
use super::failure::Failure;
use super::finding::find_all;
use super::link::Link;
use super::record::Record;
use crate::args::ListArgs;

pub(super) async fn whoami(context: &mut Context, args: &ListArgs) -> Result<(), Failure> {
    let deadline = Instant::now() + args.timeout;
    let asking = async {
        let link = Link::open(context.config.clone(), deadline).await?;
        let fingerprint = link.client.fingerprint().to_string();
        context.output.print(identity_line(&link.me, fingerprint, args.json)).await?;
        link.close().await;
        Ok(())
    };
    tokio::select! {
        done = asking => done,
        failure = context.output.gone() => Err(failure),
        failure = context.signals.next() => Err(failure),
    }
}

pub(super) async fn leave(context: &mut Context, args: &ListArgs) -> Result<(), Failure> {
    let deadline = Instant::now() + args.timeout;
    let leaving = async {
        let mut link = Link::open(context.config.clone(), deadline).await?;
        let (rooms, _none_is_waited_for) = find_all(&mut link, &context.rooms, false).await?;
        for room in &rooms {
            let client = link.client.clone();
            link.answer(deadline, client.leave(room.room)).await?;
            if args.json {
                context.output.print(Record::left(room).json()).await?;
            }
        }
        link.close().await;
        Ok(())
    };
    tokio::select! {
        done = leaving => done,
        failure = context.output.gone() => Err(failure),
        failure = context.signals.next() => Err(failure),
    }
}

fn identity_line(me: &Connected, fingerprint: String, json: bool) -> String {
    if json {
        return Record::identity(me, fingerprint).json();
    }
    format!("{}\t{fingerprint}\t{}", sanitize::inert(&me.name), sanitize::inert(&me.address))
}
