//! Step-by-step scenarios for rules that depend on one order of events. `core_rules.rs` checks the same rules
//! against random cases.

#[path = "core/answers.rs"]
mod answers;
#[path = "core/asking.rs"]
mod asking;
#[path = "core/away.rs"]
mod away;
#[path = "core/dpop.rs"]
mod dpop;
#[path = "core/elsewhere.rs"]
mod elsewhere;
#[path = "core/forbidden.rs"]
mod forbidden;
#[path = "core/news.rs"]
mod news;
#[path = "core/renewal.rs"]
mod renewal;
#[path = "core/scenario.rs"]
mod scenario;
#[path = "core/support.rs"]
mod support;
