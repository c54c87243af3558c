//! What a long command tells whoever watches it. The library prints nothing.

/// The long steps of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Unpacking a zip.
    Unpacking,
    /// Reading and hashing the files of a folder.
    Reading,
    /// Checking the packs that are to be used again.
    Rechecking,
    /// Compressing new contents.
    Packing,
    /// Reading the new packs back and comparing every file.
    Proving,
    /// Reading a whole repository.
    Verifying,
}

impl Stage {
    /// The step as a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Stage::Unpacking => "unpacking",
            Stage::Reading => "reading",
            Stage::Rechecking => "rechecking",
            Stage::Packing => "packing",
            Stage::Proving => "proving",
            Stage::Verifying => "verifying",
        }
    }
}

/// Is told how far a command has come. Called from many threads at once; must be quick and must not fail.
pub trait Progress: Sync {
    /// A step begins that will go through `bytes` in all; the one before has ended.
    fn begin(&self, stage: Stage, bytes: u64) {
        let _ = (stage, bytes);
    }

    /// `bytes` more of the current step are done.
    fn advance(&self, bytes: u64) {
        let _ = bytes;
    }

    /// Something that a person who waits should know, such as who holds the lock.
    fn notice(&self, text: &str) {
        let _ = text;
    }
}

/// Nobody watches.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {}
