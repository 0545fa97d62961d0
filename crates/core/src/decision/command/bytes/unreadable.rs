//! Why bytes are no command.

use chat_proto::NameError;

/// Why bytes are no command that this version could carry out. The machine must not go on behind it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum UnreadableCommand {
    /// Another version wrote it.
    #[error("it has the action {number} in version {version}, which only a newer version knows")]
    Unknown {
        /// The action's number.
        number: u16,
        /// Its version.
        version: u8,
    },
    /// It ends in the middle, or has no end.
    #[error("it has {bytes} bytes, which are not those of its action")]
    Length {
        /// How many there are.
        bytes: usize,
    },
    /// A field has a value that it cannot have.
    #[error("its {field} is none")]
    Field {
        /// Its name, as the sentence says it.
        field: &'static str,
    },
    /// A name is none by the rules of this version.
    #[error("a name in it breaks a rule of this version: {0}")]
    Name(#[from] NameError),
}
