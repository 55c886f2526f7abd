"""tools/services: the commands."""
import argparse
import json
import os
import signal
import sys
import time
from pathlib import Path

from . import catalog
from .fetching import Cache
from .state import environment_text, write_private
from .supervisor import Supervisor

ROOT = Path(__file__).resolve().parents[2]

DESCRIPTION = """Starts and stops the real servers that tests run against: on 127.0.0.1, in a temporary folder, without containers."""

AFTER = """servers (in order of start):
{servers}

examples:
  tools/services up                              start all, wait until they answer
  tools/services up --env /tmp/services.env && . /tmp/services.env
  eval "$(tools/services up moto postgres --env -)"
  tools/services up moto --state /tmp/mine       a second moto, apart from the others
  tools/services status; tools/services down

A test finds a server by its variable above; one that is not set means: not there, skip and say so. With moto comes
DENDRO_TEST_PYTHON, an interpreter that has boto3 and pymongo; with versitygw DENDRO_TEST_VERSITYGW_ACCESS_KEY and _SECRET_KEY.

settings:
  DENDRO_SERVICES_CACHE        downloads, about 2.5 GB; default ~/.cache/dendro-services
  DENDRO_SERVICES_STATE        as --state; default .cache/services of this checkout
  DENDRO_SERVICES_OPENSEARCH   2 or 3; default: 3, or 2 without Java 21
  DENDRO_SERVICES_JVM_FOLDER   where Java is looked for; default /usr/lib/jvm

exit codes:
  0  up, fetch: every required and every named server; status: every required server is up; down: all ended
  1  one is missing, the lines before say why; a second opinion that was not named does not count
  2  wrong usage
  130, 143  interrupted; `down` stops what was started
"""


def parser(servers):
    table = "\n".join(f"  {server.name:<15} {server.variable:<27} {server.title}{'' if server.required else ' (second opinion)'}"
                      for server in servers)
    main = argparse.ArgumentParser(prog="tools/services", description=DESCRIPTION, epilog=AFTER.format(servers=table),
                                   formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    commands = main.add_subparsers(dest="command", required=True, metavar="up|down|status|fetch")
    names = [server.name for server in servers]
    for name, text in (("up", "start what does not run, with downloads before if needed; prints a line a server on stderr"),
                       ("fetch", "download only")):
        command = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
        command.add_argument("names", nargs="*", metavar="NAME", help=f"default: all of {', '.join(names)}")
        command.add_argument("--required-only", action="store_true", help="the required ones, no second opinion")
        command.add_argument("--nice", type=int, default=0, metavar="N", help="so much nicer until ready (as root; otherwise for good)")
        if name == "up":
            command.add_argument("--env", metavar="FILE", help="write the variables there, to be read by a shell; - is stdout")
            command.add_argument("--timeout", type=float, default=90, metavar="S", help="for each to become ready; default 90")
            command.add_argument("--no-limit-before", metavar="FILE", help="the time counts only once FILE is there, as when a build has left the cores")
            add_state(command)
    add_state(commands.add_parser("down", help="stop all and remove their folder", allow_abbrev=False))
    status = commands.add_parser("status", help="what runs", allow_abbrev=False)
    status.add_argument("--json", action="store_true", help="one JSON object on stdout")
    add_state(status)
    return main


def add_state(command):
    command.add_argument("--state", metavar="FOLDER", default=os.environ.get("DENDRO_SERVICES_STATE") or ROOT / ".cache" / "services",
                         help="keeps one set of servers apart from another; default .cache/services of this checkout")


def main(arguments=None, servers=None):
    servers = servers if servers is not None else catalog.servers()
    options = parser(servers).parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        if options.command in ("up", "fetch"):
            return up_or_fetch(options, servers)
        return {"down": down, "status": status}[options.command](options, servers)
    except KeyboardInterrupt:
        say("interrupted; `tools/services down` stops what was started")
        return 130
    except OSError as error:
        say(f"{options.command} failed: {error}")
        return 1


def up_or_fetch(options, servers):
    names = chosen(options, servers)
    if isinstance(names, str):
        say(names)
        return 2
    niceness = os.getpriority(os.PRIO_PROCESS, 0)
    if options.nice:
        os.nice(options.nice)
    cache = Cache(say=say)
    begin = time.monotonic()
    if options.command == "fetch":
        outcomes = Supervisor(servers, cache, ROOT / ".cache" / "services", say=say).fetch(names)
    else:
        supervisor = Supervisor(servers, cache, options.state, options.timeout, options.no_limit_before,
                                niceness if options.nice else None, say)
        outcomes = supervisor.up(names)
        give_variables(supervisor, options.env)
    missing = [one.name for one in outcomes if not one.up and (one.required or one.name in options.names)]
    there = sum(one.up for one in outcomes)
    say(f"{there} of {len(outcomes)} {'up' if options.command == 'up' else 'fetched'} after {time.monotonic() - begin:.1f} s"
        + (f"; missing: {', '.join(missing)}" if missing else ""))
    return 1 if missing else 0


def chosen(options, servers):
    """Names of servers, or what is wrong with the request."""
    known = {server.name: server for server in servers}
    unknown = [name for name in options.names if name not in known]
    if unknown:
        return f"no server {', '.join(unknown)}; there are {', '.join(known)}"
    return [name for name in options.names or known if known[name].required or not options.required_only]


def give_variables(supervisor, target):
    if not target:
        return
    text = environment_text(supervisor.variables())
    if target == "-":
        sys.stdout.write(text)
    else:
        write_private(Path(target).resolve(), text)


def down(options, servers):
    for name in Supervisor(servers, None, options.state, say=say).down():
        say(f"{name}: did not end when asked, killed")
    return 0


def status(options, servers):
    supervisor = Supervisor(servers, None, options.state, say=say)
    found = supervisor.status()
    if options.json:
        print(json.dumps({"folder": supervisor.state.folder, "servers": [{**one._asdict(), "address": public(one.address)} for one in found]}, indent=1))
    else:
        for one in found:
            print(f"{one.name:<15} {one.state:<7} {public(one.address) or one.problem or ''}".rstrip())
    return 0 if all(one.state == "up" for one in found if one.required) else 1


def public(address):
    """Without the password."""
    if not address or "@" not in address:
        return address
    scheme, _, rest = address.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


def say(text):
    print(f"services: {text}", file=sys.stderr, flush=True)
