#!/usr/bin/env python3
"""A board that prints numbers: plays CSV recordings, line by line, at a constant rate, for ever.

    csv_board.py RATE_HZ FILE...

Prints the values of each row after the timestamp column, comma separated, without a header, as most sketches do.
"""
import os
import sys
import time


def main() -> None:
    rate = float(sys.argv[1])
    rows = []
    for path in sys.argv[2:]:
        with open(path, encoding="utf-8") as file:
            next(file)
            rows += [line.strip().split(",", 1)[1] for line in file if line.strip()]
    sys.stdout.write("csv board, firmware 1.0\r\n")
    due = time.monotonic()
    index = 0
    while True:
        try:
            sys.stdout.write(rows[index % len(rows)] + "\r\n")
            sys.stdout.flush()
        except BrokenPipeError:
            # The cable was pulled: no power, no more lines.
            os._exit(0)
        index += 1
        due += 1 / rate
        time.sleep(max(0.0, due - time.monotonic()))


main()
