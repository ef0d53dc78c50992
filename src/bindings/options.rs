//! Reading options and arguments that JavaScript gave. An error names the option, what it got, and
//! what it takes; a value that might be a secret is named by its type.

use js_sys::{Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};

use super::bad_argument;
use super::claims::is_list;
use crate::browser::Tokens;
use crate::core::{
    Carrier, Content, Credentials, Endpoint, Failure, Field, Options, Restore, Secret, Tabs, path,
    wrong,
};

/// The options.
pub(super) fn read(value: &JsValue) -> Result<Options, Failure> {
    let all = Members::of(
        "options",
        "",
        value,
        &[
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
        ],
    )?;
    let refresh = all.get("refresh");
    if refresh.is_undefined() {
        return Err(wrong(
            "refresh",
            "is missing; it takes the URL of the refresh endpoint, or an object with `url`",
        ));
    }
    let mut options = Options::new("");
    options.refresh = endpoint("refresh", &refresh)?;
    options.logout = all.some("logout").map(|value| endpoint("logout", &value)).transpose()?;
    options.apis = all.some("apis").map(|value| texts("apis", &value)).transpose()?;
    if let Some(value) = all.some("attach") {
        let attach = Members::of("attach", "attach.", &value, &["header", "scheme"])?;
        attach.text("header", &mut options.attach.0)?;
        attach.text("scheme", &mut options.attach.1)?;
    }
    if let Some(value) = all.some("unauthorized") {
        let rule = Members::of("unauthorized", "unauthorized.", &value, &["status", "body"])?;
        if let Some(value) = rule.some("status") {
            options.unauthorized.status = list("unauthorized.status", &value)?
                .iter()
                .map(|value| {
                    value
                        .as_f64()
                        .filter(|n| n.fract() == 0.0 && (0.0..=999.0).contains(n))
                        .map(|n| n as u16)
                })
                .collect::<Option<_>>()
                .ok_or_else(|| wrong("unauthorized.status", "takes a list of HTTP statuses"))?;
        }
        options.unauthorized.field = rule.some("body").map(|value| field(&value)).transpose()?;
    }
    if let Some(value) = all.some("response") {
        let names = ["accessToken", "expiresIn", "refreshToken"];
        let response = Members::of("response", "response.", &value, &names)?;
        response.text("accessToken", &mut options.access_token_at)?;
        response.text("expiresIn", &mut options.expires_in_at)?;
        response.text("refreshToken", &mut options.refresh_token_at)?;
    }
    if let Some(value) = all.some("csrf") {
        let csrf = Members::of("csrf", "csrf.", &value, &["cookie", "header"])?;
        options.csrf = Some((csrf.needed("cookie")?, csrf.needed("header")?));
    }
    if let Some(value) = all.some("refreshToken") {
        options.refresh_token = carrier(&value)?;
    }
    options.refresh_before = all.number("refreshBefore")?;
    options.tabs =
        all.choice("tabs", &[("share", Tabs::Share), ("lock", Tabs::Lock), ("off", Tabs::Off)])?;
    let restores =
        [("lazy", Restore::Lazy), ("eager", Restore::Eager), ("manual", Restore::Manual)];
    options.restore = all.choice("restore", &restores)?;
    options.expose_token = all.choice_of("exposeToken", "`true` or `false`", JsValue::as_bool)?;
    Ok(options)
}

/// The argument of `setTokens`.
pub(super) fn tokens(value: &JsValue) -> Result<Tokens, Failure> {
    if !value.is_object() {
        return Err(bad_argument(&format!("setTokens takes an object, and got {}", kind(value))));
    }
    let member = |name: &str| Reflect::get(value, &name.into()).unwrap_or(JsValue::UNDEFINED);
    let secret = |name: &str, value: &JsValue| {
        let text = value.as_string().ok_or_else(|| {
            bad_argument(&format!("`{name}` takes a string, and got {}", kind(value)))
        })?;
        Secret::new(text)
            .map_err(|fault| bad_argument(&format!("`{name}` got a token that {}", fault.reason())))
    };
    let expires_in = member("expiresIn");
    if !expires_in.is_undefined() && !expires_in.is_null() && expires_in.as_f64().is_none() {
        return Err(bad_argument(&format!(
            "`expiresIn` takes a number of seconds, and got {}",
            kind(&expires_in)
        )));
    }
    let refresh_token = member("refreshToken");
    Ok(Tokens {
        access_token: secret("accessToken", &member("accessToken"))?,
        expires_in: expires_in.as_f64(),
        refresh_token: if refresh_token.is_undefined() || refresh_token.is_null() {
            None
        } else {
            Some(secret("refreshToken", &refresh_token)?)
        },
    })
}

fn endpoint(name: &str, value: &JsValue) -> Result<Endpoint, Failure> {
    if let Some(url) = url(value) {
        return Ok(Endpoint::new(url));
    }
    let prefix = format!("{name}.");
    let names = ["url", "method", "headers", "body", "timeout", "credentials"];
    let all = Members::of(name, &prefix, value, &names)?;
    let url = url(&all.get("url")).ok_or_else(|| all.wrong("url", "a URL"))?;
    let mut endpoint = Endpoint::new(url);
    all.text("method", &mut endpoint.method)?;
    if let Some(value) = all.some("headers") {
        endpoint.headers =
            record(&value).ok_or_else(|| all.wrong("headers", "an object of strings"))?;
    }
    if let Some(value) = all.some("body") {
        endpoint.content = match value.as_string() {
            Some(text) => Content::Text(text),
            None => record(&value)
                .map(Content::Fields)
                .ok_or_else(|| all.wrong("body", "a string, or an object of strings"))?,
        };
    }
    if let Some(ms) = all.number("timeout")? {
        endpoint.timeout = ms;
    }
    endpoint.credentials = all.choice(
        "credentials",
        &[
            ("include", Credentials::Include),
            ("same-origin", Credentials::SameOrigin),
            ("omit", Credentials::Omit),
        ],
    )?;
    Ok(endpoint)
}

fn field(value: &JsValue) -> Result<Field, Failure> {
    let all = Members::of("unauthorized.body", "unauthorized.body.", value, &["path", "equals"])?;
    let values = all.get("equals");
    let values = if is_list(&values) { list("", &values)? } else { vec![values] };
    let equals = values.iter().map(crate::browser::json_text).collect::<Option<Vec<_>>>();
    Ok(Field {
        path: path("unauthorized.body.path", &all.needed("path")?)?,
        equals: equals.ok_or_else(|| all.wrong("equals", "strings or numbers"))?,
    })
}

fn carrier(value: &JsValue) -> Result<Carrier, Failure> {
    if value.as_string().as_deref() == Some("cookie") {
        return Ok(Carrier::Cookie);
    }
    let takes = "`'cookie'`, `{ json: field }`, `{ form: field }` or `{ header: name, scheme? }`";
    let all =
        Members::of("refreshToken", "refreshToken.", value, &["json", "form", "header", "scheme"])
            .map_err(|failure| {
                if value.is_object() {
                    failure
                } else {
                    wrong("refreshToken", &format!("takes {takes}, and got {}", kind(value)))
                }
            })?;
    let one = |name: &str| all.some(name).map(|_| all.needed(name)).transpose();
    match (one("json")?, one("form")?, one("header")?, one("scheme")?) {
        (Some(name), None, None, None) => Ok(Carrier::Json(name)),
        (None, Some(name), None, None) => Ok(Carrier::Form(name)),
        (None, None, Some(name), scheme) => Ok(Carrier::Header(name, scheme)),
        _ => Err(wrong("refreshToken", &format!("takes one of {takes}"))),
    }
}

/// An object of options, of which all names are known.
struct Members<'a> {
    object: &'a JsValue,
    prefix: &'a str,
}

impl<'a> Members<'a> {
    fn of(
        name: &str,
        prefix: &'a str,
        object: &'a JsValue,
        known: &[&str],
    ) -> Result<Self, Failure> {
        let Some(keys) = object.dyn_ref::<Object>().filter(|_| !is_list(object)).map(Object::keys)
        else {
            return Err(wrong(name, &format!("takes an object, and got {}", kind(object))));
        };
        for key in keys.iter().filter_map(|key| key.as_string()) {
            if !known.contains(&key.as_str()) {
                let takes = format!("is unknown; known are {}", known.join(", "));
                return Err(wrong(&format!("{prefix}{key}"), &takes));
            }
        }
        Ok(Self { object, prefix })
    }

    fn get(&self, name: &str) -> JsValue {
        // A getter that throws has been run, and refused, by the face's copy.
        Reflect::get(self.object, &name.into()).unwrap_or(JsValue::UNDEFINED)
    }

    fn some(&self, name: &str) -> Option<JsValue> {
        Some(self.get(name)).filter(|value| !value.is_undefined())
    }

    fn wrong(&self, name: &str, takes: &str) -> Failure {
        let got = kind(&self.get(name));
        wrong(&format!("{}{name}", self.prefix), &format!("takes {takes}, and got {got}"))
    }

    fn text(&self, name: &str, to: &mut String) -> Result<(), Failure> {
        if self.some(name).is_some() {
            *to = self.needed(name)?;
        }
        Ok(())
    }

    fn needed(&self, name: &str) -> Result<String, Failure> {
        self.get(name).as_string().ok_or_else(|| self.wrong(name, "a string"))
    }

    fn number(&self, name: &str) -> Result<Option<f64>, Failure> {
        self.some(name)
            .map(|value| value.as_f64().ok_or_else(|| self.wrong(name, "a number of milliseconds")))
            .transpose()
    }

    fn choice<T: Copy + Default>(&self, name: &str, choices: &[(&str, T)]) -> Result<T, Failure> {
        let takes: Vec<String> = choices.iter().map(|(text, _)| format!("'{text}'")).collect();
        self.choice_of(name, &takes.join(", "), |value| {
            let text = value.as_string()?;
            choices.iter().find(|(choice, _)| *choice == text).map(|(_, of)| *of)
        })
    }

    fn choice_of<T: Default>(
        &self,
        name: &str,
        takes: &str,
        choose: impl Fn(&JsValue) -> Option<T>,
    ) -> Result<T, Failure> {
        match self.some(name) {
            None => Ok(T::default()),
            Some(value) => choose(&value).ok_or_else(|| self.wrong(name, takes)),
        }
    }
}

fn list(name: &str, value: &JsValue) -> Result<Vec<JsValue>, Failure> {
    if is_list(value) {
        Ok(js_sys::Array::from(value).to_vec())
    } else {
        Err(wrong(name, &format!("takes a list, and got {}", kind(value))))
    }
}

fn texts(name: &str, value: &JsValue) -> Result<Vec<String>, Failure> {
    list(name, value)?
        .iter()
        .map(|value| {
            url(value).ok_or_else(|| wrong(name, &format!("takes URLs, and got {}", kind(value))))
        })
        .collect()
}

/// A URL: a string, or an object of the class `URL`.
fn url(value: &JsValue) -> Option<String> {
    value.as_string().or_else(|| value.dyn_ref::<web_sys::Url>().map(web_sys::Url::href))
}

/// A record of strings.
fn record(value: &JsValue) -> Option<Vec<(String, String)>> {
    let object = value.dyn_ref::<Object>().filter(|_| !is_list(value))?;
    Object::entries(object)
        .iter()
        .map(|entry| {
            let entry = js_sys::Array::from(&entry);
            Some((entry.get(0).as_string()?, entry.get(1).as_string()?))
        })
        .collect()
}

/// What a wrong value is, by its type: the value itself may be a secret.
fn kind(value: &JsValue) -> String {
    if value.is_null() {
        "null".to_owned()
    } else if is_list(value) {
        "a list".to_owned()
    } else {
        value.js_typeof().as_string().map_or_else(String::new, |name| match name.as_str() {
            "undefined" => name,
            "object" => "an object".to_owned(),
            _ => format!("a {name}"),
        })
    }
}
