"""All addresses of the practice desk."""

from django.urls import path

from integrations.simulator.case_exchange import views as case_exchange
from integrations.simulator.views import api, configuration, control, lists, pages, sending, soap

urlpatterns = [
    path("", pages.tickets, name="tickets"),
    path("tickets/<str:number>/", pages.ticket, name="ticket"),
    path("tickets/<str:number>/send/", sending.send_message, name="send"),
    path("outgoing/<int:pk>/again/", sending.send_again, name="send-again"),
    path("outgoing/release/", sending.release, name="release"),
    path("feed/fetch/", sending.fetch, name="fetch"),
    path("attachments/<int:pk>/", pages.attachment, name="attachment"),
    path("calls/", pages.calls, name="calls"),
    path("faults/", configuration.fault_page, name="faults"),
    path("settings/", configuration.settings_page, name="settings"),
    path("soap", soap.soap, name="soap"),
    path("auth/authentication-endpoint/authenticate/login", case_exchange.sign_in, name="ces-login"),
    path("auth/authentication-endpoint/authenticate/token", case_exchange.sign_in, name="ces-token"),
    path("rest/<str:tenant>/ces", case_exchange.ces, name="ces"),
    path("rest/<str:tenant>/frs/file-list", case_exchange.file_list, name="ces-files"),
    path("rest/<str:tenant>/frs/file-list/<str:guid>", case_exchange.listed_file, name="ces-file"),
    path("api/login", api.login, name="api-login"),
    path("api/priorities", lists.priorities, name="api-priorities"),
    path("api/states", lists.states, name="api-states"),
    path("api/contacts", lists.contacts, name="api-contacts"),
    path("api/contacts/<str:email>", lists.contact, name="api-contact"),
    path("api/tickets", api.tickets, name="api-tickets"),
    path("api/tickets/<str:number>", api.ticket, name="api-ticket"),
    path("api/tickets/<str:number>/notes", api.notes, name="api-notes"),
    path("api/tickets/<str:number>/attachments", api.attachments, name="api-attachments"),
    path("api/tickets/<str:number>/attachments/<int:pk>", lists.content, name="api-content"),
    path("api/tickets/<str:number>/close", api.close, name="api-close"),
    path("api/tickets/<str:number>/reopen", api.reopen, name="api-reopen"),
    path("api/faults", control.fault_settings, name="api-faults"),
    path("api/settings", control.settings, name="api-settings"),
    path("api/state", control.state, name="api-state"),
    path("api/calls", control.calls, name="api-calls"),
    path("api/outgoing", control.outgoing, name="api-outgoing"),
    path("api/outgoing/release", control.release, name="api-release"),
    path("api/feed/fetch", control.fetch, name="api-fetch"),
    path("api/reset", control.reset, name="api-reset"),
]
