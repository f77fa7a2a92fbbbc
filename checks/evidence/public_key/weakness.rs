//! Keys that are known to be breakable by arithmetic on their public half alone.

use serde::Serialize;

use super::encoding::{Reader, bits};
use super::{Blob, PublicKey};

/// Why a public key can be broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
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
        let Some((exponent, modulus)) = rsa_numbers(self.plain_blob()) else { return Vec::new() };
        let mut found = Vec::new();
        if bits(exponent) < 17 {
            found.push(Weakness::SmallExponent);
        }
        if is_roca(modulus) {
            found.push(Weakness::Roca);
        }
        found
    }
}

fn rsa_numbers(blob: &Blob) -> Option<(&[u8], &[u8])> {
    let mut reader = Reader(blob);
    (reader.string()? == b"ssh-rsa").then_some(())?;
    Some((reader.mpint()?, reader.mpint()?))
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
    use crate::evidence::public_key::encoding::{put_mpint, put_string};

    fn rsa(exponent: &[u8], modulus: &[u8]) -> PublicKey {
        let mut blob = Vec::new();
        put_string(&mut blob, b"ssh-rsa");
        put_mpint(&mut blob, exponent);
        put_mpint(&mut blob, modulus);
        PublicKey::from_blob(&blob, b"").expect("an RSA key")
    }

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
        let mut bytes: Vec<u8> = number.iter().rev().flat_map(|l| l.to_be_bytes()).collect();
        assert_eq!(rsa(&[1, 0, 1], &bytes).weaknesses(), [Weakness::Roca]);
        let last = bytes.len() - 1;
        bytes[last] ^= 2;
        assert_eq!(rsa(&[1, 0, 1], &bytes).weaknesses(), []);
        assert_eq!(rsa(&[3], &bytes).weaknesses(), [Weakness::SmallExponent]);
    }
}
