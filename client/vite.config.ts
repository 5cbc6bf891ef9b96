import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// A build for each page: in one, all that GraphiQL uses of graphql would be loaded by both.
const PAGES = ["index", "graphiql"];

export default defineConfig(({ mode }) => ({
  base: "/static/", // where the Python server mounts the build
  plugins: [react()],
  worker: { format: "es" }, // Monaco's workers load further modules
  build: {
    outDir: "../movieql/web/static",
    emptyOutDir: mode === PAGES[0], // the first one makes room for both
    target: "es2022",
    sourcemap: false,
    chunkSizeWarningLimit: 4096, // Monaco alone is near 3 MB; GraphiQL loads it lazily
    license: { fileName: `licenses-${mode}.md` }, // the wheel ships other people's code
    rolldownOptions: {
      input: [`${PAGES.includes(mode) ? mode : "index"}.html`],
      checks: { moduleLevelDirective: false }, // "use no memo" of the React compiler, done with by now
    },
  },
  server: { fs: { allow: [".", "../schema"] } }, // vitest serves the operations from there
  test: { environment: "happy-dom", setupFiles: "src/testing/setup.ts" },
}));
