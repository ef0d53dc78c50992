//! Says how large the package is, and holds its main entry to a budget.

use super::{Chore, build, no_more, weigh};
use crate::project::Project;
use crate::run;
use anyhow::{Context, Result, bail};
use std::fs;

pub const CHORE: Chore = Chore {
    name: "size",
    about: "print the sizes of the npm package, where the bytes are, and hold them to the budget",
    options: &[],
    run: |project, arguments| {
        no_more(arguments)?;
        build::package(project)?;
        let checked = check(project);
        println!("\n{}", weigh::table(&fs::read(build::named(project)?)?)?);
        checked
    },
};

const FILES: [&str; 3] = ["index.js", "file.js", "core.wasm"];

/// What an app pays for `import … from 'tokenkeep'`, in bytes after gzip. It may not grow from here, and is
/// far from its aim still: 45 kB.
const BUDGET: u64 = 71_000;

/// Node's own zlib, which every build has, instead of two more crates.
const MEASURE: &str = "
const { readFileSync } = require('fs'), zlib = require('zlib')
for (const file of process.argv.slice(1)) {
  const bytes = readFileSync(file)
  console.log(bytes.length, zlib.gzipSync(bytes, { level: 9 }).length, zlib.brotliCompressSync(bytes).length)
}";

/// Of a package that is built.
pub fn check(project: &Project) -> Result<()> {
    let measured = run::output(
        project
            .command("node")
            .args(["-e", MEASURE])
            .args(FILES.map(|file| format!("pkg/dist/{file}"))),
    )?;
    println!("{:<10} {:>8} {:>8} {:>8}", "", "raw", "gzip", "brotli");
    let mut main = None;
    for (file, line) in FILES.iter().zip(measured.lines()) {
        let sizes: Vec<u64> = line.split(' ').map_while(|n| n.parse().ok()).collect();
        let [raw, gzip, brotli] = sizes[..] else {
            bail!("cannot read the sizes: {line}");
        };
        println!("{file:<10} {raw:>8} {gzip:>8} {brotli:>8}");
        main.get_or_insert(gzip);
    }
    let main = main.context("no sizes")?;
    if main > BUDGET {
        bail!("{} is {main} bytes after gzip; the budget is {BUDGET}", FILES[0]);
    }
    println!("{} is within its budget of {BUDGET} bytes after gzip", FILES[0]);
    Ok(())
}
