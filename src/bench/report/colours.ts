// One palette for page and pictures: told apart by the colour-blind too (after Okabe and Ito), light and dark.

const LIGHT = ["#0067a3", "#b84e00", "#00785a", "#a3487c", "#7a5c00", "#5b5bd6", "#5f6b76"];
const DARK = ["#5db8f0", "#ff9a52", "#3ecf9f", "#f29bcb", "#e3bd3f", "#a5a5ff", "#a7b3bf"];

function declarations(palette: readonly string[]): string {
  return palette.map((colour, index) => `--s${index}: ${colour};`).join(" ");
}

/** CSS variables for both colour schemes; everything drawn refers to them. */
export const THEME_CSS = `:root { color-scheme: light dark; --page: #ffffff; --ink: #1b1f24; --muted: #57606a; --grid: #d8dee4; --mark: #b3261e; ${declarations(LIGHT)} }
@media (prefers-color-scheme: dark) { :root { --page: #14181d; --ink: #e6eaef; --muted: #9aa5b1; --grid: #343b44; --mark: #ff8a80; ${declarations(DARK)} } }`;

export function seriesColour(index: number): string {
  return `var(--s${index % LIGHT.length})`;
}
