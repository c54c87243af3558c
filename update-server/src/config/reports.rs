//! `[reports]`: whether stations may report, and how much is kept of it.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::ConfigError;

/// Months that are kept unless somebody says otherwise: a year, and the one that runs.
const KEEP_MONTHS: usize = 13;
/// Bytes of a month unless somebody says otherwise: some 50,000 attempts.
const MAX_MONTH_BYTES: u64 = 32 << 20;

/// Where reports are kept, and how much of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportSettings {
    /// The folder of the journal, with one folder for each repository.
    pub journal: PathBuf,
    /// Months with reports that are kept, the running one included.
    pub keep_months: usize,
    /// Bytes that one month of a repository may have.
    pub max_month_bytes: u64,
}

impl ReportSettings {
    /// The journal of a server that has a folder for all that is its own.
    pub fn in_state(state: &Path) -> ReportSettings {
        ReportSettings { journal: state.join("journal"), keep_months: KEEP_MONTHS, max_month_bytes: MAX_MONTH_BYTES }
    }
}

/// `[reports]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReportsTable {
    pub(crate) journal: Option<PathBuf>,
    pub(crate) keep_months: Option<usize>,
    pub(crate) max_month_bytes: Option<u64>,
}

impl ReportsTable {
    /// The settings, paths relative to `folder`; `None` where there is no journal.
    pub(crate) fn resolve(self, folder: &Path) -> Result<Option<ReportSettings>, ConfigError> {
        let keep_months = self.keep_months.unwrap_or(KEEP_MONTHS);
        if !(1..=1200).contains(&keep_months) {
            return Err(ConfigError::Value { key: "reports.keep_months", found: keep_months.to_string(), allowed: "from 1 to 1200" });
        }
        let max_month_bytes = self.max_month_bytes.unwrap_or(MAX_MONTH_BYTES);
        if max_month_bytes < 1 << 20 {
            return Err(ConfigError::Value {
                key: "reports.max_month_bytes",
                found: max_month_bytes.to_string(),
                allowed: "1048576 or more",
            });
        }
        Ok(self.journal.map(|journal| ReportSettings { journal: folder.join(journal), keep_months, max_month_bytes }))
    }
}
