//! `trunc`: the start of the year, quarter, month, day or hour. Serves dates, timestamps, and times of day (hour only).
//!
//! Points in time (`timestamp with time zone`, MySQL's `timestamp`) are cut in UTC: if they were cut in the session's
//! zone, changing the zone and asking again would tell the hour and the minute.

use super::moment::Moment;
use super::postgres as pg;
use super::target::{Target, Unservable};
use crate::policy::TruncUnit;
use crate::sql::Engine;

pub(super) fn render(target: &Target, unit: TruncUnit) -> Result<String, Unservable> {
    let moment = Moment::of(target)?;
    check(target, moment, unit)?;
    let value = match (target.engine, moment) {
        (Engine::MySql, Moment::TimestampTz) => target.sql.to_owned(),
        _ => moment.bounded(target, 0),
    };
    let masked = match target.engine {
        Engine::Postgres => postgres(moment, unit, &value),
        Engine::MySql => mysql(moment, unit, &value),
    };
    Ok(moment.result(target, &masked))
}

/// Refuses units that would leave values as they are, or leave nothing of them.
fn check(target: &Target, moment: Moment, unit: TruncUnit) -> Result<(), Unservable> {
    match (moment, unit) {
        (Moment::Date, TruncUnit::Day | TruncUnit::Hour) => {
            Err(target.refuse("dates are whole days, so they would stay as they are; use `month` or longer"))
        }
        (Moment::Time, TruncUnit::Hour) if is_timetz(target) => {
            Err(target.refuse("times with time zone are not served; use `null` or `sql`"))
        }
        (Moment::Time, TruncUnit::Day | TruncUnit::Month | TruncUnit::Quarter | TruncUnit::Year) => {
            Err(target.refuse("times of day can be cut to the `hour` only; use `null` or `fixed`"))
        }
        (Moment::Time, TruncUnit::Hour)
        | (Moment::Date, TruncUnit::Year | TruncUnit::Quarter | TruncUnit::Month)
        | (Moment::Timestamp | Moment::TimestampTz, _) => Ok(()),
    }
}

fn is_timetz(target: &Target) -> bool {
    let name = target.type_name();
    name.name == "time with time zone" || name.suffix == "with time zone"
}

fn postgres(moment: Moment, unit: TruncUnit, value: &str) -> String {
    let word = match unit {
        TruncUnit::Year => "'year'",
        TruncUnit::Quarter => "'quarter'",
        TruncUnit::Month => "'month'",
        TruncUnit::Day => "'day'",
        TruncUnit::Hour => "'hour'",
    };
    match moment {
        // For a plain date the function would go by the session's time zone.
        Moment::Date => format!("{}::pg_catalog.date", pg::call("date_trunc", &[word, &format!("{value}::timestamp")])),
        Moment::Timestamp => pg::call("date_trunc", &[word, &format!("{value}::timestamp")]),
        Moment::TimestampTz => pg::call("date_trunc", &[word, value, "'UTC'"]),
        Moment::Time => pg::call("date_trunc", &[word, &format!("{value}::interval")]),
    }
}

fn mysql(moment: Moment, unit: TruncUnit, value: &str) -> String {
    let start = |moment: &str| match unit {
        TruncUnit::Year => format!("DATE_FORMAT({moment}, '%Y-01-01')"),
        TruncUnit::Quarter => {
            format!("CONCAT(DATE_FORMAT({moment}, '%Y-'), ELT(QUARTER({moment}), '01', '04', '07', '10'), '-01')")
        }
        TruncUnit::Month => format!("DATE_FORMAT({moment}, '%Y-%m-01')"),
        TruncUnit::Day => format!("DATE_FORMAT({moment}, '%Y-%m-%d')"),
        TruncUnit::Hour => format!("DATE_FORMAT({moment}, '%Y-%m-%d %H:00:00')"),
    };
    match moment {
        Moment::Date | Moment::Timestamp => start(value),
        Moment::TimestampTz => {
            let epoch = "TIMESTAMP'1970-01-01 00:00:00'";
            let utc = format!("TIMESTAMPADD(SECOND, FLOOR(UNIX_TIMESTAMP({value})), {epoch})");
            // A `timestamp` begins one second after the epoch.
            let seconds = format!("GREATEST(TIMESTAMPDIFF(SECOND, {epoch}, CAST({} AS DATETIME)), 1)", start(&utc));
            format!("FROM_UNIXTIME({seconds})")
        }
        Moment::Time => format!("SEC_TO_TIME(TIME_TO_SEC({value}) - MOD(TIME_TO_SEC({value}), 3600))"),
    }
}
