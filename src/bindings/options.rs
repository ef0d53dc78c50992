//! Options and arguments that JavaScript gave: `options.js` reads them and holds them to their
//! types, and here they become what the core takes. The defaults stand in [`Options::new`] alone.

use js_sys::Array;
use wasm_bindgen::prelude::*;

use crate::browser::{Hooks, List, TokenError, Tokens};
use crate::core::{
    AnswerRule, Attach, Carrier, Code, Content, Credentials, DpopKeys, Endpoint, Failure, Field,
    HeaderField, Offline, Options, Renewal, Restore, Secret, Sends, Step, Tabs, concat,
};

#[wasm_bindgen(module = "/src/browser/options.js")]
extern "C" {
    #[wasm_bindgen(catch, js_name = options)]
    fn read_options(given: &JsValue) -> Result<Array, JsValue>;

    fn got(given: &JsValue, said: &str) -> String;

    #[wasm_bindgen(catch, js_name = tokens)]
    fn read_tokens(given: &JsValue) -> Result<Array, JsValue>;
}

/// The options, and the functions among them.
pub(super) fn read(given: &JsValue) -> Result<(Box<Options>, Hooks), Failure> {
    let list = &mut list(read_options(given), Code::InvalidOption, Step::Setup)?;
    let mut options = Box::new(Options::new(""));
    options.refresh = endpoint(list).unwrap_or(options.refresh);
    options.renewal = list.number().map(|never| match never {
        0.0 => Renewal::Always,
        _ => Renewal::Never,
    });
    options.logout = endpoint(list);
    options.apis = texts(list);
    let (header, scheme, query) = (list.text(), list.text(), list.text());
    let (cookie, csrf) = (list.number(), pair(list));
    if let Some(name) = query {
        options.attach = Attach::Query(name);
    } else if cookie.is_some() {
        options.attach = Attach::Cookie(csrf);
    } else if let Attach::Header(name, word) = &mut options.attach {
        *name = header.unwrap_or(std::mem::take(name));
        *word = scheme.unwrap_or(std::mem::take(word));
    }
    options.unauthorized = rules(list).unwrap_or(options.unauthorized);
    options.ended = rules(list).unwrap_or(options.ended);
    options.step_up = rules(list).unwrap_or(options.step_up);
    options.rejected = rules(list);
    options.adopt = list.text();
    set(list, &mut options.access_token_at);
    set(list, &mut options.refresh_token_at);
    set(list, &mut options.expires_in_at);
    set(list, &mut options.expires_at_at);
    set(list, &mut options.session_expires_in_at);
    options.csrf = pair(list);
    let (carrier, name, scheme) = (list.text(), list.text(), list.text());
    if let (Some(carrier), Some(name)) = (carrier, name) {
        options.refresh_token = match carrier.as_str() {
            "json" => Carrier::Json(name),
            "form" => Carrier::Form(name),
            _ => Carrier::Header(name, scheme),
        };
    }
    options.refresh_before = list.number();
    options.tabs = match choice(list) {
        0 => Tabs::Share,
        1 => Tabs::Lock,
        _ => Tabs::Off,
    };
    options.restore = match choice(list) {
        0 => Restore::Lazy,
        1 => Restore::Eager,
        _ => Restore::Manual,
    };
    options.expose_token = choice(list) != 0;
    options.name = list.text();
    set(list, &mut options.subject);
    options.session_hint = list.text();
    options.login_timeout = list.number().unwrap_or(options.login_timeout);
    options.incomplete = rules(list).unwrap_or_default();
    options.offline = match choice(list) {
        0 => Offline::Auto,
        1 => Offline::Send,
        _ => Offline::Reject,
    };
    options.dpop = list.number().map(|place| match place {
        0.0 => DpopKeys::Stored,
        _ => DpopKeys::Memory,
    });
    let mut hooks = Hooks::default();
    if let Some(mut list) = list.list() {
        hooks = Hooks {
            refresh: list.value(),
            refresh_headers: list.value(),
            logout_headers: list.value(),
        };
    }
    Ok((options, hooks))
}

/// What the core says of an option that is wrong, and what it got.
pub(super) fn with_what_it_got(given: &JsValue, error: &TokenError) -> TokenError {
    let failure = error.failure().clone();
    let detail = got(given, failure.detail.as_deref().unwrap_or_default());
    failure.with_detail(detail).into()
}

/// The argument of `setTokens`.
pub(super) fn tokens(given: &JsValue) -> Result<Tokens, Failure> {
    let list = &mut list(read_tokens(given), Code::InvalidArgument, Step::Login)?;
    let secret = |name: &str, text: String| {
        Secret::new(text).map_err(|fault| {
            let detail = concat(&["setTokens: ", name, " got a token that ", fault.reason()]);
            Failure::new(Code::InvalidArgument, Step::Login).with_detail(detail)
        })
    };
    let (access_token, expires_in) = (list.text().unwrap_or_default(), list.number());
    Ok(Tokens {
        access_token: secret("accessToken", access_token)?,
        expires_in,
        refresh_token: list.text().map(|text| secret("refreshToken", text)).transpose()?,
    })
}

fn list(read: Result<Array, JsValue>, code: Code, step: Step) -> Result<List, Failure> {
    read.map(List::new).map_err(|text| {
        Failure::new(code, step)
            .with_detail(text.as_string().unwrap_or_else(|| "it could not be read".to_owned()))
    })
}

fn endpoint(list: &mut List) -> Option<Endpoint> {
    let list = &mut list.list()?;
    let mut to = Endpoint::new("");
    set(list, &mut to.url);
    set(list, &mut to.method);
    to.headers = pairs(list).unwrap_or_default();
    let (text, fields) = (list.text(), pairs(list));
    to.content = text.map(Content::Text).or(fields.map(Content::Fields)).unwrap_or_default();
    if let Some(timeout) = list.number() {
        to.timeout = timeout;
    }
    to.credentials = match choice(list) {
        0 => Credentials::Include,
        1 => Credentials::SameOrigin,
        _ => Credentials::Omit,
    };
    to.csrf = pair(list);
    to.success = statuses(list);
    to.sends = list.number().map(|which| match which {
        0.0 => Sends::Access,
        1.0 => Sends::Refresh,
        _ => Sends::Token,
    });
    Some(to)
}

fn rules(list: &mut List) -> Option<Vec<AnswerRule>> {
    let mut list = list.list()?;
    let mut rules = Vec::new();
    while let Some(mut list) = list.list() {
        let list = &mut list;
        let status = statuses(list);
        let (path, equals) = (list.text(), texts(list).unwrap_or_default());
        let absent = list.number().is_some();
        let (name, values) = (list.text(), texts(list).unwrap_or_default());
        rules.push(AnswerRule {
            status,
            body: path.map(|path| Field { path, equals, absent }),
            header: name.map(|name| HeaderField { name, equals: values }),
            challenge: texts(list).unwrap_or_default(),
            redirected: list.number().is_some(),
            network_error: list.number().is_some(),
        });
    }
    Some(rules)
}

fn statuses(list: &mut List) -> Vec<u16> {
    let mut statuses = Vec::new();
    if let Some(mut list) = list.list() {
        while let Some(status) = list.number() {
            statuses.push(status as u16);
        }
    }
    statuses
}

fn pair(list: &mut List) -> Option<(String, String)> {
    let (one, other) = (list.text(), list.text());
    one.zip(other)
}

fn set(list: &mut List, to: &mut String) {
    if let Some(text) = list.text() {
        *to = text;
    }
}

/// The place of a value among its choices. The first is the default.
fn choice(list: &mut List) -> u32 {
    list.number().unwrap_or_default() as u32
}

fn texts(list: &mut List) -> Option<Vec<String>> {
    Some(list.list()?.rest())
}

fn pairs(list: &mut List) -> Option<Vec<(String, String)>> {
    let mut list = list.list()?;
    let mut pairs = Vec::new();
    while let (Some(name), Some(value)) = (list.text(), list.text()) {
        pairs.push((name, value));
    }
    Some(pairs)
}
