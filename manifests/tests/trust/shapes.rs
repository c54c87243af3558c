//! Well-formed documents of the wrong shape (B8): wherever a value is replaced or missing, reading ends with a typed error or a value and never with a panic, before signatures and after.

use serde_json::{Value, json};

use crate::documents::{
    ROLES, channel, content, install_document, manifest, policy, read_channel, read_install_document, read_manifest, read_policy, serve,
};
use crate::repository::{Repository, sign};

/// RFC 6901 pointers to every value in `value`, itself included.
pub(crate) fn pointers(value: &Value) -> Vec<String> {
    let below: Vec<(String, &Value)> = match value {
        Value::Array(items) => items.iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect(),
        Value::Object(map) => map.iter().map(|(key, item)| (key.replace('~', "~0").replace('/', "~1"), item)).collect(),
        _ => vec![],
    };
    let deeper = below.into_iter().flat_map(|(step, item)| pointers(item).into_iter().map(move |rest| format!("/{step}{rest}")));
    std::iter::once(String::new()).chain(deeper).collect()
}

/// `document` with another value at `pointer`; with none there, if there is no other.
fn with(document: &Value, pointer: &str, other: Option<&Value>) -> Value {
    let mut document = document.clone();
    match other {
        Some(other) => *document.pointer_mut(pointer).expect("a pointer into it") = other.clone(),
        None => {
            let (parent, last) = pointer.rsplit_once('/').unwrap_or_default();
            match document.pointer_mut(parent) {
                Some(Value::Object(map)) => drop(map.remove(&last.replace("~1", "/").replace("~0", "~"))),
                Some(Value::Array(items)) => drop(items.remove(last.parse().expect("an index"))),
                _ => {}
            }
        }
    }
    document
}

fn others() -> Vec<Option<Value>> {
    let values = [
        json!(null),
        json!(true),
        json!([]),
        json!([1]),
        json!([null, "x"]),
        json!({}),
        json!({ "x": 1 }),
        json!(0),
        json!(1),
        json!(-1),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(""),
        json!("x"),
        json!("\u{0}\n\u{202e}é"),
        json!("/".repeat(3000)),
    ];
    values.into_iter().map(Some).chain([None]).collect()
}

/// Reads every variant of `document`; gives how many were accepted and how many refused.
fn walk(document: &Value, read: impl Fn(&Value) -> Result<(), String>) -> (usize, usize) {
    read(document).expect("the document as it is");
    let (mut accepted, mut refused) = (0, 0);
    for pointer in pointers(document) {
        for other in others() {
            match read(&with(document, &pointer, other.as_ref())) {
                Ok(()) => accepted += 1,
                Err(message) => {
                    assert!(!message.is_empty() && message.len() < 20_000, "a message for people at {pointer}: {message}");
                    refused += 1;
                }
            }
        }
    }
    (accepted, refused)
}

#[test]
fn b8_roles_of_the_wrong_shape_that_are_properly_signed() {
    let mut repository = Repository::new();
    repository.files();
    for role in ROLES {
        let read = |value: &Value| serve(&repository, role, sign(value, &repository.signers(role))).map_err(|error| error.to_string());
        let (accepted, refused) = walk(&content(&repository, role), read);
        assert!(accepted > 0 && refused > accepted, "{role}: {accepted} accepted, {refused} refused");
    }
}

#[test]
fn b8_roles_of_the_wrong_shape_that_are_not_signed() {
    let mut repository = Repository::new();
    repository.lists_hashes = false;
    let files = repository.files();
    for role in ROLES {
        let file = match role {
            "root" => &files.root,
            "timestamp" => &files.timestamp,
            "snapshot" => &files.snapshot,
            "targets" => &files.targets,
            os => &files.delegated[os],
        };
        let file: Value = serde_json::from_slice(file).expect("JSON");
        let (accepted, refused) =
            walk(&file, |value| serve(&repository, role, serde_json::to_vec(value).expect("JSON")).map_err(|error| error.to_string()));
        // Accepted is what changes nothing: an integer that was 1 already.
        assert!(accepted < 40 && refused > 200, "{role}: {accepted} accepted, {refused} refused");
    }
}

#[test]
fn b8_documents_of_the_wrong_shape() {
    let walks = [
        ("channel", walk(&channel(), |value| read_channel(value).map(drop))),
        ("policy", walk(&policy(), read_policy)),
        ("install", walk(&install_document(), read_install_document)),
        ("manifest", walk(&manifest(), read_manifest)),
    ];
    for (name, (accepted, refused)) in walks {
        assert!(accepted > 10 && refused > 150, "{name}: {accepted} accepted, {refused} refused");
    }
}

#[test]
fn a_present_null_is_refused_wherever_a_field_is_known() {
    let mut taken = Vec::new();
    let mut check = |name: &str, document: &Value, read: &dyn Fn(&Value) -> bool| {
        let nulled = pointers(document).into_iter().filter(|pointer| read(&with(document, pointer, Some(&Value::Null))));
        taken.extend(nulled.map(|pointer| format!("{name} {pointer}")));
    };
    check("channel", &channel(), &|value| read_channel(value).is_ok_and(|document| document.unavailable.is_empty()));
    check("policy", &policy(), &|value| read_policy(value).is_ok());
    check("install", &install_document(), &|value| read_install_document(value).is_ok());
    check("manifest", &manifest(), &|value| read_manifest(value).is_ok());
    let mut repository = Repository::new();
    repository.files();
    for role in ROLES {
        check(role, &content(&repository, role), &|value| serve(&repository, role, sign(value, &repository.signers(role))).is_ok());
    }
    assert_eq!(taken, Vec::<String>::new(), "docs/format.md section 1");
}

#[test]
fn texts_for_people_may_have_lines() {
    let document = read_channel(&channel()).expect("a good document");
    assert_eq!(document.releases[0].notes.as_deref(), Some("first line\nsecond line"));
    read_policy(&policy()).expect("a good policy");
}
