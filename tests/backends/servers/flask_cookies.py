"""Flask-JWT-Extended as its documentation shows it for pages: both tokens in HttpOnly cookies, each with double submit against forged
requests. No answer contains a token."""

import secrets
from datetime import timedelta

from flask import Flask, abort, jsonify, request
from flask_jwt_extended import (
    JWTManager, create_access_token, create_refresh_token, get_jwt, get_jwt_identity, jwt_required, set_access_cookies,
    set_refresh_cookies, unset_jwt_cookies,
)
from flask_shared import api, good
from harness import serve_wsgi

app = Flask(__name__)
app.config.update(
    JWT_SECRET_KEY=secrets.token_hex(32),
    JWT_ACCESS_TOKEN_EXPIRES=timedelta(seconds=60),
    JWT_REFRESH_TOKEN_EXPIRES=timedelta(days=30),
    JWT_TOKEN_LOCATION=["cookies"],
    JWT_COOKIE_SECURE=True,
    JWT_COOKIE_SAMESITE="Strict",
    JWT_REFRESH_COOKIE_PATH="/auth/",
)
jwt = JWTManager(app)
PASSWORDS = {"alice": "wonderland", "bob": "builder"}
blocklist, given = set(), []


@jwt.token_in_blocklist_loader
def is_blocked(_, payload):
    return payload["jti"] in blocklist


@app.errorhandler(401)
def wrong(_):
    return jsonify(msg="Bad username or password"), 401


def with_tokens(identity, answer):
    access, refresh = create_access_token(identity=identity), create_refresh_token(identity=identity)
    given.append(refresh)
    set_access_cookies(answer, access)
    set_refresh_cookies(answer, refresh)
    return answer


@app.post("/auth/login")
def login():
    name, password = request.json.get("username"), request.json.get("password")
    return with_tokens(name, jsonify(login=True)) if PASSWORDS.get(name) == password else abort(401)


@app.post("/auth/refresh")
@jwt_required(refresh=True)
def refresh():
    blocklist.add(get_jwt()["jti"])
    return with_tokens(get_jwt_identity(), jsonify(refresh=True))


@app.delete("/auth/logout")
@jwt_required(refresh=True)
def logout():
    blocklist.add(get_jwt()["jti"])
    answer = jsonify(logout=True)
    unset_jwt_cookies(answer)
    return answer


api(app)
serve_wsgi(
    app,
    cookie="access_token_cookie",
    end=lambda: blocklist.update(good(app, given, blocklist)),
    sessions=lambda: len(good(app, given, blocklist)),
)
