// What the programs for Node share: the runner's words for a check, and how one ends. README.md of this folder's parent says what
// is asked of a client program; this file and checks.js say it once for every client that has KafkaJS's interface.
'use strict';

const fs = require('node:fs');
const { checks } = require('./checks');

const unsupported = 3;            // exit status: the client has no such feature
const limitMs = 110_000;          // a check that takes longer has failed; the runner would end it soon after

// Unsupported says that the client, not the server, lacks what a check needs.
class Unsupported extends Error {}

// setting is what the runner asks for, by the names of the contract.
function setting() {
  const env = process.env;
  const file = (name) => (env[name] ? fs.readFileSync(env[name], 'utf8') : undefined);
  const security = env.SECURITY || 'PLAINTEXT';
  return {
    bootstrap: env.BOOTSTRAP,
    topic: env.TOPIC,
    group: env.GROUP,
    tls: security.endsWith('SSL'),
    sasl: security.startsWith('SASL') && { mechanism: env.MECHANISM.toLowerCase(), username: env.USERNAME, password: env.PASSWORD },
    ca: file('CA_FILE'),
    cert: file('CERT_FILE'),
    key: file('KEY_FILE'),
  };
}

// main runs the check that the command line names with a client (see checks.js) and ends the process.
async function main(connect) {
  setTimeout(() => end(1, `not done after ${limitMs / 1000} s`), limitMs);
  try {
    const name = process.argv[2];
    if (!checks[name]) throw new Error(`no check is named ${name}`);
    const s = setting();
    await checks[name](connect(s), s);
    end(0);
  } catch (e) {
    end(e instanceof Unsupported ? unsupported : 1, e instanceof Unsupported ? e.message : e.stack);
  }
}

// end says why, on the stream that the contract has for it, and exits.
function end(status, why) {
  if (why) (status === unsupported ? process.stdout : process.stderr).write(why + '\n');
  process.exit(status);
}

module.exports = { main, Unsupported };
