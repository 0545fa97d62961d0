//! The channel that a conversation goes through, where it is TLS.

/// What a client asks for, and gets, in TLS (ALPN, RFC 7301).
pub const ALPN: &[u8] = b"chatd/1";

/// Under this label TLS exports a [`ChannelBinding`], with an empty context (RFC 8446, section 7.5).
pub const EXPORTER_LABEL: &[u8] = b"EXPORTER-chatd-binding";

/// What TLS exports for one connection alone: both ends of it have the same, and nobody else has. Both
/// sign it, so that neither signature is of use on another connection. It is no secret.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChannelBinding(pub [u8; 32]);

impl ChannelBinding {
    /// The bytes that are signed: none where there is no TLS.
    #[must_use]
    pub fn signed(of: Option<&Self>) -> &[u8] {
        of.map_or(&[], |binding| &binding.0)
    }
}
