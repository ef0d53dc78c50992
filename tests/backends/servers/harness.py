"""Shared by the Python servers: a record of the calls, a clock that the test moves, and an end with the test. Nothing
of the server is replaced: the clock changes beneath it, and the record is taken in front of it."""

import asyncio
import hashlib
import io
import json
import os
import shutil
import socket
import sys
import tempfile
import threading
from datetime import datetime, timezone
from http.cookies import SimpleCookie
from urllib.parse import parse_qs, urlsplit

import time_machine

CONTROL = "/test/"

_clock = time_machine.travel(datetime.now(timezone.utc), tick=True).start()
_calls = []
_scratch = tempfile.mkdtemp(prefix="tokenkeep-")


def scratch():
    """A folder for the server's files; it is removed when the server ends."""
    return _scratch


def forward(seconds):
    """Moves the clock forward."""
    _clock.shift(seconds)


_frozen = []


def freeze():
    """Stops the clock until `thaw`."""
    _frozen.append(time_machine.travel(datetime.now(timezone.utc), tick=False))
    _frozen[-1].start()


def thaw():
    _frozen.pop().stop()


def _digest(text):
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _begin(method, path, authorization):
    """The start of the digest distinguishes tokens, and reveals none."""
    call = {"method": method, "path": path, "status": None}
    if authorization:
        call["token"] = _digest(authorization.split(" ")[-1])
    if method != "OPTIONS":
        _calls.append(call)
    return call


def _control(target, controls):
    url = urlsplit(target)
    name = url.path.removeprefix(CONTROL)
    query = {key: values[0] for key, values in parse_qs(url.query).items()}
    if name == "log":
        return _calls
    if name == "reset":
        return _calls.clear()
    if name == "forward":
        return forward(float(query["seconds"]))
    return {"freeze": freeze, "thaw": thaw, **controls}[name](**query)


def _end_with_parent():
    """The test holds the other end of the pipe: whatever happens to the test, this process does not outlive it."""
    sys.stdin.buffer.read()
    shutil.rmtree(_scratch, ignore_errors=True)
    os._exit(0)


def _announce(*ports):
    threading.Thread(target=_end_with_parent, daemon=True).start()
    print("listening on", *(f"http://127.0.0.1:{port}" for port in ports), flush=True)


def serve_wsgi(app, cookie=None, **controls):
    """`cookie`: where the access token is, if not in `Authorization`."""
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        def log_request(self, *_):
            pass

    def grant(environ):
        """OAuth has one address for all grants: the type distinguishes them (RFC 6749, section 4.3.2 and 6)."""
        if not environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
            return ""
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        environ["wsgi.input"] = io.BytesIO(body)
        return "".join(f" {kind}" for kind in parse_qs(body.decode()).get("grant_type", []))

    def recorded(environ, start_response):
        path = environ["PATH_INFO"]
        if path.startswith(CONTROL):
            body = json.dumps(_control(f"{path}?{environ['QUERY_STRING']}", controls)).encode()
            start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
            return [body]
        token = SimpleCookie(environ.get("HTTP_COOKIE")).get(cookie) if cookie else None
        call = _begin(environ["REQUEST_METHOD"], path + grant(environ), token.value if token else environ.get("HTTP_AUTHORIZATION"))

        def started(status, headers, *rest):
            call["status"] = int(status.split(" ")[0])
            return start_response(status, headers, *rest)

        return app(environ, started)

    server = make_server("127.0.0.1", 0, recorded, threaded=True, request_handler=Quiet)
    _announce(server.server_port)
    server.serve_forever()


def serve_asgi(*apps, **controls):
    """Serves each app on its own port; the first also answers the test."""
    import uvicorn

    def recorded(app):
        async def record(scope, receive, send):
            if scope["type"] != "http":
                return await app(scope, receive, send)
            if scope["path"].startswith(CONTROL):
                body = json.dumps(_control(f"{scope['path']}?{scope['query_string'].decode()}", controls)).encode()
                await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
                return await send({"type": "http.response.body", "body": body})
            headers = dict(scope["headers"])
            call = _begin(scope["method"], scope["path"], headers.get(b"authorization", b"").decode())

            async def sent(message):
                if message["type"] == "http.response.start":
                    call["status"] = message["status"]
                await send(message)

            await app(scope, receive, sent)

        return record

    async def serve():
        servers = [uvicorn.Server(uvicorn.Config(recorded(app), log_level="warning")) for app in apps]
        sockets = [socket.create_server(("127.0.0.1", 0), backlog=128) for _ in apps]
        _announce(*(at.getsockname()[1] for at in sockets))
        await asyncio.gather(*(server.serve([at]) for server, at in zip(servers, sockets)))

    asyncio.run(serve())
