"""The end users' forms. Each carries a one-time token, so that sending it twice does nothing twice."""

import uuid
from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tickets.actions import FileContent
from tickets.actions.note import MAX_NOTE_CHARACTERS
from tickets.lifecycle import CompletionCode
from tickets.models import Category, Priority, PropertyDefinition
from tickets.property_fields import PREFIX, property_fields, property_values

MAX_FILES = 10


class ManyFilesInput(forms.FileInput):
    """Choose several files at once."""

    allow_multiple_selected = True


class ManyFilesField(forms.FileField):
    """Any number of files up to `MAX_FILES`, each at most `MAX_ATTACHMENT_BYTES`; cleans to a list."""

    widget = ManyFilesInput

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        """Every file is checked like a single one."""
        chosen: Sequence[Any] = data if isinstance(data, list | tuple) else [data]
        files = [clean for file in chosen if (clean := super(ManyFilesField, self).clean(file, initial))]
        if len(files) > MAX_FILES:
            raise forms.ValidationError(
                gettext("Choose at most %(limit)d files at a time: you chose %(count)d."),
                params={"limit": MAX_FILES, "count": len(files)},
            )
        for file in files:
            if (file.size or 0) > settings.MAX_ATTACHMENT_BYTES:
                raise forms.ValidationError(
                    gettext("%(name)s is larger than %(limit)d MB: choose a smaller file."),
                    params={"name": file.name, "limit": settings.MAX_ATTACHMENT_BYTES // 1024**2},
                )
        return files


def files_field() -> ManyFilesField:
    """The field for files, the same in every form."""
    return ManyFilesField(
        label=_("Files"),
        required=False,
        max_length=1000,
        # An empty file tells nobody anything, but it is no reason to refuse what was written with it.
        allow_empty_file=True,
        help_text=_("Optional. Up to %(count)d files.") % {"count": MAX_FILES},
    )


class OnceForm(forms.Form):
    """A form that is carried out once. `name` keeps the fields of several forms on a page apart."""

    name: ClassVar[str]

    token = forms.UUIDField(
        # Without autocomplete="off" some browsers put a used token back when the page is reloaded.
        widget=forms.HiddenInput(attrs={"autocomplete": "off"}),
        initial=uuid.uuid4,
        error_messages={
            "required": _("Something was missing from the page. Please send it again."),
            "invalid": _("Something was wrong with the page. Please send it again."),
        },
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("auto_id", f"{self.name}-%s")
        super().__init__(*args, **kwargs)
        self.arrange()
        if "token" in self.errors:
            # So that the form, shown again with what was typed, can be sent.
            self.put(token=uuid.uuid4())

    def arrange(self) -> None:
        """Fields that depend on what the form is about, before anything is validated."""

    def put(self, **values: Any) -> None:
        """Show other values than were sent."""
        self.data = {**{name: self.data[name] for name in self.data}, **{name: str(values[name]) for name in values}}

    @property
    def typed(self) -> str:
        """The longer text that was typed, if the form has one."""
        return next((str(self[name].value() or "") for name in ("body", "reason") if name in self.fields), "")

    @property
    def problems(self) -> list[str]:
        """What is wrong with the form as a whole."""
        return [*self.non_field_errors(), *self.errors.get("token", [])]

    @property
    def chose_files(self) -> bool:
        """Whether files came with it: a browser cannot show them again."""
        return bool(self.files)

    def file_contents(self) -> list[FileContent]:
        """The chosen files as the actions take them."""
        contents = []
        for file in self.cleaned_data["files"]:
            file.seek(0)
            contents.append(FileContent(name=file.name, data=file.read(), content_type=file.content_type or ""))
        return contents


class CategoryField(forms.ModelChoiceField):
    """Categories under the name of the category that they stand below."""

    def label_from_instance(self, obj: Category) -> str:
        """Hardware / Printers."""
        return f"{obj.parent.name} / {obj.name}" if obj.parent else obj.name


class NewTicketForm(OnceForm):
    """Raise a ticket."""

    name = "new"

    title = forms.CharField(
        label=_("What is it about?"),
        max_length=250,
        error_messages={"required": _("Say in a few words what it is about.")},
        help_text=_("A few words, for example: The printer on floor 2 prints empty pages."),
    )
    description = forms.CharField(
        label=_("Description"),
        max_length=MAX_NOTE_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 8}),
        error_messages={"required": _("Describe what you need or what happens.")},
        help_text=_("What happens, what should happen instead, and since when?"),
    )
    category = CategoryField(
        label=_("Category"),
        queryset=Category.objects.select_related("parent").order_by("parent__name", "name"),
        required=False,
        empty_label=_("Not sure"),
    )
    priority = forms.ModelChoiceField(
        label=_("Priority"),
        queryset=Priority.objects.all(),
        required=False,
        empty_label=_("Usual"),
    )
    files = files_field()  # type: ignore[assignment]  # the form's own `files` are the uploaded ones

    def arrange(self) -> None:
        """What administrators want to be asked, before the files."""
        asked = PropertyDefinition.objects.filter(active=True, for_contacts=True)
        self.fields |= property_fields(asked, help_text=_("Optional."))

    @property
    def asked(self) -> list[forms.BoundField]:
        """The properties, in order."""
        return [field for field in self.visible_fields() if field.name.startswith(PREFIX)]

    def properties(self) -> dict[str, str]:
        """What was typed, by code."""
        return {code: value for code, value in property_values(self.cleaned_data).items() if value}


class NoteForm(OnceForm):
    """Add information, files, or both."""

    name = "note"

    body = forms.CharField(
        label=_("Your message"),
        max_length=MAX_NOTE_CHARACTERS,
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
    )
    files = files_field()  # type: ignore[assignment]  # the form's own `files` are the uploaded ones

    def clean(self) -> dict[str, Any]:
        """Nothing at all is refused."""
        cleaned = super().clean() or {}
        if not self.errors and not cleaned["body"].strip() and not cleaned["files"]:
            self.add_error("body", gettext("Write a message or choose a file."))
        return cleaned


class JudgeForm(OnceForm):
    """The solution that was read: its task, and the task's version then."""

    task = forms.IntegerField(widget=forms.HiddenInput)
    version = forms.IntegerField(widget=forms.HiddenInput)


class AcceptForm(JudgeForm):
    """The solution is good."""

    name = "accept"


class DeclineForm(JudgeForm):
    """The solution is not good, and why."""

    name = "decline"

    reason = forms.CharField(
        label=_("What is still wrong?"),
        max_length=MAX_NOTE_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": _("Say what is still wrong, so that it can be mended.")},
    )


class CloseForm(OnceForm):
    """Close one's own ticket, and why."""

    name = "close"

    why = forms.ChoiceField(
        label=_("Why do you close it?"),
        choices=[(CompletionCode.FULFILLED, _("It is solved")), (CompletionCode.WITHDRAWN, _("I no longer need it"))],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose why you close it.")},
    )


class ReopenForm(OnceForm):
    """Open a closed ticket again, and why."""

    name = "reopen"

    reason = forms.CharField(
        label=_("Why do you open it again?"),
        max_length=MAX_NOTE_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": _("Say why, so that somebody can help.")},
    )
