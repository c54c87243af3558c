//! The bundle for a support request: what S2-23 to S2-28 ask for, in one zip, without secrets (AC-76).
//!
//! Every text goes through [`redact::Secrets`] here, in one place: nothing gets into the zip beside it.

pub mod redact;

use std::io::{Cursor, Write as _};
use std::path::PathBuf;

use zip::ZipWriter;
use zip::result::ZipResult;
use zip::write::SimpleFileOptions;

use redact::Secrets;

/// Longest text of one part, in bytes; of a longer one the end is kept, where the newest is.
const LONGEST_BYTES: usize = 4 << 20;

/// A bundle is not written. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// It would go into every backup, and be one more file that is not the release's.
    #[error("`{}` is in the install folder, and would go into its backups: name a file elsewhere", path.display())]
    Inside {
        /// The file.
        path: PathBuf,
    },
    /// It may be all that somebody has.
    #[error("`{}` is there already, and nothing is written over it: name another file, or move it away", path.display())]
    Taken {
        /// The file.
        path: PathBuf,
    },
    /// The system refused.
    #[error("writing `{}` failed: {source}", path.display())]
    Outside {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// The zip with `parts`, names and texts, without `secrets`.
pub fn zip(parts: &[(&str, String)], secrets: &Secrets) -> ZipResult<Vec<u8>> {
    let mut writer = ZipWriter::new(Cursor::new(vec![]));
    for (name, text) in parts {
        writer.start_file(*name, SimpleFileOptions::default())?;
        // The end of what is clean: a cut between a name and its value would hide what the value is.
        writer.write_all(end_of(&secrets.remove_from(text)).as_bytes())?;
    }
    Ok(writer.finish()?.into_inner())
}

fn end_of(text: &str) -> &str {
    let from = (text.len().saturating_sub(LONGEST_BYTES)..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    &text[from..]
}
