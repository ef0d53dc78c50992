//! The model server. It is strict, so that client mistakes show: it rotates the refresh cookie, ends a
//! session whose old cookie comes back, and writes the user into each token.

use std::collections::HashMap;
use std::rc::Rc;

use tokenkeep::core::{Secret, TokenResponse};

/// The user who signs in.
pub type User = u8;

/// A session on the server. Zero means none.
pub type SessionId = u32;

/// How far apart the numbers of two identities' servers are.
const APART: u32 = 1_000_000;

/// The contents of an access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    pub user: User,
    pub session: SessionId,
    pub id: u32,
}

impl Token {
    fn text(self) -> String {
        format!("{}.{}.{}", self.user, self.session, self.id)
    }

    /// The identity of the managers that the token is for.
    pub fn identity(self) -> usize {
        (self.id / APART) as usize
    }

    /// Reads the output of [`Token::text`]: the token itself, or the claims.
    pub fn read(text: &str) -> Self {
        let mut parts = text.split('.').map(|part| part.parse::<u32>().expect("a model token"));
        let mut next = || parts.next().expect("three parts");
        Self { user: next() as User, session: next(), id: next() }
    }
}

/// The single cookie jar, which all tabs share, and the server's state.
#[derive(Debug, Default)]
pub struct Server {
    /// The browser's refresh cookie.
    cookie: Option<u32>,
    /// The valid cookie of each live session, and its user.
    live: HashMap<SessionId, (u32, User)>,
    /// The session that each cookie belonged to.
    of: HashMap<u32, SessionId>,
    /// Sessions ended by a logout.
    pub signed_out: Vec<SessionId>,
    /// The user of the newest session.
    newest: Option<User>,
    /// How often a used cookie came back.
    pub reuses: u32,
    last: u32,
    /// Whether tokens name their subject, as JWTs do.
    tells_subject: bool,
    /// Whether tokens say nothing.
    is_opaque: bool,
    /// Whether answers carry the refresh token, instead of a cookie.
    in_answers: bool,
}

impl Server {
    pub fn new(identity: usize, tells_subject: bool, is_opaque: bool, in_answers: bool) -> Self {
        let last = identity as u32 * APART;
        Self { last, tells_subject, is_opaque, in_answers, ..Self::default() }
    }

    fn number(&mut self) -> u32 {
        self.last += 1;
        self.last
    }

    fn rotate(&mut self, session: SessionId, user: User) {
        let cookie = self.number();
        self.of.insert(cookie, session);
        self.live.insert(session, (cookie, user));
        self.cookie = Some(cookie);
    }

    fn token_response(
        &mut self,
        session: SessionId,
        user: User,
        life: Option<u64>,
    ) -> TokenResponse {
        let text = Token { user, session, id: self.number() }.text();
        TokenResponse {
            access_token: Secret::new(text.clone()).expect("visible ASCII"),
            refresh_token: None,
            life,
            session_life: None,
            claims: (!self.is_opaque).then(|| Rc::from(text)),
            subject: self.tells_subject.then(|| user.to_string()),
            issued: (!self.is_opaque).then_some(u64::from(self.last)),
            bound: None,
        }
    }

    fn token_response_with_refresh_token(
        &mut self,
        session: SessionId,
        user: User,
        life: Option<u64>,
    ) -> TokenResponse {
        let refresh_token = self
            .cookie
            .filter(|_| self.in_answers)
            .map(|cookie| Secret::new(cookie.to_string()).expect("digits"));
        TokenResponse { refresh_token, ..self.token_response(session, user, life) }
    }

    /// The live session of the cookie, if there is one.
    pub fn current(&self) -> Option<SessionId> {
        let session = *self.of.get(&self.cookie?)?;
        self.live.contains_key(&session).then_some(session)
    }

    /// The user of the newest session.
    pub fn newest_user(&self) -> Option<User> {
        self.newest
    }

    /// A login with the right password.
    pub fn login(&mut self, user: User, life: Option<u64>) -> TokenResponse {
        let session = self.number();
        self.newest = Some(user);
        self.rotate(session, user);
        self.token_response_with_refresh_token(session, user, life)
    }

    /// A refresh: a new cookie and a new token, or no token and no cookie any more. `sent`: the cookie of the
    /// call.
    pub fn refresh(&mut self, sent: Option<u32>, life: Option<u64>) -> Option<TokenResponse> {
        let session = sent.and_then(|cookie| self.of.get(&cookie).copied());
        let alive = session.and_then(|session| Some((session, *self.live.get(&session)?)));
        let Some((session, (cookie, user))) = alive else {
            self.cookie = None;
            return None;
        };
        if Some(cookie) != sent {
            self.reuses += 1;
            self.live.remove(&session);
            self.cookie = None;
            return None;
        }
        self.rotate(session, user);
        Some(self.token_response_with_refresh_token(session, user, life))
    }

    /// A new token in the answer to a request, if the sent token's session is live.
    pub fn renew(&mut self, sent: Token, life: Option<u64>) -> Option<TokenResponse> {
        let is_alive = self.live.contains_key(&sent.session);
        is_alive.then(|| self.token_response(sent.session, sent.user, life))
    }

    /// A logout: it ends the cookie's session, and removes the cookie.
    pub fn logout(&mut self, sent: Option<u32>) {
        if let Some(session) = sent.and_then(|cookie| self.of.get(&cookie).copied()) {
            self.live.remove(&session);
            self.signed_out.push(session);
        }
        self.cookie = None;
    }

    /// Ends the cookie's session for reasons of the server's own.
    pub fn end(&mut self) {
        if let Some(session) = self.current() {
            self.live.remove(&session);
        }
    }

    /// Ends a session for reasons of the server's own.
    pub fn ends(&mut self, session: SessionId) {
        self.live.remove(&session);
    }

    /// The cookie for a call that is sent now.
    pub fn cookie(&self) -> Option<u32> {
        self.cookie
    }
}
