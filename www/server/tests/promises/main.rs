//! The server's promises, one test each. The tests call the router itself, with a test clock; those that need
//! a connection or a process have one. Every promise that involves the store is tested with every store:
//! `on_all_stores!` lists them.

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
