"""gateway.py - Flink's SQL gateway over REST: one session, statement after statement, answers as the lines of a test file.

Rows are asked for as plain text: each cell is then what Flink's client prints, uncut, with scales and fractions that JSON loses."""
import decimal
import json
import struct
import time
import urllib.error
import urllib.request

KINDS = {"INSERT": "+I", "UPDATE_BEFORE": "-U", "UPDATE_AFTER": "+U", "DELETE": "-D"}
SIMPLE = {"INTEGER": "INT"}
UNBOUNDED = 2147483647


class Failed(Exception):
    """Flink refuses a statement, or its job fails; the text is the innermost reason."""


class Answer:
    def __init__(self, columns=None, rows=None):
        self.columns, self.rows = columns, rows or []  # rows: (kind, cells)


def type_text(t):
    """As the engine prints types."""
    kind, null = t["type"], "" if t.get("nullable", True) else " NOT NULL"
    if kind in ("CHAR", "BINARY", "VARCHAR", "VARBINARY"):
        whole = {"VARCHAR": "STRING", "VARBINARY": "BYTES"}.get(kind)
        return (whole if whole and t["length"] == UNBOUNDED else f"{kind}({t['length']})") + null
    if kind == "DECIMAL":
        return f"DECIMAL({t['precision']}, {t['scale']})" + null
    if kind.startswith("TIME"):
        name = {"TIME_WITHOUT_TIME_ZONE": "TIME", "TIMESTAMP_WITHOUT_TIME_ZONE": "TIMESTAMP", "TIMESTAMP_WITH_LOCAL_TIME_ZONE": "TIMESTAMP_LTZ"}[kind]
        return f"{name}({t['precision']})" + null
    if kind.startswith("INTERVAL"):  # the engine has two, whatever fields they were written with
        return ("INTERVAL DAY(2) TO SECOND(3)" if kind == "INTERVAL_DAY_TIME" else "INTERVAL YEAR(2) TO MONTH") + null
    if kind in ("ARRAY", "MULTISET"):
        return f"{kind}<{type_text(t['elementType'])}>" + null
    if kind == "MAP":
        return f"MAP<{type_text(t['keyType'])}, {type_text(t['valueType'])}>" + null
    if kind == "ROW":
        return "ROW<" + ", ".join(f"`{f['name']}` {type_text(f['fieldType'])}" for f in t["fields"]) + ">" + null
    return SIMPLE.get(kind, kind) + null


class Session:
    def __init__(self, url, properties):
        self.base = url.rstrip("/") + "/v3"
        self.handle = self.call("POST", "/sessions", {"properties": properties})["sessionHandle"]

    def call(self, method, path, body=None):
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.base + path, method=method, data=data, headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=120) as response:
                return json.load(response)
        except urllib.error.HTTPError as e:
            raise Failed(reason_of(e.read().decode(errors="replace"))) from None

    def run(self, sql):
        operation = self.call("POST", f"/sessions/{self.handle}/statements", {"statement": sql})["operationHandle"]
        path = f"/sessions/{self.handle}/operations/{operation}"
        try:
            return self.fetch(path)
        finally:
            self.call("DELETE", path + "/close")

    def fetch(self, path):
        answer, token, wait = Answer(), 0, 0.005
        while True:
            page = self.call("GET", f"{path}/result/{token}?rowFormat=PLAIN_TEXT")
            results = page.get("results")
            if results:
                answer.columns = [(c["name"], c["logicalType"]) for c in results["columns"]] if page.get("isQueryResult", True) or page.get("resultKind") == "SUCCESS_WITH_CONTENT" else None
                answer.rows += [(KINDS[r["kind"]], r["fields"]) for r in results["data"]]
            if page["resultType"] == "EOS":
                return answer
            if not results or not results["data"]:
                time.sleep(wait)
                wait = min(wait * 1.5, 0.1)
            if page.get("nextResultUri"):
                token = int(page["nextResultUri"].split("?")[0].rsplit("/", 1)[1])

    def close(self):
        self.call("DELETE", f"/sessions/{self.handle}")


def reason_of(text):
    """The last cause of a stack trace, in one line."""
    try:
        text = "\n".join(json.loads(text)["errors"])
    except (ValueError, KeyError, TypeError):
        pass
    causes = [line for line in text.split("\n") if line.startswith("Caused by: ")]
    line = causes[-1][len("Caused by: "):] if causes else text.split("\n")[0]
    return line.strip()[:300]


# --- answers as lines ----------------------------------------------------------------------------------------------------
def quote(text):
    plain = text != "" and text[0] not in "' " and text[-1] != " " and " | " not in text and text != "NULL" and "\\" not in text
    if plain and all(c >= " " for c in text):
        return text
    return "'" + "".join(f"\\x{ord(c):02x}" if c < " " else "\\" + c if c in "\\'" else c for c in text) + "'"


def float_text(text, is_single):
    """The shortest text that reads back the same, in Java's form; Java before 19 may write a digit more."""
    x = float(text.replace("Infinity", "inf"))
    if x != x or x in (float("inf"), float("-inf")) or x == 0:
        return text
    pack = "f" if is_single else "d"
    same = lambda s: struct.pack(pack, float(s)) == struct.pack(pack, x)
    short = next(s for s in (f"{x:.{n}e}" for n in range(17)) if same(s))
    mantissa, exponent = short.split("e")
    if 1e-3 <= abs(x) < 1e7:
        plain = format(decimal.Decimal(short), "f")
        return plain if "." in plain else plain + ".0"
    return (mantissa if "." in mantissa else mantissa + ".0") + "E" + str(int(exponent))


def cell_text(value, kind):
    if value is None:
        return "NULL"
    if kind in ("FLOAT", "DOUBLE"):
        return float_text(value, kind == "FLOAT")
    return quote(value) if kind in ("CHAR", "VARCHAR") else value


def fold(rows, names, by):
    table = []
    key = [i for i, name in enumerate(names) if name in by] or list(range(len(names)))
    for kind, cells in rows:
        at = next((i for i in reversed(range(len(table))) if all(table[i][k] == cells[k] for k in key)), None)
        if kind in ("+I", "+U"):
            if by and at is not None:
                table[at] = cells
            else:
                table.append(cells)
        elif at is not None and not (by and kind == "-U"):
            table.pop(at)
    return table


def lines_of(answer, compare, by):
    if answer.columns is None:
        return []
    names = [name for name, _ in answer.columns]
    header = "(" + ", ".join(f"{name} {type_text(t)}" for name, t in answer.columns) + ")"
    rows = [(kind, [cell_text(v, t["type"]) for v, (_, t) in zip(cells, answer.columns)]) for kind, cells in answer.rows]
    if compare == "exact":
        return [header] + [kind + " " + " | ".join(cells) for kind, cells in rows]
    return [header] + [" | ".join(cells) for cells in fold(rows, names, by)]
