"""What is wrong with a network: sentences, and marks for its picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphnet.console_text import shown
from graphnet.draw.picture import draw_graph
from graphnet.errors import counted
from graphnet.notebook import framed, html_paragraphs, html_table

if TYPE_CHECKING:
    from graphnet.draw.drawing import Drawing
    from graphnet.graph import Graph


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        place: the place of the node in the list.
        mark: what is wrong, in two or three words for a picture.
        sentence: what is wrong with which node.
        way_out: what may help.
    """

    place: int
    mark: str
    sentence: str
    way_out: str

    def __str__(self) -> str:
        return shown(f"{self.sentence}\n  way out: {self.way_out}")


_SOUND = "The values and gradients show no problem."


@dataclass(frozen=True, repr=False)
class Health:
    """All findings of a list, the most important first; true if there is none.

    Attributes:
        graph: the graph that was examined.
        findings: what is wrong.
    """

    graph: Graph
    findings: tuple[Finding, ...]

    @property
    def marks(self) -> dict[int, str]:
        """For the place of each node with a finding, a few words on what is wrong."""
        marks: dict[int, list[str]] = {}
        for finding in self.findings:
            marks.setdefault(finding.place, []).append(finding.mark)
        return {place: ", ".join(texts) for place, texts in sorted(marks.items())}

    def draw(self, **options: Any) -> Drawing:
        """Draw the graph with all findings marked, and their sentences below.

        Args:
            options: those of `Graph.draw`.
        """
        sentences = [finding.sentence for finding in self.findings]
        return draw_graph(self.graph, marks=self.marks, remarks=sentences, **options)

    def __bool__(self) -> bool:
        return not self.findings

    def __str__(self) -> str:
        if not self.findings:
            return _SOUND
        return "\n".join(map(str, self.findings))

    def __repr__(self) -> str:
        return f"<Health of {self.graph!r}: {counted(len(self.findings), 'finding')}>"

    def _repr_html_(self) -> str:
        """The findings as a table, in a notebook."""
        if not self.findings:
            return framed(html_paragraphs(_SOUND))
        rows = [(each.mark, each.sentence, each.way_out) for each in self.findings]
        return framed(html_table([("finding", "where", "way out"), *rows]))
