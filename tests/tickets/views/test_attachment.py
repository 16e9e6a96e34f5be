"""Download a file."""

from django.test import Client

from tests.tickets.views.cast import Cast, raise_ticket
from tickets import actions
from tickets.actions import FileContent


def test_a_file_is_downloaded_and_never_shown_in_the_portal(cast: Cast, owner: Client) -> None:
    answer = owner.get(f"/tickets/{cast.ticket.number}/files/{cast.file.pk}/")
    assert b"".join(answer.streaming_content) == b"<h1>hi</h1>"
    assert answer["Content-Disposition"] == 'attachment; filename="page.html"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert "no-store" in answer["Cache-Control"]


def test_an_internal_file_is_not_there(cast: Cast, owner: Client) -> None:
    assert owner.get(f"/tickets/{cast.ticket.number}/files/{cast.internal_file.pk}/").status_code == 404


def test_a_file_of_another_ticket_is_not_there_under_ones_own(cast: Cast, outsider: Client) -> None:
    own = raise_ticket(cast.outsider, "Mine")
    assert outsider.get(f"/tickets/{own.number}/files/{cast.file.pk}/").status_code == 404


def test_a_name_in_any_script_survives(cast: Cast, owner: Client) -> None:
    content = FileContent('Größe "1".txt', b"x")
    file = actions.attach(actor=cast.desk, ticket=cast.ticket, content=content)
    answer = owner.get(f"/tickets/{cast.ticket.number}/files/{file.pk}/")
    assert answer["Content-Disposition"].startswith("attachment; filename*=utf-8''Gr%C3%B6%C3%9Fe")
    answer.close()
