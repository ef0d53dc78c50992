//! What the server promises, one test each. The tests call the router itself, with a clock of their own;
//! what needs a connection or a process has one. Every promise that touches the store is held by every
//! store: `on_all_stores!` lists them.

mod harness;

mod access;
mod connections;
mod crash;
mod crowd;
mod csrf;
mod demo;
mod dpop;
mod encrypted;
mod input;
mod keys;
mod limits;
mod login;
mod logout;
mod oauth;
mod observe;
mod outage;
mod pages;
mod process;
mod race;
mod refresh;
mod second_factor;
mod secrecy;
mod sessions;
mod several;
