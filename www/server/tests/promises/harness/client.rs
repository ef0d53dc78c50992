//! A client for the router: it sends what a browser's page sends, unless told otherwise.

use std::net::{IpAddr, SocketAddr};

use axum::{
    body::{Body, to_bytes},
    extract::ConnectInfo,
    http::{HeaderMap, Method, Request, StatusCode, header::SET_COOKIE},
};
use base64ct::{Base64, Encoding};
use serde_json::{Value, json};
use tokenkeep_server::serve::Peer;
use tower::ServiceExt;

use super::{ALICE, CLIENT, Server};

/// What a page and its browser have after a login.
#[derive(Clone)]
pub struct Session {
    pub access: String,
    pub cookie: String,
}

impl Server {
    pub fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    pub fn post(&self, path: &str) -> Call {
        self.call(Method::POST, path)
    }

    pub fn call(&self, method: Method, path: &str) -> Call {
        Call {
            server: self.clone(),
            peer: ([127, 0, 0, 1], 50_000).into(),
            // The demo's switches answer only to this machine's own names.
            host: if path.starts_with("/demo") { "127.0.0.1:8080" } else { "app.example" }.into(),
            request: Request::builder().method(method).uri(path),
            body: Body::empty(),
        }
    }

    /// Alice logs in.
    pub async fn login(&self) -> Session {
        self.login_as(ALICE).await
    }

    pub async fn login_as(&self, (name, password): (&str, &str)) -> Session {
        let answer = self.try_login(name, password).send().await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        answer.session()
    }

    pub fn try_login(&self, name: &str, password: &str) -> Call {
        self.post("/auth/login").json(json!({ "username": name, "password": password }))
    }

    /// With the proof that a page of this site sends.
    pub fn refresh(&self, cookie: &str) -> Call {
        self.post("/auth/refresh").proof().cookie(cookie)
    }

    pub fn me(&self, token: &str) -> Call {
        self.get("/api/me").bearer(token)
    }

    pub async fn me_status(&self, token: &str) -> StatusCode {
        self.me(token).send().await.status
    }

    /// As the resource server.
    pub async fn introspect(&self, token: &str) -> Value {
        self.as_client("/oauth/introspect", &[("token", token)]).await.json()
    }

    /// Of a server with --demo.
    pub async fn counter(&self, name: &str) -> u64 {
        let counters = self.get("/demo/counters").send().await.json();
        counters[name].as_u64().expect("a counter")
    }

    pub async fn as_client(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.post(path).basic(CLIENT.0, CLIENT.1).form(fields).send().await
    }
}

pub struct Call {
    server: Server,
    peer: SocketAddr,
    host: String,
    request: axum::http::request::Builder,
    body: Body,
}

impl Call {
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub fn proof(self) -> Self {
        self.header("x-requested-with", "tokenkeep").header("sec-fetch-site", "same-origin")
    }

    pub fn cookie(self, cookie: &str) -> Self {
        self.header("cookie", &format!("theme=dark; __Host-refresh={cookie}"))
    }

    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub fn dpop(self, proof: &str) -> Self {
        self.header("dpop", proof)
    }

    /// A key-bound access token, with a proof.
    pub fn bound(self, token: &str, proof: &str) -> Self {
        self.header("authorization", &format!("DPoP {token}")).dpop(proof)
    }

    pub fn basic(self, id: &str, secret: &str) -> Self {
        let credentials = Base64::encode_string(format!("{id}:{secret}").as_bytes());
        self.header("authorization", &format!("Basic {credentials}"))
    }

    pub fn from(mut self, peer: impl Into<IpAddr>) -> Self {
        self.peer = (peer, 50_000).into();
        self
    }

    pub fn host(mut self, host: &str) -> Self {
        self.host = host.to_owned();
        self
    }

    pub fn json(self, body: Value) -> Self {
        self.body("application/json", body.to_string())
    }

    pub fn form(self, fields: &[(&str, &str)]) -> Self {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.body("application/x-www-form-urlencoded", body)
    }

    pub fn body(mut self, content_type: &str, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self.header("content-type", content_type)
    }

    pub async fn send(self) -> Answer {
        let mut request =
            self.request.header("host", self.host).body(self.body).expect("a request");
        request.extensions_mut().insert(ConnectInfo(Peer(self.peer)));
        let response = self.server.router.oneshot(request).await.expect("the router answers");
        let (parts, body) = response.into_parts();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: to_bytes(body, usize::MAX).await.expect("a body").to_vec(),
        }
    }
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{} is no JSON", self.text()))
    }

    pub fn error(&self) -> String {
        self.json()["error"].as_str().unwrap_or("").to_owned()
    }

    /// The whole `Set-Cookie`, or an empty text.
    pub fn set_cookie(&self) -> &str {
        assert!(self.headers.get_all(SET_COOKIE).iter().count() <= 1);
        self.header("set-cookie")
    }

    pub fn session(&self) -> Session {
        let cookie = self
            .set_cookie()
            .split(';')
            .next()
            .and_then(|pair| pair.strip_prefix("__Host-refresh="))
            .expect("a cookie");
        Session {
            access: self.json()["access_token"].as_str().expect("a token").to_owned(),
            cookie: cookie.to_owned(),
        }
    }
}
