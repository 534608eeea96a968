//! Reads what cellule's disassembler writes. It knows of the instruction set only what the table of operands says.

use anyhow::{Context, Result, bail, ensure};
use cellule::code::handlers::{Handler, Takes, count_in};
use cellule::code::operands::{Ext, Field, Operands};
use cellule::code::{self, MEMORY64, Op};
use std::collections::HashMap;
use std::str::SplitWhitespace;

/// The instructions' names.
pub struct Assembler(HashMap<String, Op>);

impl Default for Assembler {
    fn default() -> Assembler {
        Assembler::new()
    }
}

impl Assembler {
    /// With the names of this build's instructions.
    ///
    /// # Panics
    /// If two instructions have the same name.
    pub fn new() -> Assembler {
        let mut names = HashMap::new();
        for op in 0..Op::MAX {
            if let Some(info) = code::info(op) {
                let before = names.insert(info.to_string(), op);
                assert_eq!(before, None, "{info}");
            }
        }
        Assembler(names)
    }

    /// The words of a defined function's text.
    ///
    /// # Errors
    /// What isn't as the disassembler writes it.
    pub fn function(&self, func: u32, text: &str) -> Result<Vec<u64>> {
        let mut lines = text.lines();
        let mut words = header(func, lines.next().context("a header")?)?;
        let mut handlers = Vec::new();
        for line in lines {
            let line = line.trim_start();
            match line.strip_prefix("handler ") {
                Some(line) => handlers.push(handler(line).with_context(|| line.to_string())?),
                None => {
                    ensure!(handlers.is_empty(), "an instruction behind a handler");
                    self.instruction(line, &mut words)
                        .with_context(|| line.to_string())?;
                }
            }
        }
        words[0] = count_in(words[0], handlers.len()).context("too many handlers")?;
        words.extend(handlers.iter().flat_map(Handler::encode));
        Ok(words)
    }

    fn instruction(&self, line: &str, words: &mut Vec<u64>) -> Result<()> {
        let mut tokens = Tokens(line.split_whitespace());
        let at: usize = tokens.number("")?;
        ensure!(at == words.len(), "word {} is said to be {at}", words.len());
        let name = tokens.next()?;
        let op = *self
            .0
            .get(name)
            .with_context(|| format!("no instruction {name}"))?;
        let operands = code::info(op).context("it has a name")?.operands;
        let a = tokens.field(operands.a)? as u16;
        let b = tokens.field(operands.b)?;
        let c = tokens.field(operands.c)? as u16;
        words.push(match operands.b.spans_b_and_c() {
            true => code::word_u32(op, a, b).to_le(),
            false => code::word(op, a, b as u16, c).to_le(),
        });
        tokens.extension(&operands, at, b, words)?;
        match tokens.0.next() {
            None => Ok(()),
            Some(rest) => bail!("{rest} is left over"),
        }
    }
}

struct Tokens<'a>(SplitWhitespace<'a>);

impl<'a> Tokens<'a> {
    fn next(&mut self) -> Result<&'a str> {
        self.0.next().context("the line ends")
    }

    /// The next word, without what has to be before it.
    fn after(&mut self, prefix: &str) -> Result<&'a str> {
        let token = self.next()?;
        token
            .strip_prefix(prefix)
            .with_context(|| format!("{token} doesn't begin with {prefix}"))
    }

    fn word(&mut self, expected: &str) -> Result<()> {
        let token = self.next()?;
        ensure!(token == expected, "{token} instead of {expected}");
        Ok(())
    }

    /// Whether the next word is this one; it is taken if so.
    fn has(&mut self, word: &str) -> bool {
        let mut ahead = self.0.clone();
        let has = ahead.next() == Some(word);
        if has {
            self.0 = ahead;
        }
        has
    }

    fn number<T: std::str::FromStr<Err = std::num::ParseIntError>>(
        &mut self,
        prefix: &str,
    ) -> Result<T> {
        let token = self.after(prefix)?;
        token.parse().with_context(|| token.to_string())
    }

    fn slot(&mut self) -> Result<u32> {
        self.number("s")
    }

    fn pair(&mut self) -> Result<u32> {
        let token = self.after("s")?;
        Ok(token.strip_suffix(":2").context("two slots")?.parse()?)
    }

    fn hex(&mut self) -> Result<u64> {
        Ok(u64::from_str_radix(self.after("#0x")?, 16)?)
    }

    fn fuel(&mut self) -> Result<u64> {
        match self.has("fuel") {
            true => Ok(u64::from(self.number::<i32>("")? as u32)),
            false => Ok(0),
        }
    }

    fn wide(&self, token: &str) -> Result<u16> {
        Ok(match token.strip_suffix(":64") {
            Some(number) => number.parse::<u16>()? | MEMORY64,
            None => token.parse()?,
        })
    }

    fn field(&mut self, field: Field) -> Result<u32> {
        Ok(match field {
            Field::None => 0,
            Field::Def | Field::Use | Field::Start => self.slot()?,
            Field::Def2 | Field::Use2 => self.pair()?,
            Field::Lane => {
                self.word("lane")?;
                self.number("")?
            }
            Field::Imm => self.number::<i16>("#")? as u16 as u32,
            Field::Imm32 => self.number::<i32>("#")? as u32,
            Field::Offset => self.number("+")?,
            Field::Count => self.number("x")?,
            Field::Frame => self.number("frame+")?,
            Field::Code | Field::Table => self.number("")?,
            Field::Memory16 => {
                let token = self.next()?;
                self.wide(token)?.into()
            }
            Field::Aligned => {
                let token = self.next()?;
                let memory = self.wide(token)?;
                self.word("size")?;
                let size: u32 = self.number("")?;
                ensure!(size.is_power_of_two(), "a size of {size}");
                u32::from(memory) | size.trailing_zeros() << 8
            }
            Field::Address => self.number("=")?,
            Field::U32
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
            | Field::Tag => self.number("@")?,
        })
    }

    fn extension(
        &mut self,
        operands: &Operands,
        at: usize,
        count: u32,
        words: &mut Vec<u64>,
    ) -> Result<()> {
        let mut push = |lo: u64, hi: u64| words.push((lo | hi << 32).to_le());
        match operands.ext {
            Ext::None => {}
            Ext::Target => {
                let (target, fuel) = self.target(at)?;
                push(target, fuel);
            }
            Ext::Targets => {
                for _ in 0..=count {
                    let (target, fuel) = self.target(at)?;
                    push(target, fuel);
                }
            }
            Ext::Imm64 => push(self.hex()?, 0),
            Ext::Offset64 => push(self.number("+")?, 0),
            Ext::OffsetLane => {
                push(self.number("+")?, 0);
                push(self.lane()?, 0);
            }
            Ext::OffsetLanePair => {
                push(self.number("+")?, 0);
                let lane = self.lane()?;
                push(lane, self.pair()?.into());
            }
            Ext::Lane => push(self.lane()?, 0),
            Ext::Pair => push(self.pair()?.into(), 0),
            Ext::Vector => {
                push(self.hex()?, 0);
                push(self.hex()?, 0);
            }
            Ext::Displaced => {
                let added = self.number::<i32>("~")? as u32;
                push(added.into(), self.number("+")?);
            }
            Ext::Indexed => push(0, self.number("+")?),
            Ext::Cond => {
                self.word("if")?;
                push(self.slot()?.into(), 0);
            }
            Ext::Slots2 => {
                let first = self.slot()?;
                push(first.into(), self.slot()?.into());
            }
            Ext::Sig => {
                self.word("type")?;
                let ty = self.number("")?;
                push(ty, self.fuel()?);
            }
            Ext::Memory | Ext::Table => push(self.number("@")?, 0),
            Ext::Memory2 | Ext::MemoryData | Ext::Table2 | Ext::TableElem => {
                let first = self.number("@")?;
                push(first, self.number("@")?);
            }
        }
        Ok(())
    }

    fn lane(&mut self) -> Result<u64> {
        self.word("lane")?;
        self.number("")
    }

    /// A branch's distance and fuel.
    fn target(&mut self, at: usize) -> Result<(u64, u64)> {
        self.word("->")?;
        let target: i64 = self.number("")?;
        let distance = i32::try_from(target - at as i64)?;
        Ok((u64::from(distance as u32), self.fuel()?))
    }
}

/// `frame 3 params 1 results 1 cost 7`.
fn header(func: u32, line: &str) -> Result<Vec<u64>> {
    let mut tokens = Tokens(line.split_whitespace());
    let mut value = |name: &str| {
        tokens.word(name)?;
        tokens.number::<u32>("")
    };
    let (frame, params, results) = (value("frame")?, value("params")?, value("results")?);
    let words = code::header(
        frame as u16,
        params as u16,
        results as u16,
        value("cost")?,
        func,
    );
    Ok(words.map(u64::to_le).to_vec())
}

/// `2..9 tag @0 ref s4 -> 12 fuel 3`, behind the word `handler`.
fn handler(line: &str) -> Result<Handler> {
    let mut tokens = Tokens(line.split_whitespace());
    let (start, end) = tokens.next()?.split_once("..").context("a range")?;
    let all = tokens.has("all");
    let tag = match all {
        true => 0,
        false => {
            tokens.word("tag")?;
            tokens.number("@")?
        }
    };
    let reference = tokens.has("ref");
    let slot = tokens.number("s")?;
    tokens.word("->")?;
    Ok(Handler {
        start: start.parse()?,
        end: end.parse()?,
        target: tokens.number("")?,
        slot,
        takes: Takes { all, reference },
        tag,
        fuel: tokens.fuel()? as u32,
    })
}
