"""Runs the checks of ../README.md with confluent-kafka, which is librdkafka below."""

import threading
import time

from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

import contract
from contract import SETTINGS, Failed, Record, await_, check, in_order


def access(**more):
    """A client's settings, with whatever it takes to come in, and more."""
    settings = {"bootstrap.servers": SETTINGS.bootstrap, "security.protocol": SETTINGS.security}
    if SETTINGS.security.endswith("SSL"):
        settings["ssl.ca.location"] = SETTINGS.ca_file
    if SETTINGS.cert_file:
        settings |= {"ssl.certificate.location": SETTINGS.cert_file, "ssl.key.location": SETTINGS.key_file}
    if SETTINGS.security.startswith("SASL"):
        settings |= {"sasl.mechanism": SETTINGS.mechanism, "sasl.username": SETTINGS.username, "sasl.password": SETTINGS.password}
    return settings | {name.replace("_", "."): value for name, value in more.items()}


def create(partitions, **settings):
    topic = NewTopic(SETTINGS.topic, partitions, 1, config={name.replace("_", "."): value for name, value in settings.items()})
    client = AdminClient(access())  # which has to live until the answer is there
    client.create_topics([topic])[SETTINGS.topic].result()


def produce(records, codec="none"):
    producer = Producer(access(compression_type=codec))
    failures = []
    for r in records:
        producer.produce(
            SETTINGS.topic, r.value, r.key, r.partition, timestamp=r.timestamp, headers=r.headers,
            on_delivery=lambda error, _: error and failures.append(error),
        )  # fmt: skip
    producer.flush(30)
    check(not failures, f"not delivered: {failures[:1]}")


def numbered(numbers, partitions=1):
    """Records with numbers for values, dealt out to so many partitions."""
    return [Record(n % partitions, None, b"%d" % n, [], contract.timestamp(n)) for n in numbers]


def consumer(**more):
    settings = {"group.id": SETTINGS.group, "auto.offset.reset": "earliest", "session.timeout.ms": 10000, "heartbeat.interval.ms": 500}
    return Consumer(access(fetch_wait_max_ms=100, **more) | settings)


def read(reader, n):
    """Read n messages."""
    messages = []
    while len(messages) < n:
        check(time.monotonic() < contract.DEADLINE, f"{len(messages)} of {n} messages read")
        message = reader.poll(0.1)
        if message is None:
            continue
        if message.error():
            raise KafkaException(message.error())
        messages.append(message)
    return messages


def values(reader, n):
    return [m.value() for m in read(reader, n)]


def admin():
    setting, hour = "retention.ms", "3600000"
    create(3, retention_ms=hour)
    client = AdminClient(access())
    topics = lambda: client.list_topics(timeout=10).topics
    await_("it is listed", lambda: SETTINGS.topic in topics())
    check(len(topics()[SETTINGS.topic].partitions) == 3, "it has not three partitions")
    resource = ConfigResource(ConfigResource.Type.TOPIC, SETTINGS.topic)
    got = client.describe_configs([resource])[resource].result()[setting].value
    check(got == hour, f"{setting} is {got}")
    try:
        create(3)
        raise Failed("it can be created again")
    except KafkaException as e:
        check(e.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS, f"create it again: {e}")
    client.delete_topics([SETTINGS.topic])[SETTINGS.topic].result()
    await_("it is gone", lambda: SETTINGS.topic not in topics())


def round_trip(codec):
    create(contract.PARTITIONS)
    sent = contract.records()
    produce(sent, codec)
    reader = consumer()
    reader.subscribe([SETTINGS.topic])
    got = [Record(m.partition(), m.key(), m.value(), m.headers() or [], m.timestamp()[1]) for m in read(reader, len(sent))]
    reader.close()
    contract.compare(got, sent)


def positions():
    create(1)
    produce(numbered(range(30)))
    at = lambda offset: TopicPartition(SETTINGS.topic, 0, offset)
    reader = consumer()
    reader.assign([at(OFFSET_BEGINNING)])
    in_order(values(reader, 30), 0, 30)
    reader.assign(reader.offsets_for_times([at(contract.timestamp(15))], timeout=10))
    in_order(values(reader, 15), 15, 30)
    _, end = reader.get_watermark_offsets(at(OFFSET_END), timeout=10)
    check(end == 30, f"the end is at {end}")
    reader.assign([at(OFFSET_END)])
    only_new(reader, 30)
    reader.close()


def only_new(reader, fresh):
    """Show that a reader at the end reads what is produced from then on. The client does not say when it knows where the end is: so
    numbers are produced, the first of them being fresh, until one arrives, and then the next one must."""
    message, last = None, fresh - 1
    while message is None:
        check(time.monotonic() < contract.DEADLINE, "nothing arrives")
        last += 1
        produce(numbered([last]))
        message = reader.poll(0.1)
    first = int(message.value())
    check(first >= fresh, f"read {first}, which was there before")
    in_order(values(reader, last - first), first + 1, last + 1)


def join(member, instance=None):
    """Read as a member of the group, in a thread, until the function returned is called."""
    reader = consumer(**{"group_instance_id": instance} if instance else {})
    reader.subscribe(
        [SETTINGS.topic],
        on_assign=lambda _, partitions: member.assigned(p.partition for p in partitions),
        on_revoke=lambda _, partitions: member.revoked(p.partition for p in partitions),
    )
    closing = threading.Event()

    def run():
        while not closing.is_set():
            message = reader.poll(0.1)
            if message is not None and not message.error():
                member.read(message.value())
        reader.close()

    thread = threading.Thread(target=run)
    thread.start()

    def leave():
        closing.set()
        thread.join()

    return leave


def group():
    create(contract.GROUP_PARTITIONS)
    contract.rebalance(lambda numbers: produce(numbered(numbers, contract.GROUP_PARTITIONS)), join)


def static():
    create(contract.GROUP_PARTITIONS)
    contract.static(join)


def resume():
    create(1)
    produce(numbered(range(100)))
    for start in (0, 50):
        reader = consumer(enable_auto_commit=False)
        reader.subscribe([SETTINGS.topic])
        in_order(values(reader, 50), start, start + 50)
        reader.commit(asynchronous=False)
        committed = reader.committed([TopicPartition(SETTINGS.topic, 0)], timeout=10)[0].offset
        check(committed == start + 50, f"committed: {committed}")
        reader.close()


def secure():
    create(1)
    produce(numbered([0]))
    reader = consumer()
    reader.subscribe([SETTINGS.topic])
    in_order(values(reader, 1), 0, 1)
    reader.close()


def denied():
    errors = []
    producer = Producer(access(), error_cb=errors.append)
    while not any(e.code() == KafkaError._AUTHENTICATION for e in errors):
        check(time.monotonic() < contract.DEADLINE, f"no failure to authenticate: {errors}")
        producer.poll(0.1)


contract.main(
    {
        "admin": admin,
        **{codec: lambda codec=codec: round_trip(codec) for codec in ("none", "gzip", "snappy", "lz4", "zstd")},
        "positions": positions,
        "group": group,
        "resume": resume,
        "static": static,
        "secure": secure,
        "denied": denied,
    }
)
