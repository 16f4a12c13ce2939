import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from deblurcli import parallel


def test_results_come_in_the_order_of_the_items():
    with ThreadPoolExecutor(4) as pool:
        assert list(parallel.in_order(pool, lambda n: time.sleep(0.01 * (n % 3)) or n, range(30), 8)) == list(range(30))


def in_order(function, items, workers):
    """`parallel.in_order` with the arguments of `parallel.as_done`."""
    with ThreadPoolExecutor(workers) as pool:
        yield from parallel.in_order(pool, function, items, 2 * workers)


def test_every_result_comes_once_in_any_order():
    assert sorted(parallel.as_done(lambda n: n * n, range(50), 4)) == [n * n for n in range(50)]


@pytest.mark.parametrize("spread", [in_order, parallel.as_done])
def test_what_the_function_raises_comes_out(spread):
    with pytest.raises(ZeroDivisionError):
        list(spread(lambda n: 1 // n, [2, 1, 0, 1, 2], 2))


@pytest.fixture
def heeding():
    """Ctrl-C raises KeyboardInterrupt, also where the tests themselves run in the background of a shell."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("where", ["waiting", "taking"])
def test_an_interrupt_begins_nothing_more_and_loses_no_result(where, heeding):
    begun, taken = [], []

    def work(n):
        begun.append(n)
        if n == 5 and where == "waiting":
            os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.02)
        return n

    with pytest.raises(KeyboardInterrupt):
        for n in parallel.as_done(work, range(1000), 3):
            if len(taken) == 5 and where == "taking":
                signal.raise_signal(signal.SIGINT)
            taken.append(n)
    assert sorted(taken) == sorted(begun) and 5 <= len(taken) <= 5 + 3 * 4
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_first_interrupt_is_told_with_what_is_in_work(heeding):
    told, gate = [], threading.Event()

    def listener(left):
        told.append(left)
        gate.set()

    def work(n):
        if n == 3:
            os.kill(os.getpid(), signal.SIGINT)
        assert n < 3 or gate.wait(10)

    with parallel.interrupts_told(listener), pytest.raises(KeyboardInterrupt):
        list(parallel.as_done(work, range(1000), 1))
    assert told == [1]


def test_a_second_interrupt_waits_for_nothing(heeding, monkeypatch):
    monkeypatch.setattr(parallel.Interrupt, "is_urgent", False)
    gate = threading.Event()

    def work(n):
        if n == 2:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.1)
            os.kill(os.getpid(), signal.SIGINT)
            gate.wait(30)
        return n

    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        list(parallel.as_done(work, range(1000), 1))
    assert parallel.Interrupt.is_urgent and time.monotonic() - begun < 20
    gate.set()


def test_a_second_interrupt_is_raised_at_once(heeding, monkeypatch):
    monkeypatch.setattr(parallel.Interrupt, "is_urgent", False)
    taken = []
    with pytest.raises(KeyboardInterrupt):
        for n in parallel.as_done(lambda n: n, range(1000), 1):
            taken.append(n)
            signal.raise_signal(signal.SIGINT)
    assert len(taken) == 2
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_another_handler_than_pythons_stays(heeding):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with parallel.Interrupt(lambda: 0):
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


@pytest.mark.parametrize("spread", [in_order, parallel.as_done])
def test_no_more_is_begun_than_asked_for(spread):
    taken = []

    def items():
        for n in range(100):
            taken.append(n)
            yield n

    for yielded, _ in enumerate(spread(lambda n: n, items(), 2), start=1):
        assert len(taken) <= yielded + 2 * 2 + 2 + 1


@pytest.mark.parametrize("spread", [in_order, parallel.as_done])
def test_an_early_exit_drops_what_is_not_begun(spread):
    begun, gate = [], threading.Event()

    def work(n):
        begun.append(n)
        gate.wait(5 if n else 0)

    results = spread(work, range(1000), 1)
    next(results)
    threading.Timer(0.1, gate.set).start()
    results.close()
    assert len(begun) <= 3


@pytest.mark.parametrize("spread", [in_order, parallel.as_done])
def test_no_items_give_no_results(spread):
    assert list(spread(lambda n: n, [], 2)) == []


def test_there_is_at_least_one_cpu_and_no_more_than_there_are():
    assert 1 <= parallel.cpus() <= os.cpu_count()


@pytest.mark.parametrize(
    ("line", "files", "expected"),
    [
        ("0::/job/step", {"job/cpu.max": "150000 100000", "job/step/cpu.max": "max 100000"}, 1.5),
        ("0::/job", {"cpu.max": "400000 100000", "job/cpu.max": "50000 100000"}, 0.5),
        ("0::/elsewhere", {"cpu.max": "300000 100000"}, 3),
        ("4:cpu,cpuacct:/", {"cpu,cpuacct/cpu.cfs_quota_us": "250000", "cpu,cpuacct/cpu.cfs_period_us": "100000"}, 2.5),
        ("4:cpu:/a", {"cpu/a/cpu.cfs_quota_us": "-1", "cpu/a/cpu.cfs_period_us": "100000"}, os.cpu_count()),
        ("4:memory:/", {"cpu.max": "100000 100000"}, os.cpu_count()),
    ],
)
def test_the_quota_of_a_control_group_is_heeded(tmp_path, line, files, expected):
    for name, text in {
        "proc/self/cgroup": line,
        **{f"sys/fs/cgroup/{name}": text for name, text in files.items()},
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text + "\n")
    assert parallel._quota(tmp_path) == expected


def test_without_control_groups_there_is_no_quota(tmp_path):
    assert parallel._quota(tmp_path) == os.cpu_count()


@pytest.mark.parametrize(("workers", "opencv"), [(1, 3), (2, 1)])
def test_libraries_keep_to_their_callers_threads(workers, opencv):
    import cv2
    from threadpoolctl import threadpool_info, threadpool_limits

    def blas():
        return {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}

    before = cv2.getNumThreads()
    try:
        cv2.setNumThreads(3)
        with threadpool_limits(2, "blas"):
            others = blas()
            with parallel.calm_libraries(workers):
                assert blas() == {1} and cv2.getNumThreads() == opencv
            assert blas() == others and cv2.getNumThreads() == 3
    finally:
        cv2.setNumThreads(before)


def test_libraries_are_calm_until_the_last_run_that_wants_it_ends():
    from threadpoolctl import threadpool_info, threadpool_limits

    def blas():
        return {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}

    with threadpool_limits(2, "blas"):
        others = blas()
        first, second = parallel.calm_libraries(2), parallel.calm_libraries(2)
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert blas() == {1}
        second.__exit__(None, None, None)
        assert blas() == others
