"""Runs the checks of ../README.md with kafka-python."""

import threading

from kafka import ConsumerRebalanceListener, KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import SaslAuthenticationFailedError, TopicAlreadyExistsError

import contract
from contract import SETTINGS, Failed, Record, await_, check, in_order


def access():
    """What every part of the client takes to come in."""
    settings = {"bootstrap_servers": SETTINGS.bootstrap, "security_protocol": SETTINGS.security, "ssl_context": contract.ssl_context()}
    if SETTINGS.release:
        settings["api_version"] = tuple(map(int, SETTINGS.release.split(".")))
    if SETTINGS.security.startswith("SASL"):
        settings |= {"sasl_mechanism": SETTINGS.mechanism, "sasl_plain_username": SETTINGS.username, "sasl_plain_password": SETTINGS.password}
    return settings


def create(partitions):
    with KafkaAdminClient(**access()) as client:
        client.create_topics({SETTINGS.topic: {"num_partitions": partitions, "replication_factor": 1}}, wait_for_metadata=True)


def produce(records, codec=None):
    with KafkaProducer(**access(), compression_type=codec, acks="all") as producer:
        sent = [
            producer.send(SETTINGS.topic, r.value, r.key, r.headers, partition=r.partition, timestamp_ms=r.timestamp) for r in records
        ]
        for answer in sent:
            answer.get(timeout=30)


def numbered(numbers, partitions=1):
    """Records with numbers for values, dealt out to so many partitions."""
    return [Record(n % partitions, None, b"%d" % n, [], contract.timestamp(n)) for n in numbers]


def consumer(**settings):
    return KafkaConsumer(**access(), auto_offset_reset="earliest", fetch_max_wait_ms=100, **settings)


def read(reader, n):
    """Read n records."""
    return [next(reader) for _ in range(n)]


def admin():
    setting, hour = "retention.ms", "3600000"
    topic = {SETTINGS.topic: {"num_partitions": 3, "replication_factor": 1, "configs": {setting: hour}}}
    with KafkaAdminClient(**access()) as client:
        client.create_topics(topic)
        listed = lambda: SETTINGS.topic in client.list_topics()
        await_("it is listed", listed)
        described = client.describe_topics([SETTINGS.topic])[0]
        check(len(described["partitions"]) == 3, f"described as {described}")
        settings = client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, SETTINGS.topic)])
        got = settings["topic"][SETTINGS.topic][setting]["value"]
        check(got == hour, f"{setting} is {got}")
        try:
            client.create_topics(topic)
            raise Failed("it can be created again")
        except TopicAlreadyExistsError:
            pass
        client.delete_topics([SETTINGS.topic])
        await_("it is gone", lambda: not listed())


def round_trip(codec):
    create(contract.PARTITIONS)
    sent = contract.sendable(contract.records())
    produce(sent, codec)
    with consumer() as reader:
        reader.assign([TopicPartition(SETTINGS.topic, p) for p in range(contract.PARTITIONS)])
        got = [Record(r.partition, r.key, r.value, list(r.headers), r.timestamp) for r in read(reader, len(sent))]
    contract.compare(got, sent)


def positions():
    create(1)
    produce(numbered(range(30)))
    partition = TopicPartition(SETTINGS.topic, 0)
    values = lambda n: [r.value for r in read(reader, n)]
    with consumer() as reader:
        reader.assign([partition])
        reader.seek_to_beginning()
        in_order(values(30), 0, 30)
        middle = reader.offsets_for_times({partition: contract.timestamp(15)})[partition]
        reader.seek(partition, middle.offset)
        in_order(values(15), 15, 30)
        reader.seek_to_end()
        reader.position(partition)  # which looks up where the end is
        produce(numbered(range(30, 33)))
        in_order(values(3), 30, 33)


class Listener(ConsumerRebalanceListener):
    """Tells a member what it comes to hold."""

    def __init__(self, member):
        self.member = member

    def on_partitions_assigned(self, assigned):
        self.member.assigned(p.partition for p in assigned)

    def on_partitions_revoked(self, revoked):
        self.member.revoked(p.partition for p in revoked)


def join(member, instance=None):
    """Read as a member of the group, in a thread, until the function returned is called."""
    reader = consumer(group_id=SETTINGS.group, group_instance_id=instance, session_timeout_ms=10000, heartbeat_interval_ms=500)
    reader.subscribe([SETTINGS.topic], listener=Listener(member))
    closing = threading.Event()

    def run():
        while not closing.is_set():
            for records in reader.poll(timeout_ms=500).values():
                for r in records:
                    member.read(r.value)
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
        with consumer(group_id=SETTINGS.group, enable_auto_commit=False) as reader:
            reader.subscribe([SETTINGS.topic])
            in_order([r.value for r in read(reader, 50)], start, start + 50)
            reader.commit()
            committed = reader.committed(TopicPartition(SETTINGS.topic, 0))
            check(committed == start + 50, f"committed: {committed}")


def secure():
    create(1)
    produce(numbered([0]))
    with consumer() as reader:
        reader.assign([TopicPartition(SETTINGS.topic, 0)])
        in_order([r.value for r in read(reader, 1)], 0, 1)


def denied():
    """The client tries again and again, and in the end raises that it has not connected: the reason is in its log. Not at every try,
    because it overlooks an answer that arrives together with the end of the connection."""
    heard = contract.Heard("kafka")
    threading.Thread(target=lambda: KafkaAdminClient(**access(), bootstrap_timeout_ms=50_000), daemon=True).start()
    await_("a failure to authenticate is logged", lambda: heard.has(SaslAuthenticationFailedError), heard.errors)


contract.main(
    {
        "admin": admin,
        "none": lambda: round_trip(None),
        **{codec: lambda codec=codec: round_trip(codec) for codec in ("gzip", "snappy", "lz4", "zstd")},
        "positions": positions,
        "group": group,
        "resume": resume,
        "static": static,
        "secure": secure,
        "denied": denied,
    }
)
