//! Direct requests of the app: for the state, for the access token, for a refresh.

use super::super::failure::{Code, Failure, Step};
use super::super::forbidden::Resource;
use super::super::pending_logout::Owed;
use super::super::secret::Secret;
use super::super::tabs::HybridTime;
use super::super::time::{Now, Validity};
use super::request::Waiter;
use super::{CurrentToken, Departure, Session, Status, Ticket, Wait};

/// For how long after a renewal a call of `refresh()` may concern the previous token, in milliseconds.
const LATE_REPORTS: u64 = 10_000;

impl Session {
    /// The app wants to know whether somebody is signed in. `None`: the answer is known, or no refresh is
    /// allowed before the app asks for one.
    ///
    /// # Errors
    /// During the back-off, the failure of the last refresh; [`Code::Disposed`].
    pub fn known(&mut self, now: Now) -> Result<Option<Wait>, Failure> {
        self.alive(Step::Request)?;
        if self.status != Status::Unknown {
            return Ok(None);
        }
        match self.depart(Resource::ANY, now) {
            Departure::Wait(wait) => Ok(Some(Wait { waiter: Waiter::Known, ..wait })),
            Departure::Fail(failure) => Err(failure),
            Departure::Send(_) | Departure::Deliver => Ok(None),
        }
    }

    /// The app wants the access token itself. `refused`: a token that a resource has refused; the app does
    /// not get it again. The refusal counts as it does for a request (rule 4). If that token belongs to
    /// another session, the app gets no token of this session: the refusal concerns that other session (rule
    /// 9). [`Session::hand_over`] turns the departure into the app's answer.
    pub fn access_token(&mut self, refused: Option<(&Secret, Resource)>, now: Now) -> Departure {
        let Some((refused, resource)) = refused else { return self.depart(Resource::ANY, now) };
        let Some(current) = self.current.as_mut().filter(|current| current.token == *refused)
        else {
            let is_former = self.is_former(refused);
            if !is_former && self.status != Status::SignedOut {
                return Departure::Fail(Failure::new(Code::SessionChanged, Step::Request));
            }
            self.unreported = self.unreported.saturating_sub(1);
            return self.depart(resource, now);
        };
        current.handed_out = current.handed_out.saturating_sub(1);
        let ticket = Ticket::first(current.generation.0, resource);
        // If a token past its end is refused, that says nothing about the resource.
        if current.expiry.validity(now) == Validity::Ended {
            return self.wait(resource, Waiter::Refused, 0, now);
        }
        match self.answered(ticket, true, now) {
            Departure::Deliver => Departure::Fail(Failure::new(Code::Forbidden, Step::Request)),
            departure => departure,
        }
    }

    /// The app's answer when it asked for the access token, once there is nothing more to wait for.
    ///
    /// # Errors
    /// The failure of the refresh; [`Code::Forbidden`] if the refused token is the only one;
    /// [`Code::SignedOut`] or [`Code::SessionChanged`] if the session is over.
    pub fn hand_over(
        &mut self,
        departure: Departure,
        refused: Option<&Secret>,
    ) -> Result<Secret, Failure> {
        let code = match departure {
            Departure::Fail(failure) => return Err(failure),
            Departure::Send(ticket) if refused.is_some() && self.credential(ticket) == refused => {
                Code::Forbidden
            }
            Departure::Send(ticket) => match self.hand_out(ticket) {
                Some(token) => return Ok(token),
                None => Code::SignedOut,
            },
            _ if self.status == Status::SignedOut => Code::SignedOut,
            _ => Code::SessionChanged,
        };
        Err(Failure::new(code, Step::Request))
    }

    /// The current token for the app itself, if there is one and it has not ended. No refresh is sent.
    pub fn peek(&mut self, now: Now) -> Option<Secret> {
        self.usable_token(now)?;
        self.hand_out(Ticket::first(self.current_generation().0, Resource::ANY))
    }

    /// Gives the app itself the token of a ticket.
    pub fn hand_out(&mut self, ticket: Ticket) -> Option<Secret> {
        let current =
            self.current.as_mut().filter(|current| current.generation == ticket.generation)?;
        current.handed_out = current.handed_out.saturating_add(1);
        current.used = true;
        Some(current.token.clone())
    }

    /// Requests a refresh now, whatever the state of the token. Joins a refresh that has not been sent or not
    /// been answered yet. `None`: the call concerns a token that has just been replaced. An app that was
    /// given tokens calls this when one of them is refused, and refusals of one token arrive late.
    ///
    /// # Errors
    /// During the server's `Retry-After`, the failure that came with it; [`Code::SignedOut`] if a logout is
    /// pending, or there is no refresh token.
    pub fn refresh(&mut self, now: Now) -> Result<Option<Wait>, Failure> {
        let is_owed = !matches!(self.owed, Owed::Nothing | Owed::InDoubt);
        if is_owed || self.current.is_some() && !self.can_renew() {
            return Err(Failure::new(Code::SignedOut, Step::Refresh));
        }
        let is_new = |current: &CurrentToken| {
            !current.is_refused()
                && current.expiry.validity(now) == Validity::Good
                && current.expiry.age(now) < LATE_REPORTS
        };
        if self.unreported > 0
            && self.pending_refresh.is_none()
            && self.current.as_ref().is_some_and(is_new)
        {
            self.unreported -= 1;
            return Ok(None);
        }
        if self.pending_refresh.is_none()
            && let Some(failure) = self.backoff.holds(true, now)
        {
            return Err(failure);
        }
        if let Some(current) = &mut self.current {
            current.handed_out = current.handed_out.saturating_sub(1);
        }
        let auth_call = self.want_refresh();
        let is_sent = self.queue.is_on_the_wire(auth_call);
        if let Some(pending) = self.pending_refresh.as_mut().filter(|_| !is_sent) {
            pending.explicit = Some(HybridTime::at(now.wall));
        }
        let (resource, waiter) = (Resource::ANY, Waiter::Refresh);
        Ok(Some(Wait { auth_call, epoch: self.epoch, resource, waiter, waited: 0 }))
    }
}
