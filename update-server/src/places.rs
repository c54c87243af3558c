//! How many connections one address may have (attack C10).
//!
//! Without this, one client takes every place there is and others wait for as long as it likes to renew them. A client with IPv6 has a whole /64, so
//! that counts as one address. A site may share one address of IPv4 among hundreds of stations, and a proxy lends its own to everybody: hence a generous
//! default, and addresses that this does not hold for.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use crate::config::Limits;

/// The address that a client counts as: that of IPv4 where it is one in disguise, the /64 of IPv6.
pub fn counted(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        address => address,
    }
}

/// Whether bounds by address leave `address` out.
pub fn is_unlimited(limits: &Limits, address: IpAddr) -> bool {
    let canonical = address.to_canonical();
    limits.unlimited_addresses.iter().any(|unlimited| unlimited.to_canonical() == canonical)
}

/// The connections of each address.
#[derive(Debug)]
pub struct Places {
    most: usize,
    taken: Mutex<HashMap<IpAddr, usize>>,
}

/// A place that is taken until dropped.
#[derive(Debug)]
pub struct Place {
    places: Arc<Places>,
    address: IpAddr,
}

impl Places {
    /// `most` for each address.
    pub fn new(most: usize) -> Arc<Places> {
        Arc::new(Places { most, taken: Mutex::default() })
    }

    /// A place for a connection from `address`; `None` when it has as many as it may.
    pub fn take(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let address = counted(address);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(address).or_insert(0);
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Place { places: self.clone(), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn each_address_has_its_own_places_and_gets_them_back() {
        let places = Places::new(2);
        let first = places.take(address("192.0.2.1"));
        let second = places.take(address("::ffff:192.0.2.1"));
        assert!(first.is_some() && second.is_some() && places.take(address("192.0.2.1")).is_none());
        assert!(places.take(address("192.0.2.2")).is_some(), "another address");
        drop(first);
        assert!(places.take(address("192.0.2.1")).is_some());
        drop(second);
        assert!(places.taken.lock().unwrap().is_empty(), "what nobody holds takes no memory");
    }

    #[test]
    fn a_client_of_ipv6_has_one_address_however_many_it_makes_up() {
        let places = Places::new(1);
        let held = places.take(address("2001:db8:1:2::1"));
        assert!(held.is_some() && places.take(address("2001:db8:1:2:ffff::9")).is_none());
        assert!(places.take(address("2001:db8:1:3::1")).is_some());
    }

    #[test]
    fn proxies_are_left_out_in_either_spelling() {
        let limits = Limits { unlimited_addresses: vec![address("127.0.0.1"), address("2001:db8::7")], ..Limits::default() };
        for (text, unlimited) in
            [("127.0.0.1", true), ("::ffff:127.0.0.1", true), ("127.0.0.2", false), ("2001:db8::7", true), ("2001:db8::8", false)]
        {
            assert_eq!(is_unlimited(&limits, address(text)), unlimited, "{text}");
        }
    }
}
