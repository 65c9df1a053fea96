// A consumer that keeps what it reads and what it was assigned, so that a check can wait for either.
'use strict';

class Member {
  #consumer;
  #limit;
  watchers = new Set(); // called at every change

  // A member keeps at most limit records, and reads no further then.
  constructor(consumer, limit = Infinity) {
    this.#consumer = consumer;
    this.#limit = limit;
    this.records = [];    // as sample has them, with the offset as a number
    this.partitions = []; // those it holds, in order
    this.rebalances = 0;  // how often it was told what it holds
  }

  // assigned is called by the client when the group has given this member partitions, or taken them away.
  assigned(partitions) {
    this.partitions = [...partitions].sort((a, b) => a - b);
    this.rebalances++;
    this.#changed();
  }

  // received is called by the client for each record.
  received({ topic, partition, message }) {
    if (this.records.length < this.#limit) this.records.push({ ...message, partition, offset: Number(message.offset) });
    if (this.records.length >= this.#limit) this.#consumer.pause([{ topic }]);
    this.#changed();
  }

  // until waits for a condition on what this member reads and holds.
  until(condition) { return until([this], condition); }

  // count waits until so many records have been read.
  count(n) { return this.until(() => this.records.length >= n); }

  // commit makes offset, of partition 0, the group's, and returns once the group has it.
  commit(topic, offset) { return this.#consumer.commitOffsets([{ topic, partition: 0, offset: String(offset) }]); }

  // seek goes on at an offset of partition 0.
  seek(topic, offset) { return this.#consumer.seek({ topic, partition: 0, offset }); }

  close() { return this.#consumer.disconnect(); }

  #changed() {
    for (const watcher of [...this.watchers]) watcher();
  }
}

// until waits for a condition on what members read and hold.
function until(members, condition) {
  return new Promise((resolve) => {
    const attempt = () => {
      if (!condition()) return;
      members.forEach((m) => m.watchers.delete(attempt));
      resolve();
    };
    members.forEach((m) => m.watchers.add(attempt));
    attempt();
  });
}

module.exports = { Member, until };
