"""After a rotation the old key is not needed, and nothing was lost on the way."""

from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from integrations.models import ExternalSystem
from integrations.secrets import UnreadableSecret
from portal.management.commands.rotate_keys import encrypted_fields

pytestmark = pytest.mark.django_db


@pytest.fixture
def keys():
    return {name: Fernet.generate_key().decode() for name in ("old", "new", "lost")}


@pytest.fixture
def systems(settings, keys):
    """Two systems, one with a secret that was stored under the old key."""
    settings.ENCRYPTION_KEYS = [keys["old"]]
    first = ExternalSystem.objects.create(name="First", code="first", auth_secret="s3cret")
    second = ExternalSystem.objects.create(name="Second", code="second")
    return first, second


def rotate():
    output = StringIO()
    call_command("rotate_keys", stdout=output)
    return output.getvalue()


def test_the_command_knows_the_secrets_of_external_systems():
    assert (ExternalSystem, "auth_secret") in encrypted_fields()


def test_after_a_rotation_the_new_key_alone_reads_everything(settings, keys, systems):
    settings.ENCRYPTION_KEYS = [keys["new"], keys["old"]]
    assert "only one needed" in rotate()
    settings.ENCRYPTION_KEYS = [keys["new"]]
    assert ExternalSystem.objects.get(code="first").auth_secret == "s3cret"
    assert ExternalSystem.objects.get(code="second").auth_secret == ""


def test_without_a_rotation_the_new_key_alone_does_not(settings, keys, systems):
    settings.ENCRYPTION_KEYS = [keys["new"]]
    assert isinstance(ExternalSystem.objects.get(code="first").auth_secret, UnreadableSecret)


def test_a_secret_that_no_key_fits_is_named_and_left_as_it_is(settings, keys, systems):
    settings.ENCRYPTION_KEYS = [keys["lost"]]
    with pytest.raises(CommandError, match=r"ExternalSystem \d+, auth_secret"):
        rotate()
    settings.ENCRYPTION_KEYS = [keys["old"]]
    assert ExternalSystem.objects.get(code="first").auth_secret == "s3cret"
