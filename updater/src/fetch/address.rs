//! Addresses as people, logs and the history may see them: without user name, password, query and fragment, where secrets are kept (attack F15).

/// `address` without what may be secret. Any text will do: an address that does not parse is shown in error messages, too.
pub fn shown(address: &str) -> String {
    let plain = address.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = plain.split_once("://") else { return plain.to_owned() };
    // Of what stands before the path, the last `@` ends the user's part; backslashes lead to paths as well, as browsers and the `url` crate have it.
    let path = rest.find(['/', '\\']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(path);
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f15_what_may_be_secret_is_not_shown() {
        for (address, expected) in [
            ("https://updates.example/repo/a.json", "https://updates.example/repo/a.json"),
            ("https://user:pass@updates.example:8443/repo/?token=1#part", "https://updates.example:8443/repo/"),
            ("https://us@er:p@ss@h/x", "https://h/x"),
            ("http://h?token=1", "http://h"),
            ("https://user:pass@h\\x", "https://h\\x"),
            ("metadata/1.root.json", "metadata/1.root.json"),
            ("nothing at all?secret", "nothing at all"),
        ] {
            assert_eq!(shown(address), expected);
        }
    }
}
