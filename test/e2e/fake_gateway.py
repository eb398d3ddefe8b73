"""fake_gateway.py LOG COMMAND...: a SQL gateway of Flink as far as a client can see, for the time that COMMAND runs; @ in its
arguments is the gateway's address. What was asked goes to LOG, a line a request. The exit status is the command's.

Statements are looked up in the table below; SET is kept. A statement called endless gives a row and then no more: when its second
page is asked for, the command gets a SIGINT, as from ctrl-c."""
import contextlib
import http.server
import json
import re
import signal
import subprocess
import sys
import threading

STRING = {"type": "VARCHAR", "nullable": True, "length": 2147483647}
INT = {"type": "INTEGER", "nullable": False}
TRACE = """<Exception on server side:
org.apache.flink.table.gateway.api.utils.SqlGatewayException: Failed to fetchResults.
\tat org.apache.flink.A.b(A.java:91)
Caused by: org.apache.flink.table.api.ValidationException: SQL validation failed. %s
\tat org.apache.flink.C.d(C.java:1)
\t... 7 more
Caused by: %s
\t... 9 more

End of exception on server side>"""


def columns(*pairs):
    return [{"name": name, "logicalType": kind, "comment": None} for name, kind in pairs]


def rows(*fields, kinds=None):
    return [{"kind": kind, "fields": list(f)} for kind, f in zip(kinds or ["INSERT"] * len(fields), fields)]


# Statement: (columns, pages of rows, more of each answer); or the two texts of a trace.
QUERY = {"isQueryResult": True, "resultKind": "SUCCESS_WITH_CONTENT", "jobID": "0123456789abcdef"}
KNOWN = {"isQueryResult": False, "resultKind": "SUCCESS_WITH_CONTENT"}
DONE = (columns(("result", STRING)), [rows(["OK"])], {"isQueryResult": False, "resultKind": "SUCCESS"})
TYPES = columns(
    ("bo", {"type": "BOOLEAN", "nullable": True}), ("d", {"type": "DECIMAL", "nullable": False, "precision": 38, "scale": 4}),
    ("dt", {"type": "DATE", "nullable": True}), ("tm", {"type": "TIME_WITHOUT_TIME_ZONE", "nullable": True, "precision": 0}),
    ("ts", {"type": "TIMESTAMP_WITHOUT_TIME_ZONE", "nullable": True, "precision": 6}),
    ("l", {"type": "TIMESTAMP_WITH_LOCAL_TIME_ZONE", "nullable": True, "precision": 3}),
    ("b", {"type": "BINARY", "nullable": False, "length": 2}), ("e", {"type": "CHAR", "nullable": False, "length": 0}),
    ("iv", {"type": "INTERVAL_DAY_TIME", "nullable": False, "precision": 2, "fractionalPrecision": 3, "resolution": "SECOND"}),
    ("a", {"type": "ARRAY", "nullable": False, "elementType": {"type": "BIGINT", "nullable": True}}),
    ("m", {"type": "MAP", "nullable": True, "keyType": STRING, "valueType": {"type": "DOUBLE", "nullable": True}}),
    ("r", {"type": "ROW", "nullable": True, "fields": [{"name": "x y", "fieldType": INT}, {"name": "z", "fieldType": STRING}]}))
VALUES = rows([True, 1234567890123456789012345678901234.5, "2020-02-29", "10:11:12", "2020-01-01T00:00:00.123456", "1970-01-01T00:00:01Z",
               "QUI=", "", 90061001, [1, None], {"k": 1.5}, {"x y": 7, "z": "u\u00fc\"\n"}], [None, 0, *[None] * 4, "AAA=", "", 0, [], None, None])
BIG = {"type": "MAP", "nullable": False, "keyType": INT, "valueType": STRING}
ANSWERS = {
    "SELECT changes": (columns(("a", INT), ("a", {"type": "BIGINT", "nullable": False})), [None, [], rows([1, 1]), [], rows(
        [1, 1], [1, 9007199254740993], [2, 5], kinds=["UPDATE_BEFORE", "UPDATE_AFTER", "DELETE"])], QUERY),
    "SELECT types": (TYPES, [VALUES], QUERY),
    "SELECT instants": (TYPES[5:6], [[{**r, "fields": r["fields"][5:6]} for r in VALUES]], QUERY),
    "SELECT map": (columns(("m", BIG)), [[], rows(["{1=x}"])], QUERY),
    "SELECT raw": (columns(("m", STRING)), [rows(["as text"])], QUERY),
    "SELECT\n  nope FROM t": (
        "From line 2, column 3 to line 2, column 6: Column 'nope' not found", "a.b.SqlValidatorException: Column 'nope' not found\nin any table"),
    "SELEC": ("x", "org.apache.flink.sql.parser.impl.ParseException: Encountered \"SELEC\" at line 1, column 1."),
    "SELECT endless": (columns(("a", INT)), [rows([1])], QUERY),
    "SHOW TABLES": (columns(("table name", STRING)), [rows(["t"], [None])], KNOWN),
    "SHOW VIEWS": (columns(("view name", STRING)), [[]], KNOWN),
    "INSERT INTO s SELECT 1": (columns(("job id", STRING)), [rows(["abc123"])], {**KNOWN, "jobID": "abc123"}),
}


def uri(operation, token):
    return f"/v3/sessions/S/operations/{operation}/result/{token}?rowFormat=JSON"


class Gateway(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    properties, operations = {}, []

    def answer(self, status, body):
        data = json.dumps(body).encode() if not isinstance(body, bytes) else body
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # who was stopped does not listen
            self.wfile.write(data)

    def fail(self, *errors):
        self.answer(500, {"errors": list(errors)})

    def take(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        path = self.path.replace("/v3/sessions/S", "~")
        log.write(f"{self.command} {path} {body}".rstrip() + "\n")
        log.flush()
        given = json.loads(body) if body else {}
        if path == "/api_versions":
            return self.answer(200, {"versions": ["V1", "V2", "V3", "V77"]})
        if path == "/v3/sessions":
            self.properties.update(given["properties"])
            return self.answer(200, {"sessionHandle": "S"})
        if path == "~":
            return self.answer(200, {"properties": self.properties} if self.command == "GET" else {"status": "CLOSED"})
        if path == "~/complete-statement":
            return self.answer(200, {"candidates": ["SELECT", "TABLES"]})
        if path in ("~/statements", "~/configure-session"):
            return self.statement(path, given["statement"])
        operation = re.fullmatch(r"~/operations/(\d+)/(result/(\d+)\?rowFormat=(\w+)|close|cancel)", path)
        if not operation:
            return self.answer(404, {"errors": ["Not found: " + path]})
        if operation[3] is None:
            return self.answer(200, {"status": "CLOSED"})
        return self.page(int(operation[1]), int(operation[3]), operation[4] == "JSON")

    do_GET = do_POST = do_DELETE = take

    def statement(self, path, text):
        setting = re.fullmatch(r"SET '(.*)' = '(.*)'", text, re.DOTALL)
        if setting:
            self.properties[setting[1]] = setting[2]
        if path == "~/configure-session":
            if setting or text.startswith("CREATE"):
                return self.answer(200, {})
            reason = "java.lang.UnsupportedOperationException: Unsupported statement for configuring session: " + text
            return self.fail("Internal server error.", TRACE % ("x", reason))
        self.operations.append(text)
        return self.answer(200, {"operationHandle": str(len(self.operations) - 1)})

    def page(self, operation, token, as_json):
        text = self.operations[operation]
        found = ANSWERS.get("SHOW TABLES" if text.upper() == "SHOW TABLES" else text, DONE)
        if len(found) == 2:
            return self.fail("Internal server error.", TRACE % found)
        if text in ("SELECT map", "SELECT raw") and as_json and (token > 0 or text == "SELECT raw"):
            return self.fail("Internal server error. Could not map response to JSON.")
        if text == "SELECT endless" and token == 1:
            child.send_signal(signal.SIGINT)
        names, pages, more = found
        here = pages[token] if token < len(pages) else []
        if here is None:  # not ready, the first time
            pages[token] = []
            return self.answer(200, {"resultType": "NOT_READY", "nextResultUri": uri(operation, token)})
        ends = token >= len(pages) and text != "SELECT endless"
        body = {**more, "resultType": "EOS" if ends else "PAYLOAD", "results": {"columns": names, "rowFormat": "JSON", "data": here}}
        if not ends:
            body["nextResultUri"] = uri(operation, token + (text != "SELECT endless" or token == 0))
        exact = json.dumps(body).replace("1.2345678901234568e+33", "1234567890123456789012345678901234.5")
        return self.answer(200, exact.encode())

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):  # a client that was stopped hangs up
            super().handle_error(request, client_address)


log = open(sys.argv[1], "w", encoding="utf-8")
server = Server(("127.0.0.1", 0), Gateway)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"127.0.0.1:{server.server_address[1]}"
with subprocess.Popen([a.replace("@", address) for a in sys.argv[2:]]) as child:
    pass
sys.exit(child.returncode if child.returncode >= 0 else 128 - child.returncode)
