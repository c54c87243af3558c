//! Recovery against a model: a tree in memory, every small swap, a cut after every step and in every byte of the journal's later lines, and then another cut while recovering.
//!
//! Once with every pair of trees over few paths, which is all there is ([`f6_every_swap_between_small_trees_survives_every_cut`] says how many states that is), and once with random pairs over
//! more of them. A rollback is such a swap as well: each pair comes in both directions.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use manifests::channel::Place;
use manifests::digest::Digest;
use manifests::path::RelPath;
use manifests::time::FileTime;
use proptest::prelude::*;

use super::*;
use crate::id::Id;
use crate::swap::journal::{Journal, Plan};
use crate::swap::operation::order;
use crate::trigger::Trigger;

/// What a path is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    Folder,
    Leaf(Identity),
}

type Tree = BTreeMap<String, Node>;

/// The file system, as far as a swap sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct World {
    live: Tree,
    staged: Tree,
    kept: Tree,
    found: Vec<(String, Node)>,
}

fn file(content: u8, mtime: i64) -> FileIdentity {
    FileIdentity { size: 1, mtime: FileTime::clamped(mtime), mode: 0o644, sha256: Digest::of(&[content]) }
}

fn leaf(content: u8, mtime: i64) -> Node {
    Node::Leaf(Identity::File(file(content, mtime)))
}

fn rel(path: &str) -> RelPath {
    path.parse().unwrap()
}

fn parent(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(parent, _)| parent)
}

fn below<'t>(tree: &'t Tree, path: &str) -> Vec<&'t String> {
    tree.keys().filter(|key| key.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))).collect()
}

impl World {
    /// Does what `step` does on a disk, and panics where a disk would refuse.
    fn perform(&mut self, step: &Step) {
        match step {
            Step::Keep { path, .. } => {
                let node = self.live.remove(path.as_str()).expect("something to keep");
                assert!(matches!(node, Node::Leaf(_)), "{path} is kept");
                self.kept.insert(path.to_string(), node);
            }
            Step::Place { path, staged, .. } => {
                let node = self.staged.remove(staged).expect("something staged");
                self.put(path, node);
            }
            Step::Return { path, .. } => {
                let node = self.kept.remove(path.as_str()).expect("something kept");
                self.put(path, node);
            }
            Step::Unplace { path, staged } => {
                let node = self.live.remove(path.as_str()).expect("something to take back");
                self.staged.insert(staged.clone(), node);
            }
            Step::RemoveFolder { path, is_needed } => {
                assert_eq!(self.live.get(path.as_str()), Some(&Node::Folder), "{path} is removed");
                if below(&self.live, path.as_str()).is_empty() {
                    self.live.remove(path.as_str());
                } else if *is_needed {
                    self.aside(path);
                }
            }
            Step::MakeFolder { path } => self.put(path, Node::Folder),
            Step::Set { path, to } => {
                let Some(Node::Leaf(Identity::File(file))) = self.live.get_mut(path.as_str()) else { panic!("{path} is set") };
                assert!(file.has_content_of(to));
                *file = *to;
            }
            Step::Aside { path } => self.aside(path),
        }
    }

    fn put(&mut self, path: &RelPath, node: Node) {
        assert!(parent(path.as_str()).is_none_or(|parent| self.live.get(parent) == Some(&Node::Folder)), "{path} has a folder");
        assert_eq!(self.live.insert(path.to_string(), node), None, "{path} is free");
    }

    fn aside(&mut self, path: &RelPath) {
        let mut gone: Vec<String> = below(&self.live, path.as_str()).into_iter().cloned().collect();
        gone.push(path.to_string());
        for path in gone {
            let node = self.live.remove(&path).expect("something to set aside");
            self.found.push((path, node));
        }
    }

    fn observe(&self, changes: &[Change]) -> Vec<Observed> {
        let see = |tree: &Tree, path: &str| match tree.get(path) {
            None => Seen::Nothing,
            Some(Node::Folder) => Seen::Folder,
            Some(Node::Leaf(identity)) => Seen::Leaf(identity.clone()),
        };
        let observe = |change: &Change| Observed {
            live: see(&self.live, change.path.as_str()),
            staged: match &change.new {
                New::Staged(_, name) => see(&self.staged, name),
                _ => Seen::Nothing,
            },
            kept: see(&self.kept, change.path.as_str()),
        };
        changes.iter().map(observe).collect()
    }

    fn decide(&self, changes: &[Change], phase: Option<Phase>) -> Decision {
        decide(changes, phase, &self.observe(changes))
    }
}

/// A swap from one tree to another, with the world before it.
struct Case {
    before: World,
    new: Tree,
    changes: Vec<Change>,
    operations: Vec<Operation>,
    /// States of the disk and the journal that were decided about.
    states: Cell<u64>,
}

/// What a planner would ask for to make `old` become `new`; `entries` go out first and in last.
fn case(old: &Tree, new: &Tree, entries: &[&str]) -> Case {
    let paths: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let entries: BTreeSet<RelPath> = entries.iter().map(|path| rel(path)).collect();
    let mut before = World { live: old.clone(), ..World::default() };
    let mut operations = vec![];
    for path in paths {
        let (was, shall) = (old.get(path), new.get(path));
        let is_entry = entries.contains(&rel(path));
        let path = rel(path);
        let stage = |before: &mut World, new: &Identity| {
            let name = format!("s{}", before.staged.len());
            before.staged.insert(name.clone(), Node::Leaf(new.clone()));
            Some(name)
        };
        match (was, shall) {
            (Some(Node::Leaf(old)), Some(Node::Leaf(new))) if is_entry => {
                operations.push(Operation::Out { path: path.clone(), old: old.clone() });
                let staged = if old == new { None } else { stage(&mut before, new) };
                operations.push(Operation::Put { path, old: None, new: new.clone(), staged });
            }
            (was, shall) if was == shall => {}
            (Some(Node::Leaf(Identity::File(old))), Some(Node::Leaf(Identity::File(new)))) if old.has_content_of(new) => {
                operations.push(Operation::Set { path, old: *old, new: *new });
            }
            (Some(Node::Leaf(old)), Some(Node::Leaf(new))) => {
                let staged = stage(&mut before, new);
                operations.push(Operation::Put { path, old: Some(old.clone()), new: new.clone(), staged });
            }
            (was, shall) => {
                match was {
                    Some(Node::Folder) => operations.push(Operation::Rmdir { path: path.clone() }),
                    Some(Node::Leaf(old)) if is_entry => operations.push(Operation::Out { path: path.clone(), old: old.clone() }),
                    Some(Node::Leaf(old)) => operations.push(Operation::Remove { path: path.clone(), old: old.clone() }),
                    None => {}
                }
                match shall {
                    Some(Node::Folder) => operations.push(Operation::Mkdir { path }),
                    Some(Node::Leaf(new)) => {
                        let staged = stage(&mut before, new);
                        operations.push(Operation::Put { path, old: None, new: new.clone(), staged });
                    }
                    None => {}
                }
            }
        }
    }
    order(&mut operations, &entries);
    Case { before, new: new.clone(), changes: changes(&operations), operations, states: Cell::new(0) }
}

impl Case {
    fn forward_steps(&self) -> Vec<Step> {
        match self.before.decide(&self.changes, None) {
            Decision::Forward(steps) => steps,
            other => panic!("a staged swap goes forward: {other:?}"),
        }
    }

    /// The worlds that a cut after each of `steps` leaves.
    fn cuts(start: &World, steps: &[Step]) -> Vec<World> {
        let mut worlds = vec![start.clone()];
        for step in steps {
            let mut next = worlds[worlds.len() - 1].clone();
            next.perform(step);
            worlds.push(next);
        }
        worlds
    }

    /// Recovers `world` and checks that it ends in `tree`, also when each recovery is cut at each step.
    fn ends_in(&self, world: &World, phase: Option<Phase>, tree: &Tree) {
        let steps = self.steps(world, phase, tree);
        for cut in Self::cuts(world, &steps) {
            let last = Self::cuts(&cut, &self.steps(&cut, phase, tree)).pop().unwrap();
            assert_eq!(last.live, *tree);
            assert_eq!(self.steps(&last, phase, tree), [], "nothing is left to do");
            self.check_kept(&last);
        }
    }

    fn steps(&self, world: &World, phase: Option<Phase>, tree: &Tree) -> Vec<Step> {
        self.states.set(self.states.get() + 1);
        match world.decide(&self.changes, phase) {
            Decision::Forward(steps) if *tree == self.new => steps,
            Decision::Back(steps) if *tree == self.before.live => steps,
            other => panic!("{other:?} in {world:?}"),
        }
    }

    /// Forward, the backup has every old file that is not live any more; back, everything is where it began.
    fn check_kept(&self, world: &World) {
        if world.live == self.before.live && world.live != self.new {
            assert_eq!((&world.kept, &world.staged), (&self.before.kept, &self.before.staged));
            return;
        }
        for change in &self.changes {
            if let (Old::Leaf(old), false) = (&change.old, matches!(change.new, New::Set(_) | New::Same(_))) {
                assert_eq!(world.kept.get(change.path.as_str()), Some(&Node::Leaf(old.clone())));
            }
        }
    }

    fn check_all(&self) {
        let steps = self.forward_steps();
        let worlds = Self::cuts(&self.before, &steps);
        assert_eq!(worlds[worlds.len() - 1].live, self.new);
        for world in &worlds {
            self.ends_in(world, None, &self.new);
            self.ends_in(world, Some(Phase::Back), &self.before.live);
            // Going back is only ever begun; a cut there goes on back.
            for step_back in Self::cuts(world, &self.steps(world, Some(Phase::Back), &self.before.live)) {
                self.ends_in(&step_back, Some(Phase::Back), &self.before.live);
            }
            for name in world.staged.keys() {
                let mut lost = world.clone();
                lost.staged.remove(name);
                let Decision::Back(steps) = lost.decide(&self.changes, None) else { panic!("without `{name}` it goes back") };
                assert_eq!(Self::cuts(&lost, &steps).pop().unwrap().live, self.before.live);
            }
        }
    }
}

/// What a journal says that was cut off after each of its bytes, and how many bytes those are: its first line whole, then the lines of `phases`.
fn prefixes(operations: &[Operation], phases: &[Phase]) -> Vec<(Option<Phase>, usize)> {
    let plan = Plan {
        id: Id::from_bytes([1; 8]),
        trigger: Trigger::Update,
        from: Some(Place(1, 1)),
        to: Place(1, 2),
        installed: Digest::of(b"installed"),
        manifest: Digest::of(b"manifest"),
        slots: None,
        operations: operations.to_vec(),
        attempt: None,
    };
    let first = plan.to_line();
    let whole = phases.iter().fold(first.clone(), |text, phase| [text, phase.to_line()].concat());
    let parsed = (first.len()..=whole.len()).map(|length| Journal::parse(&whole[..length]).unwrap());
    parsed.map(|journal| (journal.phase, journal.whole_bytes - first.len())).collect()
}

impl Case {
    /// Every byte of the journal's later lines, with every disk that there can be when it is written.
    fn check_journal(&self) {
        let (back, committed) = (Phase::Back.to_line().len(), Phase::Committed.to_line().len());
        let worlds = Self::cuts(&self.before, &self.forward_steps());
        let last = worlds[worlds.len() - 1].clone();
        let decide = |world: &World, phase| {
            self.states.set(self.states.get() + 1);
            world.decide(&self.changes, phase)
        };
        // An operation failed, after any number of others: `back` is written, and torn it says nothing.
        for (length, (phase, whole)) in prefixes(&self.operations, &[Phase::Back]).into_iter().enumerate() {
            assert_eq!((phase, whole), if length < back { (None, 0) } else { (Some(Phase::Back), back) });
            for world in &worlds {
                match decide(world, phase) {
                    Decision::Forward(_) => assert!(length < back),
                    Decision::Back(_) => assert_eq!(length, back),
                    other => panic!("{other:?}"),
                }
            }
        }
        // Everything is in place: `committed` is written, and taken back when nobody knows whether it arrived.
        for (length, (phase, _)) in prefixes(&self.operations, &[Phase::Committed, Phase::Back]).into_iter().enumerate() {
            match decide(&last, phase) {
                Decision::Forward(steps) => assert!(length < committed && steps.is_empty()),
                Decision::Tidy => assert!((committed..committed + back).contains(&length)),
                Decision::Back(_) => assert_eq!(length, committed + back),
                Decision::Broken(missing) => panic!("{missing:?} are gone"),
            }
        }
    }
}

/// Every tree over a folder with a file in it, a file beside it and an entry point: what is there is nothing, a folder, or a file of two contents and two times.
fn small_trees() -> Vec<Tree> {
    let files = || [leaf(0, 0), leaf(0, 1), leaf(1, 0)].into_iter().map(Some);
    let mut trees = vec![];
    for a in files().chain([None, Some(Node::Folder)]) {
        let inner: Vec<Option<Node>> =
            if a == Some(Node::Folder) { files().chain([None, Some(Node::Folder)]).collect() } else { vec![None] };
        for inner in inner {
            for entry in files().chain([None]) {
                let nodes = [("a", a.clone()), ("a/x", inner.clone()), ("run", entry)];
                trees.push(nodes.into_iter().filter_map(|(path, node)| Some((path.to_owned(), node?))).collect());
            }
        }
    }
    trees
}

#[test]
fn f6_every_swap_between_small_trees_survives_every_cut() {
    let trees = small_trees();
    let mut states = 0;
    for (old, new) in trees.iter().flat_map(|old| trees.iter().map(move |new| (old, new))) {
        for entries in [&[][..], &["run"], &["a/x", "run"]] {
            let case = case(old, new, entries);
            case.check_all();
            if entries == ["run"] {
                case.check_journal();
            }
            states += case.states.get();
        }
    }
    assert_eq!((trees.len(), states), (36, 751_574), "all trees, and all states of disk and journal between them");
}

fn tree(entries: &[(&str, Node)]) -> Tree {
    entries.iter().map(|(path, node)| ((*path).to_owned(), node.clone())).collect()
}

/// Trees over a few paths, in which every parent is a folder.
fn any_tree() -> impl Strategy<Value = Tree> {
    let node = prop_oneof![2 => Just(None), 1 => Just(Some(Node::Folder)), 3 => (0u8..3, 0i64..2).prop_map(|(content, mtime)| Some(leaf(content, mtime)))];
    proptest::collection::vec(node, 7).prop_map(|nodes| {
        let paths = ["a", "a/x", "a/x/y", "a/z", "b", "b/x", "run"];
        let mut tree = Tree::new();
        for (path, node) in paths.into_iter().zip(nodes) {
            let has_folder = parent(path).is_none_or(|parent| tree.get(parent) == Some(&Node::Folder));
            if let Some(node) = node.filter(|_| has_folder) {
                tree.insert(path.to_owned(), node);
            }
        }
        tree
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn f6_every_cut_of_every_swap_ends_in_the_old_or_the_new_tree(old in any_tree(), new in any_tree()) {
        case(&old, &new, &["run"]).check_all();
        case(&old, &new, &["run", "b/x"]).check_all();
    }
}

#[test]
fn f6_the_swap_of_the_documentation_survives_a_cut_at_every_step() {
    let folder = Node::Folder;
    let old = tree(&[("a.exe", leaf(0, 1)), ("x", leaf(1, 1)), ("d", folder.clone()), ("b.dll", leaf(2, 1)), ("c", leaf(3, 1))]);
    let new = tree(&[("a.exe", leaf(4, 1)), ("e", folder), ("b.dll", leaf(5, 1)), ("c", leaf(3, 2))]);
    case(&old, &new, &["a.exe"]).check_all();
}

#[test]
fn f6_a_new_file_that_looks_like_the_old_one_is_told_from_it_by_content() {
    let (old, new) = (tree(&[("run", leaf(0, 1)), ("a", leaf(1, 1))]), tree(&[("run", leaf(2, 1)), ("a", leaf(3, 1))]));
    case(&old, &new, &["run"]).check_all();
}

#[test]
fn the_entry_point_is_never_live_while_the_tree_is_mixed() {
    let (old, new) = (tree(&[("run", leaf(0, 1)), ("a", leaf(1, 1)), ("b", leaf(1, 1))]), tree(&[("run", leaf(2, 1)), ("a", leaf(3, 1))]));
    let case = case(&old, &new, &["run"]);
    let worlds = Case::cuts(&case.before, &case.forward_steps());
    for world in &worlds {
        for (phase, start) in [(None, world), (Some(Phase::Back), world)] {
            let steps = match start.decide(&case.changes, phase) {
                Decision::Forward(steps) | Decision::Back(steps) => steps,
                other => panic!("{other:?}"),
            };
            for world in Case::cuts(start, &steps) {
                let is_whole = world.live == old || world.live == new;
                let only_just = start.live.contains_key("run") && world.live == start.live;
                assert!(is_whole || only_just || !world.live.contains_key("run"), "{world:?}");
            }
        }
    }
}

#[test]
fn what_is_neither_old_nor_new_is_set_aside_and_never_lost() {
    let old = tree(&[("run", leaf(0, 1)), ("a", leaf(1, 1)), ("gone", leaf(1, 1)), ("same", leaf(7, 7))]);
    let new = tree(&[("run", leaf(2, 1)), ("a", leaf(3, 1)), ("same", leaf(7, 7)), ("came", leaf(5, 5))]);
    let case = case(&old, &new, &["run"]);
    for world in Case::cuts(&case.before, &case.forward_steps()) {
        for path in ["run", "a", "came"] {
            let mut strange = world.clone();
            if let Some(node) = strange.live.insert(path.to_owned(), leaf(99, 99)) {
                // Somebody changed it: what it was before is elsewhere, or nowhere.
                let Node::Leaf(_) = node else { continue };
            }
            for phase in [None, Some(Phase::Back)] {
                match strange.decide(&case.changes, phase) {
                    Decision::Broken(missing) => assert_eq!(missing, [rel(path)]),
                    Decision::Tidy => panic!("nothing was committed"),
                    Decision::Forward(steps) | Decision::Back(steps) => {
                        let last = Case::cuts(&strange, &steps).pop().unwrap();
                        let kept_in_place = last.live.get(path) == Some(&leaf(99, 99));
                        let mut live = last.live.clone();
                        if kept_in_place {
                            live.remove(path);
                        }
                        assert!(live == old || live == new, "{last:?}");
                        assert!(kept_in_place || last.found == [(path.to_owned(), leaf(99, 99))]);
                    }
                }
            }
        }
    }
}

#[test]
fn when_neither_way_is_whole_nothing_is_touched_and_the_missing_files_are_named() {
    let (old, new) = (tree(&[("run", leaf(0, 1)), ("a", leaf(1, 1))]), tree(&[("run", leaf(2, 1)), ("a", leaf(3, 1))]));
    let case = case(&old, &new, &["run"]);
    let mut world = Case::cuts(&case.before, &case.forward_steps()[..2]).pop().unwrap();
    world.kept.clear();
    world.staged.clear();
    assert_eq!(world.decide(&case.changes, None), Decision::Broken(vec![rel("run"), rel("a")]));
}

#[test]
fn a_committed_swap_is_only_tidied_up_whatever_is_seen() {
    let case = case(&tree(&[("a", leaf(1, 1))]), &tree(&[("a", leaf(2, 1))]), &[]);
    assert_eq!(World::default().decide(&case.changes, Some(Phase::Committed)), Decision::Tidy);
}

#[test]
fn old_content_that_a_record_had_wrong_is_still_the_old_file() {
    let (old, new) = (tree(&[("a", leaf(1, 1)), ("b", leaf(1, 1))]), tree(&[("a", leaf(2, 2)), ("b", leaf(3, 3))]));
    let case = case(&old, &new, &[]);
    let mut world = case.before.clone();
    world.live.insert("a".into(), leaf(77, 1));
    world.staged.clear();
    assert_eq!(world.decide(&case.changes, None), Decision::Back(vec![]));
}
