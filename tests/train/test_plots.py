"""Pictures of training: they draw the given numbers."""

from __future__ import annotations

import statistics
from math import inf

import matplotlib
import matplotlib.style  # which the first plot of a process would load too late
import pytest
import torch

import graphnet as gn
from graphnet.train import plots

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def close_figures():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


def test_mean_and_deviation_are_those_of_statistics():
    rounds = [[1.0, 5.0], [2.0, 7.0], [6.0, 3.0]]
    means, spreads = plots.mean_and_deviation(rounds)
    columns = list(zip(*rounds, strict=True))
    assert means == pytest.approx([statistics.mean(each) for each in columns])
    assert spreads == pytest.approx([statistics.stdev(each) for each in columns])
    assert plots.mean_and_deviation([[1.0, 2.0]]) == ([1.0, 2.0], [0.0, 0.0])


def test_a_deviation_may_be_too_large_for_a_number():
    means, spreads = plots.mean_and_deviation([[1e200], [3e200]])
    assert (means, spreads) == ([2e200], [inf])


def test_curves_show_means_in_bands():
    axes = plots.curves({"train": [[3.0, 1.0], [5.0, 1.0]], "test": [[4.0, 2.0]]}, ylabel="error")
    first, second = axes.get_lines()
    assert list(first.get_ydata()) == [4.0, 1.0]
    assert list(second.get_ydata()) == [4.0, 2.0]
    (band,) = axes.collections  # a single round has none
    tops = {round(float(y), 6) for y in band.get_paths()[0].vertices[:, 1]}
    assert {round(4 + 2**0.5, 6), round(4 - 2**0.5, 6), 1.0} <= tops
    assert [each.get_text() for each in axes.get_legend().get_texts()] == ["train", "test"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("epoch", "error")


def steep(count=6):
    return [50.0] + [1 / step for step in range(1, count)]


def test_a_high_first_epoch_does_not_squeeze_the_others():
    axes = plots.curves({"loss": [steep()], "other": [[0.5] * 6]})
    bottom, top = axes.get_ylim()
    assert 0 < bottom < 1 / 5
    assert 1 < top < 1.5
    assert axes.get_title(loc="left") == "above, epoch 1: up to 50"
    assert list(axes.get_lines()[0].get_ydata()) == steep()  # cut off, not left out


def test_a_log_axis_may_be_chosen_later():
    axes = plots.curves({"loss": [steep(40)]})
    axes.set_yscale("log")
    axes.figure.canvas.draw()
    assert 0 < axes.get_ylim()[0] < 1 / 39


WHOLE = {
    "even": ([[3.0, 2.5, 2.0, 1.0, 0.5]], "linear"),
    "too short to judge": ([steep(3)], "linear"),
    "a log axis shows both": ([steep()], "log"),
    "constant behind": ([[5.0, 1, 1, 1, 1, 1]], "linear"),
    "not finite": ([[inf, 1.0, 0.5, 0.4, 0.3]], "linear"),
    "no steps": ([[]], "linear"),
}


@pytest.mark.parametrize("name", WHOLE)
def test_other_curves_are_shown_whole(name):
    rounds, yscale = WHOLE[name]
    axes = plots.curves({"loss": rounds}, yscale=yscale)
    assert axes.get_title(loc="left") == ""
    _, top = axes.get_ylim()
    assert all(value <= top for value in rounds[0] if value < inf)
    assert axes.get_yscale() == yscale


def test_epochs_are_integers():
    axes = plots.curves({"loss": [[3.0, 2.0, 1.0]]})
    axes.figure.canvas.draw()
    assert all(tick == round(tick) for tick in axes.get_xticks())
    with pytest.raises(gn.RangeError, match="yscale must be"):
        plots.curves({"loss": [[1.0]]}, yscale="logarithmic")


def test_a_single_epoch_is_a_point():
    (line,) = plots.curves({"loss": [[3.0]]}).get_lines()
    assert line.get_marker() == "o"


def test_many_curves_can_be_distinguished():
    axes = plots.curves({f"curve {number}": [[1.0, number]] for number in range(14)})
    looks = [(line.get_color(), line.get_linestyle()) for line in axes.get_lines()]
    assert len(set(looks)) == 14


def test_each_step_takes_the_rounds_that_reach_it():
    means, spreads = plots.mean_and_deviation([[1.0], [2.0, 4.0], [6.0, 8.0, 7.0]])
    assert means == [3.0, 6.0, 7.0]
    assert spreads == pytest.approx([statistics.stdev([1, 2, 6]), statistics.stdev([4, 8]), 0.0])
    axes = plots.curves({"loss": [[1.0], [1.0, 2.0]]})
    assert [list(line.get_ydata()) for line in axes.get_lines()] == [[1.0, 2.0]]


def test_a_band_that_would_reach_zero_ends_at_the_lowest_round():
    axes = plots.curves({"loss": [[0.1, 1.0], [4.0, 1.0], [0.1, 1.0]]})
    (band,) = axes.collections
    assert min(y for _, y in band.get_paths()[0].vertices) == 0.1


def test_the_plane_is_a_grid_of_middle_points():
    points = plots.plane(4)
    assert points.shape == (16, 2)
    assert points[0].tolist() == [0.125, 0.125]
    assert points[1].tolist() == [0.375, 0.125]
    assert points[4].tolist() == [0.125, 0.375]


def disk_scores(points):
    inside = ((points - 0.5) ** 2).sum(1) < gn.data.RADIUS**2
    return torch.stack([~inside, inside], 1).float()


def test_the_true_disk_has_no_wrong_points_and_half_of_the_plane():
    points, labels = gn.data.disk(200, torch.Generator().manual_seed(0))
    axes = plots.boundary(disk_scores, points, labels, grid=50)
    assert axes.get_title() == "0 of 200 wrong"
    share = disk_scores(plots.plane(200)).argmax(1).float().mean()
    assert abs(float(share) - 0.5) < 0.005  # squares of 1/200 along the circle
    assert len(axes.patches) == 1
    axes = plots.boundary(lambda p: disk_scores(p).flip(1), points, labels, circle=False, grid=9)
    assert axes.get_title() == "200 of 200 wrong"
    assert len(axes.patches) == 0


def luminance(colour):
    """The relative luminance of WCAG."""
    channels = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), channels, strict=True))


def contrast(one, other):
    """That of WCAG: 4.5 for letters, 3 for lines."""
    dark, light = sorted(luminance(matplotlib.colors.to_rgb(each)) for each in (one, other))
    return (light + 0.05) / (dark + 0.05)


def test_points_stand_out_from_the_ground_and_the_legend_names_all():
    points, labels = gn.data.disk(100, torch.Generator().manual_seed(0))
    labels[:5] = 1 - labels[:5]
    axes = plots.boundary(disk_scores, points, labels, grid=20)
    (ground,) = axes.get_images()
    lit = [luminance(ground.cmap(share)) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    for shown in axes.collections:
        if len(shown.get_offsets()):
            colours = [*shown.get_facecolor(), *shown.get_edgecolor()]  # crosses have edges only
            dark = luminance(colours[0])
            assert all((light + 0.05) / (dark + 0.05) > 4.5 for light in lit)
    texts = [each.get_text() for each in axes.get_legend().get_texts()]
    assert texts == ["boundary of the network", "class 0", "class 1", "wrong", "true circle"]


def graph_with_gradients():
    with gn.Graph() as graph:
        loss = gn.Linear(2, 2)(gn.Input((None, 2), name="x")).tanh().sum()
    graph.forward(x=torch.ones(3, 2))
    graph.backward(loss)
    return graph


def history():
    found = gn.History()
    found.epochs += [{"epoch": n, "loss": 1 / n, "validation_loss": 2 / n} for n in range(1, 9)]
    return found


POINTS = gn.data.disk(100, torch.Generator().manual_seed(0))
CLASSES = torch.arange(5).repeat_interleave(torch.tensor([1, 4, 9, 40, 90]))
PLOTS = {
    "curves": lambda **to: plots.curves(
        {f"curve {n}": [steep(), [n, *steep()[1:]]] for n in range(6)}, **to
    ),
    "history": lambda **to: history().plot(**to),
    "gradient flow": lambda **to: plots.gradient_flow(graph_with_gradients(), **to),
    "boundary": lambda **to: plots.boundary(lambda p: disk_scores(p * 1.1), *POINTS, grid=30, **to),
    "classification": lambda **to: plots.classification(disk_scores, *POINTS, **to),
    "units": lambda **to: plots.units(torch.arange(-40.0, 40).view(16, 5), **to).axes[0],
    "confusion": lambda **to: plots.confusion(CLASSES, CLASSES.flip(0), 5, **to),
}


def letters_of(figure):
    """Each text that is seen, and its ground."""
    figure.canvas.draw()
    for text in figure.findobj(matplotlib.text.Text):
        seen = text.axes is None or text.axes.axison or text in (text.axes.title,)
        if text.get_text() and text.get_visible() and seen:
            image = [image for axes in figure.axes if text in axes.texts for image in axes.images]
            ground = figure.get_facecolor()
            for each in image:  # a number in a table
                column, row = map(int, text.get_position())
                ground = each.cmap(each.norm(each.get_array()[row, column]))
            yield text, ground


def lines_of(figure):
    """The colour of each curve and bar."""
    for axes in figure.axes:
        yield from (line.get_color() for line in axes.get_lines() if len(line.get_xdata()))
        yield from (bar.get_facecolor() for bar in axes.patches if bar.get_fill())


STYLES = ["default", "dark_background"]


@pytest.mark.parametrize(
    ("theme", "style"),
    [
        *(("auto", style) for style in STYLES),
        ("light", "dark_background"),
        ("dark", "default"),
        pytest.param("light", "default", marks=pytest.mark.slow),
        pytest.param("dark", "dark_background", marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_can_be_read_on_its_ground(name, theme, style):
    with matplotlib.style.context(style):
        figure = PLOTS[name](theme=theme).figure
        ground = figure.get_facecolor()
        is_dark = theme == "dark" or (theme == "auto" and style == "dark_background")
        assert (luminance(ground) < 0.1) == is_dark
        texts = list(letters_of(figure))
        assert texts
        for text, behind in texts:
            assert contrast(text.get_color(), behind) >= 4.5, text
        for line in lines_of(figure):
            assert contrast(line, ground) >= 3
        for axes in figure.axes:
            sides = [side for side in axes.spines.values() if axes.axison]
            assert all(contrast(side.get_edgecolor(), ground) >= 3 for side in sides)
            for image in axes.get_images():  # the middle of a map is the ground, or nearly
                assert name == "confusion" or contrast(image.cmap(0.5), ground) < 1.3


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_of_one_plot_differ(theme):
    lines = [line.get_color() for line in PLOTS["curves"](theme=theme).get_lines()]
    grey = sorted(luminance(matplotlib.colors.to_rgb(each)) for each in lines)
    assert len(set(lines)) == 6
    assert grey[-1] > 2 * grey[0]


def test_axes_that_are_given_take_the_theme_too():
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots()
    plots.curves({"loss": [[2.0, 1.0]]}, axes=axes, theme="dark")
    assert luminance(figure.get_facecolor()) < 0.1
    plain, axes = plt.subplots(facecolor="#123456")
    plots.curves({"loss": [[2.0, 1.0]]}, axes=axes)
    assert matplotlib.colors.to_hex(plain.get_facecolor()) == "#123456"


@pytest.mark.parametrize(("letters", "is_dark"), [("white", True), ("black", False)])
def test_on_no_ground_at_all_the_letters_say_what_it_is(letters, is_dark):
    style = {"figure.facecolor": "none", "axes.facecolor": "none", "text.color": letters}
    with matplotlib.rc_context(style):
        (line,) = plots.curves({"loss": [[2.0, 1.0]]}).get_lines()
    assert (contrast(line.get_color(), "#11171f") > contrast(line.get_color(), "white")) == is_dark


@pytest.mark.parametrize("name", PLOTS)
def test_a_theme_is_one_of_three(name):
    with pytest.raises(gn.RangeError, match="theme must be 'auto', 'light' or 'dark'"):
        PLOTS[name](theme="Dark")


def test_a_network_that_knows_one_class_has_no_boundary():
    points, labels = gn.data.disk(20, torch.Generator().manual_seed(0))
    axes = plots.boundary(lambda p: torch.stack([p[:, 0] * 0, p[:, 0] + 1], 1), points, labels)
    axes.figure.canvas.draw()
    assert len(axes.get_images()) == 1


def test_a_classification_shows_what_was_predicted():
    points, labels = gn.data.disk(100, torch.Generator().manual_seed(0))
    labels[:7] = 1 - labels[:7]
    axes = plots.classification(disk_scores, points, labels)
    assert axes.get_title() == "7 of 100 wrong"
    shown = sum(len(each.get_offsets()) for each in axes.collections)
    assert shown == 100
    assert len(axes.patches) == 1
    with pytest.raises(gn.ShapeError, match=r"Points are \(n, 2\)"):
        plots.classification(disk_scores, points[0], labels)


def test_a_canvas_needs_no_window():
    import matplotlib.pyplot as plt

    before = plt.get_fignums()
    figure = plots.canvas(2, 1)
    figure.subplots().plot([1, 2])
    assert plt.get_fignums() == before
    assert tuple(figure.get_size_inches()) == (2, 1)


def test_each_unit_gets_a_map_on_one_scale():
    figure = plots.units(torch.arange(48.0).view(16, 3), columns=2, title="0.tanh")
    *maps, bar = figure.axes
    pictures = [image for axes in maps for image in axes.get_images()]
    assert len(pictures) == 3
    assert pictures[1].get_array().tolist() == torch.arange(1.0, 48, 3).view(4, 4).tolist()
    assert {picture.get_clim() for picture in pictures} == {(-47.0, 47.0)}
    assert figure.get_suptitle() == "0.tanh"
    assert bar.get_ylabel() == "value"
    assert plots.units(torch.ones(4, 1)).get_suptitle() == "1 unit"


@pytest.mark.parametrize(
    ("count", "most", "rows"),
    [(1, 8, [1]), (8, 8, [8]), (10, 8, [5, 5]), (25, 8, [5] * 5), (16, 8, [8, 8]), (13, 8, [7, 6])],
)
def test_rows_of_maps_are_even(count, most, rows):
    figure = plots.units(torch.ones(4, count), columns=most)
    places = [axes.get_subplotspec() for axes in figure.axes if axes.get_images()]
    found = [sum(place.rowspan.start == row for place in places) for row in range(len(rows))]
    assert found == rows
    assert sum(found) == count


@pytest.mark.parametrize("value", [0.0, inf, float("nan")])
def test_units_without_a_scale_are_drawn(value):
    figure = plots.units(torch.full((4, 2), value))
    assert figure.axes[0].get_images()[0].get_clim() == (-1.0, 1.0)
    figure.canvas.draw()


def test_gradient_flow_shows_norms_in_the_order_of_the_list():
    layer = gn.Linear(2, 2)
    with gn.Graph() as graph:
        loss = layer(gn.Input((None, 2), name="x")).tanh().sum()
    graph.forward(x=torch.ones(3, 2))
    graph.backward(loss)
    axes = plots.gradient_flow(graph)
    nodes = [node for node in graph if node.kind in ("parameter", "operation")]
    assert [each.get_text() for each in axes.get_xticklabels()] == [node.name for node in nodes]
    heights = [bar.get_height() for bar in axes.patches]
    assert heights == pytest.approx([float(node.grad.norm()) for node in nodes])


def test_without_a_gradient_nothing_flows():
    graph = gn.Graph()
    graph.input((2,), name="x")
    with pytest.raises(gn.GraphError, match="backward"):
        plots.gradient_flow(graph)


def test_a_confusion_matrix_counts():
    targets, predictions = torch.tensor([0, 0, 1, 2, 2]), torch.tensor([0, 1, 1, 2, 0])
    axes = plots.confusion(targets, predictions, 3)
    texts = [int(each.get_text()) for each in axes.texts]
    assert texts == [1, 1, 0, 0, 1, 0, 1, 0, 1]


@pytest.mark.parametrize(
    "call",
    [
        lambda: plots.boundary(disk_scores, torch.ones(3), torch.ones(3)),
        lambda: plots.units(torch.ones(3, 2)),
        lambda: plots.confusion(torch.ones(2).long(), torch.ones(3).long(), 2),
    ],
    ids=["points", "units", "confusion"],
)
def test_wrong_shapes_are_refused(call):
    with pytest.raises(gn.ShapeError):
        call()
