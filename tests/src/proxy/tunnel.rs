//! A company's proxy for HTTPS: it opens a tunnel (`CONNECT`) to one server, whatever name it is asked for, and writes down the names.

use std::io::{self, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::wire::RequestHead;

/// A running proxy for tunnels; it goes on until the test ends.
pub struct Tunnel {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Tunnel {
    /// A proxy whose tunnels all end at `server`.
    pub fn to(server: SocketAddr) -> Tunnel {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port on loopback");
        let address = listener.local_addr().expect("a bound address");
        let asked = Arc::new(Mutex::default());
        let noted = Arc::clone(&asked);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let noted = Arc::clone(&noted);
                // A tunnel that breaks is an everyday event.
                thread::spawn(move || dig(client, server, &noted));
            }
        });
        Tunnel { address, asked }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The names, with ports, that tunnels were asked for.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn dig(mut client: TcpStream, server: SocketAddr, asked: &Mutex<Vec<String>>) -> io::Result<()> {
    let Some(request) = RequestHead::read(&mut client)? else { return Ok(()) };
    if request.method != "CONNECT" {
        return client.write_all(b"HTTP/1.1 405 Only tunnels\r\ncontent-length: 0\r\n\r\n");
    }
    asked.lock().unwrap_or_else(PoisonError::into_inner).push(request.path);
    let mut server = TcpStream::connect(server)?;
    client.write_all(b"HTTP/1.1 200 Here you are\r\n\r\n")?;
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || {
        let _ = io::copy(&mut from_client, &mut to_server);
        let _ = to_server.shutdown(Shutdown::Write);
    });
    io::copy(&mut server, &mut client)?;
    client.shutdown(Shutdown::Both)
}
