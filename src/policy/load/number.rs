//! Numbers and constants as the text that goes into SQL.

use std::sync::Arc;

use toml::de::DeValue;

use crate::policy::reader::Value;

/// A number above zero, in decimal digits.
pub(super) fn positive(value: Value<'_>) -> Option<Arc<str>> {
    let text = decimal(value.raw());
    let Some(text) = text else { return value.wrong_type("a number") };
    if text.starts_with('-') || !text.contains(|c: char| c.is_ascii_digit() && c != '0') {
        value.error("bad-value", "this number must be above zero");
        return None;
    }
    Some(text)
}

/// A constant of any simple type, as text.
pub(super) fn scalar(value: Value<'_>) -> Option<Arc<str>> {
    match value.raw() {
        DeValue::String(text) => Some(Arc::from(&**text)),
        DeValue::Boolean(value) => Some(Arc::from(if *value { "true" } else { "false" })),
        DeValue::Datetime(moment) => Some(Arc::from(moment.to_string())),
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Array(_) | DeValue::Table(_) => {
            decimal(value.raw()).or_else(|| value.wrong_type("a string, a number, a boolean, a date or a time"))
        }
    }
}

/// A finite number in decimal digits, without exponent.
fn decimal(value: &DeValue<'_>) -> Option<Arc<str>> {
    match value {
        DeValue::Integer(digits) => {
            i64::from_str_radix(digits.as_str(), digits.radix()).ok().map(|number| Arc::from(number.to_string()))
        }
        DeValue::Float(digits) => {
            let number: f64 = digits.as_str().parse().ok()?;
            number.is_finite().then(|| Arc::from(number.to_string()))
        }
        DeValue::String(_) | DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
    }
}
