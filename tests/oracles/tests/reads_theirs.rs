//! What python-tuf publishes, the updater reads: delegations, thresholds, rotations, hash bins, odd names, with the production verifier and over HTTP.
//!
//! python-tuf's key ids are the computed ones, so that production reads them, too. What the specification does not have and python-tuf can write, succinct roles (TAP 15), is left out.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use manifests::digest::Digest;
use manifests::key::Ed25519Verifier;
use manifests::limits::Limits;
use manifests::time::UtcTime;
use oracles::ours::in_memory;
use oracles::python::Python;
use oracles::sigstore::{self, Served};
use serde::Deserialize;
use serde_json::json;
use sigstore_tuf::MemoryStore;
use updater::fetch::http::HttpSource;
use updater::fs::Folder;
use updater::refresh::Refresh;
use updater::trust_store::TrustStore;

const NOW: &str = "2026-11-21T10:00:00Z";

/// What `python/compose.py` made.
#[derive(Deserialize)]
struct Recipe {
    recipe: String,
    root: String,
    states: Vec<State>,
}

#[derive(Deserialize)]
struct State {
    folder: String,
    /// SHA-256 by target path.
    targets: BTreeMap<String, String>,
}

/// A running python-tuf and the repositories that it made below `folder`.
fn composed(folder: &Path) -> (Python, Vec<Recipe>) {
    let mut python = Python::start();
    let made = python.ask("compose", json!({"now": NOW, "folder": folder}));
    let recipes: Vec<Recipe> = serde_json::from_value(made).expect("recipes");
    assert!(recipes.len() >= 11, "{} recipes", recipes.len());
    (python, recipes)
}

fn base(python: &mut Python, state: &State) -> String {
    let port = python.ask("serve", json!({"folder": state.folder}));
    format!("http://127.0.0.1:{port}/")
}

#[test]
fn the_updater_follows_repositories_that_python_tuf_made() {
    let folder = in_memory();
    let (mut python, recipes) = composed(folder.path());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let _ = rustls::crypto::ring::default_provider().install_default();
    for recipe in recipes {
        // One store for all states, as on a station.
        let at = folder.path().join("stores").join(&recipe.recipe);
        let store = TrustStore::standalone(Arc::new(Folder::create(&at).expect("a folder"))).expect("a trust store");
        store.save("root", &hex::decode(&recipe.root).expect("hex")).expect("the root is stored");
        for (number, state) in recipe.states.iter().enumerate() {
            let base = base(&mut python, state);
            let got = runtime.block_on(visit(&store, &base, state));
            let got = got.unwrap_or_else(|error| panic!("{}, state {number}: {error}", recipe.recipe));
            assert_eq!(got, state.targets, "{}, state {number}", recipe.recipe);
        }
    }
}

async fn visit(store: &TrustStore, base: &str, state: &State) -> Result<BTreeMap<String, String>, Box<dyn std::error::Error>> {
    let source = HttpSource::new(base.parse()?)?;
    let now: UtcTime = NOW.parse()?;
    let mut refresh = Refresh::new(&source, store, "metadata/", now, Arc::new(Ed25519Verifier), Limits::default())?.run().await?;
    let mut got = BTreeMap::new();
    for path in state.targets.keys() {
        let target = refresh.find_target(path).await?.ok_or_else(|| format!("`{path}` is listed by nobody"))?;
        let bytes = refresh.get_target(&source, "targets/", path, &target, u64::MAX).await?;
        got.insert(path.clone(), Digest::of(&bytes).to_hex());
    }
    assert_eq!(refresh.find_target("nobody/lists/this").await?, None);
    Ok(got)
}

/// The judges agree with each other on what the updater is measured by.
#[test]
fn sigstore_tuf_follows_them_too() {
    let folder = in_memory();
    let (mut python, recipes) = composed(folder.path());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let now = NOW.parse::<UtcTime>().expect("a time").unix();
    for recipe in recipes {
        let store = Arc::new(MemoryStore::new());
        let root = hex::decode(&recipe.root).expect("hex");
        for state in &recipe.states {
            let base = base(&mut python, state);
            for (path, digest) in &state.targets {
                let bytes = runtime.block_on(sigstore::visit(Served::at(&base), &root, store.clone(), now, path));
                let bytes = bytes.unwrap_or_else(|error| panic!("{}, `{path}`: {error}", recipe.recipe));
                assert_eq!(Digest::of(&bytes).to_hex(), *digest, "{}, `{path}`", recipe.recipe);
            }
        }
    }
}
