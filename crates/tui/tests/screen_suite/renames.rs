//! What the screen says when somebody takes another name.

use chat_client::Event;

use crate::stage::{DEV, Stage, said, said_in};

#[test]
fn a_rename_is_told_in_the_rooms_where_its_bearer_was_seen() {
    let mut stage = Stage::online(60, 12);
    stage.subscribe(DEV, "dev", 0);
    stage.hears(said(1, "hello"));
    let account = said(1, "").from;
    let rename = |old: &str, new: &str| {
        let (old_name, name) = (old.to_owned(), new.to_owned());
        Event::Renamed { account, old_name, name }
    };
    stage.event(rename("bob", "robert"));
    assert!(stage.shows("bob is now called robert"), "{}", stage.screen());
    stage.ctrl('n');
    assert_eq!(stage.count("is now called"), 0, "nobody has seen him here: {}", stage.screen());
    stage.hears(said_in(DEV, "dev", 1, "here, too"));
    stage.event(rename("robert", "rob"));
    assert_eq!(stage.count("robert is now called rob"), 1, "{}", stage.screen());
}
