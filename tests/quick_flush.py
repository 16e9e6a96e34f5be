"""Empty the database between tests by DELETE, and keep what `migrate` made once.

Django truncates every table after a test that commits, and then makes content types and permissions again: on
PostgreSQL that took longer than most tests. References are checked at the end of the transaction (Django's are all
deferred), so the order of the deletes does not matter.
"""

from typing import Any

import pytest
from django.core.management.commands import flush
from django.db import connection

# Made by `migrate`, used by every permission, changed by no test.
KEPT = {"django_content_type", "auth_permission", "django_migrations"}


@pytest.fixture(scope="session", autouse=True)
def _quick_flush() -> Any:
    """For the whole run."""

    def delete_all(
        style: Any, tables: list[str], *, reset_sequences: bool = False, allow_cascade: bool = False
    ) -> Any:
        emptied = [connection.ops.quote_name(table) for table in tables if table not in KEPT]
        return [f"DELETE FROM {table};" for table in emptied]  # noqa: S608 - names of our own tables

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(connection.ops), "sql_flush", lambda ops, *args, **options: delete_all(*args, **options))
        patch.setattr(flush, "emit_post_migrate_signal", lambda *args, **options: None)
        yield
