"""List the facts that grow old, and the chapters that read them.

    python -m tools.facts [--days 120] [--on 2026-11-28]

No test asks for today's list, since it depends on the day.
"""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

from _ext.facts import read, readers
from genai_utils.records.facts import Fact
from tools.notebooks import ROOT


def old(root: Path, days: int, on: date) -> list[Fact]:
    """Facts that still hold and were said more than so many days before a day, the oldest first."""
    held = [fact for fact in read(root).values() if not fact.until and (on - fact.since).days > days]
    return sorted(held, key=lambda fact: (fact.since, fact.id))


def line(fact: Fact, chapters: list[str], on: date) -> str:
    """One fact: id, date, age, how sure we are, whether it is about money, topic, chapters."""
    money, age = "money" if fact.is_money else "", f"{(on - fact.since).days:,} days"
    return (
        f"{fact.id:6} {fact.date:12.12} {age:>10}  {fact.confidence[:2]} {money:5} {fact.topic:24} {' '.join(chapters)}"
    )


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Print the list.  Returns: exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--days", type=int, default=120, help="older than this")
    parser.add_argument("--on", type=date.fromisoformat, default=date.today(), help="counted to this day")
    asked = parser.parse_args(arguments)
    found, where = old(root, asked.days, asked.on), readers(root)
    for fact in found:
        print(line(fact, where.get(fact.id, []), asked.on))
    print(f"{len(found)} of {len(read(root))} facts are older than {asked.days} days on {asked.on}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
