#!/usr/bin/env python3
"""The audit log service on the engine (issue: 1,000 durable creates/s on 16 connections with p99 under 20 ms, 20,000/s in bulk, 2 cores).

    bench/engine/audit_rates.py --dendro build/bench/dendro [--loader build/bench/bench/engine/engine_load] [--seconds 10]

Logs of about 450 bytes with metadata, generated from a fixed seed. First single POSTs on 16 connections, as many as go, then
1,000 a second, whose p99 counts from the intended send time; then bulks of 500 on 4 connections. Then, over what was stored,
the median of what readers ask: first page, filtered page, a search, a log by id, the statistics, an export. Each reading call
is recorded durably before its reply, which is in its time. One JSON document on stdout, text for people on stderr.
"""
import argparse
import json
import random
import statistics
import sys

import harness
from harness import Client, say

CONNECTIONS = 16
RATE = 1000
BULK_LOGS = 500
ACTIONS = ["CREATE", "UPDATE", "DELETE", "VIEW", "LOGIN", "LOGOUT", "IMPORT", "EXPORT", "READ"]


class AuditServer(harness.Dendro):
    path = "/api/v1/logs"

    def load_target(self, dataset):
        return self.path


def make_logs(count):
    chance = random.Random(7)
    for _ in range(count):
        user = "user-%d" % chance.randrange(2000)
        yield {"action": chance.choice(ACTIONS), "resource_type": chance.choice(["invoice", "user", "order", "document"]),
               "resource_id": "%08x" % chance.getrandbits(32), "severity": chance.choice(["INFO"] * 8 + ["WARNING", "ERROR"]),
               "message": "%s changed %s of account %d" % (user, chance.choice(["address", "limit", "owner", "state"]), chance.randrange(10**6)),
               "user_id": user, "session_id": "%016x" % chance.getrandbits(64), "ip_address": "10.%d.%d.%d" % tuple(chance.randrange(256) for _ in range(3)),
               "request_id": "%032x" % chance.getrandbits(128), "before_state": {"state": "open", "version": chance.randrange(50)},
               "after_state": {"state": "closed", "version": chance.randrange(50)}, "metadata": {"region": chance.choice(["eu", "us"]), "attempt": chance.randrange(4)}}


def load(server, options, path, *arguments):
    return harness.run_loader(options.loader, server, {}, path, "--batch-records", 1, "--requests", 10**9, "--seconds", options.seconds, *arguments)


def singles(server, options, path):
    server.path = "/api/v1/logs"
    most = load(server, options, path, "--connections", CONNECTIONS)
    server.wait_quiet()
    steady = load(server, options, path, "--connections", CONNECTIONS, "--rate-rps", RATE)
    say("    %.0f creates/s on %d connections, p99 %.2f ms; at %d/s p50 %.2f ms, p99 %.2f ms" % (
        most["requests_per_s"], CONNECTIONS, most["ack_p99_ms"], RATE, steady["ack_p50_ms"], steady["ack_p99_ms"]))
    return {"most": most, "steady": steady}


def bulks(server, options, path):
    server.path = "/api/v1/logs/bulk"
    most = load(server, options, path, "--connections", 4)
    say("    %.0f logs/s in bulks of %d, p99 of a bulk %.1f ms" % (most["requests_per_s"] * BULK_LOGS, BULK_LOGS, most["ack_p99_ms"]))
    return {**most, "logs_per_s": most["requests_per_s"] * BULK_LOGS}


def ask(server, target):
    times, body = [], b""
    client = Client(server.port)
    for _ in range(15):
        status, body, seconds = client.get(target)
        times.append(seconds * 1000)
        if status != 200:
            raise harness.RunFailed("%s answered %d: %s" % (target, status, body[:200]))
    return round(statistics.median(times), 2), body


def reads(server):
    found, body = {}, b""
    found["first page of 100"], body = ask(server, "/api/v1/logs")
    page = json.loads(body)
    log = page["data"][50]
    for name, target in (("by id", "/api/v1/logs/" + log["id"]), ("one user", "/api/v1/logs?user_id=" + log["user_id"]),
                         ("search of a request id's word", "/api/v1/logs?search=" + log["resource_id"]),
                         ("search of nothing there", "/api/v1/logs?search=nowhere"), ("statistics", "/api/v1/logs/stats"),
                         ("count", "/api/v1/stats/count"), ("by severity", "/api/v1/stats/by-severity")):
        found[name], _ = ask(server, target)
    _, body, seconds = Client(server.port, 600).get("/api/v1/logs/export?format=ndjson")
    found["export, logs/s"] = round(body.count(b"\n") / seconds)
    found["export, MB/s"] = round(len(body) / 1e6 / seconds, 1)
    for name, value in found.items():
        say("    %-32s %s" % (name, value))
    return {"logs": page["meta"]["pagination"]["total"], "ms": found}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    harness.add_server_options(parser)
    parser.add_argument("--seconds", type=float, default=10, help="of each measurement")
    options = parser.parse_args()
    harness.settle_options(options)
    single_path, bulk_path = options.cache / "audit-singles.ndjson", options.cache / "audit-bulks.ndjson"
    logs = list(make_logs(20000))
    single_path.write_text("".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs))
    bulk_path.write_text("".join(json.dumps({"logs": logs[i:i + BULK_LOGS]}, separators=(",", ":")) + "\n" for i in range(0, len(logs), BULK_LOGS)))
    made = harness.make_dendro(options, "audit")
    out = {"cpu": harness.cpu_model(), "load_average": harness.load_average(), "version": harness.version_of(options.dendro, harness.Dendro)}
    with AuditServer(made.binary, made.data, made.extra, made.env, compact=made.compact) as server:
        out["singles"] = singles(server, options, single_path)
        out["bulk"] = bulks(server, options, bulk_path)
        server.wait_quiet()
        out["reads"] = reads(server)
        out["notes"] = server.notes
    json.dump(out, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    try:
        main()
    except harness.RunFailed as failure:
        sys.exit(str(failure))
