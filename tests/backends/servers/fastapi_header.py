"""Two FastAPI services as in tutorials: one signs in and refreshes, the other has the API. The refresh token is sent in
Authorization, the lifetime is a float, there is no logout, and two tokens issued in one second are equal. Corrected only as far as
a browser requires: CORS, and packages that exist."""

from datetime import datetime, timedelta, timezone
from typing import Dict, List

import jwt
from fastapi import Depends, FastAPI, HTTPException, status
from fastapi.middleware.cors import CORSMiddleware
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm
from harness import forward, serve_asgi
from passlib.context import CryptContext
from pydantic import BaseModel

SECRET_KEY = "your-super-secret-key-for-auth-of-32-bytes"
ALGORITHM = "HS256"
ACCESS_TOKEN_EXPIRE_MINUTES = 0.5
REFRESH_TOKEN_EXPIRE_DAYS = 7

pwd_context = CryptContext(schemes=["bcrypt"], deprecated="auto")
oauth2_scheme = OAuth2PasswordBearer(tokenUrl="token")

fake_users_db = {
    "alice": {"username": "alice", "hashed_password": pwd_context.hash("wonderland"), "roles": ["user"]},
    "bob": {"username": "bob", "hashed_password": pwd_context.hash("builder"), "roles": ["user", "admin"]},
}

# --- The auth service ---

auth_service = FastAPI(title="Auth Service")


def create_token(data: Dict, expires_delta: timedelta) -> str:
    return jwt.encode({**data, "exp": datetime.now(timezone.utc) + expires_delta}, SECRET_KEY, algorithm=ALGORITHM)


def create_tokens(user: Dict) -> Dict:
    return {
        "access_token": create_token(
            {"sub": user["username"], "roles": user["roles"]}, timedelta(minutes=ACCESS_TOKEN_EXPIRE_MINUTES)
        ),
        "token_type": "bearer",
        "refresh_token": create_token({"sub": user["username"]}, timedelta(days=REFRESH_TOKEN_EXPIRE_DAYS)),
        "expires_in": ACCESS_TOKEN_EXPIRE_MINUTES * 60,
    }


@auth_service.post("/token")
async def login_for_access_token(form_data: OAuth2PasswordRequestForm = Depends()):
    user = fake_users_db.get(form_data.username)
    if not user or not pwd_context.verify(form_data.password, user["hashed_password"]):
        raise HTTPException(
            status_code=status.HTTP_401_UNAUTHORIZED,
            detail="Incorrect username or password",
            headers={"WWW-Authenticate": "Bearer"},
        )
    return create_tokens(user)


@auth_service.post("/refresh_token")
async def refresh_access_token(refresh_token: str = Depends(oauth2_scheme)):
    try:
        payload = jwt.decode(refresh_token, SECRET_KEY, algorithms=[ALGORITHM])
        user = fake_users_db.get(payload.get("sub"))
        if not user:
            raise HTTPException(status_code=status.HTTP_401_UNAUTHORIZED, detail="User not found for refresh token")
        return create_tokens(user)
    except jwt.ExpiredSignatureError:
        raise HTTPException(status_code=status.HTTP_401_UNAUTHORIZED, detail="Refresh token expired")
    except jwt.InvalidTokenError:
        raise HTTPException(status_code=status.HTTP_401_UNAUTHORIZED, detail="Invalid refresh token")


# --- The resource service ---

resource_service = FastAPI(title="Resource Service")


class User(BaseModel):
    username: str
    roles: List[str]


async def get_current_user(token: str = Depends(oauth2_scheme)) -> User:
    try:
        payload = jwt.decode(token, SECRET_KEY, algorithms=[ALGORITHM])
        return User(username=payload["sub"], roles=payload.get("roles", []))
    except jwt.ExpiredSignatureError:
        raise HTTPException(
            status_code=status.HTTP_401_UNAUTHORIZED,
            detail="Token has expired",
            headers={"WWW-Authenticate": "Bearer"},
        )
    except jwt.InvalidTokenError:
        raise HTTPException(
            status_code=status.HTTP_401_UNAUTHORIZED,
            detail="Invalid token",
            headers={"WWW-Authenticate": "Bearer"},
        )


async def require_admin(current_user: User = Depends(get_current_user)):
    if "admin" not in current_user.roles:
        raise HTTPException(
            status_code=status.HTTP_403_FORBIDDEN, detail="Insufficient permissions. Admin access required."
        )
    return current_user


@resource_service.get("/users/me", response_model=User)
async def read_users_me(current_user: User = Depends(get_current_user)):
    return current_user


@resource_service.get("/admin/data")
async def get_admin_data(admin_user: User = Depends(require_admin)):
    return {"message": f"Welcome, Admin {admin_user.username}!"}


for service in [auth_service, resource_service]:
    service.add_middleware(
        CORSMiddleware, allow_origin_regex=r"http://127\.0\.0\.1:\d+", allow_methods=["*"], allow_headers=["Authorization"]
    )


def end():
    """Only time ends a session."""
    forward((REFRESH_TOKEN_EXPIRE_DAYS + 1) * 86400)


serve_asgi(auth_service, resource_service, end=end)
