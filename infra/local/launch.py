"""Runs the emulator as long as this process's standard input stays open.

The program that starts this one has the other end of the pipe. When that program ends, for any reason, the pipe closes,
and this process kills the emulator and all functions.

The first line of the input is the token of the run's access key. Each later line is a command: `seal BUCKET…` seals the
emulator (see guard.py), and `keep {…}` keeps the data of the stack in a directory (see state.py). Only the program at the
other end of the pipe can send these lines.

    python launch.py supervise DIRECTORY FUNCTION_LOG    supervises the emulator; removes DIRECTORY at the end
    python launch.py serve FUNCTION_LOG                  runs the emulator
"""

import asyncio
import hmac
import json
import logging
import os
import secrets
import shutil
import signal
import subprocess
import sys
import threading

# An isolated interpreter does not search the script's own directory.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from guard import Guard
from state import keep_state


def kill_group(group):
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass  # All processes have ended. macOS reports "not permitted" if only zombies are left.


def supervise(directory, function_log):
    """The functions belong to the emulator's process group, so one signal kills them all."""
    emulator = subprocess.Popen(
        [sys.executable, "-I", "-X", "utf8", __file__, "serve", function_log],
        stdin=subprocess.PIPE,
        start_new_session=True,
    )

    def forward_input():
        while data := os.read(0, 4096):
            try:
                os.write(emulator.stdin.fileno(), data)
            except BrokenPipeError:
                break
        kill_group(emulator.pid)

    threading.Thread(target=forward_input, daemon=True).start()
    status = emulator.wait()
    kill_group(emulator.pid)
    shutil.rmtree(directory, ignore_errors=True)
    sys.exit(1 if status > 0 else 0)


class Echo:
    """A function's output, which also writes each line to the log after the function's name."""

    def __init__(self, stream, function, log):
        self.stream, self.function, self.log = stream, function, log

    def readline(self):
        line = self.stream.readline()
        if line:
            self.log.write(f"{self.function}: ".encode() + line.rstrip(b"\r\n") + b"\n")
        return line

    def close(self):
        self.stream.close()


def read_commands(guard, commands):
    for line in commands:
        command, _, argument = line.decode().strip().partition(" ")
        if command == "seal":
            guard.seal(argument.split())
        elif command == "keep":
            keep(guard, json.loads(argument))
    kill_group(os.getpgrp())


def keep(guard, arguments):
    from ministack import app as ministack

    try:
        # The emulator executes requests in this loop, one after the other.
        asyncio.run_coroutine_threadsafe(keep_state(**arguments), ministack._MAIN_LOOP).result()
        guard.state = "kept"
    except Exception as error:
        logging.getLogger("state").exception("the kept data can't be restored")
        guard.state = f"failed: {error!r}"


def serve(function_log):
    # Without a buffer, an interpreter that ends doesn't wait for the thread that reads.
    commands = open(0, "rb", buffering=0)
    token = commands.readline().decode().strip()
    if not token:
        return
    guard = Guard(token, os.environ["BIND_HOST"], int(os.environ["GATEWAY_PORT"]))
    threading.Thread(target=read_commands, args=(guard, commands), daemon=True).start()

    from hypercorn.protocol.h11 import H11Protocol
    from ministack import app as ministack
    from ministack.core.lambda_runtime import ProvidedWorker
    from ministack.services import lambda_svc

    guard.app = ministack.app
    guard.is_ready = lambda: ministack._ready_scripts_state["status"] == "completed"
    ministack.app = guard
    # Without upgrades to another HTTP version, the guard needs only one set of rules.
    H11Protocol._check_protocol = ignore_upgrade
    protect_function_events(lambda_svc, ProvidedWorker, token)

    # The emulator returns a function's output only after the invocation. The log must show it immediately.
    log = open(function_log, "ab", buffering=0)
    keep_output = ProvidedWorker._pump_output
    ProvidedWorker._pump_output = lambda worker, stream, lines: keep_output(
        worker, Echo(stream, worker.func_name, log), lines
    )

    # A template's parameters are text. AWS converts MaximumConcurrency to a number. The emulator keeps the text: it
    # fails when it compares the text with a number, and its responses are invalid for the SDKs.
    concurrency, response = lambda_svc._sqs_esm_concurrency, lambda_svc._esm_response

    def with_numbers(mapping):
        scaling = mapping.get("ScalingConfig") or {}
        return {**mapping, "ScalingConfig": {name: int(value) for name, value in scaling.items()}}

    lambda_svc._sqs_esm_concurrency = lambda mapping, *rest: concurrency(with_numbers(mapping), *rest)
    lambda_svc._esm_response = lambda mapping: response(with_numbers(mapping))

    sys.argv = ["ministack"]
    ministack.main()


async def ignore_upgrade(protocol, request):
    pass


def protect_function_events(lambda_svc, worker_class, token):
    """Gives each function the run's access key, and a secret path on the server from which it fetches its events. That
    server checks no credentials: without the path, any client could take a function's event or answer in its place."""
    secret_path = f"/{secrets.token_hex(24)}"
    environment, handler_class = lambda_svc._provided_worker_env, worker_class._build_handler_class

    def environment_with_key(config, code_dir, port):
        variables = environment(config, code_dir, port)
        variables["AWS_ACCESS_KEY_ID"] += token
        # The functions' runtime accepts a path only after a scheme.
        variables["AWS_LAMBDA_RUNTIME_API"] = f"http://{variables['AWS_LAMBDA_RUNTIME_API']}{secret_path}"
        return variables

    def handler_with_secret_path(worker, generation, pending):
        class Handler(handler_class(worker, generation, pending)):
            def parse_request(self):
                if not super().parse_request():
                    return False
                if hmac.compare_digest(self.path[: len(secret_path) + 1].encode("latin-1"), f"{secret_path}/".encode()):
                    return True
                self.close_connection = True
                self.send_error(403)
                return False

        return Handler

    lambda_svc._provided_worker_env = environment_with_key
    worker_class._build_handler_class = handler_with_secret_path


if __name__ == "__main__":
    {"supervise": supervise, "serve": serve}[sys.argv[1]](*sys.argv[2:])
