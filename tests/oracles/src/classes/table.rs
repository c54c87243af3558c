//! The table of differences.

use super::How::{self, Accepts, Free, Refuses};
use super::Who::{Ours, Python, Sigstore};
use super::{Class, Seen};

/// All of them, sorted by who differs.
pub const CLASSES: &[Class] = &[
    // What we refuse and others accept.
    Class {
        name: "repeated key in JSON",
        how: Refuses(Ours),
        why: "Others take the last of two values under one key. The specification does not say (4.1 only asks for canonical JSON, in which no key is repeated); two readers must not \
              see two documents in one file, so we refuse (B3).",
        applies: |seen| seen.has(&["key repeated", "key repeated in the envelope"]),
    },
    Class {
        name: "key id that is not computed",
        how: Refuses(Ours),
        why: "Others believe the id that the file gives a key. 4.3: \"Clients MUST calculate each KEYID to verify this is correct for the associated key\". We are right; the others let one \
              key count twice under two ids, against 5.3.4 \"each KEY MUST only contribute one SIGNATURE\".",
        applies: |seen| {
            seen.has(&["key under an id that is not its own", "unused key under an id that is not its own", "one key under two ids"])
                || seen.begins("key with more fields", &["id of the known fields"])
                || seen.replaced(|place| place.contains("/keys/"), &[])
        },
    },
    Class {
        name: "hex in upper case",
        how: Refuses(Ours),
        why: "4.2.1 says \"hex-encoded\" and leaves the case open. We know one spelling of everything that is signed or compared (docs/format.md section 1); every tool writes lower case.",
        applies: |seen| seen.has(&["signature in upper case", "key in upper case", "file flipped"]),
    },
    Class {
        name: "more than 64 signatures",
        how: Refuses(Ours),
        why: "A bound before the first signature is checked (A15, CVE-2020-6173). The specification sets none.",
        applies: |seen| seen.begins("many signatures", &["65", "200"]),
    },
    Class {
        name: "keys of small order",
        how: Refuses(Ours),
        why: "With the neutral point as a key, one signature fits every message. We verify strictly (`verify_strict`, A16) and count no such key; RFC 8032 does not ask for that, and the libraries \
              of the others do not do it. Only who may sign root or a delegation can list such a key.",
        applies: |seen| seen.has(&["key of small order"]),
    },
    Class {
        name: "nesting deeper than 64",
        how: Refuses(Ours),
        why: "A bound on every document (B2): no role needs more than 6. The specification sets none; sigstore-tuf stops at 128, python-tuf where Python's stack does.",
        applies: |seen| seen.begins("nesting", &["63", "125", "126"]),
    },
    Class {
        name: "no hash that we know, beside the way",
        how: Refuses(Ours),
        why: "An entry that lists no sha256 and no sha512 vouches for nothing, and we refuse the file that holds it; others only look when they need that entry. 4.4 \"one or more hashes\" leaves \
              the algorithms open (A23).",
        applies: |seen| {
            let details = ["md5 alone", "unknown alone"];
            seen.begins("listed hashes", &details) || seen.begins("target's hashes", &details)
        },
    },
    Class {
        name: "spec_version with other digits",
        how: Refuses(Ours),
        why: "Python's `isdigit` takes digits of any script, sigstore-tuf reads the first part alone. 4.3: the format is that of semver, which knows ASCII digits. We are right.",
        applies: |seen| seen.any("spec_version", |text| !text.is_ascii()),
    },
    // What we accept and others refuse.
    recovery(Accepts(Ours)),
    recovery(Refuses(Ours)),
    recovery(Accepts(Python)),
    recovery(Refuses(Python)),
    recovery(Refuses(Sigstore)),
    // python-tuf alone.
    Class {
        name: "integers of any size",
        how: Accepts(Python),
        why: "Python's integers have no bounds, and it reads `-0` as 0. We and sigstore-tuf know 64 bits. The specification says \"an integer\"; two readers must not see two numbers (B4).",
        applies: |seen| {
            seen.begins("odd number in an unknown field", &["-0", "18446744073709551616", "-9223372036854775809"])
                || seen.begins("version that is no number", &["beyond 64 bits"])
        },
    },
    Class {
        name: "values of another type",
        how: Accepts(Python),
        why: "python-tuf checks few types: `true` counts as 1, a text as a list of its letters, anything as a boolean. 4.3 to 4.5 name the types. We and sigstore-tuf are right (B8).",
        applies: |seen| {
            let loose = ["true", "text", "number", "null", "fraction"];
            seen.begins("version that is no number", &["true"])
                || ["threshold", "terminating", "paths", "hash prefixes", "listed version", "listed length", "target's length"]
                    .iter()
                    .any(|name| seen.begins(name, &loose))
                || seen.begins("broken signature", &["null"])
                || seen.begins("broken signature of a stranger", &["null"])
                || seen.begins("signatures of another shape", &["null"])
                || seen.has(&["value of another type"])
        },
    },
    Class {
        name: "white space in hex",
        how: Accepts(Python),
        why: "Python's `bytes.fromhex` skips white space. 4.2.1: a signature is \"hex-encoded\". We and sigstore-tuf are right.",
        applies: |seen| seen.begins("broken signature", &["spaced"]),
    },
    Class {
        name: "nesting of any depth",
        how: Accepts(Python),
        why: "We stop at 64 levels, sigstore-tuf at 128, python-tuf where Python's stack does. The specification sets no bound (B2).",
        applies: |seen| seen.has(&["nesting"]),
    },
    Class {
        name: "key type that a client does not know",
        how: Refuses(Python),
        why: "python-tuf refuses a file whose key table holds a key of a type unknown to it, though nobody needs that key. 4.2.2: \"TUF is not restricted to any particular signature schemes, \
              key types\". We and sigstore-tuf count such a key as one that never signs.",
        applies: |seen| seen.has(&["key of an unknown type"]),
    },
    Class {
        name: "role in root that a client does not know",
        how: Refuses(Python),
        why: "python-tuf wants the four roles and no other. 4.3 allows `mirrors`; we and sigstore-tuf skip what we do not know.",
        applies: |seen| seen.has(&["role that nobody knows in root"]),
    },
    Class {
        name: "content that is written anew before its signature is checked",
        how: Refuses(Python),
        why: "python-tuf checks the signature of what it would write itself: a second entry in a timestamp's `meta`, an optional `null`, an empty list of them are gone by then. 4.2.1: the signature is \
              over the canonical form of the metadata, so of what came. We and sigstore-tuf are right where the file is acceptable at all.",
        applies: |seen| {
            seen.has(&["more files listed"])
                || seen.begins("listed length", &["null"])
                || seen.begins("listed hashes", &["null"])
                || seen.replaced(|_| true, &["null"])
        },
    },
    Class {
        name: "hash algorithms that a client does not know",
        how: Refuses(Python),
        why: "python-tuf needs every listed hash to match, by any algorithm that Python has; we and sigstore-tuf check sha256 and sha512, ask for one of them, and skip others. 5.5.2 \"MUST match the \
              hashes, if any, listed\": python-tuf is the stricter reader, at the price that no new algorithm can ever be listed beside an old one.",
        applies: |seen| {
            let details = ["unknown beside right", "wrong md5 beside right", "md5 alone", "unknown alone"];
            seen.begins("listed hashes", &details)
                || seen.begins("target's hashes", &details)
                || seen.replaced(|place| place.contains("/hashes"), &[])
        },
    },
    // sigstore-tuf alone.
    Class {
        name: "expiry at this very second",
        how: Accepts(Sigstore),
        why: "sigstore-tuf accepts metadata in the second in which it expires. 5.3.10, 5.4.4, 5.5.6, 5.6.5: the expiry \"MUST be higher than the fixed update start time\". We and python-tuf are right \
              (A5).",
        applies: |seen| {
            seen.begins("expiry", &["now"]) || seen.has(&["time passes", "release and time passes", "everything renewed later"])
        },
    },
    Class {
        name: "instants in other spellings",
        how: Accepts(Sigstore),
        why: "sigstore-tuf reads any RFC 3339 instant and more: offsets, fractions, lower case, no seconds, second 60. 4.2.3: the format is \"YYYY-MM-DDTHH:MM:SSZ\". We and python-tuf are right (B9).",
        applies: |seen| seen.has(&["spelling of the expiry"]),
    },
    Class {
        name: "spec_version by its first part",
        how: Accepts(Sigstore),
        why: "sigstore-tuf looks at the first part alone. 4.3: the format follows semver, and what counts as a match is the adopter's choice; we and python-tuf want two or three numbers.",
        applies: |seen| seen.has(&["spec_version"]) || seen.replaced(|place| place == "/spec_version", &[]),
    },
    Class {
        name: "repeated key ids",
        how: Accepts(Sigstore),
        why: "sigstore-tuf overlooks a key id that stands twice in `signatures`, unless it is one that counts, or twice in a role. 4.2.1: \"The keyid MUST be unique in the signatures array\". It does not \
              count one twice. We and python-tuf are right (A14).",
        applies: |seen| {
            seen.has(&["a stranger's signature twice", "key id twice in a role", "many signatures"])
                || (seen.has(&["signature twice"]) && seen.has(&["signed by a stranger, too"]))
        },
    },
    Class {
        name: "delegations that are not unique or not named",
        how: Accepts(Sigstore),
        why: "sigstore-tuf takes the first of two delegations of one name, and skips those that are named like a top-level role or not at all. 4.5: \"The rolename MUST be unique in the delegations \
              object\". We and python-tuf refuse the file (A18).",
        applies: |seen| seen.has(&["delegation twice", "delegation's name"]) || seen.replaced(|place| place.ends_with("/name"), &[]),
    },
    Class {
        name: "scope of a delegation",
        how: Accepts(Sigstore),
        why: "sigstore-tuf takes a delegation with both `paths` and `path_hash_prefixes`, or with neither, or with `null`, and one without `terminating`. 4.5: \"exactly one of them should be set\"; \
              `terminating` is not optional. We and python-tuf refuse the file (W24).",
        applies: |seen| {
            seen.has(&["paths", "hash prefixes", "terminating"])
                || seen.replaced(|place| ["/paths", "/path_hash_prefixes", "/terminating"].iter().any(|end| place.ends_with(end)), &[])
        },
    },
    Class {
        name: "null and absent",
        how: Accepts(Sigstore),
        why: "sigstore-tuf takes `null` for an optional field that is absent. The formats of section 4 know no `null`; we refuse it wherever we know the field, python-tuf mostly.",
        applies: |seen| {
            seen.begins("listed length", &["null"])
                || seen.begins("listed hashes", &["null"])
                || seen.begins("delegations of another shape", &["null"])
                || seen.replaced(|_| true, &["null"])
        },
    },
    Class {
        name: "entries that nobody needs yet",
        how: Accepts(Sigstore),
        why: "sigstore-tuf judges thresholds, listed versions and listed hashes when it needs them, and not before: a threshold of 0, a version 0 or an empty list of hashes stays unseen \
              in an entry that is not used. 4.3: THRESHOLD is \"a positive integer\", 4.4: \"one or more hashes\", VERSION \"greater than 0\". We and python-tuf refuse the file (A13, A23).",
        applies: |seen| {
            seen.begins("threshold", &["zero"])
                || seen.begins("listed version", &["zero", "one less"])
                || seen.has(&["listed hashes", "target's hashes", "role missing from root"])
                || seen.replaced(
                    |place| {
                        ["/keys", "/hashes", "/meta", "/targets", "/threshold", "/version", "/roles"]
                            .iter()
                            .any(|part| place.contains(part))
                    },
                    &[],
                )
        },
    },
    Class {
        name: "delegations without roles",
        how: Accepts(Sigstore),
        why: "For sigstore-tuf both members of `delegations` are optional. 4.5 names both; we and python-tuf refuse the file.",
        applies: |seen| seen.has(&["delegations of another shape"]) || seen.replaced(|place| place.starts_with("/delegations"), &[]),
    },
    Class {
        name: "version 0",
        how: Accepts(Sigstore),
        why: "sigstore-tuf takes a version 0. 4.3: VERSION is \"an integer that is greater than 0\". We and python-tuf are right.",
        applies: |seen| seen.begins("version", &["0"]) || seen.replaced(|place| place == "/version", &["0"]),
    },
    Class {
        name: "hash in upper case",
        how: Accepts(Sigstore),
        why: "sigstore-tuf compares listed hashes without case. 4.4 says \"hexdigest\" and leaves the case open; we and python-tuf know one spelling (A23).",
        applies: |seen| seen.begins("listed hashes", &["upper case"]) || seen.begins("target's hashes", &["upper case"]),
    },
    Class {
        name: "search that goes on after a failure",
        how: Accepts(Sigstore),
        why: "sigstore-tuf passes over a delegated role that the snapshot does not list and goes on with the next. 5.6.7: \"If any metadata requested in steps 5.6.7.1 - 5.6.7.2 cannot be downloaded nor \
              validated, end the search\". We and python-tuf are right (W23).",
        applies: |seen| {
            seen.has(&["file no longer listed", "role no longer listed", "delegation's name", "more files listed"])
                || seen.replaced(|place| place.starts_with("/meta"), &[])
        },
    },
    Class {
        name: "floor of the snapshot after a refresh that failed",
        how: Accepts(Sigstore),
        why: "Once a new timestamp is stored and the snapshot that it names was refused, or is another file of the version that is stored, sigstore-tuf no longer reads its stored snapshot, because \
              that is not the one that the timestamp lists, and has nothing to compare the next one with. 5.5.5: no role listed in the trusted snapshot may go back. We and python-tuf read a stored \
              snapshot as a floor (W14, W18).",
        // A change is made to the files of its step alone, so at the next visit there is another snapshot of the same version.
        applies: |seen| seen.refused_before || seen.changes.iter().any(|change| change.step < seen.step && change.at == "snapshot"),
    },
    Class {
        name: "last days of the year 9999",
        how: Refuses(Sigstore),
        why: "The time library of sigstore-tuf ends on 9999-12-30. The format (4.2.3) does not; we read up to 9999-12-31T23:59:59Z.",
        applies: |seen| seen.begins("spelling of the expiry", &["9999"]),
    },
    Class {
        name: "wildcards that are no wildcards",
        how: Refuses(Sigstore),
        why: "The pattern library of sigstore-tuf refuses `**` within a segment and an unclosed bracket, and sigstore-tuf then refuses everything. 4.5 knows `*` and `?`; `**` matches what `*` does.",
        applies: |seen| seen.has(PATTERNS),
    },
    Class {
        name: "brackets in patterns",
        how: Accepts(Python),
        why: "python-tuf and sigstore-tuf know the shell's character classes, `[abc]`; for us a bracket is a bracket. 4.5 refers to glob(7), where brackets mean classes, and then names `*` and `?` alone. \
              Our publishing tools write no brackets.",
        applies: |seen| seen.has(PATTERNS),
    },
    Class { name: "brackets in patterns", how: Accepts(Sigstore), why: "As for python-tuf.", applies: |seen| seen.has(PATTERNS) },
    Class {
        name: "brackets in patterns",
        how: Refuses(Python),
        why: "The same where the target's own name has brackets: `a[b]c` as a pattern is that name for us, and `abc` for python-tuf and sigstore-tuf.",
        applies: |seen| seen.has(PATTERNS),
    },
    Class {
        name: "stored roles are fetched again",
        how: Refuses(Sigstore),
        why: "We and python-tuf go on with a stored targets role that still is the one that the snapshot lists; sigstore-tuf fetches delegated roles at every visit and the top-level one with every new \
              snapshot, and is stopped by a file that has been lost or damaged meanwhile. 5.6.1 to 5.6.6 hold for what is downloaded; both are allowed.",
        applies: |seen| {
            seen.step > 0
                && (seen.touched(is_targets_role)
                    || seen.has(&["another timestamp of the same version", "targets role rolled back", "snapshot rolled back"]))
        },
    },
    Class {
        name: "roles visited in one search",
        how: Refuses(Sigstore),
        why: "sigstore-tuf visits 32 roles, the top-level one included; we and python-tuf follow 32 delegations. 5.6.7.1: the maximum is \"application-specific\" (W23).",
        applies: |seen| seen.has(&["chain of delegations"]),
    },
    Class {
        name: "other entries of a timestamp",
        how: Refuses(Sigstore),
        why: "A timestamp lists the snapshot; what else stands there we do not read, sigstore-tuf refuses when it has not the shape of a listing. 4.6 knows one entry.",
        applies: |seen| seen.has(&["more files listed"]),
    },
    // Nobody is wrong but the repository.
    Class {
        name: "two files under one version",
        how: Free,
        why: "A repository that publishes other content under a version that it has used breaks 4.4: \"the repository MUST guarantee that VERSION alone unambiguously identifies the metadata\". We and \
              python-tuf go on with the stored file of that version, sigstore-tuf fetches delegated roles at every visit; and where the online keys changed meanwhile, who forgets the stored timestamp \
              (5.3.11) gets the other file.",
        applies: |seen| one_version_twice(seen),
    },
];

/// Changes of patterns in delegations.
const PATTERNS: &[&str] = &["odd pattern", "pattern of wildcards and brackets"];

/// Who forgets too little accepts what was stored, or refuses what is new.
const fn recovery(how: How) -> Class {
    Class {
        name: "recovery when one online role changes",
        how,
        why: "5.3.11: \"If the timestamp and / or snapshot keys have been rotated, then delete the trusted timestamp and snapshot metadata files\". We delete both when the keys or the threshold \
              of either have changed, as it says. python-tuf and sigstore-tuf go on with what still verifies: a repository whose snapshot key alone is replaced, or that only adds a key, \
              does not recover from versions that were driven up, and a stored snapshot hides the new one of the same version.",
        applies: |seen| online_keys_changed(seen),
    }
}

/// After these the online keys are not those of before.
const RECOVERIES: &[&str] = &["keys rotated", "keys rotated, online versions lowered", "key added, online versions lowered"];

/// Whether a root may have changed what timestamp or snapshot are signed with.
fn online_keys_changed(seen: &Seen<'_>) -> bool {
    let named = |place: &str| ["/keys/", "/roles/timestamp", "/roles/snapshot"].iter().any(|part| place.starts_with(part));
    let online = |detail: &str| detail.contains("timestamp") || detail.contains("snapshot");
    let in_root = ["threshold", "key id twice in a role", "key missing from the table", "role without keys"];
    seen.has(RECOVERIES) || seen.replaced(named, &[]) || in_root.iter().any(|name| seen.any(name, online))
}

/// Whether `at`, a role's name or the path of its file, is or may be a targets role.
fn is_targets_role(at: &str) -> bool {
    let other = ["root", "timestamp", "snapshot"];
    let Some(file) = at.strip_prefix("metadata/") else {
        return !at.is_empty() && !at.starts_with("targets/") && !other.contains(&at);
    };
    // Nobody asks for root 1; the file of this name is that of the role `1.root` where files have no versions.
    let (version, name) = file.split_once('.').unwrap_or(("", file));
    let named = |name: &str| other.iter().any(|other| name == format!("{other}.json"));
    file == "1.root.json" || !(named(file) || named(name) && version.bytes().all(|byte| byte.is_ascii_digit()))
}

fn one_version_twice(seen: &Seen<'_>) -> bool {
    let discarded =
        seen.has(&["another timestamp of the same version"]) && (seen.has(&["targets role rolled back"]) || online_keys_changed(seen));
    discarded || seen.has(&["another snapshot of the same version", "another targets role of the same version"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_targets_roles_are_told_from_others() {
        for at in ["targets", "1.root", "metadata/targets.json", "metadata/3.linux.json", "metadata/1.root.json", "metadata/2.1.root.json"]
        {
            assert!(is_targets_role(at), "{at}");
        }
        for at in ["", "root", "metadata/timestamp.json", "metadata/4.snapshot.json", "metadata/2.root.json", "targets/a"] {
            assert!(!is_targets_role(at), "{at}");
        }
    }
}
