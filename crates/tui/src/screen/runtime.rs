//! Runs the screen: the one file of it with tokio, the terminal's events and the network.
//!
//! Owns the loop: what happens becomes messages, effects are carried out, frames are drawn when
//! something has changed, at most sixty a second. It decides nothing.

mod anew;

use std::collections::VecDeque;
use std::time::Duration;

use chat_client::{Client, Config, Events};
use crossterm::event::{Event as TerminalEvent, KeyEventKind, MouseEventKind};
use futures::future::{BoxFuture, OptionFuture};
use futures::stream::{FuturesUnordered, StreamExt};
use rustix::process::{Signal, getpid, getsid, kill_current_process_group, kill_process};
use tokio::time::{Instant, sleep_until, timeout};

use self::anew::Wish;
use super::drafts::{Drafts, Due};
use super::requests;
use super::server::ServerId;
use super::signals::{SignalEvent, Signals};
use super::stage::Stage;
use super::update::{Answer, Effect, Msg, ServerEffect, update_all};
use super::{ScreenError, ScreenExit, ScreenOptions};
use crate::terminal;
use crate::terminal::input::Input;
use crate::terminal::keyboard::Keyboard;

/// Events of the network between two looks at the keyboard. Applying so many takes a few
/// milliseconds; the rest waits in the client's bounded queue.
const EVENTS_PER_TURN: usize = 256;

/// Keys taken in at once.
const KEYS_PER_TURN: usize = 256;

/// Requests that wait for an answer; past it a request is answered with trouble at once.
const REQUESTS_MAX: usize = 32;

/// How long the outbox may take to note down what was just sent, when the screen ends.
const SAVE_TIMEOUT: Duration = Duration::from_secs(3);

/// How long the client may take to end.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(3);

/// After this long without [`Signal::CONT`] the program goes on: it was not stopped at all.
const STOP_TIMEOUT: Duration = Duration::from_secs(1);

/// Lines per notch of the wheel.
const WHEEL_LINES: isize = 3;

/// Runs the screen until the person quits.
pub(super) async fn run(options: ScreenOptions) -> Result<ScreenExit, ScreenError> {
    if !terminal::is_interactive() {
        return Err(ScreenError::NotATerminal);
    }
    let variable = |name: &str| std::env::var(name).ok();
    if let Some(why) = terminal::unfit(variable("TERM").as_deref()) {
        return Err(ScreenError::Unfit(why));
    }
    let mut stage = Stage::open(&options)?;
    stage.draw()?;
    let (client, events) = chat_client::start(options.config.clone())?;
    let mut runtime = Runtime {
        stage,
        config: options.config,
        wished: None,
        server: ServerId::FIRST,
        client,
        events,
        keys: Keyboard::listen().map_err(ScreenError::Terminal)?,
        signals: Signals::listen().map_err(ScreenError::Terminal)?,
        requests: FuturesUnordered::new(),
        sends: VecDeque::new(),
        sending: None,
        drafts: Drafts::default(),
        ends: false,
    };
    runtime.open_drafts().await?;
    if let Some(warning) = terminal::locale_warning(variable) {
        runtime.feed([Msg::Tell(warning, true)])?;
    }
    runtime.feed(options.notes.into_iter().map(|note| Msg::Tell(note.text, note.is_trouble)))?;
    let ended = runtime.turns().await;
    let exit = runtime.close().await;
    ended.map(|()| exit)
}

/// A send on its way to the outbox.
struct Send {
    ticket: u64,
    to: chat_client::Destination,
    text: String,
}

struct Runtime {
    stage: Stage,
    config: Config,
    /// What everything begins anew with.
    wished: Option<Wish>,
    /// The server that `client` and all that follows belong to.
    server: ServerId,
    client: Client,
    events: Events,
    keys: Keyboard,
    signals: Signals,
    requests: FuturesUnordered<BoxFuture<'static, Answer>>,
    /// Given to the outbox one after the other. Bounded by the model, which leaves what is typed
    /// in its place when too many wait.
    sends: VecDeque<Send>,
    sending: Option<BoxFuture<'static, Answer>>,
    drafts: Drafts,
    ends: bool,
}

impl Runtime {
    async fn turns(&mut self) -> Result<(), ScreenError> {
        while !self.ends {
            if self.stage.stale && self.stage.next_frame() <= Instant::now() {
                self.stage.draw()?;
            }
            self.turn().await?;
            if let Some(wish) = self.wished.take() {
                self.sign_in_anew(wish).await?;
            }
        }
        Ok(())
    }

    /// Waits for the first thing that happens. A frame that is due comes before everything, then
    /// the person, then the network: a flood of messages delays neither.
    async fn turn(&mut self) -> Result<(), ScreenError> {
        let tick = self.stage.next_tick();
        let frame = self.stage.next_frame();
        let mut messages = Vec::new();
        tokio::select! {
            biased;
            () = sleep_until(frame), if self.stage.stale => return Ok(()),
            // The outside wants the program to end, to stop, or to go on.
            told = self.signals.next() => return self.told(told).await,
            // The person does something.
            input = self.keys.next() => match input {
                Some(input) => {
                    messages.extend(message_of(input));
                    let more = std::iter::from_fn(|| self.keys.try_next());
                    messages.extend(more.take(KEYS_PER_TURN).filter_map(message_of));
                }
                None => self.ends = true,
            },
            // The outbox has taken a message.
            Some(answer) = OptionFuture::from(self.sending.as_mut()) => {
                self.sending = None;
                messages.push(Msg::Answer(self.server, answer));
            }
            // A request has its answer.
            Some(answer) = self.requests.next() => messages.push(Msg::Answer(self.server, answer)),
            // What is typed is to be written down, or was.
            due = self.drafts.next() => return self.keep_typed(due),
            // The client library says something.
            event = self.events.next() => match event {
                Some(event) => {
                    messages.push(Msg::Client(self.server, event));
                    let more = std::iter::from_fn(|| self.events.try_next());
                    let of_server = more.map(|event| Msg::Client(self.server, event));
                    messages.extend(of_server.take(EVENTS_PER_TURN));
                }
                None => return Err(ScreenError::ClientEnded),
            },
            // The countdown shows another second.
            () = sleep_until(tick.unwrap_or(frame)), if tick.is_some() => messages.push(Msg::Tick),
        }
        if !self.stage.terminal.is_taken() && !self.signals.is_stopping() {
            return Err(ScreenError::Panicked);
        }
        self.feed(messages)
    }

    fn feed(&mut self, messages: impl IntoIterator<Item = Msg>) -> Result<(), ScreenError> {
        let now = self.stage.now();
        let drafts = &mut self.drafts;
        let messages = messages.into_iter().inspect(|msg| {
            if matches!(msg, Msg::Key(_) | Msg::Paste(_)) {
                drafts.touch();
            }
        });
        let effects = update_all(&mut self.stage.model, now, messages);
        self.stage.stale = true;
        for effect in effects {
            self.carry_out(effect)?;
        }
        self.send_next();
        Ok(())
    }

    fn carry_out(&mut self, effect: Effect) -> Result<(), ScreenError> {
        match effect {
            Effect::Server(server, effect) => {
                debug_assert_eq!(server, self.server, "there is no other client");
                self.carry_out_at_server(effect);
            }
            Effect::Suspend => self.suspend()?,
            Effect::Repaint => self.stage.terminal.repaint().map_err(ScreenError::Terminal)?,
            Effect::Copy(text) => self.stage.terminal.copy(&text).map_err(ScreenError::Terminal)?,
            Effect::Quit => self.ends = true,
        }
        Ok(())
    }

    fn carry_out_at_server(&mut self, effect: ServerEffect) {
        match effect {
            ServerEffect::Send { ticket, to, text } => {
                self.sends.push_back(Send { ticket, to, text });
            }
            ServerEffect::Retry => self.client.retry(),
            ServerEffect::SignInAs(name) => self.wished = Some(Wish::Name(name)),
            ServerEffect::SignInWith(line) => self.wished = Some(Wish::Invitation(line)),
            ServerEffect::Join(_)
            | ServerEffect::Leave(..)
            | ServerEffect::Rooms
            | ServerEffect::Who(..)
            | ServerEffect::Moderate(..)
            | ServerEffect::Reported(_)
            | ServerEffect::Nick(_)
            | ServerEffect::Change(..)
            | ServerEffect::CreatePrivate(_)
            | ServerEffect::Talk(_)
            | ServerEffect::Link
            | ServerEffect::Devices
            | ServerEffect::Invite(..)
            | ServerEffect::Invites
            | ServerEffect::RevokeInvitation(_)
            | ServerEffect::Revoke(_)
            | ServerEffect::Locate(..)
            | ServerEffect::Page(..) => {
                let busy = self.requests.len() >= REQUESTS_MAX;
                self.requests.extend(requests::request(&self.client, effect, busy));
            }
        }
    }

    /// Brings back what was typed before.
    async fn open_drafts(&mut self) -> Result<(), ScreenError> {
        let (drafts, opened) = Drafts::open(&self.config).await;
        self.drafts = drafts;
        match opened {
            Ok(typed) => self.stage.model.restore_typed(typed),
            Err(error) => self.tell_of_unkept(&error)?,
        }
        Ok(())
    }

    fn keep_typed(&mut self, due: Due) -> Result<(), ScreenError> {
        match due {
            Due::Write => self.drafts.write(self.stage.model.typed()),
            Due::Failed(error) => self.tell_of_unkept(&error)?,
        }
        Ok(())
    }

    fn tell_of_unkept(&mut self, error: &std::io::Error) -> Result<(), ScreenError> {
        let text = format!("what you type is kept only until the end of the program: {error}");
        self.feed([Msg::Tell(text, true)])
    }

    fn send_next(&mut self) {
        if self.sending.is_none()
            && let Some(Send { ticket, to, text }) = self.sends.pop_front()
        {
            self.sending = Some(requests::send(&self.client, ticket, to, text));
        }
    }

    async fn told(&mut self, told: SignalEvent) -> Result<(), ScreenError> {
        match told {
            SignalEvent::End => self.ends = true,
            SignalEvent::Stop => self.stop().await?,
            SignalEvent::Continue => self.come_back()?,
            SignalEvent::Resized => {
                // Also when the size is what it was: in between, the terminal may have been
                // smaller, and has forgotten what it could not show.
                self.stage.terminal.repaint().map_err(ScreenError::Terminal)?;
                self.resize()?;
            }
        }
        Ok(())
    }

    /// Gives the terminal back and stops the whole job, as Ctrl-Z would without raw mode. This
    /// program gets the signal too, and stops in [`Self::stop`].
    fn suspend(&mut self) -> Result<(), ScreenError> {
        if getsid(None).ok() == Some(getpid()) {
            // Nobody could continue the program: it is the terminal's only one.
            return self.feed([Msg::Tell("there is no shell to go back to".to_owned(), true)]);
        }
        self.stage.terminal.lend();
        self.signals.expect_stop();
        if kill_current_process_group(Signal::TSTP).is_err() {
            self.come_back()?;
        }
        Ok(())
    }

    async fn stop(&mut self) -> Result<(), ScreenError> {
        self.stage.terminal.lend();
        if kill_process(getpid(), Signal::STOP).is_ok() {
            // The signal may take effect a moment after the call.
            let _continued = timeout(STOP_TIMEOUT, self.signals.continued()).await;
        }
        self.come_back()
    }

    fn come_back(&mut self) -> Result<(), ScreenError> {
        self.signals.has_continued();
        self.stage.terminal.retake().map_err(ScreenError::Terminal)?;
        self.resize()
    }

    fn resize(&mut self) -> Result<(), ScreenError> {
        let (columns, rows) = self.stage.terminal.size().map_err(ScreenError::Terminal)?;
        self.feed([Msg::Resize(columns, rows)])
    }

    /// Ends everything: what was typed is noted down in the outbox first.
    async fn close(self) -> ScreenExit {
        let Self { stage, client, events, keys, requests, sends, sending, drafts, .. } = self;
        // What is typed from here on is the shell's.
        drop((requests, events, keys));
        let Stage { terminal, model, .. } = stage;
        drop(terminal);
        if timeout(SAVE_TIMEOUT, drafts.close(model.typed())).await.is_err() {
            tracing::warn!("what was typed was not written down in time");
        }
        let mut unsaved: Vec<String> = model.server().sends.texts().map(str::to_owned).collect();
        let saving = async {
            if let Some(sending) = sending {
                note_saved(&sending.await, &mut unsaved);
            }
            for Send { ticket, to, text } in sends {
                note_saved(&requests::send(&client, ticket, to, text).await, &mut unsaved);
            }
        };
        let in_time = timeout(SAVE_TIMEOUT, saving).await.is_ok();
        if !in_time {
            tracing::warn!("the outbox did not note down every message in time");
        }
        let waiting = model.server().rooms.iter().map(|room| room.history.waiting()).sum();
        if timeout(SHUTDOWN_TIMEOUT, client.shutdown()).await.is_err() {
            tracing::warn!("the client did not end in time");
        }
        ScreenExit { waiting, unsaved }
    }
}

/// Sends are saved in order, so the first of the unsaved ones is the one that is answered.
fn note_saved(answer: &Answer, unsaved: &mut Vec<String>) {
    if matches!(answer, Answer::Sent { result: Ok(_), .. }) && !unsaved.is_empty() {
        unsaved.remove(0);
    }
}

fn message_of(input: Input) -> Option<Msg> {
    match input {
        Input::Event(event) => message_of_event(event),
        Input::Paste(text) => Some(Msg::Paste(text)),
        Input::TooLong(bytes) => Some(Msg::PasteTooLong(bytes)),
    }
}

fn message_of_event(event: TerminalEvent) -> Option<Msg> {
    match event {
        TerminalEvent::Key(key) if key.kind == KeyEventKind::Release => None,
        TerminalEvent::Key(key) => Some(Msg::Key(key)),
        TerminalEvent::Paste(text) => Some(Msg::Paste(text)),
        // The signal says it too, and crossterm may be late.
        TerminalEvent::Resize(..) => None,
        TerminalEvent::FocusGained => Some(Msg::Focus(true)),
        TerminalEvent::FocusLost => Some(Msg::Focus(false)),
        TerminalEvent::Mouse(mouse) => match mouse.kind {
            MouseEventKind::ScrollUp => Some(Msg::Wheel(-WHEEL_LINES)),
            MouseEventKind::ScrollDown => Some(Msg::Wheel(WHEEL_LINES)),
            MouseEventKind::Down(_button) => Some(Msg::Click(mouse.column, mouse.row)),
            MouseEventKind::Up(_)
            | MouseEventKind::Drag(_)
            | MouseEventKind::Moved
            | MouseEventKind::ScrollLeft
            | MouseEventKind::ScrollRight => None,
        },
    }
}
