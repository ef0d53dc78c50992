//! What other tabs tell: a new token, a new user, a logout.

use super::super::answer::Grant;
use super::super::policy::Tabs;
use super::super::tabs::{Message, Stamp};
use super::super::time::Now;
use super::{Event, Landing, Reason, Session, Status};

impl Session {
    /// Another tab told something.
    pub fn heard(&mut self, message: Message, now: Now) {
        let is_sharing = match self.policy.tabs {
            Tabs::Share => true,
            Tabs::Lock => false,
            Tabs::Off => return,
        };
        match message {
            Message::Ask if is_sharing => self.reply(now),
            Message::Renewed { stamp, session, grant } if is_sharing && stamp.is_past(now) => {
                self.neighbour_renewed(stamp, session, grant, now);
            }
            Message::Entered { stamp, grant } if stamp.is_past(now) => {
                self.neighbour_entered(stamp, grant.filter(|_| is_sharing), now);
            }
            Message::Left { stamp } if stamp.is_past(now) && stamp > self.entered => {
                self.leave(stamp, Reason::OtherTab);
            }
            _ => {}
        }
    }

    /// Hands the token to a tab that begins, if it has some life left.
    fn reply(&mut self, now: Now) {
        let Some(held) = self.held.as_ref().filter(|held| !held.refused) else { return };
        let remaining = held.expiry.remaining(now);
        if remaining == Some(0) {
            return;
        }
        let grant = Grant {
            access_token: held.token.clone(),
            refresh_token: self.refresh_token.clone(),
            life: remaining,
            claims: held.claims.clone(),
            subject: held.subject.clone(),
        };
        let (stamp, session) = (self.stamp, self.entered);
        self.post(Message::Renewed { stamp, session, grant });
    }

    fn neighbour_renewed(&mut self, stamp: Stamp, session: Stamp, grant: Grant, now: Now) {
        // A renewal of the session that the user has ended is no way back into it.
        let is_ours_to_have = self.status != Status::SignedOut || session > self.left;
        if stamp <= self.stamp || self.owed || !is_ours_to_have {
            return;
        }
        self.stamp = stamp;
        let is_another_session = session.0 != 0 && self.entered.0 != 0 && session != self.entered;
        if is_another_session || self.is_of_another(&grant) {
            self.raise_epoch();
        }
        self.entered = self.entered.max(session);
        self.commit(grant, now);
        self.tell(Event::Refresh);
        // Whoever waits for a refresh that has not been sent is served by this one.
        if let Some(flight) = &self.flight
            && !self.turns.is_on_the_wire(flight.exchange)
        {
            self.turns.void(flight.exchange);
            self.land(Landing::Renewed);
        }
    }

    fn neighbour_entered(&mut self, stamp: Stamp, grant: Option<Grant>, now: Now) {
        if stamp <= self.stamp {
            return;
        }
        self.raise_epoch();
        self.refresh_token = None;
        self.stamp = stamp;
        self.entered = stamp;
        self.owe(false);
        match grant {
            Some(grant) => self.commit(grant, now),
            None => {
                self.status = Status::Unknown;
                self.changed();
            }
        }
    }
}
