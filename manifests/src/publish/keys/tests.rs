//! Folders of key files: what they give, what they refuse, and that no step loses a key.

use std::num::NonZeroU64;
use std::process::{Command, Stdio};
use std::sync::Mutex;

use super::*;
use crate::publish::passphrase::Passphrase;

fn folder() -> (tempfile::TempDir, KeyFolder) {
    let outer = tempfile::tempdir().unwrap();
    let keys = KeyFolder::new(&outer.path().join("r.keys"));
    keys.create().unwrap();
    (outer, keys)
}

fn role_of(signers: &[&Ed25519Signer], threshold: u64) -> RoleKeys {
    RoleKeys::new(signers.iter().map(|signer| signer.key_id()).collect(), NonZeroU64::new(threshold).unwrap()).unwrap()
}

fn role(signers: &[&Ed25519Signer]) -> RoleKeys {
    role_of(signers, 1)
}

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(Zeroizing::new(text.as_bytes().to_vec())).unwrap()
}

/// At the lowest cost there is.
fn under(text: &str) -> Encryption {
    Encryption::new(passphrase(text)).with_cost(Cost::new(1, 1, 1).unwrap())
}

/// The same folder as seen by a later run, which gives `text`.
fn later(keys: &KeyFolder, text: &str) -> KeyFolder {
    KeyFolder::new(keys.path()).unlocked_by(Arc::new(passphrase(text)))
}

/// Gives its passphrases one after the other, and remembers what it was asked.
#[derive(Default)]
struct Asked {
    answers: Mutex<Vec<&'static str>>,
    questions: Mutex<Vec<(KeyId, usize)>>,
    tries: usize,
}

impl Asked {
    fn answering(tries: usize, answers: &[&'static str]) -> Arc<Asked> {
        Arc::new(Asked { answers: Mutex::new(answers.iter().rev().copied().collect()), tries, ..Asked::default() })
    }

    fn questions(&self) -> usize {
        self.questions.lock().unwrap().len()
    }
}

impl PassphraseSource for Asked {
    fn passphrase(&self, key: &LockedKey, refused: usize) -> Result<Option<Passphrase>, PassphraseError> {
        self.questions.lock().unwrap().push((key.id.clone(), refused));
        Ok(self.answers.lock().unwrap().pop().map(passphrase))
    }

    fn tries(&self) -> usize {
        self.tries
    }
}

#[test]
fn keys_read_back_and_sign_alike() {
    let (_outer, keys) = folder();
    for keys in [keys.clone(), keys.encrypting(under("one"))] {
        let made = keys.generate("windows").unwrap();
        for keys in [keys.clone(), later(&keys, "one")] {
            let read = keys.signers("windows", &role(&[&made])).unwrap();
            assert_eq!(read[0].sign(b"x").unwrap(), made.sign(b"x").unwrap());
        }
    }
    let (_outer, keys) = folder();
    keys.generate("windows").unwrap();
    assert_eq!((keys.made_for("windows").unwrap().len(), keys.made_for("linux").unwrap().len()), (1, 0));
}

#[test]
fn a_missing_key_is_named_with_its_role() {
    let (_outer, keys) = folder();
    let elsewhere = Ed25519Signer::from_seed(&Zeroizing::new([7; 32]));
    let error = keys.signers("windows", &role(&[&elsewhere])).err().unwrap().to_string();
    assert!(error.contains("`windows`") && error.contains(elsewhere.key_id().as_str()), "{error}");
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
}

#[cfg(unix)]
fn mode_of(path: &Path) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path).unwrap().permissions()) & 0o777
}

#[cfg(unix)]
#[test]
fn key_files_are_private_and_a_plain_one_that_is_not_is_refused() {
    let (_outer, keys) = folder();
    let made = keys.generate("root").unwrap();
    let path = keys.file(&made.key_id());
    assert_eq!((mode_of(&path), mode_of(keys.path())), (0o600, 0o700));
    set_mode(&path, 0o644);
    assert!(matches!(keys.signers("root", &role(&[&made])), Err(KeyError::Exposed { mode: 0o644, .. })));
    assert!(matches!(keys.made_for("root"), Err(KeyError::Exposed { .. })));
    assert!(matches!(&keys.list().unwrap().unusable[..], [KeyError::Exposed { .. }]));
}

#[cfg(unix)]
#[test]
fn an_encrypted_key_may_lie_where_there_are_no_modes() {
    let (_outer, keys) = folder();
    let keys = keys.encrypting(under("one"));
    let made = keys.generate("root").unwrap();
    assert_eq!(mode_of(&keys.file(&made.key_id())), 0o600);
    set_mode(&keys.file(&made.key_id()), 0o755);
    assert_eq!(later(&keys, "one").signers("root", &role(&[&made])).unwrap().len(), 1);
}

#[test]
fn a_key_file_under_the_name_of_another_is_refused() {
    let (_outer, keys) = folder();
    let (a, b) = (keys.generate("root").unwrap(), keys.generate("root").unwrap());
    fs::copy(keys.file(&a.key_id()), keys.file(&b.key_id())).unwrap();
    assert!(matches!(keys.signers("root", &role(&[&b])), Err(KeyError::Malformed { .. })));
}

#[test]
fn without_a_passphrase_an_encrypted_key_is_named_with_what_to_give() {
    let (_outer, keys) = folder();
    let made = keys.clone().encrypting(under("one")).generate("windows").unwrap();
    for keys in [keys.clone(), keys.unlocked_by(Asked::answering(3, &[]))] {
        let error = keys.signers("windows", &role(&[&made])).err().unwrap();
        assert!(matches!(&error, KeyError::Encrypted { key, .. } if *key == made.key_id()));
        let text = error.to_string();
        for part in [made.key_id().as_str(), "windows", "--passphrase-file", "MANIFESTS_PASSPHRASE"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}

#[test]
fn a_wrong_passphrase_is_an_error_that_names_the_key() {
    let (_outer, keys) = folder();
    let made = keys.clone().encrypting(under("one")).generate("windows").unwrap();
    let error = later(&keys, "other").signers("windows", &role(&[&made])).err().unwrap();
    assert!(matches!(&error, KeyError::WrongPassphrase { key, path, .. } if *key == made.key_id() && *path == keys.file(key)));
    assert!(error.to_string().contains("windows") && !error.to_string().contains("other"), "{error}");
}

#[test]
fn one_passphrase_is_asked_for_once_and_opens_every_key_it_fits() {
    let (_outer, keys) = folder();
    let (first, second) = (keys.clone().encrypting(under("one")), keys.clone().encrypting(under("two")));
    let made: Vec<_> = [&first, &first, &second, &second].iter().map(|keys| keys.generate("root").unwrap()).collect();
    let asked = Asked::answering(1, &["one", "two"]);
    let keys = keys.unlocked_by(asked.clone());
    for signer in &made {
        keys.signers("root", &role(&[signer])).unwrap();
        keys.clone().signers("root", &role(&[signer])).unwrap();
    }
    let questions = asked.questions.lock().unwrap().clone();
    assert_eq!(questions, [(made[0].key_id(), 0), (made[2].key_id(), 1)], "the second question says that one was refused");
}

#[test]
fn a_source_is_asked_again_as_often_as_it_allows() {
    let (_outer, keys) = folder();
    let made = keys.clone().encrypting(under("one")).generate("root").unwrap();
    let asked = Asked::answering(3, &["a", "a", "one"]);
    assert!(keys.clone().unlocked_by(asked.clone()).signers("root", &role(&[&made])).is_ok());
    assert_eq!(asked.questions(), 3);
    let asked = Asked::answering(3, &["a", "b", "c", "one"]);
    let result = keys.unlocked_by(asked.clone()).signers("root", &role(&[&made]));
    assert!(matches!(result, Err(KeyError::WrongPassphrase { .. })));
    assert_eq!(asked.questions(), 3);
}

#[test]
fn nobody_is_asked_for_keys_that_are_not_needed() {
    let (_outer, keys) = folder();
    let locked = keys.clone().encrypting(under("one")).generate("root").unwrap();
    let plain = keys.generate("root").unwrap();
    let windows = keys.generate("windows").unwrap();
    let asked = Asked::answering(1, &[]);
    let keys = keys.unlocked_by(asked.clone());
    assert_eq!(keys.signers("root", &role(&[&locked, &plain])).unwrap()[0].key_id(), plain.key_id());
    assert_eq!(keys.made_for("windows").unwrap()[0].key_id(), windows.key_id());
    assert_eq!(keys.list().unwrap().keys.len(), 3);
    assert_eq!(asked.questions(), 0);
    assert!(matches!(keys.signers("root", &role_of(&[&locked, &plain], 2)), Err(KeyError::Encrypted { .. })));
    assert!(matches!(keys.made_for("root"), Err(KeyError::Encrypted { .. })));
}

#[test]
fn a_damaged_key_that_is_not_needed_stops_nobody() {
    let (_outer, keys) = folder();
    let (broken, whole) = (keys.generate("root").unwrap(), keys.generate("root").unwrap());
    fs::write(keys.file(&broken.key_id()), "{").unwrap();
    assert_eq!(keys.signers("root", &role(&[&broken, &whole])).unwrap()[0].key_id(), whole.key_id());
    assert!(matches!(keys.signers("root", &role_of(&[&broken, &whole], 2)), Err(KeyError::Malformed { .. })));
}

#[test]
fn a_signer_who_has_not_all_keys_of_a_role_gives_those_that_are_here() {
    let (_outer, keys) = folder();
    let here = keys.clone().encrypting(under("one")).generate("root").unwrap();
    let elsewhere = Ed25519Signer::from_seed(&Zeroizing::new([7; 32]));
    let ids = [elsewhere.key_id(), here.key_id()];
    assert_eq!(later(&keys, "one").take(&ids, 2).unwrap().iter().map(Signer::key_id).collect::<Vec<_>>(), [here.key_id()]);
    assert_eq!(keys.take(&ids, 0).unwrap().len(), 0, "who needs none is not asked");
    let asked = Asked::answering(1, &[]);
    let missing = keys.unlocked_by(asked.clone()).signers("root", &role_of(&[&here, &elsewhere], 2));
    assert!(
        matches!(missing, Err(KeyError::Missing { .. })) && asked.questions() == 0,
        "nobody types a passphrase to learn that a key is missing"
    );
}

#[test]
fn a_list_needs_no_passphrase_and_names_what_cannot_be_used() {
    let (outer, keys) = folder();
    let plain = keys.generate("linux").unwrap();
    let locked = keys.clone().encrypting(under("one")).generate("root").unwrap();
    fs::write(keys.path().join("note.json"), "{}").unwrap();
    fs::write(keys.path().join("README"), "not a key").unwrap();
    let list = keys.list().unwrap();
    let mut found: Vec<_> = list.keys.iter().map(|key| (key.id.clone(), key.roles.join(","), key.encrypted)).collect();
    found.sort_by_key(|(_, roles, _)| roles.clone());
    assert_eq!(found, [(plain.key_id(), "linux".to_owned(), false), (locked.key_id(), "root".to_owned(), true)]);
    assert!(list.keys.iter().all(|info| info.key.id() == info.id && info.path == keys.file(&info.id)));
    assert!(matches!(&list.unusable[..], [KeyError::Malformed { path, .. }] if path.ends_with("note.json")));
    assert_eq!(KeyFolder::new(&outer.path().join("missing")).list().unwrap().keys, []);
}

#[test]
fn a_copy_is_the_same_file_and_is_private() {
    let (outer, keys) = folder();
    let stick = KeyFolder::new(&outer.path().join("stick"));
    let made = keys.clone().encrypting(under("one")).generate("root").unwrap();
    let path = keys.copy_to(&made.key_id(), &stick).unwrap();
    assert_eq!(fs::read(&path).unwrap(), fs::read(keys.file(&made.key_id())).unwrap());
    #[cfg(unix)]
    assert_eq!((mode_of(&path), mode_of(stick.path())), (0o600, 0o700));
    assert_eq!(keys.copy_to(&made.key_id(), &stick).unwrap(), path, "once more changes nothing");
    assert_eq!(later(&stick, "one").signers("root", &role(&[&made])).unwrap().len(), 1);
    assert_eq!(fs::read_dir(stick.path()).unwrap().count(), 1, "nothing stays beside it");
    later(&keys, "one").reencrypt(&made.key_id(), None).unwrap();
    assert!(matches!(keys.copy_to(&made.key_id(), &stick), Err(KeyError::Occupied(_))), "another file of the same key");
    let elsewhere = Ed25519Signer::from_seed(&Zeroizing::new([7; 32])).key_id();
    assert!(matches!(keys.copy_to(&elsewhere, &stick), Err(KeyError::NoSuchKey { .. })));
}

#[test]
fn a_damaged_key_is_not_copied() {
    let (outer, keys) = folder();
    let made = keys.generate("root").unwrap();
    let path = keys.file(&made.key_id());
    fs::write(&path, fs::read_to_string(&path).unwrap().replace("root", "r")).unwrap();
    let stick = KeyFolder::new(&outer.path().join("stick"));
    assert!(keys.copy_to(&made.key_id(), &stick).is_ok(), "roles are no secret and no proof");
    fs::write(&path, "{}").unwrap();
    assert!(matches!(keys.copy_to(&made.key_id(), &stick), Err(KeyError::Malformed { .. })));
}

#[test]
fn a_removed_key_is_gone_and_its_bytes_are_overwritten() {
    let (_outer, keys) = folder();
    let made = keys.generate("root").unwrap();
    let path = keys.file(&made.key_id());
    let mut still_open = fs::File::open(&path).unwrap();
    keys.remove(&made.key_id()).unwrap();
    assert!(!path.exists());
    if cfg!(unix) {
        let mut content = Vec::new();
        io::Read::read_to_end(&mut still_open, &mut content).unwrap();
        assert!(content.len() > 100 && content.iter().all(|byte| *byte == 0), "{content:?}");
    }
    assert!(matches!(keys.remove(&made.key_id()), Err(KeyError::NoSuchKey { .. })));
}

#[cfg(unix)]
#[test]
fn a_removed_key_leaves_its_other_names_alone() {
    let (outer, keys) = folder();
    let made = keys.generate("root").unwrap();
    let (path, kept) = (keys.file(&made.key_id()), outer.path().join("kept"));
    let content = fs::read(&path).unwrap();
    fs::hard_link(&path, &kept).unwrap();
    keys.remove(&made.key_id()).unwrap();
    assert_eq!(fs::read(&kept).unwrap(), content);
}

#[test]
fn a_passphrase_is_set_changed_and_removed() {
    let (_outer, keys) = folder();
    let made = keys.generate("root").unwrap();
    let id = made.key_id();
    let signs = |keys: &KeyFolder| keys.signers("root", &role(&[&made])).map(|signers| signers[0].sign(b"x").unwrap());
    let plain = fs::read(keys.file(&id)).unwrap();
    let mut old = fs::File::open(keys.file(&id)).unwrap();

    keys.reencrypt(&id, Some(&under("one"))).unwrap();
    assert!(keys.list().unwrap().keys[0].encrypted && signs(&later(&keys, "one")).is_ok());
    if cfg!(unix) {
        let mut content = Vec::new();
        io::Read::read_to_end(&mut old, &mut content).unwrap();
        assert!(content.iter().all(|byte| *byte == 0), "the plain seed does not stay");
    }

    later(&keys, "one").reencrypt(&id, Some(&under("two"))).unwrap();
    assert!(matches!(signs(&later(&keys, "one")), Err(KeyError::WrongPassphrase { .. })));
    assert_eq!(signs(&later(&keys, "two")).unwrap(), made.sign(b"x").unwrap());

    let before = fs::read(keys.file(&id)).unwrap();
    assert!(matches!(later(&keys, "one").reencrypt(&id, None), Err(KeyError::WrongPassphrase { .. })));
    assert_eq!(fs::read(keys.file(&id)).unwrap(), before, "a wrong passphrase changes nothing");

    later(&keys, "two").reencrypt(&id, None).unwrap();
    assert_eq!(fs::read(keys.file(&id)).unwrap(), plain);
    assert_eq!(fs::read_dir(keys.path()).unwrap().count(), 1, "nothing stays beside it");
}

#[test]
fn no_damage_to_an_encrypted_file_gives_another_key() {
    let (_outer, keys) = folder();
    let made = keys.clone().encrypting(under("one")).generate("root").unwrap();
    let path = keys.file(&made.key_id());
    let sound = fs::read(&path).unwrap();
    let (mut refused, mut harmless) = (0, 0);
    for place in 0..sound.len() {
        for flip in [0x01, 0x02, 0x20] {
            let mut damaged = sound.clone();
            damaged[place] ^= flip;
            fs::write(&path, &damaged).unwrap();
            match later(&keys, "one").unlock(&made.key_id()) {
                Err(_) => refused += 1,
                Ok(signer) => {
                    assert_eq!(signer.sign(b"x").unwrap(), made.sign(b"x").unwrap(), "{place} {flip}");
                    harmless += 1;
                }
            }
        }
    }
    // The roles and the name of their field are free text; everything else is held by the public half.
    assert!(refused > 1_000 && harmless < 40, "{refused} {harmless}");
}

#[test]
fn nothing_that_is_secret_is_printed() {
    let (_outer, keys) = folder();
    let keys = keys.encrypting(under("open sesame")).unlocked_by(Arc::new(passphrase("open sesame")));
    let made = keys.generate("root").unwrap();
    keys.unlock(&made.key_id()).unwrap();
    let printed = format!("{keys:?} {:?}", under("open sesame"));
    let seed = made.seed();
    for secret in ["sesame".to_owned(), hex::encode(seed.as_slice()), format!("{:?}", &seed[..4]).replace(['[', ']'], "")] {
        assert!(!printed.contains(&secret), "{printed}");
    }
}

/// Runs `openssl`, with `input` on its standard input; the passphrase travels in a variable.
fn openssl(arguments: &[&str], input: &str) -> std::process::Output {
    use std::io::Write;
    let mut command = Command::new("openssl");
    command.args(arguments).env("PASSPHRASE", "open sesame").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("`openssl` is installed");
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// The field `encrypted` of a key file.
fn pem_of(path: &Path) -> String {
    let value: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    value["encrypted"].as_str().unwrap().to_owned()
}

#[test]
fn openssl_reads_what_we_encrypt_at_the_cost_that_is_written() {
    let (_outer, keys) = folder();
    let made = keys.clone().encrypting(Encryption::new(passphrase("open sesame"))).generate("root").unwrap();
    let pem = pem_of(&keys.file(&made.key_id()));
    let read = openssl(&["pkey", "-passin", "env:PASSPHRASE", "-pubout", "-outform", "DER"], &pem);
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    // A SubjectPublicKeyInfo of ed25519 ends with the 32 bytes of the key.
    assert_eq!(hex::encode(&read.stdout[read.stdout.len() - 32..]), made.key().public());
    let wrong = openssl(&["pkey", "-passin", "pass:other", "-pubout"], &pem);
    assert!(!wrong.status.success());
}

#[test]
fn we_read_what_openssl_encrypts() {
    let (_outer, keys) = folder();
    let made = keys.clone().encrypting(Encryption::new(passphrase("open sesame"))).generate("root").unwrap();
    let path = keys.file(&made.key_id());
    let ours = pem_of(&path);
    let convert = ["pkcs8", "-topk8", "-scrypt", "-v2", "aes-256-cbc", "-passin", "env:PASSPHRASE", "-passout", "env:PASSPHRASE"];
    let converted = openssl(&convert, &ours);
    assert!(converted.status.success(), "{}", String::from_utf8_lossy(&converted.stderr));
    let theirs = String::from_utf8(converted.stdout).unwrap();
    assert_ne!(ours, theirs);
    let escaped = |pem: &str| serde_json::Value::from(pem).to_string();
    fs::write(&path, fs::read_to_string(&path).unwrap().replace(&escaped(&ours), &escaped(&theirs))).unwrap();
    assert_eq!(later(&keys, "open sesame").unlock(&made.key_id()).unwrap().sign(b"x").unwrap(), made.sign(b"x").unwrap());
    assert!(matches!(later(&keys, "other").unlock(&made.key_id()), Err(KeyError::WrongPassphrase { .. })));
}
