//! What is written down of messages on their way, and what comes of it.

use super::{
    Delivery, Done, Entry, Job, Nonce, Record, SendCall, SendError, Sending, plain, refuse,
    thread_failed,
};

impl Sending {
    /// The end of what is being done to the files. Cancel-safe.
    pub(crate) async fn file_done(&mut self) -> Done {
        self.keeper.done().await
    }

    pub(crate) fn on_file_done(&mut self, done: Done, delivery: &mut Delivery) {
        match done {
            Done::Wrote(Ok(())) => {
                for (call, entry) in std::mem::take(&mut self.taking) {
                    let pushed = self.own().push(entry.to, entry.text);
                    debug_assert_eq!(pushed.nonce, entry.nonce);
                    self.taken(call, &pushed, delivery);
                }
            }
            Done::Wrote(Err(error)) => {
                let reason = plain(&error);
                let calls = std::mem::take(&mut self.taking).into_iter();
                refuse(calls.map(|(call, _)| call), &SendError::Outbox(reason));
            }
            Done::Restarted { old, fresh, result } => self.restarted(old, fresh, result, delivery),
            Done::Adopted(Ok(adopted)) => self.adopted(adopted, delivery),
            Done::Adopted(Err(error)) => {
                tracing::warn!(%error, "what other screens left cannot be read");
            }
            Done::Failed => {
                let calls = std::mem::take(&mut self.taking).into_iter();
                refuse(calls.map(|(call, _)| call), &thread_failed());
            }
        }
    }

    /// Begins the next thing that is to be done to the files.
    pub(crate) fn begin_file_work(&mut self) {
        if !self.keeper.is_idle() {
            return;
        }
        if let Some(old) = self.restart {
            if !self.is_paused() {
                self.begin_restart(old);
            }
        } else if let Some(server) = self.adopt.take() {
            self.keeper.begin(Job::Adopt { server });
        } else if !self.notes.is_empty() {
            let notes = std::mem::take(&mut self.notes);
            self.keeper.begin(Job::Write(notes));
        }
    }

    /// Writes the last answers down.
    pub(crate) async fn close(self) {
        self.keeper.close(self.notes).await;
    }

    pub(super) fn write_down(&mut self, calls: Vec<SendCall>) {
        let mut records = std::mem::take(&mut self.notes);
        let own = self.own();
        let (stream, first) = (own.stream(), own.next_n());
        records.extend(self.epoch.map(|epoch| Record::Epoch(stream, epoch)));
        for (n, call) in (first..).zip(calls) {
            let entry =
                Entry { nonce: Nonce { stream, n }, to: call.to.clone(), text: call.text.clone() };
            records.push(Record::Push(entry.clone()));
            self.taking.push((call, entry));
        }
        self.keeper.begin(Job::Write(records));
    }
}
