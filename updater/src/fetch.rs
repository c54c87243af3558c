//! Fetches contents: stretches of packs arrive side by side, are decoded frame by frame, and become complete files in staging once their hash is right.
//!
//! What arrives is kept in `parts/` until its files are made, so a cut, a kill or a power loss costs only what was not received yet (AC-73). Nothing of a part is
//! believed: decoding is capped by the signed frame lengths, and a content is named by its digest only after it has it (W25, attack D11). A stretch that
//! turns out wrong is thrown away and fetched once more; then the pack is named as corrupt.

pub mod address;
pub mod folder;
pub mod http;
pub mod limit;
pub mod retry;
pub mod route;
pub mod source;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _};
use manifests::channel::ObjectRef;
use manifests::digest::Digest;
use manifests::pack::{FrameDecoder, FrameError};

use crate::fs::FsError;
use crate::fs::filling::{Filling, Part, Staging};
use crate::plan::jobs::{Content, Job, Jobs};
use crate::progress::Progress;

use limit::RateLimit;
use source::{FetchError, Source};

/// Stretches fetched side by side: two hide the latency of one another, four fill a line with loss; more only take memory.
const CONNECTIONS: usize = 4;

/// Why contents could not be fetched. What has arrived is kept for the next run.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    /// Bytes did not arrive.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// They cannot be written.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// They are not what the signed manifest says, twice.
    #[error(
        "object {object} of the source is damaged ({reason}); nothing of it was used. Another source or a later try may have the right one"
    )]
    Corrupt {
        /// The object.
        object: Digest,
        /// What is wrong with it.
        reason: String,
    },
    /// A worker of the runtime ended; a bug.
    #[error("decoding stopped unexpectedly: {0}")]
    Worker(String),
}

/// What a fetch cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FetchStats {
    /// Bytes of bodies received.
    pub received_bytes: u64,
    /// Contents made.
    pub contents: usize,
}

/// Fetches `jobs` from `source` into `staging`. Contents that are there already are verified and not fetched again. `first_wait` is that before the second try of a stretch.
pub async fn fetch<S: Source>(
    source: &S,
    jobs: Jobs,
    staging: &Staging,
    limit: Option<&RateLimit>,
    first_wait: Duration,
    progress: &dyn Progress,
) -> Result<FetchStats, ContentError> {
    let jobs = Arc::new(jobs);
    let received = Mutex::new(0);
    let mut refetched = false;
    loop {
        let round = Round { source, staging, limit, first_wait, progress, received: &received };
        match round.run(Arc::clone(&jobs)).await {
            // The parts that were wrong are gone; whatever was right is staged by now.
            Err(ContentError::Corrupt { .. }) if !refetched => refetched = true,
            Err(other) => return Err(other),
            Ok(()) => break,
        }
    }
    let received_bytes = received.lock().map_or(0, |received| *received);
    Ok(FetchStats { received_bytes, contents: jobs.contents.len() })
}

/// One try at everything that is not staged yet.
struct Round<'a, S> {
    source: &'a S,
    staging: &'a Staging,
    limit: Option<&'a RateLimit>,
    first_wait: Duration,
    progress: &'a dyn Progress,
    received: &'a Mutex<u64>,
}

impl<S: Source> Round<'_, S> {
    async fn run(&self, jobs: Arc<Jobs>) -> Result<(), ContentError> {
        let assembly = Arc::new(Assembly::new(&jobs, self.staging)?);
        let needed: Vec<usize> = (0..jobs.jobs.len()).filter(|job| assembly.needs(&jobs.jobs[*job])).collect();
        let dictionaries = if needed.is_empty() { HashMap::new() } else { self.dictionaries(&jobs).await? };
        let dictionaries = Arc::new(dictionaries);
        futures_util::stream::iter(needed.into_iter().map(|index| {
            let (jobs, assembly, dictionaries) = (Arc::clone(&jobs), Arc::clone(&assembly), Arc::clone(&dictionaries));
            async move {
                let job = &jobs.jobs[index];
                let part = self.receive(job).await?;
                let (for_worker, object) = (Arc::clone(&jobs), job.object.sha256);
                let decoded = tokio::task::spawn_blocking(move || {
                    decode(&for_worker, index, &part, &dictionaries, &assembly).map_err(|fault| (fault, part))
                });
                match decoded.await.map_err(|error| ContentError::Worker(error.to_string()))? {
                    Ok(()) => Ok(()),
                    Err((Fault::Fs(error), _)) => Err(ContentError::Fs(error)),
                    Err((Fault::Wrong(reason), part)) => {
                        part.discard()?;
                        Err(ContentError::Corrupt { object, reason })
                    }
                }
            }
        }))
        .buffer_unordered(CONNECTIONS)
        .try_collect::<Vec<()>>()
        .await?;
        assembly.finish()
    }

    async fn dictionaries(&self, jobs: &Jobs) -> Result<HashMap<Digest, Vec<u8>>, ContentError> {
        let mut found = HashMap::new();
        for ObjectRef { sha256, length } in jobs.dictionaries() {
            let path = sha256.object_path();
            let bytes = self.source.get(&path, length).await?;
            if Digest::of(&bytes) != sha256 {
                return Err(ContentError::Corrupt { object: sha256, reason: "it has another hash".into() });
            }
            self.count(bytes.len() as u64);
            found.insert(sha256, bytes);
        }
        Ok(found)
    }

    /// Receives the bytes of `job` that are not on disk yet.
    async fn receive(&self, job: &Job) -> Result<Part, ContentError> {
        let stored = job.stored();
        let mut part = self.staging.part(&job.object.sha256, &stored)?;
        self.progress.advance(part.length());
        let mut patience = retry::Patience::new(self.first_wait);
        while part.length() < stored.end - stored.start {
            let before = part.length();
            let outcome = self.receive_some(job, &mut part).await;
            if part.length() > before {
                patience = retry::Patience::new(self.first_wait);
            }
            match outcome {
                Err(ContentError::Fetch(error)) if error.is_transient() => patience.wait(error).await?,
                other => other?,
            }
        }
        Ok(part)
    }

    async fn receive_some(&self, job: &Job, part: &mut Part) -> Result<(), ContentError> {
        let stored = job.stored();
        let rest = stored.start + part.length()..stored.end;
        let mut body = self.source.get_range(&job.object.sha256.object_path(), rest, job.object.length).await?;
        while let Some(piece) = body.next().await {
            let piece = piece?;
            part.append(&piece)?;
            self.count(piece.len() as u64);
            self.progress.advance(piece.len() as u64);
            if let Some(limit) = self.limit {
                limit.take(piece.len() as u64).await;
            }
        }
        Ok(())
    }

    fn count(&self, bytes: u64) {
        if let Ok(mut received) = self.received.lock() {
            *received += bytes;
        }
    }
}

/// Why a part did not become contents.
enum Fault {
    Fs(FsError),
    Wrong(String),
}

impl From<FsError> for Fault {
    fn from(error: FsError) -> Self {
        Fault::Fs(error)
    }
}

/// Decodes a part frame by frame and hands out its pieces.
fn decode(jobs: &Jobs, index: usize, part: &Part, dictionaries: &HashMap<Digest, Vec<u8>>, assembly: &Assembly) -> Result<(), Fault> {
    let job = &jobs.jobs[index];
    let dictionary = job.dictionary.map(|object| dictionaries.get(&object.sha256).map_or(&[][..], Vec::as_slice));
    let wrong = |error: FrameError| Fault::Wrong(format!("a frame is not as the manifest says: {error}"));
    let mut decoder = FrameDecoder::new(dictionary).map_err(wrong)?;
    let mut pieces = job.pieces.iter().peekable();
    let start = job.stored().start;
    for (nth, frame) in job.frames.iter().enumerate() {
        if pieces.peek().is_none_or(|piece| piece.frame != nth) {
            continue;
        }
        let stored = part.read(frame.stored.start - start..frame.stored.end - start)?;
        let content = decoder.decode(&stored, frame.content.end - frame.content.start).map_err(wrong)?;
        while let Some(piece) = pieces.next_if(|piece| piece.frame == nth) {
            assembly.put(piece.content, piece.offset, &content[piece.within.clone()])?;
        }
    }
    assembly.done_with(index)
}

/// The contents that are being made, by their index in [`Jobs`].
struct Assembly {
    jobs: Arc<Jobs>,
    staging: Staging,
    contents: Vec<Mutex<State>>,
    /// For each content, the jobs that contribute to it.
    contributors: Vec<Vec<usize>>,
    /// Held while parts are dropped: workers that end together would drop the same ones.
    dropping: Mutex<()>,
}

enum State {
    /// In staging, verified.
    Staged,
    /// Bytes still to come, and the file they go to once the first has come.
    Filling { missing: u64, file: Option<Filling> },
    /// It had another digest.
    Wrong,
}

impl Assembly {
    fn new(jobs: &Arc<Jobs>, staging: &Staging) -> Result<Assembly, ContentError> {
        let mut contributors = vec![Vec::new(); jobs.contents.len()];
        for (index, job) in jobs.jobs.iter().enumerate() {
            for piece in &job.pieces {
                if contributors[piece.content].last() != Some(&index) {
                    contributors[piece.content].push(index);
                }
            }
        }
        let state = |content: &Content| {
            let staged = staging.has_verified(&content.sha256, content.size)?;
            Ok(Mutex::new(if staged { State::Staged } else { State::Filling { missing: content.size, file: None } }))
        };
        let contents = jobs.contents.iter().map(state).collect::<Result<_, FsError>>()?;
        Ok(Assembly { jobs: Arc::clone(jobs), staging: staging.clone(), contents, contributors, dropping: Mutex::new(()) })
    }

    fn needs(&self, job: &Job) -> bool {
        job.pieces.iter().any(|piece| !self.is_staged(piece.content))
    }

    fn is_staged(&self, content: usize) -> bool {
        self.contents[content].lock().is_ok_and(|state| matches!(*state, State::Staged))
    }

    /// Puts `bytes` at `offset` of a content; with the last of them the content is verified and staged.
    fn put(&self, content: usize, offset: u64, bytes: &[u8]) -> Result<(), Fault> {
        let Content { sha256, size } = &self.jobs.contents[content];
        let Ok(mut state) = self.contents[content].lock() else { return Err(Fault::Wrong("a worker failed".into())) };
        let State::Filling { missing, file } = &mut *state else { return Ok(()) };
        let whole = bytes.len() as u64 == *size;
        // Most files lie in one frame: hashed before they touch the disk.
        if whole && Digest::of(bytes) != *sha256 {
            *state = State::Wrong;
            return Err(Fault::Wrong(format!("a content has not the digest {sha256}")));
        }
        let filling = match file {
            Some(filling) => filling,
            None => file.insert(self.staging.fill(*size)?),
        };
        filling.write_at(offset, bytes)?;
        *missing = missing.saturating_sub(bytes.len() as u64);
        if *missing > 0 {
            return Ok(());
        }
        let Some(mut filled) = file.take() else { return Ok(()) };
        if !whole && filled.digest()? != *sha256 {
            *state = State::Wrong;
            return Err(Fault::Wrong(format!("a content has not the digest {sha256}")));
        }
        self.staging.keep(filled, sha256)?;
        *state = State::Staged;
        Ok(())
    }

    /// After a job: drops the parts that nobody needs any more.
    fn done_with(&self, index: usize) -> Result<(), Fault> {
        let mut candidates: Vec<usize> =
            self.jobs.jobs[index].pieces.iter().flat_map(|piece| self.contributors[piece.content].iter().copied()).collect();
        let _one_at_a_time = self.dropping.lock();
        candidates.sort_unstable();
        candidates.dedup();
        for candidate in candidates {
            let job = &self.jobs.jobs[candidate];
            if !self.needs(job) {
                self.staging.drop_part(&job.object.sha256, &job.stored())?;
            }
        }
        Ok(())
    }

    /// Everything must be staged now. A content that came out wrong over several stretches takes all of them with it.
    fn finish(&self) -> Result<(), ContentError> {
        for (index, content) in self.jobs.contents.iter().enumerate() {
            if self.is_staged(index) {
                continue;
            }
            for contributor in &self.contributors[index] {
                let job = &self.jobs.jobs[*contributor];
                self.staging.drop_part(&job.object.sha256, &job.stored())?;
            }
            let object = self.contributors[index].first().map_or(content.sha256, |job| self.jobs.jobs[*job].object.sha256);
            return Err(ContentError::Corrupt { object, reason: format!("content {} could not be made of it", content.sha256) });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use manifests::pack::FrameAt;

    use super::*;
    use crate::fs::{Folder, LocalPath, Point};
    use crate::plan::jobs::Piece;

    /// Two stretches of a pack that make one content together.
    fn two_stretches(sha256: Digest) -> Arc<Jobs> {
        let object = ObjectRef { sha256: Digest::of(b"pack"), length: 20 };
        let job = |start: u64| Job {
            object,
            dictionary: None,
            frames: vec![FrameAt { stored: start..start + 10, content: start..start + 10 }],
            pieces: vec![Piece { frame: 0, within: 0..10, content: 0, offset: start }],
        };
        Arc::new(Jobs { contents: vec![Content { sha256, size: 20 }], jobs: vec![job(0), job(10)] })
    }

    #[test]
    fn two_workers_that_end_together_drop_each_part_once() {
        let place = tempfile::tempdir().unwrap();
        let folder = Arc::new(Folder::open(place.path()).unwrap());
        folder.make_state_folders().unwrap();
        folder.make_folder(&LocalPath::state("parts"), Point::StateFolder).unwrap();
        let staging = Staging::new(Arc::clone(&folder));
        let jobs = two_stretches(Digest::of(&[7; 20]));
        let mut filling = staging.fill(20).unwrap();
        filling.write_at(0, &[7; 20]).unwrap();
        staging.keep(filling, &jobs.contents[0].sha256).unwrap();
        for _ in 0..200 {
            let parts: Vec<Part> = jobs.jobs.iter().map(|job| staging.part(&job.object.sha256, &job.stored()).unwrap()).collect();
            let assembly = Assembly::new(&jobs, &staging).unwrap();
            let together = Barrier::new(2);
            let end = |index: usize| {
                together.wait();
                assembly.done_with(index)
            };
            std::thread::scope(|scope| {
                let other = scope.spawn(|| end(1).is_ok());
                assert!(end(0).is_ok() && other.join().unwrap());
            });
            drop(parts);
        }
    }
}
