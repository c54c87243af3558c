//! What holds for the shortcuts of every system. Whether a system's own programs read them is in `tests/tests/shortcut.rs`.

use super::*;

fn shortcut(name: &str) -> Shortcut {
    Shortcut {
        name: name.into(),
        folder: "/opt/client".into(),
        program: "/usr/bin/updater".into(),
        arguments: ["launch", "--dir", "/opt/client"].map(str::to_owned).to_vec(),
        icon: None,
        in_terminal: false,
    }
}

#[test]
fn d_12_a_name_is_one_that_every_system_can_have() {
    for name in ["SmartClient", "ERP – São Paulo", "クライアント"] {
        assert!(shortcut(name).file_name().unwrap().contains(name));
    }
    for name in ["a/b", r"a\b", "../x", "a\nb", "what?", "a:b", &"x".repeat(101)] {
        assert!(matches!(shortcut(name).file_name(), Err(ShortcutError::Text { .. })), "{name}");
    }
}

#[test]
fn what_would_end_a_line_is_refused() {
    let with = |argument: &str| Shortcut { arguments: vec![argument.into()], ..shortcut("Client") };
    assert!(with("a b").render().is_ok());
    for text in ["a\nExec=other", "\0", "a\u{7f}"] {
        assert!(matches!(with(text).render(), Err(ShortcutError::Text { .. })), "{text:?}");
    }
}

#[test]
fn a_program_that_is_given_nothing_has_a_shortcut_like_any_other() {
    assert!(Shortcut { arguments: vec![], ..shortcut("Client") }.check().is_ok());
}

#[cfg(windows)]
#[test]
fn what_the_shell_would_cut_off_is_refused() {
    let of = |length: usize| Shortcut { arguments: vec!["x".repeat(length)], ..shortcut("Client") };
    assert!(of(100).check().is_ok());
    assert!(matches!(of(70_000).check(), Err(ShortcutError::Unfit(_))), "a link tells the length of a text in 16 bits");
}

#[test]
fn what_is_remembered_is_read_back_and_what_could_be_anybodys_is_not_believed() {
    let known = Shortcuts::default().with(Path::new("/a"), mark::tag("/x")).with(Path::new("/b"), mark::tag("/x"));
    assert_eq!(Shortcuts::parse(&known.to_bytes()), known);
    assert_eq!(known.clone().with(Path::new("/a"), mark::tag("/x")).0.len(), 2, "made twice is one");
    for tag in ["", "root", "0123abcx", "0123abcdef"] {
        assert_eq!(Shortcuts::parse(&known.clone().with(Path::new("/c"), tag.into()).to_bytes()), known, "{tag}");
    }
    assert_eq!(Shortcuts::parse(b"{"), Shortcuts::default());
}
