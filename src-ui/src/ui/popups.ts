/** Menus, questions and messages that any part of the page may show by call, one menu and one question at a time. */
import { createContext, useContext } from "react";
import { createStore, type StoreApi } from "zustand/vanilla";

export interface MenuEntry {
  label: string;
  icon?: string;
  keys?: string;
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
}

export interface Message {
  text: string;
  tone?: Tone;
  action?: { label: string; run: () => void };
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
  field: Pick<Question, "label" | "value" | "problem"> | null;
  choices: readonly { value: string; label: string; primary?: boolean; danger?: boolean }[];
  answer: (value: string | null, text: string) => void;
}

export interface ToastState {
  id: number;
  text: string;
  tone: Tone | null;
  action: { label: string; run: () => void } | null;
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
}

export function createPopups(): Popups {
  const store = createStore<PopupState>(() => ({ menu: null, dialog: null, toasts: [] }));
  let count = 0;
  const dialog = (
    state: Omit<DialogState, "answer" | "id">,
  ): Promise<{ value: string | null; text: string }> =>
    new Promise((resolve) => {
      store.getState().dialog?.answer(null, "");
      const answer = (value: string | null, text: string) => {
        store.setState({ dialog: null });
        resolve({ value, text });
      };
      count += 1;
      store.setState({ dialog: { ...state, id: count, answer } });
    });
  const yesOrNo = ({ yes, danger }: Asked) => [
    { value: "no", label: "Cancel" },
    { value: "yes", label: yes, primary: true, danger: danger ?? false },
  ];
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
      const { title, text = "", label, value, problem } = question;
      const field = { label, value, ...(problem ? { problem } : {}) };
      const answer = await dialog({ title, text, field, choices: yesOrNo(question) });
      return answer.value === "yes" ? answer.text : null;
    },
    choose: async ({ title, text, choices }) => {
      const answer = await dialog({ title, text, field: null, choices });
      return choices.find((choice) => choice.value === answer.value)?.value ?? null;
    },
    toast: ({ text, tone, action }) => {
      count += 1;
      const toast = { id: count, text, tone: tone ?? null, action: action ?? null };
      store.setState((state) => ({ toasts: [...state.toasts.slice(-3), toast] }));
    },
  };
}

export const PopupContext = createContext<Popups | null>(null);

export function usePopups(): Popups {
  const popups = useContext(PopupContext);
  if (!popups) throw new Error("Nothing asks outside of a page.");
  return popups;
}
