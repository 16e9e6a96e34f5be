"""Sign in and out."""

from django.contrib.auth import views

from tickets.views.access import strict_csp

sign_in = strict_csp(views.LoginView.as_view(redirect_authenticated_user=True))
sign_out = strict_csp(views.LogoutView.as_view())
