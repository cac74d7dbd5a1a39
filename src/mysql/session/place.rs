//! Which server a session is on: it follows from the database that the client names.

use std::sync::Arc;
use std::time::Instant;

use super::input::{MAX_SHORT, Whole};
use super::{Session, Step, unrecorded};
use crate::audit::{Ending, Facts, Outcome, StatementRecord};
use crate::auth::User;
use crate::mysql::pending::Kind;
use crate::mysql::reply;
use crate::mysql::wire::compressed::Algorithm;
use crate::mysql::wire::err::Err;
use crate::pipeline::Verdict;
use crate::session::{Acting, Node, Source};
use crate::sql::Engine;

/// Databases that every server has of its own.
const EVERYWHERE: [&str; 4] = ["information_schema", "performance_schema", "mysql", "sys"];

/// The source that a login is for: the one named, else the one whose server has the database, else the first that the
/// user may use.
pub fn choose(node: &Node, user: &User, source: Option<&str>, database: Option<&str>) -> Result<Arc<Source>, Err> {
    let denied = |to: &str| Err::new(1044, "42000", format!("access denied for user `{}` to {to}", user.name));
    if let Some(name) = source {
        return usable(node, user)
            .find(|source| &*source.spec.name == name)
            .ok_or_else(|| denied(&format!("source `{name}`")));
    }
    let having: Vec<Arc<Source>> = match database {
        Some(database) if !EVERYWHERE.contains(&database) => homes(node, user, database),
        Some(_) | None => Vec::new(),
    };
    match having.as_slice() {
        [only] => Ok(Arc::clone(only)),
        [] => usable(node, user).next().ok_or_else(|| denied("every source")),
        several => Err(ambiguous(database.unwrap_or_default(), several)),
    }
}

/// The MySQL sources that a user may use, in the order of their names.
fn usable<'n>(node: &'n Node, user: &User) -> impl Iterator<Item = Arc<Source>> + use<'n> {
    let user = user.clone();
    let mysql = node.sources.values().filter(|source| source.spec.engine == Engine::MySql);
    mysql.filter(move |source| node.may_use(&user, source)).cloned()
}

/// Those of them whose server has a database.
fn homes(node: &Node, user: &User, database: &str) -> Vec<Arc<Source>> {
    usable(node, user).filter(|source| source.catalog.current().has_schema(database)).collect()
}

fn ambiguous(database: &str, several: &[Arc<Source>]) -> Err {
    let names: Vec<String> = several.iter().map(|source| format!("`{}`", source.spec.name)).collect();
    let message = format!(
        "database `{database}` is on several sources ({}); log in as user@source to choose one",
        names.join(", ")
    );
    Err::new(1049, "42000", message)
}

impl Session {
    /// The current database.
    pub(super) fn schema(&self) -> Option<&str> {
        self.settings.search_path.as_ref().and_then(|path| path.first()).map(|schema| &**schema)
    }

    /// The current database is now this.
    pub fn set_schema(&mut self, schema: Option<&str>) {
        if self.schema() != schema || self.settings.search_path.is_none() {
            let path: Vec<Box<str>> = schema.into_iter().filter(|name| !name.is_empty()).map(Box::from).collect();
            self.settings.search_path = Some(path.into());
        }
    }

    /// Whether a database is not on this session's server, and on another one.
    pub(super) fn is_elsewhere(&self, schema: &str) -> bool {
        !EVERYWHERE.iter().any(|name| schema.eq_ignore_ascii_case(name))
            && !self.acting.source().catalog.current().has_schema(schema)
            && !homes(&self.node, &self.user, schema).is_empty()
    }

    /// USE of a database on another server: the session moves there.
    pub(super) async fn use_elsewhere(&mut self, whole: &Whole, text: &str, schema: &str) -> Step<()> {
        let homes = homes(&self.node, &self.user, schema);
        let [home] = homes.as_slice() else {
            let error = ambiguous(schema, &homes);
            return self.refuse(whole, text, None, &error).await;
        };
        if self.in_transaction() {
            let message = format!("database `{schema}` is on source `{}`: end the transaction first", home.spec.name);
            let error = Err::new(1568, "25001", message);
            return self.refuse(whole, text, None, &error).await;
        }
        let role = Arc::clone(&self.acting.role().name);
        let acting = match Acting::new(&self.node, Arc::clone(home), &self.user.name, &role) {
            Ok(acting) => acting,
            Err(revoked) => {
                let error = Err::new(1044, "42000", revoked.to_string());
                return self.refuse(whole, text, None, &error).await;
            }
        };
        let facts = Facts { kinds: vec!["use"], ..Facts::default() };
        if let Err(unavailable) = self.note_permitted(text, &facts) {
            self.take(whole);
            return self.fail(whole.reply, &unrecorded(&unavailable)).await;
        }
        self.leave_server().await;
        let old = (std::mem::replace(&mut self.acting, acting), self.settings.clone());
        self.set_schema(Some(schema));
        let opened = self.open().await?;
        self.take(whole);
        match opened {
            Ok(()) => {
                self.subject.source = Arc::clone(&home.spec.name);
                self.entry.set_subject(self.subject.clone());
                self.succeed(whole.reply).await
            }
            Err(error) => {
                (self.acting, self.settings) = old;
                self.fail(whole.reply, &error).await
            }
        }
    }

    /// Records a statement that the proxy carries out itself.
    pub(super) fn note_permitted(&self, text: &str, facts: &Facts) -> Result<(), crate::audit::Unavailable> {
        let outcome = Outcome::Permitted;
        let record = StatementRecord {
            subject: &self.subject,
            text,
            annotation: None,
            sent: None,
            facts,
            outcome,
            reported: &[],
        };
        let record = self.node.audit.statement(&record)?;
        self.unfinished.set(Some((record, Instant::now())));
        Ok(())
    }

    /// `COM_INIT_DB`: USE by another name.
    pub(super) async fn init_db(&mut self) -> Step<()> {
        let whole = self.whole(MAX_SHORT).await?;
        let payload = whole.payload(self.client.unread()).get(1..).unwrap_or_default();
        let schema = String::from_utf8_lossy(payload).into_owned();
        let text = format!("use {}", Engine::MySql.quote_identifier(&schema));
        self.totals.statements += 1;
        if self.is_elsewhere(&schema) {
            return self.use_elsewhere(&whole, &text, &schema).await;
        }
        let (_, decision) = self.decide(&text).await?;
        if let Verdict::Denial(denial) = &decision.verdict {
            let error = reply::refusal(denial);
            return self.refuse(&whole, &text, Some(&decision), &error).await;
        }
        if let Err(unavailable) = self.record(&text, &decision, None) {
            self.take(&whole);
            return self.fail(whole.reply, &unrecorded(&unavailable)).await;
        }
        if !self.open_for(&whole).await? {
            return Ok(());
        }
        self.pass(&whole).await?;
        if self.relay(Kind::Short, None).await?.error.is_none() {
            self.set_schema(Some(&schema));
        }
        Ok(())
    }

    /// Opens the server at login where the catalog cannot say whether the database exists; the error is the login's.
    pub(super) async fn check_schema(&mut self) -> Step<Result<(), Err>> {
        match self.schema() {
            Some(schema) if !self.acting.source().catalog.current().has_schema(schema) => self.open().await,
            Some(_) | None => Ok(Ok(())),
        }
    }

    /// Ends the login; where the database asked for cannot be had, with its error.
    pub async fn welcome(&mut self, sequence: u8, compression: Option<Algorithm>) -> Step<()> {
        if let Err(error) = self.check_schema().await? {
            let _ = self.client.send_error(sequence, &error).await;
            return Err(Ending::Closed("the database asked for cannot be had"));
        }
        self.succeed(sequence).await?;
        if let Some(algorithm) = compression {
            self.client.compress(algorithm);
        }
        Ok(())
    }
}
