//! A client that sends exactly the bytes it is told to, and reads one answer at a time.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A connection to the server.
pub(crate) struct Client {
    pub(crate) socket: TcpStream,
    unread: Vec<u8>,
}

/// One answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The value of a header field; names are lower case.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The stable code of a problem, after checking that the answer is one.
    pub(crate) fn code(&self) -> String {
        assert_eq!(self.field("content-type"), Some("application/problem+json"));
        let problem: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(problem["status"], self.status);
        problem["code"].as_str().unwrap().to_owned()
    }
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Client {
        Client::over(TcpStream::connect(address).await.unwrap())
    }

    pub(crate) fn over(socket: TcpStream) -> Client {
        Client { socket, unread: Vec::new() }
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.socket.write_all(bytes).await.unwrap();
    }

    /// Sends as much as the server takes before it closes the connection.
    pub(crate) async fn send_if_open(&mut self, bytes: &[u8]) {
        // That it closes is what the test is about.
        let _ = self.socket.write_all(bytes).await;
    }

    /// The status of an answer, if one comes.
    pub(crate) async fn answer_if_any(&mut self) -> Option<u16> {
        let received = String::from_utf8_lossy(&self.closed().await).into_owned();
        received.split(' ').nth(1).map(|status| status.parse().unwrap())
    }

    /// Asks for `path` and reads the answer.
    pub(crate) async fn request(&mut self, method: &str, path: &str, fields: &str) -> Answer {
        self.send(format!("{method} {path} HTTP/1.1\r\nHost: test\r\n{fields}\r\n").as_bytes()).await;
        self.answer(method == "HEAD").await.unwrap()
    }

    /// Reads one answer; `None` when the server closed the connection instead.
    pub(crate) async fn answer(&mut self, head_only: bool) -> Option<Answer> {
        let end = loop {
            if let Some(at) = self.unread.windows(4).position(|four| four == b"\r\n\r\n") {
                break at;
            }
            if !self.more().await {
                assert!(self.unread.is_empty(), "half an answer: {:?}", String::from_utf8_lossy(&self.unread));
                return None;
            }
        };
        let head = String::from_utf8(self.unread.drain(..end + 4).collect()).unwrap();
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let fields = lines.map(|line| line.split_once(": ").unwrap());
        let fields: Vec<_> = fields.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        let mut answer = Answer { status, fields, body: Vec::new() };
        assert_eq!(answer.field("transfer-encoding"), None, "every length is known");
        if !head_only && status != 304 {
            let length: usize = answer.field("content-length").expect("a length").parse().unwrap();
            while self.unread.len() < length {
                assert!(self.more().await, "the body ended after {} of {length} bytes", self.unread.len());
            }
            answer.body = self.unread.drain(..length).collect();
        }
        Some(answer)
    }

    /// Waits until the server closes the connection; returns what it still sent.
    pub(crate) async fn closed(&mut self) -> Vec<u8> {
        while self.more().await {}
        std::mem::take(&mut self.unread)
    }

    async fn more(&mut self) -> bool {
        let mut buffer = vec![0; 64 << 10];
        match self.socket.read(&mut buffer).await {
            Ok(0) | Err(_) => false,
            Ok(count) => {
                self.unread.extend_from_slice(&buffer[..count]);
                true
            }
        }
    }
}
