"""The numbers of several processes are those of one with the whole batch."""

from __future__ import annotations

import torch
from process_checks.trainings import CASES, T, X, columns, largest, mlp, normed, trained
from torch import nn

import graphnet as gn

CLOSE = 1e-12
"""Sums are taken in another order; of numbers of about 1, in float64."""


def same_as_one(launcher, size, cases, forms, sync=True, **settings):
    """Each case, walked and compiled: equal to one process, and equal to the bit among ranks."""
    expected = {(case, form): trained(case, form, **settings) for case in cases for form in forms}

    def work(rank):
        group = gn.distributed.join(timeout=60)
        for (case, form), (history, weights) in expected.items():
            made, found = trained(case, form, group, **settings)
            pairs = zip(columns(made), columns(history), strict=True)
            wrong = max(abs(a - b) for a, b in pairs), largest(found, weights)
            assert max(wrong) < CLOSE, (case, form, wrong)
            learned = {name: each for name, each in found.items() if "running" not in name}
            bits = b"".join(each.numpy().tobytes() for each in learned.values())
            assert len(set(group.gather(bits))) == 1, (case, form)

    launcher.succeed(size, work)


def check_two_processes(launcher):
    """Compiled in each case; walked where steps differ: with sums of rows, weights and batches."""
    same_as_one(launcher, 2, CASES, (True,), epochs=1)
    walked = ["batch norm", "accumulated", "clipped", "weighted", "two losses, ignored"]
    same_as_one(launcher, 2, walked, (False,), epochs=1)


def check_all_cases_for_two_processes(launcher):
    same_as_one(launcher, 2, CASES, (False, True), epochs=1)


def check_native(launcher):
    cases = [case for case in CASES if case in ("plain", "weighted", "clipped", "accumulated")]
    same_as_one(launcher, 2, cases, ("c",))


def check_four_processes_of_which_some_have_no_rows(launcher):
    cases = ["plain", "batch norm", "ignored, batch norm", "two losses, ignored"]
    same_as_one(launcher, 4, cases, (False, True), batch_size=5)


def check_one_process_of_a_launcher(launcher):
    same_as_one(launcher, 1, ["plain", "batch norm"], (True,))


def check_three_epochs(launcher):
    same_as_one(launcher, 2, CASES, (False, True, "c"))


def check_batch_norm_is_that_of_torch(launcher):
    """The oracle is torch.nn on the whole batch, with its gradients and running statistics."""
    torch.manual_seed(0)
    known = nn.Sequential(
        nn.Linear(5, 16, bias=False), nn.BatchNorm1d(16), nn.Tanh(), nn.Linear(16, 3)
    )
    known.double()
    first = {name: value.clone() for name, value in known.state_dict().items()}
    with torch.enable_grad():
        optimizer = torch.optim.SGD(known.parameters(), lr=0.1)
        pairs, losses = [*zip(X.split(9), T.split(9), strict=True)], []
        for x, t in pairs:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(known(x), t)
            loss.backward()
            optimizer.step()
            losses.append(float(loss))

    def work(rank):
        group = gn.distributed.join(timeout=60)
        for walked in (False, True):
            model = normed().double()
            model.load_state_dict(first)
            with group.synchronized(), gn.Graph() as graph:
                x = gn.Input((None, 5), name="x", dtype=torch.float64)
                t = gn.Input((None,), name="t", dtype=torch.int64)
                loss = gn.LossCrossEntropy()(model(x), t)
            sgd = gn.SGD(model.parameters(), lr=0.1)
            backend = "eager" if walked else None
            step = graph.compile(loss, sgd, across=group, backend=backend)
            found = []
            for rows, labels in pairs:
                mine = group.part(len(rows))
                found.append(float(step(x=rows[mine], t=labels[mine])))
            assert max(abs(a - b) for a, b in zip(found, losses, strict=True)) < CLOSE
            assert largest(dict(model.state_dict()), known.state_dict()) < CLOSE

    launcher.succeed(2, work)


def check_a_batch_norm_of_one_row_is_refused(launcher):
    """In one process, and on every rank of several: in `fit`, walked or compiled, and in a loop."""
    one = {"drop_last": False, "batch_size": 6, "validation_split": 0, "epochs": 2}

    def refused(compile, across):
        try:
            trained("batch norm", compile, across, **one)  # 43 rows: the last batch has one
        except gn.ShapeError as error:
            return str(error).split("\n")[0]  # the next ones say how many rows this rank has
        raise AssertionError("it was accepted")

    words = "a normalization needs more than one value to average over, since one value has no var"
    assert all(words in refused(compile, False) for compile in (False, True))

    def work(rank):
        group = gn.distributed.join(timeout=10)
        for compile in (False, True):
            text = refused(compile, group)
            assert words in text and "got one in all processes together" in text, text
            assert len(set(group.gather(text.encode()))) == 1, text
        in_a_loop(group)

    launcher.succeed(3, work)
    launcher.succeed(1, lambda rank: refused(True, True))


def in_a_loop(group):
    """Steps of one row, of none, and then of two, with two norms on two ways."""
    torch.manual_seed(0)
    model, other = normed().double(), normed().double()
    with group.synchronized(), gn.Graph() as graph:
        x = gn.Input((None, 5), name="x", dtype=torch.float64)
        t = gn.Input((None,), name="t", dtype=torch.int64)
        loss = gn.LossCrossEntropy()(model(x) + other(x), t)
    sgd = gn.SGD([*model.parameters(), *other.parameters()], lr=0.1)
    step = graph.compile(loss, sgd, across=group)
    first = {name: each.clone() for name, each in model.state_dict().items()}
    for size, kind in ((1, gn.ShapeError), (0, gn.EmptyBatchError), (1, gn.ShapeError)):
        mine = group.part(size)
        try:
            step(x=X[:size][mine], t=T[:size][mine])
        except kind as error:
            assert ("more than one value" if size else "No process has rows") in str(error)
        else:
            raise AssertionError("it was made")
        assert largest(first, dict(model.state_dict())) == 0, "statistics have moved"
    mine = group.part(2)
    assert torch.isfinite(step(x=X[:2][mine], t=T[:2][mine]))


def check_a_loop_of_ones_own(launcher):
    """Steps by weight, accumulated steps, steps without rows, and what is refused."""

    def run(group, weigh):
        torch.manual_seed(0)
        model, graph = mlp().double(), gn.Graph()
        with graph:
            x = gn.Input((None, 5), name="x", dtype=torch.float64)
            t = gn.Input((None,), name="t", dtype=torch.int64)
            loss = gn.LossCrossEntropy()(model(x), t)
        step = graph.compile(loss, gn.Adam(model.parameters(), lr=0.1), across=group, max_norm=1.0)
        losses = []
        for size in (10, 1, 7):
            mine = group.part(size)
            feed = {"x": X[:size][mine], "t": T[:size][mine]}
            losses.append(float(step(feed, float(len(feed["t"]))) if weigh else step(feed)))
        mine, other = group.part(9), group.part(4)
        step.accumulate(x=X[:9][mine], t=T[:9][mine])
        losses.append(float(step(x=X[9:13][other], t=T[9:13][other])))
        return losses, dict(model.state_dict()), step

    alone, expected, _ = run(gn.distributed.Group(), False)

    def work(rank):
        group = gn.distributed.join(timeout=60)
        for weigh in (False, True):
            losses, found, step = run(group, weigh)
            assert max(abs(a - b) for a, b in zip(losses, alone, strict=True)) < CLOSE
            assert largest(found, expected) < CLOSE
        assert "summed here" in step.source and "rank" in repr(step)
        try:
            step(x=X[:0], t=T[:0])
        except gn.EmptyBatchError as error:
            assert "No process has rows" in str(error)
        else:
            raise AssertionError("it was made without rows")
        assert largest(dict(step.graph.parameters()[0].graph and found), expected) < CLOSE

    launcher.succeed(3, work)


def check_sums_and_messages(launcher):
    def work(rank):
        group = gn.distributed.join(timeout=60)
        size = group.size
        assert (group.rank, size) == (rank, 3) and gn.distributed.join() is group
        assert group.gather(b"x" * rank) == [b"", b"x", b"xx"]
        assert group.sum_of([1.0, rank]) == [3.0, 3.0]
        for kind in (torch.float16, torch.bfloat16, torch.float32, torch.int64):
            x = torch.full((2, 3), rank + 1).to(kind)
            assert group.all_reduce(x).equal(torch.full((2, 3), 6).to(kind)) and x[0, 0] == rank + 1
            turned = torch.full((3, 2), rank + 1).to(kind).T
            assert group.sum_(turned) is turned and turned.equal(torch.full((2, 3), 6).to(kind))
        for rows in (torch.randn(5, 2), torch.randn(2, 3) > 0, torch.randn(1).bfloat16(),
                     torch.zeros(4, 0), torch.zeros(0, 3)):  # fmt: skip
            group.broadcast_(rows)
            sizes = [len(rows[group.part(len(rows), each)]) for each in range(size)]
            assert group.gather_rows(rows[group.part(len(rows))], sizes).equal(rows)
        assert group.from_rank_0(lambda: b"first" if rank == 0 else b"other") == b"first"
        with group.apart():
            assert group.all_reduce(torch.ones(2)).tolist() == [1, 1]
        try:
            group.from_rank_0(lambda: {}["no"])
        except (KeyError, gn.GraphError) as error:
            assert "no" in str(error) and isinstance(error, KeyError) == (rank == 0)

    launcher.succeed(3, work)


def check_gradients_between_frozen_ones(launcher):
    """Frozen parameters lie between, several optimizers, two dtypes: the same sums."""

    def run(group):
        torch.manual_seed(0)
        first, middle, last = gn.Linear(5, 4), gn.Linear(4, 4), gn.Linear(4, 3)
        model = gn.Sequential(first, gn.Tanh(), middle, gn.Tanh(), last).double()
        middle.weight.requires_grad = False
        data, ce = (X, T), gn.LossCrossEntropy()
        optimizer = gn.Adam(model.parameters(), lr=0.1)
        gn.fit(model, ce, data, optimizer, epochs=2, batch_size=10, seed=0, across=group)
        return dict(model.state_dict())

    expected = run(False)

    def work(rank):
        assert largest(run(True), expected) < CLOSE

    launcher.succeed(2, work)


def check_random_numbers(launcher):
    """Dropout masks differ from rank to rank, and are the same in a second run."""

    class Keep(gn.Callback):
        def step(self, run):
            masks.append(next(n for n in run.task.graph if "mask" in n.name).top.clone())

    masks = []
    own = torch.Generator().manual_seed(3)

    def once(group, seed):
        masks.clear()
        torch.manual_seed(0)
        model = gn.Sequential(gn.Linear(5, 40), gn.Dropout(0.5), gn.Linear(40, 3)).double()

        def noisy(x, t, generator):
            return x + torch.randn(x.shape, generator=generator, dtype=x.dtype), t

        gn.fit(
            model, gn.LossCrossEntropy(), (X[:40], T[:40]), gn.SGD(model.parameters(), lr=0.1),
            epochs=2, batch_size=10, seed=seed, across=group, compile=False, callbacks=[Keep()],
            augment=noisy,
        )  # fmt: skip
        return list(masks), dict(model.state_dict())

    def work(rank):
        group = gn.distributed.join(timeout=60)
        (one, weights), (two, again), (other, _) = (once(group, s) for s in (0, 0, 1))
        assert largest(weights, again) == 0
        assert all(a.equal(b) for a, b in zip(one, two, strict=True))
        assert not one[0].equal(one[1]) and not one[0].equal(other[0])
        of_all = group.gather(one[0].numpy().tobytes())
        assert len(set(of_all)) == group.size

    launcher.succeed(2, work)
    assert own.initial_seed() == 3
