"""Train a network to tell points inside a disk from points outside, and print its errors.

python test.py                  2 inputs, three hidden layers of 25, 2 outputs
python test.py --rounds 20      fresh points and weights each round: mean and deviation
python test.py --plot figures   pictures of the network, its training and its errors
python test.py --playground disk.html   a page in which the network trains
python test.py --help           all options
"""

import sys
from time import perf_counter

import torch

import graphnet as gn
from graphnet.experiments import disk
from graphnet.experiments.options import Settings, read_options
from graphnet.experiments.report import Report, Result, write_figures


def main() -> None:
    """Run as many rounds as asked for, and show what they gave."""
    torch.set_grad_enabled(False)  # graphnet computes every derivative itself
    settings = read_options()
    if settings.playground:
        print(f"{disk.write_playground(settings, settings.playground)}: open it in a browser.")
        return
    report = Report(settings)
    for seed in settings.seeds:
        task, test_points = one_round(seed, settings, report)
    report.finish()
    if settings.plot:
        write_figures(settings.plot, task, test_points, report.results)


def one_round(seed: int, settings: Settings, report: Report) -> tuple[disk.Task, disk.Points]:
    """Draw points, build the network as a list of nodes, train it, and count its errors."""
    generator = torch.Generator().manual_seed(seed)
    train_points = gn.data.disk(1000, generator)
    test_points = gn.data.disk(1000, generator)

    model = disk.network(settings, generator)
    task = disk.Task(model, settings)
    report.graph(task.graph)

    def errors() -> tuple[float, float]:
        return task.error(train_points), task.error(test_points)

    start, losses = perf_counter(), []
    if settings.load:
        gn.load_weights(model, settings.load)
    else:
        watch = report.watch(errors)
        losses = disk.train(task, train_points, settings, generator, watch)["loss"]
    seconds = perf_counter() - start

    if settings.save:
        gn.save_weights(model, settings.save)
    report.round(Result(seed, losses, *errors(), seconds, report.curve))
    return task, test_points


if __name__ == "__main__":
    try:
        main()
    except (gn.GraphError, OSError) as error:
        sys.exit(f"test.py: {error}")
