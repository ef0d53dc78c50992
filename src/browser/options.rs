//! Reads the options from JavaScript. Only `options.js` checks them, fills in defaults and resolves URLs. This
//! module converts them for the core.

use js_sys::Array;
use wasm_bindgen::prelude::*;

use super::platform::List;
use crate::core::{
    AnswerRule, Attach, Carrier, Content, Credentials, DpopKeys, Endpoint, Field, HeaderField,
    Identity, Offline, Options, Renewal, Restore, RuleKind, Rules, Sends, Tabs,
};

#[wasm_bindgen(module = "/src/browser/options.js")]
extern "C" {
    /// All options, in order. Throws a text.
    #[wasm_bindgen(catch)]
    fn options(given: &JsValue, base: Option<&str>) -> Result<Array, JsValue>;
}

/// What stays in JavaScript: the functions in the app's options, or `undefined`; and where a response has its tokens.
#[derive(Default)]
pub(crate) struct Hooks {
    /// The function that refreshes.
    pub(super) refresh: JsValue,
    /// The function that returns header fields for the refresh.
    pub(super) refresh_headers: JsValue,
    /// The function that returns header fields for the logout.
    pub(super) logout_headers: JsValue,
    /// The places that `hear` in `http.js` reads.
    pub(super) places: JsValue,
}

/// Reads the options of an app in JavaScript. Returns the options, their rules, what stays in JavaScript, and the
/// manager's names. Relative URLs are resolved against `base`. The order is that of `options.js`: an object or list is
/// the number of its members, then the members; what is left out is `undefined`.
///
/// # Errors
/// A text that names the option, what it takes and what it got.
pub(super) fn read(
    given: &JsValue,
    base: Option<&str>,
) -> Result<(Box<Options>, Rules, Hooks, Identity), String> {
    let read = options(given, base).map_err(|text| {
        text.as_string().unwrap_or_else(|| "the options could not be read".to_owned())
    })?;
    let list = &mut List::new(read);
    let mut hooks = Hooks { places: list.value(), ..Hooks::default() };
    list.skip();
    let refresh = endpoint(list, &mut hooks.refresh_headers);
    hooks.refresh = list.value();
    let mut rules = Vec::new();
    let options = Box::new(Options {
        refresh: refresh.unwrap_or_else(|| Endpoint::new("")),
        renewal: match hooks.refresh.is_undefined() {
            true => None,
            false if hooks.refresh.is_function() => Some(Renewal::Always),
            false => Some(Renewal::Never),
        },
        logout: endpoint(list, &mut hooks.logout_headers),
        apis: list.texts(),
        attach: attach(list),
        // The rules go into the policy.
        ended: Vec::new(),
        step_up: Vec::new(),
        unauthorized: Vec::new(),
        rejected: {
            for kind in [RuleKind::Ended, RuleKind::StepUp, RuleKind::Unauthorized] {
                add_rules(&mut rules, kind, list);
            }
            add_rules(&mut rules, RuleKind::Rejected, list).map(|()| Vec::new())
        },
        adopt: list.number().and_then(|_| list.text()),
        access_token_at: {
            list.skip();
            string(list)
        },
        refresh_token_at: string(list),
        expires_in_at: string(list),
        expires_at_at: string(list),
        session_expires_in_at: string(list),
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
            list.skip();
            list.number().unwrap_or_default()
        },
        incomplete: {
            add_rules(&mut rules, RuleKind::Incomplete, list);
            Vec::new()
        },
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
    list.skip();
    let identity = Identity::new(&string(list), &string(list), list.text().as_deref());
    Ok((options, Rules::new(rules), hooks, identity))
}

fn endpoint(list: &mut List, hook: &mut JsValue) -> Option<Endpoint> {
    list.number()?;
    Some(Endpoint {
        url: string(list),
        method: string(list),
        headers: {
            let headers = pairs(list).unwrap_or_default();
            *hook = list.value();
            headers
        },
        content: match (list.text(), pairs(list)) {
            (Some(text), _) => Content::Text(text),
            (None, Some(fields)) => Content::Fields(fields),
            (None, None) => Content::Empty,
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
    list.skip();
    let (header, scheme, query) = (list.text(), list.text(), list.text());
    let csrf = pair(list);
    match (header, query) {
        (Some(name), _) => Attach::Header(name, scheme.unwrap_or_default()),
        (_, Some(name)) => Attach::Query(name),
        _ => Attach::Cookie(csrf),
    }
}

fn carrier(list: &mut List) -> Carrier {
    if list.number().is_none() {
        return Carrier::Cookie;
    }
    let (kind, name, scheme) = (string(list), string(list), list.text());
    match kind.as_str() {
        "json" => Carrier::Json(name),
        "form" => Carrier::Form(name),
        _ => Carrier::Header(name, scheme),
    }
}

/// Adds the rules of an option. `None`: the option is left out.
fn add_rules(
    rules: &mut Vec<(RuleKind, AnswerRule)>,
    kind: RuleKind,
    list: &mut List,
) -> Option<()> {
    for _ in 0..list.count()? {
        list.skip();
        let rule = AnswerRule {
            status: statuses(list),
            body: list.number().map(|_| Field {
                path: string(list),
                equals: list.texts().unwrap_or_default(),
                absent: list.value().is_truthy(),
            }),
            header: list.number().map(|_| HeaderField {
                name: string(list),
                equals: list.texts().unwrap_or_default(),
            }),
            challenge: list.texts().unwrap_or_default(),
            redirected: list.value().is_truthy(),
            network_error: list.value().is_truthy(),
        };
        rules.push((kind, rule));
    }
    Some(())
}

fn statuses(list: &mut List) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..number(list) {
        statuses.push(number(list) as u16);
    }
    statuses
}

fn pair(list: &mut List) -> Option<(String, String)> {
    list.number()?;
    Some((string(list), string(list)))
}

/// Names and values, which alternate.
fn pairs(list: &mut List) -> Option<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    for _ in 0..list.count()? / 2 {
        pairs.push((string(list), string(list)));
    }
    Some(pairs)
}

fn string(list: &mut List) -> String {
    list.text().unwrap_or_default()
}

fn number(list: &mut List) -> u32 {
    list.count().unwrap_or_default()
}
