"""The same work on a Dask cluster: paths travel, pixels never do. The only code that imports distributed.

Every worker must see the files under the same paths as this process.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from deblurcli import parallel
from deblurcli.batch import run
from deblurcli.batch.jobs import Job, Options
from deblurcli.batch.record import FAILED, Outcome, Pictures, Written
from deblurcli.batch.run import Runner, Work
from deblurcli.errors import ClusterError
from deblurcli.pictures.storage import STANDARD

if TYPE_CHECKING:
    from distributed import Client, Future

CHUNKS_PER_THREAD = 8
LARGEST_CHUNK = 64
_ADDRESS = re.compile(r"((tcp|tls|ws|wss|ucx)://)?[^\s/]+:\d+|inproc://\S+")
CHUNKS_AHEAD = 2  # per thread: one in work and one on its way


def runner(address: str) -> Runner:
    """What does the jobs of `run.transform` on the Dask cluster whose scheduler listens at an address.

    Raises ClusterError when the package is missing.
    """
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        raise ClusterError("--cluster needs the package distributed; install deblurcli[cluster]") from error
    return partial(_run, address)


def _run(address: str, jobs: Sequence[Job], function: Work, options: Options) -> Pictures:
    """The outcome of every job as its chunk is done; a chunk whose worker is lost goes to another one.

    At Ctrl-C no further chunk is sent; those on the cluster are waited for and yielded, and KeyboardInterrupt is
    raised; a second one drops them.
    """
    if any(STANDARD in (job.source, job.target) for job in jobs[:1]):  # a folder's jobs never are
        raise ClusterError("--cluster works on files; name the input and the output")
    from distributed import as_completed

    sent: dict[Future, Sequence[Job]] = {}
    with _connected(address) as client, parallel.Interrupt(lambda: sum(map(len, sent.values()))) as interrupt:
        threads = sum(_threads(client).values())
        chunks = iter(_chunks(jobs, threads))
        send = partial(_send, client, function, options)
        sent.update(send(chunk) for chunk in islice(chunks, CHUNKS_AHEAD * threads))
        finished = as_completed(sent, loop=client.loop)
        while sent:
            future = next(finished)
            outcomes = _outcomes(address, future, sent.pop(future))
            for following, chunk in map(send, islice(chunks, 0 if interrupt.noted else 1)):
                sent[following] = chunk
                finished.add(following)
            yield from outcomes


def _send(client: Client, function: Work, options: Options, chunk: Sequence[Job]) -> tuple[Future, Sequence[Job]]:
    """A chunk on its way: its future, and the chunk."""
    return client.submit(run.in_turn, [_absolute(job) for job in chunk], function, options, pure=False), chunk


def _connected(address: str) -> Client:
    """A client of the scheduler; ClusterError when nobody answers or there are no workers."""
    from distributed import Client

    if not _ADDRESS.fullmatch(address):
        raise ClusterError(f"--cluster {address}: is not the address of a scheduler; give one such as tcp://node1:8786")
    for name in ("distributed", "tornado"):  # what goes wrong is an error of ours
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        client = Client(address, timeout="15s", set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterError(f"--cluster {address}: no scheduler answers there; start one with dask scheduler") from error
    if not _threads(client):
        client.close()
        raise ClusterError(f"--cluster {address}: the scheduler has no workers; start some with dask worker {address}")
    try:
        _check_versions(client, address)
    except ClusterError:
        client.close()
        raise
    return client


def _threads(client: Client) -> dict[str, int]:
    """How many threads each worker has, by its address."""
    return cast("dict[str, int]", client.nthreads())  # a coroutine only for clients that are asynchronous


def _check_versions(client: Client, address: str, package: str = "deblurcli") -> None:
    """ClusterError when the scheduler or a worker has another version of this package than is here, or none."""
    here = _tried(version, package)
    there = {
        "the scheduler": _tried(client.run_on_scheduler, version, package),
        **cast("dict[str, Any]", client.run(version, package, on_error="return")),
    }
    for place, found in there.items():
        if str(found) != str(here):
            has = f"no {package}" if isinstance(found, Exception) else f"{package} {found}"
            raise ClusterError(f"--cluster {address}: {place} has {has}; install {package} {here} there")


def _tried(function: Callable[..., Any], *arguments: object) -> Any:
    """What a function returns, or the PackageNotFoundError it raises."""
    try:
        return function(*arguments)
    except PackageNotFoundError as error:
        return error


def _chunks(jobs: Sequence[Job], threads: int) -> list[Sequence[Job]]:
    """The jobs in pieces small enough to keep every thread busy to the end."""
    size = max(1, min(LARGEST_CHUNK, len(jobs) // (CHUNKS_PER_THREAD * max(threads, 1))))
    return [jobs[first : first + size] for first in range(0, len(jobs), size)]


def _absolute(job: Job) -> Job:
    """The same job for a process that stands in another folder."""
    return replace(job, source=job.source.absolute(), target=job.target.absolute())


def _outcomes(address: str, future: Future, chunk: Sequence[Job]) -> list[Outcome[Job, Written]]:
    """The outcomes of a chunk, under the names its jobs have here.

    Raises ClusterError when the scheduler is lost.
    """
    from concurrent.futures import CancelledError

    from distributed import KilledWorker

    try:
        return [replace(outcome, job=job) for outcome, job in zip(future.result(), chunk, strict=True)]
    except KilledWorker:
        lost = "the workers that had it were lost, several times; look at their memory"
        return [Outcome(job, FAILED, error=f"{job.name}: {lost}") for job in chunk]
    except (CancelledError, OSError) as error:
        raise ClusterError(f"--cluster {address}: the scheduler was lost; run again with --skip-existing") from error
