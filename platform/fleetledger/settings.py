"""Django's settings: everything that differs between machines comes from the environment."""

from typing import Any

import django_stubs_ext
import structlog

from fleetledger import paths
from fleetledger.env import env, flag, number, text, words

django_stubs_ext.monkeypatch()  # typed fields and querysets may name their types at run time

DEBUG = False
SECRET_KEY = text("SECRET_KEY", "set-by-the-state-directory-or-SECRET_KEY_FILE")
SECRET_KEY_FALLBACKS = words("SECRET_KEY_FALLBACKS", [])  # keys of before: what they signed or sealed is still read
INSTANCE = text("FLEETLEDGER_INSTANCE")
BASE_URL = text("FLEETLEDGER_BASE_URL", "http://127.0.0.1:8000")
ALLOWED_HOSTS = words("ALLOWED_HOSTS", ["*"])
CSRF_TRUSTED_ORIGINS = words("CSRF_TRUSTED_ORIGINS", [])
HTTPS = flag("FLEETLEDGER_HTTPS")  # set where a TLS proxy stands before the web part

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "auditlog",
    "axes",
    "csp",
    "django_filters",
    "django_htmx",
    "django_structlog",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "fleetledger.fleet",
    "fleetledger.web",
    "fleetledger.rest",
    "monitoring.telemetry",
    "monitoring.alerts",
    "monitoring.availability",
    "costs",
    "drift",
    "fleetledger.demo",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "fleetledger.rest.health.HealthMiddleware",
    "monitoring.availability.outage.middleware.OutageMiddleware",
    "csp.middleware.CSPMiddleware",
    "monitoring.availability.public.views.PublicStatusMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "auditlog.middleware.AuditlogMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "fleetledger.urls"
WSGI_APPLICATION = "fleetledger.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [paths.templates()],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "fleetledger.web.context.furniture",
            ],
        },
    }
]

DATABASES: dict[str, Any] = {
    "default": env.db_url("DATABASE_URL", default="postgres://fleetledger@127.0.0.1:5432/fleetledger")
}
DATABASES["default"] |= {"CONN_MAX_AGE": 0, "ATOMIC_REQUESTS": False}
DATABASES["default"].setdefault("OPTIONS", {})
DATABASES["default"]["OPTIONS"] |= {
    "connect_timeout": number("FLEETLEDGER_DB_CONNECT_TIMEOUT_S", 5),
    "options": f"-c lock_timeout=15s -c statement_timeout={number('FLEETLEDGER_DB_STATEMENT_TIMEOUT_S', 120)}s",
}
if flag("FLEETLEDGER_DB_POOL"):
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True  # one that the database ended is not handed out again
    DATABASES["default"]["OPTIONS"]["pool"] = {
        "min_size": 1,
        "max_size": number("FLEETLEDGER_DB_POOL_SIZE", 8),
        "timeout": 5,
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = text("REDIS_URL", "redis://127.0.0.1:6379/0")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache"
    },  # per process: pages answer while Redis is down
}

AUTH_USER_MODEL = "fleet.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "overview"
LOGOUT_REDIRECT_URL = "sign-in"
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_TEMPLATE = "accounts/locked.html"
AXES_VERBOSE = False

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_REDIRECT_EXEMPT = ["^healthz$", "^readyz$", "^metrics$"]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}
SILENCED_SYSTEM_CHECKS = (
    []
    if HTTPS
    else [
        "security.W004",  # HSTS and secure cookies belong to FLEETLEDGER_HTTPS=1: without TLS they lock people out
        "security.W008",
        "security.W012",
        "security.W016",
    ]
)

LANGUAGE_CODE = "en"
USE_I18N = False
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = text("FLEETLEDGER_STATIC_ROOT") or None  # files are served from where they lie
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "fleetledger.web.assets.VersionedStaticFiles"},
}
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 5_000_000
BILL_UPLOAD_MAX_BYTES = number("FLEETLEDGER_BILL_UPLOAD_MAX_BYTES", 2_000_000_000)
DRIFT_REPORT_MAX_BYTES = number("FLEETLEDGER_DRIFT_REPORT_MAX_BYTES", 20_000_000)  # unpacked
DRIFT_DATA_MAX_BYTES = number("FLEETLEDGER_DRIFT_DATA_MAX_BYTES", 500_000_000)  # a file of rows
DRIFT_FOLDER = text("FLEETLEDGER_DRIFT_FOLDER")  # reports that lie in DRIFT_FOLDER/<model>/ are taken in
STATE_DIR = text("FLEETLEDGER_STATE_DIR")

NOTIFY_ALLOW = words("FLEETLEDGER_NOTIFY_ALLOW", [])  # internal hosts and networks that apprise may reach
SMTP_HOST = text("FLEETLEDGER_SMTP")  # HOST:PORT, for receivers that name no smarthost of their own
SMTP_FROM = text("FLEETLEDGER_SMTP_FROM")
SMTP_USER = text("FLEETLEDGER_SMTP_USER")
SMTP_PASSWORD = text("FLEETLEDGER_SMTP_PASSWORD")
DEADMAN_URL = text("FLEETLEDGER_DEADMAN_URL")  # called each minute while alerts are taken in, evaluated and delivered

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "fleetledger.rest.auth.TokenAuthentication",
        "fleetledger.rest.auth.PageSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["fleetledger.rest.auth.CallerMayRead"],
    "DEFAULT_RENDERER_CLASSES": ["fleetledger.rest.renderers.OrjsonRenderer", "fleetledger.rest.renderers.CsvRenderer"],
    "DEFAULT_PARSER_CLASSES": ["fleetledger.rest.parsers.StrictJsonParser", "rest_framework.parsers.MultiPartParser"],
    "DEFAULT_PAGINATION_CLASS": "fleetledger.rest.pagination.Cursor",
    "DEFAULT_THROTTLE_CLASSES": ["fleetledger.rest.throttle.CallerThrottle"],
    "DEFAULT_THROTTLE_RATES": {"caller": text("FLEETLEDGER_API_RATE", "1200/min")},
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "fleetledger.rest.problems.as_problem",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "URL_FORMAT_OVERRIDE": "format",
    "COERCE_DECIMAL_TO_STRING": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Fleetledger",
    "VERSION": "1",
    "DESCRIPTION": "GPU usage and money as the pages show them. Times are RFC 3339 in UTC, money is a decimal string.",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

AUDITLOG_INCLUDE_ALL_MODELS = False

structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.filter_by_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
_RENDERER: Any = (
    structlog.processors.JSONRenderer()
    if text("FLEETLEDGER_LOG", "json") == "json"
    else structlog.dev.ConsoleRenderer(colors=False)
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "lines": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processor": _RENDERER,
            "foreign_pre_chain": [
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.stdlib.add_logger_name,
                structlog.stdlib.add_log_level,
            ],
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}},
    "root": {"handlers": ["stderr"], "level": text("FLEETLEDGER_LOG_LEVEL", "INFO")},
    "loggers": {
        "axes": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
        "django_structlog": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "urllib3": {"level": "ERROR"},  # its retries end in our own sentence
    },
}
