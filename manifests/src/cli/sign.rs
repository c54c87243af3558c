//! `manifests sign`.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::PathBuf;

use clap::Args;
use manifests::digest::Digest;
use manifests::publish::custody::CustodyError;
use manifests::publish::effect::{Effect, effects};
use manifests::publish::keys::KeyFolder;
use manifests::publish::proposal::{Progress, Proposal};
use manifests::publish::signers::Signers;
use manifests::publish::{PublishError, signing_request};
use serde_json::json;

use super::output::{harmless, one_line};
use super::{Outcome, Output, PassphraseArgs};

/// Add your signatures to a signing request; needs the file and the keys, nothing else
#[derive(Debug, Args)]
#[command(after_help = "\
Example, on a machine without a network:
  manifests sign --request /media/stick/release-13.json --keys /media/safe/acme.keys

It says what stations would see, and asks. Compare the digest of a release's manifest with what whoever built it says. Each holder of a key signs in turn, or
signs a copy; copies are committed together.")]
pub(crate) struct SignArgs {
    /// The signing request
    #[arg(long, value_name = "FILE")]
    request: PathBuf,
    /// The folder that holds the private keys
    #[arg(long, value_name = "DIR")]
    keys: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    /// The digest of the root, from somebody you trust: needed for a role that your keys have not signed before
    #[arg(long, value_name = "DIGEST")]
    root_sha256: Option<Digest>,
    /// Sign without asking
    #[arg(long)]
    yes: bool,
    /// Say what it would change, and sign nothing
    #[arg(long)]
    dry_run: bool,
}

impl SignArgs {
    pub(crate) fn run(self, output: &Output) -> Outcome {
        let mut proposal = signing_request::read(&self.request)?;
        let folder = KeyFolder::new(&self.keys).unlocked_by(self.passphrase.source());
        if !proposal.context_is_signed() {
            let reason = "what it shows as the state before is not signed by the keys it names: do not sign it".to_owned();
            return Err(PublishError::NotARequest { file: self.request, reason });
        }
        let (version, bytes) = proposal.before_root().unwrap_or_default();
        let root = Digest::of(&bytes);
        let effects = effects(&proposal, &|id| folder.holds(id));
        let mut changes = format!("for repository `{}`, whose root {version} has sha256 {root}", proposal.repository);
        for effect in &effects {
            changes += &format!("\n  {}", one_line(&effect.to_string()));
        }
        if let (false, Some(Effect::Unreadable { path })) =
            (self.dry_run, effects.iter().find(|effect| matches!(effect, Effect::Unreadable { .. })))
        {
            return Err(CustodyError::Unreadable { path: path.clone() }.into());
        }
        let asks = !self.yes && !self.dry_run && !proposal.is_signed();
        if asks {
            // Shown before anybody types a passphrase.
            let _ = writeln!(io::stderr().lock(), "{}", harmless(&changes));
        }
        let added = match self.dry_run || proposal.is_signed() {
            true => 0,
            false => self.sign(&mut proposal, &folder, (version, root))?,
        };
        let progress = proposal.progress();
        let open: Vec<_> = progress.iter().filter(|role| !role.is_complete()).collect();
        let mut lines: Vec<String> = if asks { vec![] } else { vec![changes] };
        lines.push(match (added, self.dry_run, open.is_empty()) {
            (0, true, _) => "nothing was signed: this was a dry run".to_owned(),
            (0, false, true) => "it has all its signatures already".to_owned(),
            (0, false, false) => "your keys have signed already".to_owned(),
            (1, ..) => "1 signature added".to_owned(),
            (added, ..) => format!("{added} signatures added"),
        });
        lines.extend(progress.iter().map(|role| format!("{}: {} of {} signatures", role.role, role.signed, role.keys.threshold)));
        let next = match open.first() {
            None => format!("manifests commit {} --repo REPO, where the repository is", self.request.display()),
            Some(_) if self.dry_run => "the same command without --dry-run".to_owned(),
            Some(role) => format!("manifests sign --request {} by another holder of a key of {}", self.request.display(), role.role),
        };
        let role = |role: &Progress| json!({ "role": role.role, "signed": role.signed, "threshold": role.keys.threshold, "keys": role.keys.keyids });
        let value = json!({
            "repository": proposal.repository,
            "root": { "version": version, "sha256": root },
            "dry_run": self.dry_run,
            "signed": added,
            "complete": open.is_empty(),
            "roles": progress.iter().map(role).collect::<Vec<_>>(),
            "effects": effects.iter().map(ToString::to_string).collect::<Vec<_>>(),
        });
        Ok(output.result(&lines.join("\n"), Some(&next), &value))
    }

    /// Adds what the keys in `folder` can sign, and returns how many signatures that were. `root` is what the request says of the root it was made on.
    fn sign(&self, proposal: &mut Proposal, folder: &KeyFolder, root: (u64, Digest)) -> Result<usize, PublishError> {
        let open: Vec<Progress> = proposal.progress().into_iter().filter(|progress| !progress.is_complete()).collect();
        if let Some(first) = open.first()
            && !open.iter().flat_map(|progress| &progress.keys.keyids).any(|id| folder.holds(id))
        {
            return Err(CustodyError::NoneToSign { folder: self.keys.clone(), role: first.role.clone(), wanted: first.ids() }.into());
        }
        let mut signers = Signers::default();
        signers.gather(folder, open.iter().map(|progress| &progress.keys))?;
        if let Some(role) = proposal.unvouched(&signers).into_iter().next()
            && self.root_sha256 != Some(root.1)
        {
            return Err(CustodyError::Unvouched { role, version: root.0, sha256: root.1 }.into());
        }
        if !self.yes {
            agree()?;
        }
        let added = proposal.sign(&signers)?;
        if added > 0 {
            signing_request::write(&self.request, proposal)?;
        }
        Ok(added)
    }
}

/// Asks whoever sits at the terminal; without one the answer is no.
fn agree() -> Result<(), CustodyError> {
    if !io::stdin().is_terminal() {
        return Err(CustodyError::NobodyAsked);
    }
    let mut err = io::stderr().lock();
    let _ = write!(err, "sign this? [y/N] ");
    let _ = err.flush();
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    let agreed = read.is_ok() && ["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str());
    if agreed { Ok(()) } else { Err(CustodyError::NotAgreed) }
}
