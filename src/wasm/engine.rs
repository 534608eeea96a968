//! What modules and stores have in common: the configuration and the numbers of function types.

use crate::code::module::FuncType;
use crate::error::{Error, ErrorKind, OutOfMemory, Result};
use crate::fallible::Grow;
use crate::limits::Limits;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use hashbrown::HashMap;
use spin::Mutex;

/// How an [`Engine`] treats modules. Every `wasm_*` switch is on where the feature is supported.
///
/// ```
/// use cellule::{Config, Engine, ErrorKind};
///
/// # fn main() -> cellule::Result<()> {
/// let mut config = Config::new();
/// config.consume_fuel(true).wasm_multi_memory(false);
/// let engine = Engine::new(&config)?;
/// assert!(Engine::same(&engine, &engine.clone()));
/// // What isn't supported yet is named.
/// let error = Engine::new(Config::new().wasm_gc(true)).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Unsupported);
/// assert!(error.to_string().contains("gc"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) mutable_global: bool,
    pub(crate) saturating_float_to_int: bool,
    pub(crate) sign_extension: bool,
    pub(crate) multi_value: bool,
    pub(crate) bulk_memory: bool,
    pub(crate) reference_types: bool,
    pub(crate) extended_const: bool,
    pub(crate) multi_memory: bool,
    pub(crate) tail_call: bool,
    pub(crate) exceptions: bool,
    pub(crate) threads: bool,
    pub(crate) function_references: bool,
    pub(crate) memory64: bool,
    pub(crate) custom_page_sizes: bool,
    pub(crate) wide_arithmetic: bool,
    pub(crate) simd: bool,
    pub(crate) relaxed_simd: bool,
    pub(crate) fuel: bool,
    pub(crate) fast: bool,
    pub(crate) eager: bool,
    pub(crate) lazy_validation: bool,
    #[cfg(feature = "stats")]
    pub(crate) count: bool,
    #[cfg(feature = "stats")]
    pub(crate) count_sequences: bool,
    pub(crate) component_model: bool,
    pub(crate) component_map: bool,
    pub(crate) component_implements: bool,
    pub(crate) component_fixed_length_lists: bool,
    pub(crate) component_error_context: bool,
    pub(crate) component_memory64: bool,
    pub(crate) component_nested_names: bool,
    pub(crate) component_canon_names: bool,
    pub(crate) component_accessors: bool,
    pub(crate) limits: Limits,
    /// What is switched on and not supported yet.
    asked: Vec<&'static str>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            mutable_global: true,
            saturating_float_to_int: true,
            sign_extension: true,
            multi_value: true,
            bulk_memory: true,
            reference_types: true,
            extended_const: true,
            multi_memory: true,
            tail_call: true,
            exceptions: true,
            threads: true,
            function_references: true,
            memory64: true,
            custom_page_sizes: true,
            wide_arithmetic: true,
            simd: cfg!(feature = "simd"),
            relaxed_simd: cfg!(feature = "simd"),
            fuel: false,
            fast: cfg!(feature = "fast"),
            eager: false,
            lazy_validation: false,
            #[cfg(feature = "stats")]
            count: false,
            #[cfg(feature = "stats")]
            count_sequences: false,
            component_model: true,
            component_map: true,
            component_implements: true,
            component_fixed_length_lists: true,
            component_error_context: true,
            component_memory64: true,
            component_nested_names: true,
            component_canon_names: true,
            component_accessors: true,
            limits: Limits::default(),
            asked: Vec::new(),
        }
    }
}

macro_rules! switches {
    ($($(#[$doc:meta])* $name:ident => $field:ident;)*) => {
        $( $(#[$doc])* pub fn $name(&mut self, enable: bool) -> &mut Config {
            self.$field = enable;
            self
        } )*
    };
}

macro_rules! unsupported_switches {
    ($($name:ident => $what:literal;)*) => {
        $(
            #[doc = concat!(
                "Not supported yet, and off. While it is on, making an [`Engine`] is an error of the kind \
                 [`Unsupported`](crate::ErrorKind::Unsupported) that names `", $what, "`."
            )]
            pub fn $name(&mut self, enable: bool) -> &mut Config {
                self.ask($what, enable)
            }
        )*
    };
}

impl Config {
    /// The default configuration.
    pub fn new() -> Config {
        Config::default()
    }

    switches! {
        /// Mutable globals may be imported and exported.
        wasm_mutable_global => mutable_global;
        /// Conversions of floats to integers that saturate.
        wasm_saturating_float_to_int => saturating_float_to_int;
        /// Sign extension operators.
        wasm_sign_extension => sign_extension;
        /// Functions and blocks with several results.
        wasm_multi_value => multi_value;
        /// Bulk memory operations.
        wasm_bulk_memory => bulk_memory;
        /// Reference types.
        wasm_reference_types => reference_types;
        /// Arithmetic in constant expressions.
        wasm_extended_const => extended_const;
        /// Several memories in a module.
        wasm_multi_memory => multi_memory;
        /// Tail calls.
        wasm_tail_call => tail_call;
        /// Exceptions: tags, `throw`, `try_table` and references to exceptions.
        wasm_exceptions => exceptions;
        /// Atomic operators. Memories that are shared are refused.
        wasm_threads => threads;
        /// References to functions of a type, and references that aren't null.
        wasm_function_references => function_references;
        /// Memories and tables that are addressed by 64 bits.
        wasm_memory64 => memory64;
        /// Memories of pages of one byte.
        wasm_custom_page_sizes => custom_page_sizes;
        /// Addition, subtraction and multiplication of 128 bits.
        wasm_wide_arithmetic => wide_arithmetic;
        /// Code consumes fuel, and stops when there is none; see [`Store::set_fuel`](crate::Store::set_fuel).
        consume_fuel => fuel;
        /// Translate to accumulator and fused instructions. Without the cargo feature `fast` this has no effect.
        fast_tier => fast;
        /// Translate every function when a module is made, instead of when it is first called.
        eager_translation => eager;
        /// Validate a function's body when it is first entered, not when its module is made: loading gets
        /// faster, and a body that is invalid is an error of the call that enters it, of the kind
        /// [`Invalid`](crate::ErrorKind::Invalid) and with its offset. Without effect where
        /// translation is eager.
        lazy_validation => lazy_validation;
        /// Stores count the instructions that they execute, which makes them slower; see
        /// [`Store::instruction_counts`](crate::Store::instruction_counts).
        #[cfg(feature = "stats")]
        count_instructions => count;
        /// Stores that count instructions count pairs and triples of them as well; see
        /// [`Store::sequence_counts`](crate::Store::sequence_counts).
        #[cfg(feature = "stats")]
        count_sequences => count_sequences;
        /// Components.
        wasm_component_model => component_model;
        /// The type `map` in components.
        wasm_component_model_map => component_map;
        /// Names of components that say which interface they implement.
        wasm_component_model_implements => component_implements;
        /// Lists of fixed length in components.
        wasm_component_model_fixed_length_lists => component_fixed_length_lists;
        /// The type `error-context` in components, and its built-ins.
        wasm_component_model_error_context => component_error_context;
        /// Memories that are addressed by 64 bits where components pass values.
        wasm_component_model_memory64 => component_memory64;
        /// Names of components with more than one namespace or more than one part of a path.
        wasm_component_model_nested_names => component_nested_names;
        /// Names of interfaces with as much of a version as matters for compatibility (`a:b/c@1`), and the
        /// rest of it as an attribute.
        wasm_component_model_canon_names => component_canon_names;
        /// Names of functions that get or set a property of a resource.
        wasm_component_model_accessors => component_accessors;
    }

    /// Vectors of 128 bits and their operators. In a build without the cargo feature `simd` it is off, and
    /// while it is on, making an [`Engine`] is an error of the kind
    /// [`Unsupported`](crate::ErrorKind::Unsupported).
    pub fn wasm_simd(&mut self, enable: bool) -> &mut Config {
        self.simd = enable && cfg!(feature = "simd");
        self.ask("simd", enable && !cfg!(feature = "simd"))
    }

    /// The relaxed operators on vectors, which do what the specification's deterministic profile says;
    /// otherwise as [`wasm_simd`](Config::wasm_simd), without which it has no effect.
    pub fn wasm_relaxed_simd(&mut self, enable: bool) -> &mut Config {
        self.relaxed_simd = enable && cfg!(feature = "simd");
        self.ask("relaxed-simd", enable && !cfg!(feature = "simd"))
    }

    /// Has no effect: they always are. For code written against wasmtime.
    pub fn relaxed_simd_deterministic(&mut self, _enable: bool) -> &mut Config {
        self
    }

    unsupported_switches! {
        wasm_shared_everything_threads => "shared-everything-threads";
        wasm_legacy_exceptions => "legacy-exceptions";
        wasm_gc => "gc";
        wasm_stack_switching => "stack-switching";
        wasm_component_model_async => "component-model async";
        wasm_component_model_more_async_builtins => "component-model async built-ins";
        wasm_component_model_async_stackful => "component-model async";
        wasm_component_model_threading => "component-model threading";
        wasm_component_model_gc => "component-model gc";
    }

    /// Has no effect: every store can be used asynchronously. For code written against wasmtime.
    pub fn async_support(&mut self, _enable: bool) -> &mut Config {
        self
    }

    /// Bytes of a call's stack: [`Limits::stack_bytes`] of the limits that the configuration has.
    pub fn max_wasm_stack(&mut self, bytes: usize) -> &mut Config {
        self.limits.stack_bytes = bytes;
        self
    }

    fn ask(&mut self, what: &'static str, enable: bool) -> &mut Config {
        self.asked.retain(|known| *known != what);
        if enable {
            self.asked.push(what);
        }
        self
    }

    /// An error if something is switched on that isn't supported yet.
    pub(crate) fn supported(&self) -> Result<()> {
        let Some(what) = self.asked.first() else {
            return Ok(());
        };
        let why = format_args!("{what}, which the configuration switches on");
        Err(Error::of(ErrorKind::Unsupported, why))
    }

    /// Limits of loading components, and of stores until they get their own.
    pub fn limits(&mut self, limits: Limits) -> &mut Config {
        self.limits = limits;
        self
    }
}

#[derive(Debug, Default)]
struct Shared {
    config: Config,
    types: Mutex<Types>,
}

/// Function types by number, and their numbers.
#[derive(Debug, Default)]
struct Types {
    list: Vec<FuncType>,
    ids: HashMap<FuncType, u32>,
}

/// Shared by the modules and stores that work together. Cheap to clone.
///
/// ```
/// use cellule::{Engine, Module, Store};
///
/// # fn main() -> cellule::Result<()> {
/// let engine = Engine::default();
/// let module = Module::new(&engine, wat::parse_str("(module)").expect("valid text"))?;
/// let store = Store::new(&engine, ());
/// assert!(Engine::same(module.engine(), store.engine()));
/// assert!(!Engine::same(&engine, &Engine::default()));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Engine {
    shared: Arc<Shared>,
}

/// A reference to an [`Engine`] that doesn't keep it alive.
#[derive(Clone, Debug)]
pub struct EngineWeak {
    shared: Weak<Shared>,
}

impl EngineWeak {
    /// The engine, if something else still keeps it.
    pub fn upgrade(&self) -> Option<Engine> {
        let shared = self.shared.upgrade()?;
        Some(Engine { shared })
    }
}

impl Engine {
    /// An engine with this configuration.
    ///
    /// # Errors
    /// Of the kind [`Unsupported`](ErrorKind::Unsupported) if it switches on what isn't supported yet.
    pub fn new(config: &Config) -> Result<Engine> {
        config.supported()?;
        Ok(Engine {
            shared: Arc::new(Shared {
                config: config.clone(),
                types: Mutex::default(),
            }),
        })
    }

    /// The configuration that it was made with.
    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    /// A reference that doesn't keep it alive.
    pub fn weak(&self) -> EngineWeak {
        EngineWeak {
            shared: Arc::downgrade(&self.shared),
        }
    }

    /// Whether both are the same engine.
    pub fn same(a: &Engine, b: &Engine) -> bool {
        Arc::ptr_eq(&a.shared, &b.shared)
    }

    /// Equal types have equal numbers, so that an indirect call compares one word.
    pub(crate) fn type_id(&self, ty: &FuncType) -> Result<u32, OutOfMemory> {
        let mut types = self.shared.types.lock();
        if let Some(id) = types.ids.get(ty) {
            return Ok(*id);
        }
        types.ids.try_reserve(1)?;
        let id = types.list.len() as u32;
        types.list.try_push(ty.clone())?;
        types.ids.insert(ty.clone(), id);
        Ok(id)
    }

    pub(crate) fn func_type(&self, id: u32) -> FuncType {
        self.shared.types.lock().list[id as usize].clone()
    }
}
