// Prints one plain line over all journeys, and names what failed, and what was skipped and why.
import type { FullResult, Reporter, Suite, TestCase, TestResult } from "@playwright/test/reporter";

export default class CountReporter implements Reporter {
  private all: TestCase[] = [];

  onBegin(_config: unknown, suite: Suite): void {
    this.all = suite.allTests();
  }

  onTestEnd(test: TestCase, result: TestResult): void {
    if (result.status !== "skipped") return;
    const why = test.annotations.find((note) => note.type === "skip")?.description ?? "no reason given";
    console.log(`SKIP ${test.title}: ${why}`);
  }

  onEnd(_result: FullResult): void {
    const count = (outcome: string) => this.all.filter((test) => test.outcome() === outcome).length;
    for (const test of this.all) if (test.outcome() === "unexpected") console.log(`FAIL ${test.titlePath().join(" ").trim()}`);
    const skipped = count("skipped");
    const passed = count("expected");
    console.log(`${passed} passed, ${this.all.length - passed - skipped} failed, ${skipped} skipped`);
  }
}
