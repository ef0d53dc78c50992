//! The app's calls, and what a page does by itself.

use tokenkeep::core::{Code, Owed, Renewal, Status, Tabs};

use super::super::server::{Token, User};
use super::super::tab::{Age, Tab, token_in};
use super::{Cause, Place, Request, Rule, Stage, Turn, World};

impl World {
    pub(super) fn refreshes(&mut self, tab: usize) {
        if self.policy.tabs == Tabs::Lock && self.tabs[tab].status() == Status::SignedOut {
            // An explicit refresh for a session that another tab is about to end succeeds, and tabs that
            // share nothing do not hear of it.
            return;
        }
        let (pending, pauses) =
            (self.tabs[tab].pending_refresh, self.tabs[tab].pauses(true, self.now));
        let (unreported, age) = (self.tabs[tab].unreported(), self.tabs[tab].age(self.now));
        let is_late = unreported > 0
            && pending.is_none()
            && age == Some(Age::Good)
            && self.tabs[tab].is_just_renewed(self.now);
        let result = self.call(tab, |session, now| (session.refresh(now), Cause::Asked));
        let is_taken_for_late = matches!(result, Ok(None));
        let as_ruled = is_taken_for_late == is_late || self.several && !is_taken_for_late;
        let unsure = self.tabs[tab].may_be_pending || result.is_err();
        self.hold(Rule::AskedByName, as_ruled || unsure, || {
            format!("{result:?} for {unreported} tokens that were handed out, {age:?}")
        });
        if result.is_ok() {
            self.tabs[tab].reports(is_taken_for_late);
        }
        match result {
            Ok(None) => {}
            Ok(Some(wait)) => {
                let is_sent = self.sent.contains_key(&(tab, wait.auth_call));
                if !is_sent {
                    let now = self.now.wall;
                    self.tabs[tab].called.insert(wait.auth_call, now);
                }
                self.wants(tab, wait.auth_call, true);
                if self.tabs[tab].pending_refresh == Some(wait.auth_call) {
                    self.tabs[tab].refreshers.push(wait.auth_call);
                }
            }
            Err(failure) => {
                let as_ruled = failure.code == Code::SignedOut || (pauses && pending.is_none());
                self.hold(Rule::Backoff, as_ruled, || format!("refresh() failed: {failure}"));
            }
        }
    }

    pub(super) fn logs_in(&mut self, tab: usize, user: User) {
        let before = self.line.len();
        let auth_call = self.call(tab, |session, _| (session.login(), Cause::App));
        debug_assert!(self.line.len() <= before + 1);
        self.tabs[tab].logins.insert(auth_call, user);
    }

    /// A call that sets the cookie and carries the token. The token is renewed first if necessary.
    pub(super) fn exchanges(&mut self, tab: usize, user: User) {
        let auth_call = self.call(tab, |session, now| (session.exchange(now), Cause::App));
        self.notes_hidden(tab);
        self.tabs[tab].logins.insert(auth_call, user);
    }

    pub(super) fn hands_out(&mut self, tab: usize) {
        let Some(ticket) = self.tabs[tab].session.may_leave(self.now) else { return };
        let held = self.tabs[tab].token();
        let given = self.call(tab, |session, _| (session.hand_out(ticket), Cause::App));
        let given = given.map(|token| Token::read(token.reveal()));
        self.hold(Rule::OwnToken, given == held, || format!("{given:?} is handed out of {held:?}"));
        if let Some(given) = given {
            self.tabs[tab].gives(given.id);
        }
    }

    /// The cookie changes without any script of ours knowing.
    pub(super) fn signs_in_elsewhere(&mut self, tab: usize, user: User, is_told: bool) {
        // If a call is answered during a sign-in, only a token with a subject shows whose it is.
        let is_unclear = !self.tells_subject && self.holders.iter().any(is_on_the_wire);
        if self.policy.renewal == Renewal::WithToken || is_unclear {
            return;
        }
        self.ticks(20);
        let _ = self.server_mut(tab).login(user, None);
        self.is_elsewhere = true;
        // Without subjects in tokens, only a tab that is told can know of it.
        if is_told || !self.tells_subject {
            self.is_signed_in(tab);
        }
    }

    pub(super) fn is_signed_in(&mut self, tab: usize) {
        self.ticks(20);
        let now = self.now;
        self.call(tab, |session, now| (session.signed_in(now), Cause::Elsewhere));
        self.tabs[tab].elsewhere = Some(now.wall);
        let owed = self.owed[self.tabs[tab].identity];
        self.hold(Rule::PendingLogout, !owed, || "a logout is owed after a sign-in".to_owned());
    }

    pub(super) fn has_no_hint(&mut self, tab: usize) {
        self.call(tab, |session, _| (session.no_session_hint(), Cause::NoHint));
    }

    /// The app hands over tokens that it got by itself. A token of the same user renews the session.
    pub(super) fn sets_tokens(&mut self, tab: usize, user: User) {
        // It takes no turn: it could not be ordered against a login that has not been heard of yet.
        self.delivers_all();
        let held = self.tabs[tab].token();
        let is_same = self.tells_subject && held.is_some_and(|held| held.user == user);
        if self.holders.iter().any(is_on_the_wire) || self.several && !is_same {
            return;
        }
        self.ticks(20);
        let tokens = self.server_mut(tab).login(user, Some(60_000));
        let (token, now) = (token_in(&tokens), self.now);
        self.tabs[tab].takes(&tokens, now);
        self.asked.insert(token.id, now.wall);
        self.call(tab, |session, now| {
            session.set_tokens(tokens, now);
            let wanted = true;
            ((), if is_same { Cause::Granted { token, wanted } } else { Cause::Entered(token) })
        });
    }

    pub(super) fn logs_out(&mut self, tab: usize, reachable: bool) {
        let logins: Vec<_> = self.tabs[tab].logins.keys().copied().collect();
        self.tabs[tab].overtaken.extend(logins);
        let refresh_token = self.tabs[tab].refresh_token();
        let logout = self.call(tab, |session, now| (session.logout(reachable, now), Cause::Left));
        self.tabs[tab].last_words.extend(logout.zip(refresh_token));
        let entries = self.tabs[tab].entries;
        self.tabs[tab].entries_at.extend(logout.map(|logout| (logout, entries)));
    }

    /// Puts away a tab that takes part in no auth call. Only one at a time, because another tab must remain
    /// to tell it what happened.
    pub(super) fn freezes(&mut self, tab: usize) {
        if self.several && self.frozen.is_none() && !self.is_in_line(tab) {
            self.delivers_all_to(tab);
            self.ticks(20);
            self.frozen = Some(tab);
        }
    }

    pub(super) fn thaws(&mut self) {
        // No page comes back before pending messages have arrived.
        self.delivers_all();
        if let Some(tab) = self.frozen.take() {
            self.call(tab, |session, _| (session.came_back(), Cause::App));
            if self.policy.renewal == Renewal::WithToken {
                // Its refresh token may be outdated until the answer arrives.
                self.delivers_all();
            }
        }
    }

    pub(super) fn opens(&mut self, owed: u8) {
        // No page opens before pending messages have arrived.
        self.delivers_all();
        let tab = self.tabs.len();
        let identity = tab % self.servers.len();
        let marked = [Owed::Finish, Owed::Finish, Owed::Untold, Owed::InDoubt];
        let owed = match self.owed[identity] {
            true => marked[usize::from(owed) % marked.len()],
            false => Owed::Nothing,
        };
        self.tabs.push(Tab::new(identity, self.policy.clone(), owed, self.now));
        let told = self.obeys(tab, false);
        let is_out = owed == Owed::Nothing || self.tabs[tab].status() == Status::SignedOut;
        let is_silent = owed == Owed::Nothing || told.started == usize::from(owed == Owed::Finish);
        self.hold(Rule::PendingLogout, is_out && is_silent, || {
            format!("{owed:?} at the beginning: {told:?}")
        });
    }

    pub(super) fn fires_renewal_timer(&mut self, tab: usize) {
        let chance = (tab as f64 * 0.37).fract();
        let named = self.tabs[tab].session.renewal_due_in(chance, self.now);
        if let Some(ms) = named {
            self.ticks(ms);
        }
        let pending = self.tabs[tab].pending_refresh;
        self.call(tab, |session, now| (session.renewal_timer_fired(now), Cause::App));
        let next = self.tabs[tab].session.renewal_due_in(chance, self.now);
        let quiet = next.is_none_or(|ms| ms > 0);
        self.notes_hidden(tab);
        let begun = self.tabs[tab].pending_refresh != pending || self.is_in_line(tab);
        self.hold(Rule::NoBusyLoop, quiet, || format!("after {named:?}, due again in {next:?}"));
        self.hold(Rule::NoBusyLoop, named != Some(0) || begun, || {
            "the timer fired for nothing".to_owned()
        });
    }

    /// Disposes of a tab. Calls on the wire are answered afterwards.
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
        let pending = self.tabs[tab].pending_refresh;
        self.hold(Rule::Settles, pending.is_none(), || format!("{pending:?} is never settled"));
    }
}

fn is_on_the_wire((_, stage): &(Turn, Stage)) -> bool {
    matches!(stage, Stage::OnTheWire(_) | Stage::Answered)
}
