//! The instruction set: one table, and what is generated from it.
//!
//! `table.rs` lists every instruction once. This module turns the list into opcode numbers, names,
//! form lookups and operand kinds; the rooms above bind behaviour to it. Nothing here executes or
//! allocates on a hot path, and nothing here is `unsafe`.

pub mod disasm;
#[cfg(test)]
pub(crate) mod forged;
pub mod handlers;
pub mod module;
pub mod operands;
#[cfg(feature = "simd")]
pub mod simd;
pub(crate) mod table;
pub mod verify;

use table::for_each_instruction;

/// An opcode: the low 16 bits of an instruction's first word. The same number in every build.
pub type Op = u16;

/// Which build of the runtime can execute an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// Slots and immediates only: the least code.
    Base,
    /// Accumulator and fused forms (cargo feature `fast`).
    Fast,
    /// Reached through linkage only, never in a function's code.
    Internal,
}

/// The forms that an instruction of each family may have, in the order of their numbers.
#[allow(non_camel_case_types, missing_docs)]
pub mod form {
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[rustfmt::skip]
    pub enum bin {
        Sss, Ssi, Sis,
        Rss, Rsi, Ris, Rrs, Rsr, Rri, Rir,
        Tss, Tsi, Trs, Tsr, Tri,
        Rps, Rsp, Rpi, Rpr, Rrp, Pps, Ppi, Ppr,
        Rsk, Rrk, Tsk, Trk, Rks, Rkr, Pss, Psi, Prs, Pri,
    }
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum un {
        Ss,
        Rs,
        Rr,
        Tr,
        Ts,
    }
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum mem {
        Rs,
        Rr,
        Ts,
        Tr,
    }
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[rustfmt::skip]
    pub enum br {
        Bss, Bsi, Css, Csi,
        Brs, Bsr, Bri, Crs, Csr, Cri, Bps, Bsp, Bpi, Cps, Csp, Cpi,
        Bsj, Brj, Csj, Crj,
    }
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum step {
        Bs,
        Bi,
        Cs,
        Ci,
    }
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[rustfmt::skip]
    pub enum load {
        Ss, W,
        Rs, Rr, Ts, Tr, Rp, Sp,
        Sa, Ra, Ssd, Rsd, Rrd, Rpd, Tsd, Trd, Sx, Rx, Rrx, Tx, Trx,
    }
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[rustfmt::skip]
    pub enum store {
        Mss, Msi, W,
        Mrs, Msr, Mri, Mps, Mpr, Mpi,
        Mas, Mar, Mai, Mssd, Msrd, Msid, Mrsd, Mrid,
    }
}

/// What a build knows about one opcode.
#[derive(Clone, Copy, Debug)]
pub struct Info {
    /// The mnemonic, without the form.
    pub name: &'static str,
    /// The form's letters, empty for single instructions.
    pub form: &'static str,
    /// The tier that executes it.
    pub tier: Tier,
    /// What its fields and extension words mean.
    pub operands: operands::Operands,
}

/// The mnemonic and the form: `i32.add.Rsi`.
impl core::fmt::Display for Info {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name)?;
        if !self.form.is_empty() {
            write!(f, ".{}", self.form)?;
        }
        Ok(())
    }
}

macro_rules! generate {
    (
        families { $( $fam:ident { $( $row:ident $mn:literal : $($b:ident)* | $($f:ident)* ; )* } )* }
        singles { $( $s:ident $smn:literal $tier:ident ($a:tt $bb:tt $c:tt) $ext:ident : $doc:literal ; )* }
    ) => {
        /// What an instruction computes, whatever its form.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u16)]
        #[allow(missing_docs)]
        pub enum Row { $($($row,)*)* $($s,)* }

        const MASKS: &[u64] = &[
            $($( 0 $(| 1u64 << form::$fam::$b as u32)* $(| 1u64 << form::$fam::$f as u32)*, )*)*
            $( { let _ = Row::$s; 1 }, )*
        ];

        /// The number of opcodes.
        pub const COUNT: usize = BASES[MASKS.len()] as usize;

        /// Opcode constants: `op::I32Add::Sss` for a row's form, `op::Copy` for a single instruction.
        #[allow(non_snake_case, non_upper_case_globals, missing_docs)]
        pub mod op {
            use super::{Op, Row, form, number};
            $($( pub mod $row {
                use super::{Op, Row, form, number};
                $( pub const $b: Op = number(Row::$row, form::$fam::$b as u32); )*
                $( pub const $f: Op = number(Row::$row, form::$fam::$f as u32); )*
            } )*)*
            $( #[doc = concat!("`", $doc, "`")] pub const $s: Op = number(Row::$s, 0); )*
        }

        static INFO: [Info; COUNT] = [
            $($(
                $( Info { name: $mn, form: stringify!($b), tier: Tier::Base, operands: operands::$fam(form::$fam::$b) }, )*
                $( Info { name: $mn, form: stringify!($f), tier: Tier::Fast, operands: operands::$fam(form::$fam::$f) }, )*
            )*)*
            $( Info { name: $smn, form: "", tier: single_tier!($tier), operands: operands::single!($a $bb $c $ext) }, )*
        ];
    };
}

macro_rules! single_tier {
    (base) => {
        Tier::Base
    };
    (fast) => {
        Tier::Fast
    };
    (internal) => {
        Tier::Internal
    };
}

for_each_instruction!(generate);

const BASES: [u16; MASKS.len() + 1] = {
    let mut bases = [0; MASKS.len() + 1];
    let mut row = 0;
    while row < MASKS.len() {
        bases[row + 1] = bases[row] + MASKS[row].count_ones() as u16;
        row += 1;
    }
    bases
};

/// The number of a form that the row has. Evaluated while compiling only.
const fn number(row: Row, form: u32) -> Op {
    let mask = MASKS[row as usize];
    assert!(mask & (1 << form) != 0, "the row has no such form");
    BASES[row as usize] + (mask & ((1 << form) - 1)).count_ones() as u16
}

/// The opcode of `row` in the form numbered `form` of its family, if the row has that form.
pub fn select(row: Row, form: u32) -> Option<Op> {
    let mask = MASKS[row as usize];
    (mask & (1 << form) != 0)
        .then(|| BASES[row as usize] + (mask & ((1 << form) - 1)).count_ones() as u16)
}

/// What is known about `op`; `None` for a number that is no opcode.
pub fn info(op: Op) -> Option<&'static Info> {
    #[cfg(feature = "simd")]
    if op >= simd::FIRST {
        return simd::info(op);
    }
    INFO.get(op as usize)
}

/// Tells the instruction set of an image from that of this build: a hash of the names and forms in the order
/// of their numbers.
pub const IDENTITY: u64 = identity(&INFO);

/// The same of the instructions on vectors; zero without them.
pub const VECTORS: u64 = {
    #[cfg(feature = "simd")]
    let hash = identity(simd::all());
    #[cfg(not(feature = "simd"))]
    let hash = 0;
    hash
};

const fn identity(table: &[Info]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325;
    let mut at = 0;
    while at < table.len() {
        hash = fold(
            fold(hash, table[at].name.as_bytes()),
            table[at].form.as_bytes(),
        );
        at += 1;
    }
    hash
}

/// FNV-1a over some bytes and the end of them.
const fn fold(mut hash: u64, bytes: &[u8]) -> u64 {
    let mut at = 0;
    while at <= bytes.len() {
        let byte = if at < bytes.len() { bytes[at] } else { 0xff };
        hash = (hash ^ byte as u64).wrapping_mul(0x100_0000_01b3);
        at += 1;
    }
    hash
}

/// The numbers below which all opcodes are, those of vectors included.
#[cfg(feature = "stats")]
pub const NUMBERS: usize = {
    #[cfg(feature = "simd")]
    const NUMBERS: usize = simd::FIRST as usize + simd::COUNT;
    #[cfg(not(feature = "simd"))]
    const NUMBERS: usize = COUNT;
    NUMBERS
};

/// Every opcode of this build.
#[cfg(test)]
pub(crate) fn all() -> impl Iterator<Item = Op> {
    (0..Op::MAX).filter(|op| info(*op).is_some())
}

/// Builds an instruction's first word.
pub const fn word(op: Op, a: u16, b: u16, c: u16) -> u64 {
    (op as u64) | (a as u64) << 16 | (b as u64) << 32 | (c as u64) << 48
}

/// Builds an instruction's first word with a 32-bit value in fields `b` and `c`.
pub const fn word_u32(op: Op, a: u16, bc: u32) -> u64 {
    (op as u64) | (a as u64) << 16 | (bc as u64) << 32
}

/// The opcode field.
pub const fn op_of(word: u64) -> Op {
    word as u16
}
/// Field `a`.
pub const fn a_of(word: u64) -> u16 {
    (word >> 16) as u16
}
/// Field `b`.
pub const fn b_of(word: u64) -> u16 {
    (word >> 32) as u16
}
/// Field `c`.
pub const fn c_of(word: u64) -> u16 {
    (word >> 48) as u16
}
/// Fields `b` and `c` as one value.
pub const fn bc_of(word: u64) -> u32 {
    (word >> 32) as u32
}

/// In the field that names the memory of a wide load or store: its addresses have 64 bits.
pub const MEMORY64: u16 = 1 << 15;

/// Words before a function's first instruction: `{frame, params, results, handlers}` and `{cost, function}`.
pub const HEADER_WORDS: usize = 2;

/// Slots between an operand's home and the callee's slot 0: the linkage pair.
pub const LINKAGE_SLOTS: u16 = 2;

/// Builds the header of a function without handlers.
pub const fn header(frame: u16, params: u16, results: u16, cost: u32, func: u32) -> [u64; 2] {
    [
        frame as u64 | (params as u64) << 16 | (results as u64) << 32,
        cost as u64 | (func as u64) << 32,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_that_a_row_lists_is_found_and_no_other() {
        assert_eq!(
            select(Row::I32Add, form::bin::Sss as u32),
            Some(op::I32Add::Sss)
        );
        assert_eq!(select(Row::I32Add, form::bin::Sis as u32), None);
        assert_eq!(
            select(Row::I32Sub, form::bin::Ppr as u32),
            Some(op::I32Sub::Ppr)
        );
        assert_eq!(select(Row::LoadF32, form::load::Ss as u32), None);
    }

    #[test]
    fn opcodes_and_their_descriptions_agree() {
        assert_eq!(info(op::I32Sub::Sis).unwrap().name, "i32.sub");
        assert_eq!(info(op::I32Sub::Sis).unwrap().form, "Sis");
        assert_eq!(
            alloc::format!("{}", info(op::I32Sub::Sis).unwrap()),
            "i32.sub.Sis"
        );
        assert_eq!(info(op::FarReturn).unwrap().name, "far_return");
        assert_eq!(info(op::CallIndirectR).unwrap().tier, Tier::Fast);
        assert!(info(COUNT as Op).is_none());
    }

    #[test]
    fn the_instruction_set_keeps_to_its_budget() {
        // Three quarters of what the dispatcher's table has room for. What is fused beyond WebAssembly's own
        // operators took 20 % off the time of thirteen workloads.
        const { assert!(COUNT <= 1_632) };
        assert_eq!(INFO.len(), COUNT);
    }
}
