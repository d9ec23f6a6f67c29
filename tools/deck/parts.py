"""What a chapter's notebook offers for slides: its headings, figures, equations, callouts and claims, in order.

Nothing is written for slides: each part is a piece of the chapter, and its notes are the sentences that read it there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MOST = 20
CLAIMS_A_SLIDE = 6
WIDE = 100  # characters of a formula; longer ones are broken where that can be done
SHORT = 32  # characters of a sentence that says something by itself
LONG = 260  # characters of a sentence that still fits below a figure
CALLOUT = re.compile(
    r"> \*\*((Business|Definition|Exercise|Lemma|Pitfall|Predict|Quiz|Theorem)\b[^*]*?)[.:]?\*\*[.:]? *"
)
CHOICE = re.compile(r"<details><summary>(.*?)</summary>(.*?)</details>", re.DOTALL)
TAG = re.compile(r"\s*\\tag\{([\w.-]+)\}")
# What is kept when a chapter offers more slides than fit: the higher first; within a kind the later goes first.
WORTH = {
    "title": 9,
    "answer": 9,
    "claims": 9,
    "question": 8,
    "predict": 8,
    "figure": 7,
    "business": 7,
    "theorem": 6,
    "definition": 6,
    "lemma": 6,
    "pitfall": 6,
    "exercise": 5,
    "equation": 5,
    "points": 4,
    "quiz": 4,
}
FURTHER = 2.5  # a second figure or equation of a section is worth so much less


@dataclass
class Slide:
    """One slide: a heading, Markdown below it, perhaps a figure, and the speaker's notes in Markdown."""

    kind: str
    heading: str
    text: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    picture: str = ""  # a PNG in base64
    alt: str = ""
    html: str = ""  # an output, as the notebook stores it
    name: str = ""  # of an equation


@dataclass
class Section:
    """A heading with what stands below it: blocks of Markdown, and slides where code showed something."""

    heading: str
    blocks: list[str | Slide] = field(default_factory=list)


def slides(path: Path, part: str = "") -> list[Slide]:
    """The slides of a chapter, at most `MOST`.  Args: path: its notebook.  part: the part of the book that it is in."""
    sections, claims = read(json.loads(path.read_text(encoding="utf-8"))["cells"])
    first, *rest = sections
    made = opening(first, part)
    for section in rest:
        made += of_section(section)
    return fewest(made + of_claims(claims))


def read(cells: list[dict[str, Any]]) -> tuple[list[Section], list[dict[str, Any]]]:
    """The sections of a notebook, the first of which begins with the title, and the chapter's claims."""
    sections, claims = [Section("")], []
    for cell in cells:
        tags = cell["metadata"].get("tags", [])
        if cell["cell_type"] == "markdown":
            for block in re.split(r"\n\s*\n", "".join(cell["source"]).strip()):
                if found := re.match(r"(#{1,3}) (.+)", block):
                    sections.append(Section(found[2].strip()))
                else:
                    sections[-1].blocks.append(block)
        elif not {"hide-cell", "remove-cell"} & set(tags):
            data = [output.get("data", {}) for output in cell["outputs"]]
            claims += [found for each in data if (found := each.get("application/vnd.genai.claim+json"))]
            sections[-1].blocks += shown(data)
    return sections[1:], claims


def shown(outputs: list[dict[str, Any]]) -> Iterator[Slide]:
    """Slides of what a cell shows: the answer that leads a chapter, and figures with their alt text."""
    for data in outputs:
        html = "".join(data.get("text/html", ""))
        if html.startswith('<section class="genai-answer"'):
            bare = re.sub(r'<p><small><a href="#.*?</p>|<p><strong>The answer as of.*?</p>', "", html)
            dated = re.search('The answer as of [^<"]+', html)
            yield Slide("answer", dated[0] if dated else "The answer", html=bare.replace("section", "div"))
        if picture := data.get("image/png"):
            yield Slide("figure", "", picture="".join(picture), alt="".join(data.get("text/plain", "")).strip())


def opening(section: Section, part: str) -> list[Slide]:
    """Title, question and aims, the answer and what else stands before the first heading."""
    paragraphs = [block for block in section.blocks if isinstance(block, str) and block[:2] != "> "]
    question = [block for block in paragraphs if block.startswith("**Question.**")]
    aims = [block for block in paragraphs if block.startswith("After this chapter")]
    title = Slide("title", section.heading, [part] * bool(part))
    asked = [Slide("question", "The question", [block.removeprefix("**Question.** ")], aims) for block in question]
    rest = [block for block in section.blocks if block not in question + aims]
    return [title, *asked, *of_section(Section("In one figure", rest))]


def of_section(section: Section) -> list[Slide]:
    """The slides of a section; one without figure, equation or callout gives its key sentences, if it has any."""
    made = [slide for place in range(len(section.blocks)) if (slide := of_block(section, place))]
    if not any(slide.kind in ("figure", "equation", "theorem") for slide in made):
        keys = [key for block in section.blocks if isinstance(block, str) for key in bold_sentences(block)]
        if keys and section.heading not in ("Exercises", "Quiz"):
            made.insert(
                0,
                Slide(
                    "points", section.heading, [f"- {plain_bold(key)}" for key in keys[:4]], prose(section.blocks)[:3]
                ),
            )
    return made


def of_block(section: Section, place: int) -> Slide | None:
    """The slide of one block, if it is worth one."""
    block = section.blocks[place]
    if isinstance(block, Slide):
        return with_reading(block, section, place)
    if found := CALLOUT.match(block):
        return callout(block, found, section.blocks[place + 1 : place + 2])
    if found := TAG.search(block):
        return equation(block, found, section, place)
    return None


def with_reading(slide: Slide, section: Section, place: int) -> Slide:
    """A figure with the heading above it, its key sentence on the slide, and the paragraph that reads it as notes."""
    if slide.kind != "figure":
        return slide
    after = [block for block in section.blocks[place + 1 :] if is_prose(block) or isinstance(block, Slide)][:1]
    reading = prose(after) or prose(section.blocks[:place])[-1:]
    slide.heading, slide.notes = section.heading, reading or [slide.alt]
    slide.text = [key for words in reading for key in key_sentences(words) if len(key) <= LONG][:1]
    return slide


def callout(block: str, found: re.Match[str], after: list[str | Slide]) -> Slide | None:
    """The slide of a callout; of the exercises only the bug hunts, of the quiz only the first question."""
    title, kind = found[1].strip().rstrip("."), found[2].lower()
    if kind == "exercise" and "bug hunt" not in title or kind == "quiz" and title != "Quiz 1":
        return None
    body = re.sub(r"^> ?", "", block[found.end() :], flags=re.MULTILINE)
    heading = {"predict": "Predict", "quiz": "A question", "business": "Business", "exercise": "Bug hunt"}.get(
        kind, title
    )
    if kind == "business":
        body = "\n".join(f"- {sentence}" for sentence in sentences(body) if is_statement(sentence))
    body = re.sub(r"(?<=[.?!]) (?=\([b-f]\) )", "\n\n", body)  # each part of a question begins a line
    choices = CHOICE.findall(str(after[0])) if kind == "quiz" and after else []
    listed = ["\n".join(f"- {choice}" for choice, _ in choices)] * bool(choices)
    reasons = [f"**{choice}** {reason}" for choice, reason in choices]
    return Slide(kind, heading[0].upper() + heading[1:], [broken(TAG.sub("", body)), *listed], reasons)


def equation(block: str, found: re.Match[str], section: Section, place: int) -> Slide:
    """The slide of a named equation: the sentence that leads to it, the formula, and the sentence after it."""
    before, after = prose(section.blocks[:place])[-1:], prose(section.blocks[place + 1 : place + 2])
    lead = [leading(each) for each in before]
    reading = [key for each in after for key in key_sentences(each)[:1]]
    around = [[each for each in words if len(each) <= LONG] for words in (lead, reading)]
    text, notes = [*around[0], broken(TAG.sub("", block)), *around[1]], before + after
    return Slide("equation", section.heading, text, notes, name=found[1])


def broken(text: str) -> str:
    """Text whose long formulas go over several lines: at a wide space, else at each further equals sign."""
    return re.sub(r"\$\$(.+?)\$\$", lambda found: f"$$\n{lines(found[1].strip())}\n$$", text, flags=re.DOTALL)


def lines(formula: str) -> str:
    """A formula of more than `WIDE` characters, broken where no brace, bracket or environment is open."""
    if len(formula) <= WIDE or r"\begin" in formula:
        return formula
    if len(parts := outside(formula, r"\qquad")) > 1:
        return r"\begin{gathered} " + r" \\[0.5em] ".join(parts) + r" \end{gathered}"
    first, *rest = outside(formula, "=")
    return formula if len(rest) < 2 else rf"\begin{{aligned}} {first} &= " + r" \\ &= ".join(rest) + r" \end{aligned}"


def outside(formula: str, mark: str) -> list[str]:
    """The pieces of a formula between marks that stand within no pair of braces or brackets."""
    depth, pieces = 0, [""]
    for token in re.findall(r"\\[A-Za-z]+|\\.|.", formula, flags=re.DOTALL):
        depth += (token in "([{" or token in (r"\left", r"\{")) - (token in ")]}" or token in (r"\right", r"\}"))
        if token == mark and depth == 0:
            pieces.append("")
        else:
            pieces[-1] += token
    return [piece.strip() for piece in pieces]


def of_claims(claims: list[dict[str, Any]]) -> list[Slide]:
    """The verdicts of the chapter, a few on each slide, with what they rest on as notes."""
    number = -(-len(claims) // CLAIMS_A_SLIDE)  # of slides, which hold as many each, or one fewer
    ends = [len(claims) * end // number for end in range(number + 1)] if claims else [0]
    groups = [claims[start:end] for start, end in zip(ends, ends[1:], strict=False)]
    marks = {"supported": "✓ supported", "refuted": "✗ refuted", "depends": "~ depends"}
    return [
        Slide(
            "claims",
            "The verdicts" + f" ({number} of {len(groups)})" * (len(groups) > 1),
            [f"- **{marks[claim['verdict']]}** {claim['text']}" for claim in group],
            [f"{claim['text']} {claim['evidence']}" for claim in group],
        )
        for number, group in enumerate(groups, 1)
    ]


def fewest(made: list[Slide]) -> list[Slide]:
    """At most `MOST` of these slides, those that are worth most, in their order."""
    seen: set[tuple[str, str]] = set()
    ranked = []
    for place, slide in enumerate(made):
        further = (slide.kind, slide.heading) in seen and slide.kind in ("figure", "equation", "exercise")
        seen.add((slide.kind, slide.heading))
        ranked.append((WORTH[slide.kind] - FURTHER * further, -place))
    kept = sorted(range(len(made)), key=lambda place: ranked[place], reverse=True)[:MOST]
    return [made[place] for place in sorted(kept)]


def sentences(paragraph: str) -> list[str]:
    """The sentences of a paragraph; none is cut within bold words or a formula."""
    found: list[str] = []
    for piece in re.split(r"(?<=[.!?])\s+|(?<=[.!?][*)])\s+|(?<=[.!?]\*\*)\s+", " ".join(paragraph.split())):
        if found and is_open(found[-1]):
            found[-1] += " " + piece
        else:
            found.append(piece)
    return [each for each in found if each]


def is_open(words: str) -> bool:
    """Whether a sentence goes on although it looks ended: within bold words, a formula, brackets, an abbreviation."""
    if words.count("**") % 2 or words.count("$") % 2 or words.count("(") > words.count(")"):
        return True
    return bool(re.search(r"\b(e\.g|i\.e|et al|vs|cf|Fig|Eq|No|Art|[A-Z])\.$", words))


def bold_sentences(paragraph: str) -> list[str]:
    """Sentences of which most is bold: what the chapter itself marks as its message."""
    if not is_prose(paragraph):
        return []
    bold = {each: sum(map(len, re.findall(r"\*\*(.+?)\*\*", each))) for each in sentences(paragraph)}
    return [each for each, length in bold.items() if length > 0.6 * len(each) and SHORT < length <= LONG]


def key_sentences(paragraph: str) -> list[str]:
    """The bold sentences of a paragraph, else the first one that tells something and is whole."""
    told = [each for each in sentences(paragraph) if is_statement(each)]
    return bold_sentences(paragraph) or [each for each in told if len(each) > SHORT][:1] or told[:1]


def is_statement(sentence: str) -> bool:
    """Whether a sentence ends as a statement does, and leads to nothing after it."""
    return bool(re.search(r"[.!][)*”\"]*$", sentence))


def leading(paragraph: str) -> str:
    """The end of a paragraph that leads to a formula: its last sentence, with the one before if it says nothing."""
    found = sentences(paragraph)
    return " ".join(found[-2:] if len(found[-1]) < 0.6 * SHORT else found[-1:])


def plain_bold(sentence: str) -> str:
    """A sentence that was bold, in plain print."""
    return sentence.replace("**", "")


def is_prose(block: str | Slide) -> bool:
    """Whether a block is a paragraph: no callout, list, table, formula or fold."""
    return isinstance(block, str) and not re.match(r"[>|$<#-]|\d+\. |```", block)


def prose(blocks: list[str | Slide]) -> list[str]:
    """The paragraphs among some blocks."""
    return [block for block in blocks if isinstance(block, str) and is_prose(block)]
