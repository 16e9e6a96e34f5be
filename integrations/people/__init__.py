"""Our contacts as people of other desks: looked up, made, changed, removed and searched there, outside of any stream.

`calls.py` calls a desk for a person who asks for it; `outbox.py` carries changes to the desks that know the contact.
"""

from integrations.people.calls import (
    Answer,
    Found,
    create,
    delete,
    forget,
    import_person,
    link,
    look_up,
    query,
    update,
)

__all__ = [
    "Answer",
    "Found",
    "create",
    "delete",
    "forget",
    "import_person",
    "link",
    "look_up",
    "query",
    "update",
]
