//! The client of one task: started, signed in, and watched for the end of all hope.

use std::future::Future;

use chat_client::{Client, Config, Connected, Event, Events, Refusal, RequestError};
use chat_proto::Epoch;
use tokio::time::{Instant, timeout, timeout_at};

use super::failure::Failure;
use super::{SHUTDOWN_TIMEOUT, tell};

/// A client that has been signed in, and its events.
pub(super) struct Link {
    pub(super) client: Client,
    pub(super) events: Watched,
    /// Who this is, as of the sign-in.
    pub(super) me: Connected,
}

/// Events, of which those that end everything come as failures.
pub(super) struct Watched {
    events: Events,
    refusal: Option<Refusal>,
    epoch: Option<Epoch>,
    was_restored: bool,
}

impl Link {
    /// Starts a client and waits until it is signed in.
    pub(super) async fn open(config: Config, deadline: Instant) -> Result<Self, Failure> {
        let target = config.target.to_string();
        let (client, events) = chat_client::start(config)?;
        let mut events = Watched { events, refusal: None, epoch: None, was_restored: false };
        let mut problem = None;
        let connecting = async {
            loop {
                let event = events.next().await?;
                if let Event::Connected(me) = event {
                    return Ok(me);
                }
                if let Event::Disconnected { why, .. } = event {
                    if problem.is_none() {
                        tell(&format!("{why}; trying again"));
                    }
                    problem = Some(why);
                }
            }
        };
        match timeout_at(deadline, connecting).await {
            Ok(Ok(me)) => Ok(Self { client, events, me }),
            Ok(Err(failure)) => Err(failure),
            Err(_elapsed) => {
                let silent = || format!("no answer from {target}");
                Err(Failure::cannot_connect(problem.unwrap_or_else(silent)))
            }
        }
    }

    /// Waits for an answer of the server. Events that come in the meantime are passed over.
    pub(super) async fn answer<T, F>(&mut self, deadline: Instant, asked: F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, RequestError>>,
    {
        answer(deadline, asked, self.events.pass_over()).await
    }

    /// Ends the client.
    pub(super) async fn close(self) {
        if timeout(SHUTDOWN_TIMEOUT, self.client.shutdown()).await.is_err() {
            tracing::warn!("the client did not end in time");
        }
    }
}

/// Waits for an answer of the server, and does something with events in the meantime.
pub(super) async fn answer<T>(
    deadline: Instant,
    asked: impl Future<Output = Result<T, RequestError>>,
    meanwhile: impl Future<Output = Failure>,
) -> Result<T, Failure> {
    tokio::select! {
        answer = timeout_at(deadline, asked) => match answer {
            Ok(answer) => Ok(answer?),
            Err(_elapsed) => Err(Failure::timeout("the server did not answer in time")),
        },
        failure = meanwhile => Err(failure),
    }
}

impl Watched {
    /// The next event. Cancel-safe.
    pub(super) async fn next(&mut self) -> Result<Event, Failure> {
        let next = self.events.next().await;
        if let Some(event) = &next {
            self.tell_of_restore(event);
        }
        match next {
            Some(Event::Refused(refusal)) => {
                self.refusal = Some(refusal.clone());
                Ok(Event::Refused(refusal))
            }
            Some(Event::Disconnected { why, retry_in: None }) => Err(self.ended(why)),
            Some(event) => Ok(event),
            None => Err(self.ended("the connection has ended".to_owned())),
        }
    }

    /// Whether the last connection was to a server that had been restored in the meantime.
    pub(super) fn was_restored(&self) -> bool {
        self.was_restored
    }

    /// A stream of lines cannot show what is gone; every task says so, whatever it prints.
    fn tell_of_restore(&mut self, event: &Event) {
        if let Event::Connected(connected) = event {
            let before = self.epoch.replace(connected.epoch);
            self.was_restored = before.is_some_and(|before| before != connected.epoch);
            if self.was_restored {
                tell(
                    "connected again; the server was restored from a backup: what was said since then is gone",
                );
            }
        } else if let Event::Forgotten { messages } = event {
            tell(&format!(
                "of what was posted from here, {messages} message(s) are gone from the server"
            ));
        }
    }

    /// Passes over events until there will be no more.
    pub(super) async fn pass_over(&mut self) -> Failure {
        loop {
            if let Err(failure) = self.next().await {
                return failure;
            }
        }
    }

    fn ended(&self, why: String) -> Failure {
        match &self.refusal {
            Some(refusal) => Failure::of_sign_in(refusal),
            None => Failure::cannot_connect(why),
        }
    }
}
