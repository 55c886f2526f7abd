#!/usr/bin/env python3
"""Many live tails on a busy intake (issue: 1,000 tails with selective filters, 5,000 records/s, 50,000 rows/s delivered, one core).

    bench/engine/tails.py --dendro build/bench/dendro [--tails 1000] [--records-per-s 5000] [--seconds 20]

Records of one of 100 services each come in at a steady rate, 50 a request. Each tail asks for one service by SSE, so a
record goes to a hundredth of the tails: 1,000 tails get 10 rows for each record, 50,000 rows a second in all. One reader
besides takes nothing (a slow reader), which must harm nobody. Measured: rows that arrived, gaps, time from the sending of
a record to its arrival (the record carries its time of sending), CPU of the server in cores. The readers and the sender
are this program, in processes of their own; their CPU is told beside the server's. JSON on stdout, text on stderr.
"""
import argparse
import http.client
import json
import multiprocessing
import os
import resource
import selectors
import socket
import sys
import time

import harness
from harness import say

SERVICES = 100
RECORDS_PER_REQUEST = 50


def open_tail(port, query):
    connection = socket.create_connection(("127.0.0.1", port))
    from urllib.parse import quote
    connection.sendall(("GET /api/v1/tail?query=%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: text/event-stream\r\n\r\n" % (
        quote(query), port)).encode())
    return connection


def read_tails(port, queries, seconds, results, ready):
    """Reads SSE of many tails: counts rows and gaps, samples latency."""
    selector = selectors.DefaultSelector()
    rests = {}
    for query in queries:
        connection = open_tail(port, query)
        connection.setblocking(False)
        selector.register(connection, selectors.EVENT_READ)
        rests[connection] = b""
    rows = gaps = hellos = 0
    latencies = []
    told = False
    end = None
    while end is None or time.time() < end:
        for key, _ in selector.select(timeout=0.2):
            connection = key.fileobj
            data = connection.recv(1 << 18)
            if not data:
                selector.unregister(connection)
                continue
            rests[connection] += data
            events = rests[connection].split(b"\n\n")
            rests[connection] = events.pop()
            now = time.time()
            for event in events:
                if b"event: rows" in event:
                    count = event.count(b'"sent_ms":')
                    rows += count
                    at = event.find(b'"sent_ms":')
                    if at >= 0:
                        stop = at + 10
                        while event[stop:stop + 1].isdigit():
                            stop += 1
                        latencies.append(now * 1e3 - int(event[at + 10:stop]))
                elif b"event: gap" in event:
                    gaps += 1
                elif b"event: hello" in event:
                    hellos += 1
        if not told and hellos == len(queries):
            told = True
            ready.put(hellos)
            end = time.time() + seconds
    latencies.sort()
    results.put({"rows": rows, "gaps": gaps, "latencies_ms": latencies[:: max(1, len(latencies) // 2000)],
                 "cpu_s": resource.getrusage(resource.RUSAGE_SELF).ru_utime + resource.getrusage(resource.RUSAGE_SELF).ru_stime})


def send(port, rate, seconds):
    client = http.client.HTTPConnection("127.0.0.1", port)
    sent = 0
    start = time.time()
    while time.time() - start < seconds:
        due = int((time.time() - start) * rate)
        while sent < due:
            now_ms = int(time.time() * 1e3)
            body = "".join('{"service":"s%d","message":"order %d accepted by worker %d","sent_ms":%d}\n' % (
                n % SERVICES, n, n % 7, now_ms) for n in range(sent, sent + RECORDS_PER_REQUEST))
            client.request("POST", "/api/v1/ingest", body)
            reply = client.getresponse()
            reply.read()
            if reply.status != 200:
                raise harness.RunFailed("ingest answered %d" % reply.status)
            sent += RECORDS_PER_REQUEST
        time.sleep(0.002)
    return sent, time.time() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    harness.add_server_options(parser)
    parser.add_argument("--tails", type=int, default=1000)
    parser.add_argument("--records-per-s", type=int, default=5000)
    parser.add_argument("--seconds", type=float, default=20)
    options = parser.parse_args()
    options.dendro_arg = options.dendro_arg or []
    options.dendro_env = (options.dendro_env or []) + ["DENDRO_TAIL_PER_TENANT_MAX=%d" % (options.tails + 10)]
    harness.settle_options(options)
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit[1], limit[1]))
    with harness.make_dendro(options, "tails") as server:
        results, ready = multiprocessing.Queue(), multiprocessing.Queue()
        queries = ["service:=s%d" % (i % SERVICES) for i in range(options.tails)]
        reader = multiprocessing.Process(target=read_tails, args=(server.port, queries, options.seconds + 2, results, ready))
        reader.start()
        ready.get(timeout=120)
        slow = open_tail(server.port, "*")  # nobody reads it
        cpu = harness.cpu_s(server.pid)
        before = resource.getrusage(resource.RUSAGE_SELF)
        sent, seconds = send(server.port, options.records_per_s, options.seconds)
        cpu = harness.cpu_s(server.pid) - cpu
        after = resource.getrusage(resource.RUSAGE_SELF)
        found = results.get(timeout=120)
        reader.join()
        slow.close()
        count = server.metric("dendro_storage_records_committed_total")
        memory = harness.memory_mb(server.pid)
    latencies = found.pop("latencies_ms")
    out = {"tails": options.tails, "records_sent": sent, "records_stored": count, "records_per_s": sent / seconds,
           "rows_expected": sent * options.tails // SERVICES, "rows_arrived": found["rows"], "gaps": found["gaps"],
           "rows_per_s": found["rows"] / seconds, "latency_p50_ms": latencies[len(latencies) // 2],
           "latency_p99_ms": latencies[len(latencies) * 99 // 100], "latency_max_ms": latencies[-1],
           "server_cores": cpu / seconds, "readers_cores": found["cpu_s"] / seconds,
           "sender_cores": (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / seconds,
           "peak_rss_mb": memory, "cpu": harness.cpu_model(), "date": time.strftime("%Y-%m-%d")}
    say("    %d tails, %.0f records/s, %.0f rows/s delivered, %d of %d rows, %d gaps; p50 %.0f ms, p99 %.0f ms; server %.2f cores (readers %.2f, sender %.2f), peak RSS %.0f MB" % (
        out["tails"], out["records_per_s"], out["rows_per_s"], out["rows_arrived"], out["rows_expected"], out["gaps"],
        out["latency_p50_ms"], out["latency_p99_ms"], out["server_cores"], out["readers_cores"], out["sender_cores"], memory))
    json.dump(out, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
