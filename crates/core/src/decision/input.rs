//! What reaches a node, and what the order makes of it.
//!
//! What has come is [`Unsequenced`]. What may change the state gets a place in the order, and a time with it:
//! it becomes an [`Ordered`] input, which every machine with the same logs carries out alike. The rest is
//! [`Local`]: it concerns the node that it came to, and nobody else hears of it.

use chat_proto::{AccountId, QueryRequest, RequestId, Timestamp};

use crate::{
    Action, Command, Conn, OperatorQuery, Origin, PresenceReport, Refusal, Request, Submission,
    SubmitterId,
};

/// Something that has come to this node and has no place in the order yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unsequenced {
    /// A session asks.
    Request {
        /// Who gets the reply.
        origin: Origin,
        /// What the session has read and lets pass.
        request: Request,
    },
    /// The operator asks.
    Operator {
        /// Comes back with the answer.
        request: RequestId,
        /// The question.
        query: OperatorQuery,
    },
    /// A connection is gone. It comes behind everything that the connection asked.
    Gone(Conn),
    /// A command that this node has refused: it gets no place in the order.
    Refused {
        /// Who gets the reply.
        origin: Origin,
        /// Why.
        refusal: Refusal,
    },
}

/// Something for the pipeline.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Input {
    /// What may change the state, in the one order of all machines.
    Ordered(Ordered),
    /// What is this node's own.
    Local(Local),
    /// A submission begins. All of its commands come into one commit; one that is contained already is
    /// passed over, commands and all.
    Begins(Submission),
    /// The submission that has begun is whole.
    Ends,
}

/// A command that has its place in the order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ordered {
    /// Who gets the reply; `None` when nobody of this node asked.
    pub origin: Option<Origin>,
    /// What, with the time that the order has given it.
    pub command: Command,
}

/// What needs no place in the order. It comes behind what came to this node before it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Local {
    /// A question, to be answered from the committed state.
    Query {
        /// Who gets the reply.
        origin: Origin,
        /// Who asks.
        account: AccountId,
        /// The question, as it came.
        query: QueryRequest,
    },
    /// A question of the operator's, to be answered from the committed state.
    Operator {
        /// Comes back with the answer.
        request: RequestId,
        /// The question.
        query: OperatorQuery,
    },
    /// A connection is gone.
    Gone(Conn),
    /// A command that was refused before it had a place in the order.
    Refused {
        /// Who gets the reply.
        origin: Origin,
        /// Why.
        refusal: Refusal,
    },
    /// Another machine tells who is connected to it.
    Presence {
        /// The machine, by the id under which it submits.
        machine: SubmitterId,
        /// What it says.
        report: PresenceReport,
    },
    /// A second has passed: time for what is coalesced, and for healing.
    Tick,
}

impl Unsequenced {
    /// Whether it is for the order.
    #[must_use]
    pub fn is_command(&self) -> bool {
        matches!(self, Self::Request { request: Request::Command(_), .. })
    }

    /// What is for the order, with who gets the reply.
    #[must_use]
    pub fn command(&self) -> Option<(Origin, &Action)> {
        match self {
            Self::Request { origin, request: Request::Command(action) } => Some((*origin, action)),
            Self::Request { .. } | Self::Operator { .. } | Self::Gone(_) | Self::Refused { .. } => {
                None
            }
        }
    }

    /// With a place in the order of a node that is alone: where it is taken, at the time that it is
    /// taken.
    #[must_use]
    pub fn into_input(self, ts: Timestamp) -> Input {
        match self {
            Self::Request { origin, request: Request::Command(action) } => {
                let command = Command { ts, action };
                Input::Ordered(Ordered { origin: Some(origin), command })
            }
            Self::Request { origin, request: Request::Query(account, query) } => {
                Input::Local(Local::Query { origin, account, query })
            }
            Self::Operator { request, query } => Input::Local(Local::Operator { request, query }),
            Self::Gone(conn) => Input::Local(Local::Gone(conn)),
            Self::Refused { origin, refusal } => Input::Local(Local::Refused { origin, refusal }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Event;

    /// Inputs and events are moved some ten times on their way. What has more than 128 bytes is moved by
    /// a call of `memmove`, at a tenth of a message's cost in all.
    #[test]
    fn what_is_moved_for_every_message_is_short() {
        assert!(size_of::<Input>() <= 128, "{}", size_of::<Input>());
        assert!(size_of::<Event>() <= 128, "{}", size_of::<Event>());
    }
}
