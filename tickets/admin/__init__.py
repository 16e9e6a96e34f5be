"""The desk in the admin, an agent's whole work. Screens that change tickets call `tickets.actions`, write nothing."""

from tickets.admin import access, catalogue, groups, labels, people, statuses, tasks, ticket

__all__ = ["access", "catalogue", "groups", "labels", "people", "statuses", "tasks", "ticket"]
