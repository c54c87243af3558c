//! A repository in a folder: a stick, a share, the exchange folder of a remote session. What it holds is laid out as it is served (`docs/format.md` section 2) and verified like anything else.
//!
//! The folder is held by a handle, and nothing below it is reached through a link (attack C13): a stick cannot lead the updater to files of this computer. Files are read in place, in order; whoever
//! takes the medium away gets an error that says so.

use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;

use super::source::{FetchError, Fetched, Source};
use crate::fs::{Folder, FsError, LocalPath};

/// Bytes of a stretch that are handed on at a time.
const PIECE_BYTES: u64 = 256 * 1024;

/// A repository in a folder.
#[derive(Debug, Clone)]
pub struct FolderSource {
    folder: Arc<Folder>,
}

impl FolderSource {
    /// The copy of a repository at `path`: the folder that holds `metadata`, `targets` and `objects`.
    pub fn open(path: &Path) -> Result<FolderSource, FsError> {
        Ok(FolderSource { folder: Arc::new(Folder::open(path)?) })
    }

    /// The folder, as messages name it.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    fn shown(&self, path: &str) -> String {
        self.folder.path().join(path).display().to_string()
    }

    fn open_file(&self, path: &str) -> Result<(std::fs::File, u64), FetchError> {
        let local = LocalPath::from_bytes(path.as_bytes().to_vec()).map_err(|error| self.unreadable(path, &error))?;
        match self.folder.open_file(&local) {
            Ok(file) => {
                let length = file.metadata().map_err(|error| self.unreadable(path, &error))?.len();
                Ok((file, length))
            }
            // A folder that lacks its `metadata` is no copy of a repository; that is said by the first file that is missing.
            Err(error) if error.kind() == ErrorKind::NotFound => Err(FetchError::NotFound { url: self.shown(path) }),
            Err(error) => Err(self.unreadable(path, &error)),
        }
    }

    fn unreadable(&self, path: &str, reason: &dyn std::fmt::Display) -> FetchError {
        FetchError::Unreadable { path: self.shown(path), reason: reason.to_string() }
    }

    fn read_piece(&self, file: &mut std::fs::File, path: &str, wanted: u64) -> Result<Bytes, FetchError> {
        let mut piece = Vec::new();
        // A stretch is read on the runtime's own thread: nothing else in this process waits for anything but these bytes.
        file.take(wanted.min(PIECE_BYTES)).read_to_end(&mut piece).map_err(|error| self.unreadable(path, &error))?;
        Ok(piece.into())
    }
}

impl Source for FolderSource {
    async fn get(&self, path: &str, limit: u64) -> Result<Vec<u8>, FetchError> {
        let (file, length) = self.open_file(path)?;
        let too_long = || FetchError::TooLong { url: self.shown(path), limit };
        if length > limit {
            return Err(too_long());
        }
        let mut bytes = Vec::new();
        // The length may have been said of another file by now.
        file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| self.unreadable(path, &error))?;
        if bytes.len() as u64 > limit { Err(too_long()) } else { Ok(bytes) }
    }

    /// A folder has no entity tags; its file is read.
    async fn get_if_changed(&self, path: &str, _: Option<&str>, limit: u64) -> Result<Fetched, FetchError> {
        Ok(Fetched::New(self.get(path, limit).await?, None))
    }

    async fn get_range(
        &self,
        path: &str,
        range: Range<u64>,
        length: u64,
    ) -> Result<BoxStream<'static, Result<Bytes, FetchError>>, FetchError> {
        let (mut file, found) = self.open_file(path)?;
        if found != length {
            return Err(FetchError::Incomplete { path: self.shown(path), found, expected: length });
        }
        file.seek(SeekFrom::Start(range.start)).map_err(|error| self.unreadable(path, &error))?;
        let (source, path, expected) = (self.clone(), path.to_owned(), range.end.saturating_sub(range.start));
        let stretch = futures_util::stream::unfold(Some((file, 0)), move |state| {
            let piece = state.filter(|(_, received)| *received < expected).map(|(mut file, received)| {
                match source.read_piece(&mut file, &path, expected - received) {
                    Ok(piece) if piece.is_empty() => {
                        (Err(FetchError::Incomplete { path: source.shown(&path), found: received, expected }), None)
                    }
                    Ok(piece) => {
                        let received = received + piece.len() as u64;
                        (Ok(piece), Some((file, received)))
                    }
                    Err(error) => (Err(error), None),
                }
            });
            std::future::ready(piece)
        });
        Ok(stretch.boxed())
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests make the folder that is read")]
mod tests {
    use std::fs;

    use futures_util::TryStreamExt as _;

    use super::*;

    fn stick() -> (tempfile::TempDir, FolderSource) {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir_all(place.path().join("metadata")).unwrap();
        fs::write(place.path().join("metadata/1.root.json"), b"0123456789").unwrap();
        let source = FolderSource::open(place.path()).unwrap();
        (place, source)
    }

    #[tokio::test]
    async fn files_are_read_whole_and_by_range_within_their_limits() {
        let (_place, source) = stick();
        assert_eq!(source.get("metadata/1.root.json", 10).await.unwrap(), b"0123456789");
        assert!(matches!(source.get("metadata/1.root.json", 9).await, Err(FetchError::TooLong { limit: 9, .. })));
        assert!(matches!(source.get("metadata/2.root.json", 9).await, Err(FetchError::NotFound { .. })));
        assert!(matches!(source.get("nothing/2.root.json", 9).await, Err(FetchError::NotFound { .. })));
        let pieces: Vec<Bytes> = source.get_range("metadata/1.root.json", 2..5, 10).await.unwrap().try_collect().await.unwrap();
        assert_eq!(pieces.concat(), b"234");
    }

    #[tokio::test]
    async fn c13_a_truncated_object_is_said_before_it_is_used() {
        let (_place, source) = stick();
        assert!(matches!(
            source.get_range("metadata/1.root.json", 0..20, 20).await,
            Err(FetchError::Incomplete { found: 10, expected: 20, .. })
        ));
    }

    #[tokio::test]
    #[cfg(unix)]
    async fn c13_no_link_on_a_stick_is_followed() {
        let (place, source) = stick();
        let elsewhere = tempfile::tempdir().unwrap();
        fs::write(elsewhere.path().join("secret"), b"secret").unwrap();
        std::os::unix::fs::symlink(elsewhere.path().join("secret"), place.path().join("metadata/file")).unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), place.path().join("objects")).unwrap();
        for path in ["metadata/file", "objects/secret", "../secret", "/etc/hosts", "metadata"] {
            assert!(matches!(source.get(path, 100).await, Err(FetchError::Unreadable { .. })), "{path}");
        }
    }
}
