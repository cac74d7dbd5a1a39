//! `noise`: moved up or down by at most a percentage of the value, by the keyed hash of the value: the same value is
//! moved the same way, so that asking often tells no more. Serves numbers.
//!
//! The result has no more decimals than the value (floating point: four significant digits), because the digits
//! behind them would tell by what factor it was moved. Small whole numbers may stay as they are: 5 % of 3 is nothing.

use super::decimal::Decimal;
use super::key;
use super::number::Number;
use super::postgres as pg;
use super::target::{Target, Unservable};
use crate::sql::Engine;

/// The steps on each side of zero that a hash is mapped to.
const STEPS: u32 = 1_000_000;
/// Percent and steps together, as a power of ten.
const PLACES: u32 = 8;

pub(super) fn render(target: &Target, percent: &str, key_id: Option<&str>) -> Result<String, Unservable> {
    let percent = Decimal::parse(percent)
        .filter(|percent| percent.is_positive() && percent.as_f64() <= 100.0)
        .ok_or_else(|| target.refuse("its percentage must be a number over 0 up to 100"))?;
    let number = Number::amount(target)?;
    let unit = percent.shifted(PLACES);
    let hash = key::number(target, key_id, &bytes(target, number))?;
    let steps = match target.engine {
        Engine::Postgres => pg::op(&pg::op(&hash, "%", &(2 * STEPS + 1).to_string()), "-", &STEPS.to_string()),
        Engine::MySql => format!("({hash} MOD {} - {STEPS})", 2 * STEPS + 1),
    };
    Ok(match number {
        Number::Float { single } => Number::double_result(target, single, &double(target, &steps, unit)),
        Number::Integer { .. } | Number::Decimal { .. } | Number::Numeric => {
            number.exact_result(target, &exact(target, number, &steps, unit))
        }
    })
}

/// What is hashed: decimal digits without trailing zeros; of floating point the eight bytes on PostgreSQL, where its
/// digits depend on a setting.
fn bytes(target: &Target, number: Number) -> String {
    match (target.engine, number) {
        (Engine::Postgres, Number::Float { .. }) => pg::call("float8send", &[&format!("{}::float8", target.sql)]),
        (Engine::Postgres, _) => {
            let trimmed = pg::call("trim_scale", &[&number.exact(target)]);
            pg::call("convert_to", &[&format!("{trimmed}::pg_catalog.text"), "'UTF8'"])
        }
        (Engine::MySql, Number::Decimal { scale: 1.., .. }) => {
            format!("TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM CAST({} AS CHAR)))", target.sql)
        }
        (Engine::MySql, _) => format!("CAST({} AS CHAR)", target.sql),
    }
}

fn exact(target: &Target, number: Number, steps: &str, unit: Decimal) -> String {
    let value = number.exact(target);
    match target.engine {
        Engine::Postgres => {
            let moved = pg::op(&value, "+", &pg::chain("*", &[&value, steps, &unit.to_string()]));
            let scale = match number {
                Number::Integer { .. } => "0".to_owned(),
                Number::Decimal { scale, .. } => scale.to_string(),
                Number::Numeric | Number::Float { .. } => pg::call("scale", &[&value]),
            };
            pg::call("round", &[&moved, &scale])
        }
        Engine::MySql => {
            let scale = match number {
                Number::Decimal { scale, .. } => scale,
                Number::Integer { .. } | Number::Numeric | Number::Float { .. } => 0,
            };
            format!("ROUND({value} + {value} * CAST({steps} * {unit} AS DECIMAL(14, 13)), {scale})")
        }
    }
}

/// Values too small to be moved become 0; those that could overflow are taken as large as they may be.
fn double(target: &Target, steps: &str, unit: Decimal) -> String {
    match target.engine {
        Engine::Postgres => {
            let value = format!("{}::float8", target.sql);
            let size = pg::call("abs", &[&value]);
            let bounded = format!("LEAST(GREATEST({value}, -8e307::float8), 8e307::float8)");
            let factor = pg::op(&format!("{steps}::float8"), "*", &format!("{unit}::float8"));
            let moved = pg::op(&bounded, "*", &pg::op("1::float8", "+", &factor));
            let digits = pg::call("floor", &[&pg::call("log", &[&pg::call("abs", &[&bounded])])]);
            let places = format!("{}::integer", pg::op("3::float8", "-", &digits));
            let rounded = pg::call("round", &[&format!("{moved}::numeric"), &places]);
            let endless = format!("{value} IN ('NaN'::float8, 'Infinity'::float8, '-Infinity'::float8)");
            let tiny = pg::op(&size, "<", "1e-300::float8");
            format!("(CASE WHEN {endless} THEN {value} WHEN {tiny} THEN 0 ELSE {rounded}::float8 END)")
        }
        Engine::MySql => {
            let value = target.sql;
            let bounded = format!("LEAST(GREATEST({value}, -8e307), 8e307)");
            let moved = format!("{bounded} * (1e0 + {steps} * {unit}e0)");
            format!(
                "CASE WHEN ABS({value}) < 1e-290 THEN 0e0 ELSE ROUND({moved}, 3 - FLOOR(LOG10(ABS({bounded})))) END"
            )
        }
    }
}
