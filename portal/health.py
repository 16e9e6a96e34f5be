"""`/health/live` and `/health/ready`, for load balancers and monitoring."""

from collections.abc import Callable
from dataclasses import dataclass

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError

from portal.celery import app

BROKER_SECONDS = 1.0
_all_applied = False


@dataclass(frozen=True)
class Service:
    """What one check found: `problem` is empty while all is well."""

    problem: str
    needed: bool
    """Whether the portal cannot answer requests without it."""


@require_safe
@never_cache
def live(request: HttpRequest) -> JsonResponse:
    """200 while this process answers at all; asks nothing else, so that a restart is never the wrong remedy."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """200 while requests can be served, else 503; the body says what works.

    A broker that is down makes it `degraded`, not unready: every change is stored, and exchanged once the broker
    is back, so taking the portal out of the load balancer would only make things worse.
    """
    found = services()
    unready = any(service.problem for service in found.values() if service.needed)
    degraded = any(service.problem for service in found.values())
    status = "unavailable" if unready else "degraded" if degraded else "ok"
    details = {name: service.problem or "ok" for name, service in found.items()}
    return JsonResponse({"status": status, **details}, status=503 if unready else 200)


def services() -> dict[str, Service]:
    """Each service that the portal stands on."""
    database = _problem_of(_ask_database)
    return {
        "database": Service(database, needed=True),
        "migrations": Service("unknown" if database else _pending_migrations(), needed=True),
        "broker": Service(_ask_broker(), needed=False),
    }


def _problem_of(question: Callable[[], None]) -> str:
    try:
        question()
    except DatabaseError as problem:
        # The class only: the text of a driver may hold the address and user of the database.
        return f"does not answer ({type(problem).__name__})"
    return ""


def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _pending_migrations() -> str:
    # Kept once true: the code of this process, and so the list of its migrations, does not change any more.
    global _all_applied
    if not _all_applied:
        executor = MigrationExecutor(connection)
        _all_applied = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return "" if _all_applied else "not all applied: run `manage.py migrate`"


def _ask_broker() -> str:
    broker = app.connection_for_write(connect_timeout=BROKER_SECONDS)
    try:
        broker.ensure_connection(max_retries=0, timeout=BROKER_SECONDS)
    except (OperationalError, *broker.connection_errors, *broker.channel_errors) as problem:
        return f"does not answer ({type(problem).__name__})"
    finally:
        broker.release()
    return ""
