"""The end users' addresses."""

from django.urls import path

from tickets.views import attachment, detail, new, respond, ticket_list

app_name = "tickets"
urlpatterns = [
    path("", ticket_list.home, name="home"),
    path("tickets/", ticket_list.ticket_list, name="list"),
    path("tickets/new/", new.new_ticket, name="new"),
    path("tickets/<slug:number>/", detail.ticket_detail, name="detail"),
    path("tickets/<slug:number>/updates/", detail.ticket_updates, name="updates"),
    path("tickets/<slug:number>/note/", respond.add_note, name="note"),
    path("tickets/<slug:number>/accept/", respond.accept, name="accept"),
    path("tickets/<slug:number>/decline/", respond.decline, name="decline"),
    path("tickets/<slug:number>/close/", respond.close, name="close"),
    path("tickets/<slug:number>/reopen/", respond.reopen, name="reopen"),
    path("tickets/<slug:number>/files/<int:attachment_id>/", attachment.attachment, name="attachment"),
]
