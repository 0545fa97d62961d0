//! What comes too fast is refused here, before it has a place in the order: by account, which the pipeline
//! judges, and by network where somebody new signs in.

use std::sync::Arc;

use chat_core::{Pipeline, Unsequenced};
use chat_proto::Timestamp;

use crate::config::Limits;
use crate::fair_queue::Party;
use crate::live::Live;
use crate::network_limits::NetworkPaces;
use crate::store::SqliteStore;

/// The limits that the committing thread goes by.
#[derive(Debug)]
pub(super) struct PaceCheck {
    live: Arc<Live>,
    in_force: Arc<Limits>,
    networks: NetworkPaces,
}

impl PaceCheck {
    pub(super) fn new(live: Arc<Live>, pipeline: &mut Pipeline<SqliteStore>) -> Self {
        let in_force = live.limits();
        let networks = in_force.network_paces();
        pipeline.set_paces(Arc::new(in_force.account_paces()));
        Self { live, in_force, networks }
    }

    /// Takes the limits of a reload.
    pub(super) fn take_limits(&mut self, pipeline: &mut Pipeline<SqliteStore>) {
        let limits = self.live.limits();
        if !Arc::ptr_eq(&limits, &self.in_force) {
            self.networks = limits.network_paces();
            pipeline.set_paces(Arc::new(limits.account_paces()));
            self.in_force = limits;
        }
    }

    /// What stands in the place of an input that is too fast.
    pub(super) fn refuse(
        &self,
        pipeline: &mut Pipeline<SqliteStore>,
        party: Party,
        input: &Unsequenced,
        now: Timestamp,
    ) -> Option<Unsequenced> {
        if let Party::Network(network) = party
            && let Some((origin, _signs_in)) = input.command()
            && pipeline.makes_account(input)
            && let Err(too_fast) = self.live.networks.new_account(network, &self.networks, now.0)
        {
            return Some(Unsequenced::Refused { origin, refusal: too_fast.into() });
        }
        pipeline.refuse_for_pace(input, now)
    }
}
