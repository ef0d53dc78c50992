"""Shared by the Flask servers: the API, and the list of good refresh tokens."""

from flask import jsonify
from flask_jwt_extended import decode_token, get_jwt_identity, jwt_required


def api(app):
    @app.route("/protected", methods=["GET", "POST"])
    @jwt_required()
    def protected():
        return jsonify(logged_in_as=get_jwt_identity())

    @app.get("/admin")
    @jwt_required()
    def admin():
        return jsonify(msg="Admins only!"), 403


def good(app, given, blocklist):
    with app.app_context():
        return {decode_token(token, allow_expired=True)["jti"] for token in given} - blocklist
