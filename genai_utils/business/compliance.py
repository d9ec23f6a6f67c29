"""Rules on generative AI as a checklist: answers about a product in, duties with articles out, counted like with like.

A teaching model, **not legal advice**: it holds the rules that the course could support from its table of facts, and it
reads each article in one sentence. For China and the EU it holds the law on AI, on personal data and on others' works
used in training; for California, Colorado and Korea the law on AI only. Consumers, liability and labour are left out
everywhere. It assumes that one company, neither micro nor small, makes the product, runs it and has data processed by
others.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from datetime import date

from genai_utils import checks
from genai_utils.records.facts import fact
from genai_utils.records.table import html_table, html_text

PLACES = {"CN": "China", "EU": "European Union", "US": "California and Colorado", "KR": "Korea"}
OFFERED = {"CN": "in_china", "EU": "in_eu", "US": "in_us", "KR": "in_korea"}
KINDS = ("AI", "data", "works", "other")  # on AI, personal data, others' works; "other": platforms, switching
UNITS = ("text", "article", "topic")
SAME_FOOTING = ("AI", "data", "works")  # works: in China an article on AI asks it, in the EU one of copyright


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
    in_us: bool = _answer("it is offered in California and Colorado")
    in_korea: bool = _answer("it is offered in Korea")
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
    systemic: bool = _answer("that model is among the largest (systemic risk, frontier)")
    high_risk: bool = _answer("it helps to decide on people, in an area of Annex III")
    personal: bool = _answer("it handles data about people", default=True)
    abroad: bool = _answer("these data leave the country")
    service: bool = _answer("it is sold as an online service that processes customers' data")
    many: bool = _answer("more than a million people use it a month")

    def __post_init__(self) -> None:
        checks.of_type(str, name=self.name)
        checks.of_type(bool, **{name: getattr(self, name) for name in _BECAUSE})


@dataclass(frozen=True)
class Duty:
    """One duty: where, by which article, since when, and the answers that trigger it.

    needs: answers that must all be yes.  any_of: answers of which one must be.  unless: of which none may be.
    since: ISO date from which it applies, maybe in the future.  fact: id of the fact that supports it.
    topic: what is to be done; two duties with one topic are done by one piece of work.  kind: which law, of `KINDS`.
    Raises: ValueError: an unknown place, kind or answer, or no date.  TypeError: no words.
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
    kind: str = "AI"

    def __post_init__(self) -> None:
        checks.one_of(PLACES, place=self.place)
        checks.one_of(KINDS, kind=self.kind)
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


def tally(
    product: Product,
    place: str,
    *,
    unit: str = "topic",
    kinds: tuple[str, ...] = SAME_FOOTING,
    on: str = "9999-12-31",
) -> int:
    """How many duties a place asks for, counted in one of `UNITS`: law texts, articles, or topics (things to do).

    Args: kinds: which law is counted, of `KINDS`; the default is what the list holds for China and the EU alike.
    Raises: ValueError: an unknown place, unit or kind, or no date.  TypeError: no product.
    """
    checks.one_of(PLACES, place=place)
    checks.one_of(UNITS, unit=unit)
    checks.of_type(tuple, kinds=kinds)
    for kind in kinds:
        checks.one_of(KINDS, kinds=kind)
    asked = [duty for duty in duties(product, on=on) if duty.place == place and duty.kind in kinds]
    keys = {"text": lambda duty: duty.law, "article": lambda duty: (duty.law, duty.article), "topic": _topic}
    return len(set(map(keys[unit], asked)))


def joint(product: Product, *, first: str = "CN", second: str = "EU") -> tuple[int, int]:
    """Topics to be dealt with for two places together, and those that both ask for. Equation (rules.union).

    Raises: ValueError: an unknown place.  TypeError: no product.
    """
    checks.one_of(PLACES, first=first, second=second)
    asked = [(duty.place, duty.topic) for duty in duties(product) if duty.kind in SAME_FOOTING]
    one, other = ({topic for at, topic in asked if at == place} for place in (first, second))
    both = len(one & other)
    return len(one) + len(other) - both, both


def switches(product: Product) -> dict[str, int]:
    """How many duties appear or disappear if one answer alone turns out to be the other one."""
    before = set(duties(product))
    return {name: len(before ^ set(duties(_flipped(product, name)))) for name in _BECAUSE}


def _topic(duty: Duty) -> str:
    return duty.topic


def _check_day(**days: str) -> None:
    """Refuse what is no ISO date.  Raises: ValueError, TypeError."""
    checks.of_type(str, **days)
    for name, day in days.items():
        try:
            same = date.fromisoformat(day).isoformat() == day  # days are compared as words
        except ValueError:
            same = False
        if not same:
            raise ValueError(f"{name} must be a date like 2026-08-02, got {day!r}")


def _flipped(product: Product, name: str) -> Product:
    return Product(**asdict(product) | {name: not getattr(product, name)})


def _row(duty: Duty) -> list[str]:
    article = f"{duty.law} {duty.article}"
    sure = duty.confidence.split(" (")[0]  # its remark stands with the fact
    cells = (PLACES[duty.place], article, duty.text, duty.why, duty.since, duty.fact, sure)
    return list(map(html_text, cells))


_BECAUSE = {each.name: each.metadata["because"] for each in fields(Product) if each.metadata}

_INTERIM = ("CN", "Interim Measures")
_DEEP = ("CN", "Deep synthesis")
_LABEL = ("CN", "Labelling")
_PIPL = ("CN", "PIPL")
_ACT = ("EU", "AI Act")
_GDPR = ("EU", "GDPR")
_DSA = ("EU", "DSA")
_COLORADO = ("US", "SB 26-189")
_KOREA = ("KR", "AI Basic Act")
_OPEN = ("in_china", "public")
_CHINA_DATA = ("in_china", "personal")
_EU_DATA = ("in_eu", "personal")
_MAKES = ("talks", "pictures", "faces")


def _data(
    place: tuple[str, str], article: str, topic: str, text: str, *needs: str, any_of: tuple[str, ...] = ()
) -> Duty:
    """A duty of the law on personal data."""
    china = place == _PIPL
    since, source = ("2021-11-01", "B-R21") if china else ("2018-05-25", "B-R20")
    base = _CHINA_DATA if china else _EU_DATA
    return Duty(*place, article, topic, text, since, source, (*base, *needs), any_of, kind="data")


def _high(article: str, topic: str, text: str) -> Duty:
    """A duty of the EU on systems of high risk, each article for itself."""
    return Duty(*_ACT, article, topic, text, "2027-12-02", "B-R25", ("in_eu", "high_risk"))


DUTIES = (
    Duty(*_INTERIM, "Art. 4", "content", "generate nothing unlawful or discriminating; respect rights of others",
         "2023-08-15", "B-R6", _OPEN),
    Duty(*_INTERIM, "Art. 7", "training data", "train on lawful sources; respect IP; consent for personal data",
         "2023-08-15", "B-R6", (*_OPEN, "trains")),
    Duty(*_INTERIM, "Art. 9", "contract", "answer for the content as its producer; contract with users",
         "2023-08-15", "B-R6", _OPEN),
    Duty(*_INTERIM, "Art. 10", "users", "say for whom and for what it is; protect minors from dependence",
         "2023-08-15", "B-R6", _OPEN),
    Duty(*_INTERIM, "Art. 11", "safe data", "protect what users type; collect nothing needless",
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
    Duty(*_DEEP, "Art. 19", "filing", "filing of the algorithm, within ten working days of the start",
         "2023-01-10", "B-R7", (*_OPEN, "opinion")),
    Duty(*_LABEL, "Art. 4", "visible label", "show that it is generated, in the window and in downloaded files",
         "2025-09-01", "B-R8", _OPEN, any_of=("talks", "faces")),
    Duty(*_LABEL, "Art. 5", "hidden mark", "write kind, provider and number into the metadata of files",
         "2025-09-01", "B-R8", (*_OPEN, "exports")),
    Duty(*_LABEL, "Art. 6", "platforms", "look for marks in what users publish, and warn",
         "2025-09-01", "B-R8", (*_OPEN, "platform"), kind="other"),
    Duty(*_LABEL, "Art. 8", "contract", "explain the labels in the terms of use",
         "2025-09-01", "B-R8", _OPEN),
    _data(_PIPL, "Art. 13", "basis for data", "consent or another lawful basis"),
    _data(_PIPL, "Art. 17", "data notice", "say who handles which data, why and how long"),
    _data(_PIPL, "Art. 21", "processors", "contract with those who process for you, and supervise them"),
    _data(_PIPL, "Art. 24", "automated decisions", "transparent, fair, to be explained and refused", "high_risk"),
    _data(_PIPL, "Art. 31", "minors", "consent of parents for children under fourteen", "public"),
    _data(_PIPL, "Art. 38", "data abroad", "assessment, certificate or standard contract", "abroad"),
    _data(_PIPL, "Art. 44 to 47", "rights over data", "access, correct, delete, explain, on request"),
    _data(_PIPL, "Art. 51", "safe data", "rules, classes, encryption, training, plans for incidents"),
    _data(_PIPL, "Art. 54", "audits", "audit the processing regularly"),
    _data(_PIPL, "Art. 55", "impact assessment", "assess the impact beforehand, as soon as others process the data"),
    _data(_PIPL, "Art. 57", "breaches", "mend, and notify the authority and those concerned"),
    Duty(*_ACT, "Art. 4", "staff", "support the AI literacy of staff",
         "2025-02-02", "B-R10", ("in_eu",)),
    Duty(*_ACT, "Art. 5", "forbidden uses", "none of the prohibited practices",
         "2025-02-02", "B-R10", ("in_eu",)),
    Duty(*_ACT, "Art. 50(1)", "visible label", "tell people that they talk to a machine, unless it is obvious",
         "2026-08-02", "B-R10", ("in_eu", "talks")),
    Duty(*_ACT, "Art. 50(2)", "hidden mark", "mark output machine-readably (older systems: from December 2026)",
         "2026-08-02", "B-R10", ("in_eu",), any_of=_MAKES),
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
    _high("Art. 9", "risk management", "find, estimate and lower the risks, again and again"),
    _high("Art. 10", "data quality", "relevant, representative data, examined for bias"),
    _high("Art. 11", "documentation", "a technical file before the launch"),
    _high("Art. 12", "logs", "record events automatically"),
    _high("Art. 13", "instructions", "instructions that say what it can and cannot do"),
    _high("Art. 14", "human oversight", "people can understand, stop and overrule it"),
    _high("Art. 15", "accuracy", "accurate, robust, protected against attacks"),
    _high("Art. 17", "quality management", "a quality management system"),
    _high("Art. 26", "people told", "who uses it follows the instructions, and informs staff and those decided on"),
    _high("Art. 43", "conformity", "conformity assessment before the launch"),
    _high("Art. 49", "filing", "registration in the EU's database"),
    _high("Art. 72", "monitoring", "monitor it after the launch"),
    _high("Art. 73", "incidents", "report serious incidents"),
    _high("Art. 86", "automated decisions", "explain a decision to those concerned"),
    _data(_GDPR, "Art. 6", "basis for data", "consent or another lawful basis"),
    _data(_GDPR, "Art. 8", "minors", "consent of parents for children", "public"),
    _data(_GDPR, "Art. 13", "data notice", "say who handles which data, why and how long"),
    _data(_GDPR, "Art. 15 to 21", "rights over data", "access, correct, delete, object, on request"),
    _data(_GDPR, "Art. 22", "automated decisions", "no decision by machine alone, with few exceptions", "high_risk"),
    _data(_GDPR, "Art. 25", "design", "protect data by design and by default"),
    _data(_GDPR, "Art. 28", "processors", "contract with those who process for you"),
    _data(_GDPR, "Art. 30", "records", "keep records of the processing"),
    _data(_GDPR, "Art. 32", "safe data", "security that suits the risk"),
    _data(_GDPR, "Art. 33", "breaches", "notify the authority within three days"),
    _data(_GDPR, "Art. 35", "impact assessment", "assess the impact beforehand, where the risk is high",
          any_of=("high_risk", "trains")),
    _data(_GDPR, "Art. 44", "data abroad", "an adequate level of protection, or safeguards", "abroad"),
    Duty(*_DSA, "Art. 14", "contract", "say in the terms how content is moderated",
         "2024-02-17", "B-R22", ("in_eu", "platform"), kind="other"),
    Duty(*_DSA, "Art. 16", "stop and correct", "take notices of illegal content, and act",
         "2024-02-17", "B-R22", ("in_eu", "platform"), kind="other"),
    Duty(*_DSA, "Art. 17", "people told", "give reasons to those whose content is removed",
         "2024-02-17", "B-R22", ("in_eu", "platform"), kind="other"),
    Duty(*_DSA, "Art. 20", "complaints", "take complaints about such decisions",
         "2024-02-17", "B-R22", ("in_eu", "platform"), kind="other"),
    Duty(*_DSA, "Art. 28", "minors", "protect minors",
         "2024-02-17", "B-R22", ("in_eu", "platform"), kind="other"),
    Duty("EU", "Data Act", "Art. 25", "switching", "let customers take their data and leave",
         "2025-09-12", "B-R23", ("in_eu", "service"), kind="other"),
    Duty("EU", "Copyright", "Art. 4", "training data", "mine only what no rightholder has reserved",
         "2021-06-07", "B-R24", ("in_eu", "trains"), kind="works"),
    Duty("US", "SB 53", "framework", "systemic risk", "publish a safety framework and a report on each model",
         "2026-01-01", "B-R35", ("in_us", "base_model", "systemic")),
    Duty("US", "SB 53", "incidents", "incidents", "report critical incidents within fifteen days",
         "2026-01-01", "B-R35", ("in_us", "base_model", "systemic")),
    Duty("US", "AB 2013", "documentation", "training data", "publish what the training data are",
         "2026-01-01", "B-R35", ("in_us", "public", "trains")),
    Duty("US", "SB 942", "§ 22757.2", "detection tool", "offer a free tool that recognises your own output",
         "2026-08-02", "B-R35", ("in_us", "public", "pictures", "many")),
    Duty("US", "SB 942", "§ 22757.3(a)", "visible label", "offer users a label that people see",
         "2026-08-02", "B-R35", ("in_us", "public", "pictures", "many")),
    Duty("US", "SB 942", "§ 22757.3(b)", "hidden mark", "write provider, system, time and number into files",
         "2026-08-02", "B-R35", ("in_us", "public", "pictures", "many")),
    Duty(*_COLORADO, "notice", "people told", "tell people that a machine takes part in the decision",
         "2027-01-01", "B-R36", ("in_us", "high_risk")),
    Duty(*_COLORADO, "explanation", "automated decisions", "explain an adverse decision within thirty days",
         "2027-01-01", "B-R36", ("in_us", "high_risk")),
    Duty(*_COLORADO, "correction", "rights over data", "let people correct the data",
         "2027-01-01", "B-R36", ("in_us", "high_risk")),
    Duty(*_COLORADO, "human review", "human oversight", "let a person look again, on request",
         "2027-01-01", "B-R36", ("in_us", "high_risk")),
    Duty(*_COLORADO, "documentation", "documentation", "document uses, data and limits for those who deploy it",
         "2027-01-01", "B-R36", ("in_us", "high_risk")),
    Duty(*_COLORADO, "records", "logs", "keep records for three years",
         "2027-01-01", "B-R36", ("in_us", "high_risk")),
    Duty(*_KOREA, "Art. 31", "visible label", "say beforehand that it is AI; label what it makes",
         "2026-01-22", "B-R37", ("in_korea", "public"), any_of=_MAKES),
    Duty(*_KOREA, "Art. 32", "systemic risk", "assess and lower risks of the largest models",
         "2026-01-22", "B-R37", ("in_korea", "base_model", "systemic")),
    Duty(*_KOREA, "Art. 34", "risk management", "manage the risks of what decides on people; explain; oversee",
         "2026-01-22", "B-R37", ("in_korea", "high_risk")),
)  # fmt: skip
