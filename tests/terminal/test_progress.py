import io
import threading

import numpy as np
import pytest
from rich.console import Console
from rich.progress import Progress

from deblurcli.batch.run import Batch
from deblurcli.pictures.images import Picture
from deblurcli.pictures.processed import Processed
from deblurcli.terminal import progress
from deblurcli.terminal.progress import Ticker

PICTURE = Picture(np.zeros((2, 2, 1), np.uint8))


def test_a_picture_counts_by_its_parts_and_no_more_once_it_is_over():
    ticker, seen = Ticker(), []

    def work(picture, key):
        for _ in range(4):
            ticker(0.3)
            seen.append(ticker.parts)
        return Processed(picture)

    ticker.watched(work)(PICTURE, "a.png")
    assert seen == pytest.approx([0.3, 0.6, 0.9, 1.0]) and ticker.parts == 0 and ticker.name == "a.png"


def test_threads_that_help_with_the_only_picture_count_for_it():
    ticker = Ticker()
    with ticker.at("a.png"):
        helper = threading.Thread(target=ticker, args=(0.5,))
        helper.start()
        helper.join()
        assert ticker.parts == 0.5


def test_parts_of_several_pictures_add_up():
    ticker, gate, ready = Ticker(), threading.Event(), threading.Barrier(3)

    def work(picture, key):
        ticker(float(key))
        ready.wait(5)
        gate.wait(5)
        return Processed(picture)

    threads = [threading.Thread(target=ticker.watched(work), args=(PICTURE, key)) for key in ("0.25", "0.5")]
    for thread in threads:
        thread.start()
    ready.wait(5)
    assert ticker.parts == 0.75
    gate.set()
    for thread in threads:
        thread.join()
    assert ticker.parts == 0


@pytest.fixture
def shown():
    """What the column of the pace shows when so much is done after so many seconds."""
    clock = [0.0]
    column = progress._Pace(lambda: clock[0])
    bar = Progress(column, get_time=lambda: clock[0], console=Console(file=io.StringIO()))
    bar.add_task("x", total=100)

    def shown(done, seconds):
        clock[0] = seconds
        bar.tasks[0].completed = done
        return str(column.render(bar.tasks[0]))

    return shown


def test_the_time_left_counts_down_and_does_not_jump(shown):
    assert shown(0, 2) == shown(1, 2.9) == ""
    assert shown(10, 10) == "1.0 pictures/s, 90 s left"
    assert shown(10, 11) == "0.9 pictures/s, 89 s left", "a mean of 99 s is no reason to take a second back"
    assert shown(11, 20) == "0.6 pictures/s, 3 minutes left", "one of 162 s is"


def test_pictures_that_keep_coming_have_no_end():
    column = progress._Pace()
    bar = Progress(column, get_time=lambda: 10.0 if bar_started else 0.0, console=Console(file=io.StringIO()))
    bar_started = []
    bar.add_task("x", total=None)
    bar_started.append(True)
    bar.tasks[0].completed = 5
    assert str(column.render(bar.tasks[0])) == "0.5 pictures/s"


def test_a_batch_that_nobody_takes_to_its_end_is_closed():
    closed = []

    def outcomes():
        try:
            yield from range(3)
        finally:
            closed.append(True)

    for _ in progress.follow(Batch(3, outcomes()), "x", quiet=True):
        break
    assert closed == [True]
