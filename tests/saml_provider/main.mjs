// Runs every case against one gateway and one provider, and says which did not hold.

import { runCases } from "../oidc_provider/processes.mjs";
import { cases } from "./cases.mjs";
import { startWorld } from "./world.mjs";

await runCases(cases, await startWorld());
