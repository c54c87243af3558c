//! What a run brings along for the network: authorities of its own, and the limits on time.

use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::HttpLimits;

/// How the network is used.
#[derive(Debug, Clone, Default)]
pub struct Network {
    /// The limits on time.
    pub limits: HttpLimits,
    /// Certificates of authorities that are believed beside those of the system.
    pub(super) authorities: Vec<CertificateDer<'static>>,
}

/// A file of certificates cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` is not a file of certificates (PEM): {reason}")]
pub struct InvalidAuthority {
    /// The file.
    pub path: PathBuf,
    /// What is wrong.
    pub reason: String,
}

impl Network {
    /// Believes the authorities in `pem`, the content of the file `path`, beside those of the system.
    pub fn believe(&mut self, path: &Path, pem: &[u8]) -> Result<(), InvalidAuthority> {
        let invalid = |reason: String| InvalidAuthority { path: path.to_owned(), reason };
        let certificates =
            CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>().map_err(|error| invalid(error.to_string()))?;
        if certificates.is_empty() {
            return Err(invalid("there is no certificate in it".into()));
        }
        for certificate in &certificates {
            // Tried now: later nobody could say which file it was.
            RootCertStore::empty().add(certificate.clone()).map_err(|error| invalid(error.to_string()))?;
        }
        self.authorities.extend(certificates);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c4_a_file_without_a_certificate_is_refused_by_name() {
        for pem in ["", "hello", "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\n!\n"] {
            let refused = Network::default().believe(Path::new("our-ca.pem"), pem.as_bytes()).unwrap_err();
            assert!(refused.to_string().contains("`our-ca.pem`"), "{refused}");
        }
    }
}
