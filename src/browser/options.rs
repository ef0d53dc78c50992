//! Reads the options from JavaScript. Only `options.js` checks them, fills in defaults and resolves URLs. This
//! module converts them for the core.

use js_sys::Array;
use wasm_bindgen::prelude::*;

use super::platform::{Record, pairs, texts};
use crate::core::{
    AnswerRule, Attach, Carrier, Content, Credentials, DpopKeys, Endpoint, Field, HeaderField,
    Identity, Offline, Options, Renewal, Restore, RuleKind, Rules, Sends, Tabs,
};

#[wasm_bindgen(module = "/src/browser/options.js")]
extern "C" {
    /// All options, checked and completed. Throws a text.
    #[wasm_bindgen(catch)]
    fn options(given: &JsValue, base: Option<&str>) -> Result<Record, JsValue>;
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
/// manager's names. Relative URLs are resolved against `base`.
///
/// # Errors
/// A text that names the option, what it takes and what it got.
pub(super) fn read(
    given: &JsValue,
    base: Option<&str>,
) -> Result<(Box<Options>, Rules, Hooks, Identity), String> {
    let given = &options(given, base).map_err(|text| {
        text.as_string().unwrap_or_else(|| "the options could not be read".to_owned())
    })?;
    let hook = |call: &Option<Record>| {
        call.as_ref().map_or(JsValue::UNDEFINED, |call| call.value("headersBy"))
    };
    let [refresh, response, login] = ["refresh", "response", "login"].map(|name| given.group(name));
    let (refresh_call, logout_call) = (refresh.record("call"), given.record("logout"));
    let hooks = Hooks {
        refresh: refresh.value("by"),
        refresh_headers: hook(&refresh_call),
        logout_headers: hook(&logout_call),
        places: given.value("places"),
    };
    let mut rules = Vec::new();
    for (name, kind) in RULES {
        add_rules(&mut rules, kind, given.list(name));
    }
    add_rules(&mut rules, RuleKind::Incomplete, login.list("incomplete"));
    let options = Box::new(Options {
        refresh: refresh_call.map_or_else(|| Endpoint::new(""), endpoint),
        renewal: match hooks.refresh.is_undefined() {
            true => None,
            false if hooks.refresh.is_function() => Some(Renewal::Always),
            false => Some(Renewal::Never),
        },
        logout: logout_call.map(endpoint),
        apis: given.list("apis").map(|apis| texts(&apis)),
        attach: attach(&given.group("attach")),
        // The rules go into the policy.
        ended: Vec::new(),
        step_up: Vec::new(),
        unauthorized: Vec::new(),
        rejected: given.list("rejected").map(|_| Vec::new()),
        incomplete: Vec::new(),
        adopt: given.record("adopt").and_then(|adopt| adopt.text("header")),
        access_token_at: string(&response, "accessToken"),
        refresh_token_at: string(&response, "refreshToken"),
        expires_in_at: string(&response, "expiresIn"),
        expires_at_at: string(&response, "expiresAt"),
        session_expires_in_at: string(&response, "sessionExpiresIn"),
        csrf: csrf(given),
        refresh_token: given.record("refreshToken").map_or(Carrier::Cookie, carrier),
        refresh_before: given.number("refreshBefore"),
        tabs: match &*string(given, "tabs") {
            "share" => Tabs::Share,
            "lock" => Tabs::Lock,
            _ => Tabs::Off,
        },
        restore: match &*string(given, "restore") {
            "lazy" => Restore::Lazy,
            "eager" => Restore::Eager,
            _ => Restore::Manual,
        },
        expose_token: given.is("exposeToken"),
        name: given.text("name"),
        subject: string(given, "subject"),
        session_hint: given.text("sessionHint"),
        login_timeout: login.number("timeout").unwrap_or_default(),
        offline: match &*string(given, "offline") {
            "auto" => Offline::Auto,
            "send" => Offline::Send,
            _ => Offline::Reject,
        },
        dpop: given.text("dpop").map(|place| match &*place {
            "stored" => DpopKeys::Stored,
            _ => DpopKeys::Memory,
        }),
    });
    let share = given.text("share");
    let identity = Identity::new(&string(given, "turn"), &string(given, "key"), share.as_deref());
    Ok((options, Rules::new(rules), hooks, identity))
}

/// The options that are rules for responses.
const RULES: [(&str, RuleKind); 4] = [
    ("ended", RuleKind::Ended),
    ("stepUp", RuleKind::StepUp),
    ("unauthorized", RuleKind::Unauthorized),
    ("rejected", RuleKind::Rejected),
];

fn endpoint(given: Record) -> Endpoint {
    Endpoint {
        url: string(&given, "url"),
        method: string(&given, "method"),
        headers: given.list("headers").map(|list| pairs(&list)).unwrap_or_default(),
        content: match (given.text("text"), given.list("fields")) {
            (Some(text), _) => Content::Text(text),
            (None, Some(fields)) => Content::Fields(pairs(&fields)),
            (None, None) => Content::Empty,
        },
        timeout: given.number("timeout").unwrap_or_default(),
        credentials: match &*string(&given, "credentials") {
            "include" => Credentials::Include,
            "same-origin" => Credentials::SameOrigin,
            _ => Credentials::Omit,
        },
        csrf: csrf(&given),
        success: statuses(&given, "success"),
        sends: given.text("send").map(|which| match &*which {
            "access" => Sends::Access,
            "refresh" => Sends::Refresh,
            _ => Sends::Token,
        }),
    }
}

fn attach(given: &Record) -> Attach {
    match (given.text("header"), given.text("query")) {
        (Some(name), _) => Attach::Header(name, string(given, "scheme")),
        (_, Some(name)) => Attach::Query(name),
        _ => Attach::Cookie(csrf(given)),
    }
}

fn carrier(given: Record) -> Carrier {
    let name = string(&given, "name");
    match &*string(&given, "in") {
        "json" => Carrier::Json(name),
        "form" => Carrier::Form(name),
        _ => Carrier::Header(name, given.text("scheme")),
    }
}

/// Adds the rules of an option.
fn add_rules(rules: &mut Vec<(RuleKind, AnswerRule)>, kind: RuleKind, list: Option<Array>) {
    let Some(list) = list else { return };
    for at in 0..list.length() {
        let given: Record = list.get(at).unchecked_into();
        let rule = AnswerRule {
            status: statuses(&given, "status"),
            body: given.record("body").map(|body| Field {
                path: string(&body, "path"),
                equals: strings(&body, "equals"),
                absent: body.is("absent"),
            }),
            header: given.record("header").map(|header| HeaderField {
                name: string(&header, "name"),
                equals: strings(&header, "equals"),
            }),
            challenge: strings(&given, "challenge"),
            redirected: given.is("redirected"),
            network_error: given.is("networkError"),
        };
        rules.push((kind, rule));
    }
}

/// The cookie and the header field of a double submit.
fn csrf(given: &Record) -> Option<(String, String)> {
    let csrf = given.record("csrf")?;
    Some((string(&csrf, "cookie"), string(&csrf, "header")))
}

fn statuses(given: &Record, name: &str) -> Vec<u16> {
    let mut statuses = Vec::new();
    if let Some(list) = given.list(name) {
        for at in 0..list.length() {
            statuses.extend(list.get(at).as_f64().map(|status| status as u16));
        }
    }
    statuses
}

fn strings(given: &Record, name: &str) -> Vec<String> {
    given.list(name).map(|list| texts(&list)).unwrap_or_default()
}

fn string(given: &Record, name: &str) -> String {
    given.text(name).unwrap_or_default()
}
