//! What people are told of a server that an `AppServer.ini` describes: where its keys lie, and the links by which stations install.

use std::fmt::Display;
use std::io::{self, Write};
use std::net::{Ipv6Addr, SocketAddr};
use std::path::Path;

use manifests::publish::Repository;

use super::Failure;
use crate::appserver::site::{Site, SiteError};
use crate::install_documents::BaseUrl;

/// Why the application server must not go on updating from the same folders.
pub(super) const TWO_UPDATERS: &str = "two updaters on one client's folder undo each other: the old one copies any file that differs from its folder back over what was just installed, \
                                       and this one puts its own back again, at every start";

/// The address that people can use: one that listens everywhere is reached here at the loopback.
pub(super) fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { [127, 0, 0, 1].into() } else { Ipv6Addr::LOCALHOST.into() });
    }
    address
}

/// Says what is served at `address`, and how stations install it.
pub(super) fn introduce(site: &Site, ini: &Path, address: SocketAddr, base: Option<&BaseUrl>, out: &mut dyn Write) -> Result<(), Failure> {
    let failed = |error: &dyn Display| Failure::new(format!("print the links: {error}"));
    let Some(repository) = &site.repository else { return Ok(()) };
    let base = match base {
        Some(base) => base.clone(),
        None => format!("http://{}/", reachable(address)).parse().map_err(|error| failed(&error))?,
    };
    let mut say = || -> Result<(), SiteOrIo> {
        writeln!(out, "Serving the folders of {} on http://{address}/", ini.display())?;
        keys(site, repository, out)?;
        links(site, repository, &base, out)?;
        if !site.settings.folders.is_empty() {
            writeln!(out, "Does the application server still run with this file? {TWO_UPDATERS}.")?;
            writeln!(
                out,
                "  update-server import --appserver-ini {}   takes the folders over, so that Enable=0 can be set there.",
                ini.display()
            )?;
        }
        Ok(out.flush()?)
    };
    say().map_err(|SiteOrIo(error)| failed(&error))
}

/// Says where the keys lie, and what that means.
pub(super) fn keys(site: &Site, repository: &Repository, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out)?;
    writeln!(out, "  The keys of every role lie in {},", repository.keys().path().display())?;
    writeln!(out, "  unencrypted: this server is trusted, for whoever owns it can sign what stations install.")?;
    writeln!(out, "  Keep a copy of {}: without it no station can be updated any more.", site.state.display())?;
    writeln!(out)
}

/// One link for each OS that has a folder.
pub(super) fn links(site: &Site, repository: &Repository, base: &BaseUrl, out: &mut dyn Write) -> Result<(), SiteOrIo> {
    for folder in &site.settings.folders {
        let link = site.link(repository, folder.id.os, base)?;
        let path = folder.path.as_ref().map_or("no folder yet".to_owned(), |path| path.display().to_string());
        writeln!(out, "On a station with {} ({path}):", folder.id.os)?;
        writeln!(out, "  updater install \"{link}\" --dir \"FOLDER OF THE CLIENT\"")?;
        if let Some(error) = folder.path.as_ref().and_then(|path| std::fs::read_dir(path).err()) {
            writeln!(out, "  That folder cannot be listed ({error}): nothing new is published of it until it can.")?;
        }
    }
    if base.is_of_this_machine() {
        writeln!(
            out,
            "These links lead to this machine alone: for stations elsewhere, give --listen an address that they reach, such as 0.0.0.0:8080, and --base-url the name that they know it by."
        )?;
    }
    Ok(())
}

/// What can go wrong while people are told.
#[derive(Debug)]
pub(super) struct SiteOrIo(pub(super) Box<dyn std::error::Error + Send + Sync>);

impl Display for SiteOrIo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl From<SiteError> for SiteOrIo {
    fn from(error: SiteError) -> Self {
        SiteOrIo(error.into())
    }
}

impl From<io::Error> for SiteOrIo {
    fn from(error: io::Error) -> Self {
        SiteOrIo(error.into())
    }
}
