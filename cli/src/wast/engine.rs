//! What all scripts share: how the engine is configured, modules compiled and errors judged.

use super::features::FeatureSet;
use anyhow::Result;
use cellule::component::Component;
use cellule::{Config, Engine, Error, ErrorKind, Limits, Module, Trap};
use wast::{QuoteWat, QuoteWatTest, Wat};

/// How scripts are run.
#[derive(Clone, Default)]
pub struct Options {
    /// Engine settings other than features: tier, when to translate.
    pub config: Config,
    /// Changes to each script's own features, as on the command line.
    pub features: Vec<String>,
    /// Run with fuel metering on, and fuel that never ends.
    pub fuel: bool,
    /// Load modules and components and make no instances: for scripts about what is valid.
    pub definitions_only: bool,
    /// Run component calls in slices of this much fuel, resumed until they end.
    pub slice: Option<u64>,
    /// A module's name in a script is also one to import from, as it is for wasmtime. Scripts with its
    /// headers have that anyway.
    pub names_are_importable: bool,
    /// Run what is compiled from its image.
    pub images: bool,
}

impl Options {
    /// The features of a script, with this run's changes.
    pub fn features(&self, of_script: FeatureSet) -> Result<FeatureSet> {
        let mut set = of_script;
        for list in &self.features {
            set.change(list)?;
        }
        Ok(set)
    }
}

/// Why a directive has no passing verdict.
#[derive(Clone, Debug)]
pub enum Stop {
    /// It needs features that aren't supported yet, named here.
    Skip(String),
    /// It went wrong.
    Fail(String),
}

impl Stop {
    /// A failure with this text.
    pub fn fail(text: impl Into<String>) -> Self {
        Self::Fail(text.into())
    }
}

/// A step of a script.
pub type Step<T = ()> = std::result::Result<T, Stop>;

/// Something compiled, and which features beyond the engine's it uses, if any.
#[derive(Clone)]
pub struct Compiled<T> {
    /// The module or component.
    pub item: T,
    /// Features that it can't be expected to run with.
    pub needs: Option<String>,
}

/// Either kind of what a script can define.
#[derive(Clone)]
pub enum Definition {
    /// A core module.
    Module(Compiled<Module>),
    /// A component.
    Component(Compiled<Component>),
}

/// A refusal to compile.
pub enum Refusal {
    /// The text doesn't parse or encode.
    Text(String),
    /// The engine refused these bytes.
    Engine { error: Error, wasm: Vec<u8> },
}

/// An engine for the features of one script.
pub struct ScriptEngine {
    /// The engine.
    pub engine: Engine,
    /// The script's features.
    pub features: FeatureSet,
    /// Whether stores need fuel.
    pub fuel: bool,
    /// After how much fuel component calls yield.
    pub slice: Option<u64>,
    /// Whether nothing is instantiated.
    pub definitions_only: bool,
    /// Whether everything runs from its image.
    pub images: bool,
}

impl ScriptEngine {
    /// Builds the engine.
    ///
    /// # Errors
    /// If the options' configuration switches on what isn't supported.
    pub fn new(features: FeatureSet, limits: Limits, options: &Options) -> cellule::Result<Self> {
        let mut config = options.config.clone();
        features.configure(&mut config);
        config.limits(limits);
        let fuel = options.fuel || options.slice.is_some();
        config.consume_fuel(fuel);
        Ok(Self {
            engine: Engine::new(&config)?,
            features,
            fuel,
            slice: options.slice,
            definitions_only: options.definitions_only,
            images: options.images,
        })
    }

    /// Compiles a module or component of the script.
    pub fn compile(&self, wat: &mut QuoteWat<'_>) -> Result<Definition, Refusal> {
        let is_component = matches!(
            wat,
            QuoteWat::Wat(Wat::Component(_)) | QuoteWat::QuoteComponent(..)
        );
        self.compile_bytes(encode(wat).map_err(Refusal::Text)?, is_component)
    }

    /// Compiles what stands inside an assertion.
    pub fn compile_wat(&self, wat: &mut Wat<'_>) -> Result<Definition, Refusal> {
        let is_component = matches!(wat, Wat::Component(_));
        let wasm = wat
            .encode()
            .map_err(|error| Refusal::Text(error.message()))?;
        self.compile_bytes(wasm, is_component)
    }

    fn compile_bytes(&self, wasm: Vec<u8>, is_component: bool) -> Result<Definition, Refusal> {
        let needs = self.features.missing_for(&wasm).map(|set| set.to_string());
        if is_component {
            return match Component::new(&self.engine, &wasm) {
                Ok(item) => {
                    let item = self.component_from_image(item);
                    item.map(|item| Definition::Component(Compiled { item, needs }))
                }
                Err(error) => Err(Refusal::Engine { error, wasm }),
            };
        }
        match Module::new(&self.engine, &wasm) {
            Ok(item) => {
                let item = self.module_from_image(item);
                item.map(|item| Definition::Module(Compiled { item, needs }))
            }
            Err(error) => Err(Refusal::Engine { error, wasm }),
        }
    }

    /// The same from its image, where that is asked for and there can be one.
    fn component_from_image(&self, item: Component) -> Result<Component, Refusal> {
        if !self.images {
            return Ok(item);
        }
        match item.to_image() {
            Ok(image) => Component::from_image_vec(&self.engine, image).map_err(not_from_image),
            Err(error) if error.kind() == ErrorKind::Unsupported => Ok(item),
            Err(error) => Err(not_from_image(error)),
        }
    }

    /// The same of a module.
    fn module_from_image(&self, item: Module) -> Result<Module, Refusal> {
        if !self.images {
            return Ok(item);
        }
        let image = item.to_image();
        let again = image.and_then(|image| Module::from_image_vec(&self.engine, image));
        again.map_err(not_from_image)
    }

    /// A refusal where the script expects success: skipped if it is for want of features.
    pub fn judge_refusal(&self, refusal: Refusal) -> Stop {
        match refusal {
            Refusal::Text(text) => Stop::Fail(format!("the text doesn't parse: {text}")),
            Refusal::Engine { error, wasm } => match self.features.missing_for(&wasm) {
                Some(missing) => Stop::Skip(missing.to_string()),
                None if error.kind() == ErrorKind::Unsupported => unsupported(&error),
                None => Stop::Fail(format!("doesn't compile: {error}")),
            },
        }
    }
}

/// What fits no other refusal: the script's text isn't to blame, and no feature is missing.
fn not_from_image(error: Error) -> Refusal {
    Refusal::Text(format!("not from its image: {error}"))
}

/// A skip under the name of what the engine doesn't support.
fn unsupported(error: &Error) -> Stop {
    let text = error.to_string();
    let name = text.split(" (at offset").next().unwrap_or_default();
    let name = name.strip_prefix("not supported: ").unwrap_or(name);
    Stop::Skip(name.to_string())
}

/// Encodes a module; text within quotes is parsed first.
fn encode(wat: &mut QuoteWat<'_>) -> Result<Vec<u8>, String> {
    match wat.to_test().map_err(|error| error.message())? {
        QuoteWatTest::Binary(wasm) => Ok(wasm),
        QuoteWatTest::Text(text) => {
            let text =
                String::from_utf8(text).map_err(|_| "malformed UTF-8 encoding".to_string())?;
            let buffer = wast::parser::ParseBuffer::new(&text).map_err(|error| error.message())?;
            let mut wat = wast::parser::parse::<Wat>(&buffer).map_err(|error| error.message())?;
            wat.encode().map_err(|error| error.message())
        }
    }
}

/// Judges an `assert_malformed` or `assert_invalid`: only a refusal for that reason counts, or for
/// a feature without which the script wants it refused.
pub fn judge_bad_module(
    result: Result<Definition, Refusal>,
    features: FeatureSet,
    expected: &str,
) -> Step {
    match result {
        Ok(_) => Err(Stop::Fail(format!(
            "accepted, but should be refused: {expected}"
        ))),
        Err(Refusal::Text(_)) => Ok(()),
        Err(Refusal::Engine { error, wasm }) => match error.kind() {
            ErrorKind::Malformed | ErrorKind::Invalid => Ok(()),
            ErrorKind::Unsupported if features.gates(&wasm) => Ok(()),
            ErrorKind::Unsupported => Err(unsupported(&error)),
            kind => Err(Stop::Fail(format!(
                "refused as {kind:?}, not as bad ({expected}): {error}"
            ))),
        },
    }
}

/// Whether the text of a trap is the one that a script expects.
///
/// Scripts name some traps by other words than the engine, or add an operand that it doesn't keep.
pub fn text_matches(actual: &str, expected: &str) -> bool {
    actual.contains(expected)
        || (expected.starts_with("uninitialized element")
            && actual.contains("uninitialized element"))
        || (expected == "undefined element" && actual.contains("out of bounds table access"))
        || (expected.contains("null function") && actual.contains("uninitialized element"))
        || (expected.contains("cannot write") && actual.contains("cannot write"))
        || (expected.contains("cannot read") && actual.contains("cannot read"))
}

/// Judges a call or instantiation that should trap.
pub fn judge_trap<T>(result: Result<T, Error>, expected: &str) -> Step {
    let error = match result {
        Ok(_) => {
            return Err(Stop::Fail(format!(
                "succeeded, but should trap: {expected}"
            )));
        }
        Err(error) => error,
    };
    let text = error.to_string();
    if error.kind() == ErrorKind::Unsupported {
        return Err(Stop::Fail(format!(
            "not supported, where a trap is expected ({expected}): {text}"
        )));
    }
    if text_matches(&text, expected) {
        return Ok(());
    }
    Err(Stop::Fail(format!(
        "trapped as `{text}`, expected `{expected}`"
    )))
}

/// Judges a call that should exhaust the stack.
pub fn judge_exhaustion<T>(result: Result<T, Error>, expected: &str) -> Step {
    match result {
        Ok(_) => Err(Stop::Fail(format!(
            "succeeded, but should exhaust: {expected}"
        ))),
        Err(error) if error.trap() == Some(Trap::StackOverflow) => Ok(()),
        Err(error) => Err(Stop::Fail(format!(
            "failed as `{error}`, expected `{expected}`"
        ))),
    }
}
