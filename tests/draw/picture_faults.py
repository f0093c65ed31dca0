"""What is wrong with a picture, read from its SVG alone: nothing of the package is asked.

Widths of letters come from the font file, colours from the attributes as they are painted.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import combinations, pairwise
from math import dist
from pathlib import Path

from PIL import ImageFont

import graphnet

FONTS = Path(graphnet.__file__).parent / "draw" / "fonts"
SVG = "{http://www.w3.org/2000/svg}"
LINE, CLOSE = 16.0, 8.0  # from one line of a title to the next; less than from lane to lane
READABLE = 4.5  # the contrast of small letters: Web Content Accessibility Guidelines 2.2


@dataclass
class Shape:
    """A filled outline, or a line."""

    points: list[list[tuple[float, float]]]
    fill: str
    opacity: float = 1.0
    owner: str = ""

    @cached_property
    def bounds(self):
        xs, ys = zip(*(point for line in self.points for point in line), strict=True)
        return min(xs), min(ys), max(xs), max(ys)


@dataclass
class Words:
    """A text, the rectangle of its ink, and what lies below it."""

    content: str
    ink: tuple[float, float, float, float]
    fill: str
    owner: str
    bold: bool = False
    badge: Shape | None = None
    below: list[Shape] = field(default_factory=list)


class Picture:
    """Everything that is painted, in order."""

    def __init__(self, svg):
        root = ET.fromstring(svg)
        left, top, width, height = map(float, root.get("viewBox").split())
        self.whole = (left, top, left + width, top + height)
        self.shapes: list[Shape] = []
        self.texts: list[Words] = []
        self.lines: dict[str, list[Shape]] = {}
        self.heads: dict[str, Shape] = {}
        self.boxes: dict[str, Shape] = {}
        self._walk(root, {"fill": "#000000", "font-size": "10", "text-anchor": "start"}, "")

    def _walk(self, element, style, owner):
        style = {**style, **element.attrib}
        if match := re.fullmatch(r".*-([amn][0-9]+)", element.get("id", "")):
            owner = match[1]
        tag = element.tag.removeprefix(SVG)
        if tag == "rect":
            width, height = float(style["width"]), float(style["height"])
            x, y = float(element.get("x", 0)), float(element.get("y", 0))
            path = f"M{x} {y}h{width}v{height}h{-width}Z"
            self._shape(path, style, owner)
        elif tag == "path":
            self._shape(style["d"], style, owner)
        elif tag == "text":
            self._text(element, style, owner)
        inherited = {
            name: value
            for name, value in style.items()
            if name in ("fill", "font-size", "text-anchor", "stroke", "font-weight")
        }
        for child in element:
            self._walk(child, inherited, owner)

    def _shape(self, path, style, owner):
        fill = style.get("fill", "#000000")
        shape = Shape(outlines(path), fill, float(style.get("fill-opacity", 1)), owner)
        if owner.startswith("a"):
            if fill == "none":
                self.lines.setdefault(owner, []).append(shape)
            else:
                self.heads[owner] = shape
        elif fill != "none":
            self.shapes.append(shape)
            if owner:  # its first line is the outline, the others are decoration
                self.boxes.setdefault(owner, Shape(shape.points[:1], fill, owner=owner))

    def _text(self, element, style, owner):
        content = "".join(element.itertext())
        size, bold = float(style["font-size"]), style.get("font-weight") == "bold"
        left, top, right, bottom = ink_of(content, bold)
        x, y = float(style["x"]), float(style["y"])
        width = advance_of(content, bold) * size
        x -= {"middle": width / 2, "end": width}.get(style["text-anchor"], 0)
        ink = (x + left * size, y + top * size, x + right * size, y + bottom * size)
        below = [shape for shape in self.shapes if covers(shape, middle(ink))]
        words = Words(content, ink, style["fill"], owner, bold, below=below)
        last = self.shapes[-1] if self.shapes else None
        if last in below and last.bounds[3] - last.bounds[1] < 15:  # a badge is that low
            words.badge = last
        self.texts.append(words)


def middle(ink):
    return (ink[0] + ink[2]) / 2, (ink[1] + ink[3]) / 2


@cache
def font(bold):
    return ImageFont.truetype(str(FONTS / f"DejaVuSans{'-Bold' if bold else ''}.ttf"), 200)


@cache
def ink_of(content, bold):
    """The rectangle of the ink of a text of size 1 whose baseline starts at (0, 0)."""
    box = font(bold).getbbox(content, anchor="ls")
    return tuple(each / 200 for each in box)


@cache
def advance_of(content, bold):
    return font(bold).getlength(content) / 200


# path data

_TOKEN = re.compile(r"[MLHVCAZhvacmlz]|-?\d*\.?\d+(?:e-?\d+)?")
_TAKES = {"M": 2, "L": 2, "C": 6, "h": 1, "v": 1, "H": 1, "V": 1, "a": 7, "Z": 0}


def outlines(path):
    """Points along each part of a path."""
    tokens = _TOKEN.findall(path)
    lines, at, place, command = [], (0.0, 0.0), 0, ""
    while place < len(tokens):
        if tokens[place].isalpha():
            command = tokens[place]
            place += 1
        count = _TAKES[command]
        numbers = [float(each) for each in tokens[place : place + count]]
        place += count
        if command == "M":
            at = tuple(numbers)
            lines.append([at])
            command = "L"
        elif command == "Z":
            at = lines[-1][0]
            lines[-1].append(at)
        elif command == "C":
            points = [at, *zip(numbers[::2], numbers[1::2], strict=True)]
            lines[-1] += [bezier(points, step / 24) for step in range(1, 25)]
            at = points[-1]
        else:
            at = moved_to(command, at, numbers)
            lines[-1].append(at)
    return lines


def moved_to(command, at, numbers):
    """The end of a straight line or of an arc, whose bulge is small enough to be left out."""
    (x, y), (first, *_) = at, numbers
    if command in "hv":
        return (x + first, y) if command == "h" else (x, y + first)
    if command in "HV":
        return (first, y) if command == "H" else (x, first)
    return (x + numbers[-2], y + numbers[-1]) if command == "a" else (first, numbers[1])


def bezier(points, t):
    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
    return tuple(
        sum(weight * point[axis] for weight, point in zip(weights, points, strict=True))
        for axis in (0, 1)
    )


# geometry


def overlap(one, other, room=0.0):
    return all(one[at] + room < other[at + 2] and other[at] + room < one[at + 2] for at in (0, 1))


def within(inner, outer, room=0.3):
    return (
        inner[0] >= outer[0] - room
        and inner[1] >= outer[1] - room
        and inner[2] <= outer[2] + room
        and inner[3] <= outer[3] + room
    )


def covers(shape, point):
    """True for a point inside an outline: a ray from it crosses it an odd number of times."""
    x, y = point
    left, top, right, bottom = shape.bounds
    if not (left <= x <= right and top <= y <= bottom):
        return False
    inside = False
    for line in shape.points:
        for (x1, y1), (x2, y2) in pairwise(line):
            if (y1 > y) != (y2 > y) and x < x1 + (y - y1) / (y2 - y1) * (x2 - x1):
                inside = not inside
    return inside


def meets(line, ink):
    """True if a line has a part in a rectangle."""
    left, top, right, bottom = ink
    if not overlap(line.bounds, ink, -1):
        return False
    for points in line.points:
        for (x1, y1), (x2, y2) in pairwise(points):
            if max(x1, x2) < left or min(x1, x2) > right:
                continue
            if max(y1, y2) < top or min(y1, y2) > bottom:
                continue
            steps = int(max(abs(x2 - x1), abs(y2 - y1))) + 1
            for step in range(steps + 1):
                x, y = x1 + (x2 - x1) * step / steps, y1 + (y2 - y1) * step / steps
                if left < x < right and top < y < bottom:
                    return True
    return False


# colours


def channels(colour):
    if colour == "white":
        colour = "#ffffff"
    return [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]


def luminance(rgb):
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in rgb]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def ground(shapes):
    """The colour that some shapes make, the last of them on top."""
    seen = [1.0, 1.0, 1.0]
    for shape in shapes:
        mine = channels(shape.fill)
        seen = [
            old * (1 - shape.opacity) + new * shape.opacity
            for old, new in zip(seen, mine, strict=True)
        ]
    return seen


def contrast(words):
    dark, light = sorted((luminance(channels(words.fill)), luminance(ground(words.below))))
    return (light + 0.05) / (dark + 0.05)


# faults


def faults(svg):
    """Everything that is wrong with a picture, one sentence each."""
    picture = Picture(svg)
    return [
        *_texts(picture),
        *_struck(picture),
        *_split(picture),
        *_badges(picture),
        *_colours(picture),
        *_arrows(picture),
        *_turning_back(picture),
    ]


def _texts(picture):
    for words in picture.texts:
        if not within(words.ink, picture.whole):
            yield f"{words.content!r} leaves the picture"
        box = picture.boxes.get(words.owner)
        if box is not None and words.badge is None:
            left, top, right, bottom = words.ink
            corners = [(left, top), (right, top), (left, bottom), (right, bottom)]
            if not all(covers(box, corner) for corner in corners):
                yield f"{words.content!r} leaves its box"
        elif words.badge is not None and not within(words.ink, words.badge.bounds):
            yield f"{words.content!r} leaves its badge"
        elif box is None and words.badge is None:
            for owner, other in picture.boxes.items():
                if overlap(words.ink, other.bounds):
                    yield f"{words.content!r} lies on the box {owner}"
    for one, other in combinations(picture.texts, 2):
        if overlap(one.ink, other.ink, 0.2):
            yield f"{one.content!r} and {other.content!r} overlap"


def _struck(picture):
    for words in picture.texts:
        if words.badge is None:
            for owner, lines in picture.lines.items():
                if any(meets(line, words.ink) for line in lines):
                    yield f"arrow {owner} runs through {words.content!r}"


def _split(picture):
    """Arrows between the parts of one title: those in one frame, beside or above each other."""
    parts = [
        words
        for words in picture.texts
        if words.bold and not words.owner and words.badge is None and len(words.below) > 1
    ]
    for one, other in combinations(parts, 2):
        if one.below[-1] is not other.below[-1] or abs(one.ink[1] - other.ink[1]) > LINE:
            continue
        whole = (*map(min, one.ink[:2], other.ink[:2]), *map(max, one.ink[2:], other.ink[2:]))
        for owner, lines in picture.lines.items():
            if any(meets(line, whole) for line in lines):
                yield f"arrow {owner} runs between {one.content!r} and {other.content!r}"


def _badges(picture):
    for words in picture.texts:
        if words.badge is None:
            continue
        place = words.badge.bounds
        if not within(place, picture.whole):
            yield f"the badge {words.content!r} leaves the picture"
        for owner, head in picture.heads.items():
            if overlap(place, head.bounds, 0.5):
                yield f"the badge {words.content!r} hides the head of {owner}"
        for other in picture.texts:
            if other is not words and overlap(place, other.ink):
                yield f"the badge {words.content!r} hides {other.content!r}"


def _colours(picture):
    for words in picture.texts:
        if contrast(words) < READABLE:
            yield f"{words.content!r} has a contrast of {contrast(words):.1f}"


def _arrows(picture):
    for owner, lines in picture.lines.items():
        for line in lines:
            if not within(line.bounds, picture.whole):
                yield f"arrow {owner} leaves the picture"


def _turning_back(picture):
    """Arrows with a hook: within a few points they run back beside themselves."""
    for owner, lines in picture.lines.items():
        if any(hook(points) for line in lines for points in line.points):
            yield f"arrow {owner} turns back"


def hook(points):
    """True if a line runs in opposite directions at two places that are close along it."""
    steps = []  # where each step starts along the line, and its direction
    length = 0.0
    for (x1, y1), (x2, y2) in pairwise(points):
        if (step := dist((x1, y1), (x2, y2))) > 0.01:
            steps.append((length, step, (x2 - x1) / step, (y2 - y1) / step))
            length += step
    for place, (start, step, right, down) in enumerate(steps):
        for other, _, other_right, other_down in steps[place + 1 :]:
            if other - start - step > CLOSE:
                break
            if right * other_right + down * other_down < -0.9:
                return True
    return False


def smallest_letters(svg, width=1280, height=720):
    """The size of the smallest letters in pixels if the picture fills a screen."""
    root = ET.fromstring(svg)
    _, _, wide, high = map(float, root.get("viewBox").split())
    scale = min(width / wide, height / high)
    sizes = [float(each.get("font-size", 10)) for each in root.iter(f"{SVG}text")]
    return scale * min(sizes)
