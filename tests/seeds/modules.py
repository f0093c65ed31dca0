"""Modules: names, circles, and parameters that are not trained."""

from __future__ import annotations

from seeds.fault import Fault, seeded_in

MODULES = [
    # names; modules in circles
    *seeded_in(
        "graph/naming.py",
        "layers/test_names.py",
        Fault("Scopes.claim", "path if mine else _numbered(", "path if True else _numbered("),
        Fault(
            "Scopes._read",
            "outermost.names.setdefault(parameter, _joined(claimed, own))",
            "outermost.names[parameter] = _joined(claimed, own)",
        ),
        Fault("Scopes.root", '"" if first else self.claim(name, owner)', '""'),
    ),
    *seeded_in(
        "layers/module.py",
        "layers/test_names.py",
        Fault("Module._path_in", "scope.ways.to(self) or [(default, self)]", "[(default, self)]"),
    ),
    *seeded_in(
        "layers/tree.py",
        "layers/test_names.py",
        Fault("Ways.to", "if way is None and", "if False and"),
        Fault("Ways._way", "or holder._child(name) is not module", ""),
    ),
    *seeded_in(
        "layers/tree.py",
        "layers/test_circles.py",
        Fault("_reaching_circles", "return children.keys() - set(ends)", "return set()", "circle"),
        Fault("_first_names", "if module not in children", "if True", "circle"),
    ),
    *seeded_in(
        "layers/state.py",
        "layers/test_circles.py",
        Fault("contents", " or id(item) in opened", "", "holds_itself"),
    ),
    *seeded_in(
        "listing/costs.py",
        "layers/test_names.py",
        Fault("_row", "graph.scopes.uses[path]", "1", "used_twice"),
    ),
    # silently untrained parameters
    *seeded_in(
        "layers/unlisted_parameters.py",
        "layers/test_unlisted_parameters.py",
        Fault("warn_of_strays", "if strays:", "if False:", "warned"),
    ),
    *seeded_in(
        "train/training_graph.py",
        "train/test_learnable.py",
        Fault("require_learnable", "if stray:", "if False:"),
        Fault("require_learnable", "if not any(each.requires_grad for each in known)", "if False"),
    ),
]
