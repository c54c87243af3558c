//! From a model to the files that are served, with what was drawn done on the way: to the content, to its signers, to the signatures, to the text, to what is served.

use manifests::canonical;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256, Sha512};

use super::keys;
use super::model::{Listing, Model, Role};
use super::mutate::{Apply, Drawn};
use super::raw::{Side, expand};
use crate::case::Files;
use crate::random::Random;

/// Who is told of each change that came about: name, role or file, detail.
type Note<'a> = &'a mut dyn FnMut(&'static str, String, String);

/// Root `index` + 1, as its signers made it.
pub(super) fn root(model: &Model, index: usize) -> Vec<u8> {
    let mut renderer = Renderer { drawn: &[], random: &mut Random::new(0), note: &mut |_, _, _| {} };
    renderer.file("root", &model.roots[index])
}

/// All files as their publisher makes them, with `drawn` done to them.
pub(super) fn files(model: &Model, drawn: &[Drawn], random: &mut Random, note: Note<'_>) -> Files {
    let mut renderer = Renderer { drawn, random, note };
    let mut files = Files::new();
    let consistent = model.consistent();
    for (index, role) in model.roots.iter().enumerate() {
        // Only the last root is changed: the others were published when all was well.
        let last = index + 1 == model.roots.len();
        let bytes = if last { renderer.file("root", role) } else { root(model, index) };
        files.insert(format!("metadata/{}.root.json", index + 1), bytes);
    }
    let mut snapshot = model.roles["snapshot"].clone();
    for name in model.targets_roles() {
        let role = &model.roles[&name];
        let bytes = renderer.file(&name, role);
        if !model.unlisted.contains(&name) {
            snapshot.signed["meta"][format!("{name}.json")] = listed(model.listing, &role.signed["version"], &bytes);
        }
        files.insert(place(consistent, &name, &role.signed["version"]), bytes);
    }
    let bytes = renderer.file("snapshot", &snapshot);
    let mut timestamp = model.roles["timestamp"].clone();
    timestamp.signed["meta"]["snapshot.json"] = listed(model.listing, &snapshot.signed["version"], &bytes);
    files.insert(place(consistent, "snapshot", &snapshot.signed["version"]), bytes);
    files.insert("metadata/timestamp.json".to_owned(), renderer.file("timestamp", &timestamp));
    targets(model, consistent, &mut files);
    files
}

/// Does to `files`, as they are served, what a stranger in the network does: to one of the `new` ones; `before` is what was served earlier.
pub(super) fn serve<'a>(
    files: &mut Files,
    new: impl Iterator<Item = &'a String>,
    before: &Files,
    drawn: &[Drawn],
    random: &mut Random,
    note: Note<'_>,
) {
    let paths: Vec<&String> = new.collect();
    for drawn in drawn {
        if let Apply::Served(apply) = drawn.mutation.apply {
            let path = (*random.pick(&paths)).clone();
            if let Some(detail) = apply(files, &path, before, random) {
                note(drawn.mutation.name, path, detail);
            }
        }
    }
}

struct Renderer<'a> {
    drawn: &'a [Drawn],
    random: &'a mut Random,
    note: Note<'a>,
}

impl Renderer<'_> {
    /// The file of a role.
    fn file(&mut self, name: &str, role: &Role) -> Vec<u8> {
        let Role { mut signed, mut signers } = role.clone();
        let drawn: Vec<&Drawn> = self.drawn.iter().filter(|drawn| drawn.role == name).collect();
        for Drawn { mutation, .. } in &drawn {
            match mutation.apply {
                Apply::Content(apply) => self.change(mutation.name, name, &mut signed, apply),
                Apply::Signers(apply) => self.change(mutation.name, name, &mut signers, |signers, random| apply(signers, &signed, random)),
                _ => {}
            }
        }
        // What has no canonical form is signed as it is written: nobody accepts it, and that is what is to be seen.
        let message = canonical::to_vec(&signed).unwrap_or_else(|_| signed.to_string().into_bytes());
        let message = expand(&String::from_utf8(message).expect("JSON is text"), Side::Signed);
        let signatures: Vec<Value> = signers.iter().map(|number| keys::sign(*number, message.as_bytes())).collect();
        let mut envelope = json!({"signatures": signatures, "signed": signed});
        for Drawn { mutation, .. } in &drawn {
            if let Apply::Envelope(apply) = mutation.apply {
                self.change(mutation.name, name, &mut envelope, |envelope, random| apply(envelope, message.as_bytes(), random));
            }
        }
        let mut text = expand(&envelope.to_string(), Side::Stored).into_bytes();
        for Drawn { mutation, .. } in &drawn {
            if let Apply::Text(apply) = mutation.apply {
                self.change(mutation.name, name, &mut text, apply);
            }
        }
        text
    }

    /// Does `apply` to `thing` and notes it, or, when it does not apply, leaves `thing` as it is.
    fn change<T: Clone>(
        &mut self,
        name: &'static str,
        role: &str,
        thing: &mut T,
        apply: impl FnOnce(&mut T, &mut Random) -> Option<String>,
    ) {
        let mut changed = thing.clone();
        if let Some(detail) = apply(&mut changed, self.random) {
            *thing = changed;
            (self.note)(name, role.to_owned(), detail);
        }
    }
}

/// All contents that a role lists, under every name that a client may use.
fn targets(model: &Model, consistent: bool, files: &mut Files) {
    for (path, content) in &model.contents {
        if !consistent {
            files.insert(format!("targets/{path}"), content.clone());
            continue;
        }
        let (folder, name) = path.rsplit_once('/').map_or((String::new(), path.as_str()), |(folder, name)| (format!("{folder}/"), name));
        for hash in [hex::encode(Sha256::digest(content)), hex::encode(Sha512::digest(content))] {
            files.insert(format!("targets/{folder}{hash}.{name}"), content.clone());
        }
    }
}

fn listed(listing: Listing, version: &Value, bytes: &[u8]) -> Value {
    let mut entry = json!({"version": version});
    if listing.length {
        entry["length"] = json!(bytes.len());
    }
    if listing.sha256 {
        entry["hashes"]["sha256"] = json!(hex::encode(Sha256::digest(bytes)));
    }
    if listing.sha512 {
        entry["hashes"]["sha512"] = json!(hex::encode(Sha512::digest(bytes)));
    }
    entry
}

/// Where a client looks for a role.
fn place(consistent: bool, role: &str, version: &Value) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encoded: String =
        role.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect();
    if consistent { format!("metadata/{version}.{encoded}.json") } else { format!("metadata/{encoded}.json") }
}
