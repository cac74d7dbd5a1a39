//! `max_cost`: the planner is asked about a statement, as it would run, on the session's own connection, before it runs.
//!
//! MySQL says the cost of a query in EXPLAIN's JSON, MariaDB from version 11 on too. Older MariaDB has it in the variable
//! `Last_query_cost`, for queries without UNION and sub-selects; of others it says nothing, and they run.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use serde_json::Value;
use tokio::time::timeout;

use super::server::Server;
use super::stop::is_interruption;
use super::{READ_AHEAD, Session, Step, client_ending};
use crate::audit::Ending;
use crate::mysql::upstream::{Upstream, UpstreamError};
use crate::mysql::wire::err::Err;
use crate::mysql::wire::execute::{FLAGS_AT, ID_AT, PARAMETER_COUNT};
use crate::mysql::wire::{HEADER, Header};
use crate::pipeline::{Decision, VirtualDatabase};
use crate::session::admission;

/// The longest that the planner may take.
const PLANNING: Duration = Duration::from_secs(30);

impl Session {
    /// Asks about the statements of a text, and refuses it where one costs too much. What the server cannot plan it will
    /// say itself.
    pub(super) async fn weigh(
        &mut self,
        database: &Arc<VirtualDatabase>,
        decision: &mut Decision,
        statements: &[String],
    ) -> Step<()> {
        for statement in statements {
            let question = format!("EXPLAIN FORMAT=JSON {statement}");
            let answer = self.at_server(async |upstream| cost(upstream, Question::Text(&question)).await).await?;
            judge(database, decision, &answer);
        }
        Ok(())
    }

    /// Asks about an execution that lies whole at the front of the client's buffer, and says itself what types its
    /// parameters have unless an earlier one that was asked about did. `explain` is the server's number of the question,
    /// which is prepared now where there is none yet; it is given back, unless the server did not take it.
    pub(super) async fn weigh_execution(
        &mut self,
        database: &Arc<VirtualDatabase>,
        decision: &mut Decision,
        statement: &str,
        explain: Option<u32>,
    ) -> Step<Option<u32>> {
        let Some(server) = &mut self.server else { return Err(Ending::ServerGone) };
        let explain = match explain {
            Some(number) => number,
            None => match server.prepare(&format!("EXPLAIN FORMAT=JSON {statement}")).await? {
                Ok(prepared) => prepared.id,
                Err(error) => {
                    judge(database, decision, &Err(error));
                    return Ok(None);
                }
            },
        };
        let unread = self.client.unread();
        let len = Header::read(unread).map_or(0, |header| HEADER + header.len);
        let mut packet = unread.get(..len).unwrap_or_default().to_vec();
        if let Some(place) = packet.get_mut(HEADER + ID_AT..HEADER + FLAGS_AT) {
            place.copy_from_slice(&explain.to_le_bytes());
        }
        if let Some(flags) = packet.get_mut(HEADER + FLAGS_AT) {
            // No cursor.
            *flags &= PARAMETER_COUNT;
        }
        let answer = self.at_server(async |upstream| cost(upstream, Question::Execution(&packet)).await).await?;
        judge(database, decision, &answer);
        if answer.as_ref().is_err_and(|error| !is_disturbance(error))
            && let Some(server) = &mut self.server
        {
            // Whether the server took the types is not known.
            server.close_statement(explain).await?;
            return Ok(None);
        }
        Ok(Some(explain))
    }

    /// Waits for an answer. A limited number of the client's bytes is read meanwhile, so that its going is noticed.
    async fn unless_client_goes<T>(&mut self, mut answer: Pin<&mut impl Future<Output = T>>) -> Step<T> {
        poll_fn(|cx| {
            if let Poll::Ready(answer) = answer.as_mut().poll(cx) {
                return Poll::Ready(Ok(answer));
            }
            while self.client.unread().len() < READ_AHEAD {
                match self.client.poll_fill(cx) {
                    Poll::Ready(Ok(())) => {}
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(client_ending(&error))),
                    Poll::Pending => break,
                }
            }
            Poll::Pending
        })
        .await
    }

    /// Asks something on the session's own connection.
    pub(super) async fn at_server<T>(
        &mut self,
        ask: impl AsyncFnOnce(&mut Upstream) -> Result<T, UpstreamError>,
    ) -> Step<Result<T, Err>> {
        let Some(server) = self.server.take() else { return Err(Ending::ServerGone) };
        let (mut upstream, rest) = server.into_upstream();
        let limit = self.acting.last_database().limits().and_then(|limits| limits.statement_timeout.as_ref());
        let patience = limit.map_or(PLANNING, |bound| bound.value.min(PLANNING));
        let answer = {
            let mut answer = pin!(ask(&mut upstream));
            if let Ok(answer) = timeout(patience, self.unless_client_goes(answer.as_mut())).await {
                answer
            } else {
                // It waits for a lock, as the statement would. What the server says then is that it was interrupted.
                self.stop_statement().await;
                self.unless_client_goes(answer).await
            }
        };
        let answer = match answer {
            Ok(answer) => answer,
            Err(ending) => {
                self.stop_statement().await;
                return Err(ending);
            }
        };
        self.server = Some(Box::new(Server::from_upstream(upstream, rest)));
        match answer {
            Ok(answer) => Ok(Ok(answer)),
            Err(UpstreamError::Server(error)) => Ok(Err(error)),
            Err(_) => Err(Ending::ServerGone),
        }
    }
}

/// Weighs a statement by the planner's answer. An error of the statement's own it meets again when it runs.
fn judge(database: &VirtualDatabase, decision: &mut Decision, answer: &Result<Option<f64>, Err>) {
    match answer {
        Ok(Some(cost)) => admission::weigh(database, decision, *cost),
        Err(error) if is_disturbance(error) => admission::refuse_unanswered(database, decision),
        Ok(None) | Err(_) => {}
    }
}

/// Whether a question was disturbed while the server had it: a lock was waited for too long (1205, MariaDB's 1213 for a
/// deadlock), or it was interrupted.
fn is_disturbance(error: &Err) -> bool {
    is_interruption(error) || matches!(error.code, 1205 | 1213)
}

enum Question<'a> {
    /// A text.
    Text(&'a str),
    /// The packet of an execution.
    Execution(&'a [u8]),
}

async fn cost(upstream: &mut Upstream, question: Question<'_>) -> Result<Option<f64>, UpstreamError> {
    let plan = match question {
        Question::Text(text) => {
            let rows = upstream.query(text).await?;
            rows.iter().next().and_then(|row| row.get(0)).map(str::to_owned)
        }
        Question::Execution(packet) => upstream.first_text(packet).await?,
    };
    // A question without an answer says nothing of what the statement may cost.
    let Some(plan) = plan else { return Ok(Some(f64::INFINITY)) };
    let plan: Option<Value> = serde_json::from_str(&plan).ok();
    if let Some(cost) = plan.as_ref().and_then(cost_of) {
        return Ok(Some(cost));
    }
    let rows = upstream.query("SHOW SESSION STATUS LIKE 'Last_query_cost'").await?;
    let last = rows.iter().next().and_then(|row| row.get(1)?.parse().ok());
    Ok(last.filter(|cost: &f64| *cost > 0.0))
}

/// The cost of a plan: of all its query blocks together, wherever they stand, or where each step says what it and those
/// below it cost, that of the dearest.
fn cost_of(plan: &Value) -> Option<f64> {
    match plan {
        Value::Object(fields) => {
            let number = |name: &str| fields.get(name).and_then(number);
            let below = fields.values().filter_map(cost_of);
            if let Some(cost) = number("estimated_total_cost") {
                return Some(below.fold(cost, f64::max));
            }
            let block = fields.get("cost_info").and_then(|info| info.get("query_cost")).and_then(self::number);
            // MariaDB's tables say what they cost, too; blocks have a number.
            let block = block.or_else(|| number("cost").filter(|_| fields.contains_key("select_id")));
            block.into_iter().chain(below).reduce(|sum, cost| sum + cost)
        }
        Value::Array(items) => items.iter().filter_map(cost_of).reduce(|sum, cost| sum + cost),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_found_in_the_plans_of_each_server() {
        let plan = |text: &str| cost_of(&serde_json::from_str(text).unwrap());
        let mysql = r#"{"query_block":{"select_id":1,"cost_info":{"query_cost":"103.25"},
                       "table":{"table_name":"t","cost_info":{"read_cost":"3.25","eval_cost":"100.00"}}}}"#;
        assert_eq!(plan(mysql), Some(103.25));
        let union = r#"{"query_block":{"union_result":{"query_specifications":[
                       {"query_block":{"cost_info":{"query_cost":"1.5"}}},{"query_block":{"cost_info":{"query_cost":"2"}}}]}}}"#;
        assert_eq!(plan(union), Some(3.5));
        assert_eq!(
            plan(r#"{"query_plan":{"estimated_total_cost":7.5,"inputs":[{"estimated_total_cost":7}]}}"#),
            Some(7.5)
        );
        assert_eq!(
            plan(r#"{"query_block":{"select_id":1,"cost":0.25,"nested_loop":[{"table":{"cost":0.1}}]}}"#),
            Some(0.25)
        );
        let blocks = r#"{"query_block":{"select_id":1,"cost_info":{"query_cost":"1"},"table":{"materialized_from_subquery":
                        {"query_block":{"select_id":2,"cost_info":{"query_cost":"8"}}}}}}"#;
        assert_eq!(plan(blocks), Some(9.0));
        let steps = r#"{"query_plan":{"estimated_total_cost":2,"inputs":[{"inputs":[{"estimated_total_cost":900}]}]}}"#;
        assert_eq!(plan(steps), Some(900.0));
        assert_eq!(plan(r#"{"query_block":{"select_id":1,"table":{"table_name":"t","rows":5}}}"#), None);
    }
}
