// The records that each codec carries there and back, and how two lists of them are compared.
'use strict';

const large = Number(process.env.LARGE_BYTES ?? 100 * 1024); // bytes of the largest values; tools/capture asks for small ones

// sample is two hundred records for two partitions: ordinary ones, and every way in which one can be empty that the client can
// send: can is of emptyValue and nullHeader.
function sample(can) {
  const start = Date.now() - 3_600_000;
  return Array.from({ length: 200 }, (_, i) => ({
    partition: i % 2,
    timestamp: String(start + i * 1000),
    key: key(i),
    value: value(i, can),
    headers: i % 10 === 5 ? headers(can) : {},
  }));
}

function key(i) {
  if (i % 10 === 0) return null;
  return i % 10 === 1 ? Buffer.alloc(0) : Buffer.from(`key-${i}`);
}

function value(i, can) {
  if (i % 10 === 2) return null;
  if (i % 10 === 3 && can.emptyValue) return Buffer.alloc(0);
  const text = `value ${i} of some length, so that there is something to compress; `;
  return Buffer.from(i % 50 === 4 ? text.repeat(large / text.length) : text);
}

function headers(can) {
  const h = { several: [Buffer.from('1'), Buffer.from('2')], one: Buffer.from('3'), empty: Buffer.alloc(0) };
  return can.nullHeader ? { ...h, null: null } : h;
}

// show is a record as text in which null and empty differ.
function show({ timestamp, key, value, headers }) {
  const named = Object.entries(headers ?? {}).map(([name, v]) => `${name}=${[v].flat().map(bytes)}`);
  return `${timestamp} ${bytes(key)}: ${bytes(value)} ${named.join(' ')}`;
}

function bytes(b) {
  return b === null || b === undefined ? 'null' : JSON.stringify(Buffer.from(b).toString('latin1'));
}

// compare throws unless got is what want is, each partition in order.
function compare(got, want) {
  equal(got.length, want.length, 'records');
  for (const p of new Set(want.map((r) => r.partition))) {
    const of = (all) => all.filter((r) => r.partition === p);
    of(want).forEach((w, i) => equal(show(of(got)[i]), show(w), `record ${i} of partition ${p}`));
  }
}

// equal throws unless got is want; what says of what.
function equal(got, want, what) {
  const text = (x) => (typeof x === 'string' ? x : JSON.stringify(x)).slice(0, 300);
  if (text(got) !== text(want)) throw new Error(`${what}: got ${text(got)}, want ${text(want)}`);
}

module.exports = { sample, compare, equal };
