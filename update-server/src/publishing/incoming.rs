//! A submission on its way from the network into a file.
//!
//! The file lies in the repository's own folder, so that what is taken out of it can be moved into place, and under a name that is never served. It is
//! removed when dropped; what a server that died has left goes when the next one starts. Length and pace of the sender are bounded.

use std::future::poll_fn;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::Duration;

use axum::body::Body;
use hyper::body::Body as _;
use manifests::digest::{Digest, Hasher};
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, timeout_at};

use crate::config::Limits;

/// Where submissions lie while they arrive, in the repository's folder.
const FOLDER: &str = ".submissions";

/// Bounds on a submission.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Its longest length, in bytes.
    pub bytes: u64,
    /// Of each stretch of this time …
    pub stretch: Duration,
    /// … so many bytes must come.
    pub bytes_a_stretch: u64,
}

impl From<&Limits> for Bounds {
    fn from(limits: &Limits) -> Self {
        let seconds = limits.send_timeout.as_secs().max(1);
        Bounds {
            bytes: limits.max_publish_bytes,
            stretch: limits.send_timeout,
            bytes_a_stretch: limits.min_publish_bytes_per_second.saturating_mul(seconds).max(1),
        }
    }
}

/// A submission that has arrived whole.
#[derive(Debug)]
pub struct Submission {
    file: NamedTempFile,
    /// Its length in bytes.
    pub length: u64,
    /// Its digest, for the log.
    pub digest: Digest,
}

impl Submission {
    /// Where it lies.
    pub fn path(&self) -> &Path {
        self.file.path()
    }
}

/// Why a submission did not arrive.
#[derive(Debug, thiserror::Error)]
pub enum IncomingError {
    /// Longer than is read.
    #[error("the submission is longer than {0} bytes")]
    TooLong(u64),
    /// It came too slowly.
    #[error("fewer than {0} bytes of the submission came in time")]
    TooSlow(u64),
    /// The connection ended first.
    #[error("the submission did not arrive whole: {0}")]
    Cut(String),
    /// The file.
    #[error("keep a submission in `{}`: {source}", path.display())]
    Disk {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Removes what a server that died has left in the repository at `repository`.
pub fn sweep(repository: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(repository.join(FOLDER)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Reads `body` into a file of the repository at `repository`.
pub async fn receive(mut body: Body, repository: &Path, bounds: Bounds) -> Result<Submission, IncomingError> {
    if body.size_hint().lower() > bounds.bytes {
        return Err(IncomingError::TooLong(bounds.bytes));
    }
    let folder = repository.join(FOLDER);
    let failed = |source| IncomingError::Disk { path: folder.clone(), source };
    let file = create(&folder).map_err(failed)?;
    let mut writer = tokio::fs::File::from_std(file.reopen().map_err(failed)?);
    let (mut hasher, mut length) = (Hasher::new(), 0);
    let (mut stretch_ends, mut of_stretch) = (Instant::now() + bounds.stretch, 0);
    loop {
        let frame = match timeout_at(stretch_ends, poll_fn(|context| Pin::new(&mut body).poll_frame(context))).await {
            Ok(None) => break,
            Ok(Some(Err(error))) => return Err(IncomingError::Cut(error.to_string())),
            Ok(Some(Ok(frame))) => Some(frame),
            Err(_) if of_stretch < bounds.bytes_a_stretch => return Err(IncomingError::TooSlow(bounds.bytes_a_stretch)),
            Err(_) => None,
        };
        match frame.map(|frame| frame.into_data()) {
            None => (stretch_ends, of_stretch) = (Instant::now() + bounds.stretch, 0),
            // Trailers say nothing that is asked.
            Some(Err(_)) => {}
            Some(Ok(bytes)) => {
                length += bytes.len() as u64;
                of_stretch += bytes.len() as u64;
                if length > bounds.bytes {
                    return Err(IncomingError::TooLong(bounds.bytes));
                }
                hasher.update(&bytes);
                writer.write_all(&bytes).await.map_err(failed)?;
            }
        }
    }
    writer.flush().await.map_err(failed)?;
    Ok(Submission { file, length, digest: hasher.finish() })
}

fn create(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    // A link in its place would lead elsewhere.
    if !folder.symlink_metadata()?.is_dir() {
        return Err(io::Error::other("it is not a folder"));
    }
    tempfile::Builder::new().prefix("submission-").suffix(".zip").tempfile_in(folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use futures_util::stream;

    const BOUNDS: Bounds = Bounds { bytes: 100, stretch: Duration::from_secs(30), bytes_a_stretch: 10 };

    /// A body of pieces, each after a pause of so many seconds.
    fn body(pieces: Vec<(u64, usize)>) -> Body {
        Body::from_stream(stream::unfold(pieces.into_iter(), |mut pieces| async {
            let (pause, length) = pieces.next()?;
            tokio::time::sleep(Duration::from_secs(pause)).await;
            Some((Ok::<_, io::Error>(Bytes::from(vec![7; length])), pieces))
        }))
    }

    fn left(repository: &Path) -> usize {
        std::fs::read_dir(repository.join(FOLDER)).map_or(0, Iterator::count)
    }

    #[tokio::test(start_paused = true)]
    async fn a_submission_is_a_file_while_it_is_needed() {
        let temp = tempfile::tempdir().unwrap();
        let submission = receive(body(vec![(0, 60), (0, 40)]), temp.path(), BOUNDS).await.unwrap();
        assert_eq!((submission.length, submission.digest), (100, Digest::of(&[7; 100])));
        assert_eq!(std::fs::read(submission.path()).unwrap(), [7; 100]);
        assert_eq!(left(temp.path()), 1);
        drop(submission);
        assert_eq!(left(temp.path()), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_too_long_is_refused_whether_it_says_so_or_not_and_leaves_nothing() {
        let temp = tempfile::tempdir().unwrap();
        for body in [body(vec![(0, 60), (0, 41)]), Body::from(vec![7; 101])] {
            assert!(matches!(receive(body, temp.path(), BOUNDS).await, Err(IncomingError::TooLong(100))));
            assert_eq!(left(temp.path()), 0);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_drips_is_refused_and_one_that_keeps_the_pace_is_not() {
        let temp = tempfile::tempdir().unwrap();
        let began = Instant::now();
        let dripping = receive(body(vec![(4, 1); 100]), temp.path(), BOUNDS).await;
        assert!(matches!(dripping, Err(IncomingError::TooSlow(10))), "{dripping:?}");
        assert_eq!((began.elapsed().as_secs(), left(temp.path())), (30, 0));
        assert_eq!(receive(body(vec![(2, 1); 100]), temp.path(), BOUNDS).await.unwrap().length, 100);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_cut_leaves_nothing() {
        let temp = tempfile::tempdir().unwrap();
        let cut = stream::iter([Ok(Bytes::from_static(b"begin")), Err(io::Error::other("reset"))]);
        assert!(matches!(receive(Body::from_stream(cut), temp.path(), BOUNDS).await, Err(IncomingError::Cut(_))));
        assert_eq!(left(temp.path()), 0);
    }

    #[test]
    fn what_a_dead_server_left_is_swept_away() {
        let temp = tempfile::tempdir().unwrap();
        let file = create(&temp.path().join(FOLDER)).unwrap();
        let kept = file.into_temp_path().keep().unwrap();
        sweep(temp.path()).unwrap();
        assert!(!kept.exists());
        sweep(temp.path()).unwrap();
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_link_in_the_place_of_the_folder_is_not_followed() {
        let temp = tempfile::tempdir().unwrap();
        std::fs::create_dir(temp.path().join("elsewhere")).unwrap();
        std::os::unix::fs::symlink("elsewhere", temp.path().join(FOLDER)).unwrap();
        assert!(matches!(receive(Body::from("x"), temp.path(), BOUNDS).await, Err(IncomingError::Disk { .. })));
    }
}
