"""The Workflow Service at the spellings that the source uses, and at all small letters, as IIS knows no case."""

from django.urls import path

from integrations.inbound.workflow_service.views import workflow_service

SPELLINGS = (
    "Workflow/WebService/WorkflowService.asmx",
    "Workflow/Webservice/WorkflowService.asmx",
    "workflow/webservice/workflowservice.asmx",
)
urlpatterns = [path(spelling, workflow_service, name="workflow-service") for spelling in reversed(SPELLINGS)]
