"""`python -m gateway.demo.tethered MODULE [ARGUMENT ...]`: runs a module that does not outlive its starter.

The starter holds the other end of stdin and never writes to it. However it ends, by SIGKILL too, the operating system
closes that end: then the module is told to stop, and after a while made to.
"""

import os
import runpy
import signal
import sys
import threading
import time

STOPPED_WITHIN_S = 20
STDIN = 0


def main() -> None:
    threading.Thread(target=_stop_with_starter, daemon=True).start()
    _this, module, *arguments = sys.argv
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _stop_with_starter() -> None:
    while os.read(STDIN, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(STOPPED_WITHIN_S)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
