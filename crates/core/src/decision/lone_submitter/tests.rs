//! What comes into which submission.

use chat_proto::{AccountId, RequestId, RoomId, Window};

use super::*;
use crate::{Action, Conn, Origin, Request};

#[test]
fn a_machine_alone_submits_commands_up_to_a_cost_and_what_is_its_own_in_between() {
    let origin = Origin { conn: Conn(1), request: RequestId(1), window: Window::Commands };
    let leave = || {
        let action = Action::Leave { account: AccountId(1), room: RoomId(1) };
        Unsequenced::Request { origin, request: Request::Command(action) }
    };
    let gone = || Unsequenced::Gone(Conn(1));
    let last = Submission { submitter: SubmitterId::ALONE, n: 7 };
    let progress = OrderProgress { submitters: vec![last], ..OrderProgress::default() };
    let (mut submitter, mut order) = (LoneSubmitter::after(&progress, 10), Vec::new());
    for (input, cost) in [(gone(), 50), (leave(), 4), (gone(), 4), (leave(), 4), (leave(), 1)] {
        submitter.put(input, cost, Timestamp(1), &mut order);
    }
    submitter.end(&mut order);
    submitter.end(&mut order);
    let kinds: Vec<_> = order
        .iter()
        .map(|input| match input {
            Input::Begins(submission) => submission.n.to_string(),
            Input::Ordered(_) => "command".to_owned(),
            Input::Local(_) => "local".to_owned(),
            Input::Ends => "end".to_owned(),
        })
        .collect();
    let expected = ["local", "8", "command", "local", "command", "end", "9", "command", "end"];
    assert_eq!(kinds, expected);
}
