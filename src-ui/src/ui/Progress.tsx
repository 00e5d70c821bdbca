/** How far something has come, as a bar. */

interface Props {
  /** Of what. */
  label: string;
  done: number;
  total: number;
  thin?: boolean;
}

export function Progress({ label, done, total, thin = false }: Props) {
  const part = Math.min(1, done / Math.max(1, total));
  return (
    <span
      className={`progress${thin ? " progress-thin" : ""}`}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.floor(part * 100)}
    >
      <i style={{ width: `${part * 100}%` }} />
    </span>
  );
}
