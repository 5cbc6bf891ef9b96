// Asks the server at the URL given all questions of the official GraphQL-over-HTTP audit, and
// prints what became of each as JSON: [{id, name, status, reason}].
import { createRequire } from "node:module";

const require = createRequire(new URL("../../client/package.json", import.meta.url));
let serverAudits;
try {
  ({ serverAudits } = require("graphql-http"));
} catch (error) {
  console.error(`client/node_modules lacks graphql-http; run: make client\n${error.message}`);
  process.exit(1);
}

const results = [];
for (const audit of serverAudits({ url: process.argv[2], fetchFn: fetch })) {
  const { id, name, status, reason = "" } = await audit.fn();
  results.push({ id, name, status, reason });
}
console.log(JSON.stringify(results));
