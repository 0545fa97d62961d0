//! A picture of rectangles, lines and words.

use std::fmt::Write;

/// What is drawn with.
pub(super) const INK: &str = "#333";
pub(super) const FAINT: &str = "#ddd";

/// Colours that can be told apart, also without seeing red and green (Okabe and Ito, and a dark grey
/// and brown): one for each system, in their order.
pub(super) const COLOURS: [&str; 9] = [
    "#0072b2", "#56b4e9", "#999999", "#666666", "#e69f00", "#cc79a7", "#8b5a2b", "#009e73",
    "#d55e00",
];

/// An SVG document that grows.
pub(super) struct Svg {
    body: String,
    width: f64,
    height: f64,
}

/// Where words are put relative to their place.
#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

impl Svg {
    pub(super) fn new(width: f64, height: f64) -> Self {
        let mut svg = Self { body: String::new(), width, height };
        svg.rectangle((0.0, 0.0), (width, height), "#fff");
        svg
    }

    pub(super) fn rectangle(&mut self, at: (f64, f64), size: (f64, f64), colour: &str) {
        let ((x, y), (width, height)) = (at, size);
        self.put(&format!(
            r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" fill="{colour}"/>"#
        ));
    }

    pub(super) fn line(&mut self, points: &[(f64, f64)], colour: &str, width: f64) {
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        self.put(&format!(
            r#"<polyline points="{}" fill="none" stroke="{colour}" stroke-width="{width}"/>"#,
            points.join(" ")
        ));
    }

    pub(super) fn words(&mut self, at: (f64, f64), anchor: Anchor, colour: &str, words: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let words = words.replace('&', "&amp;").replace('<', "&lt;");
        let (x, y) = at;
        self.put(&format!(
            r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}" fill="{colour}">{words}</text>"#
        ));
    }

    /// The document.
    pub(super) fn finish(self) -> String {
        let Self { body, width, height } = self;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
             font-family=\"sans-serif\" font-size=\"12\">\n{body}</svg>\n"
        )
    }

    fn put(&mut self, element: &str) {
        let _infallible = writeln!(self.body, "{element}");
    }
}

/// A number as people write it: three digits that count.
pub(super) fn short(number: f64) -> String {
    let (number, unit) = match number.abs() {
        size if size >= 999_500.0 => (number / 1e6, " M"),
        size if size >= 9_995.0 => (number / 1e3, " k"),
        _ => (number, ""),
    };
    let decimals = match number.abs() {
        size if size >= 99.95 || size == 0.0 => 0,
        size if size >= 9.995 => 1,
        size if size >= 0.9995 => 2,
        _ => 3,
    };
    format!("{number:.decimals$}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (number, text) in [
            (0.0, "0"),
            (0.0694, "0.069"),
            (1.5, "1.50"),
            (12.34, "12.3"),
            (144.0, "144"),
            (9_990.0, "9990"),
            (54_615.0, "54.6 k"),
            (12_345_678.0, "12.3 M"),
        ] {
            assert_eq!(short(number), text);
        }
    }

    #[test]
    fn words_cannot_become_elements() {
        let mut svg = Svg::new(10.0, 10.0);
        svg.words((1.0, 2.0), Anchor::End, INK, "a < b & c");
        let document = svg.finish();
        assert!(document.contains(">a &lt; b &amp; c</text>"), "{document}");
    }
}
