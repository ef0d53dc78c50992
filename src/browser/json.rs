//! Reading JSON with the platform's own parser.

use js_sys::{JSON, Reflect};
use wasm_bindgen::{JsCast, JsValue};

/// The value of a JSON text (ECMA-404), or `None` if it is none.
pub(crate) fn parse(text: &str) -> Option<JsValue> {
    JSON::parse(text).ok()
}

/// The value at a path of member names, or `undefined`.
pub(crate) fn at(value: &JsValue, path: &[String]) -> JsValue {
    path.iter().fold(value.clone(), |value, name| {
        if value.is_object() {
            Reflect::get(&value, &name.into()).unwrap_or(JsValue::UNDEFINED)
        } else {
            JsValue::UNDEFINED
        }
    })
}

/// Takes the value at a path out of its object.
pub(crate) fn remove(value: &JsValue, path: &[String]) {
    if let Some((last, parents)) = path.split_last() {
        let parent = at(value, parents);
        if let Some(parent) = parent.dyn_ref::<js_sys::Object>() {
            // Only a frozen object could refuse, and the parser makes none.
            let _ = Reflect::delete_property(parent, &last.into());
        }
    }
}

/// A number, or a text that is one: some servers quote.
pub(crate) fn number(value: &JsValue) -> Option<f64> {
    let is_blank = || value.as_string().is_none_or(|text| text.trim().is_empty());
    // The platform's own conversion (ECMA-262, 21.1.1.1): a parser of floats is large.
    let number = match value.as_f64() {
        Some(number) => number,
        None if is_blank() => return None,
        None => js_sys::Number::from(value.clone()).value_of(),
    };
    number.is_finite().then_some(number)
}

/// A text or a number as text, so that 40101 equals "40101".
pub(crate) fn text(value: &JsValue) -> Option<String> {
    value.as_string().or_else(|| {
        let number = value.as_f64()?;
        js_sys::Number::from(number).to_string_with_radix(10).ok().map(String::from)
    })
}
