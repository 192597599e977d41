// A worker as many teams write it: one job a cell in a BullMQ queue, the answers in a table of Postgres by
// the usual pool. One process adds the jobs and performs them, through Node's own fetch; a call that fails
// is made again by the queue, three times in all. What it writes down is told in `books.mjs`. It does not do
// what a run of ours does beside that: no prices, no budget reserved before a call, no events, no pace
// towards the provider, no fence against a job that is performed twice.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import pg from "pg";
import { BOOKS } from "./books.mjs";

const [how, databaseUrl, redisUrl, prefix, provider] = process.argv.slice(2);
const ATTEMPTS = 3;

const connection = new Redis(redisUrl, { maxRetriesPerRequest: null });
const books = await BOOKS[how](new pg.Pool({ connectionString: databaseUrl, max: 20 }));
const queue = new Queue("cells", {
  connection,
  prefix,
  defaultJobOptions: {
    attempts: ATTEMPTS,
    backoff: { type: "exponential", delay: 1000 },
    removeOnComplete: true,
  },
});

async function ask({ model, question }) {
  const answer = await fetch(`${provider}/v1beta/models/${model}:generateContent`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-goog-api-key": "a-key" },
    body: JSON.stringify({ contents: [{ role: "user", parts: [{ text: question }] }] }),
  });
  if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
  return answer.json();
}

async function perform({ data: cell }) {
  const attempt = await books.begin(cell);
  const { candidates, usageMetadata } = await ask(cell);
  const output = candidates[0].content.parts.map((part) => part.text).join("");
  await books.end(cell, attempt, output, usageMetadata);
}

/** Settles once all of them are performed, or one has failed for good. */
function all(worker, count) {
  return new Promise((resolve, reject) => {
    let left = count;
    worker.on("completed", () => --left || resolve());
    worker.on("failed", (job, fault) => job?.attemptsMade < ATTEMPTS || reject(fault));
    worker.on("error", reject);
  });
}

async function work(turn, { file, models, atOnce }) {
  const words = readFileSync(file, "utf8").trim().split("\n").slice(1);
  const worker = new Worker("cells", perform, { connection, prefix, concurrency: atOnce });
  const cells = await books.plan(turn, models, words);
  const performed = all(worker, cells.length);
  await queue.addBulk(cells.map((data) => ({ name: "cell", data })));
  await performed;
  console.log(await books.stored(turn));
  await worker.close();
}

// A line on stdin is the start signal of a turn, so that imports and connections are outside its time.
console.log("ready");
let turn = 0;
for await (const line of createInterface({ input: process.stdin })) {
  await work(++turn, JSON.parse(line));
}
await queue.obliterate({ force: true });
process.exit();
