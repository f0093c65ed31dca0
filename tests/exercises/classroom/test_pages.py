"""The pages and the table of a class: what they say, and that no name or text can do harm."""

from __future__ import annotations

import csv
from fractions import Fraction
from html.parser import HTMLParser

import pytest
from browser import chromium

from graphnet.exercises import Mark
from graphnet.exercises.classroom.command import page_names
from graphnet.exercises.classroom.csv_table import csv_table
from graphnet.exercises.classroom.feedback import feedback_page
from graphnet.exercises.classroom.overview import overview_page
from graphnet.exercises.classroom.results import Sheet, Student
from graphnet.exercises.classroom.similar import Pair

BAD = '<script>alert("x")</script>&amp;\x00\u202e"\''
MARKS = (
    Mark("grad_x", weight=Fraction(2)),
    Mark("grad_y", "it is <b>wrong</b>", "Look & see."),
    Mark("form", left_out="the rules come first", weight=Fraction(1, 2)),
)
ADA = Student("ada", ("ada.py",), "x = 1  # <i>\n", (Sheet("Mul", "MyMul", MARKS),))
BOB = Student("bob", ("bob.py",), "", (Sheet("Mul", "", MARKS, "it <i>loops</i>", "Stop it."),))
EVIL_SHEET = Sheet("Mul", BAD, (Mark("grad_x", BAD, BAD),), "", "", (BAD,), BAD)
EVIL = Student(BAD, (BAD,), BAD, (EVIL_SHEET,))


class Reader(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.text += data


def pages_of(*students):
    pages = page_names([student.name for student in students])
    pairs = [Pair(students[0], students[-1], 0.9)]
    return [*map(feedback_page, students), overview_page(students, pairs, pages)]


def test_the_feedback_of_a_student():
    text = Reader(feedback_page(ADA)).text
    assert "2 of 3.5 points: 2 of 3 for mathematics, 0 of 0.5 for form" in text
    assert "WRONG: it is <b>wrong</b>Hint. Look & see." in text
    assert "not checked: the rules come first" in text
    assert "1  x = 1  # <i>" in text
    text = Reader(feedback_page(BOB)).text
    assert "Nothing could be graded: it <i>loops</i>Stop it." in text.replace("\n", "")


def test_the_page_of_the_teacher():
    html = pages_of(ADA, BOB)[-1]
    text = Reader(html).text
    assert "2 students, 2 of 3.5 points on average." in text
    assert '<a href="feedback/ada.html">ada</a>' in html
    assert "grad_y: it is <b>wrong</b>" in text
    assert "ada and bob: 90%" in text
    assert "2Look & see." in text.replace("\n", "")  # a hint that two got
    assert "grad_x22 of 2" in text.replace("\n", "")


def test_without_pairs_it_says_so():
    assert "No two submissions are nearly the same" in overview_page([ADA], [], {"ada": "a.html"})


def test_lines_that_two_have_in_common_are_marked():
    one = Student("one", (), "a = f(1, 2)\nb = 3\n", ADA.sheets)
    two = Student("two", (), "# mine\nc = g(1, 2)\n", ADA.sheets)
    html = overview_page([one, two], [Pair(one, two, 1.0)], {"one": "1", "two": "2"})
    assert html.count("<mark>") == 2
    assert '<mark><span class="no">2</span>  c = g(1, 2)</mark>' in html


@pytest.mark.parametrize("html", pages_of(EVIL, EVIL))
def test_no_name_or_text_does_harm(html):
    reader = Reader(html)
    assert not {"script", "img", "iframe", "link"} & {*reader.tags}
    assert "default-src 'none'" in html
    assert '<script>alert("x")</script>&amp;' in reader.text


@pytest.mark.parametrize("width", [420, 1280])
def test_a_page_is_not_wider_than_the_screen(width, tmp_path):
    long = Mark("grad_x", "a_word_without_any_space_" * 20, "Another one. " * 30)
    sheet = Sheet("Mul", "MyMul", (long, *MARKS[1:]), remarks=("x" * 300,), output="y" * 300)
    student = Student("name" * 30, ("f" * 100,), "x = 1  # " + "long " * 60, (sheet,))
    for number, html in enumerate(pages_of(student, ADA)):
        path = tmp_path / f"{number}.html"
        path.write_text(html, encoding="utf-8")
        with chromium(path, width=width) as page:
            assert page.run("document.documentElement.scrollWidth <= innerWidth")


def test_a_page_of_a_long_program_is_cut():
    long = Student("long", (), "x = 1\n" * 1000, ADA.sheets)
    assert "… 600 more lines …" in feedback_page(long)


def test_the_table_for_a_spreadsheet():
    formula = Student("=1+1", ("-x.py", "@y.py"), "", ADA.sheets)
    text = csv_table([ADA, formula], [Pair(ADA, formula, 1.0)])
    rows = list(csv.DictReader(text.splitlines()))
    assert [row["student"] for row in rows] == ["ada", "'=1+1"]
    assert rows[0]["similar"] == "'=1+1"
    assert rows[1]["files"] == "'-x.py; @y.py"
    assert rows[0]["points"] == "2"
    assert rows[0]["Mul.grad_y"] == "0"


NAMES = {
    "two": (["a", "A"], ["a", "A-2"]),
    "a path": (["../../etc"], [".._.._etc"]),
    "long": (["x" * 300], ["x" * 100]),
    "letters": (["Zoë Ångström"], ["Zoë Ångström"]),
}


@pytest.mark.parametrize(("students", "files"), NAMES.values(), ids=NAMES)
def test_a_page_has_a_name_that_any_system_takes(students, files):
    assert list(page_names(students).values()) == [f"feedback/{name}.html" for name in files]
