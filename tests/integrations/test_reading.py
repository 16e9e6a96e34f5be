"""What operations that read find in an answer."""

import json

import pytest

from integrations.definition import describe_request
from integrations.engine.rendering import render_request
from integrations.models import OperationTemplate
from integrations.reading import records_of
from integrations.templating import TemplateFailed
from integrations.transports.http import Response

pytestmark = pytest.mark.django_db


def answer(content):
    """An answer of the other desk."""
    return Response(
        status=200, headers={"Content-Type": "application/json"}, body=json.dumps(content).encode(), elapsed_ms=1
    )


def reading(system, **values):
    """An operation that reads."""
    return OperationTemplate(system=system, name="fetch_notes", method="GET", **values)


def test_each_record_is_read_by_the_names_of_the_lines(partner):
    template = reading(partner.system, items="response.json.result", reads="id = item.sys_id\ntext = item.value")
    found = records_of(
        template, answer({"result": [{"sys_id": "a", "value": "One"}, {"sys_id": 2, "value": ""}]}), {}
    )
    assert found == [{"id": "a", "text": "One"}, {"id": 2, "text": ""}]


def test_without_a_list_the_answer_is_one_record_and_a_single_one_is_a_list_of_one(partner):
    whole = reading(partner.system, reads="status = response.json.state")
    assert records_of(whole, answer({"state": 3}), {}) == [{"status": 3}]
    single = reading(partner.system, items="response.json.note", reads="id = item.id")
    assert records_of(single, answer({"note": {"id": 5}}), {}) == [{"id": 5}]
    assert records_of(single, answer({"note": None}), {}) == []


def test_what_is_not_there_is_an_error(partner):
    template = reading(partner.system, items="response.json.result", reads="id = item.sys_id")
    with pytest.raises(TemplateFailed, match="sys_id"):
        records_of(template, answer({"result": [{"number": 1}]}), {})


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("https://files.acme.test/a%20b?sig=x%3D", "https://files.acme.test/a%20b?sig=x%3D"),
        ("/files/7", "{base}/files/7"),
    ],
)
def test_the_address_of_a_file_is_taken_as_the_other_desk_gave_it(partner, given, address):
    template = OperationTemplate(
        system=partner.system, name="download_attachment", method="GET", path="{{ file.url }}"
    )
    request = describe_request(template, with_probe=False)
    prepared = render_request(request, system=partner.system, context={"file": {"url": given}})
    assert prepared.url == address.format(base=partner.system.base_url)


@pytest.mark.parametrize("given", ["", None, "https://a.test/a b", "https://a.test/\r\nHost: x", 7])
def test_what_is_no_address_of_a_file_is_an_error(partner, given):
    template = OperationTemplate(
        system=partner.system, name="download_attachment", method="GET", path="{{ file.url }}"
    )
    request = describe_request(template, with_probe=False)
    with pytest.raises(TemplateFailed, match="no address"):
        render_request(request, system=partner.system, context={"file": {"url": given}})
