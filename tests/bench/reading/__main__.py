"""``python -m tests.bench.reading beside PLACE…`` and ``… fuzz [PLACE…]``: places are folders or zip files."""

from __future__ import annotations

import argparse
from pathlib import Path

from tests.bench.reading import beside, fuzz

_LARGEST = 200_000  # bytes of a file that is changed

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["beside", "fuzz"])
    parser.add_argument("places", type=Path, nargs="*")
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("faults"), help="folder for files at fault")
    given = parser.parse_args()
    if given.what == "beside":
        beside.main(given.places)
    else:
        more = [data for _, data in beside.files(given.places) if len(data) < _LARGEST]
        fuzz.main(fuzz.seeds() + more, given.minutes, given.out, given.seed)
