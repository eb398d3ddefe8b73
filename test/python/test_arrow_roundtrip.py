"""Every type of the engine through pyarrow and back: types with their metadata, values, NULLs and slices.

The engine's functions are called through ctypes on the library that exports all of them. For each type its Arrow schema is
made by the engine, pyarrow builds a column of Python values for it, the engine imports the column, prints it, exports it
again, and pyarrow must find it equal to what it gave away.
"""
import ctypes as c
import datetime as dt
import decimal
import os
import sys
import unittest

import pyarrow as pa

lib = c.CDLL(os.environ["THALWEG_LIBRARY"])


class Str(c.Structure):
    _fields_ = [("data", c.c_char_p), ("size", c.c_size_t)]


class Buf(c.Structure):
    _fields_ = [("mem", c.c_void_p), ("data", c.POINTER(c.c_char)), ("size", c.c_size_t), ("capacity", c.c_size_t)]


class Err(c.Structure):
    _fields_ = [("status", c.c_int), ("text", c.c_char * 2048), ("rest", c.c_char * 4096)]  # the rest is more than the engine has


lib.batch_create.restype = c.c_void_p
P = c.c_void_p
for name, arguments in {
    "mem_init": [P, c.c_char_p, c.c_size_t],
    "arena_init": [P, P, c.c_size_t],
    "arena_release": [P],
    "buf_init": [P, P],
    "buf_release": [P],
    "type_parse": [P, Str, P, P],
    "type_print": [P, P],
    "batch_create": [P, c.c_uint32, P],
    "batch_free": [P],
    "batch_print_row": [P, c.c_uint32, P],
    "arrow_export_schema": [P, P, P, P],
    "arrow_export_batch": [P, P, P, P],
    "arrow_import_schema": [P, P, P, P],
    "arrow_import_rows": [P, P, c.c_int64, c.c_uint32, P, P],
}.items():
    getattr(lib, name).argtypes = arguments

OPAQUE = 512  # bytes, more than any of the structs that are only passed on


class Engine:
    """A mem, an arena in it, and the calls with their errors as exceptions."""

    def __init__(self):
        self.mem = c.create_string_buffer(OPAQUE)
        self.arena = c.create_string_buffer(OPAQUE)
        lib.mem_init(self.mem, b"python", 0)
        lib.arena_init(self.arena, self.mem, 0)

    def call(self, name, *arguments):
        e = Err()
        if getattr(lib, name)(*arguments, c.byref(e)) != 0:
            raise ValueError(e.text.decode())

    def text(self, function, *arguments):
        b = Buf()
        lib.buf_init(c.byref(b), self.mem)
        function(*arguments, c.byref(b))
        text = b.data[: b.size].decode()
        lib.buf_release(c.byref(b))
        return text

    def type_of(self, text):
        out = c.c_void_p()
        data = text.encode()
        self.call("type_parse", self.arena, Str(data, len(data)), c.byref(out))
        return out

    def type_text(self, t):
        return self.text(lib.type_print, t)

    def schema_to_arrow(self, t):
        space = c.create_string_buffer(OPAQUE)
        self.call("arrow_export_schema", t, self.mem, space)
        return pa.Schema._import_from_c(c.addressof(space))

    def schema_from_arrow(self, schema):
        space, out = c.create_string_buffer(OPAQUE), c.c_void_p()
        schema._export_to_c(c.addressof(space))
        try:
            self.call("arrow_import_schema", self.arena, space, c.byref(out))
        finally:
            pa.Schema._import_from_c(c.addressof(space))  # pyarrow takes its own back
        return out

    def batch_from_arrow(self, batch, t):
        array, schema = c.create_string_buffer(OPAQUE), c.create_string_buffer(OPAQUE)
        batch._export_to_c(c.addressof(array), c.addressof(schema))
        b = lib.batch_create(t, 2048, self.mem)
        self.call("arrow_import_rows", array, schema, 0, batch.num_rows, b)
        pa.RecordBatch._import_from_c(c.addressof(array), c.addressof(schema))
        return b

    def batch_to_arrow(self, b, t):
        array, schema = c.create_string_buffer(OPAQUE), c.create_string_buffer(OPAQUE)
        self.call("arrow_export_schema", t, self.mem, schema)
        self.call("arrow_export_batch", b, self.mem, array)
        return pa.RecordBatch._import_from_c(c.addressof(array), c.addressof(schema))

    def rows(self, b, count):
        return [self.text(lib.batch_print_row, b, i) for i in range(count)]


UTC = dt.timezone.utc
D = decimal.Decimal
LONG = "a string longer than twelve bytes"

# type, values, how the engine prints them
CASES = [
    ("BOOLEAN", [True, None, False], ["true", "null", "false"]),
    ("TINYINT", [-128, None, 127], ["-128", "null", "127"]),
    ("SMALLINT", [-32768, None, 32767], ["-32768", "null", "32767"]),
    ("INT", [-(2**31), None, 2**31 - 1], ["-2147483648", "null", "2147483647"]),
    ("INT NOT NULL", [1, 2], ["1", "2"]),
    ("BIGINT", [-(2**63), None, 2**63 - 1], ["-9223372036854775808", "null", "9223372036854775807"]),
    ("FLOAT", [1.5, None, -0.0], ["1.5", "null", "-0.0"]),
    ("DOUBLE", [1e21, None, 0.1], ["1.0E21", "null", "0.1"]),
    ("DECIMAL(10, 2)", [D("-99999999.99"), None, D("0.01")], ["-99999999.99", "null", "0.01"]),
    ("DECIMAL(18, 0)", [D("-" + "9" * 18), None, D(7)], ["-" + "9" * 18, "null", "7"]),
    ("DECIMAL(38, 38)", [D("-0." + "9" * 38), None, D(0)], ["-0." + "9" * 38, "null", "0." + "0" * 38]),
    ("DECIMAL(38, 0)", [D("9" * 38), None, D("-" + "9" * 38)], ["9" * 38, "null", "-" + "9" * 38]),
    ("CHAR(3)", ["abc", None, ""], ["abc", "null", ""]),
    ("VARCHAR(40)", [LONG, None, "\u00fc"], [LONG, "null", "\u00fc"]),
    ("STRING", ["exactly12byt", None, LONG], ["exactly12byt", "null", LONG]),
    ("BINARY(2)", [b"\x00\xff", None, b"ab"], ["x'00ff'", "null", "x'6162'"]),
    ("BYTES", [b"", None, LONG.encode()], ["x''", "null", "x'" + LONG.encode().hex() + "'"]),
    ("DATE", [dt.date(1, 1, 1), None, dt.date(9999, 12, 31)], ["0001-01-01", "null", "9999-12-31"]),
    ("TIME(0)", [dt.time(10, 20), None, dt.time(23, 59, 59)], ["10:20", "null", "23:59:59"]),
    ("TIME(3)", [dt.time(0), None, dt.time(23, 59, 59, 999000)], ["00:00", "null", "23:59:59.999"]),
    ("TIMESTAMP(0)", [dt.datetime(1969, 12, 31, 23, 59, 59), None, dt.datetime(9999, 12, 31)],
     ["1969-12-31T23:59:59", "null", "9999-12-31T00:00"]),
    ("TIMESTAMP(1)", [dt.datetime(2001, 1, 1, 0, 0, 0, 100000), None], ["2001-01-01T00:00:00.100", "null"]),
    ("TIMESTAMP(3)", [dt.datetime(1, 1, 1), None, dt.datetime(1969, 12, 31, 23, 59, 59, 999000)],
     ["0001-01-01T00:00", "null", "1969-12-31T23:59:59.999"]),
    ("TIMESTAMP(3) *ROWTIME*", [dt.datetime(2001, 1, 1)], ["2001-01-01T00:00"]),
    ("TIMESTAMP(6)", [dt.datetime(1969, 12, 31, 23, 59, 59, 999999), None, dt.datetime(9999, 12, 31, 23, 59, 59, 999999)],
     ["1969-12-31T23:59:59.999999", "null", "9999-12-31T23:59:59.999999"]),
    ("TIMESTAMP(7)", [dt.datetime(2001, 1, 1, 0, 0, 0, 1), None], ["2001-01-01T00:00:00.000001", "null"]),
    ("TIMESTAMP(9)", [-1, None, -(2**63), 2**63 - 1],
     ["1969-12-31T23:59:59.999999999", "null", "1677-09-21T00:12:43.145224192", "2262-04-11T23:47:16.854775807"]),
    ("TIMESTAMP_LTZ(0)", [dt.datetime(2001, 1, 1, tzinfo=UTC), None], ["2001-01-01T00:00:00Z", "null"]),
    ("TIMESTAMP_LTZ(3)", [dt.datetime(1969, 12, 31, 23, 59, 59, 999000, tzinfo=UTC), None], ["1969-12-31T23:59:59.999Z", "null"]),
    ("TIMESTAMP_LTZ(6)", [dt.datetime(2001, 1, 1, 0, 0, 0, 1, tzinfo=UTC), None], ["2001-01-01T00:00:00.000001Z", "null"]),
    ("TIMESTAMP_LTZ(9)", [1, None], ["1970-01-01T00:00:00.000000001Z", "null"]),
    ("INTERVAL DAY TO SECOND", [dt.timedelta(days=1, milliseconds=-1), None, dt.timedelta(0)], ["PT23H59M59.999S", "null", "PT0S"]),
    ("ARRAY<INT>", [[1, None, 3], None, []], ["[1, null, 3]", "null", "[]"]),
    ("ARRAY<ARRAY<STRING NOT NULL>>", [[["a", LONG], [], None], None, [[]]], ["[[a, " + LONG + "], [], null]", "null", "[[]]"]),
    ("MAP<STRING, INT>", [[("a", 1), (LONG, None)], None, []], ["{a=1, " + LONG + "=null}", "null", "{}"]),
    ("MAP<INT NOT NULL, ROW<x STRING>>", [[(1, {"x": "y"}), (2, None)]], ["{1=+I[y], 2=null}"]),
    ("MULTISET<STRING>", [[("a", 2)], None, []], ["{a=2}", "null", "{}"]),
    ("ROW<x INT, y ROW<z STRING NOT NULL, `b c` ARRAY<BOOLEAN>>>", [{"x": 1, "y": {"z": "p", "b c": [True, None]}}, None, {"x": None, "y": None}],
     ["+I[1, +I[p, [true, null]]]", "null", "+I[null, null]"]),
    ("NULL", [None, None], ["null", "null"]),
]


def normal(engine, text):
    return engine.type_text(engine.type_of(text))


class Roundtrip(unittest.TestCase):
    def setUp(self):
        self.engine = Engine()

    def check(self, text, build, printed):
        """The column that build() makes for the type goes in and comes out unchanged."""
        e = self.engine
        t = e.type_of(f"ROW<c {text}>")
        schema = e.schema_to_arrow(t)
        self.assertEqual(e.type_text(e.schema_from_arrow(schema)), f"ROW<`c` {normal(e, text)}>")
        given = pa.RecordBatch.from_arrays([build(schema.field(0).type)], schema=schema)
        given.validate(full=True)
        b = e.batch_from_arrow(given, t)
        self.assertEqual(e.rows(b, given.num_rows), [f"+I[{p}]" for p in printed])
        back = e.batch_to_arrow(b, t)
        lib.batch_free(b)
        back.validate(full=True)
        self.assertTrue(back.equals(given, check_metadata=True), text)

    def test_every_type(self):
        for text, values, printed in CASES:
            with self.subTest(text):
                self.check(text, lambda arrow: pa.array(values, arrow), printed)

    def test_slices(self):
        """A column that begins at row 1 of its buffers."""
        for text, values, printed in CASES:
            with self.subTest(text):
                self.check(text, lambda arrow: pa.array(values[-1:] + values + values[:1], arrow)[1 : len(values) + 1], printed)

    def test_months(self):
        """pyarrow carries month intervals but shows no values of them: they are made from their buffer."""
        e = self.engine
        t = e.type_of("ROW<c INTERVAL YEAR TO MONTH>")
        numbers = pa.array([14, None, -1], pa.int32())
        array, schema = c.create_string_buffer(OPAQUE), c.create_string_buffer(OPAQUE)
        pa.RecordBatch.from_arrays([numbers], names=["c"])._export_to_c(c.addressof(array), c.addressof(schema))
        months = c.create_string_buffer(OPAQUE)
        e.call("arrow_export_schema", t, e.mem, months)
        b = lib.batch_create(t, 2048, e.mem)
        e.call("arrow_import_rows", array, months, 0, 3, b)
        self.assertEqual(e.rows(b, 3), ["+I[P1Y2M]", "+I[null]", "+I[P-1M]"])
        back = e.batch_to_arrow(b, t)
        self.assertEqual(str(back.schema.field(0).type), "month_interval")
        again = e.batch_from_arrow(back, t)
        self.assertEqual(e.rows(again, 3), e.rows(b, 3))
        lib.batch_free(again)
        lib.batch_free(b)

    def test_types_of_others(self):
        """What pandas, Polars and Parquet files hand over though the engine would not export it so."""
        cases = [
            (pa.array([0, None, 255], pa.uint8()), "SMALLINT", ["0", "null", "255"]),
            (pa.array([65535], pa.uint16()), "INT", ["65535"]),
            (pa.array([2**32 - 1], pa.uint32()), "BIGINT", ["4294967295"]),
            (pa.array([LONG, None], pa.large_string()), "STRING", [LONG, "null"]),
            (pa.array([b"x", None], pa.large_binary()), "BYTES", ["x'78'", "null"]),
            (pa.array([b"xy", None], pa.binary(2)), "BINARY(2)", ["x'7879'", "null"]),
            (pa.array([[1], None, []], pa.large_list(pa.int64())), "ARRAY<BIGINT>", ["[1]", "null", "[]"]),
            (pa.array([86400000], pa.date64()), "DATE", ["1970-01-02"]),
            (pa.array([dt.time(1, 2, 3, 4000)], pa.time64("us")), "TIME(3)", ["01:02:03.004"]),
            (pa.array([dt.time(1, 2, 3)], pa.time32("s")), "TIME(0)", ["01:02:03"]),
            (pa.array([dt.timedelta(milliseconds=5)], pa.duration("us")), "INTERVAL DAY(2) TO SECOND(3)", ["PT0.005S"]),
            (pa.array([0], pa.timestamp("us", "Europe/Paris")), "TIMESTAMP_LTZ(6)", ["1970-01-01T00:00:00Z"]),
        ]
        e = self.engine
        for array, text, printed in cases:
            with self.subTest(str(array.type)):
                given = pa.RecordBatch.from_arrays([array], names=["c"])
                t = e.schema_from_arrow(given.schema)
                self.assertEqual(e.type_text(t), f"ROW<`c` {text}>")
                b = e.batch_from_arrow(given, t)
                self.assertEqual(e.rows(b, len(array)), [f"+I[{p}]" for p in printed])
                lib.batch_free(b)

    def test_refused_by_name(self):
        for arrow, format in [(pa.uint64(), "L"), (pa.float16(), "e"), (pa.month_day_nano_interval(), "tin"), (pa.list_(pa.int32(), 3), "+w:3")]:
            with self.assertRaisesRegex(ValueError, f"^field 'c': Arrow format '{format}' is not supported$".replace("+", "[+]")):
                self.engine.schema_from_arrow(pa.schema([("c", arrow)]))
        with self.assertRaisesRegex(ValueError, "dictionary-encoded"):
            self.engine.schema_from_arrow(pa.schema([("c", pa.dictionary(pa.int8(), pa.string()))]))

    def test_cast_columns_forget_their_type(self):
        """Metadata that does not fit the format any more is not believed."""
        e = self.engine
        field = e.schema_to_arrow(e.type_of("ROW<c CHAR(3)>")).field(0)
        self.assertEqual(e.type_text(e.schema_from_arrow(pa.schema([field.with_type(pa.int64())]))), "ROW<`c` BIGINT>")
        self.assertEqual(e.type_text(e.schema_from_arrow(pa.schema([field]))), "ROW<`c` CHAR(3)>")

    def test_years_beyond_nanoseconds(self):
        e = self.engine
        micros = pa.RecordBatch.from_arrays([pa.array([dt.datetime(1600, 1, 1)], pa.timestamp("us"))], names=["c"])
        t = e.type_of("ROW<c TIMESTAMP(6)>")
        b = e.batch_from_arrow(micros, t)
        self.assertTrue(e.batch_to_arrow(b, t).equals(micros))
        lib.batch_free(b)


if __name__ == "__main__":
    unittest.main(verbosity=0, argv=sys.argv[:1])
