//! Many cases, made up from a seed: how many, from which, and how to run one of them again.

use std::fmt::Debug;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::time::{SystemTime, UNIX_EPOCH};

use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestCaseResult, TestError, TestRunner};

/// The number of a test's cases, unless `PROPTEST_CASES` sets it for all.
fn config(cases: u32) -> ProptestConfig {
    let named = std::env::var_os("PROPTEST_CASES").is_some();
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if named { config } else { ProptestConfig { cases, ..config } }
}

/// `PROPTEST_RNG_SEED`, or the time.
pub fn seed() -> u64 {
    match ProptestConfig::default().rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => {
            SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
        }
    }
}

/// Holds a test against many cases. The same seed is another one for each test, or all of them
/// would look at the same cases.
pub fn check_cases<S: Strategy<Value: Debug>>(
    test: &str,
    strategy: S,
    cases: u32,
    holds: impl Fn(S::Value) -> TestCaseResult,
) {
    check_cases_from(seed(), test, strategy, config(cases), holds);
}

/// The same, from a seed.
pub fn check_cases_from<S: Strategy<Value: Debug>>(
    seed: u64,
    test: &str,
    strategy: S,
    config: ProptestConfig,
    holds: impl Fn(S::Value) -> TestCaseResult,
) {
    let own = BuildHasherDefault::<DefaultHasher>::new().hash_one((seed, test));
    let config = ProptestConfig { rng_seed: RngSeed::Fixed(own), ..config };
    match TestRunner::new(config).run(&strategy, holds) {
        Ok(()) => {}
        Err(TestError::Fail(why, case)) => {
            panic!("PROPTEST_RNG_SEED={seed} {test}: {why}\nin the case {case:#?}")
        }
        Err(TestError::Abort(why)) => panic!("PROPTEST_RNG_SEED={seed} {test}: {why}"),
    }
}
