/** A dialog that is open for as long as it is drawn, and gives the focus back to where it was. */
import { type RefObject, useCallback, useLayoutEffect } from "react";

/** `closed` is for its `close` event, `close` closes it. */
export function useModal(
  box: RefObject<HTMLDialogElement | null>,
  onClose: () => void,
): { close: () => void; closed: () => void } {
  useLayoutEffect(() => {
    const dialog = box.current;
    dialog?.showModal();
    // Before it leaves the page: only an open dialog gives the focus back.
    return () => dialog?.close();
  }, [box]);
  const close = useCallback(() => box.current?.close(), [box]);
  // The event comes late; by then it may be open again.
  const closed = useCallback(() => {
    if (!box.current?.open) onClose();
  }, [box, onClose]);
  return { close, closed };
}
