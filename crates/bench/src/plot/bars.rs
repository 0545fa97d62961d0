//! Bars in groups, on a logarithmic scale: the systems are far apart.

use super::svg::{Anchor, COLOURS, FAINT, INK, Svg, short};

/// A chart.
pub(super) struct Chart {
    pub(super) title: String,
    pub(super) unit: String,
    pub(super) groups: Vec<Group>,
}

/// Bars that belong together.
pub(super) struct Group {
    pub(super) label: String,
    pub(super) bars: Vec<Bar>,
}

/// One bar; its value is above 0.
pub(super) struct Bar {
    pub(super) label: String,
    pub(super) value: f64,
}

const WIDTH: f64 = 760.0;
const LEFT: f64 = 120.0;
const RIGHT: f64 = 80.0;
const TOP: f64 = 40.0;
const BAR: f64 = 16.0;
const GAP: f64 = 4.0;
const HEAD: f64 = 24.0;

impl Chart {
    /// The picture.
    pub(super) fn draw(&self) -> String {
        let bars: usize = self.groups.iter().map(|group| group.bars.len()).sum();
        let height =
            TOP + self.groups.len() as f64 * (HEAD + GAP) + bars as f64 * (BAR + GAP) + 30.0;
        let mut svg = Svg::new(WIDTH, height);
        svg.words((12.0, 22.0), Anchor::Start, INK, &self.title);
        let scale = Scale::of(self);
        self.draw_grid(&mut svg, &scale, height);
        let targets = self.targets();
        let mut y = TOP;
        for group in &self.groups {
            svg.words((12.0, y + HEAD - 8.0), Anchor::Start, INK, &group.label);
            y += HEAD;
            for bar in &group.bars {
                let turn = targets.iter().position(|target| *target == bar.label).unwrap_or(0);
                let length = scale.length(bar.value);
                svg.rectangle((LEFT, y), (length, BAR), COLOURS[turn % COLOURS.len()]);
                svg.words((LEFT - 6.0, y + 12.5), Anchor::End, INK, &bar.label);
                let value = format!("{} {}", short(bar.value), self.unit);
                svg.words((LEFT + length + 5.0, y + 12.5), Anchor::Start, INK, &value);
                y += BAR + GAP;
            }
            y += GAP;
        }
        svg.finish()
    }

    fn draw_grid(&self, svg: &mut Svg, scale: &Scale, height: f64) {
        for power in scale.first..=scale.last {
            let x = LEFT + scale.length(10f64.powi(power));
            svg.line(&[(x, TOP), (x, height - 24.0)], FAINT, 1.0);
            svg.words((x, height - 8.0), Anchor::Middle, INK, &short(10f64.powi(power)));
        }
    }

    /// Every label once: it has the same colour in every group.
    fn targets(&self) -> Vec<&str> {
        let mut targets = Vec::new();
        for bar in self.groups.iter().flat_map(|group| &group.bars) {
            if !targets.contains(&bar.label.as_str()) {
                targets.push(&bar.label);
            }
        }
        targets
    }
}

/// From the power of ten below every value to the one above.
struct Scale {
    first: i32,
    last: i32,
}

impl Scale {
    fn of(chart: &Chart) -> Self {
        let powers = || {
            let bars = chart.groups.iter().flat_map(|group| &group.bars);
            bars.map(|bar| bar.value.log10())
        };
        let lowest = powers().fold(f64::INFINITY, f64::min);
        let highest = powers().fold(f64::NEG_INFINITY, f64::max);
        // The shortest bar is still a bar.
        let first = (lowest - 0.1).floor() as i32;
        Self { first, last: (highest.ceil() as i32).max(first + 1) }
    }

    fn length(&self, value: f64) -> f64 {
        debug_assert!(value > 0.0, "a logarithmic scale has no place for {value}");
        let part = (value.log10() - f64::from(self.first)) / f64::from(self.last - self.first);
        part * (WIDTH - LEFT - RIGHT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_grow_with_the_power_of_ten() {
        let bar = |label: &str, value| Bar { label: label.to_owned(), value };
        let bars = vec![bar("chatd", 0.05), bar("nats", 0.5), bar("ngircd", 5.0)];
        let group = Group { label: "a".to_owned(), bars };
        let chart = Chart { title: "cost".to_owned(), unit: "s".to_owned(), groups: vec![group] };
        let scale = Scale::of(&chart);
        assert_eq!((scale.first, scale.last), (-2, 1));
        let (short, middle, long) = (scale.length(0.05), scale.length(0.5), scale.length(5.0));
        assert!(short > 0.0 && (middle - short - (long - middle)).abs() < 1e-9);
        assert!(chart.draw().contains(">0.500 s</text>"));
    }
}
