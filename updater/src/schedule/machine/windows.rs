//! `MachineGuid`, which the setup of Windows makes.

/// The system's number.
pub(super) fn number() -> Option<String> {
    crate::windows_api::machine::guid().ok()
}
