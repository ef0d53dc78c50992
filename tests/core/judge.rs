//! Calls a session, carries out its effects, and checks what it reported and what it became.

use tokenkeep::core::{
    AuthCall, Effect, Event, Kind, Now, Reason, RefreshOutcome, Session, Status,
};

use super::super::server::Token;
use super::super::tab::{Seen, Told};
use super::{Cause, News, Place, Rule, Stage, Turn, World};

impl World {
    /// Calls a session, carries out its effects, and checks what it reported.
    pub(super) fn call<R>(
        &mut self,
        tab: usize,
        act: impl FnOnce(&mut Session, Now) -> (R, Cause),
    ) -> R {
        let before = self.tabs[tab].seen();
        let (result, cause) = act(&mut self.tabs[tab].session, self.now);
        let after = self.tabs[tab].seen();
        self.changes(tab, cause, &before, &after);
        let told = self.obeys(tab, cause == Cause::Asked);
        self.judges(tab, cause, &before, &after, &told);
        result
    }

    pub(super) fn obeys(&mut self, tab: usize, explicit: bool) -> Told {
        let mut told = Told::default();
        while let Some(effect) = self.tabs[tab].session.poll_effect() {
            match effect {
                Effect::Start(auth_call, kind) => {
                    told.started += 1;
                    if kind == Kind::Refresh && !self.tabs[tab].settled.contains(&auth_call) {
                        self.wants(tab, auth_call, explicit);
                    }
                    let contended = self.holders.iter().any(|(turn, _)| turn.tab != tab);
                    self.line.push_back(Turn { tab, auth_call, kind, contended });
                }
                Effect::SettleRefresh(auth_call, outcome) => {
                    told.failed_refreshes +=
                        usize::from(matches!(outcome, RefreshOutcome::Failed(_)));
                    self.refresh_settles(tab, auth_call, &outcome);
                    self.answers_who_asked(tab, auth_call, &outcome);
                }
                Effect::Changed => told.changed += 1,
                Effect::Tell(Event::Refresh) => told.renewals += 1,
                Effect::Tell(Event::RefreshError(_)) => told.errors += 1,
                Effect::Tell(Event::SignOut(reason)) => told.sign_outs.push(reason),
                Effect::Tell(Event::StepUp(_)) => told.step_ups += 1,
                Effect::Post(message) => {
                    let identity = self.tabs[tab].identity;
                    let hears = |other: &usize| {
                        *other != tab
                            && self.frozen != Some(*other)
                            && self.tabs[*other].identity == identity
                    };
                    for other in (0..self.tabs.len()).filter(hears) {
                        self.mail.entry((tab, other)).or_default().push_back((*message).clone());
                    }
                }
                Effect::Owe(owed) => self.owed[self.tabs[tab].identity] = owed,
            }
        }
        told
    }

    /// A call waits for a refresh: the pending one, or a new one.
    pub(super) fn wants(&mut self, tab: usize, auth_call: AuthCall, explicit: bool) {
        let now = self.now;
        let known = &self.tabs[tab];
        if known.pending_refresh == Some(auth_call) {
            return;
        }
        let (pending, pauses) = (known.pending_refresh, known.pauses(explicit, now));
        let pauses = pauses && !known.may_have_recovered && !known.may_be_pending;
        let over = known.settled.contains(&auth_call);
        self.hold(Rule::OneRefresh, pending.is_none(), || {
            format!("{auth_call:?} is wanted beside {pending:?}")
        });
        self.hold(Rule::Backoff, !pauses, || format!("{auth_call:?} is wanted in the pause"));
        self.hold(Rule::Settles, !over, || {
            format!("somebody waits for {auth_call:?}, which is over")
        });
        self.tabs[tab].pending_refresh = Some(auth_call);
        self.tabs[tab].may_be_pending = false;
    }

    pub(super) fn refresh_settles(
        &mut self,
        tab: usize,
        auth_call: AuthCall,
        outcome: &RefreshOutcome,
    ) {
        let known = &mut self.tabs[tab];
        let first = known.settled.insert(auth_call);
        known.pending_refresh = known.pending_refresh.filter(|pending| *pending != auth_call);
        known.may_be_pending = false;
        known.may_be_newer = false;
        known.refreshers.retain(|refresher| *refresher != auth_call);
        for request in self.requests.iter_mut().filter(|request| request.tab == tab) {
            if let Place::Waits(wait) = request.place
                && wait.auth_call == auth_call
            {
                request.place = Place::RefreshSettled(wait, *outcome);
            }
        }
        self.hold(Rule::Settles, first, || format!("{auth_call:?} was settled twice"));
    }

    /// A caller of `refresh()` is answered by the server, or by an auth call that was sent later.
    fn answers_who_asked(&mut self, tab: usize, auth_call: AuthCall, outcome: &RefreshOutcome) {
        let called = self.tabs[tab].called.remove(&auth_call);
        let is_itself = |(turn, stage): &(Turn, Stage)| {
            turn.tab == tab && turn.auth_call == auth_call && *stage != Stage::Listens
        };
        let is_asked = self.holders.iter().any(is_itself);
        if let (Some(called), RefreshOutcome::Renewed, false) = (called, outcome, is_asked) {
            let token = self.tabs[tab].token();
            let asked = token.and_then(|token| self.asked.get(&token.id)).copied();
            let is_later = asked.is_some_and(|asked| asked > called);
            self.hold(Rule::AskedByName, is_later || self.is_set_back, || {
                format!("refresh() of {called} is answered by {token:?}, asked for at {asked:?}")
            });
        }
    }

    /// Updates the world's own account.
    pub(super) fn changes(&mut self, tab: usize, cause: Cause, before: &Seen, after: &Seen) {
        let (was, is) = (before.token, after.token);
        let (old, new) = (before.snapshot.status, after.snapshot.status);
        let known = &mut self.tabs[tab];
        let other_user = was.zip(is).is_some_and(|(was, is)| was.user != is.user);
        let other_owner = match cause {
            Cause::Left | Cause::Entered(_) | Cause::Elsewhere => true,
            // Without news, no tab can know that a token of the same user belongs to another session.
            Cause::Granted { .. } | Cause::Heard(News::Renewal) => {
                other_user || (old == Status::SignedOut && is.is_some())
            }
            // The same user signed in, in another tab.
            Cause::Heard(News::Entry) if was.is_some() && is.is_some() => other_user,
            Cause::Heard(News::Entry | News::Other) => before != after,
            Cause::App
            | Cause::NoHint
            | Cause::Heard(News::Refusal)
            | Cause::Asked
            | Cause::Refused { .. }
            | Cause::Outage
            | Cause::Ended
            | Cause::More { .. } => false,
        };
        if is.is_some() && was != is {
            known.replaces(was);
        }
        if other_owner {
            known.epoch += 1;
            known.forgets();
        }
        let begins = matches!(cause, Cause::Entered(_) | Cause::Elsewhere)
            || cause == Cause::Heard(News::Entry) && before != after;
        known.entries += u32::from(begins);
        // The sign-in in another tab may be the later one.
        let is_later = matches!(cause, Cause::Left | Cause::Entered(_) | Cause::Heard(News::Entry));
        if is.is_some() && was != is || is_later {
            known.elsewhere = None;
        }
        known.may_be_newer |= is.is_some() && was != is;
        if cause == Cause::NoHint {
        } else if other_owner || was != is || old != new {
            known.recovers();
        } else if matches!(cause, Cause::Heard(_)) {
            known.may_have_recovered = true;
        }
        match cause {
            Cause::Left => known.left.extend(was.map(|token| token.session)),
            Cause::Elsewhere => {
                // An app that reports a sign-in takes its logout back, too.
                let identity = known.identity;
                let same = self.tabs.iter_mut().filter(|tab| tab.identity == identity);
                same.for_each(|tab| tab.left.clear());
            }
            Cause::Granted { wanted: true, token } if old == Status::SignedOut => {
                // An explicit refresh after a logout takes that logout back, for all tabs.
                for tab in &mut self.tabs {
                    tab.left.remove(&token.session);
                }
            }
            _ => {}
        }
    }

    /// Checks a session's reports and its new state against the cause of the change.
    pub(super) fn judges(
        &mut self,
        tab: usize,
        cause: Cause,
        before: &Seen,
        after: &Seen,
        told: &Told,
    ) {
        let (was, is) = (before.token, after.token);
        let (old, new) = (before.snapshot.status, after.snapshot.status);
        let signed_out = old == Status::SignedIn && new == Status::SignedOut;
        let reason = match cause {
            Cause::Left => Reason::Logout,
            Cause::Refused { .. } => Reason::Rejected,
            Cause::Ended => Reason::Ended,
            Cause::Heard(News::Refusal) => Reason::Rejected,
            _ => Reason::OtherTab,
        };
        let expected: &[Reason] = if signed_out { &[reason] } else { &[] };
        let renewed = match cause {
            Cause::Granted { wanted, .. } => wanted,
            Cause::Heard(News::Renewal) => is != was,
            _ => false,
        };
        let report =
            || format!("tab {tab}, {cause:?}: {old:?} {was:?} -> {new:?} {is:?}, told {told:?}");
        self.hold(Rule::OncePerFact, told.sign_outs == expected, report);
        self.hold(Rule::OncePerFact, told.renewals == usize::from(renewed), report);
        self.hold(Rule::OncePerFact, told.errors == told.failed_refreshes, report);
        // Learning that the current token belongs to a new session is a change of owner, too.
        let is_told_again = cause == Cause::Heard(News::Entry) && is.is_some();
        let is_told =
            told.changed == usize::from(before != after) || is_told_again && told.changed == 1;
        self.hold(Rule::OncePerFact, is_told, report);
        match cause {
            Cause::App | Cause::Asked => self.hold(Rule::Epoch, before == after, report),
            Cause::Outage => self.hold(Rule::OutageKeeps, before == after, report),
            Cause::Granted { token, wanted: true } => {
                self.hold(Rule::Epoch, is == Some(token), report);
            }
            Cause::Granted { wanted: false, .. } => self.hold(Rule::Epoch, before == after, report),
            Cause::Refused { wanted: true, overtaken } => {
                // Another tab, or an answer, may have brought a newer token while the refresh was on the
                // wire.
                let is_over = new == Status::SignedOut || overtaken && before == after;
                self.hold(Rule::RejectedOnce, is_over, report);
                self.hold(Rule::RejectedOnce, told.sign_outs == expected, report);
            }
            Cause::Refused { wanted: false, .. } => self.hold(Rule::Epoch, before == after, report),
            Cause::Entered(token) => self.hold(Rule::Epoch, is == Some(token), report),
            Cause::Left => {
                self.hold(Rule::LogoutHolds, new == Status::SignedOut, report);
                self.hold(Rule::LogoutHolds, is.is_none(), report);
            }
            Cause::Ended => {
                self.hold(Rule::EndedOnce, new == Status::SignedOut && is.is_none(), report);
                self.hold(Rule::EndedOnce, told.sign_outs == expected, report);
                self.hold(Rule::EndedOnce, told.started == 0, report);
            }
            Cause::More { .. } => self.hold(Rule::Epoch, before == after, report),
            Cause::Elsewhere => {
                let is_open = new == Status::Unknown && is.is_none();
                self.hold(Rule::Elsewhere, is_open && told.sign_outs.is_empty(), report);
            }
            Cause::NoHint => {
                let is_over = old == Status::Unknown && new == Status::SignedOut;
                self.hold(Rule::Epoch, before == after || is_over, report);
            }
            Cause::Heard(_) => {}
        }
        let is_apart = is.is_none_or(|token| token.identity() == self.tabs[tab].identity);
        self.hold(Rule::Apart, is_apart, report);
        // News from another tab may have changed the session without the world knowing.
        let more = usize::from(cause == Cause::More { of_now: true });
        let is_told = told.step_ups == more || self.several && told.step_ups < more;
        self.hold(Rule::OncePerFact, is_told, report);
        let undone = is.is_some_and(|token| self.tabs[tab].left.contains(&token.session));
        self.hold(Rule::LogoutHolds, !undone || self.is_set_back, report);
        let claimed = after.snapshot.claims.as_deref().map(Token::read);
        let consistent =
            is.is_some() == (new == Status::SignedIn) && claimed == is.filter(|_| !self.is_opaque);
        self.hold(Rule::OncePerFact, consistent, report);
    }
}
