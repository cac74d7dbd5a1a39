//! `COM_FIELD_LIST`: the columns of a table. A restricted role gets those of its own view of the table, as an empty
//! SELECT of everything in it has them.
//!
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_field_list.html>

use super::input::{MAX_SHORT, Whole};
use super::relay::protected;
use super::{Session, Step, client_gone, unrecorded};
use crate::audit::Ending;
use crate::mysql::pending::Kind;
use crate::mysql::reply;
use crate::mysql::wire::err::Err;
use crate::mysql::wire::ok::{self, Ok as OkPacket};
use crate::mysql::wire::reader::Put;
use crate::mysql::wire::{Capabilities, Reader, command, packet};
use crate::pipeline::Verdict;
use crate::sql::Engine;

/// NULL in the place of a column's default value.
const NO_DEFAULT: u8 = 0xfb;

impl Session {
    /// `COM_FIELD_LIST`.
    pub(super) async fn field_list(&mut self) -> Step<()> {
        let whole = self.whole(MAX_SHORT).await?;
        if self.is_restricted() {
            return self.columns_seen(&whole).await;
        }
        if !self.open_for(&whole).await? {
            return Ok(());
        }
        self.pass(&whole).await?;
        self.relay(Kind::Rows, None).await.map(drop)
    }

    async fn columns_seen(&mut self, whole: &Whole) -> Step<()> {
        let mut reader = Reader::new(whole.payload(self.client.unread()).get(1..).unwrap_or_default());
        let table = String::from_utf8_lossy(reader.nul_or_rest()).into_owned();
        let pattern = reader.rest().to_vec();
        let text = format!("select * from {} limit 0", Engine::MySql.quote_identifier(&table));
        if !pattern.is_empty() && pattern != b"%" {
            let error = Err::new(1235, "42000", "columns by pattern are not listed; ask for all of them");
            return self.refuse(whole, &text, None, &error).await;
        }
        let (database, decision) = self.decide(&text).await?;
        let permit = match &decision.verdict {
            Verdict::Permit(permit) => permit,
            Verdict::Denial(denial) => {
                let error = reply::refusal(denial);
                return self.refuse(whole, &text, Some(&decision), &error).await;
            }
        };
        if let Err(unavailable) = self.record(&text, &decision, Some(permit.sql())) {
            self.take(whole);
            return self.fail(whole.reply, &unrecorded(&unavailable)).await;
        }
        if !self.open_for(whole).await? {
            return Ok(());
        }
        self.take(whole);
        let Some(server) = &self.server else { return Err(Ending::ServerGone) };
        // No attributes, one set, where the server expects them.
        let attributes = server.capabilities.has(Capabilities::QUERY_ATTRIBUTES);
        let head: &[u8] = if attributes { &[command::QUERY, 0, 1] } else { &[command::QUERY] };
        self.send_instead(&[head, permit.sql().as_bytes()].concat()).await?;
        let Some(server) = &mut self.server else { return Err(Ending::ServerGone) };
        let swallowed = server.swallow(Kind::Results).await?;
        if let Some(error) = swallowed.error {
            return self.fail(whole.reply, &reply::clean(error)).await;
        }
        if let Some(column) = swallowed.columns.iter().find_map(|column| protected(&database, column)) {
            self.node.metrics.second_lock_hits.add_one();
            let message = format!("protected column `{column}` was about to be shown as it is");
            return self.fail(whole.reply, &Err::new(1143, "42000", message)).await;
        }
        self.send_columns(whole.reply, &swallowed.columns).await
    }

    async fn send_columns(&mut self, mut sequence: u8, columns: &[Vec<u8>]) -> Step<()> {
        let (status, capabilities) = (self.status(), self.client.capabilities);
        let mut out = Vec::new();
        for column in columns {
            sequence = packet::append(&mut out, sequence, &[column, &[NO_DEFAULT][..]].concat());
        }
        packet::append_with(&mut out, sequence, |out| {
            if capabilities.has(Capabilities::DEPRECATE_EOF) {
                OkPacket { mark: ok::EOF, status, ..OkPacket::default() }.write(out, capabilities);
            } else {
                out.push(ok::EOF);
                out.put_le16(0);
                out.put_le16(status);
            }
        });
        self.client.send(&out).await.map_err(client_gone)
    }
}
