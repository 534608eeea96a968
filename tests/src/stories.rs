//! What the guests of real toolchains are asked and have to answer: told once, at any pace of fuel.
//!
//! Every answer is asserted here, so that a story that ends was right.

use crate::guests::{Ledger, Session};
use cellule::ErrorKind;
use cellule::component::{ResourceAny, Val};

/// The value in a box, as cases carry it.
pub fn some(value: Val) -> Option<Box<Val>> {
    Some(Box::new(value))
}

/// A string.
pub fn text(value: &str) -> Val {
    Val::String(value.into())
}

/// A list of any values.
pub fn list(values: impl IntoIterator<Item = Val>) -> Val {
    Val::List(values.into_iter().collect())
}

/// A record.
pub fn record<const N: usize>(fields: [(&str, Val); N]) -> Val {
    Val::Record(fields.map(|(name, value)| (name.into(), value)).into())
}

/// Flags that are set.
pub fn flags(names: &[&str]) -> Val {
    Val::Flags(names.iter().map(ToString::to_string).collect())
}

fn resource(value: Option<Val>) -> ResourceAny {
    match value {
        Some(Val::Resource(resource)) => resource,
        other => panic!("{other:?} is no resource"),
    }
}

/// `run` of the `*-text` guests, typed and dynamic.
pub fn texts<T: 'static>(session: &mut Session<T>, language: &str) {
    let (answer,) = session
        .typed::<(&str,), (String,)>("run", ("wörld",))
        .unwrap();
    assert_eq!(answer, format!("hello wörld from {language} (5 chars)"));
    let answer = session.call("run", &[text("a")]).unwrap();
    let expected = format!("hello a from {language} (1 chars)");
    assert_eq!(answer, Some(Val::String(expected)));
}

/// `run` of the app, which logs.
pub fn app_runs(session: &mut Session<Vec<String>>) {
    let (reversed,) = session
        .typed::<(String,), (String,)>("run", ("abc".into(),))
        .unwrap();
    assert_eq!(reversed, "cba");
    let reversed = session.call("run", &[text("wörld")]).unwrap();
    assert_eq!(reversed, Some(text("dlröw")));
    assert_eq!(session.store.data(), &["run(abc)", "run(wörld)"]);
}

fn point(x: f64, y: f64, label: &str) -> Val {
    let (x, y) = (Val::Float64(x), Val::Float64(y));
    record([("x", x), ("y", y), ("label", text(label))])
}

/// Records, variants, enums and flags of the app.
pub fn app_shapes(session: &mut Session<Vec<String>>) {
    let mut area = |case: &str, payload: Option<Val>| {
        let shape = Val::Variant(case.into(), payload.map(Box::new));
        let area = session.call("demo:app/shapes@0.1.0#area", &[shape]);
        match area.unwrap() {
            Some(Val::Result(result)) => result.map(|v| *v.unwrap()).map_err(|e| *e.unwrap()),
            other => panic!("{other:?} is no result"),
        }
    };
    let float = Val::Float64;
    assert_eq!(
        area("circle", Some(float(2.0))),
        Ok(float(12.566370614359172))
    );
    let negative = Err(text("negative radius -1"));
    assert_eq!(area("circle", Some(float(-1.0))), negative);
    let sides = Val::Tuple(vec![float(2.0), float(3.5)]);
    assert_eq!(area("rect", Some(sides)), Ok(float(7.0)));
    assert_eq!(area("empty", None), Ok(float(0.0)));
    let corners = [(0.0, 0.0), (4.0, 0.0), (0.0, 3.0)];
    let corners = list(corners.map(|(x, y)| point(x, y, "")));
    assert_eq!(area("poly", Some(corners)), Ok(float(6.0)));

    let mut centroid = |points: Vec<Val>| {
        session
            .call("demo:app/shapes@0.1.0#centroid", &[list(points)])
            .unwrap()
    };
    let middle = centroid(vec![point(0.0, 0.0, "a"), point(4.0, 0.0, "b")]);
    assert_eq!(middle, Some(Val::Option(some(point(2.0, 0.0, "a+b")))));
    assert_eq!(centroid(vec![]), Some(Val::Option(None)));

    let mut allow = |perms: &[&str], color: &str| {
        let params = [flags(perms), Val::Enum(color.into())];
        session
            .call("demo:app/shapes@0.1.0#allow", &params)
            .unwrap()
    };
    assert_eq!(allow(&["read"], "green"), Some(flags(&["read"])));
    assert_eq!(allow(&["read"], "blue"), Some(flags(&["read", "exec"])));
    assert_eq!(allow(&["read"], "red"), Some(flags(&[])));
}

const COUNTER: &str = "demo:app/shapes@0.1.0#[constructor]counter";
const GET: &str = "demo:app/shapes@0.1.0#[method]counter.get";
const INC: &str = "demo:app/shapes@0.1.0#[method]counter.inc";
const MERGE: &str = "demo:app/shapes@0.1.0#[static]counter.merge";

/// The app's counters with dynamic values.
pub fn app_counters(session: &mut Session<Vec<String>>) {
    let mut new = |start: u32| resource(session.call(COUNTER, &[Val::U32(start)]).unwrap());
    let (a, b) = (new(5), new(37));
    let (own, borrow) = (Val::Resource(a), Val::Resource(b));
    let inc = session.call(INC, &[own.clone(), Val::U32(2)]).unwrap();
    assert_eq!(inc, Some(Val::U32(7)));
    let get =
        |session: &mut Session<_>, counter: &Val| session.call(GET, std::slice::from_ref(counter));
    assert_eq!(get(session, &borrow).unwrap(), Some(Val::U32(37)));
    let merged = session.call(MERGE, &[own.clone(), borrow.clone()]).unwrap();
    let merged = resource(merged);
    let sum = get(session, &Val::Resource(merged)).unwrap();
    assert_eq!(sum, Some(Val::U32(44)));
    // `a` was given away, `b` only lent.
    assert_eq!(get(session, &own).unwrap_err().kind(), ErrorKind::Type);
    assert_eq!(get(session, &borrow).unwrap(), Some(Val::U32(37)));
    assert_eq!(
        session.drop_resource(a).unwrap_err().kind(),
        ErrorKind::Type
    );
    session.drop_resource(b).unwrap();
    session.drop_resource(merged).unwrap();
    assert_eq!(get(session, &borrow).unwrap_err().kind(), ErrorKind::Type);
    assert!(session.drop_resource(b).is_err());
}

/// The app's counters with Rust types.
pub fn app_typed_counters(session: &mut Session<Vec<String>>) {
    type One = (ResourceAny,);
    let (a,) = session.typed::<_, One>(COUNTER, (5u32,)).unwrap();
    let (b,) = session.typed::<_, One>(COUNTER, (37u32,)).unwrap();
    assert!(a.owned() && a.ty() == b.ty());
    let (inc,) = session.typed::<_, (u32,)>(INC, (a, 2u32)).unwrap();
    assert_eq!(inc, 7);
    let (merged,) = session.typed::<_, One>(MERGE, (a, b)).unwrap();
    assert_eq!(session.typed::<_, (u32,)>(GET, (merged,)).unwrap(), (44,));
    assert_eq!(session.typed::<_, (u32,)>(GET, (b,)).unwrap(), (37,));
    let given = session.typed::<_, (u32,)>(GET, (a,)).unwrap_err();
    assert_eq!(given.kind(), ErrorKind::Type);
    for resource in [b, merged] {
        session.drop_resource(resource).unwrap();
        let dropped = session.typed::<_, (u32,)>(GET, (resource,));
        assert_eq!(dropped.unwrap_err().kind(), ErrorKind::Type);
    }
}

/// Everything of the app.
pub fn app(session: &mut Session<Vec<String>>) {
    app_runs(session);
    app_shapes(session);
    app_counters(session);
    app_typed_counters(session);
}

/// The sensor's two functions of the host, called from a loop in the guest.
pub fn sensor(session: &mut Session<Vec<String>>) {
    let summary = session
        .typed::<_, (String,)>("sample", ("lab", 4u32))
        .unwrap();
    assert_eq!(summary.0, "lab: mean 2.583 of 3 readings");
    let reports = [
        "lab channel 0: 1.00",
        "lab channel 1: 2.50",
        "lab channel 2: no channel 2",
        "lab channel 3: 4.25",
    ];
    assert_eq!(session.store.data(), &reports);
    let summary = session.call("sample", &[text("a"), Val::U32(0)]).unwrap();
    assert_eq!(summary, Some(text("a: no reading")));
}

fn parcel(id: u64, weight: f32, size: &str, place: Option<Val>, notes: &[&str]) -> Val {
    record([
        ("id", Val::U64(id)),
        ("weight", Val::Float32(weight)),
        ("size", Val::Enum(size.into())),
        ("handling", flags(&["fragile", "cold"])),
        ("place", Val::Option(place.map(Box::new))),
        ("notes", list(notes.iter().map(|note| text(note)))),
    ])
}

fn place(row: u16, shelf: u8, zone: char) -> Val {
    let (row, shelf) = (Val::U16(row), Val::U8(shelf));
    record([("row", row), ("shelf", shelf), ("zone", Val::Char(zone))])
}

fn depot(name: &str) -> String {
    format!("cellule:depot/depot@1.2.0#{name}")
}

fn new_store(session: &mut Session<Ledger>, capacity: u32) -> ResourceAny {
    let path = depot("[constructor]store");
    session
        .typed::<_, (ResourceAny,)>(&path, (capacity,))
        .unwrap()
        .0
}

fn alive(session: &mut Session<Ledger>) -> u32 {
    session.typed::<_, (u32,)>(&depot("alive"), ()).unwrap().0
}

fn length(session: &mut Session<Ledger>, store: ResourceAny) -> u32 {
    let len = session.typed::<_, (u32,)>(&depot("[method]store.len"), (store,));
    len.unwrap().0
}

fn put(session: &mut Session<Ledger>, store: ResourceAny, parcel: Val) -> Val {
    let params = [Val::Resource(store), parcel];
    let answer = session.call(&depot("[method]store.put"), &params);
    answer.unwrap().expect("a result")
}

fn find(session: &mut Session<Ledger>, store: ResourceAny, case: &str, what: Option<Val>) -> Val {
    let query = Val::Variant(case.into(), what.map(Box::new));
    let params = [Val::Resource(store), query];
    let found = session.call(&depot("[method]store.find"), &params);
    found.unwrap().expect("a list")
}

fn failure(case: &str, payload: Option<Val>) -> Val {
    Val::Result(Err(some(Val::Variant(case.into(), payload.map(Box::new)))))
}

/// Parcels go into stores that the guest serves, are found and taken out again; destructors run.
pub fn depot_stores(session: &mut Session<Ledger>) {
    let store = new_store(session, 2);
    assert_eq!(alive(session), 1);
    let done = Val::Result(Ok(None));
    let one = parcel(1, 2.5, "small", None, &["a", "", "ünïcödé"]);
    let two = parcel(2, 10.0, "large", Some(place(3, 4, '✓')), &[]);
    assert_eq!(put(session, store, one.clone()), done);
    let again = text("parcel 1 is here already");
    let refused = failure("refused", Some(again));
    assert_eq!(put(session, store, one.clone()), refused);
    assert_eq!(put(session, store, two.clone()), done);
    assert_eq!(
        put(session, store, parcel(3, 1.0, "small", None, &[])),
        failure("full", None)
    );

    assert_eq!(
        find(session, store, "all", None),
        list([one.clone(), two.clone()])
    );
    let heavy = find(session, store, "heavier-than", Some(Val::Float32(5.0)));
    assert_eq!(heavy, list([two.clone()]));
    let there = find(session, store, "stored-at", Some(place(3, 4, '✓')));
    assert_eq!(there, list([two.clone()]));
    let groups = list([
        Val::List(vec![9u64].into()),
        Val::List(vec![7u64, 1].into()),
    ]);
    assert_eq!(
        find(session, store, "any-of", Some(groups)),
        list([one.clone()])
    );

    let mut take = |id: u64| {
        let params = [Val::Resource(store), Val::U64(id)];
        session.call(&depot("[method]store.take"), &params).unwrap()
    };
    assert_eq!(take(9), Some(failure("unknown", Some(Val::U64(9)))));
    assert_eq!(take(1), Some(Val::Result(Ok(some(one)))));
    assert_eq!(length(session, store), 1);
    session.drop_resource(store).unwrap();
    assert_eq!(alive(session), 0);
}

/// Stores are split, compared and merged: handles given away, lent and received.
pub fn depot_handles(session: &mut Session<Ledger>) {
    let store = new_store(session, 3);
    for id in 1..=3 {
        let parcel = parcel(id, id as f32, "medium", None, &["x"]);
        assert_eq!(put(session, store, parcel), Val::Result(Ok(None)));
    }
    let path = depot("[method]store.split");
    let (tail,) = session
        .typed::<_, (ResourceAny,)>(&path, (store, 1u32))
        .unwrap();
    assert_eq!((length(session, store), length(session, tail)), (1, 2));
    assert_eq!(alive(session), 2);
    let path = depot("[static]store.lighter");
    assert_eq!(
        session.typed::<_, (bool,)>(&path, (store, tail)).unwrap(),
        (true,)
    );
    assert_eq!(
        session.typed::<_, (bool,)>(&path, (tail, store)).unwrap(),
        (false,)
    );
    // The same handle may be lent twice in one call.
    assert_eq!(
        session.typed::<_, (bool,)>(&path, (tail, tail)).unwrap(),
        (false,)
    );
    let path = depot("[static]store.merge");
    let (merged,) = session
        .typed::<_, (ResourceAny,)>(&path, (tail, store))
        .unwrap();
    assert_eq!(alive(session), 1);
    assert_eq!(length(session, merged), 3);
    let Val::List(parcels) = find(session, merged, "all", None) else {
        panic!("no list of parcels");
    };
    let id = |parcel| match parcel {
        Val::Record(fields) => fields[0].1.clone(),
        other => panic!("{other:?} is no parcel"),
    };
    let ids: Vec<Val> = parcels.iter().map(id).collect();
    assert_eq!(ids, [2, 3, 1].map(Val::U64));
    assert!(session.drop_resource(tail).is_err());
    session.drop_resource(merged).unwrap();
    assert_eq!(alive(session), 0);
}

/// Lists, tuples, options and results in each other.
pub fn depot_values(session: &mut Session<Ledger>) {
    let rows = vec![vec![1.0, 2.0, 3.0], vec![4.0, 5.0]];
    type Rows = (Vec<Vec<f64>>,);
    let (turned,) = session
        .typed::<Rows, Rows>(&depot("transpose"), (rows,))
        .unwrap();
    assert_eq!(turned, [[1.0, 4.0], [2.0, 5.0]]);
    let (none,) = session
        .typed::<Rows, Rows>(&depot("transpose"), (vec![],))
        .unwrap();
    assert!(none.is_empty());

    type Stats = ((i64, Option<i32>, Option<i32>, f64),);
    let stats = session.typed::<_, Stats>(&depot("stats"), (vec![3, -4, 10],));
    assert_eq!(stats.unwrap().0, (9, Some(-4), Some(10), 3.0));
    let stats = session.typed::<(&[i32],), Stats>(&depot("stats"), (&[],));
    assert_eq!(stats.unwrap().0, (0, None, None, 0.0));

    let params = [flags(&["upright", "express"]), Val::Enum("large".into())];
    let labels = session.call(&depot("labels"), &params).unwrap();
    assert_eq!(
        labels,
        Some(list(["large", "upright", "express"].map(text)))
    );

    type Inside = (Option<Result<u8, String>>,);
    type Outside = (Result<Option<u8>, String>,);
    let mut turn = |x| {
        session
            .typed::<Inside, Outside>(&depot("turn"), (x,))
            .unwrap()
            .0
    };
    assert_eq!(turn(None), Ok(None));
    assert_eq!(turn(Some(Ok(3))), Ok(Some(3)));
    assert_eq!(turn(Some(Err("no".into()))), Err("no".into()));

    let scalars = vec![
        Val::Bool(true),
        Val::S8(-128),
        Val::U8(255),
        Val::S16(-32_768),
        Val::U16(65_535),
        Val::S32(i32::MIN),
        Val::U32(u32::MAX),
        Val::S64(i64::MIN),
        Val::U64(u64::MAX),
        Val::Float32(-0.5),
        Val::Float64(f64::MIN_POSITIVE),
        Val::Char('\u{10ffff}'),
        text("zwölf Boxkämpfer"),
        Val::Tuple(vec![Val::U8(1), Val::U16(2), Val::U32(3), Val::U64(4)]),
        flags(&["fragile", "express"]),
    ];
    let same = session.call(&depot("scalars"), &scalars).unwrap();
    assert_eq!(same, Some(Val::Tuple(scalars)));
}

/// The guest writes into books that the host serves; every one of them is closed or dropped.
pub fn depot_audit(session: &mut Session<Ledger>) {
    type Audit = (Result<Vec<(String, u32)>, String>,);
    let mut audit = |titles: &[&str]| session.typed::<_, Audit>("audit", (titles,)).unwrap().0;
    let done = audit(&["north", "south"]);
    assert_eq!(done, Ok(vec![("north".into(), 3), ("south".into(), 1)]));
    let refused = audit(&["north", "secret", "south"]);
    assert_eq!(refused, Err("secret: not for you".into()));
    assert_eq!(audit(&["vault"]), Err("no room for another book".into()));
    assert_eq!(audit(&[]), Ok(vec![]));
    let host = session.store.data();
    let lines = [
        "north has 3, longer is north",
        "south has 1, longer is south",
    ];
    assert_eq!(host.log, lines.map(|line| (1, line.to_string())));
    // Each audit drops its summary; the others were closed.
    assert_eq!((host.dropped, host.closed), (4, 3));
    assert!(host.table.is_empty());
}

/// Everything of a depot.
pub fn depots(session: &mut Session<Ledger>, language: &str) {
    depot_audit(session);
    depot_stores(session);
    depot_handles(session);
    depot_values(session);
    let (hello,) = session.typed::<_, (String,)>("hello", ("ann",)).unwrap();
    assert_eq!(hello, format!("hello ann from {language} at 7"));
    assert_eq!(session.store.data().log.last(), Some(&(2, hello)));
}
