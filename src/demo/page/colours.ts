// Colours that mean somebody or something, the same on every page: the style sheet turns a hue into a readable colour.

/** Steps of the golden angle: neighbours in the row of workers, or of threads, never look alike. */
export function hueOfNumber(index: number): number {
  return Math.round((index * 137.5 + 260) % 360);
}

export function hueOfText(text: string): number {
  let hash = 0;
  for (const character of text) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 360;
  return hash;
}

export function setHue(element: HTMLElement, hue: number): void {
  element.style.setProperty("--hue", String(hue));
}
