"""What is checked before configuration is saved, whoever saves it: the admin, an import, a preset.

Plain functions over plain values; what they find is `{field: [sentences for the screen]}`.
"""

from integrations.configuration.lines import Line, capture_lines, capture_names, header_lines
from integrations.configuration.names import (
    LOGIN_PREFIX,
    is_login,
    names_for_operation,
    names_for_step,
    sample_context,
)
from integrations.configuration.requests import doubts_about_request, problems_of_request
from integrations.configuration.steps import Captures, captures_of_step, problems_in_order, problems_of_step

__all__ = [
    "LOGIN_PREFIX",
    "Captures",
    "Line",
    "capture_lines",
    "capture_names",
    "captures_of_step",
    "doubts_about_request",
    "header_lines",
    "is_login",
    "names_for_operation",
    "names_for_step",
    "problems_in_order",
    "problems_of_request",
    "problems_of_step",
    "sample_context",
]
