"""Our signer against botocore's, with thousands of random requests. DENDRO_SEED repeats a run."""
import json
import os
import random
import subprocess
import unittest
from pathlib import Path

from aws_servers import moto_python
from dendro_process import BINARY

SIGNER = Path(BINARY).parent / "tests" / "adapters" / "aws_sign_lines"
CASES = 4000

# Runs in the environment that has botocore: a line in, a line out.
REFERENCE = r'''
import datetime, json, sys
from urllib.parse import quote
import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

now = None
class Fixed(datetime.datetime):
    @classmethod
    def utcnow(cls): return now
    @classmethod
    def now(cls, tz=None): return now
if hasattr(botocore.auth, "get_current_datetime"):
    botocore.auth.get_current_datetime = lambda *a, **k: now
botocore.auth.datetime = type("D", (), {"datetime": Fixed, "timezone": datetime.timezone}) if not hasattr(botocore.auth.datetime, "utcnow") else Fixed

class ReversibleS3(botocore.auth.S3SigV4Auth):
    pass

for line in sys.stdin:
    case = json.loads(line)
    now = datetime.datetime.strptime(case["time"], "%Y-%m-%dT%H:%M:%SZ")
    url = "https://" + case["host"] + quote(case["path"], safe="/~")
    if case["query"]:
        url += "?" + "&".join(quote(n, safe="~") + "=" + quote(v, safe="~") for n, v in case["query"])
    request = AWSRequest(method=case["method"], url=url, data=case["body"].encode(), headers={})
    for name, value in case["headers"]:
        request.headers.add_header(name, value)
    request.headers["Host"] = case["host"]
    keys = Credentials(case["key"], case["secret"], case["token"] or None)
    if case["form"] == "presign":
        kind = botocore.auth.S3SigV4QueryAuth if case["service"] == "s3" else botocore.auth.SigV4QueryAuth
        kind(keys, case["service"], case["region"], expires=3600).add_auth(request)
        print(json.dumps({"signature": request.url.rsplit("X-Amz-Signature=", 1)[1].split("&")[0]}))
        continue
    kind = botocore.auth.S3SigV4Auth if case["service"] == "s3" else botocore.auth.SigV4Auth
    if case["service"] == "s3":
        request.context["payload_signing_enabled"] = True
        request.context["client_config"] = None
        class Signed(kind):
            def _should_sha256_sign_payload(self, request): return True
        kind = Signed
    kind(keys, case["service"], case["region"]).add_auth(request)
    print(json.dumps({"signature": request.headers["Authorization"].rsplit("Signature=", 1)[1],
                      "signed": request.headers["Authorization"].split("SignedHeaders=")[1].split(",")[0]}))
'''


def random_case(dice):
    """A request; what botocore itself would send otherwise (headers with control bytes) is left out."""
    text = "abcXYZ019-._~ /+=&%?#:@!$'()*,;[]{}|<>\"\\^`äß€😀"
    words = lambda most, alphabet=text: "".join(dice.choice(alphabet) for _ in range(dice.randrange(most)))
    service = dice.choice(["s3", "s3", "sqs", "sns", "dynamodb", "sts", "bedrock", "execute-api"])
    path = "/" + words(30)
    if dice.random() < 0.3:
        path = "/" + "/".join(dice.choice(["", ".", "..", "a", "b c", "ü"]) for _ in range(dice.randrange(6)))
    headers = []
    for name in dice.sample(["Range", "Content-Type", "x-amz-meta-a", "X-Amz-Storage-Class", "x-amz-copy-source",
                             "x-amz-copy-source-range", "If-Match", "X-Amz-Target"], dice.randrange(4)):
        headers.append([name, words(20, "abcXYZ019-._~/+=;:  ").strip() or "v"])
    form = dice.choice(["header", "header", "presign"])
    query = [[words(6) or "q", words(8)] for _ in range(dice.randrange(4))]
    if form == "presign":
        query = [[name, value] for name, value in dict(query).items()]  # botocore forgets all but one of a name
    return {"form": form, "service": service, "region": dice.choice(["us-east-1", "eu-central-1"]), "host": dice.choice(["b.s3.amazonaws.com", "127.0.0.1:5000", "x.example.org"]),
            "method": "GET" if form == "presign" else dice.choice(["GET", "PUT", "POST", "DELETE"]), "path": path, "query": query,
            "headers": [] if form == "presign" else headers, "body": "" if form == "presign" else words(40), "key": "AKID" + words(8, "ABC123"), "secret": words(40, "abcXYZ019+/") or "s",
            "token": "" if form == "presign" else dice.choice(["", "", "token/" + words(20, "abcXYZ019+/=")]), "time": f"20{dice.randrange(10, 60)}-{dice.randrange(1, 13):02}-{dice.randrange(1, 29):02}T{dice.randrange(24):02}:00:59Z"}


class AwsSigner(unittest.TestCase):
    def test_random_requests_are_signed_as_botocore_signs_them(self):
        python = moto_python()
        seed = int(os.environ.get("DENDRO_SEED", random.randrange(10**9)))
        print("seed", seed)
        dice = random.Random(seed)
        cases = [random_case(dice) for _ in range(CASES)]
        text = "".join(json.dumps(case) + "\n" for case in cases).encode()
        ours = subprocess.run([SIGNER], input=text, capture_output=True, check=True).stdout.decode().splitlines()
        done = subprocess.run([python, "-c", REFERENCE], input=text, capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr.decode()[-2000:])
        theirs = done.stdout.decode().splitlines()
        self.assertEqual((len(ours), len(theirs)), (CASES, CASES))
        for case, mine, reference in zip(cases, map(json.loads, ours), map(json.loads, theirs)):
            if case["form"] == "presign":
                signature = mine["target"].rsplit("X-Amz-Signature=", 1)[1]
            else:
                authorization = mine["headers"]["Authorization"]
                self.assertEqual(authorization.split("SignedHeaders=")[1].split(",")[0], reference["signed"], case)
                signature = authorization.rsplit("Signature=", 1)[1]
            self.assertEqual(signature, reference["signature"], f"seed {seed}: {case} {mine}")


if __name__ == "__main__":
    unittest.main()
