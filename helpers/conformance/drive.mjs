// Plays a conformance case through helpers/stages.mjs: node drive.mjs CASE.tsv, with PIPELINE_STATUS_FILE set.
import fs from "node:fs";
import { PipelineStatus } from "../stages.mjs";

// A clock that shows what the case says, after a beginning that is the test's.
let now = 0;
const origin = BigInt(process.env.CONFORMANCE_ORIGIN_NS ?? "0");
const clock = {
  monotonicNanoseconds: () => origin + BigInt(now) * 1000000n,
  epochSeconds: () => 1770000000 + now / 1000,
  cpuNanoseconds: () => 0n,
};

const status = new PipelineStatus(process.env.PIPELINE_STATUS_FILE, clock);
const open = [];
for (const line of fs.readFileSync(process.argv[2], "utf8").split("\n")) {
  const [verb, moment, ...rest] = line.split("\t");
  if (!["begin", "end", "finish"].includes(verb)) continue;
  now = Number(moment);
  const key = rest.join("\t");
  if (verb === "begin") {
    open.push({ key, span: status.begin(rest[1]) });
  } else if (verb === "end") {
    const index = open.map((entry) => entry.key).lastIndexOf(key);
    if (index >= 0) status.end(open.splice(index, 1)[0].span);
  } else {
    status.finish();
  }
}
status.finish();
