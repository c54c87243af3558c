//! Every bound on what a hostile server, mirror or folder can make a station do, in one place.

/// Bounds for reading signed data. Defaults are generous for honest repositories and small for a terminal's memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Longest root, in bytes (W3, attack B1).
    pub root_bytes: u64,
    /// Longest timestamp, in bytes (W11).
    pub timestamp_bytes: u64,
    /// Longest snapshot when the timestamp does not say its length, in bytes (W15).
    pub snapshot_bytes: u64,
    /// Longest targets role when the snapshot does not say its length, in bytes (W20).
    pub targets_bytes: u64,
    /// New roots walked in one refresh; the next refresh goes on (W3, A11).
    pub root_rotations: u32,
    /// Entries in `signatures` of one role, checked before the first is verified (A15).
    pub signatures: usize,
    /// Keys in one root or delegation table.
    pub keys: usize,
    /// Delegated roles visited in one search (W23, A18).
    pub delegations: usize,
    /// Longest channel document, policy or install document, in bytes.
    pub document_bytes: u64,
    /// Longest stored release manifest, in bytes.
    pub manifest_bytes: u64,
    /// Longest release manifest after decompression, in bytes.
    pub manifest_json_bytes: u64,
    /// Files, links, directories and removals in one release (D9).
    pub entries: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            root_bytes: 512 * 1024,
            timestamp_bytes: 16 * 1024,
            snapshot_bytes: 2 * 1024 * 1024,
            targets_bytes: 5 * 1024 * 1024,
            root_rotations: 256,
            signatures: 64,
            keys: 1024,
            delegations: 32,
            document_bytes: 1024 * 1024,
            manifest_bytes: 64 * 1024 * 1024,
            manifest_json_bytes: 512 * 1024 * 1024,
            entries: 1_000_000,
        }
    }
}
