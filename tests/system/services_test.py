"""The real servers that tools/services starts: each does what it is there for, asked by a client of another project; and the tool with
two of them of our own. The address of each comes by its variable; one that is not set is skipped, or fails with DENDRO_REQUIRE_SERVICES=1."""
import http.client
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
import uuid
from pathlib import Path
from unittest import mock
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / "tools" / "services"
sys.path.insert(0, str(ROOT / "tools"))

from test_servers import catalog  # noqa: E402

REQUIRED = os.environ.get("DENDRO_REQUIRE_SERVICES") == "1"
SERVERS = {server.name: server for server in catalog.servers()}

S3 = """
bucket = "b-" + name
s3 = boto3.client("s3", endpoint_url=url, config=Config(s3={"addressing_style": "path"}))
s3.create_bucket(Bucket=bucket)
s3.put_object(Bucket=bucket, Key="day/1.jsonl", Body=b"one\\n")
assert s3.get_object(Bucket=bucket, Key="day/1.jsonl")["Body"].read() == b"one\\n"
assert refusal(s3.put_object, Bucket=bucket, Key="day/1.jsonl", Body=b"two", IfNoneMatch="*") == "PreconditionFailed"
assert [o["Key"] for o in s3.list_objects_v2(Bucket=bucket, Prefix="day/")["Contents"]] == ["day/1.jsonl"]
"""
SQS = """
sqs = boto3.client("sqs", endpoint_url=url)
queue = sqs.create_queue(QueueName=name)["QueueUrl"]
sqs.send_message(QueueUrl=queue, MessageBody="a log")
got = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=10)["Messages"][0]
assert got["Body"] == "a log"
sqs.delete_message(QueueUrl=queue, ReceiptHandle=got["ReceiptHandle"])
"""
DYNAMODB = """
db = boto3.client("dynamodb", endpoint_url=url)
db.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}])
item = {"id": {"S": "1"}, "message": {"S": "a log"}}
db.put_item(TableName=name, Item=item, ConditionExpression="attribute_not_exists(id)")
assert refusal(db.put_item, TableName=name, Item=item, ConditionExpression="attribute_not_exists(id)") == "ConditionalCheckFailedException"
assert db.get_item(TableName=name, Key={"id": {"S": "1"}})["Item"] == item
"""
MONGODB = """
import pymongo
logs = pymongo.MongoClient(url, serverSelectionTimeoutMS=20000)[name].logs
logs.insert_many([{"_id": i, "severity": "ERROR" if i % 2 else "INFO"} for i in range(10)])
try:
    logs.insert_one({"_id": 3})
    raise AssertionError("a second 3 was taken")
except pymongo.errors.DuplicateKeyError as error:
    assert error.code == 11000
assert [d["_id"] for d in logs.find({"severity": "ERROR"}).sort("_id", -1).limit(2)] == [9, 7]
logs.database.client.drop_database(name)
"""
AWS = """
import boto3, sys
from botocore.client import Config
from botocore.exceptions import ClientError
def refusal(call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None
"""


def tell_or_skip(test, reason, required):
    if required and REQUIRED:
        test.fail(reason)
    test.skipTest(reason)


def address(test, name):
    server = SERVERS[name]
    found = os.environ.get(server.variable)
    if not found:
        tell_or_skip(test, f"{server.variable} is not set (tools/services up --env FILE)", server.required)
    return found


def run_client(test, code, url, keys=("AKIAIOSFODNN7EXAMPLE", "test"), name=None):
    """Python of the clients' environment; `url` and `name` are there."""
    python = os.environ.get("DENDRO_TEST_PYTHON")
    if not python:
        tell_or_skip(test, "DENDRO_TEST_PYTHON is not set (it comes with moto)", True)
    env = {"PATH": os.environ["PATH"], "AWS_ACCESS_KEY_ID": keys[0], "AWS_SECRET_ACCESS_KEY": keys[1], "AWS_DEFAULT_REGION": "us-east-1",
           "AWS_MAX_ATTEMPTS": "1", "AWS_EC2_METADATA_DISABLED": "true"}
    name = name or "t" + uuid.uuid4().hex[:12]
    done = subprocess.run([python, "-c", f"url, name = {url!r}, {name!r}\n{code}"], env=env, capture_output=True, text=True, timeout=120)
    test.assertEqual(done.returncode, 0, done.stderr)
    return done.stdout


def request(url, method, path, body=None, content_type="application/json"):
    at = urlsplit(url)
    connection = http.client.HTTPConnection(at.hostname, at.port, timeout=60)
    try:
        connection.request(method, path, body, {"Content-Type": content_type} if body is not None else {})
        reply = connection.getresponse()
        return reply.status, reply.read().decode()
    finally:
        connection.close()


def psql(url, sql, password=None):
    """Exit code and output of psql."""
    at = urlsplit(url)
    env = {"PATH": os.environ["PATH"], "PGHOST": at.hostname, "PGPORT": str(at.port), "PGUSER": at.username, "PGDATABASE": at.path[1:],
           "PGPASSWORD": password or at.password}
    done = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql], env=env, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout.strip() + done.stderr.strip()


class EachServer(unittest.TestCase):
    def test_moto_keeps_objects_queues_and_tables(self):
        run_client(self, AWS + S3 + SQS + DYNAMODB, address(self, "moto"))

    def test_dynamodb_local_keeps_tables_and_refuses_26_writes_at_once(self):
        too_many = """
puts = [{"PutRequest": {"Item": {"id": {"S": str(i)}}}} for i in range(26)]
assert refusal(db.batch_write_item, RequestItems={name: puts}) == "ValidationException"
"""
        run_client(self, AWS + DYNAMODB + too_many, address(self, "dynamodb-local"))

    def test_elasticmq_has_the_queues_of_the_services_and_moves_what_nobody_takes(self):
        dead = """
names = {q.rpartition("/")[2] for q in sqs.list_queues()["QueueUrls"]}
assert {"ocelot-logs-queue", "ocelot-logs-dlq", "audit.fifo"} <= names, names
policy = sqs.get_queue_attributes(QueueUrl=sqs.get_queue_url(QueueName="ocelot-logs-queue")["QueueUrl"], AttributeNames=["RedrivePolicy"])
assert '"maxReceiveCount":5' in policy["Attributes"]["RedrivePolicy"].replace(" ", ""), policy
"""
        run_client(self, AWS + SQS + dead, address(self, "elasticmq"))

    def test_opensearch_finds_what_was_written_in_bulk(self):
        url, index = address(self, "opensearch"), "t" + uuid.uuid4().hex[:12]
        version = json.loads(request(url, "GET", "/")[1])["version"]["number"]
        self.assertRegex(version, r"^(3\.8\.0|2\.19\.1)$")
        lines = "".join(json.dumps({"index": {"_id": str(i)}}) + "\n" + json.dumps({"message": f"disk {i} is full"}) + "\n" for i in range(20))
        status, reply = request(url, "POST", f"/{index}/_bulk?refresh=true", lines, "application/x-ndjson")
        self.assertEqual((status, json.loads(reply)["errors"]), (200, False), reply[:1000])
        query = {"query": {"match_phrase": {"message": "disk 7 is"}}}
        hits = json.loads(request(url, "POST", f"/{index}/_search", json.dumps(query))[1])["hits"]["hits"]
        self.assertEqual([hit["_id"] for hit in hits], ["7"])
        self.assertEqual(request(url, "DELETE", f"/{index}")[0], 200)

    def test_mongodb_keeps_documents_and_refuses_duplicates(self):
        run_client(self, MONGODB, address(self, "mongodb"))

    def test_ferretdb_keeps_documents_and_refuses_duplicates(self):
        run_client(self, MONGODB, address(self, "ferretdb"))

    def test_postgres_keeps_rows_and_asks_for_the_password(self):
        url, table = address(self, "postgres"), "t" + uuid.uuid4().hex[:12]
        code, out = psql(url, f"CREATE TABLE {table} (n int); INSERT INTO {table} SELECT generate_series(1, 1000); SELECT sum(n) FROM {table}; "
                              f"DROP TABLE {table}; SHOW server_version_num")
        self.assertEqual(code, 0, out)
        self.assertRegex(out, r"^500500\n15\d{4}$")
        code, out = psql(url, "SELECT 1", password="wrong")
        self.assertEqual(code, 2)
        self.assertIn("password authentication failed", out)

    def test_versitygw_checks_signatures(self):
        url = address(self, "versitygw")
        keys = os.environ["DENDRO_TEST_VERSITYGW_ACCESS_KEY"], os.environ["DENDRO_TEST_VERSITYGW_SECRET_KEY"]
        run_client(self, AWS + S3, url, keys)
        run_client(self, AWS + 'assert refusal(boto3.client("s3", endpoint_url=url).list_buckets) == "SignatureDoesNotMatch"', url, (keys[0], "wrong"))

    def test_toxiproxy_cuts_an_answer_and_refuses_connections(self):
        url, name = address(self, "toxiproxy"), "t" + uuid.uuid4().hex[:12]
        with socket.create_server(("127.0.0.1", 0)) as upstream:
            threading.Thread(target=say_hello, args=(upstream,), daemon=True).start()
            proxy = {"name": name, "listen": "127.0.0.1:0", "upstream": f"127.0.0.1:{upstream.getsockname()[1]}", "enabled": True}
            status, reply = request(url, "POST", "/proxies", json.dumps(proxy))
            self.assertEqual(status, 201, reply)
            try:
                port = int(json.loads(reply)["listen"].rpartition(":")[2])
                self.assertEqual(read_all(port), b"hello, world")
                toxic = {"name": "cut", "type": "limit_data", "stream": "downstream", "attributes": {"bytes": 5}}
                self.assertEqual(request(url, "POST", f"/proxies/{name}/toxics", json.dumps(toxic))[0], 200)
                self.assertEqual(read_all(port), b"hello")
                self.assertEqual(request(url, "POST", f"/proxies/{name}", '{"enabled":false}')[0], 200)
                with self.assertRaises(ConnectionRefusedError):
                    read_all(port)
            finally:
                request(url, "DELETE", f"/proxies/{name}")

    def test_all_listen_on_loopback_only(self):
        names = [name for name, server in SERVERS.items() if os.environ.get(server.variable)]
        if not names:
            tell_or_skip(self, "no server is given by its variable", True)
        heard = listeners_by_port()
        for name in names:
            port = urlsplit(os.environ[SERVERS[name].variable]).port
            self.assertTrue(heard.get(port), f"{name}: nobody listens on {port}")
            self.assertTrue(all(is_loopback(host) for host in heard[port]), f"{name}: {heard[port]}")

    def test_the_set_of_this_run_says_what_does_not_run_and_why(self):
        if "DENDRO_SERVICES_STATE" not in os.environ:
            self.skipTest("DENDRO_SERVICES_STATE is not set: this is not make test")
        for one in json.loads(tool("status", "--json")[1])["servers"]:
            if os.environ.get(SERVERS[one["name"]].variable):
                self.assertEqual(one["state"], "up", one)
            else:
                self.assertTrue(one["problem"], one)


class TheTool(unittest.TestCase):
    """moto and PostgreSQL, apart from those that other tests use: these are killed."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.addClassCleanup(lambda: cls.call("down"))
        cls.started = cls.call("up", "moto", "postgres", "--env", Path(cls.folder.name, "env"))

    @classmethod
    def call(cls, *arguments):
        return tool(*arguments, "--state", Path(cls.folder.name, "state"))

    def setUp(self):
        code, _, err = self.started
        if code != 0:
            tell_or_skip(self, f"moto and PostgreSQL did not start: {err}", True)

    def rows(self):
        found = json.loads(self.call("status", "--json")[1])
        return {one["name"]: one for one in found["servers"]}

    def variable(self, name):
        out = subprocess.run(["sh", "-c", f'. "$0"; printf %s "${name}"', Path(self.folder.name, "env")], capture_output=True, text=True, check=True)
        return out.stdout

    def test_a_second_up_starts_nothing(self):
        before = self.rows()
        code, _, err = self.call("up", "postgres", "moto")
        self.assertEqual(code, 0)
        self.assertEqual(sorted(re.findall(r"services: (\S+): (.*)", err)), [("moto", "runs already"), ("postgres", "runs already")])
        self.assertEqual({name: row["pid"] for name, row in self.rows().items()}, {name: row["pid"] for name, row in before.items()})

    def test_a_killed_one_is_down_and_comes_back_at_its_address_with_its_data(self):
        url = self.variable("DENDRO_TEST_POSTGRES")
        self.assertEqual(psql(url, "CREATE TABLE kept AS SELECT 42 AS n")[0], 0)
        kill_and_wait(self.rows()["postgres"]["pid"])
        self.assertEqual({name: self.rows()[name]["state"] for name in ("postgres", "moto", "mongodb")},
                         {"postgres": "down", "moto": "up", "mongodb": "absent"})
        self.assertEqual(self.call("status")[0], 1)
        code, _, err = self.call("up", "moto", "postgres")
        self.assertEqual(code, 0, err)
        self.assertRegex(err, r"services: postgres: ready after \d")
        self.assertEqual(self.rows()["postgres"]["state"], "up")
        self.assertEqual(psql(url, "SELECT n FROM kept; DROP TABLE kept"), (0, "42"))

    def test_what_it_started_listens_on_loopback_only_by_ss(self):
        for name in ("moto", "postgres"):
            hosts = [host for pid, host, _ in listeners() if pid == self.rows()[name]["pid"]]
            self.assertTrue(hosts, name)
            self.assertTrue(all(is_loopback(host) for host in hosts), f"{name}: {hosts}")

    def test_moto_checks_signatures_when_told_to(self):
        url = self.variable("DENDRO_TEST_MOTO")
        make_key = AWS + """
iam = boto3.client("iam", endpoint_url=url)
iam.create_user(UserName=name)
iam.attach_user_policy(UserName=name, PolicyArn="arn:aws:iam::aws:policy/AmazonS3FullAccess")
key = iam.create_access_key(UserName=name)["AccessKey"]
print(key["AccessKeyId"], key["SecretAccessKey"])
"""
        buckets = 'print(refusal(boto3.client("s3", endpoint_url=url).list_buckets), refusal(boto3.client("sqs", endpoint_url=url).list_queues))'
        python = {"DENDRO_TEST_PYTHON": self.variable("DENDRO_TEST_PYTHON")}
        with mock.patch.dict(os.environ, python):
            key, secret = run_client(self, make_key, url).split()
            self.assertEqual(request(url, "POST", "/moto-api/reset-auth", "0", "text/plain")[0], 200)
            try:
                # SQS refuses with a body that its clients do not read: the status is all they tell.
                self.assertEqual(run_client(self, AWS + buckets, url, (key, secret)).split(), ["None", "403"])
                self.assertEqual(run_client(self, AWS + buckets, url, (key, "wrong")).split()[0], "SignatureDoesNotMatch")
                self.assertEqual(run_client(self, AWS + buckets, url, ("AKIAUNKNOWN", secret)).split()[0], "InvalidAccessKeyId")
            finally:
                request(url, "POST", "/moto-api/reset-auth", "1000000000", "text/plain")
            self.assertEqual(run_client(self, AWS + buckets, url, (key, "wrong")).split(), ["None", "None"])

    def test_down_ends_all_and_leaves_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            state = Path(folder, "state")
            code, _, err = tool("up", "moto", "--state", state)
            self.assertEqual(code, 0, err)
            found = json.loads(tool("status", "--json", "--state", state)[1])
            pid, = (one["pid"] for one in found["servers"] if one["pid"])
            self.assertNotEqual(pid, self.rows()["moto"]["pid"])
            self.assertEqual(tool("down", "--state", state)[0], 0)
            self.assertFalse(Path(f"/proc/{pid}").exists() and "moto" in Path(f"/proc/{pid}/cmdline").read_text())
            self.assertFalse(Path(found["folder"]).exists())
            self.assertEqual(self.rows()["moto"]["state"], "up")


class Compose(unittest.TestCase):
    """No container engine here: the file is parsed and compared, not run."""
    FILE = ROOT / "deploy" / "docker" / "compose.services.yaml"

    def test_it_names_the_same_servers_pinned_and_on_loopback(self):
        out = run_client(self, f"import json, yaml; print(json.dumps(yaml.safe_load(open({str(self.FILE)!r}))))", "")
        services = json.loads(out)["services"]
        self.assertEqual(sorted(services), sorted(SERVERS))
        for name, service in services.items():
            self.assertRegex(service["image"], r"^[a-z0-9._/-]+:v?[0-9][0-9A-Za-z.-]*$", name)
            for port in service["ports"]:
                self.assertRegex(port, r"^127\.0\.0\.1:\d+:\d+$", name)
            self.assertIn(f"{SERVERS[name].variable}=", self.FILE.read_text(), name)


def tool(*arguments):
    """Exit code, stdout, stderr."""
    done = subprocess.run([sys.executable, TOOL, *arguments], capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout, done.stderr


def listeners():
    """(pid, host, port) of every listening TCP socket, by ss."""
    out = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout
    for line in out.splitlines():
        host, _, port = line.split()[3].rpartition(":")
        for pid in re.findall(r"pid=(\d+)", line) or ["0"]:
            yield int(pid), host.strip("[]"), int(port)


def listeners_by_port():
    found = {}
    for _, host, port in listeners():
        found.setdefault(port, set()).add(host)
    return found


def is_loopback(host):
    return host.removeprefix("::ffff:").startswith("127.") or host == "::1"


def kill_and_wait(pid):
    """Kills a process that is not our child and returns when it has ended."""
    with os.fdopen(os.pidfd_open(pid)) as process:
        os.kill(pid, signal.SIGKILL)
        ended, _, _ = select.select([process], [], [], 30)
    assert ended, f"process {pid} lives on"


def say_hello(listener):
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        with client:
            client.sendall(b"hello, world")


def read_all(port):
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        received = b""
        while True:
            piece = client.recv(100)
            if not piece:
                return received
            received += piece


if __name__ == "__main__":
    unittest.main()
