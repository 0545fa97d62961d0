//! What the operator is told of the committed state.

use chat_proto::{AccountId, RequestId};

use super::Pipeline;
use crate::conversation::presence::Presence;
use crate::decision::operator::{AccountSummary, Census, OPERATOR, OPERATOR_PAGE};
use crate::decision::state::Access;
use crate::{Fanout, OperatorAnswer, OperatorQuery, Refusal, Store};

impl<S: Store> Pipeline<S> {
    /// Answers the operator from the committed state, where there is one.
    pub(super) fn answer_operator(
        &self,
        request: RequestId,
        query: OperatorQuery,
        fanout: &mut impl Fanout,
    ) {
        let answer = self.state.as_ref().ok_or(Refusal::Unavailable).map(|state| match query {
            OperatorQuery::Census => {
                let (accounts, rooms) = state.counts();
                let (epoch, online) = (state.epoch(), self.presence.accounts_online());
                let takes_commands = self.takes_commands();
                OperatorAnswer::Census(Census { epoch, accounts, online, rooms, takes_commands })
            }
            OperatorQuery::Accounts { after } => {
                page_of_accounts(state.access(OPERATOR), &self.presence, after)
            }
        });
        fanout.tell_operator(request, answer);
    }
}

/// The accounts with the smallest ids behind `after`.
fn page_of_accounts(access: Access<'_>, presence: &Presence, after: AccountId) -> OperatorAnswer {
    let mut ids = access.account_ids_after(after, OPERATOR_PAGE + 1);
    let more = ids.len() > OPERATOR_PAGE;
    ids.truncate(OPERATOR_PAGE);
    let credentials = access.credential_counts(&ids);
    let summary = |(id, credentials)| {
        let account = access.account(id)?;
        let (name, rooms) = (account.name.to_string(), account.rooms.len());
        let (is_online, is_administrator) = (presence.is_online(id), account.is_administrator);
        let disabled = account.disabled.as_deref().map(str::to_owned);
        Some(AccountSummary { id, name, rooms, credentials, disabled, is_administrator, is_online })
    };
    let accounts = ids.into_iter().zip(credentials).filter_map(summary).collect();
    OperatorAnswer::Accounts { accounts, more }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{ADA, NOW, World, sign_in_with};
    use super::*;
    use crate::Unsequenced;

    const REQUEST: RequestId = RequestId(7);

    fn ask(world: &mut World, query: OperatorQuery) -> OperatorAnswer {
        world.run([Unsequenced::Operator { request: REQUEST, query }.into_input(NOW)]);
        let (request, answer) = world.heard.told_operator.pop().expect("the operator is answered");
        assert_eq!(request, REQUEST);
        answer.expect("the store can be read")
    }

    #[test]
    fn the_operator_reads_every_account_once_page_by_page() {
        let (mut world, more_than_a_page) = (World::new(), OPERATOR_PAGE + 100);
        for number in 1..more_than_a_page {
            let key = [number.to_le_bytes(), [1; 8], [2; 8], [3; 8]].concat();
            let conn = 1_000 + number as u64;
            let key = key.try_into().expect("it has 32 bytes");
            world.run([sign_in_with(conn, key, &format!("n{number}"))]);
        }
        let OperatorAnswer::Census(census) = ask(&mut world, OperatorQuery::Census) else {
            panic!("it was asked for the census")
        };
        assert_eq!((census.accounts, census.rooms), (more_than_a_page, 1));
        assert_eq!((census.online, census.takes_commands), (more_than_a_page, true));
        let (mut seen, mut after, mut pages) = (Vec::new(), AccountId(0), 0);
        loop {
            let answer = ask(&mut world, OperatorQuery::Accounts { after });
            let OperatorAnswer::Accounts { accounts, more } = answer else {
                panic!("it was asked for accounts")
            };
            after = accounts.last().expect("no page is empty here").id;
            seen.extend(accounts);
            pages += 1;
            if !more {
                break;
            }
        }
        assert!(seen.is_sorted_by(|one, next| one.id < next.id), "each is told once");
        assert_eq!((seen.len(), pages), (more_than_a_page, 2));
        assert!(seen.iter().all(|account| account.credentials == 1 && account.is_online));
        let ada = seen.iter().find(|account| account.name == "ada").expect("she is one of them");
        assert_eq!(ada.rooms, 1);
    }

    #[test]
    fn nobody_else_is_given_all_accounts() {
        let world = World::new();
        let state = world.pipeline.state().expect("it can be read");
        let everybody = state.access(OPERATOR).account_ids_after(AccountId(0), 10);
        assert_eq!(everybody, [ADA]);
        assert_eq!(state.access(everybody[0]).account_ids_after(AccountId(0), 10), []);
    }
}
