"""The bank as Moodle XML: a category a question, a numerical question a copy, slips answered with what went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from tools.exams.question import Asked, Question


def document(bank: Sequence[Question], salt: bytes, copies: int) -> str:
    """The text of a file that Moodle imports."""
    quiz = ET.Element("quiz")
    for question in bank:
        heading = ET.SubElement(ET.SubElement(quiz, "question", type="category"), "category")
        _words(heading, f"$course$/{question.chapter}/{question.title}")
        for number in range(1, copies + 1):
            quiz.append(_numerical(f"{question.name} {number}", question.draw(salt, number)))
    ET.indent(quiz)
    return ET.tostring(quiz, encoding="unicode", xml_declaration=True) + "\n"


def _numerical(name: str, asked: Asked) -> ET.Element:
    node = ET.Element("question", type="numerical")
    _words(ET.SubElement(node, "name"), name)
    _words(ET.SubElement(node, "questiontext", format="plain_text"), asked.text)
    _words(ET.SubElement(node, "generalfeedback", format="plain_text"), asked.worked)
    _answer(node, "100", asked.answer, asked, "Right.")
    for told, value in asked.slips.items():
        _answer(node, "0", value, asked, told)
    return node


def _answer(node: ET.Element, fraction: str, value: float, asked: Asked, told: str) -> None:
    answer = ET.SubElement(node, "answer", fraction=fraction, format="plain_text")
    ET.SubElement(answer, "text").text = repr(float(value))
    _words(ET.SubElement(answer, "feedback", format="plain_text"), told)
    ET.SubElement(answer, "tolerance").text = repr(asked.tolerance)


def _words(node: ET.Element, text: str) -> None:
    ET.SubElement(node, "text").text = text
