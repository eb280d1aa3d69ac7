// Runs every case against one gateway and one provider, and says which did not hold.

import { cases } from "./cases.mjs";
import { startWorld } from "./world.mjs";

const only = process.env.ONLY ?? "";
const world = await startWorld();
let failures = 0;
for (const [title, holds] of cases.filter(([title]) => title.includes(only))) {
  try {
    await holds(world);
    console.log(`ok   ${title}`);
  } catch (error) {
    failures += 1;
    console.log(`FAIL ${title}\n${error.stack.replace(/<style>[^]*?<\/style>/g, "")}`);
  }
}
if (failures > 0) console.log(world.gateway.said());
const code = await world.stop();
if (code !== 0) console.log(`the gateway ended with ${code}`);
process.exit(failures === 0 && code === 0 ? 0 : 1);
