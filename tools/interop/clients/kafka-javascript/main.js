// @confluentinc/kafka-javascript, by the interface it shares with KafkaJS: one check of the contract, `node main.js CHECK`.
'use strict';

const { Kafka, ErrorCodes } = require('@confluentinc/kafka-javascript').KafkaJS;
const { features } = require('@confluentinc/kafka-javascript');
const { main, Unsupported } = require('../node/contract');
const { Member } = require('../node/member');

function connect(s) {
  const heard = [];
  const kafka = new Kafka({
    kafkaJS: { brokers: [s.bootstrap], logger: listener(heard), ssl: s.tls, ...(s.sasl && { sasl: s.sasl }) },
    ...(s.ca && { 'ssl.ca.pem': s.ca }),
    ...(s.cert && { 'ssl.certificate.pem': s.cert, 'ssl.key.pem': s.key }),
  });
  return {
    can: { emptyValue: false, nullHeader: false },
    refused: () => heard.some((line) => /authentication (failed|failure)/i.test(line)), // what is thrown just says that there is no connection
    admin: () => connected(kafka.admin()),
    async producer(compression) {
      if (['snappy', 'lz4', 'zstd'].includes(compression) && !features.includes(compression)) throw new Unsupported(`built without ${compression}`);
      const producer = await connected(kafka.producer({ kafkaJS: { compression } }));
      return (topic, messages) => producer.send({ topic, messages: messages.map(spelt) });
    },
    member: (want) => member(kafka, want),
  };
}

// listener is a logger that keeps the errors it is told, in lines.
function listener(lines) {
  const logger = { info() {}, warn() {}, debug() {}, setLogLevel() {}, error: (line) => lines.push(line), namespace: () => logger };
  return logger;
}

// spelt has what is empty as strings: this client makes null of a buffer that is empty, and of an empty value whatever it is.
function spelt(message) {
  const text = (v) => (Buffer.isBuffer(v) && v.length === 0 ? '' : v);
  const headers = Object.fromEntries(Object.entries(message.headers ?? {}).map(([name, v]) => [name, text(v)]));
  return { ...message, key: text(message.key), headers };
}

async function connected(client) {
  await client.connect();
  return client;
}

async function member(kafka, { topic, group, instance, latest, limit, commits = true }) {
  const consumer = kafka.consumer({
    kafkaJS: { groupId: group, fromBeginning: !latest, autoCommit: commits, heartbeatInterval: 500, sessionTimeout: 10_000 },
    ...(instance && { 'group.instance.id': instance }),
    rebalance_cb: (event, partitions) => m.assigned(event.code === ErrorCodes.ERR__ASSIGN_PARTITIONS ? partitions.map((p) => p.partition) : []),
  });
  const m = new Member(consumer, limit);
  await connected(consumer);
  await consumer.subscribe({ topics: [topic] });
  await consumer.run({ eachMessage: async (payload) => m.received(payload) });
  return m;
}

main(connect);
