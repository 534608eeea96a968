//! How the world is laid out: packages, interfaces, lines.

use super::{Interface, Place};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::{self, Display, Formatter, Write};
use wasmparser::component_types::ComponentItem;

/// A package, which no text is needed to know.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Package {
    pub namespace: String,
    pub name: String,
    pub version: Option<String>,
}

impl Package {
    /// The path of an interface in it.
    pub fn path(&self, interface: &str) -> String {
        let interface = ident(interface);
        let (namespace, name) = (ident(&self.namespace), ident(&self.name));
        let version = self.version.as_ref();
        let version = version.map_or(String::new(), |version| format!("@{version}"));
        format!("{namespace}:{name}/{interface}{version}")
    }
}

impl Display for Package {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", ident(&self.namespace), ident(&self.name))?;
        match &self.version {
            Some(version) => write!(f, "@{version}"),
            None => Ok(()),
        }
    }
}

/// A line of the world.
pub enum Import {
    Line(String),
    /// An interface that stands in the world.
    Inline {
        head: String,
        interface: usize,
    },
}

/// What a resource consists of.
struct Resource {
    attribute: String,
    methods: Vec<String>,
}

enum Entry {
    Line(String),
    /// The path of an interface, and types of it.
    Use(String, Vec<String>),
    Resource(String),
}

/// The items of an interface, or of the world beside its imports and exports.
#[derive(Default)]
pub struct Body {
    types: Vec<Entry>,
    resources: HashMap<String, Resource>,
    functions: Vec<String>,
    type_names: HashSet<String>,
    function_names: HashSet<String>,
    /// What types of other interfaces are called here.
    uses: HashMap<Place, String>,
}

impl Body {
    /// Whether a type has this name.
    pub fn has_type(&self, name: &str) -> bool {
        self.type_names.contains(name)
    }

    /// Whether a function has this name.
    pub fn has_function(&self, name: &str) -> bool {
        self.function_names.contains(name)
    }

    /// What a type of another interface is called here.
    pub fn used(&self, place: &Place) -> Option<&str> {
        self.uses.get(place).map(String::as_str)
    }

    /// Adds the definition of a type.
    pub fn add_type(&mut self, name: &str, line: String) {
        self.type_names.insert(name.to_string());
        self.types.push(Entry::Line(line));
    }

    /// Adds a type of another interface, which has a path.
    pub fn add_use(&mut self, name: &str, path: String, other: &Place) {
        self.note_use(name, other);
        let (theirs, ours) = (ident(&other.name), ident(name));
        let item = match theirs == ours {
            true => ours,
            false => format!("{theirs} as {ours}"),
        };
        match self.types.last_mut() {
            Some(Entry::Use(last, items)) if *last == path => items.push(item),
            _ => self.types.push(Entry::Use(path, vec![item])),
        }
    }

    /// Adds the definition of a type that another interface has too.
    pub fn add_copy(&mut self, name: &str, line: String, other: &Place) {
        self.note_use(name, other);
        self.types.push(Entry::Line(line));
    }

    fn note_use(&mut self, name: &str, other: &Place) {
        self.type_names.insert(name.to_string());
        let first = self.uses.entry(other.clone());
        first.or_insert_with(|| name.into());
    }

    /// Adds a resource without functions.
    pub fn add_resource(&mut self, name: &str, attribute: String) {
        self.type_names.insert(name.to_string());
        self.types.push(Entry::Resource(name.to_string()));
        let methods = Vec::new();
        let resource = Resource { attribute, methods };
        self.resources.insert(name.to_string(), resource);
    }

    /// Adds a function, by its whole name.
    pub fn add_function(&mut self, name: &str, line: String) {
        self.function_names.insert(name.to_string());
        self.functions.push(line);
    }

    /// Adds a function of a resource, if it is defined here.
    pub fn add_method(&mut self, resource: &str, name: &str, line: String) -> bool {
        let Some(resource) = self.resources.get_mut(resource) else {
            return false;
        };
        self.function_names.insert(name.to_string());
        resource.methods.push(line);
        true
    }

    /// Adds what can't be said.
    pub fn comment(&mut self, line: String) {
        self.functions.push(line);
    }

    fn write(&self, out: &mut String, indent: usize) {
        for entry in &self.types {
            match entry {
                Entry::Line(line) => write_lines(out, indent, line),
                Entry::Use(path, items) => {
                    let line = format!("use {path}.{{{}}};", items.join(", "));
                    write_lines(out, indent, &line);
                }
                Entry::Resource(name) => {
                    let resource = &self.resources[name];
                    let head = format!("{}resource {}", resource.attribute, ident(name));
                    if resource.methods.is_empty() {
                        write_lines(out, indent, &format!("{head};"));
                        continue;
                    }
                    write_lines(out, indent, &format!("{head} {{"));
                    for method in &resource.methods {
                        write_lines(out, indent + 1, method);
                    }
                    write_lines(out, indent, "}");
                }
            }
        }
        for line in &self.functions {
            write_lines(out, indent, line);
        }
    }
}

/// A text of one or more lines.
fn write_lines(out: &mut String, indent: usize, text: &str) {
    for line in text.lines() {
        let _ = writeln!(out, "{}{line}", "  ".repeat(indent));
    }
}

/// Everything, ready to be written.
pub struct Layout {
    interfaces: Vec<Interface>,
    body: Body,
    lines: Vec<Import>,
}

impl Layout {
    /// The world and its interfaces.
    pub fn new(interfaces: Vec<Interface>, body: Body, lines: Vec<Import>) -> Layout {
        Layout {
            interfaces,
            body,
            lines,
        }
    }
}

impl Display for Layout {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut packages: BTreeMap<&Package, Vec<(&str, &Body)>> = BTreeMap::new();
        for interface in &self.interfaces {
            if let Some((package, name)) = &interface.id {
                let of_package = packages.entry(package).or_default();
                of_package.push((name, &interface.body));
            }
        }
        // The world's own package has a name that no other has.
        let taken = |name: &str| {
            let mut packages = packages.keys();
            packages.any(|package| package.namespace == "root" && package.name == name)
        };
        let mut root = "component".to_string();
        while taken(&root) {
            root.push_str("-root");
        }
        let mut out = format!("package root:{root};\n\nworld root {{\n");
        self.body.write(&mut out, 1);
        for line in &self.lines {
            match line {
                Import::Line(line) => write_lines(&mut out, 1, line),
                Import::Inline { head, interface } => {
                    write_lines(&mut out, 1, &format!("{head} {{"));
                    self.interfaces[*interface].body.write(&mut out, 2);
                    write_lines(&mut out, 1, "}");
                }
            }
        }
        out.push_str("}\n");
        for (package, interfaces) in packages {
            let _ = write!(out, "\npackage {package} {{\n");
            for (at, (name, body)) in interfaces.into_iter().enumerate() {
                if at > 0 {
                    out.push('\n');
                }
                write_lines(&mut out, 1, &format!("interface {} {{", ident(name)));
                body.write(&mut out, 2);
                write_lines(&mut out, 1, "}");
            }
            out.push_str("}\n");
        }
        f.write_str(&out)
    }
}

/// Members in braces: on one line if it isn't long.
pub fn list(head: &str, members: &[String]) -> String {
    let line = format!("{head} {{ {} }}", members.join(", "));
    if line.len() <= 96 {
        return line;
    }
    format!("{head} {{\n  {},\n}}", members.join(",\n  "))
}

/// The attribute with the item's external id, on a line of its own; nothing without one.
pub fn external_id(item: &ComponentItem) -> String {
    let Some(id) = &item.external_id else {
        return String::new();
    };
    let mut text = String::new();
    for c in id.chars() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(text, "\\u{{{:x}}}", u32::from(c));
            }
            c => text.push(c),
        }
    }
    format!("@external-id(\"{text}\")\n")
}

/// A name; words of WIT's own get a `%` before them.
pub fn ident(name: &str) -> String {
    const WORDS: [&str; 42] = [
        "use",
        "type",
        "func",
        "u8",
        "u16",
        "u32",
        "u64",
        "s8",
        "s16",
        "s32",
        "s64",
        "f32",
        "f64",
        "char",
        "resource",
        "own",
        "borrow",
        "record",
        "flags",
        "variant",
        "enum",
        "bool",
        "string",
        "option",
        "result",
        "future",
        "stream",
        "error-context",
        "list",
        "map",
        "as",
        "from",
        "static",
        "interface",
        "tuple",
        "world",
        "import",
        "export",
        "package",
        "constructor",
        "include",
        "with",
    ];
    match WORDS.contains(&name) || name == "async" {
        true => format!("%{name}"),
        false => name.to_string(),
    }
}
