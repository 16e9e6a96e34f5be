"""For the preview: which values were used, from where, and how the author asked for them."""

from integrations.templating import Origin, evaluate, origins, used_paths

from .data import FIELDS, context, legacy


def test_each_value_is_listed_as_written_with_its_path_value_and_line() -> None:
    field = legacy("Task_Title")
    source = ("{{ task.number | lower }}\n@\n{{ '@' | upper }}{% raw %}{{ x }}{% endraw %}{{-task.urgent-}}").replace(
        "@", field
    )
    assert origins(source, context(), fields=FIELDS) == [
        Origin("{{ task.number | lower }}", "task.number", "T-17-1", 1),
        Origin(field, "task.title", "Printer on fire", 2),
        Origin(f"{{{{ '{field}' | upper }}}}", "task.title", "Printer on fire", 3),
        Origin("{{-task.urgent-}}", "task.urgent", True, 3),
    ]


def test_values_of_a_loop_and_of_local_names_are_traced_to_the_data() -> None:
    source = "{% set p = task.priority %}{{ p.code }}{% for note in task.notes %}{{ note.author.name }}{% endfor %}"
    found = origins(source, context())
    assert [(origin.placeholder, origin.path, origin.value) for origin in found if origin.path != "task.notes"] == [
        ("{{ p.code }}", "task.priority.code", "P1"),
        ("{{ note.author.name }}", "task.notes[].author.name", "Ada"),
        ("{{ note.author.name }}", "task.notes[].author.name", "Bob"),
    ]


def test_a_condition_is_listed_and_only_the_branch_that_was_taken() -> None:
    source = "{% if task.urgent %}{{ task.number }}{% else %}{{ task.title }}{% endif %}"
    assert [origin.path for origin in origins(source, context())] == ["task.urgent", "task.number"]


def test_an_expression_has_origins_too() -> None:
    assert origins("task.urgent and task.number == 'x'", context(), expression=True) == [
        Origin("task.urgent", "task.urgent", True, 1),
        Origin("task.number", "task.number", "T-17-1", 1),
    ]


def test_the_paths_that_may_be_used_are_known_without_data() -> None:
    source = "{% for note in task.notes %}{{ note.text }}{% endfor %}{% if a.b %}{{ c['d'].e }}{% endif %}"
    assert used_paths(source + legacy("Task_Title"), FIELDS) == {
        "task.notes",
        "task.notes[].text",
        "a.b",
        "c.d.e",
        "task.title",
    }
    assert used_paths("response.json.number", expression=True) == {"response.json.number"}


def test_asking_for_origins_does_not_change_what_is_written_later() -> None:
    origins("{{ task.number }}", context())
    assert evaluate("task.number", context()) == "T-17-1"
