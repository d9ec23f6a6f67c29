"""A longer run by hand, with new examples each time: python tests/unit/fuzz/fuzz_report.py --examples 1000 [ROOM ...].

Prints for each room how many callables were tried, with how many calls, and what came of these.
"""

import argparse
from collections import Counter

from fuzz_rules import fuzz
from fuzz_special import ROOMS, SKIPPED
from fuzz_targets import targets

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rooms", nargs="*", default=ROOMS)
    parser.add_argument("--examples", type=int, default=1000)
    parser.add_argument("--only", default="", help="only callables whose name holds this")
    asked = parser.parse_args()
    for room in asked.rooms:
        tried = [each for each in targets(room) if each.name not in SKIPPED and asked.only in each.name]
        total: Counter[str] = Counter()
        for target in tried:
            try:
                total += fuzz(target, asked.examples, derandomize=False, database=None, deadline=None)
            except Exception as error:
                total["broken"] += 1
                causes = getattr(error, "exceptions", [error])
                print(f"{target}: {causes[0]}"[:1000].replace("\n", " "), flush=True)
        counts = ", ".join(f"{kind} {count:,}" for kind, count in total.most_common())
        print(f"{room}: {len(tried)} callables, {sum(total.values()):,} calls: {counts}", flush=True)
