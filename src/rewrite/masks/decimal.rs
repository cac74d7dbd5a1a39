//! Exact decimal constants of rules: steps, widths, percentages.

use std::fmt;

/// A number `mantissa` · 10^−`scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decimal {
    mantissa: i128,
    scale: u32,
}

/// The most digits of a constant, so that nothing computed from it overflows.
const MAX_DIGITS: usize = 30;

impl Decimal {
    /// Reads digits with at most one point, such as `1000`, `0.05`; no sign, no exponent.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let fraction = fraction.trim_end_matches('0');
        let digits = [whole, fraction].concat();
        let fits = !whole.is_empty() && digits.len() <= MAX_DIGITS && digits.bytes().all(|b| b.is_ascii_digit());
        if !fits {
            return None;
        }
        Some(Self { mantissa: digits.parse().ok()?, scale: u32::try_from(fraction.len()).ok()? })
    }

    /// Whether it is more than nothing.
    pub fn is_positive(self) -> bool {
        self.mantissa > 0
    }

    /// Whether it is more than 10^−`scale`: a step of that size or smaller changes no number with so many decimals.
    pub fn exceeds_unit(self, scale: i64) -> bool {
        let places = scale - i64::from(self.scale);
        let shifted = match u32::try_from(places.unsigned_abs()) {
            Ok(places) => 10_i128.checked_pow(places),
            Err(_) => None,
        };
        match (places >= 0, shifted) {
            (true, Some(factor)) => self.mantissa.checked_mul(factor).is_none_or(|value| value > 1),
            (false, Some(factor)) => self.mantissa > factor,
            (true, None) => self.mantissa > 0,
            (false, None) => false,
        }
    }

    /// A half of it.
    #[must_use]
    pub fn half(self) -> Self {
        Self { mantissa: self.mantissa * 5, scale: self.scale + 1 }
    }

    /// It divided by a power of ten.
    #[must_use]
    pub fn shifted(self, places: u32) -> Self {
        Self { mantissa: self.mantissa, scale: self.scale + places }
    }

    /// The nearest double.
    pub fn as_f64(self) -> f64 {
        self.to_string().parse().unwrap_or(f64::INFINITY)
    }

    /// One divided by it, where that is a whole number: dividing by 20 is exact where multiplying by 0.05 is not.
    pub fn whole_reciprocal(self) -> Option<i128> {
        let one = 10_i128.checked_pow(self.scale)?;
        (self.scale > 0 && self.mantissa > 0 && one % self.mantissa == 0).then(|| one / self.mantissa)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = usize::try_from(self.scale).unwrap_or(usize::MAX);
        let digits = format!("{:0>width$}", self.mantissa, width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        match fraction.trim_end_matches('0') {
            "" => f.write_str(whole),
            fraction => write!(f, "{whole}.{fraction}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn constants_are_exact() {
        assert_eq!(decimal("1000").half().to_string(), "500");
        assert_eq!(decimal("0.05").half().to_string(), "0.025");
        assert_eq!(decimal("12.50").to_string(), "12.5");
        assert_eq!(decimal("10").shifted(8).to_string(), "0.0000001");
        assert_eq!(decimal("0.05").whole_reciprocal(), Some(20));
        assert_eq!(decimal("0.3").whole_reciprocal(), None);
        for bad in ["", "-1", "1e3", ".5", "1.2.3", "１", "1000000000000000000000000000000"] {
            assert_eq!(Decimal::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn steps_that_change_nothing_are_found() {
        assert!(!decimal("1").exceeds_unit(0));
        assert!(!decimal("0.5").exceeds_unit(0));
        assert!(decimal("2").exceeds_unit(0));
        assert!(!decimal("0.01").exceeds_unit(2));
        assert!(decimal("0.05").exceeds_unit(2));
        assert!(!decimal("100").exceeds_unit(-2));
        assert!(decimal("1000").exceeds_unit(-2));
    }
}
