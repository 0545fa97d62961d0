//! Two courses over the same time, each with an axis of its own.

use super::svg::{Anchor, COLOURS, FAINT, INK, Svg, short};

/// Points of a course: seconds, and the figure.
type Points = Vec<(f64, f64)>;

/// Two courses.
pub(super) struct Course {
    pub(super) file: String,
    pub(super) title: String,
    pub(super) left: (String, Points),
    pub(super) right: (String, Points),
}

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 320.0;
const SIDE: f64 = 70.0;
const TOP: f64 = 60.0;
const BOTTOM: f64 = 40.0;

/// Lines of the grid above the first.
const STEPS: u32 = 5;

impl Course {
    /// The picture.
    pub(super) fn draw(&self) -> String {
        let mut svg = Svg::new(WIDTH, HEIGHT);
        svg.words((12.0, 22.0), Anchor::Start, INK, &self.title);
        let end = self.left.1.iter().map(|(seconds, _)| *seconds).fold(1.0, f64::max);
        draw_grid(&mut svg, end);
        let colours = [COLOURS[0], COLOURS[3]];
        svg.words((SIDE, 44.0), Anchor::Start, colours[0], &self.left.0);
        svg.words((WIDTH - SIDE, 44.0), Anchor::End, colours[1], &self.right.0);
        let sides = [
            (&self.left.1, SIDE - 8.0, Anchor::End),
            (&self.right.1, WIDTH - SIDE + 8.0, Anchor::Start),
        ];
        for ((points, x, anchor), colour) in sides.into_iter().zip(colours) {
            let top = round_up(points.iter().map(|(_, figure)| *figure).fold(0.0, f64::max));
            for step in 0..=STEPS {
                let part = f64::from(step) / f64::from(STEPS);
                svg.words((x, place_y(part) + 4.0), anchor, colour, &short(top * part));
            }
            let place =
                |(seconds, figure): &(f64, f64)| (place_x(seconds / end), place_y(figure / top));
            svg.line(&points.iter().map(place).collect::<Vec<_>>(), colour, 1.5);
        }
        svg.finish()
    }
}

fn draw_grid(svg: &mut Svg, end: f64) {
    for step in 0..=STEPS {
        let part = f64::from(step) / f64::from(STEPS);
        let (x, y) = (place_x(part), place_y(part));
        svg.line(&[(SIDE, y), (WIDTH - SIDE, y)], FAINT, 1.0);
        svg.words((x, HEIGHT - 14.0), Anchor::Middle, INK, &format!("{} s", short(end * part)));
    }
}

fn place_x(part: f64) -> f64 {
    debug_assert!((0.0..=1.0).contains(&part), "{part} is no part of the axis");
    SIDE + part * (WIDTH - 2.0 * SIDE)
}

fn place_y(part: f64) -> f64 {
    debug_assert!((0.0..=1.0).contains(&part), "{part} is no part of the axis");
    HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM)
}

/// The next figure that a person would end an axis with.
fn round_up(figure: f64) -> f64 {
    if figure <= 0.0 {
        return 1.0;
    }
    let power = 10f64.powf(figure.log10().floor());
    let steps = [1.0, 2.0, 2.5, 5.0, 10.0];
    steps.into_iter().map(|step| step * power).find(|end| *end >= figure).unwrap_or(figure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_figures() {
        for (figure, end) in [(0.0, 1.0), (17.0, 20.0), (20.0, 20.0), (450_001.0, 500_000.0)] {
            assert_eq!(round_up(figure), end);
        }
    }

    #[test]
    fn a_course_is_drawn_from_left_to_right() {
        let course = Course {
            file: String::new(),
            title: "memory".to_owned(),
            left: ("MiB".to_owned(), vec![(0.0, 10.0), (2.0, 20.0)]),
            right: ("events".to_owned(), vec![(0.0, 0.0), (2.0, 5.0)]),
        };
        let picture = course.draw();
        assert_eq!(picture.matches("<polyline").count(), 6 + 2);
        assert!(picture.contains("70.0,170.0 690.0,60.0"), "{picture}");
    }
}
