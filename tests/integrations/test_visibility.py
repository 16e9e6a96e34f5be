"""Which words go where, with one ticket at two desks; who sees a task; what a desk reads."""

import pytest

from integrations.engine.references import store_reference
from integrations.inbound import operations
from integrations.models import ProcessRun
from integrations.visibility import attachments_read_by, binding_for, exchanged_with, notes_read_by, tasks_visible_to
from tickets import actions
from tickets.actors import Actor
from tickets.models import Visibility

pytestmark = pytest.mark.django_db

PUBLIC, INTERNAL = Visibility.PUBLIC, Visibility.INTERNAL
BOTH, ACME, GLOBEX, NOBODY = {"acme", "globex"}, {"acme"}, {"globex"}, set()


class Story:
    """One ticket with a task at each of the two desks."""

    def __init__(self, desk, partner, other_partner):
        self.desk, self.partner, self.other = desk, partner, other_partner
        self.ticket = desk.ticket()
        self.task = desk.task(partner.group, self.ticket)
        self.other_task = desk.task(other_partner.group, self.ticket)
        self.own_task = desk.task(desk.service_desk, self.ticket)
        store_reference(task=self.task, system=partner.system, value="A-1")
        store_reference(task=self.other_task, system=other_partner.system, value="B-1")
        ProcessRun.objects.all().delete()

    @property
    def authors(self):
        return {
            "agent": self.desk.by_agent,
            "end user": self.desk.by_end_user,
            "portal": Actor.system(),
            "acme": operations.actor_of(self.partner.system, "Acme's Bob"),
        }

    def allow(self, which, **values):
        for name, value in values.items():
            setattr(which.binding, name, value)
        which.binding.save()


@pytest.fixture
def story(desk, partner, other_partner):
    return Story(desk, partner, other_partner)


# author, place (task: the one at acme; own: one of ours), visibility -> where it goes as configured at first,
# and where it goes when both groups have relay, and send_internal.
ROUTES = [
    ("agent", "ticket", PUBLIC, BOTH, BOTH, BOTH),
    ("end user", "ticket", PUBLIC, BOTH, BOTH, BOTH),
    ("portal", "ticket", PUBLIC, NOBODY, NOBODY, NOBODY),
    ("acme", "ticket", PUBLIC, NOBODY, GLOBEX, NOBODY),
    ("agent", "task", PUBLIC, ACME, BOTH, ACME),
    ("end user", "task", PUBLIC, ACME, BOTH, ACME),
    ("portal", "task", PUBLIC, NOBODY, NOBODY, NOBODY),
    ("acme", "task", PUBLIC, NOBODY, GLOBEX, NOBODY),
    ("agent", "own", PUBLIC, NOBODY, BOTH, NOBODY),
    ("acme", "own", PUBLIC, NOBODY, GLOBEX, NOBODY),
    ("agent", "ticket", INTERNAL, NOBODY, NOBODY, NOBODY),
    ("agent", "task", INTERNAL, NOBODY, NOBODY, ACME),
    ("agent", "own", INTERNAL, NOBODY, NOBODY, NOBODY),
    ("portal", "task", INTERNAL, NOBODY, NOBODY, NOBODY),
    ("acme", "task", INTERNAL, NOBODY, NOBODY, NOBODY),
]


@pytest.mark.parametrize("kind", ["note", "file"])
@pytest.mark.parametrize("setting", ["nothing", "relay", "send_internal"])
@pytest.mark.parametrize(("author", "place", "visibility", "first", "relayed", "internal"), ROUTES)
def test_a_message_goes_where_it_may_and_nowhere_else(
    story, author, place, visibility, first, relayed, internal, setting, kind
):
    if setting != "nothing":
        story.allow(story.partner, **{setting: True})
        story.allow(story.other, **{setting: True})
    task = {"ticket": None, "task": story.task, "own": story.own_task}[place]
    actor = story.authors[author]
    if kind == "note":
        actions.add_note(actor=actor, ticket=story.ticket, task=task, body="Hello", visibility=visibility)
    else:
        file = actions.FileContent("a.txt", b"hello")
        actions.attach(actor=actor, ticket=story.ticket, task=task, content=file, visibility=visibility)
    went = list(ProcessRun.objects.values_list("stream__system__code", "stream__task"))
    assert {code for code, _task in went} == {"nothing": first, "relay": relayed, "send_internal": internal}[setting]
    assert len(went) == len(set(went)), "twice to one desk"
    assert {task for _code, task in went} <= {story.task.pk, story.other_task.pk}


def test_their_internal_words_do_not_reach_another_desk_of_the_same_task(story):
    """The task moved from acme to globex; acme may still write to it, as it holds the reference."""
    story.allow(story.other, send_internal=True)
    actions.assign_task(actor=story.desk.by_agent, task=story.task, group=story.other.group)
    ProcessRun.objects.all().delete()
    operations.update(system=story.partner.system, task=story.task, text="between us", visibility=INTERNAL)
    assert not ProcessRun.objects.exists()


def test_relay_at_one_desk_changes_nothing_for_the_other(story):
    story.allow(story.other, relay=True)
    operations.update(system=story.partner.system, task=story.task, text="from acme")
    operations.update(system=story.other.system, task=story.other_task, text="from globex")
    assert [run.snapshot["event"]["text"] for run in ProcessRun.objects.all()] == ["from acme"]
    assert ProcessRun.objects.get().stream.system == story.other.system


def test_files_attached_before_the_assignment_follow_the_create_one_by_one(desk, partner):
    ticket = desk.ticket()
    for name in ("one.txt", "two.txt"):
        actions.attach(actor=desk.by_end_user, ticket=ticket, content=actions.FileContent(name, name.encode()))
    actions.attach(
        actor=desk.by_agent, ticket=ticket, content=actions.FileContent("own.txt", b"x"), visibility=INTERNAL
    )
    task = desk.task(partner.group, ticket)
    runs = ProcessRun.objects.order_by("position")
    assert [(run.operation, run.attachment and run.attachment.name) for run in runs] == [
        ("assign", None),
        ("update", "one.txt"),
        ("update", "two.txt"),
    ]
    actions.assign_task(actor=desk.by_agent, task=task, group=partner.group)
    assert ProcessRun.objects.exclude(attachment=None).count() == 2


def test_files_follow_to_a_second_desk_although_another_task_brought_them_there(story):
    """The file went out for acme's task and for globex's; when acme's task moves to globex it is new there."""
    actions.attach(actor=story.desk.by_agent, ticket=story.ticket, content=actions.FileContent("a.txt", b"x"))
    assert ProcessRun.objects.count() == 2
    actions.assign_task(actor=story.desk.by_agent, task=story.task, group=story.other.group)
    moved = ProcessRun.objects.filter(stream__task=story.task, stream__system=story.other.system)
    assert list(moved.order_by("position").values_list("operation", "attachment__name")) == [
        ("assign", None),
        ("update", "a.txt"),
    ]


def test_a_task_is_visible_while_it_is_in_their_group_or_holds_their_reference(desk, partner, other_partner):
    task = desk.task(partner.group)
    system = partner.system
    assert list(tasks_visible_to(system)) == [task]
    assert list(tasks_visible_to(other_partner.system)) == []
    actions.assign_task(actor=desk.by_agent, task=task, group=desk.service_desk)
    assert list(tasks_visible_to(system)) == []
    store_reference(task=task, system=system, value="A-1")
    assert list(tasks_visible_to(system)) == [task]
    assert exchanged_with(task) == [partner.binding]
    partner.binding.integrated = False
    partner.binding.save()
    assert (binding_for(task, system), exchanged_with(task)) == (None, [])


def test_a_task_that_came_back_with_a_solution_is_still_theirs_to_update(desk, partner):
    task = desk.task(partner.group)
    store_reference(task=task, system=partner.system, value="A-1")
    operations.reassign(system=partner.system, task=task, solution="Water")
    task.refresh_from_db()
    assert task.group == desk.service_desk
    assert list(tasks_visible_to(partner.system)) == [task]
    assert binding_for(task, partner.system) == partner.binding


def test_a_desk_reads_exactly_what_it_was_sent_and_what_it_wrote(story):
    def write(actor, task, body, **values):
        actions.add_note(actor=actor, ticket=story.ticket, task=task, body=body, **values)

    write(story.desk.by_agent, None, "for both")
    write(story.desk.by_agent, story.task, "for acme")
    write(story.desk.by_agent, story.other_task, "for globex")
    write(story.desk.by_agent, story.task, "internal", visibility=INTERNAL)
    write(story.authors["portal"], story.task, "from the portal")
    operations.update(system=story.partner.system, task=story.task, text="by acme")
    file = actions.FileContent("a.txt", b"x")
    actions.attach(actor=story.desk.by_agent, ticket=story.ticket, task=story.task, content=file)
    read = notes_read_by(story.task, story.partner.system)
    assert list(read.values_list("body", flat=True)) == ["for both", "for acme", "by acme"]
    other = notes_read_by(story.other_task, story.other.system)
    assert list(other.values_list("body", flat=True)) == ["for both", "for globex"]
    assert attachments_read_by(story.task, story.partner.system).count() == 1
    assert attachments_read_by(story.other_task, story.other.system).count() == 0
