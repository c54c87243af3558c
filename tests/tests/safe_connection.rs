//! HTTPS between station and server: what is not safe is refused with its reason, and no switch changes that (attacks C4, C5); a company's authority and its proxy work.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use system_tests::process::run;
use system_tests::proxy::{Fault, Nth, Proxy, Spot, Tunnel};
use system_tests::scene::Scene;
use system_tests::station::{Outcome, Station};
use system_tests::tls::{Authority, Front, Identity};
use system_tests::world::{Build, World, program};

/// A name that leads nowhere: whoever reaches it was led by a proxy.
const NOWHERE: &str = "updates.example";

fn install(station: &Station, link: &str, ca: Option<&str>) -> Outcome {
    let mut arguments = vec!["install", link, "--hasten", "20"];
    arguments.extend(ca.into_iter().flat_map(|ca| ["--ca-file", ca]));
    station.run(&arguments)
}

/// An install must fail as unsafe, for this reason, and leave nothing.
#[track_caller]
fn unsafe_because(outcome: &Outcome, reason: &str) {
    assert_eq!(outcome.code, 3, "{}", outcome.finished.report());
    assert_eq!(outcome.json["error"]["code"], "unsafe-connection", "{}", outcome.json);
    let message = outcome.json["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains(reason), "`{reason}` is not in: {message}");
}

#[test]
fn c4_an_authority_of_the_company_works_when_it_is_given_and_only_then() {
    let world = World::new();
    let scene = Scene::new(&world);
    let authority = Authority::new();
    let ca = authority.write(&world.path("our-ca.pem"));
    let front = Front::before(scene.server.address(), &authority.vouches_for("localhost"));
    let link = front.through(&world.link(&scene.server), "localhost");
    let station = world.station("over-https");
    let without = install(&station, &link, None);
    unsafe_because(&without, "nobody whom this computer trusts vouches");
    assert!(without.json["error"]["message"].as_str().is_some_and(|message| message.contains("--ca-file")), "{}", without.json);
    install(&station, &link, Some(ca.to_str().expect("UTF-8"))).exits(0);
    station.tree().assert_is(&scene.v1.tree(), "installed over https");
    station.check().exits(3);
    station.with_env("STATIONMASTER_CA_FILE", ca.to_str().expect("UTF-8")).check().exits(0);
}

#[test]
fn c4_a_certificate_that_is_expired_for_another_name_or_its_own_witness_is_refused_with_the_reason() {
    let world = World::new();
    let scene = Scene::new(&world);
    let (authority, stranger) = (Authority::new(), Authority::new());
    let ca = authority.write(&world.path("our-ca.pem"));
    let link = world.link(&scene.server);
    let cases = [
        (authority.vouched_for("localhost"), "localhost", "has expired or is not valid yet"),
        (authority.vouches_for("localhost"), "127.0.0.1", "not made out to that name"),
        (authority.vouches_for("other.example"), "localhost", "not made out to that name"),
        (Identity::self_signed("localhost"), "localhost", "nobody whom this computer trusts vouches"),
        (stranger.vouches_for("localhost"), "localhost", "nobody whom this computer trusts vouches"),
    ];
    for (nth, (identity, name, reason)) in cases.iter().enumerate() {
        let front = Front::before(scene.server.address(), identity);
        let station = world.station(&format!("station-{nth}"));
        let outcome = install(&station, &front.through(&link, name), Some(ca.to_str().expect("UTF-8")));
        unsafe_because(&outcome, reason);
        assert!(!station.file("client").exists(), "nothing came of it");
    }
}

/// `openssl s_server` with these options; it is ended when dropped.
struct OpenSsl {
    child: Child,
    address: SocketAddr,
}

impl OpenSsl {
    fn start(identity: &str, options: &[&str]) -> OpenSsl {
        let mut child = Command::new("openssl")
            .args(["s_server", "-accept", "127.0.0.1:0", "-cert", identity, "-key", identity, "-www"])
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl is installed");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let address = lines.map_while(Result::ok).find_map(|line| line.strip_prefix("ACCEPT ").and_then(|rest| rest.parse().ok()));
        OpenSsl { child, address: address.expect("it says where it listens") }
    }
}

impl Drop for OpenSsl {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn c4_old_protocols_and_ciphers_that_hide_nothing_are_refused() {
    let world = World::new();
    let authority = Authority::new();
    let ca = authority.write(&world.path("our-ca.pem"));
    let identity = authority.vouches_for("localhost").write(&world.path("identity.pem"));
    let identity = identity.to_str().expect("UTF-8");
    let station = world.station("client");
    let ask = |server: &OpenSsl| {
        let link = format!("https://localhost:{}/i/shop1#{}", server.address.port(), "0".repeat(64));
        install(&station, &link, Some(ca.to_str().expect("UTF-8")))
    };
    for options in [
        &["-tls1", "-cipher", "ALL:@SECLEVEL=0"][..],
        &["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
        &["-tls1_2", "-cipher", "eNULL:@SECLEVEL=0"],
        &["-tls1_2", "-cipher", "AES128-SHA:@SECLEVEL=0"],
    ] {
        unsafe_because(&ask(&OpenSsl::start(identity, options)), "no protocol or cipher that is safe");
    }
    // The same server without these options is spoken to: what it says is just no install document.
    for options in [&["-tls1_2"][..], &["-tls1_3"]] {
        let outcome = ask(&OpenSsl::start(identity, options));
        assert_eq!(outcome.json["error"]["code"], "web-page", "{options:?}\n{}", outcome.finished.report());
    }
}

#[test]
fn c4_no_switch_makes_anything_unsafe_pass() {
    let commands = ["install", "check", "update", "verify", "rollback", "backups", "status", "history", "uninstall", "unhold"];
    for command in commands {
        let help = run(Command::new(program("updater")).args([command, "--help"]), std::time::Duration::from_secs(60)).succeeded("help");
        for word in ["insecure", "no-check", "skip", "ignore", "no-verify", "trust-all", "danger", "force", "unsafe", "--no-"] {
            assert!(!help.stdout.to_lowercase().contains(word), "`{word}` in the help of {command}\n{}", help.stdout);
        }
    }
    let refused = run(Command::new(program("updater")).args(["check", "--insecure"]), std::time::Duration::from_secs(60));
    assert_eq!(refused.code(), 2);
}

#[test]
fn a_file_of_authorities_that_is_none_is_named() {
    let world = World::new();
    let scene = Scene::new(&world);
    let junk = world.path("junk.pem");
    std::fs::write(&junk, "hello").expect("written");
    for path in [junk.to_str().expect("UTF-8"), "/no/such/file.pem"] {
        let outcome = scene.station.run(&["check", "--ca-file", path]).exits(2);
        assert!(outcome.json["error"]["message"].as_str().is_some_and(|message| message.contains(path)), "{}", outcome.json);
    }
}

#[test]
fn c5_a_man_in_the_middle_with_the_companys_own_authority_changes_nothing() {
    let world = World::new();
    let scene = Scene::new(&world);
    let authority = Authority::new();
    let ca = authority.write(&world.path("company.pem"));
    let ca = ca.to_str().expect("UTF-8");
    // The updater's connection is safe as far as anybody can tell; its other end alters what it passes on.
    let middle = Proxy::to(scene.server.address());
    let front = Front::before(middle.address(), &authority.vouches_for("localhost"));
    let station = world.station("behind-inspection");
    install(&station, &front.through(&world.link(&scene.server), "localhost"), Some(ca)).exits(0);
    let v2 = scene.publish_v2();
    for part in ["/timestamp.json", ".snapshot.json", ".linux.json", ".stable.json", "/objects/"] {
        middle.calm();
        middle.on(part, Nth::Every, Fault::FlipBit(Spot::Percent(50)));
        let outcome = station.run(&["update", "--yes", "--ca-file", ca, "--hasten", "20"]).exits(4);
        station.tree().assert_is(&scene.v1.tree(), &format!("{part}\n{}", outcome.finished.report()));
    }
    middle.calm();
    station.run(&["update", "--yes", "--ca-file", ca]).exits(0);
    station.tree().assert_is(&v2.tree(), "and without it, all is well");
}

#[test]
fn c3_https_is_never_left_for_http() {
    let world = World::new();
    let scene = Scene::new(&world);
    let authority = Authority::new();
    let ca = authority.write(&world.path("our-ca.pem"));
    let ca = ca.to_str().expect("UTF-8");
    let middle = Proxy::to(scene.server.address());
    let front = Front::before(middle.address(), &authority.vouches_for("localhost"));
    let station = world.station("over-https");
    install(&station, &front.through(&world.link(&scene.server), "localhost"), Some(ca)).exits(0);
    scene.publish_v2();
    let plain = format!("http://localhost:{}/repo/acme/metadata/timestamp.json", front.address().port());
    middle.on("/timestamp.json", Nth::Every, Fault::Answer(302, vec![("location", plain.clone())], Vec::new()));
    let outcome = station.run(&["update", "--yes", "--ca-file", ca]).exits(3);
    assert_eq!(outcome.json["error"]["code"], "redirected", "{}", outcome.json);
    let message = outcome.json["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains(&plain) && message.contains("no safe connection any more"), "{message}");
    station.tree().assert_is(&scene.v1.tree(), "untouched");
}

/// Without what the surroundings of this test say of proxies.
fn without_proxies(station: &Station) -> Station {
    let names = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"];
    let given = names.iter().filter(|name| std::env::var_os(name).is_some()).flat_map(|name| ["-u", name]);
    station.through(&["env"].into_iter().chain(given).collect::<Vec<_>>())
}

#[test]
fn the_systems_proxy_is_used_for_http_and_https_and_never_towards_this_computer() {
    let world = World::new();
    let scene = Scene::new(&world);
    let link = world.link(&scene.server);
    let station = |name: &str| without_proxies(&world.station(name));

    // Plain HTTP: the proxy is asked for the whole address.
    let proxy = Proxy::to(scene.server.address());
    let of_proxy = format!("http://{}", proxy.address());
    let (_, path) = link.split_once("/i/").expect("a link");
    let far = format!("http://{NOWHERE}/i/{path}");
    station("far").with_env("http_proxy", &of_proxy).run(&["install", &far]).exits(0);
    let asked = proxy.take_exchanges();
    assert!(!asked.is_empty() && asked.iter().all(|exchange| exchange.path.starts_with(&format!("http://{NOWHERE}/"))), "{asked:?}");
    // HTTPS: through a tunnel, and the certificate is the server's.
    let authority = Authority::new();
    let ca = authority.write(&world.path("our-ca.pem"));
    let front = Front::before(scene.server.address(), &authority.vouches_for(NOWHERE));
    let tunnel = Tunnel::to(front.address());
    let https = far.replace("http://", "https://");
    let safe = station("safe").with_env("HTTPS_PROXY", &format!("http://{}", tunnel.address()));
    install(&safe, &https, Some(ca.to_str().expect("UTF-8"))).exits(0);
    assert!(!tunnel.asked().is_empty() && tunnel.asked().iter().all(|name| name == &format!("{NOWHERE}:443")), "{:?}", tunnel.asked());
    // NO_PROXY, and this computer itself: no proxy.
    let excepted = station("excepted").with_env("http_proxy", &of_proxy).with_env("NO_PROXY", NOWHERE);
    excepted.run(&["install", &far, "--hasten", "20"]).exits(3);
    station("near").with_env("http_proxy", &of_proxy).with_env("HTTP_PROXY", &of_proxy).run(&["install", &link]).exits(0);
    assert_eq!(proxy.take_exchanges(), [], "neither went through the proxy");
}

#[test]
fn a_proxy_that_wants_a_password_says_how_to_give_it() {
    let world = World::new();
    let scene = Scene::new(&world);
    let proxy = Proxy::to(scene.server.address());
    proxy.on("/", Nth::Every, Fault::Answer(407, Vec::new(), Vec::new()));
    let station = without_proxies(&world.station("far")).with_env("http_proxy", &format!("http://{}", proxy.address()));
    let outcome = station.run(&["install", &format!("http://{NOWHERE}/i/shop1#{}", "0".repeat(64))]).exits(3);
    let message = outcome.json["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains("USER:PASSWORD@PROXY"), "{message}");
}

#[test]
fn plain_http_needs_no_authorities_at_all() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    // A bare computer: no certificate of any authority.
    let bare = scene.station.with_env("SSL_CERT_FILE", "/no/such/file").with_env("SSL_CERT_DIR", "/no/such/folder");
    bare.update().exits(0);
    bare.tree().assert_is(&Build { dir: world.path("v2") }.tree(), "updated");
}
