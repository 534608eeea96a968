//! Instructions that do what two others do: each against the specification of both.

use super::spec;
use super::*;

#[test]
fn operators_with_an_operand_in_memory_compute_what_the_specification_says() {
    /// Where the operand is: at a slot, displaced, and an offset.
    const BASE: u16 = 2;
    const AT: u16 = 3;
    let family = family(|info| info.name.ends_with("_mem"));
    assert!(family.len() > 60, "{}", family.len());
    for (op, info) in family {
        let [to, a, _] = letters(info);
        let name = info.name.trim_end_matches("_mem");
        let (kind, made, _) = spec::binary(name, 1, 1).expect("known");
        let operands = pairs(kind, [to, a, 's']);
        let outcome = |(x, y): &(u64, u64)| spec::binary(name, *x, *y).expect("known").2;
        let outcomes: Vec<_> = operands
            .iter()
            .map(|pair| (outcome(pair), made.mask()))
            .collect();
        check(&std::format!("{info}"), &outcomes, |code, at, slot| {
            let (x, y) = operands[at];
            code.extend([word(op::ConstWide, Y, 0, 0), y]);
            code.extend([word_u32(op::Const, AT, 64), word_u32(op::Const, BASE, 69)]);
            code.push(word(op::Store64::Mss, Y, AT, 0));
            place(code, a, X, x, kind);
            let target = if to == 'R' { 0 } else { slot };
            let displaced = u64::from(-12i32 as u32) | 7 << 32;
            code.extend([word(op, target, field(a, X, x), BASE), displaced]);
            (to != 'R', fetch(code, to, slot + 1, made))
        });
    }
}

#[test]
fn steps_add_before_they_branch() {
    const CHARGE: u64 = 3;
    const ADDED: i16 = -3;
    let family = family(|info| info.name.starts_with("step."));
    assert!(family.len() > 30, "{}", family.len());
    for (op, info) in family {
        let [how, b, _] = letters(info);
        let name = info.name.replacen("step.", "br.", 1);
        let kind = spec::branch(&name, 1, 1).expect("known").0;
        let operands = pairs(kind, ['S', 's', b]);
        let sum = |x: u64| x.wrapping_add(i64::from(ADDED) as u64);
        let taken = |at: usize| {
            let (x, y) = operands[at];
            spec::branch(&name, sum(x), y).expect("known").1
        };
        let start = |code: &mut Vec<u64>, at: usize| {
            let (x, y) = operands[at];
            place(code, b, Y, y, kind);
            code.extend([word(op::ConstWide, X, 0, 0), x]);
            code.push(word(op, X, field(b, Y, y), ADDED as u16));
        };
        let branches: Vec<_> = (0..operands.len())
            .map(|at| (Ok(taken(at).into()), u64::MAX))
            .collect();
        check(&std::format!("{info}"), &branches, |code, at, slot| {
            start(code, at);
            code.push(5 | CHARGE << 32);
            code.extend([word(op::Const, slot, 0, 0), word(op::Br, 0, 0, 0), 3]);
            code.push(word(op::Const, slot, 1, 0));
            (true, false)
        });
        let sums: Vec<_> = (operands.iter())
            .map(|(x, _)| (Ok(sum(*x)), kind.mask()))
            .collect();
        check(&std::format!("{info}"), &sums, |code, at, slot| {
            start(code, at);
            code.push(2);
            code.push(word(op::Copy, slot, X, 0));
            (true, fetch(code, 'R', slot + 1, kind))
        });

        let mut code = Vec::new();
        for at in 0..operands.len() {
            start(&mut code, at);
            code.push(2 | CHARGE << 32);
        }
        code.push(RET);
        let before = store_with(RESULTS, &[]).fuel;
        let left = run(&code, RESULTS);
        let times = (0..operands.len()).filter(|at| taken(*at)).count() as i64;
        let charged = if how == 'C' { times * CHARGE as i64 } else { 0 };
        assert_eq!(before - left.store.fuel, 1 + charged, "{info}");
    }
}
