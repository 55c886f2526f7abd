#!/usr/bin/env python3
"""Fails on an include that points upward, on a cycle of files, and on a vendor header outside its fence.

The layers and their arrows are those of docs/ARCHITECTURE.md; the fence is that of docs/dependencies.md.
Usage: tools/check_layers.py [ROOT]     exit 0: clean; 1: faults, one a line; 2: ROOT holds no src/.
"""
import re
import sys
from pathlib import Path

# layer -> layers it may use directly; arrows are transitive.
LAYERS = {
    "base": [],
    "record": ["base"],
    "io": ["base"],
    "codec": ["record"],
    "filter": ["codec"],
    "parse": ["record", "io"],
    "meta": ["io"],
    "storage": ["codec", "filter", "io"],
    "query": ["storage", "parse", "filter"],
    "diagnosis": ["query"],
    "identity": ["meta", "io"],
    "ingest": ["parse"],
    "services": ["query", "ingest", "diagnosis", "identity"],
    "server": ["services"],
    "adapters": ["services", "diagnosis", "identity", "io"],
    "apps": ["server", "adapters"],
}

# vendor header prefix -> places (folder or file prefix below src/) whose .cc files may include it.
FENCE = {
    "boost/": ["server"],
    "nghttp2/": ["server"],
    "openssl/": ["server", "base/crypto"],
    "sodium": ["base/crypto"],
    "curl/": ["adapters/http", "adapters/smtp"],
    "libpq": ["adapters/postgres"],
    "mongoc": ["adapters/mongo"],
    "pugixml": ["adapters/aws", "query"],
    "maxminddb": ["query"],
    "sqlite3": ["meta"],
    "protozero/": ["ingest"],
    "yaml-cpp/": ["diagnosis"],
    "toml++/": ["apps"],
    "CLI/": ["apps"],
    "spdlog/": ["apps"],
    "date/": ["base"],
    "hs/": ["filter"],
    "re2/": ["filter", "parse"],
    "simdjson": ["base", "parse", "ingest"],
    "zlib": ["io"],
    "isa-l": ["io"],
    "igzip_lib": ["io"],
    "libdeflate": ["io"],
    "bzlib": ["io"],
    "snappy": ["io"],
    "zstd": ["io", "codec", "storage"],
    "lz4": ["codec", "storage"],
    "xxhash": ["base"],
    "jemalloc": ["apps"],
}
# lz4 in storage: the WAL's frames.

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def closure(layers):
    def reach(layer, seen):
        for below in layers.get(layer, []):
            if below not in seen:
                seen.add(below)
                reach(below, seen)
        return seen

    return {layer: reach(layer, set()) for layer in layers}


def includes_of(path):
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1) == '"', match.group(2)


def fence_fault(relative, header):
    for prefix, places in FENCE.items():
        if not header.startswith(prefix):
            continue
        if relative.suffix != ".cc":
            return f"vendor header <{header}> in a header file: only .cc files may include it"
        if not any(str(relative).startswith(place) for place in places):
            return f"vendor header <{header}> outside its fence ({', '.join('src/' + p for p in places)})"
    return None


def find_cycle(graph):
    state = {}

    def visit(node, trail):
        state[node] = "open"
        for target in graph.get(node, []):
            if state.get(target) == "open":
                return trail[trail.index(target):] + [target] if target in trail else [target, node, target]
            if target not in state:
                found = visit(target, trail + [target])
                if found:
                    return found
        state[node] = "done"
        return None

    for node in sorted(graph):
        if node not in state:
            found = visit(node, [node])
            if found:
                return found
    return None


def check(root):
    source = root / "src"
    reach = closure(LAYERS)
    faults = []
    graph = {}
    for path in sorted(p for p in source.rglob("*") if p.suffix in (".h", ".cc")):
        relative = path.relative_to(source)
        layer = relative.parts[0]
        if layer not in LAYERS:
            faults.append(f"src/{relative}: folder '{layer}' is not a layer of tools/check_layers.py")
            continue
        for number, quoted, header in includes_of(path):
            place = f"src/{relative}:{number}"
            if not quoted:
                fault = fence_fault(relative, header)
                if fault:
                    faults.append(f"{place}: {fault}")
                continue
            if not (source / header).is_file():
                faults.append(f"{place}: \"{header}\" does not exist below src/")
                continue
            target = Path(header).parts[0]
            if target != layer and target not in reach[layer]:
                faults.append(f"{place}: {layer} must not include {target} (\"{header}\")")
            if Path(header) != relative:
                graph.setdefault(str(relative), []).append(header)
    cycle = find_cycle(graph)
    if cycle:
        faults.append("cycle of includes: " + " -> ".join(cycle))
    return faults


def main(argv):
    root = Path(argv[1] if len(argv) > 1 else Path(__file__).resolve().parent.parent)
    if not (root / "src").is_dir():
        print(f"check_layers: {root} holds no src/", file=sys.stderr)
        return 2
    faults = check(root)
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
