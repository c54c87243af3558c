//! Embeds the application manifest in the Windows program: it runs with the rights of whoever starts it (no guess from the word "update" in its name), and paths may be long.

use std::io;

use embed_manifest::manifest::{ExecutionLevel, Setting};
use embed_manifest::{embed_manifest, new_manifest};

fn main() -> io::Result<()> {
    if std::env::var_os("CARGO_CFG_WINDOWS").is_some() {
        let manifest = new_manifest("Stationmaster.Updater");
        // Windows 7 to 11 are in the list of supported systems by default.
        embed_manifest(manifest.requested_execution_level(ExecutionLevel::AsInvoker).long_path_aware(Setting::Enabled))?;
    }
    Ok(())
}
