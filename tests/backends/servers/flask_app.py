"""Flask-JWT-Extended in the ways its documentation shows: tokens in the answer, the refresh token in Authorization; and the refresh token
in a cookie, with double submit against forged requests. Signing out puts a token on the blocklist."""

import secrets
from datetime import timedelta

from flask import Flask, abort, jsonify, request
from flask_jwt_extended import (
    JWTManager, create_access_token, create_refresh_token, get_jwt, get_jwt_identity, jwt_required, set_refresh_cookies,
    unset_jwt_cookies,
)
from flask_shared import api, good
from harness import serve_wsgi

app = Flask(__name__)
app.config.update(
    JWT_SECRET_KEY=secrets.token_hex(32),
    JWT_ACCESS_TOKEN_EXPIRES=timedelta(seconds=60),
    JWT_REFRESH_TOKEN_EXPIRES=timedelta(days=30),
    JWT_TOKEN_LOCATION=["headers", "cookies"],
    JWT_COOKIE_SECURE=True,
    JWT_COOKIE_SAMESITE="Strict",
    JWT_REFRESH_COOKIE_PATH="/auth/",
)
jwt = JWTManager(app)
PASSWORDS = {"alice": "wonderland", "bob": "builder"}
blocklist, given = set(), {}


@jwt.token_in_blocklist_loader
def is_blocked(_, payload):
    return payload["jti"] in blocklist


def user():
    """The user with these credentials."""
    name, password = request.json.get("username"), request.json.get("password")
    return name if PASSWORDS.get(name) == password else abort(401)


def tokens(identity):
    access, refresh = create_access_token(identity=identity), create_refresh_token(identity=identity)
    given[refresh] = None
    return access, refresh


@app.errorhandler(401)
def wrong(_):
    return jsonify(msg="Bad username or password"), 401


# --- Tokens in the answer ---


@app.post("/login")
def login():
    access, refresh = tokens(user())
    return jsonify(access_token=access, refresh_token=refresh)


@app.post("/refresh")
@jwt_required(refresh=True, locations=["headers"])
def refresh():
    return jsonify(access_token=create_access_token(identity=get_jwt_identity()))


@app.delete("/logout")
@jwt_required(verify_type=False, locations=["headers"])
def logout():
    blocklist.add(get_jwt()["jti"])
    return jsonify(msg="Token successfully revoked")


# --- The refresh token in a cookie ---


@app.post("/auth/login")
def cookie_login():
    access, refresh = tokens(user())
    answer = jsonify(access_token=access)
    set_refresh_cookies(answer, refresh)
    return answer


@app.post("/auth/refresh")
@jwt_required(refresh=True, locations=["cookies"])
def cookie_refresh():
    blocklist.add(get_jwt()["jti"])
    access, refresh = tokens(get_jwt_identity())
    answer = jsonify(access_token=access)
    set_refresh_cookies(answer, refresh)
    return answer


@app.delete("/auth/logout")
@jwt_required(refresh=True, locations=["cookies"])
def cookie_logout():
    blocklist.add(get_jwt()["jti"])
    answer = jsonify(msg="Logged out")
    unset_jwt_cookies(answer)
    return answer


api(app)
serve_wsgi(app, end=lambda: blocklist.update(good(app, given, blocklist)), sessions=lambda: len(good(app, given, blocklist)))
