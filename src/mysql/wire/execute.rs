//! The fixed beginning of commands on prepared statements.
//!
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_execute.html>,
//! <https://mariadb.com/kb/en/com_stmt_bulk_execute/>

use super::Reader;

/// Where the statement's number stands, behind the command byte.
pub const ID_AT: usize = 1;

/// MariaDB: the statement prepared last.
pub const LAST_PREPARED: u32 = u32::MAX;

/// The statement that a payload names.
pub fn statement(payload: &[u8]) -> Option<u32> {
    payload.get(ID_AT..).and_then(|rest| rest.first_chunk()).map(|id| u32::from_le_bytes(*id))
}

/// Whether `COM_STMT_EXECUTE` asks for a cursor.
pub fn wants_cursor(payload: &[u8]) -> bool {
    payload.get(5).is_some_and(|flags| flags & 0x07 != 0)
}

/// Whether `COM_STMT_EXECUTE` of a statement with so many parameters says what types they have, so that it does not
/// depend on an earlier execution. `attributes` is whether query attributes are in use, which count as parameters. `None`
/// where the packet is too short to say.
pub fn binds_types(payload: &[u8], parameters: u16, attributes: bool) -> Option<bool> {
    if parameters == 0 {
        return Some(true);
    }
    // Command, number, flags, iterations; then a bit for each parameter that is NULL.
    let mut rest = Reader::new(payload.get(10..)?);
    let mut count = u64::from(parameters);
    if attributes && payload.get(FLAGS_AT)? & PARAMETER_COUNT != 0 {
        count = rest.lenenc().ok()?;
    }
    let bits = usize::try_from(count).ok()?.div_ceil(8);
    rest.rest().get(bits).map(|bound| *bound == 1)
}

/// Where the flags stand.
pub const FLAGS_AT: usize = ID_AT + 4;
/// The flag that says that the number of parameters follows.
pub const PARAMETER_COUNT: u8 = 8;
