//! News among tabs, over a `BroadcastChannel` (HTML, 9.5).
//!
//! Whatever comes in was sent by some script of this origin, perhaps another version of this
//! package, perhaps an attacker's. A message that is not exactly of the known form is no message.

use js_sys::{Object, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::{BroadcastChannel, MessageEvent};

use super::answer;
use super::json;
use super::platform;
use crate::core::{Grant, Message, Secret, Stamp};

/// The form of the messages. Another number is another form.
const VERSION: f64 = 1.0;

/// The channel, open until it is dropped.
pub(crate) struct Channel {
    channel: BroadcastChannel,
    _listener: Closure<dyn FnMut(MessageEvent)>,
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.channel.set_onmessage(None);
        self.channel.close();
    }
}

impl Channel {
    /// Opens the channel, or says `None` where the platform has none.
    pub(crate) fn open(name: &str, mut heard: impl FnMut(Message) + 'static) -> Option<Self> {
        let has = Reflect::has(&platform::scope(), &"BroadcastChannel".into()).unwrap_or(false);
        let channel = has.then(|| BroadcastChannel::new(name).ok()).flatten()?;
        let listener = Closure::new(move |event: MessageEvent| {
            if let Some(message) = read(&event.data()) {
                heard(message);
            }
        });
        channel.set_onmessage(Some(listener.as_ref().unchecked_ref()));
        Some(Self { channel, _listener: listener })
    }

    /// Tells all other tabs. Only a closed channel could refuse.
    pub(crate) fn post(&self, message: &Message) {
        let _ = self.channel.post_message(&write(message));
    }
}

fn write(message: &Message) -> JsValue {
    let object = Object::new();
    let set = |key: &str, value: JsValue| {
        // A plain object takes every member.
        let _ = Reflect::set(&object, &key.into(), &value);
    };
    set("tokenkeep", VERSION.into());
    match message {
        Message::Ask => set("kind", "ask".into()),
        Message::Renewed { stamp, session, grant } => {
            set("kind", "renewed".into());
            set("stamp", (stamp.0 as f64).into());
            set("session", (session.0 as f64).into());
            write_grant(&set, grant);
        }
        Message::Entered { stamp, grant } => {
            set("kind", "entered".into());
            set("stamp", (stamp.0 as f64).into());
            if let Some(grant) = grant {
                write_grant(&set, grant);
            }
        }
        Message::Left { stamp } => {
            set("kind", "left".into());
            set("stamp", (stamp.0 as f64).into());
        }
    }
    object.into()
}

fn write_grant(set: &impl Fn(&str, JsValue), grant: &Grant) {
    set("accessToken", grant.access_token.reveal().into());
    if let Some(token) = &grant.refresh_token {
        set("refreshToken", token.reveal().into());
    }
    if let Some(life) = grant.life {
        set("life", (life as f64).into());
    }
    // The receiver may have slept: the life is counted from here.
    set("at", js_sys::Date::now().into());
}

fn read(data: &JsValue) -> Option<Message> {
    let member = |name: &str| json::at(data, &[name.to_owned()]);
    if member("tokenkeep").as_f64() != Some(VERSION) {
        return None;
    }
    let stamp = |name: &str| {
        let number = member(name).as_f64()?;
        (0.0..=js_sys::Number::MAX_SAFE_INTEGER).contains(&number).then_some(Stamp(number as u64))
    };
    match member("kind").as_string()?.as_str() {
        "ask" => Some(Message::Ask),
        "renewed" => Some(Message::Renewed {
            stamp: stamp("stamp")?,
            session: stamp("session")?,
            grant: read_grant(&member)?,
        }),
        "entered" => Some(Message::Entered { stamp: stamp("stamp")?, grant: read_grant(&member) }),
        "left" => Some(Message::Left { stamp: stamp("stamp")? }),
        _ => None,
    }
}

fn read_grant(member: &impl Fn(&str) -> JsValue) -> Option<Grant> {
    let token = |name: &str| Secret::new(member(name).as_string()?).ok();
    let now = platform::now();
    let mut grant = answer::describe(token("accessToken")?, token("refreshToken"), None, None, now);
    let travelled = (now.wall as f64 - member("at").as_f64()?).max(0.0);
    grant.life = member("life").as_f64().map(|life| (life - travelled).max(1.0) as u64);
    Some(grant)
}
