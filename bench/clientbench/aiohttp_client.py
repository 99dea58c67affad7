# SPDX-License-Identifier: Apache-2.0
"""RLinf's asynchronous client, which is aiohttp with one session. Arguments: BASE_URL IN_FLIGHT WARM_SECONDS SECONDS."""

import asyncio
import json
import resource
import sys
import threading
import time

import aiohttp

BODY = {
    "return_logprob": False,
    "text": "The capital of France is",
    "sampling_params": {"temperature": 0.0, "max_new_tokens": 5},
}


async def main(url, in_flight, warm, seconds):
    samples = []
    state = {"measuring": False, "stopping": False, "errors": 0}
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=None)
    connector = aiohttp.TCPConnector(limit=16 * 1024, limit_per_host=0)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def slot():
            while not state["stopping"]:
                started = time.perf_counter()
                try:
                    async with session.post(f"{url}/generate", json=BODY, timeout=timeout) as response:
                        response.raise_for_status()
                        text = (await response.json())["text"]
                    if text and state["measuring"]:
                        samples.append(time.perf_counter() - started)
                except (aiohttp.ClientError, asyncio.TimeoutError):
                    state["errors"] += 1

        slots = [asyncio.create_task(slot()) for _ in range(in_flight)]
        await asyncio.sleep(warm)
        state["measuring"] = True
        cpu, started = time.process_time(), time.perf_counter()
        await asyncio.sleep(seconds)
        state["measuring"] = False
        took, cpu = time.perf_counter() - started, time.process_time() - cpu
        state["stopping"] = True
        await asyncio.gather(*slots)
    samples.sort()

    def percentile(share):
        return round(1000 * samples[min(len(samples) - 1, int(len(samples) * share))], 2) if samples else 0

    print(
        json.dumps(
            {
                "rps": round(len(samples) / took, 1),
                "p50_ms": percentile(0.5),
                "p99_ms": percentile(0.99),
                "p999_ms": percentile(0.999),
                "cpu_s_per_10k": round(cpu * 10_000 / max(1, len(samples)), 3),
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                "threads": threading.active_count(),
                "errors": state["errors"],
            }
        )
    )


asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])))
