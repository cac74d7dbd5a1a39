//! Who acts: other users, other roles, a session begun anew; and the end of other sessions.

use std::sync::Arc;

use super::input::{MAX_SHORT, Whole};
use super::place::choose;
use super::{Session, Step, client_ending, client_gone, unrecorded};
use crate::audit::{Ending, Facts};
use crate::mysql::accept::MAX_LOGIN;
use crate::mysql::auth::{Login, authenticate_again};
use crate::mysql::cancel;
use crate::mysql::login::{refused, split};
use crate::mysql::pending::Kind;
use crate::mysql::reply;
use crate::mysql::wire::change_user::ChangeUser;
use crate::mysql::wire::err::Err;
use crate::pipeline::{Decision, Settings};
use crate::session::Acting;
use crate::session::admission::forbid_peer;
use crate::sql::mysql::SqlMode;

impl Session {
    /// `COM_CHANGE_USER`: a whole login on the same connection, and a fresh session at the server.
    pub(super) async fn change_user(&mut self) -> Step<()> {
        let whole = self.whole(MAX_LOGIN).await?;
        let payload = whole.payload(self.client.unread()).get(1..).unwrap_or_default().to_vec();
        self.take(&whole);
        let Ok(change) = ChangeUser::read(&payload, self.client.capabilities) else {
            return self.violation("change of user").await;
        };
        let claimed = String::from_utf8_lossy(change.user).into_owned();
        let database = (!change.database.is_empty()).then(|| String::from_utf8_lossy(change.database).into_owned());
        let plugin = String::from_utf8_lossy(change.plugin).into_owned();
        let collation = change.collation.and_then(|number| u8::try_from(number).ok());
        self.leave_server().await;
        let mut sequence = whole.reply;
        let node = Arc::clone(&self.node);
        let (name, source) = split(&node, &claimed);
        let login = authenticate_again(&mut self.client, &node, name, &plugin, &mut sequence);
        let login = tokio::time::timeout(node.timeouts.login, login).await;
        let Ok(login) = login else { return Err(Ending::Closed("login time-out")) };
        let user = match login.map_err(|error| client_ending(&error))? {
            Login::Proved(user) => user,
            Login::Refused | Login::Impossible(_) => {
                let mut subject = self.subject.clone();
                subject.user = Arc::from(name);
                let error = refused(&node, &subject, name, None, "wrong password or unknown user").await;
                let _ = self.client.send_error(sequence, &error).await;
                return Err(Ending::Closed("change of user was refused"));
            }
        };
        let begun = choose(&node, &user, source, database.as_deref()).and_then(|source| {
            let role = user.roles.first().cloned().unwrap_or_default();
            let acting = Acting::new(&node, source, &user.name, &role)
                .map_err(|error| Err::new(1045, "28000", error.to_string()))?;
            match forbid_peer(&node, acting.last_database(), &self.subject) {
                None => Ok(acting),
                Some(denial) => Err(reply::refusal(&denial)),
            }
        });
        let acting = match begun {
            Ok(acting) => acting,
            Err(error) => {
                let _ = self.client.send_error(sequence, &error).await;
                return Err(Ending::Closed("change of user was refused"));
            }
        };
        node.audit.session_closed(&self.subject, Ending::Terminated, std::mem::take(&mut self.totals));
        self.subject.user = Arc::clone(&user.name);
        self.subject.role = Arc::clone(&acting.role().name);
        self.subject.source = Arc::clone(&acting.source().spec.name);
        self.entry.set_subject(self.subject.clone());
        if let Err(error) = node.audit.session_opened(&self.subject) {
            let _ = self.client.send_error(sequence, &unrecorded(&error)).await;
            return Err(Ending::Closed("the audit log cannot be written"));
        }
        self.client.collation = collation.unwrap_or(self.client.collation);
        (self.user, self.acting, self.settings) = (user, acting, Settings::default());
        self.set_schema(database.as_deref());
        match self.check_schema().await? {
            Ok(()) => self.succeed(sequence).await,
            Err(error) => {
                let _ = self.client.send_error(sequence, &error).await;
                Err(Ending::Closed("change of user was refused"))
            }
        }
    }

    /// `COM_RESET_CONNECTION`: the server forgets everything of the session but who it is.
    pub(super) async fn reset_connection(&mut self) -> Step<()> {
        let whole = self.whole(MAX_SHORT).await?;
        let Some(server) = &mut self.server else {
            self.take(&whole);
            return self.succeed(whole.reply).await;
        };
        self.statements.clear();
        let raw = self.client.unread().get(..whole.raw).unwrap_or_default().to_vec();
        server.send(&raw).await?;
        self.client.consume(whole.raw);
        if let Some(error) = server.swallow(Kind::Short).await?.error {
            return self.fail(whole.reply, &error).await;
        }
        self.set_up_again().await?;
        self.succeed(whole.reply).await
    }

    /// `SET ROLE`: the new role begins with a server session of its own, so nothing of the old one's stays.
    pub(super) async fn set_role(&mut self, whole: &Whole, text: &str, decision: &Decision, role: &str) -> Step<()> {
        if self.in_transaction() {
            let error = Err::new(1568, "25001", "SET ROLE cannot run inside a transaction; end it first");
            return self.refuse(whole, text, Some(decision), &error).await;
        }
        let acting = Acting::new(&self.node, Arc::clone(self.acting.source()), &self.user.name, role);
        let forbidden = acting.ok().and_then(|to| forbid_peer(&self.node, to.last_database(), &self.subject));
        if let Some(denial) = forbidden {
            return self.refuse(whole, text, Some(decision), &reply::refusal(&denial)).await;
        }
        if let Err(unavailable) = self.record(text, decision, None) {
            self.take(whole);
            return self.fail(whole.reply, &unrecorded(&unavailable)).await;
        }
        if let Err(revoked) = self.acting.change_role(&self.node, role) {
            self.take(whole);
            return self.fail(whole.reply, &Err::new(3530, "HY000", revoked.to_string())).await;
        }
        self.leave_server().await;
        self.settings.sql_mode = SqlMode::default();
        self.subject.role = Arc::clone(&self.acting.role().name);
        self.entry.set_subject(self.subject.clone());
        self.take(whole);
        self.succeed(whole.reply).await
    }

    /// `COM_PROCESS_KILL`.
    pub(super) async fn process_kill(&mut self) -> Step<()> {
        let whole = self.whole(MAX_SHORT).await?;
        let payload = whole.payload(self.client.unread());
        let Some(number) = payload.get(1..).and_then(|rest| rest.first_chunk()).map(|n| u32::from_le_bytes(*n)) else {
            return self.violation("kill without a number").await;
        };
        self.kill(&whole, None, false, u64::from(number)).await
    }

    /// KILL of a session that the client knows by the proxy's number, or by the server's. `text` is its statement, to
    /// be recorded.
    pub(super) async fn kill(&mut self, whole: &Whole, text: Option<&str>, query: bool, number: u64) -> Step<()> {
        let text = text.map_or_else(|| format!("kill {number}"), str::to_owned);
        let facts = Facts { kinds: vec!["kill"], ..Facts::default() };
        let everybody = self.acting.role().unrestricted;
        let target = cancel::find(&self.node, self.acting.source(), number)
            .filter(|entry| everybody || entry.subject().user == self.user.name);
        let Some(target) = target else {
            if everybody {
                // A session that is not the proxy's; the server knows it.
                return self.kill_at_server(whole, &text, &facts, query, number).await;
            }
            let error = Err::new(1094, "HY000", format!("unknown thread id: {number}"));
            return self.refuse(whole, &text, None, &error).await;
        };
        if let Err(unavailable) = self.note_permitted(&text, &facts) {
            self.take(whole);
            return self.fail(whole.reply, &unrecorded(&unavailable)).await;
        }
        self.take(whole);
        if target.session == self.entry.session {
            let error = Err::new(1317, "70100", "query execution was interrupted");
            let sent = self.client.send_error(whole.reply, &error).await.map_err(client_gone);
            return if query { sent } else { Err(Ending::Terminated) };
        }
        self.node.metrics.cancels.add_one();
        match cancel::stop(&self.node, &target, query).await {
            Ok(()) => self.succeed(whole.reply).await,
            Err(error) => self.fail(whole.reply, &error).await,
        }
    }

    async fn kill_at_server(&mut self, whole: &Whole, text: &str, facts: &Facts, query: bool, number: u64) -> Step<()> {
        if let Err(unavailable) = self.note_permitted(text, facts) {
            self.take(whole);
            return self.fail(whole.reply, &unrecorded(&unavailable)).await;
        }
        self.take(whole);
        match cancel::stop_number(self.acting.source(), query, number).await {
            Ok(()) => self.succeed(whole.reply).await,
            Err(error) => self.fail(whole.reply, &error).await,
        }
    }
}
