"""The practice desk as two external systems: Northwind over REST and SOAP, Southwind over Case Exchange.

Each protocol has its own operations, process and group.
"""

from typing import Any, Final

from django.conf import settings

from integrations.demo import southwind
from integrations.demo.building import bound_group, process
from integrations.demo.northwind_rest import rest_steps
from integrations.demo.northwind_soap import soap_steps
from integrations.models import Authentication, ExternalSystem, Polling, SystemKey

CODE: Final = "practice-desk"


def load_partner() -> ExternalSystem:
    """Northwind with its operations, one process for each protocol, and a group for each, bound to it."""
    system = _system(CODE, "Northwind Support", auth_kind=Authentication.BASIC)
    bound_group("northwind-rest", "Northwind (REST)", system, process("Northwind over REST", rest_steps(system)))
    bound_group("northwind-soap", "Northwind (SOAP)", system, process("Northwind over SOAP", soap_steps(system)))
    return system


def load_southwind() -> ExternalSystem:
    """Southwind with its sign-in, its operations, the process and the group that is bound to it.

    A group whose tasks Southwind fetches from our feed gets its process here as well.
    """
    system = _system(southwind.CODE, "Southwind Case Exchange", **southwind.AUTHENTICATION)
    if system.auth_login is None:
        system.auth_login = southwind.sign_in(system)
        system.save(update_fields=["auth_login"])
    steps = process("Southwind over Case Exchange", southwind.steps(system))
    bound_group("southwind-ces", "Southwind (Case Exchange)", system, steps)
    Polling.objects.get_or_create(
        system=system, defaults={"path": southwind.CES, "our_name": "deskbridge", "interval_seconds": 15}
    )
    return system


def new_key(system: ExternalSystem) -> str:
    """A fresh key with which the practice desk calls us; those made for earlier demos are revoked."""
    system.keys.filter(name="demo", revoked=False).update(revoked=True)
    _key, plain = SystemKey.objects.create_key(name="demo", system=system)
    return str(plain)


def _system(code: str, name: str, **values: Any) -> ExternalSystem:
    """The practice desk under that name, where it answers now."""
    system, created = ExternalSystem.objects.get_or_create(
        code=code,
        defaults={
            "name": name,
            "base_url": settings.PRACTICE_DESK_URL,
            "allow_private": True,
            "auth_username": "practice",
            "auth_secret": "practice-desk-password",
            "retry_schedule": "5 s, 15 s, 30 s, 1 min, 5 min, 30 min, 2 h",
            **values,
        },
    )
    if not created and system.base_url != settings.PRACTICE_DESK_URL:
        system.base_url = settings.PRACTICE_DESK_URL
        system.save(update_fields=["base_url"])
    return system
