"""All settings, each from the environment; `docs/operators.md` documents every name read here."""

from pathlib import Path

import environ
from celery.schedules import timedelta
from csp.constants import NONCE, NONE, SELF
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

# --- where and what we are ----------------------------------------------------------------------------------
# "production" is the default so that forgetting to set it is safe; `make run` sets "demo", the tests "test".
ENVIRONMENT = env.str("ENVIRONMENT", "production")
DEBUG = env.bool("DEBUG", False)
VAR_DIR = Path(env.str("VAR_DIR", str(BASE_DIR / "var")))
DEFAULT_SECRET_KEY = "not-a-secret-for-demo-and-tests-only-change-me-in-production"  # noqa: S105 - refused in production by check deskbridge.E001
SECRET_KEY = env.str("SECRET_KEY", DEFAULT_SECRET_KEY)
# Fernet keys, newest first; the first encrypts, all decrypt (rotation). Made with `manage.py generate_key`.
ENCRYPTION_KEYS = env.list("ENCRYPTION_KEYS", default=[])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
# The address under which other desks reach us: used in the WSDL, in mails and in templates.
PORTAL_URL = env.str("PORTAL_URL", "http://127.0.0.1:8000").rstrip("/")
# Where the demo's partner desk answers; used by `manage.py load_demo` alone.
PRACTICE_DESK_URL = env.str("PRACTICE_DESK_URL", "http://127.0.0.1:8001").rstrip("/")
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.inlines",
    "unfold.contrib.simple_history",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "rest_framework",
    "rest_framework_api_key",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "simple_history",
    "axes",
    "csp",
    "django_htmx",
    "portal",
    "tickets",
    "integrations",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
            ],
        },
    },
]

# --- database and broker: chosen by two variables alone -----------------------------------------------------
DATABASES = {"default": env.db_url("DATABASE_URL", f"sqlite:///{VAR_DIR / 'deskbridge.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        # A reader that becomes a writer in mid-transaction cannot wait for the lock; IMMEDIATE can.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
    # In tests a file, not memory: worker processes and threads must see it too.
    DATABASES["default"]["TEST"] = {"NAME": env.str("TEST_SQLITE", str(VAR_DIR / "test.sqlite3"))}
else:
    DATABASES["default"]["CONN_MAX_AGE"] = env.int("DATABASE_CONN_MAX_AGE", 60)
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", "filesystem://localhost")
# A broker that is down must not slow a page: one second, then the sweeper's turn. Without the last three a
# publisher tries again by itself after a pause: measured, six seconds in all.
BROKER_SERVER_LIMITS: dict[str, object] = {
    "socket_connect_timeout": 1,
    "socket_timeout": 1,
    "connect_timeout": 1,
    "read_timeout": 1,
    "write_timeout": 1,
    "max_retries": 0,
    "interval_start": 0,
    "interval_step": 0,
}
CELERY_BROKER_TRANSPORT_OPTIONS = BROKER_SERVER_LIMITS
if CELERY_BROKER_URL.startswith("filesystem:"):
    _broker = VAR_DIR / "broker"
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(_broker / "messages"),
        "data_folder_out": str(_broker / "messages"),
        "control_folder": str(_broker / "control"),
        "store_processed": False,
        "polling_interval": 0.1,
    }
    for _folder in ("messages", "control"):
        (_broker / _folder).mkdir(parents=True, exist_ok=True)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A worker waits for its broker however long it takes; Celery's own default gives up after a hundred tries.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# Several portals on one RabbitMQ or Redis need a queue each.
CELERY_TASK_DEFAULT_QUEUE = env.str("CELERY_TASK_DEFAULT_QUEUE", "deskbridge")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
SWEEP_SECONDS = env.int("SWEEP_SECONDS", 5)
# Beat publishes with Celery's retries (pages do not): without them it never opens a lost connection again.
CELERY_BEAT_SCHEDULE = {
    "sweep streams": {
        "task": "integrations.tasks.sweep",
        "schedule": timedelta(seconds=SWEEP_SECONDS),
        "options": {"expires": SWEEP_SECONDS * 2},
    },
    "release holds": {
        "task": "tickets.tasks.release_holds",
        "schedule": timedelta(seconds=30),
        "options": {"expires": 60},
    },
    "prune": {"task": "integrations.tasks.prune", "schedule": timedelta(hours=1)},
}
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "beat-schedule")

# --- exchange -----------------------------------------------------------------------------------------------
# One claim of a stream: how long a lease lasts without renewal, and how long a worker stays with one stream.
LEASE_SECONDS = env.int("LEASE_SECONDS", 90)
CLAIM_SECONDS = env.int("CLAIM_SECONDS", 30)
MAX_ATTACHMENT_BYTES = env.int("MAX_ATTACHMENT_BYTES", 20 * 1024 * 1024)
# The largest request that any endpoint for other desks reads. Attachments in base64 are a third larger.
MAX_REQUEST_BYTES = env.int("MAX_REQUEST_BYTES", max(30 * 1024 * 1024, MAX_ATTACHMENT_BYTES * 3 // 2))
# Files that are never taken over from another desk: by their ending, or by what they are said to be.
REFUSED_FILE_ENDINGS = env.list("REFUSED_FILE_ENDINGS", default=["bat", "cmd", "com", "exe", "msi", "ps1", "scr"])
REFUSED_FILE_TYPES = env.list(
    "REFUSED_FILE_TYPES", default=["application/x-msdownload", "application/x-msdos-program"]
)
# A mail carries its files in base64, which is a third longer.
MAX_MAIL_BYTES = env.int("MAX_MAIL_BYTES", 50 * 1024 * 1024)
# So many mails of people who are not known become tickets of a mailbox's failover person; a person looks at the rest.
STRANGERS_AN_HOUR = env.int("STRANGERS_AN_HOUR", 60)
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_REQUEST_BYTES
# How long answers to repeated deliveries, and the bodies of exchanges, are kept.
IDEMPOTENCY_DAYS = env.int("IDEMPOTENCY_DAYS", 30)
EXCHANGE_BODY_DAYS = env.int("EXCHANGE_BODY_DAYS", 180)
# The namespace of the Workflow Service (SOAP): ASP.NET's default, as the document does not name one.
WORKFLOW_SERVICE_NAMESPACE = env.str("WORKFLOW_SERVICE_NAMESPACE", "http://tempuri.org/")
# Case Exchange: our tenant in addresses and cookies, and how long a session lasts.
CASE_EXCHANGE_TENANT = env.str("CASE_EXCHANGE_TENANT", "deskbridge")
CASE_EXCHANGE_SESSION_MINUTES = env.int("CASE_EXCHANGE_SESSION_MINUTES", 30)

# --- mail ---------------------------------------------------------------------------------------------------
vars().update(env.email_url("EMAIL_URL", "consolemail://" if ENVIRONMENT != "production" else "smtp://localhost:25"))
EMAIL_TIMEOUT = env.int("EMAIL_TIMEOUT", 20)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "deskbridge@localhost")

# --- files --------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Presets of the operator's own, beside those that come with the portal.
CATALOGUE_DIR = Path(env.str("CATALOGUE_DIR", str(VAR_DIR / "catalogue")))
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", str(VAR_DIR / "media")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if ENVIRONMENT == "production"
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
# Production serves what `collectstatic` gathered; elsewhere the files are served from where they are.
WHITENOISE_USE_FINDERS = ENVIRONMENT != "production"
if WHITENOISE_USE_FINDERS:
    STATIC_ROOT.mkdir(parents=True, exist_ok=True)

# --- language and time --------------------------------------------------------------------------------------
LANGUAGE_CODE = env.str("LANGUAGE_CODE", "en")
LANGUAGES = [("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["portal.formats"]
TIME_ZONE = env.str("TIME_ZONE", "UTC")
USE_I18N = True
USE_TZ = True

# --- people and security ------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = reverse_lazy("login")
LOGIN_REDIRECT_URL = reverse_lazy("tickets:list")
LOGOUT_REDIRECT_URL = reverse_lazy("login")
AXES_FAILURE_LIMIT = env.int("SIGN_IN_FAILURE_LIMIT", 10)
AXES_COOLOFF_TIME = timedelta(minutes=env.int("SIGN_IN_COOLOFF_MINUTES", 15))
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_TEMPLATE = "registration/locked_out.html"
AXES_ENABLED = ENVIRONMENT != "test"
HTTPS = env.bool("HTTPS", ENVIRONMENT == "production")
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", 31_536_000 if HTTPS else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
# Monitoring asks the process itself, not the proxy that ends TLS.
SECURE_REDIRECT_EXEMPT = [r"^health/", r"^metrics$"]
if env.bool("BEHIND_PROXY", False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        # Unfold's Alpine.js evaluates the expressions in its attributes, which needs unsafe-eval.
        "script-src": [SELF, NONCE, "'unsafe-eval'"],
        "style-src": [SELF, "'unsafe-inline'"],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}

# --- REST ---------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["integrations.inbound.rest.authentication.SystemKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["integrations.inbound.rest.authentication.IsExternalSystem"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.LimitOffsetPagination",
    "PAGE_SIZE": 50,
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "EXCEPTION_HANDLER": "integrations.inbound.rest.problems.problem_details",
    "UNAUTHENTICATED_USER": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Deskbridge",
    "DESCRIPTION": "REST for external desks: read your tasks, acknowledge, update and solve them.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "PREPROCESSING_HOOKS": ["integrations.inbound.rest.schema.one_spelling"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "integrations.inbound.rest.schema.nothing_unknown",
    ],
}

# --- monitoring ---------------------------------------------------------------------------------------------
# Who sends it as a bearer token may read /metrics; empty: only requests from the portal's own machine may.
METRICS_TOKEN = env.str("METRICS_TOKEN", "")

# --- logs ---------------------------------------------------------------------------------------------------
LOG_LEVEL = env.str("LOG_LEVEL", "INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    # A line for every sweep, every few seconds, would bury the others.
    "loggers": {
        name: {"level": "DEBUG" if LOG_LEVEL == "DEBUG" else "WARNING"}
        for name in ("celery.app.trace", "celery.worker.strategy", "celery.beat", "axes")
    },
}

# --- the admin's face: see portal/navigation.py and portal/dashboard.py -------------------------------------
UNFOLD = {
    "SITE_TITLE": "Deskbridge",
    "SITE_HEADER": "Deskbridge",
    "SITE_SYMBOL": "sync_alt",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("img/deskbridge.svg")}],
    "STYLES": [lambda request: static("css/admin.css"), lambda request: static("css/exchange.css")],
    "SCRIPTS": [lambda request: static("js/admin.js")],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "portal.dashboard.dashboard",
    "SIDEBAR": {"show_search": True, "navigation": "portal.navigation.sidebar"},
}
