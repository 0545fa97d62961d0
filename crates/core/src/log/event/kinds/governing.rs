//! The rows of the table of kinds that tell of what is done to accounts by whoever runs the server.
//!
//! It must not know who may do it.

/// Hands the rows, behind those that it is given, to the next macro, for the one that makes something of
/// them.
macro_rules! governing_kinds {
    ($next:ident! $($made:ident!)+ { $($given:tt)* }) => {
        $next! { $($made!)+ {
            $($given)*

            /// In an account's log: nobody signs in to it any more.
            AccountDisabled = "account_disabled" of Account {
                /// Who did it; 0: the operator.
                by: AccountId,
                /// Why; may be empty.
                reason: String,
            }
            row(log) Columns { account: Some(AccountId(log.0)), by: Some(*by), words: Some(reason), ..Columns::default() };
            frame(row) {
                let (account, seq, ts, by) = (row.own_account(), row.seq, row.ts, row.columns.by()?);
                AccountDisabled { account, seq, ts, by, reason: row.columns.words.unwrap_or_default().to_owned() }
            };
            change StateChange::AccountSet(AccountSetting::Disabled(Some(reason)));

            /// In an account's log: it may be signed in to again.
            AccountEnabled = "account_enabled" of Account {
                /// Who did it; 0: the operator.
                by: AccountId,
            }
            row(log) Columns { account: Some(AccountId(log.0)), by: Some(*by), ..Columns::default() };
            frame(row) {
                let (account, seq, ts, by) = (row.own_account(), row.seq, row.ts, row.columns.by()?);
                AccountEnabled { account, seq, ts, by }
            };
            change StateChange::AccountSet(AccountSetting::Disabled(None));

            /// In an account's log: it is an administrator of the server, or is none any more.
            AdministratorSet = "administrator_set" of Account {
                /// Who did it; 0: the operator.
                by: AccountId,
                /// Whether it is one.
                is_set: bool,
            }
            row(log) Columns { account: Some(AccountId(log.0)), by: Some(*by), number: Some(u64::from(*is_set)), ..Columns::default() };
            frame(row) {
                let (account, seq, ts, by) = (row.own_account(), row.seq, row.ts, row.columns.by()?);
                AdministratorSet { account, seq, ts, by, is_set: row.columns.flag()? }
            };
            change StateChange::AccountSet(AccountSetting::Administrator(*is_set));

            /// In an account's log: somebody else than its owner has given it a key.
            KeySet = "key_set" of Account {
                /// Who did it; 0: the operator.
                by: AccountId,
                /// What people compare.
                fingerprint: String,
            }
            row(log) Columns { account: Some(AccountId(log.0)), by: Some(*by), words: Some(fingerprint), ..Columns::default() };
            frame(row) {
                let (account, seq, ts, by) = (row.own_account(), row.seq, row.ts, row.columns.by()?);
                KeySet { account, seq, ts, by, fingerprint: row.columns.words()?.to_owned() }
            };
            // What says which key it is does.
            change StateChange::Nothing;
        } }
    };
}
pub(super) use governing_kinds;
