//! What client and server agreed to use.
//!
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/group__group__cs__capabilities__flags.html>,
//! <https://mariadb.com/kb/en/connection/#capabilities>.

use std::ops::{BitAnd, BitOr};

/// The 32 capability flags that MySQL and MariaDB share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Capabilities(pub u32);

impl Capabilities {
    /// MariaDB clears this one: its own extensions are in use. On MySQL: the old password scheme.
    pub const LONG_PASSWORD: Self = Self(1);
    /// Affected rows are the rows found, not those changed.
    pub const FOUND_ROWS: Self = Self(1 << 1);
    /// Long column flags.
    pub const LONG_FLAG: Self = Self(1 << 2);
    /// A database in the login packet.
    pub const CONNECT_WITH_DB: Self = Self(1 << 3);
    /// zlib compression.
    pub const COMPRESS: Self = Self(1 << 5);
    /// ODBC client; means nothing to the server.
    pub const ODBC: Self = Self(1 << 6);
    /// LOAD DATA LOCAL.
    pub const LOCAL_FILES: Self = Self(1 << 7);
    /// Blanks before a function's parenthesis.
    pub const IGNORE_SPACE: Self = Self(1 << 8);
    /// The protocol since 4.1; nothing older is spoken here.
    pub const PROTOCOL_41: Self = Self(1 << 9);
    /// The client waits at a terminal.
    pub const INTERACTIVE: Self = Self(1 << 10);
    /// TLS.
    pub const SSL: Self = Self(1 << 11);
    /// Status flags in OK packets.
    pub const TRANSACTIONS: Self = Self(1 << 13);
    /// Scrambles of 20 bytes.
    pub const SECURE_CONNECTION: Self = Self(1 << 15);
    /// Several statements in one text.
    pub const MULTI_STATEMENTS: Self = Self(1 << 16);
    /// Several results of one text.
    pub const MULTI_RESULTS: Self = Self(1 << 17);
    /// Several results of one prepared statement.
    pub const PS_MULTI_RESULTS: Self = Self(1 << 18);
    /// Authentication plugins by name.
    pub const PLUGIN_AUTH: Self = Self(1 << 19);
    /// Attributes of the client in the login packet.
    pub const CONNECT_ATTRS: Self = Self(1 << 20);
    /// Authentication data with a length-encoded length.
    pub const PLUGIN_AUTH_LENENC: Self = Self(1 << 21);
    /// The client can change an expired password.
    pub const EXPIRED_PASSWORDS: Self = Self(1 << 22);
    /// State changes in OK packets.
    pub const SESSION_TRACK: Self = Self(1 << 23);
    /// OK packets in the place of EOF packets.
    pub const DEPRECATE_EOF: Self = Self(1 << 24);
    /// Results may come without column definitions (MySQL).
    pub const OPTIONAL_METADATA: Self = Self(1 << 25);
    /// zstd compression (MySQL).
    pub const ZSTD: Self = Self(1 << 26);
    /// Named values beside a statement (MySQL).
    pub const QUERY_ATTRIBUTES: Self = Self(1 << 27);

    /// What this proxy can speak with a client, apart from TLS and compression.
    pub const SPOKEN: Self = Self(
        Self::LONG_PASSWORD.0
            | Self::FOUND_ROWS.0
            | Self::LONG_FLAG.0
            | Self::CONNECT_WITH_DB.0
            | Self::ODBC.0
            | Self::LOCAL_FILES.0
            | Self::IGNORE_SPACE.0
            | Self::PROTOCOL_41.0
            | Self::INTERACTIVE.0
            | Self::TRANSACTIONS.0
            | Self::SECURE_CONNECTION.0
            | Self::MULTI_STATEMENTS.0
            | Self::MULTI_RESULTS.0
            | Self::PS_MULTI_RESULTS.0
            | Self::PLUGIN_AUTH.0
            | Self::CONNECT_ATTRS.0
            | Self::PLUGIN_AUTH_LENENC.0
            | Self::SESSION_TRACK.0
            | Self::DEPRECATE_EOF.0
            | Self::OPTIONAL_METADATA.0
            | Self::QUERY_ATTRIBUTES.0,
    );

    /// Flags that concern only how client and proxy log in and pack bytes; the proxy decides them for itself on each
    /// side.
    pub const OWN: Self = Self(
        Self::SSL.0
            | Self::COMPRESS.0
            | Self::ZSTD.0
            | Self::CONNECT_WITH_DB.0
            | Self::CONNECT_ATTRS.0
            | Self::PLUGIN_AUTH.0
            | Self::PLUGIN_AUTH_LENENC.0
            | Self::SECURE_CONNECTION.0
            | Self::EXPIRED_PASSWORDS.0,
    );

    /// Whether every flag of `other` is set.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Without the flags of `other`.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl BitOr for Capabilities {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for Capabilities {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

/// MariaDB's further flags, sent where MySQL has filler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Extensions(pub u32);

impl Extensions {
    /// `COM_STMT_BULK_EXECUTE`.
    pub const BULK_OPERATIONS: Self = Self(1 << 2);
    /// Type names and formats in column definitions.
    pub const EXTENDED_METADATA: Self = Self(1 << 3);
    /// Column definitions of a prepared statement are sent again only when they changed.
    pub const CACHE_METADATA: Self = Self(1 << 4);

    /// What this proxy can speak with a client.
    pub const SPOKEN: Self = Self(Self::BULK_OPERATIONS.0 | Self::EXTENDED_METADATA.0);

    /// Whether every flag of `other` is set.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitAnd for Extensions {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

/// Status flags of OK and EOF packets.
///
/// <https://dev.mysql.com/doc/dev/mysql-server/latest/mysql__com_8h.html> (`SERVER_STATUS_flags_enum`)
pub mod status {
    /// A transaction is open.
    pub const IN_TRANSACTION: u16 = 1;
    /// Autocommit is on.
    pub const AUTOCOMMIT: u16 = 2;
    /// Another result follows.
    pub const MORE_RESULTS: u16 = 8;
    /// The statement opened a cursor; its rows are fetched.
    pub const CURSOR_EXISTS: u16 = 0x40;
    /// Backslashes in strings are backslashes.
    pub const NO_BACKSLASH_ESCAPES: u16 = 0x200;
    /// The OK packet bears state changes.
    pub const STATE_CHANGED: u16 = 0x4000;
}
