"""Rules on generative AI in China and the EU as a checklist: answers about a product in, duties with articles out.

A teaching model, **not legal advice**: it holds the rules that the course could support from its table of facts, it
leaves out other law (data protection, consumers, copyright), and it reads each article in one sentence. It assumes that
one company makes the product and runs it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from datetime import date

from genai_utils import checks
from genai_utils.records.facts import fact
from genai_utils.records.table import html_table, html_text

PLACES = {"CN": "China", "EU": "European Union"}


def _answer(because: str, default: bool = False) -> bool:
    answer: bool = field(default=default, metadata={"because": because})
    return answer


@dataclass(frozen=True)
class Product:
    """What must be known about a product; each answer is yes or no.

    `public`, `opinion`, `faces` and `high_risk` are judgements that a lawyer or a regulator may see differently.
    Raises: TypeError: an answer that is not True or False, for "no" would count as yes.
    """

    name: str
    in_china: bool = _answer("it is offered in China")
    in_eu: bool = _answer("it is offered in the EU")
    public: bool = _answer("the public can use it", default=True)
    talks: bool = _answer("it talks or writes like a person")
    pictures: bool = _answer("it makes pictures, sound or video")
    faces: bool = _answer("it edits faces or voices of real people")
    exports: bool = _answer("users can download or copy what it makes")
    opinion: bool = _answer("it can shape opinion or mobilise people")
    platform: bool = _answer("users publish generated content on it")
    news: bool = _answer("it publishes text on public matters that nobody reviewed")
    trains: bool = _answer("its maker trains or tunes a model")
    base_model: bool = _answer("its maker offers a general-purpose model to others")
    open_weights: bool = _answer("the weights of that model are free and open")
    systemic: bool = _answer("that model counts as a systemic risk")
    high_risk: bool = _answer("it helps to decide on people, in an area of Annex III")

    def __post_init__(self) -> None:
        checks.of_type(str, name=self.name)
        checks.of_type(bool, **{name: getattr(self, name) for name in _BECAUSE})


@dataclass(frozen=True)
class Duty:
    """One duty: where, by which article, since when, and the answers that trigger it.

    needs: answers that must all be yes.  any_of: answers of which one must be.  unless: of which none may be.
    since: ISO date from which it applies, maybe in the future.  fact: id of the fact that supports it.
    Raises: ValueError: an unknown place or answer, or no date.  TypeError: no words.
    """

    place: str
    law: str
    article: str
    topic: str
    text: str
    since: str
    fact: str
    needs: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        checks.one_of(PLACES, place=self.place)
        _check_day(since=self.since)
        checks.of_type(str, law=self.law, article=self.article, topic=self.topic, text=self.text, fact=self.fact)
        for part in ("needs", "any_of", "unless"):
            checks.of_type(tuple, **{part: getattr(self, part)})
            for name in getattr(self, part):
                checks.one_of(_BECAUSE, **{part: name})

    def applies(self, product: Product) -> bool:
        """Whether the product's answers trigger this duty."""
        checks.of_type(Product, product=product)
        yes = {name for name in _BECAUSE if getattr(product, name)}
        return (
            yes.issuperset(self.needs)
            and not yes.intersection(self.unless)
            and (not self.any_of or not yes.isdisjoint(self.any_of))
        )

    @property
    def why(self) -> str:
        """The answers that trigger it, in words."""
        one_of = (" or ".join(_BECAUSE[name] for name in self.any_of),) if self.any_of else ()
        reasons = " and ".join((*(_BECAUSE[name] for name in self.needs), *one_of))
        return reasons + "".join(f", unless {_BECAUSE[name]}" for name in self.unless)

    @property
    def confidence(self) -> str:
        """How far the course could check it: the confidence of its fact, in words."""
        return fact(self.fact).confidence_in_words

    def __str__(self) -> str:
        return f"{self.place} {self.law} {self.article}: {self.text} (since {self.since}; {self.why})"


class Checklist(tuple[Duty, ...]):
    """Duties that show themselves as a table."""

    def __str__(self) -> str:
        return "\n".join(map(str, self))

    def _repr_html_(self) -> str:
        names = ("where", "article", "duty", "because", "from", "fact", "how sure")
        return html_table(names, map(_row, self))


def duties(product: Product, *, on: str = "9999-12-31") -> Checklist:
    """The duties that the product's answers trigger, in the order of `DUTIES`.

    Args: on: ISO date; duties that apply only later are left out.
    Raises: TypeError: no product.  ValueError: no date.
    """
    checks.of_type(Product, product=product)
    _check_day(on=on)
    return Checklist(duty for duty in DUTIES if duty.since <= on and duty.applies(product))


def matrix(product: Product) -> dict[str, dict[str, list[str]]]:
    """Articles side by side: for each topic that has any, for each place, the articles with their law."""
    rows: dict[str, dict[str, list[str]]] = {}
    for duty in duties(product):
        cells = rows.setdefault(duty.topic, {place: [] for place in PLACES})
        cells[duty.place].append(f"{duty.law} {duty.article}")
    return rows


def switches(product: Product) -> dict[str, int]:
    """How many duties appear or disappear if one answer alone turns out to be the other one."""
    before = set(duties(product))
    return {name: len(before ^ set(duties(_flipped(product, name)))) for name in _BECAUSE}


def _check_day(**days: str) -> None:
    """Refuse what is no ISO date.  Raises: ValueError, TypeError."""
    checks.of_type(str, **days)
    for name, day in days.items():
        try:
            date.fromisoformat(day)
        except ValueError as error:
            raise ValueError(f"{name} must be a date like 2026-08-02, got {day!r}") from error


def _flipped(product: Product, name: str) -> Product:
    return Product(**asdict(product) | {name: not getattr(product, name)})


def _row(duty: Duty) -> list[str]:
    article = f"{duty.law} {duty.article}"
    cells = (PLACES[duty.place], article, duty.text, duty.why, duty.since, duty.fact, duty.confidence)
    return list(map(html_text, cells))


_BECAUSE = {each.name: each.metadata["because"] for each in fields(Product) if each.metadata}

_INTERIM = ("CN", "Interim Measures")
_DEEP = ("CN", "Deep synthesis")
_LABEL = ("CN", "Labelling")
_ACT = ("EU", "AI Act")
_OPEN = ("in_china", "public")

DUTIES = (
    Duty(*_INTERIM, "Art. 4", "content", "generate nothing unlawful or discriminating; respect rights of others",
         "2023-08-15", "B-R6", _OPEN),
    Duty(*_INTERIM, "Art. 7", "training data", "train on lawful sources; respect IP; consent for personal data",
         "2023-08-15", "B-R6", (*_OPEN, "trains")),
    Duty(*_INTERIM, "Art. 9", "contract", "answer for the content as its producer; contract with users",
         "2023-08-15", "B-R6", _OPEN),
    Duty(*_INTERIM, "Art. 10", "users", "say for whom and for what it is; protect minors from dependence",
         "2023-08-15", "B-R6", _OPEN),
    Duty(*_INTERIM, "Art. 11", "users' data", "protect what users type; collect nothing needless",
         "2023-08-15", "B-R6", _OPEN),
    Duty(*_INTERIM, "Art. 12", "visible label", "label generated pictures and video",
         "2023-08-15", "B-R6", (*_OPEN, "pictures")),
    Duty(*_INTERIM, "Art. 14", "stop and correct", "stop and remove unlawful output, correct the model, report",
         "2023-08-15", "B-R6", _OPEN),
    Duty(*_INTERIM, "Art. 15", "complaints", "take complaints, with a published procedure and time limits",
         "2023-08-15", "B-R6", _OPEN),
    Duty(*_INTERIM, "Art. 17", "filing", "security assessment and algorithm filing",
         "2023-08-15", "B-R6", (*_OPEN, "opinion")),
    Duty(*_DEEP, "Art. 9", "real names", "check the real identity of users",
         "2023-01-10", "B-R7", _OPEN),
    Duty(*_DEEP, "Art. 14", "consent", "see to it that the person whose face or voice is edited consents",
         "2023-01-10", "B-R7", (*_OPEN, "faces")),
    Duty(*_DEEP, "Art. 16", "hidden mark", "add an unobtrusive technical mark; keep logs",
         "2023-01-10", "B-R7", _OPEN),
    Duty(*_DEEP, "Art. 17", "visible label", "label conspicuously where the public may be confused",
         "2023-01-10", "B-R7", _OPEN, any_of=("talks", "faces")),
    Duty(*_DEEP, "Art. 19", "filing", "filing, as for recommendation algorithms",
         "2023-01-10", "B-R7", (*_OPEN, "opinion")),
    Duty(*_LABEL, "Art. 4", "visible label", "show that it is generated, in the window and in downloaded files",
         "2025-09-01", "B-R8", _OPEN, any_of=("talks", "faces")),
    Duty(*_LABEL, "Art. 5", "hidden mark", "write kind, provider and number into the metadata of files",
         "2025-09-01", "B-R8", (*_OPEN, "exports")),
    Duty(*_LABEL, "Art. 6", "platforms", "look for marks in what users publish, and warn",
         "2025-09-01", "B-R8", (*_OPEN, "platform")),
    Duty(*_LABEL, "Art. 8", "contract", "explain the labels in the terms of use",
         "2025-09-01", "B-R8", _OPEN),
    Duty(*_ACT, "Art. 4", "staff", "support the AI literacy of staff",
         "2025-02-02", "B-R10", ("in_eu",)),
    Duty(*_ACT, "Art. 5", "content", "none of the prohibited practices",
         "2025-02-02", "B-R10", ("in_eu",)),
    Duty(*_ACT, "Art. 50(1)", "visible label", "tell people that they talk to a machine, unless it is obvious",
         "2026-08-02", "B-R10", ("in_eu", "talks")),
    Duty(*_ACT, "Art. 50(2)", "hidden mark", "mark output machine-readably (older systems: from December 2026)",
         "2026-08-02", "B-R10", ("in_eu",)),
    Duty(*_ACT, "Art. 50(4)", "visible label", "disclose deepfakes",
         "2026-08-02", "B-R10", ("in_eu", "faces")),
    Duty(*_ACT, "Art. 50(4)", "visible label", "disclose unreviewed text on matters of public interest",
         "2026-08-02", "B-R10", ("in_eu", "news")),
    Duty(*_ACT, "Art. 53", "documentation", "document the model, and inform those who build on it",
         "2025-08-02", "B-R10", ("in_eu", "base_model"), unless=("open_weights",)),
    Duty(*_ACT, "Art. 53", "documentation", "document the model, and inform those who build on it, though it is open",
         "2025-08-02", "B-R10", ("in_eu", "base_model", "open_weights", "systemic")),
    Duty(*_ACT, "Art. 53", "training data", "copyright policy; public summary of the training content",
         "2025-08-02", "B-R10", ("in_eu", "base_model")),
    Duty(*_ACT, "Art. 55", "systemic risk", "test, mitigate and report systemic risks; protect the model",
         "2025-08-02", "B-R10", ("in_eu", "base_model", "systemic")),
    Duty(*_ACT, "Art. 9 to 15", "high risk", "risk management, data quality, logs, human oversight, accuracy",
         "2027-12-02", "B-R10", ("in_eu", "high_risk")),
)  # fmt: skip
