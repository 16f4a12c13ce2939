"""Twenty drawings and screenshots that no camera made, the same ones every time: charts, pages, windows, maps.

They are sharp, and `deblur` should leave them alone. `DRAWINGS` makes each by its name, uint8 ``(H, W, 3)``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise, product

import numpy as np
from PIL import Image

from tests.bench.canvas import BLACK, GREY, PALE, WHITE, Sheet

RED, GREEN, BLUE, ORANGE = (214, 39, 40), (44, 160, 44), (31, 119, 180), (255, 127, 14)
SERIES = (BLUE, ORANGE, GREEN, RED, (148, 103, 189), (140, 86, 75))
TEXT = (
    "the quick brown fox jumps over a lazy dog while five wizards pack my box with liquid jugs and "
    "every page of this report was printed before noon on plain white paper by a very old machine"
)
WORDS = TEXT.split()
CODE = (
    "def area(shape):",
    '    """The area of a closed polygon."""',
    "    total = 0.0",
    "    for (x, y), (u, v) in pairs(shape):",
    "        total += x * v - u * y",
    "    return abs(total) / 2",
    "",
    "class Polygon:",
    "    def __init__(self, *points):",
    "        self.points = points",
    "",
    "    def __len__(self):",
    "        return len(self.points)",
)


def _random(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def bar_chart() -> np.ndarray:
    """Bars of three colours in eight groups."""
    sheet, random = Sheet(720, 480), _random(1)
    left, _, right, bottom = sheet.axes()
    for group, x in enumerate(np.linspace(left + 12, right - 70, 8).astype(int)):
        for series in range(3):
            height, begin = int(random.integers(40, 360)), int(x) + 19 * series
            sheet.pen.rectangle([begin, bottom - height, begin + 17, bottom - 1], SERIES[series])
        sheet.text((int(x) + 8, bottom + 10), f"Q{group + 1}")
    sheet.text((250, 8), "Sales by quarter, thousands", 18)
    return sheet.pixels()


def line_chart() -> np.ndarray:
    """Four uneven lines."""
    sheet, random = Sheet(800, 500, finer=2), _random(2)
    left, _, right, bottom = sheet.axes()
    for series in range(4):
        levels = bottom - 180 - 60 * series + np.cumsum(random.normal(0, 9, 60)) + 60
        xs = np.linspace(left, right, 60)
        sheet.pen.line(list(zip(xs.tolist(), np.clip(levels, 45, bottom).tolist())), SERIES[series], 2)
        sheet.text((left + 20, 50 + 20 * series), f"station {series + 1}", 14, SERIES[series])
    sheet.text((280, 8), "Temperature by day", 18)
    return sheet.pixels()


def ruled_page() -> np.ndarray:
    """Paper with blue rules, a red margin and text on the rules."""
    sheet, random = Sheet(620, 800, (253, 252, 246)), _random(3)
    for y in range(80, 800, 28):
        sheet.pen.line([(0, y), (620, y)], (170, 200, 230))
    sheet.pen.line([(80, 0), (80, 800)], (230, 120, 120), 2)
    for y in range(80, 700, 28):
        sheet.text((92, y - 20), " ".join(random.choice(WORDS, 9)), 16, (40, 40, 90))
    return sheet.pixels()


def table() -> np.ndarray:
    """Numbers in cells, every other row shaded."""
    sheet, random = Sheet(760, 520), _random(4)
    for row in range(16):
        y = 20 + 30 * row
        ground = (60, 80, 110) if row == 0 else PALE if row % 2 else WHITE
        sheet.pen.rectangle([20, y, 740, y + 30], ground, GREY)
        for column in range(6):
            text = f"Field {column + 1}" if row == 0 else f"{random.integers(0, 100_000):,}"
            sheet.text((32 + 120 * column, y + 7), text, 14, WHITE if row == 0 else BLACK)
    for x in range(20, 741, 120):
        sheet.pen.line([(x, 20), (x, 500)], GREY)
    return sheet.pixels()


def terminal() -> np.ndarray:
    """Light text on black, as a shell prints it."""
    sheet, random = Sheet(800, 480, (18, 18, 18)), _random(5)
    sheet.grid((10, 8), "$ ls -l pictures", (120, 230, 120))
    for row in range(23):
        size, name = random.integers(1000, 9_999_999), "_".join(random.choice(WORDS, 3))
        sheet.grid((10, 30 + 19 * row), f"-rw-r--r-- 1 user {size:>8} May {row + 1:>2} {name}.png", (220, 220, 220))
    return sheet.pixels()


def code_editor() -> np.ndarray:
    """Code in colours on dark grey, with line numbers and a list of files."""
    sheet = Sheet(900, 560, (30, 32, 40))
    sheet.pen.rectangle([0, 0, 170, 560], (24, 25, 31))
    for row, word in enumerate(WORDS[:14]):
        sheet.text((16, 14 + 24 * row), f"{word}.py", 14, (170, 175, 185))
    colours = {"d": (198, 120, 221), "c": (198, 120, 221), '"': (152, 195, 121), "r": (224, 108, 117)}
    for row in range(28):
        line = CODE[row % len(CODE)]
        sheet.grid((184, 10 + 19 * row), f"{row + 1:>3}", (90, 95, 105))
        sheet.grid((226, 10 + 19 * row), line, colours.get(line.strip()[:1], (200, 205, 215)))
    sheet.pen.rectangle([222, 10 + 19 * 8, 890, 28 + 19 * 8], edge=(70, 74, 84))
    return sheet.pixels()


def dialog() -> np.ndarray:
    """A window with fields and buttons over a plain desktop."""
    sheet = Sheet(640, 480, (58, 110, 165))
    sheet.pen.rectangle([90, 70, 550, 400], (240, 240, 240), (90, 90, 90))
    sheet.pen.rectangle([90, 70, 550, 98], (0, 84, 166))
    sheet.text((100, 75), "Save picture", 16, WHITE)
    for row, label in enumerate(("File name", "Folder", "Quality", "Comment")):
        sheet.text((112, 128 + 44 * row), label)
        sheet.pen.rectangle([210, 122 + 44 * row, 520, 150 + 44 * row], WHITE, GREY)
        sheet.text((218, 128 + 44 * row), WORDS[row + 2])
    for index, label in enumerate(("Help", "Cancel", "Save")):
        sheet.pen.rectangle([230 + 104 * index, 350, 320 + 104 * index, 382], (225, 225, 225), GREY, round=5)
        sheet.text((256 + 104 * index, 357), label)
    sheet.pen.rectangle([112, 308, 126, 322], WHITE, GREY)
    sheet.text((136, 307), "Overwrite existing files")
    return sheet.pixels()


def street_map() -> np.ndarray:
    """Parcels, a river and roads with pale borders."""
    sheet, random = Sheet(800, 600, (242, 239, 233), finer=2), _random(8)
    fills = ((203, 230, 180), (225, 220, 210), (217, 208, 201), (250, 235, 200))
    for column, row in product(range(10), range(8)):
        corners = np.array([[0, 0], [70, 0], [70, 64], [0, 64]]) + random.integers(-8, 9, (4, 2))
        corners += (80 * column + 5, 76 * row + 6)
        sheet.pen.polygon([(int(x), int(y)) for x, y in corners], fills[int(random.integers(4))], (200, 195, 190))
    xs = np.linspace(-20, 820, 40)
    river = list(zip(xs.tolist(), (300 + 90 * np.sin(xs / 130)).tolist()))
    sheet.pen.line(river, (170, 211, 223), 34)
    for _ in range(9):
        road = [(int(x), int(y)) for x, y in random.integers(0, (800, 600), (4, 2))]
        sheet.pen.line(road, (190, 170, 140), 11)
        sheet.pen.line(road, (255, 250, 220), 8)
    for word in WORDS[:12]:
        x, y = random.integers(20, (720, 560))
        sheet.text((int(x), int(y)), word.title(), 13, (70, 70, 70))
    return sheet.pixels()


def checkerboard() -> np.ndarray:
    """Black and white squares of 32 pixels."""
    squares = np.indices((16, 20)).sum(axis=0) % 2 * 255
    return np.repeat(np.kron(squares, np.ones((32, 32)))[..., None], 3, axis=2).astype(np.uint8)


def square_code() -> np.ndarray:
    """Random black and white modules with three finder squares, like a QR code."""
    modules = _random(10).integers(0, 2, (33, 33))
    finder = np.pad(np.pad(np.zeros((3, 3), int), 1, constant_values=1), 1)
    for rows, columns in ((slice(0, 7), slice(0, 7)), (slice(0, 7), slice(26, 33)), (slice(26, 33), slice(0, 7))):
        modules[rows, columns] = finder
    framed = np.pad(modules, 4, constant_values=1) * 255
    return np.repeat(np.kron(framed, np.ones((12, 12)))[..., None], 3, axis=2).astype(np.uint8)


def music() -> np.ndarray:
    """Staves of five lines with notes and bars."""
    sheet, random = Sheet(820, 620), _random(11)
    for top in range(50, 560, 110):
        for line in range(5):
            sheet.pen.line([(30, top + 12 * line), (790, top + 12 * line)], BLACK)
        for x in range(30, 791, 190):
            sheet.pen.line([(x, top), (x, top + 48)], BLACK, 2)
        for x in range(60, 780, 38):
            y = top + 6 * int(random.integers(-1, 10))
            sheet.pen.ellipse([x - 7, y - 5, x + 7, y + 5], BLACK)
            sheet.pen.line([(x + 7, y), (x + 7, y - 38)], BLACK, 2)
    return sheet.pixels()


def comic() -> np.ndarray:
    """Flat colours with thick black outlines in three frames."""
    sheet = Sheet(780, 420, finer=2)
    for frame, sky in enumerate(((135, 206, 250), (255, 214, 120), (120, 120, 190))):
        left = 15 + 255 * frame
        sheet.pen.rectangle([left, 15, left + 240, 405], sky, BLACK, 4)
        sheet.pen.polygon([(left + 2, 320), (left + 120, 240), (left + 238, 330), (left + 238, 403), (left + 2, 403)],
                          (110, 180, 90), BLACK, 3)  # fmt: skip
        x = left + 80 + 20 * frame
        sheet.pen.ellipse([x, 180, x + 90, 270], (255, 220, 177), BLACK, 4)
        sheet.pen.rectangle([x + 20, 268, x + 70, 360], SERIES[frame + 1], BLACK, 4)
        sheet.pen.ellipse([x + 22, 210, x + 32, 224], BLACK)
        sheet.pen.ellipse([x + 56, 210, x + 66, 224], BLACK)
        sheet.pen.arc([x + 22, 220, x + 66, 255], 20, 160, BLACK, 4)
        sheet.pen.rectangle([left + 30, 40, left + 200, 110], WHITE, BLACK, 3, round=24)
        sheet.text((left + 56, 62), ("Hello there!", "What a day", "Good night")[frame], 20)
    return sheet.pixels()


def slide() -> np.ndarray:
    """A slope of colour behind a title and points."""
    down = np.linspace(0, 1, 540)[:, None, None]
    across = np.linspace(0, 1, 960)[None, :, None]
    slope = np.array((20, 30, 90)) + (0.6 * down + 0.4 * across) * (np.array((90, 150, 220)) - (20, 30, 90))
    sheet = Sheet(960, 540)
    sheet.image.paste(Image.fromarray(slope.astype(np.uint8)))
    sheet.text((60, 60), "Results of the second year", 44, WHITE)
    for row in range(5):
        sheet.pen.ellipse([70, 170 + 60 * row, 82, 182 + 60 * row], ORANGE)
        sheet.text((100, 160 + 60 * row), " ".join(WORDS[6 * row : 6 * row + 6]), 26, WHITE)
    return sheet.pixels()


def dots() -> np.ndarray:
    """A halftone: dots on a grid, their size a slope."""
    sheet = Sheet(640, 480, finer=2)
    for column, row in product(range(40), range(30)):
        radius = 1 + 6 * (column + row) / 70
        x, y = 8 + 16 * column, 8 + 16 * row
        sheet.pen.ellipse([x - radius, y - radius, x + radius, y + radius], BLACK)
    return sheet.pixels()


def stars() -> np.ndarray:
    """A night sky: points and a few discs on dark blue."""
    random = _random(15)
    sheet = Sheet(720, 540, (6, 8, 24))
    for x, y in random.integers(0, (720, 540), (500, 2)):
        level = int(random.integers(90, 256))
        sheet.pen.rectangle([int(x), int(y), int(x), int(y)], (level, level, level))
    for x, y in random.integers(10, (710, 530), (40, 2)):
        radius = float(random.uniform(0.8, 3))
        sheet.pen.ellipse([int(x) - radius, int(y) - radius, int(x) + radius, int(y) + radius], (255, 250, 230))
    return sheet.pixels()


def calendar() -> np.ndarray:
    """A month of days in boxes, a few with appointments."""
    sheet, random = Sheet(760, 600), _random(16)
    sheet.text((310, 14), "October", 30, RED)
    for column, day in enumerate(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")):
        sheet.text((60 + 100 * column, 60), day, 16, RED if column > 4 else BLACK)
    for index in range(35):
        x, y = 30 + 100 * (index % 7), 90 + 98 * (index // 7)
        sheet.pen.rectangle([x, y, x + 100, y + 98], PALE if index % 7 > 4 else WHITE, GREY)
        sheet.text((x + 8, y + 6), f"{(index + 29) % 31 + 1}", 20)
        if random.random() < 0.3:
            sheet.pen.rectangle([x + 5, y + 60, x + 95, y + 82], SERIES[index % 6])
            sheet.text((x + 10, y + 63), str(random.choice(WORDS)), 14, WHITE)
    return sheet.pixels()


def pie_chart() -> np.ndarray:
    """Six slices and a legend."""
    sheet = Sheet(680, 480, finer=2)
    edges = np.cumsum([0, 105, 80, 65, 50, 35, 25]) - 90
    for index, (begin, end) in enumerate(pairwise(edges.tolist())):
        sheet.pen.slice([60, 60, 420, 420], begin, end, SERIES[index], WHITE)
        sheet.pen.rectangle([480, 120 + 36 * index, 500, 140 + 36 * index], SERIES[index])
        sheet.text((512, 121 + 36 * index), f"{WORDS[index]}  {(end - begin) / 3.6:.0f}%", 16)
    sheet.text((180, 16), "Where it goes", 22)
    return sheet.pixels()


def circuit() -> np.ndarray:
    """Wires, resistors, capacitors and labels."""
    sheet, random = Sheet(760, 560), _random(18)
    for row, column in product(range(4), range(5)):
        x, y = 50 + 140 * column, 70 + 130 * row
        sheet.pen.line([(x, y), (x + 40, y)], BLACK, 2)
        sheet.pen.line([(x + 100, y), (x + 140, y)], BLACK, 2)
        _part(sheet, x + 40, y, int(random.integers(3)))
        sheet.text((x + 54, y - 34), f"{'RCD'[int(random.integers(3))]}{5 * row + column + 1}")
        if row < 3 and random.random() < 0.7:
            sheet.pen.line([(x, y), (x, y + 130)], BLACK, 2)
            sheet.pen.ellipse([x - 4, y - 4, x + 4, y + 4], BLACK)
    return sheet.pixels()


def _part(sheet: Sheet, x: int, y: int, kind: int) -> None:
    """A part 60 pixels wide: a resistor, a capacitor or a zigzag."""
    if kind == 0:
        sheet.pen.rectangle([x, y - 10, x + 60, y + 10], WHITE, BLACK, 2)
    elif kind == 1:
        sheet.pen.line([(x, y), (x + 25, y)], BLACK, 2)
        sheet.pen.line([(x + 35, y), (x + 60, y)], BLACK, 2)
        for plate in (25, 35):
            sheet.pen.line([(x + plate, y - 18), (x + plate, y + 18)], BLACK, 3)
    else:
        points = [(x + 10 * step, y + 12 * (step % 2) * (-1) ** (step // 2)) for step in range(7)]
        sheet.pen.line(points, BLACK, 2)


def scatter_plot() -> np.ndarray:
    """Three clouds of points and a fitted line."""
    sheet, random = Sheet(720, 520, finer=2), _random(19)
    left, top, right, bottom = sheet.axes()
    for series in range(3):
        centre = np.array([left + 150 + 180 * series, bottom - 110 - 100 * series])
        for x, y in np.clip(random.normal(centre, 45, (90, 2)), (left + 6, top + 6), (right - 6, bottom - 6)).tolist():
            sheet.pen.ellipse([x - 4, y - 4, x + 4, y + 4], SERIES[series], WHITE)
    sheet.pen.line([(left, bottom - 30), (right, top + 40)], GREY, 2)
    return sheet.pixels()


def icons() -> np.ndarray:
    """Rounded tiles with simple signs, in rows."""
    sheet = Sheet(720, 560, (245, 246, 248), finer=3)
    for index, (row, column) in enumerate(product(range(5), range(7))):
        x, y = 24 + 98 * column, 18 + 106 * row
        sheet.pen.rectangle([x, y, x + 72, y + 72], SERIES[index % 6], round=16)
        _sign(sheet, x, y, index % 4)
        sheet.text((x + 10, y + 77), WORDS[index % len(WORDS)][:8], 13, (60, 60, 60))
    return sheet.pixels()


def _sign(sheet: Sheet, x: int, y: int, kind: int) -> None:
    """A white sign on a tile: an arrow, a ring, bars or an envelope."""
    if kind == 0:
        sheet.pen.polygon([(x + 24, y + 16), (x + 54, y + 36), (x + 24, y + 56)], WHITE)
    elif kind == 1:
        sheet.pen.ellipse([x + 16, y + 16, x + 56, y + 56], edge=WHITE, width=7)
    elif kind == 2:
        for bar in range(3):
            sheet.pen.rectangle([x + 16, y + 18 + 14 * bar, x + 56, y + 24 + 14 * bar], WHITE)
    else:
        sheet.pen.rectangle([x + 14, y + 20, x + 58, y + 52], edge=WHITE, width=4)
        sheet.pen.line([(x + 14, y + 20), (x + 36, y + 38), (x + 58, y + 20)], WHITE, 4)


_MAKERS: Sequence[Callable[[], np.ndarray]] = (
    bar_chart, line_chart, ruled_page, table, terminal, code_editor, dialog, street_map, checkerboard, square_code,
    music, comic, slide, dots, stars, calendar, pie_chart, circuit, scatter_plot, icons,
)  # fmt: skip
DRAWINGS: dict[str, Callable[[], np.ndarray]] = {maker.__name__.replace("_", " "): maker for maker in _MAKERS}
