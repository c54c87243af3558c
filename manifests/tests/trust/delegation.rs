//! The search through delegations (5.6.7): W22–W24; A8, A18, A19.

use manifests::key::Ed25519Verifier;
use manifests::limits::Limits;
use manifests::role::RoleError;
use manifests::targets::{DelegatedRole, Scope, TargetFile, Targets};
use manifests::trust::{Need, Search, SearchStep, TrustError};
use sha2::Digest as _;

use crate::refused;
use crate::repository::{LINUX, Repository, WINDOWS, delegated, delegations, sign, targets_of, version};
use crate::station::{find, first_visit, search, start, take};

/// A repository whose roles delegate as `tree` says: role, whether its targets hold `path`, and to whom it delegates `*`, `!` in front for terminating. Every role is signed by the key of
/// its name.
fn tree(path: &str, tree: &[(&str, bool, &[&str])]) -> Repository {
    let mut repository = Repository::new();
    repository.delegated.clear();
    for (role, holds, below) in tree {
        let names: Vec<&str> = below.iter().map(|name| name.trim_start_matches('!')).collect();
        let delegate = |name: &&str| DelegatedRole {
            terminating: name.starts_with('!'),
            ..delegated(name.trim_start_matches('!'), &[name.trim_start_matches('!')], &["*"])
        };
        let delegations = delegations(&names, below.iter().map(delegate).collect());
        let content = Targets { delegations, ..targets_of(if *holds { std::slice::from_ref(&path) } else { &[] }) };
        match *role {
            "targets" => repository.targets = content,
            other => drop(repository.delegated.insert(other.into(), content)),
        }
    }
    repository
}

fn visited(path: &str, shape: &[(&str, bool, &[&str])]) -> (Option<String>, Vec<String>) {
    let searched = find(&tree(path, shape).files(), path).expect("a good repository");
    (searched.role().map(str::to_owned), searched.visited)
}

#[test]
fn w22_a_delegated_role_is_signed_by_the_keys_that_its_delegator_names() {
    for names in [&["targets"][..], &["linux"], &["root", "timestamp", "snapshot"], &["stranger"], &[]] {
        let mut repository = Repository::new();
        repository.sign_with("windows", names);
        refused!(find(&repository.files(), WINDOWS), TrustError::Role(RoleError::Unsigned { role, valid: 0, .. }) if role == "windows");
    }
}

#[test]
fn w22_a_delegated_role_meets_the_threshold_of_its_delegation() {
    let mut repository = Repository::new();
    let role = delegated("windows", &["a", "b"], &["windows/*/*/*"]);
    repository.targets.delegations = delegations(&["a", "b"], vec![role]);
    repository.sign_with("windows", &["a"]);
    refused!(find(&repository.files(), WINDOWS), TrustError::Role(RoleError::Unsigned { valid: 1, threshold: 2, .. }));
    repository.sign_with("windows", &["b", "a"]);
    assert_eq!(find(&repository.files(), WINDOWS).expect("both").role(), Some("windows"));
}

#[test]
fn w22_a_role_that_is_trusted_for_one_delegator_says_nothing_for_another() {
    // `one` and `two` both delegate to `shared`, each with its own key; the file is signed for `one` only.
    let mut repository = tree("b", &[("targets", false, &["one", "two"]), ("one", false, &[]), ("two", false, &[]), ("shared", true, &[])]);
    let below = |key: &str, pattern: &str| delegations(&[key], vec![delegated("shared", &[key], &[pattern])]);
    repository.delegated.get_mut("one").expect("a role").delegations = below("key-one", "a");
    repository.delegated.get_mut("two").expect("a role").delegations = below("key-two", "b");
    repository.sign_with("shared", &["key-one"]);
    let files = repository.files();
    let mut set = first_visit(&files).expect("a good repository");
    assert_eq!(search(&mut set, &files, "a").expect("verified for `one`").role(), None);
    refused!(search(&mut set, &files, "b"), TrustError::Role(RoleError::Unsigned { role, .. }) if role == "shared");

    // Signed for both, it is taken for both.
    repository.sign_with("shared", &["key-one", "key-two"]);
    let files = repository.files();
    let mut set = first_visit(&files).expect("a good repository");
    search(&mut set, &files, "a").expect("for `one`");
    assert_eq!(search(&mut set, &files, "b").expect("for `two`").role(), Some("shared"));
}

#[test]
fn w22_what_a_thief_puts_below_one_delegator_is_not_found_below_another() {
    // As above, one level further down: `leaf` below `shared`. The thief holds the key by which `one` delegates and serves, without hashes in the way, another `shared` of the same version.
    let mut repository = tree(
        "b",
        &[("targets", false, &["one", "two"]), ("one", false, &[]), ("two", false, &[]), ("shared", false, &["leaf"]), ("leaf", true, &[])],
    );
    repository.lists_hashes = false;
    let below = |key: &str, pattern: &str| delegations(&[key], vec![delegated("shared", &[key], &[pattern])]);
    repository.delegated.get_mut("one").expect("a role").delegations = below("stolen", "a");
    repository.delegated.get_mut("two").expect("a role").delegations = below("safe", "b");
    repository.sign_with("shared", &["safe"]);
    let honest = repository.files();

    let mut thief = repository.clone();
    thief.delegated.get_mut("shared").expect("a role").delegations = delegations(&["evil"], vec![delegated("leaf", &["evil"], &["*"])]);
    thief.delegated.get_mut("leaf").expect("a role").targets.insert("b".into(), TargetFile::of(b"evil"));
    thief.sign_with("shared", &["stolen"]);
    thief.sign_with("leaf", &["evil"]);
    let mut forged = honest.clone();
    forged.delegated = thief.files().delegated;

    let mut set = first_visit(&honest).expect("a good repository");
    assert_eq!(search(&mut set, &forged, "a").expect("the thief may speak for `one`").role(), None);
    refused!(search(&mut set, &honest, "b"), TrustError::Mismatch { role } if role == "shared");
    let mut set = first_visit(&honest).expect("a good repository");
    assert_eq!(search(&mut set, &honest, "b").expect("found").found, Some(("leaf".into(), TargetFile::of(b"b"))));
}

/// W22.
#[test]
fn a18_a_role_that_the_snapshot_does_not_list_is_refused() {
    let mut repository = Repository::new();
    repository.delegated.remove("windows");
    refused!(find(&repository.files(), WINDOWS), TrustError::NotInSnapshot { role } if role == "windows");
}

#[test]
fn w22_length_hash_and_version_of_a_delegated_role_are_those_that_the_snapshot_lists() {
    let mut repository = Repository::new();
    let mut files = repository.files();
    files.delegated.insert("windows".into(), [&files.delegated["windows"][..], b" "].concat());
    refused!(find(&files, WINDOWS), TrustError::Mismatch { role } if role == "windows");

    repository.lists_hashes = false;
    let mut files = repository.files();
    let role = repository.delegated.get_mut("windows").expect("a role");
    role.header.version = version(2);
    files.delegated.insert("windows".into(), sign(role, &["windows"]));
    refused!(find(&files, WINDOWS), TrustError::Version { expected: 1, found: 2, .. });
    files.delegated.insert("windows".into(), files.delegated["linux"].clone());
    refused!(find(&files, WINDOWS), TrustError::Role(RoleError::Unsigned { .. }));
}

#[test]
fn w22_a_role_that_nobody_delegated_to_is_refused() {
    let files = Repository::new().files();
    let mut set = first_visit(&files).expect("a good repository");
    let mut give = |role: &str, delegator: &str, via: Option<&str>| {
        let need = Need { role: role.into(), delegator: delegator.into(), via: via.map(str::to_owned) };
        set.update_delegated(&files.delegated["windows"], &need)
    };
    refused!(give("windows", "linux", Some("targets")), TrustError::NotDelegated { .. });
    refused!(give("macosx", "targets", None), TrustError::NotDelegated { .. });
    refused!(give("windows", "nobody", None).and(give("targets", "targets", Some("targets"))), TrustError::NotDelegated { .. });
    give("windows", "targets", None).expect("as delegated");
}

#[test]
fn w23_the_search_is_pre_order_depth_first_in_listed_order() {
    let shape: &[(&str, bool, &[&str])] = &[
        ("targets", false, &["a", "b"]),
        ("a", false, &["c", "d"]),
        ("b", false, &["e"]),
        ("c", false, &[]),
        ("d", false, &["f"]),
        ("e", true, &[]),
        ("f", false, &[]),
    ];
    assert_eq!(visited("x", shape), (Some("e".into()), ["a", "c", "d", "f", "b", "e"].map(str::to_owned).to_vec()));
}

#[test]
fn w23_the_first_role_that_lists_the_target_wins_and_no_further_one_is_asked() {
    let shape: &[(&str, bool, &[&str])] = &[("targets", false, &["a", "b"]), ("a", true, &["c"]), ("b", true, &[]), ("c", true, &[])];
    assert_eq!(visited("x", shape), (Some("a".into()), vec!["a".to_owned()]));
    let top: &[(&str, bool, &[&str])] = &[("targets", true, &["a"]), ("a", true, &[])];
    assert_eq!(visited("x", top), (Some("targets".into()), vec![]));
}

#[test]
fn w23_a_terminating_delegation_ends_the_search_after_its_own_subtree() {
    let shape: &[(&str, bool, &[&str])] = &[("targets", false, &["!a", "b"]), ("a", false, &["c"]), ("b", true, &[]), ("c", false, &[])];
    assert_eq!(visited("x", shape), (None, vec!["a".to_owned(), "c".to_owned()]));
    // Further up, too: `d` ends what `targets` still had in mind.
    let deep: &[(&str, bool, &[&str])] =
        &[("targets", false, &["a", "b"]), ("a", false, &["!d", "e"]), ("b", true, &[]), ("d", false, &[]), ("e", true, &[])];
    assert_eq!(visited("x", deep), (None, vec!["a".to_owned(), "d".to_owned()]));
}

#[test]
fn w23_a_terminating_delegation_of_other_paths_ends_nothing() {
    let mut repository = Repository::new();
    let windows = DelegatedRole { terminating: true, ..delegated("windows", &["windows"], &["windows/*/*/*"]) };
    repository.targets.delegations = delegations(&["windows", "linux"], vec![windows, delegated("linux", &["linux"], &["*/*/*/*"])]);
    let searched = find(&repository.files(), LINUX).expect("found");
    assert_eq!((searched.role(), searched.visited.clone()), (Some("linux"), vec!["linux".to_owned()]));
}

#[test]
fn w23_a_role_that_cannot_be_had_or_verified_ends_the_search_whatever_comes_after() {
    let mut files = tree("x", &[("targets", false, &["a", "b"]), ("a", false, &[]), ("b", true, &[])]).files();
    files.delegated.remove("a");
    refused!(find(&files, "x"), TrustError::Mismatch { role } if role == "a");
}

/// W23.
#[test]
fn a18_cycles_and_diamonds_visit_each_role_once() {
    let cycle: &[(&str, bool, &[&str])] =
        &[("targets", false, &["a"]), ("a", false, &["b"]), ("b", false, &["a", "c"]), ("c", true, &["b"])];
    assert_eq!(visited("x", cycle), (Some("c".into()), ["a", "b", "c"].map(str::to_owned).to_vec()));
    let endless: &[(&str, bool, &[&str])] = &[("targets", false, &["a"]), ("a", false, &["b"]), ("b", false, &["a"])];
    assert_eq!(visited("x", endless), (None, ["a", "b"].map(str::to_owned).to_vec()));
    let itself: &[(&str, bool, &[&str])] = &[("targets", false, &["a"]), ("a", false, &["a"])];
    assert_eq!(visited("x", itself), (None, vec!["a".to_owned()]));
    let diamond: &[(&str, bool, &[&str])] =
        &[("targets", false, &["a", "b"]), ("a", false, &["d"]), ("b", false, &["d"]), ("d", false, &[])];
    assert_eq!(visited("x", diamond), (None, ["a", "d", "b"].map(str::to_owned).to_vec()));
}

/// W23.
#[test]
fn a18_of_a_diamond_with_different_keys_the_first_way_counts() {
    let mut repository = tree("x", &[("targets", false, &["a", "b"]), ("a", false, &["d"]), ("b", false, &[]), ("d", true, &[])]);
    repository.delegated.get_mut("b").expect("a role").delegations = delegations(&["other"], vec![delegated("d", &["other"], &["*"])]);
    repository.sign_with("d", &["other"]);
    refused!(find(&repository.files(), "x"), TrustError::Role(RoleError::Unsigned { role, .. }) if role == "d");
    repository.sign_with("d", &["d"]);
    assert_eq!(find(&repository.files(), "x").expect("the first way").role(), Some("d"));
}

/// W23.
#[test]
fn a18_no_more_roles_are_visited_than_the_limit_in_depth_or_in_breadth() {
    let names: Vec<String> = (1..=33).map(|n| format!("r{n:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let chain = |count: usize| {
        let mut shape: Vec<(&str, bool, &[&str])> = vec![("targets", false, &names[..1])];
        shape.extend((0..count).map(|n| (names[n], n + 1 == count, if n + 1 == count { &[][..] } else { &names[n + 1..n + 2] })));
        find(&tree("x", &shape).files(), "x")
    };
    let fan = |count: usize| {
        let mut shape: Vec<(&str, bool, &[&str])> = vec![("targets", false, &names[..count])];
        shape.extend((0..count).map(|n| (names[n], n + 1 == count, &[][..])));
        find(&tree("x", &shape).files(), "x")
    };
    assert_eq!(chain(32).expect("as deep as allowed").visited.len(), 32);
    assert_eq!(fan(32).expect("as broad as allowed").visited.len(), 32);
    refused!(chain(33), TrustError::TooManyDelegations(32));
    refused!(fan(33), TrustError::TooManyDelegations(32));
}

#[test]
fn a18_a_chain_of_a_thousand_delegations_is_given_up_at_the_limit() {
    let names: Vec<String> = (1..=1000).map(|n| format!("r{n:04}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut shape: Vec<(&str, bool, &[&str])> = vec![("targets", false, &names[..1])];
    shape.extend((0..1000).map(|n| (names[n], n == 999, if n == 999 { &[][..] } else { &names[n + 1..n + 2] })));
    let files = tree("x", &shape).files();
    let mut set = first_visit(&files).expect("a good repository");
    refused!(search(&mut set, &files, "x"), TrustError::TooManyDelegations(32));
    // What was visited on the way is trusted for what it is, and another search begins anew.
    refused!(search(&mut set, &files, "y"), TrustError::TooManyDelegations(32));
}

#[test]
fn a18_a_million_delegations_in_one_role_are_refused_by_their_length() {
    let one = serde_json::to_string(&delegated("r0000000", &["windows"], &["windows/*/*/*"])).expect("JSON");
    let roles: Vec<String> = (0..1_000_000).map(|n| one.replacen("r0000000", &format!("r{n:07}"), 1)).collect();
    let mut repository = Repository::new();
    repository.targets.delegations = delegations(&["windows"], vec![]);
    let few = String::from_utf8(sign(&repository.targets, &["targets"])).expect("UTF-8");
    let file = few.replacen("\"roles\":[]", &format!("\"roles\":[{}]", roles.join(",")), 1);
    assert!(file.len() > 100 << 20, "{} bytes", file.len());
    // The snapshot lists the file with this length and hash: its key is online, and a thief of it does not decide how much is read.
    repository.replaced.insert("targets".into(), file.into_bytes());
    refused!(first_visit(&repository.files()).map(drop), TrustError::Envelope { role, .. } if role == "targets");
}

#[test]
fn a18_many_delegations_that_do_not_match_cost_no_visit() {
    let mut repository = Repository::new();
    let mut roles: Vec<DelegatedRole> = (0..2000).map(|n| delegated(&format!("other-{n}"), &["windows"], &["elsewhere/*"])).collect();
    roles.push(delegated("windows", &["windows"], &["windows/*/*/*"]));
    repository.targets.delegations = delegations(&["windows"], roles);
    assert_eq!(find(&repository.files(), WINDOWS).expect("found").visited, ["windows"]);
}

#[test]
fn a18_a_delegated_role_may_not_be_named_like_a_top_level_role_nor_twice() {
    for names in [&["root"][..], &["timestamp"], &["snapshot"], &["targets"], &[""], &["a", "a"]] {
        let mut repository = Repository::new();
        repository.targets.delegations =
            delegations(&["windows"], names.iter().map(|name| delegated(name, &["windows"], &["*"])).collect());
        refused!(first_visit(&repository.files()).map(drop), TrustError::Role(RoleError::Malformed { .. }));
    }
}

#[test]
fn a18_role_names_are_names_and_never_paths() {
    for name in ["../x", "/etc/passwd", "a/b", "C:\\x", ".", "..", "\u{202e}", "targets.json", "x\0"] {
        let shape: &[(&str, bool, &[&str])] = &[("targets", false, &[name]), (name, true, &[])];
        assert_eq!(visited("x", shape), (Some(name.to_owned()), vec![name.to_owned()]), "{name:?}");
    }
}

/// W24.
#[test]
fn a8_what_one_os_signs_under_the_path_of_another_is_never_asked_for() {
    // `linux` lists a target under the path of `windows`, and everything above it is signed as it should be.
    let mut repository = Repository::new();
    let smuggled = TargetFile::of(b"for linux");
    repository.delegated.get_mut("linux").expect("a role").targets.insert(WINDOWS.into(), smuggled.clone());
    repository.delegated.get_mut("windows").expect("a role").targets.clear();
    let searched = find(&repository.files(), WINDOWS).expect("a search that ends");
    assert_eq!((searched.role(), searched.visited.as_slice()), (None, &["windows".to_owned()][..]));
    // Nor without a role for `windows` at all.
    let linux = DelegatedRole { terminating: true, ..delegated("linux", &["linux"], &["linux/*/*/*"]) };
    repository.targets.delegations = delegations(&["linux"], vec![linux]);
    let searched = find(&repository.files(), WINDOWS).expect("a search that ends");
    assert_eq!((searched.role(), searched.visited.len()), (None, 0));
    // The whole file of `linux` in the place of that of `windows` is not signed by the key of `windows`.
    let files = Repository::new().files();
    let mut swapped = files.clone();
    swapped.delegated.insert("windows".into(), files.delegated["linux"].clone());
    refused!(find(&swapped, WINDOWS), TrustError::Mismatch { role } if role == "windows");
    let mut repository = Repository::new();
    repository.sign_with("windows", &["linux"]);
    refused!(find(&repository.files(), WINDOWS), TrustError::Role(RoleError::Unsigned { role, valid: 0, .. }) if role == "windows");
}

/// W24.
#[test]
fn a19_a_role_is_asked_only_for_the_paths_that_are_delegated_to_it() {
    // Who holds the key of `windows` lists whatever he likes.
    let mut repository = Repository::new();
    let stolen = repository.delegated.get_mut("windows").expect("a role");
    for path in [
        LINUX,
        "../x",
        "policy.json",
        "windows/x.json",
        "windows/a/b/c/d.json",
        "Windows/smartclient/x86_64/stable.json",
        "windows/../linux/a/b",
    ] {
        stolen.targets.insert(path.into(), TargetFile::of(b"evil"));
    }
    let files = repository.files();
    for path in ["../x", "windows/x.json", "windows/a/b/c/d.json", "Windows/smartclient/x86_64/stable.json", "windows/../linux/a/b"] {
        let searched = find(&files, path).expect("a search that ends");
        assert_eq!((searched.role(), searched.visited.len()), (None, 0), "{path}");
    }
    assert_eq!(find(&files, LINUX).expect("found").found, Some(("linux".into(), TargetFile::of(LINUX.as_bytes()))));
    assert_eq!(find(&files, crate::repository::POLICY).expect("found").role(), Some("targets"));
    assert_eq!(find(&files, WINDOWS).expect("found").role(), Some("windows"));
}

#[test]
fn w24_a_path_has_to_match_every_delegation_on_the_way() {
    let mut repository = tree("a/b", &[("targets", false, &[]), ("outer", false, &[]), ("inner", true, &[])]);
    let mut with = |outer: &str, inner: &str| {
        repository.targets.delegations = delegations(&["outer"], vec![delegated("outer", &["outer"], &[outer])]);
        repository.delegated.get_mut("outer").expect("a role").delegations =
            delegations(&["inner"], vec![delegated("inner", &["inner"], &[inner])]);
        find(&repository.files(), "a/b").expect("a search that ends").role().map(str::to_owned)
    };
    assert_eq!(with("a/*", "*/b"), Some("inner".into()));
    assert_eq!(with("a/*", "c/*"), None);
    assert_eq!(with("c/*", "a/*"), None);
    assert_eq!(with("*", "a/b"), None);
    assert_eq!(with("a/?", "?/?"), Some("inner".into()));
    assert_eq!(with("A/*", "a/b"), None);
}

#[test]
fn w24_hash_prefixes_select_by_the_sha256_of_the_path() {
    let path = "any/where";
    let hash = hex::encode(sha2::Sha256::digest(path.as_bytes()));
    let with = |prefixes: &[&str]| {
        let mut repository = tree(path, &[("targets", false, &[]), ("bin", true, &[])]);
        let scope = Scope::PathHashPrefixes(prefixes.iter().map(|prefix| (*prefix).to_owned()).collect());
        repository.targets.delegations = delegations(&["bin"], vec![DelegatedRole { scope, ..delegated("bin", &["bin"], &[]) }]);
        find(&repository.files(), path).expect("a search that ends").role().map(str::to_owned)
    };
    for good in [&hash[..1], &hash[..8], &hash] {
        assert_eq!(with(&["zz", good]), Some("bin".into()), "{good}");
    }
    for bad in [&hash[1..], &format!("{hash}0"), &hash.to_uppercase(), "*"] {
        assert_eq!(with(&[bad]), None, "{bad}");
    }
    assert_eq!(with(&[]), None);
}

#[test]
fn w24_paths_and_hash_prefixes_together_or_neither_are_refused() {
    let mut repository = Repository::new();
    let good = serde_json::to_value(delegated("x", &["x"], &["*"])).expect("JSON");
    let mut both = good.clone();
    both["path_hash_prefixes"] = serde_json::json!(["0"]);
    let mut neither = good.clone();
    neither.as_object_mut().expect("an object").remove("paths");
    assert!(serde_json::from_value::<DelegatedRole>(good).is_ok());
    for bad in [both, neither] {
        assert!(serde_json::from_value::<DelegatedRole>(bad).is_err());
    }
    repository.targets.delegations = delegations(&["windows"], vec![delegated("windows", &["windows"], &[])]);
    assert_eq!(find(&repository.files(), WINDOWS).expect("a search that ends").visited.len(), 0, "no pattern, no path");
}

#[test]
fn a_search_asks_for_the_same_role_until_it_is_given() {
    let files = Repository::new().files();
    let mut set = start(&files.root, Ed25519Verifier, Limits::default()).expect("a good root");
    let mut search = Search::new(WINDOWS);
    refused!(search.step(&set), TrustError::OutOfOrder(_));
    take(&mut set, &files).expect("a good repository");
    let mut search = Search::new(WINDOWS);
    let need = Need { role: "windows".into(), delegator: "targets".into(), via: None };
    assert_eq!(search.step(&set).expect("a step"), SearchStep::Need(need.clone()));
    assert_eq!(search.step(&set).expect("a step"), SearchStep::Need(need.clone()));
    set.update_delegated(&files.delegated["windows"], &need).expect("a good role");
    assert!(matches!(search.step(&set).expect("a step"), SearchStep::Found { .. }));
    assert!(matches!(search.step(&set).expect("a step"), SearchStep::NotFound));
}
