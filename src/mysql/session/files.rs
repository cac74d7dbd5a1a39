//! LOAD DATA LOCAL: the server asks for a file of the client, who sends it in packets, an empty one at its end.
//!
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_local_infile_request.html>

use super::{Session, Step};
use crate::audit::Ending;

impl Session {
    /// Passes the client's file on to the server. The request has been passed to the client. Restricted roles never
    /// get here: their connections lack the capability, so a server that asks all the same is not to be trusted.
    pub(super) async fn local_file(&mut self) -> Step<()> {
        if self.is_restricted() {
            return Err(Ending::Closed("the server asked for a file of the client"));
        }
        let mut goes_on = false;
        loop {
            let header = self.pass_packet().await?;
            if header.len == 0 && !goes_on {
                return Ok(());
            }
            goes_on = header.is_continued();
        }
    }
}
