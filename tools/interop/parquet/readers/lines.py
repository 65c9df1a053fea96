"""A row as a line, which doc.go describes."""


def binary(b):
    return "-" if b is None else "x" + bytes(b).hex()


def number(n):
    return "-" if n is None else str(n)


def line(offset, timestamp, key, value, headers, *rest):
    pairs = ",".join(binary(h["key"].encode()) + "=" + binary(h["value"]) for h in headers)
    numbers = [number(n) for n in rest[:-1]]
    return " ".join([number(offset), number(timestamp), binary(key), binary(value), pairs or ".", *numbers, binary(rest[-1])])
