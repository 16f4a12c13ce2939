"""The same work on a Dask cluster: paths travel, pixels never do. The only code that imports distributed.

Every worker must see the files under the same paths as this process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from deblurcli import batch
from deblurcli.batch import FAILED, Outcome, Runner
from deblurcli.errors import ClusterError
from deblurcli.images import Picture
from deblurcli.planning import Job, Options
from deblurcli.storage import STANDARD

CHUNKS_PER_THREAD = 8
LARGEST_CHUNK = 64


def runner(address: str) -> Runner:
    """What does the jobs of `batch.transform` on the Dask cluster whose scheduler listens at an address.

    Raises ClusterError when the package is missing.
    """
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        raise ClusterError("--cluster needs the package distributed; install deblurcli[cluster]") from error
    return partial(_run, address)


def _run(
    address: str, jobs: Sequence[Job], function: Callable[[Picture], Picture], options: Options
) -> Iterator[Outcome]:
    """The outcome of every job as its chunk is done; a chunk whose worker is lost goes to another one."""
    from distributed import as_completed

    if any(STANDARD in (job.source, job.target) for job in jobs):
        raise ClusterError("--cluster works on files; name the input and the output")
    with _connected(address) as client:
        chunks = _chunks(jobs, sum(client.nthreads().values()))
        sent = {
            client.submit(batch.in_turn, [_absolute(job) for job in chunk], function, options, pure=False): chunk
            for chunk in chunks
        }
        for future in as_completed(sent, loop=client.loop):
            yield from _outcomes(future, sent[future])


def _connected(address: str):
    """A client of the scheduler; ClusterError when nobody answers or there are no workers."""
    from distributed import Client

    try:
        client = Client(address, timeout="15s", set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterError(f"--cluster {address}: no scheduler answers there; start one with dask scheduler") from error
    if not client.nthreads():
        client.close()
        raise ClusterError(f"--cluster {address}: the scheduler has no workers; start some with dask worker {address}")
    return client


def _chunks(jobs: Sequence[Job], threads: int) -> list[Sequence[Job]]:
    """The jobs in pieces small enough to keep every thread busy to the end."""
    size = max(1, min(LARGEST_CHUNK, len(jobs) // (CHUNKS_PER_THREAD * max(threads, 1))))
    return [jobs[first : first + size] for first in range(0, len(jobs), size)]


def _absolute(job: Job) -> Job:
    """The same job for a process that stands in another folder."""
    return Job(job.source.absolute(), job.target.absolute())


def _outcomes(future, chunk: Sequence[Job]) -> list[Outcome]:
    """The outcomes of a chunk, under the names its jobs have here."""
    from distributed import KilledWorker

    try:
        return [replace(outcome, job=job) for outcome, job in zip(future.result(), chunk, strict=True)]
    except KilledWorker:
        lost = "the workers that had it were lost, several times; look at their memory"
        return [Outcome(job, FAILED, error=f"{job.name}: {lost}") for job in chunk]
