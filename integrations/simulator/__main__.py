"""Start the practice desk: `python -m integrations.simulator --port 8001`."""

import argparse
import logging
import os
import threading
from pathlib import Path
from typing import Any


def arguments() -> argparse.Namespace:
    """The command line; every option can also be set by the environment."""
    get = os.environ.get
    parser = argparse.ArgumentParser(prog="integrations.simulator", description="A partner desk to practise against.")
    parser.add_argument("--host", default=get("PRACTICE_DESK_HOST", "127.0.0.1"), help="address to listen on")
    parser.add_argument("--port", type=int, default=int(get("PRACTICE_DESK_PORT", "8001")), help="port to listen on")
    parser.add_argument("--database", default=get("PRACTICE_DESK_DATABASE"), help="its SQLite file")
    parser.add_argument("--portal-url", default=get("PORTAL_URL"), help="address of the portal")
    parser.add_argument("--api-key", default=get("PRACTICE_DESK_API_KEY"), help="this desk's key at the portal")
    parser.add_argument("--system-slug", default=get("PRACTICE_DESK_SYSTEM_SLUG"), help="its name at the portal")
    parser.add_argument(
        "--case-exchange-user",
        default=get("PRACTICE_DESK_CASE_EXCHANGE_USER"),
        help="its user at Case Exchange there",
    )
    parser.add_argument(
        "--case-exchange-key", default=get("PRACTICE_DESK_CASE_EXCHANGE_KEY"), help="the key of that user"
    )
    parser.add_argument("--threads", type=int, default=24, help="how many calls it answers at the same time")
    return parser.parse_args()


def prepare(options: argparse.Namespace) -> None:
    """Make or migrate the database, and take over what was said about the portal."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "integrations.simulator.settings"
    if options.database:
        os.environ["PRACTICE_DESK_DATABASE"] = options.database

    import django
    from django.conf import settings

    django.setup()
    Path(settings.DATABASES["default"]["NAME"]).parent.mkdir(parents=True, exist_ok=True)

    from django.core.management import call_command
    from django.db import connections

    from integrations.simulator.models import DeskSettings

    call_command("migrate", verbosity=0)
    present = DeskSettings.load()
    for name in ("portal_url", "api_key", "system_slug", "case_exchange_user", "case_exchange_key"):
        if value := getattr(options, name):
            setattr(present, name, value)
    present.save()
    # The server process must not inherit an open SQLite connection.
    connections.close_all()


def begin_background(worker: Any) -> None:
    """Start the thread that works by itself, in the process that serves."""
    from integrations.simulator.background import work_for_ever

    threading.Thread(target=work_for_ever, name="background", daemon=True).start()


def say_where(server: Any) -> None:
    """Tell whoever started the desk where it is."""
    addresses = ", ".join(f"http://{host}:{port}/" for host, port in map(socket_name, server.LISTENERS))
    logging.getLogger("integrations.simulator").info("The practice desk answers at %s", addresses)


def socket_name(listener: Any) -> tuple[str, int]:
    """Host and port of a listening socket."""
    host, port, *_ = listener.getsockname()
    return host, port


def serve(options: argparse.Namespace) -> None:
    """Answer calls until stopped; one process, so that a late answer only holds its own thread."""
    from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]  # has no types

    class Server(BaseApplication):
        """gunicorn without its command line."""

        def load_config(self) -> None:
            """Only what this desk needs."""
            config: dict[str, Any] = {
                "bind": f"{options.host}:{options.port}",
                "workers": 1,
                "worker_class": "gthread",
                "threads": options.threads,
                "graceful_timeout": 2,
                # Closing a kept connection just when the portal writes would be a fault nobody asked for.
                "keepalive": 0,
                "control_socket_disable": True,
                # Otherwise a header with an underscore is dropped, and Case Exchange names files in one.
                "forwarded_allow_ips": "*",
                "forwarder_headers": "FS_FILENAME",
                "proc_name": "practice-desk",
                "loglevel": "warning",
                "post_worker_init": begin_background,
                "when_ready": say_where,
            }
            for name, value in config.items():
                self.cfg.set(name, value)

        def load(self) -> Any:
            """The application, loaded in the worker."""
            from integrations.simulator.wsgi import application

            return application

    Server().run()


if __name__ == "__main__":
    options = arguments()
    prepare(options)
    serve(options)
