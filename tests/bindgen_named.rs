//! Interfaces that a world imports and exports under names of its own, several times: `import cache: store`.

use cellule::component::{Component, HasSelf, Linker, bindgen};
use cellule::{Engine, Store};
use std::collections::BTreeMap;

bindgen!({
    inline: r#"
        package my:kv;

        interface store {
            record item { hits: u32 }
            get: func(key: u32) -> item;
        }

        world node {
            import store;
            import cache: store;
            export front: store;
        }
    "#,
});

/// What each of the two has been asked.
#[derive(Default)]
struct Host {
    asked: BTreeMap<&'static str, Vec<u32>>,
}

impl Host {
    fn note(&mut self, of: &'static str, key: u32) -> u32 {
        let asked = self.asked.entry(of).or_default();
        asked.push(key);
        asked.len() as u32
    }
}

impl my::kv::store::Host for Host {
    fn get(&mut self, key: u32) -> my::kv::store::Item {
        let hits = self.note("store", key);
        my::kv::store::Item { hits }
    }
}

impl cache::Host for Host {
    fn get(&mut self, key: u32) -> cache::Item {
        let hits = 10 * self.note("cache", key);
        cache::Item { hits }
    }
}

/// `get` of the exported one adds up what both imported ones say.
const GUEST: &str = r#"(component
    (import "my:kv/store" (instance $store
        (type $item' (record (field "hits" u32)))
        (export "item" (type $item (eq $item')))
        (export "get" (func (param "key" u32) (result $item)))))
    (import "cache" (implements "my:kv/store") (instance $cache
        (type $item' (record (field "hits" u32)))
        (export "item" (type $item (eq $item')))
        (export "get" (func (param "key" u32) (result $item)))))
    (core func $store' (canon lower (func $store "get")))
    (core func $cache' (canon lower (func $cache "get")))
    (core module $m
        (import "" "store" (func $store (param i32) (result i32)))
        (import "" "cache" (func $cache (param i32) (result i32)))
        (func (export "get") (param i32) (result i32)
            (i32.add (call $store (local.get 0)) (call $cache (i32.mul (local.get 0) (i32.const 2))))))
    (core instance $m (instantiate $m (with "" (instance
        (export "store" (func $store')) (export "cache" (func $cache'))))))
    (type $item' (record (field "hits" u32)))
    (func $get (param "key" u32) (result $item') (canon lift (core func $m "get")))
    (component $named
        (type $item' (record (field "hits" u32)))
        (import "item" (type $item'' (eq $item')))
        (import "get" (func $get (param "key" u32) (result $item'')))
        (export $item "item" (type $item''))
        (export "get" (func $get) (func (param "key" u32) (result $item))))
    (instance $front (instantiate $named (with "item" (type $item')) (with "get" (func $get))))
    (export "front" (implements "my:kv/store") (instance $front)))"#;

#[test]
fn an_interface_is_there_under_several_names() {
    let engine = Engine::default();
    let wasm = wat::parse_str(GUEST).expect("valid text");
    let component = Component::new(&engine, wasm).unwrap();
    let mut linker = Linker::new(&engine);
    Node::add_to_linker::<_, HasSelf<_>>(&mut linker, |host: &mut Host| host).unwrap();
    let mut store = Store::new(&engine, Host::default());
    let node = Node::instantiate(&mut store, &component, &linker).unwrap();
    assert_eq!(node.front().call_get(&mut store, 3).unwrap().hits, 11);
    assert_eq!(node.front().call_get(&mut store, 4).unwrap().hits, 22);
    let expected = [("cache", vec![6, 8]), ("store", vec![3, 4])];
    assert_eq!(store.data().asked, BTreeMap::from(expected));
}
