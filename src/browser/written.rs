//! Converts the [`Options`] of an app in Rust to the form of an app in JavaScript, because `options.js` checks both.

use js_sys::{Array, Object};
use wasm_bindgen::JsValue;

use crate::core::{
    AnswerRule, Attach, Carrier, Content, Credentials, DpopKeys, Endpoint, Offline, Options,
    Renewal, Restore, Sends, Tabs,
};

/// The options as a JavaScript object.
pub(super) fn written(options: &Options) -> JsValue {
    let refresh = match options.renewal {
        Some(Renewal::Never) => JsValue::FALSE,
        _ => endpoint(&options.refresh),
    };
    let response = object([
        ("accessToken", text(&options.access_token_at)),
        ("refreshToken", text(&options.refresh_token_at)),
        ("expiresIn", text(&options.expires_in_at)),
        ("expiresAt", text(&options.expires_at_at)),
        ("sessionExpiresIn", text(&options.session_expires_in_at)),
    ]);
    let login = object([
        ("timeout", options.login_timeout.into()),
        ("incomplete", rules(&options.incomplete)),
    ]);
    let tabs = match options.tabs {
        Tabs::Share => "share",
        Tabs::Lock => "lock",
        Tabs::Off => "off",
    };
    let restore = match options.restore {
        Restore::Lazy => "lazy",
        Restore::Eager => "eager",
        Restore::Manual => "manual",
    };
    let offline = match options.offline {
        Offline::Auto => "auto",
        Offline::Send => "send",
        Offline::Reject => "reject",
    };
    let dpop = match options.dpop {
        None => JsValue::FALSE,
        Some(DpopKeys::Stored) => JsValue::TRUE,
        Some(DpopKeys::Memory) => object([("keys", text("memory"))]),
    };
    object([
        ("refresh", refresh),
        ("logout", maybe(options.logout.as_ref(), endpoint)),
        ("apis", maybe(options.apis.as_deref(), texts)),
        ("attach", attach(&options.attach)),
        ("unauthorized", rules(&options.unauthorized)),
        ("ended", rules(&options.ended)),
        ("stepUp", rules(&options.step_up)),
        ("rejected", maybe(options.rejected.as_deref(), rules)),
        ("adopt", maybe(options.adopt.as_deref(), |name| object([("header", text(name))]))),
        ("response", response),
        ("csrf", maybe(options.csrf.as_ref(), csrf)),
        ("refreshToken", carrier(&options.refresh_token)),
        ("refreshBefore", maybe(options.refresh_before, JsValue::from)),
        ("tabs", text(tabs)),
        ("restore", text(restore)),
        ("exposeToken", options.expose_token.into()),
        ("name", maybe(options.name.as_deref(), text)),
        ("subject", text(&options.subject)),
        ("sessionHint", maybe(options.session_hint.as_deref(), text)),
        ("login", login),
        ("offline", text(offline)),
        ("dpop", dpop),
    ])
}

fn endpoint(endpoint: &Endpoint) -> JsValue {
    let credentials = match endpoint.credentials {
        Credentials::Include => "include",
        Credentials::SameOrigin => "same-origin",
        Credentials::Omit => "omit",
    };
    let body = match &endpoint.content {
        Content::Empty => JsValue::UNDEFINED,
        Content::Text(body) => text(body),
        Content::Fields(fields) => record(fields),
    };
    let sends = endpoint.sends.map(|sends| match sends {
        Sends::Access => "access",
        Sends::Refresh => "refresh",
        Sends::Token => "token",
    });
    let success = endpoint.success.iter().map(|status| JsValue::from(*status)).collect();
    object([
        ("url", text(&endpoint.url)),
        ("method", text(&endpoint.method)),
        ("headers", record(&endpoint.headers)),
        ("body", body),
        ("timeout", endpoint.timeout.into()),
        ("credentials", text(credentials)),
        ("csrf", maybe(endpoint.csrf.as_ref(), csrf)),
        // A refresh has neither.
        ("success", filled(success)),
        ("send", maybe(sends, text)),
    ])
}

fn attach(attach: &Attach) -> JsValue {
    match attach {
        Attach::Header(name, scheme) => object([("header", text(name)), ("scheme", text(scheme))]),
        Attach::Query(name) => object([("query", text(name))]),
        Attach::Cookie(pair) => {
            object([("cookie", JsValue::TRUE), ("csrf", maybe(pair.as_ref(), csrf))])
        }
    }
}

fn carrier(carrier: &Carrier) -> JsValue {
    match carrier {
        Carrier::Cookie => text("cookie"),
        Carrier::Json(field) => object([("json", text(field))]),
        Carrier::Form(field) => object([("form", text(field))]),
        Carrier::Header(name, scheme) => {
            object([("header", text(name)), ("scheme", maybe(scheme.as_deref(), text))])
        }
    }
}

fn rules(rules: &[AnswerRule]) -> JsValue {
    rules.iter().map(rule).collect::<Array>().into()
}

fn rule(rule: &AnswerRule) -> JsValue {
    let set = |flag| if flag { JsValue::TRUE } else { JsValue::UNDEFINED };
    let body = rule.body.as_ref().map(|body| {
        let (path, equals) = (text(&body.path), some(&body.equals));
        object([("path", path), ("equals", equals), ("absent", set(body.absent))])
    });
    let header = rule
        .header
        .as_ref()
        .map(|header| object([("name", text(&header.name)), ("equals", some(&header.equals))]));
    object([
        ("status", filled(rule.status.iter().map(|status| JsValue::from(*status)).collect())),
        ("body", body.unwrap_or_default()),
        ("header", header.unwrap_or_default()),
        ("challenge", some(&rule.challenge)),
        ("redirected", set(rule.redirected)),
        ("networkError", set(rule.network_error)),
    ])
}

fn csrf((cookie, header): &(String, String)) -> JsValue {
    object([("cookie", text(cookie)), ("header", text(header))])
}

fn text(text: &str) -> JsValue {
    JsValue::from_str(text)
}

fn texts(texts: &[String]) -> JsValue {
    texts.iter().map(|entry| text(entry)).collect::<Array>().into()
}

/// The texts, unless the list is empty.
fn some(texts: &[String]) -> JsValue {
    filled(texts.iter().map(|entry| text(entry)).collect())
}

fn filled(list: Array) -> JsValue {
    if list.length() == 0 { JsValue::UNDEFINED } else { list.into() }
}

fn record(pairs: &[(String, String)]) -> JsValue {
    from_entries(pairs.iter().map(|(name, value)| (text(name), text(value))))
}

fn maybe<T>(value: Option<T>, write: impl Fn(T) -> JsValue) -> JsValue {
    value.map(write).unwrap_or_default()
}

/// An object without the members that are `undefined`, because `options.js` refuses unknown names.
fn object<const N: usize>(members: [(&str, JsValue); N]) -> JsValue {
    let members = members.into_iter().filter(|(_, value)| !value.is_undefined());
    from_entries(members.map(|(name, value)| (text(name), value)))
}

fn from_entries(entries: impl Iterator<Item = (JsValue, JsValue)>) -> JsValue {
    let entries: Array = entries.map(|(name, value)| Array::of2(&name, &value)).collect();
    // It accepts every list of pairs, so it cannot fail.
    Object::from_entries(&entries).map(JsValue::from).unwrap_or_default()
}
