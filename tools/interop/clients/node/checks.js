// The checks of the contract, for every client that has KafkaJS's interface. What such clients do differently, each says in the
// object that its program gives to main:
//
//   admin()                         an admin client, connected
//   setting(admin, topic, name)     a topic's setting, by describeConfigs; absent where the client has none
//   producer(codec)                 a function of a topic and messages that sends them
//   member({topic, group, …})       a Member of a group; with latest, it begins at the end of what there is; with limit, it stops
//                                   there; with commits false, it commits only when told to; with instance, it is a static one
//   can                             { emptyValue, nullHeader }: whether it can send such
//   refused(error)                  whether an error says that the client was not let in
'use strict';

const { setTimeout: delay } = require('node:timers/promises');
const { until } = require('./member');
const { sample, compare, equal } = require('./records');

const pollMs = 50;

// topic makes the check's topic.
async function topic(client, s, partitions, configEntries = []) {
  const admin = await client.admin();
  equal(await admin.createTopics({ topics: [{ topic: s.topic, numPartitions: partitions, replicationFactor: 1, configEntries }] }), true, 'created');
  return admin;
}

// numbered is count records that say their number, over the partitions in turn, a second apart.
function numbered(count, partitions, start = Date.now() - 3_600_000) {
  return Array.from({ length: count }, (_, i) => ({ partition: i % partitions, value: String(i), timestamp: String(start + i * 1000) }));
}

const numbers = (members) => [...new Set(members.flatMap((m) => m.records).map((r) => Number(r.value)))].sort((a, b) => a - b);
const range = (from, to) => Array.from({ length: to - from }, (_, i) => from + i);

async function admin(client, s) {
  const admin = await topic(client, s, 3, [{ name: 'retention.ms', value: '3600000' }]);
  equal((await admin.listTopics()).includes(s.topic), true, 'listed');
  const described = await admin.fetchTopicMetadata({ topics: [s.topic] });
  equal((described.topics ?? described)[0].partitions.length, 3, 'partitions');
  if (client.setting) equal(await client.setting(admin, s.topic, 'retention.ms'), '3600000', 'retention.ms');
  const again = admin.createTopics({ topics: [{ topic: s.topic, numPartitions: 3, replicationFactor: 1 }] });
  equal(await again, false, 'created again'); // which is what these clients make of TOPIC_ALREADY_EXISTS
  await admin.deleteTopics({ topics: [s.topic] });
  while ((await admin.listTopics()).includes(s.topic)) await delay(pollMs); // Kafka's brokers learn it a little later
  await admin.disconnect();
}

const codec = (name) => async (client, s) => {
  const send = await client.producer(name);
  await topic(client, s, 2);
  const want = sample(client.can);
  await send(s.topic, want);
  const reader = await client.member({ topic: s.topic, group: s.group });
  await reader.count(want.length);
  compare(reader.records, want);
  await reader.close();
};

async function positions(client, s) {
  const admin = await topic(client, s, 1);
  const send = await client.producer('none');
  const records = numbered(30, 1);
  await send(s.topic, records);

  const earliest = await client.member({ topic: s.topic, group: s.group + '-earliest' });
  await earliest.count(30);
  equal(earliest.records.map((r) => r.offset), range(0, 30), 'from earliest');
  await earliest.close();

  const middle = String(Number(records[15].timestamp) - 500);
  const [{ offset }] = await admin.fetchTopicOffsetsByTimestamp(s.topic, Number(middle));
  const timed = await client.member({ topic: s.topic, group: s.group + '-timestamp', latest: true });
  await timed.until(() => timed.partitions.length === 1);
  await timed.seek(s.topic, offset);
  await timed.count(15);
  equal(timed.records.map((r) => r.offset), range(15, 30), 'from a timestamp');
  await timed.close();

  // When a consumer has found the end only shows in what it reads: so records come until it reads one.
  const latest = await client.member({ topic: s.topic, group: s.group + '-latest', latest: true });
  let sent = 30;
  while (latest.records.length === 0) await send(s.topic, [{ partition: 0, value: String(sent++) }]);
  const [first] = latest.records;
  if (first.offset < 30) throw new Error(`from latest: began at ${first.offset}, which had been there before`);
  await latest.count(sent - first.offset);
  equal(latest.records.map((r) => r.offset), range(first.offset, sent), 'from latest');
  await latest.close();
}

async function group(client, s) {
  await topic(client, s, 4);
  const send = await client.producer('none');
  await send(s.topic, numbered(100, 4));
  const a = await client.member(s);
  await a.count(100);
  const b = await client.member(s);
  const shared = () => a.partitions.length > 0 && b.partitions.length > 0 && a.partitions.length + b.partitions.length === 4;
  await until([a, b], shared);
  await send(s.topic, numbered(200, 4).slice(100));
  const all = () => numbers([a, b]).length === 200;
  await until([a, b], all);
  equal(numbers([a, b]), range(0, 200), 'read by both');
  await b.close();
  await a.until(() => a.partitions.length === 4);
  await send(s.topic, numbered(204, 4).slice(200));
  await a.until(() => numbers([a]).filter((n) => n >= 200).length === 4);
  await a.close();
}

async function resume(client, s) {
  const admin = await topic(client, s, 1);
  await (await client.producer('none'))(s.topic, numbered(100, 1));
  const first = await client.member({ ...s, limit: 50, commits: false });
  await first.count(50);
  await first.commit(s.topic, 50);
  await first.close();
  const [{ partitions: [committed] }] = await admin.fetchOffsets({ groupId: s.group, topics: [s.topic] });
  equal(String(committed.offset), '50', 'committed');
  const second = await client.member({ ...s, commits: false });
  await second.count(50);
  equal(second.records.map((r) => r.offset), range(50, 100), 'after the commit');
  await second.close();
}

async function statics(client, s) {
  await topic(client, s, 4);
  const a = await client.member({ ...s, instance: 'a' });
  const b = await client.member({ ...s, instance: 'b' });
  const shared = () => a.partitions.length === 2 && b.partitions.length === 2;
  await until([a, b], shared);
  const { partitions } = a;
  const { rebalances } = b;
  await a.close(); // a static member does not leave by that
  const again = await client.member({ ...s, instance: 'a' });
  await again.until(() => again.partitions.length > 0);
  equal(again.partitions, partitions, 'partitions of the member that came back');
  await (await client.producer('none'))(s.topic, numbered(100, 4));
  await until([again, b], () => again.records.length === 50 && b.records.length === 50);
  equal(b.rebalances, rebalances, 'rebalances that the other member saw');
  await Promise.all([again.close(), b.close()]);
}

async function secure(client, s) {
  await topic(client, s, 1);
  await (await client.producer('none'))(s.topic, numbered(1, 1));
  const reader = await client.member(s);
  await reader.count(1);
  equal(numbers([reader]), [0], 'read');
  await reader.close();
}

async function denied(client) {
  const letIn = await client.admin().then((a) => a.listTopics()).catch((e) => {
    if (!client.refused(e)) throw e;
  });
  if (letIn) throw new Error('let in with a wrong password');
}

const checks = {
  admin, positions, group, resume, static: statics, secure, denied,
  ...Object.fromEntries(['none', 'gzip', 'snappy', 'lz4', 'zstd'].map((name) => [name, codec(name)])),
};

module.exports = { checks };
