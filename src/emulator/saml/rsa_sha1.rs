//! RSASSA-PKCS1-v1_5 with SHA-1, which libraries verify but no longer sign: big numbers by hand.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

use super::super::der;

/// DER of `DigestInfo` for SHA-1, before the hash (RFC 8017 9.2, note 1).
const SHA1_INFO: [u8; 15] =
    [0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14];

/// Signs with a PKCS #8 RSA key. Takes no care to hide the key's traces in time: the keys here
/// live as long as an emulator.
pub(super) fn sign(pkcs8: &[u8], message: &[u8]) -> Vec<u8> {
    let [modulus, _, exponent] = der::private_numbers(pkcs8);
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, message);
    let filling = modulus.len() - 3 - SHA1_INFO.len() - hash.as_ref().len();
    let mut padded = vec![0, 1];
    padded.resize(2 + filling, 0xff);
    padded.push(0);
    padded.extend(SHA1_INFO);
    padded.extend(hash.as_ref());
    let field = Field::new(modulus);
    bytes(&field.power(&limbs(&padded), exponent))
}

/// Arithmetic modulo an odd number, in Montgomery's form (Koç, Acar, Kaliski 1996).
struct Field {
    modulus: Vec<u64>,
    /// The negative inverse of the lowest limb, modulo 2^64.
    inverse: u64,
}

impl Field {
    fn new(modulus: &[u8]) -> Self {
        let modulus = limbs(modulus);
        let mut inverse = 1u64;
        // Newton's step doubles the right bits each time: 1, 2, 4 … 64.
        for _ in 0..6 {
            inverse = inverse.wrapping_mul(2u64.wrapping_sub(modulus[0].wrapping_mul(inverse)));
        }
        Self { modulus, inverse: inverse.wrapping_neg() }
    }

    fn power(&self, base: &[u64], exponent: &[u8]) -> Vec<u64> {
        let mut one = vec![0; self.modulus.len()];
        one[0] = 1;
        let bits = 64 * self.modulus.len();
        let unit = (0..bits).fold(one.clone(), |number, _| self.doubled(&number));
        let square = (0..bits).fold(unit.clone(), |number, _| self.doubled(&number));
        let base = self.product(base, &square);
        let mut result = unit;
        for byte in exponent {
            for bit in (0..8).rev() {
                result = self.product(&result, &result);
                if byte >> bit & 1 == 1 {
                    result = self.product(&result, &base);
                }
            }
        }
        self.product(&result, &one)
    }

    /// `a · b / 2^bits`, below the modulus.
    fn product(&self, a: &[u64], b: &[u64]) -> Vec<u64> {
        let size = self.modulus.len();
        let mut sum = vec![0u64; size + 2];
        for &factor in b {
            add_product(&mut sum, a, factor);
            let cancel = sum[0].wrapping_mul(self.inverse);
            add_product(&mut sum, &self.modulus, cancel);
            sum.rotate_left(1);
        }
        let carried = sum[size];
        sum.truncate(size);
        self.reduced(sum, carried)
    }

    fn doubled(&self, number: &[u64]) -> Vec<u64> {
        let mut carry = 0;
        let shifted = number.iter().map(|limb| {
            let out = limb << 1 | carry;
            carry = limb >> 63;
            out
        });
        let shifted: Vec<u64> = shifted.collect();
        self.reduced(shifted, carry)
    }

    /// Takes the modulus away once, where the number with what was carried out of it is not below.
    fn reduced(&self, number: Vec<u64>, carried: u64) -> Vec<u64> {
        if carried == 0 && number.iter().rev().lt(self.modulus.iter().rev()) {
            return number;
        }
        let mut borrow = false;
        let less = number.iter().zip(&self.modulus).map(|(limb, taken)| {
            let (limb, first) = limb.overflowing_sub(*taken);
            let (limb, second) = limb.overflowing_sub(u64::from(borrow));
            borrow = first || second;
            limb
        });
        less.collect()
    }
}

/// `sum += number · factor`; the two limbs above the number take what is carried.
fn add_product(sum: &mut [u64], number: &[u64], factor: u64) {
    let mut carry = 0u128;
    for (place, limb) in number.iter().enumerate() {
        let wide = u128::from(*limb) * u128::from(factor) + u128::from(sum[place]) + carry;
        sum[place] = wide as u64;
        carry = wide >> 64;
    }
    for limb in &mut sum[number.len()..] {
        let wide = u128::from(*limb) + carry;
        *limb = wide as u64;
        carry = wide >> 64;
    }
}

/// Lowest first.
fn limbs(bytes: &[u8]) -> Vec<u64> {
    let groups = bytes.rchunks(8);
    groups.map(|group| group.iter().fold(0, |limb, byte| limb << 8 | u64::from(*byte))).collect()
}

fn bytes(limbs: &[u64]) -> Vec<u8> {
    limbs.iter().rev().flat_map(|limb| limb.to_be_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_are_what_arithmetic_says() {
        let modulus = 0xffff_ffff_ffff_ffc5u64;
        let field = Field::new(&modulus.to_be_bytes());
        let wide = |exponent: u32| {
            let mut product = 1u128;
            (0..exponent).for_each(|_| product = product * 3 % u128::from(modulus));
            product as u64
        };
        for exponent in [1u32, 2, 65, 1000] {
            assert_eq!(field.power(&[3], &exponent.to_be_bytes()), [wide(exponent)]);
        }
    }
}
