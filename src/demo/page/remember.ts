// What the browser keeps between visits. A browser that keeps nothing (private windows, blocked storage) works too.

export interface Remembered {
  name: string;
  room: string;
  /** Makes all tabs of this browser one person. Nobody else sees it. */
  key: string;
}

const STORAGE_KEY = "allcores-demo";

export function recall(): Partial<Remembered> {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? "{}");
    const { name, room, key } = Object(stored) as Record<keyof Remembered, unknown>;
    return {
      ...(typeof name === "string" && { name }),
      ...(typeof room === "string" && { room }),
      ...(typeof key === "string" && { key }),
    };
  } catch {
    return {};
  }
}

export function remember(values: Remembered): void {
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify(values));
  } catch {
    // Not kept: the person types it again next time.
  }
}

/** A token given as `#token=...`, taken out of the address so that nobody copies it along. */
export function takeTokenFromAddress(): string | undefined {
  const token = new URLSearchParams(location.hash.slice(1)).get("token") ?? undefined;
  if (token !== undefined) history.replaceState(null, "", location.pathname + location.search);
  return token;
}

/** 22 random letters and digits. (`crypto.randomUUID` is only there over https, and a demo box may have none.) */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}
