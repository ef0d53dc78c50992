//! Searches text for ASCII, byte by byte: in UTF-8 no other character contains such a byte. The search
//! functions of `str` are general, and large.

/// Whether a byte is one of these characters. The search of a slice is fast, and large.
fn has(characters: &str, byte: u8) -> bool {
    characters.bytes().any(|character| character == byte)
}

/// The position of the first wanted character.
pub(crate) fn find_any(text: &str, wanted: &str) -> Option<usize> {
    text.bytes().position(|byte| has(wanted, byte))
}

/// The text before the first wanted character, and the rest, which begins with that character.
pub(crate) fn split_at_any<'a>(text: &'a str, wanted: &str) -> (&'a str, &'a str) {
    text.split_at(find_any(text, wanted).unwrap_or(text.len()))
}

/// The pieces of the text between the borders.
pub(crate) fn pieces<'a>(text: &'a str, border: &str) -> impl Iterator<Item = &'a str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let (piece, after) = split_at_any(rest?, border);
        rest = after.get(1..);
        Some(piece)
    })
}

/// The text without unwanted characters at the start.
pub(crate) fn trim_start<'a>(text: &'a str, unwanted: &str) -> &'a str {
    let start = text.bytes().position(|byte| !has(unwanted, byte));
    text.split_at(start.unwrap_or(text.len())).1
}

/// A character of a `token` (RFC 9110, 5.6.2).
pub(crate) fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || has("!#$%&'*+-.^_`|~", byte)
}

/// Concatenates the texts. It allocates once, so no copy remains in memory if one of them is a token.
pub(crate) fn concat(texts: &[&str]) -> String {
    let mut whole = String::with_capacity(texts.iter().map(|text| text.len()).sum());
    for text in texts {
        whole.push_str(text);
    }
    whole
}

/// A number in decimal digits, without the machinery of `format!`.
pub(crate) fn decimal(number: u64) -> String {
    let mut digits = if number < 10 { String::new() } else { decimal(number / 10) };
    push_digit(&mut digits, number % 10);
    digits
}

/// Adds a digit, decimal or hexadecimal.
pub(crate) fn push_digit(digits: &mut String, digit: u64) {
    let at = digit as usize;
    digits.push_str("0123456789abcdef".get(at..=at).unwrap_or_default());
}

/// Reads what [`decimal`] writes, without the machinery of `parse`, which is larger.
pub(crate) fn number(digits: &str) -> Option<u64> {
    let mut number = None;
    for digit in digits.bytes() {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        number = Some(number.unwrap_or(0_u64).checked_mul(10)?.checked_add(digit)?);
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_from_digits_alone() {
        for number in [0, 7, 10, 1_700_000_000_000, u64::MAX] {
            assert_eq!(super::number(&number.to_string()), Some(number));
        }
        for text in ["", "-1", "1.5", "1 ", "x", "18446744073709551616"] {
            assert_eq!(super::number(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_number_is_written_in_digits() {
        for number in [0, 7, 10, 1_700_000_000_000, u64::MAX] {
            assert_eq!(decimal(number), number.to_string());
        }
    }
}
