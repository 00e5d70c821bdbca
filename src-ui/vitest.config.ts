// How the UI is tested: rules in Node, what is drawn in a real browser.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import react from "@vitejs/plugin-react";
import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";

/** The parts of Monaco that a test may come to load. */
const monaco = ["monaco", "monacoParts", "languages"].flatMap((name) => {
  const source = readFileSync(join(import.meta.dirname, `src/features/editor/${name}.ts`), "utf8");
  return [...source.matchAll(/"(monaco-editor\/[^"?]+)"/g)].map((match) => match[1] as string);
});

export default defineConfig({
  test: {
    projects: [
      { test: { name: "rules", environment: "node", css: true, include: ["src/**/*.test.ts"] } },
      {
        plugins: [react()],
        // Found while the tests run, they would load the page again in the middle of one.
        optimizeDeps: {
          include: [
            "@bufbuild/protobuf",
            "@tanstack/react-query",
            "@xterm/addon-fit",
            "@xterm/addon-search",
            "@xterm/addon-unicode11",
            "@xterm/addon-web-links",
            "@xterm/addon-webgl",
            "@xterm/xterm",
            "axe-core",
            "react-aria-components",
            "react-dom/client",
            "react/jsx-dev-runtime",
            "vitest-browser-react",
            "wouter",
            "wouter/use-browser-location",
            "zustand/vanilla",
            ...monaco,
          ],
        },
        test: {
          name: "screens",
          include: ["src/**/*.test.tsx"],
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: {
                executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
                chromiumSandbox: false,
                args: ["--no-sandbox"],
              },
            }),
            instances: [{ browser: "chromium", viewport: { width: 1000, height: 800 } }],
          },
        },
      },
    ],
  },
});
