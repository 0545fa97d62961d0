//! The terminal with the model that is drawn on it, and when the next frame is due.
//!
//! Owns the pace of the frames. It must not know where events come from.

use std::time::Duration;

use jiff::tz::TimeZone;
use tokio::time::Instant;

use super::clock::Moment;
use super::model::Model;
use super::server::Connection;
use super::view;
use super::{ScreenError, ScreenOptions};
use crate::terminal::Terminal;

/// The time between two frames, at least.
const FRAME: Duration = Duration::from_micros(16_667);

/// The terminal and what is on it.
pub(super) struct Stage {
    pub(super) terminal: Terminal,
    pub(super) model: Model,
    opened: Instant,
    drawn: Instant,
    /// Whether the model has changed since the last frame.
    pub(super) stale: bool,
}

impl Stage {
    pub(super) fn open(options: &ScreenOptions) -> Result<Self, ScreenError> {
        let terminal = Terminal::take(options.mouse).map_err(ScreenError::Terminal)?;
        let size = terminal.size().map_err(ScreenError::Terminal)?;
        let opened = Instant::now();
        let now = Moment { ms: 0, wall: jiff::Timestamp::now() };
        let name = &options.config.name.wished;
        let mut model = Model::new(size, now, TimeZone::system(), name, &options.room);
        model.server_mut().host.clone_from(&options.host);
        model.keymap.clone_from(&options.keymap);
        model.theme.clone_from(&options.theme);
        Ok(Self { terminal, model, opened, drawn: opened, stale: true })
    }

    pub(super) fn now(&self) -> Moment {
        let ms = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        Moment { ms, wall: jiff::Timestamp::now() }
    }

    pub(super) fn draw(&mut self) -> Result<(), ScreenError> {
        if self.terminal.is_taken() {
            let Self { terminal, model, .. } = self;
            let drawn = terminal.draw(|frame| view::draw(model, frame));
            drawn.map_err(ScreenError::Terminal)?;
        }
        (self.stale, self.drawn) = (false, Instant::now());
        Ok(())
    }

    /// When the next frame is due.
    pub(super) fn next_frame(&self) -> Instant {
        self.drawn + FRAME
    }

    /// When the countdown on the screen shows another second, or a page is asked for again.
    pub(super) fn next_tick(&self) -> Option<Instant> {
        let now_ms = self.now().ms;
        let server = self.model.server();
        let wait_ms = match &server.connection {
            Connection::Offline { retry_at_ms, .. } => {
                let left_ms = retry_at_ms.checked_sub(now_ms).filter(|left| *left > 0)?;
                // One millisecond behind the change, so that it is seen.
                (left_ms - 1) % 1000 + 1
            }
            Connection::Online { silent_since_ms: Some(since_ms), .. } => {
                1000 - now_ms.saturating_sub(*since_ms) % 1000
            }
            Connection::Online { .. } => server.page_retry.at_ms?.saturating_sub(now_ms),
            Connection::Starting | Connection::Connecting { .. } | Connection::Ended { .. } => {
                return None;
            }
        };
        Some(Instant::now() + Duration::from_millis(wait_ms))
    }
}
