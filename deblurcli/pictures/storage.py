"""The bytes of files and of the standard streams; writes that replace a file whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import re
import secrets
import stat
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from deblurcli.errors import ImageError

STANDARD = Path("-")  # stands for standard input where it is read, for standard output where it is written
_TEMPORARY = re.compile(r"\.deblurcli-(?P<pid>\d+)@(?P<host>.*)-[^-]*")  # whose unfinished output it is
_WRITABLE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH
_DAY = 24 * 3600
MOST_BYTES = 2**31


def name_of(path: str | Path) -> str:
    """What messages call a file to read."""
    return "standard input" if Path(path) == STANDARD else str(path)


def read_bytes(path: str | Path) -> bytes:
    """A file's bytes, or those of standard input for `STANDARD`.

    Raises ImageError when it cannot be read, or goes on for over `MOST_BYTES`, as a device may without end.
    """
    try:
        data = _read(path)
    except OSError as error:
        raise ImageError(f"{name_of(path)}: cannot be read ({error.strerror}); check it and its permissions") from error
    if len(data) > MOST_BYTES:
        raise ImageError(f"{name_of(path)}: holds over {MOST_BYTES:,} bytes; is it a picture?")
    return data


def _read(path: str | Path) -> bytes:
    if Path(path) == STANDARD:
        if sys.stdin is None:
            raise ImageError("standard input is closed; name a file, or pipe a picture in")
        return sys.stdin.buffer.read(MOST_BYTES + 1)
    with Path(path).open("rb") as file:
        return file.read() if 0 < os.fstat(file.fileno()).st_size <= MOST_BYTES else file.read(MOST_BYTES + 1)


@dataclass(frozen=True)
class Original:
    """The bytes that were read of a file, to be had again without keeping them in memory meanwhile.

    digest: of the bytes. held: the bytes themselves, where they cannot be read again, as of a pipe; else empty.
    """

    path: Path
    digest: bytes
    held: bytes = b""

    @classmethod
    def of(cls, path: Path, data: bytes) -> Original:
        """The original whose bytes were just read."""
        is_lasting = path != STANDARD and path.is_file()
        return cls(path, _digest(data), b"" if is_lasting else data)

    def read(self) -> bytes | None:
        """The same bytes again; None where the file has changed or gone."""
        if self.held:
            return self.held
        try:
            data = read_bytes(self.path)
        except ImageError:
            return None
        return data if _digest(data) == self.digest else None


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def write_bytes(path: str | Path, data: bytes, source: Path = STANDARD) -> None:
    """Replace a file atomically: whoever looks sees the old content or the new, never a part.

    source: the file that this one was made of; a new file may be read by nobody who may not read that one.

    Missing folders are made, a symbolic link is followed, and a file that is replaced keeps its permissions; its other
    hard links keep the old content. `STANDARD` is written straight. Raises ImageError when the file is read-only or the
    disk refuses; the old file is then untouched.
    """
    if Path(path) == STANDARD:
        return _write_stdout(data)
    with replacing(path, source) as file:
        file.write(data)


@contextlib.contextmanager
def replacing(path: str | Path, source: Path = STANDARD) -> Iterator[IO[bytes]]:
    """A file to write to that takes the place of `path` when this ends well, and leaves nothing when it does not.

    See `write_bytes`.
    """
    place = Path(os.path.realpath(path) if os.path.islink(path) else path)  # noqa: PTH114 (never raises)
    old, of_source = _mode(place), _mode(source)
    if old is not None and not old & _WRITABLE:
        raise ImageError(f"{path}: is read-only; make it writable, or choose another place")
    temporary = place.with_name(f".deblurcli-{os.getpid()}@{platform.node()}-{secrets.token_hex(8)}{place.suffix}")
    try:
        with _unfinished.created(temporary) as file:
            yield file
        if old is None and of_source is not None:
            old = stat.S_IMODE(temporary.stat().st_mode) & (of_source | stat.S_IRWXU)
        if old is not None:
            with contextlib.suppress(OSError):  # a disk without permissions
                temporary.chmod(old)
        temporary.replace(place)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise ImageError(f"{path}: cannot be written ({error.strerror}); choose another place for it") from error
        raise
    finally:
        _unfinished.paths.discard(temporary)


class _Unfinished:
    """The files that are being written under a name for the time being."""

    def __init__(self) -> None:
        self.paths: set[Path] = set()
        self._guard = threading.Lock()

    def created(self, path: Path) -> IO[bytes]:
        """A file that must not have been there yet; missing folders are made."""
        with self._guard:
            self.paths.add(path)
            try:
                return path.open("xb")
            except FileNotFoundError:
                path.parent.mkdir(parents=True, exist_ok=True)
                return path.open("xb")

    def remove(self) -> None:
        """Remove them all, and let no others be made."""
        self._guard.acquire()  # and never given back
        for path in self.paths.copy():
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


_unfinished = _Unfinished()


def abandon() -> None:
    """Remove what other threads are writing; for a process that is about to end without them."""
    _unfinished.remove()


def _mode(path: Path) -> int | None:
    """A file's permissions; None for `STANDARD`, a file that is not there, and a link that leads nowhere."""
    try:
        return None if path == STANDARD else stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return None


def _write_stdout(data: bytes) -> None:
    if sys.stdout is None:
        raise ImageError("standard output is closed; name an output file")
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise ImageError(f"standard output: cannot be written ({error.strerror}); name an output file") from error


def as_json(row: dict) -> str:
    """A line of JSON, readable where it can be; names that are no UTF-8 become escapes."""
    text = json.dumps(row, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(row)
    return text


def sweep(folder: Path) -> None:
    """Remove what killed runs left unfinished in a folder: temporary files whose process is gone."""
    for path in folder.glob(".deblurcli-*"):
        with contextlib.suppress(OSError):
            found = _TEMPORARY.fullmatch(path.stem) or _TEMPORARY.fullmatch(path.name)
            if found and not _is_alive(int(found["pid"]), found["host"], path.stat().st_mtime):
                path.unlink()


def _is_alive(pid: int, host: str, written: float) -> bool:
    """Whether a process may still be at work; one on another machine is given a day."""
    if host != platform.node() or os.name != "posix":
        return time.time() - written < _DAY
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
