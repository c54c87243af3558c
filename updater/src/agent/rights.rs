//! Who may ask for what. Pure.
//!
//! Looking is for everybody at the computer. So is bringing the client to what its publisher offers, unless the settings keep it for a group: signatures and policy decide what that is, whoever
//! asks. Going back, offering again what was held, and the settings change what the computer is allowed to run: these are for root and the administrators' group.

use super::message::Command;
use super::settings::{Settings, WhoUpdates};
use crate::account::ROOT;

/// Who asks, as the system says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The number of the account.
    pub uid: u32,
    /// Its name, or number where it has none.
    pub name: String,
    /// Names of its groups.
    pub groups: Vec<String>,
}

/// What the agent does with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Right {
    /// It is carried out.
    Allowed,
    /// It is not.
    Denied {
        /// Why, for the person who asks.
        why: String,
    },
}

/// What a command does to the computer.
enum Kind {
    Look,
    Update,
    Administer,
}

/// Whether `peer` may ask for `command`.
pub fn decide(peer: &Peer, command: &Command, settings: &Settings) -> Right {
    if is_admin(peer, settings) {
        return Right::Allowed;
    }
    let is_in = |groups: &[String]| groups.iter().any(|group| peer.groups.contains(group));
    let denied = |groups: &[String]| {
        let groups = if groups.is_empty() { format!("{ROOT} alone") } else { format!("{ROOT} and members of {}", groups.join(", ")) };
        Right::Denied { why: format!("`{}` is for {groups} here, and you are {}", command.name(), peer.name.escape_debug()) }
    };
    match (kind(command), &settings.update) {
        (Kind::Look, _) | (Kind::Update, WhoUpdates::Everybody) => Right::Allowed,
        (Kind::Update, WhoUpdates::Members) if is_in(&settings.update_groups) => Right::Allowed,
        (Kind::Update, WhoUpdates::Members) => denied(&[&settings.update_groups[..], &settings.admin_groups].concat()),
        (Kind::Administer, _) => denied(&settings.admin_groups),
    }
}

/// Whether `peer` answers for what the agent looks after (D-02): root, and members of the administrators' groups.
pub fn is_admin(peer: &Peer, settings: &Settings) -> bool {
    peer.uid == 0 || settings.admin_groups.iter().any(|group| peer.groups.contains(group))
}

fn kind(command: &Command) -> Kind {
    match command {
        Command::Status { .. }
        | Command::Check { .. }
        | Command::Verify { repair: false }
        | Command::Backups { adopt: false }
        | Command::History {}
        | Command::Update { dry_run: true, .. } => Kind::Look,
        Command::Update { dry_run: false, .. }
        | Command::Launch { .. }
        | Command::Download { .. }
        | Command::Apply {}
        | Command::Ignore { .. }
        | Command::Verify { repair: true } => Kind::Update,
        Command::Rollback { .. } | Command::Unhold {} | Command::Backups { adopt: true } | Command::Settings { .. } => Kind::Administer,
    }
}

#[cfg(test)]
mod tests {
    use super::super::message::Agreed;
    use super::*;

    fn peer(uid: u32, groups: &[&str]) -> Peer {
        Peer { uid, name: format!("user{uid}"), groups: groups.iter().map(|&group| group.to_owned()).collect() }
    }

    fn look() -> Vec<Command> {
        let plan = Command::Update { dry_run: true, consent: Agreed::Unasked, trigger: None };
        vec![
            Command::Status { explain: true },
            Command::Check { trigger: None },
            Command::Verify { repair: false },
            Command::Backups { adopt: false },
            Command::History {},
            plan,
        ]
    }

    fn change() -> Vec<Command> {
        let launch = Command::Launch { environment: None, server_build: None, consent: Agreed::Unasked };
        let update = Command::Update { dry_run: false, consent: Agreed::Yes, trigger: None };
        let ignore = Command::Ignore { build: None, release: None, undo: false };
        vec![update, launch, ignore, Command::Download { trigger: None }, Command::Apply {}, Command::Verify { repair: true }]
    }

    fn administer() -> Vec<Command> {
        let rollback = Command::Rollback { to: None, reason: Some("because".into()) };
        let settings = Command::Settings { key: "consent".into(), value: None };
        vec![rollback, Command::Unhold {}, Command::Backups { adopt: true }, settings]
    }

    #[test]
    fn without_settings_everybody_looks_and_updates_and_root_goes_back() {
        let (settings, guest, root) = (Settings::default(), peer(1000, &["guests"]), peer(0, &[]));
        for command in look().into_iter().chain(change()) {
            assert_eq!(decide(&guest, &command, &settings), Right::Allowed, "{command:?}");
        }
        for command in administer() {
            let Right::Denied { why } = decide(&guest, &command, &settings) else { panic!("{command:?}") };
            assert!(why.contains(&format!("{ROOT} alone")) && why.contains("user1000") && why.contains(command.name()), "{why}");
            assert_eq!(decide(&root, &command, &settings), Right::Allowed);
        }
    }

    #[test]
    fn updating_can_be_kept_for_groups_and_administering_given_to_one() {
        let settings = Settings {
            update: WhoUpdates::Members,
            update_groups: vec!["tills".into()],
            admin_groups: vec!["it".into()],
            ..Settings::default()
        };
        let (guest, cashier, admin) = (peer(1, &[]), peer(2, &["x", "tills"]), peer(3, &["it"]));
        for command in look() {
            assert_eq!(decide(&guest, &command, &settings), Right::Allowed);
        }
        for command in change() {
            assert!(matches!(decide(&guest, &command, &settings), Right::Denied { why } if why.contains("tills, it")), "{command:?}");
            assert_eq!(decide(&cashier, &command, &settings), Right::Allowed);
        }
        for command in administer() {
            assert!(matches!(decide(&cashier, &command, &settings), Right::Denied { .. }), "{command:?}");
        }
        for command in look().into_iter().chain(change()).chain(administer()) {
            assert_eq!(decide(&admin, &command, &settings), Right::Allowed);
        }
    }
}
