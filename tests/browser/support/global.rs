//! Members of the global scope, replaced for as long as a test lasts.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::rc::Rc;

use js_sys::{Array, Function, Object, Reflect};
use wasm_bindgen::closure::WasmClosure;
use wasm_bindgen::prelude::*;

/// A member of an object that is replaced until this value is dropped.
pub struct Replaced {
    object: Object,
    name: &'static str,
    /// `None`: the object inherited it from its prototype.
    original: Option<JsValue>,
    _function: Option<Box<dyn std::any::Any>>,
}

impl Replaced {
    fn value(object: &Object, name: &'static str, value: &JsValue) -> Self {
        let has = Object::has_own(object, &name.into());
        let original = has.then(|| member(object, name));
        let descriptor = Object::new();
        for (key, value) in
            [("value", value), ("configurable", &JsValue::TRUE), ("writable", &JsValue::TRUE)]
        {
            Reflect::set(&descriptor, &key.into(), value).expect("a plain object");
        }
        Object::define_property(object, &name.into(), &descriptor);
        Self { object: object.clone(), name, original, _function: None }
    }

    pub fn function<T: WasmClosure + ?Sized + 'static>(
        object: &Object,
        name: &'static str,
        function: Closure<T>,
    ) -> Self {
        let mut replaced = Self::value(object, name, function.as_ref());
        replaced._function = Some(Box::new(function));
        replaced
    }
}

impl Drop for Replaced {
    fn drop(&mut self) {
        let name = self.name.into();
        let outcome = match &self.original {
            Some(original) => Reflect::set(&self.object, &name, original),
            None => Reflect::delete_property(&self.object, &name),
        };
        outcome.expect("it was replaced by the test");
    }
}

fn member(object: &Object, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).expect("a member")
}

fn global(name: &str) -> Object {
    member(&js_sys::global(), name).unchecked_into()
}

/// A platform without this member: `["navigator", "locks"]`.
pub fn without(path: [&'static str; 2]) -> Replaced {
    let [object, name] = path;
    let object = if object == "globalThis" { js_sys::global() } else { global(object) };
    Replaced::value(&object, name, &JsValue::UNDEFINED)
}

/// A clock that the test can move ahead.
pub struct Clock {
    ahead: Rc<Cell<f64>>,
    _now: Replaced,
}

impl Clock {
    /// The wall clock.
    pub fn new() -> Self {
        Self::of("Date")
    }

    /// The clock that cannot be set.
    pub fn steady() -> Self {
        Self::of("performance")
    }

    fn of(name: &str) -> Self {
        let clock = global(name);
        let real: Function = member(&clock, "now").unchecked_into();
        let ahead = Rc::<Cell<f64>>::default();
        let (added, this) = (Rc::clone(&ahead), clock.clone());
        let now = Closure::<dyn Fn() -> f64>::new(move || {
            let now = real.call0(&this).expect("a clock");
            now.as_f64().expect("a number") + added.get()
        });
        Self { ahead, _now: Replaced::function(&clock, "now", now) }
    }

    pub fn advance(&self, ms: f64) {
        self.ahead.set(self.ahead.get() + ms);
    }
}

/// The timers that are set, and their milliseconds. They run normally, and can be fired early.
pub struct Timers {
    set: Rc<RefCell<BTreeMap<u32, (f64, Function)>>>,
    real_clear: Function,
    _members: [Replaced; 2],
}

impl Timers {
    pub fn new() -> Self {
        let set = Rc::<RefCell<BTreeMap<u32, (f64, Function)>>>::default();
        let scope = js_sys::global();
        let real_set: Function = member(&scope, "setTimeout").unchecked_into();
        let real_clear: Function = member(&scope, "clearTimeout").unchecked_into();
        let notes = Rc::clone(&set);
        let set_timeout = move |callback: Function, ms: JsValue| {
            let own = Rc::new(Cell::new(0));
            let (fired, key, work) = (Rc::clone(&notes), Rc::clone(&own), callback.clone());
            // Never freed if it is cancelled: a test ends with its page.
            let ring = Closure::once_into_js(move || {
                fired.borrow_mut().remove(&key.get());
                call(&work);
            });
            let id = real_set.call2(&JsValue::UNDEFINED, &ring, &ms).expect("a timer");
            own.set(id.as_f64().expect("a number") as u32);
            notes.borrow_mut().insert(own.get(), (ms.as_f64().unwrap_or(0.0), callback));
            id
        };
        let (notes, clear) = (Rc::clone(&set), real_clear.clone());
        let clear_timeout = move |id: JsValue| {
            notes.borrow_mut().remove(&(id.as_f64().unwrap_or(0.0) as u32));
            clear.call1(&JsValue::UNDEFINED, &id).expect("a timer's number");
        };
        let set_timeout = Closure::<dyn Fn(Function, JsValue) -> JsValue>::new(set_timeout);
        let clear_timeout = Closure::<dyn Fn(JsValue)>::new(clear_timeout);
        let members = [
            Replaced::function(&scope, "setTimeout", set_timeout),
            Replaced::function(&scope, "clearTimeout", clear_timeout),
        ];
        Self { set, real_clear, _members: members }
    }

    /// How many timers of this length are set and not cancelled.
    pub fn count(&self, ms: RangeInclusive<f64>) -> usize {
        self.of(&ms).len()
    }

    /// Lets all waits of this many milliseconds run out, in which the page could run: slice by slice, and the
    /// turns at their end. Calls of earlier tests may wait as long, so the newest timer need not be this test's.
    pub fn run_out(&self, ms: f64) {
        for slice in [[ms / 8.0; 8].as_slice(), &[0.0; 2]].concat() {
            let ids = self.of(&(slice..=slice));
            assert!(!ids.is_empty(), "no timer of {slice} ms, but of {:?}", self.lengths());
            ids.into_iter().for_each(|id| self.fire(id));
        }
    }

    /// Fires the newest of them now.
    pub fn go_off(&self, ms: RangeInclusive<f64>) {
        let Some(newest) = self.of(&ms).pop() else {
            panic!("no timer of {ms:?}, but of {:?}", self.lengths());
        };
        self.fire(newest);
    }

    /// The timers of this length, in the order in which they were set.
    fn of(&self, ms: &RangeInclusive<f64>) -> Vec<u32> {
        let set = self.set.borrow();
        set.iter().filter(|(_, (length, _))| ms.contains(length)).map(|(id, _)| *id).collect()
    }

    fn lengths(&self) -> Vec<f64> {
        self.set.borrow().values().map(|(length, _)| *length).collect()
    }

    fn fire(&self, id: u32) {
        // An earlier one may have cancelled it.
        let Some((_, callback)) = self.set.borrow_mut().remove(&id) else { return };
        self.real_clear.call1(&JsValue::UNDEFINED, &id.into()).expect("a timer's number");
        call(&callback);
    }
}

/// Calls the callback of a timer.
fn call(callback: &Function) {
    callback.call0(&JsValue::UNDEFINED).expect("a callback that does not throw");
}

/// Everything written to the console.
pub struct Console {
    written: Rc<RefCell<String>>,
    _members: Vec<Replaced>,
}

impl Console {
    pub fn new() -> Self {
        let written = Rc::<RefCell<String>>::default();
        let console = global("console");
        let replace = |name| {
            let written = Rc::clone(&written);
            let write = Closure::<dyn Fn(JsValue, JsValue, JsValue)>::new(move |a, b, c| {
                let words = Array::of3(&a, &b, &c).into_iter().map(|word| {
                    word.as_string().unwrap_or_else(|| {
                        let json = js_sys::JSON::stringify(&word).ok();
                        json.and_then(|json| json.as_string()).unwrap_or_default()
                    })
                });
                written.borrow_mut().extend(words);
            });
            Replaced::function(&console, name, write)
        };
        let members = ["log", "info", "warn", "error", "debug", "trace"].map(replace).into();
        Self { written, _members: members }
    }

    pub fn text(&self) -> String {
        self.written.borrow().clone()
    }
}
