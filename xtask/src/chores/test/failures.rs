//! Reads the names of failed tests from the output of the test runners.

/// The line after which node's reporter `spec` repeats the failures, at its end.
const SPEC_SUMMARY: &str = "✖ failing tests:";

#[derive(Default)]
pub struct Failures {
    names: Vec<String>,
    /// Whether the following lines describe the last name.
    is_described: bool,
    is_in_spec_summary: bool,
    /// The place of the next name.
    place: String,
}

impl Failures {
    pub fn add(&mut self, name: impl Into<String>) {
        self.names.push(name.into());
    }

    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The names without their places.
    pub fn bare(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| match name.rsplit_once(" (") {
            Some((bare, place)) if place.contains(".test.") => bare,
            _ => name,
        })
    }

    /// Reads one line from any runner; a line that reports no failure changes nothing.
    pub fn read(&mut self, line: &str) {
        let line = line.trim();
        if let Some(name) = libtest(line) {
            self.add(name);
        } else if let Some(rest) = line.strip_prefix("not ok ") {
            self.read_tap(rest);
        } else if line == SPEC_SUMMARY {
            self.is_in_spec_summary = true;
        } else if self.is_described {
            self.read_description(line);
        } else if self.is_in_spec_summary {
            self.read_spec(line);
        }
    }

    /// `2 - the name`. A test marked TODO does not count as failed.
    fn read_tap(&mut self, rest: &str) {
        let Some((_, name)) = rest.split_once(" - ") else { return };
        self.is_described = !name.contains(" # TODO");
        if self.is_described {
            self.add(unescaped(name));
        }
    }

    /// The first lines below a name in TAP: its place, and the kind of the failure.
    fn read_description(&mut self, line: &str) {
        if let Some(place) = line.strip_prefix("location: ")
            && let Some(name) = self.names.last_mut()
        {
            *name = with_place(name, place.trim_matches('\''));
        } else if let Some(kind) = line.strip_prefix("failureType: ") {
            self.is_described = false;
            // A suite fails because of tests within it, which have already been named.
            if kind == "'subtestsFailed'" {
                self.names.pop();
            }
        }
    }

    /// `test at a.test.mjs:4:1`, and below it `✖ the name (1.2ms)`.
    fn read_spec(&mut self, line: &str) {
        if let Some(place) = line.strip_prefix("test at ") {
            place.clone_into(&mut self.place);
        } else if let Some(name) = line.strip_prefix("✖ ")
            && !name.ends_with(" # TODO")
        {
            let name = name.rsplit_once(" (").map_or(name, |(name, _)| name);
            self.add(with_place(name, &self.place));
        }
    }
}

/// `test the::name ... FAILED`, from cargo test; wasm-bindgen's runner prints `FAIL`.
fn libtest(line: &str) -> Option<&str> {
    let (name, outcome) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
    matches!(outcome, "FAILED" | "FAIL").then_some(name)
}

/// `place` is a file, perhaps with its folder, a line and a column. A helper that all tests call does not
/// help to find the failure, so it is left out.
fn with_place(name: &str, place: &str) -> String {
    let file = place.rsplit('/').next().unwrap_or(place);
    let line = file.rsplit_once(':').map_or(file, |(line, _)| line);
    match line.contains(".test.") {
        true => format!("{name} ({line})"),
        false => name.to_owned(),
    }
}

/// TAP escapes `#`.
fn unescaped(name: &str) -> String {
    name.replace("\\#", "#").replace("\\\\", "\\")
}

#[cfg(test)]
mod tests {
    use super::Failures;

    fn read(output: &str) -> Vec<String> {
        let mut failures = Failures::default();
        output.lines().for_each(|line| failures.read(line));
        failures.names
    }

    #[test]
    fn the_output_of_both_rust_runners_is_read() {
        let output = "
test page::good ... ok
test page::bad ... FAILED
test src/lib.rs - Manager (line 3) ... FAILED
test worker::lost ... FAIL
test later ... ignored
failures:
    page::bad
test result: FAILED. 1 passed; 3 failed; 1 ignored";
        assert_eq!(read(output), ["page::bad", "src/lib.rs - Manager (line 3)", "worker::lost"]);
    }

    #[test]
    fn tap_names_the_innermost_test_and_its_place() {
        let output = r"
# Subtest: suite
    not ok 1 - inner \# one \\ two
      ---
      duration_ms: 0.4
      location: '/a/b/a.test.mjs:8:27'
      failureType: 'testCodeFailure'
      error: |-
        location: 'nowhere'
      ...
not ok 2 - suite
  ---
  type: 'suite'
  location: '/a/b/a.test.mjs:8:1'
  failureType: 'subtestsFailed'
  ...
ok 3 - good
not ok 4 - later # TODO
  ---
  location: '/a/b/a.test.mjs:9:1'
  failureType: 'testCodeFailure'
  ...
not ok 5 - late
  ---
  location: '/a/b/support/lack.mjs:10:1'
  failureType: 'testTimeoutFailure'";
        assert_eq!(read(output), [r"inner # one \ two (a.test.mjs:8)", "late"]);
    }

    #[test]
    fn the_reporter_spec_is_read_where_it_sums_up() {
        let output = "
✖ bad (5ms) (1.07ms)
▶ suite
  ✖ inner (0.3ms)
✖ suite (0.6ms)
ℹ fail 2

✖ failing tests:

test at b/a.test.mjs:4:1
✖ bad (5ms) (1.07ms)
  AssertionError: no

test at b/a.test.mjs:6:1
✖ later (0.3ms) # TODO

test at b/a.test.mjs:8:27
✖ inner (0.3ms)";
        assert_eq!(read(output), ["bad (5ms) (a.test.mjs:4)", "inner (a.test.mjs:8)"]);
    }

    #[test]
    fn a_bare_name_lacks_only_its_place() {
        let mut failures = Failures::default();
        failures.add("a (b)");
        failures.add("c (1) (d.test.mjs:7)");
        assert_eq!(failures.bare().collect::<Vec<_>>(), ["a (b)", "c (1)"]);
    }

    #[test]
    fn lines_printed_by_a_test_are_not_failures() {
        assert_eq!(read("not okay\n✖ a cross\n# not ok 1 - x\ntest it ... FAILED soon"), [""; 0]);
    }
}
