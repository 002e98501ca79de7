"""Workers, warm and waiting: a question is given to one, and one that takes too long or ends is replaced.

Python's own pools cannot end one process that is stuck. Here each place in the pool is a task that keeps one process
alive, with a pipe of its own each way, and takes questions from a common queue.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping
from dataclasses import dataclass, field
from json import dumps
from typing import Any, NamedTuple

from gradwright.serving import frames
from gradwright.serving.settings import Settings

WARM = 60.0
"""Seconds after which a worker that is not ready is given up."""

WAKES = 3.0
"""Seconds in which a worker that is warm has to take a question; one that does not is as good as ended."""

_SINGLE = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""The matrices of a check are small, and the buffers of many threads count as memory."""


class Reply(NamedTuple):
    """A status of HTTP and the JSON that goes with it."""

    status: int
    body: bytes


def refusal(status: int, kind: str, message: str) -> Reply:
    """Return an error as JSON."""
    return Reply(status, dumps({"error": {"kind": kind, "message": message}}, ensure_ascii=False).encode())


@dataclass(eq=False)
class _Job:
    question: bytes
    reply: asyncio.Future[Reply]
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    returned: bool = False


class Pool:
    """Processes that answer questions, each for a limited time and in limited memory."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.processes: dict[int, Process] = {}
        self.warm = 0
        self.ended = 0
        self._jobs: asyncio.Queue[_Job] = asyncio.Queue(settings.waiting)
        self._keepers: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to keep as many workers as there are to be; they warm up by themselves."""
        self._keepers = [asyncio.create_task(self._keep(place)) for place in range(self.settings.workers)]

    async def close(self) -> None:
        """End all workers."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)

    async def ask(self, task: str, question: Mapping[str, Any]) -> Reply:
        """Return the answer of the first worker that is free, or a 503 that says what is short.

        Where the caller is cancelled while the question waits, no worker gets to see it.
        """
        text = dumps({"task": task, "question": question}).encode()
        job = _Job(text, asyncio.get_running_loop().create_future())
        try:
            self._jobs.put_nowait(job)
        except asyncio.QueueFull:
            return refusal(503, "busy", f"{self.settings.waiting} questions are waiting already; ask again in a moment")
        try:
            await asyncio.wait_for(job.begun.wait(), self.settings.patience)
            return await job.reply
        except TimeoutError:
            return refusal(503, "busy", "all workers are busy with other questions; ask again in a moment")
        finally:
            job.reply.cancel()

    async def _keep(self, place: int) -> None:
        """Keep one worker alive, for as long as the pool is open."""
        failures, job = 0, None
        while True:
            process = await self._begun()
            try:
                self.processes[place] = process
                assert process.stdout is not None
                try:
                    await asyncio.wait_for(frames.receive(process.stdout), WARM)
                except (EOFError, TimeoutError):
                    failures += 1
                    print(f"gradwright serve: a worker did not start; the next try in {2 ** min(failures, 5)} s",
                          file=sys.stderr)
                else:
                    failures = 0
                    job = await self._serve(process, job)
            finally:
                self.processes.pop(place, None)
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await asyncio.shield(process.wait())
                self.ended += 1
            if failures:
                await asyncio.sleep(2 ** min(failures, 5))

    async def _begun(self) -> Process:
        limits = str(self.settings.seconds), str(self.settings.memory)
        # -P: a folder of the user's that holds a sympy.py is no part of us.
        return await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "gradwright.serving.worker", *limits, stdin=PIPE, stdout=PIPE,
            stderr=None if sys.stderr else DEVNULL, cwd=os.path.abspath(os.sep), start_new_session=True,
            env={**os.environ, **dict.fromkeys(_SINGLE, "1")})

    async def _serve(self, process: Process, job: _Job | None) -> _Job | None:
        """Give a warm worker questions until it ends, has to be ended, or has answered many.

        Args:
            process: The worker.
            job: A question that the last worker did not take any more.

        Returns:
            Such a question of this worker.
        """
        self.warm += 1
        try:
            for _ in range(self.settings.renewed):
                job = job if job is not None and not job.reply.done() else await self._next(process)
                if job is None:
                    return None
                reply, lives = await self._asked(process, job)
                if not job.begun.is_set() and not job.returned:
                    job.returned = True
                    return job
                job.begun.set()
                if not job.reply.done():
                    job.reply.set_result(reply)
                if not lives:
                    return None
                job = None
            return None
        finally:
            self.warm -= 1

    async def _next(self, process: Process) -> _Job | None:
        """Return the next question that somebody still waits for; nothing if the worker ends before."""
        ended = asyncio.create_task(process.wait())
        try:
            while True:
                taken = asyncio.create_task(self._jobs.get())
                try:
                    await asyncio.wait((ended, taken), return_when=asyncio.FIRST_COMPLETED)
                finally:
                    if not taken.done():
                        taken.cancel()
                if taken.cancelled() or not taken.done():
                    return None
                if not taken.result().reply.done():
                    return taken.result()
        finally:
            ended.cancel()

    async def _asked(self, process: Process, job: _Job) -> tuple[Reply, bool]:
        """Return the answer of a worker, and whether it can answer more; say in the job when it has begun."""
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            async with asyncio.timeout(WAKES):
                process.stdin.write(frames.packed(0, job.question))
                await process.stdin.drain()
                await frames.receive(process.stdout)
            job.begun.set()
            async with asyncio.timeout(self.settings.seconds):
                status, body = await frames.receive(process.stdout)
        except TimeoutError:
            return refusal(503, "time", f"the answer takes longer than the {self.settings.seconds:g} s that this "
                                        "server gives to one question; the command has no such limit"), False
        except (EOFError, OSError):
            return refusal(503, "ended", "the worker ended before it could answer, as one does that runs out of "
                                         "memory; another takes its place"), False
        return Reply(status, body), status != 503
