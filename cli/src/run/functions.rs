//! What a component exports or imports, with full names, and functions found by parts of theirs.

use super::wave::{self, Names};
use crate::near;
use anyhow::{Result, anyhow, bail};
use cellule::Engine;
use cellule::component::ResourceType;
use cellule::component::types::{ComponentExtern, ComponentFunc, ComponentItem};

/// An item that is no instance, and the names of the instances that it is in.
pub struct Item {
    /// From the outermost instance to the item's own name.
    pub path: Vec<String>,
    /// What it is.
    pub item: ComponentItem,
}

impl Item {
    /// The name with those of the instances it is in.
    pub fn full(&self) -> String {
        self.path.join("#")
    }

    /// Its own name.
    pub fn name(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }

    /// What it is in a word or two, and its full name.
    pub fn kind_and_name(&self) -> String {
        let kind = match &self.item {
            ComponentItem::ComponentFunc(_) => "function",
            ComponentItem::Module(_) => "core module",
            ComponentItem::Component(_) => "component",
            ComponentItem::ComponentInstance(_) => "instance",
            ComponentItem::Type(_) => "type",
            ComponentItem::Resource(_) => "resource",
        };
        format!("{kind} `{}`", self.full())
    }

    /// Name and type of a function.
    pub fn signature(&self, names: &Names) -> String {
        let Some(func) = self.func() else {
            return self.kind_and_name();
        };
        let params = func.params();
        let params = params.map(|(name, ty)| format!("{name}: {}", wave::describe(&ty, names)));
        let params: Vec<String> = params.collect();
        let result = func.results().next();
        let result = result.map(|ty| format!(" -> {}", wave::describe(&ty, names)));
        let (name, result) = (self.full(), result.unwrap_or_default());
        format!("{name}: func({}){result}", params.join(", "))
    }

    /// The type, if it is a function.
    pub fn func(&self) -> Option<&ComponentFunc> {
        match &self.item {
            ComponentItem::ComponentFunc(func) => Some(func),
            _ => None,
        }
    }
}

/// All items that are no instances, in order.
pub fn items<'a>(
    siblings: impl Iterator<Item = (&'a str, ComponentExtern<'a>)>,
    engine: &Engine,
) -> Vec<Item> {
    let mut found = Vec::new();
    collect(siblings, engine, &mut Vec::new(), &mut found);
    found
}

fn collect<'a>(
    siblings: impl Iterator<Item = (&'a str, ComponentExtern<'a>)>,
    engine: &Engine,
    path: &mut Vec<String>,
    found: &mut Vec<Item>,
) {
    for (name, sibling) in siblings {
        let item = sibling.ty;
        path.push(name.to_string());
        if let ComponentItem::ComponentInstance(instance) = &item {
            collect(instance.exports(engine), engine, path, found);
        } else {
            let path = path.clone();
            found.push(Item { path, item });
        }
        path.pop();
    }
}

/// The items that have to be served: types need not, and a resource only once.
pub fn needed(items: Vec<Item>) -> impl Iterator<Item = Item> {
    let mut met: Vec<ResourceType> = Vec::new();
    items.into_iter().filter(move |item| match &item.item {
        ComponentItem::Type(_) => false,
        ComponentItem::Resource(ty) => {
            let new = !met.contains(ty);
            met.push(*ty);
            new
        }
        _ => true,
    })
}

/// The function that a name as the user writes it stands for: its full name, or so much of it that
/// only one function is meant.
///
/// # Errors
/// If there is none or several; it lists them.
pub fn find<'i>(items: &'i [Item], wanted: &str, names: &Names) -> Result<&'i Item> {
    let functions: Vec<&Item> = items.iter().filter(|item| item.func().is_some()).collect();
    if let Some(exact) = functions.iter().find(|item| item.full() == wanted) {
        return Ok(exact);
    }
    let meant = functions.iter().filter(|item| is_meant(item, wanted));
    let list = |items: &[&Item]| {
        let lines = items.iter();
        let lines = lines.map(|item| format!("\n  {}", item.signature(names)));
        lines.collect::<String>()
    };
    match meant.copied().collect::<Vec<_>>()[..] {
        [one] => Ok(one),
        [] if functions.is_empty() => bail!("no function is exported"),
        [] => {
            let local = wanted.rsplit('#').next().unwrap_or_default();
            let known = functions.iter().map(|item| plain(item.name()));
            let near = near::nearest(local, known);
            if near.is_empty() {
                return Err(anyhow!(
                    "no function `{wanted}` is exported; these are:{}",
                    list(&functions)
                ));
            }
            let meant = |name: &&str| {
                let named = |item: &&&Item| plain(item.name()) == *name;
                functions.iter().find(named).copied()
            };
            let near: Vec<&Item> = near.iter().filter_map(meant).collect();
            Err(anyhow!(
                "no function `{wanted}` is exported; near are:{}\nwithout `--invoke` all are listed",
                list(&near)
            ))
        }
        ref several => Err(anyhow!(
            "`{wanted}` may be any of these; write more of the name:{}",
            list(several)
        )),
    }
}

/// Whether a name is the end of an item's: `area`, `shapes#area`, `demo:app/shapes#area`, and for
/// what belongs to a resource `counter.inc` as well as `[method]counter.inc`.
fn is_meant(item: &Item, wanted: &str) -> bool {
    let wanted: Vec<&str> = wanted.split('#').collect();
    let Some(skipped) = item.path.len().checked_sub(wanted.len()) else {
        return false;
    };
    let parts = item.path[skipped..].iter().zip(wanted);
    parts.enumerate().all(|(at, (name, wanted))| {
        let last = skipped + at + 1 == item.path.len();
        name == wanted
            || match last {
                true => plain(name) == wanted,
                false => shorter(name).any(|short| short == wanted),
            }
    })
}

/// A function's name without the word in brackets that says what it is of a resource.
fn plain(name: &str) -> &str {
    let bracket = name.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    bracket.map_or(name, |(_, rest)| rest)
}

/// Shorter names of an interface: without its version, without its package.
fn shorter(name: &str) -> impl Iterator<Item = &str> {
    let unversioned = |name| str::split_once(name, '@').map_or(name, |(name, _)| name);
    let local = name.rsplit_once('/').map_or(name, |(_, local)| local);
    [unversioned(name), local, unversioned(local)].into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use cellule::component::Component;

    #[test]
    fn signatures_name_resources_wherever_they_are() {
        let text = r#"(component
            (import "t:a/b@1.0.0" (instance
                (export "r" (type $r (sub resource)))
                (type $record (record (field "a" u8) (field "b" (option (own $r)))))
                (export "p" (type $p (eq $record)))
                (export "f" (func
                    (param "x" (list (borrow $r)))
                    (param "y" $p)
                    (result (result (tuple (own $r) u8)))))
                (export "[method]r.g" (func (param "self" (borrow $r)))))))"#;
        let engine = Engine::default();
        let bytes = wat::parse_str(text).unwrap();
        let component = Component::new(&engine, bytes).unwrap();
        let ty = component.component_type();
        let all: Vec<Item> = needed(items(ty.imports(&engine), &engine)).collect();
        let mut names = Names::default();
        for item in &all {
            if let ComponentItem::Resource(ty) = item.item {
                names.add(ty, item.name());
            }
        }
        let told: Vec<String> = all.iter().map(|item| item.signature(&names)).collect();
        assert_eq!(
            told,
            [
                "resource `t:a/b@1.0.0#r`",
                "t:a/b@1.0.0#f: func(x: list<borrow<r>>, y: record { a: u8, b: option<own<r>> }) \
                 -> result<tuple<own<r>, u8>, _>",
                "t:a/b@1.0.0#[method]r.g: func(self: borrow<r>)",
            ]
        );
        let found = |wanted| find(&all, wanted, &names).map(Item::full).ok();
        for wanted in ["r.g", "b#r.g", "t:a/b#[method]r.g", "b@1.0.0#r.g"] {
            let full = Some("t:a/b@1.0.0#[method]r.g".to_string());
            assert_eq!(found(wanted), full, "{wanted}");
        }
        assert_eq!(found("c#f"), None);
    }
}
