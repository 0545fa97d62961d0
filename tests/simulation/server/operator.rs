//! What whoever runs the server does: in the end, nobody is kept from anything that everybody else waits for.

use chat_core::{Action, Conn, Moderation, OPERATOR, Origin, Request, Unsequenced};
use chat_proto::{RequestId, Window};

use super::Server;
use crate::env::Env;

impl Server {
    /// Where everything heals, nobody waits behind his own messages any more.
    pub(super) fn make_peace(&mut self, env: &mut Env) {
        if !env.plan.is_healed {
            return;
        }
        let slow: Vec<_> = {
            let disk = self.fanout.disk.borrow();
            let rooms = disk.data.rights.rooms.iter();
            rooms.filter(|(_id, room)| room.slow_seconds > 0).map(|(id, _room)| *id).collect()
        };
        for room in slow {
            let asked = Moderation::Slow { seconds: 0 };
            self.order(Action::Moderate { account: OPERATOR, room, asked }, env);
        }
    }

    /// The operator orders something.
    pub(super) fn order(&mut self, action: Action, env: &mut Env) {
        let (conn, request) = (Conn::OPERATOR, RequestId(1));
        let origin = Origin { conn, request, window: Window::Commands };
        self.queue.push_back(Unsequenced::Request { origin, request: Request::Command(action) });
        self.sequence_soon(env);
    }
}
