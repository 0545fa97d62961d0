//! Join lines, which come from mails and web pages.

use chat_client::TargetUrl;

use super::{Target, holds};

pub(crate) fn target() -> Target {
    let key = "A".repeat(43);
    let valid = [
        "chat://chat.example:5018".to_owned(),
        format!("chat://chat.example:5018/dev#{key}"),
        format!("chat://[::1]:5018/lobby#{key}.secret"),
        "unix:///run/user/1000/chatd.sock".to_owned(),
        "192.0.2.1:5018".to_owned(),
        "chat.example".to_owned(),
    ];
    Target {
        name: "join lines",
        corpus: include_str!("../corpus/urls.hex"),
        valid: valid.map(String::into_bytes).into(),
        check: |input| {
            let line = String::from_utf8_lossy(input);
            let Ok(url) = line.parse::<TargetUrl>() else { return Ok(()) };
            let target = url.target.to_string();
            let again = target.parse::<TargetUrl>();
            let again = again.map_err(|why| format!("{target:?} is none: {why}"))?.target;
            holds(again == url.target, || format!("{target:?} is {again:?}, not {:?}", url.target))
        },
        is_taken: |input| String::from_utf8_lossy(input).parse::<TargetUrl>().is_ok(),
    }
}
