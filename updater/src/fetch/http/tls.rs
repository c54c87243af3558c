//! Why a server's certificate or connection is not safe, in words that lead to a cure (attack C4). Nothing here decides: rustls and the system's own verifier do, and there is no way round them.

use std::error::Error;
use std::io;

use rustls::{AlertDescription, CertificateError, Error as TlsError};

/// Why no safe connection came about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsFault {
    /// The certificate is outside its time.
    #[error("the server's certificate has expired or is not valid yet (is this computer's clock right?)")]
    Expired,
    /// The certificate is another server's.
    #[error("the server's certificate is not made out to that name")]
    OtherName,
    /// Nobody known vouches for it.
    #[error(
        "nobody whom this computer trusts vouches for the server's certificate. Where a company has an authority of its own, give its certificate with `--ca-file FILE`"
    )]
    UnknownIssuer,
    /// The server speaks only what is no longer safe.
    #[error("the server offers no protocol or cipher that is safe (TLS 1.2 or later is needed)")]
    OldProtocol,
    /// Anything else.
    #[error("no safe connection came about: {0}")]
    Other(String),
}

impl TlsFault {
    /// What went wrong with TLS, when that is what went wrong.
    pub(super) fn among(error: &(dyn Error + 'static)) -> Option<TlsFault> {
        if let Some(tls) = error.downcast_ref::<TlsError>() {
            return Some(of(tls));
        }
        // An I/O error hides what it was made of from `source`.
        let within = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        let inner = within.and_then(|inner| TlsFault::among(inner));
        inner.or_else(|| error.source().and_then(TlsFault::among))
    }
}

fn of(error: &TlsError) -> TlsFault {
    use CertificateError as C;
    match error {
        TlsError::InvalidCertificate(reason) => match reason {
            C::Expired | C::ExpiredContext { .. } | C::NotValidYet | C::NotValidYetContext { .. } => TlsFault::Expired,
            C::NotValidForName | C::NotValidForNameContext { .. } => TlsFault::OtherName,
            // The last three: somebody took the name of an authority and has not its key.
            C::UnknownIssuer
            | C::BadSignature
            | C::UnsupportedSignatureAlgorithmContext { .. }
            | C::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => TlsFault::UnknownIssuer,
            // Certificates that sign themselves are refused for being an authority, too.
            C::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => TlsFault::UnknownIssuer,
            _ => TlsFault::Other(error.to_string()),
        },
        TlsError::PeerIncompatible(_)
        | TlsError::AlertReceived(
            AlertDescription::ProtocolVersion | AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity,
        ) => TlsFault::OldProtocol,
        _ => TlsFault::Other(error.to_string()),
    }
}
