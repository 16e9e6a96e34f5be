"""Every fault on demand at incoming calls, over a real socket."""

import concurrent.futures
import time

import pytest
import requests

from tests.practice_desk import PracticeDesk

TICKET = {"caller_reference": "1001-1", "title": "Printer is on fire"}


def create(desk: PracticeDesk, **options: object) -> requests.Response:
    return desk.post("/api/tickets", json=TICKET, **options)


def test_late_waits_and_then_does_the_work_while_others_are_served(practice_desk: PracticeDesk) -> None:
    practice_desk.set_fault("late", seconds=1.5, operation="create")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        started = time.monotonic()
        slow = pool.submit(
            requests.post,
            f"{practice_desk.url}/api/tickets",
            json=TICKET,
            timeout=30,
            headers={"X-Api-Key": practice_desk.api_key},
        )
        while not practice_desk.calls(operation="create"):
            assert time.monotonic() - started < 1.5
        assert practice_desk.get("/api/tickets").json()["count"] == 0
        assert time.monotonic() - started < 1.5
        assert slow.result().status_code == 201
        assert time.monotonic() - started >= 1.5
    assert len(practice_desk.state()) == 1


def test_time_out_after_creating_keeps_the_ticket_and_never_answers(practice_desk: PracticeDesk) -> None:
    practice_desk.set_fault("time_out_after", seconds=1)
    with pytest.raises(requests.ReadTimeout):
        create(practice_desk, timeout=0.5)
    assert [ticket["caller_reference"] for ticket in practice_desk.state()] == ["1001-1"]
    [call] = practice_desk.calls()
    assert (call["status"], call["fault"]) == (None, "time_out_after")


def test_the_connection_is_closed_without_an_answer(practice_desk: PracticeDesk) -> None:
    practice_desk.set_fault("time_out_after", seconds=0)
    with pytest.raises(requests.ConnectionError) as problem:
        create(practice_desk)
    assert "without response" in str(problem.value)
    assert len(practice_desk.state()) == 1
    assert create(practice_desk).status_code == 201


def test_time_out_after_meets_other_operations_only_when_told(practice_desk: PracticeDesk) -> None:
    number = create(practice_desk).json()["number"]
    practice_desk.set_fault("time_out_after", operation="note")
    assert create(practice_desk).status_code == 201
    with pytest.raises(requests.ConnectionError):
        practice_desk.post(f"/api/tickets/{number}/notes", json={"text": "x"})
    assert len(practice_desk.state()[0]["notes"]) == 1


@pytest.mark.parametrize(
    ("kind", "status"), [("server_error", 500), ("too_many_requests", 429), ("refuse", 400), ("error_in_200", 200)]
)
def test_a_faulty_answer_creates_nothing_and_ends_after_its_count(
    practice_desk: PracticeDesk, kind: str, status: int
) -> None:
    practice_desk.set_fault(kind, count=2, seconds=7)
    for _ in range(2):
        response = create(practice_desk)
        assert response.status_code == status
        assert response.json()["error"]["message"]
        assert response.headers.get("Retry-After") == ("7" if status == 429 else None)
    assert practice_desk.state() == []
    assert create(practice_desk).status_code == 201


def test_always_does_not_end_until_it_is_switched_off(practice_desk: PracticeDesk) -> None:
    practice_desk.set_fault("server_error", count=-1)
    assert {create(practice_desk).status_code for _ in range(5)} == {500}
    practice_desk.set_fault("server_error", count=0)
    assert create(practice_desk).status_code == 201


def test_ignored_idempotency_keys_make_a_second_ticket(practice_desk: PracticeDesk) -> None:
    practice_desk.set_fault("ignore_idempotency_keys", count=-1)
    numbers = {create(practice_desk, headers={"Idempotency-Key": "k"}).json()["number"] for _ in range(2)}
    assert len(numbers) == 2
    assert len(practice_desk.state()) == 2


def test_late_search_shows_a_new_ticket_only_after_the_delay(practice_desk: PracticeDesk) -> None:
    practice_desk.set_fault("search_delay", seconds=1)
    number = create(practice_desk).json()["number"]
    created = time.monotonic()
    search = {"caller_reference": "1001-1"}
    assert practice_desk.get("/api/tickets", params=search).json()["count"] == 0
    assert practice_desk.get(f"/api/tickets/{number}").status_code == 200
    assert len(practice_desk.state()) == 1
    while practice_desk.get("/api/tickets", params=search).json()["count"] == 0:
        assert time.monotonic() - created < 10
    assert time.monotonic() - created > 0.8


def test_late_search_hides_new_notes_and_attachments_too(practice_desk: PracticeDesk) -> None:
    number = create(practice_desk).json()["number"]
    practice_desk.set_fault("search_delay", seconds=60, count=2)
    practice_desk.post(f"/api/tickets/{number}/notes", json={"text": "x"})
    practice_desk.post(f"/api/tickets/{number}/attachments", json={"name": "a", "content": "eA=="})
    for what in ("notes", "attachments"):
        assert practice_desk.get(f"/api/tickets/{number}/{what}").json()["count"] == 0
        assert len(practice_desk.state()[0][what]) == 1


def test_a_count_is_used_once_each_among_many_threads(practice_desk: PracticeDesk) -> None:
    practice_desk.set_fault("server_error", count=5)

    def one(_: int) -> int:
        headers = {"X-Api-Key": practice_desk.api_key}
        return requests.post(f"{practice_desk.url}/api/tickets", json=TICKET, headers=headers, timeout=30).status_code

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(one, range(16)))
    assert statuses == [201] * 11 + [500] * 5
    assert len(practice_desk.state()) == 11


def test_putting_the_faults_switches_off_what_is_not_named(practice_desk: PracticeDesk) -> None:
    practice_desk.set_fault("refuse", count=-1)
    answer = practice_desk.control("PUT", "/api/faults", {"late": {"count": 3, "seconds": 0.1}})["faults"]
    assert {kind: fault["count"] for kind, fault in answer.items() if fault["count"]} == {"late": 3}


@pytest.mark.parametrize(
    "wrong",
    [
        {"unheard_of": {"count": 1}},
        {"late": {"count": "many"}},
        {"late": {"seconds": 1e9}},
        {"late": {"operation": "message"}},
        {"out_of_order": {"batch": 1}},
        {"late": 5},
        {"late": {"minutes": 1}},
    ],
)
def test_a_wrong_fault_setting_is_refused_and_changes_nothing(
    practice_desk: PracticeDesk, wrong: dict[str, object]
) -> None:
    response = practice_desk.request("PUT", "/api/faults", json=wrong)
    assert response.status_code == 400
    assert create(practice_desk).status_code == 201
