import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  base: "/static/", // where the Python server mounts the build
  plugins: [react()],
  worker: { format: "es" }, // Monaco's workers load further modules
  build: {
    outDir: "../movieql/web/static",
    emptyOutDir: true, // Vite asks for it, because the folder lies outside this one
    target: "es2022",
    sourcemap: false,
    chunkSizeWarningLimit: 4096, // Monaco alone is near 3 MB; GraphiQL loads it lazily
    license: { fileName: "licenses.md" }, // the wheel ships other people's code
    rolldownOptions: {
      input: ["graphiql.html"],
      checks: { moduleLevelDirective: false }, // "use no memo" of the React compiler, done with by now
    },
  },
  server: { fs: { allow: [".", "../schema"] } }, // vitest serves the operations from there
  test: { environment: "happy-dom" },
});
