"""What a query means, the plain way: one record after the other, no columns, no filters made ready, no planner.

A value is what JSON has: text, `Numeral` (a number with the text it was sent as), bool, None, list. A test is a function from a
record to bool; a step is a function from rows to rows. Nothing here knows the language's text: random_query.py makes both.
"""
import json
import math
import re
from fractions import Fraction
from ipaddress import ip_address

WORD = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_")
NUMBER = re.compile(r"([+-]?[0-9][0-9_]*(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)(K|M|G|T|Ki|Mi|Gi|Ti)?")
HEXADECIMAL = re.compile(r"([+-]?)0[xX]([0-9a-fA-F]+)")
FACTORS = {"K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "": 1}
SEVERITIES = ("trace", "debug", "info", "warn", "error", "fatal")


class Numeral(str):
    """A number of JSON by its text."""
    __slots__ = ()


def read_json(text):
    return json.loads(text, parse_int=Numeral, parse_float=Numeral)


def json_text(value):
    """Compact JSON, numbers as they were sent."""
    if isinstance(value, Numeral):
        return str(value)
    if isinstance(value, list):
        return "[" + ",".join(map(json_text, value)) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(json.dumps(k, ensure_ascii=False) + ":" + json_text(v) for k, v in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


def text_of(value):
    return value if isinstance(value, str) else json_text(value)


def number_of_text(text):
    """Exact integers of 64 bits, doubles otherwise; None if the text is no number."""
    found = HEXADECIMAL.fullmatch(text)
    if found:
        number = int(found[1] + found[2], 16)
        return number if -2**63 <= number < 2**64 else None
    found = NUMBER.fullmatch(text)
    if not found:
        return None
    numeral, factor = found[1].replace("_", ""), FACTORS[found[2] or ""]
    if not set(".eE") & set(numeral):
        number = int(numeral) * factor
        if -2**63 <= number < 2**64:
            return number
    number = float(numeral) * factor
    return number if math.isfinite(number) else None


def number_of(value):
    return number_of_text(value) if isinstance(value, str) else None


def is_empty(value):
    return value is None or value == "" and not isinstance(value, Numeral) or value == []


class Record:
    """`fields`: by the one name a query finds each under; `searched`: every value a text without field is looked for in."""

    def __init__(self, row, time_ns, fields, labels, searched, severity=0):
        self.row, self.time_ns, self.fields, self.labels, self.searched, self.severity = row, time_ns, fields, labels, searched, severity

    def get(self, name):
        return self.fields.get(name)


# ---- tests of one value ----

def any_element(test, value):
    """A list holds if one of its scalars does."""
    if isinstance(value, list):
        return any(test(element) for element in value if element is not None and not isinstance(element, (list, dict)))
    return value is not None and test(value)


def fold(text):
    """Simple case folding, a character for a character."""
    def one(char):
        folded = char.casefold()
        return folded if len(folded) == 1 else char.lower() if len(char.lower()) == 1 else char
    return "".join(map(one, text))


def find_pattern(pattern, open_start, open_end, text, first=0, folds=False):
    """The end of the earliest place from `first` on, or -1. Edges are looked at in the text as it is."""
    shown, wanted = (fold(text), fold(pattern)) if folds else (text, pattern)
    at = shown.find(wanted, first)
    while at >= 0:
        end = at + len(wanted)
        starts = open_start or wanted[0] not in WORD or at == 0 or text[at - 1] not in WORD
        ends = open_end or wanted[-1] not in WORD or end == len(text) or text[end] not in WORD
        if starts and ends:
            return end
        at = shown.find(wanted, at + 1)
    return -1


def pattern_test(pattern, open_start=False, open_end=False, folds=False):
    return lambda value: find_pattern(pattern, open_start, open_end, text_of(value), 0, folds) >= 0


def sequence_test(patterns):
    def test(value):
        at = 0
        for pattern in patterns:
            at = find_pattern(*pattern, text_of(value), at)
            if at < 0:
                return False
        return True
    return test


def order_against(value, literal, is_quoted):
    """-1, 0, 1, or None if the value takes no part. An unquoted literal here is a number or a text."""
    wanted = None if is_quoted else number_of_text(literal)
    if wanted is None:
        left, right = text_of(value).encode(), literal.encode()
    else:
        left, right = number_of(value), wanted
        if left is None:
            return None
    return (left > right) - (left < right)


def compare_test(op, literal, is_quoted):
    accepted = {">": (1,), ">=": (0, 1), "<": (-1,), "<=": (-1, 0)}[op]
    return lambda value: order_against(value, literal, is_quoted) in accepted


def equal_test(literal, is_quoted):
    def test(value):
        if text_of(value) == literal:
            return True
        return not is_quoted and number_of_text(literal) is not None and order_against(value, literal, False) == 0
    return test


def network_test(network):
    run = re.compile(r"[0-9.]+" if network.version == 4 else r"[0-9A-Fa-f:.]+")

    def test(value):
        if not isinstance(value, str) or isinstance(value, Numeral):
            return False
        for found in run.finditer(value):
            touched = found.start() > 0 and value[found.start() - 1] in WORD or found.end() < len(value) and value[found.end()] in WORD
            try:
                if not touched and ip_address(found[0]) in network:
                    return True
            except ValueError:
                pass
        return False
    return test


def type_of(value):
    if isinstance(value, Numeral):
        return "number"
    return {bool: "bool", list: "list", str: "string"}[type(value)]


# ---- tests of a record ----

def in_field(name, test):
    return lambda record: any_element(test, record.get(name))


def anywhere(test):
    return lambda record: any(any_element(test, value) for value in record.searched)


def exists(name):
    def test(record):
        value = record.get(name)
        return any(not is_empty(e) for e in value) if isinstance(value, list) else not is_empty(value)
    return test


def is_missing_or_empty(name):
    def test(record):
        value = record.get(name)
        return is_empty(value) or isinstance(value, list) and any(e == "" for e in value)
    return test


def has_type(name, wanted):
    return lambda record: record.get(name) is not None and type_of(record.get(name)) == wanted


def fields_compare(left, op, right):
    def test(record):
        def elements(value):
            return [e for e in value if e is not None] if isinstance(value, list) else [] if value is None else [value]
        for other in elements(record.get(right)):
            one = equal_test(text_of(other), False) if op == "=" else compare_test(op, text_of(other), False)
            if any(one(value) for value in elements(record.get(left))):
                return True
        return False
    return test


# ---- steps: rows of (record or dict) to rows ----

def sort_key(value, is_severity=False):
    """Numbers by value, then text by code point, then nothing."""
    if is_severity and isinstance(value, str) and value in SEVERITIES:
        return (0, SEVERITIES.index(value))
    number = None if value is None else number_of(value)
    if number is not None:
        return (0, number)
    text = "" if value is None else text_of(value)
    return (1, text.encode()) if text else (2,)


def sorted_rows(rows, keys):
    """keys: (name, is_descending); ties keep their order, what is missing comes last both ways."""
    for name, descending in reversed(keys):
        there = [r for r in rows if sort_key(r.get(name)) != (2,)]
        gone = [r for r in rows if sort_key(r.get(name)) == (2,)]
        rows = sorted(there, key=lambda r: sort_key(r.get(name), name == "severity"), reverse=descending) + gone
    return rows


def grouped(rows, names, value_of):
    """Groups by the texts of their keys, in sort order, of equal ones (12, 12.0) the shorter text first, null before "": (key
    values, rows). One quoted value makes the key print quoted."""
    groups = {}
    for row in rows:
        values = [value_of(row, name) for name in names]
        key = tuple(None if v is None else text_of(v) for v in values)
        shown, members = groups.setdefault(key, (list(values), []))
        for i, v in enumerate(values):
            if isinstance(v, str) and not isinstance(v, Numeral):
                shown[i] = v
        members.append(row)

    def order(key):
        ties = [(-1, b"") if text is None else (len(text.encode()), text.encode()) for text in key]
        return [sort_key(v, n == "severity") for v, n in zip(groups[key][0], names)], ties
    return [groups[key] for key in sorted(groups, key=order)]


def as_number(total, is_integer):
    return int(total) if is_integer and -2**63 <= total < 2**63 else float(total)


def aggregate(kind, fields, rows):
    """One function of stats over records, newest first."""
    if kind == "count":
        return sum(1 for r in rows if not fields or any(not is_empty(r.get(f)) for f in fields))
    if kind == "count_empty":
        return sum(1 for r in rows if all(is_empty(r.get(f)) for f in fields))
    if kind == "count_uniq":
        seen = {tuple("" if r.get(f) is None else text_of(r.get(f)) for f in fields) for r in rows
                if any(not is_empty(r.get(f)) for f in fields)}
        return len(seen)
    name = fields[0]
    present = [r.get(name) for r in rows if r.get(name) is not None]
    if kind in ("first", "last"):
        return (present[-1] if kind == "first" else present[0]) if present else None
    if kind == "values":
        return present
    if kind == "uniq_values":
        return sorted({json_text(v): v for v in present}.values(), key=lambda v: (sort_key(v), json_text(v)))
    numbers = [n for n in map(number_of, present) if n is not None]
    if kind == "sum":
        return as_number(sum(map(Fraction, numbers), Fraction(0)), all(isinstance(n, int) for n in numbers))
    if kind in ("min", "max"):
        best = min if kind == "min" else max
        if numbers:
            return best(numbers)
        return best(present, key=lambda v: text_of(v).encode()) if present else None
    if not numbers:
        return None
    if kind == "avg":
        return float(sum(map(Fraction, numbers)) / len(numbers))
    share = {"p50": "0.5", "p90": "0.9", "p95": "0.95", "p99": "0.99", "median": "0.5"}[kind]
    return sorted(numbers)[math.ceil(Fraction(share) * len(numbers)) - 1]  # nearest rank


def same_value(told, expected):
    """A number equals one of the same amount; `told` comes from the answer, `expected` may be a Python number."""
    if isinstance(expected, (int, float)) and not isinstance(expected, bool):
        return isinstance(told, Numeral) and Fraction(number_of_text(told)) == Fraction(expected)
    if isinstance(told, list) and isinstance(expected, list):
        return len(told) == len(expected) and all(map(same_value, told, expected))
    return type(told) is type(expected) and told == expected


def same_rows(told, expected):
    return len(told) == len(expected) and all(
        list(a) == list(b) and all(same_value(a[k], b[k]) for k in a) for a, b in zip(told, expected))
