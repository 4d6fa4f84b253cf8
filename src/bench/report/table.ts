// One table, three ways to print it: terminal, Markdown and HTML show the same cells.

import { styleText } from "node:util";

export interface Table {
  readonly title: string;
  /** The first column names the row; the others are figures and stand to the right. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Lines below the table. */
  readonly notes?: readonly string[];
  /** Left out where space is short: the README. */
  readonly isDetail?: boolean;
}

export function terminalTable(table: Table, useColour: boolean): string {
  const widths = columnWidths(table);
  const line = (cells: readonly string[]): string => cells.map((cell, column) => pad(cell, column, widths)).join("  ");
  const paint = (style: "bold" | "gray", text: string): string =>
    useColour ? styleText(style, text, { validateStream: false }) : text;
  return [
    paint("bold", table.title),
    paint("gray", line(table.columns)),
    ...table.rows.map(line),
    ...(table.notes ?? []).map((note) => paint("gray", note)),
  ]
    .map((text) => `${text.trimEnd()}\n`)
    .join("");
}

export function markdownTable(table: Table): string {
  const row = (cells: readonly string[]): string => `| ${cells.map(escapePipe).join(" | ")} |\n`;
  const rule = table.columns.map((_unused, column) => (column === 0 ? "---" : "--:"));
  const notes = (table.notes ?? []).map((note) => `\n${note}\n`).join("");
  return `**${table.title}**\n\n${row(table.columns)}${row(rule)}${table.rows.map(row).join("")}${notes}`;
}

export function htmlTable(table: Table): string {
  const head = table.columns.map((name) => `<th scope="col">${escapeHtml(name)}</th>`).join("");
  const body = table.rows.map((cells) => `<tr>${cells.map(htmlCell).join("")}</tr>`).join("");
  const notes = (table.notes ?? []).map((note) => `<p class="note">${escapeHtml(note)}</p>`).join("");
  return `<div class="scroll" tabindex="0" role="region" aria-label="${escapeHtml(table.title)}"><table><caption>${escapeHtml(table.title)}</caption><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>${notes}`;
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function htmlCell(cell: string, column: number): string {
  return column === 0 ? `<th scope="row">${escapeHtml(cell)}</th>` : `<td>${escapeHtml(cell)}</td>`;
}

function escapePipe(cell: string): string {
  return cell.replaceAll("|", "\\|");
}

function columnWidths(table: Table): number[] {
  return table.columns.map((name, column) =>
    Math.max(name.length, ...table.rows.map((cells) => cells[column]?.length ?? 0)),
  );
}

function pad(cell: string, column: number, widths: readonly number[]): string {
  const width = widths[column] ?? cell.length;
  return column === 0 ? cell.padEnd(width) : cell.padStart(width);
}
