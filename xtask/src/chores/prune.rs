//! Removes what wasm-bindgen leaves in a module without a use, so that wasm-opt can drop the functions behind it.
//!
//! For each closure type that js-sys can pass to JavaScript, a descriptor names the function that calls such a closure. wasm-bindgen
//! evaluates the descriptors and deletes them, but these functions stay in the function table, where wasm-opt takes them for targets
//! of indirect calls.

use anyhow::{Result, bail};
use std::collections::HashSet;
use walrus::ir::Value;
use walrus::{ConstExpr, ElementItems, ElementKind, FunctionId, Module, TableId};

/// Parts of the names of functions that only descriptors point to, or that only deleted functions did. JavaScript calls closures
/// through exports; and Rust calls the casts to JavaScript values directly.
const UNUSED: [&str; 3] = [
    "wasm_bindgen::convert::closures::_::invoke::<",
    " -> Externref",
    "js_sys::futures::jspi::task_waker::",
];

/// Exports that `glue.mjs` needs no more, and those for unwinding.
const UNUSED_EXPORTS: [&str; 4] =
    ["__abort_handler", "__instance_terminated", "__wbindgen_free", "__wbindgen_realloc"];

pub fn prune(module: &mut Module) -> Result<()> {
    for name in UNUSED_EXPORTS {
        module.exports.remove(name)?;
    }
    let unused: HashSet<FunctionId> = module
        .funcs
        .iter()
        .filter(|function| function.name.as_deref().is_some_and(is_unused))
        .map(|function| function.id())
        .collect();
    if unused.is_empty() {
        bail!("prune.rs does not fit this wasm-bindgen: the functions have other names");
    }
    let segments: Vec<_> = module.elements.iter().map(walrus::Element::id).collect();
    for id in segments {
        let segment = module.elements.get(id);
        let ElementKind::Active { table, offset: ConstExpr::Value(Value::I32(start)) } =
            segment.kind
        else {
            continue;
        };
        let ElementItems::Functions(functions) = &segment.items else { continue };
        let rows = rows(functions, start, &unused);
        module.elements.delete(id);
        module.tables.get_mut(table).elem_segments.remove(&id);
        for (start, row) in rows {
            add(module, table, start, row);
        }
    }
    Ok(())
}

fn is_unused(name: &str) -> bool {
    let name = super::weigh::without_hashes(name);
    UNUSED.iter().any(|part| name.contains(part))
}

/// The rows of used functions, with the place of the first of each.
fn rows(
    functions: &[FunctionId],
    mut start: i32,
    unused: &HashSet<FunctionId>,
) -> Vec<(i32, Vec<FunctionId>)> {
    let mut rows = Vec::new();
    for row in functions.split(|function| unused.contains(function)) {
        if !row.is_empty() {
            rows.push((start, row.to_vec()));
        }
        // Behind each row is one unused function.
        start += row.len() as i32 + 1;
    }
    rows
}

fn add(module: &mut Module, table: TableId, start: i32, row: Vec<FunctionId>) {
    let offset = ConstExpr::Value(Value::I32(start));
    let kind = ElementKind::Active { table, offset };
    let id = module.elements.add(kind, ElementItems::Functions(row));
    module.tables.get_mut(table).elem_segments.insert(id);
}

#[cfg(test)]
mod tests {
    use super::{add, prune};
    use walrus::{ElementItems, FunctionBuilder, FunctionId, Module, RefType};

    const USED: &str = "tokenkeep[2f060b80c28f22f4]::browser::shell::drop";
    const UNUSED: &str = "wasm_bindgen[2f060b80c28f22f4]::convert::closures::_::invoke::<i8, true>";

    fn function(module: &mut Module, name: &str) -> FunctionId {
        let mut builder = FunctionBuilder::new(&mut module.types, &[], &[]);
        builder.name(name.to_string());
        builder.finish(Vec::new(), &mut module.funcs)
    }

    fn with_table(names: &[&str]) -> Module {
        let mut module = Module::default();
        let row: Vec<_> = names.iter().map(|name| function(&mut module, name)).collect();
        for name in super::UNUSED_EXPORTS {
            module.exports.add(name, row[0]);
        }
        let table = module.tables.add_local(false, 9, None, RefType::FUNCREF);
        add(&mut module, table, 1, row);
        module
    }

    #[test]
    fn used_functions_keep_their_places() {
        let mut module = with_table(&[USED, UNUSED, UNUSED, USED, USED]);
        prune(&mut module).unwrap();
        let mut places = Vec::new();
        for segment in module.elements.iter() {
            let ElementItems::Functions(functions) = &segment.items else { panic!() };
            places.push((format!("{:?}", segment.kind), functions.len()));
        }
        assert_eq!(places.len(), 2);
        assert!(places[0].0.contains("I32(1)") && places[0].1 == 1, "{places:?}");
        assert!(places[1].0.contains("I32(4)") && places[1].1 == 2, "{places:?}");
        assert_eq!(module.exports.iter().count(), 0);
    }

    #[test]
    fn a_module_with_other_names_is_refused() {
        assert!(prune(&mut with_table(&[USED])).is_err());
    }
}
