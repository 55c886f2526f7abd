"""Random queries out of the data they are asked of: the text for dendro, and beside it what naive_query.py does for it.

A filter is `(text, test)`; a pipe is `(text, step)`. The two are made by the same line, so that nothing has to be parsed here.
"""
import re
from datetime import datetime, timezone
from ipaddress import ip_network

import naive_query as naive
from naive_query import Numeral, text_of

BARE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
BARE_TEXT = re.compile(r"[A-Za-z0-9_.]+")
OPERATORS = {"and", "or", "not"}
REGEX_SPECIAL = frozenset("\\.+*?()|[]{}^$")


def quoted(text):
    special = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
    return '"' + "".join(special.get(c, c if c >= " " and c != "\x7f" else f"\\x{ord(c):02x}") for c in text) + '"'


def name_text(name):
    return name if BARE_NAME.fullmatch(name) else quoted(name)


def rfc3339(time_ns):
    whole = datetime.fromtimestamp(time_ns // 10**9, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}.{time_ns % 10**9:09d}Z"


class Query:
    """`rows(alive)`: what the answer to `text` must be if exactly these records are there, newest first."""

    def __init__(self, filter_text, test, inner, pipe_text, step):
        self.filter, self.text, self.test, self.inner, self.step = filter_text, filter_text + pipe_text, test, inner, step
        self.known = {}  # does the filter hold, by record: asked once for all states

    def matching(self, alive):
        inner = self.inner(alive) if self.inner else None
        matching = []
        for record in alive:
            if record.row not in self.known:
                self.known[record.row] = self.test(record)
            if self.known[record.row] and (inner is None or inner(record)):
                matching.append(record)
        return matching

    def rows(self, alive):
        return self.step(self.matching(alive))


class RandomQueries:
    def __init__(self, chance, records):
        self.chance, self.records = chance, records
        self.names = sorted({name for r in records for name in r.fields if not name.startswith("_")})
        self.labels = sorted({name for r in records for name in r.labels})
        self.numeric = [n for n in self.names if any(isinstance(r.get(n), Numeral) for r in records)]
        # Numbers only, and small enough for doubles.
        self.small = [n for n in self.numeric if all(r.get(n) is None or isinstance(r.get(n), Numeral) and abs(float(r.get(n))) < 2**50
                                                     for r in records)]

    # ---- material ----

    def one(self, things):
        return things[self.chance.randrange(len(things))]

    def coin(self, chances=2):
        return self.chance.randrange(chances) == 0

    def value(self, name=None):
        """A stored value that is not missing, of a field or of any."""
        for _ in range(50):
            record = self.one(self.records)
            value = record.get(name) if name else self.one(record.searched)
            if isinstance(value, list) and value:
                value = self.one(value)
            if value is not None and not isinstance(value, (list, dict)) and text_of(value):
                return value
        return "nothing"

    def piece(self, text, size_max=40):
        """A part of a text, mostly from word to word."""
        words = [m.span() for m in re.finditer(r"[A-Za-z0-9_]+", text)]
        if words and not self.coin(6):
            first = self.chance.randrange(len(words))
            last = min(len(words) - 1, first + self.chance.choice((0, 0, 0, 1, 2, 4)))
            start, end = words[first][0], words[last][1]
            if self.coin(4):  # the front or the end of a word
                middle = self.chance.randrange(start, end)
                start, end = (start, middle + 1) if self.coin() else (middle, end)
        else:
            start = self.chance.randrange(len(text))
            end = start + 1 + self.chance.randrange(size_max)
        return text[start:end][:size_max] or text[:1]

    def pattern(self, value):
        """(text of the pattern, its arguments for naive.find_pattern)"""
        piece = self.piece(text_of(value))
        if self.coin(8):
            piece = piece.swapcase()
        open_start, open_end = self.coin(4), self.coin(4)
        shown = piece if BARE_TEXT.fullmatch(piece) and piece.lower() not in OPERATORS and self.coin() else quoted(piece)
        return "*" * open_start + shown + "*" * open_end, (piece, open_start, open_end)

    def query(self):
        # Half of them one test: in a nest the others hide what it does.
        text, test = ("*", lambda r: True) if self.coin(10) else self.filter(self.chance.choice((0, 0, 1, 2)))
        inner = None
        if "_time" not in text and self.coin(10):  # a range of time around the query would be that of the query inside, too
            inner_text, inner = self.in_query()
            text = f"({text}) {inner_text}"
        return Query(text, test, inner, *self.pipes())

    # ---- filters ----

    def filter(self, depth=2):
        kind = self.chance.randrange(10 if depth else 6)
        if kind < 6:
            return self.test()
        if kind == 6:
            text, test = self.filter(depth - 1)
            sign = self.one(("not ", "-", "!"))
            return f"{sign}({text})", lambda r: not test(r)
        parts = [self.filter(depth - 1) for _ in range(2 + self.chance.randrange(2))]
        tests = [test for _, test in parts]
        if kind < 9:
            return self.one((" ", " and ")).join(f"({text})" for text, _ in parts), lambda r: all(t(r) for t in tests)
        return " or ".join(f"({text})" for text, _ in parts), lambda r: any(t(r) for t in tests)

    def test(self):
        makers = [self.text_anywhere, self.text_anywhere, self.text_in_field, self.text_in_field, self.whole_value, self.prefix,
                  self.comparison, self.between, self.one_of, self.expression, self.expression, self.expression, self.presence,
                  self.several_patterns, self.lengths, self.kind_of_value, self.time_range, self.two_fields, self.network,
                  self.code_points]
        if self.labels:
            makers += [self.label, self.label_expression]
        if any(r.severity for r in self.records):
            makers.append(self.severity)
        return self.one(makers)()

    def text_anywhere(self):
        value = self.value()
        text, pattern = self.pattern(value)
        if self.coin(3):
            return f"i({text})", naive.anywhere(naive.pattern_test(*pattern, folds=True))
        if pattern[0][0].isdigit() and text.endswith('*"') is False and BARE_TEXT.fullmatch(text):
            text = quoted(pattern[0])  # a bare word that begins with a digit is one all the same; both forms come
        return text, naive.anywhere(naive.pattern_test(*pattern))

    def text_in_field(self):
        name = self.one(self.names)
        if self.coin(6):  # several words in one pair of brackets
            parts = [self.pattern(self.value(name)) for _ in range(2)]
            tests = [naive.in_field(name, naive.pattern_test(*p)) for _, p in parts]
            return f"{name_text(name)}:({parts[0][0]} or {parts[1][0]})", lambda r: any(t(r) for t in tests)
        text, pattern = self.pattern(self.value(name))
        if self.coin(3):
            return f"{name_text(name)}:i({text})", naive.in_field(name, naive.pattern_test(*pattern, folds=True))
        return f"{name_text(name)}:{quoted_pattern(pattern)}", naive.in_field(name, naive.pattern_test(*pattern))

    def literal(self, value):
        """(text in the query, literal, is it quoted)"""
        text = text_of(value)
        if isinstance(value, Numeral) and naive.number_of_text(text) is not None:
            return text, text, False
        return quoted(text), text, True

    def whole_value(self):
        name = self.one(self.names)
        text, literal, is_quoted = self.literal(self.value(name))
        test = naive.in_field(name, naive.equal_test(literal, is_quoted))
        if self.coin(4):
            return f"{name_text(name)}:!={text}", lambda r: not test(r)
        return f"{name_text(name)}:={text}", test

    def prefix(self):
        name = self.one(self.names)
        text = text_of(self.value(name))
        head = text[:1 + self.chance.randrange(min(len(text), 20))]
        return f"{name_text(name)}:={quoted(head)}*", naive.in_field(name, lambda v: text_of(v).startswith(head))

    def comparison(self):
        name = self.one(self.numeric or self.names)
        op = self.one((">", ">=", "<", "<="))
        text, literal, is_quoted = self.literal(self.value(name))
        return f"{name_text(name)}:{op}{text}", naive.in_field(name, naive.compare_test(op, literal, is_quoted))

    def between(self):
        name = self.one(self.numeric or self.names)
        low, high = self.literal(self.value(name)), self.literal(self.value(name))
        opens, closes = self.one("[("), self.one("])")
        above = naive.compare_test(">=" if opens == "[" else ">", *low[1:])
        below = naive.compare_test("<=" if closes == "]" else "<", *high[1:])
        word = "range" if opens == "(" or self.coin() else ""
        return (f"{name_text(name)}:{word}{opens}{low[0]}, {high[0]}{closes}",
                naive.in_field(name, lambda v: above(v) and below(v)))

    def one_of(self):
        name = self.one(self.names)
        literals = [self.literal(self.value(name)) for _ in range(1 + self.chance.randrange(5))]
        tests = [naive.equal_test(*literal[1:]) for literal in literals]
        return f"{name_text(name)}:in({', '.join(l[0] for l in literals)})", naive.in_field(name, lambda v: any(t(v) for t in tests))

    def in_query(self):
        """f:in(FILTER | fields g): the values of g where the filter holds; a test for given records."""
        left, right = self.one(self.names), self.one(self.names)
        text, test = self.filter(1)

        def elements(value):
            return [e for e in value if e is not None] if isinstance(value, list) else [] if value is None else [value]

        def test_among(records):
            values = [e for r in records if test(r) for e in elements(r.get(right))]
            texts = set(map(text_of, values))
            numbers = {naive.number_of(e) for e in values if isinstance(e, Numeral)} - {None}
            return naive.in_field(left, lambda v: text_of(v) in texts or naive.number_of(v) in numbers)
        return f"{name_text(left)}:in({text} | fields {name_text(right)})", test_among

    def expression_of(self, text):
        """(for RE2, for Python's re) from a part of a text."""
        def plain(part):
            return "".join("\\" + c if c in REGEX_SPECIAL else c for c in part)
        piece = plain(self.piece(text))
        kind = self.chance.randrange(8)
        if kind == 0:
            other = plain(self.piece(text))
            return f"{piece}.*{other}", f"{piece}.*{other}"
        if kind == 1:
            other = plain(self.piece(text_of(self.value())))
            return f"{piece}|{other}", f"{piece}|{other}"
        if kind == 2:
            return piece + r"\d+", piece + "[0-9]+"
        if kind == 3:
            return "^" + piece, r"\A" + piece
        if kind == 4:
            return piece + "$", piece + r"\Z"
        if kind == 5:
            return f"(?i){piece.upper()}" if piece.isascii() and "\\" not in piece else f"(?i){piece}", f"(?i){piece}"
        if kind == 6:
            return f"[a-f0-9]{{2,}}{piece}?", f"[a-f0-9]{{2,}}{piece}?"
        return piece, piece

    def expression(self):
        name = "" if self.coin(3) else self.one(self.names)
        shown, for_python = self.expression_of(text_of(self.value(name or None)))
        compiled = re.compile(for_python)
        found = lambda v: compiled.search(text_of(v)) is not None  # noqa: E731
        if not name:
            return f"~{quoted(shown)}", naive.anywhere(found)
        test = naive.in_field(name, found)
        if self.coin(4):
            return f"{name_text(name)}:!~{quoted(shown)}", lambda r: not test(r)
        return f"{name_text(name)}:~{quoted(shown)}", test

    def presence(self):
        name = self.one(self.names)
        if self.coin(3):
            return f'{name_text(name)}:""', naive.is_missing_or_empty(name)
        return f"{name_text(name)}:*", naive.exists(name)

    def several_patterns(self):
        name = self.one(self.names)
        value = self.value(name)
        parts = [self.pattern(value if self.coin() else self.value(name)) for _ in range(1 + self.chance.randrange(3))]
        texts, patterns = ", ".join(quoted_pattern(p) for _, p in parts), [p for _, p in parts]
        tests = [naive.pattern_test(*p) for p in patterns]
        kind = self.one(("contains_all", "contains_any", "seq"))
        test = {"contains_all": lambda v: all(t(v) for t in tests), "contains_any": lambda v: any(t(v) for t in tests),
                "seq": naive.sequence_test(patterns)}[kind]
        return f"{name_text(name)}:{kind}({texts})", naive.in_field(name, test)

    def lengths(self):
        name = self.one(self.names)
        low = len(text_of(self.value(name)))
        high = low + self.chance.randrange(20)
        return f"{name_text(name)}:len_range({low}, {high})", naive.in_field(name, lambda v: low <= len(text_of(v)) <= high)

    def kind_of_value(self):
        name, kind = self.one(self.names), self.one(("number", "string", "bool", "list"))
        return f"{name_text(name)}:type({kind})", naive.has_type(name, kind)

    def time_range(self):
        a, b = sorted(self.one(self.records).time_ns for _ in range(2))
        if self.coin(3):
            return f"_time:<{rfc3339(a)}", lambda r: r.time_ns < a
        return f"_time:[{rfc3339(a)}, {rfc3339(b)})", lambda r: a <= r.time_ns < b

    def two_fields(self):
        left, right = self.one(self.small), self.one(self.small)
        name, op = self.one((("eq_field", "="), ("lt_field", "<"), ("le_field", "<=")))
        return f"{name_text(left)}:{name}({name_text(right)})", naive.fields_compare(left, op, right)

    def network(self):
        for _ in range(20):
            value = self.value(self.one(self.names))
            found = re.fullmatch(r"(\d+\.\d+\.\d+\.\d+)", text_of(value))
            if found:
                network = ip_network(found[1] + self.one(("/32", "/24", "/16", "/8", "/0")), strict=False)
                name = self.one(self.names)
                return f"{name_text(name)}:ip({network})", naive.in_field(name, naive.network_test(network))
        return self.text_anywhere()

    def code_points(self):
        name = self.one(self.names)
        low, high = text_of(self.value(name)), text_of(self.value(name))
        return (f"{name_text(name)}:string_range({quoted(low)}, {quoted(high)})",
                naive.in_field(name, lambda v: low.encode() <= text_of(v).encode() < high.encode()))

    def label(self):
        name = self.one(self.labels)
        text = text_of(self.one(self.records).labels.get(name, "nowhere"))
        test = lambda r: text_of(r.labels.get(name, "")) == text  # noqa: E731
        if self.coin(4):
            return f"{{{name}!={quoted(text)}}}", lambda r: not test(r)
        return f"{{{name}={quoted(text)}}}", test

    def label_expression(self):
        name = self.one(self.labels)
        shown, for_python = self.expression_of(text_of(self.one(self.records).labels.get(name, "nowhere")))
        compiled = re.compile(f"(?:{for_python})" if not for_python.startswith("(?i)") else f"(?i:{for_python[4:]})")
        return f"{{{name}=~{quoted(shown)}}}", lambda r: compiled.fullmatch(text_of(r.labels.get(name, ""))) is not None

    def severity(self):
        rank = self.chance.randrange(6)
        first = 1 + 4 * rank
        word = naive.SEVERITIES[rank]
        if self.coin():
            return f"severity:{word}", lambda r: first <= r.severity < first + 4
        return f"level:>={word}", lambda r: r.severity >= first

    # ---- pipes ----

    def pipes(self):
        """(text, step): the step takes matching records newest first and gives the rows of the answer as dicts."""
        makers = [self.rows_only, self.rows_only, self.some_fields, self.sorted_rows, self.first_rows, self.statistics, self.statistics,
                  self.statistics, self.most_frequent, self.distinct, self.values_of_field, self.filtered_again, self.each_once,
                  self.last_rows, self.best_of_each, self.copied, self.filled, self.elements, self.with_sum_of_group]
        return self.one(makers)()

    def rows_only(self):
        return " | fields row", lambda rows: [{"row": r.get("row")} for r in rows]

    def some_fields(self):
        names = ["row"] + self.chance.sample(self.names, min(len(self.names), 1 + self.chance.randrange(3)))
        names = list(dict.fromkeys(names))

        def step(rows):
            return [{n: r.get(n) for n in names if r.get(n) is not None} for r in rows]
        return f" | fields {', '.join(map(name_text, names))}", step

    def keys(self):
        names = self.chance.sample(self.names, min(len(self.names), 1 + self.chance.randrange(2)))
        return [(n, self.coin()) for n in names]

    def sorted_rows(self):
        keys, count = self.keys(), 1 + self.chance.randrange(40)
        text = ", ".join(name_text(n) + (" desc" if d else self.one(("", " asc"))) for n, d in keys)
        limit = f" limit {count}" if self.coin() else f" | limit {count}"
        return f" | sort by ({text}){limit} | fields row", lambda rows: [{"row": r.get("row")} for r in naive.sorted_rows(rows, keys)[:count]]

    def first_rows(self):
        skipped, count = self.chance.randrange(30), 1 + self.chance.randrange(30)
        return (f" | offset {skipped} | limit {count} | fields row",
                lambda rows: [{"row": r.get("row")} for r in rows[skipped:skipped + count]])

    def filtered_again(self):
        text, test = self.filter(1)
        return f" | where {text} | fields row", lambda rows: [{"row": r.get("row")} for r in rows if test(r)]

    def each_once(self):
        name, count = self.one(self.names), 1 + self.chance.randrange(3)

        def step(rows):
            seen, kept = {}, []
            for r in rows:
                key = None if r.get(name) is None else text_of(r.get(name))
                seen[key] = seen.get(key, 0) + 1
                if seen[key] <= count:
                    kept.append({"row": r.get("row")})
            return kept
        return f" | dedup {count} by ({name_text(name)}) | fields row", step

    def last_rows(self):
        count = 1 + self.chance.randrange(30)
        return f" | tail {count} | fields row", lambda rows: [{"row": r.get("row")} for r in rows[-count:]]

    def best_of_each(self):
        """first, last n by: what a sort by the keys puts first, or last."""
        name, count, pipe = self.one(self.names), 1 + self.chance.randrange(5), self.one(("first", "last"))

        def step(rows):
            ordered = naive.sorted_rows(rows, [(name, pipe == "last")])
            return [{"row": r.get("row")} for r in ordered[:count]]
        return f" | {pipe} {count} by {name_text(name)} | fields row", step

    def copied(self):
        old, pipe = self.one(self.names), self.one(("rename", "copy"))
        kept = [old, "fresh"] if pipe == "copy" else ["fresh"]

        def step(rows):
            return [{n: r.get(old) for n in kept if r.get(old) is not None} for r in rows]
        if old in ("body", "row") and pipe == "rename":
            pipe, kept = "copy", [old, "fresh"]
        return f" | {pipe} {name_text(old)} as fresh | fields {', '.join(map(name_text, kept))}", step

    def filled(self):
        """What is missing gets a value, and the rest of the query sees it."""
        name = self.one(self.names)

        def step(rows):
            values = [Numeral("0") if r.get(name) is None else r.get(name) for r in rows]
            tables = naive.grouped([{name: v} for v in values], [name], lambda r, n: r[n])
            return [{name: keys[0], "hits": len(members)} for keys, members in tables]
        return f" | fillnull ({name_text(name)}) | stats by ({name_text(name)}) count() as hits", step

    def elements(self):
        name = self.one(self.names)

        def step(rows):
            out = []
            for r in rows:
                value = r.get(name)
                for element in (value or [None]) if isinstance(value, list) else [value]:
                    out.append({"row": r.get("row")} | ({name: element} if element is not None else {}))
            return out
        return f" | unroll by ({name_text(name)}) | fields {', '.join(dict.fromkeys(['row', name_text(name)]))}", step

    def with_sum_of_group(self):
        key, summed = self.one(self.names), self.one(self.small)

        def step(rows):
            groups = {}
            for r in rows:
                groups.setdefault(None if r.get(key) is None else text_of(r.get(key)), []).append(r)
            sums = {k: naive.aggregate("sum", [summed], members) for k, members in groups.items()}
            return [{"row": r.get("row"), "s": sums[None if r.get(key) is None else text_of(r.get(key))]} for r in rows]
        return f" | eventstats sum({name_text(summed)}) as s by ({name_text(key)}) | fields row, s", step

    def group(self):
        """(text, column, value of a record)"""
        if self.coin(3):
            width_s, shown = self.one(((60, "1m"), (300, "5m"), (3600, "1h"), (86400, "1d")))
            return f"_time:{shown}", "_time", lambda r: rfc3339(r.time_ns - r.time_ns % (width_s * 10**9))
        if self.coin(4):
            name, width = self.one(self.small), self.one((10, 100, 1000))

            def bucket(r):
                number = naive.number_of(r.get(name)) if r.get(name) is not None else None
                return None if number is None else Numeral(int(number // width) * width)
            return f"{name_text(name)}:{width}", name, bucket
        name = self.one(self.names)
        return name_text(name), name, lambda r: r.get(name)

    def function(self, index):
        kind = self.one(("count", "count", "count", "sum", "sum", "avg", "min", "max", "count_uniq", "count_empty", "first", "last", "p50",
                         "p90", "p99", "median", "values", "uniq_values"))
        if kind == "count" and self.coin():
            fields = []
        elif kind in ("count", "count_uniq", "count_empty") and self.coin(3):
            fields = self.chance.sample(self.names, min(2, len(self.names)))
        elif kind in ("sum", "avg", "p50", "p90", "p99", "median"):
            fields = [self.one(self.numeric or self.names)]
        else:
            fields = [self.one(self.names)]
        text, condition = f"{kind}({', '.join(map(name_text, fields))})", None
        if self.coin(4):
            shown, condition = self.test()
            text += f" if ({shown})"
        return f"{text} as f{index}", lambda rows: naive.aggregate(kind, fields, [r for r in rows if not condition or condition(r)])

    def statistics(self):
        groups = [] if self.coin(4) else [self.group() for _ in range(1 + self.chance.randrange(2))]
        if len({column for _, column, _ in groups}) < len(groups):
            groups = groups[:1]
        functions = [self.function(i) for i in range(1 + self.chance.randrange(3))]
        by = f"by ({', '.join(g[0] for g in groups)}) " if groups else ""

        def step(rows):
            readers = {column: read for _, column, read in groups}
            tables = naive.grouped(rows, list(readers), lambda r, name: readers[name](r)) if groups else [([], rows)]
            return [dict(zip(readers, keys)) | {f"f{i}": f[1](members) for i, f in enumerate(functions)} for keys, members in tables]
        return f" | stats {by}{', '.join(f[0] for f in functions)}", step

    def most_frequent(self):
        name, count, pipe = self.one(self.names), 1 + self.chance.randrange(10), self.one(("top", "rare"))

        def step(rows):
            tables = naive.grouped([r for r in rows if r.get(name) is not None], [name], lambda r, n: r.get(n))
            tables.sort(key=lambda t: -len(t[1]) if pipe == "top" else len(t[1]))
            return [{name: keys[0], "hits": len(members)} for keys, members in tables[:count]]
        return f" | {pipe} {count} by ({name_text(name)})", step

    def distinct(self):
        names = self.chance.sample(self.names, min(len(self.names), 1 + self.chance.randrange(2)))
        with_hits = self.coin()

        def step(rows):
            tables = naive.grouped(rows, names, lambda r, n: r.get(n))
            return [dict(zip(names, keys)) | ({"hits": len(members)} if with_hits else {}) for keys, members in tables]
        return f" | uniq by ({', '.join(map(name_text, names))}){' with hits' if with_hits else ''}", step

    def values_of_field(self):
        name = self.one(self.names)

        def step(rows):
            tables = naive.grouped([r for r in rows if r.get(name) is not None], [name], lambda r, n: r.get(n))
            return [{name: keys[0], "hits": len(members)} for keys, members in tables]
        return f" | field_values {name_text(name)}", step


def quoted_pattern(pattern):
    text, open_start, open_end = pattern
    return "*" * open_start + quoted(text) + "*" * open_end
