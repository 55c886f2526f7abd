"""S0 on a bucket (five-systems.md 2 and items 1 to 11 of its section 10): the same cases on a file, a folder and S3, by the
command line and over HTTP; topics; queries over buckets; and the suite of object stores against moto.

DENDRO_TEST_S3_BYTES: the size of the large object, default 300 MB; 6000000000 is the long form.
"""
import gzip
import json
import os
import shutil
import subprocess
import tempfile
import time
import unittest
import urllib.parse
import uuid
from pathlib import Path

from aws_servers import GeneratedS3, Moto, tag
from dendro_process import BINARY, Server, run

LARGE = int(os.environ.get("DENDRO_TEST_S3_BYTES", 300_000_000))
THREE = b'{"level":"ERROR","service":"api"}\n{"level":"ERROR","service":"db"}\n{"level":"ERROR","service":"x"}\n'
NO_LOGS = "No logs found at the specified prefix."


def setUpModule():
    global moto
    moto = Moto()


def tearDownModule():
    moto.stop()


def wait_for_next_second():
    """Listings tell whole seconds."""
    second = int(time.time())
    while int(time.time()) == second:
        time.sleep(0.01)


class FilePlace:
    def __init__(self, folder):
        self.folder = folder

    def put(self, key, body):
        path = Path(self.folder, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)

    def arguments(self, key):
        return ["--file", str(Path(self.folder, key))]


class FolderPlace(FilePlace):
    """A folder as bucket."""
    def __init__(self, folder):
        super().__init__(folder)
        self.bucket = "file://" + str(folder)

    def arguments(self, key):
        return ["--bucket", self.bucket, "--prefix", key]


class S3Place:
    def __init__(self):
        self.bucket = moto.make_bucket()

    def put(self, key, body):
        moto.put(self.bucket, key, body)

    def arguments(self, key):
        return ["--bucket", self.bucket, "--prefix", key]


class PlacesCase(unittest.TestCase):
    """Each case runs on every place, by both ways in where there are two."""
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="dendro-s3-")
        file, folder = Path(cls.folder, "file"), Path(cls.folder, "bucket")
        file.mkdir()
        folder.mkdir()
        cls.places = [FilePlace(file), FolderPlace(folder), S3Place()]
        cls.buckets = cls.places[1:]
        allowed = ",".join([cls.buckets[0].bucket, "dendro-*"])
        cls.server = Server(listen=("127.0.0.1:0=analytics",),
                            env={**moto.environment(), "DENDRO_ANALYZE_ALLOWED_BUCKETS": allowed})

    @classmethod
    def tearDownClass(cls):
        code = cls.server.stop()
        shutil.rmtree(cls.folder, ignore_errors=True)
        shutil.rmtree(cls.server.data, ignore_errors=True)
        assert code == 0, code

    def cli(self, *arguments, env=None):
        return run("analyze", *arguments, env=moto.environment() if env is None else env)

    def http(self, path="/analyze", method="GET", server=None, **parameters):
        status, headers, body = (server or self.server).request(method, path + "?" + urllib.parse.urlencode(parameters))
        return status, json.loads(body), headers

    def results(self, body, *flags):
        """The result that all places give for one object; they must agree."""
        key = uuid.uuid4().hex
        found = []
        for place in self.places:
            place.put(key, body)
            code, out, err = self.cli(*place.arguments(key), *flags)
            self.assertEqual(code, 0, f"{type(place).__name__}: {err}")
            found.append((json.loads(out), err))
            if hasattr(place, "bucket"):
                parameters = {flags[i].lstrip("-"): flags[i + 1] for i in range(0, len(flags), 2)}
                status, report, headers = self.http(bucket=place.bucket, prefix=key, **parameters)
                self.assertEqual((status, report, headers["x-dendro-object"]), (200, json.loads(out), key))
                self.assertEqual(headers["cache-control"], "no-store")
        for other in found[1:]:
            self.assertEqual(other, found[0])
        return found[0]


class SameEverywhere(PlacesCase):
    def test_1_three_services_reach_three_but_not_four(self):
        expected = {"total": 3, "byService": {"api": 1, "db": 1, "x": 1}, "alert": True}
        self.assertEqual(self.results(THREE), (expected, ""))
        self.assertEqual(self.results(THREE, "--threshold", "4"), ({**expected, "alert": False}, ""))

    def test_2_empty_input(self):
        for body in (b"", b"\n \r\n"):
            self.assertEqual(self.results(body, "--threshold", "0")[0], {"total": 0, "byService": {}, "alert": True})
            self.assertEqual(self.results(body, "--threshold", "1")[0], {"total": 0, "byService": {}, "alert": False})

    def test_3_what_is_no_object_costs_nothing_else(self):
        report, err = self.results(b'not json\n\n[1]\n7\nnull\n"x"\n' + THREE)
        self.assertEqual(report["total"], 3)
        self.assertIn("5 lines skipped", err)

    def test_4_services_that_are_none_or_no_text(self):
        lines = b'{"level":"ERROR"}\n{"level":"ERROR","service":null}\n{"level":"ERROR","service":""}\n'
        self.assertEqual(self.results(lines)[0]["byService"], {"unknown": 3})
        lines = b'{"level":"ERROR","service":7}\n{"level":"ERROR","service":["x"]}\n{"level":"ERROR","service":true}\n'
        self.assertEqual(self.results(lines)[0]["byService"], {"7": 1, '["x"]': 1, "true": 1})

    def test_5_bad_utf8_costs_its_line(self):
        report, err = self.results(b'{"level":"ERROR","service":"\xff"}\n' + THREE)
        self.assertEqual((report["total"], err), (3, "1 line skipped: 1 not UTF-8\n"))

    def test_6_packed_objects_give_what_is_in_them(self):
        plain = self.results(THREE)
        zstd = subprocess.run(["zstd", "-q", "-c"], input=THREE, capture_output=True, check=True).stdout
        for packed in (gzip.compress(THREE), gzip.compress(THREE[:40]) + gzip.compress(THREE[40:]), zstd,
                       THREE.decode().encode("utf-16")):
            self.assertEqual(self.results(packed), plain)

    def test_6_a_cut_packed_object_is_an_error_never_a_part(self):
        key = uuid.uuid4().hex
        for place in self.places:
            place.put(key, gzip.compress(THREE * 100)[:-9])
            code, out, err = self.cli(*place.arguments(key))
            self.assertEqual((code, out), (1, ""))
            self.assertTrue(err.startswith("An unexpected error occurred: "), err)

    def test_9_nothing_there_and_no_bucket(self):
        for place, missing in zip(self.buckets, ("file:///no/such/folder", "dendro-missing-" + uuid.uuid4().hex[:8])):
            code, out, err = self.cli("--bucket", place.bucket, "--prefix", "none/")
            self.assertEqual((code, out, err), (1, "", NO_LOGS + "\n"))
            self.assertEqual(self.http(bucket=place.bucket, prefix="none/")[:2], (404, {"detail": NO_LOGS}))
            self.assertEqual(self.cli("--bucket", missing), (1, "", f"S3 bucket '{missing}' not found.\n"))
        self.assertEqual(self.http(bucket=missing, prefix="")[:2], (404, {"detail": f"S3 bucket '{missing}' not found."}))

    def test_10_faulty_parameters_are_named(self):
        for parameters, names in (({"prefix": ""}, ["bucket"]), ({"bucket": "b", "prefix": "", "threshold": "-1"}, ["threshold"]),
                                  ({"bucket": "b", "prefix": "", "threshold": "abc", "stream": "perhaps"}, ["threshold", "stream"])):
            status, body, _ = self.http(**parameters)
            self.assertEqual((status, [row["loc"] for row in body["detail"]]), (422, [["query", name] for name in names]))
        for word in ("abc", "-1", str(2**63)):
            self.assertEqual(self.cli("--file", "x", "--threshold", word)[0], 2)

    def test_11_usage_unreadable_file_and_the_root_of_a_bucket(self):
        code, out, _ = self.cli()
        self.assertEqual(code, 1)
        self.assertIn("--bucket", out)
        self.assertEqual(self.cli("--file", "/no/such.log")[0], 2)
        place = S3Place()
        place.put("at-the-root.jsonl", THREE)
        code, out, err = self.cli("--bucket", place.bucket)
        self.assertEqual((code, json.loads(out)["total"]), (0, 3), err)

    def test_buckets_that_are_not_allowed(self):
        for bucket in ("other", "file:///etc", "file://" + self.folder):
            self.assertEqual(self.http(bucket=bucket, prefix="")[:2], (403, {"detail": f"Bucket '{bucket}' is not allowed."}))

    def test_keys_with_everything_in_them(self):
        key = "a b+c%41&=?#/ä€.jsonl"
        place = self.buckets[1]
        place.put(key, THREE)
        status, report, headers = self.http(bucket=place.bucket, prefix=key)
        self.assertEqual((status, report["total"]), (200, 3))
        self.assertEqual(headers["x-dendro-object"], urllib.parse.quote(key, safe="/"))

    def test_the_newest_few_are_summed(self):
        place = S3Place()
        place.put("l/1", b'{"level":"ERROR","service":"old"}\n')
        wait_for_next_second()
        place.put("l/2", THREE)
        place.put("l/3", THREE)
        for latest, total in ((1, 3), (2, 6), (3, 7), (9, 7)):
            code, out, _ = self.cli("--bucket", place.bucket, "--latest", latest)
            self.assertEqual((code, json.loads(out)["total"]), (0, total))


class ManyKeys(PlacesCase):
    def test_7_the_newest_of_the_last_page_and_no_folder_marker(self):
        place = S3Place()
        for i in range(2_499):
            place.put(f"k{i:05}", b"{}")
        wait_for_next_second()
        place.put("zz-newest.jsonl", THREE)
        wait_for_next_second()
        place.put("zzz/", b"")
        code, out, err = self.cli("--bucket", place.bucket)
        self.assertEqual((code, json.loads(out)["total"], err), (0, 3, ""))
        status, body, headers = self.http(bucket=place.bucket, prefix="")
        self.assertEqual((status, body["total"], headers["x-dendro-object"]), (200, 3, "zz-newest.jsonl"))


class LargeObject(unittest.TestCase):
    def test_8_memory_does_not_grow_with_the_object(self):
        line = b'{"ts":"2025-09-15T14:10:04Z","service":"api","level":"ERROR","msg":"upstream timed out","latency_ms":2081}\n'
        lines = LARGE // len(line)
        server = GeneratedS3(line, lines * len(line))
        self.addCleanup(server.close)
        # Under AddressSanitizer freed memory waits in a quarantine, which is no memory of ours.
        env = {**os.environ, **moto.environment(), "AWS_ENDPOINT_URL_S3": server.url, "ASAN_OPTIONS": "quarantine_size_mb=1"}
        started = time.monotonic()
        process = subprocess.Popen([BINARY, "analyze", "--bucket", "logs"], stdout=subprocess.PIPE, env=env)
        out = process.stdout.read()
        process.stdout.close()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        print(f"{LARGE / 1e6:.0f} MB in {time.monotonic() - started:.1f} s, {usage.ru_maxrss // 1024} MiB")
        self.assertEqual((process.returncode, json.loads(out)["total"]), (0, lines))
        self.assertLess(usage.ru_maxrss, 200 * 1024, "KiB")
        self.assertLessEqual(server.largest_range, 8 << 20)


class Refusals(PlacesCase):
    """A server of its own with checks of signatures and rights on."""
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.strict = Moto(own=True)
        cls.bucket = cls.strict.make_bucket()
        cls.strict.put(cls.bucket, "a.jsonl", THREE)
        cls.keys = {}
        for user, policy in (("reader", "arn:aws:iam::aws:policy/AmazonS3FullAccess"), ("nobody", None)):
            cls.strict.call("iam", "CreateUser", UserName=user, Version="2010-05-08")
            if policy:
                cls.strict.call("iam", "AttachUserPolicy", UserName=user, PolicyArn=policy, Version="2010-05-08")
            reply = cls.strict.call("iam", "CreateAccessKey", UserName=user, Version="2010-05-08")
            cls.keys[user] = (tag(reply, "AccessKeyId"), tag(reply, "SecretAccessKey"))
        cls.strict.raw("POST", "/moto-api/reset-auth", b"0", {"Content-Type": "text/plain"})

    @classmethod
    def tearDownClass(cls):
        cls.strict.stop()
        super().tearDownClass()

    def env(self, user, **more):
        return {**self.strict.environment(*self.keys[user]), **more}

    def test_a_server_that_recomputes_takes_our_signatures(self):
        code, out, err = self.cli("--bucket", self.bucket, env=self.env("reader"))
        self.assertEqual((code, json.loads(out or "{}").get("total")), (0, 3), err)

    def test_a_wrong_secret_and_an_unknown_key_are_told_apart(self):
        key, secret = self.keys["reader"]
        for env, word in ((self.strict.environment(key, secret[:-1] + "x"), "SignatureDoesNotMatch"),
                          (self.strict.environment("AKIAUNKNOWN", secret), "InvalidAccessKeyId")):
            code, out, err = self.cli("--bucket", self.bucket, env=env)
            self.assertEqual((code, out), (1, ""))
            self.assertTrue(err.startswith(f"An S3 error occurred: {word}: "), err)
            self.assertNotIn(secret[:-1], err)

    def test_10_no_rights_are_403_without_anything_inside(self):
        code, _, err = self.cli("--bucket", self.bucket, env=self.env("nobody"))
        self.assertEqual(code, 1)
        self.assertTrue(err.startswith("An S3 error occurred: AccessDenied: "), err)
        with Server(listen=("127.0.0.1:0=analytics",), env=self.env("nobody")) as server:
            status, body, _ = self.http(server=server, bucket=self.bucket, prefix="")
            self.assertEqual((status, body), (403, {"detail": "An S3 error occurred: AccessDenied"}))
            secret = self.keys["nobody"][1]
        self.assertNotIn(secret, "".join(server.log))

    def test_a_role_by_a_profile_reads_too(self):
        key, secret = self.keys["reader"]
        with tempfile.TemporaryDirectory() as home:
            Path(home, ".aws").mkdir()
            Path(home, ".aws/credentials").write_text(f"[logs]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n")
            code, out, err = self.cli("--bucket", self.bucket, env={"HOME": home, "AWS_PROFILE": "logs", "AWS_ENDPOINT_URL": self.strict.url})
            self.assertEqual((code, json.loads(out or "{}").get("total")), (0, 3), err)

    def test_unreachable_is_503_with_retry_after(self):
        env = {**self.env("reader"), "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
        with Server(listen=("127.0.0.1:0=analytics",), env=env) as server:
            status, body, headers = self.http(server=server, bucket="logs", prefix="")
            self.assertEqual((status, body), (503, {"detail": "An S3 error occurred: ServiceUnavailable"}))
            self.assertIn("retry-after", headers)
        code, _, err = self.cli("--bucket", "logs", env=env)
        self.assertEqual(code, 1)
        self.assertTrue(err.startswith("An S3 error occurred: ServiceUnavailable: http://127.0.0.1:1"), err)

    def test_without_credentials_the_remedy_is_told(self):
        code, _, err = self.cli("--bucket", "logs", env={"AWS_EC2_METADATA_DISABLED": "true", "HOME": "/nonexistent"})
        self.assertEqual(code, 1)
        self.assertIn("set AWS_ACCESS_KEY_ID", err)


class Topics(PlacesCase):
    def setUp(self):
        name = "t" + uuid.uuid4().hex[:12]
        self.topic = tag(moto.call("sns", "CreateTopic", Name=name, Version="2010-03-31"), "TopicArn")
        self.queue = tag(moto.call("sqs", "CreateQueue", QueueName=name, Version="2012-11-05"), "QueueUrl")
        queue_arn = self.topic.replace(":sns:", ":sqs:")
        moto.call("sns", "Subscribe", TopicArn=self.topic, Protocol="sqs", Endpoint=queue_arn, Version="2010-03-31")

    def received(self):
        path = urllib.parse.urlparse(self.queue).path
        body = urllib.parse.urlencode({"Action": "ReceiveMessage", "MaxNumberOfMessages": 10, "Version": "2012-11-05"}).encode()
        reply = moto.request("sqs", "POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"}).decode()
        import html
        return [json.loads(html.unescape(part.split("</Body>")[0])) for part in reply.split("<Body>")[1:]]

    def analytics(self, topic):
        return Server(listen=("127.0.0.1:0=analytics",), env={**moto.environment(), "SNS_TOPIC_ARN": topic})

    def test_notify_publishes_what_it_answers_if_the_alert_fires(self):
        place = self.buckets[1]
        place.put("n.jsonl", THREE)
        with self.analytics(self.topic) as server:
            for method in ("GET", "POST"):
                status, report, _ = self.http("/notify", method, server, bucket=place.bucket, prefix="n.jsonl")
                self.assertEqual((status, report["alert"]), (200, True))
                self.assertEqual([json.loads(m["Message"]) for m in self.received()], [report])
            status, report, _ = self.http("/notify", server=server, bucket=place.bucket, prefix="n.jsonl", threshold=4)
            self.assertEqual((status, report["alert"], self.received()), (200, False, []))
            self.assertEqual(self.http("/notify", server=server, bucket=place.bucket, prefix="none")[0], 404)

    def test_notify_without_a_topic_is_501_and_with_a_missing_one_502(self):
        place = self.buckets[1]
        place.put("m.jsonl", THREE)
        self.assertEqual(self.http("/notify", bucket=place.bucket, prefix="m.jsonl")[0], 501)
        self.assertEqual(self.http("/notify", bucket=place.bucket, prefix="m.jsonl", threshold=4)[0], 200)
        with self.analytics(self.topic + "-missing") as server:
            status, body, _ = self.http("/notify", server=server, bucket=place.bucket, prefix="m.jsonl")
            self.assertEqual((status, body), (502, {"detail": "The alert could not be published."}))

    def test_what_is_no_topic_stops_the_start(self):
        code, _, err = run("serve", "--listen", "127.0.0.1:0", env={"SNS_TOPIC_ARN": "alerts"})
        self.assertEqual(code, 2)
        self.assertIn("is not a topic such as arn:aws:sns:", err)

    def test_alert_rules_reach_a_topic(self):
        config = Path(self.folder, "topic.toml")
        config.write_text(f'[[receivers]]\nname = "topic"\nkind = "sns"\ntopic_arn = "{self.topic}"\n\n'
                          '[[alerts]]\nname = "r"\nquery = "level:error"\nevery = "10s"\nrange = "20s"\n'
                          'condition = { rows_above = 1 }\nreceivers = ["topic"]\n')
        with Server("--config", config, env=moto.environment()) as server:
            self.assertEqual(server.ingest([{"level": "error", "body": "boom"}] * 3)[0], 200)
            status, _, body = server.request("GET", "/api/v1/alerts")
            rule = json.loads(body)["items"][0]["id"]
            status, _, body = server.request("POST", f"/api/v1/alerts/{rule}/test", b'{"deliver":true}', {"Content-Type": "application/json"})
            self.assertEqual((status, json.loads(body)["sent"]), (200, True), body)
            deadline = time.monotonic() + 60
            messages = []
            while not messages and time.monotonic() < deadline:
                messages = self.received()
                time.sleep(0.05)
            self.assertEqual(json.loads(messages[0]["Message"])["alerts"][0]["rule"], "r")


class Queries(PlacesCase):
    def test_queries_read_buckets(self):
        place = S3Place()
        place.put("app/1.jsonl", b'{"_time":"2025-09-15T14:10:04Z","level":"error","msg":"a"}\n')
        place.put("app/2.jsonl.gz", gzip.compress(b'{"_time":"2025-09-15T14:10:05Z","level":"error","msg":"b"}\n'))
        place.put("other.jsonl", b'{"_time":"2025-09-15T14:10:06Z","level":"error","msg":"c"}\n')
        query = lambda *names: run("query", "level:error | stats count() as n", *names, env=moto.environment())
        for names, n in ((["app/"], 2), ([""], 3), (["app/1.jsonl"], 1), (["app/", "other"], 3)):
            code, out, err = query(*[f"s3://{place.bucket}/{name}" for name in names])
            self.assertEqual((code, json.loads(out or "{}")), (0, {"n": n}), err)
        self.assertEqual(query(f"s3://{place.bucket}")[0], 0)
        for name, word in ((f"s3://{place.bucket}/none/", "no object"), ("s3://dendro-missing-x/", "NoSuchBucket"), ("s3://", "s3://BUCKET")):
            code, out, err = query(name)
            self.assertEqual((code, out), (2, ""))
            self.assertIn(word, err)


class Suite(unittest.TestCase):
    def test_the_suite_of_object_stores_passes_on_moto(self):
        program = Path(BINARY).parent / "tests" / "adapters" / "test_adapters"
        done = subprocess.run([program, "--gtest_filter=Moto/*:Versitygw/*"], capture_output=True, text=True,
                              env={**os.environ, "DENDRO_TEST_MOTO": moto.url})
        self.assertEqual(done.returncode, 0, done.stdout[-4000:] + done.stderr[-2000:])
        self.assertIn("[       OK ] Moto/", done.stdout)


if __name__ == "__main__":
    unittest.main()
