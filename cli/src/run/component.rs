//! Components: linked, instantiated, called with WAVE.

use super::call::{Call, describe};
use super::functions::{self, Item};
use super::wave::{self, Names, Ty, Value};
use super::{called_unserved, ended, results, unserved};
use crate::args::{RunArgs, UnknownImports};
use anyhow::{Context, Result, anyhow, bail};
use cellule::component::types::{ComponentFunc, ComponentItem, Type};
use cellule::component::{
    Component, Func, Instance, InstancePre, Linker, LinkerInstance, List, Val,
};
use cellule::{Engine, ErrorKind, Store};

/// An instance and what it exports.
pub struct Guest {
    instance: Instance,
    exports: Vec<Item>,
    names: Names,
}

impl Guest {
    /// Loads, links and instantiates a component.
    pub fn new(args: &RunArgs, store: &mut Store<()>, wasm: &[u8]) -> Result<Guest> {
        let engine = store.engine().clone();
        let file = args.file.display();
        let component = Component::new(&engine, wasm)
            .map_err(anyhow::Error::from)
            .with_context(|| format!("in {file}"))?;
        let instance = link(args, &engine, &component)?
            .instantiate(&mut *store)
            .map_err(anyhow::Error::from)
            .with_context(|| format!("can't instantiate {file}"))?;
        Ok(Guest {
            instance,
            exports: functions::items(component.component_type().exports(&engine), &engine),
            names: names(&engine, &component),
        })
    }

    /// Makes one call; its result as text.
    pub fn invoke(&self, store: &mut Store<()>, call: &Call) -> Result<String> {
        let item = functions::find(&self.exports, call.name, &self.names)?;
        let func = self.func(store, item).zip(item.func());
        let (func, ty) =
            func.ok_or_else(|| anyhow!("`{}` is the type of a function", item.full()))?;
        let arguments = self.arguments(call, item, ty)?;
        let mut values = vec![Val::Bool(false); ty.results().len()];
        func.call(&mut *store, &arguments, &mut values)
            .map_err(|error| ended(call, error))?;
        let shown = values.iter().zip(ty.results());
        let shown: Vec<String> = shown
            .map(|(value, ty)| wave::write(value, &ty, &self.names))
            .collect::<Result<_>>()?;
        for value in &values {
            drop_resources(store, value).map_err(|error| ended(call, error))?;
        }
        Ok(results(&shown))
    }

    /// The arguments of a call as values of a function's types.
    fn arguments(&self, call: &Call, item: &Item, ty: &ComponentFunc) -> Result<Vec<Val>> {
        let params: Vec<(&str, Type)> = ty.params().collect();
        for (at, (name, ty)) in params.iter().enumerate() {
            if wave::has_resource(ty) {
                bail!(
                    "argument {} (`{name}`) of `{}` is {}: resources can't be written as text",
                    at + 1,
                    item.full(),
                    wave::describe(ty, &self.names)
                );
            }
        }
        let given = call.arguments();
        // WAVE lets arguments at the end be left out if they are options.
        let optional = params.iter().rev();
        let optional = optional.take_while(|(_, ty)| matches!(ty, Type::Option(_)));
        let least = params.len() - optional.count();
        if given.len() > params.len() || given.len() < least {
            let (text, count) = (call.text, given.len());
            bail!(
                "`{text}` has {count} arguments, but the function is\n  {}",
                item.signature(&self.names)
            );
        }
        let mut values = Vec::new();
        for (at, (name, ty)) in params.into_iter().enumerate() {
            let Some(node) = given.get(at) else {
                values.push(Val::Option(None));
                continue;
            };
            let value = node.to_wasm_value::<Value>(&Ty(ty.clone()), call.source());
            let value = value.map_err(|error| {
                let (text, why) = (call.text, describe(&error, call.source()));
                anyhow!(
                    "in `{text}`: argument {} (`{name}`): {why}; expected is\n  {ty}",
                    at + 1
                )
            })?;
            values.push(value.0);
        }
        Ok(values)
    }

    fn func(&self, store: &mut Store<()>, item: &Item) -> Option<Func> {
        let mut index = None;
        for name in &item.path {
            let found = self
                .instance
                .get_export_index(&mut *store, index.as_ref(), name)?;
            index = Some(found);
        }
        self.instance.get_func(&mut *store, &index?)
    }
}

/// The names of the resources that a component imports or exports.
fn names(engine: &Engine, component: &Component) -> Names {
    let ty = component.component_type();
    let mut items = functions::items(ty.exports(engine), engine);
    items.extend(functions::items(ty.imports(engine), engine));
    let mut names = Names::default();
    for item in &items {
        if let ComponentItem::Resource(ty) = item.item {
            names.add(ty, item.name());
        }
    }
    names
}

/// Drops the resources that a result owns: no later call can name them.
fn drop_resources(store: &mut Store<()>, value: &Val) -> cellule::Result<()> {
    let mut inner = |value: &Val| drop_resources(&mut *store, value);
    match value {
        Val::Resource(resource) if resource.owned() => resource.resource_drop(store),
        Val::List(List::Vals(list)) | Val::Tuple(list) => list.iter().try_for_each(inner),
        Val::Record(fields) => fields.iter().try_for_each(|(_, value)| inner(value)),
        Val::Map(entries) => entries.iter().try_for_each(|(_, value)| inner(value)),
        Val::Variant(_, payload) | Val::Option(payload) => payload.as_deref().map_or(Ok(()), inner),
        Val::Result(Ok(payload) | Err(payload)) => payload.as_deref().map_or(Ok(()), inner),
        _ => Ok(()),
    }
}

/// Binds the imports to what the arguments say.
fn link(args: &RunArgs, engine: &Engine, component: &Component) -> Result<InstancePre<()>> {
    let ty = component.component_type();
    let mut linker = Linker::new(engine);
    if args.unknown_imports != UnknownImports::Refuse {
        let print = args.unknown_imports == UnknownImports::Print;
        let stand_in = StandIn {
            engine,
            print,
            names: names(engine, component),
        };
        stand_in.define(linker.root(), "", ty.imports(engine))?;
        // Resources are left, and what nothing can stand in for.
        linker.define_unknown_imports_as_traps(component)?;
    }
    linker.instantiate_pre(component).map_err(|error| {
        let imports = functions::needed(functions::items(ty.imports(engine), engine));
        let imports: Vec<String> = imports.map(|item| item.kind_and_name()).collect();
        match error.kind() {
            ErrorKind::Link if args.unknown_imports == UnknownImports::Refuse => {
                unserved(args, &imports)
            }
            _ => anyhow!("can't link {}: {error}", args.file.display()),
        }
    })
}

/// Defines functions that trap when they are called, or print the call where that is wished and they
/// have nothing to return.
struct StandIn<'e> {
    engine: &'e Engine,
    print: bool,
    names: Names,
}

impl StandIn<'_> {
    fn define<'a>(
        &self,
        mut place: LinkerInstance<'_, ()>,
        prefix: &str,
        items: impl Iterator<Item = (&'a str, ComponentItem)>,
    ) -> Result<()> {
        for (name, item) in items {
            let full = format!("{prefix}{name}");
            match item {
                ComponentItem::ComponentFunc(ty) if self.print && ty.results().len() == 0 => {
                    let names = self.names.clone();
                    place.func_new(name, move |_, _, values, _| {
                        let both = values.iter().zip(ty.params());
                        let text = both.map(|(value, (_, ty))| wave::write(value, &ty, &names));
                        let text = text.collect::<Result<Vec<_>>>();
                        let text = text.map_err(cellule::Error::msg)?;
                        eprintln!("{full}({})", text.join(", "));
                        Ok(())
                    })?;
                }
                ComponentItem::ComponentFunc(_) => {
                    place.func_new(name, move |_, _, _, _| Err(called_unserved(&full)))?;
                }
                ComponentItem::ComponentInstance(instance) => {
                    let inner = place.instance(name)?;
                    self.define(inner, &format!("{full}#"), instance.exports(self.engine))?;
                }
                _ => {}
            }
        }
        Ok(())
    }
}
