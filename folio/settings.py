"""Every setting of Folio; the environment decides, `docs/reference/settings.md` explains."""

import os
import secrets
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from . import __version__

env = environ.Env()


def secret_key(folder: Path) -> str:
    """Return the installation's secret key, made once in `folder` and readable by its owner only.

    Two processes that start together agree on one key: the file appears whole, by a link, or not at all.
    """
    path = folder / "secret_key"
    try:
        return path.read_text()
    except FileNotFoundError:
        draft = folder / f".secret_key.{os.getpid()}.{secrets.token_hex(4)}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        return path.read_text()


# The installation

DATA_DIR = Path(env.str("FOLIO_DATA_DIR", default="data")).resolve()
DATA_DIR.mkdir(parents=True, exist_ok=True)
SECRET_KEY = env.str("FOLIO_SECRET_KEY", default="") or secret_key(DATA_DIR)
DEBUG = env.bool("FOLIO_DEBUG", default=False)

# Where clients reach it. With FOLIO_PUBLIC_URL, `folio.api.middleware.EdgeMiddleware` gives every request that
# scheme and host, so absolute URLs, the CSRF check and secure cookies follow from one place.

ALLOWED_HOSTS = env.list("FOLIO_ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
PUBLIC_URL = env.str("FOLIO_PUBLIC_URL", default="").rstrip("/")
if PUBLIC_URL:
    public = urlsplit(PUBLIC_URL)
    if public.scheme not in {"http", "https"} or not public.hostname or public.query or public.fragment:
        raise ImproperlyConfigured(
            f"FOLIO_PUBLIC_URL is {PUBLIC_URL!r}; it must be an absolute URL such as https://api.example.com."
        )
    ALLOWED_HOSTS = [*ALLOWED_HOSTS, f"[{public.hostname}]" if ":" in public.hostname else public.hostname]
    FORCE_SCRIPT_NAME = public.path or None
    CSRF_TRUSTED_ORIGINS = [f"{public.scheme}://{public.netloc}"]
    if public.scheme == "https":
        SESSION_COOKIE_SECURE = True
        CSRF_COOKIE_SECURE = True
        SECURE_SSL_REDIRECT = True
        SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds())
# HSTS stays with the API's own host: whether its subdomains and browsers' preload lists follow is not ours to say.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

# The program

INSTALLED_APPS = [
    "folio",
    "folio.api",
    "folio.access",
    "folio.media",
    "folio.portfolios",
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]
MIDDLEWARE = [
    "folio.api.middleware.EdgeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "folio.urls"
WSGI_APPLICATION = "folio.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"

# The database

DATABASES = {"default": env.db_url("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'folio.sqlite3'}")}
DATABASES["default"]["CONN_MAX_AGE"] = env.int("FOLIO_CONNECTION_MAX_AGE", default=600)
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        # A writer takes its turn when it begins; one that only finds out at its first write could not wait for it.
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,  # seconds
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA busy_timeout=30000",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Files

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
MEDIA_ROOT = DATA_DIR / "media"
MEDIA_URL = "media/"
STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True
# Larger parts of an upload are streamed to a temporary file as they arrive; no request is read whole into memory.
FILE_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024
FILE_UPLOAD_PERMISSIONS = 0o644
MAX_UPLOAD_SIZE = env.int("FOLIO_MAX_UPLOAD_SIZE", default=100 * 1024 * 1024)  # bytes
MAX_IMAGE_PIXELS = env.int("FOLIO_MAX_IMAGE_PIXELS", default=50_000_000)  # width × height
DATA_UPLOAD_MAX_MEMORY_SIZE = env.int("FOLIO_MAX_BODY_SIZE", default=2_621_440)  # bytes of a JSON body

# Language and time: the API speaks English and UTC

LANGUAGE_CODE = "en-us"
USE_I18N = True
TIME_ZONE = "UTC"
USE_TZ = True

# The API

TOKEN_DAYS = env.int("FOLIO_TOKEN_DAYS", default=30)  # what POST /api/auth/token/ gives a key to live

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["folio.access.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["folio.access.permissions.HoldsPermissionCode"],
    "DEFAULT_PARSER_CLASSES": ["folio.api.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["folio.api.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "folio.api.schema.AutoSchema",
    "EXCEPTION_HANDLER": "folio.api.errors.exception_handler",
    "URL_FORMAT_OVERRIDE": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    # A client's own mistakes are told to the client.
    "loggers": {"django.request": {"level": "ERROR"}},
    "root": {"handlers": ["console"], "level": env.str("FOLIO_LOG_LEVEL", default="INFO")},
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Folio",
    "DESCRIPTION": "A headless portfolio backend. Every request needs `Authorization: Token <key>`, but for making a "
    "key, this description and the media files.",
    "VERSION": __version__,
    "OAS_VERSION": "3.1.1",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [],  # the one that is on by default makes a component of each choice
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}
