//! A terminal's screen as a picture: every cell in its place, whatever font draws it.

use vt100::{Cell, Color, Screen};

/// A cell, in pixels.
const WIDTH: u32 = 9;
const HEIGHT: u32 = 19;
/// From the top of a cell to the foot of its letters.
const BASELINE: u32 = 14;
const MARGIN: u32 = 10;

const INK: &str = "#d0d0d0";
const PAPER: &str = "#1c1c1c";
/// The first eight colours of a terminal.
const PALETTE: [&str; 8] =
    ["#1c1c1c", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#d0d0d0"];

/// The screen as text.
pub(crate) fn text(screen: &Screen) -> String {
    let (_rows, columns) = screen.size();
    screen.rows(0, columns.get()).fold(String::new(), |text, row| text + row.trim_end() + "\n")
}

/// The screen as SVG.
pub(crate) fn svg(screen: &Screen) -> String {
    let (rows, columns) = screen.size();
    let width = u32::from(columns.get()) * WIDTH + 2 * MARGIN;
    let height = u32::from(rows.get()) * HEIGHT + 2 * MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\">\n<title>chat-tui</title>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"{PAPER}\"/>\n\
         <g font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\" \
         font-size=\"15\" xml:space=\"preserve\">\n"
    );
    for row in 0..rows.get() {
        draw_row(&mut svg, screen, row, columns.get());
    }
    let (row, column) = screen.cursor_position();
    if !screen.hide_cursor() {
        let (x, y) = corner(row, column);
        line(
            &mut svg,
            &format!(
                "<rect x=\"{x}\" y=\"{y}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"{INK}\"/>"
            ),
        );
    }
    svg.push_str("</g>\n</svg>\n");
    svg
}

fn draw_row(svg: &mut String, screen: &Screen, row: u16, columns: u16) {
    let mut column = 0;
    while column < columns {
        let Some(cell) = screen.cell(row, column) else { return };
        let mut run = shown(cell).to_owned();
        let mut end = column + if cell.is_wide() { 2 } else { 1 };
        if is_plain(cell) {
            while let Some(next) = screen.cell(row, end)
                && is_plain(next)
                && Look::of(next) == Look::of(cell)
            {
                run.push_str(shown(next));
                end += 1;
            }
        }
        draw_run(svg, corner(row, column), &run, end - column, &Look::of(cell));
        column = end;
    }
}

fn shown(cell: &Cell) -> &str {
    if cell.has_contents() { cell.contents() } else { " " }
}

/// Whether a cell can be drawn together with its neighbours.
fn is_plain(cell: &Cell) -> bool {
    cell.contents().is_ascii() && !cell.is_wide()
}

fn draw_run(svg: &mut String, (x, y): (u32, u32), run: &str, cells: u16, look: &Look) {
    let width = u32::from(cells) * WIDTH;
    if look.paper != PAPER {
        let paper = look.paper;
        line(
            svg,
            &format!(
                "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{HEIGHT}\" fill=\"{paper}\"/>"
            ),
        );
    }
    if run.trim().is_empty() {
        return;
    }
    if let Some(path) = border(run, x, y) {
        let Look { ink, opacity, .. } = look;
        return line(svg, &format!("<path d=\"{path}\" stroke=\"{ink}\" opacity=\"{opacity}\"/>"));
    }
    let Look { ink, opacity, weight, .. } = look;
    let y = y + BASELINE;
    let text = run.replace('&', "&amp;").replace('<', "&lt;");
    let fit = format!("textLength=\"{width}\" lengthAdjust=\"spacingAndGlyphs\"");
    line(
        svg,
        &format!(
            "<text x=\"{x}\" y=\"{y}\" {fit} fill=\"{ink}\" opacity=\"{opacity}\" font-weight=\"{weight}\">{text}</text>"
        ),
    );
}

/// The lines of a border, which fonts draw with gaps.
fn border(run: &str, x: u32, y: u32) -> Option<String> {
    let (left, top) = (f64::from(x), f64::from(y));
    let (right, bottom) = (left + f64::from(WIDTH), top + f64::from(HEIGHT));
    let (middle, centre) = ((left + right) / 2.0, (top + bottom) / 2.0);
    let arms: &[(f64, f64)] = match run {
        "─" => &[(left, centre), (right, centre)],
        "│" => &[(middle, top), (middle, bottom)],
        "┌" => &[(right, centre), (middle, bottom)],
        "┐" => &[(left, centre), (middle, bottom)],
        "└" => &[(right, centre), (middle, top)],
        "┘" => &[(left, centre), (middle, top)],
        _ => return None,
    };
    let arm = |(x, y): &(f64, f64)| format!("M{middle} {centre}L{x} {y}");
    Some(arms.iter().map(arm).collect())
}

/// How a cell looks.
#[derive(PartialEq, Eq)]
struct Look {
    ink: &'static str,
    paper: &'static str,
    opacity: &'static str,
    weight: &'static str,
}

impl Look {
    fn of(cell: &Cell) -> Self {
        let (ink, paper) = (colour(cell.fgcolor(), INK), colour(cell.bgcolor(), PAPER));
        let (ink, paper) = if cell.inverse() { (paper, ink) } else { (ink, paper) };
        let opacity = if cell.dim() { "0.6" } else { "1" };
        let weight = if cell.bold() { "bold" } else { "normal" };
        Self { ink, paper, opacity, weight }
    }
}

fn colour(colour: Color, otherwise: &'static str) -> &'static str {
    match colour {
        Color::Idx(index) => PALETTE.get(usize::from(index % 8)).copied().unwrap_or(otherwise),
        Color::Default | Color::Rgb(..) => otherwise,
    }
}

fn corner(row: u16, column: u16) -> (u32, u32) {
    (MARGIN + u32::from(column) * WIDTH, MARGIN + u32::from(row) * HEIGHT)
}

fn line(svg: &mut String, line: &str) {
    svg.push_str(line);
    svg.push('\n');
}
