"""Alerts end to end: a real server, a webhook and a mail server of the test's own, a kill between firing and delivery."""
import base64
import email
import hashlib
import hmac
import http.server
import json
import shutil
import socketserver
import tempfile
import threading
import time
import unittest
from pathlib import Path

from dendro_process import Server, run

SECRET = "signing key"


class Webhook:
    """Takes messages and keeps them; while `is_holding`, it reads a request and does not answer; while `is_failing`, it says 503."""

    def __init__(self):
        self.got = []
        self.tried = []
        self.is_holding = False
        self.is_failing = False
        self.released = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.tried.append((dict(self.headers), body))
                if outer.is_holding:
                    outer.released.wait(60)
                    return
                if not outer.is_failing:
                    outer.got.append((dict(self.headers), body))
                self.send_response(503 if outer.is_failing else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"

    def messages(self):
        return [json.loads(body) for _, body in self.got]

    def close(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()


class FakeMailServer:
    """Not a mail server: it says what libcurl must hear of one and keeps what it is given."""

    def __init__(self):
        self.mails = []
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                self.wfile.write(b"220 fake\r\n")
                mail = {"to": []}
                for line in self.rfile:
                    command = line.decode(errors="replace").strip()
                    word = command.upper().split(":")[0].split(" ")[0]
                    if word == "RCPT":
                        mail["to"].append(command.split("<")[1].split(">")[0])
                    if word == "DATA":
                        self.wfile.write(b"354 go on\r\n")
                        lines = []
                        for data in self.rfile:
                            if data == b".\r\n":
                                break
                            lines.append(data[1:] if data.startswith(b"..") else data)
                        mail["text"] = b"".join(lines)
                        outer.mails.append(mail)
                        mail = {"to": []}
                    self.wfile.write(b"221 bye\r\n" if word == "QUIT" else b"250 ok\r\n")
                    if word == "QUIT":
                        return

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"smtp://127.0.0.1:{self.server.server_address[1]}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def wait_until(what, seconds=40):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = what()
        if value:
            return value
        time.sleep(0.05)
    return what()


class AlertsTest(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="dendro-alerts-"))
        self.hook = Webhook()
        self.mail = FakeMailServer()
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.addCleanup(self.hook.close)
        self.addCleanup(self.mail.close)
        self.config = self.folder / "dendro.toml"
        self.config.write_text(f'''
[[receivers]]
name = "hook"
kind = "webhook"
url = "{self.hook.url}"
secret_env = "HOOK_SECRET"

[[receivers]]
name = "post"
kind = "email"
url = "{self.mail.url}"
tls = "none"
from = "dendro@example.org"
to = ["ops@example.org", "night@example.org"]

[[alerts]]
name = "from the file"
query = "level:error"
every = "10s"
range = "20s"
condition = {{ rows_above = 2 }}
receivers = ["hook", "post"]
[alerts.labels]
severity = "critical"
''')

    def server(self):
        return Server("--config", self.config, data=self.folder / "data", env={"HOOK_SECRET": SECRET})

    def post_json(self, server, method, path, body=None):
        status, _, reply = server.request(method, path, None if body is None else json.dumps(body).encode(),
                                          {"Content-Type": "application/json"})
        return status, json.loads(reply) if reply else None

    def errors(self, server, count=3):
        self.assertEqual(server.ingest([{"level": "error", "body": f"boom {i}", "svc": "pay"} for i in range(count)])[0], 200)

    def metric(self, server, name):
        text = server.request("GET", "/metrics")[2].decode()
        return [float(line.split()[1]) for line in text.splitlines() if line.startswith(name + " ")][0]

    def test_fires_survives_a_kill_and_resolves(self):
        server = self.server()
        self.hook.is_holding = True
        self.errors(server)
        self.assertTrue(wait_until(lambda: self.hook.tried), "the rule fires")
        server.kill()  # the receiver has read the message, the server knows nothing of it
        first = json.loads(self.hook.tried[0][1])
        self.hook.is_holding = False
        self.hook.released.set()
        with self.server() as server:
            self.assertTrue(wait_until(lambda: self.hook.got), "it is delivered after all")
            headers, body = self.hook.got[0]
            message = json.loads(body)
            self.assertEqual(message["dedupe_key"], first["dedupe_key"], "a repetition has the same key")
            self.assertEqual(headers["X-Dendro-Dedupe-Key"], first["dedupe_key"])
            signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
            self.assertEqual(headers["X-Dendro-Signature"], "sha256=" + signature)
            self.assertEqual(message["alerts"][0]["labels"], {"severity": "critical"})
            self.assertEqual(message["alerts"][0]["status"], "firing")
            self.assertTrue(wait_until(lambda: any(m["status"] == "resolved" for m in self.hook.messages())), "it resolves")
            self.assertTrue(wait_until(lambda: len(self.mail.mails) >= 2))
            by_key = {}
            for one in self.hook.messages():
                by_key.setdefault(one["dedupe_key"], []).append(one)
            self.assertEqual(len(by_key), 2, "one that fires and one that is resolved")
            listed = self.post_json(server, "GET", "/api/v1/alerts")[1]["items"]
            self.assertEqual([(one["rule"]["name"], one["read_only"]) for one in listed], [("from the file", True)])
            rule_id = listed[0]["id"]
            self.assertEqual(self.post_json(server, "DELETE", f"/api/v1/alerts/{rule_id}")[0], 403)
            changes = self.post_json(server, "GET", f"/api/v1/alerts/{rule_id}/history")[1]["items"]
            self.assertEqual([c["to"] for c in changes if c["to"]], ["resolved", "firing", "pending"])
            self.assertEqual(self.metric(server, "dendro_alerts_dead_letters"), 0)
            self.assertEqual(self.metric(server, "dendro_alerts_waiting"), 0)
            self.assertEqual(self.metric(server, "dendro_alerts_evaluation_failures_total"), 0)
        mail = self.mail.mails[0]
        self.assertEqual(mail["to"], ["ops@example.org", "night@example.org"])
        parsed = email.message_from_bytes(mail["text"])
        self.assertEqual(parsed["Message-ID"].split("@")[0].strip("<"), first["dedupe_key"])
        self.assertIn("FIRING from the file: severity=critical", base64.b64decode(parsed.get_payload()).decode())
        self.assertNotIn(SECRET, "".join(server.log))

    def test_rules_and_silences_by_the_api(self):
        with self.server() as server:
            rule = {"name": "by service", "query": "level:error | stats by (svc) count() as n", "every": "10s",
                    "condition": {"column": "n", "above": 1}, "receivers": ["hook"]}
            status, made = self.post_json(server, "POST", "/api/v1/alerts", rule)
            self.assertEqual(status, 201, made)
            path = "/api/v1/alerts/" + made["id"]
            self.assertEqual(self.post_json(server, "POST", "/api/v1/alerts", rule)[0], 409)
            status, problem = self.post_json(server, "POST", "/api/v1/alerts", {**rule, "name": "b", "query": "level:("})
            self.assertEqual((status, "query" in problem), (400, True), problem)
            status, problem = self.post_json(server, "POST", "/api/v1/alerts", {**rule, "name": "b", "receivers": ["x"]})
            self.assertEqual(status, 400)
            self.assertIn("no receiver", problem["detail"])
            status, problem = self.post_json(server, "POST", "/api/v1/alerts", {**rule, "name": "b", "url": self.hook.url})
            self.assertEqual(status, 400, "a rule names receivers, never addresses")
            end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
            status, silence = self.post_json(server, "POST", "/api/v1/silences",
                                             {"matchers": [{"name": "svc", "value": "pay"}], "ends_at": end})
            self.assertEqual((status, silence["state"]), (201, "active"))
            self.errors(server, 2)
            status, tested = self.post_json(server, "POST", path + "/test", {})
            self.assertEqual((status, tested["sent"], len(tested["notifications"])), (200, False, 1), tested)
            self.assertEqual(tested["notifications"][0]["alerts"][0]["labels"], {"svc": "pay"})
            self.assertTrue(self.post_json(server, "POST", path + "/test", {"deliver": True})[1]["sent"])
            self.assertTrue(wait_until(lambda: [m for m in self.hook.messages() if m["kind"] == "test"]))
            self.assertTrue(wait_until(lambda: self.post_json(server, "GET", path)[1]["state"] == "firing"))
            self.assertEqual([m for m in self.hook.messages() if m["kind"] == "alert"], [], "it is silenced")
            self.assertEqual(self.post_json(server, "DELETE", "/api/v1/silences/" + silence["id"])[0], 204)
            self.assertTrue(wait_until(lambda: [m for m in self.hook.messages() if m["kind"] == "alert"]))
            self.assertEqual(self.post_json(server, "PUT", path, {**rule, "enabled": False})[1]["state"], "disabled")
            self.assertEqual(self.post_json(server, "DELETE", path)[0], 204)
            self.assertEqual(self.post_json(server, "GET", path)[0], 404)

    def only_the_hook(self):
        self.config.write_text(self.config.read_text().replace('receivers = ["hook", "post"]', 'receivers = ["hook"]'))

    def test_dead_letters_are_seen_and_delivered_after_all(self):
        self.only_the_hook()
        self.hook.is_failing = True
        data = self.folder / "data"

        def tries_of_the_first():
            keys = [json.loads(body)["dedupe_key"] for _, body in self.hook.tried]
            return keys.count(keys[0]) if keys else 0
        for tries in range(1, 6):  # a kill ends the wait before the next try
            server = self.server()
            if tries == 1:
                self.errors(server)
            self.assertTrue(wait_until(lambda: tries_of_the_first() >= tries), f"try {tries}")
            if tries < 5:
                server.kill()
        self.assertTrue(wait_until(lambda: self.metric(server, "dendro_alerts_dead_letters") == 1))
        key = json.loads(self.hook.tried[0][1])["dedupe_key"]

        def letters(*args):
            code, out, err = run("admin", "dead-letters", *args)
            self.assertEqual(code, 0, err)
            return out
        (listed,) = json.loads(letters("list", "alerts", "--server", server.url, "-o", "json"))
        self.assertEqual((listed["receives"], listed["attributes"]), (5, {"receiver": "hook", "dedupe_key": key}))
        self.assertIn('"rule":"from the file"', letters("show", "alerts", listed["id"], "--server", server.url))
        (queue,) = json.loads(run("admin", "queues", "--server", server.url, "-o", "json")[1])
        self.assertEqual((queue["name"], queue["dead_letters"]), ("alerts", 1))
        # What is retried is so on disk, whatever happens next.
        self.assertEqual(letters("retry", "alerts", listed["id"], "--server", server.url), "to be delivered again: 1\n")
        server.kill()
        self.assertEqual(letters("list", "alerts", "--data", data), "no message of alerts is a dead letter\n")
        (queue,) = json.loads(run("admin", "queues", "--data", data, "-o", "json")[1])
        self.assertEqual(queue["dead_letters"], 0)
        self.assertGreaterEqual(queue["waiting"], 1)
        self.hook.is_failing = False
        with self.server() as server:
            self.assertTrue(wait_until(lambda: [m for m in self.hook.messages() if m["dedupe_key"] == key]))
            code, _, err = run("admin", "dead-letters", "retry", "alerts", "--data", data, "--all")
            self.assertEqual(code, 1, "a server uses the folder")
            self.assertIn("stop the server", err)

    def test_a_backup_holds_what_is_not_delivered_and_nothing_else(self):
        self.only_the_hook()
        backups = self.folder / "backups"
        backups.mkdir()
        with Server("--config", self.config, data=self.folder / "data",
                    env={"HOOK_SECRET": SECRET, "DENDRO_ADMIN_BACKUP_DIRECTORY": str(backups)}) as server:
            self.errors(server)
            self.assertTrue(wait_until(lambda: self.hook.got), "the first message is delivered")
            delivered = self.hook.messages()[0]["dedupe_key"]
            rule_id = self.post_json(server, "GET", "/api/v1/alerts")[1]["items"][0]["id"]
            self.errors(server)
            self.hook.is_holding = True
            self.assertTrue(self.post_json(server, "POST", f"/api/v1/alerts/{rule_id}/test", {"deliver": True})[1]["sent"])
            self.assertTrue(wait_until(lambda: any(json.loads(body)["kind"] == "test" for _, body in self.hook.tried)))
            code, _, err = run("admin", "backup", "--server", server.url, "--to", "b")
            self.assertEqual(code, 0, err)
            self.assertEqual(run("admin", "verify", "--server", server.url)[0], 0)
            self.hook.is_holding = False
            self.hook.released.set()
        (waiting,) = {json.loads(body)["dedupe_key"] for _, body in self.hook.tried if json.loads(body)["kind"] == "test"}
        self.hook.got.clear()
        self.assertEqual(run("admin", "verify", "--backup", backups / "b")[0], 0)
        self.assertIn("queue/alerts/000001.q", (backups / "b" / "BACKUP").read_text())
        code, _, err = run("admin", "restore", "--from", backups / "b", "--data", self.folder / "restored")
        self.assertEqual(code, 0, err)
        with Server("--config", self.config, data=self.folder / "restored", env={"HOOK_SECRET": SECRET}) as server:
            self.assertTrue(wait_until(lambda: waiting in [m["dedupe_key"] for m in self.hook.messages()]))
            self.assertTrue(wait_until(lambda: any(m["status"] == "resolved" and m["kind"] == "alert" for m in self.hook.messages())),
                            "it goes on where the backup was")
        keys = [m["dedupe_key"] for m in self.hook.messages()]
        self.assertEqual(keys.count(waiting), 1)
        self.assertNotIn(delivered, keys)

    def test_a_wrong_configuration_is_named(self):
        for text, wanted in (('[[alerts]]\nname = "a"\nquery = "*"\ncondition = { rows_above = 1 }\nreceivers = ["x"]\n', 'no receiver "x"'),
                             ('[[receivers]]\nname = "a"\nkind = "webhook"\nurl = "ftp://x"\n', 'receiver "a": url')):
            self.config.write_text(text)
            code, _, err = run("serve", "--listen", "127.0.0.1:0", "--data", self.folder / "d", "--config", self.config)
            self.assertEqual(code, 2, err)
            self.assertIn(wanted, err)


if __name__ == "__main__":
    unittest.main()
