"""Runs the checks of ../README.md with aiokafka."""

import asyncio
import time

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaConnectionError, SaslAuthenticationFailed, TopicAlreadyExistsError, for_code

import contract
from contract import SETTINGS, Failed, Record, check, in_order


def access():
    """What every part of the client takes to come in."""
    settings = {"bootstrap_servers": SETTINGS.bootstrap, "security_protocol": SETTINGS.security, "ssl_context": contract.ssl_context()}
    if SETTINGS.security.startswith("SASL"):
        settings |= {"sasl_mechanism": SETTINGS.mechanism, "sasl_plain_username": SETTINGS.username, "sasl_plain_password": SETTINGS.password}
    return settings


async def administrator():
    client = AIOKafkaAdminClient(**access())
    await client.start()
    return client


async def create(partitions, **settings):
    client = await administrator()
    configs = {name.replace("_", "."): value for name, value in settings.items()}
    created = await client.create_topics([NewTopic(SETTINGS.topic, partitions, 1, topic_configs=configs)])
    await client.close()
    _, code, message = created.topic_errors[0]
    if code:
        raise for_code(code)(message)


async def produce(records, codec=None):
    async with AIOKafkaProducer(**access(), compression_type=codec, acks="all") as producer:
        sent = [
            await producer.send(SETTINGS.topic, r.value, r.key, r.partition, timestamp_ms=r.timestamp, headers=r.headers) for r in records
        ]
        await asyncio.gather(*sent)


def numbered(numbers, partitions=1):
    """Records with numbers for values, dealt out to so many partitions."""
    return [Record(n % partitions, None, b"%d" % n, [], contract.timestamp(n)) for n in numbers]


def consumer(*topics, **settings):
    return AIOKafkaConsumer(*topics, **access(), auto_offset_reset="earliest", fetch_max_wait_ms=100, **settings)


async def read(reader, n):
    """Read n records."""
    return [await reader.getone() for _ in range(n)]


async def values(reader, n):
    return [r.value for r in await read(reader, n)]


async def until(what, holds):
    """Ask until a condition holds, or the check's time is up."""
    while not await holds():
        check(time.monotonic() < contract.DEADLINE, f"{what}: not in time")
        await asyncio.sleep(0.02)


async def admin():
    setting, hour = "retention.ms", "3600000"
    await create(3, retention_ms=hour)
    client = await administrator()

    async def listed():
        return SETTINGS.topic in await client.list_topics()

    async def gone():
        return not await listed()

    await until("it is listed", listed)
    described = await client.describe_topics([SETTINGS.topic])
    check(len(described[0]["partitions"]) == 3, f"described as {described}")
    answers = await client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, SETTINGS.topic)])
    settings = {entry[0]: entry[1] for entry in answers[0].resources[0][4]}
    check(settings.get(setting) == hour, f"{setting} is {settings.get(setting)}")
    try:
        await create(3)
        raise Failed("it can be created again")
    except TopicAlreadyExistsError:
        pass
    await client.delete_topics([SETTINGS.topic])
    await until("it is gone", gone)
    await client.close()


async def round_trip(codec):
    await create(contract.PARTITIONS)
    sent = contract.sendable(contract.records())
    await produce(sent, codec)
    async with consumer() as reader:
        reader.assign([TopicPartition(SETTINGS.topic, p) for p in range(contract.PARTITIONS)])
        got = [Record(r.partition, r.key, r.value, list(r.headers), r.timestamp) for r in await read(reader, len(sent))]
    contract.compare(got, sent)


async def positions():
    await create(1)
    await produce(numbered(range(30)))
    partition = TopicPartition(SETTINGS.topic, 0)
    async with consumer() as reader:
        reader.assign([partition])
        await reader.seek_to_beginning()
        in_order(await values(reader, 30), 0, 30)
        middle = (await reader.offsets_for_times({partition: contract.timestamp(15)}))[partition]
        reader.seek(partition, middle.offset)
        in_order(await values(reader, 15), 15, 30)
        await reader.seek_to_end()  # which looks up where the end is
        await produce(numbered(range(30, 33)))
        in_order(await values(reader, 3), 30, 33)


class Listener(ConsumerRebalanceListener):
    """Tells a member what it comes to hold."""

    def __init__(self, member):
        self.member = member

    def on_partitions_assigned(self, assigned):
        self.member.assigned(p.partition for p in assigned)

    def on_partitions_revoked(self, revoked):
        self.member.revoked(p.partition for p in revoked)


async def join(member, instance=None):
    """Read as a member of the group, in a task, until the coroutine function returned is called."""
    reader = consumer(group_id=SETTINGS.group, group_instance_id=instance, session_timeout_ms=10000, heartbeat_interval_ms=500)
    reader.subscribe([SETTINGS.topic], listener=Listener(member))

    async def run():
        await reader.start()
        async for r in reader:
            member.read(r.value)

    task = asyncio.create_task(run())

    async def leave():
        await reader.stop()
        await task

    return leave


def from_thread():
    """The functions that the contract's scenarios call, which they do from a thread of their own, beside the event loop."""
    loop = asyncio.get_running_loop()

    def wait(coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(contract.CHECK_SECONDS)

    def produce_numbers(numbers):
        wait(produce(numbered(numbers, contract.GROUP_PARTITIONS)))

    def join_and_leave(member, instance=None):
        leave = wait(join(member, instance))
        return lambda: wait(leave())

    return produce_numbers, join_and_leave


async def group():
    await create(contract.GROUP_PARTITIONS)
    await asyncio.to_thread(contract.rebalance, *from_thread())


async def static():
    await create(contract.GROUP_PARTITIONS)
    _, join_and_leave = from_thread()
    await asyncio.to_thread(contract.static, join_and_leave)


async def resume():
    await create(1)
    await produce(numbered(range(100)))
    for start in (0, 50):
        async with consumer(SETTINGS.topic, group_id=SETTINGS.group, enable_auto_commit=False, max_poll_records=50) as reader:
            in_order(await values(reader, 50), start, start + 50)
            await reader.commit()
            committed = await reader.committed(TopicPartition(SETTINGS.topic, 0))
            check(committed == start + 50, f"committed: {committed}")


async def secure():
    await create(1)
    await produce(numbered([0]))
    async with consumer(SETTINGS.topic) as reader:
        in_order(await values(reader, 1), 0, 1)


async def denied():
    heard = contract.Heard("aiokafka")
    try:
        await administrator()
        raise Failed("the wrong password is let in")
    except KafkaConnectionError:  # which says no more than that; the reason is in the client's log
        check(heard.has(SaslAuthenticationFailed), f"failed otherwise: {heard.errors}")


def run(check, *args):
    return lambda: asyncio.run(check(*args))


contract.main(
    {
        "admin": run(admin),
        "none": run(round_trip, None),
        **{codec: run(round_trip, codec) for codec in ("gzip", "snappy", "lz4", "zstd")},
        "positions": run(positions),
        "group": run(group),
        "resume": run(resume),
        "static": run(static),
        "secure": run(secure),
        "denied": run(denied),
    }
)
