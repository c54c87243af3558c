//! The folder of install documents: one immutable `CODE.json` for each install link (`docs/format.md` section 8).
//!
//! Whoever holds a link holds the digest of its document, so a document is written once. Writing the same bytes again is fine; other bytes under a
//! code that was given out are refused, because every link to it would break.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use manifests::digest::Digest;
use manifests::install_link::{InstallDocument, InstallLink};
use manifests::name::Code;
use url::{Host, Url};

/// Why there is no link.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The code leads to another document already.
    #[error("write the install document: the code `{code}` already leads to another one in `{path}` (choose another --code)")]
    Taken {
        /// The code.
        code: Code,
        /// The file.
        path: PathBuf,
    },
    /// The folder or the file could not be written.
    #[error("write the install document `{path}`: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The address cannot be the beginning of a link.
    #[error("`{0}` cannot begin a link: give an http or https address without query or fragment, such as `https://updates.example/`")]
    BaseUrl(String),
    /// The document cannot be written down.
    #[error(transparent)]
    Document(#[from] manifests::canonical::CanonicalError),
}

/// The address that links begin with: http or https, without query or fragment, in its normal form and ending in `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl(String);

impl FromStr for BaseUrl {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<BaseUrl, LinkError> {
        let refused = || LinkError::BaseUrl(text.to_owned());
        let url = Url::parse(text).map_err(|_| refused())?;
        let plain = ["http", "https"].contains(&url.scheme()) && url.has_host() && url.query().is_none() && url.fragment().is_none();
        let url = if plain { url.to_string() } else { return Err(refused()) };
        Ok(BaseUrl(if url.ends_with('/') { url } else { url + "/" }))
    }
}

impl BaseUrl {
    /// Whether it leads whoever follows it to his own machine: a loopback address, one that only a listener can have, or `localhost`.
    pub fn is_of_this_machine(&self) -> bool {
        match Url::parse(&self.0).ok().and_then(|url| url.host().map(|host| host.to_owned())) {
            Some(Host::Ipv4(address)) => address.is_loopback() || address.is_unspecified(),
            Some(Host::Ipv6(address)) => address.is_loopback() || address.is_unspecified(),
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            None => false,
        }
    }
}

impl std::fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Writes `document` into `folder` and returns the link to it below `base`. Without a `code`, the code is the beginning of the
/// document's digest, so that the same question has the same answer.
pub fn publish(folder: &Path, document: &InstallDocument, code: Option<Code>, base: &BaseUrl) -> Result<InstallLink, LinkError> {
    let bytes = document.to_bytes()?;
    let digest = Digest::of(&bytes);
    let code = match code {
        Some(code) => code,
        // Twelve hex characters are always a code.
        None => digest.to_hex()[..12].parse().map_err(|_| LinkError::BaseUrl(base.0.clone()))?,
    };
    write(folder, &code, &bytes)?;
    Ok(InstallLink { url: format!("{}i/{code}", base.0), digest: Some(digest) })
}

fn write(folder: &Path, code: &Code, bytes: &[u8]) -> Result<(), LinkError> {
    let path = folder.join(format!("{code}.json"));
    let failed = |source| LinkError::Write { path: path.clone(), source };
    std::fs::create_dir_all(folder).map_err(failed)?;
    let mut beside = tempfile::Builder::new().prefix(".new-").tempfile_in(folder).map_err(failed)?;
    beside.write_all(bytes).and_then(|()| beside.as_file().sync_all()).map_err(failed)?;
    readable(beside.path()).map_err(failed)?;
    match beside.persist_noclobber(&path) {
        Ok(_) => sync_folder(folder).map_err(failed),
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => match std::fs::read(&path).map_err(failed)? == bytes {
            true => Ok(()),
            false => Err(LinkError::Taken { code: code.clone(), path: path.clone() }),
        },
        Err(error) => Err(failed(error.error)),
    }
}

/// Temporary files are private; install documents are for everybody, and the server may run as another user.
#[cfg(unix)]
fn readable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable(_path: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    std::fs::File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use manifests::install_link::{ContentPin, RootPin};

    fn document(version: u64) -> InstallDocument {
        let root = RootPin { version, sha256: Digest::of(b"root"), length: 4 };
        let content = ContentPin { name: "acme".parse().unwrap(), url: "../repo/acme/".into(), root };
        InstallDocument::new("smartclient".parse().unwrap(), "stable".parse().unwrap(), content)
    }

    #[test]
    fn a_base_that_leads_everybody_to_himself_is_known() {
        let is_own = |text: &str| text.parse::<BaseUrl>().unwrap().is_of_this_machine();
        for own in [
            "http://127.0.0.1:8080/",
            "http://127.3.2.1/",
            "http://0.0.0.0:8080/",
            "http://[::1]/",
            "http://[::]:1/",
            "https://LocalHost/x",
        ] {
            assert!(is_own(own), "{own}");
        }
        for other in ["http://10.0.0.1/", "https://updates.example/", "http://[fd00::1]/", "http://localhost.example/"] {
            assert!(!is_own(other), "{other}");
        }
    }

    #[test]
    fn the_link_leads_to_the_document_it_was_made_for() {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path().join("install");
        for base in ["https://updates.example", "https://updates.example/"] {
            let link = publish(&folder, &document(1), Some("shop1".parse().unwrap()), &base.parse().unwrap()).unwrap();
            assert_eq!(link.url, "https://updates.example/i/shop1");
            let bytes = std::fs::read(folder.join("shop1.json")).unwrap();
            assert_eq!(InstallDocument::parse(&bytes, &link, 1 << 20).unwrap(), document(1));
        }
        let link = publish(&folder, &document(1), None, &"http://10.0.0.1:8080/updates".parse().unwrap()).unwrap();
        let again = publish(&folder, &document(1), None, &"http://10.0.0.1:8080/updates".parse().unwrap()).unwrap();
        assert!(link == again && link.url.starts_with("http://10.0.0.1:8080/updates/i/"));
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2);
    }

    #[test]
    fn a_code_that_was_given_out_keeps_its_document() {
        let temp = tempfile::tempdir().unwrap();
        let code = || Some("shop1".parse::<Code>().unwrap());
        let base: BaseUrl = "https://h/".parse().unwrap();
        publish(temp.path(), &document(1), code(), &base).unwrap();
        let before = std::fs::read(temp.path().join("shop1.json")).unwrap();
        assert!(matches!(publish(temp.path(), &document(2), code(), &base), Err(LinkError::Taken { .. })));
        assert_eq!(std::fs::read(temp.path().join("shop1.json")).unwrap(), before);
        assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 1);
    }

    #[test]
    fn addresses_that_cannot_begin_a_link_are_refused() {
        for base in ["", "updates.example", "ftp://h/", "file:///srv", "https://h/?x", "https://h/#x"] {
            assert!(matches!(base.parse::<BaseUrl>(), Err(LinkError::BaseUrl(_))), "{base}");
        }
    }
}
