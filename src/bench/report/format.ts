// How numbers look, in every table.

import type { Summary } from "../statistics.ts";

export function formatNumber(value: number, digits: number): string {
  if (!Number.isFinite(value)) return "unknown";
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** The median, with the spread behind it where there was more than one run. */
export function formatSummary(summary: Summary | undefined, digits: number): string {
  if (summary === undefined) return "";
  return `${formatNumber(summary.median, digits)}${spreadOf(summary)}`;
}

export function formatRatio(summary: Summary | undefined): string {
  if (summary === undefined) return "";
  return `×${formatNumber(summary.median, 2)}${spreadOf(summary)}`;
}

function spreadOf(summary: Summary): string {
  return summary.count > 1 ? ` ±${formatNumber(summary.spread * 100, 0)}%` : "";
}

/** A share of 0 to 1. */
export function formatPercent(share: number): string {
  return `${formatNumber(share * 100, 0)} %`;
}

/** 1,234,567 as "1.23M": for axes and columns where three digits say enough. */
export function formatShort(value: number): string {
  if (!Number.isFinite(value)) return "unknown";
  return value.toLocaleString("en", { notation: "compact", maximumSignificantDigits: 3 });
}
