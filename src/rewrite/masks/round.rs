//! `round`: the nearest multiple of a step, halves away from zero. `bucket`: the lower bound of the bucket that the
//! value is in. Both serve numbers; near the ends of a type's range they give the last number that the type holds.

use super::decimal::Decimal;
use super::number::Number;
use super::postgres as pg;
use super::target::{Target, Unservable};
use crate::sql::Engine;

/// Which multiple is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Multiple {
    Nearest,
    Lower,
}

/// Doubles from here on are whole numbers.
const WHOLE_DOUBLES: f64 = 9_007_199_254_740_992.0;
/// Doubles stay below this, so that adding a step cannot overflow.
const GREATEST_DOUBLE: f64 = 1e308;

pub(super) fn render(target: &Target, step: &str, multiple: Multiple) -> Result<String, Unservable> {
    let step =
        Decimal::parse(step).ok_or_else(|| target.refuse("its step must be a number such as `1000` or `0.5`"))?;
    let number = Number::amount(target)?;
    number.check_step(target, step)?;
    match number {
        Number::Float { single } => Ok(Number::double_result(target, single, &double(target, step, multiple))),
        Number::Integer { .. } | Number::Decimal { .. } | Number::Numeric => {
            let exact = exact(target.engine, &number.exact(target), step, multiple);
            Ok(number.exact_result(target, &exact))
        }
    }
}

fn exact(engine: Engine, value: &str, step: Decimal, multiple: Multiple) -> String {
    let half = step.half();
    match (engine, multiple) {
        (Engine::Postgres, Multiple::Nearest) => {
            let half = pg::op(&pg::call("sign", &[value]), "*", &half.to_string());
            let moved = pg::op(value, "+", &half);
            pg::op(&pg::call("div", &[&moved, &step.to_string()]), "*", &step.to_string())
        }
        (Engine::Postgres, Multiple::Lower) => {
            let rest = pg::call("mod", &[value, &step.to_string()]);
            let below = pg::op(&pg::op(value, "-", &rest), "-", &step.to_string());
            format!("(CASE WHEN {} THEN {below} ELSE {} END)", pg::op(&rest, "<", "0"), pg::op(value, "-", &rest))
        }
        (Engine::MySql, Multiple::Nearest) => {
            let moved = format!("({value} + SIGN({value}) * {half})");
            format!("{moved} - MOD({moved}, {step})")
        }
        (Engine::MySql, Multiple::Lower) => {
            format!("{value} - MOD({value}, {step}) - IF(MOD({value}, {step}) < 0, {step}, 0)")
        }
    }
}

/// In floating point: a value so large that the step is lost in its last bit is a multiple already; one so small
/// that dividing it would underflow is no distance from 0.
fn double(target: &Target, step: Decimal, multiple: Multiple) -> String {
    let width = step.as_f64();
    let large = (WHOLE_DOUBLES * width).min(GREATEST_DOUBLE);
    let small = width * 1e-18;
    match target.engine {
        Engine::Postgres => postgres_double(target.sql, step, multiple, &format!("{large:e}"), &format!("{small:e}")),
        Engine::MySql => mysql_double(target.sql, step, multiple, &format!("{large:e}")),
    }
}

fn postgres_double(value: &str, step: Decimal, multiple: Multiple, large: &str, small: &str) -> String {
    let value = format!("{value}::float8");
    let size = pg::call("abs", &[&value]);
    let (quotient, times) = match step.whole_reciprocal() {
        Some(reciprocal) => ("*", format!("{reciprocal}::float8")),
        None => ("/", format!("{step}::float8")),
    };
    let back = if quotient == "*" { "/" } else { "*" };
    let (near_zero, whole) = match multiple {
        Multiple::Nearest => {
            let steps = pg::op(&pg::op(&size, quotient, &times), "+", "0.5::float8");
            ("0".to_owned(), pg::op(&pg::call("sign", &[&value]), "*", &pg::call("floor", &[&steps])))
        }
        Multiple::Lower => (
            format!("(CASE WHEN {} THEN -{step} ELSE 0 END)", pg::op(&value, "<", "0::float8")),
            pg::call("floor", &[&pg::op(&value, quotient, &times)]),
        ),
    };
    format!(
        "(CASE WHEN {} THEN {value} WHEN {} THEN {near_zero} ELSE {} END)",
        pg::op(&size, ">=", &format!("{large}::float8")),
        pg::op(&size, "<", &format!("{small}::float8")),
        pg::op(&whole, back, &times),
    )
}

fn mysql_double(value: &str, step: Decimal, multiple: Multiple, large: &str) -> String {
    let (quotient, back, times) = match step.whole_reciprocal() {
        Some(reciprocal) => ("*", "/", format!("{reciprocal}e0")),
        None => ("/", "*", format!("{step}e0")),
    };
    let whole = match multiple {
        Multiple::Nearest => format!("SIGN({value}) * FLOOR(ABS({value}) {quotient} {times} + 0.5e0)"),
        Multiple::Lower => format!("FLOOR({value} {quotient} {times})"),
    };
    format!("CASE WHEN ABS({value}) >= {large} THEN {value} ELSE {whole} {back} {times} END")
}
