//! `manifests keys list`.

use std::path::PathBuf;

use clap::Args;
use manifests::policy::Custody;
use manifests::publish::Repository;
use manifests::publish::custody;
use manifests::time::UtcTime;
use serde_json::{Value, json};

use super::{Outcome, Output};

/// List the keys that sign for each role, and which of them are here
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  manifests keys list acme --keys /media/safe/acme.keys")]
pub(crate) struct ListArgs {
    /// The repository
    repo: PathBuf,
    /// The folder that holds the private keys [default: REPO.keys beside the repository]
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
}

impl ListArgs {
    pub(crate) fn run(self, now: UtcTime, output: &Output) -> Outcome {
        let repository = Repository::open(&self.repo, self.keys.as_deref())?;
        let view = repository.view()?;
        let here = repository.keys().list()?;
        let mut text = format!("repository `{}`, root {} with sha256 {}", repository.name(), view.root_pin.version, view.root_pin.sha256);
        let mut roles = vec![];
        let (mut counted, mut online) = (vec![], vec![]);
        for role in custody::roles(&view) {
            let Some(keys) = view.keys_of(&role) else { continue };
            let expires = view.headers().into_iter().find(|(name, ..)| *name == role).map(|(.., expires)| expires);
            let place = match view.policy.custody.get(&role) {
                Some(Custody::Online) => "on the machine that serves",
                _ => "offline",
            };
            let days = expires.map_or(0, |expires| (expires.unix() - now.unix()).div_euclid(86_400));
            text += &format!(
                "\n{role}: {} of {} must sign; kept {place}, says the policy; valid for {days} days",
                keys.threshold,
                keys.keyids.len()
            );
            let mut listed: Vec<Value> = vec![];
            for id in &keys.keyids {
                counted.push(id.clone());
                online.extend(custody::stays_with_server(&role).then(|| id.clone()));
                let file = here.keys.iter().find(|file| file.id == *id);
                let state = match file {
                    None => "not here",
                    Some(file) if file.encrypted => "here, encrypted",
                    Some(_) => "here, NOT encrypted",
                };
                text += &format!("\n  {id}  {state}");
                listed.push(json!({ "key": id, "here": file.is_some(), "encrypted": file.map(|file| file.encrypted) }));
            }
            roles.push(json!({
                "role": role, "threshold": keys.threshold, "keys": listed, "custody": view.policy.custody.get(&role).copied().unwrap_or(Custody::Offline), "expires": expires,
            }));
        }
        let stray: Vec<_> = here.keys.iter().filter(|file| !counted.contains(&file.id)).collect();
        for file in &stray {
            text += &format!("\n{} signs for nothing: {}", file.id, file.path.display());
        }
        for unusable in &here.unusable {
            text += &format!("\nwarning: {unusable}");
        }
        let value = json!({
            "repository": repository.name(),
            "roles": roles,
            "signs_for_nothing": stray.iter().map(|file| &file.id).collect::<Vec<_>>(),
            "unusable": here.unusable.iter().map(ToString::to_string).collect::<Vec<_>>(),
        });
        let exposed = here.keys.iter().any(|file| !online.contains(&file.id));
        let next = match exposed && view.policy.online_roles().any(|role| !custody::stays_with_server(role)) {
            true => format!(
                "manifests keys split {} --to DIR --dry-run, to move root, targets and OS keys off this machine",
                self.repo.display()
            ),
            false => {
                format!("manifests refresh {}, or a server that is given the keys of snapshot and timestamp does it", self.repo.display())
            }
        };
        Ok(output.result(&text, Some(&next), &value))
    }
}
