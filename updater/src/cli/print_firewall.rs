//! `updater print-firewall`.

use serde_json::json;
use updater::exit_code::Exit;
use updater::firewall::{self, Destination, Purpose};
use updater::fs::Folder;
use updater::pipeline::{Error, Session};
use updater::progress::Progress;
use updater::self_update::Home;
use updater::station::Station;

use super::{Global, Report, context};

pub(crate) fn run(global: &Global, progress: &dyn Progress) -> Result<Report, Error> {
    let found = destinations(global, progress)?;
    let texts = global.texts();
    let lines = found.iter().map(|Destination { purpose, host, port, addresses }| {
        let what = match purpose {
            Purpose::Repository => texts.get("firewall-repository", &[]),
            Purpose::SelfUpdate => texts.get("firewall-self-update", &[]),
            Purpose::Proxy => texts.get("firewall-proxy", &[]),
            Purpose::Redirect => texts.get("firewall-redirect", &[]),
        };
        let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        let addresses = if addresses.is_empty() { texts.get("firewall-unresolved", &[]) } else { addresses.join(", ") };
        format!("tcp {host}:{port}  {what}  ({addresses})")
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    Ok(Report::new(&json!({ "destinations": found }), text, Exit::Success))
}

/// Everything that this station connects to.
pub(crate) fn destinations(global: &Global, progress: &dyn Progress) -> Result<Vec<Destination>, Error> {
    let session = Session::look(&global.dir, &context::begin(global, progress))?;
    // An updater that follows nothing has no repository of its own.
    let updater = Home::of_this_program().ok().and_then(|home| Station::load(&Folder::open(&home.dir()).ok()?).ok()?);
    Ok(firewall::destinations(&session.station.repository, updater.as_ref().map(|station| &station.repository)))
}
