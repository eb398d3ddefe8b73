"""Floating point to text and back, against Python's own shortest digits and correct rounding, over random bit patterns,
powers of two and ten and their neighbours, and short decimals."""
import ctypes
import os
import random
import struct
import sys

library = ctypes.CDLL(os.environ["THALWEG_LIBRARY"])


class Text(ctypes.Structure):
    _fields_ = [("data", ctypes.c_char_p), ("size", ctypes.c_size_t)]


library.str_from_double.argtypes = [ctypes.c_double, ctypes.c_char_p]
library.str_from_double.restype = ctypes.c_size_t
library.str_to_double.argtypes = [Text, ctypes.POINTER(ctypes.c_double)]
library.str_to_double.restype = ctypes.c_bool
room = ctypes.create_string_buffer(64)


def written(value):
    size = library.str_from_double(value, room)
    return room.raw[:size].decode()


def read(text):
    value = ctypes.c_double()
    data = text.encode()
    if not library.str_to_double(Text(data, len(data)), ctypes.byref(value)):
        raise AssertionError(f"{text} was not taken for a number")
    return value.value


def expected(value):
    """repr's digits, laid out as Java does."""
    sign, digits, power = "-" if repr(value).startswith("-") else "", *parts(repr(abs(value)))
    if value == 0:
        return sign + "0.0"
    if -3 <= power < 7:
        if power < 0:
            return sign + "0." + "0" * (-power - 1) + digits
        digits = digits.ljust(power + 2, "0")
        return f"{sign}{digits[:power + 1]}.{digits[power + 1:]}"
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{power}"


def parts(text):
    """Digits without zeros at either end, and the power of ten of the first."""
    mantissa, _, power = text.partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    exponent = int(power or 0) + len(digits) - len(fraction) - 1
    return digits.rstrip("0"), exponent


def values(count):
    rng = random.Random(1)
    for exponent in range(-1022, 1024):
        for step in (-1, 0, 1):
            yield struct.unpack("d", struct.pack("q", struct.unpack("q", struct.pack("d", 2.0**exponent))[0] + step))[0]
    for exponent in range(-300, 309):
        yield float(f"1e{exponent}")
        yield float(f"-9.999999999999999e{exponent - 1}")
    for _ in range(count):
        value = struct.unpack("d", struct.pack("Q", rng.getrandbits(64)))[0]
        if value - value == 0 and abs(value) > 1e-300:
            yield value
        yield rng.uniform(-1e6, 1e6)
        yield rng.randrange(10**9) / 10 ** rng.randrange(12)
        yield float(rng.randrange(2**70))
        yield rng.random() * 10.0 ** rng.randrange(-8, 40)


def texts(count):
    rng = random.Random(2)
    for _ in range(count):
        digits = str(rng.randrange(10 ** rng.randrange(1, 23)))
        point = rng.randrange(len(digits) + 1)
        text = rng.choice(("", "-")) + digits[:point] + "." + digits[point:]
        yield text + rng.choice(("", f"e{rng.randrange(-40, 40)}", f"E+{rng.randrange(300)}"))
        base = rng.randrange(2**53, 2**54)
        yield str(base * 2 + 1)  # half way between two doubles, or next to it
        yield f"{base * 5**10}e-10"


failures = checked = 0
for value in values(100_000):
    checked += 1
    if written(value) != expected(value) or read(written(value)) != value:
        failures += 1
        print(f"{value!r} is written {written(value)}, expected {expected(value)}", file=sys.stderr)
for text in texts(100_000):
    checked += 1
    if read(text) != float(text):
        failures += 1
        print(f"{text} is read {read(text)!r}, expected {float(text)!r}", file=sys.stderr)
    if failures > 20:
        break
print(f"{checked} numbers, {failures} differ")
sys.exit(failures > 0)
