//! The bytes of what is posted: the number of its kind (`u8`), and its fields. What may be missing
//! has a flag before it.

use chat_proto::limits::ATTACHMENTS_MAX;
use chat_proto::{AttachmentId, Context, EventSeq, List, MessageId, Nonce, RoomId, Seq, TextBody};

use super::{Fields, UnreadableCommand, put_text, put_u32, put_u64};
use crate::PostBody;

/// The numbers of the kinds. None is ever given again.
mod number {
    pub(super) const TEXT: u8 = 1;
    pub(super) const EDIT: u8 = 2;
    pub(super) const DELETE: u8 = 3;
    pub(super) const REACT: u8 = 4;
}

/// Which send it is, how many before it were refused, the room, and what is posted.
pub(super) fn put(out: &mut Vec<u8>, nonce: Nonce, room: RoomId, body: &PostBody) {
    out.extend(nonce.stream.0);
    put_u64(out, nonce.n);
    let (skipped, body) = body.parts();
    put_u64(out, skipped);
    put_u64(out, room.0);
    put_body(out, body);
}

fn put_body(out: &mut Vec<u8>, body: &PostBody) {
    match body {
        PostBody::Text(TextBody { kind, reply_to, context, text }) => {
            out.push(number::TEXT);
            out.extend(kind.to_le_bytes());
            put_option(out, reply_to.as_ref(), |out, reply_to| put_u64(out, reply_to.seq().0));
            put_option(out, context.as_deref(), put_context);
            put_text(out, text);
        }
        PostBody::Edit { of, text } => {
            out.push(number::EDIT);
            put_u64(out, of.0);
            put_text(out, text);
        }
        PostBody::Delete { of } => {
            out.push(number::DELETE);
            put_u64(out, of.0);
        }
        PostBody::React { of, reaction, is_set } => {
            out.push(number::REACT);
            put_u64(out, of.0);
            put_text(out, reaction);
            out.push(u8::from(*is_set));
        }
        PostBody::AfterRefused(_) => unreachable!("it is written in parts"),
    }
}

fn put_context(out: &mut Vec<u8>, context: &Context) {
    let Context { thread, attachments, cause, via } = context;
    put_option(out, thread.as_ref(), |out, seq| put_u64(out, seq.0));
    put_u32(out, attachments.len());
    attachments.iter().for_each(|attachment| out.extend(attachment.0));
    put_option(out, cause.as_ref(), |out, id| out.extend(id.0));
    put_option(out, via.as_ref(), |out, via| put_text(out, via));
}

fn put_option<T: ?Sized>(out: &mut Vec<u8>, value: Option<&T>, put: impl FnOnce(&mut Vec<u8>, &T)) {
    out.push(u8::from(value.is_some()));
    if let Some(value) = value {
        put(out, value);
    }
}

fn event_seq(fields: &mut Fields<'_>) -> Result<EventSeq, UnreadableCommand> {
    let event = EventSeq::new(Seq(fields.u64()?));
    event.ok_or(UnreadableCommand::Field { field: "reply_to" })
}

pub(super) fn body(fields: &mut Fields<'_>) -> Result<PostBody, UnreadableCommand> {
    Ok(match fields.u8()? {
        number::TEXT => PostBody::Text(TextBody {
            kind: u16::from_le_bytes(fields.array()?),
            reply_to: option(fields, event_seq)?,
            context: option(fields, context)?.map(Box::new),
            text: fields.text()?.to_owned(),
        }),
        number::EDIT => PostBody::Edit { of: Seq(fields.u64()?), text: fields.text()?.to_owned() },
        number::DELETE => PostBody::Delete { of: Seq(fields.u64()?) },
        number::REACT => PostBody::React {
            of: Seq(fields.u64()?),
            reaction: fields.text()?.to_owned(),
            is_set: fields.flag()?,
        },
        _ => return Err(UnreadableCommand::Field { field: "body" }),
    })
}

fn context(fields: &mut Fields<'_>) -> Result<Context, UnreadableCommand> {
    Ok(Context {
        thread: option(fields, |fields| fields.u64().map(Seq))?,
        attachments: attachments(fields)?,
        cause: option(fields, |fields| fields.array().map(MessageId))?,
        via: option(fields, |fields| fields.text().map(str::to_owned))?,
    })
}

fn attachments(
    fields: &mut Fields<'_>,
) -> Result<List<AttachmentId, ATTACHMENTS_MAX>, UnreadableCommand> {
    let count = fields.length()?;
    if count > ATTACHMENTS_MAX {
        return Err(UnreadableCommand::Field { field: "list of attachments" });
    }
    let ids: Result<Vec<_>, _> = (0..count).map(|_| fields.array().map(AttachmentId)).collect();
    ids.map(List::first_of)
}

fn option<'a, T>(
    fields: &mut Fields<'a>,
    read: impl FnOnce(&mut Fields<'a>) -> Result<T, UnreadableCommand>,
) -> Result<Option<T>, UnreadableCommand> {
    fields.flag()?.then(|| read(fields)).transpose()
}
