//! Reads the names of failed tests out of what the test runners print.

/// Begins what node's reporter `spec` says once more, at its end.
const SPEC_SUMMARY: &str = "✖ failing tests:";

#[derive(Default)]
pub struct Failures {
    names: Vec<String>,
    /// The lines that follow tell more of the last name.
    is_described: bool,
    is_in_spec_summary: bool,
    /// Of the name that comes next.
    place: String,
}

impl Failures {
    pub fn add(&mut self, name: impl Into<String>) {
        self.names.push(name.into());
    }

    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The names alone, without their places.
    pub fn bare(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| match name.rsplit_once(" (") {
            Some((bare, place)) if place.contains(".test.") => bare,
            _ => name,
        })
    }

    /// Takes a line of any runner; what tells of no failure changes nothing.
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

    /// `2 - the name`. What is to be done yet has not failed.
    fn read_tap(&mut self, rest: &str) {
        let Some((_, name)) = rest.split_once(" - ") else { return };
        self.is_described = !name.contains(" # TODO");
        if self.is_described {
            self.add(unescaped(name));
        }
    }

    /// The first lines below a name in TAP: where it stands, and of what kind the failure is.
    fn read_description(&mut self, line: &str) {
        if let Some(place) = line.strip_prefix("location: ")
            && let Some(name) = self.names.last_mut()
        {
            *name = with_place(name, place.trim_matches('\''));
        } else if let Some(kind) = line.strip_prefix("failureType: ") {
            self.is_described = false;
            // It is named for those within it, which have been named.
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

/// `test the::name ... FAILED`, from cargo test; wasm-bindgen's runner says `FAIL`.
fn libtest(line: &str) -> Option<&str> {
    let (name, outcome) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
    matches!(outcome, "FAILED" | "FAIL").then_some(name)
}

/// `place` is a file, perhaps with its folder, a line and a column. A helper that all tests go through is
/// no place to look.
fn with_place(name: &str, place: &str) -> String {
    let file = place.rsplit('/').next().unwrap_or(place);
    let line = file.rsplit_once(':').map_or(file, |(line, _)| line);
    match line.contains(".test.") {
        true => format!("{name} ({line})"),
        false => name.to_owned(),
    }
}

/// TAP has a meaning for `#`.
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
    fn both_runners_of_rust_are_understood() {
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
    fn a_bare_name_has_lost_its_place_and_nothing_else() {
        let mut failures = Failures::default();
        failures.add("a (b)");
        failures.add("c (1) (d.test.mjs:7)");
        assert_eq!(failures.bare().collect::<Vec<_>>(), ["a (b)", "c (1)"]);
    }

    #[test]
    fn what_a_test_prints_is_no_failure() {
        assert_eq!(read("not okay\n✖ a cross\n# not ok 1 - x\ntest it ... FAILED soon"), [""; 0]);
    }
}
