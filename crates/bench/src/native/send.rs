//! The one request that is sent often.

use std::sync::atomic::{AtomicU64, Ordering};

use chat_proto::{HEADER_BYTES, Nonce, RequestId, RoomId, Send, StreamId, TextBody, encode_frame};

use crate::net::template::{Numbers, Template, text};

/// Where the request id stands in a frame.
const REQUEST_AT: usize = 8;

/// Numbers above 2^32 take nine bytes, of which the first says so: their place stays the same.
const WIDE: u64 = 1 << 40;

/// A stream that no server has seen from this process: they must not be used twice.
pub(crate) fn fresh_stream() -> StreamId {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut stream = *b"bench...........";
    stream[8..].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_le_bytes());
    StreamId(stream)
}

/// A `Send` to `room` in a stream of its own, with a text of so many bytes.
pub(crate) fn send_template(room: u64, text_bytes: usize) -> Template {
    let stream = fresh_stream();
    let nonce = Nonce { stream, n: WIDE };
    let send = Send { nonce, room: RoomId(WIDE), body: TextBody::say(text(text_bytes)) };
    let mut bytes = Vec::new();
    encode_frame(&send, RequestId(1), &mut bytes).expect("a text far under the limit fits a frame");
    let text_at = bytes.len() - send.body.text.len();
    let n_at = HEADER_BYTES + stream.0.len() + 1;
    let room_at = n_at + 8 + 1;
    let numbers = Numbers { request_at: REQUEST_AT, stream_at: HEADER_BYTES, n_at, room_at };
    let mut template = Template::new(bytes, text_at, Some(numbers));
    template.set_room(room);
    template
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use chat_proto::FrameCodec;

    use super::*;
    use crate::stamp::Stamp;

    #[test]
    fn a_template_is_a_send_under_its_own_nonce() {
        let mut bytes = Vec::new();
        let mut template = send_template(70_000, 128);
        for count in [1, 2, 300] {
            template.put(Stamp { sender: 3, count, at_ns: 77 }, &mut bytes);
        }
        assert_eq!(bytes.len(), 3 * template.len());
        let mut bytes = BytesMut::from(&bytes[..]);
        for count in [1, 2, 300] {
            let frame = FrameCodec::default().take_frame(&mut bytes).unwrap().unwrap();
            let send: Send = frame.decode().unwrap();
            assert_eq!(
                (send.nonce.n, send.room, send.body.text.len()),
                (count, RoomId(70_000), 128)
            );
            assert_eq!(u64::from(frame.request.0), count + 1);
            let stamp = Stamp::read(send.body.text.as_bytes()).unwrap();
            assert_eq!(stamp, Stamp { sender: 3, count, at_ns: 77 });
        }
    }

    #[test]
    fn each_of_many_rooms_has_a_stream_that_counts_from_one() {
        let (mut template, mut other) = (send_template(0, 128), send_template(0, 128));
        let mut bytes = Vec::new();
        for (count, (room, n)) in [(7, 1), (8, 1), (7, 2), (8, 2)].into_iter().enumerate() {
            template.address(room, n);
            template.put(Stamp { sender: 3, count: count as u64, at_ns: 77 }, &mut bytes);
        }
        other.address(7, 1);
        other.put(Stamp { sender: 4, count: 1, at_ns: 77 }, &mut bytes);
        let mut bytes = BytesMut::from(&bytes[..]);
        let sent: Vec<(Nonce, RoomId)> = std::iter::from_fn(|| {
            let frame = FrameCodec::default().take_frame(&mut bytes).unwrap()?;
            let send: Send = frame.decode().unwrap();
            Some((send.nonce, send.room))
        })
        .collect();
        let at: Vec<_> = sent.iter().map(|(nonce, room)| (room.0, nonce.n)).collect();
        assert_eq!(at, [(7, 1), (8, 1), (7, 2), (8, 2), (7, 1)]);
        let streams: Vec<_> = sent.iter().map(|(nonce, _room)| nonce.stream).collect();
        assert_eq!((streams[0], streams[1]), (streams[2], streams[3]));
        assert!(streams[0] != streams[1] && streams[0] != streams[4]);
    }
}
