/** Menus, questions and messages that any part of the IDE may show, one at a time, by call. */
import { type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from "react";
import { createStore, type StoreApi } from "zustand/vanilla";
import { type Bench, type MenuEntry, useStore } from "../bench/bench";
import { Icon } from "../ui/Icon";
import "./popups.css";

interface MenuState {
  x: number;
  y: number;
  /** Opens upwards from here when there is no room below. */
  up: number;
  entries: readonly (MenuEntry | null)[];
  from: Element | null;
}

interface DialogState {
  title: string;
  text: string;
  field: { label: string; value: string; problem?: (value: string) => string | null } | null;
  choices: readonly { value: string; label: string; primary?: boolean; danger?: boolean }[];
  answer: (value: string | null, text: string) => void;
}

interface ToastState {
  id: number;
  text: string;
  tone: "ok" | "warn" | "danger" | null;
  action: { label: string; run: () => void } | null;
}

interface PopupState {
  menu: MenuState | null;
  dialog: DialogState | null;
  toasts: readonly ToastState[];
}

export type Popups = Pick<Bench, "menu" | "confirm" | "ask" | "choose" | "toast"> & {
  store: StoreApi<PopupState>;
};

const TOAST_MS = 8_000;

export function createPopups(): Popups {
  const store = createStore<PopupState>(() => ({ menu: null, dialog: null, toasts: [] }));
  let count = 0;
  const dialog = (
    state: Omit<DialogState, "answer">,
  ): Promise<{ value: string | null; text: string }> =>
    new Promise((resolve) => {
      store.getState().dialog?.answer(null, "");
      const answer = (value: string | null, text: string) => {
        store.setState({ dialog: null });
        resolve({ value, text });
      };
      store.setState({ dialog: { ...state, answer } });
    });
  return {
    store,
    menu: (at, entries) => {
      const from = document.activeElement;
      if (at instanceof Element) {
        const box = at.getBoundingClientRect();
        store.setState({
          menu: { x: box.left, y: box.bottom + 4, up: box.top - 4, entries, from },
        });
      } else store.setState({ menu: { x: at.x, y: at.y, up: at.y, entries, from } });
    },
    confirm: async ({ title, text, yes, danger }) => {
      const choices = [
        { value: "no", label: "Cancel" },
        { value: "yes", label: yes, primary: true, danger: danger ?? false },
      ];
      return (await dialog({ title, text, field: null, choices })).value === "yes";
    },
    ask: async ({ title, label, value, yes, problem }) => {
      const choices = [
        { value: "no", label: "Cancel" },
        { value: "yes", label: yes, primary: true },
      ];
      const field = { label, value, ...(problem ? { problem } : {}) };
      const answer = await dialog({ title, text: "", field, choices });
      return answer.value === "yes" ? answer.text : null;
    },
    choose: async ({ title, text, choices }) => {
      const answer = await dialog({ title, text, field: null, choices });
      return choices.find((choice) => choice.value === answer.value)?.value ?? null;
    },
    toast: ({ text, tone, action }) => {
      count += 1;
      const toast: ToastState = { id: count, text, tone: tone ?? null, action: action ?? null };
      store.setState((state) => ({ toasts: [...state.toasts.slice(-3), toast] }));
    },
  };
}

export function PopupLayer({ popups }: { popups: Popups }) {
  const { menu, dialog, toasts } = useStore(popups.store, (state) => state);
  const close = (id: number) =>
    popups.store.setState((state) => ({ toasts: state.toasts.filter((one) => one.id !== id) }));
  return (
    <>
      {menu ? <Menu menu={menu} onClose={() => popups.store.setState({ menu: null })} /> : null}
      {dialog ? <Dialog key={dialog.title} dialog={dialog} /> : null}
      <div className="toasts" role="status" aria-live="polite">
        {toasts.map((toast) => (
          <Toast key={toast.id} toast={toast} onClose={() => close(toast.id)} />
        ))}
      </div>
    </>
  );
}

function Menu({ menu, onClose }: { menu: MenuState; onClose: () => void }) {
  const box = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState({ left: menu.x, top: menu.y });
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const { width, height } = element.getBoundingClientRect();
    setPlace({
      left: Math.max(4, Math.min(menu.x, innerWidth - width - 4)),
      top: menu.y + height > innerHeight - 4 ? Math.max(4, menu.up - height) : menu.y,
    });
    element.querySelector<HTMLElement>("[role=menuitem]")?.focus();
  }, [menu]);
  useEffect(() => {
    const away = (event: Event) => {
      if (!box.current?.contains(event.target as Node)) onClose();
    };
    addEventListener("pointerdown", away, true);
    addEventListener("blur", onClose);
    return () => {
      removeEventListener("pointerdown", away, true);
      removeEventListener("blur", onClose);
    };
  }, [onClose]);
  const leave = () => {
    onClose();
    if (menu.from instanceof HTMLElement) menu.from.focus();
  };
  const keys = (event: KeyboardEvent) => {
    const items = [...(box.current?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])];
    const at = items.indexOf(document.activeElement as HTMLElement);
    const to = {
      ArrowDown: at + 1,
      ArrowUp: at - 1 + items.length,
      Home: 0,
      End: items.length - 1,
    }[event.key];
    if (to !== undefined) items[to % items.length]?.focus();
    else if (event.key === "Escape" || event.key === "Tab") leave();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div
      ref={box}
      className="menu popup-menu"
      role="menu"
      tabIndex={-1}
      style={place}
      onKeyDown={keys}
    >
      {menu.entries.map((entry, index) =>
        entry === null ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: a line has nothing else
          <hr key={index} className="menu-sep" />
        ) : (
          <button
            key={entry.label}
            type="button"
            role="menuitem"
            aria-disabled={entry.disabled !== undefined}
            title={entry.disabled}
            className={`menu-item popup-item${entry.danger ? " danger" : ""}${entry.disabled ? " is-disabled" : ""}`}
            onClick={() => {
              if (entry.disabled !== undefined) return;
              leave();
              entry.run();
            }}
          >
            {entry.icon ? <Icon name={entry.icon} /> : <span className="popup-gap" />}
            {entry.label}
            {entry.keys ? <span className="key">{entry.keys}</span> : null}
          </button>
        ),
      )}
    </div>
  );
}

function Dialog({ dialog }: { dialog: DialogState }) {
  const [text, setText] = useState(dialog.field?.value ?? "");
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    box.current?.showModal();
    box.current?.querySelector<HTMLElement>("input, .btn-primary, .btn-danger")?.focus();
    box.current?.querySelector("input")?.select();
  }, []);
  const problem = dialog.field?.problem?.(text) ?? null;
  const primary = dialog.choices.find((choice) => choice.primary);
  return (
    <dialog
      ref={box}
      className="dialog popup-dialog"
      aria-label={dialog.title}
      onCancel={() => dialog.answer(null, "")}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (primary && problem === null) dialog.answer(primary.value, text);
        }}
      >
        <header>
          <h3>{dialog.title}</h3>
        </header>
        <div className="body popup-body">
          {dialog.text}
          {dialog.field ? (
            <label className="field">
              <span className="label">{dialog.field.label}</span>
              <span className={`input${problem ? " is-error" : ""}`}>
                <input
                  value={text}
                  spellCheck={false}
                  onChange={(event) => setText(event.target.value)}
                />
              </span>
              {problem ? <span className="error">{problem}</span> : null}
            </label>
          ) : null}
        </div>
        <footer>
          {dialog.choices.map((choice) => (
            <button
              key={choice.value}
              type={choice.primary ? "submit" : "button"}
              className={`btn ${choice.primary ? (choice.danger ? "btn-danger" : "btn-primary") : "btn-ghost"}`}
              disabled={choice.primary === true && problem !== null}
              onClick={choice.primary ? undefined : () => dialog.answer(choice.value, text)}
            >
              {choice.label}
            </button>
          ))}
        </footer>
      </form>
    </dialog>
  );
}

function Toast({ toast, onClose }: { toast: ToastState; onClose: () => void }) {
  const [held, setHeld] = useState(false);
  useEffect(() => {
    if (held) return;
    const timer = setTimeout(onClose, TOAST_MS);
    return () => clearTimeout(timer);
  }, [held, onClose]);
  const icon =
    toast.tone === "danger"
      ? "error"
      : toast.tone === "warn"
        ? "alert"
        : toast.tone === "ok"
          ? "check"
          : "info";
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the pointer only keeps it from leaving
    <div
      className="toast"
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
    >
      <Icon name={icon} className={toast.tone ?? "muted"} />
      <span className="grow">{toast.text}</span>
      {toast.action ? (
        <button
          type="button"
          className="btn btn-ghost btn-sm"
          onClick={() => {
            toast.action?.run();
            onClose();
          }}
        >
          {toast.action.label}
        </button>
      ) : null}
      <button
        type="button"
        className="btn btn-ghost btn-icon btn-sm"
        aria-label="Dismiss"
        onClick={onClose}
      >
        <Icon name="x" />
      </button>
    </div>
  );
}
