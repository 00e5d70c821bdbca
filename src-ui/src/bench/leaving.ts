/** A page that is hidden may never be seen again: what is to be kept is kept then. */
export function whenLeaving(keep: () => void): () => void {
  const hidden = () => {
    if (document.visibilityState === "hidden") keep();
  };
  addEventListener("pagehide", keep);
  addEventListener("beforeunload", keep);
  document.addEventListener("visibilitychange", hidden);
  return () => {
    removeEventListener("pagehide", keep);
    removeEventListener("beforeunload", keep);
    document.removeEventListener("visibilitychange", hidden);
  };
}
