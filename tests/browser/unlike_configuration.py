"""What the administrator types to connect the desk of `tests.unlike_desk`, by the labels of the forms."""

from collections.abc import Mapping

Fields = Mapping[str, str | bool]

TREFFER = "response.json.ergebnis.treffer"
CASE = "/vorgaenge/{{ task.external_reference }}"

TICKET = """reference = item.kopf.nummer
modified = item.geaendert
title = item.kopf.betreff
status = item.zustand.kode
solution = item.abschluss.text if item.abschluss else ''"""

# What this desk does not have.
REMOVED = ("fetch_attachments",)
# Changes to the operations that the generic entry brings.
OPERATIONS: Mapping[str, Fields] = {
    "find_contact": {
        "Path": "/personen?post={{ ticket.contact.email }}",
        "Captures": f'contact = {TREFFER}[0].person.nr if {TREFFER} | length > 0 else ""',
        "Records": TREFFER,
        "What a record holds": "contact = item.person.nr | string\nname = item.person.name\nemail = item.person.post",
    },
    "create_contact": {
        "Path": "/personen",
        "Body": '{"person": {"name": "{{ ticket.contact.name }}", "post": "{{ ticket.contact.email }}"}}',
        "Captures": "contact = response.json.ergebnis.person.nr",
        "It arrived when": f"{TREFFER} | length > 0",
    },
    "find_ticket": {
        "Path": "/vorgaenge?fremdnummer={{ task.number }}",
        "Captures": f"reference = {TREFFER}[0].kopf.nummer",
    },
    "create_ticket": {
        "Path": "/vorgaenge",
        "Body": """{
  "vorgang": {
    "kopf": {
      "betreff": "{{ ticket.title }}",
      "dringlichkeit": {{ theirs.priority | int }},
      "fremdnummer": "{{ task.number }}"
    },
    "melder": {"nr": {{ ticket.contact.external_id | int }}},
    "inhalt": {"text": "{{ task.description or ticket.description }}"}
  }
}""",
        "Captures": "reference = response.json.ergebnis.vorgang.kopf.nummer",
        "It arrived when": f"{TREFFER} | length > 0",
    },
    "find_note": {
        "Path": f"{CASE}/notizen",
        "Captures": f'message_id = ({TREFFER} | find("marke", event.message_id)).nr',
    },
    "add_note": {
        "Path": f"{CASE}/notizen",
        "Body": '{"notiz": {"text": "{{ event.text }}", "sichtbar": {{ event.visibility == "public" }}, '
        '"marke": "{{ event.message_id }}"}}',
        "Captures": "message_id = response.json.ergebnis.notiz.nr",
        "It arrived when": f'({TREFFER} | find("marke", event.message_id)).nr is defined',
    },
    "fetch_ticket": {
        "Path": CASE,
        "Records": "response.json.ergebnis.vorgang",
        "What a record holds": TICKET,
    },
    "fetch_modified_since": {
        "Path": "/vorgaenge?seit={{ poll.since_ms }}&seite={{ poll.page }}",
        "Records": TREFFER,
        "What a record holds": TICKET,
    },
    "fetch_notes": {
        "Path": f"{CASE}/notizen",
        "Records": TREFFER,
        "What a record holds": """id = item.nr
text = item.text
author = item.von
at = item.zeit
visibility = "public" if item.sichtbar else "internal"
ours = (item.marke | default("", true)) != \"\"""",
    },
    "fetch_priorities": {
        "Path": "/stammdaten/dringlichkeiten",
        "Records": TREFFER,
        "What a record holds": "value = item.kode\nlabel = item.text",
    },
    "fetch_statuses": {
        "Path": "/stammdaten/zustaende",
        "Records": TREFFER,
        "What a record holds": "value = item.kode\nlabel = item.text",
    },
}
