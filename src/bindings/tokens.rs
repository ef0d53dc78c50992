//! The argument of `setTokens`. `options.js` checks its types.

use wasm_bindgen::prelude::*;

use crate::browser::{Record, TokenError, Tokens};
use crate::core::{Code, Secret, Step, concat};

#[wasm_bindgen(module = "/src/browser/options.js")]
extern "C" {
    #[wasm_bindgen(catch, js_name = tokens)]
    fn read_tokens(given: &JsValue) -> Result<Record, JsValue>;
}

/// The argument of `setTokens`.
pub(super) fn read(given: &JsValue) -> Result<Tokens, TokenError> {
    let wrong = |reason: &str| TokenError::invalid(Code::InvalidArgument, Step::Login, reason);
    let read = read_tokens(given);
    let read = read.map_err(|text| wrong(&text.as_string().unwrap_or_default()))?;
    let secret = |name: &str, text: String| {
        Secret::new(text)
            .map_err(|fault| wrong(&concat(&["setTokens: ", name, " ", fault.reason()])))
    };
    Ok(Tokens {
        access_token: secret("accessToken", read.text("accessToken").unwrap_or_default())?,
        expires_in: read.number("expiresIn"),
        refresh_token: read
            .text("refreshToken")
            .map(|text| secret("refreshToken", text))
            .transpose()?,
    })
}
