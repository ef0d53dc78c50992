//! Many random cases from a seed: how many, from which seed, and how to repeat one of them.

use std::fmt::Debug;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::time::{SystemTime, UNIX_EPOCH};

use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestCaseResult, TestError, TestRunner};

/// The number of cases of a test. `PROPTEST_CASES` overrides it for all tests.
fn config(cases: u32) -> ProptestConfig {
    let named = std::env::var_os("PROPTEST_CASES").is_some();
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if named { config } else { ProptestConfig { cases, ..config } }
}

/// `PROPTEST_RNG_SEED`, or the current time.
pub fn seed() -> u64 {
    match ProptestConfig::default().rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => {
            SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
        }
    }
}

/// Runs a test on many cases. Each test derives its own seed; otherwise all of them would see the same cases.
pub fn check_cases<S: Strategy<Value: Debug>>(
    test: &str,
    strategy: S,
    cases: u32,
    holds: impl Fn(S::Value) -> TestCaseResult,
) {
    check_cases_from(seed(), test, strategy, config(cases), holds);
}

/// The same, with a given seed.
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
