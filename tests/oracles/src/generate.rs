//! Repositories to disagree about: an honest one by lot, a few things done to it, and what a client meets on one or several visits.
//!
//! Everything follows from the seed. A change that the holder of a key could make is signed by that key, so that a client has to find it by the rule it breaks and not by the
//! signature; only what stands for a stranger in the network is not.

mod evolve;
mod honest;
mod keys;
mod model;
mod mutate;
mod raw;
mod render;

use crate::case::{Case, Change, Files, Step};
use crate::random::Random;

/// The time of the first visit: 2026-11-21T10:00:00Z.
pub const NOW: i64 = 1_795_255_200;

/// The case that grows from `seed`.
pub fn case(seed: u64) -> Case {
    let mut random = Random::new(seed);
    let (mut model, target) = honest::model(&mut random);
    let root = render::root(&model, 0);
    let mut changes = Vec::new();
    let mut now = NOW;
    let mut steps: Vec<Step> = Vec::new();
    // Everything that was ever published, under its newest content.
    let mut published = Files::new();
    let count = *random.pick(&[1, 1, 2, 2, 3]);
    for step in 0..count {
        let mut note = |name, at: String, detail: String| changes.push(Change { step, name, at, detail });
        if step > 0 {
            let evolution = evolve::draw(&mut random);
            let detail = (evolution.apply)(&mut model, &mut now, &mut random);
            note(evolution.name, String::new(), detail);
        }
        // Mostly one: two may hide each other, and none has to be accepted by all.
        let mutations = *random.pick(&[0, 1, 1, 1, 1, 2]);
        // An early step is mostly honest, so that there is something to come back to.
        let mutations = if step + 1 < count && random.percent(75) { 0 } else { mutations };
        let drawn: Vec<mutate::Drawn> = (0..mutations).map(|_| mutate::draw(&model, &mut random)).collect();
        // What the holder of a key changes, he mostly publishes as a new version: nobody would fetch the file otherwise.
        for changed in drawn.iter().filter(|drawn| step > 0 && drawn.is_published()) {
            if random.percent(90) {
                model.publish_anew(&changed.role);
            }
        }
        let new = render::files(&model, &drawn, &mut random, &mut note);
        let before = published.clone();
        published.extend(new.clone());
        let mut files = published.clone();
        render::serve(&mut files, new.keys(), &before, &drawn, &mut random, &mut note);
        steps.push(Step { now, files });
    }
    Case { seed, root, target, steps, changes }
}

/// The names of all changes that a case can have.
pub fn change_names() -> Vec<&'static str> {
    evolve::EVOLUTIONS.iter().map(|evolution| evolution.name).chain(mutate::all().map(|mutation| mutation.name)).collect()
}
