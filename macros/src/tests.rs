//! What is refused, and with which words.

use crate::expand;
use crate::flags::Flags;
use crate::input::Input;
use proc_macro2::TokenStream;
use quote::quote;
use syn::parse2;

/// What is said about a type, and the text that it points to.
fn refused(tokens: TokenStream) -> (String, String) {
    let input = parse2(tokens).expect("a type");
    let told = Input::new(&input).map(|_| ());
    let error = told.expect_err("refused");
    let place = error.span().source_text().unwrap_or_default();
    (error.to_string(), place)
}

#[track_caller]
fn refuses(tokens: TokenStream, why: &str) {
    let (told, _) = refused(tokens);
    assert!(told.contains(why), "told {told:?}, not {why:?}");
}

#[test]
fn the_kind_of_type_has_to_be_told() {
    let missing = "missing `#[component(record)]`, `#[component(variant)]` or `#[component(enum)]`";
    refuses(
        quote!(
            struct A {
                a: u8,
            }
        ),
        missing,
    );
    refuses(
        quote!(
            #[component(tuple)]
            struct A {
                a: u8,
            }
        ),
        "expected one of: `record`",
    );
    refuses(
        quote!(
            #[component(flags)]
            struct A {
                a: u8,
            }
        ),
        "`cellule::component::flags!`",
    );
    let twice = quote!(
        #[component(record)]
        #[component(record)]
        struct A {
            a: u8,
        }
    );
    refuses(twice, "duplicate `component` attribute");
    refuses(
        quote!(#[component(record)] union A { a: u8 }),
        "for a `union`",
    );
    refuses(
        quote!(
            #[component(record)]
            enum A {
                B,
            }
        ),
        "needs a `struct`",
    );
    refuses(
        quote!(
            #[component(enum)]
            struct A {
                a: u8,
            }
        ),
        "needs an `enum`",
    );
    refuses(
        quote!(
            #[component(variant)]
            struct A {
                a: u8,
            }
        ),
        "needs an `enum`",
    );
}

#[test]
fn records_have_fields_with_names() {
    refuses(
        quote!(
            #[component(record)]
            struct A(u8);
        ),
        "needs fields with names",
    );
    refuses(
        quote!(
            #[component(record)]
            struct A;
        ),
        "at least one field",
    );
    refuses(
        quote!(
            #[component(record)]
            struct A {}
        ),
        "at least one field",
    );
    let same = quote!(
        #[component(record)]
        struct A {
            a: u8,
            #[component(name = "a")]
            b: u8,
        }
    );
    refuses(same, "`a` is there already");
    let unknown = quote!(
        #[component(record)]
        struct A {
            #[component(rename = "b")]
            a: u8,
        }
    );
    refuses(unknown, "expected `name`");
    let twice = quote! {
        #[component(record)]
        struct A { #[component(name = "b")] #[component(name = "c")] a: u8 }
    };
    refuses(twice, "duplicate `component` attribute");
}

#[test]
fn cases_have_at_most_one_field() {
    refuses(
        quote!(
            #[component(variant)]
            enum A {}
        ),
        "needs at least one case",
    );
    refuses(
        quote!(
            #[component(variant)]
            enum A {
                B(u8, u8),
            }
        ),
        "put these into a tuple",
    );
    refuses(
        quote!(
            #[component(variant)]
            enum A {
                B(),
            }
        ),
        "at most one unnamed field",
    );
    refuses(
        quote!(
            #[component(variant)]
            enum A {
                B { a: u8 },
            }
        ),
        "put these into a record",
    );
    refuses(
        quote!(
            #[component(enum)]
            enum A {
                B(u8),
            }
        ),
        "`#[component(variant)]` may",
    );
    refuses(
        quote!(
            #[component(enum)]
            enum A {
                B = 3,
            }
        ),
        "numbered by their order",
    );
}

#[test]
fn flags_are_one_to_thirty_two() {
    let refused = |tokens: TokenStream| match parse2::<Flags>(tokens) {
        Ok(_) => panic!("not refused"),
        Err(error) => error.to_string(),
    };
    assert_eq!(refused(quote!(A {})), "there is at least one flag");
    let many = (0..33).map(|at| quote::format_ident!("F{at}"));
    assert_eq!(
        refused(quote!(A { #(const #many;)* })),
        "at most 32 flags are possible"
    );
    assert_eq!(
        refused(quote!(A { const B; #[component(name = "B")] const C; })),
        "`B` is there already"
    );
    let other = refused(quote!(A { #[cfg(test)] const B; }));
    assert!(other.contains("may stand here"), "{other}");
}

#[test]
fn an_error_points_to_what_is_wrong() {
    let places = [
        ("#[component(record)] struct A(u8, u16);", "(u8, u16)"),
        (
            "#[component(variant)] enum A { B, C(u8, u16) }",
            "(u8, u16)",
        ),
        ("#[component(enum)] enum A { B = 3 }", "3"),
        ("#[component(record)] union A { a: u8 }", "union"),
        ("struct Missing { a: u8 }", "Missing"),
        (
            "#[component(record)] struct A { #[component(nam = \"b\")] a: u8 }",
            "nam",
        ),
    ];
    for (text, expected) in places {
        let tokens = text.parse().expect("tokens");
        let (_, place) = refused(tokens);
        assert!(
            expected.starts_with(&place) && !place.is_empty(),
            "{text}: {place:?}"
        );
    }
}

#[test]
fn the_runtimes_crate_can_be_named() {
    let input = quote!(
        #[component(record)]
        #[component(cellule_crate = a::b)]
        struct A {
            a: u8,
        }
    );
    let input = parse2(input).expect("a type");
    let input = Input::new(&input).expect("a record");
    for expand in [expand::component_type, expand::lift, expand::lower] {
        let code = expand(&input).to_string();
        assert!(code.contains("a :: b :: component :: __internal"), "{code}");
        assert!(!code.contains("cellule"), "{code}");
    }
    let flags = quote!(#[component(cellule_crate = a::b)] A { const B; });
    let code = crate::flags::expand(&parse2(flags).expect("flags")).to_string();
    assert!(code.contains("a :: b :: component :: __internal"), "{code}");
    assert!(!code.contains("cellule"), "{code}");
}
