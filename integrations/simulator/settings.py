"""Settings of the practice desk, each from the environment."""

from pathlib import Path

import environ
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

HERE = Path(__file__).resolve().parent
env = environ.Env()

DEBUG = False
# It holds practice data only, and listens on this machine only unless told otherwise.
SECRET_KEY = env.str("PRACTICE_DESK_SECRET_KEY", "the-practice-desk-keeps-nothing-that-needs-a-secret")
ALLOWED_HOSTS = env.list("PRACTICE_DESK_ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])

# What callers of this desk present: one user and password (Basic, SOAP header, login request) or one key.
PRACTICE_DESK_USER = env.str("PRACTICE_DESK_USER", "practice")
PRACTICE_DESK_PASSWORD = env.str("PRACTICE_DESK_PASSWORD", "practice-desk-password")
PRACTICE_DESK_INTAKE_KEY = env.str("PRACTICE_DESK_INTAKE_KEY", "practice-key")

INSTALLED_APPS = [
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "csp",
    "integrations.simulator.apps.SimulatorConfig",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "integrations.simulator.urls"
WSGI_APPLICATION = "integrations.simulator.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "integrations.simulator.views.context.active_faults",
            ],
        },
    },
]

_var = Path(env.str("VAR_DIR", str(HERE.parent.parent / "var")))
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": env.str("PRACTICE_DESK_DATABASE", str(_var / "practice-desk.sqlite3")),
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 30 * 1024 * 1024

# Cookies are shared by all ports of one host: without names of our own, the portal next door and this desk
# would sign each other's people out.
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
SESSION_COOKIE_NAME = "practice_desk_session"
CSRF_COOKIE_NAME = "practice_desk_csrf"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "style-src": [SELF],
        "img-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    },
}

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
TIME_ZONE = env.str("TIME_ZONE", "UTC")
USE_I18N = True
USE_TZ = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO")},
}
