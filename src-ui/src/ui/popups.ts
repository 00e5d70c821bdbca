/** Menus, questions and messages that any part of the page may show by call, one menu and one question at a time. */
import { createContext, useContext } from "react";
import { createStore, type StoreApi } from "zustand/vanilla";
import type { LocalWorkspace } from "../host/generated/api/LocalWorkspace";
import { failureOf, isOffline } from "../host/ide";

export interface MenuEntry {
  label: string;
  icon?: string;
  keys?: string;
  /** The folder that it is about, which tells it from another of the same name. */
  folder?: Pick<LocalWorkspace, "folder" | "short">;
  danger?: boolean;
  /** One of several, of which the marked one holds. */
  checked?: boolean;
  /** Why it cannot be chosen now. */
  disabled?: string;
  run(): void;
}

export type Place = { x: number; y: number } | Element;
export type Tone = "ok" | "warn" | "danger";

interface Asked {
  title: string;
  text?: string;
  yes: string;
  danger?: boolean;
}

export interface Question extends Asked {
  label: string;
  value: string;
  /** Why this cannot be the answer; said once something was typed. */
  problem?: (value: string) => string | null;
  /** Does what was asked for; the question stands until then, and says at its field why it was refused. */
  send?: (value: string, wish: AbortSignal) => Promise<unknown>;
}

export interface Message {
  text: string;
  tone?: Tone;
  action?: { label: string; run: () => void };
  /** It is so because the server is away, and is over when it is back. */
  away?: boolean;
}

export interface MenuState {
  /** Grows with every menu, so that each is drawn afresh. */
  id: number;
  at: Place;
  entries: readonly (MenuEntry | null)[];
  /** Where the keyboard was. */
  from: Element | null;
}

export interface DialogState {
  id: number;
  title: string;
  text: string;
  field: Pick<Question, "label" | "value" | "problem" | "send"> | null;
  choices: readonly { value: string; label: string; primary?: boolean; danger?: boolean }[];
  /** Where the keyboard was. */
  from: Element | null;
  answer: (value: string | null, text: string) => void;
}

export interface ToastState {
  id: number;
  text: string;
  tone: Tone | null;
  action: { label: string; run: () => void } | null;
  away: boolean;
}

export interface PopupState {
  menu: MenuState | null;
  dialog: DialogState | null;
  toasts: readonly ToastState[];
}

export interface Popups {
  readonly store: StoreApi<PopupState>;
  menu(at: Place, entries: readonly (MenuEntry | null)[]): void;
  /** Whether the person says yes. */
  confirm(question: Asked & { text: string }): Promise<boolean>;
  /** What the person typed; null when they think better of it. */
  ask(question: Question): Promise<string | null>;
  choose<T extends string>(question: {
    title: string;
    text: string;
    choices: readonly { value: T; label: string; primary?: boolean }[];
  }): Promise<T | null>;
  toast(message: Message): void;
  /** Says why something failed; `what` says before that what did. */
  failed(error: unknown, what?: string): void;
  /** The server is back. */
  back(): void;
}

export function createPopups(): Popups {
  const store = createStore<PopupState>(() => ({ menu: null, dialog: null, toasts: [] }));
  let count = 0;
  const dialog = (
    state: Omit<DialogState, "answer" | "from" | "id">,
  ): Promise<{ value: string | null; text: string }> =>
    new Promise((resolve) => {
      const before = store.getState().dialog;
      const from = before ? before.from : document.activeElement;
      before?.answer(null, "");
      count += 1;
      const id = count;
      const answer = (value: string | null, text: string) => {
        // What was sent may be answered when another question stands there.
        if (store.getState().dialog?.id === id) store.setState({ dialog: null });
        resolve({ value, text });
      };
      store.setState({ dialog: { ...state, id, from, answer } });
    });
  const yesOrNo = ({ yes, danger }: Asked) => [
    { value: "no", label: "Cancel" },
    { value: "yes", label: yes, primary: true, danger: danger ?? false },
  ];
  const toast = ({ text, tone, action, away = false }: Message) => {
    count += 1;
    const made = { id: count, text, tone: tone ?? null, action: action ?? null, away };
    store.setState((state) => ({ toasts: [...state.toasts.slice(-3), made] }));
  };
  return {
    store,
    menu: (at, entries) => {
      count += 1;
      store.setState({ menu: { id: count, at, entries, from: document.activeElement } });
    },
    confirm: async (question) => {
      const { title, text } = question;
      return (
        (await dialog({ title, text, field: null, choices: yesOrNo(question) })).value === "yes"
      );
    },
    ask: async (question) => {
      const { title, text = "", label, value, problem, send } = question;
      const field = { label, value, ...(problem ? { problem } : {}), ...(send ? { send } : {}) };
      const answer = await dialog({ title, text, field, choices: yesOrNo(question) });
      return answer.value === "yes" ? answer.text : null;
    },
    choose: async ({ title, text, choices }) => {
      const answer = await dialog({ title, text, field: null, choices });
      return choices.find((choice) => choice.value === answer.value)?.value ?? null;
    },
    toast,
    failed: (error, what) => {
      const failure = failureOf(error);
      const text = what ? `${what} ${failure.detail}` : failure.detail;
      toast({ tone: "danger", text, away: isOffline(failure) });
    },
    back: () => store.setState(({ toasts }) => ({ toasts: toasts.filter((one) => !one.away) })),
  };
}

export const PopupContext = createContext<Popups | null>(null);

export function usePopups(): Popups {
  const popups = useContext(PopupContext);
  if (!popups) throw new Error("Nothing asks outside of a page.");
  return popups;
}
