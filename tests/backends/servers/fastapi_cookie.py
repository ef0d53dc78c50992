"""The best-practice form, hand-written in FastAPI: the refresh token is a cookie that no script sees, good for one use, and a
second use ends the whole session."""

import secrets
import time

import jwt
from fastapi import Cookie, Depends, FastAPI, HTTPException, Request, Response
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm
from harness import serve_asgi

KEY = secrets.token_hex(32)
ACCESS_SECONDS, REFRESH_SECONDS = 60, 7 * 86400
PASSWORDS = {"alice": "wonderland", "bob": "builder"}
COOKIE = {"httponly": True, "secure": True, "samesite": "strict", "path": "/auth"}

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="token")

# Sessions by id. `current` is the session's only good refresh token.
live = {}
reuses = 0


def grant(response: Response, session: str):
    live[session]["current"] = secrets.token_urlsafe(32)
    response.set_cookie("refresh_token", f"{session}.{live[session]['current']}", max_age=REFRESH_SECONDS, **COOKIE)
    claims = {"sub": live[session]["user"], "sid": session, "jti": secrets.token_hex(8), "exp": time.time() + ACCESS_SECONDS}
    return {"access_token": jwt.encode(claims, KEY, algorithm="HS256"), "token_type": "bearer", "expires_in": ACCESS_SECONDS}


def same_origin(request: Request):
    """The browser sends the cookie by itself: a page of a foreign origin must not be able to use it."""
    if request.headers.get("origin") != f"http://{request.headers.get('host')}":
        raise HTTPException(403, "Foreign origin")


@app.post("/token")
async def login(response: Response, form: OAuth2PasswordRequestForm = Depends()):
    if not secrets.compare_digest(PASSWORDS.get(form.username, "-"), form.password):
        raise HTTPException(401, "Incorrect username or password", {"WWW-Authenticate": "Bearer"})
    session = secrets.token_hex(8)
    live[session] = {"user": form.username}
    return grant(response, session)


@app.post("/auth/refresh", dependencies=[Depends(same_origin)])
async def refresh(response: Response, refresh_token: str = Cookie("")):
    global reuses
    session, _, token = refresh_token.partition(".")
    if session not in live:
        raise HTTPException(401, "No session")
    if not secrets.compare_digest(live[session]["current"], token):
        reuses += 1
        del live[session]
        raise HTTPException(401, "Refresh token reused")
    return grant(response, session)


@app.post("/auth/logout", status_code=204, dependencies=[Depends(same_origin)])
async def logout(response: Response, refresh_token: str = Cookie("")):
    live.pop(refresh_token.partition(".")[0], None)
    response.delete_cookie("refresh_token", **COOKIE)


async def user(token: str = Depends(bearer)):
    try:
        return jwt.decode(token, KEY, algorithms=["HS256"])["sub"]
    except jwt.InvalidTokenError:
        raise HTTPException(401, "Invalid token", {"WWW-Authenticate": 'Bearer error="invalid_token"'})


@app.get("/users/me")
async def me(user: str = Depends(user)):
    return {"username": user}


@app.get("/admin/data")
async def admin(user: str = Depends(user)):
    raise HTTPException(403, "Insufficient permissions")


serve_asgi(app, end=live.clear, sessions=lambda: len(live), reuses=lambda: reuses)
