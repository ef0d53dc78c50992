//! An app's request: before it is sent (rule 3), and when it is answered (rules 4 to 6 and 8).

use super::super::answer::Grant;
use super::super::failure::{Code, Failure, Step};
use super::super::policy::Restore;
use super::super::rules::Meaning;
use super::super::secret::Secret;
use super::super::time::{Now, Validity};
use super::super::turns::Exchange;
use super::{Event, Generation, Held, Landing, Reason, Session, Status};

/// The right to be sent once, and the memory of the generation it was sent with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    generation: Generation,
    again: bool,
}

impl Ticket {
    /// A first sending as a plain number, for those who keep millions of them.
    pub fn number(self) -> u32 {
        self.generation.0
    }

    /// The first sending that a number stands for.
    pub fn first(number: u32) -> Self {
        Self { generation: Generation(number), again: false }
    }
}

/// A request that waits for a refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// The refresh.
    pub exchange: Exchange,
    epoch: Generation,
    /// It has been sent already, and refused.
    sent: bool,
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Departure {
    /// Send it, with what [`Session::credential`] gives for the ticket.
    Send(Ticket),
    /// Wait until the refresh lands, then ask [`Session::resume`].
    Wait(Wait),
    /// Give the caller the answer it has got.
    Deliver,
    /// Fail.
    Fail(Failure),
}

impl Session {
    /// A request to one of the APIs wants to leave (rule 3).
    pub fn depart(&mut self, now: Now) -> Departure {
        let Some(held) = &self.held else {
            return if self.may_restore() {
                self.wait(false, false, now)
            } else {
                self.send(false)
            };
        };
        match held.expiry.validity(now) {
            _ if held.refused => self.wait(false, false, now),
            Validity::Good => self.send(false),
            // The server has the last word on it.
            _ if !self.can_renew() => self.send(false),
            // Near its end, and asking would be storming: it is good still.
            Validity::Ending if self.cooldown.holds(false, now).is_some() => self.send(false),
            Validity::Ending | Validity::Ended => self.wait(false, false, now),
        }
    }

    /// A request was answered, and [`super::super::Rules::meaning`] says what with. `repeatable`: see
    /// [`Session::answered`]. An answer to what an older session sent says nothing of this one.
    pub fn means(
        &mut self,
        ticket: Ticket,
        meaning: Meaning,
        repeatable: bool,
        now: Now,
    ) -> Departure {
        match meaning {
            Meaning::Unauthorized => return self.answered(ticket, repeatable, now),
            Meaning::StepUp(challenges) if ticket.generation >= self.epoch => {
                self.tell(Event::StepUp(challenges));
            }
            Meaning::Ended if self.is_sent_with_the_last(ticket) => {
                self.end(Landing::Void, Reason::Ended);
            }
            // It was the older token's end: the request has another try, as after a late 401.
            Meaning::Ended => return self.answered(ticket, repeatable, now),
            Meaning::StepUp(_) | Meaning::Plain => {}
        }
        Departure::Deliver
    }

    /// A request came to nothing. Whether that may be a 401 that CORS hides: its token is past its
    /// end, or nobody knows when that is, or there is a newer one.
    pub fn may_be_refused(&self, ticket: Ticket, now: Now) -> bool {
        let is_over = |held: &Held| {
            held.generation != ticket.generation
                || held.expiry.at().is_none()
                || held.expiry.validity(now) == Validity::Ended
        };
        self.held.as_ref().is_some_and(is_over)
    }

    /// An answer to a request brought a new token along. It is news only where the request was sent
    /// with the newest there is: others have had it already, or it is older than what came since.
    pub fn adopt(&mut self, ticket: Ticket, grant: Grant, now: Now) {
        let is_same = |held: &Held| held.token == grant.access_token;
        if !self.is_sent_with_the_last(ticket) || self.held.as_ref().is_some_and(is_same) {
            return;
        }
        if let Some(flight) = &self.flight
            && !self.turns.is_on_the_wire(flight.exchange)
        {
            self.turns.void(flight.exchange);
            self.land(Landing::Renewed);
        }
        // Its place is right behind the token that brought it, not now: another user may have signed
        // in since, in a tab that has not been heard yet.
        self.renew(grant, self.stamp.next(), now);
    }

    /// Whether no newer token has come since a request was sent.
    fn is_sent_with_the_last(&self, ticket: Ticket) -> bool {
        self.held.as_ref().is_some_and(|held| held.generation == ticket.generation)
    }

    /// A request was answered with what counts as an expiry. Whether that is worth a refresh hangs
    /// on the generation it was sent with (rule 4). `repeatable`: whether it could be sent again at
    /// all (rule 6).
    pub fn answered(&mut self, ticket: Ticket, repeatable: bool, now: Now) -> Departure {
        if ticket.again || ticket.generation < self.epoch {
            return Departure::Deliver;
        }
        let Some(held) = &mut self.held else { return Departure::Deliver };
        if held.generation == ticket.generation {
            held.refused = true;
        }
        match (held.refused, repeatable) {
            (false, true) => self.send(true),
            (false, false) => Departure::Deliver,
            (true, true) => self.wait(true, false, now),
            (true, false) => {
                if self.cooldown.holds(false, now).is_none() {
                    self.fly();
                }
                Departure::Deliver
            }
        }
    }

    /// The refresh that a request waited for has landed. A request waits once before it is sent,
    /// and once after a refusal.
    pub fn resume(&mut self, wait: Wait, landing: &Landing, now: Now) -> Departure {
        if wait.epoch != self.epoch {
            return if wait.sent {
                Departure::Deliver
            } else {
                Departure::Fail(Failure::new(Code::SessionChanged, Step::Request))
            };
        }
        match landing {
            // What was refused is not usable; but another tab may have brought a token meanwhile.
            Landing::Failed(failure) if !self.is_usable(now) => Departure::Fail(failure.clone()),
            _ if wait.sent && self.held.is_none() => Departure::Deliver,
            _ => self.send(wait.sent),
        }
    }

    /// The token that a ticket is sent with, or `None` for a request without one. It is the newest
    /// of the ticket's own session: there is no way to it from an older epoch.
    pub fn credential(&self, ticket: Ticket) -> Option<&Secret> {
        let held = self.held.as_ref()?;
        (held.generation == ticket.generation).then_some(&held.token)
    }

    /// Wants a refresh now, whatever the state of the token. Joins one in flight.
    ///
    /// # Errors
    /// While the server has asked to be left alone, the failure with which it did so; if a logout is
    /// owed, or there is no refresh token to ask with, [`Code::SignedOut`].
    pub fn refresh(&mut self, now: Now) -> Result<Wait, Failure> {
        if self.owed || self.held.is_some() && !self.can_renew() {
            return Err(Failure::new(Code::SignedOut, Step::Refresh));
        }
        match self.wait(false, true, now) {
            Departure::Wait(wait) => Ok(wait),
            Departure::Fail(failure) => Err(failure),
            Departure::Send(_) | Departure::Deliver => unreachable!("a wait waits or fails"),
        }
    }

    /// Joins the refresh in flight or asks for one, unless it is too early to ask again.
    fn wait(&mut self, sent: bool, explicit: bool, now: Now) -> Departure {
        if self.flight.is_none()
            && let Some(failure) = self.cooldown.holds(explicit, now)
        {
            return Departure::Fail(failure.clone());
        }
        let exchange = self.fly();
        Departure::Wait(Wait { exchange, epoch: self.epoch, sent })
    }

    fn send(&mut self, again: bool) -> Departure {
        let generation = self.held.as_mut().map_or(self.newest, |held| {
            held.used = true;
            held.generation
        });
        Departure::Send(Ticket { generation, again })
    }

    fn may_restore(&self) -> bool {
        self.status == Status::Unknown
            && (self.policy.restore != Restore::Manual || self.flight.is_some())
    }

    fn is_usable(&self, now: Now) -> bool {
        self.held
            .as_ref()
            .is_some_and(|held| !held.refused && held.expiry.validity(now) != Validity::Ended)
    }
}
