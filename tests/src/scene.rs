//! A station on 1.0.0 that somebody wants to lead astray: what most attacks begin with, and what all of them must end in.

use crate::proxy::Proxy;
use crate::server::Server;
use crate::station::Station;
use crate::world::{Build, Repository, T0, World, noise};

/// A repository, a server, a proxy before it, and a station that installed 1.0.0 through the proxy.
pub struct Scene<'a> {
    world: &'a World,
    /// The publisher's.
    pub repository: Repository<'a>,
    /// Serves it.
    pub server: Server,
    /// Between server and station.
    pub proxy: Proxy,
    /// The station.
    pub station: Station,
    /// What is installed: `client` and `lib/a.so`.
    pub v1: Build,
}

impl<'a> Scene<'a> {
    /// A station on 1.0.0, the newest release there is.
    pub fn new(world: &'a World) -> Scene<'a> {
        let repository = world.repository("acme");
        let v1 = world.build("v1");
        v1.exec("client", noise(1, 100_000), T0).file("lib/a.so", noise(2, 100_000), T0);
        repository.publish(&v1, "1.0.0");
        let (server, proxy, link) = world.serve_through_proxy(&repository);
        let station = world.station("client");
        station.install(&link);
        proxy.take_exchanges();
        Scene { world, repository, server, proxy, station, v1 }
    }

    /// The same with 2.0.0, another `client`, waiting in the folder `v2`.
    pub fn with_update(world: &'a World) -> Scene<'a> {
        let scene = Scene::new(world);
        scene.publish_v2();
        scene.proxy.take_exchanges();
        scene
    }

    /// Publishes 2.0.0, another `client`, from the folder `v2`.
    pub fn publish_v2(&self) -> Build {
        let v2 = self.v1.copy("v2");
        v2.exec("client", noise(3, 110_000), T0 + 60);
        self.repository.publish(&v2, "2.0.0");
        v2
    }

    /// An update must fail with one of these codes and leave everything as it was. Returns all that it said.
    #[track_caller]
    pub fn refuses(&self, codes: &[i32], what: &str) -> String {
        let outcome = self.station.update();
        assert!(codes.contains(&outcome.code), "{what}: exit code {}\n{}", outcome.code, outcome.finished.report());
        assert!(!outcome.finished.stderr.contains("panicked"), "{what}\n{}", outcome.finished.report());
        self.station.tree().assert_is(&self.v1.tree(), what);
        assert_eq!(self.station.backups(), [] as [&str; 0], "{what}");
        outcome.finished.report()
    }

    /// With an honest network again, the update to the build in the folder `to` works.
    #[track_caller]
    pub fn recovers(&self, to: &str) {
        self.proxy.calm();
        self.station.update().exits(0);
        self.station.tree().assert_is(&Build { dir: self.world.path(to) }.tree(), "the next honest run");
    }
}
