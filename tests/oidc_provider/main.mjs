// Runs every case against one gateway and one provider, and says which did not hold.

import { cases } from "./cases.mjs";
import { runCases } from "./processes.mjs";
import { startWorld } from "./world.mjs";

await runCases(cases, await startWorld());
