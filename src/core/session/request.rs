//! An app's request: before it is sent (rule 3), and when it is answered (rules 4 to 6 and 8).

use super::super::answer::TokenResponse;
use super::super::auth_call_queue::AuthCall;
use super::super::failure::{Code, Failure, Step};
use super::super::forbidden::{NEW, Resource};
use super::super::policy::Restore;
use super::super::rules::{Classification, is_safe};
use super::super::secret::Secret;
use super::super::tabs::HybridTime;
use super::super::time::{Now, Validity};
use super::{CurrentToken, Event, Generation, REFUSED_BY, Reason, RefreshOutcome, Session, Status};

/// Permission to send a request once, with the generation of the token to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    pub(super) generation: Generation,
    resource: Resource,
    again: bool,
    /// The token was renewed for this request, or another resource is known to have refused it.
    is_trial: bool,
}

impl Ticket {
    /// A first sending as a plain number, for callers that keep millions of them.
    pub fn number(self) -> u32 {
        self.generation.0
    }

    /// The first sending with this number.
    pub fn first(number: u32, resource: Resource) -> Self {
        Self { generation: Generation(number), resource, again: false, is_trial: false }
    }
}

/// Whoever waits for a refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// The refresh that it waits for.
    pub auth_call: AuthCall,
    pub(super) epoch: Generation,
    pub(super) resource: Resource,
    pub(super) waiter: Waiter,
    /// How often it has waited before.
    pub(super) waited: u8,
}

/// Who waits for a refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waiter {
    /// A request that has not been sent yet.
    Unsent,
    /// A request that has been sent and refused.
    Refused,
    /// [`Session::refresh`]: the refresh itself is wanted.
    Refresh,
    /// [`Session::known`]: whether somebody is signed in.
    Known,
}

/// Why a request has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unanswered<'a> {
    /// It was not sent, because the key of its token is gone.
    NoKey,
    /// The platform's `fetch` rejected.
    Silence {
        /// The method of the request.
        method: &'a str,
        /// Whether the caller has aborted it.
        is_aborted: bool,
        /// See [`Session::answered`].
        is_repeatable: bool,
    },
}

/// How often a request waits before it is sent with any token there is.
const WAITS: u8 = 3;

/// How a request is to be sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Send,
    /// Send it with a token that another resource has refused.
    Try,
    Wait,
}

/// What to do with a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Departure {
    /// Send it with the token that [`Session::credential`] returns for the ticket.
    Send(Ticket),
    /// Wait for the outcome of the refresh, then call [`Session::resume`].
    Wait(Wait),
    /// Give the caller the answer that came.
    Deliver,
    /// Fail with this error.
    Fail(Failure),
}

impl Session {
    /// Decides how a request to one of the APIs is sent (rule 3).
    pub fn depart(&mut self, resource: Resource, now: Now) -> Departure {
        match self.way(resource, now) {
            Way::Wait => self.wait(resource, Waiter::Unsent, 0, now),
            way => self.send(resource, false, way == Way::Try),
        }
    }

    /// The same decision without any effect: a ticket if the request can be sent at once. The caller may drop
    /// it.
    pub fn may_leave(&self, now: Now) -> Option<Ticket> {
        let resource = Resource::ANY;
        (self.way(resource, now) == Way::Send)
            .then(|| Ticket::first(self.current_generation().0, resource))
    }

    /// The token for a ticket of [`Session::may_leave`]: see [`Session::credential`].
    pub fn leaves(&mut self, ticket: Ticket) -> Option<&Secret> {
        let current =
            self.current.as_mut().filter(|current| current.generation == ticket.generation)?;
        current.used = true;
        Some(&current.token)
    }

    fn way(&self, resource: Resource, now: Now) -> Way {
        let Some(current) = &self.current else {
            return if self.may_restore() { Way::Wait } else { Way::Send };
        };
        let validity = current.expiry.validity(now);
        match validity {
            _ if current.is_refused() => {
                // Perhaps only one resource refuses it, with the wrong status. A refresh now would ignore the
                // back-off, so other resources are tried with the token.
                let may_be_good =
                    validity != Validity::Ended && !current.refused_by.contains(&resource);
                if may_be_good
                    && self.pending_refresh.is_none()
                    && self.backoff.holds(false, now).is_some()
                {
                    Way::Try
                } else {
                    Way::Wait
                }
            }
            Validity::Good => Way::Send,
            // No refresh is possible, so the server decides.
            _ if !self.can_renew() => Way::Send,
            // The token is near its end and the back-off forbids a refresh: the token is still good.
            Validity::Ending if self.backoff.holds(false, now).is_some() => Way::Send,
            Validity::Ending | Validity::Ended => Way::Wait,
        }
    }

    /// A request was answered, and [`super::super::Rules::classify`] has classified the answer. `repeatable`:
    /// see [`Session::answered`]. The answer to a request of an older session says nothing about this one.
    pub fn classified(
        &mut self,
        ticket: Ticket,
        status: u16,
        classification: Classification,
        repeatable: bool,
        now: Now,
    ) -> Departure {
        match classification {
            Classification::Unauthorized => return self.answered(ticket, repeatable, now),
            Classification::StepUp(challenges) if ticket.generation >= self.epoch => {
                self.tell(Event::StepUp(challenges));
            }
            Classification::Ended if self.is_sent_with_the_last(ticket) => {
                self.end(RefreshOutcome::Void, Reason::Ended);
            }
            // The older token had ended: the request is sent again, as after a late 401.
            Classification::Ended => return self.answered(ticket, repeatable, now),
            Classification::Plain if (200..400).contains(&status) => self.accepted(ticket, now),
            Classification::StepUp(_) | Classification::Plain => {}
        }
        Departure::Deliver
    }

    /// A resource has accepted a token. Resources that refused this token before mean "forbidden".
    fn accepted(&mut self, ticket: Ticket, now: Now) {
        let Some(current) =
            self.current.as_mut().filter(|current| current.generation == ticket.generation)
        else {
            return;
        };
        self.forbidden.clear(ticket.resource);
        let renewed_for = &mut current.renewed_for;
        if let Some(at) = renewed_for.iter().position(|resource| *resource == ticket.resource) {
            renewed_for.remove(at);
        }
        if ticket.is_trial && !ticket.again {
            for resource in std::mem::take(&mut current.refused_by) {
                self.forbidden.note(resource, current.generation, now);
            }
        }
    }

    /// A request has no answer. If that may be a refusal, decides what to do with the request; `None` means that the
    /// caller gets the error.
    pub fn unanswered(
        &mut self,
        ticket: Ticket,
        why: Unanswered<'_>,
        now: Now,
    ) -> Option<Departure> {
        match why {
            // Another tab has replaced the key, so no request can use the token any more.
            Unanswered::NoKey => Some(self.answered(ticket, true, now)),
            Unanswered::Silence { method, is_aborted, is_repeatable } => {
                let may_be_refused = self.policy.rules.hears_silence()
                    && !is_aborted
                    && is_safe(method)
                    && self.may_be_refused(ticket, now);
                may_be_refused.then(|| self.answered(ticket, is_repeatable, now))
            }
        }
    }

    /// Whether a request that failed without an answer may have been a 401 that CORS hides: its token is past
    /// its end, or has no known end, or there is a newer one.
    pub fn may_be_refused(&self, ticket: Ticket, now: Now) -> bool {
        let is_over = |current: &CurrentToken| {
            current.generation != ticket.generation
                || current.expiry.at().is_none()
                || current.expiry.validity(now) == Validity::Ended
        };
        self.current.as_ref().is_some_and(is_over)
    }

    /// An answer to a request brought a new token. It counts only if the request was sent with the newest
    /// token: otherwise another answer has already brought it, or it is older than the current one. An answer
    /// from a cache brings a token that is older than the current one.
    pub fn adopt(&mut self, ticket: Ticket, mut tokens: TokenResponse, now: Now) {
        let is_same = |current: &CurrentToken| current.token == tokens.access_token;
        if !self.is_sent_with_the_last(ticket)
            || self.current.as_ref().is_some_and(is_same)
            || self.is_older(&tokens)
        {
            return;
        }
        // The new token is bound to the same key as the token that it replaces.
        tokens.bound = self.bound();
        self.settle_unsent(HybridTime(0));
        // Its place in the order is directly after the token that was sent, not now: another user may have
        // signed in since, in a tab that has not been heard yet.
        self.renew(tokens, self.stamp.next(), HybridTime(0), now);
    }

    /// Whether no newer token has come since the request was sent.
    fn is_sent_with_the_last(&self, ticket: Ticket) -> bool {
        self.current.as_ref().is_some_and(|current| current.generation == ticket.generation)
    }

    /// A request got an answer that counts as an expiry. Whether this is worth a refresh depends on the
    /// generation it was sent with, and on the resource (rule 4). `repeatable`: whether it can be sent again
    /// at all (rule 6).
    pub fn answered(&mut self, ticket: Ticket, repeatable: bool, now: Now) -> Departure {
        if ticket.generation < self.epoch {
            return Departure::Deliver;
        }
        let Some(current) = &mut self.current else { return Departure::Deliver };
        let (resource, generation) = (ticket.resource, current.generation);
        let is_newest = generation == ticket.generation;
        if ticket.again {
            if is_newest && ticket.is_trial {
                // The token was renewed for this request.
                self.forbidden.note(resource, generation, now);
            }
            return Departure::Deliver;
        }
        if is_newest {
            // The request that asked for this token may have been aborted, or could not be sent again.
            let is_new =
                current.expiry.validity(now) != Validity::Ended && current.expiry.age(now) < NEW;
            if is_new && current.renewed_for.contains(&resource) {
                self.forbidden.note(resource, generation, now);
            }
            if self.forbidden.has(resource, generation, now) {
                return Departure::Deliver;
            }
            if current.refused_by.len() < REFUSED_BY && !current.refused_by.contains(&resource) {
                current.refused_by.push(resource);
            }
        }
        match (current.is_refused(), repeatable) {
            (false, true) => self.send(resource, true, false),
            (false, false) => Departure::Deliver,
            (true, true) => self.wait(resource, Waiter::Refused, 0, now),
            (true, false) => {
                if self.backoff.holds(false, now).is_none() {
                    self.want_refresh();
                }
                Departure::Deliver
            }
        }
    }

    /// The refresh that somebody waited for has an outcome. [`Departure::Deliver`] means that there is nothing more
    /// to wait for.
    pub fn resume(&mut self, wait: Wait, outcome: &RefreshOutcome, now: Now) -> Departure {
        match wait.waiter {
            Waiter::Unsent => self.resume_request(wait, false, outcome, now),
            Waiter::Refused => self.resume_request(wait, true, outcome, now),
            Waiter::Refresh => match outcome {
                RefreshOutcome::Renewed => Departure::Deliver,
                RefreshOutcome::Rejected(failure) | RefreshOutcome::Failed(failure) => {
                    Departure::Fail(*failure)
                }
                RefreshOutcome::Void => {
                    Departure::Fail(Failure::new(Code::SessionChanged, Step::Refresh))
                }
            },
            Waiter::Known => match outcome {
                RefreshOutcome::Renewed => Departure::Deliver,
                RefreshOutcome::Rejected(failure) | RefreshOutcome::Failed(failure)
                    if self.status == Status::Unknown =>
                {
                    Departure::Fail(*failure)
                }
                RefreshOutcome::Rejected(_) | RefreshOutcome::Failed(_) => Departure::Deliver,
                // Meanwhile, the user may have signed in where no script could see it.
                RefreshOutcome::Void => match self.known(now) {
                    Ok(Some(wait)) => Departure::Wait(wait),
                    Ok(None) => Departure::Deliver,
                    Err(failure) => Departure::Fail(failure),
                },
            },
        }
    }

    /// A request waits once before it is sent, and once after a refusal (`sent`). It waits again if the new token was
    /// refused before the request could be sent.
    fn resume_request(
        &mut self,
        wait: Wait,
        sent: bool,
        outcome: &RefreshOutcome,
        now: Now,
    ) -> Departure {
        if wait.epoch != self.epoch {
            return if sent {
                Departure::Deliver
            } else {
                Departure::Fail(Failure::new(Code::SessionChanged, Step::Request))
            };
        }
        let is_refused = self.current.as_ref().is_some_and(CurrentToken::is_refused);
        // A refused token is unusable, except for a resource that may accept it; and another tab may have
        // brought a token in the meantime.
        let tries = self.way(wait.resource, now) == Way::Try;
        match outcome {
            RefreshOutcome::Failed(failure) if !self.is_usable(now) && (sent || !tries) => {
                Departure::Fail(*failure)
            }
            _ if sent && self.current.is_none() => Departure::Deliver,
            _ if is_refused && !tries && wait.waited < WAITS => {
                self.wait(wait.resource, wait.waiter, wait.waited + 1, now)
            }
            _ => {
                let is_renewed = matches!(outcome, RefreshOutcome::Renewed);
                self.send(wait.resource, sent, if sent { is_renewed } else { tries })
            }
        }
    }

    /// The token to send with a ticket, or `None` for a request without one. Only the token of the ticket's
    /// own generation is returned: a ticket of an older epoch never gets a newer token.
    pub fn credential(&self, ticket: Ticket) -> Option<&Secret> {
        let current = self.current.as_ref()?;
        (current.generation == ticket.generation).then_some(&current.token)
    }

    /// Joins the pending refresh or requests one, unless the back-off forbids it.
    pub(super) fn wait(
        &mut self,
        resource: Resource,
        waiter: Waiter,
        waited: u8,
        now: Now,
    ) -> Departure {
        if self.pending_refresh.is_none()
            && let Some(failure) = self.backoff.holds(false, now)
        {
            return Departure::Fail(failure);
        }
        let auth_call = self.want_refresh();
        Departure::Wait(Wait { auth_call, epoch: self.epoch, resource, waiter, waited })
    }

    fn send(&mut self, resource: Resource, again: bool, is_trial: bool) -> Departure {
        if let Some(current) = &mut self.current {
            current.used = true;
        }
        Departure::Send(Ticket { generation: self.current_generation(), resource, again, is_trial })
    }

    /// The generation with which a request is sent now.
    pub(super) fn current_generation(&self) -> Generation {
        self.current.as_ref().map_or(self.newest, |current| current.generation)
    }

    /// Requests a refresh in the cases in which a request would wait for one.
    pub(super) fn renew_ahead(&mut self, now: Now) {
        if self.way(Resource::ANY, now) == Way::Wait && self.backoff.holds(false, now).is_none() {
            self.want_refresh();
        }
    }

    /// The token, if a request could be sent with it.
    pub fn usable_token(&self, now: Now) -> Option<&Secret> {
        self.current.as_ref().filter(|_| self.is_usable(now)).map(|current| &current.token)
    }

    fn may_restore(&self) -> bool {
        self.status == Status::Unknown
            && (self.policy.restore != Restore::Manual || self.pending_refresh.is_some())
    }

    fn is_usable(&self, now: Now) -> bool {
        self.current.as_ref().is_some_and(|current| {
            !current.is_refused() && current.expiry.validity(now) != Validity::Ended
        })
    }
}
