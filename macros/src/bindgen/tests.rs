//! Tests of the bindings as tokens, and of the errors that name lines of WIT.

use super::expand;
use proc_macro2::TokenStream;
use quote::quote;

fn bindings(input: TokenStream) -> String {
    let tokens = expand(input).expect("bindings").to_string();
    tokens.split_whitespace().collect()
}

fn error(input: TokenStream) -> String {
    match expand(input) {
        Ok(tokens) => panic!("no error: {tokens}"),
        Err(error) => error.to_string(),
    }
}

const WORLD: &str = "package a:b@1.2.3;
interface c {
    resource r { m: func(); }
    f: func() -> u32;
}
interface out {
    record p { x: u8 }
}
world w {
    import c;
    export out;
    export run: func(x: string);
}";

#[test]
fn an_error_in_inline_wit_names_its_line() {
    let wit = "package a:b;\nworld w {\n    import f: func(x: missing);\n}";
    let error = error(quote!({ inline: #wit }));
    assert!(error.contains("inline.wit:3:23"), "{error}");
    assert!(error.contains("`missing`"), "{error}");
}

#[test]
fn an_error_in_a_file_names_its_line() {
    let name = format!("cellule-bindgen-{}.wit", std::process::id());
    let path = std::env::temp_dir().join(name);
    std::fs::write(&path, "package a:b;\n\nworld w {\n    import f: fun();\n}").unwrap();
    let text = path.to_str().unwrap();
    let error = error(quote!("w" in #text));
    std::fs::remove_file(&path).unwrap();
    assert!(error.contains(&format!("{text}:4:")), "{error}");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = error(quote!("w" in "no/such/folder"));
    assert!(error.contains("no/such/folder"), "{error}");
}

#[test]
fn what_the_runtime_lacks_is_an_error_at_its_line() {
    for (items, what) in [
        ("import f: async func();", "an `async func`"),
        ("export f: async func();", "an `async func`"),
        ("import f: func(x: stream<u8>);", "a `stream`"),
        ("export f: func() -> future<u8>;", "a `future`"),
        ("import f: func(x: list<stream>);", "a `stream`"),
        (
            "import i: interface { type t = list<future>; }",
            "a `future`",
        ),
    ] {
        let wit = format!("package a:b;\nworld w {{\n{items}\n}}");
        let error = error(quote!({ inline: #wit }));
        assert!(error.starts_with("inline.wit:3:"), "{items}: {error}");
        let what = format!("{what} isn't supported");
        assert!(error.ends_with(&what), "{items}: {error}");
    }
}

#[test]
fn options_that_are_not_supported_are_errors_by_name() {
    for (option, why) in [
        (
            quote!(named_imports: {}),
            "the option `named_imports` isn't supported",
        ),
        (quote!(anyhow: true), "the option `anyhow` isn't supported"),
        (quote!(debug: true), "the option `debug` isn't supported"),
        (
            quote!(include_generated_code_from_file: true),
            "the option `include_generated_code_from_file` isn't supported",
        ),
        (
            quote!(include_component_type: true),
            "the option `include_component_type` isn't supported",
        ),
        (
            quote!(wasmtime_crate: x),
            "the option `wasmtime_crate` isn't supported",
        ),
        (
            quote!(ownership: Lending),
            "there is no ownership `Lending`",
        ),
        (
            quote!(ownership: Borrowing { often: true }),
            "`Borrowing` takes `duplicate_if_necessary`, not `often`",
        ),
        (
            quote!(exports: { default: store }),
            "`store` is for imports",
        ),
        (
            quote!(exports: { default: task_exit }),
            "the flag `task_exit` isn't supported",
        ),
        (
            quote!(exports: { default: trappable }),
            "`trappable` is for imports",
        ),
        (quote!(async: true), "there is no option `async`"),
        (
            quote!(imports: { default: fast }),
            "there is no flag `fast`",
        ),
    ] {
        let error = error(quote!({ inline: #WORLD, #option }));
        assert!(error.starts_with(why), "{option}: {error}");
    }
    assert!(bindings(quote!({ inline: #WORLD, ownership: Owning })).contains("structW{"));
}

#[test]
fn what_names_nothing_is_an_error() {
    for (options, why) in [
        (
            quote!(imports: { "a:b/c.g": async }),
            "no function of the world is named `a:b/c.g`",
        ),
        (
            quote!(exports: { "runs": async }),
            "no function of the world is named `runs`",
        ),
        (
            quote!(imports: { "a:b/c": async | exact }),
            "no function of the world is named `a:b/c`",
        ),
        (
            quote!(with: { "a:b/c.f": X }),
            "nothing that the world imports is named `a:b/c.f`",
        ),
        (
            quote!(with: { "a:b/out": X }),
            "`a:b/out` is exported: `with` replaces what the world imports",
        ),
        (
            quote!(with: { "a:b/out.p": X }),
            "`a:b/out.p` is exported: `with` replaces what the world imports",
        ),
        (
            quote!(trappable_error_type: { "a:b/c.e" => X }),
            "no imported interface has a type `a:b/c.e`",
        ),
        (quote!(world: "x"), "World `x` not found in package"),
        (quote!(inline: #WORLD), "`inline` is there twice"),
        (quote!(interfaces: ""), "`interfaces` stands for a world"),
    ] {
        let error = error(quote!({ inline: #WORLD, #options }));
        assert!(error.contains(why), "{options}: {error}");
    }
}

#[test]
fn the_most_specific_rule_counts() {
    let of = |imports: TokenStream| bindings(quote!({ inline: #WORLD, imports: { #imports } }));
    let plain = "fnf(&mutself,)->::core::primitive::u32";
    let trappable = "fnf(&mutself,)->::cellule::Result<::core::primitive::u32>";
    let waits = "fnf(&mutself,)->impl::core::future::Future<Output=::core::primitive::u32>";
    for (imports, expected) in [
        (quote!(), plain),
        (quote!(default: trappable), trappable),
        (quote!("a:b/c": async, default: trappable), waits),
        (quote!("a:b": async, "a:b/c.f": trappable), trappable),
        (
            quote!("a:b/c@1.2.3.f": trappable, "a:b/c.f": async),
            trappable,
        ),
        (quote!("a": async), waits),
    ] {
        // Where a rule isn't needed, it is an error: each but the last is used by the resource.
        let text = match imports.to_string().contains("1.2.3") {
            true => {
                let error = error(quote!({ inline: #WORLD, imports: { #imports } }));
                assert!(error.contains("`a:b/c.f`"), "{error}");
                of(quote!("a:b/c@1.2.3.f": trappable))
            }
            false => of(imports.clone()),
        };
        assert!(text.contains(expected), "{imports}: {text}");
    }
}

#[test]
fn a_version_is_in_the_linker_but_not_in_the_modules() {
    let text = bindings(quote!({ inline: #WORLD }));
    assert!(text.contains("linker.instance(\"a:b/c@1.2.3\")"), "{text}");
    assert!(text.contains("pubmodb{"), "{text}");
    assert!(text.contains("inst.func_wrap(\"[method]r.m\""), "{text}");
}

#[test]
fn the_crate_of_the_runtime_can_have_another_path() {
    let text = bindings(quote!({ inline: #WORLD, cellule_crate: ::my::own }));
    assert!(text.contains("::my::own::component::Linker"), "{text}");
    assert!(!text.contains("cellule::"), "{text}");
    let wit = "package a:b; world w { flags f { a } import g: func(f: f); }";
    let text = bindings(quote!({ inline: #wit, cellule_crate: ::my::own }));
    let flags = "#[component(cellule_crate=::my::own)]F{";
    assert!(text.contains(flags), "{text}");
}

#[test]
fn files_are_watched() {
    let text = bindings(quote!("sensor" in "../tests/guests/wit/sensor.wit"));
    assert!(
        text.contains("const_:&[u8]=::core::include_bytes!("),
        "{text}"
    );
    assert!(text.contains("tests/guests/wit/sensor.wit\")"), "{text}");
}

#[test]
fn bindings_are_safe_and_need_no_std() {
    let text = bindings(quote!("guest" in "../tests/guests/wit/depot.wit"));
    for word in ["unsafe", "std::", "alloc::", "panic", "unwrap"] {
        assert!(!text.contains(word), "{word}");
    }
}
