//! Messages between tabs. Messages of one sender arrive in order; no other order is guaranteed.

use std::collections::VecDeque;

use tokenkeep::core::{HybridTime, Message};

use super::super::tab::token_in;
use super::{Cause, News, Rule, World};

impl World {
    pub(super) fn delivers(&mut self, number: usize) {
        let routes: Vec<_> = self.mail.iter().filter(|(_, post)| !post.is_empty()).collect();
        if let Some((route, _)) = routes.get(number % routes.len().max(1)) {
            self.delivers_on(**route);
        }
    }

    pub(super) fn delivers_all(&mut self) {
        while self.mail.values().any(|post| !post.is_empty()) {
            self.delivers(0);
        }
    }

    pub(super) fn delivers_all_to(&mut self, tab: usize) {
        for from in 0..self.tabs.len() {
            while self.mail.get(&(from, tab)).is_some_and(|post| !post.is_empty()) {
                self.delivers_on((from, tab));
            }
        }
    }

    pub(super) fn delivers_on(&mut self, route: (usize, usize)) {
        let Some(message) = self.mail.get_mut(&route).and_then(VecDeque::pop_front) else { return };
        let (_, tab) = route;
        let tokens = match &message {
            Message::Renewed { tokens, .. } | Message::Entered { tokens: Some(tokens), .. } => {
                Some(tokens.clone())
            }
            _ => None,
        };
        let session = match &message {
            Message::Renewed { session, .. } => *session,
            _ => HybridTime(0),
        };
        let news = match &message {
            Message::Renewed { .. } => News::Renewal,
            Message::Entered { .. } => News::Entry,
            Message::Refused { .. } => News::Refusal,
            _ => News::Other,
        };
        self.tabs[tab].has_met = true;
        let before = self.tabs[tab].token();
        let elsewhere = self.tabs[tab].elsewhere;
        let now = self.now;
        // If the session takes the token, the token is as old as the sender says.
        self.call(tab, |session, now| (session.heard(message, now), Cause::Heard(news)));
        let after = self.tabs[tab].token();
        if let Some(tokens) = tokens
            && after == Some(token_in(&tokens))
            && before != after
        {
            self.tabs[tab].takes(&tokens, now);
        }
        if let (Some(at), Some(token), News::Renewal) = (elsewhere, after, news)
            && before != after
        {
            // The token was requested since, or belongs to a later login.
            let is_of_it = self.asked.get(&token.id).is_some_and(|asked| *asked >= at)
                || session > HybridTime::at(at);
            self.hold(Rule::Elsewhere, is_of_it || self.is_set_back, || {
                format!("tab {tab} takes {token:?}, though somebody has signed in at {at}")
            });
        }
    }
}
