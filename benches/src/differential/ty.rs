//! Random types of values, and how they are flattened to core types: the guests' core code has to be
//! written for those.

use super::rng::Rng;

/// A type. Resources are owned anywhere in values, and lent where [`Ty::lending`] says.
#[derive(Clone, Debug, PartialEq)]
pub enum Ty {
    Bool,
    S8,
    U8,
    S16,
    U16,
    S32,
    U32,
    S64,
    U64,
    F32,
    F64,
    Char,
    String,
    List(Box<Ty>),
    Fixed(Box<Ty>, u32),
    Map(Box<Ty>, Box<Ty>),
    Record(Vec<Ty>),
    Tuple(Vec<Ty>),
    Variant(Vec<Option<Ty>>),
    Enum(u32),
    Option(Box<Ty>),
    Result(Option<Box<Ty>>, Option<Box<Ty>>),
    Flags(u32),
    /// The host's resource.
    Own,
    /// A loan of it.
    Borrow,
}

const SCALARS: [Ty; 13] = [
    Ty::Bool,
    Ty::S8,
    Ty::U8,
    Ty::S16,
    Ty::U16,
    Ty::S32,
    Ty::U32,
    Ty::S64,
    Ty::U64,
    Ty::F32,
    Ty::F64,
    Ty::Char,
    Ty::String,
];

impl Ty {
    /// A random type, nested at most so deep; `owned` allows resources in it.
    pub fn random(rng: &mut Rng, depth: u32, owned: bool) -> Ty {
        if owned && rng.percent(6) {
            return Ty::Own;
        }
        if depth == 0 || rng.percent(30) {
            return rng.pick(&SCALARS).clone();
        }
        let inner = |rng: &mut Rng| Ty::random(rng, depth - 1, owned);
        match rng.below(12) {
            0 | 1 => Ty::List(Box::new(inner(rng))),
            2 => Ty::Fixed(Box::new(inner(rng)), 1 + rng.below(4) as u32),
            3 => {
                let key = rng.pick(&SCALARS);
                match key {
                    Ty::F32 | Ty::F64 => Ty::List(Box::new(inner(rng))),
                    // Validation allows no handles in them.
                    key => {
                        let value = Ty::random(rng, depth - 1, false);
                        Ty::Map(Box::new(key.clone()), Box::new(value))
                    }
                }
            }
            4 => Ty::Record((0..1 + rng.below(5)).map(|_| inner(rng)).collect()),
            5 => Ty::Tuple((0..1 + rng.below(5)).map(|_| inner(rng)).collect()),
            6 | 7 => {
                let few = 1 + rng.below(5);
                let cases = (0..few).map(|_| rng.percent(75).then(|| inner(rng)));
                let mut cases: Vec<Option<Ty>> = cases.collect();
                if rng.percent(5) {
                    // Discriminants of two bytes.
                    cases.resize(257 + rng.below(10), None);
                }
                Ty::Variant(cases)
            }
            8 => Ty::Enum(match rng.percent(10) {
                true => 250 + rng.below(20) as u32,
                false => 1 + rng.below(9) as u32,
            }),
            9 => Ty::Option(Box::new(inner(rng))),
            10 => {
                let ok = rng.percent(70).then(|| Box::new(inner(rng)));
                let err = rng.percent(70).then(|| Box::new(inner(rng)));
                Ty::Result(ok, err)
            }
            _ => Ty::Flags(1 + rng.below(32) as u32),
        }
    }

    /// A type with a loan in it, of which the guest can tell what it has to give back.
    pub fn lending(rng: &mut Rng) -> Ty {
        let scalar = |rng: &mut Rng| rng.pick(&SCALARS).clone();
        match rng.below(11) {
            0 => Ty::List(Box::new(Ty::Borrow)),
            1 => Ty::Option(Box::new(Ty::Borrow)),
            2 => Ty::Tuple(vec![scalar(rng), Ty::Borrow, Ty::Own]),
            3 => Ty::Record(vec![Ty::Borrow, scalar(rng), Ty::Borrow]),
            4 => Ty::Fixed(Box::new(Ty::Borrow), 1 + rng.below(4) as u32),
            5 => {
                let (list, option) = (Ty::List(Box::new(Ty::Borrow)), Ty::Borrow);
                Ty::Tuple(vec![list, scalar(rng), Ty::Option(Box::new(option))])
            }
            6 => {
                let (loan, other) = (Some(Box::new(Ty::Borrow)), Some(Box::new(scalar(rng))));
                match rng.percent(50) {
                    true => Ty::Result(loan, other),
                    false => Ty::Result(other, loan),
                }
            }
            7 | 8 => Ty::Variant(vec![
                Some(scalar(rng)),
                Some(Ty::Borrow),
                None,
                Some(Ty::Own),
                Some(Ty::Borrow),
                Some(scalar(rng)),
            ]),
            _ => Ty::Borrow,
        }
    }

    /// Whether there is a loan in it.
    pub fn lends(&self) -> bool {
        match self {
            Ty::Borrow => true,
            Ty::List(ty) | Ty::Fixed(ty, _) | Ty::Option(ty) => ty.lends(),
            Ty::Tuple(tys) | Ty::Record(tys) => tys.iter().any(Ty::lends),
            Ty::Variant(cases) => cases.iter().flatten().any(Ty::lends),
            Ty::Result(ok, err) => [ok, err].into_iter().flatten().any(|ty| ty.lends()),
            _ => false,
        }
    }

    /// The core types of the value.
    pub fn flatten(&self, into: &mut Vec<Core>) {
        match self {
            Ty::S64 | Ty::U64 => into.push(Core::I64),
            Ty::F32 => into.push(Core::F32),
            Ty::F64 => into.push(Core::F64),
            Ty::String | Ty::List(_) | Ty::Map(..) => into.extend([Core::I32; 2]),
            Ty::Fixed(item, count) => (0..*count).for_each(|_| item.flatten(into)),
            Ty::Record(items) | Ty::Tuple(items) => items.iter().for_each(|ty| ty.flatten(into)),
            Ty::Variant(cases) => joined(cases.iter().flatten(), into),
            Ty::Option(some) => joined([some.as_ref()], into),
            Ty::Result(ok, err) => joined([ok, err].into_iter().flatten().map(|ty| &**ty), into),
            _ => into.push(Core::I32),
        }
    }
}

/// A core type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Core {
    I32,
    I64,
    F32,
    F64,
}

impl Core {
    /// As the text format writes it.
    pub fn text(self) -> &'static str {
        match self {
            Core::I32 => "i32",
            Core::I64 => "i64",
            Core::F32 => "f32",
            Core::F64 => "f64",
        }
    }
}

fn joined<'a>(cases: impl IntoIterator<Item = &'a Ty>, into: &mut Vec<Core>) {
    into.push(Core::I32);
    let mut all: Vec<Core> = Vec::new();
    for case in cases {
        let mut flat = Vec::new();
        case.flatten(&mut flat);
        for (at, core) in flat.into_iter().enumerate() {
            match all.get_mut(at) {
                None => all.push(core),
                Some(joined) => *joined = join(*joined, core),
            }
        }
    }
    into.extend(all);
}

fn join(a: Core, b: Core) -> Core {
    match (a, b) {
        (a, b) if a == b => a,
        (Core::I32, Core::F32) | (Core::F32, Core::I32) => Core::I32,
        _ => Core::I64,
    }
}

/// Writes types as text: what is nominal is imported under a name, the rest defined in place.
#[derive(Default)]
pub struct Writer {
    /// The definitions so far.
    pub text: String,
    /// The names of the types that are imported.
    pub imports: Vec<String>,
    count: u32,
}

impl Writer {
    /// What refers to the type.
    pub fn name(&mut self, ty: &Ty) -> String {
        match ty {
            Ty::Bool => "bool".into(),
            Ty::S8 => "s8".into(),
            Ty::U8 => "u8".into(),
            Ty::S16 => "s16".into(),
            Ty::U16 => "u16".into(),
            Ty::S32 => "s32".into(),
            Ty::U32 => "u32".into(),
            Ty::S64 => "s64".into(),
            Ty::U64 => "u64".into(),
            Ty::F32 => "f32".into(),
            Ty::F64 => "f64".into(),
            Ty::Char => "char".into(),
            Ty::String => "string".into(),
            Ty::Own => "(own $res)".into(),
            Ty::Borrow => "(borrow $res)".into(),
            Ty::List(item) => format!("(list {})", self.name(item)),
            Ty::Fixed(item, count) => format!("(list {} {count})", self.name(item)),
            Ty::Map(key, value) => format!("(map {} {})", self.name(key), self.name(value)),
            Ty::Tuple(items) => {
                let items: Vec<String> = items.iter().map(|ty| self.name(ty)).collect();
                format!("(tuple {})", items.join(" "))
            }
            Ty::Option(some) => format!("(option {})", self.name(some)),
            Ty::Result(ok, err) => {
                let ok = ok.as_ref().map(|ty| self.name(ty)).unwrap_or_default();
                let err = err.as_ref().map(|ty| self.name(ty));
                let err = err.map(|err| format!("(error {err})")).unwrap_or_default();
                format!("(result {ok} {err})")
            }
            Ty::Record(items) => {
                let field = |(at, ty): (usize, &Ty)| format!("(field \"f{at}\" {})", self.name(ty));
                let fields: Vec<String> = items.iter().enumerate().map(field).collect();
                self.nominal(format!("(record {})", fields.join(" ")))
            }
            Ty::Variant(cases) => {
                let case = |(at, ty): (usize, &Option<Ty>)| {
                    let payload = ty.as_ref().map(|ty| self.name(ty)).unwrap_or_default();
                    format!("(case \"c{at}\" {payload})")
                };
                let cases: Vec<String> = cases.iter().enumerate().map(case).collect();
                self.nominal(format!("(variant {})", cases.join(" ")))
            }
            Ty::Enum(count) => self.nominal(format!("(enum {})", names("c", *count))),
            Ty::Flags(count) => self.nominal(format!("(flags {})", names("b", *count))),
        }
    }

    fn nominal(&mut self, definition: String) -> String {
        let at = self.count;
        self.count += 1;
        self.text.push_str(&format!(
            "(type $d{at} {definition})\n(import \"t{at}\" (type $t{at} (eq $d{at})))\n"
        ));
        self.imports.push(format!("t{at}"));
        format!("$t{at}")
    }
}

fn names(prefix: &str, count: u32) -> String {
    (0..count).map(|at| format!("\"{prefix}{at}\" ")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The join of the Canonical ABI's example: `variant(f32, u32, string)`.
    #[test]
    fn the_payloads_of_cases_share_their_places() {
        let cases = [Ty::F32, Ty::U32, Ty::Tuple(vec![Ty::F64, Ty::F32])];
        let mut flat = Vec::new();
        Ty::Variant(cases.map(Some).to_vec()).flatten(&mut flat);
        assert_eq!(flat, [Core::I32, Core::I64, Core::F32]);
    }
}
