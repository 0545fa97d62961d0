//! The line at the top and the status line: where the reader is and how the connection is.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::screen::areas;
use crate::screen::history::Viewport;
use crate::screen::keys::Action;
use crate::screen::model::Model;
use crate::screen::room::{Room, capped};
use crate::screen::server::Connection;
use crate::screen::theme::Theme;
use crate::text;

/// From this many columns on, the status line names the room.
const ROOM_FROM_COLUMNS: u16 = 60;

/// Below this many columns, the status line is brief.
const BRIEF_BELOW_COLUMNS: u16 = 30;

/// Rooms with something unread that the status line names.
const ELSEWHERE_NAMED_MAX: usize = 3;

/// Cells between two pieces of the status line.
const GAP: usize = 2;

/// A piece of a line, and its style.
type Piece = (String, Style);

pub(super) fn top(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let room = model.room();
    let right = match room.online {
        Some(online) => format!("{online} online "),
        None if !room.member && !room.wanted => "not a member ".to_owned(),
        None => String::new(),
    };
    let right_cells = cells(&right);
    let left = format!(" {}", room.label());
    let left_cells = area.width.saturating_sub(right_cells + 1);
    let left = text::fit(&left, usize::from(left_cells));
    let end = text::put(buffer, area.x, area.y, &left, left_cells, theme.strong);
    let hint = match room.topic.is_empty() {
        true => format!("  · you are {}", model.server().me.name),
        false => format!("  · {}", room.topic),
    };
    let free = usize::from(area.right().saturating_sub(right_cells + end + 1));
    let hint = match room.topic.is_empty() {
        true => hint,
        false => text::fit(&hint, free),
    };
    if end + cells(&hint) + right_cells < area.right() {
        text::put(buffer, end, area.y, &hint, cells(&hint), theme.quiet);
    }
    let x = area.right().saturating_sub(right_cells);
    if right_cells < area.width {
        text::put(buffer, x, area.y, &right, right_cells, theme.quiet);
    }
}

pub(super) fn bottom(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let pieces = match &model.flash {
        Some(flash) => vec![(flash.to_string(), theme.strong)],
        None => pieces(model, theme, area.width),
    };
    let mut x = area.x + u16::from(area.width >= 20);
    for (nth, (piece, style)) in pieces.into_iter().enumerate() {
        let room = usize::from(area.right().saturating_sub(x));
        let gap = if nth == 0 { 0 } else { GAP };
        if nth > 0 && text::width(&piece) + gap > room {
            continue; // The later ones matter less, but a shorter one may fit.
        }
        x += u16::try_from(gap).unwrap_or(0);
        let piece = text::fit(&piece, room.saturating_sub(gap));
        x = text::put(buffer, x, area.y, &piece, cells(&piece), style);
    }
}

/// The pieces of the status line, the ones that matter most first.
fn pieces(model: &Model, theme: &Theme, width: u16) -> Vec<Piece> {
    let (connection, style) = connection(model, theme, width);
    let room = model.room().label();
    let first =
        if width < ROOM_FROM_COLUMNS { connection } else { format!("[{room}] {connection}") };
    let mut pieces = vec![(first, style)];
    let viewport = areas::viewport(model);
    pieces.extend(below(model, theme, viewport));
    pieces.extend(waiting(model, theme));
    match model.server().outage.told_after() {
        Some(text) => pieces.push((text, theme.mention)),
        None if model.server().outage.missed > 0 => {
            pieces.push((format!("missed {}", model.server().outage.missed), theme.mention));
        }
        None => {}
    }
    if areas::of(model).rooms.is_none() {
        let used: usize = pieces.iter().map(|(piece, _style)| text::width(piece) + GAP).sum();
        pieces.extend(elsewhere(model, theme, usize::from(width).saturating_sub(used + 1)));
    }
    pieces.extend(above(model, theme, viewport));
    let keymap = &model.keymap;
    pieces.push((format!("{} help", keymap.hint(Action::Help)), theme.quiet));
    pieces.push((format!("{} go to…", keymap.hint(Action::GoTo)), theme.quiet));
    pieces
}

fn connection(model: &Model, theme: &Theme, width: u16) -> Piece {
    let (brief, retry) = (width < BRIEF_BELOW_COLUMNS, model.keymap.hint(Action::Retry));
    match &model.server().connection {
        Connection::Starting => ("○ starting".to_owned(), theme.waiting),
        Connection::Connecting { target, attempt } => {
            let nth = if *attempt > 1 { format!(", attempt {attempt}") } else { String::new() };
            let text = if brief {
                "○ connecting".into()
            } else {
                format!("○ connecting to {target}{nth}")
            };
            (text, theme.waiting)
        }
        Connection::Online { silent_since_ms: Some(since_ms), .. } => {
            let seconds = model.clock.now.ms.saturating_sub(*since_ms) / 1000;
            let text = match brief {
                true => format!("○ silent {seconds} s"),
                false => format!("○ no answer for {seconds} s, {retry} tries anew"),
            };
            (text, theme.trouble)
        }
        Connection::Online { latency_ms, .. } => {
            let connected = if brief { "●" } else { "● connected" };
            let text = match latency_ms {
                Some(ms) => format!("{connected} {ms} ms"),
                None => connected.to_owned(),
            };
            (text, theme.good)
        }
        // The history says why.
        Connection::Offline { retry_at_ms, .. } => {
            let seconds = retry_at_ms.saturating_sub(model.clock.now.ms).div_ceil(1000);
            let text = match width {
                0..16 => format!("○ {seconds} s"),
                16..BRIEF_BELOW_COLUMNS => format!("○ again in {seconds} s"),
                _ => format!("○ not connected, again in {seconds} s ({retry}: now)"),
            };
            (text, theme.trouble)
        }
        Connection::Ended { why } => (format!("○ not connected: {why}"), theme.trouble),
    }
}

fn below(model: &Model, theme: &Theme, viewport: Viewport) -> Option<Piece> {
    let history = &model.room().history;
    let (below, end) = (history.below(viewport), model.keymap.hint(Action::End));
    (below > 0).then(|| (format!("↓ {below} below, {end}"), theme.mention))
}

fn above(model: &Model, theme: &Theme, viewport: Viewport) -> Option<Piece> {
    let (above, more) = model.room().history.above(viewport);
    let plus = if more { "+" } else { "" };
    (above > 0).then(|| (format!("↑ {above}{plus} above"), theme.quiet))
}

/// What waits in all rooms, when the server cannot be asked.
fn waiting(model: &Model, theme: &Theme) -> Option<Piece> {
    if model.server().is_online() {
        return None;
    }
    let waiting: usize = model.server().rooms.iter().map(|room| room.history.waiting()).sum();
    (waiting > 0).then(|| (format!("⏳ {waiting} waiting"), theme.waiting))
}

/// What is unread in other rooms, when there is no pane that says it, in the longest form that
/// fits: rooms where the reader is named come first, then it tells how many more there are.
fn elsewhere(model: &Model, theme: &Theme, room_cells: usize) -> Option<Piece> {
    let listed = model.server().listed().into_iter().map(|index| &model.server().rooms[index]);
    let mut unread: Vec<&Room> = listed.filter(|room| room.unread > 0).collect();
    if unread.is_empty() {
        return None;
    }
    unread.sort_by_key(|room| room.mentions == 0);
    let most = unread.len().min(ELSEWHERE_NAMED_MAX);
    let mut forms = (0..=most).rev().map(|named| elsewhere_naming(&unread, named));
    let told = forms.find(|form| text::width(form) <= room_cells)?;
    Some((told, theme.mention))
}

/// The first so many rooms by name, and the rest in numbers.
fn elsewhere_naming(unread: &[&Room], count: usize) -> String {
    let (named, more) = unread.split_at(count);
    let named = named.iter().map(|room| format!("{} {}", room.label(), room.unread_label()));
    let mentions: usize = more.iter().map(|room| room.mentions).sum();
    let mentions = if mentions > 0 { format!(" !{}", capped(mentions)) } else { String::new() };
    let more = match (count, more.len()) {
        (_, 0) => None,
        (0, 1) => Some(format!("new in 1 room{mentions}")),
        (0, rooms) => Some(format!("new in {rooms} rooms{mentions}")),
        (_, rooms) => Some(format!("+{rooms} more{mentions}")),
    };
    named.chain(more).collect::<Vec<_>>().join(" ")
}

fn cells(text: &str) -> u16 {
    u16::try_from(text::width(text)).unwrap_or(u16::MAX)
}
