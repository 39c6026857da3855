"""Work done by a Dask cluster: the same jobs, on other machines that share the folders."""

import logging
import queue
import socket
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import islice
from typing import Any

from threadpoolctl import threadpool_limits

from audionet import __version__
from audionet.errors import AudionetError, explaining
from audionet.parallel.threads import Item, Job, Mapped, Part, Result, Results, Threads, Workers, work_through
from audionet.settings import TlsScheduler

CONNECT_SECONDS = 10  # to wait for a scheduler
FIRST_WORKER_SECONDS = 30  # to wait for one
_REMEDY = f"install audionet {__version__} where they run"
ITEMS_A_THREAD = 4  # handed out ahead, so that no thread waits for the next


@contextmanager
def open_workers(scheduler: str | TlsScheduler | None = None, width: int | None = None) -> Iterator[Workers]:
    """The threads of this process (`width` of them; None is one per core), or the Dask cluster at an address.

    Raises AudionetError when there is no such cluster.
    """
    if scheduler is None:
        yield Threads(width)
        return
    address = scheduler if isinstance(scheduler, str) else scheduler.address
    client = _connect(address, None if isinstance(scheduler, str) else scheduler)
    try:
        _require_workers(client, address)
        yield Cluster(client, address)
    finally:
        client.close()


def _connect(scheduler: str, tls: TlsScheduler | None) -> Any:
    """A client of a Dask cluster. Raises AudionetError if there is no such cluster."""
    if find_spec("distributed") is None:
        raise AudionetError("--scheduler: needs Dask, which is not installed; run: pip install 'audionet[cluster]'")
    from distributed import Client
    from distributed.comm import get_address_host_port

    # What is wrong is said in our own words; Dask's log is for those who run the cluster.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    there = "there; start one with dask scheduler, or check the address (tcp://host:8786)"
    if tls is not None:
        files = f"--tls-ca-file {tls.tls_ca_file} and --tls-cert {tls.tls_cert}"
        there = f"there that goes with the certificates of {files}; check the address and the files"
    no_certificates = (
        f"--scheduler {scheduler}: needs certificates; name them with --tls-ca-file, --tls-cert and --tls-key, or in "
        "Dask's configuration (distributed.comm.tls)"
    )
    nobody = f"--scheduler {scheduler}: no Dask scheduler answers {there}"
    # TypeError is what Dask makes of tls:// without certificates.
    with explaining(no_certificates, TypeError), explaining(nobody, OSError, ValueError, TimeoutError, RuntimeError):
        # Asked before Dask, which is slow to give up where nobody is.
        with socket.create_connection(get_address_host_port(scheduler, strict=True), CONNECT_SECONDS):
            pass
        return Client(scheduler, timeout=CONNECT_SECONDS, set_as_default=False, security=_security(tls))


def _require_workers(client: Any, scheduler: str) -> None:
    """Raise AudionetError unless a Dask cluster has workers, and all of them run this version."""
    with explaining(f"--scheduler {scheduler}: has no workers; start some with dask worker {scheduler}", TimeoutError):
        client.wait_for_workers(1, timeout=FIRST_WORKER_SECONDS)
    with explaining(f"--scheduler {scheduler}: its workers lack a package", ImportError, remedy=_REMEDY):
        versions = set(client.run(_version).values())
    if versions - {__version__}:
        others = ", ".join(sorted(versions - {__version__}))
        raise AudionetError(f"--scheduler {scheduler}: its workers run audionet {others}; {_REMEDY}")


def _security(tls: TlsScheduler | None) -> Any:
    """Dask's own record of certificates; None leaves it to Dask's configuration. Raises OSError for files of no use."""
    if tls is None:
        return None
    from distributed.security import Security

    key = str(tls.tls_key or tls.tls_cert)
    security = Security(
        tls_ca_file=str(tls.tls_ca_file), tls_client_cert=str(tls.tls_cert), tls_client_key=key, require_encryption=True
    )
    security.get_connection_args("client")  # reads them
    return security


class Cluster:
    """The workers of a Dask cluster; an item is one task. The work of one that dies is done again by the others."""

    def __init__(self, client: Any, address: str) -> None:
        self._client, self._address = client, address
        self._job: Any = None  # the last, and where the cluster has it
        self._shared: Any = None

    @property
    def width(self) -> int:
        """The threads of all workers now."""
        return max(1, sum(int(threads) for threads in self._client.nthreads().values()))

    def run(self, job: Job[Item, Part, Mapped, Result], items: Iterable[Item]) -> Results[Result]:
        """As `Workers.run`."""
        import asyncio  # here, for it takes longer to import than much of what label does

        from distributed import as_completed
        from distributed.scheduler import KilledWorker

        if self._job is not job:
            # A task of its own, not data handed out: it is done again too where the worker that holds it dies.
            self._job, self._shared = job, self._client.submit(_same, job, pure=False)
        shared, waiting = self._shared, enumerate(items)
        positions: dict[Any, int] = {}
        under_way = as_completed(loop=self._client.loop)

        def hand_out(count: int) -> None:
            for position, item in islice(waiting, count):
                future = self._client.submit(_task, shared, item, pure=False)
                positions[future] = position
                under_way.add(future)

        try:
            hand_out(self.width * ITEMS_A_THREAD)
            for future in under_way:
                position = positions.pop(future)
                result, records = future.result()
                for record in records:
                    logging.getLogger(record.name).handle(record)
                yield position, result
                future.release()
                hand_out(1)
        except KilledWorker as error:
            raise AudionetError(
                f"--scheduler {self._address}: its workers die of this work, most often for want of memory; "
                "see their logs, and run the same command again to go on"
            ) from error
        except (CancelledError, asyncio.CancelledError, OSError) as error:
            raise AudionetError(
                f"--scheduler {self._address}: the connection was lost; run the same command again to go on"
            ) from error
        finally:
            self._client.cancel(list(positions))


def _version() -> str:
    return __version__


def _same(job: Any) -> Any:
    return job


def _task(job: Any, item: Any) -> Any:
    """The result of an item, and what was logged of it, which else the worker's own log alone would have."""
    from logging.handlers import QueueHandler  # which whoever asks the workers does without

    threadpool_limits(1)  # a worker's threads share its cores
    logger, own = logging.getLogger("audionet"), threading.get_ident()
    records: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    handler = QueueHandler(records)
    handler.addFilter(lambda record: record.thread == own)
    logger.addHandler(handler)
    try:
        result = work_through(job, item)
    finally:
        logger.removeHandler(handler)
    return result, [records.get() for _ in range(records.qsize())]
