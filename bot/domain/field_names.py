"""What a form's field is for, judged by what the form's author called it.

The names the contract promises, in Russian and English, and those of the plugins that send to
us. A new spelling goes here.
"""

import re
from enum import Enum, auto
from functools import lru_cache


class Role(Enum):
    """What a field is for; `UNKNOWN` is shown as it came."""

    NAME = auto()
    FIRST_NAME = auto()
    MIDDLE_NAME = auto()
    LAST_NAME = auto()
    PHONE = auto()
    MAYBE_PHONE = auto()  # the label speaks of a phone, among other things
    COURSE = auto()
    EMAIL = auto()
    COMMENT = auto()
    SUBMISSION = auto()
    FORM = auto()
    TECHNICAL = auto()
    UNKNOWN = auto()


_WORDS = {
    Role.NAME: "name fullname fio username imya имя фио имяифамилия фамилияиимя имяфамилия"
    " фамилияимя фамилияимяотчество имяклиента контактноелицо каквасзовут какквамобращаться",
    Role.FIRST_NAME: "firstname fname givenname namefirst",
    Role.MIDDLE_NAME: "middlename patronymic namemiddle отчество",
    Role.LAST_NAME: "lastname lname surname familyname namelast фамилия",
    Role.PHONE: "phone tel telephone phonenumber telnumber mobile mobilephone mobilenumber cell"
    " cellphone whatsapp whatsappnumber whatsappphone telefon телефон тел номер"
    " номертелефона телефонныйномер мобильный мобильныйтелефон номермобильного"
    " контактныйтелефон контактныйномер телефондлясвязи номердлясвязи ватсап вотсап вацап"
    " номерwhatsapp номерватсап телефонwhatsapp whatsappтелефон телефонватсап",
    Role.COURSE: "course courses coursename coursetitle kurs program programme napravlenie"
    " курс курсы направление направлениеобучения программа программаобучения выбранныйкурс"
    " выбранноенаправление выберитекурс выберитенаправление выберитепрограмму"
    " интересующийкурс интересующеенаправление какойкурсвасинтересует",
    Role.EMAIL: "email mail emailaddress почта электроннаяпочта элпочта адресэлектроннойпочты"
    " емейл имейл емайл мейл",
    Role.COMMENT: "comment comments message msg text textarea question note notes комментарий"
    " комментарии коммент сообщение вопрос текст текстсообщения текстзаявки примечание"
    " примечания пожелания пожелание дополнительно",
    Role.SUBMISSION: "tranid submissionid entryid",
    Role.FORM: "formid",
    Role.TECHNICAL: "formname formtitle test",
}
_ROLES = {word: role for role, words in _WORDS.items() for word in words.split()}

# Nothing a person typed: never a phone, however much its digits look like one.
_TECHNICAL = re.compile(
    r"(?:utm|page|meta|payment|дата|паспорт).*"
    r"|.*(?:id|ip|url|uri|cookies?|referr?er|agent|date|time|timestamp|token|nonce|clid)"
    r"|poweredby|roistat|ga|ym|price|amount|sum|время|цена|сумма|инн|снилс"
)
_PHONE_STEM = re.compile(r"phone|whats?app|телефон|ватсап|вотсап")
_COURTESY = re.compile(r"^(?:nolabel|your|client|customer|contact|user|ваш[аеи]?|введите|укажите)")
_NOT_A_CLIENT = re.compile(r"(?:meta|page|site|utm|campaign|product|event|company|payment)\.")
_LABEL_CHARS = 200


def _plain(label: str) -> str:
    """Letters and digits only: no case, spaces, underscores, asterisks, colons."""
    return "".join(filter(str.isalnum, label[:_LABEL_CHARS].casefold()))


def _known(word: str) -> Role | None:
    """The role of a plain word; `tel-123`, `your-name` and `введите телефон` are known too."""
    if not word:
        return None
    bare = word.rstrip("0123456789")
    polite = _COURTESY.sub("", _COURTESY.sub("", bare))
    return _ROLES.get(word) or _ROLES.get(bare) or _ROLES.get(polite)


@lru_cache(maxsize=1_024)
def role(label: str) -> Role:
    """The role of the field called `label`; a nameless text is a comment.

    A nested field (`contact.phone`) is known by its whole path or its last step, unless what it
    belongs to is not the client (`company.phone`).
    """
    word = _plain(label)
    if not label.strip():
        return Role.COMMENT
    if _NOT_A_CLIENT.match(label.casefold()):
        return Role.TECHNICAL
    known = _known(word) or _known(_plain(label.rpartition(".")[2]))
    if known:
        return known
    if _TECHNICAL.fullmatch(word):
        return Role.TECHNICAL
    return Role.MAYBE_PHONE if _PHONE_STEM.search(word) else Role.UNKNOWN
