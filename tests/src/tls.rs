//! Certificates of every kind, and a server for HTTPS before one for HTTP: what a shop's network may put between a station and its server.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// An authority that no computer knows of its own.
pub struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate with its private key.
pub struct Identity {
    certificate: Certificate,
    key: KeyPair,
}

impl Authority {
    /// A new one.
    pub fn new() -> Authority {
        let mut parameters = parameters("A company's own authority", &[]);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().expect("a key");
        let certificate = parameters.self_signed(&key).expect("signed");
        Authority { certificate, issuer: Issuer::new(parameters, key) }
    }

    /// A certificate for the server `name`.
    pub fn vouches_for(&self, name: &str) -> Identity {
        self.sign(parameters(name, &[name]))
    }

    /// One that expired long ago.
    pub fn vouched_for(&self, name: &str) -> Identity {
        let mut parameters = parameters(name, &[name]);
        parameters.not_before = date_time_ymd(2010, 1, 1);
        parameters.not_after = date_time_ymd(2011, 1, 1);
        self.sign(parameters)
    }

    /// Writes its own certificate to `path` as PEM.
    pub fn write(&self, path: &Path) -> PathBuf {
        fs::write(path, self.certificate.pem()).expect("certificate written");
        path.to_owned()
    }

    fn sign(&self, parameters: CertificateParams) -> Identity {
        let key = KeyPair::generate().expect("a key");
        Identity { certificate: parameters.signed_by(&key, &self.issuer).expect("signed"), key }
    }
}

impl Default for Authority {
    fn default() -> Authority {
        Authority::new()
    }
}

impl Identity {
    /// A certificate for `name` that vouches for itself.
    pub fn self_signed(name: &str) -> Identity {
        let key = KeyPair::generate().expect("a key");
        Identity { certificate: parameters(name, &[name]).self_signed(&key).expect("signed"), key }
    }

    /// Writes certificate and key to `path` as PEM.
    pub fn write(&self, path: &Path) -> PathBuf {
        fs::write(path, format!("{}{}", self.certificate.pem(), self.key.serialize_pem())).expect("identity written");
        path.to_owned()
    }
}

fn parameters(common_name: &str, names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut parameters = CertificateParams::new(names).expect("names");
    parameters.distinguished_name.push(rcgen::DnType::CommonName, common_name);
    parameters.not_before = date_time_ymd(2020, 1, 1);
    parameters.not_after = date_time_ymd(2099, 1, 1);
    parameters
}

/// A running server for HTTPS, one request per connection, which it passes on to `upstream` over plain HTTP.
pub struct Front {
    address: SocketAddr,
}

impl Front {
    /// Shows `identity` to whoever connects.
    pub fn before(upstream: SocketAddr, identity: &Identity) -> Front {
        let certificate = CertificateDer::from(identity.certificate.der().to_vec());
        let key = PrivateKeyDer::try_from(identity.key.serialize_der()).expect("a key");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("protocols")
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .expect("an identity");
        let (config, listener) = (Arc::new(config), TcpListener::bind("127.0.0.1:0").expect("a free port on loopback"));
        let address = listener.local_addr().expect("a bound address");
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let config = Arc::clone(&config);
                // A client that does not like the certificate hangs up.
                thread::spawn(move || pass_on(client, config, upstream));
            }
        });
        Front { address }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `link` over HTTPS to `name` at this server.
    pub fn through(&self, link: &str, name: &str) -> String {
        let (_, rest) = link.split_once("://").expect("a link has a scheme");
        let path = rest.find('/').map_or("", |at| &rest[at..]);
        format!("https://{name}:{}{path}", self.address.port())
    }
}

fn pass_on(client: TcpStream, config: Arc<ServerConfig>, upstream: SocketAddr) -> io::Result<()> {
    let connection = ServerConnection::new(config).map_err(io::Error::other)?;
    let mut client = StreamOwned::new(connection, client);
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let mut server = TcpStream::connect(upstream)?;
    // The answer ends with the connection, on both sides.
    head.truncate(head.len() - 2);
    server.write_all(&head)?;
    server.write_all(b"connection: close\r\n\r\n")?;
    io::copy(&mut server, &mut client)?;
    client.conn.send_close_notify();
    client.flush()
}
