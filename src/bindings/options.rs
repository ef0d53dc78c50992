//! Reading options and arguments that JavaScript gave. An error names the option, what it takes and
//! what it got; a value that might be a secret is named by its type.

use js_sys::{Array, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};

use super::bad_argument;
use crate::browser::{Tokens, json_text};
use crate::core::{
    Carrier, Check, Content, Credentials, Endpoint, Failure, Field, Options, Restore, Secret, Tabs,
};

const OPTIONS: [&str; 12] = [
    "refresh",
    "logout",
    "apis",
    "attach",
    "unauthorized",
    "response",
    "csrf",
    "refreshToken",
    "refreshBefore",
    "tabs",
    "restore",
    "exposeToken",
];
const ENDPOINT: [&str; 6] = ["url", "method", "headers", "body", "timeout", "credentials"];

/// The options.
pub(super) fn read(value: &JsValue) -> Result<Options, Failure> {
    let check = &mut Check::default();
    let mut options = Options::new("");
    let all = Members::of(value, "", &OPTIONS, check);
    all.endpoint("refresh", &mut options.refresh, check);
    let takes = "is missing; it takes the URL of the refresh endpoint, or an object with `url`";
    check.that(all.has("refresh"), &["refresh"], takes);
    if all.has("logout") {
        all.endpoint("logout", options.logout.insert(Endpoint::new("")), check);
    }
    if all.has("apis") {
        options.apis = Some(all.list("apis", "URLs", url, check));
    }
    let attach = all.members("attach", "attach.", &["header", "scheme"], check);
    attach.text("header", &mut options.attach.0, check);
    attach.text("scheme", &mut options.attach.1, check);
    let rule = all.members("unauthorized", "unauthorized.", &["status", "body"], check);
    if rule.has("status") {
        options.unauthorized.status = rule.list("status", "HTTP statuses", status, check);
    }
    if rule.has("body") {
        options.unauthorized.field = Some(rule.field(check));
    }
    let names = ["accessToken", "expiresIn", "refreshToken"];
    let response = all.members("response", "response.", &names, check);
    response.text("accessToken", &mut options.access_token_at, check);
    response.text("expiresIn", &mut options.expires_in_at, check);
    response.text("refreshToken", &mut options.refresh_token_at, check);
    if all.has("csrf") {
        let csrf = all.members("csrf", "csrf.", &["cookie", "header"], check);
        let (cookie, header) = options.csrf.insert(Default::default());
        csrf.needed("cookie", cookie, check);
        csrf.needed("header", header, check);
    }
    if all.has("refreshToken") {
        options.refresh_token = all.carrier(check);
    }
    if all.has("refreshBefore") {
        all.number("refreshBefore", options.refresh_before.insert(0.0), check);
    }
    options.tabs = match all.choice("tabs", &["share", "lock", "off"], check) {
        0 => Tabs::Share,
        1 => Tabs::Lock,
        _ => Tabs::Off,
    };
    options.restore = match all.choice("restore", &["lazy", "eager", "manual"], check) {
        0 => Restore::Lazy,
        1 => Restore::Eager,
        _ => Restore::Manual,
    };
    let expose = all.get("exposeToken");
    options.expose_token = expose.is_truthy();
    let is_flag = expose.is_undefined() || expose.as_bool().is_some();
    all.check(is_flag, "exposeToken", "`true` or `false`", check);
    std::mem::take(check).result(options)
}

/// The argument of `setTokens`.
pub(super) fn tokens(value: &JsValue) -> Result<Tokens, Failure> {
    let argument = |name: &str, takes: &str, got: &JsValue| {
        bad_argument(&["setTokens: ", name, " takes ", takes, ", and got ", &kind(got)].concat())
    };
    if !value.is_object() {
        return Err(argument("it", "an object", value));
    }
    let secret = |name: &str| {
        let value = member(value, name);
        let text = value.as_string().ok_or_else(|| argument(name, "a string", &value))?;
        Secret::new(text).map_err(|fault| {
            bad_argument(&["setTokens: ", name, " got a token that ", fault.reason()].concat())
        })
    };
    let expires_in = member(value, "expiresIn");
    if !is_missing(&expires_in) && expires_in.as_f64().is_none() {
        return Err(argument("expiresIn", "a number of seconds", &expires_in));
    }
    let has_refresh_token = !is_missing(&member(value, "refreshToken"));
    Ok(Tokens {
        access_token: secret("accessToken")?,
        expires_in: expires_in.as_f64(),
        refresh_token: has_refresh_token.then(|| secret("refreshToken")).transpose()?,
    })
}

/// An object of options, of which all names are known. One that is not there has no members.
struct Members {
    object: JsValue,
    prefix: &'static str,
}

impl Members {
    fn of(object: &JsValue, prefix: &'static str, known: &[&str], check: &mut Check) -> Self {
        let name = if prefix.is_empty() { "options" } else { prefix.trim_end_matches('.') };
        let is_record = object.is_object() && !Array::is_array(object);
        let got = ["takes an object, and got ", &kind(object)].concat();
        check.that(is_record || object.is_undefined(), &[name], &got);
        if is_record {
            for key in Object::keys(object.unchecked_ref::<Object>())
                .iter()
                .filter_map(|key| key.as_string())
            {
                let is_known = known.contains(&key.as_str());
                let takes = ["is unknown; known are ", &known.join(", ")].concat();
                check.that(is_known, &[prefix, &key], &takes);
            }
        }
        Self { object: if is_record { object.clone() } else { JsValue::UNDEFINED }, prefix }
    }

    fn members(&self, name: &str, prefix: &'static str, known: &[&str], check: &mut Check) -> Self {
        Self::of(&self.get(name), prefix, known, check)
    }

    fn get(&self, name: &str) -> JsValue {
        member(&self.object, name)
    }

    fn has(&self, name: &str) -> bool {
        !self.get(name).is_undefined()
    }

    fn check(&self, is_right: bool, name: &str, takes: &str, check: &mut Check) {
        if !is_right {
            let takes = ["takes ", takes, ", and got ", &kind(&self.get(name))].concat();
            check.that(false, &[self.prefix, name], &takes);
        }
    }

    fn text(&self, name: &str, to: &mut String, check: &mut Check) {
        if self.has(name) {
            self.needed(name, to, check);
        }
    }

    fn needed(&self, name: &str, to: &mut String, check: &mut Check) {
        let text = self.get(name).as_string();
        self.check(text.is_some(), name, "a string", check);
        *to = text.unwrap_or_default();
    }

    fn number(&self, name: &str, to: &mut f64, check: &mut Check) {
        if self.has(name) {
            let number = self.get(name).as_f64();
            self.check(number.is_some(), name, "a number of milliseconds", check);
            *to = number.unwrap_or_default();
        }
    }

    /// The place of the value among the choices. The first is the default.
    fn choice(&self, name: &str, choices: &[&str], check: &mut Check) -> usize {
        let text = self.get(name).as_string();
        let at = choices.iter().position(|choice| text.as_deref() == Some(choice));
        let takes = ["'", &choices.join("', '"), "'"].concat();
        self.check(at.is_some() || !self.has(name), name, &takes, check);
        at.unwrap_or_default()
    }

    fn list<T>(
        &self,
        name: &str,
        takes: &str,
        read: fn(&JsValue) -> Option<T>,
        check: &mut Check,
    ) -> Vec<T> {
        let value = self.get(name);
        let list = if Array::is_array(&value) { Array::from(&value) } else { Array::of1(&value) };
        let read: Option<Vec<T>> = list.iter().map(|value| read(&value)).collect();
        let takes = ["a list of ", takes].concat();
        self.check(read.is_some() && Array::is_array(&value), name, &takes, check);
        read.unwrap_or_default()
    }

    fn endpoint(&self, name: &'static str, to: &mut Endpoint, check: &mut Check) {
        let value = self.get(name);
        if let Some(url) = url(&value) {
            to.url = url;
            return;
        }
        let prefix = if name == "refresh" { "refresh." } else { "logout." };
        let all = Self::of(&value, prefix, &ENDPOINT, check);
        let url = url(&all.get("url"));
        all.check(url.is_some() || value.is_undefined(), "url", "a URL", check);
        to.url = url.unwrap_or_default();
        all.text("method", &mut to.method, check);
        if all.has("headers") {
            let headers = record(&all.get("headers"));
            all.check(headers.is_some(), "headers", "an object of strings", check);
            to.headers = headers.unwrap_or_default();
        }
        if all.has("body") {
            let body = all.get("body");
            let content = match body.as_string() {
                Some(text) => Some(Content::Text(text)),
                None => record(&body).map(Content::Fields),
            };
            all.check(content.is_some(), "body", "a string, or an object of strings", check);
            to.content = content.unwrap_or_default();
        }
        all.number("timeout", &mut to.timeout, check);
        to.credentials = match all.choice("credentials", &["include", "same-origin", "omit"], check)
        {
            0 => Credentials::Include,
            1 => Credentials::SameOrigin,
            _ => Credentials::Omit,
        };
    }

    fn field(&self, check: &mut Check) -> Field {
        let all = self.members("body", "unauthorized.body.", &["path", "equals"], check);
        let mut dotted = String::new();
        all.needed("path", &mut dotted, check);
        let path = check.path("unauthorized.body.path", &dotted);
        Field { path, equals: all.list("equals", "strings or numbers", json_text, check) }
    }

    fn carrier(&self, check: &mut Check) -> Carrier {
        let takes = "'cookie', `{ json: field }`, `{ form: field }` or `{ header: name, scheme? }`";
        let value = self.get("refreshToken");
        if let Some(text) = value.as_string() {
            self.check(text == "cookie", "refreshToken", takes, check);
            return Carrier::Cookie;
        }
        let names = ["json", "form", "header", "scheme"];
        let all = self.members("refreshToken", "refreshToken.", &names, check);
        let [json, form, header, scheme] = names.map(|name| {
            all.has(name).then(|| {
                let mut text = String::new();
                all.needed(name, &mut text, check);
                text
            })
        });
        match (json, form, header, scheme) {
            (Some(field), None, None, None) => Carrier::Json(field),
            (None, Some(field), None, None) => Carrier::Form(field),
            (None, None, Some(name), scheme) => Carrier::Header(name, scheme),
            _ => {
                self.check(false, "refreshToken", takes, check);
                Carrier::Cookie
            }
        }
    }
}

fn member(object: &JsValue, name: &str) -> JsValue {
    // A getter that throws has been run, and refused, by the face's copy.
    Reflect::get(object, &name.into()).unwrap_or(JsValue::UNDEFINED)
}

fn is_missing(value: &JsValue) -> bool {
    value.is_undefined() || value.is_null()
}

/// A URL: a string, or an object of the class `URL`.
fn url(value: &JsValue) -> Option<String> {
    value.as_string().or_else(|| value.dyn_ref::<web_sys::Url>().map(web_sys::Url::href))
}

fn status(value: &JsValue) -> Option<u16> {
    let number = value.as_f64()?;
    let status = number as u16;
    (f64::from(status) == number).then_some(status)
}

/// A record of strings.
fn record(value: &JsValue) -> Option<Vec<(String, String)>> {
    if !value.is_object() || Array::is_array(value) {
        return None;
    }
    let object: &Object = value.unchecked_ref();
    let read = |key: JsValue| {
        let value = Reflect::get(object, &key).ok()?.as_string()?;
        Some((key.as_string()?, value))
    };
    Object::keys(object).iter().map(read).collect()
}

/// What a wrong value is, by its type: the value itself may be a secret.
fn kind(value: &JsValue) -> String {
    if value.is_null() {
        "null".to_owned()
    } else if Array::is_array(value) {
        "a list".to_owned()
    } else {
        let name = value.js_typeof().as_string().unwrap_or_default();
        let article = match name.as_str() {
            "undefined" => "",
            "object" => "an ",
            _ => "a ",
        };
        [article, &name].concat()
    }
}
