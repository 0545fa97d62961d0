//! Times in a histogram, and the middle of a few figures.

/// Parts of each power of two: a value is known to within 1.6 %.
const PARTS: usize = 64;
const PART_BITS: u32 = PARTS.trailing_zeros();

/// Counts of times in nanoseconds, in buckets that grow with the value.
#[derive(Clone, Debug)]
pub(crate) struct Histogram {
    buckets: Vec<u64>,
    count: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        let buckets = vec![0; (64 - PART_BITS as usize + 1) * PARTS];
        Self { buckets, count: 0 }
    }
}

impl Histogram {
    pub(crate) fn record(&mut self, ns: u64) {
        self.buckets[bucket(ns)] += 1;
        self.count += 1;
    }

    /// Adds the values of another one.
    pub(crate) fn merge(&mut self, other: &Self) {
        debug_assert_eq!(self.buckets.len(), other.buckets.len(), "all have the same buckets");
        self.buckets.iter_mut().zip(&other.buckets).for_each(|(mine, theirs)| *mine += theirs);
        self.count += other.count;
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// So large a part of all values is not above it, in microseconds; 0 when there are none.
    pub(crate) fn quantile_us(&self, part: f64) -> f64 {
        debug_assert!((0.0..=1.0).contains(&part), "a part of all values");
        // Counts are far below 2^53.
        let wanted = (self.count as f64 * part).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (index, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return middle(index) / 1000.0;
            }
        }
        debug_assert_eq!(self.count, 0, "as many lie in the buckets as were counted");
        0.0
    }
}

fn bucket(ns: u64) -> usize {
    let power = (u64::BITS - ns.leading_zeros()).saturating_sub(PART_BITS + 1);
    let part = usize::try_from(ns >> power).expect("shifted to a few bits");
    power as usize * PARTS + part
}

fn middle(bucket: usize) -> f64 {
    if bucket < 2 * PARTS {
        return bucket as f64;
    }
    let power = bucket / PARTS - 1;
    let part = bucket - power * PARTS;
    (part as f64 + 0.5) * 2f64.powi(i32::try_from(power).unwrap_or(0))
}

/// The middle one, or between the two in the middle; `None` of nothing.
pub(crate) fn median(figures: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut figures: Vec<f64> = figures.into_iter().collect();
    figures.sort_by(f64::total_cmp);
    let upper = figures.get(figures.len() / 2)?;
    let lower = figures.get((figures.len() - 1) / 2)?;
    Some(f64::midpoint(*lower, *upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_known_to_within_two_per_cent() {
        for ns in (0..60).flat_map(|power| [1_u64 << power, (1 << power) + (1 << power) / 3]) {
            let (about, exactly) = (middle(bucket(ns)), ns as f64);
            assert!((about - exactly).abs() <= exactly * 0.016 + 0.5, "{ns} became {about}");
        }
        assert!(bucket(u64::MAX) < Histogram::default().buckets.len());
    }

    #[test]
    fn quantiles_are_those_of_the_values() {
        let mut times = Histogram::default();
        (1..=1000).for_each(|us| times.record(us * 1000));
        for (part, us) in [(0.5, 500.0), (0.99, 990.0), (1.0, 1000.0)] {
            let found = times.quantile_us(part);
            assert!((found - us).abs() < us * 0.02, "{part}: {found}");
        }
        assert_eq!(Histogram::default().quantile_us(0.5), 0.0);
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median([]), None);
    }
}
