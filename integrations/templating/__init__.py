"""The one template and expression language: sandboxed Jinja2 over plain data.

In templates `{{ task.number | upper }}`, `{% if %}`, `{% for note in task.notes %}`, `{% set %}`; in conditions
`task.priority.code == "P1"`; in captures `response.json.result.number`. The legacy placeholder
`#REPLACE-EXTAPPFIELD-<App>-<Field>#` may stand wherever a path may, and in quoted strings.

What is saved is checked first (`check_template`, `check_expression`); what is used gives a whole result (`render`,
`evaluate`) or raises `TemplateFailed`, never a half or silently empty one. Filters are in `filters.FILTERS`.
"""

from .check import check_expression, check_template
from .errors import Problem, TemplateFailed
from .escape import Escape, content_type_escape, untagged
from .filters import FILTERS
from .placeholders import NO_FIELDS, Fields
from .runtime import Origin
from .use import evaluate, origins, render, used_paths

__all__ = [
    "FILTERS",
    "NO_FIELDS",
    "Escape",
    "Fields",
    "Origin",
    "Problem",
    "TemplateFailed",
    "check_expression",
    "check_template",
    "content_type_escape",
    "evaluate",
    "origins",
    "render",
    "untagged",
    "used_paths",
]
