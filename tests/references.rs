//! References to functions of a type, and references that aren't null, between host and guest.

use cellule::{
    Engine, ErrorKind, Extern, Func, FuncType, Global, GlobalType, HeapType, Instance, Module,
    Store, Trap, Val, ValType,
};

const TEXT: &str = r#"(module
    (type $op (func (param i32) (result i32)))
    (type $taker (func (param (ref null $op)) (result i32)))
    (func $double (export "double") (type $op) (i32.add (local.get 0) (local.get 0)))
    (func (export "not-null") (param (ref $op)) (result i32) (call_ref $op (i32.const 21) (local.get 0)))
    (func (export "or-null") (param (ref null $op)) (result i32)
      (call_ref $op (i32.const 21) (local.get 0)))
    (func (export "tail") (param (ref null $op)) (result i32)
      (return_call_ref $op (i32.const 4) (local.get 0)))
    (func (export "some") (param funcref) (result i32)
      (drop (br_on_null 0 (i32.const 0) (local.get 0))) (drop) (i32.const 1))
    (func (export "same") (param (ref null $taker)) (result (ref null $taker)) (local.get 0))
    (func (export "make") (result (ref $op)) (ref.func $double))
    (elem declare func $double))"#;

fn instance(store: &mut Store<()>, text: &str, imports: &[Extern]) -> cellule::Result<Instance> {
    let wasm = wat::parse_str(text).expect("well-formed text");
    let module = Module::new(store.engine(), wasm).expect("a valid module");
    Instance::new(store, &module, imports)
}

fn call(store: &mut Store<()>, instance: Instance, name: &str, arg: Val) -> cellule::Result<Val> {
    let func = instance.get_func(&*store, name).expect("exported");
    let mut results = [Val::I32(0)];
    func.call(store, &[arg], &mut results)?;
    Ok(results[0])
}

#[test]
fn references_of_the_host_fit_the_type_that_a_guest_wants() {
    let mut store = Store::new(&Engine::default(), ());
    let guest = instance(&mut store, TEXT, &[]).unwrap();
    let double = Val::FuncRef(guest.get_func(&store, "double"));
    let triple = Func::wrap(&mut store, |x: i32| x * 3);
    let other = Func::wrap(&mut store, |x: i64| x);
    for name in ["not-null", "or-null"] {
        assert_eq!(call(&mut store, guest, name, double).unwrap(), Val::I32(42));
        let triple = Val::FuncRef(Some(triple));
        assert_eq!(call(&mut store, guest, name, triple).unwrap(), Val::I32(63));
        let error = call(&mut store, guest, name, Val::FuncRef(Some(other))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Type);
    }
    let null = Val::FuncRef(None);
    let error = call(&mut store, guest, "not-null", null).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Type);
    let error = call(&mut store, guest, "or-null", null).unwrap_err();
    assert_eq!(error.trap(), Some(Trap::NullFunction));
    let error = call(&mut store, guest, "tail", null).unwrap_err();
    assert_eq!(error.trap(), Some(Trap::NullFunction));
    assert_eq!(
        call(&mut store, guest, "tail", double).unwrap(),
        Val::I32(8)
    );
    assert_eq!(call(&mut store, guest, "some", null).unwrap(), Val::I32(0));
    assert_eq!(
        call(&mut store, guest, "some", double).unwrap(),
        Val::I32(1)
    );
}

#[test]
fn a_type_that_refers_to_another_is_one_type_in_every_module() {
    let mut store = Store::new(&Engine::default(), ());
    let guest = instance(&mut store, TEXT, &[]).unwrap();
    let text = r#"(module
        (type $first (func))
        (type $op (func (param i32) (result i32)))
        (type $taker (func (param (ref null $op)) (result i32)))
        (func (export "zero") (type $taker) (i32.const 0)))"#;
    let other = instance(&mut store, text, &[]).unwrap();
    let zero = Val::FuncRef(other.get_func(&store, "zero"));
    assert_eq!(call(&mut store, guest, "same", zero).unwrap(), zero);
    let double = Val::FuncRef(guest.get_func(&store, "double"));
    assert!(call(&mut store, guest, "same", double).is_err());
}

#[test]
fn a_constant_may_be_imported_as_one_of_a_more_general_type() {
    let mut store = Store::new(&Engine::default(), ());
    let guest = instance(&mut store, TEXT, &[]).unwrap();
    let make = guest.get_func(&store, "make").unwrap();
    let ty = make.ty(&store).results()[0];
    let (nullable, heap) = ty.as_reference().unwrap();
    assert!(!nullable && matches!(heap, HeapType::Concrete(_)));
    assert!(ty.matches(ValType::FuncRef) && !ValType::FuncRef.matches(ty));
    let double = Val::FuncRef(guest.get_func(&store, "double"));
    let constant = |content| GlobalType {
        content,
        mutable: false,
    };
    let precise = Global::new(&mut store, constant(ty), double).unwrap();
    assert!(Global::new(&mut store, constant(ty), Val::FuncRef(None)).is_err());
    let wants = |ty: &str| format!(r#"(module (import "" "g" (global {ty})))"#);
    for ty in ["funcref", "(ref func)"] {
        instance(&mut store, &wants(ty), &[Extern::Global(precise)]).unwrap();
    }
    for ty in ["externref", "(mut funcref)"] {
        let error = instance(&mut store, &wants(ty), &[Extern::Global(precise)]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Link);
    }
    let shown = FuncType::new([ValType::reference(false, HeapType::Func)], []);
    assert_eq!(shown.to_string(), "((ref func)) -> ()");
}
