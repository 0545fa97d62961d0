//! How the table of kinds is read: what stands in one place for each kind of event becomes the enums
//! and the functions that everybody else has of it.

/// Makes [`super::Content`] and [`super::EventKind`] of a table. A kind has there
///
/// * its name in the store, and whether it stands in the log of a `Room`, of an `Account` or of the `Server`;
/// * what happened, in fields;
/// * `row`: the [`super::Columns`] of its row, made of the log and those fields;
/// * `frame`: the body of its frame, made of nothing but that row, so that a frame of history is the
///   one that was sent when it happened;
/// * `change`: the [`super::StateChange`] that it is, made of the fields.
macro_rules! event_kinds {
    ($(
        $(#[$doc:meta])*
        $kind:ident = $name:literal of $owner:ident {
            $($(#[$field_doc:meta])* $field:ident: $type:ty,)*
        }
        row($log:ident) $columns:expr;
        frame($row:ident) $frame:expr;
        change $change:expr;
    )*) => {
        /// The kinds of events.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum EventKind {
            $($(#[$doc])* $kind,)*
        }

        impl EventKind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// What the store calls it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }

            /// The kind that the store calls so, when this version knows it.
            #[must_use]
            pub fn of_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$kind),)*
                    _ => None,
                }
            }

            /// Whose logs have it.
            #[must_use]
            pub fn owner(self) -> LogOwner {
                match self {
                    $(Self::$kind => LogOwner::$owner,)*
                }
            }
        }

        /// What happened.
        #[derive(Clone, PartialEq, Eq, Debug)]
        pub enum Content {
            $(
                $(#[$doc])*
                $kind {
                    $($(#[$field_doc])* $field: $type,)*
                },
            )*
        }

        #[expect(unused_variables, reason = "not every field is in the row, or changes something")]
        impl Content {
            /// Which kind it is.
            #[must_use]
            pub fn kind(&self) -> EventKind {
                match self {
                    $(Self::$kind { .. } => EventKind::$kind,)*
                }
            }

            /// What its row in a log says behind the kind.
            #[must_use]
            pub fn columns(&self, log: LogId) -> Columns<'_> {
                match self {
                    $(Self::$kind { $($field,)* } => {
                        let $log = log;
                        $columns
                    })*
                }
            }

            /// What it changes in the hot state.
            #[must_use]
            pub fn change(&self) -> StateChange<'_> {
                match self {
                    $(Self::$kind { $($field,)* } => $change,)*
                }
            }
        }

        impl EventRow<'_> {
            /// Appends the event's frame: the same bytes for every receiver.
            ///
            /// # Errors
            /// [`MissingColumn`]; nothing was appended.
            pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), MissingColumn> {
                match self.kind {
                    $(EventKind::$kind => {
                        let $row = self;
                        put(&$frame, out);
                    })*
                }
                Ok(())
            }
        }
    };
}
pub(super) use event_kinds;
