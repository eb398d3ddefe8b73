#!/usr/bin/env python3
"""client.py - what Flink's SQL client prints for a script: `client.py SCRIPT > KEPT` asks a real one (a cluster must be up).

Its terminal echoes statements in pieces, with colours, and says how long each took: all that goes, and before each answer
stands the statement as it was written, as in our shell. test/e2e/test_client.sh compares our answers with the kept ones."""
import argparse
import os
import re
import subprocess
import sys

import flink

COLOURS = re.compile(r"\x1b\[[0-9;]*m")
TIMES = re.compile(r" \(\d+\.\d\d seconds\)$", re.M)
ANSWER = re.compile(r"\[(?:INFO|ERROR)\]|\+-[-+]*\+$|Empty set", re.M)


def statements_of(text):
    text = re.sub(r"^--.*\n", "", text, flags=re.M)
    return [s.strip() for s in text.split(";\n") if s.strip()]


def answers_of(output):
    """One for each statement: what stands behind the prompt and the echo."""
    output = TIMES.sub("", COLOURS.sub("", output))
    output = output.split("\nShutting down the session")[0]
    for piece in re.split(r"^Flink SQL> ", output, flags=re.M)[1:]:
        found = ANSWER.search(piece)
        yield piece[found.start():].rstrip("\n") if found else ""


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("script")
    options.add_argument("--home", help="where Flink is; else as make oracle fetches it")
    options = options.parse_args()
    client = os.path.join(options.home or flink.fetch(), "bin", "sql-client.sh")
    output = subprocess.run([client, "-f", options.script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False,
                            env={**os.environ, "TERM": "dumb"}).stdout
    statements = statements_of(open(options.script, encoding="utf-8").read())
    answers = list(answers_of(output))
    if len(answers) != len(statements):
        sys.exit(f"client.py: {len(statements)} statements, {len(answers)} answers:\n{output}")
    for statement, answer in zip(statements, answers):
        print(f"Flink SQL> {statement};".replace("\n", "\n> ") + f"\n{answer}\n")


if __name__ == "__main__":
    main()
