#!/usr/bin/env python3
"""Draws text as a terminal shows it: reads lines with ANSI colours, writes SVG that suits light and dark pages.

usage: COMMAND | terminal_picture.py > picture.svg
"""

import html
import re
import sys

CELL, LINE, PAD = 7.83, 18, 16
STYLE = """
text { font: 13px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; white-space: pre; fill: #1f2328 }
rect { fill: #f6f8fa; stroke: #d0d7de }
.b { font-weight: bold } .d { fill: #656d76 } .r { fill: #c21c1c } .g { fill: #1a7f37 } .y { fill: #8a6100 } .c { fill: #0b7285 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } rect { fill: #161b22; stroke: #30363d } .d { fill: #8d96a0 } .r { fill: #ff7b72 }
  .g { fill: #3fb950 } .y { fill: #d9a514 } .c { fill: #39c5cf }
}
"""
# By the codes of Select Graphic Rendition that freeze-profile uses; 0 ends all of them.
CLASSES = {"1": "b", "2": "d", "31": "r", "32": "g", "33": "y", "36": "c"}


def spans(line):
    """(class, text) for each piece of a line."""
    active = []
    for piece in re.split(r"(\x1b\[[0-9;]*m)", line):
        code = re.fullmatch(r"\x1b\[([0-9;]*)m", piece)
        if code:
            for number in (code.group(1) or "0").split(";"):
                if number in ("", "0"):
                    active = []
                elif number == "39":
                    active = [name for name in active if name in "bd"]
                else:
                    active = active + [CLASSES.get(number, "")]
        elif piece:
            yield " ".join(filter(None, active)), piece


def main():
    lines = sys.stdin.read().rstrip("\n").split("\n")
    plain = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in lines]
    width = round(max(80, max(map(len, plain))) * CELL + 2 * PAD)
    height = len(lines) * LINE + 2 * PAD
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
          f' role="img" aria-label="{html.escape(plain[0])}">')
    print(f"<style>{STYLE}</style>")
    print(f'<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="6"/>')
    for number, line in enumerate(lines):
        pieces = "".join(
            f'<tspan class="{name}">{html.escape(text)}</tspan>' if name else html.escape(text)
            for name, text in spans(line))
        # The width of a cell is not the same in every font: the line is stretched to its cells.
        length = round(len(plain[number]) * CELL, 1)
        if plain[number].strip():
            print(f'<text x="{PAD}" y="{PAD + number * LINE + 13}" textLength="{length}"'
                  f' xml:space="preserve">{pieces}</text>')
    print("</svg>")


main()
