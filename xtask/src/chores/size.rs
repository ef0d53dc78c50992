//! Reports the size of the package, and checks what a page loads against a budget.

use super::{Chore, build, no_more, weigh};
use crate::project::Project;
use crate::run;
use anyhow::{Result, bail};
use std::fs;

pub const CHORE: Chore = Chore {
    name: "size",
    about: "print the sizes of the npm package, where the bytes are, and hold them to the budgets",
    options: &[],
    run: |project, arguments| {
        no_more(arguments)?;
        build::package(project)?;
        let checked = check(project);
        println!("\n{}", weigh::table(&fs::read(build::named(project)?)?)?);
        checked
    },
};

const FILES: [&str; 8] = [
    "index.js",
    "file.js",
    "core.wasm",
    "isolation/page.js",
    "isolation/attached.js",
    "isolation/worker.js",
    "isolation/service-worker.js",
    "isolation/service-worker-script.js",
];

/// What an app pays for `import … from 'tokenkeep'`, in bytes after gzip. It must not grow, and is still far
/// from its aim of 45 kB. Where the token lives in a worker, the first call waits for the page's part. Pages whose
/// token lives in a service worker also load `attached.js`; the browser loads the script in the background.
const BUDGETS: [(&str, u64); 4] = [
    ("index.js", 66_000),
    ("isolation/page.js", 7_700),
    ("isolation/attached.js", 2_100),
    ("isolation/service-worker-script.js", 70_500),
];

/// Uses Node's own zlib, which every installation has, instead of two more crates.
const MEASURE: &str = "
const { readFileSync } = require('fs'), zlib = require('zlib')
for (const file of process.argv.slice(1)) {
  const bytes = readFileSync(file)
  console.log(bytes.length, zlib.gzipSync(bytes, { level: 9 }).length, zlib.brotliCompressSync(bytes).length)
}";

/// Checks a package that is already built.
pub fn check(project: &Project) -> Result<()> {
    let measured = run::output(
        project
            .command("node")
            .args(["-e", MEASURE])
            .args(FILES.map(|file| format!("pkg/dist/{file}"))),
    )?;
    println!("{:<20} {:>8} {:>8} {:>8}", "", "raw", "gzip", "brotli");
    for (file, line) in FILES.iter().zip(measured.lines()) {
        let sizes: Vec<u64> = line.split(' ').map_while(|n| n.parse().ok()).collect();
        let [raw, gzip, brotli] = sizes[..] else {
            bail!("cannot read the sizes: {line}");
        };
        println!("{file:<20} {raw:>8} {gzip:>8} {brotli:>8}");
        let budget = BUDGETS.iter().find(|(name, _)| name == file);
        if let Some((_, budget)) = budget
            && gzip > *budget
        {
            bail!("{file} is {gzip} bytes after gzip; the budget is {budget}");
        }
    }
    println!("all are within their budgets, in bytes after gzip: {BUDGETS:?}");
    Ok(())
}
