// KafkaJS: one check of the contract, `node main.js CHECK`.
'use strict';

const { Kafka, CompressionTypes, CompressionCodecs, ConfigResourceTypes, logLevel } = require('kafkajs');
const { main, Unsupported } = require('../node/contract');
const { Member } = require('../node/member');

// KafkaJS brings gzip and leaves the other codecs to packages. The one for zstd does not compile any more, so here is one.
const codecs = { none: CompressionTypes.None, gzip: CompressionTypes.GZIP, snappy: CompressionTypes.Snappy, lz4: CompressionTypes.LZ4, zstd: CompressionTypes.ZSTD };
CompressionCodecs[CompressionTypes.Snappy] = require('kafkajs-snappy');
CompressionCodecs[CompressionTypes.LZ4] = new (require('kafkajs-lz4'))().codec;
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: async (encoder) => Buffer.from((await zstd()).compress(encoder.buffer)),
  decompress: async (buffer) => Buffer.from((await zstd()).decompress(buffer)),
});

const zstd = () => new Promise((resolve) => require('zstd-codec').ZstdCodec.run((z) => resolve(new z.Streaming())));

function connect(s) {
  const kafka = new Kafka({
    brokers: [s.bootstrap],
    logLevel: logLevel.NOTHING,
    ssl: s.tls && { ca: s.ca, cert: s.cert, key: s.key },
    sasl: s.sasl || undefined,
  });
  return {
    can: { emptyValue: true, nullHeader: false },
    refused: (e) => e.name === 'KafkaJSSASLAuthenticationError',
    admin: () => connected(kafka.admin()),
    setting,
    async producer(codec) {
      const producer = await connected(kafka.producer());
      return (topic, messages) => producer.send({ topic, messages, compression: codecs[codec] });
    },
    member: (want) => member(kafka, want),
  };
}

async function connected(client) {
  await client.connect();
  return client;
}

async function setting(admin, topic, name) {
  const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configNames: [name] }] });
  return resources[0].configEntries.find((c) => c.configName === name).configValue;
}

async function member(kafka, { topic, group, instance, latest, limit, commits = true }) {
  if (instance) throw new Unsupported('KafkaJS has no static members');
  const consumer = await connected(kafka.consumer({ groupId: group, heartbeatInterval: 500, sessionTimeout: 10_000, maxWaitTimeInMs: 500 }));
  const m = new Member(consumer, limit);
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => m.assigned(payload.memberAssignment[topic] ?? []));
  await consumer.subscribe({ topics: [topic], fromBeginning: !latest });
  await consumer.run({ autoCommit: commits, eachMessage: async (payload) => m.received(payload) });
  return m;
}

main(connect);
