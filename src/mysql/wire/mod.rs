//! The bytes of MySQL's client/server protocol: one file a packet, without I/O.
//!
//! In: bytes of a socket. Out: values borrowed from them, and bytes again. Packets that need not be read are never
//! decoded: [`packet`] gives their bounds and the rest is forwarded as it came. Never knows: sessions, rules, sockets.
//!
//! Manual: <https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html>,
//! <https://mariadb.com/kb/en/clientserver-protocol/>.

pub mod attributes;
pub mod capability;
pub mod change_user;
pub mod column;
pub mod command;
pub mod compressed;
pub mod err;
pub mod execute;
pub mod greeting;
pub mod login;
pub mod ok;
pub mod packet;
pub mod prepared;
pub mod reader;

pub use capability::{Capabilities, Extensions};
pub use packet::{HEADER, Header, MAX_PAYLOAD};
pub use reader::{Malformed, Reader};
