"""How long a server's event loop is held at most, as seen from outside.

Run as `python -m bench.probe PORT`: asks for /healthz again and again, and prints after each line
on its standard input how long the longest answer took since the last one, in milliseconds, less
what a typical answer takes.
"""

import http.client
import statistics
import sys
import threading
import time

EVERY_S = 0.002


def main(port: int) -> None:
    """Ask until standard input ends."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    took_ms: list[float] = []

    def ask() -> None:
        while True:
            started_s = time.perf_counter()
            connection.request("GET", "/healthz")
            connection.getresponse().read()
            took_ms.append((time.perf_counter() - started_s) * 1000)
            time.sleep(EVERY_S)

    threading.Thread(target=ask, daemon=True).start()
    for _ in sys.stdin:
        seen = took_ms[:]
        del took_ms[: len(seen)]
        longest = max(seen, default=0.0) - statistics.median(seen or [0.0])
        print(longest, flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
