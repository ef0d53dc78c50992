//! Says where the bytes of a WebAssembly file are: by crate, and the crate's own by module.

use anyhow::{Context, Result};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use wasmparser::{KnownCustom, Name, Parser, Payload, TypeRef};

const OWN: &str = "tokenkeep";

/// A table of a file that has the names of its functions. What they take up themselves is not counted.
pub fn table(wasm: &[u8]) -> Result<String> {
    let Bytes { functions, names, imports, data, rest } = read(wasm)?;
    let mut crates: BTreeMap<String, usize> = BTreeMap::new();
    let mut modules: BTreeMap<String, usize> = BTreeMap::new();
    for (index, size) in (imports..).zip(functions) {
        let name = names.get(&index).map_or("", String::as_str);
        let path = path(name);
        *crates.entry(path[0].to_string()).or_default() += size;
        if path[0] == OWN {
            let module = path[1..].iter().take(2).copied().collect::<Vec<_>>().join("::");
            *modules.entry(module).or_default() += size;
        }
    }
    crates.insert("(constants)".to_string(), data);
    crates.insert("(imports, exports, types, tables)".to_string(), rest);
    let mut text = String::new();
    write_largest(&mut text, "core.wasm, by crate", &crates)?;
    text.push('\n');
    write_largest(&mut text, &format!("{OWN}'s own, by module"), &modules)?;
    Ok(text)
}

#[derive(Default)]
struct Bytes {
    /// The size of each function that is defined here.
    functions: Vec<usize>,
    /// By index; the imported ones come first.
    names: HashMap<u32, String>,
    imports: u32,
    data: usize,
    rest: usize,
}

fn read(wasm: &[u8]) -> Result<Bytes> {
    let mut bytes = Bytes::default();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.context("this is no WebAssembly")? {
            Payload::CodeSectionEntry(body) => bytes.functions.push(body.range().len()),
            Payload::DataSection(section) => bytes.data += section.range().len(),
            Payload::ImportSection(section) => {
                bytes.rest += section.range().len();
                for import in section.into_imports() {
                    bytes.imports += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                }
            }
            Payload::CustomSection(section) => {
                if let KnownCustom::Name(names) = section.as_known() {
                    for name in names {
                        read_names(&mut bytes.names, name?)?;
                    }
                }
            }
            Payload::CodeSectionStart { .. } => {}
            other => bytes.rest += other.as_section().map_or(0, |(_, range)| range.len()),
        }
    }
    Ok(bytes)
}

fn read_names(names: &mut HashMap<u32, String>, name: Name) -> Result<()> {
    if let Name::Function(map) = name {
        for naming in map {
            let naming = naming?;
            names.insert(naming.index, without_hashes(naming.name));
        }
    }
    Ok(())
}

/// `tokenkeep[2f060b80c28f22f4]::core`, as wasm-bindgen writes it, without what stands in brackets.
fn without_hashes(name: &str) -> String {
    let is_hash = |text: &str| text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let mut plain = String::new();
    let mut rest = name;
    while let Some((before, after)) = rest.split_once('[') {
        plain.push_str(before);
        rest = match after.split_once(']') {
            Some((hash, behind)) if is_hash(hash) => behind,
            _ => {
                plain.push('[');
                after
            }
        };
    }
    plain + rest
}

/// The segments of the path that a function's name begins with: of a method, the path of its type.
fn path(name: &str) -> Vec<&str> {
    let mut rest = name;
    while let Some(inner) = ["<", "&", "*const ", "*mut ", "mut ", "dyn ", "[", "("]
        .iter()
        .find_map(|sign| rest.strip_prefix(sign))
    {
        rest = inner;
    }
    let end = rest.find(['<', '>', ' ', '(', ')', ']', '{', ',']).unwrap_or(rest.len());
    let path: Vec<&str> = rest[..end].split("::").filter(|segment| !segment.is_empty()).collect();
    match path[..] {
        // Exported by wasm-bindgen, or made by the compiler: a name without a crate.
        [] | [_] => vec!["(glue)"],
        _ => path,
    }
}

fn write_largest(text: &mut String, title: &str, sizes: &BTreeMap<String, usize>) -> Result<()> {
    let mut largest: Vec<_> = sizes.iter().collect();
    largest.sort_by_key(|(_, size)| std::cmp::Reverse(**size));
    let total: usize = sizes.values().sum();
    writeln!(text, "{title:<34} {total:>8}")?;
    for (name, size) in largest {
        let share = size * 100 / total.max(1);
        writeln!(text, "  {name:<32} {size:>8} {share:>3} %")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{path, without_hashes};

    #[test]
    fn a_crate_is_named_without_its_hash() {
        let name = "<[tokenkeep[2f060b80c28f22f4]::core::apis::Api]>::iter";
        assert_eq!(without_hashes(name), "<[tokenkeep::core::apis::Api]>::iter");
    }

    #[test]
    fn a_function_belongs_to_the_crate_of_its_path_or_of_its_type() {
        for (name, first) in [
            ("tokenkeep::core::apis::split", "tokenkeep"),
            ("<tokenkeep::core::session::Session>::depart", "tokenkeep"),
            ("<&mut alloc::vec::Vec<u8> as core::fmt::Write>::write_str", "alloc"),
            ("<[core::option::Option<u8>] as core::fmt::Debug>::fmt", "core"),
            ("core::ptr::drop_in_place::<tokenkeep::core::Secret>", "core"),
            ("core_depart", "(glue)"),
            ("", "(glue)"),
        ] {
            assert_eq!(path(name)[0], first, "{name}");
        }
    }

    #[test]
    fn the_modules_of_a_path_are_told_apart() {
        let name = "<tokenkeep::browser::auth_call::Job<u8>>::run::{closure#0}";
        assert_eq!(path(name), ["tokenkeep", "browser", "auth_call", "Job"]);
    }
}
