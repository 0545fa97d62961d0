//! Where in the order of all events cursors were opened: the server notes it with its answer, and the client
//! that gets the answer takes it. No frame says it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use chat_core::Conn;
use chat_proto::RequestId;

use super::Place;

/// Answers that are on their way.
#[derive(Clone, Default)]
pub(crate) struct Openings(Rc<RefCell<BTreeMap<(Conn, RequestId), Place>>>);

impl Openings {
    pub(crate) fn note(&self, conn: Conn, request: RequestId, place: Place) {
        self.0.borrow_mut().insert((conn, request), place);
    }

    pub(crate) fn take(&self, conn: Conn, request: RequestId) -> Option<Place> {
        self.0.borrow_mut().remove(&(conn, request))
    }
}
