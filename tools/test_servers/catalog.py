"""The servers, in the order in which they are started: the slow one first, then what is required, then the second opinions.

To add one: a class here, its coordinates pinned in java/, go/ or python/, a line in deploy/docker/compose.services.yaml.
"""
import os
import pwd
import secrets
import signal
from pathlib import Path
from urllib.parse import urlsplit

from . import fetching, java
from .fetching import NotRun
from .server import Server, http_answer, ids_of, run_briefly

REGION = "us-east-1"
ACCOUNT = "123456789012"


class JavaServer(Server):
    is_java = True
    heap = "256m"
    folder = ""  # below java/: its pom.xml
    program = None  # below java/: its source; None: the main class is in a jar

    def fetch(self, cache):
        self.java = fetching.need_java(17).java
        self.parts = cache.get(fetching.java_server(cache, self.folder, self.program))

    def java_command(self, place, main, *args, options=()):
        return [self.java, f"-Xmx{self.heap}", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData",
                f"-Djava.io.tmpdir={place.folder}", *options, "-cp", f"{self.parts}/classes:{self.parts}/lib/*", main, *args]


class OpenSearch(JavaServer):
    name = "opensearch"
    title = "OpenSearch 3.8.0 (2.19.1 without Java 21)"
    variable = "DENDRO_TEST_OPENSEARCH"
    ports = ("main", "transport")
    heap = "512m"
    program = "opensearch/OpenSearchNode.java"

    def fetch(self, cache):
        wanted = os.environ.get("DENDRO_SERVICES_OPENSEARCH", "")
        if wanted not in ("", "2", "3"):
            raise NotRun(f"DENDRO_SERVICES_OPENSEARCH is {wanted!r}, not 2 or 3")
        newest = java.newest(java.installed(), 21)
        if wanted == "3" and not newest:
            raise NotRun("no Java 21 or newer below /usr/lib/jvm, which OpenSearch 3 needs")
        self.folder = "opensearch" if newest and wanted != "2" else "opensearch_2"
        super().fetch(cache)
        if self.folder == "opensearch":
            self.java = newest.java

    def command(self, place):
        return self.java_command(place, "OpenSearchNode", place.folder / "node", place.port, place.ports["transport"])

    def answers(self, place):
        answer = http_answer(place.port, "/_cluster/health", seconds=5)
        return answer is not None and answer[0] == 200 and '"status":"red"' not in answer[1]


class Moto(Server):
    name = "moto"
    title = "moto 5.2.1: S3, SQS, SNS, DynamoDB, Secrets Manager, STS, IAM"
    variable = "DENDRO_TEST_MOTO"

    def fetch(self, cache):
        self.python = cache.get(fetching.python_packages("requirements.txt")) / "bin" / "python"

    def command(self, place):
        return [self.python, "-m", "moto.server", "-H", "127.0.0.1", "-p", place.port]

    def environment(self, place):
        return {"MOTO_IAM_LOAD_MANAGED_POLICIES": "true", "AWS_DEFAULT_REGION": REGION, "PYTHONUNBUFFERED": "1"}

    def answers(self, place):
        answer = http_answer(place.port, "/moto-api/")
        return answer is not None and answer[0] == 200

    def variables(self, place):
        return {**super().variables(place), "DENDRO_TEST_PYTHON": self.python}


class DynamoDbLocal(JavaServer):
    name = "dynamodb-local"
    title = "DynamoDB Local 3.1.0"
    variable = "DENDRO_TEST_DYNAMODB_LOCAL"
    folder = "dynamodb_local"
    program = "dynamodb_local/DynamoNode.java"

    def command(self, place):
        return self.java_command(place, "DynamoNode", place.port, options=[f"-Djava.library.path={self.parts}/lib"])

    def answers(self, place):
        return http_answer(place.port, "/") is not None  # 400: it wants a signed POST


class ElasticMq(JavaServer):
    name = "elasticmq"
    title = "ElasticMQ 1.7.1: SQS"
    variable = "DENDRO_TEST_ELASTICMQ"
    folder = "elasticmq"

    def prepare(self, place):
        (place.folder / "mq.conf").write_text(f"""include classpath("application.conf")
node-address {{ host = "127.0.0.1", port = {place.port} }}
rest-sqs {{ bind-hostname = "127.0.0.1", bind-port = {place.port}, sqs-limits = strict }}
rest-stats.enabled = false
aws {{ region = {REGION}, accountId = {ACCOUNT} }}
queues {{
  ocelot-logs-queue {{ deadLettersQueue {{ name = "ocelot-logs-dlq", maxReceiveCount = 5 }} }}
  ocelot-logs-dlq {{ }}
  "audit.fifo" {{ fifo = true, contentBasedDeduplication = true }}
}}
""", encoding="utf-8")

    def command(self, place):
        return self.java_command(place, "org.elasticmq.server.Main", options=[f"-Dconfig.file={place.folder / 'mq.conf'}"])

    def answers(self, place):
        answer = http_answer(place.port, "/?Action=ListQueues")
        return answer is not None and answer[0] == 200


class MongoDb(JavaServer):
    name = "mongodb"
    title = "mongo-java-server 1.47.0, in memory"
    variable = "DENDRO_TEST_MONGODB"
    folder = "mongodb"
    program = "mongodb/MongoNode.java"
    heap = "512m"

    def command(self, place):
        return self.java_command(place, "MongoNode", place.port)

    def address(self, place):
        return f"mongodb://127.0.0.1:{place.port}"


class Postgres(Server):
    name = "postgres"
    title = "PostgreSQL 15 of Debian, fsync off"
    variable = "DENDRO_TEST_POSTGRES"
    stop_signal = signal.SIGINT  # "fast": ends sessions; SIGTERM would wait for them
    programs = Path("/usr/lib/postgresql/15/bin")

    def fetch(self, cache):
        if not os.access(self.programs / "postgres", os.X_OK):
            raise NotRun(f"no {self.programs}/postgres (Debian: postgresql-15)")
        self.user = unprivileged_user("postgres")

    def prepare(self, place):
        data = place.folder / "data"
        if (data / "PG_VERSION").exists():
            # Of one that was killed, as the supervisor knows better than PostgreSQL, which takes a zombie for a server.
            (data / "postmaster.pid").unlink(missing_ok=True)
            return
        place.secrets["password"] = secrets.token_hex(16)
        password_file = place.folder / "password"
        with open(os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
            file.write(place.secrets["password"] + "\n")
        if os.geteuid() == 0:
            os.chown(password_file, self.user.pw_uid, self.user.pw_gid)
        run_briefly([self.programs / "initdb", "-D", data, "-U", "postgres", "-A", "scram-sha-256", f"--pwfile={password_file}", "-E", "UTF8",
                     "--locale=C.UTF-8", "--no-sync"], cwd=place.folder, **ids_of(self.user))
        password_file.unlink()

    def command(self, place):
        return [self.programs / "postgres", "-D", place.folder / "data", "-p", place.port, "-c", "listen_addresses=127.0.0.1",
                "-c", f"unix_socket_directories={place.folder}", "-c", "fsync=off"]

    def answers(self, place):
        try:
            run_briefly([self.programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", place.port, "-t", "2"])
        except OSError:
            return False
        return True

    def address(self, place):
        return f"postgresql://postgres:{place.secrets['password']}@127.0.0.1:{place.port}/postgres"


class Toxiproxy(Server):
    name = "toxiproxy"
    title = "toxiproxy 2.5.0: faults between a client and a server"
    variable = "DENDRO_TEST_TOXIPROXY"
    required = False

    def fetch(self, cache):
        self.parts = cache.get(fetching.go_install(cache, "toxiproxy", "github.com/Shopify/toxiproxy/v2/cmd/server@v2.5.0", "server"))

    def command(self, place):
        return [self.parts / "bin" / "server", "-host", "127.0.0.1", "-port", place.port]

    def answers(self, place):
        answer = http_answer(place.port, "/version")
        return answer is not None and answer[0] == 200


class VersityGw(Server):
    name = "versitygw"
    title = "versitygw 1.8.0: S3, with signatures checked"
    variable = "DENDRO_TEST_VERSITYGW"
    required = False

    def fetch(self, cache):
        self.parts = cache.get(fetching.go_install(cache, "versitygw", "github.com/versity/versitygw/cmd/versitygw@v1.8.0", "versitygw"))

    def prepare(self, place):
        (place.folder / "buckets").mkdir(exist_ok=True)
        place.secrets.setdefault("access_key", "dendro-test")
        place.secrets.setdefault("secret_key", secrets.token_hex(16))

    def command(self, place):
        return [self.parts / "bin" / "versitygw", "--port", f"127.0.0.1:{place.port}", "posix", place.folder / "buckets"]

    def environment(self, place):
        return {"ROOT_ACCESS_KEY": place.secrets["access_key"], "ROOT_SECRET_KEY": place.secrets["secret_key"]}

    def answers(self, place):
        return http_answer(place.port, "/") is not None  # 403: it wants a signature

    def variables(self, place):
        return {**super().variables(place), "DENDRO_TEST_VERSITYGW_ACCESS_KEY": place.secrets["access_key"],
                "DENDRO_TEST_VERSITYGW_SECRET_KEY": place.secrets["secret_key"]}


class FerretDb(Server):
    name = "ferretdb"
    title = "FerretDB 1.24.0: MongoDB on PostgreSQL"
    variable = "DENDRO_TEST_FERRETDB"
    required = False
    after = ("postgres",)
    database = "ferretdb"

    def fetch(self, cache):
        self.parts = cache.get(fetching.go_program(cache, "ferretdb"))

    def prepare(self, place):
        # By the environment, not by arguments: those every user of the machine can read.
        at = urlsplit(place.variables[Postgres.variable])
        login = {"PGHOST": at.hostname, "PGPORT": str(at.port), "PGUSER": at.username, "PGPASSWORD": at.password, "PGDATABASE": "postgres"}
        psql = [Postgres.programs / "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c"]
        if not run_briefly([*psql, f"SELECT 1 FROM pg_database WHERE datname = '{self.database}'"], env=login).strip():
            run_briefly([*psql, f"CREATE DATABASE {self.database}"], env=login)

    def command(self, place):
        return [self.parts / "bin" / "ferretdb", f"127.0.0.1:{place.port}"]

    def environment(self, place):
        return {"FERRETDB_POSTGRESQL_URL": place.variables[Postgres.variable].rpartition("/")[0] + "/" + self.database}

    def address(self, place):
        return f"mongodb://127.0.0.1:{place.port}"


def unprivileged_user(*names):
    """Whom a server runs as when we are root, which PostgreSQL refuses; None when we are not."""
    if os.geteuid() != 0:
        return None
    for name in (*names, "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise NotRun(f"we are root, and there is no user {' or '.join((*names, 'nobody'))} to run it as")


def servers():
    """Fresh ones: an object remembers what it has fetched."""
    return [OpenSearch(), Moto(), DynamoDbLocal(), ElasticMq(), MongoDb(), Postgres(), Toxiproxy(), VersityGw(), FerretDb()]
