//! Components: linked, instantiated, called with WAVE; what resources they return is held for later calls.

use super::call::{Call, describe};
use super::functions::{self, Item};
use super::held::Held;
use super::wave::{self, Names, Ty, Value};
use super::{called_unserved, ended, results, unserved};
use crate::args::{RunArgs, UnknownImports};
use crate::images;
use anyhow::{Context, Result, anyhow, bail};
use cellule::component::types::{ComponentExtern, ComponentItem, Type};
use cellule::component::{
    Component, Func, Instance, InstancePre, Linker, LinkerInstance, ResourceAny, Val,
};
use cellule::{Engine, ErrorKind, Store};
use std::cell::RefCell;
use std::rc::Rc;

/// Instead of a function's name: drops a resource that is held.
const DROP: &str = "[drop]";

/// An instance, what it exports, and the resources that its functions returned.
pub struct Guest {
    instance: Instance,
    exports: Vec<Item>,
    names: Names,
    held: Rc<RefCell<Held>>,
}

impl Guest {
    /// Loads, links and instantiates a component.
    pub fn new(args: &RunArgs, store: &mut Store<()>, wasm: &[u8]) -> Result<Guest> {
        let engine = store.engine().clone();
        let file = args.file.display();
        let component = images::component(&engine, wasm)
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
            held: Rc::default(),
        })
    }

    /// The functions that can be called, a line each.
    pub fn functions(&self) -> Vec<String> {
        let functions = self.exports.iter().filter(|item| item.func().is_some());
        functions.map(|item| item.signature(&self.names)).collect()
    }

    /// Makes one call; its result as text.
    pub fn invoke(&self, store: &mut Store<()>, call: &Call) -> Result<String> {
        call.check_result_name()?;
        if call.name == DROP {
            return self.drop_one(store, call);
        }
        let item = functions::find(&self.exports, call.name, &self.names)?;
        let func = self.func(store, item).zip(item.func());
        let (func, ty) =
            func.ok_or_else(|| anyhow!("`{}` is the type of a function", item.full()))?;
        if let Some(name) = call.result {
            if !ty.results().any(|ty| wave::has_resource(&ty)) {
                bail!(
                    "in `{}`: `{name}` would name nothing: no resource is returned by\n  {}",
                    call.text,
                    item.signature(&self.names)
                );
            }
            self.held.borrow().check_free(name)?;
        }
        let arguments = self.arguments(store, call, item, &func)?;
        let mut values = vec![Val::Bool(false); ty.results().len()];
        let how = format!("passed on by `{}`", call.text);
        self.held.borrow_mut().gave(&how);
        func.call(&mut *store, &arguments, &mut values)
            .map_err(|error| ended(call, error))?;
        let shown = values.iter().zip(ty.results());
        let shown: Vec<String> = shown
            .map(|(value, ty)| self.write(call, value, &ty))
            .collect::<Result<_>>()?;
        Ok(results(&shown))
    }

    /// A result as text; resources in it are held from then on.
    fn write(&self, call: &Call, value: &Val, ty: &Type) -> Result<String> {
        let mut naming = |resource: &ResourceAny, ty: &Type| {
            let kind = match ty {
                Type::Own(ty) | Type::Borrow(ty) => self.names.of(*ty),
                _ => "resource",
            };
            let mut held = self.held.borrow_mut();
            held.keep(call.result, kind, *resource)
        };
        wave::write(value, ty, &mut naming)
    }

    /// `[drop](NAME)`: runs the destructor of a resource that is held.
    fn drop_one(&self, store: &mut Store<()>, call: &Call) -> Result<String> {
        let given = call.arguments();
        let &[node] = &given[..] else {
            bail!(
                "`{}`: write {DROP}(NAME) with the name of a resource",
                call.text
            );
        };
        let marks = call.pointed(node.span());
        let Ok(name) = node.as_enum(call.source()) else {
            bail!("`{}` can't name a resource{marks}", call.written(node));
        };
        let resource = self.held.borrow_mut().give(name, true, None);
        let resource = resource.map_err(|why| anyhow!("{why}{marks}"))?;
        self.held.borrow_mut().gave("dropped");
        resource
            .resource_drop(store)
            .map_err(|error| ended(call, error))?;
        Ok(results(&[]))
    }

    /// Drops the resources that are still held.
    ///
    /// # Errors
    /// What a destructor ended with.
    pub fn finish(&self, store: &mut Store<()>) -> Result<()> {
        self.held.borrow_mut().drop_all(store)
    }

    /// The arguments of a call as values of a function's types.
    fn arguments(
        &self,
        store: &Store<()>,
        call: &Call,
        item: &Item,
        func: &Func,
    ) -> Result<Vec<Val>> {
        // The instance's types know its resources, the component's have names for them.
        let ty = func.ty(store);
        let params: Vec<(&str, Type)> = ty.params().collect();
        let named: Vec<Type> = item
            .func()
            .map_or(Vec::new(), |ty| ty.params().map(|(_, ty)| ty).collect());
        let given = call.arguments();
        // WAVE lets arguments at the end be left out if they are options.
        let optional = params.iter().rev();
        let optional = optional.take_while(|(_, ty)| matches!(ty, Type::Option(_)));
        let least = params.len() - optional.count();
        if given.len() > params.len() || given.len() < least {
            let (text, count) = (call.text, call.count());
            bail!(
                "`{text}` has {count}, but the function is\n  {}",
                item.signature(&self.names)
            );
        }
        let mut values = Vec::new();
        for (at, ((name, ty), named)) in params.into_iter().zip(&named).enumerate() {
            let Some(node) = given.get(at) else {
                values.push(Val::Option(None));
                continue;
            };
            let value = node.to_wasm_value::<Value>(&Ty::new(ty, &self.held), call.source());
            let value = value.map_err(|error| {
                let why = describe(&error, call.source());
                let marks = call.pointed(error.span());
                let expected = wave::expected_at(node, named, call.source(), error.span());
                let expected = wave::describe(&expected, &self.names);
                anyhow!(
                    "argument {} (`{name}`): {why}; expected is\n  {expected}\nin{marks}",
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
        self.instance.get_func(&mut *store, index?)
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
        items: impl Iterator<Item = (&'a str, ComponentExtern<'a>)>,
    ) -> Result<()> {
        for (name, item) in items {
            let full = format!("{prefix}{name}");
            match item.ty {
                ComponentItem::ComponentFunc(ty) if self.print && ty.results().len() == 0 => {
                    let names = self.names.clone();
                    place.func_new(name, move |_, _, values, _| {
                        let mut naming = |_: &ResourceAny, ty: &Type| wave::describe(ty, &names);
                        let both = values.iter().zip(ty.params());
                        let text =
                            both.map(|(value, (_, ty))| wave::write(value, &ty, &mut naming));
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
