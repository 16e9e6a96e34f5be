"""The addresses of Case Exchange, as its document and its clients spell them."""

from django.urls import path

from integrations.inbound.case_exchange import files, views

SIGN_IN = "auth/authentication-endpoint/authenticate"
urlpatterns = [
    path(f"{SIGN_IN}/login", views.SignIn.as_view(), name="case-exchange-login"),
    path(f"{SIGN_IN}/token", views.SignIn.as_view(), name="case-exchange-token"),
    path("rest/<str:tenant>/ces", views.Exchange.as_view(), name="case-exchange"),
    path("rest/<str:tenant>/frs/file-list", files.FileList.as_view(), name="case-exchange-files"),
    path("rest/<str:tenant>/frs/file-list/<str:guid>", files.File.as_view(), name="case-exchange-file"),
]
