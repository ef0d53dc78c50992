//! "Signed in on these devices": lists a user's sessions, and lets the user end them.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde_json::{Value, json};

use super::{end_family, session::Session};
use crate::{
    answer::{self, Failure},
    app::App,
    body,
    observe::audit::{About, Event},
    serve::Peer,
    tokens::Access,
};

/// GET /auth/sessions, with an access token. The id is no secret: it is in every token as `sid`.
pub async fn list(
    State(app): State<Arc<App>>,
    Extension(access): Extension<Access>,
) -> Result<Response, Failure> {
    let mut families = app.store.families(&access.sub).await?;
    families.sort_by_key(|live| std::cmp::Reverse(live.used_at));
    let sessions: Vec<Value> = families
        .iter()
        .map(|live| {
            let session = Session::read(&live.family.details);
            json!({
                "id": live.family.id,
                "current": live.family.id == access.sid,
                "client_id": live.family.client,
                "agent": session.agent,
                "begun_at": session.begun_at / 1000,
                "used_at": live.used_at / 1000,
            })
        })
        .collect();
    Ok(answer::ok(json!({ "sessions": sessions })))
}

/// POST /auth/sessions/end, with an access token: ends the session `id`, or all `others`.
pub async fn end(
    State(app): State<Arc<App>>,
    Extension(access): Extension<Access>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Failure> {
    let fields = body::fields(request).await?;
    let families = app.store.families(&access.sub).await?;
    let ids: Vec<&str> = families.iter().map(|live| live.family.id.as_str()).collect();
    let ended: Vec<&str> = match (fields.get("id"), fields.get("others")) {
        // Only among the user's own sessions.
        (Some(id), None) => ids.into_iter().filter(|one| *one == id.expose()).collect(),
        (None, Some(_)) => ids.into_iter().filter(|one| *one != access.sid).collect(),
        _ => return Err(answer::bad_request("Give one of the fields `id` and `others`.").into()),
    };
    if ended.is_empty() && fields.get("id").is_some() {
        let message = "There is no such session.";
        return Err(answer::error(StatusCode::NOT_FOUND, "not_found", message).into());
    }
    let from = app.client(peer, &headers);
    for id in ended {
        end_family(&app, &access.sub, id).await?;
        app.tell(
            Event::SessionEnded,
            About { user: Some(&access.sub), session: Some(id), from: Some(&from), client: None },
        );
    }
    Ok(answer::no_content())
}
