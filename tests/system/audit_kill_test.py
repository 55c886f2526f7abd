"""The audit log service with authentication on, killed at random under load over and over (five-systems.md 10, items 16 to 21):
every 202 is found exactly once, in its tenant, whatever was sent again; what was refused is nowhere; revocations outlive the kill.

DENDRO_KILL_SECONDS (35) says how long, DENDRO_SEED repeats one run's choices."""
import base64
import http.client
import json
import os
import random
import shutil
import tempfile
import threading
import time
import unittest
from urllib.parse import urlencode

from dendro_process import Server, run
from web_socket_client import WebSocketClient

ENV = {"SECRET_KEY": "a secret of the tests that is long enough", "DENDRO_MEMTABLE_BYTES_MAX": "256KiB"}
LISTEN = ("127.0.0.1:0=audit", "127.0.0.1:0")
TENANTS = ("acme", "bank", "coop")
WRITERS = 2  # of a tenant
SECONDS = float(os.environ.get("DENDRO_KILL_SECONDS", "35"))


def bearer(token, tenant, **more):
    return {"Authorization": f"Bearer {token}", "X-Tenant-ID": tenant, **more}


def log(message):
    return {"action": "CREATE", "resource_type": "order", "resource_id": "o1", "message": message}


class Sender(threading.Thread):
    """Sends the requests of one writer of a tenant in order, each until it is acknowledged; the same key again while in doubt."""

    def __init__(self, server, token, tenant, name, state):
        super().__init__(daemon=True)
        self.server, self.token, self.tenant, self.name_, self.state = server, token, tenant, name, state
        self.fault = None
        self.once = False  # send one request and end

    def request(self, number):
        """Path, body, messages that are stored: a function of the number, so that a repeat is the same."""
        if number % 3 == 0:
            message = f"{self.tenant}/{self.name_}-{number}-0"
            return "/api/v1/logs", log(message), [message]
        messages = [f"{self.tenant}/{self.name_}-{number}-{part}" for part in range(number % 7 + 1)]
        logs = [log(message) for message in messages]
        if number % 5 == 0:
            logs.insert(len(logs) // 2, {**log("wrong"), "action": "SING"})  # refused by itself, the others stand
        return "/api/v1/logs/bulk", {"logs": logs}, messages

    def run(self):
        while True:
            number = self.state["next"]
            path, body, messages = self.request(number)
            # One key for all tenants: each has its own.
            headers = bearer(self.token, self.tenant, **{"Idempotency-Key": f"{self.name_}-{number}"})
            try:
                status, _, reply = self.server.request("POST", path, json.dumps(body), headers)
            except (OSError, http.client.HTTPException):
                return  # in doubt: sent again when the server is back
            if status == 202:
                self.state["next"] = number + 1
                self.state["stored"].update(messages)
            elif status not in (429, 503):
                self.fault = (status, reply)
                return
            if self.once and status == 202:
                return


class Intruder(threading.Thread):
    """Tries what must be refused."""

    def __init__(self, server, tries):
        super().__init__(daemon=True)
        self.server, self.tries = server, tries
        self.faults, self.count = [], 0

    def run(self):
        try:
            while True:
                for headers, wanted in self.tries:
                    status = self.server.request("POST", "/api/v1/logs", json.dumps(log("intruder")), headers)[0]
                    self.count += 1
                    if status not in (wanted, 429, 503):
                        self.faults.append((headers["X-Tenant-ID"], wanted, status))
        except (OSError, http.client.HTTPException):
            pass


class Follower(threading.Thread):
    """Follows a tenant's stream from the last log that it saw."""

    def __init__(self, server, token, tenant, seen):
        super().__init__(daemon=True)
        lines = "".join(f"{name}: {value}\r\n" for name, value in bearer(token, tenant).items())
        self.seen = seen
        self.stream = WebSocketClient(server, f"/api/v1/logs/stream?after={seen[-1][0]}", lines)

    def run(self):
        try:
            while True:
                frame = json.loads(self.stream.receive())
                if "id" in frame:
                    self.seen.append((frame["id"], frame["message"], frame["tenant_id"]))
        except (OSError, EOFError, ValueError, TypeError):
            self.stream.close()


class AuditKill(unittest.TestCase):
    def setUp(self):
        self.seed = int(os.environ.get("DENDRO_SEED", random.SystemRandom().randrange(2**32)))
        print(f"seed {self.seed}")
        self.chance = random.Random(self.seed)
        self.data = tempfile.mkdtemp(prefix="dendro-audit-kill-")
        self.addCleanup(shutil.rmtree, self.data, ignore_errors=True)
        self.start().kill()  # makes the folder
        self.tokens = {tenant: self.token(tenant, "writer") for tenant in TENANTS}
        self.readers = {tenant: self.token(tenant, "reader") for tenant in TENANTS}
        self.root = self.token("*", "admin")

    def start(self):
        return Server(listen=LISTEN, data=self.data, env=ENV)

    def token(self, tenant, *roles):
        words = [word for role in roles for word in ("--role", role)]
        code, out, err = run("token", "create", "--data", self.data, "--tenant", tenant, "--ttl", "24h", *words, env=ENV)
        self.assertEqual(code, 0, err)
        return out.strip()

    def revoke(self, server, token):
        jti = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))["jti"]
        status = server.request("DELETE", f"/api/v1/tokens/{jti}", None, {"Authorization": f"Bearer {self.root}"}, index=1)[0]
        self.assertEqual(status, 204)

    def logs(self, server, tenant):
        found, cursor = [], None
        while True:
            path = "/api/v1/logs?" + urlencode({"limit": 1000, **({"cursor": cursor} if cursor else {})})
            status, _, reply = server.request("GET", path, None, bearer(self.readers[tenant], tenant))
            self.assertEqual(status, 200, reply)
            page = json.loads(reply)
            found += page["data"]
            cursor = page["meta"]["pagination"]["next_cursor"]
            if cursor is None:
                return found

    def check(self, server, states):
        for tenant in TENANTS:
            found = self.logs(server, tenant)
            messages = [one["message"] for one in found]
            wanted = set().union(*(state["stored"] for state in states[tenant].values()))
            self.assertEqual(len(messages), len(set(messages)), f"{tenant}: stored twice")
            self.assertEqual(set(messages) - wanted, set(), f"{tenant}: never acknowledged, or not its own")
            self.assertEqual(wanted - set(messages), set(), f"{tenant}: lost")
            self.assertEqual({one["tenant_id"] for one in found} | {tenant}, {tenant})
            count = json.loads(server.request("GET", "/api/v1/stats/count", None, bearer(self.readers[tenant], tenant))[2])["data"]["count"]
            self.assertEqual(count, len(wanted))

    def test_nothing_acknowledged_is_lost_or_doubled_in_any_tenant(self):
        states = {tenant: {f"w{i}": {"next": 1, "stored": set()} for i in range(WRITERS)} for tenant in TENANTS}
        seen = {tenant: [] for tenant in TENANTS}
        with self.start() as server:  # where the followers begin
            for tenant in TENANTS:
                status, _, reply = server.request("POST", "/api/v1/logs", json.dumps(log(f"{tenant}/first")), bearer(self.tokens[tenant], tenant))
                self.assertEqual(status, 202, reply)
                states[tenant]["w0"]["stored"].add(f"{tenant}/first")
                first, = self.logs(server, tenant)
                seen[tenant].append((first["id"], first["message"], first["tenant_id"]))
        revoked, rounds, intrusions = [], 0, 0
        last = time.monotonic() + SECONDS
        while time.monotonic() < last:
            server = self.start()
            rounds += 1
            for token, tenant in revoked:
                self.assertEqual(server.request("GET", "/api/v1/logs", None, bearer(token, tenant))[0], 401, "revoked before the kill")
            self.resend(server, states)
            if rounds % 4 == 0:
                self.check(server, states)
            spare_tenant = self.chance.choice(TENANTS)
            spare = self.token(spare_tenant, "writer")
            senders = [Sender(server, self.tokens[tenant], tenant, name, state) for tenant in TENANTS for name, state in states[tenant].items()]
            intruder = Intruder(server, [(bearer(self.tokens["acme"], "bank"), 403), (bearer(self.readers["coop"], "coop"), 403), (bearer("garbage", "acme"), 401)])
            followers = [Follower(server, self.readers[tenant], tenant, seen[tenant]) for tenant in TENANTS]
            threads = [*senders, intruder, *followers]
            for thread in threads:
                thread.start()
            time.sleep(self.chance.uniform(0.1, 1.2))  # the moment of the kill is the random part of the test
            if self.chance.random() < 0.5:
                self.revoke(server, spare)
                revoked.append((spare, spare_tenant))
            server.kill()
            for thread in threads:
                thread.join()
            self.assertEqual([sender.fault for sender in senders if sender.fault], [])
            self.assertEqual(intruder.faults, [])
            intrusions += intruder.count
        with self.start() as server:
            self.resend(server, states)
            self.check(server, states)
            for tenant in TENANTS:  # the stream, cut by every kill and resumed, gave each log once
                wanted = set().union(*(state["stored"] for state in states[tenant].values()))
                follower = Follower(server, self.readers[tenant], tenant, seen[tenant])
                follower.start()
                deadline = time.monotonic() + 60
                while len(seen[tenant]) < len(wanted) and time.monotonic() < deadline:
                    time.sleep(0.01)
                follower.stream.socket.shutdown(2)
                follower.join()
                messages = [message for _, message, _ in seen[tenant]]
                self.assertEqual(len(messages), len(set(messages)), f"{tenant}: sent twice")
                self.assertEqual(set(messages), wanted, tenant)
                self.assertEqual({of for _, _, of in seen[tenant]}, {tenant})
            total = sum(len(state["stored"]) for of_tenant in states.values() for state in of_tenant.values())
            print(f"{rounds} kills, {total} logs of {len(TENANTS)} tenants, {intrusions} refused tries, {len(revoked)} revocations")
            self.assertGreater(total, 200)
            self.assertGreater(intrusions, 10)

    def resend(self, server, states):
        """What is in doubt is sent again, with its key; each sender goes one request on."""
        senders = [Sender(server, self.tokens[tenant], tenant, name, state) for tenant in TENANTS for name, state in states[tenant].items()]
        for sender in senders:
            sender.once = True
            sender.start()
        for sender in senders:
            sender.join()
        self.assertEqual([sender.fault for sender in senders if sender.fault], [])


if __name__ == "__main__":
    unittest.main()
