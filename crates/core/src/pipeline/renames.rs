//! What is told of a rename.

use chat_proto::{AccountId, Renamed, RequestId, encode_frame};

/// The frame that tells of a rename.
pub(super) fn renamed_frame(account: AccountId, name: String) -> Vec<u8> {
    let mut frame = Vec::new();
    encode_frame(&Renamed { account, name }, RequestId(0), &mut frame)
        .expect("a name fits a frame");
    frame
}

/// The frame that tells that any name may be out of date.
pub(crate) fn unsure_of_names() -> Vec<u8> {
    renamed_frame(AccountId(0), String::new())
}
