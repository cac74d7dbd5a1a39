//! The frames around packets of clients that asked for compression.
//!
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_compression_packet.html>

/// Bytes of a frame's header.
pub const HEADER: usize = 7;
