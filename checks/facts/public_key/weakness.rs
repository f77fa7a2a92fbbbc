//! Keys that are known to be breakable by arithmetic on their public half alone.

use serde::{Deserialize, Serialize};

use super::{Blob, PublicKey, bits};

/// Why a public key can be broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weakness {
    /// RSA with a public exponent below 65537 (FIPS 186-4 B.3.1 demands more than 2^16).
    SmallExponent,
    /// RSA made by a faulty Infineon chip (CVE-2017-15361, "ROCA").
    Roca,
}

/// The odd primes up to 167, on which the moduli of the faulty chips betray themselves.
const PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131,
    137, 139, 149, 151, 157, 163, 167,
];

impl PublicKey {
    /// The weaknesses that can be seen on the public half.
    pub fn weaknesses(&self) -> Vec<Weakness> {
        weaknesses(self.plain_blob()).unwrap_or_default()
    }
}

fn weaknesses(blob: &Blob) -> Option<Vec<Weakness>> {
    let key = ssh_key::PublicKey::from_bytes(blob).ok()?;
    let key = key.key_data().rsa()?;
    let mut found = Vec::new();
    if bits(key.e()) < 17 {
        found.push(Weakness::SmallExponent);
    }
    if is_roca(key.n().as_positive_bytes()?) {
        found.push(Weakness::Roca);
    }
    Some(found)
}

/// The primes of the faulty chips are `k * M + (65537^a mod M)` with `M` a product of small primes, so the modulus is a
/// power of 65537 modulo each of those primes ("The Return of Coppersmith's Attack", Nemec et al. 2017, section 2).
/// A sound modulus passes with a probability of about 2^-28.
fn is_roca(modulus: &[u8]) -> bool {
    PRIMES.iter().all(|&p| {
        let rest = modulus.iter().fold(0, |rest, &byte| (rest * 256 + u32::from(byte)) % p);
        let mut power = 1;
        for _ in 0..p {
            if power == rest {
                return true;
            }
            power = power * (65537 % p) % p;
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 65537^9000 as a plain number has the tell-tale property for every prime, whatever else it is.
    #[test]
    fn a_power_of_65537_is_roca_and_its_successor_is_not() {
        let mut number = vec![1_u32];
        for _ in 0..130 {
            let mut carry = 0_u64;
            for limb in &mut number {
                let product = u64::from(*limb) * 65537 + carry;
                *limb = product as u32;
                carry = product >> 32;
            }
            if carry > 0 {
                number.push(carry as u32);
            }
        }
        let rsa = |exponent: &[u8], modulus: &[u8]| PublicKey::from_rsa(exponent, modulus).expect("an RSA key");
        let mut bytes: Vec<u8> = number.iter().rev().flat_map(|l| l.to_be_bytes()).collect();
        assert_eq!(rsa(&[1, 0, 1], &bytes).weaknesses(), [Weakness::Roca]);
        let last = bytes.len() - 1;
        bytes[last] ^= 2;
        assert_eq!(rsa(&[1, 0, 1], &bytes).weaknesses(), []);
        assert_eq!(rsa(&[3], &bytes).weaknesses(), [Weakness::SmallExponent]);
    }
}
