"""Runs the emulator for exactly as long as this process's standard input stays open.

The program that starts this one holds the other end of the pipe. When that program ends, in whatever
way, the pipe closes, and the emulator and every function it has started are killed at once.

    python launch.py supervise DIRECTORY FUNCTION_LOG    guards the emulator; removes DIRECTORY at the end
    python launch.py serve FUNCTION_LOG                  is the emulator
"""

import os
import shutil
import signal
import subprocess
import sys
import threading


def when_input_closes(action):
    def wait():
        while os.read(0, 4096):
            pass
        action()

    threading.Thread(target=wait, daemon=True).start()


def kill_group(group):
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass  # All gone already; macOS says "not permitted" where only the dead are left.


def supervise(directory, function_log):
    """The functions belong to the emulator's process group, so that one signal reaches them all."""
    emulator = subprocess.Popen(
        [sys.executable, "-I", "-X", "utf8", __file__, "serve", function_log],
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    when_input_closes(lambda: kill_group(emulator.pid))
    status = emulator.wait()
    kill_group(emulator.pid)
    shutil.rmtree(directory, ignore_errors=True)
    sys.exit(1 if status > 0 else 0)


class Echo:
    """A function's output, each line also written to the log under the function's name."""

    def __init__(self, stream, function, log):
        self.stream, self.function, self.log = stream, function, log

    def readline(self):
        line = self.stream.readline()
        if line:
            self.log.write(f"{self.function}: ".encode() + line.rstrip(b"\r\n") + b"\n")
        return line

    def close(self):
        self.stream.close()


def serve(function_log):
    when_input_closes(lambda: kill_group(os.getpgrp()))
    from ministack.app import main
    from ministack.core.lambda_runtime import ProvidedWorker
    from ministack.services import lambda_svc

    # The emulator keeps a function's output to itself until the call has ended; people want it live.
    log = open(function_log, "ab", buffering=0)
    keep_output = ProvidedWorker._pump_output
    ProvidedWorker._pump_output = lambda worker, stream, lines: keep_output(
        worker, Echo(stream, worker.func_name, log), lines
    )

    # A template's parameters are text. AWS reads MaximumConcurrency as the number it stands for; the
    # emulator compares the text with a number, fails, and with that stops reading queues altogether.
    concurrency = lambda_svc._sqs_esm_concurrency

    def concurrency_of_number(mapping, *rest):
        scaling = mapping.get("ScalingConfig") or {}
        scaling = {name: int(value) for name, value in scaling.items()}
        return concurrency({**mapping, "ScalingConfig": scaling}, *rest)

    lambda_svc._sqs_esm_concurrency = concurrency_of_number

    sys.argv = ["ministack"]
    main()


if __name__ == "__main__":
    {"supervise": supervise, "serve": serve}[sys.argv[1]](*sys.argv[2:])
