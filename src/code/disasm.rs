//! Code as text, one instruction a line: for `cellule disasm` and for tests.

use super::handlers::{self, HANDLER_WORDS, Handler};
use super::operands::{Ext, Field, Operands, length};
use super::{HEADER_WORDS, MEMORY64, a_of, b_of, bc_of, c_of, info, op_of};
use alloc::string::String;
use core::fmt::Write;

/// The instructions of one function's code, header included.
pub fn function(code: &[u64]) -> String {
    let mut text = String::new();
    let Some(header) = code.first().copied().map(u64::from_le) else {
        return text;
    };
    // Writing to a String can't fail.
    let _ = writeln!(
        text,
        "frame {} params {} results {} cost {}",
        header as u16,
        (header >> 16) as u16,
        (header >> 32) as u16,
        code.get(1).map_or(0, |facts| u64::from_le(*facts) as u32)
    );
    let Some((code, table)) = handlers::split(code) else {
        return text;
    };
    let mut at = HEADER_WORDS;
    while at < code.len() {
        let word = u64::from_le(code[at]);
        let Some(info) = info(op_of(word)) else {
            let _ = writeln!(text, "{at:5}  ?{word:016x}");
            at += 1;
            continue;
        };
        let _ = write!(text, "{at:5}  {info}");
        fields(&mut text, &info.operands, word);
        let words = length(&info.operands, word) as usize;
        extension(
            &mut text,
            &info.operands,
            at,
            code.get(at + 1..(at + words).min(code.len()))
                .unwrap_or(&[]),
        );
        text.push('\n');
        at += words;
    }
    table.iter().for_each(|words| handler(&mut text, words));
    text
}

fn handler(text: &mut String, words: &[u64; HANDLER_WORDS]) {
    let Some(handler) = Handler::decode(words) else {
        let _ = writeln!(text, "handler ?{words:x?}");
        return;
    };
    let Handler {
        start,
        end,
        target,
        slot,
        takes,
        tag,
        fuel,
    } = handler;
    let _ = write!(text, "handler {start}..{end}");
    let _ = match takes.all {
        true => write!(text, " all"),
        false => write!(text, " tag @{tag}"),
    };
    let with = if takes.reference { " ref" } else { "" };
    let _ = write!(text, "{with} s{slot} -> {target}");
    let _ = match fuel {
        0 => writeln!(text),
        fuel => writeln!(text, " fuel {fuel}"),
    };
}

fn fields(text: &mut String, operands: &Operands, word: u64) {
    for (field, value) in [
        (operands.a, a_of(word)),
        (operands.b, b_of(word)),
        (operands.c, c_of(word)),
    ] {
        let _ = match field {
            Field::None => Ok(()),
            Field::Def | Field::Use | Field::Start => write!(text, " s{value}"),
            Field::Def2 | Field::Use2 => write!(text, " s{value}:2"),
            Field::Lane => write!(text, " lane {value}"),
            Field::Imm => write!(text, " #{}", value as i16),
            Field::Offset => write!(text, " +{value}"),
            Field::Count => write!(text, " x{value}"),
            Field::Frame => write!(text, " frame+{value}"),
            Field::Code | Field::Table => write!(text, " {value}"),
            Field::Aligned => {
                let wide = if value & MEMORY64 != 0 { ":64" } else { "" };
                let size = 1 << (value >> 8 & 3);
                write!(text, " {}{wide} size {size}", value as u8)
            }
            Field::Memory16 => match value & MEMORY64 {
                0 => write!(text, " {value}"),
                _ => write!(text, " {}:64", value & !MEMORY64),
            },
            Field::Imm32 => write!(text, " #{}", bc_of(word) as i32),
            Field::Address => write!(text, " ={}", bc_of(word)),
            _ => write!(text, " @{}", bc_of(word)),
        };
    }
}

fn extension(text: &mut String, operands: &Operands, at: usize, words: &[u64]) {
    for (number, word) in words.iter().copied().map(u64::from_le).enumerate() {
        let (lo, hi) = (word as u32, (word >> 32) as u32);
        let _ = match operands.ext {
            Ext::None => Ok(()),
            Ext::Target | Ext::Targets => {
                let target = at as i64 + i64::from(lo as i32);
                if hi == 0 {
                    write!(text, " -> {target}")
                } else {
                    write!(text, " -> {target} fuel {}", hi as i32)
                }
            }
            Ext::Imm64 => write!(text, " #0x{word:x}"),
            Ext::Offset64 => write!(text, " +{word}"),
            Ext::OffsetLane | Ext::OffsetLanePair if number == 0 => write!(text, " +{word}"),
            Ext::Lane | Ext::OffsetLane => write!(text, " lane {lo}"),
            Ext::OffsetLanePair => write!(text, " lane {lo} s{hi}:2"),
            Ext::Pair => write!(text, " s{lo}:2"),
            Ext::Vector => write!(text, " #0x{word:016x}"),
            Ext::Displaced => write!(text, " ~{} +{hi}", lo as i32),
            Ext::Indexed => write!(text, " +{hi}"),
            Ext::Cond => write!(text, " if s{lo}"),
            Ext::Slots2 => write!(text, " s{lo} s{hi}"),
            Ext::Sig if hi == 0 => write!(text, " type {lo}"),
            Ext::Sig => write!(text, " type {lo} fuel {}", hi as i32),
            Ext::Memory | Ext::Table => write!(text, " @{lo}"),
            Ext::Memory2 | Ext::MemoryData | Ext::Table2 | Ext::TableElem => {
                write!(text, " @{lo} @{hi}")
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::super::{header, op, word, word_u32};
    use super::*;

    fn text(words: &[u64]) -> String {
        let mut code = header(4, 0, 0, 1, 0).to_vec();
        code.extend_from_slice(words);
        function(
            &code
                .into_iter()
                .map(u64::to_le)
                .collect::<alloc::vec::Vec<_>>(),
        )
    }

    #[test]
    fn atomic_accesses_show_how_wide_their_addresses_are() {
        let check = |c| text(&[word(op::AtomicAddress, 0, 1, c), 8]);
        assert!(check(2 << 8 | 1).contains(" 1 size 4"));
        assert!(check(2 << 8 | 1 | MEMORY64).contains(" 1:64 size 4"));
    }

    #[test]
    fn indirect_calls_show_their_fuel() {
        let call = |fuel: u64| text(&[word(op::CallIndirect, 2, 1, 0), 3 | fuel << 32]);
        assert!(call(0).contains(" type 3\n"), "{}", call(0));
        assert!(call(7).contains(" type 3 fuel 7\n"), "{}", call(7));
        assert!(text(&[word_u32(op::Call, 2, 0)]).ends_with(" frame+2 @0\n"));
    }
}
