//! The first byte of what a client sends.
//!
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_command_phase.html>

/// What a client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// `COM_QUIT`.
    Quit,
    /// `COM_INIT_DB`.
    InitDb,
    /// `COM_QUERY`.
    Query,
    /// `COM_FIELD_LIST`.
    FieldList,
    /// `COM_STATISTICS`.
    Statistics,
    /// `COM_PROCESS_KILL`.
    ProcessKill,
    /// `COM_PING`.
    Ping,
    /// `COM_CHANGE_USER`.
    ChangeUser,
    /// `COM_STMT_PREPARE`.
    Prepare,
    /// `COM_STMT_EXECUTE`.
    Execute,
    /// `COM_STMT_SEND_LONG_DATA`.
    LongData,
    /// `COM_STMT_CLOSE`.
    Close,
    /// `COM_STMT_RESET`.
    Reset,
    /// `COM_SET_OPTION`.
    SetOption,
    /// `COM_STMT_FETCH`.
    Fetch,
    /// `COM_RESET_CONNECTION`.
    ResetConnection,
    /// MariaDB's `COM_STMT_BULK_EXECUTE`.
    BulkExecute,
    /// Everything that the proxy does not pass: replication, shut-down, debugging, clone, and what does not exist.
    Refused(u8),
}

impl Command {
    /// The command of a byte.
    pub fn from_byte(byte: u8) -> Self {
        match byte {
            0x01 => Self::Quit,
            0x02 => Self::InitDb,
            0x03 => Self::Query,
            0x04 => Self::FieldList,
            0x09 => Self::Statistics,
            0x0c => Self::ProcessKill,
            0x0e => Self::Ping,
            0x11 => Self::ChangeUser,
            0x16 => Self::Prepare,
            0x17 => Self::Execute,
            0x18 => Self::LongData,
            0x19 => Self::Close,
            0x1a => Self::Reset,
            0x1b => Self::SetOption,
            0x1c => Self::Fetch,
            0x1f => Self::ResetConnection,
            0xfa => Self::BulkExecute,
            other => Self::Refused(other),
        }
    }

    /// The name in the manual of a command that is not passed.
    pub fn refused_name(byte: u8) -> &'static str {
        match byte {
            0x05 => "COM_CREATE_DB",
            0x06 => "COM_DROP_DB",
            0x07 => "COM_REFRESH",
            0x08 => "COM_SHUTDOWN",
            0x0a => "COM_PROCESS_INFO",
            0x0d => "COM_DEBUG",
            0x12 => "COM_BINLOG_DUMP",
            0x13 => "COM_TABLE_DUMP",
            0x14 => "COM_CONNECT_OUT",
            0x15 => "COM_REGISTER_SLAVE",
            0x1d => "COM_DAEMON",
            0x1e => "COM_BINLOG_DUMP_GTID",
            0x20 => "COM_CLONE",
            0xfe => "COM_MULTI",
            _ => "an unknown command",
        }
    }
}

/// `COM_QUIT`
pub const QUIT: u8 = 0x01;
/// `COM_INIT_DB`
pub const INIT_DB: u8 = 0x02;
/// `COM_QUERY`
pub const QUERY: u8 = 0x03;
/// `COM_STMT_PREPARE`
pub const STMT_PREPARE: u8 = 0x16;
/// `COM_STMT_EXECUTE`
pub const STMT_EXECUTE: u8 = 0x17;
/// `COM_STMT_CLOSE`
pub const STMT_CLOSE: u8 = 0x19;
/// `COM_STMT_RESET`
pub const STMT_RESET: u8 = 0x1a;
