/** Memory over time up to an end, against its limit. */
import { useStore } from "../../bench/bench";
import { mebibytes, seconds } from "../../ui/words";
import { curveOf, type MemoryHistory } from "./memory";
import "./session.css";

const WIDTH = 560;
const TOP = 14;
const FLOOR = 92;

export function MemoryCurve({
  memory,
  session,
  since,
  until = Infinity,
  peak,
}: {
  memory: MemoryHistory;
  session: string | undefined;
  since: number;
  until?: number | undefined;
  /** What is known of the very end, which may lie between two samples. */
  peak?: number | undefined;
}) {
  const state = useStore(memory.store, (all) => all);
  const seen = curveOf(state, session, since, until);
  const samples =
    seen.length > 0 && peak !== undefined && Number.isFinite(until)
      ? [...seen.filter((one) => one.at < until), { at: until, bytes: peak }]
      : seen;
  const first = samples[0];
  const last = samples.at(-1);
  if (!first || !last || state.limitBytes === 0) return null;
  const took = Math.max(1, last.at - first.at);
  const high = Math.max(state.limitBytes, ...samples.map((one) => one.bytes));
  const x = (at: number) => ((at - first.at) / took) * (WIDTH - 40);
  const y = (bytes: number) => FLOOR - (bytes / high) * (FLOOR - TOP);
  const line = samples.map((one) => `${x(one.at).toFixed(1)} ${y(one.bytes).toFixed(1)}`);
  const limit = y(state.limitBytes);
  const end = x(last.at);
  return (
    <svg
      className="session-memory"
      viewBox={`0 0 ${WIDTH} 112`}
      role="img"
      aria-label={`Memory went from ${mebibytes(first.bytes)} to ${mebibytes(last.bytes)} MiB in ${seconds(took)}; the limit is ${mebibytes(state.limitBytes)} MiB`}
    >
      <line x1="0" x2={WIDTH} y1={limit} y2={limit} className="limit" />
      <text x="0" y={limit - 5}>
        {mebibytes(state.limitBytes)} MiB limit
      </text>
      <line x1="0" x2={WIDTH} y1={FLOOR} y2={FLOOR} className="axis" />
      <path d={`M${line.join("L")}L${end} ${FLOOR}L0 ${FLOOR}Z`} className="area" />
      <path d={`M${line.join("L")}`} className="line" />
      <circle cx={end} cy={y(last.bytes)} r="3.5" className="end" />
      <text x="0" y="106">
        0 s
      </text>
      <text x={end} y="106" textAnchor="middle">
        {seconds(took)}
      </text>
    </svg>
  );
}
