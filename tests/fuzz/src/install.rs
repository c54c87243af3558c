//! Install links and the documents they pin.

use manifests::digest::Digest;
use manifests::install_link::{InstallDocument, InstallLink};

use crate::judge;
use crate::samples::{self, LIMIT};
use crate::script::{Script, is_document};

/// Reads a link when the bytes begin like one, else an install document: as it is, or edits to a valid one.
pub fn install(data: &[u8]) -> bool {
    match std::str::from_utf8(data) {
        Ok(text) if text.starts_with("http") => link(text),
        _ if is_document(data) => document(data),
        _ => document(&samples::edited(samples::INSTALL, &mut Script::new(data))),
    }
}

fn link(text: &str) -> bool {
    match text.parse::<InstallLink>() {
        Ok(link) => {
            assert_eq!(link.to_string().parse::<InstallLink>().as_ref(), Ok(&link), "what we write we read");
            assert_eq!(link.to_string(), text);
            assert!(!link.url.contains('#'), "the fragment is never sent: {text:?}");
            true
        }
        Err(error) => {
            judge::assert_readable(&error);
            false
        }
    }
}

fn document(bytes: &[u8]) -> bool {
    let link = |digest| InstallLink { url: "https://updates.example/i/shop1".into(), digest };
    let other = InstallDocument::parse(bytes, &link(Some(Digest::of(b"other"))), LIMIT);
    assert!(other.is_err(), "a document is that of its link");
    let document = match InstallDocument::parse(bytes, &link(Some(Digest::of(bytes))), LIMIT) {
        Ok(document) => document,
        Err(error) => {
            judge::assert_readable(&error);
            return false;
        }
    };
    assert!(document.content.url.ends_with('/') && document.content.root.version > 0);
    assert_eq!(InstallDocument::parse(bytes, &link(None), LIMIT).expect("the same without a digest"), document);
    let again = document.to_bytes().expect("it can be written");
    assert_eq!(InstallDocument::parse(&again, &link(Some(Digest::of(&again))), u64::MAX).expect("what we write we read"), document);
    true
}
