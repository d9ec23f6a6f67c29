"""The bank as QTI 1.2, which Canvas imports: a section a question, from which each student gets one copy."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

from tools.exams.question import Asked, Question

XMLNS = "http://www.imsglobal.org/xsd/ims_qtiasiv1p2"
PACKAGE = "http://www.imsglobal.org/xsd/imsccv1p1/imscp_v1p1"
TITLE = "Generative AI: Gold Mine or Bubble?"
FILE = "bank/bank.xml"
THEN = (1980, 1, 1, 0, 0, 0)  # a date in the archive, so that the same bank gives the same bytes


def write(path: Path, bank: Sequence[Question], salt: bytes, copies: int) -> None:
    """Write the archive that Canvas imports."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, root in (("imsmanifest.xml", _manifest()), (FILE, document(bank, salt, copies))):
            ET.indent(root)
            archive.writestr(zipfile.ZipInfo(name, THEN), ET.tostring(root, encoding="utf-8", xml_declaration=True))


def document(bank: Sequence[Question], salt: bytes, copies: int) -> ET.Element:
    """All questions as an assessment."""
    root = ET.Element("questestinterop", xmlns=XMLNS)
    assessment = ET.SubElement(root, "assessment", ident="bank", title=TITLE)
    whole = ET.SubElement(assessment, "section", ident="root_section")
    for question in bank:
        section = ET.SubElement(whole, "section", ident=question.name, title=f"{question.chapter}: {question.title}")
        selection = ET.SubElement(ET.SubElement(section, "selection_ordering"), "selection")
        ET.SubElement(selection, "selection_number").text = "1"
        ET.SubElement(ET.SubElement(selection, "selection_extension"), "points_per_item").text = "1"
        for number in range(1, copies + 1):
            section.append(_item(f"{question.name}-{number}", question.title, question.draw(salt, number)))
    return root


def _item(ident: str, title: str, asked: Asked) -> ET.Element:
    item = ET.Element("item", ident=ident, title=title)
    fields = ET.SubElement(ET.SubElement(item, "itemmetadata"), "qtimetadata")
    for label, entry in (("question_type", "numerical_question"), ("points_possible", "1")):
        field = ET.SubElement(fields, "qtimetadatafield")
        ET.SubElement(field, "fieldlabel").text, ET.SubElement(field, "fieldentry").text = label, entry
    presentation = ET.SubElement(item, "presentation")
    _material(presentation, asked.text)
    response = ET.SubElement(presentation, "response_str", ident="response1", rcardinality="Single")
    ET.SubElement(ET.SubElement(response, "render_fib", fibtype="Decimal"), "response_label", ident="answer1")
    _scored(ET.SubElement(item, "resprocessing"), asked)
    for name, told in (("general_fb", asked.worked), *_told(asked)):
        flow = ET.SubElement(ET.SubElement(item, "itemfeedback", ident=name), "flow_mat")
        _material(flow, told)
    return item


def _scored(processing: ET.Element, asked: Asked) -> None:
    """Full marks for what lies near the answer; for a slip, the words about it."""
    outcomes = ET.SubElement(processing, "outcomes")
    ET.SubElement(outcomes, "decvar", maxvalue="100", minvalue="0", varname="SCORE", vartype="Decimal")
    always = ET.SubElement(processing, "respcondition", attrib={"continue": "Yes"})
    ET.SubElement(ET.SubElement(always, "conditionvar"), "other")
    ET.SubElement(always, "displayfeedback", feedbacktype="Response", linkrefid="general_fb")
    for (name, _), value in zip(_told(asked), asked.slips.values(), strict=True):
        slip = _near(processing, value, asked.tolerance, "Yes")
        ET.SubElement(slip, "displayfeedback", feedbacktype="Response", linkrefid=name)
    right = _near(processing, asked.answer, asked.tolerance, "No")
    ET.SubElement(right, "setvar", action="Set", varname="SCORE").text = "100"


def _near(processing: ET.Element, value: float, within: float, more: str) -> ET.Element:
    """A condition: the response lies so near a value."""
    condition = ET.SubElement(processing, "respcondition", attrib={"continue": more})
    either = ET.SubElement(ET.SubElement(condition, "conditionvar"), "or")
    ET.SubElement(either, "varequal", respident="response1").text = repr(float(value))
    both = ET.SubElement(either, "and")
    ET.SubElement(both, "vargte", respident="response1").text = repr(value - within)
    ET.SubElement(both, "varlte", respident="response1").text = repr(value + within)
    return condition


def _told(asked: Asked) -> list[tuple[str, str]]:
    return [(f"slip{number}_fb", told) for number, told in enumerate(asked.slips, 1)]


def _material(node: ET.Element, text: str) -> None:
    ET.SubElement(ET.SubElement(node, "material"), "mattext", texttype="text/plain").text = text


def _manifest() -> ET.Element:
    """What lies in the archive."""
    root = ET.Element("manifest", xmlns=PACKAGE, identifier="genai-exam-bank")
    metadata = ET.SubElement(root, "metadata")
    ET.SubElement(metadata, "schema").text, ET.SubElement(metadata, "schemaversion").text = "IMS Content", "1.1.3"
    ET.SubElement(root, "organizations")
    resources = ET.SubElement(root, "resources")
    resource = ET.SubElement(resources, "resource", identifier="bank", type="imsqti_xmlv1p2")
    ET.SubElement(resource, "file", href=FILE)
    return root
