//! What the screen says when somebody takes another name.

use chat_client::Event;
use chat_proto::Nickname;
use chat_tui::screen::server::ServerId;
use chat_tui::screen::update::{Answer, Msg};

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

#[test]
fn an_own_rename_says_both_names_once_however_it_is_heard_of() {
    let told = |stage: &Stage| stage.count("you were me, and are now called ada");
    let own_name = || Event::OwnName { name: "ada".into() };
    let renamed = |stage: &Stage| Event::Renamed {
        account: stage.model.server().me.account.unwrap(),
        old_name: "me".into(),
        name: "ada".into(),
    };
    let answer =
        || Msg::Answer(ServerId::FIRST, Answer::Nick(Nickname::parse("ada").unwrap(), Ok(())));
    for order in [[0, 1, 2], [1, 2, 0], [2, 0, 1]] {
        let mut stage = Stage::online(80, 12);
        for step in order {
            match step {
                0 => stage.event(own_name()),
                1 => stage.event(renamed(&stage)),
                _ => stage.feed(answer()),
            }
            assert_eq!(told(&stage), 1, "{order:?} after {step}: {}", stage.screen());
            assert_eq!(stage.count("is now called"), 0, "{}", stage.screen());
        }
        assert!(stage.shows("· you are ada"), "{}", stage.screen());
    }
}
