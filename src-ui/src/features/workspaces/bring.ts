/** Bringing a zip file in: its bytes on their way, the server at work, and how to think better of it. */
import { useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { useHost } from "../../host/useHost";
import { usePopups } from "../../ui/popups";

export interface Bringing {
  name: string;
  sent: number;
  total: number;
}

export function useBring(
  name: (title: string, yes: string, value: string) => Promise<string | null>,
) {
  const { exchange } = useHost();
  const { toast, failed } = usePopups();
  const client = useQueryClient();
  const [bringing, setBringing] = useState<Bringing | null>(null);
  const wish = useRef<AbortController | null>(null);

  const bring = async (file: File) => {
    if (wish.current) {
      toast({ tone: "warn", text: "One import at a time: this one has to end first." });
      return;
    }
    if (!/\.zip$/i.test(file.name)) {
      toast({ tone: "warn", text: `${file.name} is no zip file. Pack the folder as one first.` });
      return;
    }
    const chosen = await name(`Import ${file.name}`, "Import", file.name.replace(/\.zip$/i, ""));
    if (chosen === null) return;
    wish.current = new AbortController();
    const { signal } = wish.current;
    setBringing({ name: chosen, sent: 0, total: file.size });
    try {
      await exchange("POST", `/workspaces/import?name=${encodeURIComponent(chosen.trim())}`, {
        body: file,
        headers: { "content-type": "application/zip" },
        signal,
        progress: (sent, total) => setBringing({ name: chosen, sent, total }),
      });
      toast({ tone: "ok", text: `${chosen} is imported.` });
    } catch (error) {
      if (signal.aborted) toast({ text: `The import of ${chosen} was cancelled.` });
      else failed(error, `${chosen} was not imported.`);
    }
    wish.current = null;
    setBringing(null);
    await client.invalidateQueries({ queryKey: ["workspaces"] });
  };
  return { bringing, bring, cancel: () => wish.current?.abort() };
}
