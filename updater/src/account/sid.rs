//! Account numbers of Windows (security identifiers), as bytes and as text. Pure.

use std::fmt;

/// An account or group of Windows: `S-1-5-18` is the system itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Sid {
    /// Revision, number of parts, authority, parts: as the system has it.
    bytes: Vec<u8>,
}

/// Bytes before the parts.
const HEAD_BYTES: usize = 8;
/// The authority of accounts (`S-1-5`).
const NT: u8 = 5;

impl Sid {
    fn new(authority: u8, parts: &[u32]) -> Sid {
        let mut bytes = vec![1, parts.len() as u8, 0, 0, 0, 0, 0, authority];
        bytes.extend(parts.iter().flat_map(|part| part.to_le_bytes()));
        Sid { bytes }
    }

    /// The account at the beginning of `bytes`; `None` when there is none.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Sid> {
        /// Most parts that the system knows (`SID_MAX_SUB_AUTHORITIES`).
        const MOST_PARTS: u8 = 15;
        let &[revision, parts, ..] = bytes else { return None };
        let whole = bytes.get(..HEAD_BYTES + 4 * usize::from(parts))?;
        (revision == 1 && parts <= MOST_PARTS).then(|| Sid { bytes: whole.to_vec() })
    }

    /// As the system has it.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The system itself.
    pub(crate) fn system() -> Sid {
        Sid::new(NT, &[18])
    }

    /// The group of administrators.
    pub(crate) fn administrators() -> Sid {
        Sid::new(NT, &[32, 544])
    }

    /// The service that installs Windows and owns most of it.
    fn trusted_installer() -> Sid {
        Sid::new(NT, &[80, 956_008_885, 3_418_522_649, 1_831_038_044, 1_853_292_631, 2_271_478_464])
    }

    /// The group of those who may log on here.
    pub(crate) fn users() -> Sid {
        Sid::new(NT, &[32, 545])
    }

    /// Whoever has shown who he is.
    #[cfg(windows)]
    pub(crate) fn authenticated() -> Sid {
        Sid::new(NT, &[11])
    }

    /// Everybody.
    pub(crate) fn everybody() -> Sid {
        Sid::new(1, &[0])
    }

    /// Stands in a folder for whoever makes something in it; nobody is it.
    pub(crate) fn creator_owner() -> Sid {
        Sid::new(3, &[0])
    }

    /// Whoever owns the thing, for what he may do with it.
    pub(crate) fn owner_rights() -> Sid {
        Sid::new(3, &[4])
    }

    /// Whether it is the system, an administrator's right, or what installs Windows: whoever is that has the computer.
    pub(crate) fn is_root(&self) -> bool {
        [Sid::system(), Sid::administrators(), Sid::trusted_installer()].contains(self)
    }
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (head, parts) = self.bytes.split_at_checked(HEAD_BYTES).unwrap_or_default();
        let authority = head.iter().skip(2).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        write!(f, "S-1-{authority}")?;
        let mut rest = parts;
        while let Some((part, after)) = rest.split_first_chunk() {
            write!(f, "-{}", u32::from_le_bytes(*part))?;
            rest = after;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_reads_back_as_the_system_writes_it() {
        for (sid, text) in [
            (Sid::system(), "S-1-5-18"),
            (Sid::administrators(), "S-1-5-32-544"),
            (Sid::everybody(), "S-1-1-0"),
            (Sid::trusted_installer(), "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"),
        ] {
            assert_eq!(sid.to_string(), text);
            let followed = [sid.as_bytes(), b"more"].concat();
            assert_eq!(Sid::parse(&followed), Some(sid));
        }
    }

    #[test]
    fn what_is_cut_off_or_of_another_revision_is_no_account() {
        let sid = Sid::administrators();
        for length in 0..sid.as_bytes().len() {
            assert_eq!(Sid::parse(&sid.as_bytes()[..length]), None, "{length}");
        }
        assert_eq!(Sid::parse(&[2, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0]), None);
        assert_eq!(Sid::parse(&[[1, 16, 0, 0, 0, 0, 0, 5].as_slice(), &[0; 64]].concat()), None);
    }
}
