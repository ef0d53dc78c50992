"""Django with five ways to give tokens to a single-page app, four of them set up as documented: simplejwt's own views (rotation and
blacklist on), the same with hand-written cookie views, dj-rest-auth with HttpOnly cookies, allauth's headless API for apps with its JWT strategy, and Django OAuth Toolkit
with rotation and its protection against reuse."""

from datetime import timedelta

import django
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import settings
from harness import scratch, serve_wsgi

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)

settings.configure(
    SECRET_KEY="no secret: this server lives as long as a test, and listens to this machine alone",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
        "rest_framework",
        "rest_framework_simplejwt",
        "rest_framework_simplejwt.token_blacklist",
        "dj_rest_auth",
        "allauth",
        "allauth.account",
        "allauth.headless",
        "oauth2_provider",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "allauth.account.middleware.AccountMiddleware",
    ],
    AUTHENTICATION_BACKENDS=["django.contrib.auth.backends.ModelBackend"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{scratch()}/db", "OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE"}}},
    CACHES={"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    # Tests sign in often, and these passwords protect nothing.
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    ACCOUNT_EMAIL_VERIFICATION="none",
    ACCOUNT_LOGIN_METHODS={"username"},
    ACCOUNT_SIGNUP_FIELDS=["username*", "password1*"],
    SIMPLE_JWT={
        "ACCESS_TOKEN_LIFETIME": timedelta(seconds=60),
        "REFRESH_TOKEN_LIFETIME": timedelta(days=1),
        "ROTATE_REFRESH_TOKENS": True,
        "BLACKLIST_AFTER_ROTATION": True,
    },
    REST_AUTH={
        "USE_JWT": True,
        "SESSION_LOGIN": False,
        "TOKEN_MODEL": None,
        "JWT_AUTH_HTTPONLY": True,
        "JWT_AUTH_REFRESH_COOKIE": "refresh",
        "JWT_AUTH_REFRESH_COOKIE_PATH": "/dj-rest-auth/",
        "JWT_AUTH_SECURE": True,
        "JWT_AUTH_SAMESITE": "Strict",
        "JWT_AUTH_RETURN_EXPIRATION": True,
    },
    TIME_ZONE="America/Chicago",
    OAUTH2_PROVIDER={
        "ACCESS_TOKEN_EXPIRE_SECONDS": 60,
        "REFRESH_TOKEN_REUSE_PROTECTION": True,
        "SCOPES": {"read": "", "admin": ""},
        "DEFAULT_SCOPES": ["read"],
    },
    HEADLESS_CLIENTS=("app",),
    HEADLESS_ONLY=True,
    HEADLESS_FRONTEND_URLS={},
    HEADLESS_TOKEN_STRATEGY="allauth.headless.tokens.strategies.jwt.JWTTokenStrategy",
    HEADLESS_JWT_PRIVATE_KEY=KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
    HEADLESS_JWT_ACCESS_TOKEN_EXPIRES_IN=60,
    HEADLESS_JWT_STATEFUL_VALIDATION_ENABLED=True,
)
django.setup()

from allauth.headless.contrib.rest_framework.authentication import JWTTokenAuthentication  # noqa: E402
from dj_rest_auth.jwt_auth import JWTCookieAuthentication, get_refresh_view  # noqa: E402
from dj_rest_auth.views import LoginView, LogoutView  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.contrib.sessions.models import Session  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.urls import include, path  # noqa: E402
from oauth2_provider.contrib.rest_framework import OAuth2Authentication, TokenHasScope  # noqa: E402
from oauth2_provider.models import Application, RefreshToken as OAuthRefreshToken  # noqa: E402
from oauth2_provider.views import RevokeTokenView, TokenView  # noqa: E402
from rest_framework.exceptions import PermissionDenied  # noqa: E402
from rest_framework.permissions import IsAdminUser, IsAuthenticated  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402
from rest_framework_simplejwt.authentication import JWTAuthentication  # noqa: E402
from rest_framework_simplejwt.exceptions import InvalidToken, TokenError  # noqa: E402
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken  # noqa: E402
from rest_framework_simplejwt.tokens import RefreshToken  # noqa: E402
from rest_framework_simplejwt.views import TokenBlacklistView, TokenObtainPairView, TokenRefreshView  # noqa: E402


class Me(APIView):
    permission_classes = [IsAuthenticated]

    def get(self, request):
        return Response({"user": request.user.get_username()})


class Admin(Me):
    permission_classes = [IsAdminUser]


class AdminScope(Me):
    permission_classes = [TokenHasScope]
    required_scopes = ["admin"]


COOKIE = {"path": "/auth/", "samesite": "Strict"}


def granted(response):
    """Moves the refresh token from the JSON to a cookie that no script sees."""
    response.set_cookie("refresh", response.data.pop("refresh"), max_age=86400, httponly=True, secure=True, **COOKIE)
    return response


class Login(TokenObtainPairView):
    def post(self, request, *args, **kwargs):
        return granted(super().post(request, *args, **kwargs))


class Refresh(TokenRefreshView):
    def post(self, request, *args, **kwargs):
        # The browser sends the cookie by itself, but no foreign page's form can send this header.
        if request.headers.get("X-Requested-With") != "tokenkeep":
            raise PermissionDenied()
        serializer = self.get_serializer(data={"refresh": request.COOKIES.get("refresh", "")})
        try:
            serializer.is_valid(raise_exception=True)
        except TokenError as error:
            raise InvalidToken(error.args[0])
        return granted(Response(serializer.validated_data))


class Logout(APIView):
    authentication_classes = permission_classes = []

    def post(self, request):
        try:
            RefreshToken(request.COOKIES.get("refresh", "")).blacklist()
        except TokenError:
            pass  # The session has already ended.
        response = Response(status=204)
        response.delete_cookie("refresh", **COOKIE)
        return response


def api(prefix, authentication, admin=Admin):
    """The app's own API, the same for each way of signing in."""
    classes = {"authentication_classes": [authentication]}
    return [path(f"{prefix}/me", Me.as_view(**classes)), path(f"{prefix}/admin", admin.as_view(**classes))]


urlpatterns = [
    path("api/token/", TokenObtainPairView.as_view()),
    path("api/token/refresh/", TokenRefreshView.as_view()),
    path("api/token/blacklist/", TokenBlacklistView.as_view()),
    *api("api", JWTAuthentication),
    path("auth/login/", Login.as_view()),
    path("auth/refresh/", Refresh.as_view()),
    path("auth/logout/", Logout.as_view()),
    *api("views", JWTAuthentication),
    path("dj-rest-auth/login/", LoginView.as_view()),
    path("dj-rest-auth/logout/", LogoutView.as_view()),
    path("dj-rest-auth/token/refresh/", get_refresh_view().as_view()),
    *api("dj", JWTCookieAuthentication),
    path("_allauth/", include("allauth.headless.urls")),
    *api("headless", JWTTokenAuthentication),
    path("o/token/", TokenView.as_view()),
    path("o/revoke_token/", RevokeTokenView.as_view()),
    *api("oauth", OAuth2Authentication, AdminScope),
]


def end():
    """Ends all sessions."""
    for token in OutstandingToken.objects.all():
        BlacklistedToken.objects.get_or_create(token=token)
    for token in OAuthRefreshToken.objects.filter(revoked=None):
        token.revoke()
    Session.objects.all().delete()


def sessions():
    """How many refresh tokens are still good."""
    live = [OutstandingToken.objects.filter(blacklistedtoken=None), OAuthRefreshToken.objects.filter(revoked=None), Session.objects.all()]
    return sum(tokens.count() for tokens in live)


call_command("migrate", verbosity=0)
User.objects.create_user("alice", password="wonderland")
User.objects.create_user("bob", password="builder")
Application.objects.create(client_id="spa", client_type=Application.CLIENT_PUBLIC, authorization_grant_type=Application.GRANT_PASSWORD)
serve_wsgi(get_wsgi_application(), end=end, sessions=sessions)
