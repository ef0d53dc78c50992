//! A call that has arrived, and the answers to it.

use js_sys::Function;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Headers, Request, Response, ResponseInit};

/// A call that waits for its answer.
pub struct Call {
    pub request: Request,
    /// The part of its URL below the test's own.
    pub path: String,
    pub(super) resolve: Function,
    pub(super) reject: Function,
}

impl Call {
    pub fn header(&self, name: &str) -> Option<String> {
        self.request.headers().get(name).expect("the name of a field")
    }

    /// The token in the call's header.
    pub fn token(&self) -> Option<String> {
        self.header("Authorization")
    }

    pub async fn text(&self) -> String {
        let text = JsFuture::from(self.request.text().expect("an unread body")).await;
        text.expect("a whole body").as_string().expect("a text")
    }

    pub async fn bytes(&self) -> Vec<u8> {
        let buffer = JsFuture::from(self.request.array_buffer().expect("an unread body")).await;
        js_sys::Uint8Array::new(&buffer.expect("a whole body")).to_vec()
    }

    /// Sends the answer.
    pub fn answer(self, response: &Response) {
        self.resolve.call1(&JsValue::UNDEFINED, response).expect("a promise's own function");
    }

    /// Fails like a platform that reaches no server.
    pub fn fail(self, reason: &JsValue) {
        self.reject.call1(&JsValue::UNDEFINED, reason).expect("a promise's own function");
    }
}

/// An answer: status, header fields, body.
pub fn answer(status: u16, fields: &[(&str, &str)], body: Option<&str>) -> Response {
    let headers = Headers::new().expect("header fields");
    for (name, value) in fields {
        headers.append(name, value).expect("a header field");
    }
    let init = ResponseInit::new();
    init.set_status(status);
    init.set_headers(&headers);
    Response::new_with_opt_str_and_init(body, &init).expect("an answer")
}

pub fn json(status: u16, body: &str) -> Response {
    answer(status, &[("Content-Type", "application/json")], Some(body))
}

/// The answer of a refresh endpoint with a new token, good for five minutes.
pub fn token(token: &str) -> Response {
    let body = r#"{"access_token":"TOKEN","token_type":"Bearer","expires_in":300}"#;
    json(200, &body.replace("TOKEN", token))
}

/// The 401 of an API.
pub fn refused(body: &str) -> Response {
    let challenge = ("WWW-Authenticate", r#"Bearer error="invalid_token""#);
    answer(401, &[challenge, ("Content-Type", "text/plain")], Some(body))
}
