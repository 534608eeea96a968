//! What scalar values become when they pass from one component to another: checked, and in the one form
//! that every side may see. Flat values have slots whose unused bits mean nothing; the result has none.

use crate::error::Trap;

/// A rule for one scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Scalar {
    Bits64,
    Bits32,
    U8,
    S8,
    U16,
    S16,
    Bool,
    Char,
    F32,
    F64,
}

impl Scalar {
    const ALL: [Scalar; 10] = [
        Scalar::Bits64,
        Scalar::Bits32,
        Scalar::U8,
        Scalar::S8,
        Scalar::U16,
        Scalar::S16,
        Scalar::Bool,
        Scalar::Char,
        Scalar::F32,
        Scalar::F64,
    ];

    /// The rule with this number.
    pub fn of(number: u8) -> Scalar {
        Scalar::ALL
            .get(usize::from(number))
            .copied()
            .unwrap_or(Scalar::Bits64)
    }

    /// Applies it.
    #[inline]
    pub fn apply(self, value: u64) -> Result<u64, Trap> {
        let low = value as u32;
        Ok(match self {
            Scalar::Bits64 => value,
            Scalar::Bits32 => low.into(),
            Scalar::U8 => u64::from(low as u8),
            Scalar::S8 => u64::from(low as i8 as i32 as u32),
            Scalar::U16 => u64::from(low as u16),
            Scalar::S16 => u64::from(low as i16 as i32 as u32),
            Scalar::Bool => u64::from(low != 0),
            Scalar::Char => match char::from_u32(low) {
                Some(_) => low.into(),
                None => return Err(Trap::InvalidChar),
            },
            Scalar::F32 => canonical_f32(low).into(),
            Scalar::F64 => canonical_f64(value),
        })
    }
}

/// A float's bits with a NaN made canonical.
pub(crate) fn canonical_f32(bits: u32) -> u32 {
    if f32::from_bits(bits).is_nan() {
        0x7fc0_0000
    } else {
        bits
    }
}

/// A float's bits with a NaN made canonical.
pub(crate) fn canonical_f64(bits: u64) -> u64 {
    if f64::from_bits(bits).is_nan() {
        0x7ff8_0000_0000_0000
    } else {
        bits
    }
}

/// The rules for a function whose values are all scalars: an adapter that needs no state of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ScalarAdapter {
    /// A rule in four bits for each parameter, the first lowest.
    params: u64,
    /// Whether any of them does something.
    checks_params: bool,
    result: Scalar,
}

impl ScalarAdapter {
    /// Of at most 16 parameters.
    pub fn new(params: &[Scalar], result: Scalar) -> ScalarAdapter {
        let rules = params.iter().enumerate();
        ScalarAdapter {
            params: rules.fold(0, |all, (at, rule)| all | (*rule as u64) << (4 * at)),
            // Readers of 32-bit slots don't look at the upper half.
            checks_params: params
                .iter()
                .any(|rule| !matches!(rule, Scalar::Bits64 | Scalar::Bits32)),
            result: if result == Scalar::Bits32 {
                Scalar::Bits64
            } else {
                result
            },
        }
    }

    /// Applies the rules to arguments in place.
    #[inline]
    pub fn params(self, slots: &mut [u64]) -> Result<(), Trap> {
        if !self.checks_params {
            return Ok(());
        }
        for (at, slot) in slots.iter_mut().enumerate() {
            let rule = Scalar::of((self.params >> (4 * at) & 15) as u8);
            *slot = rule.apply(*slot)?;
        }
        Ok(())
    }

    /// The result's rule; [`Scalar::Bits64`] if there is nothing to do.
    pub fn result(self) -> Scalar {
        self.result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_take_the_form_that_every_side_may_see() {
        for (rule, value, expected) in [
            (Scalar::U8, 0xffff_ff80, 0x80),
            (Scalar::S8, 0x80, 0xffff_ff80),
            (Scalar::S16, 0x8000, 0xffff_8000),
            (Scalar::Bool, 2, 1),
            (Scalar::Bool, 1 << 32, 0),
            (Scalar::Bits32, u64::MAX, 0xffff_ffff),
            (Scalar::F32, 0x7fff_ffff, 0x7fc0_0000),
            (Scalar::F64, u64::MAX, 0x7ff8_0000_0000_0000),
            (Scalar::Char, 0x10_ffff, 0x10_ffff),
        ] {
            assert_eq!(rule.apply(value), Ok(expected), "{rule:?}");
            assert_eq!(Scalar::of(rule as u8), rule);
        }
        assert_eq!(Scalar::Char.apply(0xd800), Err(Trap::InvalidChar));
    }

    #[test]
    fn an_adapter_of_scalars_checks_each_argument_by_its_own_rule() {
        let adapter = ScalarAdapter::new(&[Scalar::Bits32, Scalar::U8, Scalar::Char], Scalar::Bool);
        let mut slots = [7, 0x101, 0x61];
        assert_eq!(adapter.params(&mut slots), Ok(()));
        assert_eq!(slots, [7, 1, 0x61]);
        assert_eq!(adapter.params(&mut [0, 0, 0xdfff]), Err(Trap::InvalidChar));
        assert_eq!(adapter.result(), Scalar::Bool);
    }
}
