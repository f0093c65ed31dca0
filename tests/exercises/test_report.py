"""A grade prints well, at a prompt and in a notebook."""

from __future__ import annotations

from fractions import Fraction

from graphnet.exercises import Grade, Mark

MARKS = [
    Mark("grad_x"),
    Mark("grad_y", "1 < 2, " * 20, "Look again."),
    Mark("other checks", left_out="the rules come first"),
]


def test_a_grade_as_text():
    grade = Grade("Mine", "Mul", MARKS, ("forward is given.",))
    lines = str(grade).splitlines()
    assert lines[0] == "Mine, an answer to Mul: 1 of 3 points."
    assert lines[1] == "  grad_x        right"
    assert lines[-1] == "forward is given."
    assert max(map(len, lines)) <= 80
    assert "                hint: Look again." in lines
    assert "  other checks  not checked: the rules come first" in lines
    assert repr(grade) == "<Grade of Mine: 1/3>"


def test_a_grade_as_a_number():
    assert Grade("Mine", "Mul", MARKS).score == Fraction(1, 3)
    assert not Grade("Mine", "Mul", MARKS)
    assert Grade("Mine", "Mul", MARKS[:1])


def test_a_grade_in_a_notebook():
    html = Grade("<Mine>", "Mul", MARKS, ("a & b",))._repr_html_()
    assert "<p>&lt;Mine&gt;, an answer to Mul: 1 of 3 points.</p>" in html
    assert "<td>grad_y</td><td>WRONG: 1 &lt; 2" in html
    assert html.endswith("<p>a &amp; b</p></div>")
