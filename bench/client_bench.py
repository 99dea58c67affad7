#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares HTTP clients against one stand-in backend on loopback; see bench/README.md."""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent / "clientbench"
JAR = HERE.parent.parent / "ray-app/target/dist/sglang-ray.jar"

# Name, answer bytes, delay of the engine in ms, requests under way.
POINTS = [
    ("300 B", 300, 0, 1),
    ("300 B", 300, 0, 64),
    ("300 B", 300, 0, 1024),
    ("200 kB", 200_000, 0, 64),
    ("300 B, 4 s engine", 300, 4000, 8192),
    ("300 B, 4 s engine", 300, 4000, 16384),
]

# OkHttp has a thread for each request under way; more may be too much for a machine.
MAX_THREADS = 10_000


def command(client, python, java, url, in_flight, warm, seconds):
    numbers = [str(in_flight), str(warm), str(seconds)]
    if client == "aiohttp":
        return [python, str(HERE / "aiohttp_client.py"), url, *numbers]
    return [java, "-Xmx320m", "-cp", str(JAR), str(HERE / "ClientBench.java"), client, url, *numbers]


def wrk(url, in_flight, seconds):
    """wrk parses nothing: it shows what the backend can do."""
    if not shutil.which("wrk"):
        return None
    script = HERE / "post.lua"
    out = subprocess.run(
        ["wrk", f"-t{min(2, in_flight)}", f"-c{in_flight}", f"-d{seconds:.0f}s", "-s", str(script), f"{url}/generate"],
        capture_output=True, text=True, check=True,
    ).stdout
    line = next(line for line in out.splitlines() if line.startswith("Requests/sec:"))
    return {"rps": float(line.split()[1])}


def connections(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/stats") as answer:
        return int(answer.read()) - 1


def run(program, seconds):
    limit = seconds * 3 + 60
    try:
        done = subprocess.run(program, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return {"failed": f"not done after {limit:.0f} s"}
    if done.returncode == 0 and done.stdout:
        return json.loads(done.stdout.splitlines()[-1])
    return {"failed": done.stderr[-500:]}


def measure(args, client, size, delay, in_flight):
    backend = subprocess.Popen([args.backend], stdout=subprocess.PIPE, text=True)
    try:
        port = int(backend.stdout.readline())
        url = f"http://127.0.0.1:{port}/size={size}&delay={delay}"
        warm, seconds = args.warm, args.seconds
        if delay:
            # Whole rounds of the engine: the first ones connect and warm up, two are measured.
            warm, seconds = delay / 1000 * 6.5, delay / 1000 * 2
        if client == "wrk":
            result = wrk(url, in_flight, seconds)
        else:
            result = run(command(client, args.python, args.java, url, in_flight, warm, seconds), warm + seconds)
        if result is not None:
            result["connections"] = connections(port)
        return result
    finally:
        backend.kill()
        backend.wait()


def report(rows):
    print("\n| answers | under way | client | requests/s | p50 ms | p99 ms | p99.9 ms | CPU s / 10,000 | peak MB | threads |"
          " connections | errors | × aiohttp | CPU ÷ aiohttp |")
    print("| " + " | ".join(["---"] * 14) + " |")
    for row in rows:
        base = next((r for r in rows if r["client"] == "aiohttp" and r["point"] == row["point"]), {})
        times = f"{row['rps'] / base['rps']:.1f}" if base.get("rps") and "rps" in row else ""
        cpu = (f"{row['cpu_s_per_10k'] / base['cpu_s_per_10k']:.2f}"
               if base.get("cpu_s_per_10k") and "cpu_s_per_10k" in row else "")
        cells = [row["point"][0], row["point"][1], row["client"]] + [
            row.get(key, "") for key in ("rps", "p50_ms", "p99_ms", "p999_ms", "cpu_s_per_10k", "peak_mb", "threads",
                                         "connections", "errors")
        ] + [times, cpu]
        print("| " + " | ".join(str(cell) for cell in cells) + " |")
        if "failed" in row:
            print(f"{row['client']} failed: {row['failed']}", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default=sys.executable, help="a Python with aiohttp")
    parser.add_argument("--java", default="java")
    parser.add_argument("--clients", default="ours,aiohttp,okhttp,jdk,wrk")
    parser.add_argument("--warm", type=float, default=20, help="seconds before measuring")
    parser.add_argument("--seconds", type=float, default=8, help="seconds of measuring")
    parser.add_argument("--in-flight", help="only these numbers of requests under way, separated by commas")
    parser.add_argument("--smoke", action="store_true", help="one short point: does it work?")
    parser.add_argument("--json", help="also write the numbers to this file")
    args = parser.parse_args()
    points = POINTS
    if args.in_flight:
        wanted = {int(number) for number in args.in_flight.split(",")}
        points = [point for point in POINTS if point[3] in wanted]
    if args.smoke:
        points, args.warm, args.seconds = POINTS[1:2], 0.5, 1
    if not JAR.exists():
        sys.exit(f"{JAR} is missing: mvn -pl ray-app -am package")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    need = max(point[3] for point in points) + 1500
    if soft < need:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(need, hard), hard))
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        args.backend = f"{folder}/backend"
        subprocess.run(["go", "build", "-o", args.backend, str(HERE / "backend.go")], check=True)
        for name, size, delay, in_flight in points:
            for client in args.clients.split(","):
                if (delay and client == "wrk") or (in_flight > MAX_THREADS and client == "okhttp"):
                    continue
                result = measure(args, client, size, delay, in_flight)
                if result is not None:
                    rows.append({"point": (name, in_flight), "client": client, **result})
                    print(json.dumps(rows[-1]), file=sys.stderr)
    report(rows)
    if args.json:
        Path(args.json).write_text(json.dumps(rows, indent=1), encoding="utf-8")
    if any("failed" in row for row in rows if row["client"] == "ours"):
        sys.exit(1)


if __name__ == "__main__":
    main()
