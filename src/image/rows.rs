//! A component's tables, one after the other: a count of rows, then the rows.

use super::cells::{Cell, Cells};
use super::error::{ImageError, lie};
use crate::code::module::Text;
use crate::tables::*;
use alloc::vec::Vec;

fn read<T: Cell>(cells: &mut Cells<'_>, table: &'static str) -> Result<Vec<T>, ImageError> {
    let count = cells.count(T::WORDS).ok_or(lie(table, 0))?;
    let mut rows = Vec::with_capacity(count);
    for row in 0..count {
        rows.push(T::take(cells).ok_or(lie(table, row))?);
    }
    Ok(rows)
}

macro_rules! tables {
    ($($name:ident)*) => {
        /// Writes all of them but the names' text.
        #[cfg(feature = "compile")]
        pub(crate) fn write(tables: &ComponentTables, out: &mut Vec<u32>) {
            $(
                out.push(tables.$name.len() as u32);
                tables.$name.iter().for_each(|row| row.put(out));
            )*
            tables.root.put(out);
            tables.root_exports.put(out);
            tables.core_instances.put(out);
            tables.relay.put(out);
        }

        /// Reads what [`write`] writes; `strings` is the text of all names.
        pub(crate) fn tables(cells: &mut Cells<'_>, strings: Text) -> Result<ComponentTables, ImageError> {
            let mut tables = ComponentTables { strings, ..ComponentTables::default() };
            $(tables.$name = read(cells, stringify!($name))?;)*
            let root = lie("root", 0);
            tables.root = Cell::take(cells).ok_or(root)?;
            tables.root_exports = Cell::take(cells).ok_or(root)?;
            tables.core_instances = Cell::take(cells).ok_or(root)?;
            tables.relay = Cell::take(cells).ok_or(root)?;
            match cells.is_done() {
                true => Ok(tables),
                false => Err(root),
            }
        }
    };
}

tables! {
    names types twins fields cases flat func_types externs instance_types component_types core_sigs core_externs
    module_types resources leaves paths instances modules core_defs options funcs trampolines inits args named_args
    exports
}
