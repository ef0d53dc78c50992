//! The name under which identical managers share. It depends on all their options, so the platform is watched
//! while a manager is made.

use tokenkeep::Options;
use wasm_bindgen::prelude::*;

use super::Server;

#[wasm_bindgen(inline_js = "
export function channelNameOf(make) {
  const native = globalThis.BroadcastChannel
  let name
  globalThis.BroadcastChannel = class extends native {
    constructor(given) {
      super(given)
      name = given
    }
  }
  try {
    make()
  } finally {
    globalThis.BroadcastChannel = native
  }
  return name
}
")]
extern "C" {
    #[wasm_bindgen(js_name = channelNameOf)]
    fn channel_name_of(make: &mut dyn FnMut()) -> String;
}

/// The name for managers of a server with these options.
pub fn share_of(server: &Server, change: impl Fn(&mut Options)) -> String {
    channel_name_of(&mut || drop(server.manager(&change)))
}
