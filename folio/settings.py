"""Every setting of Folio; the environment decides, `docs/reference/settings.md` explains."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.apps import apps
from django.http import HttpRequest
from django.http.request import split_domain_port
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from . import __version__
from .environment import (
    choice,
    choices,
    data_folder,
    duration,
    env,
    files_address,
    group,
    hosts,
    is_there,
    metadata,
    networks,
    number,
    origins,
    port,
    preview_address,
    proxies,
    public_address,
    rate,
    secret_word,
    site_address,
    switch,
    widths,
)
from .installation import FILE as OWN_FILE
from .installation import FOLDER as OWN_FOLDER
from .installation import SHARED_FILE, SHARED_FOLDER, secret_key
from .places import bucket, database, existing, redis_address, signed
from .reports import reports_address

# The installation

# Nothing is made here, and the secret key is read when it is first needed: see `folio.installation`.

DATA_DIR = data_folder("FOLIO_DATA_DIR", "data")
SECRET_KEY: Any = env.str("FOLIO_SECRET_KEY", default="") or SimpleLazyObject(lambda: secret_key(DATA_DIR))
DEBUG = switch("FOLIO_DEBUG")

# Where clients reach it. With FOLIO_PUBLIC_URL, `folio.api.middleware.EdgeMiddleware` gives every request that
# scheme and host, so absolute URLs, the CSRF check and secure cookies follow from one place.

ALLOWED_HOSTS = hosts("FOLIO_ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
PUBLIC_URL = env.str("FOLIO_PUBLIC_URL", default="").rstrip("/")
if PUBLIC_URL:
    public = public_address(PUBLIC_URL)
    PUBLIC_URL = public.geturl()
    ALLOWED_HOSTS = [*ALLOWED_HOSTS, split_domain_port(public.netloc)[0]]
    FORCE_SCRIPT_NAME = public.path or None
    # Other programs of the host don't get them.
    SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = LANGUAGE_COOKIE_PATH = public.path or "/"
    CSRF_TRUSTED_ORIGINS = [f"{public.scheme}://{public.netloc}"]
    if public.scheme == "https":
        SESSION_COOKIE_SECURE = True
        CSRF_COOKIE_SECURE = True
        LANGUAGE_COOKIE_SECURE = True
        SECURE_SSL_REDIRECT = True
        SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds())
TRUSTED_PROXIES, TRUST_UNIX = proxies("FOLIO_TRUSTED_PROXIES")  # whose X-Forwarded-For is believed
# HSTS stays with the API's own host: whether its subdomains and browsers' preload lists follow is not ours to say.
# The folder of uploads need not be there yet: `folio serve` makes it.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021", "files.E001"]

# The program

INSTALLED_APPS = [
    "folio",
    "folio.api",
    "folio.tasks",
    "folio.admin",
    "folio.access",
    "folio.media",
    "folio.portfolios",
    "folio.delivery",
    "folio.transfer",
    "folio.sample",
    "folio.server",
    "unfold",
    "unfold.contrib.filters",
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
    "folio.admin.policies.PoliciesMiddleware",
    "folio.api.middleware.EdgeMiddleware",
    "folio.delivery.middleware.PublicMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "folio.admin.pages.PagesMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "folio.admin.languages.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "folio.admin.strangers.StrangersMiddleware",
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
AUTHENTICATION_BACKENDS = ["folio.access.backends.PatientBackend"]
CLAIMS_PATH = DATA_DIR / "claims"  # which requests are at work, see `folio.claims`
ATTEMPTS_PATH = DATA_DIR / "attempts.sqlite3"  # failed sign-ins, see `folio.access.attempts`
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
# Sessions, which are the admin site's alone. "Strict" would show the sign-in to whoever follows a colleague's link.
# What changes anything is a POST with a CSRF token, which "Lax" keeps from other sites just as well.
SESSION_ENGINE = "folio.admin.sessions"
SESSION_COOKIE_AGE = int(timedelta(days=14).total_seconds())  # from the sign-in on: a page that is read writes nothing
SESSION_SAVE_EVERY_REQUEST = False
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
CSRF_FAILURE_VIEW = "folio.admin.sessions.csrf_failure"

# The database

DATABASES: dict[str, dict[str, Any]] = {"default": database(f"sqlite:///{quote(str(DATA_DIR / 'folio.sqlite3'))}")}
CONNECTION_MAX_AGE = number("FOLIO_CONNECTION_MAX_AGE", 600)  # seconds
DATABASE_CONNECTIONS = number("FOLIO_DATABASE_CONNECTIONS", 16, least=1)  # of each worker to PostgreSQL, in its pool
PGBOUNCER = switch("FOLIO_PGBOUNCER")  # stands before PostgreSQL, and gives connections for a transaction each
if DATABASES["default"]["ENGINE"] == "folio.postgresql":
    # A request gets a connection of its worker's pool: `folio.postgresql.pools`.
    DATABASES["default"].setdefault("OPTIONS", {})["pool"] = {
        "max_size": DATABASE_CONNECTIONS,
        "max_lifetime": CONNECTION_MAX_AGE,
    }
    if PGBOUNCER:
        DATABASES["default"]["OPTIONS"]["prepare_threshold"] = None
        DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = True
else:
    DATABASES["default"]["CONN_MAX_AGE"] = CONNECTION_MAX_AGE
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# What a worker that serves waits for, in seconds; commands take as long as they need. See `folio.postgresql.timeouts`.
LOOK_SECONDS = number("FOLIO_LOOK_SECONDS", 2, least=1)  # for the version, and a connection to ask it by
CONNECT_SECONDS = number("FOLIO_CONNECT_SECONDS", 3, least=1)
LOCK_SECONDS = number("FOLIO_LOCK_SECONDS", 10, least=1)
STATEMENT_SECONDS = number("FOLIO_STATEMENT_SECONDS", 20, least=1)
TURN_SECONDS = number("FOLIO_TURN_SECONDS", 10, least=1)  # for other reads that are computed
FOLDER_MARK = DATA_DIR / "folder"  # by which servers know that they share it, see `folio.server.peers`
SERVER_NOTE = DATA_DIR / "database-server"  # which server of PostgreSQL was found last, see `folio.snapshots.notes`
if DATABASES["default"]["ENGINE"] == "folio.sqlite":
    DATABASES["default"]["OPTIONS"] = {
        **existing(DATABASES["default"]["NAME"]),
        # A writer takes its turn when it begins; one that only finds out at its first write could not wait for it.
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,  # seconds
        # Each thread has a connection of its own; the pages that it reads are in the system's memory anyway.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA busy_timeout=30000; PRAGMA cache_size=-512",
        "cached_statements": 16,
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
RUN_TASKS = True  # by each worker that serves, see `folio.tasks`

# Files

MEDIA_BUCKET = bucket("FOLIO_MEDIA")  # where the media lie; None is the data folder
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "folio.admin.assets.HashedStorage"},
}
if MEDIA_BUCKET is not None:
    STORAGES["default"] = {"BACKEND": "folio.media.s3.ObjectStorage", "OPTIONS": {"bucket": MEDIA_BUCKET}}
MEDIA_ROOT = DATA_DIR / "media"
JOURNAL_ROOT = DATA_DIR / "journal"  # which files are being written or removed, see `folio.media.journal`
# Where what Folio says leads to its files, be it a CDN's address; it answers below `media/` in any case.
FILES_URL = files_address("FOLIO_MEDIA_URL")
MEDIA_URL = FILES_URL or "media/"
MEDIA_SIGNED = signed("FOLIO_MEDIA_SIGNED", MEDIA_BUCKET)  # requests for files are sent to the bucket for so long
STORAGE_SECONDS = number("FOLIO_STORAGE_SECONDS", 15, least=1)  # that object storage may keep silent
STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static" / "files"  # what `folio serve` makes of them: `folio.admin.assets`
WHITENOISE_USE_FINDERS = True
WHITENOISE_IMMUTABLE_FILE_TEST = r"\.[0-9a-f]{12}\.\w+$"  # also those that an open page of an older version asks for
# Larger parts of an upload are streamed to a temporary file as they arrive; no request is read whole into memory.
FILE_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024
FILE_UPLOAD_TEMP_DIR = DATA_DIR / "uploads"  # on the disk of the media, so that a complete file only has to be moved
FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "folio.media.journal.UploadHandler",
]
MEDIA_GROUP = group("FOLIO_MEDIA_GROUP")  # a proxy's, which may read the media
FILE_UPLOAD_PERMISSIONS = OWN_FILE if MEDIA_GROUP is None else SHARED_FILE
FILE_UPLOAD_DIRECTORY_PERMISSIONS = OWN_FOLDER if MEDIA_GROUP is None else SHARED_FOLDER
MAX_UPLOAD_SIZE = number("FOLIO_MAX_UPLOAD_SIZE", 100 * 1024 * 1024)  # bytes
MAX_IMAGE_PIXELS = number("FOLIO_MAX_IMAGE_PIXELS", 120_000_000)  # width × height
DECODERS = number("FOLIO_DECODERS", 2, least=1)  # processes that decode images, for each worker
DECODER_MEMORY = number("FOLIO_DECODER_MEMORY", 1024**3, least=1)  # bytes for an image
DECODER_SECONDS = number("FOLIO_DECODER_SECONDS", 30, least=1)  # for an image
FFMPEG = env.str("FOLIO_FFMPEG", default="ffmpeg").strip()  # looks for a picture in films, where it is installed
ALLOW_SVG = switch("FOLIO_ALLOW_SVG", default="on")  # rewritten by an allow-list
KEEP_REMOVED = duration("FOLIO_KEEP_REMOVED", "7d")  # what was deleted or replaced is served so long
KEEP_METADATA = metadata("FOLIO_KEEP_METADATA")  # what stays beside the pictures of originals
DATA_UPLOAD_MAX_MEMORY_SIZE = number("FOLIO_MAX_BODY_SIZE", 2_621_440)  # bytes of a JSON body
DATA_UPLOAD_MAX_NUMBER_FIELDS = 25_000  # the admin site's form of a portfolio has several for each row of its lists

# What visitors read

# What `folio serve --demo` has filled is open unless it is closed: docs/decisions/0035-the-edge-of-what-is-public.md.
PUBLIC_READ_MARK = DATA_DIR / "public_read"
VARIANTS_MARK = DATA_DIR / "variants"  # of which widths and formats all were made ahead, see `folio.media.ahead`
PUBLIC_READ = switch("FOLIO_PUBLIC_READ", default="on" if is_there(PUBLIC_READ_MARK) else "off")
PUBLIC_ORIGINALS = switch("FOLIO_PUBLIC_ORIGINALS", default="on")
PUBLIC_CACHE_SECONDS = number("FOLIO_PUBLIC_CACHE_SECONDS", 60)  # that a CDN may keep an answer
PUBLIC_RATE = rate("FOLIO_PUBLIC_RATE")  # requests of an address, and the seconds that they are for
SITE_URL = site_address("FOLIO_SITE_URL")  # of a portfolio's page
PREVIEW_URL = preview_address("FOLIO_PREVIEW_URL")  # of the page that shows what is not published yet
WEBHOOK_SECONDS = number("FOLIO_WEBHOOK_SECONDS", 10)  # in which changes are gathered before they are told
WEBHOOK_PRIVATE = networks("FOLIO_WEBHOOK_PRIVATE")  # that messages may go to though they are not everyone's
IMAGE_WIDTHS = widths("FOLIO_IMAGE_WIDTHS", "320,640,960,1280,1920,2560")  # pixels
IMAGE_FORMATS = choices("FOLIO_IMAGE_FORMATS", ("avif", "webp"), "avif,webp")

# Language and time: the API speaks English and UTC, the admin site its reader's language

LANGUAGE_CODE = "en-us"
USE_I18N = True
LOCALE_PATHS = [Path(__file__).parent / "locale"]
LANGUAGE_COOKIE_AGE = int(timedelta(days=365).total_seconds())
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
TIME_ZONE = "UTC"
USE_TZ = True

# The API

# Bytes of each worker's memory; both caches follow the database's own version, see docs/decisions/.
RESPONSE_CACHE_SIZE = number("FOLIO_RESPONSE_CACHE_SIZE", 16 * 1024 * 1024)
DOCUMENT_CACHE_SIZE = number("FOLIO_DOCUMENT_CACHE_SIZE", 24 * 1024 * 1024)
# Requests of a key, and the seconds that they are for; why so many: docs/decisions/0063-limits.md.
RATE = rate("FOLIO_RATE", "6000/minute")  # reads that have to be computed
WRITE_RATE = rate("FOLIO_WRITE_RATE", "6000/minute")
RATES_PATH = DATA_DIR / "rates"  # how many came, see `folio.api.rates`
REDIS_URL = redis_address("FOLIO_REDIS_URL")  # where machines count together
SERVER_TIMING = switch("FOLIO_SERVER_TIMING")
CORS_ORIGINS = origins("FOLIO_CORS_ORIGINS")  # whose pages may call the managing API from a browser
TOKEN_DAYS = number("FOLIO_TOKEN_DAYS", 30)  # what POST /api/auth/token/ gives a key to live

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["folio.access.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["folio.access.permissions.HoldsPermissionCode"],
    "DEFAULT_PARSER_CLASSES": ["folio.api.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["folio.api.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "folio.api.renderers.ContentNegotiation",
    "DEFAULT_SCHEMA_CLASS": "folio.api.schema.AutoSchema",
    "EXCEPTION_HANDLER": "folio.api.errors.exception_handler",
    "URL_FORMAT_OVERRIDE": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

# The server

BACKUP = env.str("FOLIO_BACKUP", default="").strip()  # the store that the server makes backups into by itself
BACKUP_EVERY = duration("FOLIO_BACKUP_EVERY", "24h")
BACKUP_KEEP = number("FOLIO_BACKUP_KEEP", 14, least=1)
DRAIN_SECONDS = number("FOLIO_DRAIN_SECONDS", 0)  # that a server goes on answering after it was told to stop
WORKER_MEMORY = number("FOLIO_WORKER_MEMORY", 0)  # bytes, after which a worker is renewed; 0 for never
METRICS_TOKEN = secret_word("FOLIO_METRICS_TOKEN")  # who has it may ask /metrics
METRICS_HOST = env.str("FOLIO_METRICS_HOST", default="").strip() or "127.0.0.1"
METRICS_PORT = port("FOLIO_METRICS_PORT")  # that is for this alone; 0 is none
METRICS = bool(METRICS_TOKEN or METRICS_PORT)  # whether anything is counted, see `folio.server.metrics`

LOG_LEVEL = choice("FOLIO_LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"), "INFO")
LOG_FORMAT = choice("FOLIO_LOG_FORMAT", ("TEXT", "JSON"), "TEXT")
ACCESS_LOG = switch("FOLIO_ACCESS_LOG")  # a line for each request
SLOW_MS = number("FOLIO_SLOW_MS", 0)  # from which on a request is told with its queries; 0 is never
SENTRY_DSN = reports_address("SENTRY_DSN")  # where errors are reported to, see `folio.reports`
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "folio.logs.JSONLines" if LOG_FORMAT == "JSON" else "folio.logs.Lines",
            "fmt": "{asctime} {levelname} {name}{of_request}: {message}",
            "style": "{",
        },
    },
    "filters": {
        "mistakes": {"()": "folio.logs.MistakesOnDemand"},
        "incidents": {"()": "folio.outages.Incidents"},
    },
    "handlers": {
        "console": {"class": "folio.logs.Console", "formatter": "line", "filters": ["mistakes", "incidents"]},
    },
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "folio.requests": {"level": "INFO"},  # what was asked for by a variable of its own
        "botocore": {"level": "WARNING"},  # which tells where it found its keys
    },
}
if SENTRY_DSN:
    LOGGING["handlers"]["reports"] = {"class": "folio.reports.Reports"}
    LOGGING["root"]["handlers"].append("reports")
SPECTACULAR_SETTINGS = {
    "TITLE": "Folio",
    "DESCRIPTION": "A headless portfolio backend. Every request needs `Authorization: Token <key>`, but for making a "
    "key, this description and the media files.",
    "VERSION": __version__,
    "OAS_VERSION": "3.1.1",
    "SERVERS": [{"url": PUBLIC_URL or "http://127.0.0.1:8000"}],  # the served one says where it was asked for
    "DEFAULT_GENERATOR_CLASS": "folio.api.generators.ManagingGenerator",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [],  # the one that is on by default makes a component of each choice
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    # JavaScript: "Authorize" takes a key with or without the `Token ` before it.
    "SWAGGER_UI_SETTINGS": """{
  deepLinking: true,
  requestInterceptor: (request) => {
    const given = (request.headers.Authorization ?? "").trim();
    if (given) request.headers.Authorization = /^token\\s/i.test(given) ? given : `Token ${given}`;
    return request;
  },
}""",
}

# The admin site


def admin_page(title: Any, icon: str, model: str) -> dict[str, Any]:
    """Return a model's line in the sidebar, for those who may see its list; `model` is `app.model`."""

    def may_see(request: HttpRequest) -> bool:
        from django.contrib import admin  # which needs the settings

        return admin.site.get_model_admin(apps.get_model(model)).has_view_or_change_permission(request)

    link = reverse_lazy(f"admin:{model.replace('.', '_')}_changelist")
    return {"title": title, "icon": icon, "link": link, "permission": may_see}


LOGIN_REDIRECT_URL = "admin:index"  # unfold's form does not say where to go next
UNFOLD = {
    "SITE_TITLE": "Folio",
    "SITE_HEADER": "Folio",
    "SITE_SYMBOL": "photo_library",
    "SITE_URL": None,
    "SHOW_LANGUAGES": True,
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("folio/admin/icon.svg")},
    ],
    "DASHBOARD_CALLBACK": "folio.portfolios.admin.home.home",
    "ACCOUNT": {"navigation": [{"title": _("Change password"), "link": reverse_lazy("admin:password_change")}]},
    "SIDEBAR": {
        "navigation": [
            {
                "title": _("Portfolios"),
                "items": [
                    admin_page(_("Portfolios"), "work", "portfolios.portfolio"),
                    admin_page(_("Employers"), "apartment", "portfolios.employer"),
                    admin_page(_("Tags"), "sell", "portfolios.tag"),
                    admin_page(_("Links"), "link", "portfolios.link"),
                    admin_page(_("Meta"), "data_object", "portfolios.metaentry"),
                ],
            },
            {"title": _("Media"), "items": [admin_page(_("Media"), "photo_library", "media.media")]},
            {
                "title": _("Websites"),
                "items": [
                    admin_page(_("Webhooks"), "webhook", "delivery.webhook"),
                    admin_page(_("Deliveries"), "outbox", "delivery.webhookdelivery"),
                ],
            },
            {
                "title": _("People and keys"),
                "items": [
                    admin_page(_("Users"), "person", "auth.user"),
                    admin_page(_("Groups"), "group", "auth.group"),
                    admin_page(_("API keys"), "key", "access.token"),
                ],
            },
            {
                "title": _("Help"),
                "items": [{"title": _("API docs"), "icon": "api", "link": reverse_lazy("docs")}],
            },
        ],
    },
}

VARIABLES = env.names  # all that were read here
