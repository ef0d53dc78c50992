//! Reads the options from JavaScript. Only `options.js` checks them, fills in defaults and resolves URLs. This
//! module converts them for the core.

use js_sys::Array;
use wasm_bindgen::prelude::*;

use super::platform::List;
use crate::core::{
    AnswerRule, Attach, Carrier, Content, Credentials, DpopKeys, Endpoint, Field, HeaderField,
    Identity, Offline, Options, Renewal, Restore, Sends, Tabs,
};

#[wasm_bindgen(module = "/src/browser/options.js")]
extern "C" {
    /// All options, in order. Throws a text.
    #[wasm_bindgen(catch)]
    fn options(given: &JsValue, base: Option<&str>) -> Result<Array, JsValue>;
}

/// The functions in the app's options, or `undefined`.
#[derive(Default)]
pub(crate) struct Hooks {
    /// The function that refreshes.
    pub(super) refresh: JsValue,
    /// The function that returns header fields for the refresh.
    pub(super) refresh_headers: JsValue,
    /// The function that returns header fields for the logout.
    pub(super) logout_headers: JsValue,
}

/// Reads the options of an app in JavaScript. Returns the options, the functions in them, and the manager's names.
/// Relative URLs are resolved against `base`. The order is that of `options.js`.
///
/// # Errors
/// A text that names the option, what it takes and what it got.
pub(super) fn read(
    given: &JsValue,
    base: Option<&str>,
) -> Result<(Box<Options>, Hooks, Identity), String> {
    let read = options(given, base).map_err(|text| {
        text.as_string().unwrap_or_else(|| "the options could not be read".to_owned())
    })?;
    let list = &mut List::new(read);
    let mut hooks = Hooks::default();
    let refresh = &mut within(list);
    let call = endpoint(refresh, &mut hooks.refresh_headers);
    hooks.refresh = refresh.value();
    let (mut response, mut login);
    let options = Box::new(Options {
        refresh: call.unwrap_or_else(|| Endpoint::new("")),
        renewal: match hooks.refresh.is_undefined() {
            true => None,
            false if hooks.refresh.is_function() => Some(Renewal::Always),
            false => Some(Renewal::Never),
        },
        logout: endpoint(list, &mut hooks.logout_headers),
        apis: list.list().map(|mut entries| entries.rest()),
        attach: attach(list),
        unauthorized: rules(list).unwrap_or_default(),
        ended: rules(list).unwrap_or_default(),
        step_up: rules(list).unwrap_or_default(),
        rejected: rules(list),
        adopt: within(list).text(),
        access_token_at: {
            response = within(list);
            string(&mut response)
        },
        refresh_token_at: string(&mut response),
        expires_in_at: string(&mut response),
        expires_at_at: string(&mut response),
        session_expires_in_at: string(&mut response),
        csrf: pair(list),
        refresh_token: carrier(list),
        refresh_before: list.number(),
        tabs: match number(list) {
            0 => Tabs::Share,
            1 => Tabs::Lock,
            _ => Tabs::Off,
        },
        restore: match number(list) {
            0 => Restore::Lazy,
            1 => Restore::Eager,
            _ => Restore::Manual,
        },
        expose_token: list.value().is_truthy(),
        name: list.text(),
        subject: string(list),
        session_hint: list.text(),
        login_timeout: {
            login = within(list);
            login.number().unwrap_or_default()
        },
        incomplete: rules(&mut login).unwrap_or_default(),
        offline: match number(list) {
            0 => Offline::Auto,
            1 => Offline::Send,
            _ => Offline::Reject,
        },
        dpop: list.number().map(|place| match place {
            0.0 => DpopKeys::Stored,
            _ => DpopKeys::Memory,
        }),
    });
    // Skip `isolation`, which is always `page` here.
    list.value();
    let identity = Identity::new(&string(list), &string(list), list.text().as_deref());
    Ok((options, hooks, identity))
}

fn endpoint(list: &mut List, hook: &mut JsValue) -> Option<Endpoint> {
    let list = &mut list.list()?;
    Some(Endpoint {
        url: string(list),
        method: string(list),
        headers: {
            let headers = list.list().map(pairs).unwrap_or_default();
            *hook = list.value();
            headers
        },
        content: {
            let (text, fields) = (list.text(), list.list());
            let fields = fields.map(|flat| Content::Fields(pairs(flat)));
            text.map(Content::Text).or(fields).unwrap_or_default()
        },
        timeout: list.number().unwrap_or_default(),
        credentials: match number(list) {
            0 => Credentials::Include,
            1 => Credentials::SameOrigin,
            _ => Credentials::Omit,
        },
        csrf: pair(list),
        success: statuses(list),
        sends: list.number().map(|which| match which {
            0.0 => Sends::Access,
            1.0 => Sends::Refresh,
            _ => Sends::Token,
        }),
    })
}

fn attach(list: &mut List) -> Attach {
    let list = &mut within(list);
    let (header, scheme, query) = (list.text(), list.text(), list.text());
    match (header, query) {
        (Some(name), _) => Attach::Header(name, scheme.unwrap_or_default()),
        (_, Some(name)) => Attach::Query(name),
        _ => Attach::Cookie(pair(list)),
    }
}

fn carrier(list: &mut List) -> Carrier {
    let Some(mut list) = list.list() else { return Carrier::Cookie };
    let (kind, name) = (string(&mut list), string(&mut list));
    match kind.as_str() {
        "json" => Carrier::Json(name),
        "form" => Carrier::Form(name),
        _ => Carrier::Header(name, list.text()),
    }
}

fn rules(list: &mut List) -> Option<Vec<AnswerRule>> {
    let mut list = list.list()?;
    let mut rules = Vec::new();
    while let Some(mut list) = list.list() {
        let list = &mut list;
        rules.push(AnswerRule {
            status: statuses(list),
            body: list.list().map(|mut body| Field {
                path: string(&mut body),
                equals: texts(&mut body),
                absent: body.value().is_truthy(),
            }),
            header: list.list().map(|mut header| HeaderField {
                name: string(&mut header),
                equals: texts(&mut header),
            }),
            challenge: texts(list),
            redirected: list.value().is_truthy(),
            network_error: list.value().is_truthy(),
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

fn texts(list: &mut List) -> Vec<String> {
    list.list().map(|mut list| list.rest()).unwrap_or_default()
}

fn pair(list: &mut List) -> Option<(String, String)> {
    let list = &mut list.list()?;
    Some((string(list), string(list)))
}

fn pairs(mut flat: List) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    while let (Some(name), Some(value)) = (flat.text(), flat.text()) {
        pairs.push((name, value));
    }
    pairs
}

/// The next value, which is a list, or an empty list if the value is left out.
fn within(list: &mut List) -> List {
    list.list().unwrap_or_else(|| List::new(Array::new()))
}

fn string(list: &mut List) -> String {
    list.text().unwrap_or_default()
}

fn number(list: &mut List) -> u32 {
    list.number().unwrap_or_default() as u32
}
