//! A relay between proxy and server that misbehaves as told.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

/// What the relay does to each connection.
#[derive(Clone, Copy)]
pub enum Trouble {
    /// It says no to the request for TLS, as somebody on the way or a server without a certificate would.
    NoTls,
    /// It closes both sides when so many bytes came from the server.
    CutAfter(usize),
}

/// Starts a relay to a port of this machine and gives its own port. It ends with the test process.
pub fn relay(to: u16, trouble: Trouble) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for client in listener.incoming() {
            let server = TcpStream::connect(("127.0.0.1", to)).unwrap();
            thread::spawn(move || serve(client.unwrap(), server, trouble));
        }
    });
    port
}

fn serve(mut client: TcpStream, server: TcpStream, trouble: Trouble) {
    let left = match trouble {
        Trouble::NoTls => {
            let mut request = [0; 8];
            if client.read_exact(&mut request).is_err() {
                return;
            }
            if request[4..] == 80_877_103_u32.to_be_bytes() {
                let _ = client.write_all(b"N");
            } else {
                let _ = (&server).write_all(&request);
            }
            usize::MAX
        }
        Trouble::CutAfter(bytes) => bytes,
    };
    let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    thread::spawn(move || copy(from, to, usize::MAX));
    copy(server, client, left);
}

fn copy(mut from: TcpStream, mut to: TcpStream, mut left: usize) {
    let mut buffer = vec![0; 16 << 10];
    while left > 0 {
        let wanted = left.min(buffer.len());
        let read = match from.read(&mut buffer[..wanted]) {
            Ok(0) | Err(_) => break,
            Ok(read) => read,
        };
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
        left -= read;
    }
    for side in [from, to] {
        let _ = side.shutdown(Shutdown::Both);
    }
}
