//! Small files in memory, up to a number of bytes.
//!
//! The clock algorithm: every file that was asked for since the hand last passed gets a second chance, the others go. A look-up takes a shared
//! lock and sets a flag; only insertion takes the lock for itself.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// Files by the path of the request that asks for them.
#[derive(Debug)]
pub struct Cache<T> {
    capacity: usize,
    state: RwLock<State<T>>,
}

#[derive(Debug)]
struct State<T> {
    slots: HashMap<Arc<str>, Slot<T>>,
    /// Every key once, in the order in which the hand passes.
    hand: VecDeque<Arc<str>>,
    used: usize,
}

#[derive(Debug)]
struct Slot<T> {
    value: Arc<T>,
    cost: usize,
    asked: AtomicBool,
}

/// What an entry costs beside its bytes: keys, tags, bookkeeping.
const OVERHEAD: usize = 512;

impl<T> Cache<T> {
    /// A cache of `capacity` bytes.
    pub fn new(capacity: usize) -> Cache<T> {
        Cache { capacity, state: RwLock::new(State { slots: HashMap::new(), hand: VecDeque::new(), used: 0 }) }
    }

    /// What is kept under `key`.
    pub fn get(&self, key: &str) -> Option<Arc<T>> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let slot = state.slots.get(key)?;
        // Not stored when it is set already: a hot file's cache line then stays shared between cores.
        if !slot.asked.load(Ordering::Relaxed) {
            slot.asked.store(true, Ordering::Relaxed);
        }
        Some(slot.value.clone())
    }

    /// Keeps `value` of `bytes` bytes under `key` in place of what was there, unless it alone would need more than a quarter of the cache.
    pub fn insert(&self, key: &str, value: Arc<T>, bytes: usize) {
        let cost = bytes.saturating_add(OVERHEAD);
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *state;
        if cost > self.capacity / 4 {
            if let Some(old) = state.slots.remove(key) {
                state.used -= old.cost;
                state.hand.retain(|known| **known != *key);
            }
            return;
        }
        let shared: Arc<str> = Arc::from(key);
        match state.slots.insert(shared.clone(), Slot { value, cost, asked: AtomicBool::new(false) }) {
            Some(old) => state.used -= old.cost,
            None => state.hand.push_back(shared),
        }
        state.used += cost;
        while state.used > self.capacity {
            let Some(candidate) = state.hand.pop_front() else { break };
            match state.slots.get(&candidate) {
                Some(slot) if slot.asked.swap(false, Ordering::Relaxed) => state.hand.push_back(candidate),
                Some(_) => state.used -= state.slots.remove(&candidate).map_or(0, |slot| slot.cost),
                None => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept<const N: usize>(cache: &Cache<u32>, keys: [&str; N]) -> [bool; N] {
        let state = cache.state.read().unwrap();
        keys.map(|key| state.slots.contains_key(key))
    }

    #[test]
    fn what_was_asked_for_outlives_what_was_not() {
        let cache = Cache::new(5 * (OVERHEAD + 100));
        for (key, value) in [("a", 1), ("b", 2), ("c", 3), ("d", 4), ("e", 5)] {
            cache.insert(key, Arc::new(value), 100);
        }
        assert_eq!(cache.get("a").as_deref(), Some(&1));
        assert_eq!(cache.get("c").as_deref(), Some(&3));
        cache.insert("f", Arc::new(6), 100);
        cache.insert("g", Arc::new(7), 100);
        assert_eq!(kept(&cache, ["a", "b", "c", "d", "e", "f", "g"]), [true, false, true, false, true, true, true]);
    }

    #[test]
    fn the_sum_never_exceeds_the_capacity() {
        let cache = Cache::new(100_000);
        for n in 0..1000_usize {
            cache.insert(&format!("{}", n % 300), Arc::new(0), n * 7 % 24_000);
            cache.get(&format!("{}", n * 3 % 300));
            let state = cache.state.read().unwrap();
            assert!(state.used <= 100_000 && state.hand.len() == state.slots.len());
            assert_eq!(state.used, state.slots.values().map(|slot| slot.cost).sum::<usize>());
        }
    }

    #[test]
    fn a_file_that_would_fill_the_cache_is_not_kept() {
        let cache = Cache::new(10_000);
        cache.insert("a", Arc::new(1), 10);
        cache.insert("a", Arc::new(2), 9_000);
        assert_eq!(kept(&cache, ["a"]), [false]);
        assert!(Cache::<u32>::new(0).get("x").is_none());
    }
}
