//! Every code that this server says has a title, a cause and a cure in the catalogue of `updater explain`, and no other code has one there (S2-22).

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;

use update_server::error::Problem;
use update_server::readiness::warnings::Concern;

#[test]
fn every_code_of_the_server_is_explained_and_nobody_explains_a_code_that_is_none() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../updater/locales/en/codes-update-server.ftl");
    let catalogue = std::fs::read_to_string(path).unwrap();
    let explained: BTreeSet<&str> = catalogue.lines().filter_map(|line| line.strip_prefix("code-")?.split(" =").next()).collect();
    let said: BTreeSet<&str> = Problem::ALL.iter().map(Problem::code).chain(Concern::CODES.iter().copied()).collect();
    let missing: Vec<_> = said.difference(&explained).collect();
    assert!(
        missing.is_empty(),
        "these codes have no text: {missing:?}\nadd to updater/locales/{{en,pt-BR,ru,zh-CN}}/codes-update-server.ftl, in the group where they belong:\n\ncode-CODE = Title without an end\n    .why = The cause.\n    .cure = What to do.\n\nthen run `WRITE_PAGES=1 cargo test -p updater --test texts pages`"
    );
    let surplus: Vec<_> = explained.difference(&said).collect();
    assert!(surplus.is_empty(), "nobody says these codes: {surplus:?}");
}
