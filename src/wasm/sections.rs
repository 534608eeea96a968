//! Validation, one payload at a time, in little native stack.
//!
//! wasmparser's own dispatcher has the locals of every kind of section in one frame and hands the
//! types of a whole binary around by value. Both are large for the stack of a microcontroller, so
//! here each kind has a frame of its own and what is large is on the heap.

use alloc::boxed::Box;
use wasmparser::types::Types;
use wasmparser::{
    BinaryReaderError, FuncToValidate, FunctionBody, Payload, Validator, ValidatorResources,
    WasmFeatures,
};

/// What a valid payload gives beyond being valid.
pub(crate) enum Valid<'a> {
    Nothing,
    /// A function, whose body is yet to be validated.
    Func(FuncToValidate<ValidatorResources>, FunctionBody<'a>),
    /// The types of the module or component that ends.
    End(Box<Types>),
}

/// A validator on the heap.
#[inline(never)]
pub(crate) fn validator(features: WasmFeatures) -> Box<Validator> {
    Box::new(Validator::new_with_features(features))
}

/// Runs a closure in a frame of its own.
#[inline(never)]
fn apart<R>(work: impl FnOnce() -> R) -> R {
    work()
}

/// Validates a payload; every one of a binary has to come by, in order.
#[inline(never)]
pub(crate) fn validate<'a>(
    v: &mut Validator,
    payload: &Payload<'a>,
) -> Result<Valid<'a>, BinaryReaderError> {
    use Payload as P;
    match payload {
        P::Version {
            num,
            encoding,
            range,
        } => apart(|| v.version(*num, *encoding, range))?,
        P::End(offset) => return apart(|| Ok(Valid::End(Box::new(v.end(*offset)?)))),
        P::CodeSectionEntry(body) => {
            return apart(|| Ok(Valid::Func(v.code_section_entry(body)?, body.clone())));
        }
        P::CustomSection(_) => {}
        P::UnknownSection { id, range, .. } => v.unknown_section(*id, range)?,
        P::ModuleSection {
            unchecked_range, ..
        } => apart(|| v.module_section(unchecked_range))?,
        P::ComponentSection {
            unchecked_range, ..
        } => apart(|| v.component_section(unchecked_range))?,
        other => return core_section(v, other).unwrap_or_else(|| component_section(v, other)),
    }
    Ok(Valid::Nothing)
}

type Checked<'a> = Result<Valid<'a>, BinaryReaderError>;

/// A section of a core module, if it is one.
#[inline(never)]
fn core_section<'a>(v: &mut Validator, payload: &Payload<'a>) -> Option<Checked<'a>> {
    use Payload as P;
    let valid = match payload {
        P::TypeSection(s) => apart(|| v.type_section(s)),
        P::ImportSection(s) => apart(|| v.import_section(s)),
        P::FunctionSection(s) => apart(|| v.function_section(s)),
        P::TableSection(s) => apart(|| v.table_section(s)),
        P::MemorySection(s) => apart(|| v.memory_section(s)),
        P::TagSection(s) => apart(|| v.tag_section(s)),
        P::GlobalSection(s) => apart(|| v.global_section(s)),
        P::ExportSection(s) => apart(|| v.export_section(s)),
        P::StartSection { func, range } => apart(|| v.start_section(*func, range)),
        P::ElementSection(s) => apart(|| v.element_section(s)),
        P::DataCountSection { count, range } => apart(|| v.data_count_section(*count, range)),
        P::CodeSectionStart {
            unchecked_range, ..
        } => apart(|| v.code_section_start(unchecked_range)),
        P::DataSection(s) => apart(|| v.data_section(s)),
        _ => return None,
    };
    Some(valid.map(|()| Valid::Nothing))
}

/// A section of a component, or whatever a later version of the decoder knows.
#[inline(never)]
fn component_section<'a>(v: &mut Validator, payload: &Payload<'a>) -> Checked<'a> {
    use Payload as P;
    match payload {
        P::InstanceSection(s) => apart(|| v.instance_section(s))?,
        P::CoreTypeSection(s) => apart(|| v.core_type_section(s))?,
        P::ComponentInstanceSection(s) => apart(|| v.component_instance_section(s))?,
        P::ComponentAliasSection(s) => apart(|| v.component_alias_section(s))?,
        P::ComponentTypeSection(s) => apart(|| v.component_type_section(s))?,
        P::ComponentCanonicalSection(s) => apart(|| v.component_canonical_section(s))?,
        P::ComponentStartSection { start, range } => {
            apart(|| v.component_start_section(start, range))?;
        }
        P::ComponentImportSection(s) => apart(|| v.component_import_section(s))?,
        P::ComponentExportSection(s) => apart(|| v.component_export_section(s))?,
        other => {
            apart(|| v.payload(other).map(drop))?;
        }
    }
    Ok(Valid::Nothing)
}

/// Validates a whole binary, function bodies included.
pub(crate) fn validate_all(features: WasmFeatures, bytes: &[u8]) -> Result<(), BinaryReaderError> {
    let mut v = validator(features);
    let mut parser = wasmparser::Parser::new(0);
    parser.set_features(features);
    let mut allocations = wasmparser::FuncValidatorAllocations::default();
    for payload in parser.parse_all(bytes) {
        if let Valid::Func(func, body) = validate(&mut v, &payload?)? {
            let mut func = func.into_validator(allocations);
            func.validate(&body)?;
            allocations = func.into_allocations();
        }
    }
    Ok(())
}
