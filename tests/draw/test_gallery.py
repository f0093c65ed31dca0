"""Pictures of real and of random networks, read from their SVG: nothing is hidden or cut off."""

from __future__ import annotations

from functools import cache
from itertools import product

import pytest
from draw.picture_faults import faults, smallest_letters
from draw.random_networks import network, options
from sampling import some
from timing import assert_takes_less

from graphnet.experiments.models import MODELS

LOOKS = {
    "default": {},
    "from left to right": {"direction": "LR"},
    "dark": {"theme": "dark"},
    "light": {"theme": "light"},
    "opened": {"depth": 2},
    "opened from left to right": {"depth": 2, "direction": "LR"},
    "one level": {"depth": 1},
    "folded": {"depth": 0},
    "one column": {"columns": 1},
    "slide": {"slide": True, "theme": "dark"},
    "without parameters": {"parameters": False},
}
ON_ONE_SCREEN = ["LeNet", "ResNet-18", "U-Net", "LSTM classifier", "transformer", "VAE"]


@cache
def graph_of(name):
    return MODELS[name]()


@pytest.mark.parametrize(("name", "look"), some(product(MODELS, LOOKS), every=4))
def test_a_picture_of_a_real_network_has_no_faults(name, look):
    svg = graph_of(name).draw(engine="ranker", **LOOKS[look]).svg
    assert faults(svg) == []


@pytest.mark.parametrize("name", MODELS)
def test_no_engine_that_is_here_draws_faults(name):
    assert faults(graph_of(name).draw().svg) == []


@pytest.mark.parametrize("engine", [None, "wasi", "ranker"])
@pytest.mark.parametrize("name", ON_ONE_SCREEN)
def test_the_default_view_is_legible_on_one_screen(name, engine):
    svg = graph_of(name).draw(engine=engine).svg
    assert smallest_letters(svg, 1280, 720) >= 11


@pytest.mark.parametrize("name", ["LeNet", "VAE", "GAN", "siamese"])
def test_every_node_of_a_real_network_can_be_drawn_without_faults(name):
    assert faults(graph_of(name).draw(every_node=True, engine="ranker").svg) == []


def test_the_default_view_of_a_large_network_is_quick_without_dot(monkeypatch, tmp_path):
    """About 2 units: 0.2 seconds, in a new process too, on a machine of two cores."""
    graph = graph_of("ResNet-50")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert_takes_less(lambda: graph.draw().svg, 8)


def faults_of(seeds):
    found = {}
    for seed in seeds:
        graph, chosen = network(seed), options(seed)
        if len(graph) > 120:  # that many boxes are for nobody's eyes
            chosen.pop("every_node", None)
        found[seed] = faults(graph.draw(**chosen).svg)
    return {seed: sentences for seed, sentences in found.items() if sentences}


def test_pictures_of_random_networks_have_no_faults():
    assert faults_of(range(20)) == {}


@pytest.mark.slow
def test_pictures_of_many_random_networks_have_no_faults():
    assert faults_of(range(20, 220)) == {}
