//! Seeds under a passphrase: `ENCRYPTED PRIVATE KEY` in PEM, as other tools write and read it (`docs/format.md` section 9).
//!
//! PKCS#8 (RFC 5958) with PBES2 (RFC 8018), the key from the passphrase by scrypt (RFC 7914), the seed (RFC 8410) under AES-256-CBC: exactly these, so that there is one way to be wrong.
//! A wrong passphrase shows as bad padding, as a plaintext that is no key, or by a public half that is another; the last is what proves that the right seed came out, and the caller
//! checks it. The parameters of a file that somebody else wrote are bounded before they are obeyed.

use ed25519_dalek::pkcs8::{ALGORITHM_ID, KeypairBytes};
use pkcs8::der::asn1::OctetStringRef;
use pkcs8::der::{Decode, Document};
use pkcs8::pkcs5::pbes2::{self, EncryptionScheme};
use pkcs8::pkcs5::scrypt;
use pkcs8::{EncryptedPrivateKeyInfoRef, LineEnding, PrivateKeyInfoRef};
use zeroize::{Zeroize, Zeroizing};

use super::KeyError;
use crate::publish::passphrase::Passphrase;

/// A private key as it is kept.
pub(super) type Seed = Zeroizing<[u8; 32]>;

const PEM_LABEL: &str = "ENCRYPTED PRIVATE KEY";

/// What guessing a passphrase costs: scrypt's N (as a power of two), r and p. It needs `128 · N · r` bytes of memory and time in proportion to `N · r · p`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    log_n: u8,
    r: u16,
    p: u16,
}

impl Cost {
    /// 16 MiB and about a quarter of a second: as much work as N = 2^17 with p = 1, in as much memory as `openssl` allows itself (it refuses to read keys that need more than 32 MiB).
    pub const DEFAULT: Cost = Cost { log_n: 14, r: 8, p: 8 };

    /// Most memory that a key file may ask for, in bytes: what the strictest of its users choose, twice.
    pub const MAX_MEMORY_BYTES: u64 = 256 << 20;

    /// Most work that a key file may ask for, as `N · r · p`: sixteen times that of [`Cost::DEFAULT`].
    pub const MAX_WORK: u64 = 1 << 24;

    /// The cost of N = 2^`log_n`, `r` and `p`; `None` for what scrypt has not, or what is above the limits.
    pub fn new(log_n: u8, r: u16, p: u16) -> Option<Cost> {
        let n = 1u64.checked_shl(log_n.into())?;
        let memory = n.checked_mul(128)?.checked_mul(r.into())?;
        let work = n.checked_mul(r.into())?.checked_mul(p.into())?;
        let possible = log_n > 0 && r > 0 && p > 0;
        (possible && memory <= Self::MAX_MEMORY_BYTES && work <= Self::MAX_WORK).then_some(Cost { log_n, r, p })
    }
}

/// How seeds are encrypted: under which passphrase, at which cost.
#[derive(Debug, Clone)]
pub struct Encryption {
    passphrase: Passphrase,
    cost: Cost,
}

impl Encryption {
    /// Under `passphrase`, at [`Cost::DEFAULT`].
    pub fn new(passphrase: Passphrase) -> Encryption {
        Encryption { passphrase, cost: Cost::DEFAULT }
    }

    /// The same at another cost.
    pub fn with_cost(self, cost: Cost) -> Encryption {
        Encryption { cost, ..self }
    }

    /// The passphrase.
    pub fn passphrase(&self) -> &Passphrase {
        &self.passphrase
    }

    /// Encrypts `seed` with a new salt.
    pub(super) fn seal(&self, seed: &Seed) -> Result<Sealed, KeyError> {
        let (mut salt, mut iv) = ([0u8; 16], [0u8; 16]);
        for random in [&mut salt, &mut iv] {
            getrandom::fill(random).map_err(|error| KeyError::Random(error.to_string()))?;
        }
        // RFC 8410 section 7: an octet string in the octet string. Without the public half, which older programs refuse to find there.
        let inner = Zeroizing::new([&[0x04, 0x20], seed.as_slice()].concat());
        let pem = scrypt::Params::new(self.cost.log_n, self.cost.r.into(), self.cost.p.into())
            .map_err(|_| pkcs8::Error::ParametersMalformed)
            .and_then(|cost| {
                let parameters = pbes2::Parameters::generate_scrypt_aes256cbc(cost, &salt, iv)?;
                let plain = PrivateKeyInfoRef::new(ALGORITHM_ID, OctetStringRef::new(inner.as_slice())?);
                Ok(plain.encrypt_with_params(parameters, self.passphrase.as_bytes())?.to_pem(PEM_LABEL, LineEnding::LF)?)
            });
        let pem = pem.map_err(|error| KeyError::Encrypt(error.to_string()))?;
        Sealed::parse(&pem).map_err(KeyError::Encrypt)
    }
}

/// An encrypted seed whose form and cost have been checked.
pub(super) struct Sealed {
    pem: String,
    document: Document,
}

impl Sealed {
    /// Reads `pem`; says what is wrong with it.
    pub(super) fn parse(pem: &str) -> Result<Sealed, String> {
        let (label, document) = Document::from_pem(pem).map_err(|error| format!("its encrypted key is no PEM text: {error}"))?;
        if label != PEM_LABEL {
            return Err(format!("its encrypted key is not labelled `{PEM_LABEL}`"));
        }
        let info = EncryptedPrivateKeyInfoRef::from_der(document.as_bytes());
        check(&info.map_err(|error| format!("its encrypted key is no PKCS#8: {error}"))?)?;
        Ok(Sealed { pem: pem.to_owned(), document })
    }

    /// The PEM text.
    pub(super) fn pem(&self) -> &str {
        &self.pem
    }

    /// The seed, when `passphrase` opens it. That it is the right one is for the caller to check, by its public half.
    pub(super) fn open(&self, passphrase: &Passphrase) -> Option<Seed> {
        let info = EncryptedPrivateKeyInfoRef::from_der(self.document.as_bytes()).ok()?;
        let plain = info.decrypt(passphrase.as_bytes()).ok()?;
        let mut pair = PrivateKeyInfoRef::try_from(plain.as_bytes()).ok().and_then(|info| KeypairBytes::try_from(info).ok())?;
        let seed = Zeroizing::new(pair.secret_key);
        pair.secret_key.zeroize();
        Some(seed)
    }
}

/// Refuses other algorithms than ours, and costs above the limits: what a crafted file asks for is allocated and computed before anything can be verified.
fn check(info: &EncryptedPrivateKeyInfoRef<'_>) -> Result<(), String> {
    let unknown = || "its encryption is not scrypt with AES-256-CBC; `openssl pkcs8 -topk8 -scrypt -v2 aes-256-cbc` makes that".to_owned();
    let parameters = info.encryption_algorithm.pbes2().ok_or_else(unknown)?;
    let (Some(kdf), EncryptionScheme::Aes256Cbc { .. }) = (parameters.kdf.scrypt(), parameters.encryption) else {
        return Err(unknown());
    };
    let n = kdf.cost_parameter;
    let log_n = n.is_power_of_two().then(|| u8::try_from(n.trailing_zeros()).ok()).flatten();
    let cost = log_n.and_then(|log_n| Cost::new(log_n, kdf.block_size, kdf.parallelization));
    match cost {
        Some(_) => Ok(()),
        None => Err(format!(
            "its scrypt parameters (N {n}, r {}, p {}) are impossible or ask for more than {} MiB of memory or too much work",
            kdf.block_size,
            kdf.parallelization,
            Cost::MAX_MEMORY_BYTES >> 20
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pkcs8::pkcs5::EncryptionScheme as Algorithm;
    use pkcs8::pkcs5::pbes2::{Parameters, ScryptParams};
    use pkcs8::{EncryptedPrivateKeyInfo, SecretDocument};

    /// The cheapest there is.
    fn cheap() -> Cost {
        Cost::new(1, 1, 1).unwrap()
    }

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::new(Zeroizing::new(text.as_bytes().to_vec())).unwrap()
    }

    fn seed() -> Seed {
        Zeroizing::new([7; 32])
    }

    fn sealed() -> Sealed {
        Encryption::new(passphrase("right")).with_cost(cheap()).seal(&seed()).unwrap()
    }

    /// A PEM text with the given parameters and some ciphertext.
    fn crafted(parameters: Parameters) -> String {
        let algorithm = Algorithm::Pbes2(parameters);
        let data = OctetStringRef::new(&[0; 64]).unwrap();
        let info = EncryptedPrivateKeyInfo { encryption_algorithm: algorithm, encrypted_data: data };
        SecretDocument::try_from(&info).unwrap().to_pem(PEM_LABEL, LineEnding::LF).unwrap().to_string()
    }

    fn with_cost(n: u64, r: u16, p: u16) -> String {
        let kdf = ScryptParams {
            salt: (&[1u8; 16][..]).try_into().unwrap(),
            cost_parameter: n,
            block_size: r,
            parallelization: p,
            key_length: None,
        };
        crafted(Parameters { kdf: kdf.into(), encryption: EncryptionScheme::Aes256Cbc { iv: [0; 16] } })
    }

    #[test]
    fn the_right_passphrase_opens_and_no_other() {
        let sealed = sealed();
        assert_eq!(sealed.open(&passphrase("right")).unwrap().as_slice(), seed().as_slice());
        for wrong in ["wrong", "Right", "right ", "righ"] {
            assert!(sealed.open(&passphrase(wrong)).is_none(), "{wrong}");
        }
    }

    #[test]
    fn no_wrong_passphrase_ever_gives_the_seed() {
        // One in 256 leaves right padding: what it opens to is then no key.
        let sealed = sealed();
        for number in 0..2_000 {
            assert!(sealed.open(&passphrase(&number.to_string())).is_none_or(|opened| opened != seed()), "{number}");
        }
    }

    #[test]
    fn the_same_seed_is_never_encrypted_alike() {
        assert_ne!(sealed().pem(), sealed().pem());
    }

    #[test]
    fn parameters_that_ask_for_too_much_are_refused_before_they_are_obeyed() {
        assert!(Sealed::parse(&with_cost(1 << 14, 8, 8)).is_ok());
        assert!(Sealed::parse(&with_cost(1 << 18, 8, 1)).is_ok(), "256 MiB is the limit");
        let absurd = [
            (1 << 19, 8, 1),
            (1 << 14, 128 + 1, 1),
            (1 << 30, 8, 1),
            (1 << 63, 8, 1),
            (u64::MAX, 8, 1),
            (1 << 14, 8, 129),
            (2, u16::MAX, u16::MAX),
            (3, 8, 1),
            (1, 8, 1),
            (0, 8, 1),
            (2, 0, 1),
            (2, 1, 0),
        ];
        for (n, r, p) in absurd {
            let error = Sealed::parse(&with_cost(n, r, p)).err().unwrap_or_else(|| panic!("{n} {r} {p}"));
            assert!(error.contains("scrypt parameters"), "{error}");
        }
    }

    #[test]
    fn other_algorithms_are_refused_by_name() {
        let pbkdf2 = Parameters::generate_pbkdf2_sha256_aes256cbc(100_000_000, &[1; 16], [0; 16]).unwrap();
        let aes128 = Parameters::generate_scrypt_aes128cbc(scrypt::Params::new(1, 1, 1).unwrap(), &[1; 16], [0; 16]).unwrap();
        for parameters in [pbkdf2, aes128] {
            assert!(Sealed::parse(&crafted(parameters)).err().unwrap().contains("scrypt with AES-256-CBC"));
        }
    }

    #[test]
    fn a_text_that_was_cut_is_refused() {
        let sealed = sealed();
        for cut in 0..sealed.pem().len() - 1 {
            assert!(Sealed::parse(&sealed.pem()[..cut]).is_err(), "{cut}");
        }
    }
}
