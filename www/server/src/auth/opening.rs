//! The common end of all ways into a session: a login, a second factor, a step-up, a new password.

use axum::{http::HeaderMap, response::Response};
use serde_json::json;

use super::{end_family_of, session::Session, token_answer};
use crate::{
    answer::Failure,
    app::App,
    cookie,
    observe::audit::{About, Event},
    random,
    store::{Family, Key, NewFamily, place},
    tokens::Draft,
};

pub struct Opening<'a> {
    pub user: &'a str,
    pub client: &'a str,
    pub session: Session,
    /// The client's network.
    pub from: &'a str,
    pub event: Event,
}

impl Opening<'_> {
    /// The end of a login, in one step or in two. `None`: the account is gone.
    pub async fn log_in(self, app: &App, headers: &HeaderMap) -> Result<Option<Response>, Failure> {
        // The browser is about to lose the cookie of its previous session: nobody else may keep using that
        // session.
        if let Some(before) = cookie::read(headers) {
            end_family_of(app, &before).await?;
        }
        let user = self.user;
        let opened = self.open(app).await?;
        if opened.is_some() {
            app.counters.logins.add();
            app.log.line(&format!("login: {user}"));
        }
        Ok(opened)
    }

    /// Opens the session; the answer contains its tokens. `None`: the account is gone.
    pub async fn open(self, app: &App) -> Result<Option<Response>, Failure> {
        let Some(lives) = self.session.lives(&app.config, app.clock.now()) else {
            return Ok(None);
        };
        let family = Family {
            id: random::id(),
            user: self.user.to_owned(),
            client: self.client.to_owned(),
            details: self.session.written(),
        };
        let refresh = place::token(self.user);
        let draft = Draft::new(app, self.user, lives.access);
        let opened = app
            .store
            .open_family(NewFamily {
                family: &family,
                refresh: &Key::of(refresh.expose()),
                refresh_ttl: lives.refresh.as_millis() as u64,
                access: draft.access(),
            })
            .await?;
        let Some(grant) = opened else {
            return Ok(None);
        };
        let access = draft.issue(app, &grant);
        let about = About {
            user: Some(&family.user),
            client: Some(&family.client),
            session: Some(&family.id),
            from: Some(self.from),
        };
        app.tell(self.event, about);
        let shown = json!({ "name": family.user, "roles": grant.roles });
        Ok(Some(token_answer(&self.session, lives, &access, &refresh, Some(shown))))
    }
}
