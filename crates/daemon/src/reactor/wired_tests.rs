use chat_core::{Rate, Reply, ServerKey};
use chat_proto::Window;
use tokio::net::UnixStream;

use super::*;

/// Longer than anybody may be silent, in ticks.
const LONG: usize = 200;

fn admission() -> Admission {
    let identity = ServerKey::from_seed(&[1; 32]);
    Admission { identity, rate: Rate { per_second: 1, burst: 1 } }
}

fn signed_in() -> (Wired, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let admission = admission();
    let arrival = Arrival { socket: Socket::Unix(ours), network: Network::Local };
    let mut wired = Wired::new(Conn(1), arrival, Waker::noop().clone(), [2; 32], &admission, 0);
    wired.pulse.sign_in();
    wired.is_readable = false;
    (wired, theirs)
}

#[tokio::test]
async fn the_committing_thread_does_not_know_who_comes_and_goes_without_signing_in() {
    let (mut wired, theirs) = signed_in();
    assert!(!wired.is_known());
    drop(theirs);
    let introduction = chat_core::introduction::introduction(&admission(), &[2; 32]);
    assert!(wired.core.receive(&admission(), &mut &introduction[..], 0).is_some());
    let reply = Reply { frame: Vec::new(), effect: Effect::SignedIn(AccountId(7)) };
    wired.core.deliver(Window::Commands, &reply, None);
    assert!(wired.is_known());
}

#[tokio::test]
async fn a_reader_to_whom_nothing_can_be_written_is_not_closed_for_it() {
    let (mut wired, _theirs) = signed_in();
    wired.is_writable = false;
    assert!((0..LONG).all(|_| wired.tick() == Turn::Done));
}

#[tokio::test]
async fn a_peer_that_does_not_answer_a_probe_that_it_could_have_taken_is_let_go() {
    let (mut wired, _theirs) = signed_in();
    assert!((0..LONG).any(|_| wired.tick() == Turn::Gone));
}
