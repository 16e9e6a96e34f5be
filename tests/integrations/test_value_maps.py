"""Value maps: what is sent in the other desk's words, what is not translated, what comes back."""

import pytest

from integrations.definition import describe_request
from integrations.engine.rendering import context_for, render_request
from integrations.models import ProcessRun, ValueMapping
from integrations.templating import TemplateFailed
from integrations.value_maps import Untranslated, ours_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def translated(partner):
    """The partner calls our P3 "normal", and what is solved "6"."""

    def add(kind, ours, theirs, way="both"):
        return ValueMapping.objects.create(system=partner.system, kind=kind, ours=ours, theirs=theirs, way=way)

    return add


def sent(desk, partner, body):
    """The body that this template gives for a new task."""
    operation = partner.create
    operation.body = body
    desk.task(partner.group)
    run = ProcessRun.objects.latest("pk")
    request = describe_request(operation)
    return render_request(request, system=partner.system, context=context_for(run)).body.decode()


def test_a_value_is_sent_in_their_words(desk, partner, translated):
    translated("priority", desk.priority.code, "3 normal")
    translated("status", "initial_support", "new")
    assert sent(desk, partner, '{"p": "{{ theirs.priority }}", "s": "{{ theirs.status }}"}') == (
        '{"p": "3 normal", "s": "new"}'
    )


def test_a_value_without_a_translation_is_an_error_that_names_it(desk, partner, translated):
    translated("priority", desk.priority.code, "3 normal", way="in")
    with pytest.raises(TemplateFailed) as failed:
        sent(desk, partner, '{"p": "{{ theirs.priority }}"}')
    assert partner.system.name in str(failed.value)
    assert f'"{desk.priority.code}"' in str(failed.value)


def test_what_comes_is_translated_back(partner, translated):
    translated("status", "review", "6")
    translated("status", "review", "7", way="in")
    translated("status", "", "3", way="in")
    translated("status", "close", "8", way="out")
    assert [ours_for(partner.system, "status", value) for value in ("6", "7", "3")] == ["review", "review", ""]
    with pytest.raises(Untranslated, match="8"):
        ours_for(partner.system, "status", "8")
