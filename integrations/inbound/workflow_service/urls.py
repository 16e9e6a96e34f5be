"""`/Workflow/WebService/WorkflowService.asmx` in any case: the source spells it `Webservice` as well."""

from django.urls import re_path

from integrations.inbound.workflow_service.views import workflow_service

urlpatterns = [
    re_path(r"^(?i:Workflow/WebService/WorkflowService\.asmx)$", workflow_service, name="workflow-service"),
]
