//! What the app calls, and what a page does of its own.

use tokenkeep::core::{Code, Renewal, Status, Tabs};

use super::super::server::User;
use super::super::tab::{Tab, token_in};
use super::{Cause, Place, Request, Rule, Stage, World};

impl World {
    pub(super) fn refreshes(&mut self, tab: usize) {
        if self.policy.tabs == Tabs::Lock && self.tabs[tab].status() == Status::SignedOut {
            // Who asks, by name, for a session that another tab is about to end gets it, and tabs
            // that share nothing do not hear of it.
            return;
        }
        let (flight, pauses) = (self.tabs[tab].flight, self.tabs[tab].pauses(true, self.now));
        match self.call(tab, |session, now| (session.refresh(now), Cause::Asked)) {
            Ok(wait) => {
                self.wants(tab, wait.exchange, true);
                if self.tabs[tab].flight == Some(wait.exchange) {
                    self.tabs[tab].refreshers.push(wait.exchange);
                }
            }
            Err(failure) => {
                let as_ruled = failure.code == Code::SignedOut || (pauses && flight.is_none());
                self.hold(Rule::Cooldown, as_ruled, || format!("refresh() failed: {failure}"));
            }
        }
    }

    pub(super) fn logs_in(&mut self, tab: usize, user: User) {
        let before = self.line.len();
        let exchange = self.call(tab, |session, _| (session.login(), Cause::App));
        debug_assert!(self.line.len() <= before + 1);
        self.tabs[tab].logins.insert(exchange, user);
    }

    pub(super) fn sets_tokens(&mut self, tab: usize, user: User) {
        if self.holders.iter().any(|(_, stage)| matches!(stage, Stage::OnTheWire(_))) {
            return;
        }
        let grant = self.server.login(user, Some(60_000));
        let (token, now) = (token_in(&grant), self.now);
        self.tabs[tab].takes(grant.life, now);
        self.call(tab, |session, now| (session.enter(grant, now), Cause::Entered(token)));
    }

    pub(super) fn logs_out(&mut self, tab: usize, reachable: bool) {
        let logins: Vec<_> = self.tabs[tab].logins.keys().copied().collect();
        self.tabs[tab].overtaken.extend(logins);
        let refresh_token = self.tabs[tab].refresh_token();
        let logout = self.call(tab, |session, now| (session.logout(reachable, now), Cause::Left));
        self.tabs[tab].last_words.extend(logout.zip(refresh_token));
    }

    /// A tab is put away that takes part in no exchange. One at a time, or nobody might be there
    /// to tell the others.
    pub(super) fn freezes(&mut self, tab: usize) {
        if self.several && self.frozen.is_none() && !self.is_in_line(tab) {
            self.delivers_all_to(tab);
            self.ticks(20);
            self.frozen = Some(tab);
        }
    }

    pub(super) fn thaws(&mut self) {
        // No page comes back faster than a message travels.
        self.delivers_all();
        if let Some(tab) = self.frozen.take() {
            self.call(tab, |session, _| (session.came_back(), Cause::App));
            if self.policy.renewal == Renewal::WithToken {
                // Its refresh token may be an old one, until it is answered.
                self.delivers_all();
            }
        }
    }

    pub(super) fn opens(&mut self) {
        // No page opens faster than a message travels.
        self.delivers_all();
        let tab = self.tabs.len();
        self.tabs.push(Tab::new(self.policy.clone(), self.owed, self.now));
        self.obeys(tab, false);
    }

    pub(super) fn wakes(&mut self, tab: usize) {
        let chance = (tab as f64 * 0.37).fract();
        let named = self.tabs[tab].session.wake_in(chance, self.now);
        if let Some(ms) = named {
            self.ticks(ms);
        }
        let flight = self.tabs[tab].flight;
        self.call(tab, |session, now| (session.woke(now), Cause::App));
        let next = self.tabs[tab].session.wake_in(chance, self.now);
        let quiet = next.is_none_or(|ms| ms > 0);
        self.notes_hidden(tab);
        let begun = self.tabs[tab].flight != flight || self.is_in_line(tab);
        self.hold(Rule::NoBusyLoop, quiet, || format!("after {named:?}, wakes again in {next:?}"));
        self.hold(Rule::NoBusyLoop, named != Some(0) || begun, || "woken for nothing".to_owned());
    }

    /// A tab is disposed of, and what was on the wire is answered after that.
    pub fn disposes(&mut self, tab: usize) {
        self.tabs[tab].session.dispose();
        self.tabs[tab].epoch += 1;
        let told = self.obeys(tab, false);
        let silent = told.sign_outs.is_empty() && told.renewals == 0;
        self.hold(Rule::OncePerFact, silent, || format!("disposing of a tab told {told:?}"));
        let waits =
            |request: &Request| request.tab == tab && matches!(request.place, Place::Waits(_));
        let waiting = self.requests.iter().filter(|request| waits(request)).count();
        self.hold(Rule::Settles, waiting == 0, || format!("{waiting} requests wait for ever"));
        let flight = self.tabs[tab].flight;
        self.hold(Rule::Settles, flight.is_none(), || format!("{flight:?} never lands"));
    }
}
