use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// What must not be in the bundle, in every text below.
const SECRET: &str = "HUNTER";

fn clean(text: &str) -> String {
    Secrets::default().remove_from(text)
}

#[test]
fn ac_76_what_is_secret_or_looks_like_it_is_not_in_the_text() {
    let mut secrets = Secrets::default();
    secrets.of_address("https://till:Sup%2Ber-Se%2Bcret@updates.example/repo/?token=abcd1234");
    // What an HTTP client takes for a proxy, too.
    secrets.of_address("till:Secret9@proxy:3128");
    secrets.of_address("http://till:Odd,one)\"x@proxy:3128");
    for (text, clean) in [
        ("cannot log in with Sup+er-Se+cret", "cannot log in with [removed]"),
        ("seen abcd1234 somewhere", "seen [removed] somewhere"),
        ("GET https://a:b@h:8443/x?y=z (403)", "GET https://[removed]@h:8443/x?[removed] (403)"),
        ("http://h/plain, then", "http://h/plain, then"),
        ("proxy_password = \"x\"\nnext = 1\n", "proxy_password = [removed]\nnext = 1\n"),
        ("Proxy said Bearer eyJ.x.y and more", "Proxy said Bearer [removed] and more"),
        ("a\n-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\nb\n", "a\n[removed]\nb\n"),
        ("the proxy refused Secret9", "the proxy refused [removed]"),
        ("the proxy refused Odd,one)\"x, too", "the proxy refused [removed], too"),
        (r#"{"said":"the proxy refused Odd,one)\"x, too"}"#, r#"{"said":"the proxy refused [removed], too"}"#),
        // What nobody knew of.
        ("HTTPS_PROXY=till:Another1@proxy:3128\n", "HTTPS_PROXY=[removed]@proxy:3128\n"),
        ("via http://u:a,b)c\"d'e@proxy:3128 now", "via http://[removed]@proxy:3128 now"),
        ("via u:a/b?c#d@proxy:3128 now", "via [removed]@proxy:3128 now"),
        (
            r#"{"of":"http://u:p,q@h/x?y=z","why":"u:pass@h said no"}"#,
            r#"{"of":"http://[removed]@h/x?[removed]","why":"[removed]@h said no"}"#,
        ),
        (r#"{"port":"h:80","time":"12:30:05Z","who":"till@shop"}"#, r#"{"port":"h:80","time":"12:30:05Z","who":"till@shop"}"#),
        ("nothing of that kind", "nothing of that kind"),
    ] {
        assert_eq!(secrets.remove_from(text), clean);
    }
}

#[test]
fn ac_76_secrets_go_whatever_they_are_called_and_whatever_stands_between() {
    let named = ["--password", "--token", "-Password", "--api-key", "passwd", "api key", "token", "--pass", "-key", "--pin"];
    let signs = [
        "pw=",
        "pin=",
        "auth=",
        "key=",
        "PIN = ",
        "/p:",
        "Cookie: a=",
        "sessionid=",
        "JSESSIONID=",
        "session_key: ",
        "senha:",
        "Senha: ",
        "chave=",
        "contraseña=",
        "CONTRASEÑA: ",
        "пароль:",
        "ПАРОЛЬ: ",
        "пароль пользователя: ",
        "секрет=",
        "密码：",
        "密碼: ",
        "口令＝",
        "--token=",
        "--pass:",
        "password for root: ",
        "the token, as it was given: ",
        "Authorization: Digest username=\"a\", response=",
        "\\\"token\\\":\\\"",
        "[\"--token\", \"",
        "secret.value=",
        "login ",
        "passphrase: correct horse ",
    ];
    for name in named.into_iter().map(|name| format!("{name} ")).chain(signs.into_iter().map(str::to_owned)) {
        let value = if name == "login " { "u/HUNTER1@db" } else { "HUNTER1" };
        for text in
            [format!("{name}{value}"), format!("it said: {name}{value} (3)\nnext\n"), format!("`app {name}\"{value} x\"` {name}{value}")]
        {
            let clean = clean(&text);
            assert!(!clean.contains(SECRET), "{text:?} is {clean:?}");
            assert_eq!(clean.ends_with("\nnext\n"), text.ends_with("\nnext\n"), "{clean:?}");
            let document = serde_json::json!({ "detail": text, "result": "failed" }).to_string();
            let clean: Value = serde_json::from_str(&Secrets::default().remove_from(&document)).expect("still JSON");
            assert!(!clean.to_string().contains(SECRET), "{document} is {clean}");
            assert_eq!(clean["result"], "failed");
        }
    }
    // By their shape.
    for token in
        ["eyJhbGciOi.eyJHUNTER.c2ln", "ghp_HUNTER67890123456", "github_pat_HUNTER7890", "AKIAHUNTER0123456789", "glpat-HUNTER67890123"]
    {
        assert_eq!(clean(&format!("asked with {token}, refused")), "asked with [removed], refused");
    }
    assert_eq!(clean("Basic HUNTER1, then bearer HUNTER2 again"), "Basic [removed] then bearer [removed] again");
}

#[test]
fn ac_76_what_is_no_secret_stays_and_a_document_stays_one() {
    for text in [
        "the probe `app --check` ended with 3",
        "cannot read `/srv/secret-shop/token/client`: no such file",
        r"cannot read `C:\passwords\client`: no such file",
        "writing `lib/Microsoft.IdentityModel.Tokens.dll` failed: no room",
        "cannot read `/etc/app/token`: permission denied; C:\\app\\token: not there",
        "the keyid of this station: abc; passed: 3, keyboard = us",
        "img/logo@2x.png and till@shop and https://h:8443/a/b",
        "by pass through the auth of the session",
        "AKIA and ghp_x are no tokens",
        "2026-11-21T12:30:05Z app[7]: started",
    ] {
        assert_eq!(clean(text), text);
    }
    assert_eq!(clean("app --token HUNTER1 failed: exit code 3"), "app --token [removed] failed: exit code 3");
    assert_eq!(clean("app --token \"HUNTER1 torn"), "app --token [removed]");
    assert_eq!(clean("user/password: HUNTER1"), "user/password: [removed]");
    assert_eq!(
        clean(r#"[{"name":"password","value":"HUNTER1"},{"name":"port","value":"1"}]"#),
        r#"[{"name":"password","value":"[removed]"},{"name":"port","value":"1"}]"#
    );
    assert_eq!(clean("login failed: senha: HUNTER1 --password HUNTER2"), "login failed: senha: [removed]");

    let line = r#"{"approver":"root","detail":"x --token HUNTER1","result":"failed","time":"t"}"#;
    let kept = r#"{"approver":"root","detail":"x --token [removed]","result":"failed","time":"t"}"#;
    assert_eq!(clean(&format!("{line}\n{{torn password: HUNTER2\n{line}")), format!("{kept}\n{{torn password: [removed]\n{kept}"));
    // By the name of a member, and in the words of a command.
    let text = r#"{"api_key":{"a":"HUNTER1"},"keyid":"k","of":["--dir","/x","--token","HUNTER2","y"],"pin":4711,"token":null}"#;
    let kept = r#"{"api_key":"[removed]","keyid":"k","of":["--dir","/x","--token","[removed]","y"],"pin":"[removed]","token":null}"#;
    assert_eq!(clean(text), kept);
    assert_eq!(clean("{\n  \"pin\": 1,\n  \"of\": [2]\n}\n"), "{\n  \"of\": [\n    2\n  ],\n  \"pin\": \"[removed]\"\n}\n");
}

proptest! {
    /// Names, signs and quotation marks in any order, torn anywhere: no text ends the run, and none hides what stands behind it.
    #[test]
    fn ac_76_no_text_is_too_awkward_and_none_hides_a_secret(pieces in vec(select(&PIECES[..]), 0..12), end in 0..40_usize) {
        let mut secrets = Secrets::default();
        secrets.of_address("u:Known-Secret@proxy");
        let text = pieces.concat();
        let torn: String = text.chars().take(end).collect();
        for text in [format!("{text}\npassword: HUNTER\n"), format!("{torn} --token HUNTER"), format!("{torn}Known-Secret{text}")] {
            let clean = secrets.remove_from(&text);
            prop_assert!(!clean.contains(SECRET) && !clean.contains("Known-Secret"), "{:?} is {:?}", text, clean);
            let document = serde_json::json!({ "detail": text }).to_string();
            prop_assert!(serde_json::from_str::<Value>(&secrets.remove_from(&document)).is_ok());
        }
    }
}

const PIECES: [&str; 40] = [
    "password",
    "--token",
    "-p",
    "/p",
    "api ",
    "key",
    "pin",
    "senha",
    "ПАРОЛЬ",
    "密码",
    "İ",
    "ẞ",
    "=",
    ":",
    "：",
    "＝",
    " ",
    "\t",
    "\n",
    "\r\n",
    "\"",
    "'",
    "`",
    "\\",
    ",",
    "/",
    ".",
    "-",
    "_",
    "@",
    "://",
    "?",
    "#",
    "{",
    "}",
    "[",
    "]",
    "Bearer ",
    "eyJ.a.b",
    "x",
];
