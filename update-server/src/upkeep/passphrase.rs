//! Where a server gets the passphrase of encrypted key files: a file, for nobody sits at its terminal.

use std::path::PathBuf;
use std::sync::Arc;

use manifests::publish::passphrase::{LockedKey, Passphrase, PassphraseError, PassphraseSource};

/// The first line of a file.
struct FromFile(PathBuf);

/// What opens the keys: the file at `path`, read when a key needs it.
pub fn source(path: PathBuf) -> Arc<dyn PassphraseSource> {
    Arc::new(FromFile(path))
}

impl PassphraseSource for FromFile {
    fn passphrase(&self, _: &LockedKey, _: usize) -> Result<Option<Passphrase>, PassphraseError> {
        Passphrase::read(&self.0).map(Some)
    }
}
