//! What the fields of an instruction mean: the verifier, the disassembler and the tools read it here.

use super::form;

/// The meaning of a 16-bit field, or of fields `b` and `c` together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Not used: zero.
    None,
    /// A slot that is written.
    Def,
    /// Two slots that are written, this one and the next.
    Def2,
    /// A slot that is read.
    Use,
    /// Two slots that are read, this one and the next.
    Use2,
    /// The first of a span of slots; its length is `Count` or follows from a signature.
    Start,
    /// The length of a span of slots.
    Count,
    /// A signed 16-bit immediate.
    Imm,
    /// An unsigned offset into linear memory.
    Offset,
    /// A small code: a trap's number or a canonical operation.
    Code,
    /// A lane's number, below 16.
    Lane,
    /// The distance to a callee's frame in slots.
    Frame,
    /// Index of a memory (15 bits), and whether it is addressed by `i64` ([`MEMORY64`](super::MEMORY64)).
    Memory16,
    /// As `Memory16` with an index of 8 bits, and from bit 8 on the binary logarithm of an access's size.
    Aligned,
    /// Index of a table (16 bits).
    Table,
    /// A signed 32-bit immediate in `b` and `c`.
    Imm32,
    /// An address in memory 0 in `b` and `c`.
    Address,
    /// A 32-bit number in `b` and `c`.
    U32,
    /// Branch table length in `b` and `c`.
    Count32,
    /// Index of a global that doesn't hold a vector in `b` and `c`.
    Global,
    /// The same of a mutable one.
    GlobalMut,
    /// Index of a global that holds a vector in `b` and `c`.
    Global2,
    /// Index of a mutable global that holds a vector in `b` and `c`.
    Global2Mut,
    /// Defined function in `b` and `c`.
    Func,
    /// Any function of the module in `b` and `c`.
    FuncAny,
    /// Imported function in `b` and `c`.
    Import,
    /// Memory index in `b` and `c`.
    Memory,
    /// Data segment in `b` and `c`.
    Data,
    /// Element segment in `b` and `c`.
    Elem,
    /// Tag in `b` and `c`.
    Tag,
}

impl Field {
    /// Whether it takes fields `b` and `c` together.
    pub const fn spans_b_and_c(self) -> bool {
        matches!(
            self,
            Field::Imm32
                | Field::Address
                | Field::U32
                | Field::Count32
                | Field::Global
                | Field::GlobalMut
                | Field::Global2
                | Field::Global2Mut
                | Field::Func
                | Field::FuncAny
                | Field::Import
                | Field::Memory
                | Field::Data
                | Field::Elem
                | Field::Tag
        )
    }
}

/// The meaning of the words behind an instruction's first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ext {
    /// No further word.
    None,
    /// `{offset: i32, fuel: i32}`: a branch's target relative to the branch, in words.
    Target,
    /// As many `Target` words as `Count32` says, and one more.
    Targets,
    /// A 64-bit immediate.
    Imm64,
    /// A 64-bit memory offset.
    Offset64,
    /// `{added to the address, offset}`, into memory 0.
    Displaced,
    /// `{zero, offset}`, into memory 0.
    Indexed,
    /// `{slot of the condition}`.
    Cond,
    /// `{slot that is read, slot that is read}`.
    Slots2,
    /// `{type index}`.
    Sig,
    /// `{memory}`.
    Memory,
    /// `{destination memory, source memory}`.
    Memory2,
    /// `{memory, data segment}`.
    MemoryData,
    /// `{table}`.
    Table,
    /// `{destination table, source table}`.
    Table2,
    /// `{table, element segment}`.
    TableElem,
    /// `{the first of two slots that are read}`.
    Pair,
    /// `{lane}`.
    Lane,
    /// Two words: the 64-bit memory offset, `{lane}`.
    OffsetLane,
    /// Two words: the 64-bit memory offset, `{lane, the first of two slots that are read}`.
    OffsetLanePair,
    /// Two words: the bytes of a vector.
    Vector,
}

/// The fields of one opcode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operands {
    /// Field `a`.
    pub a: Field,
    /// Field `b`, or `b` and `c` together for the 32-bit kinds.
    pub b: Field,
    /// Field `c`.
    pub c: Field,
    /// Extension words.
    pub ext: Ext,
}

const fn operands(a: Field, b: Field, c: Field, ext: Ext) -> Operands {
    Operands { a, b, c, ext }
}

pub(crate) const fn bin(form: form::bin) -> Operands {
    use Field::{Def, Imm, None, Use};
    use form::bin::*;
    let a = match form {
        Sss | Ssi | Sis | Tss | Tsi | Trs | Tsr | Tri | Pps | Ppi | Ppr | Tsk | Trk => Def,
        Pss | Psi | Prs | Pri => Def,
        Rss | Rsi | Ris | Rrs | Rsr | Rri | Rir | Rps | Rsp | Rpi | Rpr | Rrp => None,
        Rsk | Rrk | Rks | Rkr => None,
    };
    let b = match form {
        Sss | Ssi | Rss | Rsi | Rsr | Tss | Tsi | Tsr | Rsp | Rsk | Tsk | Pss | Psi => Use,
        Sis | Ris | Rir => Imm,
        Rrs | Rri | Trs | Tri | Rps | Rpi | Rpr | Rrp | Pps | Ppi | Ppr => None,
        Rrk | Trk | Rks | Rkr | Prs | Pri => None,
    };
    let c = match form {
        Sss | Sis | Rss | Ris | Rrs | Tss | Trs | Rps | Pps | Rks | Pss | Prs => Use,
        Ssi | Rsi | Rri | Tsi | Tri | Rpi | Ppi | Psi | Pri => Imm,
        Rsr | Rir | Tsr | Rsp | Rpr | Rrp | Ppr | Rsk | Rrk | Tsk | Trk | Rkr => None,
    };
    let ext = match form {
        Rsk | Rrk | Tsk | Trk | Rks | Rkr => Ext::Imm64,
        _ => Ext::None,
    };
    operands(a, b, c, ext)
}

pub(crate) const fn un(form: form::un) -> Operands {
    use Field::{Def, None, Use};
    use form::un::*;
    let (a, b) = match form {
        Ss | Ts => (Def, Use),
        Tr => (Def, None),
        Rs => (None, Use),
        Rr => (None, None),
    };
    operands(a, b, None, Ext::None)
}

pub(crate) const fn mem(form: form::mem) -> Operands {
    use Field::{Def, None, Use};
    use form::mem::*;
    let (a, b) = match form {
        Rs => (None, Use),
        Rr => (None, None),
        Ts => (Def, Use),
        Tr => (Def, None),
    };
    operands(a, b, Use, Ext::Displaced)
}

pub(crate) const fn br(form: form::br) -> Operands {
    use Field::{Imm, Imm32, None, Use};
    use form::br::*;
    let (a, b, c) = match form {
        Bss | Css => (None, Use, Use),
        Bsi | Csi => (None, Use, Imm),
        Brs | Crs | Bps | Cps => (None, None, Use),
        Bsr | Csr | Bsp | Csp => (None, Use, None),
        Bri | Cri | Bpi | Cpi => (None, None, Imm),
        Bsj | Csj => (Use, Imm32, None),
        Brj | Crj => (None, Imm32, None),
    };
    operands(a, b, c, Ext::Target)
}

pub(crate) const fn step(form: form::step) -> Operands {
    use Field::{Def, Imm, Use};
    use form::step::*;
    match form {
        Bs | Cs => operands(Def, Use, Imm, Ext::Target),
        Bi | Ci => operands(Def, Imm, Imm, Ext::Target),
    }
}

pub(crate) const fn load(form: form::load) -> Operands {
    use Field::{Address, Def, Memory16, None, Offset, Use};
    use form::load::*;
    match form {
        Ss | Ts => operands(Def, Use, Offset, Ext::None),
        W => operands(Def, Use, Memory16, Ext::Offset64),
        Rs => operands(None, Use, Offset, Ext::None),
        Rr | Rp => operands(None, None, Offset, Ext::None),
        Tr | Sp => operands(Def, None, Offset, Ext::None),
        Sa => operands(Def, Address, None, Ext::None),
        Ra => operands(None, Address, None, Ext::None),
        Ssd | Tsd => operands(Def, Use, None, Ext::Displaced),
        Rsd => operands(None, Use, None, Ext::Displaced),
        Rrd | Rpd => operands(None, None, None, Ext::Displaced),
        Trd => operands(Def, None, None, Ext::Displaced),
        Sx | Tx => operands(Def, Use, Use, Ext::Indexed),
        Rx => operands(None, Use, Use, Ext::Indexed),
        Rrx => operands(None, None, Use, Ext::Indexed),
        Trx => operands(Def, None, Use, Ext::Indexed),
    }
}

pub(crate) const fn store(form: form::store) -> Operands {
    use Field::{Address, Imm, Memory16, None, Offset, Use};
    use form::store::*;
    match form {
        Mss => operands(Use, Use, Offset, Ext::None),
        Msi => operands(Imm, Use, Offset, Ext::None),
        W => operands(Use, Use, Memory16, Ext::Offset64),
        Mrs | Mps => operands(Use, None, Offset, Ext::None),
        Msr => operands(None, Use, Offset, Ext::None),
        Mri | Mpi => operands(Imm, None, Offset, Ext::None),
        Mpr => operands(None, None, Offset, Ext::None),
        Mas => operands(Use, Address, None, Ext::None),
        Mar => operands(None, Address, None, Ext::None),
        Mai => operands(Imm, Address, None, Ext::None),
        Mssd => operands(Use, Use, None, Ext::Displaced),
        Msrd => operands(None, Use, None, Ext::Displaced),
        Msid => operands(Imm, Use, None, Ext::Displaced),
        Mrsd => operands(Use, None, None, Ext::Displaced),
        Mrid => operands(Imm, None, None, Ext::Displaced),
    }
}

macro_rules! field {
    (_) => {
        $crate::code::operands::Field::None
    };
    (def) => {
        $crate::code::operands::Field::Def
    };
    (def2) => {
        $crate::code::operands::Field::Def2
    };
    (use) => {
        $crate::code::operands::Field::Use
    };
    (start) => {
        $crate::code::operands::Field::Start
    };
    (count) => {
        $crate::code::operands::Field::Count
    };
    (code) => {
        $crate::code::operands::Field::Code
    };
    (frame) => {
        $crate::code::operands::Field::Frame
    };
    (table) => {
        $crate::code::operands::Field::Table
    };
    (aligned) => {
        $crate::code::operands::Field::Aligned
    };
    (imm) => {
        $crate::code::operands::Field::Imm
    };
    (imm32) => {
        $crate::code::operands::Field::Imm32
    };
    (u32) => {
        $crate::code::operands::Field::U32
    };
    (count32) => {
        $crate::code::operands::Field::Count32
    };
    (global) => {
        $crate::code::operands::Field::Global
    };
    (global_mut) => {
        $crate::code::operands::Field::GlobalMut
    };
    (func) => {
        $crate::code::operands::Field::Func
    };
    (func_any) => {
        $crate::code::operands::Field::FuncAny
    };
    (import) => {
        $crate::code::operands::Field::Import
    };
    (memory) => {
        $crate::code::operands::Field::Memory
    };
    (data) => {
        $crate::code::operands::Field::Data
    };
    (elem) => {
        $crate::code::operands::Field::Elem
    };
    (tag) => {
        $crate::code::operands::Field::Tag
    };
}
pub(crate) use field;

macro_rules! ext {
    (none) => {
        $crate::code::operands::Ext::None
    };
    (target) => {
        $crate::code::operands::Ext::Target
    };
    (targets) => {
        $crate::code::operands::Ext::Targets
    };
    (imm64) => {
        $crate::code::operands::Ext::Imm64
    };
    (cond) => {
        $crate::code::operands::Ext::Cond
    };
    (offset64) => {
        $crate::code::operands::Ext::Offset64
    };
    (slots2) => {
        $crate::code::operands::Ext::Slots2
    };
    (sig) => {
        $crate::code::operands::Ext::Sig
    };
    (memory) => {
        $crate::code::operands::Ext::Memory
    };
    (memory2) => {
        $crate::code::operands::Ext::Memory2
    };
    (memory_data) => {
        $crate::code::operands::Ext::MemoryData
    };
    (table) => {
        $crate::code::operands::Ext::Table
    };
    (table2) => {
        $crate::code::operands::Ext::Table2
    };
    (table_elem) => {
        $crate::code::operands::Ext::TableElem
    };
}
pub(crate) use ext;

macro_rules! single {
    ($a:tt $b:tt $c:tt $ext:ident) => {
        $crate::code::operands::Operands {
            a: $crate::code::operands::field!($a),
            b: $crate::code::operands::field!($b),
            c: $crate::code::operands::field!($c),
            ext: $crate::code::operands::ext!($ext),
        }
    };
}
pub(crate) use single;

/// The operands of the instructions on vectors, by the groups of their table.
#[cfg(feature = "simd")]
pub(crate) mod vectors {
    use super::{Ext, Field, Operands, operands};

    macro_rules! groups {
        ($($group:ident ($a:ident $b:ident $c:ident) $ext:ident;)*) => {
            $(pub(crate) const fn $group() -> Operands {
                operands(Field::$a, Field::$b, Field::$c, Ext::$ext)
            })*
        };
    }
    groups! {
        unary (Def2 Use2 None) None;
        binary (Def2 Use2 Use2) None;
        ternary (Def2 Use2 Use2) Pair;
        shift (Def2 Use2 Use) None;
        splat (Def2 Use None) None;
        test (Def Use2 None) None;
        extract (Def Use2 Lane) None;
        replace (Def2 Use2 Use) Lane;
        load (Def2 Use Memory16) Offset64;
        near_load (Def2 Use Offset) None;
        load_lane (Def2 Use Memory16) OffsetLanePair;
        store_lane (Use2 Use Memory16) OffsetLane;
        store (Use2 Use Memory16) Offset64;
        near_store (Use2 Use Offset) None;
        constant (Def2 None None) Vector;
        shuffle (Def2 Use2 Use2) Vector;
        select (Def2 Use2 Use2) Cond;
        get (Def2 Global2 None) None;
        set (Use2 Global2Mut None) None;
    }
}

/// How many words the instruction that starts with `word` has.
pub fn length(operands: &Operands, word: u64) -> u64 {
    match operands.ext {
        Ext::None => 1,
        Ext::Targets => 2 + u64::from(super::bc_of(word)),
        Ext::OffsetLane | Ext::OffsetLanePair | Ext::Vector => 3,
        _ => 2,
    }
}
