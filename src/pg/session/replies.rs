//! The server's messages that must be read, each with what it means for the session.

use std::rc::Rc;
use std::sync::Arc;

use super::cost;
use super::decide::denial;
use super::link::{reads_as_expected, unexpected_reading};
use super::output::Output;
use super::state::State;
use super::stop::CANCELED;
use super::{Session, micros};
use crate::audit::{ResultRecord, Subject};
use crate::pg::fault::Fault;
use crate::pg::names;
use crate::pg::pending::{Owed, Running};
use crate::pg::reply::{is_of_log, is_of_procedure, row_filter_of, table_of, write_at, write_cleaned, write_denial};
use crate::pg::wire::Header;
use crate::pg::wire::backend::{self, Report};
use crate::pg::wire::frontend::Target;
use crate::pipeline::{Denial, Effect, VirtualDatabase};

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    /// It goes to the client as it came.
    Forward,
    /// It does not; what goes in its place has been written.
    Handled,
}

impl Pass {
    fn forward_if(visible: bool) -> Self {
        if visible { Self::Forward } else { Self::Handled }
    }
}

impl Session {
    /// Reads one message of the server.
    pub(super) fn reply(
        &self,
        state: &mut State,
        header: Header,
        body: &[u8],
        input: &[u8],
        out: &mut Output,
    ) -> Result<Pass, Fault> {
        if let Some(Owed::Estimate { whole }) = state.pending.front() {
            let whole = *whole;
            if header.tag == backend::DATA_ROW {
                cost::plan_line(state, body);
                return Ok(Pass::Handled);
            }
            if let Some(false) = cost::plan_message(state, header, body, whole) {
                return Ok(Pass::Handled);
            }
        }
        let shown = !state.draining;
        match header.tag {
            backend::COMMAND_COMPLETE => self.command_complete(state, body, input, out),
            backend::ROW_DESCRIPTION => self.row_description(state, body, input, out),
            backend::READY_FOR_QUERY => self.ready(state, body),
            backend::PARSE_COMPLETE => match state.pending.answered() {
                Some(Owed::Parse { name, statement, visible }) => {
                    state.statements.defined(name, statement);
                    Ok(Pass::forward_if(visible && shown))
                }
                _ => Err(out_of_turn(header.tag)),
            },
            backend::BIND_COMPLETE => match state.pending.answered() {
                Some(Owed::Bind { portal, statement }) => {
                    match statement {
                        Some(statement) => state.portals.defined(portal, statement),
                        None => state.portals.closed(&portal),
                    }
                    Ok(Pass::forward_if(shown))
                }
                _ => Err(out_of_turn(header.tag)),
            },
            backend::CLOSE_COMPLETE => match state.pending.answered() {
                Some(Owed::Close { target, name, visible }) => {
                    match target {
                        Target::Statement => state.statements.closed(&name),
                        Target::Portal => state.portals.closed(&name),
                    }
                    Ok(Pass::forward_if(visible && shown))
                }
                _ => Err(out_of_turn(header.tag)),
            },
            backend::NO_DATA => described(state, header.tag).map(|visible| Pass::forward_if(visible && shown)),
            backend::PARAMETER_DESCRIPTION => match state.pending.front() {
                Some(Owed::Describe { visible, .. }) => Ok(Pass::forward_if(*visible && shown)),
                _ => Err(out_of_turn(header.tag)),
            },
            backend::PORTAL_SUSPENDED => self.suspended(state, input, out),
            backend::EMPTY_QUERY_RESPONSE => {
                if !matches!(state.pending.front(), Some(Owed::Query(_))) {
                    self.executed(state, header.tag)?;
                }
                Ok(Pass::forward_if(shown))
            }
            backend::ERROR_RESPONSE => Ok(self.error(state, body, input, out)),
            backend::NOTICE_RESPONSE => Ok(notice(state, body, input, out)),
            backend::PARAMETER_STATUS => self.parameter_status(state, body).map(|()| Pass::Forward),
            backend::COPY_IN_RESPONSE => {
                let Ok(passed_over) = state.pending.copy_in() else { return Err(out_of_turn(header.tag)) };
                if state.draining {
                    return Err(out_of_turn(header.tag));
                }
                if let Some(mut running) = passed_over.and_then(Owed::into_running) {
                    // `protocol_violation`, as the server says of the COPY.
                    running.sqlstate = Some(*b"08P01");
                    self.finish(state, &running);
                }
                Ok(Pass::Forward)
            }
            backend::COPY_OUT_RESPONSE => Ok(Pass::forward_if(shown)),
            backend::COPY_DONE => {
                let is_cut = state.pending.front().and_then(Owed::running).is_some_and(|running| running.is_cut());
                Ok(Pass::forward_if(shown && !is_cut))
            }
            other => Err(out_of_turn(other)),
        }
    }

    /// A statement of a text, or an execution, is done.
    fn command_complete(&self, state: &mut State, body: &[u8], input: &[u8], out: &mut Output) -> Result<Pass, Fault> {
        let shown = !state.draining;
        let tag = backend::read_command_tag(body).map_err(Fault::server_message)?;
        let Some(Owed::Query(running) | Owed::Execute(running)) = state.pending.front() else {
            return Err(out_of_turn(backend::COMMAND_COMPLETE));
        };
        let is_cut = running.is_cut();
        let given = if is_cut { running.current_rows } else { backend::rows_of_tag(tag).max(running.current_rows) };
        running.rows += given;
        running.copying = false;
        state.fetched.end(running, running.current_rows);
        running.current_rows = 0;
        running.earlier_bytes = running.bytes;
        let effect = running.effects.get(running.done).cloned();
        let statement = running.statement.clone();
        running.done += 1;
        state.fetched.begin(running);
        self.take_effect(state, &effect.unwrap_or(Effect::None), statement, tag);
        if is_cut {
            return Ok(self.end_cut(state, input, out));
        }
        if matches!(state.pending.front(), Some(Owed::Execute(_))) {
            self.executed(state, backend::COMMAND_COMPLETE)?;
        }
        Ok(Pass::forward_if(shown))
    }

    /// An execution paused after as many rows as it asked for.
    fn suspended(&self, state: &mut State, input: &[u8], out: &mut Output) -> Result<Pass, Fault> {
        let shown = !state.draining;
        if let Some(running) = state.pending.front().and_then(Owed::running) {
            if running.is_cut() {
                return Ok(self.end_cut(state, input, out));
            }
            state.fetched.end(running, running.current_rows);
        }
        self.executed(state, backend::PORTAL_SUSPENDED).map(|()| Pass::forward_if(shown))
    }

    /// What a statement changes, now that the server has done it.
    fn take_effect(&self, state: &mut State, effect: &Effect, statement: Option<Rc<names::Statement>>, tag: &[u8]) {
        match effect {
            Effect::RollbackTo(name) => return state.settings.rollback_to(name),
            Effect::Savepoint(name) => state.settings.savepoint(name.clone()),
            Effect::Release(name) => state.settings.release(name),
            Effect::SetSearchPath { local, .. } => self.change_setting(state, *local, effect),
            Effect::MakeTemporary { drops_on_commit, .. } => self.change_setting(state, *drops_on_commit, effect),
            Effect::DropTemporary(_) => self.change_setting(state, false, effect),
            Effect::ResetAll { discard } => {
                self.change_setting(state, false, effect);
                if *discard {
                    state.statements.clear();
                    state.portals.clear();
                }
            }
            Effect::Prepare(name) => {
                if let Some(statement) = statement {
                    state.statements.defined(names::of_sql(name), statement);
                }
            }
            Effect::Declare(name) if state.is_restricted() => {
                if let Some(statement) = statement {
                    state.cursors.declared(name, statement);
                }
            }
            Effect::Deallocate(Some(name)) => state.statements.closed(&names::of_sql(name)),
            Effect::Deallocate(None) => state.statements.clear(),
            Effect::SetRole(role) if state.acting.role().name == *role => state.role_change = None,
            Effect::SetRole(role) => state.role_change = Some(Arc::clone(role)),
            Effect::Ddl => state.has_ddl = true,
            Effect::ChangeObjects(_) => {
                state.has_ddl = true;
                self.change_setting(state, true, effect);
            }
            // MySQL's, and what needs nothing done.
            Effect::None
            | Effect::Execute(_)
            | Effect::Declare(_)
            | Effect::Fetch(_)
            | Effect::Use(_)
            | Effect::SetSqlMode(_) => {}
        }
        // `ROLLBACK` is also what COMMIT of a failed transaction says.
        match tag {
            b"COMMIT" | b"PREPARE TRANSACTION" => {
                state.settings.end(true);
                // Another transaction may begin at once (`AND CHAIN`).
                if std::mem::take(&mut state.has_ddl) {
                    state.catalog = Some(self.source.refresh.ask());
                }
            }
            b"ROLLBACK" => state.settings.end(false),
            _ => {}
        }
    }

    fn change_setting(&self, state: &mut State, local: bool, effect: &Effect) {
        let snapshot = self.source.catalog.current();
        let initial = state.for_server.settings.clone();
        state.settings.change(local, |settings| {
            settings.apply(effect, &snapshot);
            // Back to the default is back to what the startup packet said.
            if settings.search_path.is_none() {
                settings.search_path.clone_from(&initial.search_path);
            }
        });
    }

    /// The execution that is answered has ended, or paused.
    fn executed(&self, state: &mut State, tag: u8) -> Result<(), Fault> {
        match state.pending.answered() {
            Some(Owed::Execute(running)) => {
                self.finish(state, &running);
                Ok(())
            }
            _ => Err(out_of_turn(tag)),
        }
    }

    fn ready(&self, state: &mut State, body: &[u8]) -> Result<Pass, Fault> {
        let status = *body.first().ok_or_else(|| out_of_turn(backend::READY_FOR_QUERY))?;
        let has_failed = state.pending.has_failed();
        let ended = state.pending.ready(status).ok_or_else(|| out_of_turn(backend::READY_FOR_QUERY))?;
        if matches!(ended, Owed::Estimate { .. }) {
            return Ok(Pass::Handled);
        }
        if let Owed::Query(running) = ended {
            self.finish(state, &running);
        }
        if state.pending.must_fail() {
            // The client gets the ReadyForQuery behind the failure.
            state.must_fail = true;
            return Ok(Pass::Handled);
        }
        state.draining = false;
        if status == b'I' {
            state.settings.end(!has_failed);
            state.portals.clear();
            state.is_guarded = state.is_guarded && !state.pending.is_empty();
            if std::mem::take(&mut state.has_ddl) {
                state.catalog = Some(self.source.refresh.ask());
            }
        }
        Ok(Pass::Forward)
    }

    /// The second lock: every result column of a restricted role is looked up before rows go out.
    fn row_description(&self, state: &mut State, body: &[u8], input: &[u8], out: &mut Output) -> Result<Pass, Fault> {
        let found = match state.pending.front().and_then(|owed| owed.lock()) {
            Some(lock) => protected_column(lock, body)?,
            None => None,
        };
        let record = state.pending.front().and_then(Owed::running).map(|running| running.record);
        let visible = match state.pending.front() {
            Some(Owed::Query(_)) => true,
            _ => described(state, backend::ROW_DESCRIPTION)?,
        };
        if state.draining {
            return Ok(Pass::Handled);
        }
        let Some(column) = found else { return Ok(Pass::forward_if(visible)) };
        self.node.metrics.second_lock_hits.add_one();
        self.node.audit.second_lock(&self.subject.borrow(), record.unwrap_or_default(), &column);
        tracing::error!(session = self.entry.session, %column, "second lock: a protected column was about to arrive raw");
        let message = format!("result withheld: column `{column}` is protected and would have arrived as it is");
        let report = Report {
            severity: "ERROR",
            sqlstate: "42501",
            message: &message,
            detail: None,
            hint: Some("tell the people who run this proxy; the statement is in its audit log"),
            position: None,
        };
        report.write(out.edit(input));
        if let Some(running) = state.pending.front().and_then(Owed::running) {
            running.sqlstate = Some(*b"42501");
        }
        state.draining = true;
        Ok(Pass::Handled)
    }

    fn error(&self, state: &mut State, body: &[u8], input: &[u8], out: &mut Output) -> Pass {
        let must_clean = must_clean(state, body);
        let filtered = row_filter_of(body).filter(|_| must_clean).map(refused_row);
        let sqlstate = if filtered.is_some() { ROW_REFUSED } else { sqlstate_of(body) };
        let is_fatal = matches!(backend::error_field(body, b'V'), Some(b"FATAL" | b"PANIC"));
        state.has_said_fatal |= is_fatal;
        let position = position(state, body);
        let running = state.pending.front().and_then(Owed::running);
        let stopped = running.as_ref().and_then(|running| {
            let watch = running.watch.as_ref()?;
            watch.refusal().filter(|_| watch.is_cut() || sqlstate == CANCELED)
        });
        let is_stopped = stopped.is_some();
        let denial = running.and_then(|running| {
            running.sqlstate.get_or_insert(if is_stopped { CANCELED } else { sqlstate });
            running.denial.as_deref().filter(|_| sqlstate == *b"42601")
        });
        let denial = stopped.as_ref().or(denial).or(filtered.as_ref());
        let pass = if state.draining && !is_fatal {
            Pass::Handled
        } else if let Some(denial) = denial {
            write_denial(out.edit(input), denial);
            Pass::Handled
        } else if must_clean {
            write_cleaned(out.edit(input), backend::ERROR_RESPONSE, body, position);
            Pass::Handled
        } else {
            relocated(backend::ERROR_RESPONSE, body, position, input, out)
        };
        self.drop_failed(state, if is_stopped { CANCELED } else { sqlstate });
        pass
    }

    /// A statement failed: nothing will come of what was sent behind it up to the next Sync.
    pub(super) fn drop_failed(&self, state: &mut State, sqlstate: [u8; 5]) {
        let (dropped, must_sync) = state.pending.fail();
        state.must_sync |= must_sync;
        if !dropped.is_empty() {
            state.statements.failed(state.pending.iter(), Target::Statement);
            state.portals.failed(state.pending.iter(), Target::Portal);
        }
        for mut running in dropped.into_iter().filter_map(Owed::into_running) {
            running.sqlstate.get_or_insert(sqlstate);
            self.finish(state, &running);
        }
    }

    fn parameter_status(&self, state: &mut State, body: &[u8]) -> Result<(), Fault> {
        let (name, value) = backend::read_parameter(body).map_err(Fault::server_message)?;
        let (name, value) = (String::from_utf8_lossy(name), String::from_utf8_lossy(value));
        if name == "application_name" {
            let subject = Subject { application: Arc::from(&*value), ..Subject::clone(&self.subject.borrow()) };
            self.entry.set_subject(subject.clone());
            *self.subject.borrow_mut() = Rc::new(subject);
        }
        state.reported.insert(name.into_owned(), value.into_owned());
        if state.is_restricted() && !reads_as_expected(&state.reported) {
            return Err(unexpected_reading());
        }
        Ok(())
    }

    /// Records what came of a statement.
    fn finish(&self, state: &mut State, running: &Running) {
        let total = running.started.elapsed();
        let rows = running.rows + running.current_rows;
        state.totals.rows += rows;
        state.totals.bytes += running.bytes;
        self.node.metrics.rows.add(rows);
        self.node.metrics.result_bytes.add(running.bytes);
        let sqlstate = match &running.denial {
            Some(denial) => Some(denial.sqlstate),
            None => running.sqlstate.as_ref().and_then(|code| std::str::from_utf8(code).ok()),
        };
        // One whose time was up may have come to its own end all the same.
        let limit = running.watch.as_ref().and_then(|watch| watch.noted());
        let limit = limit.filter(|met| !met.stopped || sqlstate == std::str::from_utf8(&CANCELED).ok());
        if let Some(met) = limit {
            self.node.metrics.limits.count(met.limit);
        }
        self.node.audit.result(&ResultRecord {
            subject: &self.subject.borrow(),
            statement: running.record,
            rows,
            bytes: running.bytes,
            first_row_us: micros(running.first.unwrap_or(total)),
            total_us: micros(total),
            sqlstate,
            limit,
            facts: running.facts.as_deref(),
        });
        state.leave_turn();
    }
}

/// The first result column that must not arrive as it is, by the rules that decided the statement.
fn protected_column(lock: &VirtualDatabase, body: &[u8]) -> Result<Option<String>, Fault> {
    for column in backend::columns(body) {
        let column = column.map_err(Fault::server_message)?;
        if column.table != 0
            && let Some(name) = lock.protected_column(column.table, column.attribute)
        {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// Describe was answered: gives whether the client asked.
fn described(state: &mut State, tag: u8) -> Result<bool, Fault> {
    match state.pending.answered() {
        Some(Owed::Describe { statement, visible, .. }) => {
            if let Some(statement) = statement {
                statement.prepared.described.set(true);
            }
            Ok(visible)
        }
        _ => Err(out_of_turn(tag)),
    }
}

fn notice(state: &mut State, body: &[u8], input: &[u8], out: &mut Output) -> Pass {
    if state.draining || (state.is_restricted() && is_of_log(body)) {
        return Pass::Handled;
    }
    if must_clean(state, body) {
        write_cleaned(out.edit(input), backend::NOTICE_RESPONSE, body, None);
        return Pass::Handled;
    }
    let position = position(state, body);
    relocated(backend::NOTICE_RESPONSE, body, position, input, out)
}

/// Where in the client's text the server's error or notice is, if it says a place and the client wrote what is there.
fn position(state: &mut State, body: &[u8]) -> Option<u32> {
    let stated = std::str::from_utf8(backend::error_field(body, b'P')?).ok()?.parse().ok()?;
    match state.pending.front() {
        Some(owed) => owed.position(stated),
        None => Some(stated),
    }
}

/// Passes an error or notice on, with its place in the client's text.
fn relocated(tag: u8, body: &[u8], position: Option<u32>, input: &[u8], out: &mut Output) -> Pass {
    let stated = backend::error_field(body, b'P');
    let position = position.map(|position| position.to_string());
    if stated == position.as_deref().map(str::as_bytes) {
        return Pass::Forward;
    }
    write_at(out.edit(input), tag, body, position.as_deref());
    Pass::Handled
}

/// SQLSTATE of a new row that a filter does not let through; that of PostgreSQL's own row security.
const ROW_REFUSED: [u8; 5] = *b"42501";

fn refused_row(rule: &str) -> Denial {
    let hint = "write rows that the role can see, or ask the owner of the rule";
    denial("42501", format!("new row is refused by row filter `{rule}`"), Some(hint))
}

/// Whether what the server says now may quote values that the role must not see: of the statement's own relations, or of
/// others that triggers and foreign keys reach.
fn must_clean(state: &mut State, body: &[u8]) -> bool {
    if !state.is_restricted() {
        return false;
    }
    let front_is_guarded = state.pending.front().is_some_and(|owed| owed.is_guarded());
    let is_of_other = || {
        let database = state.acting.last_database();
        table_of(body).is_some_and(|(schema, table)| !database.is_plain(schema, table))
    };
    // Checks that were put off to the end of the transaction speak of its earlier statements.
    front_is_guarded || state.is_guarded || is_of_procedure(body) || is_of_other()
}

pub(super) fn sqlstate_of(body: &[u8]) -> [u8; 5] {
    backend::error_field(body, b'C').and_then(|code| code.try_into().ok()).unwrap_or(*b"XX000")
}

fn out_of_turn(tag: u8) -> Fault {
    Fault::ServerGone(format!("it sent a message of type `{}` out of turn", char::from(tag)).into())
}
