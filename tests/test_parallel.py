import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from deblurcli import parallel


def test_results_come_in_the_order_of_the_items():
    with ThreadPoolExecutor(4) as pool:
        assert list(parallel.in_order(pool, lambda n: time.sleep(0.01 * (n % 3)) or n, range(30), 8)) == list(range(30))


def test_every_result_comes_once_in_any_order():
    with ThreadPoolExecutor(4) as pool:
        assert sorted(parallel.as_done(pool, lambda n: n * n, range(50), 8)) == [n * n for n in range(50)]


@pytest.mark.parametrize("spread", [parallel.in_order, parallel.as_done])
def test_no_more_is_begun_than_asked_for(spread):
    taken = []

    def items():
        for n in range(100):
            taken.append(n)
            yield n

    with ThreadPoolExecutor(2) as pool:
        for yielded, _ in enumerate(spread(pool, lambda n: n, items(), 4), start=1):
            assert len(taken) <= yielded + 2 * 4


@pytest.mark.parametrize("spread", [parallel.in_order, parallel.as_done])
def test_an_early_exit_drops_what_is_not_begun(spread):
    begun, gate = [], threading.Event()

    def work(n):
        begun.append(n)
        gate.wait(5 if n else 0)

    with ThreadPoolExecutor(1) as pool:
        results = spread(pool, work, range(1000), 8)
        next(results)
        results.close()
        gate.set()
    assert len(begun) <= 3


@pytest.mark.parametrize("spread", [parallel.in_order, parallel.as_done])
def test_no_items_give_no_results(spread):
    with ThreadPoolExecutor(1) as pool:
        assert list(spread(pool, lambda n: n, [], 4)) == []


def test_there_is_at_least_one_cpu():
    assert parallel.cpus() >= 1
