// How the UI is tested: rules in Node, what is drawn in a real browser.

import react from "@vitejs/plugin-react";
import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";

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
            "zustand/vanilla",
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
