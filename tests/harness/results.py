#!/usr/bin/env python3
"""Count the TAP cases of meson's test logs: results.py BUILD_DIR...

Prints the name and output of everything that failed, then "N passed, N failed"; exit 1 when anything failed.
A program that crashed, timed out, ended early or said nothing counts as one more failed case; so does a build
folder without a log, where nothing ran. Skipped cases are named and counted as neither.
"""
import glob
import json
import re
import sys

CASE = re.compile(r"^(not )?ok\b *(\d+)?(?: *- *)?(.*)$")
PLAN = re.compile(r"^1\.\.(\d+)")
SKIP = re.compile(r"# *SKIP\b", re.IGNORECASE)


class Count:
    def __init__(self):
        self.passed = self.failed = 0
        self.skipped = []

    def test(self, folder, log):
        failed = []
        cases = planned = 0
        plans = False
        for line in (log.get("stdout") or "").splitlines():
            plan, case = PLAN.match(line), CASE.match(line)
            if plan:
                plans = True
                planned += int(plan[1])
            elif case and case[2]:
                cases += 1
                if SKIP.search(line):
                    self.skipped.append(f"{log['name']}: {case[3].replace('# SKIP', '').strip()}")
                elif case[1]:
                    failed.append(case[3] or case[2])
                else:
                    self.passed += 1
        fault = self.fault(log, bool(failed), plans, planned, cases)
        if fault:
            failed.append(fault)
        self.failed += len(failed)
        if failed:
            self.show(folder, log, failed)

    @staticmethod
    def fault(log, explained, plans, planned, cases):
        code = log.get("returncode", 0)
        if log["result"] == "TIMEOUT":
            return f"stopped after {log['duration']:.0f} s"
        if code < 0 or code > 128:
            return f"killed, code {code}"
        if not plans:
            return "no TAP plan"
        if planned != cases:
            return f"{cases} of {planned} cases ran"
        if code != 0 and not explained:
            return f"exit code {code}"
        return None

    @staticmethod
    def show(folder, log, failed):
        print(f"\n--- failed: {log['name']} ({folder}): " + "; ".join(failed))
        for part in ("stdout", "stderr"):
            text = (log.get(part) or "").rstrip()
            if text:
                print(text[-20000:])


def main(folders):
    count = Count()
    for folder in folders:
        names = glob.glob(folder + "/meson-logs/testlog*.json")
        for name in names:
            with open(name, encoding="utf-8", errors="replace") as file:
                for line in file:
                    count.test(folder, json.loads(line))
        if not names:
            print(f"\n--- failed: {folder}: not built, no test ran")
            count.failed += 1
    for name in count.skipped:
        print(f"skipped: {name}")
    print(f"{count.passed} passed, {count.failed} failed")
    return 1 if count.failed or not count.passed else 0


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="replace")
    sys.exit(main(sys.argv[1:]))
