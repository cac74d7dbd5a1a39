//! `sekisho health`.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Args;

use super::global::Global;

/// Ask the running proxy whether it is alive
///
/// For health checks of containers: asks the admin port of the configuration. Exit status: 0 yes, 1 no.
#[derive(Debug, Args)]
pub(super) struct Health {
    /// Ask whether it can serve statements: the audit log can be written and every catalog was read
    #[arg(long)]
    ready: bool,
}

const PATIENCE: Duration = Duration::from_secs(2);

impl Health {
    /// Runs the command.
    pub(super) fn run(&self, global: &Global) -> anyhow::Result<ExitCode> {
        let address = global.setting("listen", "admin")?;
        let address = address.with_context(|| format!("`{}` has no listen.admin", global.config.display()))?;
        let address: SocketAddr = address.parse().with_context(|| format!("`{address}` is no address"))?;
        match ask(reachable(address), if self.ready { "/readyz" } else { "/healthz" }) {
            Ok((is_good, text)) => {
                print!("{text}");
                Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::from(1) })
            }
            Err(error) => {
                println!("no answer from {address}: {error}");
                Ok(ExitCode::from(1))
            }
        }
    }
}

/// Where a listener on every address is reached from this machine.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn ask(address: SocketAddr, path: &str) -> std::io::Result<(bool, String)> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes())?;
    let mut answer = String::new();
    stream.take(64 << 10).read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    Ok((head.split(' ').nth(1) == Some("200"), body.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn the_answer_s_status_decides() {
        for (status, is_good) in [("200 OK", true), ("503 Service Unavailable", false)] {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let server = std::thread::spawn(move || {
                let mut stream = listener.accept().unwrap().0;
                let mut request = [0; 9];
                stream.read_exact(&mut request).unwrap();
                write!(stream, "HTTP/1.0 {status}\r\n\r\nwords\n").unwrap();
                // The rest of the request is read, so that the answer is not lost to a reset.
                let _ = stream.set_read_timeout(Some(Duration::from_millis(100)));
                let _ = stream.shutdown(std::net::Shutdown::Write);
                let _ = stream.read_to_end(&mut Vec::new());
            });
            assert_eq!(ask(address, "/healthz").unwrap(), (is_good, "words\n".to_owned()));
            server.join().unwrap();
        }
        assert_eq!(reachable("0.0.0.0:6480".parse().unwrap()), "127.0.0.1:6480".parse().unwrap());
    }
}
