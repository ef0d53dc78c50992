//! News between tabs. A message that does not have exactly the expected form is ignored.

use js_sys::Promise;
use wasm_bindgen::prelude::*;

use super::answer;
use super::platform::{self, Record};
use crate::core::{
    HybridTime, Life, Message, MessageLimit, Options, Secret, TokenResponse, decimal, life_left,
    number,
};

#[wasm_bindgen(module = "/src/browser/tab-channel.js")]
extern "C" {
    #[wasm_bindgen(js_name = Object)]
    type Open;

    fn open(name: &str, takes: &JsValue, heard: &JsValue, keys: &JsValue) -> Option<Open>;

    #[wasm_bindgen(method)]
    fn post(
        this: &Open,
        kind: &str,
        stamp: Option<f64>,
        session: Option<f64>,
        asked: Option<f64>,
        subject: Option<&str>,
        access_token: Option<&str>,
        refresh_token: Option<&str>,
        life: Option<f64>,
        session_life: Option<f64>,
        bound: Option<f64>,
    );

    #[wasm_bindgen(method)]
    fn settled(this: &Open, value: &JsValue) -> Promise;

    #[wasm_bindgen(method)]
    fn close(this: &Open);
}

#[wasm_bindgen(module = "/src/browser/sealed.js")]
extern "C" {
    /// The keys of this tab; `undefined` if the platform has no cryptography.
    fn sealer() -> JsValue;
}

/// The channel, open until it is dropped.
pub(super) struct Channel {
    channel: Open,
    _takes: Closure<dyn FnMut(f64) -> bool>,
    _heard: Closure<dyn FnMut(JsValue)>,
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.channel.close();
    }
}

impl Channel {
    /// Opens the channel. `None` if the platform has none. `heard` gets each message for [`read`], and `None` if messages
    /// may have been missed. `seals`: refresh tokens are sealed and sent.
    pub(super) fn open(
        name: &str,
        seals: bool,
        mut heard: impl FnMut(Option<Record>) + 'static,
    ) -> Option<Self> {
        let keys = if seals { sealer() } else { JsValue::UNDEFINED };
        let heard = Closure::new(move |message: JsValue| {
            heard((!message.is_undefined()).then(|| message.unchecked_into()));
        });
        let mut limit = MessageLimit::default();
        let takes = Closure::new(move |sent: f64| limit.takes(sent));
        let channel = open(name, takes.as_ref(), heard.as_ref(), &keys)?;
        Some(Self { channel, _takes: takes, _heard: heard })
    }

    /// Resolves to `value`, or the value of that promise, when no message is being sealed or opened.
    pub(super) fn settled(&self, value: &JsValue) -> Promise {
        self.channel.settled(value)
    }

    /// Sends a message to all other tabs.
    pub(super) fn post(&self, message: &Message) {
        let (kind, stamp, session, tokens) = match message {
            Message::Ask => ("ask", None, None, None),
            Message::Here => ("here", None, None, None),
            Message::Missed { since, session } => ("missed", Some(since), Some(session), None),
            Message::Renewed { stamp, session, tokens, .. } => {
                ("renewed", Some(stamp), Some(session), Some(tokens))
            }
            Message::Entered { stamp, tokens, .. } => {
                ("entered", Some(stamp), None, tokens.as_ref())
            }
            Message::Refused { stamp, session, .. } => {
                ("refused", Some(stamp), Some(session), None)
            }
            Message::Left { stamp } => ("left", Some(stamp), None, None),
        };
        let asked = match message {
            Message::Renewed { asked, .. } | Message::Refused { asked, .. } => Some(asked),
            _ => None,
        };
        let subject = match message {
            Message::Entered { subject: Some(subject), .. } => Some(decimal(*subject)),
            _ => None,
        };
        self.channel.post(
            kind,
            stamp.map(|stamp| stamp.number()),
            session.map(|stamp| stamp.number()),
            asked.map(|stamp| stamp.number()),
            subject.as_deref(),
            tokens.map(|tokens| tokens.access_token.reveal()),
            tokens.and_then(|tokens| tokens.refresh_token.as_ref()).map(Secret::reveal),
            tokens.and_then(|tokens| tokens.life).map(|life| life as f64),
            tokens.and_then(|tokens| tokens.session_life).map(|life| life as f64),
            tokens.and_then(|tokens| tokens.bound).map(|key| key as f64),
        );
    }
}

/// The message; `None` if it does not have exactly the expected form.
pub(super) fn read(message: &Record, options: &Options) -> Option<Message> {
    let kind = message.text("kind")?;
    let time = |name: &str| message.number(name).and_then(HybridTime::from_number);
    let (stamp, session) = (time("stamp"), time("session"));
    let asked = time("asked").unwrap_or(HybridTime(0));
    let subject = message.text("subject").and_then(|text| number(&text));
    let tokens = || read_tokens(message, options);
    Some(match kind.as_str() {
        "ask" => Message::Ask,
        "here" => Message::Here,
        "missed" => Message::Missed { since: stamp?, session: session.unwrap_or_default() },
        "renewed" => {
            Message::Renewed { stamp: stamp?, session: session?, asked, tokens: tokens()? }
        }
        "entered" => Message::Entered { stamp: stamp?, subject, tokens: tokens() },
        "refused" => Message::Refused { stamp: stamp?, session: session?, asked },
        "left" => Message::Left { stamp: stamp? },
        _ => return None,
    })
}

fn read_tokens(message: &Record, options: &Options) -> Option<TokenResponse> {
    let access_token = Secret::new(message.text("accessToken")?).ok()?;
    let refresh_token = message.text("refreshToken").and_then(|text| Secret::new(text).ok());
    let (at, now) = (message.number("at")?, platform::now());
    let mut tokens = answer::describe(access_token, refresh_token, Life::default(), options, now);
    let left = |name: &str| message.number(name).map(|life| life_left(life, at, now));
    (tokens.life, tokens.session_life) = (left("life"), left("sessionLife"));
    tokens.bound = message.number("bound").map(|key| key as u64);
    Some(tokens)
}
