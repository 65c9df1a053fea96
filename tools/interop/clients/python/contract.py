"""What the Python programs beside this folder share: what they are told and how they answer (main, SETTINGS), the records they
send through a topic (records, compare), and the course of the checks that several members of a group take part in (rebalance,
static), which is the same for every client. What a client does, and how, stands in its own program."""

import logging
import os
import ssl
import sys
import threading
import time
from dataclasses import dataclass, field
from types import SimpleNamespace

CHECK_SECONDS = 110  # The runner's own deadline is a little later.
DEADLINE = time.monotonic() + CHECK_SECONDS

PARTITIONS = 2  # of the topic of records()
GROUP_PARTITIONS = 4  # of the topics of rebalance() and static()

# Timestamp of the first of a check's records; the others follow a second apart. It is recent, because a server may forget old
# records at any time.
EPOCH_MS = int(time.time() * 1000) - 3_600_000

# What a program is told: bootstrap, topic, group, security, mechanism, username, password, ca_file, cert_file, key_file,
# and release: that of Kafka, such as 0.10.2, to whose brokers the client is to speak, where it can be told; mostly empty.
SETTINGS = SimpleNamespace(
    **{
        name.lower(): os.environ.get(name, "")
        for name in "BOOTSTRAP TOPIC GROUP SECURITY MECHANISM USERNAME PASSWORD CA_FILE CERT_FILE KEY_FILE RELEASE".split()
    }
)


class Lacks(Exception):
    """The client does not have what the check is about; the message names that."""


class Failed(Exception):
    """The check does not hold."""


def main(checks):
    """Run the check that the command line names. Status 0: it holds; 3: the client lacks what it is about; 1: otherwise."""
    if len(sys.argv) != 2 or sys.argv[1] not in checks:
        sys.exit(f"usage: {sys.argv[0]} CHECK, one of {', '.join(checks)}")
    threading.Thread(target=give_up, daemon=True).start()
    try:
        checks[sys.argv[1]]()
    except Lacks as lacks:
        print(lacks)
        sys.exit(3)
    except Failed as failed:
        sys.exit(str(failed))


def give_up():
    """End the program when its time is up, whatever it waits for."""
    time.sleep(max(0, DEADLINE + 3 - time.monotonic()))
    print(f"not done within {CHECK_SECONDS} seconds", file=sys.stderr, flush=True)
    os._exit(1)


def check(holds, message):
    if not holds:
        raise Failed(message)


def await_(what, holds, *members):
    """Ask until a condition holds, or the check's time is up."""
    while not holds():
        if time.monotonic() > DEADLINE:
            raise Failed("; ".join([f"{what}: not in time", *map(str, members)]))
        time.sleep(0.01)


class Heard(logging.Handler):
    """Keeps the errors that a client logs, for clients that raise something more general."""

    def __init__(self, logger):
        super().__init__()
        self.errors = []
        logging.getLogger(logger).addHandler(self)

    def emit(self, record):
        self.errors += [a for a in record.args if isinstance(a, Exception)]

    def has(self, kind):
        return any(isinstance(e, kind) for e in self.errors)


def ssl_context():
    """How to reach a server that speaks TLS; None for one that does not."""
    if "SSL" not in SETTINGS.security.split("_"):
        return None
    context = ssl.create_default_context(cafile=SETTINGS.ca_file)
    if SETTINGS.cert_file:
        context.load_cert_chain(SETTINGS.cert_file, SETTINGS.key_file)
    return context


@dataclass
class Record:
    """A record as every client can say it. None is null, which is not the same as empty."""

    partition: int
    key: bytes | None
    value: bytes | None
    headers: list = field(default_factory=list)  # pairs of a name and bytes or None
    timestamp: int = 0  # in milliseconds

    def __str__(self):
        value = self.value if not self.value or len(self.value) < 100 else f"{self.value[:20]}… of {len(self.value)} bytes"
        return f"{self.key}: {value} at {self.timestamp}, {self.headers}"


def timestamp(i):
    """The timestamp of the i-th record of a check."""
    return EPOCH_MS + 1000 * i


def records():
    """200 records for two partitions, with every way in which a key, a value or a header can be empty, and a few large values."""
    return [Record(i % PARTITIONS, key(i), value(i), headers(i), timestamp(i)) for i in range(200)]


def key(i):
    return {0: None, 1: b""}.get(i % 5, b"key-%d" % i)


LARGE_BYTES = int(os.environ.get("LARGE_BYTES", 100 * 1024))  # of the largest values; tools/capture asks for small ones


def value(i):
    if i % 40 == 9:
        return b"%07d " % i * (LARGE_BYTES // 8)
    return {0: None, 1: b""}.get(i % 7, b"value %d, of some length, so that there is something to compress" % i)


MAGIC = int(os.environ.get("MAGIC", 2))  # the newest format that records can take on their way; tools/capture asks for old ones


def headers(i):
    if i % 3 == 0 or MAGIC < 2:
        return []
    if i % 3 == 1:
        return [("trace", b"%d" % i)]
    return [("b", b"1"), ("a", b"2"), ("b", b"3"), ("empty", b""), ("null", None)]


def sendable(records):
    """Those records, and those of their headers, that a client agrees to send which wants a key or a value, and no null headers."""
    for r in records:
        r.headers = [(name, value) for name, value in r.headers if value is not None]
    return [r for r in records if r.key is not None or r.value is not None]


def compare(read, sent):
    """Fail when the records read differ from those sent, partition by partition, in order."""
    for p in range(PARTITIONS):
        got, want = ([r for r in all if r.partition == p] for all in (read, sent))
        for i, (g, w) in enumerate(zip(got, want)):
            check(g == w, f"record {i} of partition {p}: read {g}, sent {w}")
        check(len(got) == len(want), f"partition {p}: {len(got)} records read, {len(want)} sent")


def in_order(values, start, stop):
    """Fail unless the values are the decimal numbers from start to stop - 1."""
    want = [b"%d" % n for n in range(start, stop)]
    check(values == want, f"read {values}, want {start} to {stop - 1}")


class Member:
    """What a member of a group has come to hold and to read. Its client tells it so, from any thread."""

    def __init__(self):
        self.held, self.seen, self.changes = frozenset(), set(), 0

    def assigned(self, partitions):
        """The member now holds these beside those it held."""
        self.held, self.changes = self.held | set(partitions), self.changes + 1

    def revoked(self, partitions):
        """The member no longer holds these."""
        self.held, self.changes = self.held - set(partitions), self.changes + 1

    def read(self, value):
        self.seen.add(int(value))

    def __str__(self):
        return f"holds {sorted(self.held)} and has read {len(self.seen)} records"


def shared(a, b):
    """Whether each of two members holds some partitions, and one of them each partition."""
    return a.held and b.held and not a.held & b.held and len(a.held | b.held) == GROUP_PARTITIONS


def rebalance(produce, join):
    """The check "group": partitions are shared when a second member joins, and taken over when it leaves; every record is read by
    one of them.

    produce(numbers) sends numbers, n to partition n % GROUP_PARTITIONS. join(member) has a client join the group and go on
    reading until the function it returns is called, which closes it."""
    a, b = Member(), Member()
    first, second, third = set(range(100)), set(range(100, 200)), set(range(200, 220))
    produce(first)
    leave_a = join(a)
    await_("the first member reads all", lambda: a.seen >= first, a)
    leave_b = join(b)
    await_("both share the partitions", lambda: shared(a, b), a, b)
    produce(second)
    await_("each reads of the second hundred, and both all", lambda: a.seen | b.seen >= second and a.seen & second and b.seen & second, a, b)
    leave_b()
    await_("the first takes over", lambda: len(a.held) == GROUP_PARTITIONS, a)
    produce(third)
    await_("the one left reads all", lambda: a.seen >= third, a)
    leave_a()


def static(join):
    """The check "static": a static member that comes back within its session gets the partitions it had, and the other does not
    notice. join(member, instance) is as in rebalance, but that closing does not leave the group."""
    a, b, back = Member(), Member(), Member()
    vanish_a = join(a, "a")
    await_("the first member holds all partitions", lambda: len(a.held) == GROUP_PARTITIONS, a)
    vanish_b = join(b, "b")
    await_("both share the partitions", lambda: shared(a, b), a, b)
    had, noticed = b.held, a.changes
    vanish_b()
    vanish_b = join(back, "b")
    await_("member b has partitions again", lambda: back.held, back)
    check(back.held == had, f"member b had {sorted(had)} before it vanished, and has {sorted(back.held)} now")
    check(a.changes == noticed, f"member a was told {a.changes - noticed} times of changes while b was away and came back")
    vanish_b()
    vanish_a()
